//! Samples for networks, from files.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, Array4, ArrayRef4, Axis, Slice};
use xai::core::{Error, Feature, Model, Table};
use xai::models::image::{self, Fit};
use xai::models::network::{LoadedNetwork, Network, Preparation};

use crate::args::{Fitting, Source};
use crate::case;
use crate::failure::Failure;

/// More files than anybody looks at.
const MOST_FILES: usize = 10_000;

/// The rows of a table, its columns matched to the network's inputs by name where they have names, otherwise by place.
pub fn table(path: &Path, source: &Source, network: &Network<Table>) -> Result<Array2<f64>, Failure> {
    rows(path, source, network.features(), network.input_shape()[0])
}

/// The same for `width` inputs, with names or without.
pub fn rows(path: &Path, source: &Source, named: &[Feature], width: usize) -> Result<Array2<f64>, Failure> {
    let frame = case::read(path)?;
    let rows = if path == source.data { source.rows } else { None };
    let range = rows.map_or(Ok(0..frame.n_rows()), |rows| rows.of(frame.n_rows())).map_err(Failure::Use)?;
    let features = if named.is_empty() { Feature::unnamed(width) } else { named.to_vec() };
    let alignment = case::alignment(source.unknown_category);
    let aligned = alignment.align(&frame.rows(range)?, &features).map_err(|error| error.in_file(path))?;
    for note in case::notes(&aligned, path) {
        eprintln!("xai: {note}");
    }
    let matrix = aligned.matrix;
    if let Some(((row, column), &value)) = matrix.indexed_iter().find(|(_, v)| !v.is_finite()) {
        let what = format!("table {}", path.display());
        return Err(Error::NonFinite { what, sample: row, column, value }.into());
    }
    Ok(matrix)
}

/// A series, a table with a row for each step and a column for each channel; or all series of a folder in the order of
/// their names.
pub fn series(path: &Path, shape: &[usize]) -> Result<Array3<f32>, Failure> {
    let (channels, steps) = (shape[0], shape[1]);
    let paths = ending_in(path, &["csv", "parquet"])?;
    let mut batch = Array3::zeros((paths.len(), channels, steps));
    let alignment = case::alignment(crate::args::Unknown::Error);
    for (path, mut sample) in paths.iter().zip(batch.outer_iter_mut()) {
        let frame = case::read(path)?;
        let aligned = alignment.align(&frame, &Feature::unnamed(channels)).map_err(|error| error.in_file(path))?;
        let found = aligned.matrix;
        xai::core::error::same_shape("rows of the table, one for each step", &[steps], &[found.nrows()])
            .map_err(|error| error.in_file(path))?;
        sample.assign(&found.t().mapv(|v| v as f32));
    }
    Ok(batch)
}

/// An image, or all images of a folder in the order of their names.
pub fn images(path: &Path, loaded: &LoadedNetwork<ArrayRef4<f32>>, fit: Fitting) -> Result<Array4<f32>, Failure> {
    pictures(path, loaded.network.input_shape(), &loaded.preparation, fit)
}

/// The same for images of `shape` (channel, row, column).
pub fn pictures(path: &Path, shape: &[usize], preparation: &Preparation, fit: Fitting) -> Result<Array4<f32>, Failure> {
    Ok(image::read(&paths(path)?, [shape[0], shape[1], shape[2]], fitting(fit), preparation)?)
}

/// How an image is brought to the size of a network.
pub fn fitting(fit: Fitting) -> Fit {
    match fit {
        Fitting::Centre => Fit::Centre,
        Fitting::Stretch => Fit::Stretch,
        Fitting::Exact => Fit::Exact,
    }
}

/// An image, or all images of a folder in the order of their names.
///
/// # Errors
/// For a folder without images, or with too many.
pub fn paths(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    ending_in(path, &["png", "jpg", "jpeg", "bmp"])
}

/// The file, or the files of a folder whose names end so.
fn ending_in(path: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let fits = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
        end.is_some_and(|end| endings.contains(&end.as_str()))
    };
    let entries = std::fs::read_dir(path).map_err(io)?;
    let mut paths = Vec::new();
    for entry in entries {
        let found = entry.map_err(io)?.path();
        if fits(&found) {
            paths.push(found);
        }
    }
    paths.sort();
    match paths.len() {
        0 => Err(Failure::Use(format!("{}: no {} in this folder", path.display(), endings.join(", ")))),
        n if n > MOST_FILES => {
            Err(Error::TooLarge { what: "files of samples".into(), limit: MOST_FILES as u64, found: n as u64 }.into())
        }
        _ => Ok(paths),
    }
}

/// The pixels, from 0 to 1, that the cells of a batch were.
pub fn pixels(batch: &Array4<f32>, preparation: &Preparation) -> Array4<f32> {
    let mut pixels = batch.clone();
    for (channel, mut cells) in pixels.axis_iter_mut(Axis(1)).enumerate() {
        cells.mapv_inplace(|cell| preparation.pixel(channel, cell).clamp(0.0, 1.0));
    }
    // Grey and colour are shown; of other channels the first.
    match pixels.len_of(Axis(1)) {
        1 | 3 => pixels,
        _ => pixels.slice_axis(Axis(1), Slice::from(0..1)).to_owned(),
    }
}
