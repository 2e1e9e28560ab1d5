//! ONNX files that are only run.

use ndarray::{Array2, Axis, Slice};
use xai_core::{Error, Model};
use xai_models::file::{AnyModel, open};
use xai_models::onnx::{AnyOpaque, read_any, read_opaque};

use super::floats;
use crate::golden::{case, cases, gap};

/// Scores of samples whose cells lie one after another.
fn scores(model: &AnyOpaque, cells: Vec<f32>) -> Array2<f64> {
    match model {
        AnyOpaque::Table(loaded) => {
            let width = loaded.model.input_shape()[0];
            let cells = Array2::from_shape_vec((cells.len() / width, width), cells).unwrap();
            loaded.model.predict(&cells.mapv(f64::from)).unwrap()
        }
        AnyOpaque::Series(loaded) => {
            let &[channels, steps] = loaded.model.input_shape() else { panic!("two axes") };
            let shape = (cells.len() / (channels * steps), channels, steps);
            loaded.model.predict(&ndarray::Array3::from_shape_vec(shape, cells).unwrap()).unwrap()
        }
        AnyOpaque::Images(loaded) => {
            let &[channels, rows, columns] = loaded.model.input_shape() else { panic!("three axes") };
            let shape = (cells.len() / (channels * rows * columns), channels, rows, columns);
            loaded.model.predict(&ndarray::Array4::from_shape_vec(shape, cells).unwrap()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_refused_as_a_network_is_run() {
    let mut checked = 0;
    for case in cases("onnx-any") {
        let model = match open(&case.models()[0]) {
            Ok(AnyModel::Opaque(model)) => model,
            other => panic!("{}: {other:?}", case.name),
        };
        let facts = match &model {
            AnyOpaque::Table(loaded) => &loaded.facts,
            AnyOpaque::Series(loaded) => &loaded.facts,
            AnyOpaque::Images(loaded) => &loaded.facts,
            other => panic!("{other:?}"),
        };
        let why = &facts.iter().find(|(name, _)| name == "gradients").unwrap().1;
        assert!(["MatMul", "Transpose"].iter().any(|operator| why.contains(operator)), "{why}");
        let difference = gap(&scores(&model, floats(&case.body["inputs"])), &case.table("outputs"));
        assert!(difference <= case.tolerance("output"), "{}: {difference:e}", case.name);
        checked += 1;
    }
    assert_eq!(checked, 3);
}

/// Samples share a run; neither where they stand in it nor how many threads there are changes a bit.
#[test]
fn cuts_and_threads_change_no_bit() {
    for case in cases("onnx-any") {
        let cells = floats(&case.body["inputs"]);
        let whole = scores(&read_opaque(&case.bytes()).unwrap(), cells.clone());
        let width = cells.len() / whole.nrows();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let model = pool.install(|| read_opaque(&case.bytes()).unwrap());
            for cut in [1, 7] {
                for (at, part) in cells.chunks(cut * width).enumerate() {
                    let found = pool.install(|| scores(&model, part.to_vec()));
                    let expected = whole.slice_axis(Axis(0), Slice::from(at * cut..at * cut + found.nrows()));
                    assert_eq!(found, expected, "{} {threads} threads, {cut} at once", case.name);
                }
            }
        }
    }
}

#[test]
fn mnist_is_scored_as_by_our_own_engine() {
    const SAME: f64 = 1e-5;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/models/mnist-cnn.onnx");
    let Ok(bytes) = std::fs::read(path) else {
        println!("skipped: no shared data");
        return;
    };
    let Ok(AnyModel::Network(ours)) = read_any(&bytes, None) else { panic!("our own engine runs it") };
    let cells: Vec<f32> = (0..5 * 784).map(|i| ((i * 37 + i / 7 * 11) % 256) as f32).collect();
    let batch = ndarray::Array4::from_shape_vec((5, 1, 28, 28), cells.clone()).unwrap();
    let ours = ours.images().unwrap().network.predict(&batch).unwrap();
    let difference = gap(&scores(&read_opaque(&bytes).unwrap(), cells), &ours);
    assert!(difference <= SAME, "{difference:e}");
}

#[test]
fn what_cannot_be_run_is_an_error() {
    let whole = case("onnx-any", "table").bytes();
    for end in (0..whole.len()).step_by(13) {
        assert!(read_any(&whole[..end], None).is_err(), "{end} bytes");
    }
    // An operator that nobody knows is named by both engines.
    let name = whole.windows(7).position(|word| word == b"Softmax").unwrap();
    let mut unknown = whole.clone();
    unknown[name..name + 7].copy_from_slice(b"Hardmux");
    let refused = read_any(&unknown, None).unwrap_err();
    assert!(matches!(refused, Error::Unsupported { .. }) && refused.to_string().contains("Hardmux"), "{refused}");
    // Neither is a batch of another width, nor a cell that is no number.
    let AnyOpaque::Table(loaded) = read_opaque(&whole).unwrap() else { panic!("a table") };
    assert!(matches!(loaded.model.predict(&Array2::zeros((2, 5))), Err(Error::Shape { .. })));
    let mut rows = Array2::zeros((20, 4));
    rows[[17, 2]] = f64::NAN;
    let found = loaded.model.predict(&rows);
    assert!(matches!(found, Err(Error::NonFinite { sample: 17, column: 2, .. })), "{found:?}");
    assert_eq!(loaded.model.predict(&Array2::zeros((0, 4))).unwrap().dim(), (0, 2));
}
