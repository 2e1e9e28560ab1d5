use ndarray::{Array2, array};
use xai_core::{Error, Model, Run, Table};
use xai_eval::{Case, Direction, FaithfulnessCorrelation, Measurement, Metric, Need, RemovalCurve};

use crate::zoo::{Baseline, Function, attribution};

#[test]
fn an_absent_need_is_named() {
    let (model, batch) = (Function::linear(&[1.0, 2.0, 3.0]), array![[1.0, 2.0, 3.0]]);
    let shares = attribution(&batch);
    let metrics: [&dyn Metric<Function>; 2] = [&FaithfulnessCorrelation::default(), &RemovalCurve::default()];
    for metric in metrics {
        assert_eq!(metric.needs(), [Need::Masker]);
        let error = metric.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap_err();
        let named = format!("{} without a masker", metric.name());
        assert!(matches!(&error, Error::Unsupported { what, .. } if *what == named), "{error}");
    }
    assert_eq!(model.n_seen(), 0);
    let case = Case::new(&model, &*batch);
    for error in [
        case.need_explainer("m").err(),
        case.need_truth("m", &shares).err(),
        case.need_masks("m", &shares).err(),
        case.need_labels("m").err(),
    ] {
        assert!(matches!(error, Some(Error::Unsupported { .. })));
    }
    let (masks, labels) = (Array2::from_elem((1, 2), true), [0.0, 1.0]);
    let case = case.with_masks(&masks).with_labels(&labels).with_truth(&shares);
    assert!(case.need_truth("m", &shares).is_ok());
    assert!(matches!(case.need_masks("m", &shares), Err(Error::Shape { .. })));
    assert!(matches!(case.need_labels("m"), Err(Error::Shape { .. })));
}

#[test]
fn a_metric_takes_a_model_of_unknown_making() {
    let model: Box<dyn Model<Batch = Table>> = Box::new(Function::linear(&[1.0, -2.0, 3.0]));
    let (batch, masker) = (array![[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], Baseline(ndarray::Array1::zeros(3)));
    let json = serde_json::to_string(&attribution(&array![[1.0, -4.0, 9.0], [3.0, -2.0, 6.0]])).unwrap();
    let from_file = serde_json::from_str(&json).unwrap();
    let case = Case::new(&*model, &*batch).with_masker(&masker);
    let metrics: Vec<Box<dyn Metric<dyn Model<Batch = Table>>>> =
        vec![Box::new(FaithfulnessCorrelation::default()), Box::new(RemovalCurve::insertion())];
    let found: Vec<Measurement> =
        metrics.iter().map(|metric| metric.measure(&case, &from_file, &Run::default()).unwrap()).collect();
    assert!((found[0].mean.unwrap() - 1.0).abs() < 1e-12);
    assert_eq!((found[1].metric.as_str(), found[1].direction), ("insertion", Direction::Higher));
}

#[test]
fn a_measurement_reads_back_from_json() {
    let (model, masker) = (Function::linear(&[1.0, -2.0, 3.0]), Baseline(ndarray::Array1::zeros(3)));
    let batch = array![[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.1, 0.2, 0.7]];
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let found = FaithfulnessCorrelation::default().measure(&case, &attribution(&batch), &Run::default()).unwrap();
    assert_eq!((found.failures.len(), found.failures[0].cells.as_slice()), (1, [(1, 0)].as_slice()));
    assert!(found.values[[1, 0]].is_nan() && found.mean.is_some());
    let back: Measurement = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert!(back.values[[1, 0]].is_nan());
    assert_eq!((back.failures, back.interval, back.mean), (found.failures, found.interval, found.mean));
}
