//! The shapes of layers, checked once when a network is made.

use xai_core::{Error, Result};

use super::op::{Convolution, Op, Window};

/// The most cells that one sample may fill in all layers together: 512 MiB of `f32`.
pub(super) const MOST_CELLS: u64 = 1 << 27;

/// The most products that one layer may add up for one sample: some seconds of work.
const MOST_PRODUCTS: u64 = 1 << 36;

/// The product of `shape`.
///
/// # Errors
/// [`Error::TooLarge`] beyond [`MOST_CELLS`].
pub(super) fn cells(what: &str, shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64));
    match product {
        Some(product) if product <= MOST_CELLS => Ok(product as usize),
        _ => Err(Error::TooLarge {
            what: format!("cells of a sample in {what}, {shape:?}"),
            limit: MOST_CELLS,
            found: product.unwrap_or(u64::MAX),
        }),
    }
}

/// Refuses a layer of more work than can be served.
fn bounded(products: impl IntoIterator<Item = usize>) -> Result<()> {
    let found = products.into_iter().fold(1_u64, |product, n| product.saturating_mul(n as u64));
    if found <= MOST_PRODUCTS {
        return Ok(());
    }
    Err(Error::TooLarge { what: "products of a layer for one sample".into(), limit: MOST_PRODUCTS, found })
}

impl Op {
    /// The axes of one sample's output, from those of its inputs.
    ///
    /// # Errors
    /// [`Error::Parameter`] and [`Error::Shape`] for what does not fit together, [`Error::TooLarge`] for an output of too
    /// many cells. The message does not name the layer.
    ///
    /// # Example
    /// ```
    /// use xai_models::network::{Op, Window};
    /// assert_eq!(Op::MaxPool(Window::new(vec![2, 2])).output_shape(&[&[16, 28, 28]])?, [16, 14, 14]);
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    pub fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let shape = match (self, inputs) {
            (Op::Constant(value), []) => value.shape().to_vec(),
            (Op::Add | Op::Multiply, [_, ..]) => inputs[1..].iter().try_fold(inputs[0].to_vec(), |a, b| fit(&a, b))?,
            (Op::Concatenate { axis }, [first, ..]) => {
                within(*axis, first)?;
                let mut shape = first.to_vec();
                for other in &inputs[1..] {
                    let mut expected = first.to_vec();
                    if let Some(&found) = other.get(*axis) {
                        expected[*axis] = found;
                        shape[*axis] = shape[*axis].saturating_add(found);
                    }
                    same("an input to concatenate", &expected, other)?;
                }
                shape
            }
            (Op::Constant(_) | Op::Add | Op::Multiply | Op::Concatenate { .. }, _) => {
                return Err(Error::parameter("inputs", inputs.len(), "none for a constant, else at least one"));
            }
            (_, [input]) => self.of_one(input)?,
            _ => return Err(Error::parameter("inputs", inputs.len(), "one")),
        };
        cells("an output", &shape)?;
        Ok(shape)
    }

    fn of_one(&self, input: &[usize]) -> Result<Vec<usize>> {
        Ok(match self {
            Op::Linear { weight, bias } => {
                let Some((last, front)) = input.split_last() else {
                    return Err(Error::parameter("axes of the input", 0, "at least one"));
                };
                same("the last axis of the input", &[weight.ncols()], &[*last])?;
                if let Some(bias) = bias {
                    same("the bias", &[weight.nrows()], bias.shape())?;
                }
                [front, &[weight.nrows()]].concat()
            }
            Op::Convolution(convolution) => convolved(convolution, input)?,
            Op::BatchNorm { scale, shift } => {
                same("the shift", scale.shape(), shift.shape())?;
                same("the channels of the input", scale.shape(), &input[..input.len().min(1)])?;
                input.to_vec()
            }
            Op::LayerNorm { scale, shift, epsilon } => {
                same("the shift", scale.shape(), shift.shape())?;
                let from = input.len().saturating_sub(scale.ndim());
                same("the last axes of the input", scale.shape(), &input[from..])?;
                if scale.is_empty() || !(*epsilon >= 0.0 && epsilon.is_finite()) {
                    return Err(Error::parameter("epsilon", epsilon, "zero or more, and some cells to normalise"));
                }
                input.to_vec()
            }
            Op::MaxPool(window) | Op::AveragePool { window, .. } => pooled(window, input)?,
            Op::AdaptiveAveragePool(size) => {
                spatial(size.len(), input)?;
                if size.contains(&0) {
                    return Err(Error::parameter("size", format!("{size:?}"), "at least 1 on each axis"));
                }
                [&input[..1], size].concat()
            }
            Op::GlobalAveragePool => {
                spatial(input.len().saturating_sub(1), input)?;
                [&input[..1], &[1, 1][..input.len() - 1]].concat()
            }
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                within(*axis, input)?;
                input.to_vec()
            }
            Op::Slice(ranges) => {
                same("the axes that are sliced", &[input.len()], &[ranges.len()])?;
                let mut shape = Vec::new();
                for (&[start, end, step], &length) in ranges.iter().zip(input) {
                    if step == 0 || start >= end || end > length {
                        let value = format!("{start}..{end} by {step}");
                        return Err(Error::parameter("slice", value, format!("some of the {length} places")));
                    }
                    shape.push((end - start).div_ceil(step));
                }
                shape
            }
            Op::Pad(padding) => {
                same("the axes that are padded", &[input.len()], &[padding.len()])?;
                padding.iter().zip(input).map(|(p, &n)| n.saturating_add(p[0]).saturating_add(p[1])).collect()
            }
            Op::Permute(order) => {
                let mut sorted = order.clone();
                sorted.sort_unstable();
                if sorted != (0..input.len()).collect::<Vec<_>>() {
                    let expected = format!("each of the {} axes once", input.len());
                    return Err(Error::parameter("order of axes", format!("{order:?}"), expected));
                }
                order.iter().map(|&axis| input[axis]).collect()
            }
            Op::Flatten => vec![cells("the input", input)?],
            Op::Reshape(shape) => {
                let (found, expected) = (cells("the new shape", shape)?, cells("the input", input)?);
                same("the cells after a change of shape", &[expected], &[found])?;
                shape.clone()
            }
            _ => {
                self.curve_is_sound()?;
                input.to_vec()
            }
        })
    }

    fn curve_is_sound(&self) -> Result<()> {
        match *self {
            Op::LeakyRelu(slope) if !slope.is_finite() => Err(Error::parameter("slope", slope, "a finite number")),
            Op::Elu(alpha) if !alpha.is_finite() => Err(Error::parameter("alpha", alpha, "a finite number")),
            Op::Celu(alpha) if !(alpha > 0.0 && alpha.is_finite()) => {
                Err(Error::parameter("alpha", alpha, "a positive number"))
            }
            // A bound may be infinite: a clip on one side only.
            Op::Clip { low, high } if low.is_nan() || high.is_nan() || low > high => {
                Err(Error::parameter("bounds", format!("{low} to {high}"), "a lower and an upper bound"))
            }
            _ => Ok(()),
        }
    }
}

fn same(what: &str, expected: &[usize], found: &[usize]) -> Result<()> {
    xai_core::error::same_shape(what, expected, found)
}

fn within(axis: usize, shape: &[usize]) -> Result<()> {
    if axis < shape.len() {
        return Ok(());
    }
    Err(Error::parameter("axis", axis, format!("less than {}, the axes of a sample", shape.len())))
}

/// Whether `input` is a channel axis and `axes` axes of places, one or two.
fn spatial(axes: usize, input: &[usize]) -> Result<()> {
    if input.contains(&0) {
        return Err(Error::parameter("places of the input", format!("{input:?}"), "at least one on each axis"));
    }
    if !(1..=2).contains(&axes) || input.len() != axes + 1 {
        return Err(Error::Shape {
            what: format!("axes of the input: channels and then places, here of {input:?}; one or two axes of places"),
            expected: vec![axes + 1],
            found: vec![input.len()],
        });
    }
    Ok(())
}

/// The shape into which both fit by repeating axes of one place.
fn fit(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let lacking = long.len() - short.len();
    let mut shape = long.to_vec();
    for (i, &n) in short.iter().enumerate() {
        match (shape[lacking + i], n) {
            (m, n) if m == n || n == 1 => {}
            (1, n) => shape[lacking + i] = n,
            _ => return same("an input that is added or multiplied", a, b).map(|()| shape),
        }
    }
    Ok(shape)
}

fn convolved(convolution: &Convolution, input: &[usize]) -> Result<Vec<usize>> {
    let Convolution { weight, bias, stride, padding, dilation, groups } = convolution;
    let axes = weight.ndim().saturating_sub(2);
    spatial(axes, input)?;
    for (what, found) in [("stride", stride.len()), ("padding", padding.len()), ("dilation", dilation.len())] {
        same(what, &[axes], &[found])?;
    }
    let [outputs, of_group] = [weight.shape()[0], weight.shape()[1]];
    if *groups == 0 || outputs % groups != 0 || of_group.checked_mul(*groups) != Some(input[0]) {
        let expected =
            format!("so many that {} channels are {of_group} in each, and {outputs} divide evenly", input[0]);
        return Err(Error::parameter("groups", groups, expected));
    }
    if let Some(bias) = bias {
        same("the bias", &[outputs], bias.shape())?;
    }
    let mut shape = vec![outputs];
    for axis in 0..axes {
        let (size, padding) = (weight.shape()[axis + 2], padding[axis]);
        shape.push(places(size, stride[axis], padding, dilation[axis], false, input[axis + 1])?);
    }
    padded(input, padding)?;
    bounded(shape.iter().chain(&weight.shape()[1..]).copied())?;
    Ok(shape)
}

fn pooled(window: &Window, input: &[usize]) -> Result<Vec<usize>> {
    let Window { size, stride, padding, dilation, ceil_mode } = window;
    let axes = size.len();
    spatial(axes, input)?;
    for (what, found) in [("stride", stride.len()), ("padding", padding.len()), ("dilation", dilation.len())] {
        same(what, &[axes], &[found])?;
    }
    let mut shape = vec![input[0]];
    for axis in 0..axes {
        let (size, stride, padding, dilation) = (size[axis], stride[axis], padding[axis], dilation[axis]);
        let length = input[axis + 1];
        let n = places(size, stride, padding, dilation, *ceil_mode, length)?;
        // A window beyond the edge has no greatest value and no mean.
        bounded([n, size, 1 << 8])?;
        let empty =
            |i: usize| (0..size).all(|k| !(padding[0]..padding[0] + length).contains(&(i * stride + k * dilation)));
        if padding.iter().any(|&p| p > size) || (0..n).any(empty) {
            let value = format!("{padding:?}");
            return Err(Error::parameter("padding", value, "so little that every window has a place within the edges"));
        }
        shape.push(n);
    }
    padded(input, padding)?;
    bounded(shape.iter().chain(size).copied())?;
    Ok(shape)
}

/// Checks that an input with its padding is of a size that can be served.
fn padded(input: &[usize], padding: &[[usize; 2]]) -> Result<()> {
    let mut shape = input.to_vec();
    for (n, [before, after]) in shape[1..].iter_mut().zip(padding) {
        *n = n.saturating_add(*before).saturating_add(*after);
    }
    cells("the input with its padding", &shape).map(|_| ())
}

/// How many places a window of `size` takes on an axis of `length`.
fn places(
    size: usize,
    stride: usize,
    padding: [usize; 2],
    dilation: usize,
    ceil: bool,
    length: usize,
) -> Result<usize> {
    if size == 0 || stride == 0 || dilation == 0 {
        let value = format!("size {size}, stride {stride}, dilation {dilation}");
        return Err(Error::parameter("window", value, "at least 1"));
    }
    let reach = (size - 1).checked_mul(dilation).and_then(|reach| reach.checked_add(1));
    let whole = length.checked_add(padding[0]).and_then(|n| n.checked_add(padding[1]));
    let room = match (reach, whole) {
        // Stride and dilation may go beyond it where they do not matter: keep all products small.
        (Some(reach), Some(whole)) if whole as u64 <= MOST_CELLS && stride as u64 <= MOST_CELLS => {
            whole.checked_sub(reach).filter(|_| length > 0)
        }
        _ => None,
    };
    let Some(room) = room else {
        let value = format!("size {size}, dilation {dilation}, padding {padding:?}, stride {stride}");
        return Err(Error::parameter("window", value, format!("one that fits on an axis of {length} places")));
    };
    if !ceil {
        return Ok(room / stride + 1);
    }
    let n = room.div_ceil(stride) + 1;
    Ok(if (n - 1) * stride >= length + padding[0] { n - 1 } else { n })
}
