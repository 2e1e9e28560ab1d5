use ndarray::{Array2, Array3, array};
use proptest::prelude::*;
use xai_core::{Error, Run};
use xai_eval::localisation::{Signs, mosaic, quadrants};
use xai_eval::{
    AttributionLocalisation, Auc, Case, Focus, Measurement, Metric, PointingGame, RelevanceMassAccuracy,
    RelevanceRankAccuracy, TopKIntersection,
};

use crate::zoo::{Function, assert_close, attribution, table};

/// Sums of some ten numbers.
const ROUNDING: f64 = 1e-13;

fn measure(
    metric: &dyn Metric<Function>,
    values: &Array2<f64>,
    evidence: &Array2<bool>,
) -> xai_core::Result<Measurement> {
    let model = Function::new(1, |_| vec![0.0]);
    let case = Case::new(&model, values).with_masks(evidence);
    metric.measure(&case, &attribution(values), &Run::default())
}

fn all() -> Vec<Box<dyn Metric<Function>>> {
    vec![
        Box::new(PointingGame::default()),
        Box::new(AttributionLocalisation::default()),
        Box::new(RelevanceMassAccuracy::default()),
        Box::new(RelevanceRankAccuracy::default()),
        Box::new(TopKIntersection { k: Some(3), ..TopKIntersection::default() }),
        Box::new(Auc::default()),
        Box::new(Focus),
    ]
}

/// Three of eight features are evidence: what lies on them is perfect, what lies beside them is the worst, and a constant
/// explanation scores what chance gives.
#[test]
fn localisation_of_perfect_and_constant_explanations() {
    let evidence = Array2::from_shape_fn((1, 8), |(_, j)| [1, 4, 6].contains(&j));
    let perfect = Array2::from_shape_fn((1, 8), |(_, j)| if evidence[[0, j]] { 1.0 + j as f64 } else { 0.0 });
    let worst = perfect.mapv(|v| if v == 0.0 { 1.0 } else { 0.0 });
    for metric in all() {
        let of = |values: &Array2<f64>| measure(&*metric, values, &evidence).unwrap().values[[0, 0]];
        let chance = if metric.name() == "auc" { 0.5 } else { 3.0 / 8.0 };
        assert_close(of(&perfect), 1.0, ROUNDING);
        assert_close(of(&worst), 0.0, ROUNDING);
        assert_close(of(&Array2::ones((1, 8))), chance, ROUNDING);
    }
    let weighted = AttributionLocalisation { weighted: true };
    assert_close(measure(&weighted, &Array2::ones((1, 8)), &evidence).unwrap().values[[0, 0]], 1.0, ROUNDING);
    let weighted = PointingGame { weighted: true, ..PointingGame::default() };
    assert_close(measure(&weighted, &perfect, &evidence).unwrap().values[[0, 0]], 5.0 / 8.0, ROUNDING);
}

/// The mean over explanations drawn at random is what chance gives.
#[test]
fn random_explanations_score_what_chance_gives() {
    const SAMPLES: usize = 4000;
    let evidence = Array2::from_shape_fn((SAMPLES, 8), |(_, j)| [1, 4, 6].contains(&j));
    let values = table(SAMPLES, 8).mapv(|v| (v * 1e5).fract().abs());
    for metric in all() {
        let chance = if metric.name() == "auc" { 0.5 } else { 3.0 / 8.0 };
        let found = measure(&*metric, &values, &evidence).unwrap();
        // Each value lies from 0 to 1: five standard errors of the mean are below 5 · 0.5 / √4000.
        assert_close(found.mean.unwrap(), chance, 2.5 / (SAMPLES as f64).sqrt());
    }
}

#[test]
fn signs_say_what_counts() {
    let (values, evidence) = (array![[1.0, -6.0, 2.0, 1.0]], array![[false, true, true, false]]);
    let of = |metric: &dyn Metric<Function>| measure(metric, &values, &evidence).unwrap().values[[0, 0]];
    let signs = Signs::Absolute;
    assert_eq!(of(&RelevanceMassAccuracy::default()), 0.5);
    assert_eq!(of(&RelevanceMassAccuracy { signs }), 0.8);
    // Positive: the order is 2, then 0 and 3 tied, then 1.
    assert_eq!(of(&RelevanceRankAccuracy::default()), 0.5);
    assert_eq!(of(&RelevanceRankAccuracy { signs }), 1.0);
    assert_eq!(of(&Auc { signs }), 1.0);
    assert_eq!(of(&Auc::default()), 0.5);
    let influence = TopKIntersection { k: Some(1), concept_influence: true, ..TopKIntersection::default() };
    assert_eq!(of(&influence), 2.0);
}

#[test]
fn what_has_no_evidence_has_no_value() {
    let (values, none) = (array![[1.0, 2.0]], array![[false, false]]);
    for metric in all().iter().filter(|metric| metric.name() != "top-k-intersection") {
        let found = measure(&**metric, &values, &none).unwrap();
        assert_eq!((found.mean, found.failures[0].reason.as_str()), (None, "the sample has no evidence"));
        let error = measure(&**metric, &values, &array![[true]]).unwrap_err();
        assert!(matches!(error, Error::Shape { .. }), "{}", metric.name());
    }
    let everything = measure(&Auc::default(), &values, &array![[true, true]]).unwrap();
    assert_eq!(everything.failures[0].reason, "every feature is evidence");
    let nothing = measure(&Focus, &array![[-1.0, 0.0]], &array![[true, false]]).unwrap();
    assert_eq!(nothing.failures[0].reason, "no share counts");
    let many = TopKIntersection { k: Some(3), ..TopKIntersection::default() };
    assert!(matches!(measure(&many, &values, &array![[true, false]]), Err(Error::Parameter { .. })));
}

#[test]
fn focus_of_a_mosaic() {
    let picture = |value: f64| Array3::from_elem((1, 1, 2), value);
    let pictures = [picture(1.0), picture(2.0), picture(-3.0), picture(5.0)];
    let joined = mosaic([pictures[0].view(), pictures[1].view(), pictures[2].view(), pictures[3].view()]).unwrap();
    assert_eq!(joined, array![[[1.0, 1.0, 2.0, 2.0], [-3.0, -3.0, 5.0, 5.0]]]);
    let shown = quadrants([1, 2, 4], &[[true, false, true, false], [false, true, false, true]]).unwrap();
    let values = Array2::from_shape_fn((2, 8), |(_, cell)| joined[[0, cell / 4, cell % 4]]);
    let found = measure(&Focus, &values, &shown).unwrap().values;
    // Positive shares: 2 and 4 above, 10 below right.
    assert_close(found[[0, 0]], 2.0 / 16.0, ROUNDING);
    assert_close(found[[1, 0]], 14.0 / 16.0, ROUNDING);
    assert!(matches!(quadrants([1, 3, 4], &[]), Err(Error::Parameter { .. })));
    let wide = Array3::zeros((1, 1, 3));
    let refused = mosaic([pictures[0].view(), wide.view(), pictures[2].view(), pictures[3].view()]);
    assert!(matches!(refused, Err(Error::Shape { .. })));
}

proptest! {
    /// Small whole numbers make ties.
    #[test]
    fn auc_is_the_share_of_ordered_pairs(cells in prop::collection::vec((-3..4i32, any::<bool>()), 2..12)) {
        let (inside, outside): (Vec<_>, Vec<_>) = cells.iter().partition(|(_, evidence)| *evidence);
        prop_assume!(!inside.is_empty() && !outside.is_empty());
        let worth = |a: i32, b: i32| if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
        let sum: f64 = inside.iter().flat_map(|(a, _)| outside.iter().map(move |(b, _)| worth(*a, *b))).sum();
        let values = Array2::from_shape_fn((1, cells.len()), |(_, j)| f64::from(cells[j].0));
        let evidence = Array2::from_shape_fn((1, cells.len()), |(_, j)| cells[j].1);
        let found = measure(&Auc::default(), &values, &evidence).unwrap().values[[0, 0]];
        prop_assert!((found - sum / (inside.len() * outside.len()) as f64).abs() < ROUNDING);
    }
}
