//! Partial dependence and Friedman's H from trees, against the plain definitions.

use ndarray::{Array2, ArrayView1, array};
use proptest::prelude::*;
use xai_core::trees::{Comparison, LEAF, Missing, NO_SET, TreeParts};
use xai_core::{Error, Explainer, Importance, Model, Result, Run, Table, TreeEnsemble, TreeStructured};
use xai_global::{ExactFriedmanH, ExactPartialDependence, FriedmanH, Grid, HStatistic, PartialDependence};

use crate::zoo::{Function, assert_close, table, with_threads};

/// Sums of some thousand terms of size 1 in another order.
const ROUNDING: f64 = 1e-12;

struct Forest(TreeEnsemble);

impl Model for Forest {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.0.n_outputs
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut scores = Array2::zeros((batch.nrows(), self.0.n_outputs));
        for (row, mut scores) in batch.outer_iter().zip(scores.outer_iter_mut()) {
            scores.assign(&ArrayView1::from(&self.0.base));
            for tree in 0..self.0.n_trees() {
                let values = self.0.leaf_values(tree, self.0.leaf_of(tree, &row.to_vec()));
                self.0.outputs_of(tree).zip(values).for_each(|(output, value)| scores[output] += value);
            }
        }
        Ok(scores)
    }
}

impl TreeStructured for Forest {
    fn trees(&self) -> &TreeEnsemble {
        &self.0
    }
}

/// Full trees of `depth` over `columns` columns; every third tree has a value for both outputs in its leaves. A split
/// may be on a set of categories.
fn forest(n_trees: usize, depth: u32, columns: usize, mut seed: u64) -> Forest {
    let mut draw = move |below: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) % below
    };
    let mut parts = TreeParts {
        n_features: columns,
        n_outputs: 2,
        base: vec![0.5, -1.0],
        link: Default::default(),
        comparison: Comparison::SINGLE_LESS,
        category_rule: Default::default(),
        starts: vec![0],
        tree_output: vec![],
        feature: vec![],
        threshold: vec![],
        left: vec![],
        right: vec![],
        missing: vec![],
        default_left: vec![],
        set: vec![],
        cover: vec![],
        sets: vec![vec![0b101], vec![0b010]],
        values: vec![],
    };
    for tree in 0..n_trees {
        let root = parts.feature.len() as u32;
        let splits = (1u32 << depth) - 1;
        let output = (tree % 3 != 0).then_some(tree as u32 % 2);
        for node in 0..2 * splits + 1 {
            let leaf = node >= splits;
            parts.feature.push(if leaf { LEAF } else { draw(columns as u64) as u32 });
            parts.threshold.push(draw(13) as f64 / 4.0 - 1.5);
            parts.left.push(if leaf { parts.values.len() as u32 } else { root + 2 * node + 1 });
            parts.right.push(if leaf { 0 } else { root + 2 * node + 2 });
            parts.missing.push(Missing::Nan);
            parts.default_left.push(draw(2) == 0);
            parts.set.push(if draw(6) == 0 { draw(2) as u32 } else { NO_SET });
            parts.cover.push(1.0);
            if leaf {
                let width = if output.is_some() { 1 } else { 2 };
                parts.values.extend((0..width).map(|_| draw(1000) as f64 / 500.0 - 1.0));
            }
        }
        parts.tree_output.push(output);
        parts.starts.push(parts.feature.len() as u32);
    }
    Forest(TreeEnsemble::new(parts).unwrap())
}

/// Numbers from −2 to 2, some of them missing and some repeated.
fn data(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut cells = table(rows, columns, seed);
    for (at, cell) in cells.iter_mut().enumerate() {
        if at % 11 == 3 {
            *cell = f64::NAN;
        } else if at % 3 == 0 {
            *cell = cell.round();
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn exact_partial_dependence_equals_brute_force(
        n_trees in 0usize..6,
        depth in 1u32..6,
        columns in 2usize..5,
        rows in 2usize..40,
        seed in any::<u64>(),
        weighted in any::<bool>(),
    ) {
        let (model, batch) = (forest(n_trees, depth, columns, seed), data(rows, columns, seed));
        let mut features: Vec<Vec<usize>> = (0..columns).map(|c| vec![c]).collect();
        features.extend([vec![0, 1], vec![1, 0], vec![columns - 1, 0]]);
        features.retain(|axis| axis.iter().all(|&c| batch.column(c).iter().any(|v| !v.is_nan())));
        let weights = weighted.then(|| (0..rows).map(|i| (i % 4) as f64).collect::<Vec<_>>());
        let grid = Grid::Even { n: 5, low: 0.1, high: 0.9 };
        let values = [(0, vec![-3.0, 0.25, f64::NAN, 0.25])].into();
        let exact = ExactPartialDependence { features, grid, values, weights };
        let brute = PartialDependence {
            features: exact.features.clone(),
            grid,
            values: exact.values.clone(),
            weights: exact.weights.clone(),
            ..Default::default()
        };
        let (exact, brute) = (exact.explain(&model, &batch, &Run::default()), brute.explain(&model, &batch, &Run::default()));
        let (exact, brute) = (exact.unwrap(), brute.unwrap());
        prop_assert_eq!(exact.provenance.evaluations, 0);
        for (exact, brute) in exact.curves.iter().zip(&brute.curves) {
            prop_assert_eq!(&exact.features, &brute.features);
            prop_assert_eq!(format!("{:?}", exact.grid), format!("{:?}", brute.grid));
            for (a, b) in exact.values.iter().zip(&brute.values) {
                prop_assert!((a - b).abs() <= ROUNDING, "{a} for {b}");
            }
        }
    }

    /// The definition on all samples is that of the method for any model, with as many samples as there are.
    #[test]
    fn exact_h_equals_the_definition(
        n_trees in 1usize..6,
        depth in 1u32..5,
        columns in 2usize..5,
        rows in 2usize..30,
        seed in any::<u64>(),
        overall in any::<bool>(),
        normalized in any::<bool>(),
    ) {
        let (model, batch) = (forest(n_trees, depth, columns, seed), data(rows, columns, seed));
        let statistic = if overall { HStatistic::Overall } else { HStatistic::Pairs };
        let exact = ExactFriedmanH { statistic, normalized, weights: None };
        let exact = exact.explain(&model, &batch, &Run::default()).unwrap();
        let plain = FriedmanH { statistic, normalized, n_samples: rows, ..Default::default() };
        let plain = plain.explain(&model, &batch, &Run::default()).unwrap();
        for (item, feature) in plain.features.iter().enumerate() {
            let place = exact.features.iter().position(|f| f.name == feature.name);
            for output in 0..2 {
                let found = place.map_or(0.0, |place| exact.values[[place, output]]);
                let wanted = plain.values[[item, output]];
                // A quotient of small numbers.
                prop_assert!((found - wanted).abs() <= 1e-8, "{}: {found} for {wanted}", feature.name);
            }
        }
    }

    /// A row of weight 2 is the row twice.
    #[test]
    fn weights_of_h_are_repetitions(seed in any::<u64>(), rows in 2usize..20, overall in any::<bool>()) {
        let (model, batch) = (forest(4, 3, 3, seed), data(rows, 3, seed));
        let statistic = if overall { HStatistic::Overall } else { HStatistic::Pairs };
        let counts: Vec<usize> = (0..rows).map(|i| 1 + i % 3).collect();
        let twice: Vec<usize> = (0..rows).flat_map(|row| vec![row; counts[row]]).collect();
        let weights = Some(counts.iter().map(|&c| c as f64).collect());
        let explain = |weights, batch: &Table| {
            ExactFriedmanH { statistic, weights, ..Default::default() }.explain(&model, batch, &Run::default()).unwrap()
        };
        let (weighted, repeated) = (explain(weights, &batch), explain(None, &batch.select(ndarray::Axis(0), &twice)));
        for (a, b) in weighted.values.iter().zip(&repeated.values) {
            prop_assert!((a - b).abs() <= 1e-8, "{a} for {b}");
        }
    }
}

#[test]
fn exact_partial_dependence_is_the_same_for_any_number_of_threads() {
    let (model, batch) = (forest(9, 5, 6, 5), data(300, 6, 1));
    let method = ExactPartialDependence { features: vec![vec![0], vec![3], vec![1, 2]], ..Default::default() };
    let explain = || method.explain(&model, &batch, &Run::default()).unwrap().curves;
    let h = || ExactFriedmanH::default().explain(&model, &batch, &Run::default()).unwrap().values;
    let alone = with_threads(1, || (explain(), h()));
    let crowd = with_threads(4, || (explain(), h()));
    assert_eq!(format!("{:?}", alone.0), format!("{:?}", crowd.0));
    assert_eq!(alone.1, crowd.1);
}

fn h(method: &FriedmanH, model: &Function, batch: &Array2<f64>) -> Importance {
    method.explain(model, batch, &Run::default()).unwrap()
}

/// x0 and x1 run through −1, 1 independently: E(x0) = E(x1) = 0, so F(0) = F(1) = 0 and all of x0·x1 is interaction.
#[test]
fn h_of_a_product_is_known() {
    let batch = array![[-1.0, -1.0, 3.0], [-1.0, 1.0, 3.0], [1.0, -1.0, 3.0], [1.0, 1.0, 3.0]];
    let model = Function::new(|row| row[0] * row[1] + 2.0 * row[0]);
    let pairs = h(&FriedmanH::default(), &model, &batch);
    let names: Vec<&str> = pairs.features.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["x0:x1", "x0:x2", "x1:x2"]);
    // F(0,1) = x0·x1 + 2·x0 has the mean square 5, the product 1.
    assert_close(pairs.values[[0, 0]], (1.0f64 / 5.0).sqrt(), ROUNDING);
    assert_eq!(pairs.values[[1, 0]], 0.0);
    assert_eq!(pairs.values[[2, 0]], 0.0);
    assert!(pairs.provenance.notes.iter().any(|note| note.contains("undefined") && note.ends_with(": x1:x2")));
    let overall = h(&FriedmanH { statistic: HStatistic::Overall, ..Default::default() }, &model, &batch);
    assert_close(overall.values[[1, 0]], (1.0f64 / 5.0).sqrt(), ROUNDING);
    assert_eq!(overall.values[[2, 0]], 0.0);
    let plain = h(&FriedmanH { normalized: false, ..Default::default() }, &model, &batch);
    assert_close(plain.values[[0, 0]], 1.0, ROUNDING);
}

#[test]
fn h_of_a_sum_is_zero() {
    let batch = table(60, 3, 4);
    let model = Function::new(|row| row[0].sin() + row[1].exp() - 3.0 * row[2]);
    for statistic in [HStatistic::Pairs, HStatistic::Overall] {
        let found = h(&FriedmanH { statistic, n_samples: 20, ..Default::default() }, &model, &batch);
        assert!(found.values.iter().all(|v| *v <= ROUNDING), "{}", found.values);
        assert!(found.provenance.notes.iter().any(|note| note == "from 20 samples drawn from 60"));
    }
}

#[test]
fn h_keeps_its_budget_and_refuses_nonsense() {
    let (batch, model) = (table(10, 3, 4), Function::linear(&[1.0, 2.0, 3.0]));
    // 10 scores, 10² for each of 3 features and of 3 pairs.
    let method = FriedmanH { n_samples: 10, ..Default::default() };
    let short = Run { max_evaluations: Some(609), ..Run::default() };
    let refused = method.explain(&model, &batch, &short);
    assert!(matches!(refused, Err(Error::Budget { budget: 609, needed: 610 })));
    assert_eq!(model.n_seen(), 0);
    assert_eq!(h(&method, &model, &batch).provenance.evaluations, 610);
    for (n_samples, features) in [(1, vec![]), (5, vec![0, 0]), (5, vec![3])] {
        let method = FriedmanH { n_samples, features, ..Default::default() };
        assert!(matches!(method.explain(&model, &batch, &Run::default()), Err(Error::Parameter { .. })));
    }
}
