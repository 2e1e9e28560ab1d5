//! Curves and surfaces.

use ndarray::{Array2, Array3, array};
use xai_core::{Curve, Distribution, Effects, Error, Feature, Output, Provenance, Run, Scale};
use xai_viz::{EffectCurve, Mark, Scene, Shape, Surface};

use crate::checks::{apart, sound};

fn effects(method: &str, curve: Curve) -> Effects {
    let n = curve.values.ncols();
    Effects {
        provenance: Provenance::new(method, &Run::default()),
        outputs: (0..n).map(|o| Output::new(format!("y{o}"), Scale::Probability)).collect(),
        curves: vec![curve],
    }
}

fn line(grid: Vec<f64>, values: Array2<f64>) -> Curve {
    Curve {
        features: vec![Feature::numeric("age")],
        grid: vec![grid],
        values,
        standard_error: None,
        individual: None,
        distribution: vec![Distribution { edges: vec![0.0, 1.0, 4.0], counts: vec![3, 6], missing: 0 }],
    }
}

fn polylines<'a>(scene: &'a Scene, class: &'a str) -> Vec<&'a Vec<(f64, f64)>> {
    let points = |mark: &'a Mark| match &mark.shape {
        Shape::Polyline(points) => Some(points),
        _ => None,
    };
    scene.of_class(class).filter_map(points).collect()
}

#[test]
fn a_curve_is_straight_where_the_response_is() {
    let e = effects("partial-dependence", line(vec![0.0, 1.0, 4.0], array![[0.0], [0.25], [1.0]]));
    let scene = EffectCurve::default().scene(&e).unwrap();
    sound(&scene);
    let points = polylines(&scene, "line")[0];
    let slope = |i: usize| (points[i + 1].1 - points[i].1) / (points[i + 1].0 - points[i].0);
    assert!((slope(0) - slope(1)).abs() < 1e-9 && slope(0) < 0.0);
    assert!(scene.texts().contains(&"average y0 (probability)".to_owned()));
}

/// Six samples in a bin three times as wide are two a unit: less dense than three in one unit.
#[test]
fn bins_of_different_width_show_density() {
    let e = effects("partial-dependence", line(vec![0.0, 1.0, 4.0], array![[0.0], [0.25], [1.0]]));
    let scene = EffectCurve::default().scene(&e).unwrap();
    let heights: Vec<f64> = scene
        .of_class("density")
        .map(|mark| match mark.shape {
            Shape::Rect { height, .. } => height,
            _ => f64::NAN,
        })
        .collect();
    assert!((heights[1] / heights[0] - 2.0 / 3.0).abs() < 1e-6, "{heights:?}");
}

#[test]
fn a_curve_breaks_where_nothing_is_known() {
    let grid = vec![0.0, 1.0, 2.0, 3.0, 4.0];
    let e = effects("partial-dependence", line(grid, array![[0.0], [1.0], [f64::NAN], [2.0], [3.0]]));
    let scene = EffectCurve::default().scene(&e).unwrap();
    sound(&scene);
    assert_eq!(polylines(&scene, "line").iter().map(|p| p.len()).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn missing_values_have_a_point_of_their_own() {
    let e = effects("partial-dependence", line(vec![0.0, 1.0, f64::NAN], array![[0.0], [1.0], [0.5]]));
    let scene = EffectCurve::default().scene(&e).unwrap();
    sound(&scene);
    assert!(scene.texts().contains(&"missing".to_owned()));
    assert_eq!(polylines(&scene, "line").len(), 1);
    assert_eq!(scene.of_class("line").count(), 2);
}

#[test]
fn single_samples_and_bands_are_drawn() {
    let mut curve = line(vec![0.0, 1.0, 2.0], array![[0.0, 1.0], [1.0, 0.0], [2.0, 0.5]]);
    curve.standard_error = Some(Array2::from_elem((3, 2), 0.1));
    curve.individual = Some(Array3::from_shape_fn((250, 3, 2), |(s, p, _)| s as f64 * 0.01 + p as f64));
    let e = effects("partial-dependence", curve);
    let one = EffectCurve { output: Some(0), ..EffectCurve::default() }.scene(&e).unwrap();
    sound(&one);
    assert_eq!((one.of_class("individual").count(), one.of_class("band").count()), (100, 1));
    let both = EffectCurve::default().scene(&e).unwrap();
    sound(&both);
    assert_eq!((both.of_class("individual").count(), both.of_class("band").count()), (0, 2));
    assert!(both.texts().contains(&"y1".to_owned()));
}

#[test]
fn categories_are_rows_with_counts() {
    let curve = Curve {
        features: vec![Feature::categorical(
            "city",
            ["Rome", "Oslo", "a name as long as the name of a very long city"],
        )],
        grid: vec![vec![0.0, 1.0, 2.0, f64::NAN]],
        values: array![[0.1], [0.4], [-0.2], [0.0]],
        standard_error: Some(array![[0.01], [0.02], [0.1], [0.0]]),
        individual: None,
        distribution: vec![Distribution { edges: vec![0.0, 1.0, 2.0], counts: vec![5, 1, 0], missing: 2 }],
    };
    let scene = EffectCurve::default().scene(&effects("partial-dependence", curve)).unwrap();
    sound(&scene);
    apart(&scene, "label");
    let texts = scene.texts();
    for expected in ["Rome", "Oslo", "missing", "5 samples", "1 sample", "2 samples"] {
        assert!(texts.contains(&expected.to_owned()), "{expected} in {texts:?}");
    }
    assert_eq!(scene.of_class("point").count(), 4);
}

#[test]
fn a_surface_has_a_cell_for_each_known_point() {
    let mut values = Array2::from_shape_fn((12, 1), |(p, _)| p as f64);
    values[[5, 0]] = f64::NAN;
    let curve = Curve {
        features: vec![Feature::numeric("age"), Feature::categorical("city", ["Rome", "Oslo", "Bern"])],
        grid: vec![vec![0.0, 1.0, 2.0, 10.0], vec![0.0, 1.0, 2.0]],
        values,
        standard_error: None,
        individual: None,
        distribution: vec![],
    };
    let scene = Surface::default().scene(&effects("partial-dependence", curve.clone())).unwrap();
    sound(&scene);
    assert_eq!(scene.of_class("cell").count(), 11);
    // The second axis runs first: the last cell is the highest value, in the right upper corner.
    let Shape::Rect { x, y, .. } = scene.of_class("cell").last().unwrap().shape else { panic!("no cell") };
    let corner =
        scene.of_class("cell").all(|mark| matches!(mark.shape, Shape::Rect { x: a, y: b, .. } if a <= x && b >= y));
    assert!(corner);
    let e = effects("partial-dependence", curve);
    assert!(matches!(EffectCurve::default().scene(&e), Err(Error::Unsupported { .. })));
}

#[test]
fn effects_that_do_not_fit_together_are_refused() {
    let short = effects("partial-dependence", line(vec![0.0, 1.0], array![[0.0]]));
    assert!(matches!(EffectCurve::default().scene(&short), Err(Error::Shape { .. })));
    let empty = effects("partial-dependence", line(vec![], Array2::zeros((0, 1))));
    assert!(matches!(EffectCurve::default().scene(&empty), Err(Error::Parameter { .. })));
    let e = effects("partial-dependence", line(vec![0.0], array![[0.0]]));
    sound(&EffectCurve::default().scene(&e).unwrap());
    assert!(matches!(EffectCurve { curve: 1, ..Default::default() }.scene(&e), Err(Error::Parameter { .. })));
    assert!(matches!(Surface::default().scene(&e), Err(Error::Unsupported { .. })));
}
