//! `xai predict`.

use ndarray::{Array2, Axis, Slice};
use xai::core::{Document, Error, Meter, Model, Prediction, Provenance, Run, TreeStructured};
use xai::models::file::AnyModel;

use crate::args::{Grouping, PredictArgs};
use crate::case::{self, Case, Unlabelled};
use crate::failure::Failure;
use crate::progress::{Progress, use_threads};
use crate::{files, tabular};

/// How many rows are scored between two looks at progress and Ctrl-C.
const ROWS: usize = 16_384;

/// Scores the rows of a table.
pub fn run(args: &PredictArgs) -> Result<(), Failure> {
    files::not_over(args.running.output.as_deref(), [args.source.model.as_path(), args.source.data.as_path()])?;
    use_threads(args.running.threads)?;
    let loaded = match case::open(&args.source, &args.networks)? {
        AnyModel::Trees(loaded) => loaded,
        AnyModel::Network(network) => {
            return super::networks::predict(&network, &args.source, &args.running, &args.networks);
        }
        #[cfg(feature = "onnx-any")]
        AnyModel::Opaque(model) => {
            return super::networks::predict_opaque(&model, &args.source, &args.running, args.networks.fit);
        }
        _ => return Err(Error::unsupported("this kind of model", "trees and networks are served").into()),
    };
    let case = Case::of(loaded, &args.source, None, &Grouping::default(), Unlabelled::Ignore)?;
    let model = &case.loaded.model;
    let progress = Progress::new("predict");
    let run = Run { seed: args.running.seed, observer: &progress, ..Run::default() };
    let meter = Meter::new(&run, case.batch.nrows() as u64);
    let mut scores = Array2::zeros((case.batch.nrows(), model.n_outputs()));
    for start in (0..case.batch.nrows()).step_by(ROWS) {
        let rows = Slice::from(start..(start + ROWS).min(case.batch.nrows()));
        let part = meter.predict(model, &case.batch.slice_axis(Axis(0), rows))?;
        scores.slice_axis_mut(Axis(0), rows).assign(&part);
    }
    let mut predictions = scores.clone();
    for mut row in predictions.outer_iter_mut() {
        if let Some(row) = row.as_slice_mut() {
            model.trees().link.apply(row);
        }
    }
    let provenance = Provenance::new("predict", &run).evaluations(meter.evaluations());
    let outputs = model.outputs().to_vec();
    let document = Document::from(Prediction { provenance, outputs, scores, predictions });
    drop(progress);
    files::write(args.running.output.as_deref(), &tabular::render(&document, args.running.format(), case.first_row)?)
}
