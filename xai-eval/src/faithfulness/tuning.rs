//! Samples with random players absent, for the tuning of a model that is to be measured.

use std::borrow::Borrow;

use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Batch, Error, Masker, Model, Result, Run};

use super::FFidelity;
use crate::draws::Draws;

impl FFidelity {
    /// Every sample of `batch` with random players absent: from none to as many as this metric ever lets go, each number
    /// with the same chance, each set of that size too. A sample follows from the run's seed, its place in the data and the
    /// `round`, however the batch is cut. Of a masker's replicas one is drawn by their weights.
    ///
    /// # Errors
    /// Those of the masker; [`Error::Parameter`] for a sample without players; [`Error::Unsupported`] for a kind of batch
    /// that cannot be joined.
    ///
    /// # Laws
    /// `tuning_never_hides_more_than_the_metric`.
    pub fn masked<B: Batch + ?Sized>(
        &self,
        masker: &dyn Masker<B>,
        batch: &B,
        round: usize,
        run: &Run,
    ) -> Result<B::Owned> {
        self.check()?;
        if batch.n_samples() == 0 {
            return Ok(batch.samples(0..0));
        }
        let one = |sample: usize| self.masked_one(masker, batch, sample, Draws::nth(run.seed_of(sample), round));
        let parts = (0..batch.n_samples()).map(one).collect::<Result<Vec<B::Owned>>>()?;
        let parts: Vec<&B> = parts.iter().map(Borrow::borrow).collect();
        B::joined(&parts)?.ok_or_else(|| Error::unsupported("tuning", "samples of this kind cannot be joined"))
    }

    fn masked_one<B: Batch + ?Sized>(
        &self,
        masker: &dyn Masker<B>,
        batch: &B,
        sample: usize,
        mut draws: Draws,
    ) -> Result<B::Owned> {
        let n_players = masker.n_players(batch, sample);
        if n_players == 0 {
            return Err(Error::parameter("players", 0, format!("at least one in sample {sample}")));
        }
        let n_gone = draws.below(self.most_gone(n_players) + 1);
        let mut coalition = Array2::from_elem((1, n_players), true);
        draws.sample(n_players, n_gone).into_iter().for_each(|player| coalition[[0, player]] = false);
        let (samples, weights) = match masker.replicas(batch, sample, &coalition)? {
            Some(found) => (found.samples, found.weights),
            None => (masker.mask(batch, sample, &coalition)?, masker.weights().to_vec()),
        };
        let samples: &B = samples.borrow();
        same_shape("masked samples", &[weights.len()], &[samples.n_samples()])?;
        let place = draws.uniform() * weights.iter().sum::<f64>();
        let mut below = 0.0;
        let chosen = weights.iter().position(|weight| {
            below += weight;
            place < below
        });
        let chosen = chosen.unwrap_or(weights.len().saturating_sub(1));
        Ok(samples.samples(chosen..chosen + 1))
    }

    /// A model tuned on samples that are masked as this metric masks them, for the [`Case`](crate::Case) that is measured:
    /// `tune` gets the model and the samples of one round after the other, and gives back a better model. The samples keep
    /// their order, so that their labels are those of `batch`. No explanation takes part.
    ///
    /// # Errors
    /// Those of [`FFidelity::masked`] and of `tune`.
    ///
    /// # Example
    /// ```
    /// use ndarray::{Array1, Array2, ArrayRef2, array};
    /// use xai_core::{Masker, Model, Result, Run, Table};
    /// use xai_eval::FFidelity;
    /// /// A line that is trained by hand.
    /// struct Line(Array1<f64>);
    /// impl Model for Line {
    ///     type Batch = Table;
    ///     fn n_outputs(&self) -> usize { 1 }
    ///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
    ///         Ok(Array2::from_shape_fn((batch.nrows(), 1), |(i, _)| batch.row(i).dot(&self.0)))
    ///     }
    /// }
    /// # struct Zero;
    /// # impl Masker<Table> for Zero {
    /// #     fn n_players(&self, batch: &Table, _: usize) -> usize { batch.ncols() }
    /// #     fn mask(&self, batch: &Table, sample: usize, who: &ArrayRef2<bool>) -> Result<Array2<f64>> {
    /// #         Ok(Array2::from_shape_fn(who.dim(), |(i, j)| if who[[i, j]] { batch[[sample, j]] } else { 0.0 }))
    /// #     }
    /// #     fn describe(&self) -> String { "zero".into() }
    /// # }
    /// // The second feature repeats the first: who may lose one learns to look at both.
    /// let (batch, labels) = (array![[1.0, 1.0], [2.0, 2.0], [-1.0, -1.0]], array![1.0, 2.0, -1.0]);
    /// let metric = FFidelity { most: 0.5, ..FFidelity::plus() };
    /// let brittle = Line(array![1.0, 0.0]);
    /// let tuned = metric.tuned(brittle, &Zero, &*batch, 200, &Run::default(), |model, masked| {
    ///     let gaps = &labels - &masked.dot(&model.0);
    ///     Ok(Line(&model.0 + &(masked.t().dot(&gaps) * 0.02)))
    /// })?;
    /// assert!((tuned.0[0] - tuned.0[1]).abs() < 0.25, "{:?}", tuned.0);
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    pub fn tuned<M: Model>(
        &self,
        model: M,
        masker: &dyn Masker<M::Batch>,
        batch: &M::Batch,
        n_rounds: usize,
        run: &Run,
        mut tune: impl FnMut(M, &M::Batch) -> Result<M>,
    ) -> Result<M> {
        (0..n_rounds).try_fold(model, |model, round| {
            let masked = self.masked(masker, batch, round, run)?;
            tune(model, masked.borrow())
        })
    }
}
