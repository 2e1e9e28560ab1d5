//! Layer norms seen from outside: their scale, what they do without it, and their slopes along a line.

use ndarray::{Array2, ArrayD, Axis};
use xai_core::{Error, Operator, Result};

use super::trace::Signals;

/// Below this share of the variance the line hardly moves, and its middle stands for all of it.
const STILL: f64 = 1e-12;
/// Cells of this size are nothing beside any ε that is used.
const SMALL: f32 = 1e-12;

/// A layer norm (x − mean)/√(variance + ε)·scale + shift, its scale set apart.
#[derive(Debug)]
pub(crate) struct Norm {
    /// The layer with scale 1 and shift 0.
    pub plain: Box<dyn Operator>,
    /// (cell of a row).
    pub scale: Vec<f32>,
}

impl Norm {
    pub fn of(operator: &dyn Operator) -> Result<Self> {
        let mut scale = Vec::new();
        let plain = operator.with_parameters(&mut |name, mut values| {
            if name == "scale" {
                scale = values.iter().copied().collect();
            }
            values.fill(if name == "scale" { 1.0 } else { 0.0 });
            values
        })?;
        Ok(Norm { plain, scale })
    }

    /// The rows that are normalised, each by itself.
    pub fn rows(&self, array: &ArrayD<f32>) -> Result<Array2<f32>> {
        let width = self.scale.len().max(1);
        Ok(array.to_shape((array.len() / width, width)).map_err(Error::model)?.into_owned())
    }

    /// The multipliers of the layer's input, from those of its output: by the mean of the layer's slopes on the straight
    /// line from one input to the other, in closed form. They are complete: Σ multiplier·difference is the output's.
    pub fn mean_slopes(&self, from: &ArrayD<f32>, to: &ArrayD<f32>, signals: &Signals) -> Result<Signals> {
        let epsilon = self.epsilon(to)?;
        let lines: Vec<Line> = {
            let (from, to) = (self.rows(from)?, self.rows(to)?);
            let pairs = from.axis_iter(Axis(0)).zip(to.axis_iter(Axis(0)));
            pairs.map(|(from, to)| Line::new(&from.to_vec(), &to.to_vec(), epsilon)).collect()
        };
        let mut given = Signals::new();
        for signal in signals {
            let mut rows = self.rows(signal)?;
            for (mut row, line) in rows.outer_iter_mut().zip(&lines) {
                let weighted: Vec<f64> =
                    row.iter().zip(&self.scale).map(|(&m, &s)| f64::from(m) * f64::from(s)).collect();
                let slopes = line.back(&weighted);
                row.iter_mut().zip(slopes).for_each(|(slot, slope)| *slot = slope as f32);
            }
            given.push(rows.into_shape_with_order(signal.raw_dim()).map_err(Error::model)?);
        }
        Ok(given)
    }

    /// ε, from what the layer makes of two cells that are nothing beside it.
    fn epsilon(&self, like: &ArrayD<f32>) -> Result<f64> {
        let width = self.scale.len();
        if like.is_empty() || width < 2 {
            return Ok(1.0);
        }
        let mut small = ArrayD::zeros(like.select(Axis(0), &[0]).raw_dim());
        small.iter_mut().zip([SMALL, -SMALL]).for_each(|(cell, value)| *cell = value);
        let out = self.plain.forward(&[&small])?;
        let first = out.iter().next().map_or(0.0, |&value| f64::from(value));
        let small = f64::from(SMALL);
        Ok((small / first).powi(2) - 2.0 * small * small / width as f64)
    }
}

/// A straight line of rows u(t) = start + t·run, both without their means, with variance a·t² + 2·b·t + c.
struct Line {
    start: Vec<f64>,
    run: Vec<f64>,
    /// ∫ variance^(−1/2).
    plain: f64,
    /// ∫ tᵏ·variance^(−3/2) for k = 0, 1, 2.
    moments: [f64; 3],
}

impl Line {
    fn new(from: &[f32], to: &[f32], epsilon: f64) -> Self {
        let start = centred(from.iter().map(|&x| f64::from(x)).collect());
        let run = centred(from.iter().zip(to).map(|(&from, &to)| f64::from(to) - f64::from(from)).collect());
        let mean = |x: &[f64], y: &[f64]| dot(x, y) / x.len().max(1) as f64;
        let (a, b, c) = (mean(&run, &run), mean(&start, &run), mean(&start, &start) + epsilon);
        let (plain, moments) = if a <= STILL * c {
            let middle = (0.25 * a + b + c).max(f64::MIN_POSITIVE);
            let cubed = middle.powf(-1.5);
            (middle.powf(-0.5), [cubed, cubed / 2.0, cubed / 3.0])
        } else {
            let (first, last, d) = (c.sqrt(), (a + 2.0 * b + c).sqrt(), a * c - b * b);
            let plain = (((a + b) / d.sqrt()).asinh() - (b / d.sqrt()).asinh()) / a.sqrt();
            let zeroth = ((a + b) / last - b / first) / d;
            let second = (c / first - (b + c) / last) / d;
            (plain, [zeroth, second, (plain - 2.0 * b * second - c * zeroth) / a])
        };
        Line { start, run, plain, moments }
    }

    /// ∫ of the transposed Jacobian of u/√variance, times `weights`.
    fn back(&self, weights: &[f64]) -> Vec<f64> {
        let n = weights.len().max(1) as f64;
        let (at, along) = (dot(&self.start, weights) / n, dot(&self.run, weights) / n);
        let [m0, m1, m2] = self.moments;
        let (by_start, by_run) = (at * m0 + along * m1, at * m1 + along * m2);
        let slopes = weights.iter().zip(&self.start).zip(&self.run);
        centred(slopes.map(|((&w, &u), &d)| w * self.plain - u * by_start - d * by_run).collect())
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn centred(mut x: Vec<f64>) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len().max(1) as f64;
    x.iter_mut().for_each(|x| *x -= mean);
    x
}
