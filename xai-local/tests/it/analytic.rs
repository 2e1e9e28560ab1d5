//! Differentiable models whose slopes are written down beside them.

use std::borrow::Borrow;
use std::marker::PhantomData;

use ndarray::{Array1, Array2, ArrayD, ArrayRef2, ArrayView1};
use xai_core::{Cell, Cells, Differentiable, Model, Owned, Result};

type Score = Box<dyn Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync>;
type Slope = Box<dyn Fn(ArrayView1<f64>) -> Array2<f64> + Send + Sync>;

/// A function of the cells of one sample, and its slopes (output, cell).
pub struct Analytic<B: ?Sized> {
    n_outputs: usize,
    score: Score,
    slope: Slope,
    /// Whether the sums along lines are given in one go.
    pub knows_lines: bool,
    batch: PhantomData<fn(&B)>,
}

impl<B: Cells + ?Sized> Analytic<B> {
    pub fn new(
        n_outputs: usize,
        score: impl Fn(ArrayView1<f64>) -> Vec<f64> + Send + Sync + 'static,
        slope: impl Fn(ArrayView1<f64>) -> Array2<f64> + Send + Sync + 'static,
    ) -> Self {
        Analytic { n_outputs, score: Box::new(score), slope: Box::new(slope), knows_lines: false, batch: PhantomData }
    }

    fn rows(batch: &B) -> Array2<f64> {
        let cells: usize = batch.sample_shape().iter().product();
        batch.cells().mapv(Into::into).into_shape_with_order((batch.n_samples(), cells)).unwrap()
    }

    fn batch(rows: Array2<f64>, like: &B) -> Result<B::Owned> {
        let shape = like.cells().shape().to_vec();
        B::of_cells(ArrayD::from_shape_vec(shape, rows.iter().map(|&x| B::Cell::of(x)).collect()).unwrap())
    }
}

impl<B: Cells + ?Sized> Model for Analytic<B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        let rows = Self::rows(batch);
        let scores: Vec<f64> = rows.outer_iter().flat_map(|row| (self.score)(row)).collect();
        Ok(Array2::from_shape_vec((rows.nrows(), self.n_outputs), scores).unwrap())
    }
}

impl<B: Cells + ?Sized> Differentiable for Analytic<B> {
    fn vjp(&self, batch: &B, weights: &ArrayRef2<f64>) -> Result<Owned<Self>> {
        let mut rows = Self::rows(batch);
        for (mut row, weights) in rows.outer_iter_mut().zip(weights.outer_iter()) {
            let slopes = (self.slope)(row.view());
            row.assign(&weights.dot(&slopes));
        }
        Self::batch(rows, batch)
    }

    fn line_vjps(
        &self,
        from: &B,
        to: &B,
        points: &[(f64, f64)],
        weights: &[Array2<f64>],
    ) -> Result<Option<Vec<Owned<Self>>>> {
        if !self.knows_lines {
            return Ok(None);
        }
        let (from_rows, to_rows) = (Self::rows(from), Self::rows(to));
        let sums = weights.iter().map(|weights| {
            let mut sum = Array2::zeros(to_rows.raw_dim());
            for &(t, c) in points {
                let at = Self::batch(&from_rows + &((&to_rows - &from_rows) * t), to)?;
                let slopes = self.vjp(at.borrow(), weights)?;
                sum.scaled_add(c, &Self::rows(slopes.borrow()));
            }
            Self::batch(sum, to)
        });
        sums.collect::<Result<_>>().map(Some)
    }
}

/// Scores x·W + b: slopes are the weights (cell, output).
pub fn linear<B: Cells + ?Sized>(weights: Array2<f64>, bias: Vec<f64>) -> Analytic<B> {
    let slopes = weights.t().to_owned();
    let score = move |x: ArrayView1<f64>| (x.dot(&weights) + Array1::from(bias.clone())).to_vec();
    Analytic::new(slopes.nrows(), score, move |_| slopes.clone())
}

/// x₀·x₁ + x₂², and 3·x₀ − x₁·x₂.
pub fn quadratic<B: Cells + ?Sized>() -> Analytic<B> {
    Analytic::new(
        2,
        |x| vec![x[0] * x[1] + x[2] * x[2], 3.0 * x[0] - x[1] * x[2]],
        |x| ndarray::array![[x[1], x[0], 2.0 * x[2]], [3.0, -x[2], -x[1]]],
    )
}

/// max(x₀ + x₁ − 1, 0) − 2·max(x₀ − x₁ − 0.3, 0): kinks on the way.
pub fn hinges<B: Cells + ?Sized>() -> Analytic<B> {
    Analytic::new(
        1,
        |x| vec![(x[0] + x[1] - 1.0).max(0.0) - 2.0 * (x[0] - x[1] - 0.3).max(0.0)],
        |x| {
            let (first, second) = (f64::from(x[0] + x[1] > 1.0), 2.0 * f64::from(x[0] - x[1] > 0.3));
            ndarray::array![[first - second, first + second]]
        },
    )
}

/// Softmax of x·W: (cell, output).
pub fn softmax<B: Cells + ?Sized>(weights: Array2<f64>) -> Analytic<B> {
    let probabilities = |x: ArrayView1<f64>, weights: &Array2<f64>| {
        let powers = x.dot(weights).mapv(f64::exp);
        &powers / powers.sum()
    };
    let again = weights.clone();
    Analytic::new(
        weights.ncols(),
        move |x| probabilities(x, &weights).to_vec(),
        move |x| {
            let p = probabilities(x, &again);
            let mean = again.dot(&p);
            Array2::from_shape_fn((p.len(), x.len()), |(k, f)| p[k] * (again[[f, k]] - mean[f]))
        },
    )
}
