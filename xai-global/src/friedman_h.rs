//! Friedman's H by its definition, for any model.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use xai_core::model::{feature_names, output_names};
use xai_core::{Error, Explainer, Importance, Meter, Model, Provenance, Result, Run, Table};
use xai_local::masker::Background;

use crate::copies::{Copies, check_samples};
use crate::h_statistic::{HStatistic, Spread, finish};

/// How strongly features interact: the share of an effect that is not additive, for any model, on a sample of the data.
///
/// Pairs: H²(j, k) = Σ (F(j,k) − F(j) − F(k))² / Σ F(j,k)². Overall: H²(j) = Σ (f − F(j) − F(rest))² / Σ f². F is the
/// partial dependence on the features in brackets, less its mean; the sums run over the sample, and so does the mean that
/// F is. 0 means additive, 1 that nothing but interaction is left; it can exceed 1. A large H of a small effect means
/// little: see `normalized`. Where an effect is constant H is undefined; 0 stands for it, and a note says so.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `statistic` | pairs | between two features, or one and all others |
/// | `features` | none: all | the columns to look at |
/// | `n_samples` | 50 | samples drawn from the data, by the seed of the run |
/// | `normalized` | true | H; otherwise the standard deviation of what is not additive, in units of the scores |
///
/// For tree ensembles [`ExactFriedmanH`](crate::ExactFriedmanH) needs no sample.
///
/// # Shapes
/// values (pair or feature, output); pairs are called `a:b`.
///
/// # Units
/// H, not its square.
///
/// # Cost
/// n = `n_samples`, p features: n² evaluations for each feature, and pairs n² for each pair or overall n² for each
/// feature and n; fewer where values repeat.
///
/// # Errors
/// [`Error::Parameter`] for no samples, `n_samples` below 2 or columns that are not different ones of the model;
/// [`Error::Budget`] before any evaluation.
///
/// # Laws
/// `h_of_a_product_is_known`, `h_of_a_sum_is_zero`, `exact_h_equals_the_definition`.
///
/// # Source
/// Friedman & Popescu 2008, "Predictive learning via rule ensembles", equations 44 to 46. `normalized: false` is the
/// unnormalised statistic of R's hstats.
///
/// # Example
/// ```
/// use xai_global::{FriedmanH, HStatistic};
/// let method = FriedmanH { statistic: HStatistic::Overall, n_samples: 100, ..Default::default() };
/// assert!(method.normalized);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FriedmanH {
    /// Between whom.
    pub statistic: HStatistic,
    /// The columns to look at; empty for all.
    pub features: Vec<usize>,
    /// How many samples are drawn.
    pub n_samples: usize,
    /// Divide by the spread of the whole effect.
    pub normalized: bool,
}

impl Default for FriedmanH {
    fn default() -> Self {
        FriedmanH { statistic: HStatistic::Pairs, features: Vec::new(), n_samples: 50, normalized: true }
    }
}

impl FriedmanH {
    fn columns(&self, n: usize) -> Result<Vec<usize>> {
        if self.features.is_empty() {
            return Ok((0..n).collect());
        }
        let mut sorted = self.features.clone();
        sorted.sort_unstable();
        if sorted.is_sorted_by(|a, b| a < b) && sorted.iter().all(|&column| column < n) {
            return Ok(sorted);
        }
        Err(Error::parameter("features", format!("{:?}", self.features), format!("different columns below {n}")))
    }
}

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for FriedmanH {
    type Explanation = Importance;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Importance> {
        check_samples(batch, 1)?;
        if self.n_samples < 2 {
            return Err(Error::parameter("n_samples", self.n_samples, "at least 2"));
        }
        let names = feature_names(model, batch)?;
        let columns = self.columns(names.len())?;
        let sample = Background::sample(batch, self.n_samples, run.seed)?;
        let rows = sample.rows();
        let (n, n_outputs) = (rows.nrows(), model.n_outputs());
        let pairs: Vec<[usize; 2]> =
            columns.iter().enumerate().flat_map(|(at, &j)| columns[at + 1..].iter().map(move |&k| [j, k])).collect();
        let points = |set: &[usize]| Points::new(rows, set);
        let singles: Vec<Points> = columns.iter().map(|&j| points(&[j])).collect();
        let joint: Vec<Points> = match self.statistic {
            HStatistic::Pairs => pairs.iter().map(|pair| points(pair)).collect(),
            HStatistic::Overall => {
                let rest = |j: usize| (0..names.len()).filter(|&k| k != j).collect::<Vec<_>>();
                columns.iter().map(|&j| points(&rest(j))).collect()
            }
        };
        let needed = n + singles.iter().chain(&joint).map(|points| points.at.len() * n).sum::<usize>();
        let meter = Meter::planned(run, needed as u64)?;
        let scores = meter.predict(model, rows)?;
        let copies = Copies { meter: &meter, model, batch: rows };
        let singles = singles.iter().map(|points| points.responses(&copies)).collect::<Result<Vec<_>>>()?;

        let items = joint.len();
        let (mut left, mut whole) = (Spread::new(items * n_outputs), Spread::new(items * n_outputs));
        let place = |column: usize| columns.iter().position(|&c| c == column).unwrap_or(0);
        // What each item adds to the sums, one item after another.
        let mut parts = Vec::with_capacity(items);
        for (item, points) in joint.iter().enumerate() {
            let together = points.responses(&copies)?;
            parts.push(match self.statistic {
                HStatistic::Pairs => {
                    let [j, k] = pairs[item];
                    (&together - &singles[place(j)] - &singles[place(k)], together)
                }
                HStatistic::Overall => (&scores - &singles[item] - &together, scores.clone()),
            });
        }
        for row in 0..n {
            let value = |part: &Array2<f64>| part.row(row).to_vec();
            left.add(1.0, parts.iter().flat_map(|(part, _)| value(part)));
            whole.add(1.0, parts.iter().flat_map(|(_, part)| value(part)));
        }
        let item_names = match self.statistic {
            HStatistic::Pairs => pairs.iter().map(|&[j, k]| format!("{}:{}", names[j].name, names[k].name)).collect(),
            HStatistic::Overall => columns.iter().map(|&j| names[j].name.clone()).collect(),
        };
        let mut provenance = Provenance::new("friedman-h", run)
            .with("statistic", if self.statistic == HStatistic::Pairs { "pairs" } else { "overall" })
            .with("n_samples", n)
            .with("normalized", self.normalized)
            .evaluations(meter.evaluations());
        if n < batch.nrows() {
            provenance = provenance.note(format!("from {n} samples drawn from {}", batch.nrows()));
        }
        let largest = largest(scores.view());
        Ok(finish(item_names, output_names(model), self.normalized, &largest, (&left, &whole), provenance))
    }
}

/// The largest score of each output.
pub(crate) fn largest(scores: ArrayView2<f64>) -> Vec<f64> {
    scores.axis_iter(Axis(1)).map(|of| of.iter().fold(0.0f64, |most, score| most.max(score.abs()))).collect()
}

/// The different values that some columns have together.
struct Points<'a> {
    columns: Vec<usize>,
    rows: &'a Table,
    /// A row that has them: (point).
    at: Vec<usize>,
    /// The point of each row.
    of: Vec<usize>,
}

impl<'a> Points<'a> {
    fn new(rows: &'a Table, columns: &[usize]) -> Self {
        let (mut known, mut at) = (HashMap::new(), Vec::new());
        let of = (0..rows.nrows()).map(|row| {
            let key: Vec<u64> = columns.iter().map(|&column| rows[[row, column]].to_bits()).collect();
            *known.entry(key).or_insert_with(|| {
                at.push(row);
                at.len() - 1
            })
        });
        let of = of.collect();
        Points { columns: columns.to_vec(), rows, at, of }
    }

    /// The partial dependence on the columns at each row: (row, output).
    fn responses<M: Model<Batch = Table> + ?Sized>(&self, copies: &Copies<M>) -> Result<Array2<f64>> {
        let set = |point: usize, _: std::ops::Range<usize>, mut block: ndarray::ArrayViewMut2<f64>| {
            for &column in &self.columns {
                block.column_mut(column).fill(self.rows[[self.at[point], column]]);
            }
        };
        let mean = |_: usize, scores: ArrayView2<f64>| Ok(scores.sum_axis(Axis(0)) / scores.nrows() as f64);
        let means = copies.scores(0..self.at.len(), set, mean)?;
        Ok(Array2::from_shape_fn((self.of.len(), copies.model.n_outputs()), |(row, output)| {
            means[self.of[row]][output]
        }))
    }
}
