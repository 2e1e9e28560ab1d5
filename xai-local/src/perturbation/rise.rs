//! Many random masks at once.

use std::borrow::Borrow;

use ndarray::{Array2, Array3, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xai_core::error::same_shape;
use xai_core::{Attribution, Batch, Cell, Cells, Error, Explainer, Meter, Model, Provenance, Result, Run};

use super::{planned, scores_of_copies};
use crate::masker::Fill;

/// Randomised input sampling: the mean score of randomly masked copies, by how visible each pixel was in them:
/// Sₓ = Σᵢ mᵢ(x)·f(image masked by mᵢ) / (n·p).
///
/// Masks are coarse grids of coins, enlarged smoothly and shifted at random, so that they have no hard edges.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `n_masks` | 4000 | masks for each image |
/// | `grid` | (7, 7) | rows and columns of coins |
/// | `probability` | 0.5 | of a coin to let its part be seen |
/// | `fill` | 0 | what a masked pixel shows |
/// | `centred` | true | subtract the mean score of the copies first: the same map but for a constant, with far less noise |
///
/// # Units
/// Those of the scores: with `centred`, the covariance of score and visibility, by `probability`; otherwise the mean score
/// given visibility. Values sum to nothing in particular. `base` is 0. `standard_error` is that of the mean over masks.
///
/// # Cost
/// 1 + `n_masks` evaluations a sample.
///
/// # Errors
/// [`Error::Parameter`]; [`Error::Shape`] for what is no image (sample, channel, row, column).
///
/// # Laws
/// `rise_finds_where_a_linear_model_looks`, `perturbation_counts_its_evaluations`.
///
/// # Source
/// Petsiuk, Das & Saenko 2018, "RISE: randomized input sampling for explanation of black-box models", section 3.
/// *differs:* `centred`; standard errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Rise {
    /// Masks for each image.
    pub n_masks: usize,
    /// Rows and columns of coins.
    pub grid: (usize, usize),
    /// Of a coin to let its part be seen.
    pub probability: f64,
    /// What a masked pixel shows.
    pub fill: Fill,
    /// Subtract the mean score first.
    pub centred: bool,
}

impl Default for Rise {
    fn default() -> Self {
        Rise { n_masks: 4000, grid: (7, 7), probability: 0.5, fill: Fill::default(), centred: true }
    }
}

impl Rise {
    fn check(&self, shape: &[usize]) -> Result<()> {
        same_shape("axes of an image (channel, row, column)", &[3], &[shape.len()])?;
        let n = self.grid.0.saturating_mul(self.grid.1);
        if n == 0 || n > 1 << 16 {
            return Err(Error::parameter("grid", format!("{:?}", self.grid), "1 to 65536 coins"));
        }
        if !(self.probability > 0.0 && self.probability < 1.0) {
            return Err(Error::parameter("probability", self.probability, "above 0, below 1"));
        }
        if self.n_masks < 2 {
            return Err(Error::parameter("n_masks", self.n_masks, "at least 2"));
        }
        Ok(())
    }

    /// How visible each pixel is in one mask: (row, column), 0 to 1.
    fn mask(&self, seed: u64, number: usize, (rows, columns): (usize, usize)) -> Array2<f64> {
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        draws.set_stream(number as u64);
        let (down, across) = self.grid;
        // One row and column of coins more than the grid, for the shift.
        let coins = Array2::from_shape_simple_fn((down + 1, across + 1), || {
            f64::from(u8::from(draws.random::<f64>() < self.probability))
        });
        let shift = (draws.random::<f64>(), draws.random::<f64>());
        let along = |i: usize, length: usize, n: usize, shift: f64| {
            let at = ((i as f64 + 0.5) / length as f64 * n as f64 + shift - 0.5).clamp(0.0, n as f64);
            let low = (at as usize).min(n.saturating_sub(1));
            (low, at - low as f64)
        };
        Array2::from_shape_fn((rows, columns), |(y, x)| {
            let ((r, v), (c, u)) = (along(y, rows, down, shift.0), along(x, columns, across, shift.1));
            let mix = |r: usize| coins[[r, c]] * (1.0 - u) + coins[[r, c + 1]] * u;
            mix(r) * (1.0 - v) + mix(r + 1) * v
        })
    }
}

impl<M: Model<Batch: Cells> + ?Sized> Explainer<M> for Rise {
    type Explanation = Attribution;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Attribution> {
        let (samples, shape, outputs) = (batch.n_samples(), batch.sample_shape(), model.n_outputs());
        self.check(&shape)?;
        let (rows, columns) = (shape[1], shape[2]);
        let meter = Meter::planned(run, planned(samples, self.n_masks))?;
        let scores = meter.predict(model, batch)?;
        // A region's mean would need regions; one for all is the mean of each channel.
        let regions = vec![0; shape.iter().product()];
        let filled = (0..samples)
            .map(|sample| {
                let one = batch.samples(sample..sample + 1);
                let one: &M::Batch = one.borrow();
                self.fill.of(&one.cells().index_axis_move(Axis(0), 0).to_owned(), &regions)
            })
            .collect::<Result<Vec<_>>>()?;
        let masked = scores_of_copies(model, batch, self.n_masks, &meter, |sample, copy, mut cells| {
            let mask = self.mask(run.seed_of(sample), copy, (rows, columns));
            for (mut channel, fill) in cells.outer_iter_mut().zip(filled[sample].outer_iter()) {
                for ((cell, &fill), &seen) in channel.iter_mut().zip(fill).zip(&mask) {
                    let (here, gone): (f64, f64) = ((*cell).into(), fill.into());
                    *cell = Cell::of(gone + seen * (here - gone));
                }
            }
        })?;

        let pixels = rows * columns;
        let mut values = Array3::zeros((samples, pixels, outputs));
        let mut errors = values.clone();
        for sample in 0..samples {
            let own = masked.slice_axis(Axis(0), (sample * self.n_masks..(sample + 1) * self.n_masks).into());
            let mean = own.mean_axis(Axis(0)).unwrap_or_default();
            let mut squares = Array2::<f64>::zeros((pixels, outputs));
            let mut sums = Array2::<f64>::zeros((pixels, outputs));
            for (number, score) in own.outer_iter().enumerate() {
                let mask = self.mask(run.seed_of(sample), number, (rows, columns));
                let score = if self.centred { &score - &mean } else { score.to_owned() };
                for ((mut sum, mut square), &seen) in sums.outer_iter_mut().zip(squares.outer_iter_mut()).zip(&mask) {
                    // Without its mean, visibility says nothing where the score says nothing.
                    let seen = if self.centred { seen - self.probability } else { seen };
                    for ((sum, square), score) in sum.iter_mut().zip(square.iter_mut()).zip(&score) {
                        let part = seen * score / self.probability;
                        *sum += part;
                        *square += part * part;
                    }
                }
            }
            let n = self.n_masks as f64;
            let error = |(sum, square): (&f64, &f64)| ((square / n - (sum / n).powi(2)).max(0.0) / (n - 1.0)).sqrt();
            let error = Array2::from_shape_vec((pixels, outputs), sums.iter().zip(&squares).map(error).collect());
            errors.index_axis_mut(Axis(0), sample).assign(&error.map_err(Error::model)?);
            values.index_axis_mut(Axis(0), sample).assign(&(sums / n));
        }
        let provenance = Provenance::new("rise", run)
            .with("n_masks", self.n_masks)
            .with("grid", vec![self.grid.0, self.grid.1])
            .with("probability", self.probability)
            .with("fill", self.fill.describe())
            .with("centred", self.centred)
            .evaluations(meter.evaluations())
            .note("values say how the score goes with the visibility of a pixel; they do not sum to it");
        let base = Array2::zeros(scores.dim());
        let attribution = Attribution::of_cells(model, &[rows, columns], values, base, scores, provenance)?;
        Attribution { standard_error: Some(errors), ..attribution }.checked()
    }
}
