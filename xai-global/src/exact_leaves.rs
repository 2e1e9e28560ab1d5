//! Which share of the data would reach each leaf of a tree if it were free in a column or two.

use xai_core::{Error, Result, Table, TreeEnsemble};

/// The most memory for the shares of one tree.
const MOST_BYTES: u64 = 1 << 30;

/// No place on a path.
const NONE: u32 = u32::MAX;

/// Weighted rows of data.
pub(crate) struct Rows {
    /// One after another: (row, feature).
    cells: Vec<f64>,
    width: usize,
    /// Their weights, which sum to 1: (row).
    pub(crate) shares: Vec<f64>,
}

impl Rows {
    /// The rows of a table with at least one row and weights that have been checked.
    pub(crate) fn new(batch: &Table, weights: Option<&[f64]>) -> Self {
        let n = batch.nrows();
        let shares = match weights {
            None => vec![1.0 / n as f64; n],
            Some(weights) => {
                let total: f64 = weights.iter().sum();
                weights.iter().map(|w| w / total).collect()
            }
        };
        Rows { cells: batch.iter().copied().collect(), width: batch.ncols(), shares }
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.width..(row + 1) * self.width]
    }
}

/// The leaves of one tree and the distinct columns of their paths.
pub(crate) struct LeafPaths {
    /// The place of a split's column among the columns of its path, or a leaf's number: (node of the tree).
    place: Vec<u32>,
    /// The columns of the paths: those of the first leaf, then those of the next.
    columns: Vec<u32>,
    /// Where each leaf's columns start, and at the end their number: (leaf + 1).
    first_column: Vec<usize>,
}

impl LeafPaths {
    pub(crate) fn new(trees: &TreeEnsemble, tree: usize) -> Self {
        let root = trees.root(tree);
        let place = vec![0; trees.nodes(tree).len()];
        let mut found = LeafPaths { place, columns: Vec::new(), first_column: vec![0] };
        let (mut path, mut stack) = (Vec::<u32>::new(), vec![(root, 0)]);
        while let Some((node, above)) = stack.pop() {
            path.truncate(above);
            if trees.is_leaf(node) {
                found.place[node - root] = found.n_leaves() as u32;
                found.columns.extend_from_slice(&path);
                found.first_column.push(found.columns.len());
                continue;
            }
            let column = trees.feature[node];
            let place = path.iter().position(|&c| c == column).unwrap_or_else(|| {
                path.push(column);
                path.len() - 1
            });
            found.place[node - root] = place as u32;
            stack.push((trees.right[node] as usize, path.len()));
            stack.push((trees.left[node] as usize, path.len()));
        }
        found
    }

    pub(crate) fn n_leaves(&self) -> usize {
        self.first_column.len() - 1
    }

    /// The number of columns of all paths together.
    pub(crate) fn n_columns(&self) -> usize {
        self.columns.len()
    }

    /// The place of a split's column among the distinct columns of its path, or the number of a leaf.
    pub(crate) fn place(&self, trees: &TreeEnsemble, tree: usize, node: usize) -> usize {
        self.place[node - trees.root(tree)] as usize
    }

    /// Where a leaf's columns start among those of all leaves.
    pub(crate) fn first_column(&self, leaf: usize) -> usize {
        self.first_column[leaf]
    }

    /// The distinct columns of a leaf's path.
    pub(crate) fn columns(&self, leaf: usize) -> &[u32] {
        &self.columns[self.first_column[leaf]..self.first_column[leaf + 1]]
    }

    /// Finds the leaves of which a row misses at most `most` columns: one or two. It misses a column when it does not
    /// follow all splits on it.
    pub(crate) fn near(&self, trees: &TreeEnsemble, tree: usize, row: &[f64], most: usize, walk: &mut Walk) {
        let Walk { found, open } = walk;
        found.clear();
        open.push(Near { node: trees.root(tree) as u32, missed: [NONE; 2] });
        while let Some(near) = open.pop() {
            let node = near.node as usize;
            if trees.is_leaf(node) {
                found.push(near);
                continue;
            }
            let place = self.place(trees, tree, node) as u32;
            let left = trees.goes_left(node, row[trees.feature[node] as usize]);
            let (follows, strays) = match left {
                true => (trees.left[node], trees.right[node]),
                false => (trees.right[node], trees.left[node]),
            };
            let missed = match near.missed {
                [a, b] if a == place || b == place => Some([a, b]),
                [NONE, _] => Some([place, NONE]),
                [a, NONE] if most > 1 => Some([a, place]),
                _ => None,
            };
            open.extend(missed.map(|missed| Near { node: strays, missed }));
            open.push(Near { node: follows, ..near });
        }
    }
}

/// The memory for walks of rows through a tree.
#[derive(Default)]
pub(crate) struct Walk {
    found: Vec<Near>,
    open: Vec<Near>,
}

/// A node on the way of a row, and the places of the columns that it has missed.
#[derive(Clone, Copy)]
struct Near {
    node: u32,
    missed: [u32; 2],
}

impl Walk {
    /// The nodes of the leaves that were found, and the place of the column that the row misses; for walks that may
    /// miss one.
    pub(crate) fn found(&self) -> impl Iterator<Item = (usize, Option<usize>)> {
        self.found.iter().map(|near| (near.node as usize, (near.missed[0] != NONE).then_some(near.missed[0] as usize)))
    }
}

/// Which share of the rows follows each leaf's path but for the splits on some columns.
///
/// A row does so for the columns J when every column that it misses is in J. So it is enough to know which share of the
/// rows misses nothing of a path, exactly one column, or exactly two.
pub(crate) struct LeafShares {
    pub(crate) paths: LeafPaths,
    /// The share that misses nothing, then for each column that which misses it alone, then for each pair, by the later
    /// place first, that which misses the two: those of the first leaf, then those of the next.
    shares: Vec<f64>,
    first_share: Vec<usize>,
}

impl LeafShares {
    /// Counts the rows; with `pairs`, also those that miss two columns.
    ///
    /// # Cost
    /// For each row, the leaves of which it misses at most one column, or two.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a tree with too many pairs of columns on its paths.
    pub(crate) fn new(trees: &TreeEnsemble, tree: usize, rows: &Rows, pairs: bool) -> Result<Self> {
        let paths = LeafPaths::new(trees, tree);
        let mut first_share = vec![0];
        let mut total = 0;
        for leaf in 0..paths.n_leaves() {
            let n = paths.columns(leaf).len();
            total += 1 + n + if pairs { n * n.saturating_sub(1) / 2 } else { 0 };
            first_share.push(total);
        }
        if 8 * total as u64 > MOST_BYTES {
            let what = format!("bytes of memory for the pairs of columns on the paths of tree {tree}");
            return Err(Error::TooLarge { what, limit: MOST_BYTES, found: 8 * total as u64 });
        }
        let mut found = LeafShares { paths, shares: vec![0.0; total], first_share };
        let mut walk = Walk::default();
        for (row, &share) in rows.shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
            found.paths.near(trees, tree, rows.row(row), if pairs { 2 } else { 1 }, &mut walk);
            for near in &walk.found {
                let leaf = found.paths.place(trees, tree, near.node as usize);
                let at = found.first_share[leaf] + found.entry(leaf, near.missed);
                found.shares[at] += share;
            }
        }
        Ok(found)
    }

    /// Where the share of those that miss exactly these places lies among the leaf's.
    fn entry(&self, leaf: usize, missed: [u32; 2]) -> usize {
        match missed {
            [NONE, _] => 0,
            [one, NONE] => 1 + one as usize,
            [a, b] => {
                let (low, high) = (a.min(b) as usize, a.max(b) as usize);
                1 + self.paths.columns(leaf).len() + high * (high - 1) / 2 + low
            }
        }
    }

    /// The share of the rows that would reach the leaf if they followed all splits on the columns `free`: one or two.
    pub(crate) fn without(&self, leaf: usize, free: &[usize]) -> f64 {
        let columns = self.paths.columns(leaf);
        let shares = &self.shares[self.first_share[leaf]..self.first_share[leaf + 1]];
        let place = |column: &usize| columns.iter().position(|&c| c as usize == *column).map(|at| at as u32);
        let mut missed = free.iter().filter_map(place);
        let mut sum = shares[0];
        if let Some(a) = missed.next() {
            sum += shares[self.entry(leaf, [a, NONE])];
            if let Some(b) = missed.next() {
                sum += shares[self.entry(leaf, [b, NONE])] + shares[self.entry(leaf, [a, b])];
            }
        }
        sum
    }
}
