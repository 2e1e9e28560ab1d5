//! What every chart checks before it draws.

use ndarray::Axis;
use xai_core::error::{all_finite, same_shape};
use xai_core::{Attribution, Error, Interactions, Result};

/// The narrowest picture that still holds names beside data.
const NARROWEST: f64 = 280.0;
/// The widest picture.
const WIDEST: f64 = 8000.0;

/// Checks the width of a picture.
pub(crate) fn width(width: f64) -> Result<()> {
    if (NARROWEST..=WIDEST).contains(&width) {
        return Ok(());
    }
    Err(Error::parameter("width", width, format!("{NARROWEST} to {WIDEST} pixels")))
}

/// Checks an index.
pub(crate) fn index(name: &str, value: usize, n: usize) -> Result<()> {
    match (value < n, n) {
        (true, _) => Ok(()),
        (false, 0) => Err(Error::parameter(name, value, "an explanation that is not empty")),
        (false, n) => Err(Error::parameter(name, value, format!("0 to {}", n - 1))),
    }
}

/// Checks that a count is not zero.
pub(crate) fn positive(name: &str, value: usize) -> Result<()> {
    if value > 0 { Ok(()) } else { Err(Error::parameter(name, value, "at least 1")) }
}

/// Checks that the parts of an attribution fit together, are finite, and that there is something to draw.
pub(crate) fn attribution(a: &Attribution) -> Result<()> {
    let (samples, features, outputs) = (a.scores.nrows(), a.features.len(), a.outputs.len());
    for (what, n) in [("samples", samples), ("features", features), ("outputs", outputs)] {
        if n == 0 {
            return Err(Error::parameter(
                "attribution",
                format!("0 {what}"),
                "at least one sample, feature and output",
            ));
        }
    }
    same_shape("scores (sample, output)", &[samples, outputs], a.scores.shape())?;
    same_shape("base (sample, output)", &[samples, outputs], a.base.shape())?;
    same_shape("values (sample, feature, output)", &[samples, features, outputs], a.values.shape())?;
    if let Some(error) = &a.standard_error {
        same_shape("standard errors (sample, feature, output)", a.values.shape(), error.shape())?;
    }
    if let Some(data) = &a.data {
        same_shape("data (sample, feature)", &[samples, features], data.shape())?;
    }
    all_finite("scores", &a.scores)?;
    all_finite("base", &a.base)?;
    for (output, values) in a.values.axis_iter(Axis(2)).enumerate() {
        all_finite(&format!("values of output {output}"), &values)?;
    }
    Ok(())
}

/// Checks that the parts of interactions fit together, are finite, and that there is something to draw.
pub(crate) fn interactions(i: &Interactions) -> Result<()> {
    let (samples, terms, outputs) = (i.scores.nrows(), i.terms.len(), i.outputs.len());
    for (what, n) in [("samples", samples), ("features", i.features.len()), ("terms", terms), ("outputs", outputs)] {
        if n == 0 {
            let expected = "at least one sample, feature, term and output";
            return Err(Error::parameter("interactions", format!("0 {what}"), expected));
        }
    }
    same_shape("values (sample, term, output)", &[samples, terms, outputs], i.values.shape())?;
    if let Some(error) = &i.standard_error {
        same_shape("standard errors (sample, term, output)", i.values.shape(), error.shape())?;
    }
    if let Some(data) = &i.data {
        same_shape("data (sample, player)", &[samples, i.features.len()], data.shape())?;
    }
    for (place, term) in i.terms.iter().enumerate() {
        let ascending = !term.is_empty() && term.is_sorted_by(|a, b| a < b);
        if !ascending || term.last().is_some_and(|&last| last >= i.features.len()) {
            let problem = format!("{term:?} is no ascending set of {} players", i.features.len());
            return Err(Error::Malformed { format: "interactions", at: format!("term {place}"), problem });
        }
    }
    for (output, values) in i.values.axis_iter(Axis(2)).enumerate() {
        all_finite(&format!("values of output {output}"), &values)?;
    }
    Ok(())
}

/// Above this number of samples, points have no tooltips: they would be most of the file.
pub(crate) const MOST_TOOLTIPS: usize = 500;

/// Checks the height of a picture whose height can be chosen.
pub(crate) fn height(height: f64) -> Result<()> {
    if (160.0..=WIDEST).contains(&height) {
        return Ok(());
    }
    Err(Error::parameter("height", height, format!("160 to {WIDEST} pixels")))
}
