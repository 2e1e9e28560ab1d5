//! Neighbours of a sample, and how much each counts.

use ndarray::{Array2, ArrayRef1, ArrayRef2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use xai_core::error::same_shape;
use xai_core::{Error, Result, Table};

use super::training::{Column, Training};

/// How neighbours are drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// From the kernel itself, all with weight 1: a feature keeps the sample's value with the probability
    /// 1 / (1 + exp(−1/2w²)) that the kernel of width w gives it, and otherwise takes the value of another bin or
    /// category by its frequency in the training data; a number that is not binned is drawn from the normal
    /// distribution around the sample's that the kernel makes of the training data's.
    ///
    /// No draw is wasted on neighbours that hardly count, so seeds disagree less: by a third for bins and the default
    /// width, by more for narrow kernels. (For numbers that are not binned, and wide kernels, there is nothing to gain.)
    #[default]
    Kernel,
    /// As `lime` 0.2.0.1 does: bins and categories by their frequencies, numbers from the training data's normal
    /// distribution, and each neighbour weighs by its distance.
    Classic {
        /// Whether numbers that are not binned are drawn around the sample rather than around the mean.
        around_sample: bool,
    },
}

/// Neighbours of one sample; the first is the sample itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    /// What the model scores: (draw, feature).
    pub rows: Array2<f64>,
    /// What the surrogate sees: 1 where a bin or category is the sample's and 0 where not, the standardised number
    /// elsewhere: (draw, feature).
    pub design: Array2<f64>,
    /// How much each draw counts: (draw).
    pub weights: Vec<f64>,
}

/// LIME's kernel √exp(−d² / w²).
pub fn kernel(distance: f64, width: f64) -> f64 {
    (-(distance * distance) / (width * width)).exp().sqrt()
}

/// The [`kernel`] weight of every row of a design (draw, feature) by its Euclidean distance from the first.
///
/// # Source
/// `lime` 0.2.0.1, `LimeTabularExplainer.explain_instance`.
pub fn weights_by_distance(design: &ArrayRef2<f64>, width: f64) -> Vec<f64> {
    let first = design.row(0);
    let squared = |row: &ArrayRef1<f64>| row.iter().zip(&first).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    design.outer_iter().map(|row| kernel(squared(&row).sqrt(), width)).collect()
}

impl Neighbourhood {
    /// Draws `n_draws` neighbours of `sample`, itself included.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a kernel so narrow that a column never varies: its coefficient would be 0 by chance.
    pub(super) fn draw(
        training: &Training,
        sample: &ArrayRef1<f64>,
        sampling: Sampling,
        n_draws: usize,
        width: f64,
        seed: u64,
    ) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let columns: Vec<Around> = training.columns().iter().zip(sample).map(|(c, &x)| Around::new(c, x)).collect();
        let shape = (n_draws, columns.len());
        let (mut rows, mut design) = (Array2::zeros(shape), Array2::zeros(shape));
        for (draw, (mut row, mut seen)) in rows.outer_iter_mut().zip(design.outer_iter_mut()).enumerate() {
            for ((column, value), seen) in columns.iter().zip(&mut row).zip(&mut seen) {
                (*value, *seen) = match (draw, sampling) {
                    (0, _) => (column.sample, column.column.sees(column.sample, column.sample)),
                    (_, Sampling::Kernel) => column.draw_from_kernel(width, &mut rng),
                    (_, Sampling::Classic { around_sample }) => column.draw(around_sample, &mut rng),
                };
            }
        }
        let stuck = columns
            .iter()
            .zip(design.columns())
            .position(|(column, seen)| column.can_vary() && seen.iter().all(|&x| x == seen[0]));
        if let (Sampling::Kernel, Some(column)) = (sampling, stuck) {
            let expected = format!("a width (or number of draws) at which neighbours differ in column {column}");
            return Err(Error::parameter("kernel_width", width, expected));
        }
        let weights = match sampling {
            Sampling::Kernel => vec![1.0; n_draws],
            Sampling::Classic { .. } => weights_by_distance(&design, width),
        };
        Ok(Neighbourhood { rows, design, weights })
    }
}

impl Training {
    /// What the surrogate sees of `rows` around `sample`: see [`Neighbourhood::design`].
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of columns than the training data's.
    pub fn design(&self, rows: &Table, sample: &ArrayRef1<f64>) -> Result<Array2<f64>> {
        same_shape("columns of the neighbours", &[self.columns().len()], &[rows.ncols()])?;
        same_shape("columns of the sample", &[self.columns().len()], &[sample.len()])?;
        Ok(Array2::from_shape_fn(rows.dim(), |(draw, c)| self.columns()[c].sees(rows[[draw, c]], sample[c])))
    }
}

impl Column {
    /// What the surrogate sees of a neighbour's value.
    fn sees(&self, value: f64, sample: f64) -> f64 {
        match self {
            Column::Numeric { mean, scale } => (value - mean) / scale,
            Column::Categorical { .. } => f64::from(value == sample),
            Column::Binned { edges, .. } => f64::from(Column::bin_of(edges, value) == Column::bin_of(edges, sample)),
        }
    }

    /// A value of the bin's normal distribution between the bin's ends.
    fn draw_in_bin(&self, bin: usize, as_lime: bool, rng: &mut ChaCha8Rng) -> f64 {
        let Column::Binned { means, deviations, lows, highs, .. } = self else { return 0.0 };
        let (mean, deviation) = (means[bin], deviations[bin]);
        let (low, high) = ((lows[bin] - mean) / deviation, (highs[bin] - mean) / deviation);
        match low == high {
            // `lime` returns the standardised end of a bin of one value, not the value.
            true if as_lime => low,
            true => lows[bin],
            false => (mean + deviation * truncated_normal(low, high, rng)).max(lows[bin]).min(highs[bin]),
        }
    }
}

/// A column of the training data, seen from a sample.
struct Around<'t> {
    column: &'t Column,
    sample: f64,
    /// The sample's bin or category, if the training data has it.
    own: Option<usize>,
    /// The share of the training data in other bins or categories.
    others: f64,
}

impl<'t> Around<'t> {
    fn new(column: &'t Column, sample: f64) -> Self {
        let own = match column {
            Column::Numeric { .. } => None,
            Column::Categorical { values, .. } => values.iter().position(|&value| value == sample),
            Column::Binned { edges, .. } => Some(Column::bin_of(edges, sample)),
        };
        let others = match column {
            Column::Numeric { .. } => 0.0,
            Column::Categorical { frequencies, .. } | Column::Binned { frequencies, .. } => {
                frequencies.iter().enumerate().filter(|(k, _)| Some(*k) != own).map(|(_, f)| f).sum()
            }
        };
        Around { column, sample, own, others }
    }

    /// Whether the training data has another value to offer.
    fn can_vary(&self) -> bool {
        matches!(self.column, Column::Numeric { .. }) || self.others > 0.0
    }

    /// A neighbour's value, and what the surrogate sees of it.
    fn draw(&self, around_sample: bool, rng: &mut ChaCha8Rng) -> (f64, f64) {
        match self.column {
            Column::Numeric { mean, scale } => {
                let value = if around_sample { self.sample } else { *mean } + scale * normal(rng);
                (value, self.column.sees(value, self.sample))
            }
            Column::Categorical { values, frequencies } => {
                let category = pick(frequencies, 1.0, None, rng);
                (values[category], f64::from(Some(category) == self.own))
            }
            Column::Binned { frequencies, .. } => {
                let bin = pick(frequencies, 1.0, None, rng);
                (self.column.draw_in_bin(bin, true, rng), f64::from(Some(bin) == self.own))
            }
        }
    }

    fn draw_from_kernel(&self, width: f64, rng: &mut ChaCha8Rng) -> (f64, f64) {
        let (Column::Categorical { frequencies, .. } | Column::Binned { frequencies, .. }) = self.column else {
            return self.draw_near(width, rng);
        };
        let keep = 1.0 / (1.0 + (-0.5 / (width * width)).exp());
        if !self.can_vary() || rng.random::<f64>() < keep {
            return (self.sample, 1.0);
        }
        let other = pick(frequencies, self.others, self.own, rng);
        let value = match self.column {
            Column::Categorical { values, .. } => values[other],
            _ => self.column.draw_in_bin(other, false, rng),
        };
        (value, 0.0)
    }

    /// The training data's normal distribution, moved to the sample, times the kernel: again normal, and narrower.
    fn draw_near(&self, width: f64, rng: &mut ChaCha8Rng) -> (f64, f64) {
        let Column::Numeric { scale, .. } = self.column else { return (self.sample, 1.0) };
        let narrow = 1.0 / (1.0 + 1.0 / (width * width));
        let value = self.sample + scale * narrow.sqrt() * normal(rng);
        (value, self.column.sees(value, self.sample))
    }
}

/// An index other than `without`, by frequencies that sum to `total` without it.
fn pick(frequencies: &[f64], total: f64, without: Option<usize>, rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random::<f64>() * total;
    let mut last = 0;
    for (k, &frequency) in frequencies.iter().enumerate() {
        if Some(k) == without || frequency == 0.0 {
            continue;
        }
        last = k;
        left -= frequency;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// A standard normal number (Box & Muller 1958).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// A standard normal number between `low` and `high`, by rejection (Robert 1995).
fn truncated_normal(low: f64, high: f64, rng: &mut ChaCha8Rng) -> f64 {
    // A bin's mean lies in the bin; if rounding puts it outside, the bin is as good as one value.
    if low > 0.0 || high < 0.0 {
        return if low > 0.0 { low } else { high };
    }
    let wide = high - low > std::f64::consts::TAU.sqrt();
    loop {
        let x = if wide { normal(rng) } else { low + (high - low) * rng.random::<f64>() };
        let accepted = if wide { (low..=high).contains(&x) } else { rng.random::<f64>() < (-0.5 * x * x).exp() };
        if accepted {
            return x;
        }
    }
}
