//! TreeSHAP in single precision: against double precision, against the definition, and against itself.

use ndarray::{Array2, Axis, Slice};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Explainer, Run, TreeEnsemble};
use xai_local::tree::{Algorithm, Precision, TreeShap};

use crate::tree::{bits, grid, orchard_of};
use crate::tree_oracle::{expected, has_covers, pairs, shapley};
use crate::tree_zoo::{Forest, OUTPUTS, Rule, USED, Wood, ensembles, forest, tables};

/// Each number is rounded to 24 bits, by 6·10⁻⁸ at most: some dozen times on its way into a credit, and then with some
/// hundred others that are summed. What the leaves of a tree may give is the measure, since trees may cancel.
const SINGLE: f64 = 2e-6;
/// Many trees that do not conspire: 10⁻⁶ of the largest value, as the documentation has it.
const OF_THE_LARGEST: f64 = 1e-6;
/// Twice the same sums in double precision.
const ROUNDING: f64 = 1e-12;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Auto, Algorithm::Quadrature, Algorithm::Tables];

fn in_single(algorithm: Algorithm) -> TreeShap {
    TreeShap { algorithm, precision: Precision::Single, ..Default::default() }
}

/// What the trees may give at most.
fn size(trees: &TreeEnsemble) -> f64 {
    let leaves =
        |tree: usize| (trees.starts[tree] as usize..trees.starts[tree + 1] as usize).filter(|&n| trees.is_leaf(n));
    let largest = |tree: usize| {
        let values = leaves(tree).flat_map(|leaf| trees.leaf_values(tree, leaf));
        values.fold(0.0f64, |most, value| most.max(value.abs()))
    };
    (0..trees.n_trees()).map(largest).sum()
}

fn farthest(found: &Attribution, wanted: &Attribution) -> f64 {
    found.values.iter().zip(&wanted.values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn repeated(rows: &Array2<f64>, n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, rows.ncols()), |(sample, column)| rows[[sample % rows.nrows(), column]])
}

proptest! {
    /// Groups, categories, missing cells, covers of zero, leaves with several values; few samples and many.
    #[test]
    fn single_is_near_double(
        model in ensembles(1),
        rows in tables(1..=4, USED),
        many in any::<bool>(),
        grouped in any::<bool>(),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
    ) {
        prop_assume!(has_covers(&model.0));
        let rows = if many { repeated(&rows, 600) } else { rows };
        let single = TreeShap { groups: grouped.then(|| pairs(1)), ..in_single(algorithm) };
        let double = TreeShap { precision: Precision::Double, ..single.clone() };
        let found = single.explain(&model, &rows, &Run::default()).unwrap();
        let wanted = double.explain(&model, &rows, &Run::default()).unwrap();
        prop_assert_eq!(bits(found.scores.iter().copied()), bits(wanted.scores.iter().copied()));
        prop_assert_eq!(bits(found.base.iter().copied()), bits(wanted.base.iter().copied()));
        let allowed = SINGLE * size(&model.0);
        prop_assert!(farthest(&found, &wanted) <= allowed, "{} above {allowed}", farthest(&found, &wanted));
        let left = found.completeness_residual();
        prop_assert!(left.iter().all(|r| r.abs() <= allowed * USED as f64 + 10.0 * ROUNDING), "{left}");
    }

    #[test]
    fn single_is_near_the_definition(
        model in ensembles(1),
        rows in tables(1..=3, USED),
        many in any::<bool>(),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
    ) {
        prop_assume!(has_covers(&model.0));
        let samples = if many { repeated(&rows, 300) } else { rows.clone() };
        let found = in_single(algorithm).explain(&model, &samples, &Run::default()).unwrap();
        let allowed = SINGLE * size(&model.0) + ROUNDING;
        for (sample, row) in rows.outer_iter().enumerate() {
            let row = row.to_vec();
            let wanted = shapley(USED, |coalition| expected(&model.0, &row, &|column| coalition >> column & 1 == 1));
            for player in 0..USED {
                for output in 0..OUTPUTS {
                    let (value, wanted) = (found.values[[sample, player, output]], wanted[[player, output]]);
                    prop_assert!((value - wanted).abs() <= allowed, "player {player}: {value} for {wanted}");
                }
            }
        }
    }

    /// Tables, single samples and sweeps round alike, whatever the company.
    #[test]
    fn a_sample_alone_gets_the_bits_of_many_in_single(
        model in ensembles(1),
        rows in tables(1..=3, USED),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
    ) {
        prop_assume!(has_covers(&model.0));
        let many = in_single(algorithm).explain(&model, &repeated(&rows, 700), &Run::default()).unwrap();
        for sample in [0, 1, 2, 255, 256, 699] {
            let row = rows.select(Axis(0), &[sample % rows.nrows()]);
            let alone = in_single(algorithm).explain(&model, &row, &Run::default()).unwrap();
            let many = many.values.index_axis(Axis(0), sample);
            prop_assert_eq!(bits(many.iter().copied()), bits(alone.values));
        }
    }
}

/// More trees than are summed in single precision, and paths of up to nine players: tables of up to 512 entries.
#[test]
fn many_trees_in_single() {
    for (columns, n_trees, depth) in [(6, 60, 5), (40, 12, 7), (40, 4, 9)] {
        let (model, rows) = (orchard_of(columns, n_trees, depth), grid(700, columns));
        let wanted = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
        let found = in_single(Algorithm::Auto).explain(&model, &rows, &Run::default()).unwrap();
        let largest = wanted.values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let apart = farthest(&found, &wanted);
        assert!(apart > 0.0 && apart <= OF_THE_LARGEST * largest, "{apart} of {largest}");
        assert!(found.completeness_residual().iter().all(|r| r.abs() <= OF_THE_LARGEST * largest * 4.0));
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool(3).install(|| in_single(Algorithm::Auto).explain(&model, &rows, &Run::default()).unwrap());
        assert_eq!(bits(again.values), bits(found.values.iter().copied()));
        for (start, end) in [(0, 1), (1, 30), (120, 480)] {
            let part = rows.slice_axis(Axis(0), Slice::from(start..end));
            let part = in_single(Algorithm::Auto).explain(&model, &part, &Run::default()).unwrap();
            let whole = found.values.slice_axis(Axis(0), Slice::from(start..end));
            assert_eq!(bits(part.values), bits(whole.iter().copied()));
        }
    }
}

/// Twelve players on a path: swept.
#[test]
fn deep_trees_in_single() {
    let (model, rows) = (orchard_of(30, 2, 12), grid(40, 30));
    let wanted = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
    let found = in_single(Algorithm::Auto).explain(&model, &rows, &Run::default()).unwrap();
    let apart = farthest(&found, &wanted);
    assert!(apart > 0.0 && apart <= SINGLE * size(&model.0), "{apart}");
}

/// Leaves that single precision cannot hold are refused, not rounded away.
#[test]
fn leaves_out_of_range_are_refused_in_single() {
    let stump =
        |value: f64| forest(1, &[Wood::split(Rule::below(0, 0.0), Wood::leaf(0.0, 3.0), Wood::leaf(value, 1.0))]);
    let explain = |model: Forest, method: &TreeShap| method.explain(&model, &grid(2, 1), &Run::default());
    for value in [1e35, -1e-35] {
        let refused = explain(stump(value), &in_single(Algorithm::Auto));
        assert!(matches!(&refused, Err(Error::Unsupported { .. })), "{refused:?}");
        assert!(explain(stump(value), &TreeShap::default()).is_ok());
    }
    assert!(explain(stump(0.0), &in_single(Algorithm::Auto)).is_ok());
}

#[test]
fn the_provenance_says_what_single_precision_gives_up() {
    let (model, rows) = (orchard_of(3, 1, 2), grid(2, 3));
    let found = in_single(Algorithm::Auto).explain(&model, &rows, &Run::default()).unwrap();
    let text = serde_json::to_string(&found.provenance).unwrap();
    assert!(text.contains("single precision"), "{text}");
    let found = TreeShap::default().explain(&model, &rows, &Run::default()).unwrap();
    assert!(!serde_json::to_string(&found.provenance).unwrap().contains("single"));
    assert_eq!(serde_json::from_str::<TreeShap>(r#"{"precision": "single"}"#).unwrap(), in_single(Algorithm::Auto));
}
