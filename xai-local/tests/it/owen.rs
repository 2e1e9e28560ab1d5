//! Owen values against the orders that a tree allows, and trees against their definition.

use ndarray::{Array2, array};
use proptest::prelude::*;
use xai_core::{Error, Game};
use xai_local::shapley::partition::Linkage;
use xai_local::shapley::{Ends, Estimator, ExactShap, OwenShap, PartitionTree, PermutationShap};

use crate::games::{Formula, owed, triples};

/// Sums of some thousand numbers of size ten in f64.
const ROUNDING: f64 = 1e-11;

/// The players of each part, by recursion.
fn players(tree: &PartitionTree, node: usize) -> Vec<usize> {
    match node.checked_sub(tree.n_players()) {
        None => vec![node],
        Some(part) => tree.parts()[part].iter().flat_map(|&member| players(tree, member)).collect(),
    }
}

/// The mean contribution over those of all orders in which the players of every part follow each other.
fn over_orders_of(tree: &PartitionTree, worth: &dyn Fn(&[bool]) -> f64) -> Vec<f64> {
    let n = tree.n_players();
    let parts: Vec<Vec<usize>> = (0..tree.parts().len()).map(|k| players(tree, n + k)).collect();
    let (mut sums, mut orders) = (vec![0.0; n], 0.0);
    let mut order: Vec<usize> = (0..n).collect();
    permute(&mut order, 0, &mut |order| {
        let stands_together = |part: &Vec<usize>| {
            let places: Vec<usize> = (0..n).filter(|&k| part.contains(&order[k])).collect();
            places[places.len() - 1] - places[0] + 1 == places.len()
        };
        if parts.iter().all(stands_together) {
            orders += 1.0;
            let mut present = vec![false; n];
            for &player in order {
                let before = worth(&present);
                present[player] = true;
                sums[player] += worth(&present) - before;
            }
        }
    });
    sums.iter().map(|sum| sum / orders).collect()
}

fn permute(order: &mut [usize], fixed: usize, tell: &mut dyn FnMut(&[usize])) {
    if fixed == order.len() {
        return tell(order);
    }
    for k in fixed..order.len() {
        order.swap(fixed, k);
        permute(order, fixed + 1, tell);
        order.swap(fixed, k);
    }
}

/// A random tree: two to four of the open nodes become a part until one is left.
fn some_tree(n: usize, choices: &[usize]) -> PartitionTree {
    let mut open: Vec<usize> = (0..n).collect();
    let mut parts = Vec::new();
    let mut choices = choices.iter().cycle();
    while open.len() > 1 {
        let size = (2 + choices.next().unwrap() % 3).min(open.len());
        let part = (0..size).map(|_| open.swap_remove(choices.next().unwrap() % open.len())).collect();
        parts.push(part);
        open.push(n + parts.len() - 1);
    }
    PartitionTree::new(n, parts).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn owen_values_average_the_orders_of_the_tree(
        n in 2usize..7, choices in prop::collection::vec(0usize..100, 20), table in prop::collection::vec(-10.0..10.0, 64),
    ) {
        let tree = some_tree(n, &choices);
        let worth = |present: &[bool]| table[present.iter().rev().fold(0, |index, &p| 2 * index + usize::from(p))];
        let expected = over_orders_of(&tree, &worth);
        let game = Formula::new(n, worth);
        let owen = OwenShap::new(tree.clone());
        let found = game.shares(&owen, 0).unwrap();
        for (player, expected) in expected.iter().enumerate() {
            prop_assert!((found.values[[player, 0]] - expected).abs() < ROUNDING);
        }
        let asked = game.asked.into_inner().unwrap();
        prop_assert_eq!(asked.len() as u64, tree.coalitions());
        prop_assert_eq!(owen.coalitions(n).unwrap(), tree.coalitions());
        prop_assert_eq!(found.coalitions, tree.coalitions());

        // And the mean over many orders comes near it.
        let sampled = OwenShap { tree, n_coalitions: Some(2 * (n - 1)) };
        if sampled.coalitions(n).unwrap() < owen.coalitions(n).unwrap() {
            let game = Formula::new(n, worth);
            let mut mean = vec![0.0; n];
            for seed in 0..400 {
                let values = game.shares(&sampled, seed).unwrap().values;
                (0..n).for_each(|player| mean[player] += values[[player, 0]] / 400.0);
            }
            for (mean, expected) in mean.iter().zip(&expected) {
                // A contribution is at most 20, and its spread over pairs of orders at most 10: six standard errors.
                prop_assert!((mean - expected).abs() < 6.0 * 10.0 / 20.0, "{} {}", mean, expected);
            }
        }
    }

    #[test]
    fn one_part_gives_shapley_values(n in 1usize..9, table in prop::collection::vec(-10.0..10.0, 256)) {
        let worth = |present: &[bool]| table[present.iter().rev().fold(0, |index, &p| 2 * index + usize::from(p))];
        let game = Formula::new(n, worth);
        let shapley = game.shares(&ExactShap, 0).unwrap().values;
        let owen = game.shares(&OwenShap::new(PartitionTree::flat(n)), 0).unwrap().values;
        prop_assert!((shapley - owen).iter().all(|d| d.abs() < ROUNDING));
    }

    /// The naive algorithm: look at all pairs of clusters, merge the nearest.
    #[test]
    fn clusters_are_those_of_the_definition(n in 2usize..9, cells in prop::collection::vec(-1.0..1.0, 12 * 8), complete: bool) {
        let data = Array2::from_shape_fn((12, n), |(row, column)| cells[row * 8 + column]);
        let rho = |i: usize, j: usize| {
            let mean = |k: usize| data.column(k).sum() / 12.0;
            let sum = |a: usize, b: usize| (0..12).map(|r| (data[[r, a]] - mean(a)) * (data[[r, b]] - mean(b))).sum::<f64>();
            sum(i, j) / (sum(i, i) * sum(j, j)).sqrt()
        };
        let far = |a: &[usize], b: &[usize]| {
            let all: Vec<f64> = a.iter().flat_map(|&i| b.iter().map(move |&j| (i, j))).map(|(i, j)| 1.0 - rho(i, j).abs()).collect();
            if complete { all.iter().copied().fold(0.0, f64::max) } else { all.iter().sum::<f64>() / all.len() as f64 }
        };
        let mut clusters: Vec<Vec<usize>> = (0..n).map(|k| vec![k]).collect();
        let mut expected = Vec::new();
        while clusters.len() > 1 {
            let pairs = (0..clusters.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
            let (i, j) = pairs.min_by(|a, b| far(&clusters[a.0], &clusters[a.1]).total_cmp(&far(&clusters[b.0], &clusters[b.1]))).unwrap();
            let mut merged = clusters.swap_remove(i);
            merged.append(&mut clusters.swap_remove(j));
            merged.sort_unstable();
            expected.push(merged.clone());
            clusters.push(merged);
        }
        let linkage = if complete { Linkage::Complete } else { Linkage::Average };
        let tree = PartitionTree::correlated(&data, linkage).unwrap();
        let mut found: Vec<Vec<usize>> = (0..n - 1).map(|k| players(&tree, n + k)).collect();
        found.iter_mut().for_each(|part| part.sort_unstable());
        prop_assert_eq!(found, expected);
    }
}

/// Owen 1977: two parts of a three-player majority game.
#[test]
fn majority_of_three() {
    let majority = Formula::new(3, |present: &[bool]| f64::from(u8::from(present.iter().filter(|p| **p).count() > 1)));
    let tree = PartitionTree::groups(3, &[vec![0, 1]]).unwrap();
    let values = majority.shares(&OwenShap::new(tree), 0).unwrap().values;
    assert_eq!(values, array![[0.5], [0.5], [0.0]]);
}

/// Over many seeds the standard errors are about as large as the errors are, and one part is what permutations give.
#[test]
fn sampled_owen_values_tell_their_error() {
    const SEEDS: u64 = 200;
    let tree = PartitionTree::groups(30, &[(0..10).collect(), (10..25).collect()]).unwrap();
    let exact = OwenShap { tree: tree.halved(), n_coalitions: Some(1 << 20) };
    let halved = OwenShap { tree: tree.halved(), n_coalitions: Some(580) };
    let truth = Formula::new(30, triples).shares(&exact, 0).unwrap();
    assert!(truth.standard_error.is_none() && truth.notes[0].starts_with("exact: all "));
    let (mut squared_error, mut variance) = (0.0, 0.0);
    for seed in 0..SEEDS {
        let estimate = Formula::new(30, triples).shares(&halved, seed).unwrap();
        assert!(estimate.coalitions <= 580);
        assert!((estimate.values.sum() - owed().iter().sum::<f64>()).abs() < ROUNDING);
        squared_error += (&estimate.values - &truth.values).iter().map(|e| e * e).sum::<f64>();
        variance += estimate.standard_error.unwrap().iter().map(|e| e * e).sum::<f64>();
    }
    let ratio = (variance / squared_error).sqrt();
    assert!((0.9..1.1).contains(&ratio), "standard errors are {ratio} of the errors");

    let flat = OwenShap { tree: PartitionTree::flat(30), n_coalitions: Some(580) };
    let pairs = PermutationShap { n_permutations: 20, antithetic: true };
    let spread = |estimator: &dyn Estimator| -> f64 {
        (0..40)
            .map(|seed| Formula::new(30, triples).shares(estimator, seed).unwrap().standard_error.unwrap().sum())
            .sum()
    };
    let ratio = spread(&flat) / spread(&pairs);
    assert!((0.95..1.05).contains(&ratio), "one part spreads {ratio} of permutations");
}

/// A balanced tree of pairs over 256 players takes some n² coalitions, and linear games are exact.
#[test]
fn hundreds_of_players_exactly() {
    let tree = PartitionTree::flat(256).halved();
    assert_eq!(tree.coalitions(), (0..8).map(|level| 2 * 4u64.pow(level)).sum::<u64>());
    let line = Formula::new(256, |present: &[bool]| (0..256).filter(|&p| present[p]).map(|p| p as f64).sum());
    let estimate = line.shares(&OwenShap { tree, n_coalitions: Some(1 << 16) }, 0).unwrap();
    assert!(estimate.values.iter().enumerate().all(|(player, value)| (value - player as f64).abs() < ROUNDING));
}

#[test]
fn trees_of_texts_and_places() {
    let text = "He said \"go.\" Then\nnothing\n\nThe end";
    let words = [0..2, 3..7, 8..13, 14..18, 19..26, 28..31, 32..35];
    let tree = PartitionTree::of_text(text, &words).unwrap();
    assert_eq!(tree.parts(), [vec![0, 1, 2], vec![7, 3, 4], vec![5, 6], vec![8, 9]]);
    assert_eq!(tree.halved().parts(), [vec![0, 1], vec![7, 2], vec![8, 3], vec![9, 4], vec![5, 6], vec![10, 11]]);
    for words in [[0..2, 1..4], [0..2, 3..200], [3..7, 0..2]] {
        let error = PartitionTree::of_text(text, &words).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }), "{error}");
    }
    assert_eq!(PartitionTree::of_text("", &[]).unwrap(), PartitionTree::flat(0));

    // A row of four and one far above its last.
    let places = array![[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [3.0, 9.0]];
    let tree = PartitionTree::by_place(&places).unwrap();
    assert_eq!(tree.parts(), [vec![0, 1], vec![3, 4], vec![2, 6], vec![5, 7]]);
    assert!(PartitionTree::by_place(&array![[f64::NAN]]).is_err());
}

#[test]
fn a_column_that_does_not_vary_stands_alone() {
    let data = array![[1.0, 2.0, 5.0, f64::NAN], [2.0, 4.0, 5.0, 1.0], [3.0, 6.5, 5.0, 3.0], [0.0, 0.0, 5.0, 1.0]];
    let tree = PartitionTree::correlated(&data, Linkage::default()).unwrap();
    assert_eq!(tree.parts(), [vec![0, 1], vec![4, 3], vec![5, 2]]);
    assert!(matches!(
        PartitionTree::correlated(&array![[f64::INFINITY]], Linkage::Complete),
        Err(Error::NonFinite { .. })
    ));
}

#[test]
fn trees_that_are_none_are_errors() {
    for (n, parts) in [
        (3, vec![vec![0, 1]]),
        (3, vec![vec![0, 1], vec![3, 2, 2]]),
        (3, vec![vec![0, 1, 4], vec![3, 2]]),
        (2, vec![vec![], vec![0, 1, 2]]),
        (2, vec![]),
    ] {
        let error = PartitionTree::new(n, parts.clone()).unwrap_err();
        assert!(matches!(error, Error::Parameter { .. }), "{error}");
        let stored = serde_json::json!({ "n_players": n, "parts": parts });
        assert!(serde_json::from_value::<PartitionTree>(stored).is_err());
    }
    assert!(PartitionTree::groups(3, &[vec![0, 3]]).is_err());
    assert!(PartitionTree::groups(3, &[vec![0, 1], vec![1, 2]]).is_err());
    let tree = PartitionTree::groups(4, &[vec![1, 3]]).unwrap();
    let stored = serde_json::to_string(&tree).unwrap();
    assert_eq!(serde_json::from_str::<PartitionTree>(&stored).unwrap(), tree);

    let game = Formula::new(5, |_: &[bool]| 0.0);
    let ends = Ends::of(&game).unwrap();
    let error = OwenShap::new(tree.clone()).estimate(&game, &ends, 0).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error}");
    assert_eq!(game.n_players(), 5);
    let scarce = OwenShap { tree, n_coalitions: Some(5) };
    assert!(matches!(scarce.coalitions(4), Err(Error::Parameter { .. })));
}
