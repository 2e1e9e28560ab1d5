//! What a name in the graph stands for.

use super::constant::Constant;

/// A value of the graph.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A layer's output: axis 0 is the sample, the others are those of the layer.
    Layer(usize),
    /// Numbers that are the same for every sample.
    Constant(Constant),
    /// The shape of something, or numbers worked out of shapes.
    Shape(Vec<Length>),
    /// A part of the formula x·½·(1 + erf(x/√2)), of which x is a layer: it becomes a layer when the formula is whole.
    Part(usize, Part),
}

/// A length in a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Known(i64),
    /// The number of samples.
    Samples,
}

/// A part of the formula of the Gaussian error linear unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// factor·x, also a layer by itself.
    Scaled(f32),
    /// erf(x/√2).
    Erf,
    /// factor·(1 + erf(x/√2)), where factor is 1 or ½.
    OnePlusErf(f32),
    /// x·(1 + erf(x/√2)).
    Twice,
}

/// How far constants of the formula may be from the true ones, which exporters write with 6 to 8 digits.
const NEAR: f32 = 1e-5;

pub(super) fn near(found: f32, expected: f32) -> bool {
    (found - expected).abs() <= NEAR * expected.abs()
}

impl Part {
    /// The part times a number; `None` when that is no part.
    pub fn times(self, factor: f32) -> Option<Product> {
        match self {
            Part::Scaled(own) => Some(Product::Part(Part::Scaled(own * factor))),
            Part::OnePlusErf(own) if near(own * factor, 0.5) => Some(Product::Part(Part::OnePlusErf(0.5))),
            Part::Twice if near(factor, 0.5) => Some(Product::Gelu),
            _ => None,
        }
    }

    /// factor·x times this part.
    pub fn times_x(self, factor: f32) -> Option<Product> {
        match self {
            Part::OnePlusErf(own) if near(own * factor, 0.5) => Some(Product::Gelu),
            Part::OnePlusErf(own) if near(own * factor, 1.0) => Some(Product::Part(Part::Twice)),
            _ => None,
        }
    }
}

/// What a product of parts is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Product {
    Part(Part),
    /// The whole formula.
    Gelu,
}
