//! What is known of the samples: masks of the evidence, and the right attribution.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis};
use xai::core::error::same_shape;
use xai::core::{Attribution, Document, Error, Feature};
use xai::models::image;
use xai::models::network::Preparation;

use super::super::networks::samples;
use crate::args::{BenchArgs, Fitting, Source};
use crate::case;
use crate::failure::Failure;

/// Masks and truth, where they are given.
#[derive(Debug, Default)]
pub struct Known {
    /// Which features are evidence: (sample, feature).
    pub masks: Option<Array2<bool>>,
    /// The right attribution.
    pub truth: Option<Attribution>,
}

impl Known {
    /// What is known of the rows of a table.
    ///
    /// # Errors
    /// For files that do not fit `n_rows` rows of these features.
    pub fn of_rows(args: &BenchArgs, source: &Source, features: &[Feature], n_rows: usize) -> Result<Self, Failure> {
        let masks = args.masks.as_deref().map(|path| table(path, source, features, n_rows)).transpose()?;
        Ok(Known { masks, truth: truth(args, n_rows)? })
    }

    /// What is known of images, brought to `rows` by `columns` places.
    ///
    /// # Errors
    /// For files that do not fit these images.
    pub fn of_images(args: &BenchArgs, images: &[PathBuf], places: [usize; 2]) -> Result<Self, Failure> {
        let masks = args.masks.as_deref().map(|path| pictures(path, images, places, args.networks.fit)).transpose()?;
        Ok(Known { masks, truth: truth(args, images.len())? })
    }

    /// The truth of `n_samples` samples that have no masks.
    ///
    /// # Errors
    /// For masks, and for a truth that does not fit.
    pub fn of_others(args: &BenchArgs, n_samples: usize) -> Result<Self, Failure> {
        if args.masks.is_some() {
            return Err(Failure::Use("--masks: there is no form of masks for series".into()));
        }
        Ok(Known { masks: None, truth: truth(args, n_samples)? })
    }

    /// The same of some of the samples, and of some of the outputs where the truth speaks of all `n_outputs` of them.
    ///
    /// # Errors
    /// None in practice: what is known was checked against the samples.
    pub fn pick(self, places: &[usize], outputs: Option<(&[usize], usize)>) -> Result<Self, Failure> {
        let truth = self.truth.map(|truth| {
            let rows = |table: &Array2<f64>| table.select(Axis(0), places);
            let picked = Attribution {
                base: rows(&truth.base),
                values: truth.values.select(Axis(0), places),
                scores: rows(&truth.scores),
                standard_error: None,
                data: truth.data.as_ref().map(rows),
                fidelity: None,
                ..truth
            };
            match outputs {
                Some((outputs, all)) if picked.outputs.len() == all => Attribution {
                    base: picked.base.select(Axis(1), outputs),
                    values: picked.values.select(Axis(2), outputs),
                    scores: picked.scores.select(Axis(1), outputs),
                    outputs: outputs.iter().map(|&output| picked.outputs[output].clone()).collect(),
                    ..picked
                },
                _ => picked,
            }
        });
        let truth = truth.map(Attribution::checked).transpose()?;
        Ok(Known { masks: self.masks.map(|masks| masks.select(Axis(0), places)), truth })
    }
}

fn table(path: &Path, source: &Source, features: &[Feature], n_rows: usize) -> Result<Array2<bool>, Failure> {
    let frame = case::read(path)?;
    let aligned = case::alignment(source.unknown_category)
        .align(&frame, &features.iter().map(|feature| Feature::numeric(&feature.name)).collect::<Vec<_>>())
        .map_err(|error| error.in_file(path))?;
    let matrix = aligned.matrix;
    same_shape("rows of the masks, one for each row of --data", &[n_rows], &[matrix.nrows()])
        .map_err(|error| error.in_file(path))?;
    Ok(matrix.mapv(|cell| cell != 0.0 && !cell.is_nan()))
}

/// The masks of images by the names of their files, bright where the evidence is.
fn pictures(
    path: &Path,
    images: &[PathBuf],
    [rows, columns]: [usize; 2],
    fit: Fitting,
) -> Result<Array2<bool>, Failure> {
    let masks = samples::paths(path)?;
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_owned());
    let of = |image: &PathBuf| {
        if let ([only], [_]) = (masks.as_slice(), images) {
            return Ok(only.clone());
        }
        let found = masks.iter().find(|mask| stem(mask) == stem(image)).cloned();
        found.ok_or_else(|| Failure::Use(format!("{}: no mask called as {}", path.display(), image.display())))
    };
    let masks = images.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    let read = image::read(&masks, [1, rows, columns], samples::fitting(fit), &Preparation::default())?;
    let flat = read.into_shape_with_order((images.len(), rows * columns)).map_err(Error::model)?;
    Ok(flat.mapv(|pixel| pixel > 0.5))
}

fn truth(args: &BenchArgs, n_samples: usize) -> Result<Option<Attribution>, Failure> {
    let Some(path) = &args.truth else { return Ok(None) };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let malformed = |problem: String| Error::Malformed { format: "attribution", at: "the text".into(), problem };
    let document: Document = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()).in_file(path))?;
    let Document::Attribution(attribution) = document else {
        return Err(malformed("another kind of document".into()).in_file(path).into());
    };
    let attribution = attribution.checked().map_err(|error| error.in_file(path))?;
    same_shape("samples of the truth, one for each of --data", &[n_samples], &[attribution.n_samples()])
        .map_err(|error| error.in_file(path))?;
    Ok(Some(attribution))
}
