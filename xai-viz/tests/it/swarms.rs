//! Beeswarm, dependence and heat map: many samples at once.

use ndarray::{Array2, Array3};
use xai_core::{Error, Feature, FeatureKind};
use xai_viz::{Beeswarm, Colour, Dependence, Heatmap, Ink, Mark, Order, Scene, Shape, strongest_interaction};

use crate::checks::{apart, sound};
use crate::samples::{attribution, complete};

fn discs(scene: &Scene) -> Vec<((f64, f64), f64)> {
    let disc = |mark: &Mark| match mark.shape {
        Shape::Circle { centre, radius } => (centre, radius),
        _ => ((f64::NAN, f64::NAN), 0.0),
    };
    scene.of_class("point").map(disc).collect()
}

#[test]
fn a_point_for_every_sample_and_feature() {
    let a = attribution(40, 6, 2);
    let scene = Beeswarm { output: 1, ..Beeswarm::default() }.scene(&a).unwrap();
    sound(&scene);
    apart(&scene, "label");
    assert_eq!(scene.of_class("point").count(), 240);
}

#[test]
fn few_points_do_not_cover_each_other() {
    let a = attribution(50, 3, 1);
    let discs = discs(&Beeswarm::default().scene(&a).unwrap());
    for (i, (a, radius)) in discs.iter().enumerate() {
        for (b, _) in &discs[..i] {
            let distance = ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt();
            assert!(distance > 2.0 * radius - 1e-6, "{a:?} {b:?}");
        }
    }
}

#[test]
fn points_lie_at_their_values() {
    let a = attribution(25, 1, 1);
    let mut xs: Vec<f64> = discs(&Beeswarm::default().scene(&a).unwrap()).iter().map(|d| d.0.0).collect();
    let mut values: Vec<f64> = a.values.iter().copied().collect();
    xs.sort_by(f64::total_cmp);
    values.sort_by(f64::total_cmp);
    let unit = (xs[24] - xs[0]) / (values[24] - values[0]);
    assert!(xs.iter().zip(&values).all(|(x, v)| (x - xs[0] - unit * (v - values[0])).abs() < 1e-6));
}

/// With one tick wanted, none may lie within: none must be drawn outside.
#[test]
fn no_tick_lies_outside_a_narrow_scale() {
    let mut a = complete(Array3::zeros((1, 1, 1)));
    (a.base[[0, 0]], a.scores[[0, 0]]) = (8.88, 5.79);
    sound(&xai_viz::Waterfall { width: 280.0, ..Default::default() }.scene(&a).unwrap());
}

/// The room for numbers on both sides must leave some for the bars.
#[test]
fn wide_numbers_fit_a_narrow_picture() {
    let a = complete(Array3::from_shape_fn((1, 2, 1), |(_, f, _)| if f == 0 { 6.02e-138 } else { -1.25e-138 }));
    for width in [280.0, 291.2, 390.0] {
        sound(&xai_viz::Bar { sample: Some(0), width, ..Default::default() }.scene(&a).unwrap());
    }
}

#[test]
fn colours_tell_low_from_high_and_missing() {
    let mut a = complete(Array3::from_shape_fn((21, 2, 1), |(s, f, _)| (s + f) as f64));
    let column = |s: usize| if s == 20 { f64::NAN } else { s as f64 };
    a.data = Some(Array2::from_shape_fn((21, 2), |(s, f)| if f == 0 { column(s) } else { (s % 2) as f64 }));
    a.features[1] = Feature::categorical("sex", ["female", "male"]);
    let scene = Beeswarm::default().scene(&a).unwrap();
    sound(&scene);
    let points: Vec<&Mark> = scene.of_class("point").collect();
    let of = |name: &str| points.iter().filter(|m| m.tooltip.as_ref().unwrap().contains(name)).collect::<Vec<_>>();
    let numbers = of(": x0 = ");
    assert_eq!(numbers.iter().filter(|m| m.fill == Some(Ink::Missing)).count(), 1);
    assert!(numbers.iter().any(|m| m.fill == Some(Ink::Value(0.0))));
    assert!(numbers.iter().any(|m| m.fill == Some(Ink::Value(1.0))));
    assert!(of("= female").iter().all(|m| m.fill == Some(Ink::Series(0))) && of("= female").len() == 11);
    assert!(of("= male").iter().all(|m| m.fill == Some(Ink::Series(1))));
    assert!(scene.texts().iter().any(|t| t.contains("● female") && t.contains("● male")), "{:?}", scene.texts());
}

#[test]
fn thinned_points_keep_both_ends_and_say_so() {
    let a = attribution(500, 2, 1);
    let chart = Beeswarm { most_points: 100, ..Beeswarm::default() };
    let scene = chart.scene(&a).unwrap();
    assert_eq!(scene.of_class("point").count(), 200);
    assert!(scene.texts().iter().any(|t| t.contains(" · 100 of 500 samples drawn")));
    let narrow = Beeswarm { width: 280.0, ..chart }.scene(&a).unwrap();
    assert!(narrow.texts().iter().any(|t| t.ends_with(" · 100 of 500 samples drawn")), "the note is never cut");
    let all = Beeswarm::default().scene(&a).unwrap();
    let ends = |scene: &Scene| discs(scene).iter().fold((f64::MAX, f64::MIN), |(l, r), d| (l.min(d.0.0), r.max(d.0.0)));
    assert_eq!(ends(&scene), ends(&all));
}

#[test]
fn identical_points_and_zeros_are_drawn() {
    for n in [1, 30, 700] {
        let a = complete(Array3::zeros((n, 2, 1)));
        sound(&Beeswarm::default().scene(&a).unwrap());
        sound(&Heatmap::default().scene(&a).unwrap());
        sound(&Dependence::default().scene(&a).unwrap());
    }
}

/// x0·x1: nothing but x1 says what x0 contributes at a given value.
#[test]
fn the_interaction_partner_is_found() {
    let n = 400;
    let uniform =
        |s: usize, f: usize| ((s as f64 + 1.0) * [0.754_877_666, 0.569_840_291, 0.819_172_513][f]).fract() - 0.5;
    let mut a = complete(Array3::from_shape_fn((n, 3, 1), |(s, f, _)| match f {
        2 => uniform(s, 2),
        _ => uniform(s, 0) * uniform(s, 1),
    }));
    a.data = Some(Array2::from_shape_fn((n, 3), |(s, f)| uniform(s, f)));
    assert_eq!(strongest_interaction(&a, 0, 0), Some(1));
    assert_eq!(strongest_interaction(&a, 1, 0), Some(0));
    let scene = Dependence::default().scene(&a).unwrap();
    sound(&scene);
    assert!(scene.texts().contains(&"x1".to_owned()), "the key names the partner");
    a.data = None;
    assert_eq!(strongest_interaction(&a, 0, 0), None);
    assert!(matches!(Dependence::default().scene(&a), Err(Error::Unsupported { .. })));
}

#[test]
fn dependence_has_places_for_missing_and_infinite_values() {
    let mut a = attribution(30, 2, 1);
    let data = a.data.as_mut().unwrap();
    data[[3, 0]] = f64::NAN;
    data[[4, 0]] = f64::INFINITY;
    data[[5, 0]] = f64::NEG_INFINITY;
    let scene = Dependence { colour: Colour::Feature(1), ..Dependence::default() }.scene(&a).unwrap();
    sound(&scene);
    assert_eq!(scene.of_class("point").count(), 30);
    assert!(scene.texts().contains(&"missing".to_owned()));
    assert!(scene.of_class("point").any(|m| m.tooltip.as_ref().unwrap().contains("= −∞")));
}

#[test]
fn dependence_of_a_category_names_it() {
    let mut a = attribution(30, 2, 1);
    a.features[0] = Feature::categorical("city", ["Rome", "Oslo", "Łódź"]);
    a.data.as_mut().unwrap().column_mut(0).iter_mut().enumerate().for_each(|(s, v)| *v = (s % 4) as f64);
    let scene = Dependence { colour: Colour::Plain, ..Dependence::default() }.scene(&a).unwrap();
    sound(&scene);
    let texts = scene.texts();
    assert!(["Rome", "Oslo", "Łódź", "3"].iter().all(|t| texts.contains(&(*t).to_owned())), "{texts:?}");
}

#[test]
fn a_heat_map_puts_like_beside_like() {
    // Two kinds of samples in alternation: each kind must end in one piece.
    let a = complete(Array3::from_shape_fn((24, 3, 1), |(s, f, _)| {
        let kind = if s % 2 == 0 { 1.0 } else { -1.0 };
        kind * (f + 1) as f64 + 0.01 * ((s * 31 + f * 17) % 10) as f64
    }));
    let scene = Heatmap::default().scene(&a).unwrap();
    sound(&scene);
    let columns: Vec<(f64, Ink)> = scene
        .of_class("cell")
        .filter_map(|mark| match mark.shape {
            Shape::Rect { x, y, .. } => Some((x, y, mark.fill?)),
            _ => None,
        })
        .map(|(x, _, ink)| (x, ink))
        .collect();
    let rightmost_up = columns.iter().filter(|c| c.1 == Ink::Up).map(|c| c.0).fold(f64::MIN, f64::max);
    let leftmost_down = columns.iter().filter(|c| c.1 == Ink::Down).map(|c| c.0).fold(f64::MAX, f64::min);
    let leftmost_up = columns.iter().filter(|c| c.1 == Ink::Up).map(|c| c.0).fold(f64::MAX, f64::min);
    let rightmost_down = columns.iter().filter(|c| c.1 == Ink::Down).map(|c| c.0).fold(f64::MIN, f64::max);
    assert!(rightmost_up < leftmost_down || rightmost_down < leftmost_up);
}

#[test]
fn a_heat_map_by_score_has_a_line_that_rises() {
    let a = attribution(60, 4, 1);
    let scene = Heatmap { order: Order::Score, ..Heatmap::default() }.scene(&a).unwrap();
    sound(&scene);
    let Shape::Polyline(points) = &scene.of_class("line").next().unwrap().shape else { panic!("no line") };
    assert_eq!(points.len(), 60);
    assert!(points.windows(2).all(|p| p[1].1 <= p[0].1), "upwards is a smaller y");
}

#[test]
fn groups_have_no_value() {
    let mut a = attribution(10, 2, 1);
    a.features[0].kind = FeatureKind::Group { members: vec!["a".into(), "b".into()] };
    let scene = Beeswarm::default().scene(&a).unwrap();
    let group = |m: &&Mark| m.tooltip.as_ref().unwrap().contains(": x0,");
    assert_eq!(scene.of_class("point").filter(group).filter(|m| m.fill == Some(Ink::Missing)).count(), 10);
}
