//! What cannot be explained is refused, and the refusal names why.

use std::collections::BTreeMap;

use ndarray::{Array2, array};
use xai_core::{Error, Explainer, Feature, Groups, Output, Result, Run, Scale};
use xai_global::{AccumulatedLocalEffects, Grid, Labels, Loss, PartialDependence, PermutationImportance};

use crate::zoo::Function;

fn refusal<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

fn model() -> Function {
    Function::linear(&[1.0, 2.0])
}

const RUN: fn() -> Run<'static> = Run::default;

#[test]
fn tables_without_samples() {
    let none = Array2::zeros((0, 2));
    assert!(refusal(PartialDependence::default().explain(&model(), &none, &RUN())).contains("0 samples"));
    assert!(refusal(AccumulatedLocalEffects::default().explain(&model(), &none, &RUN())).contains("0 samples"));
    let explainer = PermutationImportance::new(Labels::Numbers(vec![]));
    assert!(refusal(explainer.explain(&model(), &none, &RUN())).contains("at least 2 samples"));
    let explainer = PermutationImportance::new(Labels::Numbers(vec![1.0]));
    assert!(refusal(explainer.explain(&model(), &array![[1.0, 2.0]], &RUN())).contains("at least 2 samples"));
}

#[test]
fn a_single_sample() {
    let one = array![[1.0, 2.0]];
    let effects = PartialDependence::default().explain(&model(), &one, &RUN()).unwrap();
    assert_eq!(effects.curves[0].values, array![[5.0]]);
    assert!(effects.curves[0].standard_error.is_none());
    let effects = AccumulatedLocalEffects::default().explain(&model(), &one, &RUN()).unwrap();
    assert_eq!((&effects.curves[1].grid[0], &effects.curves[1].values), (&vec![2.0], &array![[0.0]]));
    assert_eq!(effects.provenance.evaluations, 0);
}

#[test]
fn features_that_are_none() {
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    for features in [vec![vec![]], vec![vec![2]], vec![vec![0, 0]], vec![vec![0, 2]], vec![vec![0, 1, 0]]] {
        let named = format!("{:?}", features[0]);
        let dependence = PartialDependence { features: features.clone(), ..Default::default() };
        assert!(refusal(dependence.explain(&model(), &batch, &RUN())).contains(&named));
        let local = AccumulatedLocalEffects { features, ..Default::default() };
        assert!(refusal(local.explain(&model(), &batch, &RUN())).contains(&named));
    }
}

#[test]
fn columns_without_values() {
    let batch = array![[1.0, f64::NAN], [3.0, f64::NAN]];
    let model = Function::new(|x| x[0]);
    let dependence = PartialDependence { features: vec![vec![1]], ..Default::default() };
    assert!(refusal(dependence.explain(&model, &batch, &RUN())).contains("\"x1\""));
    let local = AccumulatedLocalEffects { features: vec![vec![0, 1]], ..Default::default() };
    assert!(refusal(local.explain(&model, &batch, &RUN())).contains("\"x1\""));
    for effects in [
        PartialDependence::default().explain(&model, &batch, &RUN()).unwrap(),
        AccumulatedLocalEffects::default().explain(&model, &batch, &RUN()).unwrap(),
    ] {
        assert_eq!(effects.curves.len(), 1);
        assert_eq!(effects.provenance.notes, ["x1 is left out: every value is missing"]);
    }
    let never = array![[1.0, f64::NAN], [f64::NAN, 2.0]];
    let model = Function::new(|_| 0.0);
    assert!(refusal(local.explain(&model, &never, &RUN())).contains("no sample has a value for both"));
}

#[test]
fn infinite_cells_and_ranges() {
    let batch = array![[1.0, 2.0], [3.0, f64::INFINITY]];
    assert!(refusal(PartialDependence::default().explain(&model(), &batch, &RUN())).contains("sample 1"));
    assert!(refusal(AccumulatedLocalEffects::default().explain(&model(), &batch, &RUN())).contains("\"x1\""));
    let wide = array![[-1.7e308, 0.0], [0.0, 0.0], [1.7e308, 0.0]];
    let dependence = PartialDependence { grid: Grid::Even { n: 2, low: 0.0, high: 1.0 }, ..Default::default() };
    assert!(refusal(dependence.explain(&Function::new(|_| 0.0), &wide, &RUN())).contains("range"));
}

#[test]
fn parameters_out_of_range() {
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    let grids = [(1, 0.0, 1.0), (usize::MAX, 0.0, 1.0), (5, 0.9, 0.1), (5, 0.0, 1.1), (5, f64::NAN, 1.0)];
    for (n, low, high) in grids {
        for grid in [Grid::Even { n, low, high }, Grid::Quantiles { n, low, high }] {
            let dependence = PartialDependence { grid, ..Default::default() };
            assert!(refusal(dependence.explain(&model(), &batch, &RUN())).contains("grid"));
        }
    }
    for values in [vec![], vec![f64::INFINITY]] {
        let values = BTreeMap::from([(0, values)]);
        let dependence = PartialDependence { values, ..Default::default() };
        assert!(refusal(dependence.explain(&model(), &batch, &RUN())).contains("\"x0\""));
    }
    let dependence = PartialDependence { values: BTreeMap::from([(2, vec![0.0])]), ..Default::default() };
    assert!(refusal(dependence.explain(&model(), &batch, &RUN())).contains("column 2"));
    let axis: Vec<f64> = (0..10_000).map(f64::from).collect();
    let dependence = PartialDependence {
        features: vec![vec![0, 1]],
        values: BTreeMap::from([(0, axis.clone()), (1, axis)]),
        ..Default::default()
    };
    let error = dependence.explain(&model(), &batch, &RUN()).unwrap_err();
    assert!(matches!(error, Error::TooLarge { found: 100_000_000, .. }));
    for n_bins in [0, usize::MAX] {
        let local = AccumulatedLocalEffects { n_bins, ..Default::default() };
        assert!(refusal(local.explain(&model(), &batch, &RUN())).contains("n_bins"));
    }
    for edges in [vec![1.0], vec![3.0, 1.0], vec![1.0, 1.0], vec![1.0, f64::NAN], vec![1.0, 2.0], vec![2.0, 3.0]] {
        let local = AccumulatedLocalEffects { edges: BTreeMap::from([(0, edges)]), ..Default::default() };
        assert!(refusal(local.explain(&model(), &batch, &RUN())).contains("edges of column 0"));
    }
    let local = AccumulatedLocalEffects { edges: BTreeMap::from([(2, vec![0.0, 1.0])]), ..Default::default() };
    assert!(refusal(local.explain(&model(), &batch, &RUN())).contains("column 2"));
}

#[test]
fn labels_losses_and_groups_that_do_not_fit() {
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    let of = |labels: Labels| PermutationImportance::new(labels);
    let good = of(Labels::Numbers(vec![1.0, 2.0]));
    let explain = |explainer: &PermutationImportance| refusal(explainer.explain(&model(), &batch, &RUN()));
    assert!(explain(&of(Labels::Numbers(vec![1.0, f64::NAN]))).contains("labels: sample 1"));
    assert!(explain(&of(Labels::Numbers(vec![1.0]))).contains("labels"));
    assert!(explain(&PermutationImportance { losses: vec![], ..good.clone() }).contains("losses"));
    assert!(explain(&PermutationImportance { n_repeats: 0, ..good.clone() }).contains("n_repeats"));
    assert!(explain(&PermutationImportance { n_repeats: usize::MAX, ..good.clone() }).contains("n_repeats"));
    assert!(explain(&PermutationImportance { losses: vec![Loss::Brier], ..good.clone() }).contains("brier"));
    assert!(explain(&PermutationImportance { weights: Some(vec![1.0]), ..good.clone() }).contains("weights"));
    let many = PermutationImportance { losses: vec![Loss::SquaredError; 100], n_repeats: 1_000_000, ..good.clone() };
    assert!(explain(&many).contains("repeats of all features"));
    let groups = Groups { players: Feature::unnamed(1), members: vec![vec![0]] };
    assert!(explain(&PermutationImportance { groups: Some(groups), ..good.clone() }).contains("groups"));

    let mut margins = model();
    margins.outputs = vec![Output::new("approved", Scale::LogOdds)];
    let classes = of(Labels::Classes { n: 2, indices: vec![0, 1] });
    let error = refusal(classes.explain(&margins, &batch, &RUN()));
    assert!(error.contains("log-loss") && error.contains("link adaptor"), "{error}");
    assert_eq!(margins.n_seen(), 0);
    let ranked = PermutationImportance { losses: vec![Loss::OneMinusAuc], ..classes };
    assert!(ranked.explain(&margins, &batch, &RUN()).is_ok());
}

#[test]
fn scores_that_are_not_finite() {
    let batch = array![[1.0, 2.0], [3.0, 4.0]];
    let broken = Function::new(|x| if x[0] == 3.0 { f64::NAN } else { 0.0 });
    let is_named = |error: Error| matches!(error, Error::NonFinite { what, .. } if what.contains("scores"));
    assert!(is_named(PartialDependence::default().explain(&broken, &batch, &RUN()).unwrap_err()));
    assert!(is_named(AccumulatedLocalEffects::default().explain(&broken, &batch, &RUN()).unwrap_err()));
    let explainer = PermutationImportance::new(Labels::Numbers(vec![1.0, 2.0]));
    assert!(is_named(explainer.explain(&broken, &batch, &RUN()).unwrap_err()));
}

#[test]
fn a_column_of_a_group_says_so() {
    let mut model = model();
    model.features = Feature::unnamed(2);
    model.features[1].group = Some("colour".into());
    let batch = array![[1.0, 0.0], [3.0, 1.0]];
    for notes in [
        PartialDependence::default().explain(&model, &batch, &RUN()).unwrap().provenance.notes,
        AccumulatedLocalEffects::default().explain(&model, &batch, &RUN()).unwrap().provenance.notes,
    ] {
        assert!(notes.len() == 1 && notes[0].starts_with("x1 is one column of colour"), "{notes:?}");
    }
}

/// Parameters that are stored read back as they were, and what is left out takes its default.
#[test]
fn explainers_are_data() {
    let local =
        AccumulatedLocalEffects { edges: BTreeMap::from([(3, vec![0.5, 1.0])]), n_bins: 7, ..Default::default() };
    let text = serde_json::to_string(&local).unwrap();
    assert_eq!(serde_json::from_str::<AccumulatedLocalEffects>(&text).unwrap(), local);
    let dependence: PartialDependence =
        serde_json::from_str(r#"{"features":[[0,1]],"grid":{"quantiles":{"n":5,"low":0.1,"high":0.9}}}"#).unwrap();
    let grid = Grid::Quantiles { n: 5, low: 0.1, high: 0.9 };
    assert_eq!(dependence, PartialDependence { features: vec![vec![0, 1]], grid, ..Default::default() });
    let shuffled = PermutationImportance::new(Labels::Classes { n: 2, indices: vec![0, 1] });
    let text = serde_json::to_string(&shuffled).unwrap();
    assert_eq!(serde_json::from_str::<PermutationImportance>(&text).unwrap(), shuffled);
}

#[test]
fn explainers_are_objects() {
    let boxed: Vec<Box<dyn Explainer<Function, Explanation = xai_core::Effects>>> =
        vec![Box::new(PartialDependence::default()), Box::new(AccumulatedLocalEffects::default())];
    for explainer in boxed {
        assert_eq!(explainer.explain(&model(), &array![[1.0, 2.0], [3.0, 4.0]], &RUN()).unwrap().curves.len(), 2);
    }
}
