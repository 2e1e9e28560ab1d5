//! An attribution beside the games that it speaks of.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, Array3, ArrayRef2, ArrayView1, Axis, Slice};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Game, MaskedGame, Masker, Meter, Model, Result};

use crate::Case;

/// How many masked samples one call of the model scores at most.
const SAMPLES_PER_CALL: usize = 4096;
/// Cells of coalitions that are held at once: 1 GiB.
const MOST_CELLS: u64 = 1 << 30;

/// The games of a batch, one a sample, and what an attribution gives each player of them.
pub(crate) struct Games<'a, M: Model + ?Sized> {
    model: &'a M,
    batch: &'a M::Batch,
    masker: &'a dyn Masker<M::Batch>,
    /// The shares: (sample, player, output).
    pub values: &'a Array3<f64>,
    pub n_samples: usize,
    pub n_players: usize,
    pub n_outputs: usize,
}

impl<'a, M: Model + ?Sized> Games<'a, M> {
    /// # Errors
    /// [`Error::Unsupported`] without a masker; [`Error::Shape`]
    /// for an attribution of other samples, players or outputs; [`Error::NonFinite`] for a
    /// share that is no number.
    pub fn new(metric: &str, case: &Case<'a, M>, attribution: &'a Attribution) -> Result<Self> {
        let masker = case.need_masker(metric)?;
        let values = case.values(attribution)?;
        let (n_samples, n_players, n_outputs) = values.dim();
        for sample in 0..n_samples {
            let players = masker.n_players(case.batch, sample);
            same_shape(format!("features for the players of sample {sample}"), &[players], &[n_players])?;
        }
        Ok(Games { model: case.model, batch: case.batch, masker, values, n_samples, n_players, n_outputs })
    }

    /// How many evaluations a coalition takes.
    pub fn replicas(&self) -> u64 {
        self.masker.weights().len() as u64
    }

    /// Refuses more coalitions at once than memory can hold.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn bounded(&self, n_coalitions: usize) -> Result<()> {
        let found = (n_coalitions as u64).saturating_mul(self.n_players as u64);
        if found <= MOST_CELLS {
            return Ok(());
        }
        let what =
            format!("{n_coalitions} coalitions of {} players, in cells (take regions as players)", self.n_players);
        Err(Error::TooLarge { what, limit: MOST_CELLS, found })
    }

    /// A meter for `n` coalitions of every sample, and for the samples as they are.
    ///
    /// # Errors
    /// [`Error::Budget`] when the run allows fewer.
    pub fn meter<'r>(&self, run: &'r xai_core::Run<'r>, n: usize) -> Result<Meter<'r>> {
        let each = (n as u64).saturating_mul(self.replicas()).saturating_add(1);
        Meter::planned(run, each.saturating_mul(self.n_samples as u64))
    }

    /// The scores of the samples as they are: (sample, output).
    pub fn whole(&self, meter: &Meter) -> Result<Array2<f64>> {
        if self.n_samples == 0 {
            return Ok(Array2::zeros((0, self.n_outputs)));
        }
        meter.predict(self.model, self.batch)
    }

    /// What coalitions of one sample's players are worth: (coalition, output).
    pub fn worth(&self, sample: usize, coalitions: &ArrayRef2<bool>, meter: &Meter) -> Result<Array2<f64>> {
        if coalitions.nrows() == 0 {
            return Ok(Array2::zeros((0, self.n_outputs)));
        }
        MaskedGame { model: self.model, masker: self.masker, batch: self.batch, sample, meter }.worth(coalitions)
    }

    /// The mean squared distance (coalition, output) from `centre` (output) of the scores of one sample's coalitions: over
    /// a coalition's replicas, where its worth is their mean.
    pub fn spread(
        &self,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
        centre: ArrayView1<f64>,
        meter: &Meter,
    ) -> Result<Array2<f64>> {
        let weights = self.masker.weights();
        if weights.len() == 1 {
            let worth = self.worth(sample, coalitions, meter)?;
            return Ok((&worth - &centre).mapv(|fall| fall * fall));
        }
        let at_once = self.masker.samples_at_once(self.batch).min(SAMPLES_PER_CALL);
        let step = (at_once / weights.len().max(1)).max(1);
        let mut spread = Array2::zeros((coalitions.nrows(), self.n_outputs));
        for start in (0..coalitions.nrows()).step_by(step) {
            let end = (start + step).min(coalitions.nrows());
            let chunk = coalitions.slice_axis(Axis(0), Slice::from(start..end));
            let (scores, weights, ends) = match self.masker.replicas(self.batch, sample, &chunk)? {
                Some(replicas) => {
                    let scores = meter.predict(self.model, replicas.samples.borrow())?;
                    same_shape("weights of the replicas", &[scores.nrows()], &[replicas.weights.len()])?;
                    same_shape("ends of the replicas (coalition)", &[end - start], &[replicas.ends.len()])?;
                    (scores, replicas.weights, replicas.ends)
                }
                None => {
                    let masked = self.masker.mask(self.batch, sample, &chunk)?;
                    let scores = meter.predict(self.model, masked.borrow())?;
                    same_shape("masked samples", &[(end - start) * weights.len()], &[scores.nrows()])?;
                    let all = (start..end).flat_map(|_| weights.iter().copied()).collect();
                    (scores, all, (1..=end - start).map(|c| c * weights.len()).collect())
                }
            };
            let mut from = 0;
            for (c, to) in ends.into_iter().enumerate() {
                for r in from..to.min(scores.nrows()) {
                    for k in 0..self.n_outputs {
                        spread[[start + c, k]] += weights[r] * (scores[[r, k]] - centre[k]).powi(2);
                    }
                }
                from = to;
            }
        }
        Ok(spread)
    }

    /// Whether the empty coalition is worth the same for every sample.
    pub fn empty_is_shared(&self) -> bool {
        self.masker.empty_is_shared()
    }

    /// What the empty coalition of one sample's players is worth: (output).
    pub fn empty(&self, sample: usize, meter: &Meter) -> Result<Array1<f64>> {
        let nobody = Array2::from_elem((1, self.n_players), false);
        Ok(self.worth(sample, &nobody, meter)?.row(0).to_owned())
    }

    /// The shares of one sample for one output: (player).
    pub fn shares(&self, sample: usize, output: usize) -> ArrayView1<'a, f64> {
        self.values.index_axis(Axis(0), sample).index_axis_move(Axis(1), output)
    }
}
