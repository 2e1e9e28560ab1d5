//! How good a model is on labelled data: what stands at the head of a report.

use ndarray::Array2;
use xai_core::error::all_finite;
use xai_core::{Error, Result, Table};

use crate::labels::{Labels, check_weights};
use crate::loss::Loss;

/// The usual measures of a model on labelled data.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// The measures, the most telling first.
    pub measures: Vec<Measure>,
    /// The measures that are not defined on these data, with the reason.
    pub omitted: Vec<(&'static str, String)>,
    /// The weight (without weights: the number) of the samples of each class that the model puts into each class:
    /// (label, prediction). For classes only.
    pub confusion: Option<Array2<f64>>,
}

/// One measure of performance.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Its name, such as `accuracy`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}

/// Measures predictions against labels: RMSE, MAE and R² for numbers; accuracy, AUC, log-loss, Brier score and the
/// confusion matrix for classes.
///
/// # Shapes
/// `predictions` (sample, output), after the link; `labels`, `weights` (sample).
///
/// # Errors
/// Those of [`Labels::check`] and of a misfit between labels and predictions that leaves no measure at all. A measure
/// that alone is not defined (AUC when one class is absent) is listed in [`Performance::omitted`] instead.
///
/// # Example
/// ```
/// use xai_global::{performance, Labels};
/// let labels = Labels::Classes { n: 2, indices: vec![0, 1, 1, 0] };
/// let table = performance(&ndarray::array![[0.1], [0.9], [0.4], [0.2]], &labels, None).unwrap();
/// assert_eq!((table.measures[0].name, table.measures[0].value), ("accuracy", 0.75));
/// assert_eq!((table.measures[1].name, table.measures[1].value), ("auc", 1.0));
/// assert_eq!(table.confusion.unwrap(), ndarray::array![[2.0, 0.0], [1.0, 1.0]]);
/// ```
pub fn performance(predictions: &Table, labels: &Labels, weights: Option<&[f64]>) -> Result<Performance> {
    labels.check(predictions.nrows())?;
    check_weights(weights, predictions.nrows())?;
    all_finite("predictions", predictions)?;
    let rows: &[Row] = match labels {
        Labels::Numbers(_) => &REGRESSION,
        Labels::Classes { .. } => &CLASSIFICATION,
    };
    let mut table = Performance { measures: Vec::new(), omitted: Vec::new(), confusion: None };
    let mut first = None;
    for row in rows {
        match row.loss.of(predictions, labels, weights) {
            Ok(loss) => table.measures.push(Measure {
                name: row.name,
                value: (row.from_loss)(loss),
                higher_is_better: row.higher_is_better,
            }),
            Err(error) => {
                let reason = match &error {
                    Error::Unsupported { reason, .. } => reason.clone(),
                    other => other.to_string(),
                };
                table.omitted.push((row.name, reason));
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if table.measures.is_empty() => return Err(error),
        _ => {}
    }
    if let Labels::Classes { n, indices } = labels
        && let Ok(chosen) = Loss::ErrorRate.choices(predictions, *n)
    {
        let mut confusion = Array2::zeros((*n, *n));
        for (i, (&label, &choice)) in indices.iter().zip(&chosen).enumerate() {
            confusion[[label, choice]] += weights.map_or(1.0, |w| w[i]);
        }
        table.confusion = Some(confusion);
    }
    Ok(table)
}

struct Row {
    name: &'static str,
    loss: Loss,
    from_loss: fn(f64) -> f64,
    higher_is_better: bool,
}

const fn row(name: &'static str, loss: Loss, from_loss: fn(f64) -> f64, higher_is_better: bool) -> Row {
    Row { name, loss, from_loss, higher_is_better }
}

const REGRESSION: [Row; 3] = [
    row("rmse", Loss::SquaredError, f64::sqrt, false),
    row("mae", Loss::AbsoluteError, same, false),
    row("r2", Loss::OneMinusR2, one_minus, true),
];

const CLASSIFICATION: [Row; 4] = [
    row("accuracy", Loss::ErrorRate, one_minus, true),
    row("auc", Loss::OneMinusAuc, one_minus, true),
    row("log-loss", Loss::LogLoss, same, false),
    row("brier", Loss::Brier, same, false),
];

fn same(x: f64) -> f64 {
    x
}

fn one_minus(x: f64) -> f64 {
    1.0 - x
}
