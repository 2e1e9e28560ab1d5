//! From cells to regions.

use ndarray::{Array3, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Feature, Result};

use crate::measurement::values_of;

/// How the shares of a region's cells become its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pool {
    /// Their sum: what Shapley values ask for, and what patches of equal size are ranked by.
    #[default]
    Sum,
    /// Their mean: what segments of different sizes are ranked by.
    Mean,
}

/// The attribution to regions of the features: for metrics whose masker has patches, segments or groups as players.
///
/// `regions` (sample, feature) has the number of each feature's region, from 0 to `n_regions` − 1; one row serves all
/// samples. A region without features has the share 0.
///
/// # Errors
/// [`Error::Shape`] for regions of other samples or features; [`Error::Parameter`] for a number of no region.
///
/// # Example
/// ```
/// use ndarray::{Array2, array};
/// # use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// # let attribution = Attribution {
/// #     provenance: Provenance::new("mine", &Run::default()),
/// #     features: Feature::unnamed(3), outputs: Output::unnamed(1),
/// #     base: Array2::zeros((1, 1)), values: array![[[2.0], [3.0], [5.0]]], scores: array![[10.0]],
/// #     shape: None, standard_error: None, data: None, fidelity: None,
/// # };
/// let patches = xai_eval::pooled(&attribution, &array![[0, 0, 1]], 2, xai_eval::Pool::Sum)?;
/// assert_eq!(patches.values, array![[[5.0], [5.0]]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn pooled(
    attribution: &Attribution,
    regions: &ArrayRef2<usize>,
    n_regions: usize,
    by: Pool,
) -> Result<Attribution> {
    let values = values_of(attribution)?;
    let (n_samples, n_features, n_outputs) = values.dim();
    let rows = if regions.nrows() == 1 { 1 } else { n_samples };
    same_shape("regions (sample, feature)", &[rows, n_features], regions.shape())?;
    if let Some(wrong) = regions.iter().find(|&&region| region >= n_regions) {
        return Err(Error::parameter("regions", wrong, format!("0 to {}", n_regions as i64 - 1)));
    }
    let mut pooled = Array3::zeros((n_samples, n_regions, n_outputs));
    for sample in 0..n_samples {
        let regions = regions.row(if rows == 1 { 0 } else { sample });
        let mut sizes = vec![0usize; n_regions];
        for (feature, &region) in regions.iter().enumerate() {
            sizes[region] += 1;
            for k in 0..n_outputs {
                pooled[[sample, region, k]] += values[[sample, feature, k]];
            }
        }
        if by == Pool::Mean {
            let mut of_sample = pooled.index_axis_mut(Axis(0), sample);
            let filled = of_sample.outer_iter_mut().zip(&sizes).filter(|(_, size)| **size > 0);
            filled.for_each(|(mut row, &size)| row /= size as f64);
        }
    }
    Ok(Attribution {
        features: (0..n_regions).map(|region| Feature::numeric(format!("region {region}"))).collect(),
        values: pooled,
        shape: None,
        standard_error: None,
        data: None,
        ..attribution.clone()
    })
}
