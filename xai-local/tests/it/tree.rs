//! TreeSHAP in closed form, at its limits, and what it refuses.

use std::ops::ControlFlow;

use ndarray::{Array2, Axis, Slice, array};
use xai_core::{Error, Explainer, Explanation, Feature, Groups, Link, Observer, Run, Scale, TreeEnsemble};
use xai_local::tree::{Algorithm, InterventionalTreeShap, Nonlinear, OutputScale, TreeShap};

use crate::tree_zoo::{Forest, Rule, Wood, bare, chain, chain_share, close, forest, plant, push, push_leaf};

/// A dozen operations on numbers near 1.
const ROUNDING: f64 = 1e-14;

fn stump() -> Forest {
    forest(2, &[Wood::split(Rule::below(0, 0.0), Wood::leaf(1.0, 3.0), Wood::leaf(5.0, 1.0))])
}

/// A logistic model of two columns that interact.
fn logistic() -> Forest {
    let inner = Wood::split(Rule::below(1, 0.0), Wood::leaf(-1.0, 2.0), Wood::leaf(2.0, 1.0));
    let mut parts = bare(2, 1);
    plant(&mut parts, &Wood::split(Rule::below(0, 0.0), inner, Wood::leaf(0.5, 3.0)), Some(0));
    parts.link = Link::LOGISTIC;
    Forest(TreeEnsemble::new(parts).unwrap())
}

/// Trees of depth 5 over `n` columns, the same for everybody.
pub fn orchard(n: usize) -> Forest {
    orchard_of(n, 10, 5)
}

/// Full trees of one depth over `n` columns, the same for everybody.
pub fn orchard_of(n: usize, n_trees: usize, depth: usize) -> Forest {
    fn grow(depth: usize, seed: &mut u64, n: usize) -> Wood {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let draw = *seed >> 33;
        if depth == 0 {
            return Wood::leaf(draw as f64 / 2f64.powi(31) - 0.5, 1.0 + (draw % 7) as f64);
        }
        let rule = Rule::below(draw as usize % n, (draw / 64 % 9) as f64 / 4.0 - 1.0);
        let left = grow(depth - 1, seed, n);
        Wood::split(rule, left, grow(depth - 1, seed, n))
    }
    let mut seed = 7;
    forest(n, &(0..n_trees).map(|_| grow(depth, &mut seed, n)).collect::<Vec<_>>())
}

pub fn grid(rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 31 + j * 17) % 23) as f64 / 9.0 - 1.2)
}

pub fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

#[test]
fn a_stump_credits_its_column() {
    let found = TreeShap::default().explain(&stump(), &array![[-1.0, 9.0], [1.0, f64::NAN]], &Run::default()).unwrap();
    assert_eq!(found.base, array![[2.0], [2.0]]);
    assert_eq!(found.values, array![[[-1.0], [0.0]], [[3.0], [0.0]]]);
    assert_eq!(found.scores, array![[1.0], [5.0]]);
    assert_eq!(found.provenance().method, "tree-shap");
    assert_eq!(found.provenance().evaluations, 0);
}

#[test]
fn a_single_leaf_is_all_base() {
    let model = forest(3, &[Wood::leaf(4.0, 0.0)]);
    let rows = array![[1.0, f64::NAN, 0.0]];
    for found in [
        TreeShap::default().explain(&model, &rows, &Run::default()).unwrap(),
        InterventionalTreeShap::new(rows.clone()).explain(&model, &rows, &Run::default()).unwrap(),
    ] {
        assert_eq!(found.base, array![[4.0]]);
        assert!(found.values.iter().all(|&v| v == 0.0));
    }
}

#[test]
fn no_samples_give_an_empty_explanation() {
    let found = TreeShap::default().explain(&stump(), &Array2::zeros((0, 2)), &Run::default()).unwrap();
    assert_eq!((found.values.dim(), found.base.dim()), ((0, 2, 1), (0, 1)));
    let method = InterventionalTreeShap::new(grid(3, 2));
    assert_eq!(method.explain(&stump(), &Array2::zeros((0, 2)), &Run::default()).unwrap().scores.dim(), (0, 1));
}

/// Worth of S is cover^(players not in S) for who passes all splits: every player has the same value.
#[test]
fn chains_of_any_depth_have_their_closed_form() {
    for (players, depth) in
        [(1, 1), (2, 2), (7, 7), (64, 64), (80, 80), (500, 500), (500, 5_000), (30, 10_000), (8, 100_000)]
    {
        let model = chain(players, depth, |level| level % players);
        let mut rows = Array2::from_elem((2, players), -1.0);
        rows[[1, 0]] = 1.0;
        let found = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
        let each = (depth / players) as i32;
        let more = depth % players;
        assert!(more == 0 || each > 50, "the closed form needs equal covers");
        let cover = chain_share(depth).powi(each);
        let (n, base) = (players as f64, chain_share(depth).powi(depth as i32));
        let equal = (1.0 - base) / n;
        // Who fails player 0: v(S) is 0 with it, cover^(players not in S) without it; the others share alike.
        let failed = -cover * (1.0 - base) / (n * (1.0 - cover));
        let rest = (-base - failed) / (n - 1.0);
        for player in 0..players {
            let value = found.values[[0, player, 0]];
            assert!((value - equal).abs() <= ROUNDING, "{players} players, {depth} deep: {value} for {equal}");
            let (value, wanted) = (found.values[[1, player, 0]], if player == 0 { failed } else { rest });
            assert!((value - wanted).abs() <= ROUNDING, "{players} players, {depth} deep: {value} for {wanted}");
        }
    }
}

#[test]
fn deep_chains_against_a_background() {
    for (players, depth) in [(15, 15), (16, 16), (64, 64), (200, 200), (255, 255), (256, 256), (600, 600), (30, 10_000)]
    {
        let model = chain(players, depth, |level| level % players);
        let rows = Array2::from_elem((1, players), -1.0);
        // Against a row that passes nothing all players are needed; against one that lacks only player 3, that one is.
        let nothing = InterventionalTreeShap::new(Array2::from_elem((1, players), 1.0));
        let found = nothing.explain(&model, &rows, &Run::default()).unwrap();
        assert!(found.values.iter().all(|v| (v - 1.0 / players as f64).abs() <= ROUNDING));
        let mut almost = rows.clone();
        almost[[0, 3]] = 1.0;
        let found = InterventionalTreeShap::new(almost).explain(&model, &rows, &Run::default()).unwrap();
        assert!(found.values.indexed_iter().all(|((_, player, _), &v)| v == f64::from(u8::from(player == 3))));
    }
}

#[test]
fn a_path_that_needs_too_much_memory_is_refused() {
    let model = chain(100_000, 100_000, |level| level);
    let found = TreeShap::default().explain(&model, &Array2::zeros((1, 100_000)), &Run::default());
    assert!(matches!(found, Err(Error::TooLarge { .. })), "{found:?}");
}

#[test]
fn same_bits_for_any_threads_and_batches() {
    let (model, rows) = (orchard(6), grid(150, 6));
    let methods: [&dyn Explainer<Forest, Explanation = xai_core::Attribution>; 2] =
        [&TreeShap::default(), &InterventionalTreeShap::new(grid(9, 6))];
    for method in methods {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let whole = pool(1).install(|| method.explain(&model, &rows, &Run::default()).unwrap());
        let again = pool(3).install(|| method.explain(&model, &rows, &Run::default()).unwrap());
        assert_eq!(bits(whole.values.iter().copied()), bits(again.values));
        for (start, end) in [(0, 1), (1, 8), (60, 131)] {
            let slice = Slice::from(start..end);
            let part = method.explain(&model, &rows.slice_axis(Axis(0), slice), &Run::default()).unwrap();
            assert_eq!(bits(part.values), bits(whole.values.slice_axis(Axis(0), slice).iter().copied()));
        }
        // A view that is not laid out row by row.
        let turned = rows.t().as_standard_layout().into_owned();
        let found = method.explain(&model, &turned.t(), &Run::default()).unwrap();
        assert_eq!(bits(found.values), bits(whole.values));
    }
}

/// Level by level one column each, and a leaf for every answer: what it adds is a sum over the columns, so that column j
/// earns wⱼ·(xⱼ − ½).
#[test]
fn a_million_leaves() {
    const DEPTH: usize = 20;
    /// 2²⁰ terms of like size, added one after another: each sum is rounded, and all the same way at worst.
    const ADDED: f64 = 1.2e-10;
    let weight = |level: usize| 1.0 + level as f64 / 8.0;
    let mut parts = bare(DEPTH, 1);
    let n_splits = (1usize << DEPTH) - 1;
    for node in 0..2 * n_splits + 1 {
        let level = (node + 1).ilog2() as usize;
        let cover = 2f64.powi((DEPTH - level) as i32);
        if node < n_splits {
            let at = push(&mut parts, Some(&Rule::below(level, 0.5)), cover);
            (parts.left[at], parts.right[at]) = (2 * node as u32 + 1, 2 * node as u32 + 2);
        } else {
            // The turns to the right are the bits of the number, the first one highest.
            let turns = node - n_splits;
            let right = |level: &usize| turns >> (DEPTH - 1 - level) & 1 == 1;
            push_leaf(&mut parts, &[(0..DEPTH).filter(right).map(weight).sum()], cover);
        }
    }
    close(&mut parts, Some(0));
    let model = Forest(TreeEnsemble::new(parts).unwrap());
    let rows = Array2::from_shape_fn((2, DEPTH), |(i, j)| ((i + j) % 3 % 2) as f64);
    let found = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
    for ((sample, player, _), value) in found.values.indexed_iter() {
        let wanted = weight(player) * (rows[[sample, player]] - 0.5);
        assert!((value - wanted).abs() <= ADDED, "{value} for {wanted}");
    }
}

#[test]
fn values_and_base_sum_to_the_score() {
    let (model, rows) = (orchard(9), grid(40, 9));
    for found in [
        TreeShap::default().explain(&model, &rows, &Run::default()).unwrap(),
        InterventionalTreeShap::new(grid(11, 9)).explain(&model, &rows, &Run::default()).unwrap(),
    ] {
        let worst = found.completeness_residual().iter().fold(0.0f64, |most, r| most.max(r.abs()));
        assert!(worst <= 10.0 * ROUNDING, "{worst}");
    }
}

/// One-hot columns as one player get what the enumeration over that player gives, not the sum of the columns' values.
#[test]
fn groups_are_players() {
    let second = Wood::split(Rule::below(1, 0.5), Wood::leaf(0.0, 1.0), Wood::leaf(6.0, 1.0));
    let model = forest(3, &[Wood::split(Rule::below(0, 0.5), second, Wood::leaf(9.0, 2.0))]);
    let mut features = Feature::unnamed(3);
    features[0].group = Some("hot".into());
    features[1].group = Some("hot".into());
    let method = TreeShap { groups: Some(Groups::of(&features)), ..Default::default() };
    let found = method.explain(&model, &array![[0.0, 1.0, 0.0]], &Run::default()).unwrap();
    assert_eq!(found.features[0].name, "hot");
    assert_eq!(found.values, array![[[0.0], [0.0]]]); // 6 − (9/2 + 0/4 + 6/4) = 0
    let apart = TreeShap::default().explain(&model, &array![[0.0, 1.0, 0.0]], &Run::default()).unwrap();
    assert_eq!(apart.values.as_slice().unwrap(), [-2.25, 2.25, 0.0]);
}

#[test]
fn the_loss_is_explained_for_each_label() {
    let (model, rows, background) = (logistic(), array![[-1.0, 1.0], [1.0, -1.0]], array![[-1.0, -1.0], [1.0, 1.0]]);
    let sigmoid = |m: f64| 1.0 / (1.0 + (-m).exp());
    for nonlinear in [Nonlinear::Rescale, Nonlinear::Exact] {
        let scale = OutputScale::Loss { labels: vec![1.0, 0.0] };
        let method = InterventionalTreeShap { scale, nonlinear, ..InterventionalTreeShap::new(background.clone()) };
        let found = method.explain(&model, &rows, &Run::default()).unwrap();
        assert!((found.scores[[0, 0]] + sigmoid(2.0).ln()).abs() <= ROUNDING);
        assert!((found.scores[[1, 0]] + (1.0 - sigmoid(0.5)).ln()).abs() <= ROUNDING);
        let base = -(sigmoid(-1.0).ln() + sigmoid(0.5).ln()) / 2.0;
        assert!((found.base[[0, 0]] - base).abs() <= ROUNDING);
        assert!(found.completeness_residual().iter().all(|r| r.abs() <= ROUNDING));
        assert_eq!(found.outputs[0].scale, Scale::Loss);
    }
}

/// A stump's probability has one player, so that rescaling is exact; a tree with an interaction tells the two apart.
#[test]
fn rescaled_values_say_that_they_are_no_shapley_values() {
    let (model, rows) = (logistic(), array![[-1.0, 1.0]]);
    let explain = |nonlinear| {
        let background = array![[1.0, -1.0]];
        let scale = OutputScale::Prediction;
        let method = InterventionalTreeShap { scale, nonlinear, ..InterventionalTreeShap::new(background) };
        method.explain(&model, &rows, &Run::default()).unwrap()
    };
    let sigmoid = |m: f64| 1.0 / (1.0 + (-m).exp());
    let (rescaled, exact) = (explain(Nonlinear::Rescale), explain(Nonlinear::Exact));
    assert!(rescaled.provenance().notes.iter().any(|note| note.contains("not the Shapley values")));
    assert!(exact.provenance().notes.is_empty());
    // Margins: {} 0.5, {0} −1, {1} 0.5, {0, 1} 2; so the margin's values are 0 and 1.5.
    let secant = (sigmoid(2.0) - sigmoid(0.5)) / 1.5;
    assert!(rescaled.values[[0, 0, 0]].abs() <= ROUNDING);
    assert!((rescaled.values[[0, 1, 0]] - 1.5 * secant).abs() <= ROUNDING);
    let alone = (sigmoid(-1.0) - sigmoid(0.5)) / 2.0 + (sigmoid(2.0) - sigmoid(0.5)) / 2.0;
    assert!((exact.values[[0, 0, 0]] - alone).abs() <= ROUNDING);
    assert_eq!(exact.outputs[0].scale, Scale::Probability);
}

#[test]
fn refusals_name_what_to_do() {
    let run = Run::default();
    let (model, rows) = (stump(), grid(2, 2));
    let no_covers = forest(1, &[Wood::split(Rule::below(0, 0.0), Wood::leaf(1.0, 0.0), Wood::leaf(5.0, 0.0))]);
    let error = TreeShap::default().explain(&no_covers, &grid(1, 1), &run).unwrap_err();
    assert!(error.to_string().contains("recompute the covers"), "{error}");
    assert!(matches!(TreeShap::default().explain(&model, &grid(2, 3), &run), Err(Error::Shape { .. })));
    let groups = Some(Groups { players: Feature::unnamed(1), members: vec![vec![0]] });
    assert!(matches!(
        TreeShap { groups, ..Default::default() }.explain(&model, &rows, &run),
        Err(Error::Parameter { .. })
    ));

    let method = InterventionalTreeShap::new(rows.clone());
    let refused = |method: &InterventionalTreeShap, model: &Forest| method.explain(model, &rows, &run).unwrap_err();
    assert!(matches!(refused(&InterventionalTreeShap::default(), &model), Error::Shape { .. }));
    assert!(matches!(refused(&InterventionalTreeShap::new(Array2::zeros((0, 2))), &model), Error::Parameter { .. }));
    for weights in [vec![1.0, -1.0], vec![0.0, 0.0], vec![f64::NAN, 1.0]] {
        let weighted = InterventionalTreeShap { weights: Some(weights), ..method.clone() };
        assert!(matches!(refused(&weighted, &model), Error::Parameter { .. }));
    }
    let weighted = InterventionalTreeShap { weights: Some(vec![1.0]), ..method.clone() };
    assert!(matches!(refused(&weighted, &model), Error::Shape { .. }));
    let loss = |labels| InterventionalTreeShap { scale: OutputScale::Loss { labels }, ..method.clone() };
    assert!(matches!(refused(&loss(vec![1.0]), &model), Error::Shape { .. }));
    assert!(matches!(refused(&loss(vec![1.0, 2.0]), &logistic()), Error::Parameter { .. }));
    assert!(matches!(refused(&loss(vec![1.0, f64::NAN]), &model), Error::Parameter { .. }));

    let mut parts = bare(2, 2);
    parts.link = Link::Softmax;
    let softmax = Forest(TreeEnsemble::new(parts).unwrap());
    let probability = InterventionalTreeShap { scale: OutputScale::Prediction, ..method.clone() };
    let error = refused(&probability, &softmax);
    assert!(error.to_string().contains("nonlinear to exact"), "{error}");
    let error = refused(&loss(vec![0.0, 1.0]), &softmax);
    assert!(error.to_string().contains("nonlinear to exact"), "{error}");
    for label in [0.5, 2.0, -1.0, f64::NAN] {
        let exact = InterventionalTreeShap { nonlinear: Nonlinear::Exact, ..loss(vec![0.0, label]) };
        let error = refused(&exact, &softmax);
        assert!(error.to_string().contains("for sample 1") && error.to_string().contains("2 classes"), "{error}");
    }
}

#[test]
fn exact_scales_refuse_more_players_than_can_be_enumerated() {
    let mut parts = chain(21, 21, |level| level).0.into_parts();
    parts.link = Link::LOGISTIC;
    let model = Forest(TreeEnsemble::new(parts).unwrap());
    let method = InterventionalTreeShap {
        scale: OutputScale::Prediction,
        nonlinear: Nonlinear::Exact,
        ..InterventionalTreeShap::new(Array2::from_elem((1, 21), 1.0))
    };
    let found = method.explain(&model, &Array2::from_elem((1, 21), -1.0), &Run::default());
    assert!(matches!(found, Err(Error::TooLarge { limit: 20, .. })));
}

#[test]
fn an_observer_can_stop_it() {
    struct Stop;
    impl Observer for Stop {
        fn progress(&self, done: u64, _total: u64) -> ControlFlow<()> {
            if done > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let run = Run { observer: &Stop, ..Run::default() };
    let found = TreeShap::default().explain(&stump(), &grid(500, 2), &run);
    assert!(matches!(found, Err(Error::Cancelled { .. })));
    let found = InterventionalTreeShap::new(grid(2, 2)).explain(&stump(), &grid(500, 2), &run);
    assert!(matches!(found, Err(Error::Cancelled { .. })));
}

#[test]
fn five_hundred_columns() {
    let (model, rows) = (orchard(500), grid(10, 500));
    let found = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
    let background = InterventionalTreeShap::new(grid(5, 500));
    let against = background.explain(&model, &rows, &Run::default()).unwrap();
    for found in [found, against] {
        assert!(found.completeness_residual().iter().all(|r| r.abs() <= 10.0 * ROUNDING));
        assert!(found.values.iter().any(|&v| v != 0.0));
    }
}

#[test]
fn parameters_read_back() {
    let groups = Some(Groups::each(&Feature::unnamed(2)));
    let method = TreeShap { groups, algorithm: Algorithm::Tables, ..Default::default() };
    let text = serde_json::to_string(&method).unwrap();
    assert_eq!(serde_json::from_str::<TreeShap>(&text).unwrap(), method);
    assert_eq!(serde_json::from_str::<TreeShap>("{}").unwrap(), TreeShap::default());
    let scale: OutputScale = serde_json::from_str("\"probability\"").unwrap();
    assert_eq!(scale, OutputScale::Prediction);
}
