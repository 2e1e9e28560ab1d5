//! Where paths begin.

use ndarray::{Array2, ArrayD, Axis};
use xai_core::error::same_shape;
use xai_core::{Cell, Cells, Error, Result};

/// The samples that stand for the absence of everything.
///
/// # Example
/// ```
/// use xai_local::gradient::Baselines;
/// let table = ndarray::array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(Baselines::of(&*table).n_baselines(), 2);
/// assert_eq!(Baselines::default(), Baselines::Zero);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Baselines {
    /// Zero in every cell.
    #[default]
    Zero,
    /// One number in every cell.
    Constant(f64),
    /// These samples: (baseline, axes of one sample …).
    Samples(ArrayD<f64>),
}

impl Baselines {
    /// The samples of `batch`.
    pub fn of<B: Cells + ?Sized>(batch: &B) -> Self {
        Baselines::Samples(batch.cells().mapv(Into::into))
    }

    /// How many there are.
    pub fn n_baselines(&self) -> usize {
        match self {
            Baselines::Samples(samples) => samples.shape().first().copied().unwrap_or(0),
            _ => 1,
        }
    }

    /// As a parameter in the account of a run.
    pub(crate) fn describe(&self) -> String {
        match self {
            Baselines::Zero => "zero".into(),
            Baselines::Constant(value) => format!("constant {value}"),
            Baselines::Samples(_) => format!("{} samples", self.n_baselines()),
        }
    }

    /// Row by row, for samples of `shape`: (baseline, cell).
    pub(crate) fn rows<A: Cell>(&self, shape: &[usize]) -> Result<Array2<A>> {
        let cells: usize = shape.iter().product();
        let rows = match self {
            Baselines::Zero => return Ok(Array2::zeros((1, cells))),
            Baselines::Constant(value) => Array2::from_elem((1, cells), *value),
            Baselines::Samples(samples) => {
                let found = samples.shape().get(1..).unwrap_or(&[]);
                same_shape("axes of one baseline, by the batch", shape, found)?;
                let rows = samples.to_shape((self.n_baselines(), cells)).map_err(Error::model)?;
                rows.into_owned()
            }
        };
        if rows.nrows() == 0 {
            return Err(Error::parameter("baselines", "none", "at least one sample"));
        }
        xai_core::error::all_finite("baselines", &rows)?;
        Ok(rows.mapv(A::of))
    }
}

/// The mean score of the baselines (baseline, output), for each of `n` samples: (sample, output).
pub(crate) fn base_of(scores: &Array2<f64>, n: usize) -> Array2<f64> {
    let mean = scores.sum_axis(Axis(0)) / scores.nrows().max(1) as f64;
    Array2::from_shape_fn((n, mean.len()), |(_, output)| mean[output])
}
