//! An estimator of interactions and a masker make an explainer.

use std::collections::BTreeMap;

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, Axis};
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{
    Batch, Error, Explainer, Feature, Game, InteractionIndex, Interactions, MaskedGame, Masker, Meter, Model,
    Provenance, Result, Run,
};

use super::{InteractionEstimator, Terms};
use crate::shapley::{Ends, Spread, at};

/// Explains by an [`InteractionEstimator`] what the parts of a sample do together that a [`Masker`] takes away.
///
/// Every sample is a game of its own; games are played in parallel, and the coalitions of one game too, with the same
/// numbers for any number of threads and any cut of the data into batches.
///
/// # Units
/// For an [efficient](xai_core::InteractionIndex::is_efficient) index, `base` + Σ values = `scores` up to rounding.
/// `base` is what the empty coalition is worth, `scores` are the model's for the samples themselves.
///
/// # Cost
/// One evaluation for the score of each sample, and coalitions · replicas for its game, where a masker's replicas are
/// its [weights](Masker::weights); the empty coalition besides, once if the masker says that it is the same for all.
///
/// # Errors
/// [`Error::Budget`] before any evaluation if the plan exceeds the budget; [`Error::TooLarge`] for more values than
/// memory should hold; [`Error::NonFinite`] naming the sample whose perturbed copies get such a score; [`Error::Shape`]
/// for samples with different numbers of players in one batch.
///
/// # Laws
/// `interactions_are_complete`, `interactions_cut_batch_threads_and_budget`.
///
/// # Source
/// The game: Štrumbelj & Kononenko 2014; the estimators name their own.
///
/// # Example
/// ```
/// use ndarray::{array, Array2, Axis};
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_local::{interaction::{ExactInteractions, MaskedInteractions}, masker::Baseline};
/// struct Product;
/// impl Model for Product {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.map_axis(Axis(1), |x| x[0] * x[1]).insert_axis(Axis(1))) }
/// }
/// let masker = Baseline::new(array![0.0, 0.0]);
/// let explainer = MaskedInteractions { estimator: ExactInteractions::default(), masker };
/// let explanation = explainer.explain(&Product, &array![[2.0, 3.0]], &Run::default())?;
/// // Neither feature does anything alone.
/// assert_eq!(explanation.terms, [vec![0], vec![1], vec![0, 1]]);
/// assert_eq!(explanation.values, array![[[0.0], [0.0], [6.0]]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MaskedInteractions<E, K> {
    /// How interactions are found.
    pub estimator: E,
    /// What a player is and what its absence means.
    pub masker: K,
}

/// More values than this are refused: 1 GiB.
const MOST_VALUES: u64 = 1 << 27;

impl<M, E, K> Explainer<M> for MaskedInteractions<E, K>
where
    M: Model + ?Sized,
    E: InteractionEstimator,
    K: Masker<M::Batch>,
{
    type Explanation = Interactions;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Interactions> {
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
        let replicas = self.masker.weights().len();
        let planned = self.planned(players, samples, replicas, self.masker.empty_is_shared(), run)?;
        let each = self.estimator.most_sets(players).saturating_mul(outputs as u64);
        let size = each.saturating_mul(samples as u64);
        if size > MOST_VALUES {
            return Err(Error::TooLarge { what: "values of interactions".into(), limit: MOST_VALUES, found: size });
        }

        let meter = Meter::new(run, planned);
        let scores = meter.predict(model, batch)?;
        let nobody = Array2::from_elem((1, players), false);
        let game_of = |sample| MaskedGame { model, masker: &self.masker, batch, sample, meter: &meter };
        let shared = match self.masker.empty_is_shared() && samples > 0 {
            true => Some(game_of(0).worth(&nobody).map_err(|error| at(error, "on samples without any player", None))?),
            false => None,
        };
        let games = (0..samples)
            .into_par_iter()
            .map(|sample| {
                let game = game_of(sample);
                let game = Spread { game: &game, step: (SAMPLES_PER_CALL / replicas.max(1)).max(1) };
                let play = || {
                    let empty = shared.as_ref().map_or_else(|| game.worth(&nobody), |worth| Ok(worth.clone()))?;
                    let ends = Ends { empty: empty.row(0).to_owned(), full: scores.row(sample).to_owned() };
                    let terms = self.estimator.estimate(&game, &ends, run.seed_of(sample))?;
                    Ok((ends.empty, terms.checked(outputs)?))
                };
                play().map_err(|error| at(error, "on perturbed copies", Some(sample)))
            })
            .collect::<Result<Vec<_>>>()?;

        let mut base = Array2::zeros((samples, outputs));
        games.iter().zip(base.outer_iter_mut()).for_each(|((empty, _), mut row)| row.assign(empty));
        let played: Vec<Terms> = games.into_iter().map(|(_, terms)| terms).collect();
        let provenance = self.account(run, self.masker.describe(), &played).evaluations(meter.evaluations());
        let (terms, values, standard_error) = united(&played, outputs);
        let (index, order) = self.estimator.index();
        let data = self.masker.data(batch);
        let outputs = output_names(model);
        Interactions { provenance, index, order, features, outputs, terms, base, values, scores, standard_error, data }
            .checked()
    }
}

impl<E: InteractionEstimator, K> MaskedInteractions<E, K> {
    /// The number of evaluations at most.
    fn planned(&self, players: usize, samples: usize, replicas: usize, shared: bool, run: &Run) -> Result<u64> {
        let (samples, replicas) = (samples as u64, replicas as u64);
        let empty = if shared { samples.min(1) } else { samples };
        let coalitions = self.estimator.coalitions(players)?.saturating_mul(samples).saturating_add(empty);
        let planned = coalitions.saturating_mul(replicas).saturating_add(samples);
        match run.max_evaluations.filter(|&budget| planned > budget) {
            Some(budget) => Err(Error::Budget { budget, needed: planned }),
            None => Ok(planned),
        }
    }

    fn account(&self, run: &Run, masker: String, played: &[Terms]) -> Provenance {
        let provenance = Provenance::new(self.estimator.name(), run).with("masker", masker);
        let mut provenance = self.estimator.parameters(provenance);
        if let Some(most) = played.iter().map(|terms| terms.coalitions).max() {
            provenance = provenance.with("coalitions_evaluated", most as usize);
        }
        if let Some(lowest) = played.iter().filter_map(|terms| terms.fidelity).min_by(f64::total_cmp) {
            provenance = provenance.with("lowest_fidelity", lowest);
        }
        let (index, _) = self.estimator.index();
        if !index.is_efficient() {
            provenance = provenance.note(format!("the values of {index} do not sum to the score less the base"));
        }
        if index == InteractionIndex::Fbii {
            let note = "base is the score when every player is absent, not the constant of the approximation that the index is of";
            provenance = provenance.note(note);
        }
        for note in played.iter().flat_map(|terms| &terms.notes) {
            if !provenance.notes.contains(note) {
                provenance.notes.push(note.clone());
            }
        }
        provenance
    }
}

/// Sets, their values and standard errors.
type United = (Vec<Vec<usize>>, Array3<f64>, Option<Array3<f64>>);

/// All sets that have a value in some game, the values, and the standard errors where every game has them.
fn united(played: &[Terms], outputs: usize) -> United {
    let mut places: BTreeMap<(usize, &[usize]), usize> =
        played.iter().flat_map(|terms| &terms.sets).map(|set| ((set.len(), set.as_slice()), 0)).collect();
    places.values_mut().enumerate().for_each(|(place, slot)| *slot = place);
    let mut values = Array3::zeros((played.len(), places.len(), outputs));
    let with_error = !played.is_empty() && played.iter().all(|terms| terms.standard_error.is_some());
    let mut errors = with_error.then(|| Array3::zeros(values.dim()));
    for (sample, terms) in played.iter().enumerate() {
        for (i, set) in terms.sets.iter().enumerate() {
            let place = places[&(set.len(), set.as_slice())];
            values.index_axis_mut(Axis(0), sample).row_mut(place).assign(&terms.values.row(i));
            if let (Some(errors), Some(error)) = (&mut errors, &terms.standard_error) {
                errors.index_axis_mut(Axis(0), sample).row_mut(place).assign(&error.row(i));
            }
        }
    }
    (places.into_keys().map(|(_, set)| set.to_vec()).collect(), values, errors)
}

/// Samples that one call of the model scores, so that several threads share the coalitions of one game.
const SAMPLES_PER_CALL: usize = 4096;
