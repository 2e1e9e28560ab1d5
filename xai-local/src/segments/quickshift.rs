//! Superpixels as hills of density.

use ndarray::ArrayViewD;
use rayon::prelude::*;
use xai_core::{Error, Result};

use super::colour::lab;
use super::{Segmentation, Segmenter, image, of_pixels};

/// Quick shift: every pixel points to the nearest one in a denser place (of row, column and colour), and pixels that
/// lead to the same peak are a region. How many there are follows from the image.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `kernel` | 4 | the width of the density's Gaussian: wider makes fewer regions |
/// | `max_distance` | 200 | a pixel farther than this from every denser one is a peak |
/// | `ratio` | 0.2 | what colour counts beside place, 0 to 1 |
///
/// # Cost
/// O(pixels · (6 · `kernel`)²), without a model.
///
/// # Source
/// Vedaldi & Soatto 2008, "Quick shift and kernel methods for mode seeking"; defaults of `lime` 0.2.0.1. *differs:* equal
/// densities are told apart by place, not by noise.
///
/// # Example
/// ```
/// use ndarray::Array3;
/// use xai_local::segments::{Quickshift, Segmenter};
/// let image = Array3::from_shape_fn((1, 12, 12), |(_, _, x)| f64::from(x >= 6));
/// let shift = Quickshift { ratio: 1.0, max_distance: 10.0, ..Quickshift::default() };
/// let regions = shift.segment(image.view().into_dyn())?;
/// assert_ne!(regions.labels()[[5, 5]], regions.labels()[[5, 6]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quickshift {
    /// The width of the density's Gaussian.
    pub kernel: f64,
    /// How far a pixel may be from a denser one.
    pub max_distance: f64,
    /// What colour counts beside place.
    pub ratio: f64,
}

impl Default for Quickshift {
    fn default() -> Self {
        Quickshift { kernel: 4.0, max_distance: 200.0, ratio: 0.2 }
    }
}

impl Segmenter for Quickshift {
    fn segment(&self, sample: ArrayViewD<f64>) -> Result<Segmentation> {
        if !(self.kernel > 0.0 && self.kernel <= 50.0) {
            return Err(Error::parameter("kernel", self.kernel, "above 0, at most 50 pixels"));
        }
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(Error::parameter("ratio", self.ratio, "0 to 1"));
        }
        if self.max_distance.is_nan() || self.max_distance <= 0.0 {
            return Err(Error::parameter("max_distance", self.max_distance, "above 0"));
        }
        let colours = lab(&image(sample)?) * self.ratio;
        let (channels, rows, columns) = colours.dim();
        let reach = (3.0 * self.kernel).ceil() as usize;
        let near = |i: usize| {
            let (y, x) = (i / columns, i % columns);
            let across = x.saturating_sub(reach)..(x + reach + 1).min(columns);
            let down = y.saturating_sub(reach)..(y + reach + 1).min(rows);
            down.flat_map(move |r| across.clone().map(move |c| r * columns + c))
        };
        let distance = |i: usize, j: usize| {
            let (a, b) = ((i / columns, i % columns), (j / columns, j % columns));
            let place = (a.0.abs_diff(b.0).pow(2) + a.1.abs_diff(b.1).pow(2)) as f64;
            place + (0..channels).map(|c| (colours[[c, a.0, a.1]] - colours[[c, b.0, b.1]]).powi(2)).sum::<f64>()
        };
        let pixels = rows * columns;
        let scale = -0.5 / self.kernel.powi(2);
        let density: Vec<f64> =
            (0..pixels).into_par_iter().map(|i| near(i).map(|j| (distance(i, j) * scale).exp()).sum()).collect();
        let denser = |j: usize, i: usize| density[j] > density[i] || (density[j] == density[i] && j < i);
        let mut parent: Vec<usize> = (0..pixels)
            .into_par_iter()
            .map(|i| {
                let above = near(i).filter(|&j| denser(j, i)).map(|j| (distance(i, j), j));
                let nearest = above.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                nearest.filter(|(d, _)| d.sqrt() <= self.max_distance).map_or(i, |(_, j)| j)
            })
            .collect();
        // Parents are denser, so chains end; from the densest down, every parent already knows its peak.
        let mut order: Vec<usize> = (0..pixels).collect();
        order.sort_by(|&a, &b| density[b].total_cmp(&density[a]).then(a.cmp(&b)));
        order.into_iter().for_each(|i| parent[i] = parent[parent[i]]);
        of_pixels(rows, columns, parent)
    }

    fn describe(&self) -> String {
        format!("quickshift, kernel {}, max_distance {}, ratio {}", self.kernel, self.max_distance, self.ratio)
    }
}
