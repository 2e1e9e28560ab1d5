//! shap.benchmark on the same function, samples and explanations.

use ndarray::{Array2, ArrayRef2};
use xai_core::{Masker, Result, Run, Table};
use xai_eval::{Case, KeepRemove, Metric, Sign};

use crate::golden::{numbers, read, table};
use crate::zoo::{Baseline, Function, assert_close, attribution};

/// Means of a dozen numbers, conditional means of eight columns.
const GOLDEN: f64 = 1e-9;

/// Absent columns are their mean given the present ones.
struct Impute {
    means: Vec<f64>,
    covariance: Array2<f64>,
}

impl Masker<Table> for Impute {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let mut masked = Array2::zeros(coalitions.dim());
        for (present, mut row) in coalitions.outer_iter().zip(masked.outer_iter_mut()) {
            let seen: Vec<usize> = (0..present.len()).filter(|&j| present[j]).collect();
            let mut system = Array2::from_shape_fn((seen.len(), seen.len() + 1), |(a, b)| match b < seen.len() {
                true => self.covariance[[seen[a], seen[b]]],
                false => batch[[sample, seen[a]]] - self.means[seen[a]],
            });
            let weights = solve(&mut system);
            for j in 0..present.len() {
                let given: f64 = seen.iter().zip(&weights).map(|(&s, w)| self.covariance[[j, s]] * w).sum();
                row[j] = if present[j] { batch[[sample, j]] } else { self.means[j] + given };
            }
        }
        Ok(masked)
    }
    fn describe(&self) -> String {
        "impute".into()
    }
}

/// Absent columns come from rows that count by how often they were drawn.
struct Resample {
    rows: Array2<f64>,
    weights: Vec<f64>,
}

impl Masker<Table> for Resample {
    fn n_players(&self, batch: &Table, _sample: usize) -> usize {
        batch.ncols()
    }
    fn weights(&self) -> &[f64] {
        &self.weights
    }
    fn mask(&self, batch: &Table, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let n = self.weights.len();
        let value = |(row, j): (usize, usize)| match coalitions[[row / n, j]] {
            true => batch[[sample, j]],
            false => self.rows[[row % n, j]],
        };
        Ok(Array2::from_shape_fn((n * coalitions.nrows(), batch.ncols()), value))
    }
    fn describe(&self) -> String {
        "resample".into()
    }
}

/// Gauss and Jordan.
fn solve(system: &mut Array2<f64>) -> Vec<f64> {
    let n = system.nrows();
    for p in 0..n {
        let pivot = system[[p, p]];
        system.row_mut(p).mapv_inplace(|v| v / pivot);
        for i in (0..n).filter(|&i| i != p) {
            let factor = system[[i, p]];
            let row = system.row(p).to_owned();
            system.row_mut(i).zip_mut_with(&row, |a, b| *a -= factor * b);
        }
    }
    system.column(n).to_vec()
}

#[test]
fn shap_benchmark_keep_and_remove() {
    let golden = read("keep_remove");
    let model = Function::new(1, |x| vec![(x[0] - x[1]).tanh() + x[2] * x[3] + 0.5 * x[4] - x[5] * x[5] / 4.0]);
    let (rows, shares) = (table(&golden["rows"]), attribution(&table(&golden["attributions"])));
    let (labels, counts, means) = (numbers(&golden["labels"]), numbers(&golden["counts"]), numbers(&golden["means"]));
    let mask = Baseline(means.clone().into());
    let impute = Impute { means, covariance: table(&golden["covariance"]) };
    let drawn = &golden["resampled"];
    let weights = numbers(&drawn["times"]).into_iter().map(|times| times / 100.0).collect();
    let resample = Resample { rows: table(&drawn["rows"]), weights };
    let mut compared = 0;
    for keep in [true, false] {
        for (sign, called) in [(Sign::Positive, "positive"), (Sign::Negative, "negative"), (Sign::Absolute, "absolute")]
        {
            let metric = KeepRemove { keep, sign, ..KeepRemove::default() };
            let maskers: [(&dyn Masker<Table>, &str); 3] =
                [(&mask, "mask"), (&resample, "resample"), (&impute, "impute")];
            for (masker, absence) in maskers {
                let name = format!("{}-{called}", if keep { "keep" } else { "remove" });
                let curve = numbers(&golden["curves"][format!("{name} {absence}")]);
                // What the benchmark does to the curve, so that higher is better.
                let turned: Vec<f64> = match (keep, sign) {
                    (true, Sign::Negative) | (false, Sign::Positive) => curve.iter().map(|v| -v).collect(),
                    (false, Sign::Absolute) => curve.iter().map(|v| 1.0 - v).collect(),
                    _ => curve,
                };
                let area: f64 = (1..counts.len())
                    .map(|p| (counts[p] - counts[p - 1]) * (turned[p] + turned[p - 1]) / 2.0)
                    .sum::<f64>()
                    / counts[counts.len() - 1];
                let case = Case::new(&model, &*rows).with_masker(masker).with_labels(&labels);
                let found = metric.measure(&case, &shares, &Run::default()).unwrap();
                assert_eq!(found.metric, name);
                assert_close(found.mean.unwrap(), area, GOLDEN);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 18);
}
