//! Pixels filled in from their neighbours.

use ndarray::{Array4, ArrayRef2, ArrayRef4, ArrayViewMut2, Axis};
use xai_core::{Cell, Error, Masker, Result};

use crate::draws::Draws;

/// A masker of images whose players are pixels, all channels together: an absent pixel is the weighted mean of its eight
/// neighbours, absent ones included, plus a little noise.
///
/// Direct neighbours weigh 1/6, diagonal ones 1/12; at the border the others weigh more. The means of the absent pixels
/// depend on one another: a linear system, which conjugate gradients solve to twelve digits. When all pixels are absent
/// there is nothing to go by: every pixel is then the mean of its channel. The noise follows from `seed` and from which
/// pixels are absent.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `noise` | 0.01 | the standard deviation of the noise, in the units of the pixels |
/// | `seed` | 0 | what the noise follows from |
///
/// # Shapes
/// Images (sample, channel, row, column); player r·columns + c is the pixel in row r and column c.
///
/// # Cost
/// One evaluation a coalition, and some hundred steps through the absent pixels of every channel.
///
/// # Laws
/// `noisy_linear_imputation_solves_its_equations`, `quantus_road`.
///
/// # Source
/// Rong et al. 2022, "A consistent and efficient evaluation strategy for attribution methods", section 4.2 (noisy linear
/// imputation).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisyLinear {
    /// The standard deviation of the noise.
    pub noise: f64,
    /// What the noise follows from.
    pub seed: u64,
}

impl Default for NoisyLinear {
    fn default() -> Self {
        NoisyLinear { noise: 0.01, seed: 0 }
    }
}

impl<T: Cell> Masker<ArrayRef4<T>> for NoisyLinear {
    fn n_players(&self, batch: &ArrayRef4<T>, _sample: usize) -> usize {
        batch.len_of(Axis(2)) * batch.len_of(Axis(3))
    }

    fn mask(&self, batch: &ArrayRef4<T>, sample: usize, coalitions: &ArrayRef2<bool>) -> Result<Array4<T>> {
        let (_, channels, rows, columns) = batch.dim();
        xai_core::error::same_shape("pixels of the coalitions", &[rows * columns], &[coalitions.ncols()])?;
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            return Err(Error::parameter("noise", self.noise, "a number not below 0"));
        }
        let mut masked = Array4::from_elem((coalitions.nrows(), channels, rows, columns), T::default());
        for (present, mut image) in coalitions.outer_iter().zip(masked.outer_iter_mut()) {
            image.assign(&batch.index_axis(Axis(0), sample));
            let absent = Absent::new(present.iter().copied(), rows, columns);
            let mut draws = Draws::new(absent.seed(self.seed));
            for channel in image.outer_iter_mut() {
                absent.fill(channel, || self.noise * draws.normal());
            }
        }
        Ok(masked)
    }

    fn samples_at_once(&self, batch: &ArrayRef4<T>) -> usize {
        MOST_CELLS / batch.dim().1.saturating_mul(batch.dim().2).saturating_mul(batch.dim().3).max(1)
    }

    fn describe(&self) -> String {
        format!("noisy-linear, noise {}", self.noise)
    }
}

/// The absent pixels of an image, and the equations between them.
struct Absent {
    columns: usize,
    /// The absent pixels.
    pixels: Vec<usize>,
    /// For each of them its neighbours: (weight, pixel, its place among the absent ones).
    neighbours: Vec<Vec<(f64, usize, Option<usize>)>>,
    /// The sum of its neighbours' weights.
    totals: Vec<f64>,
    all: bool,
}

const NEIGHBOURS: [(isize, isize, f64); 8] = [
    (-1, -1, 1.0 / 12.0),
    (-1, 0, 1.0 / 6.0),
    (-1, 1, 1.0 / 12.0),
    (0, -1, 1.0 / 6.0),
    (0, 1, 1.0 / 6.0),
    (1, -1, 1.0 / 12.0),
    (1, 0, 1.0 / 6.0),
    (1, 1, 1.0 / 12.0),
];

/// Cells of masked images that are held at once.
const MOST_CELLS: usize = 1 << 24;

/// The residual, as a share of the right side, at which the equations are solved.
const SOLVED: f64 = 1e-13;

impl Absent {
    fn new(present: impl Iterator<Item = bool>, rows: usize, columns: usize) -> Self {
        let mut place = vec![None; rows * columns];
        let mut pixels = Vec::new();
        for (pixel, present) in present.enumerate() {
            if !present {
                place[pixel] = Some(pixels.len());
                pixels.push(pixel);
            }
        }
        let near = |pixel: usize| {
            let (row, column) = (pixel / columns, pixel % columns);
            let at = |&(down, right, weight): &(isize, isize, f64)| {
                let row = row.checked_add_signed(down).filter(|&row| row < rows)?;
                let column = column.checked_add_signed(right).filter(|&column| column < columns)?;
                let pixel = row * columns + column;
                Some((weight, pixel, place[pixel]))
            };
            NEIGHBOURS.iter().filter_map(at).collect::<Vec<_>>()
        };
        let neighbours: Vec<_> = pixels.iter().map(|&pixel| near(pixel)).collect();
        let totals = neighbours.iter().map(|near| near.iter().map(|(weight, _, _)| weight).sum()).collect();
        let all = pixels.len() == rows * columns;
        Absent { columns, pixels, neighbours, totals, all }
    }

    /// A seed that follows from which pixels are absent.
    fn seed(&self, seed: u64) -> u64 {
        self.pixels.iter().fold(seed, |seed, &pixel| Draws::nth(seed, pixel).next())
    }

    fn fill<T: Cell>(&self, mut channel: ArrayViewMut2<T>, mut noise: impl FnMut() -> f64) {
        let at = |pixel: usize| (pixel / self.columns, pixel % self.columns);
        let filled = if self.all {
            let sum: f64 = channel.iter().map(|&value| value.into()).sum();
            vec![sum / channel.len() as f64; self.pixels.len()]
        } else {
            let known = |near: &Vec<(f64, usize, Option<usize>)>| {
                let known = near.iter().filter(|(_, _, place)| place.is_none());
                known.map(|(weight, pixel, _)| weight * channel[at(*pixel)].into()).sum::<f64>()
            };
            self.solve(&self.neighbours.iter().map(known).collect::<Vec<f64>>())
        };
        for (&pixel, value) in self.pixels.iter().zip(filled) {
            channel[at(pixel)] = T::of(value + noise());
        }
    }

    /// The left side of the equations: total · xᵢ − Σ over absent neighbours j of weight · xⱼ.
    fn apply(&self, x: &[f64], to: &mut [f64]) {
        for (i, to) in to.iter_mut().enumerate() {
            let near = self.neighbours[i].iter().filter_map(|(weight, _, place)| place.map(|j| weight * x[j]));
            *to = self.totals[i] * x[i] - near.sum::<f64>();
        }
    }

    /// Conjugate gradients, preconditioned by the diagonal; the matrix is symmetric and positive definite, since every
    /// absent pixel is joined to a present one.
    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let n = right.len();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; n];
        let mut residual = right.to_vec();
        let scaled = |residual: &[f64]| residual.iter().zip(&self.totals).map(|(r, t)| r / t).collect::<Vec<f64>>();
        let mut z = scaled(&residual);
        let mut direction = z.clone();
        let (mut product, enough) = (dot(&residual, &z), SOLVED * dot(right, right).sqrt());
        let mut image = vec![0.0; n];
        for _ in 0..10 * (n + 10) {
            let left = dot(&residual, &residual).sqrt();
            // What is no number never becomes small.
            if left <= enough || !left.is_finite() {
                break;
            }
            self.apply(&direction, &mut image);
            let step = product / dot(&direction, &image);
            for i in 0..n {
                x[i] += step * direction[i];
                residual[i] -= step * image[i];
            }
            z = scaled(&residual);
            let next = dot(&residual, &z);
            let keep = next / product;
            direction.iter_mut().zip(&z).for_each(|(d, z)| *d = z + keep * *d);
            product = next;
        }
        x
    }
}
