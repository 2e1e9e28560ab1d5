//! An attribution beside the games that it speaks of.

use ndarray::{Array2, Array3, ArrayRef2, ArrayView1, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Game, MaskedGame, Masker, Meter, Model, Result};

use crate::Case;
use crate::asking::Asking;

/// Cells of coalitions that are held at once: 1 GiB.
const MOST_CELLS: u64 = 1 << 30;

/// The games of a batch, one a sample, and what an attribution gives each player of them.
pub(crate) struct Games<'a, M: Model + ?Sized> {
    pub model: &'a M,
    pub batch: &'a M::Batch,
    pub masker: &'a dyn Masker<M::Batch>,
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

    /// What the coalitions of every sample are worth, asked in few calls: `coalitions` gives those of a sample and whatever
    /// goes with them, `see` gets that back with the worth (coalition, output), sample by sample in order.
    ///
    /// # Errors
    /// Those of the model, of the masker and of `see`.
    pub fn each_worth<T>(
        &self,
        meter: &Meter,
        mut coalitions: impl FnMut(usize) -> (Array2<bool>, T),
        see: &mut dyn FnMut(usize, T, Array2<f64>),
    ) -> Result<()> {
        let worth = |_: usize, _: usize, score: f64| score;
        let mut asking = Asking::new(self, meter, &worth);
        for sample in 0..self.n_samples {
            let (coalitions, with) = coalitions(sample);
            asking.ask(sample, &coalitions, with, see)?;
        }
        asking.finish(see)
    }

    /// Whether the empty coalition is worth the same for every sample.
    pub fn empty_is_shared(&self) -> bool {
        self.masker.empty_is_shared()
    }

    /// The shares of one sample for one output: (player).
    pub fn shares(&self, sample: usize, output: usize) -> ArrayView1<'a, f64> {
        self.values.index_axis(Axis(0), sample).index_axis_move(Axis(1), output)
    }
}
