//! Layer norms: a fixed scale for each sample, as if its variance did not hang on it.

use ndarray::{ArrayD, Axis, Zip};
use xai_core::{Error, Result};

use super::shares::{STABILIZER, stable};
use crate::relevance::norm::Norm;
use crate::relevance::trace::Signals;

impl Norm {
    /// The ε rule for yⱼ = Σᵢ (δᵢⱼ − 1/N)·xᵢ·r·scaleⱼ + shiftⱼ, with the r = 1/√(variance + ε) of the sample.
    pub(super) fn shares(&self, input: &ArrayD<f32>, output: &ArrayD<f32>, relevance: &Signals) -> Result<Signals> {
        let unit = self.plain.forward(&[input])?;
        let (x, unit) = (self.rows(input)?, self.rows(&unit)?);
        let inverse: Vec<f32> =
            x.axis_iter(Axis(0)).zip(unit.axis_iter(Axis(0))).map(|(x, unit)| slope(&x, &unit)).collect();
        let mut given = Signals::new();
        for relevance in relevance {
            let ratio = Zip::from(relevance).and(output).map_collect(|&r, &y| r / stable(y, STABILIZER));
            let mut shares = self.rows(&ratio)?;
            for ((mut share, x), &inverse) in shares.outer_iter_mut().zip(x.outer_iter()).zip(&inverse) {
                share.iter_mut().zip(&self.scale).for_each(|(c, &scale)| *c *= scale);
                let mean = share.mean().unwrap_or(0.0);
                share.zip_mut_with(&x, |c, &x| *c = x * inverse * (*c - mean));
            }
            given.push(shares.into_shape_with_order(input.raw_dim()).map_err(Error::model)?);
        }
        Ok(given)
    }
}

/// r of a row: its normalised values over its centred ones.
fn slope(x: &ndarray::ArrayView1<f32>, unit: &ndarray::ArrayView1<f32>) -> f32 {
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len().max(1) as f64;
    let (mut both, mut own) = (0.0, 0.0);
    for (&x, &unit) in x.iter().zip(unit) {
        let centred = f64::from(x) - mean;
        both += centred * f64::from(unit);
        own += centred * centred;
    }
    if own > 0.0 { (both / own) as f32 } else { 0.0 }
}
