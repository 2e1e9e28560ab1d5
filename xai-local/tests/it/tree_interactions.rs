//! Interactions of trees against their definitions, enumerated.

use ndarray::{Array2, Axis, Slice};
use proptest::prelude::*;
use xai_core::{Error, Explainer, Groups, InteractionIndex, Interactions, Run, Table};
use xai_local::tree::{InterventionalTreeInteractions, TreeInteractions};

use crate::indices::by_definition;
use crate::tree::{bits, grid, orchard};
use crate::tree_oracle::{expected, has_covers, mixed, pairs, used_players};
use crate::tree_zoo::{
    Forest, Rule, USED, Wood, chain, chain_share, ensembles, forest, lengthen, margins, pass_spare, tables,
};

/// Sums of some hundred terms of size 1 to 10 in another order.
const ROUNDING: f64 = 1e-11;
/// The definition of the faithful indices is solved as normal equations.
const SOLVED: f64 = 1e-8;

fn tolerance(index: InteractionIndex) -> f64 {
    if matches!(index, InteractionIndex::Fsii | InteractionIndex::Fbii) { SOLVED } else { ROUNDING }
}

/// Compares one sample's values with the definition over the players that may matter; no other set may be listed with
/// a value.
fn compare(
    found: &Interactions,
    sample: usize,
    players: &[(usize, Vec<usize>)],
    worth: impl Fn(&dyn Fn(usize) -> bool) -> Vec<f64>,
) -> std::result::Result<(), TestCaseError> {
    let n = players.len();
    let present = |coalition: usize| {
        move |column: usize| {
            players.iter().enumerate().any(|(bit, (_, columns))| coalition >> bit & 1 == 1 && columns.contains(&column))
        }
    };
    let worths: Vec<Vec<f64>> = (0..1 << n).map(|coalition| worth(&present(coalition))).collect();
    for output in 0..worths[0].len() {
        let worth: Vec<f64> = worths.iter().map(|w| w[output]).collect();
        let mut wanted = by_definition(found.index, found.order, n, &worth);
        let largest = wanted.iter().chain(&worth).fold(1.0f64, |most, v| most.max(v.abs()));
        let close = |a: f64, b: f64| (a - b).abs() <= tolerance(found.index) * largest;
        for (place, term) in found.terms.iter().enumerate() {
            let bits = term.iter().map(|p| players.iter().position(|(known, _)| known == p).map(|bit| 1usize << bit));
            let mask = bits.collect::<Option<Vec<_>>>().map(|bits| bits.into_iter().sum::<usize>());
            let wanted = mask.map_or(0.0, |mask| std::mem::take(&mut wanted[mask]));
            let value = found.values[[sample, place, output]];
            prop_assert!(close(value, wanted), "{} {} of {term:?}: {value} for {wanted}", found.index, found.order);
        }
        prop_assert!(wanted.iter().all(|&left| close(left, 0.0)), "not listed: {wanted:?}");
        prop_assert!(close(found.base[[sample, output]], worth[0]));
    }
    Ok(())
}

fn check_path_dependent(
    model: &Forest,
    rows: &Array2<f64>,
    (index, order): (InteractionIndex, usize),
    groups: Option<Groups>,
) -> std::result::Result<(), TestCaseError> {
    let players = used_players(groups.as_ref(), 1);
    let found = TreeInteractions { index, order, groups }.explain(model, rows, &Run::default());
    if !has_covers(&model.0) {
        let refused = matches!(found, Err(Error::Unsupported { .. }));
        prop_assert!(refused);
        return Ok(());
    }
    let found = found.unwrap();
    for (sample, row) in rows.outer_iter().enumerate() {
        let row = row.to_vec();
        compare(&found, sample, &players, |present| expected(&model.0, &row, present))?;
        prop_assert_eq!(found.scores.row(sample).to_vec(), margins(&model.0, &row));
    }
    if index.is_efficient() {
        let left = found.completeness_residual();
        prop_assert!(left.iter().all(|r| r.abs() <= 10.0 * ROUNDING), "{left}");
    }
    Ok(())
}

fn check_interventional(
    model: &Forest,
    rows: &Array2<f64>,
    background: &Array2<f64>,
    (index, order): (InteractionIndex, usize),
    weighted: bool,
    (groups, spread): (Option<Groups>, usize),
) -> std::result::Result<(), TestCaseError> {
    let players = used_players(groups.as_ref(), spread);
    let weights: Vec<f64> = (0..background.nrows()).map(|i| if weighted { i as f64 } else { 1.0 }).collect();
    prop_assume!(weights.iter().sum::<f64>() > 0.0);
    let total: f64 = weights.iter().sum();
    let shares: Vec<f64> = weights.iter().map(|w| w / total).collect();
    let method = InterventionalTreeInteractions {
        background: background.clone(),
        weights: weighted.then_some(weights),
        index,
        order,
        groups,
    };
    let found = method.explain(model, rows, &Run::default()).unwrap();
    for (sample, row) in rows.outer_iter().enumerate() {
        let row = row.to_vec();
        compare(&found, sample, &players, |p| mixed(&model.0, &row, background, &shares, p, &|scores| scores))?;
        prop_assert_eq!(found.scores.row(sample).to_vec(), margins(&model.0, &row));
    }
    Ok(())
}

fn indices() -> impl Strategy<Value = (InteractionIndex, usize)> {
    (prop::sample::select(InteractionIndex::ALL.to_vec()), 1usize..=5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn path_dependent_interactions_equal_enumeration(
        model in ensembles(1),
        rows in tables(1..=10, USED),
        index in indices(),
        grouped in any::<bool>(),
    ) {
        check_path_dependent(&model, &rows, index, grouped.then(|| pairs(1)))?;
    }

    #[test]
    fn interventional_interactions_equal_enumeration(
        model in ensembles(1),
        rows in tables(1..=4, USED),
        background in tables(1..=6, USED),
        index in indices(),
        weighted in any::<bool>(),
        grouped in any::<bool>(),
    ) {
        check_interventional(&model, &rows, &background, index, weighted, (grouped.then(|| pairs(1)), 1))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Paths with more players than a word has bits go another way through the code.
    #[test]
    fn long_paths_have_the_same_interactions(
        model in ensembles(16),
        rows in tables(1..=2, 16 * USED),
        background in tables(1..=3, 16 * USED),
        (index, order) in indices(),
        weighted in any::<bool>(),
    ) {
        let (model, rows, background) = (lengthen(&model, 16), pass_spare(rows, 16), pass_spare(background, 16));
        check_interventional(&model, &rows, &background, (index, order.min(2)), weighted, (None, 16))?;
    }
}

/// x0 < 0 and x1 < 0: 8; a quarter of the training rows each way.
fn corner() -> Forest {
    let inner = Wood::split(Rule::below(1, 0.0), Wood::leaf(8.0, 1.0), Wood::leaf(0.0, 1.0));
    forest(2, &[Wood::split(Rule::below(0, 0.0), inner, Wood::leaf(0.0, 2.0))])
}

#[test]
fn a_product_of_two_is_known_by_hand() {
    let rows = ndarray::array![[-1.0, -1.0], [1.0, -1.0]];
    let check = |index, order, wanted: [&[f64]; 2]| {
        let found = TreeInteractions { index, order, groups: None }.explain(&corner(), &rows, &Run::default()).unwrap();
        assert_eq!(found.terms[..2], [vec![0], vec![1]]);
        assert_eq!(found.base.column(0).to_vec(), [2.0, 2.0]);
        for (values, wanted) in found.values.index_axis(Axis(2), 0).outer_iter().zip(wanted) {
            assert!(values.iter().zip(wanted).all(|(v, w)| (v - w).abs() <= ROUNDING), "{index}: {values}");
        }
    };
    // v(∅) = 2, v(0) = v(1) = 4, v(01) = 8, and for the second sample 2, 0, 4, 0.
    check(InteractionIndex::Moebius, 2, [&[2.0, 2.0, 2.0], &[-2.0, 2.0, -2.0]]);
    check(InteractionIndex::Bii, 1, [&[3.0, 3.0], &[-3.0, 1.0]]);
    check(InteractionIndex::KSii, 2, [&[2.0, 2.0, 2.0], &[-2.0, 2.0, -2.0]]);
    check(InteractionIndex::Sii, 2, [&[3.0, 3.0, 2.0], &[-3.0, 1.0, -2.0]]);
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    for order in [0, 11] {
        let method = TreeInteractions { order, ..Default::default() };
        let refused = method.explain(&corner(), &ndarray::array![[0.0, 0.0]], &Run::default());
        assert!(matches!(refused, Err(Error::Parameter { name, .. }) if name == "order"));
    }
}

/// A path of d splits on d columns that a sample follows, each with a share c of the cover: ∫ (t + c·(1 − t))^(d − k) dt
/// times (1 − c)^k for sets of k. All sets of three of 600 would be 36 million.
#[test]
fn deep_paths_are_explained_or_refused() {
    for depth in [60usize, 600] {
        let (model, rows) = (chain(depth, depth, |level| level), Array2::from_elem((1, depth), -1.0));
        let method = TreeInteractions { index: InteractionIndex::Sii, order: 2, groups: None };
        let found = method.explain(&model, &rows, &Run::default()).unwrap();
        assert_eq!(found.terms.len(), depth + depth * (depth - 1) / 2);
        let c = chain_share(depth);
        for (term, &value) in found.terms.iter().zip(&found.values) {
            let (left, k) = (depth - term.len(), term.len() as i32);
            let wanted = (1.0 - c).powi(k - 1) * (1.0 - c.powi(left as i32 + 1)) / (left + 1) as f64;
            assert!((value - wanted).abs() <= ROUNDING * wanted, "{term:?} of {depth}: {value} for {wanted}");
        }
        let refused = TreeInteractions { order: 3, ..method }.explain(&model, &rows, &Run::default());
        assert_eq!(depth == 600, matches!(refused, Err(Error::TooLarge { .. })));
    }
}

/// Half a million sets of up to ten of 19 players, and some 200 million parts of them that k-SII would sum over.
#[test]
fn sums_that_no_memory_holds_are_refused() {
    let (model, rows) = (chain(19, 19, |level| level), Array2::from_elem((1, 19), -1.0));
    let method = TreeInteractions { index: InteractionIndex::KSii, order: 10, groups: None };
    match method.explain(&model, &rows, &Run::default()) {
        Err(Error::TooLarge { what, .. }) => assert!(what.contains("order 10"), "{what}"),
        other => panic!("{:?}", other.map(|found| found.terms.len())),
    }
}

#[test]
fn backgrounds_that_make_no_sense_are_refused() {
    let (model, row, run) = (corner(), ndarray::array![[0.0, 0.0]], Run::default());
    let refused = |method: InterventionalTreeInteractions| method.explain(&model, &row, &run).unwrap_err();
    let empty = InterventionalTreeInteractions::new(Array2::zeros((0, 2)));
    assert!(matches!(refused(empty), Error::Parameter { name, .. } if name == "background"));
    let narrow = InterventionalTreeInteractions::new(Array2::zeros((1, 1)));
    assert!(matches!(refused(narrow), Error::Shape { .. }));
    for weights in [vec![-1.0], vec![0.0], vec![f64::NAN]] {
        let plain = InterventionalTreeInteractions::new(row.clone());
        let odd = InterventionalTreeInteractions { weights: Some(weights), ..plain };
        assert!(matches!(refused(odd), Error::Parameter { name, .. } if name == "weights"));
    }
}

#[test]
fn interactions_have_the_same_bits_for_any_threads_and_batches() {
    let (model, rows) = (orchard(6), grid(150, 6));
    let order = 3;
    let methods = InteractionIndex::ALL.into_iter().flat_map(|index| {
        let against =
            InterventionalTreeInteractions { index, order, ..InterventionalTreeInteractions::new(grid(9, 6)) };
        let methods: [Box<dyn Explainer<Forest, Explanation = Interactions>>; 2] =
            [Box::new(TreeInteractions { index, order, groups: None }), Box::new(against)];
        methods
    });
    for method in methods {
        let explain = |threads: usize, rows: &Table| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bits(method.explain(&model, rows, &Run::default()).unwrap().values))
        };
        let whole = explain(1, &rows);
        assert_eq!(whole, explain(3, &rows));
        let width = whole.len() / rows.nrows();
        for (start, end) in [(0, 1), (1, 8), (60, 131)] {
            let part = rows.slice_axis(Axis(0), Slice::from(start..end));
            assert_eq!(explain(2, &part), whole[start * width..end * width]);
        }
    }
}
