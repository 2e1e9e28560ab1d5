//! LIME for tables.

use ndarray::{Array2, Array3, Axis};
use rayon::prelude::*;
use xai_core::error::{all_finite, same_shape};
use xai_core::{Attribution, Error, Explainer, Meter, Model, Provenance, Result, Run, Table};

use super::neighbourhood::{Neighbourhood, Sampling};
use super::selection::Selection;
use super::surrogate::Surrogate;
use super::training::{Column, Training};

/// Explains by the coefficients of a linear surrogate, fitted to the model's scores on random neighbours of a sample.
///
/// With [`LimeTabular::new`], neighbours come from the kernel itself and the fit is least squares without penalty,
/// which estimates the coefficients without bias and with less noise; with [`LimeTabular::classic`], everything is as
/// in `lime` 0.2.0.1.
///
/// | parameter | `new` | `classic` | range |
/// |---|---|---|---|
/// | `n_draws` | 5000 | 5000 | ≥ 2, the sample included |
/// | `kernel_width` | 0.75 √features | the same | > 0 |
/// | `sampling` | [`Sampling::Kernel`] | [`Sampling::Classic`] around the mean | |
/// | `selection` | [`Selection::None`] | [`Selection::Auto`] | |
/// | `n_features` | 10 | 10 | ≥ 1; unused without selection |
/// | `alpha` | 0 | 1 | ≥ 0: the ridge penalty |
///
/// # Units
/// Values are coefficients: how much the score changes when a binned or categorical feature has the sample's value
/// rather than another (another *bin* or the same, if classic), or by one standard deviation of a number that is not
/// binned. `base` is the intercept. They sum to the *surrogate's* score of the sample if all columns are binned or
/// categorical, never promised to the model's: `fidelity`, the weighted R², says how far to trust them.
///
/// # Cost
/// `n_draws` evaluations a sample.
///
/// # Errors
/// [`Error::NonFinite`] for a missing or infinite cell; [`Error::TooLarge`] for more than 2²⁵ cells in a neighbourhood;
/// [`Error::Shape`] for another number of columns than the
/// training data's; [`Error::Parameter`]; [`Error::Unsupported`] when too few draws settle the coefficients.
///
/// # Laws
/// `surrogates_are_those_of_lime`, `training_statistics_are_those_of_lime`, `kernel_sampling_varies_less`,
/// `additive_models_are_recovered`.
///
/// # Source
/// Ribeiro, Singh & Guestrin, *Why should I trust you?*, 2016; sampling from the kernel: Tan, Tian & Li, *GLIME*, 2023. *Differs:* a feature that stays keeps the sample's own value, not another of its bin.
///
/// # Example
/// ```
/// use ndarray::{array, Array2, Axis};
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_local::lime::{Bins, LimeTabular, Training};
/// struct Sum;
/// impl Model for Sum {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// }
/// let training = Training::new(&array![[0.0, 0.0], [1.0, 4.0], [2.0, 2.0]], &[], Bins::None)?;
/// let explanation = LimeTabular::new(training).explain(&Sum, &array![[1.0, 1.0]], &Run::default())?;
/// // One standard deviation of each column.
/// assert!((explanation.values[[0, 0, 0]] - (2.0f64 / 3.0).sqrt()).abs() < 1e-9);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LimeTabular {
    /// What is known of the training data.
    pub training: Training,
    /// The number of neighbours, the sample itself included.
    pub n_draws: usize,
    /// How fast weight falls with distance.
    pub kernel_width: Option<f64>,
    /// How neighbours are drawn.
    pub sampling: Sampling,
    /// How the surrogate's features are chosen.
    pub selection: Selection,
    /// The number of features that the surrogate may use.
    pub n_features: usize,
    /// The ridge penalty of the surrogate.
    pub alpha: f64,
}

/// A neighbourhood is held in memory some three times over: 1 GiB of numbers.
const MOST_CELLS: u64 = 1 << 25;

impl LimeTabular {
    /// The steadier way: draws from the kernel, least squares on all features.
    pub fn new(training: Training) -> Self {
        LimeTabular {
            training,
            n_draws: 5000,
            kernel_width: None,
            sampling: Sampling::Kernel,
            selection: Selection::None,
            n_features: 10,
            alpha: 0.0,
        }
    }

    /// The parameters and the arithmetic of `lime` 0.2.0.1.
    pub fn classic(training: Training) -> Self {
        let sampling = Sampling::Classic { around_sample: false };
        LimeTabular { sampling, selection: Selection::Auto, alpha: 1.0, ..LimeTabular::new(training) }
    }

    /// The kernel's width: as set, or 0.75 √features.
    pub fn width(&self) -> f64 {
        self.kernel_width.unwrap_or(0.75 * (self.training.columns().len() as f64).sqrt())
    }

    fn check(&self) -> Result<()> {
        if self.n_draws < 2 {
            return Err(Error::parameter("n_draws", self.n_draws, "at least 2"));
        }
        let cells = (self.n_draws as u64).saturating_mul(self.training.columns().len().max(1) as u64);
        if cells > MOST_CELLS {
            let what = "cells of the neighbourhood of one sample (n_draws × features)".into();
            return Err(Error::TooLarge { what, limit: MOST_CELLS, found: cells });
        }
        match self.kernel_width {
            Some(width) if !(width > 0.0 && width.is_finite()) => {
                Err(Error::parameter("kernel_width", width, "a finite number above 0"))
            }
            _ => Ok(()),
        }
    }

    fn account(&self, run: &Run) -> Provenance {
        let sampling = match self.sampling {
            Sampling::Kernel => "kernel",
            Sampling::Classic { around_sample: false } => "classic",
            Sampling::Classic { around_sample: true } => "classic around the sample",
        };
        let provenance = Provenance::new("lime", run)
            .with("n_draws", self.n_draws)
            .with("kernel_width", self.width())
            .with("sampling", sampling)
            .with("bins", self.training.bins().name())
            .with("selection", self.selection.name())
            .with("alpha", self.alpha);
        let provenance = match self.selection {
            Selection::None => provenance,
            _ => provenance.with("n_features", self.n_features),
        };
        let numbers = self.training.columns().iter().any(|column| matches!(column, Column::Numeric { .. }));
        let unit = match numbers {
            true => "values are slopes of a local surrogate, by standard deviation; they do not sum to the scores",
            false => "base and values sum to the score of a local surrogate, not to the model's scores",
        };
        provenance.note(unit)
    }
}

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for LimeTabular {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Attribution> {
        self.check()?;
        let (samples, columns) = (batch.nrows(), self.training.columns().len());
        same_shape("features of the batch, by the training data", &[columns], &[batch.ncols()])?;
        all_finite("batch", batch)?;
        let planned = (self.n_draws as u64).saturating_mul(samples as u64);
        if let Some(budget) = run.max_evaluations.filter(|&budget| planned > budget) {
            return Err(Error::Budget { budget, needed: planned });
        }
        let meter = Meter::new(run, planned);
        let fits = (0..samples)
            .into_par_iter()
            .map(|sample| self.surrogate(model, batch, sample, &meter).map_err(|error| at_sample(error, sample)))
            .collect::<Result<Vec<_>>>()?;

        let outputs = model.n_outputs();
        let mut values = Array3::zeros((samples, columns, outputs));
        let mut base = Array2::zeros((samples, outputs));
        let (mut scores, mut fidelity) = (base.clone(), base.clone());
        for (sample, (score, fit)) in fits.iter().enumerate() {
            values.index_axis_mut(Axis(0), sample).assign(&fit.coefficients);
            base.row_mut(sample).assign(&fit.intercept);
            scores.row_mut(sample).assign(score);
            fidelity.row_mut(sample).assign(&fit.fidelity);
        }
        let provenance = self.account(run).evaluations(meter.evaluations());
        let attribution = Attribution::of_table(model, batch, values, base, scores, provenance)?;
        Attribution { fidelity: Some(fidelity), ..attribution }.checked()
    }
}

impl LimeTabular {
    fn surrogate<M: Model<Batch = Table> + ?Sized>(
        &self,
        model: &M,
        batch: &Table,
        sample: usize,
        meter: &Meter,
    ) -> Result<(ndarray::Array1<f64>, Surrogate)> {
        let seed = meter.run().seed_of(sample);
        let width = self.width();
        let near = Neighbourhood::draw(&self.training, &batch.row(sample), self.sampling, self.n_draws, width, seed)?;
        let scores = meter.predict(model, &near.rows)?;
        let fit = Surrogate::fit(&near.design, &scores, &near.weights, self.selection, self.n_features, self.alpha)?;
        Ok((scores.row(0).to_owned(), fit))
    }
}

/// Says of which sample of the batch the neighbours were that the model could not score.
fn at_sample(error: Error, sample: usize) -> Error {
    match error {
        Error::NonFinite { what, column, value, .. } => {
            Error::NonFinite { what: format!("{what}, on neighbours"), sample, column, value }
        }
        other => other,
    }
}
