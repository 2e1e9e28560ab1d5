//! In a mosaic of four pictures, does the explanation lie on those that show the output?

use ndarray::{Array2, ArrayView3, Axis, concatenate};
use xai_core::error::same_shape;
use xai_core::{Attribution, Error, Model, Result, Run};

use super::{Signs, inside};
use crate::lanes::beside_masks;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The part of the positive shares that lies on the quadrants of a [`mosaic`] that show the output explained.
///
/// Higher is better; with two of four quadrants chance gives ½, as a constant explanation does.
///
/// *Pitfalls.* A mosaic is not what the model was trained on. NaN where the explanation has nothing positive.
///
/// # Cost
/// No evaluation.
///
/// # Laws
/// `focus_of_a_mosaic`; goldens beside Quantus.
///
/// # Source
/// Arias-Duart, Parés, Garcia-Gasulla, Giménez-Ábalos 2022, "Focus! Rating XAI methods and finding biases", section 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Focus;

const NAME: (&str, Direction) = ("focus", Direction::Higher);

impl<M: Model + ?Sized> Metric<M> for Focus {
    fn name(&self) -> &str {
        NAME.0
    }
    fn direction(&self) -> Direction {
        NAME.1
    }
    fn needs(&self) -> &[Need] {
        &[Need::Masks]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        beside_masks(NAME, case, attribution, run, |lane, evidence| inside(lane, evidence, Signs::Positive))
    }
}

/// Four pictures (channel, row, column) of one shape as one of twice the height and width: the first above left, then
/// above right, below left, below right.
///
/// # Errors
/// [`Error::Shape`] for pictures of different shapes.
pub fn mosaic<A: Clone>(pictures: [ArrayView3<A>; 4]) -> Result<ndarray::Array3<A>> {
    for picture in &pictures[1..] {
        same_shape("picture of the mosaic (channel, row, column)", pictures[0].shape(), picture.shape())?;
    }
    let [first, second, third, fourth] = pictures;
    let join = |axis, parts: &[ArrayView3<A>]| {
        concatenate(axis, parts).map_err(|error| Error::unsupported("this mosaic", error.to_string()))
    };
    let above = join(Axis(2), &[first, second])?;
    let below = join(Axis(2), &[third, fourth])?;
    join(Axis(1), &[above.view(), below.view()])
}

/// The evidence (sample, feature) of mosaics with cells of `shape` (channel, row, column), true on the quadrants that
/// `shown` marks: above left, above right, below left, below right.
///
/// # Errors
/// [`Error::Parameter`] for an odd number of rows or columns.
pub fn quadrants(shape: [usize; 3], shown: &[[bool; 4]]) -> Result<Array2<bool>> {
    let [channels, rows, columns] = shape;
    if rows % 2 == 1 || columns % 2 == 1 {
        return Err(Error::parameter("shape", format!("{shape:?}"), "an even number of rows and of columns"));
    }
    Ok(Array2::from_shape_fn((shown.len(), channels * rows * columns), |(sample, cell)| {
        let (row, column) = (cell / columns % rows, cell % columns);
        shown[sample][2 * usize::from(row >= rows / 2) + usize::from(column >= columns / 2)]
    }))
}
