//! An attribution beside the games that it speaks of.

use ndarray::{Array2, Array3, ArrayRef2};
use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Game, MaskedGame, Masker, Meter, Model, Result};

use crate::measurement::values_of;

/// The games of a batch, one a sample, and what an attribution gives each player of them.
pub(crate) struct Games<'a, M: Model + ?Sized, K: ?Sized> {
    model: &'a M,
    batch: &'a M::Batch,
    masker: &'a K,
    /// The shares: (sample, player, output).
    pub values: &'a Array3<f64>,
    pub n_samples: usize,
    pub n_players: usize,
    pub n_outputs: usize,
}

impl<'a, M: Model + ?Sized, K: Masker<M::Batch> + ?Sized> Games<'a, M, K> {
    /// # Errors
    /// [`Error::Shape`](xai_core::Error::Shape) for an attribution of other samples, players or outputs;
    /// [`Error::NonFinite`](xai_core::Error::NonFinite) for a share that is no number.
    pub fn new(model: &'a M, batch: &'a M::Batch, masker: &'a K, attribution: &'a Attribution) -> Result<Self> {
        let values = values_of(attribution)?;
        let (n_samples, n_outputs) = (batch.n_samples(), model.n_outputs());
        let n_players = attribution.features.len();
        let found = [attribution.n_samples(), attribution.outputs.len()];
        same_shape("attribution (sample, output)", &[n_samples, n_outputs], &found)?;
        for sample in 0..n_samples {
            let players = masker.n_players(batch, sample);
            same_shape(format!("features for the players of sample {sample}"), &[players], &[n_players])?;
        }
        Ok(Games { model, batch, masker, values, n_samples, n_players, n_outputs })
    }

    /// How many evaluations a coalition takes.
    pub fn replicas(&self) -> usize {
        self.masker.weights().len()
    }

    /// What coalitions of one sample's players are worth: (coalition, output).
    pub fn worth(&self, sample: usize, coalitions: &ArrayRef2<bool>, meter: &Meter) -> Result<Array2<f64>> {
        MaskedGame { model: self.model, masker: self.masker, batch: self.batch, sample, meter }.worth(coalitions)
    }
}
