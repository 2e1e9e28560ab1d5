//! One run of an explainer: its seed, its budget, and who watches it.

use std::borrow::Borrow;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayRef2};

use crate::error::{all_finite, same_shape};
use crate::model::Owned;
use crate::{Batch, Differentiable, Error, Layered, LinearFirst, Model, Probe, Probed, Result};

/// What every explainer is told besides the model and the samples.
///
/// # Example
/// ```
/// let run = xai_core::Run { seed: 7, ..Default::default() };
/// assert_ne!(run.seed_of(0), run.seed_of(1));
/// ```
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The seed that every random choice follows from.
    pub seed: u64,
    /// The number of samples that the model may be asked to score, at most; an explainer never exceeds it.
    pub max_evaluations: Option<u64>,
    /// The number of the batch's first sample in the whole data: samples explained in several batches get the same
    /// random choices as in one.
    pub first_sample: u64,
    /// Who is told of progress and may stop the run.
    pub observer: &'a dyn Observer,
}

impl Default for Run<'_> {
    /// Seed 0, no limit, nobody watching.
    fn default() -> Self {
        Run { seed: 0, max_evaluations: None, first_sample: 0, observer: &Silent }
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("seed", &self.seed)
            .field("max_evaluations", &self.max_evaluations)
            .field("first_sample", &self.first_sample)
            .finish_non_exhaustive()
    }
}

impl Run<'_> {
    /// The seed for the random choices of one sample of the batch.
    pub fn seed_of(&self, sample: usize) -> u64 {
        mix(self.seed ^ mix(self.first_sample.wrapping_add(sample as u64).wrapping_add(1)))
    }
}

/// Is told how far a run has come, and says whether to go on.
pub trait Observer: Sync {
    /// `done` of `total` evaluations are done; [`ControlFlow::Break`] ends the run with [`Error::Cancelled`]. Called
    /// from several threads, often.
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()>;
}

/// An observer that never looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _done: u64, _total: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The one door through which an explainer asks a model: counts, keeps the budget, reports progress, stops when told
/// to, and refuses scores that are misshapen or not finite.
pub struct Meter<'a> {
    run: &'a Run<'a>,
    total: u64,
    spent: AtomicU64,
}

impl<'a> Meter<'a> {
    /// A meter for a run that plans `total` evaluations.
    pub fn new(run: &'a Run<'a>, total: u64) -> Self {
        Meter { run, total, spent: AtomicU64::new(0) }
    }

    /// A meter for a run that will need exactly `needed` evaluations.
    ///
    /// # Errors
    /// [`Error::Budget`] when the run allows fewer: nothing is spent then.
    pub fn planned(run: &'a Run<'a>, needed: u64) -> Result<Self> {
        match run.max_evaluations {
            Some(budget) if budget < needed => Err(Error::Budget { budget, needed }),
            _ => Ok(Meter::new(run, needed)),
        }
    }

    /// The run.
    pub fn run(&self) -> &Run<'a> {
        self.run
    }

    /// The evaluations spent so far.
    pub fn evaluations(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// Takes `n` evaluations from the budget and reports progress.
    ///
    /// # Errors
    /// [`Error::Budget`] when fewer are left, and then none is taken; [`Error::Cancelled`] when the observer says so.
    pub fn spend(&self, n: u64) -> Result<()> {
        let budget = self.run.max_evaluations.unwrap_or(u64::MAX);
        let take = |spent: u64| spent.checked_add(n).filter(|&sum| sum <= budget);
        match self.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Err(spent) => Err(Error::Budget { budget, needed: self.total.max(spent.saturating_add(n)) }),
            Ok(before) => self.tick(before),
        }
    }

    /// Asks the observer whether to go on, for work that calls no model. `done` counts in the units of `total`.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the observer says so.
    pub fn tick(&self, done: u64) -> Result<()> {
        match self.run.observer.progress(done, self.total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { done, total: self.total }),
        }
    }

    /// Scores `batch`: (sample, output), checked.
    ///
    /// # Errors
    /// Those of [`Meter::spend`] and of the model, [`Error::Shape`] and [`Error::NonFinite`] for scores that break
    /// the contract of [`Model::predict`].
    pub fn predict<M: Model + ?Sized>(&self, model: &M, batch: &M::Batch) -> Result<Array2<f64>> {
        let n = batch.n_samples();
        self.spend(n as u64)?;
        Self::checked(model.predict(batch)?, n, model.n_outputs())
    }

    /// Scores copies of every sample in which boxes of cells are filled, where the model knows a short way
    /// ([`Model::predict_filled`]): (sample · box, output), counted and checked as by [`Meter::predict`]; nothing is spent
    /// where there is no short way.
    ///
    /// # Errors
    /// As [`Meter::predict`].
    pub fn predict_filled<M: Model + ?Sized>(
        &self,
        model: &M,
        batch: &M::Batch,
        boxes: &[Vec<Range<usize>>],
        fill: f64,
    ) -> Result<Option<Array2<f64>>> {
        let needed = (batch.n_samples() as u64).saturating_mul(boxes.len() as u64);
        self.affords(needed)?;
        let Some(scores) = model.predict_filled(batch, boxes, fill)? else { return Ok(None) };
        self.spend(needed)?;
        Self::checked(scores, batch.n_samples() * boxes.len(), model.n_outputs()).map(Some)
    }

    /// Scores samples of which the products of the first layer are known: (sample, output), counted and checked as by
    /// [`Meter::predict`].
    ///
    /// # Errors
    /// As [`Meter::predict`].
    pub fn head<M: LinearFirst + ?Sized>(&self, model: &M, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        let n = products.nrows();
        self.spend(n as u64)?;
        Self::checked(model.head(products)?, n, model.n_outputs())
    }

    /// The scores of `batch` and their vector-Jacobian products, one for each of `weights`. Each product counts as one
    /// evaluation a sample; the scores come with them, and alone where there are no weights.
    ///
    /// # Errors
    /// As [`Meter::predict`].
    pub fn scores_and_vjps<M: Differentiable + ?Sized>(
        &self,
        model: &M,
        batch: &M::Batch,
        weights: &[Array2<f64>],
    ) -> Result<(Array2<f64>, Vec<Owned<M>>)> {
        let n = batch.n_samples();
        weights_fit(weights, n, model.n_outputs())?;
        self.spend((n as u64).saturating_mul(weights.len().max(1) as u64))?;
        let (scores, gradients) = model.scores_and_vjps(batch, weights)?;
        same_shape("gradients of the model", &[weights.len()], &[gradients.len()])?;
        for gradient in &gradients {
            same_shape("samples of the gradient", &[n], &[gradient.borrow().n_samples()])?;
        }
        Ok((Self::checked(scores, n, model.n_outputs())?, gradients))
    }

    /// Sums of gradients along straight lines, where the model knows a short way ([`Differentiable::line_vjps`]). Each
    /// point counts as one evaluation a sample for each of `weights`; nothing is spent where there is no short way.
    ///
    /// # Errors
    /// As [`Meter::predict`].
    pub fn line_vjps<M: Differentiable + ?Sized>(
        &self,
        model: &M,
        from: &M::Batch,
        to: &M::Batch,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<M>>>> {
        let n = to.n_samples();
        same_shape("samples where the lines begin", &[n], &[from.n_samples()])?;
        weights_fit(weights, n, model.n_outputs())?;
        let needed = (n as u64).saturating_mul(points.len() as u64).saturating_mul(weights.len() as u64);
        self.affords(needed)?;
        let Some(sums) = model.line_vjps(from, to, points, weights)? else { return Ok(None) };
        self.spend(needed)?;
        same_shape("sums of gradients", &[weights.len()], &[sums.len()])?;
        Ok(Some(sums))
    }

    /// Looks inside a layered model. Counts as [`Meter::scores_and_vjps`].
    ///
    /// # Errors
    /// As [`Meter::predict`].
    pub fn probe<M: Layered + ?Sized>(&self, model: &M, batch: &M::Batch, probe: &Probe) -> Result<Probed> {
        let n = batch.n_samples();
        weights_fit(probe.weights, n, model.n_outputs())?;
        self.spend((n as u64).saturating_mul(probe.weights.len().max(1) as u64))?;
        let probed = model.probe(batch, probe)?;
        let scores = Self::checked(probed.scores, n, model.n_outputs())?;
        same_shape("activations that were read", &[probe.read.len()], &[probed.activations.len()])?;
        same_shape("gradients that were asked for", &[probe.weights.len()], &[probed.gradients.len()])?;
        Ok(Probed { scores, ..probed })
    }

    /// Refuses what the budget does not allow, before the work is done.
    fn affords(&self, needed: u64) -> Result<()> {
        let all = self.evaluations().saturating_add(needed);
        match self.run.max_evaluations {
            Some(budget) if budget < all => Err(Error::Budget { budget, needed: self.total.max(all) }),
            _ => Ok(()),
        }
    }

    fn checked(scores: Array2<f64>, n: usize, n_outputs: usize) -> Result<Array2<f64>> {
        same_shape("scores of the model", &[n, n_outputs], scores.shape())?;
        all_finite("scores of the model", &scores)?;
        Ok(scores)
    }
}

fn weights_fit(weights: &[Array2<f64>], n_samples: usize, n_outputs: usize) -> Result<()> {
    weights.iter().try_for_each(|w| same_shape("weights of the scores", &[n_samples, n_outputs], w.shape()))
}

/// SplitMix64's finaliser: a bijection that scatters nearby numbers.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
