//! Trees laid out for prediction: every split one comparison, eight rows at a time.

mod columns;
mod number;
mod perfect;
mod sparse;

use ndarray::ArrayView2;
use xai_core::TreeEnsemble;

use columns::Columns;
use number::Number;
use perfect::Perfect;
use sparse::Sparse;

/// The trees of an ensemble once more, in the order in which rows walk through them.
///
/// Every split is the comparison x < t in the numbers that the library compares: what the other rules do otherwise is
/// settled in t, once, and in what missing cells are replaced by, once a row. Splits by category are the exception.
///
/// # Laws
/// `compact_equals_leaf_of`: the scores are those of [`TreeEnsemble::leaf_of`], bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CompactTrees(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// What is compared as `f32`.
    Single(Walks<f32>),
    /// What is compared as `f64`.
    Double(Walks<f64>),
}

/// How many rows walk through a tree together: their loads overlap.
const LANES: usize = 8;

impl CompactTrees {
    pub(super) fn new(trees: &TreeEnsemble) -> Self {
        if trees.comparison.single {
            CompactTrees(Kind::Single(Walks::new(trees)))
        } else {
            CompactTrees(Kind::Double(Walks::new(trees)))
        }
    }

    /// Adds every tree's leaf values to the scores (row, output) of `rows` (row, feature).
    pub(super) fn add_scores(&self, trees: &TreeEnsemble, rows: &ArrayView2<f64>, scores: &mut [f64]) {
        match &self.0 {
            Kind::Single(walks) => walks.add_scores(trees, rows, scores),
            Kind::Double(walks) => walks.add_scores(trees, rows, scores),
        }
    }
}

/// The trees in numbers of one kind.
#[derive(Debug, Clone, PartialEq)]
struct Walks<F> {
    columns: Columns,
    trees: Vec<Shape>,
    perfect: Perfect<F>,
    sparse: Sparse<F>,
}

/// Where a tree is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// Padded to `depth` splits on every path; its splits begin at `splits`, its leaves at `leaves`.
    Perfect { depth: u32, splits: usize, leaves: usize },
    /// As it is, from the node `root` on. `ruled` when it has splits that [`TreeEnsemble::goes_left`] must decide.
    Sparse { root: u32, ruled: bool },
}

/// What decides at a node: left when the cell of the column is less than the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Split<F> {
    threshold: F,
    column: u32,
}

impl<F: Number> Walks<F> {
    fn new(trees: &TreeEnsemble) -> Self {
        let mut walks = Walks {
            columns: Columns::default(),
            trees: Vec::with_capacity(trees.n_trees()),
            perfect: Perfect::default(),
            sparse: Sparse::default(),
        };
        for tree in 0..trees.n_trees() {
            let shape = match walks.perfect.add(trees, tree, &mut walks.columns) {
                Some(shape) => shape,
                None => walks.sparse.add(trees, tree, &mut walks.columns),
            };
            walks.trees.push(shape);
        }
        walks
    }

    fn add_scores(&self, trees: &TreeEnsemble, rows: &ArrayView2<f64>, scores: &mut [f64]) {
        if rows.nrows() == 1 {
            self.add_groups::<1>(trees, rows, scores);
        } else {
            self.add_groups::<LANES>(trees, rows, scores);
        }
    }

    /// Tree by tree, `N` rows at a time; a last group of fewer rows is filled up and the surplus forgotten.
    fn add_groups<const N: usize>(&self, trees: &TreeEnsemble, rows: &ArrayView2<f64>, scores: &mut [f64]) {
        let cells = self.columns.cells::<F, N>(rows);
        for (tree, shape) in self.trees.iter().enumerate() {
            let groups = cells.chunks_exact(self.columns.len()).zip(scores.chunks_mut(N * trees.n_outputs));
            match *shape {
                Shape::Perfect { depth, splits, leaves } => {
                    for (cells, scores) in groups {
                        self.perfect.pay(trees, tree, self.perfect.walk(depth, splits, cells), leaves, scores);
                    }
                }
                Shape::Sparse { root, ruled: false } => {
                    for (cells, scores) in groups {
                        self.sparse.pay(trees, tree, self.sparse.walk::<false, N>(trees, root, cells), scores);
                    }
                }
                Shape::Sparse { root, ruled: true } => {
                    for (cells, scores) in groups {
                        self.sparse.pay(trees, tree, self.sparse.walk::<true, N>(trees, root, cells), scores);
                    }
                }
            }
        }
    }
}
