//! A small array on a larger grid.

use ndarray::{ArrayD, ArrayRef, Axis, IxDyn};
use xai_core::{Error, Result};

/// Linear interpolation along every axis to `shape`: bilinear for images, the same numbers as PyTorch's
/// `interpolate(align_corners=False)`.
///
/// A place is the middle of its cell: place i of n becomes (i + ½)·m/n − ½ of m, and beyond the middles of the outermost cells
/// nothing changes any more.
///
/// # Errors
/// [`Error::Shape`] for another number of axes, or when `map` is empty.
///
/// # Example
/// ```
/// use ndarray::array;
/// let map = xai_local::cam::upsample(&*array![0.0, 1.0].into_dyn(), &[4])?;
/// assert_eq!(map, array![0.0, 0.25, 0.75, 1.0].into_dyn());
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn upsample(map: &ArrayRef<f64, IxDyn>, shape: &[usize]) -> Result<ArrayD<f64>> {
    if map.ndim() != shape.len() || map.is_empty() {
        let (what, found) = ("axes of a map".into(), map.shape().to_vec());
        return Err(Error::Shape { what, expected: shape.to_vec(), found });
    }
    let mut map = map.to_owned();
    for (axis, &length) in shape.iter().enumerate() {
        let before = map.len_of(Axis(axis));
        if before == length {
            continue;
        }
        let mut axes = map.shape().to_vec();
        axes[axis] = length;
        let mut after = ArrayD::zeros(axes);
        for (place, mut slot) in after.axis_iter_mut(Axis(axis)).enumerate() {
            let middle = ((place as f64 + 0.5) * before as f64 / length as f64 - 0.5).max(0.0);
            let low = (middle as usize).min(before - 1);
            let high = (low + 1).min(before - 1);
            let share = (middle - low as f64).min(1.0);
            slot.scaled_add(1.0 - share, &map.index_axis(Axis(axis), low));
            slot.scaled_add(share, &map.index_axis(Axis(axis), high));
        }
        map = after;
    }
    Ok(map)
}
