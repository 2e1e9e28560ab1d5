//! Colours as eyes tell them apart.

use ndarray::{Array3, Axis};

/// An image in CIELAB (L from 0 to 100) if it has three channels, otherwise its channels spread over 0 to 100.
///
/// Cells outside 0 to 1, as of images that were normalised for a network, are spread from the least to the greatest.
pub(super) fn lab(image: &Array3<f64>) -> Array3<f64> {
    let (low, high) = image.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let (low, high) = if low >= 0.0 && high <= 1.0 { (0.0, 1.0) } else { (low, high) };
    let unit = image.mapv(|v| if high > low { (v - low) / (high - low) } else { 0.0 });
    if unit.len_of(Axis(0)) != 3 {
        return unit * 100.0;
    }
    let mut lab = unit;
    for mut pixel in lab.lanes_mut(Axis(0)) {
        let [l, a, b] = of_srgb([pixel[0], pixel[1], pixel[2]]);
        (pixel[0], pixel[1], pixel[2]) = (l, a, b);
    }
    lab
}

/// sRGB to CIELAB under D65 (IEC 61966-2-1; CIE 15).
fn of_srgb(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    let xyz = [
        (0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047,
        0.212671 * r + 0.715160 * g + 0.072169 * b,
        (0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883,
    ];
    let [x, y, z] = xyz.map(|t| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Each channel under a Gaussian of `sigma` pixels, its edge repeated outwards.
pub(crate) fn blurred(image: &Array3<f64>, sigma: f64) -> Array3<f64> {
    if sigma <= 0.0 {
        return image.clone();
    }
    let reach = (4.0 * sigma + 0.5) as isize;
    let mut kernel: Vec<f64> = (-reach..=reach).map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = kernel.iter().sum();
    kernel.iter_mut().for_each(|k| *k /= sum);
    let mut image = image.clone();
    for axis in [1, 2] {
        for mut line in image.lanes_mut(Axis(axis)) {
            let old = line.to_vec();
            let at = |i: isize| old[i.clamp(0, old.len() as isize - 1) as usize];
            for (i, cell) in line.iter_mut().enumerate() {
                *cell = kernel.iter().enumerate().map(|(k, w)| w * at(i as isize + k as isize - reach)).sum();
            }
        }
    }
    image
}
