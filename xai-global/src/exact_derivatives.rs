//! What each feature of a tree ensemble adds when all others are present.

use std::rc::Rc;

use ndarray::{Array2, Axis};
use rayon::prelude::*;
use xai_core::{Table, TreeEnsemble};

use crate::exact_leaves::{LeafPaths, Rows, Walk};

/// The shares of the data that follow the splits of single columns on each path.
pub(crate) struct LastDerivatives {
    trees: Vec<TreeShares>,
}

struct TreeShares {
    paths: LeafPaths,
    /// Aligned with the columns of the paths.
    follow: Vec<f64>,
}

impl LastDerivatives {
    /// # Cost
    /// Samples × splits.
    pub(crate) fn new(trees: &TreeEnsemble, batch: &Table, weights: Option<&[f64]>) -> Self {
        let rows = Rows::new(batch, weights);
        let of_tree = |tree: usize| {
            let paths = LeafPaths::new(trees, tree);
            let follow = following(trees, tree, &paths, &rows);
            TreeShares { paths, follow }
        };
        LastDerivatives { trees: (0..trees.n_trees()).into_par_iter().map(of_tree).collect() }
    }

    /// The score less the mean score with the feature taken from the data instead: (sample, feature · output).
    ///
    /// Only leaves that a sample reaches but for one column can change with that column.
    pub(crate) fn of(&self, trees: &TreeEnsemble, samples: &Table) -> Array2<f64> {
        let n_outputs = trees.n_outputs;
        let mut found = Array2::zeros((samples.nrows(), trees.n_features * n_outputs));
        found.axis_iter_mut(Axis(0)).into_par_iter().enumerate().for_each_init(
            || (Walk::default(), Vec::new()),
            |(walk, cells), (sample, mut found)| {
                cells.clear();
                cells.extend(samples.row(sample));
                for (tree, TreeShares { paths, follow }) in self.trees.iter().enumerate() {
                    paths.near(trees, tree, cells, 1, walk);
                    for (node, missed) in walk.found() {
                        let leaf = paths.place(trees, tree, node);
                        let first = paths.first_column(leaf);
                        let mut add = |place: usize, follows: f64| {
                            let gain = follows - follow[first + place];
                            let column = paths.columns(leaf)[place] as usize;
                            let values = trees.leaf_values(tree, node);
                            for (output, value) in trees.outputs_of(tree).zip(values) {
                                found[column * n_outputs + output] += gain * value;
                            }
                        };
                        match missed {
                            None => (0..paths.columns(leaf).len()).for_each(|place| add(place, 1.0)),
                            Some(place) => add(place, 0.0),
                        }
                    }
                }
            },
        );
        found
    }
}

/// The rows that have followed the splits on a column so far, and their share.
type Followers = (Rc<[u32]>, f64);

/// For each column of each path, the share of the rows that follow its splits there.
fn following(trees: &TreeEnsemble, tree: usize, paths: &LeafPaths, rows: &Rows) -> Vec<f64> {
    let mut follow = vec![0.0; paths.n_columns()];
    let everybody: Rc<[u32]> = (0..rows.shares.len() as u32).collect();
    // The node, and what is known of each column of the path.
    let mut stack: Vec<(usize, Vec<Followers>)> = vec![(trees.root(tree), Vec::new())];
    while let Some((node, path)) = stack.pop() {
        let place = paths.place(trees, tree, node);
        if trees.is_leaf(node) {
            let first = paths.first_column(place);
            path.iter().enumerate().for_each(|(at, (_, share))| follow[first + at] = *share);
            continue;
        }
        let column = trees.feature[node] as usize;
        let (before, _) = path.get(place).cloned().unwrap_or_else(|| (Rc::clone(&everybody), 1.0));
        let (left, right): (Vec<u32>, Vec<u32>) =
            before.iter().partition(|&&row| trees.goes_left(node, rows.row(row as usize)[column]));
        for (child, kept) in [(trees.right[node], right), (trees.left[node], left)] {
            let share = kept.iter().map(|&row| rows.shares[row as usize]).sum();
            let mut path = path.clone();
            match path.get_mut(place) {
                Some(entry) => *entry = (kept.into(), share),
                None => path.push((kept.into(), share)),
            }
            stack.push((child as usize, path));
        }
    }
    follow
}
