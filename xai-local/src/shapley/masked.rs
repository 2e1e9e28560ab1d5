//! An estimator and a masker make an explainer.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::{
    Attribution, Batch, Error, Explainer, Feature, Game, MaskedGame, Masker, Meter, Model, Provenance, Result, Run,
    model::output_names,
};

use super::{Ends, Estimate, Estimator};

/// Explains by an [`Estimator`] what a model does with samples whose parts a [`Masker`] takes away.
///
/// Every sample is a game of its own; games are played in parallel, and the coalitions of one game too, with the same
/// numbers for any number of threads and any cut of the data into batches.
///
/// # Units
/// `base` + Σ values = `scores`, for every estimator of this crate up to rounding. `base` is what the empty coalition
/// is worth, `scores` are the model's for the samples themselves.
///
/// # Cost
/// One evaluation for the score of each sample, and (1 + coalitions) · replicas for its game, where a masker's
/// replicas are its [weights](Masker::weights). The empty coalition is asked anew for each sample, since only a masker
/// could know that its worth is the same for all.
///
/// # Errors
/// [`Error::Budget`] before any evaluation if the plan exceeds the budget; [`Error::NonFinite`] naming the sample whose
/// perturbed copies get such a score; [`Error::Shape`] for samples with different numbers of players in one batch.
///
/// # Laws
/// `completeness`, `symmetry`, `dummy`, `linearity`, `batch_cut`, `threads`, `same_seed`, `other_seed`,
/// `budget`, `cancellation`, `non_finite`.
///
/// # Source
/// Štrumbelj & Kononenko, *Explaining prediction models and individual predictions with feature contributions*, 2014:
/// the game; the estimators name their own.
///
/// # Example
/// ```
/// use ndarray::{array, Array2, Axis};
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_local::{masker::Background, shapley::{KernelShap, Masked}};
/// struct Product;
/// impl Model for Product {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.map_axis(Axis(1), |x| x[0] * x[1]).insert_axis(Axis(1))) }
/// }
/// let explainer = Masked { estimator: KernelShap::default(), masker: Background::new(array![[0.0, 0.0]])? };
/// let explanation = explainer.explain(&Product, &array![[2.0, 3.0]], &Run::default())?;
/// assert_eq!(explanation.values[[0, 0, 0]], 3.0);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Masked<E, K> {
    /// How the shares are found.
    pub estimator: E,
    /// What a player is and what its absence means.
    pub masker: K,
}

impl<M, E, K> Explainer<M> for Masked<E, K>
where
    M: Model + ?Sized,
    E: Estimator,
    K: Masker<M::Batch>,
{
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (samples, outputs) = (batch.n_samples(), model.n_outputs());
        let mut features = self.masker.players(model.features())?;
        let players = if samples == 0 { features.len() } else { self.masker.n_players(batch, 0) };
        if features.is_empty() {
            features = Feature::unnamed(players);
        }
        same_shape("names of the players", &[players], &[features.len()])?;
        for sample in 0..samples {
            let found = self.masker.n_players(batch, sample);
            same_shape(format!("players of sample {sample}, which must be those of sample 0"), &[players], &[found])?;
        }

        let coalitions = self.estimator.coalitions(players)?.saturating_add(1);
        let replicas = self.masker.weights().len() as u64;
        let planned = coalitions.saturating_mul(replicas).saturating_add(1).saturating_mul(samples as u64);
        if let Some(budget) = run.max_evaluations.filter(|&budget| planned > budget) {
            return Err(Error::Budget { budget, needed: planned });
        }

        let meter = Meter::new(run, planned);
        let scores = meter.predict(model, batch)?;
        let games = (0..samples)
            .into_par_iter()
            .map(|sample| {
                let game = MaskedGame { model, masker: &self.masker, batch, sample, meter: &meter };
                let game = Spread::new(&game, replicas as usize);
                let play = || {
                    let empty = game.worth(&Array2::from_elem((1, players), false))?.row(0).to_owned();
                    let ends = Ends { empty, full: scores.row(sample).to_owned() };
                    let estimate = self.estimator.estimate(&game, &ends, run.seed_of(sample))?;
                    Ok((ends, estimate.checked(players, outputs)?))
                };
                play().map_err(|error| at_sample(error, sample))
            })
            .collect::<Result<Vec<(Ends, Estimate)>>>()?;

        let provenance = self.account(run, &games).evaluations(meter.evaluations());
        let mut base = Array2::zeros((samples, outputs));
        let mut values = Array3::zeros((samples, players, outputs));
        let with_error = samples > 0 && games.iter().all(|(_, estimate)| estimate.standard_error.is_some());
        let mut errors = with_error.then(|| Array3::zeros(values.dim()));
        for (sample, (ends, estimate)) in games.iter().enumerate() {
            base.row_mut(sample).assign(&ends.empty);
            values.index_axis_mut(Axis(0), sample).assign(&estimate.values);
            if let (Some(errors), Some(error)) = (&mut errors, &estimate.standard_error) {
                errors.index_axis_mut(Axis(0), sample).assign(error);
            }
        }
        Attribution {
            provenance,
            features,
            outputs: output_names(model),
            base,
            values,
            scores,
            standard_error: errors,
            data: self.masker.data(batch),
            fidelity: None,
        }
        .checked()
    }
}

impl<E: Estimator, K> Masked<E, K> {
    fn account<B: Batch + ?Sized>(&self, run: &Run, games: &[(Ends, Estimate)]) -> Provenance
    where
        K: Masker<B>,
    {
        let provenance = Provenance::new(self.estimator.name(), run).with("masker", self.masker.describe());
        let mut provenance = self.estimator.parameters(provenance);
        if let Some(most) = games.iter().map(|(_, estimate)| estimate.coalitions).max() {
            provenance = provenance.with("coalitions_evaluated", most as usize);
        }
        for note in games.iter().flat_map(|(_, estimate)| &estimate.notes) {
            if !provenance.notes.contains(note) {
                provenance.notes.push(note.clone());
            }
        }
        provenance
    }
}

/// Says of which sample of the batch the copies were that the model could not score.
fn at_sample(error: Error, sample: usize) -> Error {
    match error {
        Error::NonFinite { what, column, value, .. } => {
            Error::NonFinite { what: format!("{what}, on perturbed copies"), sample, column, value }
        }
        other => other,
    }
}

/// Samples that one call of the model scores, so that several threads share the coalitions of one game.
const SAMPLES_PER_CALL: usize = 4096;

/// A game whose coalitions are worked on by several threads, in the same pieces whatever their number.
struct Spread<'g> {
    game: &'g dyn Game,
    step: usize,
}

impl<'g> Spread<'g> {
    fn new(game: &'g dyn Game, replicas: usize) -> Self {
        Spread { game, step: (SAMPLES_PER_CALL / replicas.max(1)).max(1) }
    }
}

impl Game for Spread<'_> {
    fn n_players(&self) -> usize {
        self.game.n_players()
    }

    fn n_outputs(&self) -> usize {
        self.game.n_outputs()
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        if coalitions.nrows() <= self.step {
            return self.game.worth(coalitions);
        }
        let mut worth = Array2::zeros((coalitions.nrows(), self.n_outputs()));
        worth
            .axis_chunks_iter_mut(Axis(0), self.step)
            .into_par_iter()
            .zip(coalitions.axis_chunks_iter(Axis(0), self.step).into_par_iter())
            .try_for_each(|(mut part, chunk)| {
                part.assign(&self.game.worth(&chunk)?);
                Ok(())
            })?;
        Ok(worth)
    }
}
