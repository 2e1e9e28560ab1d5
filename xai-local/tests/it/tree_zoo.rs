//! Small tree models, drawn at random or grown by hand.

use ndarray::Array2;
use proptest::prelude::*;
use xai_core::trees::{CategoryRule, Comparison, LEAF, Missing, NO_SET, TreeParts};
use xai_core::{Link, Model, Result, Table, TreeEnsemble, TreeStructured};

/// A model that is nothing but its trees.
#[derive(Debug, Clone)]
pub struct Forest(pub TreeEnsemble);

impl Model for Forest {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.0.n_outputs
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut scores = Array2::zeros((batch.nrows(), self.0.n_outputs));
        for (row, mut scores) in batch.outer_iter().zip(scores.outer_iter_mut()) {
            scores.assign(&ndarray::Array1::from(margins(&self.0, &row.to_vec())));
        }
        Ok(scores)
    }
}

impl TreeStructured for Forest {
    fn trees(&self) -> &TreeEnsemble {
        &self.0
    }
}

/// The base and the leaves of all trees.
pub fn margins(trees: &TreeEnsemble, row: &[f64]) -> Vec<f64> {
    let mut scores = trees.base.clone();
    for tree in 0..trees.n_trees() {
        let values = trees.leaf_values(tree, trees.leaf_of(tree, row));
        trees.outputs_of(tree).zip(values).for_each(|(output, value)| scores[output] += value);
    }
    scores
}

/// A tree as a branching value.
#[derive(Debug, Clone)]
pub enum Wood {
    Leaf { values: Vec<f64>, cover: f64 },
    Split { rule: Rule, left: Box<Wood>, right: Box<Wood> },
}

/// How a split decides.
#[derive(Debug, Clone)]
pub struct Rule {
    pub feature: usize,
    pub threshold: f64,
    pub missing: Missing,
    pub default_left: bool,
    pub categories: Option<u32>,
}

impl Rule {
    /// Left when the column is below `threshold`.
    pub fn below(feature: usize, threshold: f64) -> Self {
        Rule { feature, threshold, missing: Missing::Nan, default_left: false, categories: None }
    }
}

impl Wood {
    pub fn leaf(value: f64, cover: f64) -> Self {
        Wood::Leaf { values: vec![value], cover }
    }

    pub fn split(rule: Rule, left: Wood, right: Wood) -> Self {
        Wood::Split { rule, left: Box::new(left), right: Box::new(right) }
    }
}

/// An ensemble without trees.
pub fn bare(n_features: usize, n_outputs: usize) -> TreeParts {
    TreeParts {
        n_features,
        n_outputs,
        base: vec![0.0; n_outputs],
        link: Link::Identity,
        comparison: Comparison::DOUBLE_LESS,
        category_rule: CategoryRule::RejectNegative,
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
        sets: vec![],
        values: vec![],
    }
}

/// Adds a node without children and returns its place.
pub fn push(parts: &mut TreeParts, rule: Option<&Rule>, cover: f64) -> usize {
    let set = rule.and_then(|r| r.categories).map(|set| {
        parts.sets.push(vec![set]);
        parts.sets.len() as u32 - 1
    });
    parts.feature.push(rule.map_or(LEAF, |r| r.feature as u32));
    parts.threshold.push(rule.map_or(0.0, |r| r.threshold));
    parts.missing.push(rule.map_or(Missing::Nan, |r| r.missing));
    parts.default_left.push(rule.is_some_and(|r| r.default_left));
    parts.set.push(set.unwrap_or(NO_SET));
    parts.cover.push(cover);
    parts.left.push(0);
    parts.right.push(0);
    parts.feature.len() - 1
}

/// Adds a leaf and returns its place.
pub fn push_leaf(parts: &mut TreeParts, values: &[f64], cover: f64) -> usize {
    let node = push(parts, None, cover);
    parts.left[node] = parts.values.len() as u32;
    parts.values.extend(values);
    node
}

/// Closes a tree whose nodes have been pushed.
pub fn close(parts: &mut TreeParts, output: Option<u32>) {
    parts.starts.push(parts.feature.len() as u32);
    parts.tree_output.push(output);
}

/// Adds a tree; a leaf has as many values as `output` asks for.
pub fn plant(parts: &mut TreeParts, wood: &Wood, output: Option<u32>) {
    fn grow(parts: &mut TreeParts, wood: &Wood, width: usize) -> usize {
        match wood {
            Wood::Leaf { values, cover } => push_leaf(parts, &values[..width], *cover),
            Wood::Split { rule, left, right } => {
                let node = push(parts, Some(rule), 0.0);
                let children = (grow(parts, left, width), grow(parts, right, width));
                (parts.left[node], parts.right[node]) = (children.0 as u32, children.1 as u32);
                parts.cover[node] = parts.cover[children.0] + parts.cover[children.1];
                node
            }
        }
    }
    let width = if output.is_some() { 1 } else { parts.n_outputs };
    grow(parts, wood, width);
    close(parts, output);
}

/// A model with one output and the given trees.
pub fn forest(n_features: usize, woods: &[Wood]) -> Forest {
    let mut parts = bare(n_features, 1);
    woods.iter().for_each(|wood| plant(&mut parts, wood, Some(0)));
    Forest(TreeEnsemble::new(parts).unwrap())
}

/// The share of the cover that a split of a [`chain`] sends on: half, or more where that would leave no cover.
pub fn chain_share(depth: usize) -> f64 {
    if depth <= 500 { 0.5 } else { 2f64.powf(-1900.0 / depth as f64) }
}

/// A path of splits, each on the column that `feature` names: left (below 0) goes on, right leaves with 0. Who passes
/// them all gets 1.
pub fn chain(n_features: usize, depth: usize, feature: impl Fn(usize) -> usize) -> Forest {
    let mut parts = bare(n_features, 1);
    let share = chain_share(depth);
    let mut node = push(&mut parts, Some(&Rule::below(feature(0), 0.0)), 2f64.powi(1000));
    for level in 1..=depth {
        let cover = parts.cover[node];
        let right = push_leaf(&mut parts, &[0.0], cover * (1.0 - share));
        let left = if level == depth {
            push_leaf(&mut parts, &[1.0], cover * share)
        } else {
            push(&mut parts, Some(&Rule::below(feature(level), 0.0)), cover * share)
        };
        (parts.left[node], parts.right[node]) = (left as u32, right as u32);
        node = left;
    }
    close(&mut parts, Some(0));
    Forest(TreeEnsemble::new(parts).unwrap())
}

/// The number of columns that random trees split on.
pub const USED: usize = 5;
/// The number of outputs of random ensembles.
pub const OUTPUTS: usize = 2;

fn rule() -> impl Strategy<Value = Rule> {
    let missing = prop_oneof![4 => Just(Missing::Nan), 1 => Just(Missing::Zero), 1 => Just(Missing::Never)];
    (0..USED, -2i32..=2, missing, any::<bool>(), prop::option::weighted(0.25, 0u32..64)).prop_map(
        |(feature, half, missing, default_left, categories)| Rule {
            feature,
            threshold: f64::from(half) / 2.0,
            missing,
            default_left,
            categories,
        },
    )
}

fn wood() -> impl Strategy<Value = Wood> {
    let cover = prop_oneof![1 => Just(0.0), 4 => 0.01f64..20.0];
    let leaf = (prop::collection::vec(-3.0f64..3.0, OUTPUTS), cover);
    let leaf = leaf.prop_map(|(values, cover)| Wood::Leaf { values, cover });
    leaf.prop_recursive(7, 40, 2, |inner| {
        (rule(), inner.clone(), inner).prop_map(|(rule, left, right)| Wood::split(rule, left, right))
    })
}

/// An ensemble of trees with and without an output of their own, over `spread`·[`USED`] columns of which every
/// `spread`-th may be used.
pub fn ensembles(spread: usize) -> impl Strategy<Value = Forest> {
    let tree = (wood(), prop::option::of(0..OUTPUTS as u32));
    let trees = prop::collection::vec(tree, 0..4);
    let link = prop_oneof![
        Just(Link::Identity),
        Just(Link::LOGISTIC),
        Just(Link::Logistic { slope: 0.7 }),
        Just(Link::Logistic { slope: -1.3 }),
        Just(Link::Exp),
        Just(Link::Softplus),
        Just(Link::SignedSquare),
        Just(Link::Step),
        Just(Link::Softmax)
    ];
    (trees, any::<[bool; 3]>(), link).prop_map(move |(trees, [single, strict, truncate], link)| {
        let mut parts = bare(USED * spread, OUTPUTS);
        parts.base = vec![0.25, -1.0];
        parts.link = link;
        parts.comparison = Comparison { single, strict };
        parts.category_rule = if truncate { CategoryRule::TruncateFirst } else { CategoryRule::RejectNegative };
        for (wood, output) in &trees {
            plant(&mut parts, wood, *output);
        }
        parts.feature.iter_mut().filter(|f| **f != LEAF).for_each(|f| *f *= spread as u32);
        Forest(TreeEnsemble::new(parts).unwrap())
    })
}

/// Tables with cells on thresholds, a hair beside them, missing, infinite, and of odd categories.
pub fn tables(rows: std::ops::RangeInclusive<usize>, columns: usize) -> impl Strategy<Value = Array2<f64>> {
    let cell = prop_oneof![
        4 => (-3i32..=6).prop_map(|half| f64::from(half) / 2.0),
        2 => -2.0f64..2.0,
        1 => Just(f64::NAN),
        1 => prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.5 - 1e-12, -0.0, 1e-36, -0.5, 70.0]),
    ];
    rows.prop_flat_map(move |rows| {
        prop::collection::vec(cell.clone(), rows * columns)
            .prop_map(move |cells| Array2::from_shape_vec((rows, columns), cells).unwrap())
    })
}

/// The same model with 65 splits on columns of their own above each tree. Who has −1 in the columns that `spread` does
/// not divide passes them all; against others of that kind the added splits do nothing but make the paths long.
pub fn lengthen(model: &Forest, spread: usize) -> Forest {
    let old = model.0.clone().into_parts();
    let mut parts =
        TreeParts { base: old.base.clone(), sets: old.sets.clone(), values: old.values.clone(), ..bare(0, 0) };
    (parts.n_features, parts.n_outputs, parts.link) = (old.n_features, old.n_outputs, old.link);
    (parts.comparison, parts.category_rule) = (old.comparison, old.category_rule);
    let spare: Vec<usize> = (0..old.n_features).filter(|c| c % spread != 0).take(65).collect();
    assert_eq!(spare.len(), 65);
    for (tree, ends) in old.starts.windows(2).enumerate() {
        let width = if old.tree_output[tree].is_some() { 1 } else { old.n_outputs };
        for &column in &spare {
            let node = push(&mut parts, Some(&Rule::below(column, 0.0)), 1.0);
            let leaf = push_leaf(&mut parts, &vec![99.0; width], 0.0);
            (parts.left[node], parts.right[node]) = (leaf as u32 + 1, leaf as u32);
        }
        let shift = parts.feature.len() as u32 - ends[0];
        for node in ends[0] as usize..ends[1] as usize {
            let by = if old.feature[node] == LEAF { 0 } else { shift };
            parts.feature.push(old.feature[node]);
            parts.threshold.push(old.threshold[node]);
            parts.left.push(old.left[node] + by);
            parts.right.push(old.right[node] + by);
            parts.missing.push(old.missing[node]);
            parts.default_left.push(old.default_left[node]);
            parts.set.push(old.set[node]);
            parts.cover.push(old.cover[node]);
        }
        close(&mut parts, old.tree_output[tree]);
    }
    Forest(TreeEnsemble::new(parts).unwrap())
}

/// The table with −1 in the columns that `spread` does not divide.
pub fn pass_spare(mut table: Array2<f64>, spread: usize) -> Array2<f64> {
    for (column, mut cells) in table.columns_mut().into_iter().enumerate() {
        if column % spread != 0 {
            cells.fill(-1.0);
        }
    }
    table
}
