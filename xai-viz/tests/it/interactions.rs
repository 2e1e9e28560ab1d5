//! Maps of pairs and bars of sets.

use ndarray::Array3;
use proptest::prelude::*;
use xai_core::{Error, Feature, Interactions};
use xai_viz::{InteractionBars, InteractionMatrix, Mark, Scene, Shape, Terminal, Theme};

use crate::checks::{apart, sound};
use crate::samples::interactions;

fn tips(scene: &Scene) -> Vec<String> {
    scene.of_class("cell").map(|mark| mark.tooltip.clone().unwrap()).collect()
}

/// Two features: alone 2 and −1, together 0.5; a third is nothing.
fn small() -> Interactions {
    let mut i = interactions(1, 3, 1);
    i.values.fill(0.0);
    for (players, value) in [(&[0][..], 2.0), (&[1], -1.0), (&[0, 1], 0.5)] {
        let place = i.place(players).unwrap();
        i.values[[0, place, 0]] = value;
    }
    i
}

#[test]
fn a_pair_stands_twice_with_its_whole_value() {
    let scene = InteractionMatrix { sample: Some(0), ..Default::default() }.scene(&small()).unwrap();
    sound(&scene);
    apart(&scene, "value");
    let tips = tips(&scene);
    assert_eq!(tips.len(), 9);
    let together: Vec<&String> = tips.iter().filter(|tip| tip.ends_with(": 0.5")).collect();
    assert_eq!(together, ["x0 × x1: 0.5", "x1 × x0: 0.5"]);
    let texts = scene.texts();
    assert_eq!(texts.iter().filter(|t| *t == "+0.50").count(), 2);
    assert!(texts.contains(&"+2.00".to_owned()) && texts.contains(&"−1.00".to_owned()), "{texts:?}");
    // The strongest pair is as strong as colour goes, and the key says that main effects lie beyond.
    assert!(texts.contains(&"≥ 0.5".to_owned()), "{texts:?}");
    let opacity = |tip: &str| scene.of_class("cell").find(|m| m.tooltip.as_deref() == Some(tip)).map(|m| m.opacity);
    assert_eq!(opacity("x0 × x1: 0.5"), opacity("x0: 2"));
}

#[test]
fn the_row_of_the_others_keeps_the_sum() {
    let i = interactions(3, 30, 2);
    let chart = InteractionMatrix { sample: Some(1), output: 1, top: 5, ..Default::default() };
    let scene = chart.scene(&i).unwrap();
    sound(&scene);
    apart(&scene, "label");
    assert!(scene.texts().contains(&"25 other features".to_owned()));
    let tip_value = |mark: &Mark| {
        let tip = mark.tooltip.clone().unwrap().replace('−', "-");
        tip.rsplit(": ").next().unwrap().parse::<f64>().unwrap()
    };
    // Diagonal and lower half hold every term once.
    let values: Vec<f64> = scene.of_class("cell").map(tip_value).collect();
    let lower: f64 = (0..6).flat_map(|i| (0..=i).map(move |j| 6 * i + j)).map(|at| values[at]).sum();
    let gain = i.scores[[1, 1]] - i.base[[1, 1]];
    // Tooltips have four digits.
    assert!((lower - gain).abs() < 0.02, "{lower} {gain}");
}

#[test]
fn without_a_sample_sizes_are_averaged() {
    let mut i = interactions(2, 2, 1);
    i.values = Array3::from_shape_vec((2, 3, 1), vec![1.0, 0.0, -0.5, -3.0, 0.0, 0.7]).unwrap();
    let scene = InteractionMatrix::default().scene(&i).unwrap();
    sound(&scene);
    assert_eq!(tips(&scene), ["x0: 2", "x0 × x1: 0.6", "x1 × x0: 0.6", "x1: 0"]);
    let bars = InteractionBars::default().scene(&i).unwrap();
    sound(&bars);
    let labels: Vec<String> = bars.texts().into_iter().filter(|t| t.starts_with('x')).collect();
    assert_eq!(labels, ["x0", "x0 × x1", "x1"]);
    assert!(bars.texts().contains(&"0.60".to_owned()));
}

#[test]
fn bars_name_sets_of_any_size_and_show_errors() {
    let mut i = interactions(1, 3, 1);
    i.order = 3;
    i.terms.push(vec![0, 1, 2]);
    i.values = Array3::from_shape_fn((1, 7, 1), |(_, t, _)| t as f64);
    i.standard_error = Some(Array3::from_elem((1, 7, 1), 0.25));
    let scene = InteractionBars { sample: Some(0), at_least: 2, ..Default::default() }.scene(&i).unwrap();
    sound(&scene);
    let labels: Vec<String> = scene.texts().into_iter().filter(|t| t.starts_with('x')).collect();
    assert_eq!(labels, ["x0 × x1 × x2", "x1 × x2", "x0 × x2", "x0 × x1"]);
    let Shape::Line([from, to]) = scene.of_class("whisker").next().unwrap().shape else { panic!("no line") };
    let Shape::Rect { width, .. } = scene.of_class("bar").next().unwrap().shape else { panic!("no bar") };
    assert!(((to.0 - from.0) / width - 1.0 / 6.0).abs() < 1e-9, "6 ± 2 · 0.25");
    let matrix = InteractionMatrix { sample: Some(0), ..Default::default() }.scene(&i).unwrap();
    assert!(matrix.texts().iter().any(|t| t.contains("1 larger sets are not shown")));
    let none = InteractionBars { at_least: 4, ..Default::default() };
    assert!(matches!(none.scene(&i), Err(Error::Parameter { .. })));
}

#[test]
fn text_has_the_same_numbers() {
    let text = Terminal::default().matrix(&small(), &InteractionMatrix { sample: Some(0), ..Default::default() });
    let text = text.unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["x0", "x1", "x2"]);
    assert_eq!(lines[1][3..], ["+2.00", "+0.50", "0"], "{text}");
    assert_eq!(lines[2][3..], ["+0.50", "−1.00", "0"]);
    let bars = Terminal::default().interactions(&small(), &InteractionBars { sample: Some(0), ..Default::default() });
    assert!(bars.unwrap().lines().nth(2).unwrap().starts_with("x0 × x1"));
    let wide = interactions(2, 40, 1);
    for width in [24, 50, 100] {
        let text = Terminal { width, colour: false }.matrix(&wide, &InteractionMatrix::default()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
    }
}

#[test]
fn interactions_that_do_not_fit_together_are_refused() {
    let broken = |change: &dyn Fn(&mut Interactions)| {
        let mut i = interactions(2, 3, 1);
        change(&mut i);
        (InteractionMatrix::default().scene(&i).unwrap_err(), InteractionBars::default().scene(&i).unwrap_err())
    };
    assert!(matches!(broken(&|i| i.terms[1] = vec![7]), (Error::Malformed { .. }, Error::Malformed { .. })));
    assert!(matches!(broken(&|i| i.terms[4] = vec![2, 0]), (Error::Malformed { .. }, Error::Malformed { .. })));
    assert!(matches!(broken(&|i| i.values[[1, 2, 0]] = f64::NAN), (Error::NonFinite { .. }, Error::NonFinite { .. })));
    assert!(matches!(broken(&|i| i.terms.push(vec![0, 1, 2])), (Error::Shape { .. }, Error::Shape { .. })));
    let i = interactions(2, 3, 1);
    for chart in [
        InteractionMatrix { sample: Some(2), ..Default::default() },
        InteractionMatrix { output: 1, ..Default::default() },
        InteractionMatrix { top: 0, ..Default::default() },
        InteractionMatrix { width: 10.0, ..Default::default() },
    ] {
        assert!(matches!(chart.scene(&i), Err(Error::Parameter { .. })), "{chart:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_interactions_break_a_picture(
        features in 1usize..30, samples in 1usize..4, width in 280.0..1500.0, top in 1usize..40, mean: bool,
        size in prop::num::f64::NORMAL, name in ".{0,60}",
    ) {
        let mut i = interactions(samples, features, 1);
        i.values.mapv_inplace(|v| v * size);
        prop_assume!(i.values.iter().all(|v| v.is_finite()));
        i.features[0] = Feature::numeric(name);
        let sample = (!mean).then_some(samples - 1);
        let matrix = InteractionMatrix { sample, top, width, ..Default::default() }.scene(&i).unwrap();
        let bars = InteractionBars { sample, top, width, ..Default::default() }.scene(&i).unwrap();
        for scene in [matrix, bars] {
            sound(&scene);
            prop_assert!(scene.svg(&Theme::dark()).len() > 100);
        }
    }
}
