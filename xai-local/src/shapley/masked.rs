//! An estimator and a masker make an explainer.

use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Explainer, Feature, MaskedGame, Masker, Meter, Model, Result, Run};

use super::Estimator;
use super::games::Games;

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
/// One evaluation for the score of each sample, and coalitions · replicas for its game, where a masker's replicas are
/// at most as many as its [weights](Masker::weights). The empty coalition takes as many replicas again: once for the
/// whole batch where the masker says that [its worth is the same for all](Masker::empty_is_shared), as those of
/// [`crate::masker`] do; once for each sample otherwise.
///
/// # Errors
/// [`Error::Budget`](xai_core::Error::Budget) before any evaluation if the plan exceeds the budget;
/// [`Error::NonFinite`](xai_core::Error::NonFinite) naming the sample whose perturbed copies get such a score;
/// [`Error::Shape`](xai_core::Error::Shape) for samples with different numbers of players in one batch.
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
        let samples = batch.n_samples();
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

        let replicas = self.masker.weights().len();
        let games = Games {
            estimator: &self.estimator,
            players: features,
            samples,
            replicas,
            empty_is_shared: self.masker.empty_is_shared(),
            at_once: SAMPLES_PER_CALL / replicas.max(1),
        };
        let meter = Meter::new(run, games.planned(run)?);
        let scores = meter.predict(model, batch)?;
        let played = games.play(&scores, run, |sample| {
            Ok(MaskedGame { model, masker: &self.masker, batch, sample, meter: &meter })
        })?;
        let provenance = games.account(run, self.masker.describe(), &played).evaluations(meter.evaluations());
        games.attribution(model, scores, &played, provenance, self.masker.data(batch))
    }
}

/// Samples that one call of the model scores, so that several threads share the coalitions of one game.
const SAMPLES_PER_CALL: usize = 4096;
