//! Waterfall, force and decision: sums that must end where the score is.

use ndarray::array;
use xai_core::Error;
use xai_viz::{Decision, Force, Ink, Mark, Scene, Shape, Waterfall};

use crate::checks::{apart, sound};
use crate::samples::{attribution, complete};

/// The left and right end of an arrow or bar.
fn ends(mark: &Mark) -> (f64, f64) {
    match &mark.shape {
        Shape::Polygon(points) => points.iter().fold((f64::MAX, f64::MIN), |(l, r), p| (l.min(p.0), r.max(p.0))),
        Shape::Rect { x, width, .. } => (*x, x + width),
        other => panic!("no bar: {other:?}"),
    }
}

fn texts(scene: &Scene, class: &str) -> Vec<String> {
    let text = |mark: &Mark| match &mark.shape {
        Shape::Text(text) => Some(text.content()),
        _ => None,
    };
    scene.of_class(class).filter_map(text).collect()
}

#[test]
fn waterfall_stands_in_order_of_size() {
    let a = complete(array![[[0.5], [-2.0], [1.0], [0.25]]]);
    let scene = Waterfall { top: 2, ..Waterfall::default() }.scene(&a).unwrap();
    sound(&scene);
    apart(&scene, "label");
    let labels: Vec<String> =
        texts(&scene, "label").iter().map(|l| l.split(" = ").next().unwrap().to_owned()).collect();
    assert_eq!(labels, ["x1", "x2", "2 other features"]);
    assert_eq!(texts(&scene, "value"), ["−2.00", "+1.00", "+0.75"]);
    assert_eq!(texts(&scene, "score"), ["E[f(x)] = 0.500", "f(x) = 0.250"]);
}

#[test]
fn waterfall_arrows_are_as_long_as_their_values_and_meet() {
    let a = complete(array![[[0.5], [-2.0], [1.0], [0.25]]]);
    let scene = Waterfall::default().scene(&a).unwrap();
    let bars: Vec<(f64, f64)> = scene.of_class("bar").map(ends).collect();
    let unit = (bars[0].1 - bars[0].0) / 2.0;
    for (bar, size) in bars.iter().zip([2.0, 1.0, 0.5, 0.25]) {
        assert!((bar.1 - bar.0 - size * unit).abs() < 1e-6, "{bar:?}");
    }
    // From the bottom: +0.25, +0.5, +1, −2. Each begins where the one below ends.
    assert!((bars[2].0 - bars[3].1).abs() < 1e-6 && (bars[1].0 - bars[2].1).abs() < 1e-6);
    assert!((bars[0].1 - bars[1].1).abs() < 1e-6);
    let inks: Vec<Option<Ink>> = scene.of_class("bar").map(|mark| mark.fill).collect();
    assert_eq!(inks, [Some(Ink::Down), Some(Ink::Up), Some(Ink::Up), Some(Ink::Up)]);
}

#[test]
fn waterfall_shows_what_is_not_accounted_for() {
    let mut a = complete(array![[[0.5], [-0.25]]]);
    a.scores[[0, 0]] += 0.125;
    let scene = Waterfall::default().scene(&a).unwrap();
    assert_eq!(texts(&scene, "label").last().unwrap(), "not accounted for");
    assert_eq!(texts(&scene, "value").last().unwrap(), "+0.125");
    assert_eq!(scene.of_class("bar").last().unwrap().fill, Some(Ink::Missing));
}

#[test]
fn waterfall_names_the_base_after_the_method() {
    let mut a = complete(array![[[0.5]]]);
    a.provenance.method = "lime".into();
    let scene = Waterfall::default().scene(&a).unwrap();
    assert_eq!(texts(&scene, "score")[0], "base = 0.50");
}

#[test]
fn waterfall_whiskers_span_two_standard_errors() {
    let mut a = complete(array![[[1.0], [-0.5]]]);
    a.standard_error = Some(array![[[0.1], [0.0]]]);
    let scene = Waterfall::default().scene(&a).unwrap();
    sound(&scene);
    let bar = scene.of_class("bar").map(ends).next().unwrap();
    let Shape::Line([from, to]) = scene.of_class("whisker").next().unwrap().shape else { panic!("no line") };
    assert!(((to.0 - from.0) - 0.4 * (bar.1 - bar.0)).abs() < 1e-6);
    assert_eq!(scene.of_class("whisker").count(), 3, "no whisker without an error");
}

#[test]
fn waterfall_refuses_what_is_not_there() {
    let a = attribution(2, 3, 1);
    let wrong = [
        Waterfall { sample: 2, ..Waterfall::default() },
        Waterfall { output: 1, ..Waterfall::default() },
        Waterfall { top: 0, ..Waterfall::default() },
        Waterfall { width: f64::NAN, ..Waterfall::default() },
        Waterfall { width: 1e9, ..Waterfall::default() },
    ];
    for chart in wrong {
        assert!(matches!(chart.scene(&a), Err(Error::Parameter { .. })), "{chart:?}");
    }
    let empty = complete(ndarray::Array3::zeros((0, 3, 1)));
    assert!(matches!(Waterfall::default().scene(&empty), Err(Error::Parameter { .. })));
    let mut broken = attribution(2, 3, 1);
    broken.values[[1, 1, 0]] = f64::NAN;
    assert!(matches!(Waterfall::default().scene(&broken), Err(Error::NonFinite { sample: 1, column: 1, .. })));
    broken.values = ndarray::Array3::zeros((2, 2, 1));
    assert!(matches!(Waterfall::default().scene(&broken), Err(Error::Shape { .. })));
}

#[test]
fn tiny_values_do_not_read_zero() {
    let a = complete(array![[[1.0], [-1e-7], [0.0]]]);
    let scene = Waterfall::default().scene(&a).unwrap();
    assert_eq!(texts(&scene, "value"), ["+1.00", "−1e−7", "0"]);
}

#[test]
fn forces_meet_at_the_score() {
    let a = complete(array![[[0.5], [-2.0], [1.0], [0.25]]]);
    let scene = Force::default().scene(&a).unwrap();
    sound(&scene);
    apart(&scene, "label");
    let bars: Vec<(Option<Ink>, (f64, f64))> = scene.of_class("bar").map(|mark| (mark.fill, ends(mark))).collect();
    let reach = |ink| bars.iter().filter(|b| b.0 == Some(ink)).map(|b| b.1).collect::<Vec<_>>();
    let right = reach(Ink::Up).iter().fold(f64::MIN, |m, b| m.max(b.1));
    let left = reach(Ink::Down).iter().fold(f64::MAX, |m, b| m.min(b.0));
    assert!((right - left).abs() < 1e-6, "{right} {left}");
    assert_eq!(texts(&scene, "score"), ["E[f(x)] = 0.500", "f(x) = 0.250"]);
    assert_eq!(texts(&scene, "label").len(), 4);
}

#[test]
fn decision_lines_run_from_base_to_score() {
    let a = attribution(5, 4, 1);
    let scene = Decision { highlight: Some(2), ..Decision::default() }.scene(&a).unwrap();
    sound(&scene);
    let ends: Vec<(f64, f64)> = scene
        .of_class("line")
        .map(|mark| match &mark.shape {
            Shape::Polyline(points) => (points[0].0, points[points.len() - 1].0),
            other => panic!("no line: {other:?}"),
        })
        .collect();
    assert_eq!(ends.len(), 5);
    assert!(ends.iter().all(|e| (e.0 - ends[0].0).abs() < 1e-9), "all begin at the base");
    // The highlighted one is drawn last; pixels are linear in scores.
    let mut scores: Vec<f64> = (0..5).filter(|&s| s != 2).map(|s| a.scores[[s, 0]]).collect();
    scores.sort_by(f64::total_cmp);
    scores.push(a.scores[[2, 0]]);
    let unit = (ends[1].1 - ends[0].1) / (scores[1] - scores[0]);
    for (end, score) in ends.iter().zip(&scores) {
        assert!((end.1 - ends[0].1 - unit * (score - scores[0])).abs() < 1e-6);
    }
}
