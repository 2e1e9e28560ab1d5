//! Which methods say the same?

use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Attribution, Result};

use crate::Measurement;

/// The mean agreement of every pair of attributions of the same samples: (attribution, attribution), NaN where it is never
/// defined.
///
/// *Pitfalls.* Methods of one family agree with each other; that they do is no vote for what they say.
///
/// # Errors
/// Those of `agreement`; [`Error::Shape`](xai_core::Error::Shape) for a measurement of other samples.
///
/// # Cost
/// n(n + 1) / 2 calls of `agreement`, which is taken to be symmetric.
///
/// # Source
/// Krishna et al. 2022, section 4.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// # fn attribution(values: [f64; 2]) -> Attribution {
/// #     Attribution {
/// #         provenance: Provenance::new("mine", &Run::default()),
/// #         features: Feature::unnamed(2), outputs: Output::unnamed(1),
/// #         base: array![[0.0]], values: array![[[values[0]], [values[1]]]], scores: array![[0.0]],
/// #         standard_error: None, data: None, fidelity: None, shape: None,
/// #     }
/// # }
/// let methods = [attribution([1.0, 2.0]), attribution([3.0, 4.0]), attribution([2.0, 1.0])];
/// let top = |a: &Attribution, b: &Attribution| xai_eval::feature_agreement(a, b, 1);
/// let matrix = xai_eval::agreement::agreement_matrix(&methods.each_ref(), top)?;
/// assert_eq!(matrix, array![[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn agreement_matrix(
    attributions: &[&Attribution],
    agreement: impl Fn(&Attribution, &Attribution) -> Result<Measurement>,
) -> Result<Array2<f64>> {
    let n = attributions.len();
    let mut matrix = Array2::from_elem((n, n), f64::NAN);
    for i in 0..n {
        for j in 0..=i {
            let found = agreement(attributions[i], attributions[j])?;
            same_shape("agreement (sample, output)", attributions[i].scores.shape(), found.values.shape())?;
            let mean = found.mean.unwrap_or(f64::NAN);
            (matrix[[i, j]], matrix[[j, i]]) = (mean, mean);
        }
    }
    Ok(matrix)
}
