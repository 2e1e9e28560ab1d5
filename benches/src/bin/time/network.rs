//! Estimators on a small network, beside the bare calls that they cannot avoid.

use std::path::Path;

use ndarray::{Array2, Axis, Slice};
use xai::core::{Explainer, Model, Run};
use xai::local::masker::Background;
use xai::local::shapley::{Estimator, KernelShap, LeverageShap, Masked, MaskedProducts};
use xai::models::dense::{Activation, Dense, Layer};

use crate::outcome::Outcome;
use crate::{Answer, Work};

const COALITIONS: usize = 2048;

/// Reads `layer0.csv` and so on: weights (input, unit), and the biases in the last line.
pub fn read(folder: &Path) -> Answer<Dense> {
    let mut layers = Vec::new();
    while let path = folder.join(format!("layer{}.csv", layers.len()))
        && path.exists()
    {
        let table = numbers(&path, 0)?;
        let last = table.nrows() - 1;
        let (weights, bias) = (table.slice_axis(Axis(0), Slice::from(..last)).to_owned(), table.row(last).to_owned());
        layers.push(Layer { weights, bias, activation: Activation::Relu });
    }
    if let Some(last) = layers.last_mut() {
        last.activation = Activation::Identity;
    }
    Ok(Dense::new(layers)?)
}

/// The task as a function that does it once.
pub fn work<'a>(task: &str, model: &'a Dense, rows: Array2<f64>, background: Array2<f64>) -> Answer<Work<'a>> {
    let (kernel, leverage) =
        (KernelShap { n_coalitions: Some(COALITIONS) }, LeverageShap { n_coalitions: Some(COALITIONS) });
    Ok(match task {
        "bare" => {
            let copies = rows.nrows() * COALITIONS;
            let index: Vec<usize> = (0..copies * background.nrows()).map(|i| i % background.nrows()).collect();
            let asked = background.select(Axis(0), &index);
            Box::new(move || Ok(Outcome::Scores(model.predict(&asked)?)))
        }
        "kernel" => masked(kernel, model, rows, background)?,
        "leverage" => masked(leverage, model, rows, background)?,
        "kernel-products" => {
            let method = MaskedProducts { estimator: kernel, background: Background::new(background)? };
            Box::new(move || Ok(Outcome::Values(method.explain(model, &rows, &Run::default())?)))
        }
        other => return Err(format!("unknown task {other:?}").into()),
    })
}

fn masked<'a, E: Estimator + 'a>(
    estimator: E,
    model: &'a Dense,
    rows: Array2<f64>,
    background: Array2<f64>,
) -> Answer<Work<'a>> {
    let method = Masked { estimator, masker: Background::new(background)? };
    Ok(Box::new(move || Ok(Outcome::Values(method.explain(model, &rows, &Run::default())?))))
}

/// A table of comma-separated numbers under `skip` lines.
pub fn numbers(path: &Path, skip: usize) -> Answer<Array2<f64>> {
    let text = std::fs::read_to_string(path)?;
    let (mut cells, mut n) = (Vec::new(), 0);
    for line in text.lines().skip(skip) {
        n += 1;
        for cell in line.split(',') {
            cells.push(cell.parse::<f64>()?);
        }
    }
    let width = cells.len() / n.max(1);
    Ok(Array2::from_shape_vec((n, width), cells)?)
}
