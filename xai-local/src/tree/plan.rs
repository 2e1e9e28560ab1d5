//! What of path-dependent TreeSHAP depends on the trees alone, worked out once for all samples.

use std::sync::Arc;

use xai_core::trees::TreeEnsemble;
use xai_core::{Error, Result};

use super::cutter::{Cutter, rule};
use super::path_dependent::Algorithm;
use super::quadrature::{Quadrature, nodes_for};
use super::sweep::LANES;
use super::twigs::{Copse, MOST_BITS};

/// No index.
pub(super) const NONE: u32 = u32::MAX;

/// The most memory that one thread may need for one tree.
const MOST_BYTES: u64 = 1 << 30;

/// Trees with more bits in an index than this are swept, unless they must not be.
const FEW_BITS: usize = 10;

/// Shares above this can only come from covers that contradict each other.
const LARGEST_SHARE: f64 = 1.0 + 1e-6;

/// An ensemble, cut into twigs or as straight lists of steps.
pub(super) struct Plan {
    /// The trees that are cut into twigs.
    pub copses: Vec<Copse>,
    /// The other trees that have a split.
    pub trees: Vec<TreePlan>,
    /// The score when every player is absent: (output).
    pub base: Vec<f64>,
    /// The splits without cover, which send half each way.
    pub n_halved: usize,
}

/// One tree as a straight list of steps.
pub(super) struct TreePlan {
    /// The tree's number in the ensemble.
    pub tree: usize,
    /// The quadrature that is exact for its longest path.
    pub rule: Arc<Quadrature>,
    /// The splits in preorder.
    pub splits: Vec<Split>,
    /// The order of work.
    pub steps: Vec<Step>,
    /// τ and then ω, each padded to `width` with zeros: first t and the weights, for splits whose player has not split
    /// above, then those of the other splits.
    pub tables: Vec<f64>,
    /// The nodes of the quadrature, padded to whole vectors.
    pub width: usize,
    /// The number of splits on the longest path.
    pub depth: usize,
}

/// One step of work at a split.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Decide which way each sample goes, then enter the left subtree if there is one.
    Decide(u32),
    /// Enter the right subtree.
    Turn(u32),
    /// Credit the player and pass the sum over the leaves up.
    Join(u32),
}

/// A split, with what the path to it says.
pub(super) struct Split {
    /// The node in the ensemble.
    pub node: u32,
    /// The column that decides.
    pub feature: u32,
    /// The player of that column.
    pub player: u32,
    /// The number of splits above.
    pub depth: u32,
    /// Whether it lies to the left of the split above.
    pub is_left: bool,
    /// The depth of the nearest split of the same player above, or [`NONE`], and whether this one lies left of it.
    pub above: (u32, bool),
    /// The place of τ in the tables: 0 when the player has not split above.
    pub table: u32,
    /// The shares of the cover that go left and right.
    pub share: [f64; 2],
    /// The place of the first value of a child that is a leaf, or [`NONE`]: left, right.
    pub leaf: [u32; 2],
}

/// The share of a node's cover that lies in `child`: half when the node has no cover.
pub(super) fn share(trees: &TreeEnsemble, node: usize, child: u32) -> f64 {
    if trees.cover[node] > 0.0 { trees.cover[child as usize] / trees.cover[node] } else { 0.5 }
}

impl Plan {
    /// Works out the plan.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for trees without covers, [`Error::TooLarge`] when a tree needs too much memory or is too
    /// deep for the algorithm.
    pub(super) fn new(
        trees: &TreeEnsemble,
        player_of: &[usize],
        n_players: usize,
        algorithm: Algorithm,
    ) -> Result<Self> {
        let splits = (0..trees.n_nodes()).filter(|&node| !trees.is_leaf(node));
        let (n_splits, n_halved) =
            splits.fold((0, 0), |(all, halved), node| (all + 1, halved + usize::from(trees.cover[node] == 0.0)));
        if n_splits > 0 && n_halved == n_splits {
            return Err(Error::unsupported(
                "path-dependent TreeSHAP of trees without covers",
                "every split has a cover of 0, so nothing says how the training data went; recompute the covers from \
                 a table of training rows, or use interventional-tree-shap with background rows",
            ));
        }
        let mut rules: Vec<Option<Arc<Quadrature>>> = Vec::new();
        let mut plan = Plan { copses: Vec::new(), trees: Vec::new(), base: trees.base.clone(), n_halved };
        let mut builder = Builder { trees, player_of, current: vec![START; n_players] };
        let most_bits = if algorithm == Algorithm::Auto { FEW_BITS } else { MOST_BITS };
        let mut cutter = Cutter::new(trees, player_of, n_players, most_bits, usize::MAX);
        for tree in 0..trees.n_trees() {
            for (output, mean) in trees.outputs_of(tree).zip(builder.means(tree)) {
                plan.base[output] += mean;
            }
            if trees.is_leaf(trees.root(tree)) || (algorithm != Algorithm::Quadrature && cutter.cut(tree)) {
                continue;
            }
            if algorithm == Algorithm::Tables {
                return Err(Error::TooLarge {
                    what: format!("bits for the players on a path of tree {tree}, for tables"),
                    limit: MOST_BITS as u64,
                    found: MOST_BITS as u64 + 1,
                });
            }
            plan.trees.push(builder.build(tree, &mut rules)?);
        }
        plan.copses = cutter.finish();
        Ok(plan)
    }
}

/// What the path to the present place says about a player.
#[derive(Clone, Copy)]
struct Above {
    /// The depth of its nearest split, or [`NONE`].
    depth: u32,
    /// Whether the path went left there.
    left: bool,
    /// The product of the shares that its splits sent along the path.
    cover: f64,
}

const START: Above = Above { depth: NONE, left: false, cover: 1.0 };

struct Builder<'a> {
    trees: &'a TreeEnsemble,
    player_of: &'a [usize],
    /// The path's word on each player.
    current: Vec<Above>,
}

enum Visit {
    Enter { node: u32, depth: u32, is_left: bool },
    Turn { split: usize },
    Join { split: usize },
}

impl Builder<'_> {
    /// The mean of the leaves by cover: one for each output of the tree.
    fn means(&self, tree: usize) -> Vec<f64> {
        let trees = self.trees;
        let mut means = vec![0.0; trees.outputs_of(tree).len()];
        let mut stack = vec![(trees.root(tree), 1.0)];
        while let Some((node, weight)) = stack.pop() {
            if trees.is_leaf(node) {
                means.iter_mut().zip(trees.leaf_values(tree, node)).for_each(|(mean, value)| *mean += weight * value);
            } else {
                for child in [trees.right[node], trees.left[node]] {
                    stack.push((child as usize, weight * share(trees, node, child)));
                }
            }
        }
        means
    }

    fn build(&mut self, tree: usize, rules: &mut Vec<Option<Arc<Quadrature>>>) -> Result<TreePlan> {
        let trees = self.trees;
        let (mut splits, mut steps, mut before) = (Vec::new(), Vec::new(), Vec::new());
        let (mut distinct, mut most_distinct, mut deepest, mut largest_share) = (0usize, 0, 0, 0.0f64);
        let mut stack = vec![Visit::Enter { node: trees.root(tree) as u32, depth: 0, is_left: false }];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Enter { node, depth, is_left } => {
                    let at = node as usize;
                    let children = [trees.left[at], trees.right[at]];
                    let player = self.player_of[trees.feature[at] as usize];
                    let above = self.current[player];
                    let split = splits.len();
                    let leaf = children.map(|c| if trees.is_leaf(c as usize) { trees.left[c as usize] } else { NONE });
                    let share = children.map(|c| share(trees, at, c));
                    splits.push(Split {
                        node,
                        feature: trees.feature[at],
                        player: player as u32,
                        depth,
                        is_left,
                        above: (above.depth, above.left),
                        table: 0,
                        share,
                        leaf,
                    });
                    before.push(above);
                    distinct += usize::from(above.depth == NONE);
                    most_distinct = most_distinct.max(distinct);
                    deepest = deepest.max(depth as usize + 1);
                    largest_share = largest_share.max(share[0]).max(share[1]);
                    self.current[player] = Above { depth, left: true, cover: above.cover * share[0] };
                    steps.push(Step::Decide(split as u32));
                    stack.push(Visit::Join { split });
                    if leaf[1] == NONE {
                        stack.push(Visit::Enter { node: children[1], depth: depth + 1, is_left: false });
                        stack.push(Visit::Turn { split });
                    }
                    if leaf[0] == NONE {
                        stack.push(Visit::Enter { node: children[0], depth: depth + 1, is_left: true });
                    }
                }
                Visit::Turn { split } => {
                    let Split { player, depth, share, .. } = splits[split];
                    let cover = before[split].cover * share[1];
                    self.current[player as usize] = Above { depth, left: false, cover };
                    steps.push(Step::Turn(split as u32));
                }
                Visit::Join { split } => {
                    self.current[splits[split].player as usize] = before[split];
                    distinct -= usize::from(before[split].depth == NONE);
                    steps.push(Step::Join(split as u32));
                }
            }
        }
        let exact = most_distinct.div_ceil(2);
        let n = if largest_share > LARGEST_SHARE { exact } else { nodes_for(most_distinct, splits.len() + 1) };
        check_memory(tree, n, deepest, before.iter().filter(|above| above.depth != NONE).count())?;
        let rule = rule(rules, n);
        let width = n.next_multiple_of(LANES);
        let mut tables = Vec::new();
        let mut add = |numbers: &mut dyn Iterator<Item = f64>| {
            let place = tables.len();
            tables.extend(numbers);
            tables.resize(place + width, 0.0);
            place as u32
        };
        add(&mut rule.t.iter().copied());
        add(&mut rule.weight.iter().copied());
        for (split, above) in splits.iter_mut().zip(&before).filter(|(_, above)| above.depth != NONE) {
            let inverse = rule.t.iter().zip(&rule.rest).map(|(t, rest)| 1.0 / (t + above.cover * rest));
            split.table = add(&mut inverse.clone().zip(&rule.t).map(|(inverse, t)| t * inverse));
            add(&mut inverse.zip(&rule.weight).map(|(inverse, w)| w * above.cover * inverse * inverse));
        }
        Ok(TreePlan { tree, rule, splits, steps, tables, width, depth: deepest })
    }
}

/// Refuses a tree whose stacks or tables would not fit.
fn check_memory(tree: usize, nodes: usize, depth: usize, repeated: usize) -> Result<()> {
    let (nodes, depth, repeated) = (nodes as u64, depth as u64, repeated as u64);
    let stacks = 8 * LANES as u64 * 3 * nodes * depth;
    let tables = 8 * 2 * nodes.next_multiple_of(LANES as u64) * (repeated + 1);
    let found = stacks.max(tables);
    if found <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::TooLarge { what: format!("bytes of memory for the paths of tree {tree}"), limit: MOST_BYTES, found })
}
