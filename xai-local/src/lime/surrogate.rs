//! The linear function that stands in for the model.

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use xai_core::error::{all_finite, same_shape};
use xai_core::{Error, Result};

use super::selection::Selection;
use crate::cholesky::Cholesky;

/// A linear function fitted to a model's scores around a sample, for every output.
///
/// # Laws
/// `surrogates_are_those_of_lime`.
#[derive(Debug, Clone, PartialEq)]
pub struct Surrogate {
    /// Its value where the design is 0: (output).
    pub intercept: Array1<f64>,
    /// Its slopes, 0 for features that were not selected: (feature, output).
    pub coefficients: Array2<f64>,
    /// The weighted R² of its fit: (output).
    pub fidelity: Array1<f64>,
    /// Its value for the first row of the design, the sample: (output).
    pub prediction: Array1<f64>,
}

impl Surrogate {
    /// Fits ridge regressions with intercept: argmin Σᵣ wᵣ (yᵣ − b₀ − dᵣ·b)² + α |b|² on the selected features.
    ///
    /// # Shapes
    /// `design` (draw, feature), the sample first; `scores` (draw, output); `weights` (draw).
    ///
    /// # Cost
    /// O(draws · features²) once, then nothing depends on the number of draws.
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::NonFinite`]; [`Error::Parameter`] for weights or a penalty that are negative, or no
    /// feature to select; [`Error::Unsupported`] without penalty when the draws do not settle the coefficients.
    pub fn fit(
        design: &ArrayRef2<f64>,
        scores: &ArrayRef2<f64>,
        weights: &[f64],
        selection: Selection,
        n_features: usize,
        alpha: f64,
    ) -> Result<Self> {
        let (draws, features) = design.dim();
        if draws == 0 {
            return Err(Error::parameter("draws", draws, "at least 1"));
        }
        same_shape("scores of the draws (draw)", &[draws], &[scores.nrows()])?;
        same_shape("weights of the draws (draw)", &[draws], &[weights.len()])?;
        all_finite("design", design)?;
        all_finite("scores of the draws", scores)?;
        if let Some(weight) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
            return Err(Error::parameter("weight of a draw", weight, "a finite number of at least 0"));
        }
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(Error::parameter("alpha", alpha, "a finite number of at least 0"));
        }
        let moments = Moments::new(design, scores, weights)?;
        let outputs = scores.ncols();
        let mut fit = Surrogate {
            intercept: Array1::zeros(outputs),
            coefficients: Array2::zeros((features, outputs)),
            fidelity: Array1::zeros(outputs),
            prediction: Array1::zeros(outputs),
        };
        for output in 0..outputs {
            let chosen = selection.choose(&moments, output, &design.row(0).to_vec(), n_features)?;
            let coefficients = moments.ridge(&chosen, output, alpha)?;
            fit.fidelity[output] = moments.r_squared(&chosen, &coefficients, output);
            let mut intercept = moments.mean_score[output];
            for (&feature, &coefficient) in chosen.iter().zip(&coefficients) {
                fit.coefficients[[feature, output]] = coefficient;
                intercept -= moments.mean[feature] * coefficient;
            }
            fit.intercept[output] = intercept;
            fit.prediction[output] = intercept + design.row(0).dot(&fit.coefficients.column(output));
        }
        Ok(fit)
    }
}

/// The weighted means and products of a design and scores: all that a regression needs.
pub(super) struct Moments {
    /// The mean of each feature.
    pub mean: Array1<f64>,
    /// The mean of each output.
    pub mean_score: Array1<f64>,
    /// Σ w (d − mean)(d − mean)ᵀ: (feature, feature).
    pub products: Array2<f64>,
    /// Σ w (d − mean)(y − mean): (feature, output).
    pub cross: Array2<f64>,
    /// Σ w (y − mean)²: (output).
    pub spread: Array1<f64>,
}

impl Moments {
    fn new(design: &ArrayRef2<f64>, scores: &ArrayRef2<f64>, weights: &[f64]) -> Result<Self> {
        let total: f64 = weights.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            let expected = "a positive sum; with all neighbours too far away to count, a wider kernel";
            return Err(Error::parameter("weights of the draws", format!("a sum of {total}"), expected));
        }
        let share = Array1::from_iter(weights.iter().map(|w| w / total));
        let (mean, mean_score) = (share.dot(design), share.dot(scores));
        let (centred, centred_score) = (&design.view() - &mean, &scores.view() - &mean_score);
        let weights = ndarray::ArrayView1::from(weights).insert_axis(Axis(1));
        let weighted = &centred * &weights;
        let mut products = weighted.t().dot(&centred);
        let mut cross = weighted.t().dot(&centred_score);
        for (feature, column) in design.axis_iter(Axis(1)).enumerate() {
            // The mean of equal numbers is not quite their value, and least squares would believe the difference.
            if column.iter().all(|&x| x == column[0]) {
                products.row_mut(feature).fill(0.0);
                products.column_mut(feature).fill(0.0);
                cross.row_mut(feature).fill(0.0);
            }
        }
        Ok(Moments {
            products,
            cross,
            spread: (&centred_score * &centred_score * weights).sum_axis(Axis(0)),
            mean,
            mean_score,
        })
    }

    pub fn n_features(&self) -> usize {
        self.mean.len()
    }

    /// The coefficients of `features` for an output. A feature that never varies gets 0.
    pub fn ridge(&self, features: &[usize], output: usize, alpha: f64) -> Result<Vec<f64>> {
        let varying: Vec<usize> = (0..features.len()).filter(|&k| self.products[[features[k]; 2]] > 0.0).collect();
        let n = varying.len();
        let mut normal =
            Array2::from_shape_fn((n, n), |(a, b)| self.products[[features[varying[a]], features[varying[b]]]]);
        normal.diag_mut().map_inplace(|d| *d += alpha);
        let right = Array2::from_shape_fn((n, 1), |(a, _)| self.cross[[features[varying[a]], output]]);
        let solved = Cholesky::new(normal).map_err(|k| {
            let what = format!("least squares on feature {}", features[varying[k]]);
            Error::unsupported(what, "the draws do not tell it from the others; draw more, or set alpha above 0")
        })?;
        let solution = solved.solve(&right);
        let mut coefficients = vec![0.0; features.len()];
        varying.iter().enumerate().for_each(|(a, &k)| coefficients[k] = solution[[a, 0]]);
        Ok(coefficients)
    }

    /// 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)²; for scores that never vary 1 if the fit is perfect, otherwise 0.
    pub fn r_squared(&self, features: &[usize], coefficients: &[f64], output: usize) -> f64 {
        let mut left = self.spread[output];
        for (&a, &x) in features.iter().zip(coefficients) {
            left -= 2.0 * x * self.cross[[a, output]];
            left += x * features.iter().zip(coefficients).map(|(&b, &y)| y * self.products[[a, b]]).sum::<f64>();
        }
        match self.spread[output] {
            spread if spread > 0.0 => 1.0 - left.max(0.0) / spread,
            _ => f64::from(left == 0.0),
        }
    }
}
