//! Interactions of any game: by their definitions, against shapiq, and joined to maskers.

use std::collections::HashMap;

use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use xai_core::{Error, Explainer, InteractionIndex, Interactions, Run};
use xai_local::interaction::{ExactInteractions, GpInteractions, InteractionEstimator, MaskedInteractions, indices};
use xai_local::masker::{Background, Baseline};
use xai_local::shapley::{ExactShap, Masked};

use crate::golden::{assert_close, cases, numbers};
use crate::indices::by_definition;
use crate::zoo::{Function, background, rugged, samples};

/// Sums over 64 coalitions of numbers up to 10; the faithful ones solve a system of 64 equations.
const DEFINITION: f64 = 1e-9;
/// 256 coalitions in f64, see the tolerance in the file.
const SHAPIQ: f64 = 1e-10;
/// Sums of a few dozen terms near 10.
const SUM: f64 = 1e-11;

fn index(name: &str) -> InteractionIndex {
    match name {
        // Shapley and Banzhaf values are indices of order 1.
        "SV" => InteractionIndex::Sii,
        "BV" => InteractionIndex::Bii,
        _ => InteractionIndex::ALL.into_iter().find(|index| index.name() == name).unwrap(),
    }
}

proptest! {
    #[test]
    fn every_index_is_its_definition(
        n in 1usize..=6, order in 1usize..=6, index in prop::sample::select(InteractionIndex::ALL.to_vec()),
        cells in prop::collection::vec(-10.0..10.0, 64),
    ) {
        prop_assume!(order <= n);
        let worth: Vec<f64> = cells[..1 << n].to_vec();
        // A second output that is worth twice the first less 1.
        let both = Array2::from_shape_fn((1 << n, 2), |(row, k)| if k == 0 { worth[row] } else { 2.0 * worth[row] - 1.0 });
        let terms = indices(&both, index, order).unwrap();
        let expected = by_definition(index, order, n, &worth);
        prop_assert_eq!(terms.sets.len(), (1..1usize << n).filter(|s| s.count_ones() as usize <= order).count());
        for (set, values) in terms.sets.iter().zip(terms.values.outer_iter()) {
            let mask = set.iter().fold(0usize, |mask, player| mask | 1 << player);
            let gap = (values[0] - expected[mask]).abs().max((values[1] - 2.0 * expected[mask]).abs());
            prop_assert!(gap < DEFINITION, "{} {:?}: {} expected {}", index, set, values[0], expected[mask]);
        }
        let ordered: Vec<_> = terms.sets.iter().map(|set| (set.len(), set.clone())).collect();
        prop_assert!(ordered.is_sorted());
    }

    /// Beyond the number of players, order changes nothing.
    #[test]
    fn an_order_beyond_the_players_is_that_of_all(
        index in prop::sample::select(InteractionIndex::ALL.to_vec()), cells in prop::collection::vec(-10.0..10.0, 8),
    ) {
        let worth = Array2::from_shape_vec((8, 1), cells).unwrap();
        prop_assert_eq!(indices(&worth, index, 3).unwrap(), indices(&worth, index, usize::MAX).unwrap());
    }
}

#[test]
fn recorded_indices_are_those_of_shapiq() {
    let mut compared = 0;
    for (name, case) in cases("shapley") {
        if !name.starts_with("interactions_") {
            continue;
        }
        let worth = numbers(&case["worths"]);
        let worth = Array2::from_shape_vec((worth.len(), 1), worth).unwrap();
        for recorded in case["indices"].as_array().unwrap() {
            let order = recorded["order"].as_u64().unwrap() as usize;
            let what = recorded["index"].as_str().unwrap();
            let terms = indices(&worth, index(what), order).unwrap();
            let values = recorded["values"].as_array().unwrap();
            let recorded: HashMap<Vec<usize>, f64> = values
                .iter()
                .map(|pair| {
                    (numbers(&pair[0]).into_iter().map(|player| player as usize).collect(), pair[1].as_f64().unwrap())
                })
                .collect();
            // The file lists the whole Möbius transform.
            let within = recorded.keys().filter(|set| set.len() <= order);
            assert!(within.into_iter().all(|set| terms.sets.contains(set)), "{name} {what} {order}");
            // What shapiq leaves out is 0.
            let expected: Vec<f64> = terms.sets.iter().map(|set| recorded.get(set).copied().unwrap_or(0.0)).collect();
            assert_close(&format!("{name} {what} {order}"), &terms.values.column(0).to_vec(), &expected, SHAPIQ);
            compared += 1;
        }
    }
    assert!(compared >= 30, "only {compared} tables were compared");
}

fn explain(index: InteractionIndex, order: usize, run: &Run) -> Interactions {
    let masker = Background::new(background()).unwrap();
    let method = MaskedInteractions { estimator: ExactInteractions { index, order }, masker };
    method.explain(&rugged(), &samples(), run).unwrap()
}

#[test]
fn interactions_are_complete() {
    let masker = Background::new(background()).unwrap();
    let shapley = Masked { estimator: ExactShap, masker }.explain(&rugged(), &samples(), &Run::default()).unwrap();
    for index in InteractionIndex::ALL {
        for order in 1..=6 {
            let found = explain(index, order, &Run::default());
            let residual = found.completeness_residual().iter().fold(0.0f64, |most, x| most.max(x.abs()));
            let complete = index.is_efficient() || (index == InteractionIndex::Moebius && order == 6);
            assert!(!complete || residual < SUM, "{index} {order}: {residual}");
            assert_eq!(found.base, shapley.base);
            assert_eq!(found.scores, shapley.scores);
            let note = found.provenance.notes.iter().any(|note| note.contains("do not sum"));
            assert_eq!(note, !index.is_efficient(), "{index}");
        }
        // Shapley values are interactions of order 1.
        if index.is_efficient() || index == InteractionIndex::Sii {
            let found = explain(index, 1, &Run::default());
            let gap = (&found.values - &shapley.values).iter().fold(0.0f64, |most, x| most.max(x.abs()));
            assert!(gap < SUM, "{index}: {gap}");
        }
    }
}

#[test]
fn interactions_cut_batch_threads_and_budget() {
    let whole = explain(InteractionIndex::KSii, 3, &Run::default());
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| explain(InteractionIndex::KSii, 3, &Run::default())), whole);
    }
    let masker = Background::new(background()).unwrap();
    let method = MaskedInteractions { estimator: ExactInteractions { order: 3, ..Default::default() }, masker };
    let model = rugged();
    for sample in 0..samples().nrows() {
        let run = Run { first_sample: sample as u64, ..Run::default() };
        let part = method.explain(&model, &samples().select(Axis(0), &[sample]), &run).unwrap();
        assert_eq!(part.values.index_axis(Axis(0), 0), whole.values.index_axis(Axis(0), sample));
    }
    // A score for each sample, 62 coalitions of 4 rows each, and nobody once.
    let planned = 5 + 5 * 62 * 4 + 4;
    assert_eq!(whole.provenance.evaluations, planned);
    let model = rugged();
    let frugal = Run { max_evaluations: Some(planned - 1), ..Run::default() };
    let error = method.explain(&model, &samples(), &frugal).unwrap_err();
    assert!(matches!(error, Error::Budget { needed, .. } if needed == planned), "{error}");
    assert_eq!(model.scored(), 0);
    let enough = Run { max_evaluations: Some(planned), ..Run::default() };
    assert_eq!(method.explain(&model, &samples(), &enough).unwrap(), whole);
    assert_eq!(model.scored(), planned);
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let exact = ExactInteractions::default();
    assert!(matches!(exact.coalitions(21), Err(Error::TooLarge { limit: 20, found: 21, .. })));
    let none = ExactInteractions { order: 0, ..exact };
    assert!(matches!(none.coalitions(3), Err(Error::Parameter { .. })));
    assert!(matches!(indices(&array![[1.0], [2.0], [3.0]], exact.index, 2), Err(Error::Shape { .. })));
    let model = Function::one(|x| if x[0] > 1.0 && x[1] == 0.0 { f64::NAN } else { x[0] });
    let method = MaskedInteractions { estimator: exact, masker: Baseline::new(array![0.0, 0.0]) };
    let error = method.explain(&model, &array![[1.0, 1.0], [2.0, 1.0]], &Run::default()).unwrap_err();
    assert!(matches!(error, Error::NonFinite { sample: 1, column: 0, .. }), "{error}");
}

#[test]
fn games_of_no_or_one_player_have_interactions() {
    let none = indices(&array![[3.0]], InteractionIndex::KSii, 2).unwrap();
    assert_eq!((none.sets.len(), none.values.dim()), (0, (0, 1)));
    let method = MaskedInteractions { estimator: ExactInteractions::default(), masker: Baseline::new(array![1.0]) };
    let one = method.explain(&Function::one(|x| x[0] * x[0]), &array![[3.0]], &Run::default()).unwrap();
    assert_eq!((one.terms, one.values), (vec![vec![0]], array![[[8.0]]]));
}

/// The share of the sum of squares that a process may miss with 600 coalitions of 30 players, where 465 values are
/// sought. It misses 0.04; nothing at all would miss 1.
const MISSED: f64 = 0.08;

/// 30 players: a linear part, five pairs and a triple.
fn thirty(x: &[f64]) -> f64 {
    let linear: f64 = x.iter().enumerate().map(|(i, x)| x * ((i * 7) % 5) as f64 / 2.0).sum();
    linear + 4.0 * x[0] * x[1] - 3.0 * x[2] * x[3] + 2.0 * x[4] * x[9] + 3.0 * x[7] * x[8] - 2.0 * x[1] * x[11]
        + 3.0 * x[12] * x[13] * x[14]
}

#[test]
fn a_process_finds_pairs_of_many_players() {
    let estimator = GpInteractions { n_coalitions: Some(600), ..Default::default() };
    let masker = Baseline::new(ndarray::Array1::zeros(30));
    let method = MaskedInteractions { estimator, masker };
    let model = Function::one(thirty);
    let found = method.explain(&model, &Array2::ones((1, 30)), &Run::default()).unwrap();
    assert_eq!((found.terms.len(), model.scored()), (30 + 435, 602));
    assert_eq!(found.provenance.evaluations, 602);
    assert!(found.completeness_residual()[[0, 0]].abs() < SUM);
    // The pairs of a triple of 3 are 3 / 2 each (SII), what singles keep is theirs less half of their pairs.
    let pairs = [(0, 1, 4.0), (2, 3, -3.0), (4, 9, 2.0), (7, 8, 3.0), (1, 11, -2.0)];
    let mut expected: HashMap<Vec<usize>, f64> = pairs.into_iter().map(|(i, j, v)| (vec![i, j], v)).collect();
    for pair in [[12, 13], [12, 14], [13, 14]] {
        expected.insert(pair.to_vec(), 1.5);
    }
    for player in 0..30 {
        // 1 of the triple less two halves of 1.5.
        let triple = if (12..15).contains(&player) { -0.5 } else { 0.0 };
        expected.insert(vec![player], ((player * 7) % 5) as f64 / 2.0 + triple);
    }
    let (mut missed, mut all) = (0.0, 0.0);
    for (set, value) in found.terms.iter().zip(found.values.iter()) {
        let expected = expected.get(set).copied().unwrap_or(0.0);
        missed += (value - expected).powi(2);
        all += expected.powi(2);
    }
    assert!(missed < MISSED * all, "{missed} of {all}");
    let fidelity = &found.provenance.parameters["lowest_fidelity"];
    assert!(matches!(fidelity, xai_core::Value::Float(f) if (0.5..1.0).contains(f)), "{fidelity}");
}

#[test]
fn a_process_that_sees_everything_is_exact() {
    let masker = Background::new(background()).unwrap();
    for index in InteractionIndex::ALL {
        let estimator = GpInteractions { index, order: 3, n_coalitions: Some(62) };
        let method = MaskedInteractions { estimator, masker: masker.clone() };
        let found = method.explain(&rugged(), &samples(), &Run::default()).unwrap();
        assert_eq!(found.values, explain(index, 3, &Run::default()).values);
    }
}

#[test]
fn a_process_follows_its_seed_and_its_budget() {
    let masker = Background::new(background()).unwrap();
    let estimator = GpInteractions { n_coalitions: Some(40), ..Default::default() };
    let method = MaskedInteractions { estimator, masker };
    let explain = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let model = rugged();
        let run = Run { seed, ..Run::default() };
        let found = pool.install(|| method.explain(&model, &samples(), &run)).unwrap();
        // Five scores, 40 coalitions of four rows each, nobody once.
        assert_eq!((model.scored(), found.provenance.evaluations), (5 + 5 * 160 + 4, 5 + 5 * 160 + 4));
        assert!(found.completeness_residual().iter().all(|r| r.abs() < SUM));
        found
    };
    assert_eq!(explain(3, 1), explain(3, 3));
    assert_ne!(explain(3, 1).values, explain(4, 1).values);
    for index in InteractionIndex::ALL {
        let estimator = GpInteractions { index, order: 2, n_coalitions: Some(40) };
        let method = MaskedInteractions { estimator, masker: Background::new(background()).unwrap() };
        let found = method.explain(&rugged(), &samples(), &Run::default()).unwrap();
        let masker = Background::new(background()).unwrap();
        let exact = MaskedInteractions { estimator: ExactInteractions { index, order: 2 }, masker };
        let exact = exact.explain(&rugged(), &samples(), &Run::default()).unwrap();
        let missed: f64 = (&found.values - &exact.values).iter().map(|x| x * x).sum();
        let all: f64 = exact.values.iter().map(|x| x * x).sum();
        // Two thirds of all coalitions of a game with sets of four: what is left is noise to the process.
        assert!(missed < 0.2 * all, "{index}: {missed} of {all}");
    }
    for wrong in [GpInteractions { order: 5, ..estimator }, GpInteractions { n_coalitions: Some(59), ..estimator }] {
        assert!(matches!(wrong.coalitions(30), Err(Error::Parameter { .. })), "{wrong:?}");
    }
    let much = GpInteractions { n_coalitions: Some(5000), ..estimator };
    assert!(matches!(much.coalitions(30), Err(Error::TooLarge { .. })));
}
