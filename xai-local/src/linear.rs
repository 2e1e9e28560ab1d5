//! Shapley values of linear models.

use ndarray::{Array2, Array3, Axis};
use xai_core::error::{all_finite, same_shape};
use xai_core::model::output_names;
use xai_core::{Attribution, Error, Explainer, LinearStructured, Masker, Meter, Provenance, Result, Run};

use crate::masker::Background;

/// Shapley values of a linear model against a background: φᵢ = βᵢ (xᵢ − mean(xᵢ)).
///
/// With groups as players, the sum over a group's columns. These are the interventional values, the ones that
/// [`ExactShap`](crate::shapley::ExactShap) finds with the same background.
///
/// # Units
/// `base` = intercept + Σ βᵢ mean(xᵢ); `base` + Σ values = `scores`, up to rounding.
///
/// # Cost
/// One evaluation a sample, for its score.
///
/// # Errors
/// [`Error::NonFinite`] for a missing or infinite cell in the batch or the background, which a linear model cannot
/// score; [`Error::Shape`] for another number of features.
///
/// # Laws
/// `linear_shap_equals_exact_shap`.
///
/// # Source
/// Lundberg & Lee 2017, corollary 1 (weighted background: the mean is the weighted one).
///
/// # Example
/// ```
/// # use ndarray::{array, Array1, Array2, ArrayRef1, ArrayRef2};
/// # use xai_core::{Explainer, LinearStructured, Model, Result, Run, Table};
/// # use xai_local::{linear::LinearShap, masker::Background};
/// struct Line { slopes: Array2<f64>, intercept: Array1<f64> }
/// impl Model for Line {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.dot(&self.slopes) + &self.intercept) }
/// }
/// impl LinearStructured for Line {
///     fn coefficients(&self) -> &ArrayRef2<f64> { &self.slopes }
///     fn intercept(&self) -> &ArrayRef1<f64> { &self.intercept }
/// }
/// let line = Line { slopes: array![[2.0], [-1.0]], intercept: array![5.0] };
/// let explainer = LinearShap { background: Background::new(array![[0.0, 0.0], [2.0, 2.0]])? };
/// let explanation = explainer.explain(&line, &array![[3.0, 1.0]], &Run::default())?;
/// assert_eq!(explanation.values[[0, 0, 0]], 4.0);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LinearShap {
    /// What absence means.
    pub background: Background,
}

impl<M: LinearStructured + ?Sized> Explainer<M> for LinearShap {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &xai_core::Table, run: &Run) -> Result<Attribution> {
        let (background, slopes) = (&self.background, model.coefficients());
        let columns = background.rows().ncols();
        same_shape("features of the batch, by the background", &[columns], &[batch.ncols()])?;
        same_shape("coefficients (feature, output)", &[columns, model.n_outputs()], slopes.shape())?;
        same_shape("intercept (output)", &[model.n_outputs()], model.intercept().shape())?;
        all_finite("batch", batch)?;
        all_finite("background", background.rows())?;
        let features = background.players(model.features())?;
        if let Some(budget) = run.max_evaluations.filter(|&budget| batch.nrows() as u64 > budget) {
            return Err(Error::Budget { budget, needed: batch.nrows() as u64 });
        }
        let meter = Meter::new(run, batch.nrows() as u64);
        let scores = meter.predict(model, batch)?;

        let mean = background.mean();
        let base = mean.dot(slopes) + model.intercept();
        let mut values = Array3::zeros((batch.nrows(), features.len(), model.n_outputs()));
        for (sample, row) in batch.outer_iter().enumerate() {
            let mut shares = values.index_axis_mut(Axis(0), sample);
            for (column, &player) in background.player_of().iter().enumerate() {
                shares.row_mut(player).scaled_add(row[column] - mean[column], &slopes.row(column));
            }
        }
        Attribution {
            provenance: Provenance::new("linear-shap", run)
                .with("masker", Masker::describe(background))
                .note("exact: the model is linear")
                .evaluations(meter.evaluations()),
            features,
            outputs: output_names(model),
            base: Array2::from_shape_fn(scores.dim(), |(_, output)| base[output]),
            values,
            scores,
            standard_error: None,
            data: background.data(batch),
            fidelity: None,
            shape: None,
        }
        .checked()
    }
}
