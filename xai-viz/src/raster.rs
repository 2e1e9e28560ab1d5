//! Pictures made of cells: photographs, and maps of numbers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::{Array2, ArrayView2, ArrayView3};
use xai_core::error::same_shape;
use xai_core::{Error, Result};

use crate::{Ink, Theme};

/// A grid of cells, row by row from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    columns: usize,
    rows: usize,
    cells: Cells,
}

#[derive(Debug, Clone, PartialEq)]
enum Cells {
    /// Red, green, blue of each cell.
    Photo(Vec<u8>),
    /// From −1, as strong as [`Ink::Down`] goes, through 0, see-through, to 1, as strong as [`Ink::Up`] goes.
    Signed(Vec<f32>),
    /// From 0 to 1, as [`Ink::Surface`].
    Surface(Vec<f32>),
}

/// The most cells that a picture holds.
const MOST_CELLS: usize = 1 << 25;

impl Raster {
    /// A photograph: (channel, row, column) with one channel (grey) or three (red, green, blue).
    ///
    /// Cells from 0 to 1 are shown as they are; an image with others, normalised for a network for instance, from its
    /// least to its greatest cell.
    ///
    /// # Errors
    /// [`Error::Shape`] for other channels, [`Error::TooLarge`] beyond 32 million cells, [`Error::NonFinite`].
    pub fn photo(image: ArrayView3<f32>) -> Result<Self> {
        let (channels, rows, columns) = image.dim();
        if channels != 1 && channels != 3 {
            same_shape("channels of the image, 1 or 3", &[3], &[channels])?;
        }
        fits(rows, columns)?;
        if let Some(((_, row, column), &value)) = image.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(Error::NonFinite { what: "image".into(), sample: row, column, value: value.into() });
        }
        let (low, high) = image.iter().fold((0.0f32, 1.0f32), |(l, h), &v| (l.min(v), h.max(v)));
        let (low, high) = if low < 0.0 || high > 1.0 {
            image.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)))
        } else {
            (0.0, 1.0)
        };
        let byte = |v: f32| if high > low { ((v - low) / (high - low) * 255.0).round() as u8 } else { 128 };
        let mut cells = Vec::with_capacity(3 * rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                cells.extend((0..3).map(|c| byte(image[[c.min(channels - 1), row, column]])));
            }
        }
        Ok(Raster { columns, rows, cells: Cells::Photo(cells) })
    }

    /// A map of signed numbers, (row, column), of which `limit` and its negative are as strong as colour goes.
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond 32 million cells, [`Error::NonFinite`].
    pub fn signed(values: ArrayView2<f64>, limit: f64) -> Result<Self> {
        let part = |v: f64| if limit > 0.0 { (v / limit).clamp(-1.0, 1.0) as f32 } else { 0.0 };
        Self::of(values, part, Cells::Signed)
    }

    /// A map of quantities, (row, column), from `low` to `high`.
    ///
    /// # Errors
    /// As [`Raster::signed`].
    pub fn surface(values: ArrayView2<f64>, low: f64, high: f64) -> Result<Self> {
        let part = |v: f64| if high > low { ((v - low) / (high - low)).clamp(0.0, 1.0) as f32 } else { 0.0 };
        Self::of(values, part, Cells::Surface)
    }

    fn of(values: ArrayView2<f64>, part: impl Fn(f64) -> f32, make: fn(Vec<f32>) -> Cells) -> Result<Self> {
        fits(values.nrows(), values.ncols())?;
        xai_core::error::all_finite("map", &values)?;
        let cells = make(values.iter().map(|&v| part(v)).collect());
        Ok(Raster { columns: values.ncols(), rows: values.nrows(), cells })
    }

    /// The photograph without colour and paler, so that a map lies over it legibly; maps stay as they are.
    #[must_use]
    pub fn faded(mut self) -> Self {
        if let Cells::Photo(cells) = &mut self.cells {
            for cell in cells.chunks_exact_mut(3) {
                let luma = 0.299 * f32::from(cell[0]) + 0.587 * f32::from(cell[1]) + 0.114 * f32::from(cell[2]);
                cell.fill((255.0 - (255.0 - luma) * 0.55).round() as u8);
            }
        }
        self
    }

    /// The photograph multiplied cell by cell with `part`, from 0 (white) to 1 (as it is): (row, column).
    ///
    /// # Errors
    /// [`Error::Shape`] when `part` is of another size.
    pub fn masked(mut self, part: &Array2<f64>) -> Result<Self> {
        same_shape("mask (row, column)", &[self.rows, self.columns], part.shape())?;
        if let Cells::Photo(cells) = &mut self.cells {
            for (cell, &part) in cells.chunks_exact_mut(3).zip(part) {
                cell.iter_mut().for_each(|c| *c = (255.0 - (255.0 - f64::from(*c)) * part.clamp(0.0, 1.0)) as u8);
            }
        }
        Ok(self)
    }

    /// The number of columns and of rows.
    pub fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// The cells as red, green, blue, opacity.
    pub fn rgba(&self, theme: &Theme) -> Vec<u8> {
        let with = |[r, g, b]: [u8; 3], opacity: f32| [r, g, b, (opacity * 255.0).round() as u8];
        match &self.cells {
            Cells::Photo(cells) => cells.chunks_exact(3).flat_map(|c| [c[0], c[1], c[2], 255]).collect(),
            Cells::Signed(cells) => {
                let (up, down) = (theme.rgb(Ink::Up), theme.rgb(Ink::Down));
                cells.iter().flat_map(|&v| with(if v < 0.0 { down } else { up }, v.abs())).collect()
            }
            Cells::Surface(cells) => cells.iter().flat_map(|&v| with(theme.rgb(Ink::Surface(v.into())), 1.0)).collect(),
        }
    }

    /// The cells as a PNG file in a `data:` address.
    pub(crate) fn data_url(&self, theme: &Theme) -> String {
        let mut file = Vec::new();
        // Writing to memory cannot fail, nor can cells that are as many as the header says.
        let written = (|| {
            let mut encoder = png::Encoder::new(&mut file, self.columns as u32, self.rows as u32);
            encoder.set_color(png::ColorType::Rgba);
            encoder.set_depth(png::BitDepth::Eight);
            encoder.write_header()?.write_image_data(&self.rgba(theme))
        })();
        match written {
            Ok(()) => format!("data:image/png;base64,{}", STANDARD.encode(&file)),
            Err(_) => String::new(),
        }
    }
}

fn fits(rows: usize, columns: usize) -> Result<()> {
    if rows == 0 || columns == 0 {
        return Err(Error::parameter("picture", format!("{columns} × {rows} cells"), "at least one cell"));
    }
    match rows.checked_mul(columns) {
        Some(cells) if cells <= MOST_CELLS => Ok(()),
        _ => Err(Error::TooLarge {
            what: "cells of a picture".into(),
            limit: MOST_CELLS as u64,
            found: (rows as u64).saturating_mul(columns as u64),
        }),
    }
}
