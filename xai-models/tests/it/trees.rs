//! Prediction with trees against a walk that shares nothing with it.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand08::rngs::StdRng;
use rand08::seq::SliceRandom;
use rand08::{Rng, SeedableRng};
use xai_core::trees::{CategoryRule, Comparison, Missing};
use xai_core::{Error, Feature, Link, Model, Output, Table, TreeEnsemble};
use xai_models::trees::{Split, TreeBuilder, TreeModel};

/// Thresholds and cells that decide close calls: zeros of both signs, numbers that are none in f32, neighbours in f32,
/// what LightGBM takes for zero, infinities.
const NUMBERS: [f64; 15] = [
    -1.0,
    -0.5,
    -1e-36,
    -0.0,
    0.0,
    1e-36,
    1e-30,
    0.1,
    0.100_000_001_490_116_12,
    0.3,
    1.0,
    7.0,
    33.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

/// What a split tests: a threshold or a set of categories.
type Test = Result<f64, Vec<u32>>;

/// A tree to be added, as nested as it grows.
enum Sketch {
    Leaf(Vec<f64>),
    Node(Split, Test, Box<[Sketch; 2]>),
}

fn sketch(random: &mut StdRng, n_features: usize, n_values: usize, depth: usize) -> Sketch {
    if depth == 0 || random.gen_ratio(1, 5) {
        return Sketch::Leaf((0..n_values).map(|_| random.gen_range(-1.0..1.0)).collect());
    }
    let split = Split {
        feature: random.gen_range(0..n_features) as u32,
        left: 0,
        right: 0,
        default_left: random.gen_bool(0.5),
        missing: *[Missing::Nan, Missing::Zero, Missing::Never].choose(random).unwrap(),
    };
    let test = match random.gen_bool(0.7) {
        true => Ok(*NUMBERS.choose(random).unwrap()),
        false => Err((0..random.gen_range(0..3)).map(|_| random.r#gen()).collect()),
    };
    let child = |random: &mut StdRng| sketch(random, n_features, n_values, depth - 1);
    Sketch::Node(split, test, Box::new([child(random), child(random)]))
}

/// A tree whose every split has a leaf: too deep to be padded.
fn chain(random: &mut StdRng, n_features: usize, n_values: usize, depth: usize) -> Sketch {
    let missing = *[Missing::Nan, Missing::Never].choose(random).unwrap();
    let mut tree = sketch(random, n_features, n_values, 0);
    for _ in 0..depth {
        let (feature, default_left) = (random.gen_range(0..n_features) as u32, random.gen_bool(0.5));
        let split = Split { feature, left: 0, right: 0, default_left, missing };
        let mut children = [tree, sketch(random, n_features, n_values, 0)];
        children.shuffle(random);
        tree = Sketch::Node(split, Ok(*NUMBERS.choose(random).unwrap()), Box::new(children));
    }
    tree
}

/// Appends a tree to a list of nodes; children stand in places that are known only then.
fn flatten(tree: Sketch, nodes: &mut Vec<Option<(Split, Test)>>, values: &mut Vec<Vec<f64>>) -> u32 {
    let place = nodes.len();
    nodes.push(None);
    values.push(Vec::new());
    match tree {
        Sketch::Leaf(leaf) => values[place] = leaf,
        Sketch::Node(split, test, children) => {
            let [left, right] = *children;
            let left = flatten(left, nodes, values);
            let right = flatten(right, nodes, values);
            nodes[place] = Some((Split { left, right, ..split }, test));
        }
    }
    place as u32
}

fn random_ensemble(random: &mut StdRng) -> TreeEnsemble {
    let (n_features, n_outputs) = (random.gen_range(1..5), random.gen_range(1..4_usize));
    let comparison = Comparison { single: random.r#gen(), strict: random.r#gen() };
    let base = (0..n_outputs).map(|_| random.gen_range(-1.0..1.0)).collect();
    let mut builder = TreeBuilder::new(n_features, base, Link::Identity, comparison);
    builder.category_rule(if random.r#gen() { CategoryRule::RejectNegative } else { CategoryRule::TruncateFirst });
    for _ in 0..random.gen_range(0..6) {
        let output = random.gen_bool(0.7).then(|| random.gen_range(0..n_outputs) as u32);
        let n_values = if output.is_some() { 1 } else { n_outputs };
        let depth = random.gen_range(0..6);
        let (mut nodes, mut values) = (Vec::new(), Vec::new());
        let tree = match random.gen_ratio(1, 4) {
            true => chain(random, n_features, n_values, 3 * depth),
            false => sketch(random, n_features, n_values, depth),
        };
        flatten(tree, &mut nodes, &mut values);
        builder.start_tree(output);
        for (node, values) in nodes.into_iter().zip(values) {
            match node {
                None => builder.leaf(&values, 1.0),
                Some((split, Ok(threshold))) => builder.number_split(split, threshold, 1.0),
                Some((split, Err(set))) => builder.category_split(split, set, 1.0),
            }
        }
    }
    builder.finish().unwrap()
}

fn random_rows(random: &mut StdRng, n: usize, n_features: usize) -> Array2<f64> {
    Array2::from_shape_simple_fn((n, n_features), || match random.gen_range(0..4) {
        0 => f64::NAN,
        1 => f64::from(random.gen_range(-2..80)),
        2 => random.gen_range(-2.0..2.0),
        _ => *NUMBERS.choose(random).unwrap(),
    })
}

/// One row after another, one tree after another.
fn one_by_one(trees: &TreeEnsemble, rows: &Table) -> Array2<f64> {
    let mut scores = Array2::zeros((rows.nrows(), trees.n_outputs));
    for (row, mut scores) in rows.outer_iter().zip(scores.outer_iter_mut()) {
        for tree in 0..trees.n_trees() {
            let leaf = trees.leaf_of(tree, &row.to_vec());
            for (output, value) in trees.outputs_of(tree).zip(trees.leaf_values(tree, leaf)) {
                scores[output] += value;
            }
        }
        scores.iter_mut().zip(&trees.base).for_each(|(score, base)| *score += base);
    }
    scores
}

fn model(trees: TreeEnsemble) -> TreeModel {
    let (features, outputs) = (Feature::unnamed(trees.n_features), Output::unnamed(trees.n_outputs));
    TreeModel::new(trees, features, outputs).unwrap()
}

fn bits(scores: &Table) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

proptest! {
    #[test]
    fn compact_equals_leaf_of(seed: u64, n in 0..90_usize) {
        let mut random = StdRng::seed_from_u64(seed);
        let trees = random_ensemble(&mut random);
        let rows = random_rows(&mut random, n, trees.n_features);
        let expected = one_by_one(&trees, &rows);
        prop_assert_eq!(bits(&model(trees).predict(&rows).unwrap()), bits(&expected));
    }

    #[test]
    fn predictions_ignore_the_batch_cut(seed: u64, n in 0..200_usize) {
        let mut random = StdRng::seed_from_u64(seed);
        let model = model(random_ensemble(&mut random));
        let rows = random_rows(&mut random, n, model.features().len());
        let whole = model.predict(&rows).unwrap();
        let by_columns = rows.t().as_standard_layout().into_owned().reversed_axes();
        prop_assert_eq!(bits(&model.predict(&by_columns).unwrap()), bits(&whole));
        for (i, row) in rows.outer_iter().enumerate() {
            let alone = model.predict(&row.insert_axis(Axis(0))).unwrap();
            prop_assert_eq!(bits(&alone), bits(&whole.slice_axis(Axis(0), (i..=i).into())));
        }
    }
}

#[test]
fn a_batch_of_another_width_is_refused() {
    let mut builder = TreeBuilder::new(2, vec![0.0], Link::LOGISTIC, Comparison::DOUBLE_LESS);
    builder.start_tree(Some(0));
    builder.leaf(&[3.0], 1.0);
    let model = model(builder.finish().unwrap());
    let error = model.predict(&Array2::zeros((4, 3))).unwrap_err();
    assert!(matches!(error, Error::Shape { expected, found, .. } if expected == [2] && found == [3]));
    assert!(model.clone().renamed(Feature::unnamed(3), Output::unnamed(1)).is_err());
    let predictions = model.predictions(&Array2::zeros((4, 2))).unwrap();
    assert!(predictions.iter().all(|p| (p - 1.0 / (1.0 + (-3.0_f64).exp())).abs() < 1e-15));
}
