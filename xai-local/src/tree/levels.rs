//! A tree laid out level by level, so that it can be swept without asking what comes next.

use std::sync::Arc;

use xai_core::trees::{Missing, NO_SET, TreeEnsemble};
use xai_core::{Error, Result};

use super::cutter::rule;
use super::plan::{NONE, share};
use super::precision::Real;
use super::quadrature::{Quadrature, nodes_for};
use super::sweep::LANES;

/// The most memory that one thread may need for one tree.
const MOST_BYTES: u64 = 1 << 30;
/// Subtrees of so many splits are swept whole; what lies above them keeps its memory until they are done.
const WHOLE: usize = 4096;
/// Shares above this can only come from covers that contradict each other.
const LARGEST_SHARE: f64 = 1.0 + 1e-6;

/// One tree, cut into pieces.
pub(super) struct Levels<R> {
    /// The tree's number in the ensemble.
    pub tree: usize,
    /// The splits, piece after piece, parents before children.
    pub splits: Vec<Split>,
    /// What lies above all others, which may be nothing, and then subtrees that need nothing of one another.
    pub pieces: Vec<Piece>,
    /// τ and then ω, each padded to `width` with zeros: first t and the weights, for splits whose player has not split
    /// above, then those of the other splits.
    pub tables: Vec<R>,
    /// The nodes of the quadrature that is exact for its longest path, padded to whole vectors.
    pub width: usize,
    /// The places in memory that a sweep needs; the first one stands above the root.
    pub n_slots: usize,
}

/// Splits that are swept together.
pub(super) struct Piece {
    /// Its splits, in the order of the list.
    pub splits: std::ops::Range<usize>,
    /// The slot of the first; the others follow.
    pub slot: usize,
    /// The slot where the sum over its leaves is kept for the split above.
    pub kept: usize,
    /// Its splits once more: how many in a row are of one kind.
    pub runs: Vec<(Kind, u32)>,
}

/// Which children are leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Both,
    Left,
    Right,
    Neither,
}

/// A split, with what the path to it says.
pub(super) struct Split {
    pub threshold: f64,
    /// The shares of the cover that go left and right.
    pub share: [f64; 2],
    /// The share that the split above sends here.
    pub share_above: f64,
    /// The column that decides.
    pub feature: u32,
    /// The player of that column.
    pub player: u32,
    /// Twice the slot of the split above, and one more to the right of it.
    pub parent: u32,
    /// The same for the nearest split of the same player above.
    pub above: u32,
    /// The places of τ in the tables, of this split and of the one above.
    pub table: [u32; 2],
    /// The slot of a child, or the place of its first value when it is a leaf: left, right.
    pub children: [u32; 2],
    /// The node in the ensemble.
    pub node: u32,
    /// Whether it compares numbers, and NaN is what is missing.
    pub is_plain: bool,
    /// Whether missing values go left.
    pub default_left: bool,
}

/// What the path to the present place says about a player.
#[derive(Clone, Copy)]
struct Above {
    /// Its nearest split, by number in preorder, or [`NONE`], and whether the path went right there.
    split: u32,
    right: u32,
    /// The product of the shares that its splits sent along the path.
    cover: f64,
}

const START: Above = Above { split: NONE, right: 0, cover: 1.0 };

/// A split in preorder.
struct Visited {
    node: usize,
    depth: u32,
    /// The split above and the side on which this one lies; [`NONE`] for the root.
    parent: (u32, u32),
    above: Above,
    /// The numbers of children that are splits.
    children: [u32; 2],
}

enum Visit {
    Enter { node: usize, depth: u32, parent: (u32, u32) },
    Turn { split: usize },
    Leave { split: usize },
}

/// Lays trees out.
pub(super) struct Layout<'a> {
    trees: &'a TreeEnsemble,
    player_of: &'a [usize],
    /// The path's word on each player.
    current: Vec<Above>,
    rules: Vec<Option<Arc<Quadrature>>>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(trees: &'a TreeEnsemble, player_of: &'a [usize], n_players: usize) -> Self {
        Layout { trees, player_of, current: vec![START; n_players], rules: Vec::new() }
    }

    /// Lays out a tree with a split.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when the tree needs too much memory.
    pub(super) fn levels<R: Real>(&mut self, tree: usize) -> Result<Levels<R>> {
        let trees = self.trees;
        let (visited, most_distinct) = self.visit(trees.root(tree));
        let shares = |at: usize| [trees.left[at], trees.right[at]].map(|child| share(trees, at, child));
        let largest = visited.iter().flat_map(|split| shares(split.node)).fold(0.0, f64::max);
        let exact = most_distinct.div_ceil(2);
        let n = if largest > LARGEST_SHARE { exact } else { nodes_for(most_distinct, visited.len() + 1) };
        let Arrangement { order, pieces, slots, kept } = arrange(trees, &visited);
        let n_slots = slots.iter().max().map_or(1, |&last| last as usize + 1);
        let repeated = visited.iter().filter(|split| split.above.split != NONE).count();
        check_memory(tree, n, n_slots, repeated)?;
        let rule = rule(&mut self.rules, n);
        let width = n.next_multiple_of(LANES);
        let mut tables = Vec::new();
        let mut add = |numbers: &mut dyn Iterator<Item = f64>| {
            let place = tables.len();
            tables.extend(numbers.map(R::of));
            tables.resize(place + width, R::ZERO);
            place as u32
        };
        add(&mut rule.t.iter().copied());
        add(&mut rule.weight.iter().copied());
        let mut table = vec![0; visited.len()];
        for &split in &order {
            let Above { split: above, cover, .. } = visited[split].above;
            if above != NONE {
                let inverse = rule.t.iter().zip(&rule.rest).map(|(t, rest)| 1.0 / (t + cover * rest));
                table[split] = add(&mut inverse.clone().zip(&rule.t).map(|(inverse, t)| t * inverse));
                add(&mut inverse.zip(&rule.weight).map(|(inverse, w)| w * cover * inverse * inverse));
            }
        }
        let slot = |(split, right): (u32, u32)| if split == NONE { 0 } else { 2 * slots[split as usize] + right };
        let splits = order.iter().map(|&number| {
            let Visited { node: at, parent, above, children, .. } = visited[number];
            let child = |side: usize, node: u32| match children[side] {
                NONE => trees.left[node as usize],
                split => kept[split as usize],
            };
            let (up, side) = (parent.0 as usize, parent.1 as usize);
            Split {
                threshold: trees.threshold[at],
                share: shares(at),
                share_above: if parent.0 == NONE { 1.0 } else { shares(visited[up].node)[side] },
                feature: trees.feature[at],
                player: self.player_of[trees.feature[at] as usize] as u32,
                parent: slot(parent),
                above: slot((above.split, above.right)),
                table: [table[number], if parent.0 == NONE { 0 } else { table[up] }],
                children: [child(0, trees.left[at]), child(1, trees.right[at])],
                node: at as u32,
                is_plain: trees.set[at] == NO_SET && trees.missing[at] == Missing::Nan,
                default_left: trees.default_left[at],
            }
        });
        Ok(Levels { tree, splits: splits.collect(), pieces, tables, width, n_slots })
    }

    /// The splits in preorder, and the most distinct players on a path.
    fn visit(&mut self, root: usize) -> (Vec<Visited>, usize) {
        let trees = self.trees;
        let mut visited: Vec<Visited> = Vec::new();
        let (mut distinct, mut most_distinct) = (0usize, 0);
        let mut stack = vec![Visit::Enter { node: root, depth: 0, parent: (NONE, 0) }];
        let player = |node: usize| self.player_of[trees.feature[node] as usize];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Enter { node, depth, parent } => {
                    let split = visited.len();
                    let above = self.current[player(node)];
                    if let Some(parent_split) = visited.get_mut(parent.0 as usize) {
                        parent_split.children[parent.1 as usize] = split as u32;
                    }
                    distinct += usize::from(above.split == NONE);
                    most_distinct = most_distinct.max(distinct);
                    visited.push(Visited { node, depth, parent, above, children: [NONE; 2] });
                    let cover = above.cover * share(trees, node, trees.left[node]);
                    self.current[player(node)] = Above { split: split as u32, right: 0, cover };
                    stack.push(Visit::Leave { split });
                    for (side, child) in [(1, trees.right[node] as usize), (0, trees.left[node] as usize)] {
                        if !trees.is_leaf(child) {
                            stack.push(Visit::Enter { node: child, depth: depth + 1, parent: (split as u32, side) });
                        }
                        if side == 1 {
                            stack.push(Visit::Turn { split });
                        }
                    }
                }
                Visit::Turn { split } => {
                    let Visited { node, above, .. } = visited[split];
                    let cover = above.cover * share(trees, node, trees.right[node]);
                    self.current[player(node)] = Above { split: split as u32, right: 1, cover };
                }
                Visit::Leave { split } => {
                    let Visited { node, above, .. } = visited[split];
                    self.current[player(node)] = above;
                    distinct -= usize::from(above.split == NONE);
                }
            }
        }
        (visited, most_distinct)
    }
}

/// In which order splits are swept, and where.
struct Arrangement {
    order: Vec<usize>,
    pieces: Vec<Piece>,
    /// The slot of each split for those below it.
    slots: Vec<u32>,
    /// The slot of each split for the one above it.
    kept: Vec<u32>,
}

fn arrange(trees: &TreeEnsemble, visited: &[Visited]) -> Arrangement {
    let mut size = vec![1usize; visited.len()];
    for split in (1..visited.len()).rev() {
        size[visited[split].parent.0 as usize] += size[split];
    }
    // Number 0 is the top.
    let (mut piece, mut n_pieces) = (vec![0u32; visited.len()], 1);
    for split in 0..visited.len() {
        let above = piece.get(visited[split].parent.0 as usize).copied().unwrap_or(0);
        if above == 0 && size[split] <= WHOLE {
            piece[split] = n_pieces;
            n_pieces += 1;
        } else {
            piece[split] = above;
        }
    }
    let kind = |split: usize| {
        let node = visited[split].node;
        match [trees.left[node], trees.right[node]].map(|child| trees.is_leaf(child as usize)) {
            [true, true] => Kind::Both,
            [true, false] => Kind::Left,
            [false, true] => Kind::Right,
            [false, false] => Kind::Neither,
        }
    };
    let mut order: Vec<usize> = (0..visited.len()).collect();
    order.sort_by_key(|&split| (piece[split], visited[split].depth, kind(split)));
    let n_top = piece.iter().filter(|&&piece| piece == 0).count();
    // Other pieces take turns in the same slots, so what the top needs of them is kept elsewhere.
    let first = if n_top == 0 { 1 } else { n_top + n_pieces as usize };
    let mut pieces = vec![Piece { splits: 0..n_top, slot: 1, kept: 1, runs: Vec::new() }];
    let (mut slots, mut kept) = (vec![0u32; visited.len()], vec![0u32; visited.len()]);
    for (place, &split) in order.iter().enumerate() {
        let number = piece[split] as usize;
        let is_root = number == pieces.len();
        if is_root {
            pieces.push(Piece { splits: place..place, slot: first, kept: n_top + number, runs: Vec::new() });
        }
        let Piece { splits, slot, kept: root, runs } = &mut pieces[number];
        splits.end = place + 1;
        slots[split] = (*slot + place - splits.start) as u32;
        kept[split] = if is_root { *root as u32 } else { slots[split] };
        match runs.last_mut() {
            Some((last, n)) if *last == kind(split) => *n += 1,
            _ => runs.push((kind(split), 1)),
        }
    }
    Arrangement { order, pieces, slots, kept }
}

/// Refuses a tree whose memory or tables would not fit.
fn check_memory(tree: usize, nodes: usize, slots: usize, repeated: usize) -> Result<()> {
    let vector = 8 * nodes.next_multiple_of(LANES) as u64;
    let found = ((vector + 32) * slots as u64).max(2 * vector * (repeated as u64 + 1));
    if found <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::TooLarge { what: format!("bytes of memory for the paths of tree {tree}"), limit: MOST_BYTES, found })
}
