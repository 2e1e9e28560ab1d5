//! Rows of the data that stand in for absent columns, by weights that a coalition gives them.

use ndarray::{Array2, ArrayRef2, ArrayView1};
use rand::{RngExt, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use xai_core::{Error, Feature, Groups, Replicas, Result, Table};

use super::codes::Codes;
use super::columns::{Columns, equal};
use super::draws::generator;
use super::gaussian::DEFAULT_DRAWS;

/// The data, as they are and as codes, and who the players are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Training {
    pub rows: Array2<f64>,
    pub codes: Codes,
    pub coded: Array2<f64>,
    pub columns: Columns,
    pub weights: Vec<f64>,
    pub seed: u64,
}

/// One coalition of one sample, in codes.
pub(super) struct Question<'a> {
    /// The sample's codes.
    pub sample: &'a [f64],
    /// The codes of the present columns.
    pub present: Vec<usize>,
    /// The codes of the absent columns.
    pub absent: Vec<usize>,
}

impl Training {
    pub fn new(data: &Table, features: &[Feature]) -> Result<Self> {
        if data.nrows() == 0 {
            return Err(Error::parameter("rows of the data", "none", "at least one"));
        }
        if !features.is_empty() {
            xai_core::error::same_shape("features of the data", &[data.ncols()], &[features.len()])?;
        }
        let codes = Codes::fit(data, features)?;
        let coded = codes.of_rows(data);
        let rows = data.as_standard_layout().into_owned();
        let (columns, weights) = (Columns::each(data.ncols()), equal(DEFAULT_DRAWS)?);
        Ok(Training { rows, codes, coded, columns, weights, seed: 0 })
    }

    pub fn grouped(self, groups: Groups) -> Result<Self> {
        Ok(Training { columns: self.columns.grouped(groups)?, ..self })
    }

    /// For each coalition rows of the data with the sample's present cells put in. `weigh` gives the rows that may stand
    /// in, with weights of any positive sum.
    pub fn replicas(
        &self,
        batch: &Table,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
        weigh: impl Fn(&Question) -> Vec<(usize, f64)>,
    ) -> Result<Replicas<Array2<f64>>> {
        self.columns.check(batch, coalitions)?;
        let row = batch.row(sample);
        if let Some((column, &value)) = row.iter().enumerate().find(|(_, value)| value.is_infinite()) {
            return Err(Error::NonFinite { what: "cell for the masker".into(), sample, column, value });
        }
        let coded = self.codes.of_row(&row);
        let (mut cells, mut weights, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for coalition in coalitions.outer_iter() {
            let (present, absent) = self.columns.split(coalition);
            let chosen = if absent.is_empty() {
                vec![(0, 1.0)]
            } else {
                let (of_present, of_absent) = (self.codes.of_columns(&present), self.codes.of_columns(&absent));
                let question = Question { sample: &coded, present: of_present, absent: of_absent };
                thin(weigh(&question), self.weights.len(), &mut generator(self.seed, coalition))
            };
            if chosen.is_empty() {
                let reason = "it lies too far from all rows of the data for distances to be numbers";
                return Err(Error::unsupported(format!("masking sample {sample}"), reason));
            }
            for (place, weight) in chosen {
                let start = cells.len();
                cells.extend(self.rows.row(place));
                present.iter().for_each(|&column| cells[start + column] = row[column]);
                weights.push(weight);
            }
            ends.push(weights.len());
        }
        let shape = (weights.len(), batch.ncols());
        let samples = Array2::from_shape_vec(shape, cells).map_err(Error::model)?;
        Ok(Replicas { samples, weights, ends })
    }

    /// As many equally weighted rows for every coalition: each of its replicas as often as its weight says, rounded up
    /// or down by chance.
    pub fn equalised(&self, replicas: &Replicas<Array2<f64>>, coalitions: &ArrayRef2<bool>) -> Array2<f64> {
        let n = self.weights.len();
        let mut chosen = Vec::with_capacity(n * replicas.ends.len());
        let mut start = 0;
        for (coalition, &end) in coalitions.outer_iter().zip(&replicas.ends) {
            chosen.extend(spread(&replicas.weights[start..end], n, self.offset(coalition)).map(|place| start + place));
            start = end;
        }
        replicas.samples.select(ndarray::Axis(0), &chosen)
    }

    fn offset(&self, coalition: ArrayView1<bool>) -> f64 {
        generator(!self.seed, coalition).random()
    }
}

/// The places where n evenly spaced marks fall on weights that sum to one, laid end to end.
fn spread(weights: &[f64], n: usize, offset: f64) -> impl Iterator<Item = usize> {
    let (mut place, mut sum) = (0, weights.first().copied().unwrap_or(0.0));
    (0..n).map(move |k| {
        while (k as f64 + offset) / n as f64 >= sum && place + 1 < weights.len() {
            place += 1;
            sum += weights[place];
        }
        place
    })
}

/// At most `n` of the weighted rows, with weights that sum to one and are right in the mean: the heaviest as they are,
/// of the others some by chance, all alike. No choice without bias has a smaller error (Fearnhead & Clifford, *On-line
/// inference for hidden Markov models via particle filters*, 2003).
fn thin(mut rows: Vec<(usize, f64)>, n: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, f64)> {
    rows.retain(|(_, weight)| *weight > 0.0);
    let total: f64 = rows.iter().map(|(_, weight)| weight).sum();
    rows.iter_mut().for_each(|(_, weight)| *weight /= total);
    if rows.len() <= n {
        return rows;
    }
    // Evenly spaced marks on rows in the order of the data would know only a few ways to choose.
    rows.shuffle(rng);
    let mut sorted: Vec<f64> = rows.iter().map(|(_, weight)| *weight).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // The sums of the weights from each place on, from the smallest.
    let mut rest = vec![0.0; sorted.len() + 1];
    (0..sorted.len()).rev().for_each(|k| rest[k] = rest[k + 1] + sorted[k]);
    let kept = (0..n).find(|&k| sorted[k] * (n - k) as f64 <= rest[k]).unwrap_or(n - 1);
    let share = rest[kept] / (n - kept) as f64;
    let border = sorted[kept];
    // One mark for each row still to choose, over the light rows laid end to end.
    let mut mark = rng.random::<f64>() * share;
    let (mut sum, mut heavy) = (0.0, 0);
    let mut chosen = Vec::with_capacity(n);
    for &(row, weight) in &rows {
        if weight > border && heavy < kept {
            heavy += 1;
            chosen.push((row, weight));
            continue;
        }
        sum += weight;
        if mark < sum && chosen.len() < n + heavy - kept {
            mark += share;
            chosen.push((row, share));
        }
    }
    let total: f64 = chosen.iter().map(|(_, weight)| weight).sum();
    chosen.iter_mut().for_each(|(_, weight)| *weight /= total);
    chosen
}
