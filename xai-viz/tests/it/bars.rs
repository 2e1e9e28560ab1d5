//! Bars: means, stacks, importance.

use ndarray::{Array2, array};
use xai_core::{Error, Feature, Importance, Output, Provenance, Run};
use xai_viz::{Bar, ImportanceBars, Ink, Mark, Scene, Shape};

use crate::checks::{apart, sound};
use crate::samples::{attribution, complete};

fn lengths(scene: &Scene) -> Vec<f64> {
    let length = |mark: &Mark| match mark.shape {
        Shape::Rect { width, .. } => width,
        _ => f64::NAN,
    };
    scene.of_class("bar").map(length).collect()
}

fn importance(values: Array2<f64>, spread: Option<Array2<f64>>) -> Importance {
    Importance {
        provenance: Provenance::new("permutation-importance", &Run::default()),
        features: Feature::unnamed(values.nrows()),
        outputs: Output::unnamed(values.ncols()),
        values,
        spread,
        repeats: None,
        base: None,
    }
}

#[test]
fn bars_are_means_of_sizes() {
    // Mean |value|: x0 (1 + 3) / 2 = 2, x1 (0.5 + 0.5) / 2 = 0.5, x2 1.
    let a = complete(array![[[1.0], [-0.5], [1.0]], [[-3.0], [0.5], [-1.0]]]);
    let scene = Bar::default().scene(&a).unwrap();
    sound(&scene);
    apart(&scene, "label");
    let texts = scene.texts();
    assert!(["2.00", "1.00", "0.50"].iter().all(|t| texts.contains(&(*t).to_owned())), "{texts:?}");
    let lengths = lengths(&scene);
    assert!((lengths[0] / lengths[1] - 2.0).abs() < 1e-9 && (lengths[0] / lengths[2] - 4.0).abs() < 1e-9);
}

#[test]
fn several_outputs_are_stacked_with_a_legend() {
    let a = attribution(20, 5, 3);
    let scene = Bar::default().scene(&a).unwrap();
    sound(&scene);
    assert_eq!(scene.of_class("bar").count(), 15);
    let inks: Vec<Option<Ink>> = scene.of_class("bar").take(3).map(|mark| mark.fill).collect();
    assert_eq!(inks, [Some(Ink::Series(0)), Some(Ink::Series(1)), Some(Ink::Series(2))]);
    assert!(scene.texts().contains(&"output 2".to_owned()));
    let unclear = Bar { sample: Some(0), ..Bar::default() };
    assert!(matches!(unclear.scene(&a), Err(Error::Parameter { .. })));
}

#[test]
fn one_sample_has_signs_and_values() {
    let a = complete(array![[[1.0], [-0.5]]]);
    let scene = Bar { sample: Some(0), ..Bar::default() }.scene(&a).unwrap();
    sound(&scene);
    let inks: Vec<Option<Ink>> = scene.of_class("bar").map(|mark| mark.fill).collect();
    assert_eq!(inks, [Some(Ink::Up), Some(Ink::Down)]);
    assert!(scene.texts().iter().any(|t| t.starts_with("x0 = ")));
}

#[test]
fn the_rest_is_gathered_and_its_sum_is_right() {
    let a = attribution(30, 200, 1);
    let scene = Bar { top: 10, ..Bar::default() }.scene(&a).unwrap();
    sound(&scene);
    assert_eq!(scene.of_class("label").count(), 11);
    assert!(scene.texts().contains(&"190 other features".to_owned()));
    let mut means: Vec<f64> =
        (0..200).map(|f| (0..30).map(|s| a.values[[s, f, 0]].abs()).sum::<f64>() / 30.0).collect();
    means.sort_by(|x, y| y.total_cmp(x));
    let lengths = lengths(&scene);
    let expected = means[10..].iter().sum::<f64>() / means[0];
    assert!((lengths[10] / lengths[0] - expected).abs() < 1e-9);
    let all = Bar { top: 200, ..Bar::default() }.scene(&a).unwrap();
    sound(&all);
    apart(&all, "label");
    assert_eq!(all.of_class("label").count(), 200);
}

#[test]
fn a_lone_other_feature_is_shown_by_name() {
    let scene = Bar { top: 2, ..Bar::default() }.scene(&attribution(4, 3, 1)).unwrap();
    assert_eq!(scene.of_class("bar").count(), 3);
    assert!(!scene.texts().iter().any(|t| t.contains("other")));
}

#[test]
fn importance_has_whiskers_of_its_spread() {
    let scene = ImportanceBars::default()
        .scene(&importance(array![[0.1], [0.4], [-0.05]], Some(array![[0.02], [0.1], [0.0]])))
        .unwrap();
    sound(&scene);
    let bar = lengths(&scene)[0];
    let Shape::Line([from, to]) = scene.of_class("whisker").next().unwrap().shape else { panic!("no line") };
    assert!(((to.0 - from.0) / bar - 0.5).abs() < 1e-9, "0.4 ± 0.1");
    assert_eq!(scene.of_class("whisker").count(), 6);
    let labels: Vec<String> = scene.texts().into_iter().filter(|t| t.starts_with('x')).collect();
    assert_eq!(labels, ["x1", "x0", "x2"]);
}

#[test]
fn importance_that_does_not_fit_together_is_refused() {
    let chart = ImportanceBars::default();
    assert!(matches!(chart.scene(&importance(Array2::zeros((0, 1)), None)), Err(Error::Parameter { .. })));
    assert!(matches!(chart.scene(&importance(array![[f64::NAN]], None)), Err(Error::NonFinite { .. })));
    let spread = Some(array![[0.1]]);
    assert!(matches!(chart.scene(&importance(array![[1.0], [2.0]], spread)), Err(Error::Shape { .. })));
}
