//! TreeSHAP against the definition of the Shapley value, enumerated.

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use xai_core::trees::TreeParts;
use xai_core::{Explainer, Feature, Groups, Link, Run, TreeEnsemble};
use xai_local::tree::{Algorithm, InterventionalTreeShap, Nonlinear, OutputScale, TreeShap};

use crate::tree_zoo::{
    Forest, OUTPUTS, Rule, USED, Wood, bare, ensembles, lengthen, margins, pass_spare, plant, tables,
};

/// Sums of some dozen terms of size 1 to 10 in another order.
const ROUNDING: f64 = 1e-12;

/// Shapley values by the formula over all coalitions: (player, output).
pub fn shapley(n: usize, worth: impl Fn(usize) -> Vec<f64>) -> Array2<f64> {
    let worths: Vec<Vec<f64>> = (0..1 << n).map(worth).collect();
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    Array2::from_shape_fn((n, OUTPUTS), |(player, output)| {
        let mut sum = 0.0;
        for without in (0..1usize << n).filter(|s| s >> player & 1 == 0) {
            let size = without.count_ones() as usize;
            let weight = factorial(size) * factorial(n - 1 - size) / factorial(n);
            sum += weight * (worths[without | 1 << player][output] - worths[without][output]);
        }
        sum
    })
}

/// EXPVALUE of Lundberg et al. (2020), algorithm 1.
pub fn expected(trees: &TreeEnsemble, row: &[f64], present: &dyn Fn(usize) -> bool) -> Vec<f64> {
    fn below(trees: &TreeEnsemble, tree: usize, node: usize, row: &[f64], present: &dyn Fn(usize) -> bool) -> Vec<f64> {
        if trees.is_leaf(node) {
            return trees.leaf_values(tree, node).to_vec();
        }
        let feature = trees.feature[node] as usize;
        let (left, right) = (trees.left[node] as usize, trees.right[node] as usize);
        if present(feature) {
            return below(trees, tree, if trees.goes_left(node, row[feature]) { left } else { right }, row, present);
        }
        let share = |child: usize| if trees.cover[node] == 0.0 { 0.5 } else { trees.cover[child] / trees.cover[node] };
        let (a, b) = (below(trees, tree, left, row, present), below(trees, tree, right, row, present));
        a.iter().zip(b).map(|(a, b)| a * share(left) + b * share(right)).collect()
    }
    let mut scores = trees.base.clone();
    for tree in 0..trees.n_trees() {
        let values = below(trees, tree, trees.root(tree), row, present);
        trees.outputs_of(tree).zip(values).for_each(|(output, value)| scores[output] += value);
    }
    scores
}

/// The mean over the background of `scale` of the margins of the mixture.
pub fn mixed(
    trees: &TreeEnsemble,
    row: &[f64],
    background: &Array2<f64>,
    weights: &[f64],
    present: &dyn Fn(usize) -> bool,
    scale: &dyn Fn(Vec<f64>) -> Vec<f64>,
) -> Vec<f64> {
    let mut mean = vec![0.0; OUTPUTS];
    for (other, weight) in background.outer_iter().zip(weights) {
        let mixture: Vec<f64> = (0..row.len()).map(|f| if present(f) { row[f] } else { other[f] }).collect();
        mean.iter_mut().zip(scale(margins(trees, &mixture))).for_each(|(mean, score)| *mean += weight * score);
    }
    mean
}

/// The weights, so that they sum to 1.
pub fn shares_of(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// Compares values of the margins against a background with the enumeration over all columns.
pub fn check_values(model: &Forest, found: &Array3<f64>, rows: &Array2<f64>, background: &Array2<f64>, shares: &[f64]) {
    let n = rows.ncols();
    for (sample, row) in rows.outer_iter().enumerate() {
        let row = row.to_vec();
        let worth = |coalition: usize| {
            let mut mean = 0.0;
            for (other, share) in background.outer_iter().zip(shares) {
                let mixture = (0..n).map(|f| if coalition >> f & 1 == 1 { row[f] } else { other[f] });
                mean += share * margins(&model.0, &mixture.collect::<Vec<f64>>())[0];
            }
            vec![mean; OUTPUTS]
        };
        let wanted = shapley(n, worth);
        for player in 0..n {
            let (value, wanted) = (found[[sample, player, 0]], wanted[[player, 0]]);
            assert!((value - wanted).abs() <= ROUNDING, "player {player}: {value} for {wanted}");
        }
    }
}

/// The first two used columns as one player, the others alone; column c·`spread` is used.
pub fn pairs(spread: usize) -> Groups {
    let members = (0..USED * spread).filter(|&c| c != spread).map(|c| if c == 0 { vec![0, spread] } else { vec![c] });
    Groups { players: Feature::unnamed(USED * spread - 1), members: members.collect() }
}

/// The players that may matter, as sets of columns.
pub fn used_players(groups: Option<&Groups>, spread: usize) -> Vec<(usize, Vec<usize>)> {
    let all = match groups {
        Some(groups) => groups.members.clone(),
        None => (0..USED * spread).map(|c| vec![c]).collect(),
    };
    all.into_iter().enumerate().filter(|(_, columns)| columns.iter().any(|c| c % spread == 0)).collect()
}

/// Compares one sample's values with the enumeration over the players that may matter; all others must have 0.
fn compare(
    found: &Array3<f64>,
    sample: usize,
    players: &[(usize, Vec<usize>)],
    worth: impl Fn(&dyn Fn(usize) -> bool) -> Vec<f64>,
) -> std::result::Result<(), TestCaseError> {
    let present = |coalition: usize| {
        move |column: usize| {
            players.iter().enumerate().any(|(bit, (_, columns))| coalition >> bit & 1 == 1 && columns.contains(&column))
        }
    };
    let wanted = shapley(players.len(), |coalition| worth(&present(coalition)));
    let largest = wanted.iter().fold(1.0f64, |most, v| most.max(v.abs()));
    for player in 0..found.dim().1 {
        for output in 0..OUTPUTS {
            let value = found[[sample, player, output]];
            let wanted = players.iter().position(|(p, _)| *p == player).map_or(0.0, |bit| wanted[[bit, output]]);
            prop_assert!((value - wanted).abs() <= ROUNDING * largest, "player {player}: {value} for {wanted}");
        }
    }
    Ok(())
}

pub fn has_covers(trees: &TreeEnsemble) -> bool {
    let mut splits = (0..trees.n_nodes()).filter(|&n| !trees.is_leaf(n)).peekable();
    splits.peek().is_none() || splits.any(|n| trees.cover[n] > 0.0)
}

fn check_path_dependent(
    model: &crate::tree_zoo::Forest,
    rows: &Array2<f64>,
    groups: Option<Groups>,
    spread: usize,
) -> std::result::Result<(), TestCaseError> {
    let players = used_players(groups.as_ref(), spread);
    for algorithm in [Algorithm::Auto, Algorithm::Quadrature, Algorithm::Tables] {
        let found =
            TreeShap { groups: groups.clone(), algorithm, ..Default::default() }.explain(model, rows, &Run::default());
        if !has_covers(&model.0) {
            let refused = matches!(found, Err(xai_core::Error::Unsupported { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        let found = found.unwrap();
        for (sample, row) in rows.outer_iter().enumerate() {
            let row = row.to_vec();
            compare(&found.values, sample, &players, |present| expected(&model.0, &row, present))?;
            let base = expected(&model.0, &row, &|_| false);
            for (output, score) in margins(&model.0, &row).into_iter().enumerate() {
                let allowed = ROUNDING * base[output].abs().max(1.0);
                prop_assert!((found.base[[sample, output]] - base[output]).abs() <= allowed);
                prop_assert_eq!(found.scores[[sample, output]], score);
            }
        }
        let left = found.completeness_residual();
        prop_assert!(left.iter().all(|r| r.abs() <= 10.0 * ROUNDING), "{left}");
    }
    Ok(())
}

fn check_interventional(
    model: &crate::tree_zoo::Forest,
    rows: &Array2<f64>,
    background: &Array2<f64>,
    weighted: bool,
    groups: Option<Groups>,
    spread: usize,
) -> std::result::Result<(), TestCaseError> {
    let players = used_players(groups.as_ref(), spread);
    let n = background.nrows();
    let weights: Vec<f64> = (0..n).map(|i| if weighted { i as f64 } else { 1.0 }).map(|w| w + 1.0).collect();
    let shares = shares_of(&weights);
    for scale in [OutputScale::Margin, OutputScale::Prediction] {
        let link = if scale == OutputScale::Margin { Link::Identity } else { model.0.link };
        let method = InterventionalTreeShap {
            background: background.clone(),
            weights: weighted.then(|| weights.clone()),
            scale,
            nonlinear: Nonlinear::Exact,
            groups: groups.clone(),
        };
        let found = method.explain(model, rows, &Run::default()).unwrap();
        let apply = |mut scores: Vec<f64>| {
            link.apply(&mut scores);
            scores
        };
        for (sample, row) in rows.outer_iter().enumerate() {
            let row = row.to_vec();
            compare(&found.values, sample, &players, |p| mixed(&model.0, &row, background, &shares, p, &apply))?;
            let base = mixed(&model.0, &row, background, &shares, &|_| false, &apply);
            for (output, base) in base.into_iter().enumerate() {
                prop_assert!((found.base[[sample, output]] - base).abs() <= ROUNDING * base.abs().max(1.0));
            }
        }
        let largest = found.scores.iter().chain(&found.base).fold(1.0f64, |most, v| most.max(v.abs()));
        let left = found.completeness_residual();
        prop_assert!(left.iter().all(|r| r.abs() <= 10.0 * ROUNDING * largest), "{left}");
    }
    Ok(())
}

/// A path of 64 splits on five columns, left and right in turn, with a stump beside each: columns come back a dozen times.
#[test]
fn a_tree_of_depth_64_equals_enumeration() {
    let rule = |level: usize| Rule::below(level * 7 % 5, (level * 5 % 9) as f64 / 4.0 - 1.0);
    let stump = |level: usize| {
        let leaf = |i: usize| Wood::leaf((i * 37 % 11) as f64 - 5.0, (1 + i % 3) as f64);
        Wood::split(rule(level + 3), leaf(2 * level), leaf(2 * level + 1))
    };
    let wood = (0..64).rev().fold(Wood::leaf(1.0, 2.0), |below, level| match level % 2 {
        0 => Wood::split(rule(level), below, stump(level)),
        _ => Wood::split(rule(level), stump(level), below),
    });
    let mut parts = bare(USED, OUTPUTS);
    plant(&mut parts, &wood, Some(1));
    let model = Forest(TreeEnsemble::new(parts).unwrap());
    let rows = Array2::from_shape_fn((5, USED), |(i, j)| ((i * 31 + j * 17) % 23) as f64 / 9.0 - 1.2);
    check_path_dependent(&model, &rows, None, 1).unwrap();
}

proptest! {
    #[test]
    fn path_dependent_equals_enumeration(model in ensembles(1), rows in tables(1..=11, USED), grouped in any::<bool>()) {
        check_path_dependent(&model, &rows, grouped.then(|| pairs(1)), 1)?;
    }

    #[test]
    fn path_dependent_in_many_columns(model in ensembles(16), rows in tables(1..=3, 16 * USED), grouped in any::<bool>()) {
        check_path_dependent(&model, &rows, grouped.then(|| pairs(16)), 16)?;
    }

    #[test]
    fn interventional_equals_enumeration(
        model in ensembles(1),
        rows in tables(1..=4, USED),
        background in tables(1..=6, USED),
        weighted in any::<bool>(),
        grouped in any::<bool>(),
    ) {
        check_interventional(&model, &rows, &background, weighted, grouped.then(|| pairs(1)), 1)?;
    }

    /// −ln of the share that softmax gives to the label, for every label there can be.
    #[test]
    fn losses_of_classes_equal_enumeration(
        model in ensembles(1),
        rows in tables(1..=3, USED),
        background in tables(1..=4, USED),
        label in 0..OUTPUTS,
        grouped in any::<bool>(),
    ) {
        let trees = TreeEnsemble::new(TreeParts { link: Link::Softmax, ..model.0.clone().into_parts() }).unwrap();
        let groups = grouped.then(|| pairs(1));
        let players = used_players(groups.as_ref(), 1);
        let shares = vec![1.0 / background.nrows() as f64; background.nrows()];
        let method = InterventionalTreeShap {
            scale: OutputScale::Loss { labels: vec![label as f64; rows.nrows()] },
            nonlinear: Nonlinear::Exact,
            groups,
            ..InterventionalTreeShap::new(background.clone())
        };
        let found = method.explain(&Forest(trees.clone()), &rows, &Run::default()).unwrap();
        prop_assert_eq!(found.outputs.len(), 1);
        prop_assert_eq!(found.outputs[0].name.as_str(), "log loss");
        let loss = |scores: Vec<f64>| {
            let all: f64 = scores.iter().map(|x| x.exp()).sum();
            vec![-(scores[label].exp() / all).ln(); OUTPUTS]
        };
        for (sample, row) in rows.outer_iter().enumerate() {
            let row = row.to_vec();
            let worth = |coalition: usize| {
                let present = |column: usize| {
                    let holds = |(bit, (_, columns)): (usize, &(usize, Vec<usize>))| {
                        coalition >> bit & 1 == 1 && columns.contains(&column)
                    };
                    players.iter().enumerate().any(holds)
                };
                mixed(&trees, &row, &background, &shares, &present, &loss)
            };
            let wanted = shapley(players.len(), worth);
            let (none, all) = (worth(0)[0], worth((1 << players.len()) - 1)[0]);
            let allowed = 10.0 * ROUNDING * none.abs().max(all.abs()).max(1.0);
            prop_assert!((found.base[[sample, 0]] - none).abs() <= allowed);
            prop_assert!((found.scores[[sample, 0]] - all).abs() <= allowed);
            for (bit, (player, _)) in players.iter().enumerate() {
                let (value, wanted) = (found.values[[sample, *player, 0]], wanted[[bit, 0]]);
                prop_assert!((value - wanted).abs() <= allowed, "player {player}: {value} for {wanted}");
            }
        }
    }

    #[test]
    fn interventional_in_many_columns(
        model in ensembles(16),
        rows in tables(1..=2, 16 * USED),
        background in tables(1..=3, 16 * USED),
        weighted in any::<bool>(),
    ) {
        check_interventional(&model, &rows, &background, weighted, None, 16)?;
    }

    /// Many samples are looked up in tables or swept side by side, few are worked out alone: the bits are the same.
    #[test]
    fn a_sample_alone_gets_the_bits_of_many(
        model in ensembles(1),
        rows in tables(1..=3, USED),
        groups in any::<bool>(),
        swept in any::<bool>(),
    ) {
        prop_assume!(has_covers(&model.0));
        let algorithm = if swept { Algorithm::Quadrature } else { Algorithm::Auto };
        let method = TreeShap { groups: groups.then(|| pairs(1)), algorithm, ..Default::default() };
        let against = InterventionalTreeShap::new(rows.clone());
        let many = Array2::from_shape_fn((700, USED), |(sample, column)| rows[[sample % rows.nrows(), column]]);
        let run = Run::default();
        let all = [method.explain(&model, &many, &run).unwrap(), against.explain(&model, &many, &run).unwrap()];
        for sample in [0, 1, 2, 255, 256, 699] {
            let row = rows.select(ndarray::Axis(0), &[sample % rows.nrows()]);
            let alone = [method.explain(&model, &row, &run).unwrap(), against.explain(&model, &row, &run).unwrap()];
            for (many, alone) in all.iter().zip(&alone) {
                let many = many.values.index_axis(ndarray::Axis(0), sample);
                for (many, alone) in many.iter().zip(&alone.values) {
                    prop_assert_eq!(many.to_bits(), alone.to_bits());
                }
            }
        }
    }

    /// Paths with more players than a word has bits go another way through the code.
    #[test]
    fn long_paths_equal_enumeration(
        model in ensembles(16),
        rows in tables(1..=2, 16 * USED),
        background in tables(1..=3, 16 * USED),
        weighted in any::<bool>(),
    ) {
        let (model, rows, background) = (lengthen(&model, 16), pass_spare(rows, 16), pass_spare(background, 16));
        check_interventional(&model, &rows, &background, weighted, None, 16)?;
    }

    /// The rescaled values are the margin's for each background row, times the secant of the link.
    #[test]
    fn rescaled_values_are_margins_times_the_secant(
        model in ensembles(16),
        rows in tables(1..=3, 16 * USED),
        background in tables(1..=4, 16 * USED),
        long in any::<bool>(),
    ) {
        let (rows, background) = (pass_spare(rows, 16), pass_spare(background, 16));
        let model = if long { lengthen(&model, 16) } else { model };
        prop_assume!(model.0.link != Link::Softmax);
        let method = |background: Array2<f64>, scale| InterventionalTreeShap {
            scale,
            ..InterventionalTreeShap::new(background)
        };
        let run = Run::default();
        let found = method(background.clone(), OutputScale::Prediction).explain(&model, &rows, &run).unwrap();
        let mut wanted = Array3::<f64>::zeros(found.values.dim());
        let apply = |scores: &[f64]| {
            let mut scores = scores.to_vec();
            model.0.link.apply(&mut scores);
            scores
        };
        for z in background.outer_iter() {
            let one = z.to_owned().insert_axis(ndarray::Axis(0));
            let margin = method(one, OutputScale::Margin).explain(&model, &rows, &run).unwrap();
            let g = apply(&margins(&model.0, &z.to_vec()));
            for ((sample, player, output), wanted) in wanted.indexed_iter_mut() {
                let (a, b) = (margin.scores[[sample, output]], margin.base[[sample, output]]);
                if (a - b).abs() > 1e-3 {
                    let f = apply(&margin.scores.row(sample).to_vec());
                    let secant = (f[output] - g[output]) / (a - b);
                    *wanted += margin.values[[sample, player, output]] * secant / background.nrows() as f64;
                } else {
                    // Too close for a quotient: the derivative at the middle, by a wide central difference.
                    let at = |x: f64| apply(&[x; OUTPUTS])[output];
                    let (middle, step) = ((a + b) / 2.0, 1e-4);
                    let slope = (at(middle + step) - at(middle - step)) / (2.0 * step);
                    let smooth = !matches!(model.0.link, Link::Step | Link::SignedSquare);
                    prop_assume!(smooth);
                    *wanted += margin.values[[sample, player, output]] * slope / background.nrows() as f64;
                }
            }
        }
        let largest = wanted.iter().fold(1.0f64, |most, v| most.max(v.abs()));
        // A central difference of step 1e-4 is good to 1e-8 of the third derivative.
        let worst = (&found.values - &wanted).iter().fold(0.0f64, |most, v| most.max(v.abs()));
        prop_assert!(worst <= 1e-6 * largest, "{worst}");
        let left = found.completeness_residual();
        let scores = found.scores.iter().chain(&found.base).fold(1.0f64, |most, v| most.max(v.abs()));
        prop_assert!(left.iter().all(|r| r.abs() <= 1e-11 * scores), "{left}");
    }
}
