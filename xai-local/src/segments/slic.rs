//! Superpixels by clustering place and colour.

use ndarray::{Array3, ArrayViewD};
use xai_core::{Error, Result};

use super::colour::{blurred, lab};
use super::{Segmentation, Segmenter, image, of_pixels};

/// Simple linear iterative clustering: k-means in colour and place, each centre looking only at its surroundings, then
/// every piece that is too small joined to a neighbour.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `n_segments` | 50 | about how many regions |
/// | `compactness` | 10 | what place counts beside colour: more makes boxes, less follows edges |
/// | `n_iterations` | 10 | rounds of clustering |
/// | `sigma` | 1 | pixels of blur before |
///
/// # Cost
/// O(pixels · `n_iterations`), without a model.
///
/// # Source
/// Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods". *differs:* no random choice;
/// a piece smaller than a quarter of a mean region joins the neighbour with which it shares the longest border.
///
/// # Example
/// ```
/// use ndarray::Array3;
/// use xai_local::segments::{Segmenter, Slic};
/// // A dark half and a light half.
/// let image = Array3::from_shape_fn((1, 20, 20), |(_, _, x)| f64::from(x >= 10));
/// let slic = Slic { n_segments: 4, sigma: 0.0, ..Slic::default() };
/// let regions = slic.segment(image.view().into_dyn())?;
/// assert_ne!(regions.labels()[[5, 9]], regions.labels()[[5, 10]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slic {
    /// About how many regions.
    pub n_segments: usize,
    /// What place counts beside colour.
    pub compactness: f64,
    /// Rounds of clustering.
    pub n_iterations: usize,
    /// Pixels of blur before.
    pub sigma: f64,
}

impl Default for Slic {
    fn default() -> Self {
        Slic { n_segments: 50, compactness: 10.0, n_iterations: 10, sigma: 1.0 }
    }
}

impl Segmenter for Slic {
    fn segment(&self, sample: ArrayViewD<f64>) -> Result<Segmentation> {
        let image = image(sample)?;
        let (_, rows, columns) = image.dim();
        if self.n_segments == 0 {
            return Err(Error::parameter("n_segments", 0, "at least 1"));
        }
        if !(self.compactness > 0.0 && self.compactness.is_finite()) {
            return Err(Error::parameter("compactness", self.compactness, "a finite number above 0"));
        }
        if !(0.0..=100.0).contains(&self.sigma) {
            return Err(Error::parameter("sigma", self.sigma, "0 to 100 pixels"));
        }
        let colours = lab(&blurred(&image, self.sigma));
        let step = ((rows * columns) as f64 / self.n_segments as f64).sqrt().max(1.0);
        let labels = self.cluster(&colours, step);
        let least = (rows * columns / self.n_segments.min(rows * columns) / 4).max(1);
        of_pixels(rows, columns, joined(&labels, rows, columns, least))
    }

    fn describe(&self) -> String {
        format!("slic of about {} regions, compactness {}", self.n_segments, self.compactness)
    }
}

/// A centre: row, column, colours.
type Centre = Vec<f64>;

impl Slic {
    /// The nearest centre of each pixel.
    fn cluster(&self, colours: &Array3<f64>, step: f64) -> Vec<usize> {
        let (channels, rows, columns) = colours.dim();
        let along = |length: usize| -> Vec<f64> {
            let n = ((length as f64 / step).round() as usize).clamp(1, length);
            (0..n).map(|i| (i as f64 + 0.5) * length as f64 / n as f64 - 0.5).collect()
        };
        let mut centres: Vec<Centre> = Vec::new();
        for &y in &along(rows) {
            for &x in &along(columns) {
                let pixel = |c| colours[[c, y.round() as usize, x.round() as usize]];
                centres.push([y, x].into_iter().chain((0..channels).map(pixel)).collect());
            }
        }
        let place_weight = (self.compactness / step).powi(2);
        let mut labels = vec![0; rows * columns];
        for _ in 0..self.n_iterations.max(1) {
            let mut nearest = vec![f64::INFINITY; rows * columns];
            for (k, centre) in centres.iter().enumerate() {
                // The window must hold the pixels between this centre and the next, however the grid was rounded.
                let window = |at: f64, length: usize| {
                    let from = (at - 2.0 * step).floor().max(0.0) as usize;
                    from..((at + 2.0 * step).ceil() as usize + 1).min(length)
                };
                for y in window(centre[0], rows) {
                    for x in window(centre[1], columns) {
                        let place = (y as f64 - centre[0]).powi(2) + (x as f64 - centre[1]).powi(2);
                        let colour: f64 = (0..channels).map(|c| (colours[[c, y, x]] - centre[2 + c]).powi(2)).sum();
                        let distance = colour + place_weight * place;
                        if distance < nearest[y * columns + x] {
                            nearest[y * columns + x] = distance;
                            labels[y * columns + x] = k;
                        }
                    }
                }
            }
            let mut sums = vec![vec![0.0; 2 + channels]; centres.len()];
            let mut counts = vec![0usize; centres.len()];
            for (i, &k) in labels.iter().enumerate() {
                let (y, x) = (i / columns, i % columns);
                counts[k] += 1;
                sums[k][0] += y as f64;
                sums[k][1] += x as f64;
                (0..channels).for_each(|c| sums[k][2 + c] += colours[[c, y, x]]);
            }
            for ((centre, sum), &count) in centres.iter_mut().zip(&sums).zip(&counts) {
                if count > 0 {
                    centre.iter_mut().zip(sum).for_each(|(c, s)| *c = s / count as f64);
                }
            }
        }
        labels
    }
}

/// Regions in one piece each: a piece smaller than `least` pixels joins the neighbour with the longest common border.
pub(super) fn joined(labels: &[usize], rows: usize, columns: usize, least: usize) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let around = |i: usize| {
        let (y, x) = (i / columns, i % columns);
        let up = (y > 0).then(|| i - columns);
        let left = (x > 0).then(|| i - 1);
        let right = (x + 1 < columns).then(|| i + 1);
        let down = (y + 1 < rows).then(|| i + columns);
        [up, left, right, down].into_iter().flatten()
    };
    let mut pieces = vec![NONE; labels.len()];
    let mut n_pieces = 0;
    let mut members: Vec<Vec<usize>> = Vec::new();
    for start in 0..labels.len() {
        if pieces[start] != NONE {
            continue;
        }
        let mut piece = vec![start];
        pieces[start] = n_pieces;
        let mut next = 0;
        while next < piece.len() {
            for neighbour in around(piece[next]) {
                if pieces[neighbour] == NONE && labels[neighbour] == labels[start] {
                    pieces[neighbour] = n_pieces;
                    piece.push(neighbour);
                }
            }
            next += 1;
        }
        members.push(piece);
        n_pieces += 1;
    }
    // Small pieces first, so that what grows by joining is not joined again.
    let mut order: Vec<usize> = (0..n_pieces).collect();
    order.sort_by_key(|&p| (members[p].len(), p));
    for piece in order {
        if members[piece].is_empty() || members[piece].len() >= least {
            continue;
        }
        let mut borders = std::collections::BTreeMap::new();
        for &i in &members[piece] {
            for neighbour in around(i).filter(|&j| pieces[j] != piece) {
                *borders.entry(pieces[neighbour]).or_insert(0usize) += 1;
            }
        }
        let Some(into) = borders.iter().max_by_key(|&(&p, &n)| (n, std::cmp::Reverse(p))).map(|(&p, _)| p) else {
            continue;
        };
        let moved = std::mem::take(&mut members[piece]);
        moved.iter().for_each(|&i| pieces[i] = into);
        members[into].extend(moved);
    }
    pieces
}
