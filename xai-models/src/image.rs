//! Images from PNG, JPEG and BMP files, as batches of networks.
//!
//! A file becomes pixels from 0 to 1 ([`decode`]), these are brought to the size that a network takes ([`fitted`]), and
//! mean and standard deviation turn them into its cells ([`prepared`]). [`read`] does all three.

use std::io::Cursor;
use std::path::Path;

use ::image::{DynamicImage, ImageBuffer, ImageReader, Limits, Rgb, Rgb32FImage, imageops};
use ndarray::{Array3, Array4, Axis, Slice};
use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

use crate::network::Preparation;

/// How an image is brought to another size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Scaled until it covers the size, then cut to its centre: nothing is distorted.
    #[default]
    Centre,
    /// Scaled on each axis by itself, which may distort it.
    Stretch,
    /// Not at all: another size is an error.
    Exact,
}

/// The longest side of an image that is read.
const LONGEST_SIDE: u32 = 1 << 14;

/// The bytes that decoding may take.
const MOST_BYTES: u64 = 1 << 30;

/// Reads images as the batch of a network.
///
/// # Shapes
/// `shape` (channel, row, column) is that of the network's input; the result is (sample, channel, row, column).
///
/// # Errors
/// [`Error::InFile`] around those of [`decode`] and [`fitted`]; [`Error::Io`].
pub fn read<P: AsRef<Path>>(
    paths: &[P],
    shape: [usize; 3],
    fit: Fit,
    preparation: &Preparation,
) -> Result<Array4<f32>> {
    let [channels, rows, columns] = shape;
    let mut batch = Array4::zeros((paths.len(), channels, rows, columns));
    for (path, mut sample) in paths.iter().zip(batch.axis_iter_mut(Axis(0))) {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let pixels = decode(&bytes, channels).and_then(|pixels| fitted(&pixels, rows, columns, fit));
        sample.assign(&prepared(&pixels.map_err(|error| error.in_file(path))?, preparation));
    }
    Ok(batch)
}

/// The pixels of a PNG, JPEG or BMP file, from 0 to 1, in 3 channels (red, green, blue) or in 1 (their luma after ITU-R
/// BT.601, as Pillow has it).
///
/// # Errors
/// [`Error::Malformed`] for a file that cannot be decoded; [`Error::Unsupported`] for another format, for pixels that can
/// be seen through, and for other numbers of channels; [`Error::TooLarge`].
pub fn decode(bytes: &[u8], channels: usize) -> Result<Array3<f32>> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| malformed(&error))?;
    if reader.format().is_none() {
        return Err(Error::unsupported("an image of this format", "PNG, JPEG and BMP are read"));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let image = reader.decode().map_err(|error| match error {
        ::image::ImageError::Unsupported(error) => Error::unsupported("this image", error.to_string()),
        ::image::ImageError::Limits(_) => Error::TooLarge {
            what: "side of the image, or its bytes".to_owned(),
            limit: u64::from(LONGEST_SIDE),
            found: u64::from(LONGEST_SIDE) + 1,
        },
        other => malformed(&other),
    })?;
    if image.color().has_alpha() && !is_opaque(&image) {
        return Err(Error::unsupported("an image with pixels that can be seen through", "save it on a background"));
    }
    let pixels = image.into_rgb32f();
    let (columns, rows) = (pixels.width() as usize, pixels.height() as usize);
    let rgb = |channel: usize, row: usize, column: usize| pixels.get_pixel(column as u32, row as u32).0[channel];
    match channels {
        3 => Ok(Array3::from_shape_fn((3, rows, columns), |(c, i, j)| rgb(c, i, j))),
        1 => Ok(Array3::from_shape_fn((1, rows, columns), |(_, i, j)| {
            0.299 * rgb(0, i, j) + 0.587 * rgb(1, i, j) + 0.114 * rgb(2, i, j)
        })),
        other => Err(Error::unsupported(format!("an image as {other} channels"), "1 (grey) or 3 (red, green, blue)")),
    }
}

/// Pixels (channel, row, column) at another size. Scaling averages over what falls into a new pixel (a triangle filter).
///
/// # Errors
/// [`Error::Shape`] for another size where [`Fit::Exact`] is asked for; [`Error::Unsupported`] for an empty image or size.
pub fn fitted(pixels: &Array3<f32>, rows: usize, columns: usize, fit: Fit) -> Result<Array3<f32>> {
    let (channels, old_rows, old_columns) = pixels.dim();
    if (old_rows, old_columns) == (rows, columns) {
        return Ok(pixels.clone());
    }
    if fit == Fit::Exact {
        return xai_core::error::same_shape("the image", &[channels, rows, columns], pixels.shape())
            .map(|()| pixels.clone());
    }
    let sides = [rows, columns, old_rows, old_columns];
    if sides.contains(&0) || sides.iter().any(|&side| side > LONGEST_SIDE as usize) {
        return Err(Error::unsupported(
            format!("an image of {old_rows} × {old_columns}, as {rows} × {columns}"),
            "the sides",
        ));
    }
    let (wide_rows, wide_columns) = match fit {
        Fit::Centre => {
            // The smallest size of the same shape that covers the new one.
            let scale = (rows as f64 / old_rows as f64).max(columns as f64 / old_columns as f64);
            let side = |old: usize, new: usize| ((old as f64 * scale).round() as usize).max(new);
            (side(old_rows, rows), side(old_columns, columns))
        }
        _ => (rows, columns),
    };
    // A thin image would become a huge one before it is cut.
    if wide_rows.max(wide_columns) > LONGEST_SIDE as usize {
        let what = "side of the image once it covers the size".to_owned();
        return Err(Error::TooLarge {
            what,
            limit: u64::from(LONGEST_SIDE),
            found: wide_rows.max(wide_columns) as u64,
        });
    }
    let scaled = scaled(pixels, wide_rows, wide_columns);
    let (top, left) = ((wide_rows - rows) / 2, (wide_columns - columns) / 2);
    let cut = scaled.slice_axis(Axis(1), Slice::from(top..top + rows)).to_owned();
    Ok(cut.slice_axis(Axis(2), Slice::from(left..left + columns)).to_owned())
}

/// Pixels (channel, row, column) as the cells of a network.
pub fn prepared(pixels: &Array3<f32>, preparation: &Preparation) -> Array3<f32> {
    Array3::from_shape_fn(pixels.dim(), |(c, i, j)| preparation.cell(c, pixels[[c, i, j]]))
}

fn scaled(pixels: &Array3<f32>, rows: usize, columns: usize) -> Array3<f32> {
    let (channels, old_rows, old_columns) = pixels.dim();
    let image: Rgb32FImage = ImageBuffer::from_fn(old_columns as u32, old_rows as u32, |j, i| {
        Rgb([0, 1, 2].map(|c: usize| pixels[[c.min(channels - 1), i as usize, j as usize]]))
    });
    let image = imageops::resize(&image, columns as u32, rows as u32, imageops::FilterType::Triangle);
    Array3::from_shape_fn((channels, rows, columns), |(c, i, j)| image.get_pixel(j as u32, i as u32).0[c])
}

fn is_opaque(image: &DynamicImage) -> bool {
    image.to_rgba16().pixels().all(|pixel| pixel.0[3] == u16::MAX)
}

fn malformed(error: &dyn std::fmt::Display) -> Error {
    Error::Malformed { format: "image", at: "the content".to_owned(), problem: error.to_string() }
}
