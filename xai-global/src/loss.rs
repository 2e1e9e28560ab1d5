//! How far predictions are from labels.

use serde::{Deserialize, Serialize};
use xai_core::{Error, Output, Result, Scale, Table};

use crate::auc;
use crate::labels::{Labels, check_weights, weighted_mean};

/// A number that says how wrong predictions are. Lower is better in all of them.
///
/// With pᵢ the prediction, yᵢ the label and E the weighted mean over the samples:
///
/// | loss | formula | labels | predictions |
/// |---|---|---|---|
/// | [`SquaredError`](Loss::SquaredError) | E (y − p)² | numbers | one number |
/// | [`AbsoluteError`](Loss::AbsoluteError) | E abs(y − p) | numbers | one number |
/// | [`OneMinusR2`](Loss::OneMinusR2) | E (y − p)² / E (y − E y)² | numbers | one number |
/// | [`PoissonDeviance`](Loss::PoissonDeviance) | 2 E (y ln(y/p) − y + p) | numbers ≥ 0 | one number > 0 |
/// | [`LogLoss`](Loss::LogLoss) | −E ln p of the true class | classes | probabilities |
/// | [`Brier`](Loss::Brier) | binary E (y − p)², else E Σₖ (1\[y = k\] − pₖ)² | classes | probabilities |
/// | [`ErrorRate`](Loss::ErrorRate) | E 1\[the most likely class is not y\] | classes | probabilities, or a score a class |
/// | [`OneMinusAuc`](Loss::OneMinusAuc) | 1 − P(score of a positive > score of a negative), ties one half | classes | one score, or probabilities |
///
/// Probabilities are one column (that of class 1 of 2) or one column a class, each row summing to one.
///
/// # Source
/// As `sklearn.metrics`: `log_loss` (which keeps probabilities 2⁻⁵² away from 0 and 1), `brier_score_loss` (half the
/// multiclass sum when there are two classes), `roc_auc_score` (for more than two classes the mean of one class
/// against the rest), `mean_poisson_deviance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Loss {
    /// The mean squared error.
    SquaredError,
    /// The mean absolute error.
    AbsoluteError,
    /// The share of the labels' variance that is left unexplained: 1 − R².
    OneMinusR2,
    /// The mean deviance of a Poisson distribution.
    PoissonDeviance,
    /// The mean negative log-likelihood of the true class.
    LogLoss,
    /// The mean squared error of the probabilities.
    Brier,
    /// The share of samples in the wrong class: 1 − accuracy.
    ErrorRate,
    /// 1 − the area under the ROC curve.
    OneMinusAuc,
}

/// What a loss must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The predicted number itself, after the link.
    Predictions,
    /// Probabilities.
    Probabilities,
    /// The most likely class: probabilities, or a score for each class.
    Choice,
    /// Anything that puts samples in order.
    Ranking,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Loss; 8] = [
        Loss::SquaredError,
        Loss::AbsoluteError,
        Loss::OneMinusR2,
        Loss::PoissonDeviance,
        Loss::LogLoss,
        Loss::Brier,
        Loss::ErrorRate,
        Loss::OneMinusAuc,
    ];

    /// The loss that one takes for such labels when nobody says otherwise: squared error or log-loss.
    pub fn usual(labels: &Labels) -> Loss {
        match labels {
            Labels::Numbers(_) => Loss::SquaredError,
            Labels::Classes { .. } => Loss::LogLoss,
        }
    }

    /// Its name in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Loss::SquaredError => "squared-error",
            Loss::AbsoluteError => "absolute-error",
            Loss::OneMinusR2 => "one-minus-r2",
            Loss::PoissonDeviance => "poisson-deviance",
            Loss::LogLoss => "log-loss",
            Loss::Brier => "brier",
            Loss::ErrorRate => "error-rate",
            Loss::OneMinusAuc => "one-minus-auc",
        }
    }

    /// The loss called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with all names.
    pub fn from_name(name: &str) -> Result<Loss> {
        Loss::ALL.into_iter().find(|loss| loss.name() == name).ok_or_else(|| Error::Unknown {
            kind: "loss".into(),
            name: name.to_owned(),
            nearest: None,
            known: Loss::ALL.iter().map(|loss| loss.name().to_owned()).collect(),
        })
    }

    /// What it must be given.
    pub fn needs(self) -> Needs {
        match self {
            Loss::SquaredError | Loss::AbsoluteError | Loss::OneMinusR2 | Loss::PoissonDeviance => Needs::Predictions,
            Loss::LogLoss | Loss::Brier => Needs::Probabilities,
            Loss::ErrorRate => Needs::Choice,
            Loss::OneMinusAuc => Needs::Ranking,
        }
    }

    /// Checks that scores with these names are on a scale that the loss can be taken of.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when they are margins before a link, or losses themselves.
    pub fn check_outputs(self, outputs: &[Output]) -> Result<()> {
        let margin = |o: &&Output| matches!(o.scale, Scale::Margin | Scale::LogOdds | Scale::Log | Scale::Loss);
        let wrong = match self.needs() {
            Needs::Ranking => None,
            Needs::Choice if outputs.len() > 1 => None,
            Needs::Predictions | Needs::Probabilities | Needs::Choice => outputs.iter().find(margin),
        };
        match wrong {
            None => Ok(()),
            Some(output) => Err(Error::unsupported(
                format!("the loss {}", self.name()),
                format!(
                    "output {:?} is on the {} scale, before its link; wrap the model in the link adaptor",
                    output.name,
                    output.scale.label()
                ),
            )),
        }
    }

    /// The loss of `predictions`.
    ///
    /// # Shapes
    /// `predictions` (sample, output); `labels` and `weights` (sample).
    ///
    /// # Errors
    /// Those of [`Labels::check`]; [`Error::Unsupported`] when labels or predictions are not of the kind that the
    /// loss is made for, or when it is not defined on them (1 − R² of equal labels, AUC of one class).
    ///
    /// # Laws
    /// `losses_equal_their_definitions`, `auc_equals_the_count_of_pairs`, `losses_refuse_misfits_by_name`.
    ///
    /// # Example
    /// ```
    /// use xai_global::{Labels, Loss};
    /// let labels = Labels::Numbers(vec![1.0, 2.0]);
    /// let loss = Loss::SquaredError.of(&ndarray::array![[1.0], [4.0]], &labels, None).unwrap();
    /// assert_eq!(loss, 2.0);
    /// ```
    pub fn of(self, predictions: &Table, labels: &Labels, weights: Option<&[f64]>) -> Result<f64> {
        labels.check(predictions.nrows())?;
        check_weights(weights, predictions.nrows())?;
        xai_core::error::all_finite("predictions", predictions)?;
        match (self, labels) {
            (Loss::SquaredError | Loss::AbsoluteError | Loss::OneMinusR2 | Loss::PoissonDeviance, labels) => {
                let Labels::Numbers(y) = labels else { return Err(self.misfit("its labels are classes, not numbers")) };
                self.of_numbers(predictions, y, weights)
            }
            (_, Labels::Numbers(_)) => Err(self.misfit("its labels are numbers, not classes")),
            (_, Labels::Classes { n, indices }) => self.of_classes(predictions, *n, indices, weights),
        }
    }

    fn of_numbers(self, predictions: &Table, y: &[f64], weights: Option<&[f64]>) -> Result<f64> {
        if predictions.ncols() != 1 {
            return Err(self.misfit(format!("it needs one output, not {}; select one", predictions.ncols())));
        }
        let pairs = || y.iter().copied().zip(predictions.column(0).to_vec());
        let squared = || weighted_mean(weights, pairs().map(|(y, p)| (y - p) * (y - p)));
        match self {
            Loss::AbsoluteError => Ok(weighted_mean(weights, pairs().map(|(y, p)| (y - p).abs()))),
            Loss::OneMinusR2 => {
                let mean = weighted_mean(weights, y.iter().copied());
                let variance = weighted_mean(weights, y.iter().map(|y| (y - mean) * (y - mean)));
                if variance > 0.0 { Ok(squared() / variance) } else { Err(self.misfit("all labels are equal")) }
            }
            Loss::PoissonDeviance => {
                if let Some(sample) = pairs().position(|(y, p)| y < 0.0 || p <= 0.0) {
                    return Err(self.misfit(format!(
                        "sample {sample} has label {} and prediction {}: labels must be at least 0, predictions above 0",
                        y[sample],
                        predictions[[sample, 0]]
                    )));
                }
                let of = |(y, p): (f64, f64)| 2.0 * (if y == 0.0 { 0.0 } else { y * (y / p).ln() } - y + p);
                Ok(weighted_mean(weights, pairs().map(of)))
            }
            _ => Ok(squared()),
        }
    }

    fn of_classes(self, predictions: &Table, n: usize, indices: &[usize], weights: Option<&[f64]>) -> Result<f64> {
        match self {
            Loss::LogLoss => {
                self.check_probabilities(predictions, n)?;
                let of = |(i, &class): (usize, &usize)| {
                    -probability(predictions, i, class).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
                };
                Ok(weighted_mean(weights, indices.iter().enumerate().map(of)))
            }
            Loss::Brier => {
                self.check_probabilities(predictions, n)?;
                let miss = |i: usize, k: usize| {
                    (probability(predictions, i, k) - f64::from(u8::from(k == indices[i]))).powi(2)
                };
                let of = |i: usize| if n == 2 { miss(i, 1) } else { (0..n).map(|k| miss(i, k)).sum() };
                Ok(weighted_mean(weights, (0..indices.len()).map(of)))
            }
            Loss::ErrorRate => {
                let chosen = self.choices(predictions, n)?;
                let of = |(i, &class): (usize, &usize)| f64::from(u8::from(chosen[i] != class));
                Ok(weighted_mean(weights, indices.iter().enumerate().map(of)))
            }
            _ => {
                if predictions.ncols() != 1 || n != 2 {
                    self.check_probabilities(predictions, n)?;
                }
                let area = match n {
                    2 => auc::binary(&predictions.column(predictions.ncols() - 1), indices, 1, weights),
                    _ => auc::one_against_rest(predictions, indices, weights),
                };
                Ok(1.0 - area.ok_or_else(|| self.misfit("the labels (those with a weight) lack a class"))?)
            }
        }
    }

    /// The most likely class of each sample; the first of several that are equally likely.
    pub(crate) fn choices(self, predictions: &Table, n: usize) -> Result<Vec<usize>> {
        if predictions.ncols() == 1 || predictions.ncols() != n {
            self.check_probabilities(predictions, n)?;
        }
        Ok(predictions
            .outer_iter()
            .map(|row| match row.len() {
                1 => usize::from(row[0] > 0.5),
                _ => (1..n).fold(0, |best, k| if row[k] > row[best] { k } else { best }),
            })
            .collect())
    }

    fn check_probabilities(self, predictions: &Table, n: usize) -> Result<()> {
        let single = predictions.ncols() == 1 && n == 2;
        if !single && predictions.ncols() != n {
            return Err(self.misfit(format!("{n} classes do not fit {} outputs", predictions.ncols())));
        }
        for (sample, row) in predictions.outer_iter().enumerate() {
            if let Some(output) = row.iter().position(|p| !(-ROUNDING..=1.0 + ROUNDING).contains(p)) {
                return Err(self.misfit(format!(
                    "it needs probabilities, but output {output} of sample {sample} is {}; wrap the model in the link adaptor",
                    row[output]
                )));
            }
            let sum = row.sum();
            if !single && (sum - 1.0).abs() > ROUNDING {
                return Err(self.misfit(format!("the probabilities of sample {sample} sum to {sum}, not to 1")));
            }
        }
        Ok(())
    }

    fn misfit(self, reason: impl Into<String>) -> Error {
        Error::unsupported(format!("the loss {}", self.name()), reason)
    }
}

/// How far probabilities may lie beyond 0 and 1, and their sum from 1: a softmax in `f32` over thousands of classes.
const ROUNDING: f64 = 1e-4;

/// The probability of `class`, whether it has a column of its own or is told by that of class 1.
fn probability(predictions: &Table, sample: usize, class: usize) -> f64 {
    match (predictions.ncols(), class) {
        (1, 0) => 1.0 - predictions[[sample, 0]],
        (1, _) => predictions[[sample, 0]],
        _ => predictions[[sample, class]],
    }
}
