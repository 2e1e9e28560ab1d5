//! One game for each sample of a batch: what a run of them costs, how they are played, what comes out.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, Array3, ArrayRef2, Axis};
use xai_core::model::output_names;
use xai_core::{Attribution, Error, Feature, Game, Model, Provenance, Result, Run};

use super::{Ends, Estimate, Estimator};

/// The games of a batch, all of the same players.
pub(super) struct Games<'a, E> {
    pub estimator: &'a E,
    pub players: Vec<Feature>,
    pub samples: usize,
    /// Evaluations a coalition, at most.
    pub replicas: usize,
    /// Whether nobody is worth the same in every game.
    pub empty_is_shared: bool,
    /// Coalitions that one call of a game takes; several calls are made at once.
    pub at_once: usize,
}

/// What came out of one game.
pub(super) type Played = (Ends, Estimate);

impl<E: Estimator> Games<'_, E> {
    /// The number of evaluations at most: the samples' scores, the worth of nobody, and the estimator's coalitions.
    ///
    /// # Errors
    /// [`Error::Budget`] when the run does not allow so many, and those of the estimator.
    pub fn planned(&self, run: &Run) -> Result<u64> {
        let (samples, replicas) = (self.samples as u64, self.replicas as u64);
        let empty = if self.empty_is_shared { samples.min(1) } else { samples };
        let coalitions = self.estimator.coalitions(self.players.len())?.saturating_mul(samples).saturating_add(empty);
        let planned = coalitions.saturating_mul(replicas).saturating_add(samples);
        match run.max_evaluations.filter(|&budget| planned > budget) {
            Some(budget) => Err(Error::Budget { budget, needed: planned }),
            None => Ok(planned),
        }
    }

    /// Plays every sample's game, which `game` makes, in parallel. `scores` are the samples' own.
    pub fn play<G: Game>(
        &self,
        scores: &Array2<f64>,
        run: &Run,
        game: impl Fn(usize) -> Result<G> + Sync,
    ) -> Result<Vec<Played>> {
        let nobody = Array2::from_elem((1, self.players.len()), false);
        let shared = match self.empty_is_shared && self.samples > 0 {
            true => Some(game(0)?.worth(&nobody).map_err(|error| at(error, "on samples without any player", None))?),
            false => None,
        };
        let play = |sample: usize| {
            let game = game(sample)?;
            let game = Spread { game: &game, step: self.at_once.max(1) };
            let empty = match &shared {
                Some(worth) => worth.row(0).to_owned(),
                None => game.worth(&nobody)?.row(0).to_owned(),
            };
            let ends = Ends { empty, full: scores.row(sample).to_owned() };
            let estimate = self.estimator.estimate(&game, &ends, run.seed_of(sample))?;
            Ok((ends, estimate.checked(self.players.len(), scores.ncols())?))
        };
        (0..self.samples)
            .into_par_iter()
            .map(|sample| play(sample).map_err(|error| at(error, "on perturbed copies", Some(sample))))
            .collect()
    }

    /// How the games were played.
    pub fn account(&self, run: &Run, masker: String, played: &[Played]) -> Provenance {
        let provenance = Provenance::new(self.estimator.name(), run).with("masker", masker);
        let mut provenance = self.estimator.parameters(provenance);
        if let Some(most) = played.iter().map(|(_, estimate)| estimate.coalitions).max() {
            provenance = provenance.with("coalitions_evaluated", most as usize);
        }
        for note in played.iter().flat_map(|(_, estimate)| &estimate.notes) {
            if !provenance.notes.contains(note) {
                provenance.notes.push(note.clone());
            }
        }
        provenance
    }

    /// The shares of all games in one array.
    pub fn attribution<M: Model + ?Sized>(
        self,
        model: &M,
        scores: Array2<f64>,
        played: &[Played],
        provenance: Provenance,
        data: Option<Array2<f64>>,
    ) -> Result<Attribution> {
        let mut base = Array2::zeros(scores.dim());
        let mut values = Array3::zeros((self.samples, self.players.len(), scores.ncols()));
        let with_error = self.samples > 0 && played.iter().all(|(_, estimate)| estimate.standard_error.is_some());
        let mut errors = with_error.then(|| Array3::zeros(values.dim()));
        for (sample, (ends, estimate)) in played.iter().enumerate() {
            base.row_mut(sample).assign(&ends.empty);
            values.index_axis_mut(Axis(0), sample).assign(&estimate.values);
            if let (Some(errors), Some(error)) = (&mut errors, &estimate.standard_error) {
                errors.index_axis_mut(Axis(0), sample).assign(error);
            }
        }
        Attribution {
            provenance,
            features: self.players,
            outputs: output_names(model),
            base,
            values,
            scores,
            standard_error: errors,
            data,
            fidelity: None,
            shape: None,
        }
        .checked()
    }
}

/// Says of which sample of the batch the copies were that the model could not score.
pub(crate) fn at(error: Error, copies: &str, of: Option<usize>) -> Error {
    match error {
        Error::NonFinite { what, column, value, sample } => {
            Error::NonFinite { what: format!("{what}, {copies}"), sample: of.unwrap_or(sample), column, value }
        }
        other => other,
    }
}

/// A game whose coalitions are worked on by several threads, in the same pieces whatever their number.
pub(crate) struct Spread<'g> {
    pub game: &'g dyn Game,
    /// Coalitions that one call takes.
    pub step: usize,
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
