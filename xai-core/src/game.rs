//! The narrow waist of everything that perturbs: a masker turns a model and a sample into a game on coalitions.

use std::borrow::Borrow;

use ndarray::{Array2, ArrayRef2, ArrayViewMut2, Axis, Slice};

use crate::error::same_shape;
use crate::{Batch, Feature, Meter, Model, Result};

/// What a method that perturbs explains: players, and what each coalition of them is worth.
pub trait Game: Sync {
    /// The number of players; any number, hundreds for texts and images.
    fn n_players(&self) -> usize;

    /// The number of outputs of [`Game::worth`].
    fn n_outputs(&self) -> usize;

    /// What each coalition is worth.
    ///
    /// # Shapes
    /// `coalitions` (coalition, player), true where the player is present → (coalition, output).
    ///
    /// # Errors
    /// Those of [`Meter::predict`] and of the masker.
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>>;
}

/// What a player is, and what it means that one is absent.
///
/// A masker replaces a sample and a coalition by one or several samples ("replicas", for instance one for each
/// background row) in which the absent players' values are replaced; the coalition is worth the weighted mean of the
/// model's scores on them.
pub trait Masker<B: Batch + ?Sized>: Send + Sync {
    /// The number of players in one sample of `batch`.
    fn n_players(&self, batch: &B, sample: usize) -> usize;

    /// The weight of each replica; they sum to one.
    fn weights(&self) -> &[f64] {
        &[1.0]
    }

    /// Whether the empty coalition is worth the same for every sample, since nothing of a sample is left when all its
    /// players are absent. It is then asked once instead of for each sample.
    fn empty_is_shared(&self) -> bool {
        false
    }

    /// The masked samples, coalition by coalition, replica by replica: coalition c's replica r is sample
    /// c·`weights().len()` + r of the result.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a batch that the masker was not made for.
    fn mask(&self, batch: &B, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<B::Owned>;

    /// The masked samples where every coalition has replicas and weights of its own, at most `weights().len()` of them
    /// (a coalition's nearest rows, for instance). `None` where [`Masker::weights`] hold for all coalitions: then
    /// [`Masker::mask`] is asked.
    ///
    /// # Errors
    /// As [`Masker::mask`].
    fn replicas(&self, batch: &B, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Option<Replicas<B::Owned>>> {
        let _ = (batch, sample, coalitions);
        Ok(None)
    }

    /// How many masked samples of `batch` may be held at once, where samples are large (images): then the model is asked
    /// in smaller calls.
    fn samples_at_once(&self, batch: &B) -> usize {
        let _ = batch;
        SAMPLES_PER_CALL
    }

    /// The players' names, given those of the model's features.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when the features are not those that the masker was made for.
    fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
        Ok(features.to_vec())
    }

    /// The players' values for display (sample, player), where they have any.
    fn data(&self, batch: &B) -> Option<Array2<f64>> {
        let _ = batch;
        None
    }

    /// What the masker is, for the provenance: a name such as `background` and its size.
    fn describe(&self) -> String;
}

/// Masked samples of several coalitions, each with as many as it needs and with weights of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicas<O> {
    /// The masked samples, coalition by coalition.
    pub samples: O,
    /// The weight of each sample; those of one coalition sum to one.
    pub weights: Vec<f64>,
    /// The place behind each coalition's last sample.
    pub ends: Vec<usize>,
}

impl<O> Replicas<O> {
    /// Checks what a masker of unknown making says of `coalitions` coalitions.
    fn check<B: Batch<Owned = O> + ?Sized>(&self, coalitions: usize) -> Result<()>
    where
        O: Borrow<B>,
    {
        let samples = self.samples.borrow().n_samples();
        same_shape("ends of the replicas (coalition)", &[coalitions], &[self.ends.len()])?;
        same_shape("weights of the replicas", &[samples], &[self.weights.len()])?;
        let rising = self.ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let last = self.ends.last().copied().unwrap_or(0);
        same_shape(
            "ends of the replicas, which must rise to their number",
            &[samples],
            &[if rising { last } else { 0 }],
        )
    }
}

/// References and boxes of maskers are maskers.
macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<B: Batch + ?Sized, K: Masker<B> + ?Sized> Masker<B> for $pointer {
            fn n_players(&self, batch: &B, sample: usize) -> usize {
                (**self).n_players(batch, sample)
            }
            fn weights(&self) -> &[f64] {
                (**self).weights()
            }
            fn empty_is_shared(&self) -> bool {
                (**self).empty_is_shared()
            }
            fn mask(&self, batch: &B, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<B::Owned> {
                (**self).mask(batch, sample, coalitions)
            }
            fn replicas(&self, batch: &B, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Option<Replicas<B::Owned>>> {
                (**self).replicas(batch, sample, coalitions)
            }
            fn samples_at_once(&self, batch: &B) -> usize {
                (**self).samples_at_once(batch)
            }
            fn players(&self, features: &[Feature]) -> Result<Vec<Feature>> {
                (**self).players(features)
            }
            fn data(&self, batch: &B) -> Option<Array2<f64>> {
                (**self).data(batch)
            }
            fn describe(&self) -> String {
                (**self).describe()
            }
        }
    )*};
}
forward!(&K, Box<K>);

/// How many samples one call of the model scores at most: enough to be fast, few enough to stay in cache.
const SAMPLES_PER_CALL: usize = 4096;

/// The game in which one sample's players are present or absent by a masker, and worth is the model's score.
pub struct MaskedGame<'a, M: Model + ?Sized, K: ?Sized> {
    /// The model that scores.
    pub model: &'a M,
    /// What absence means.
    pub masker: &'a K,
    /// The batch that holds the sample.
    pub batch: &'a M::Batch,
    /// The sample's place in the batch.
    pub sample: usize,
    /// Who counts.
    pub meter: &'a Meter<'a>,
}

impl<M, K> Game for MaskedGame<'_, M, K>
where
    M: Model + ?Sized,
    K: Masker<M::Batch> + ?Sized,
{
    fn n_players(&self) -> usize {
        self.masker.n_players(self.batch, self.sample)
    }

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    /// # Cost
    /// At most `weights().len()` evaluations a coalition, in calls of some thousand samples.
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let weights = self.masker.weights();
        let mut worth = Array2::zeros((coalitions.nrows(), self.n_outputs()));
        let at_once = self.masker.samples_at_once(self.batch).min(SAMPLES_PER_CALL);
        let step = (at_once / weights.len().max(1)).max(1);
        for start in (0..coalitions.nrows()).step_by(step) {
            let end = (start + step).min(coalitions.nrows());
            let chunk = coalitions.slice_axis(Axis(0), Slice::from(start..end));
            let part = worth.slice_axis_mut(Axis(0), Slice::from(start..end));
            match self.masker.replicas(self.batch, self.sample, &chunk)? {
                Some(replicas) => {
                    replicas.check::<M::Batch>(end - start)?;
                    let scores = self.meter.predict(self.model, replicas.samples.borrow())?;
                    let starts = std::iter::once(0).chain(replicas.ends.iter().copied());
                    let ranges = starts.zip(&replicas.ends).map(|(start, &end)| (start, &replicas.weights[start..end]));
                    average(part, &scores, ranges);
                }
                None => {
                    let masked = self.masker.mask(self.batch, self.sample, &chunk)?;
                    let scores = self.meter.predict(self.model, masked.borrow())?;
                    same_shape("masked samples", &[(end - start) * weights.len()], &[scores.nrows()])?;
                    average(part, &scores, (0..end - start).map(|c| (c * weights.len(), weights)));
                }
            }
        }
        Ok(worth)
    }
}

/// Fills `worth` (coalition, output) with the weighted sums of `scores` (replica, output), for each coalition from the
/// place where its replicas start.
fn average<'w>(mut worth: ArrayViewMut2<f64>, scores: &Array2<f64>, parts: impl Iterator<Item = (usize, &'w [f64])>) {
    for (mut worth, (start, weights)) in worth.outer_iter_mut().zip(parts) {
        for (output, worth) in worth.iter_mut().enumerate() {
            let scores = scores.column(output);
            let scores = scores.slice_axis(Axis(0), Slice::from(start..start + weights.len()));
            *worth = scores.iter().zip(weights).map(|(score, weight)| score * weight).sum();
        }
    }
}
