//! A tree as a list of splits that know their player's split above.

use xai_core::TreeEnsemble;
use xai_core::trees::{Missing, NO_SET};

use super::plan::NONE;

/// One tree, for walks on which a player may stand for two rows at once.
pub(super) struct Trail {
    /// The tree's number in the ensemble.
    pub tree: usize,
    /// Where every walk starts.
    pub root: Place,
    /// The splits in preorder.
    pub forks: Vec<Fork>,
    /// The number of splits on the longest path.
    pub depth: usize,
    /// The most distinct players on a path.
    pub most_players: usize,
}

/// Where a child lies.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A split, by its number in the list.
    Fork(u32),
    /// A leaf, by the place of its first value.
    Leaf(u32),
}

/// A split.
pub(super) struct Fork {
    pub threshold: f64,
    /// The column that decides.
    pub feature: u32,
    /// The player of that column.
    pub player: u32,
    /// The node in the ensemble.
    pub node: u32,
    /// The number of splits above.
    pub depth: u32,
    /// The depth of the nearest split of the same player above, or [`NONE`].
    pub above: u32,
    /// Left, right.
    pub children: [Place; 2],
    /// Whether it compares numbers, and NaN is what is missing.
    pub is_plain: bool,
    /// Whether missing values go left.
    pub default_left: bool,
}

enum Visit {
    Enter { node: u32, depth: u32, from: Option<(usize, usize)> },
    Leave { player: usize, above: u32, was_fresh: bool },
}

impl Trail {
    pub(super) fn new(trees: &TreeEnsemble, tree: usize, player_of: &[usize], n_players: usize) -> Self {
        let mut trail = Trail { tree, root: Place::Leaf(0), forks: Vec::new(), depth: 0, most_players: 0 };
        // The depth of each player's nearest split on the present path.
        let mut nearest = vec![NONE; n_players];
        let mut distinct = 0;
        let mut stack = vec![Visit::Enter { node: trees.root(tree) as u32, depth: 0, from: None }];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Enter { node, depth, from } => {
                    let at = node as usize;
                    let place = match trees.is_leaf(at) {
                        true => Place::Leaf(trees.left[at]),
                        false => Place::Fork(trail.forks.len() as u32),
                    };
                    match from {
                        Some((fork, side)) => trail.forks[fork].children[side] = place,
                        None => trail.root = place,
                    }
                    if trees.is_leaf(at) {
                        continue;
                    }
                    let (fork, player) = (trail.forks.len(), player_of[trees.feature[at] as usize]);
                    let above = std::mem::replace(&mut nearest[player], depth);
                    distinct += usize::from(above == NONE);
                    trail.most_players = trail.most_players.max(distinct);
                    trail.depth = trail.depth.max(depth as usize + 1);
                    trail.forks.push(Fork {
                        threshold: trees.threshold[at],
                        feature: trees.feature[at],
                        player: player as u32,
                        node,
                        depth,
                        above,
                        children: [Place::Leaf(0); 2],
                        is_plain: trees.set[at] == NO_SET && trees.missing[at] == Missing::Nan,
                        default_left: trees.default_left[at],
                    });
                    stack.push(Visit::Leave { player, above, was_fresh: above == NONE });
                    for (side, child) in [(1, trees.right[at]), (0, trees.left[at])] {
                        stack.push(Visit::Enter { node: child, depth: depth + 1, from: Some((fork, side)) });
                    }
                }
                Visit::Leave { player, above, was_fresh } => {
                    nearest[player] = above;
                    distinct -= usize::from(was_fresh);
                }
            }
        }
        trail
    }
}

impl Fork {
    /// Whether a value, rounded as the comparison asks, goes left.
    #[inline(always)]
    pub(super) fn goes_left(&self, trees: &TreeEnsemble, x: f64) -> bool {
        match (self.is_plain, trees.comparison.strict) {
            (true, true) => (x < self.threshold) | (x.is_nan() & self.default_left),
            (true, false) => (x <= self.threshold) | (x.is_nan() & self.default_left),
            (false, _) => trees.goes_left(self.node as usize, x),
        }
    }

    /// The bits of the values, rounded as the comparison asks, that go left.
    #[inline(always)]
    pub(super) fn lefts(&self, trees: &TreeEnsemble, x: &[f64; 64]) -> u64 {
        let threshold = self.threshold;
        match (self.is_plain, trees.comparison.strict, self.default_left) {
            (true, true, false) => marks(x, |x| x < threshold),
            (true, false, false) => marks(x, |x| x <= threshold),
            (true, true, true) => marks(x, |x| (x < threshold) | x.is_nan()),
            (true, false, true) => marks(x, |x| (x <= threshold) | x.is_nan()),
            (false, ..) => marks(x, |x| trees.goes_left(self.node as usize, x)),
        }
    }
}

#[inline(always)]
fn marks(x: &[f64; 64], is_marked: impl Fn(f64) -> bool) -> u64 {
    x.iter().enumerate().fold(0, |marks, (row, &x)| marks | u64::from(is_marked(x)) << row)
}
