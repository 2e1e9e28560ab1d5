//! What of path-dependent interactions depends on the trees alone, worked out once for all samples.

use std::sync::Arc;

use xai_core::trees::TreeEnsemble;
use xai_core::{Error, InteractionIndex, Result};

use super::measure::{Measures, Nodes};
use super::terms::{Registry, Sums, each_set};
use crate::tree::plan::{NONE, halved, share};
use crate::tree::sweep::LANES;

/// The most memory for what is kept of all trees, and for the stacks of one thread.
const MOST_BYTES: u64 = 1 << 30;

/// Shares above this can only come from covers that contradict each other.
const LARGEST_SHARE: f64 = 1.0 + 1e-6;

/// Stands for a share of 0 where a node lies at t = 0, so that a product can be divided by the share again. Far below
/// any value's last bit, and far enough from the least number for [`MOST_EMPTY`] of them.
const ALMOST_NOTHING: f64 = 1e-60;

/// More edges without cover below nodes with cover than this do not lie on one path.
const MOST_EMPTY: u32 = 4;

/// An ensemble as a straight list of steps.
pub(super) struct Plan {
    /// The trees that have a split.
    pub trees: Vec<TreePlan>,
    /// The score when every player is absent: (output).
    pub base: Vec<f64>,
    /// The splits without cover, which send half each way.
    pub n_halved: usize,
    /// The sets that have a value, by size.
    pub terms: Vec<Vec<usize>>,
    /// What makes the index of the measures' values.
    pub sums: Sums,
    /// The largest size of a set.
    pub order: usize,
}

/// One tree as a straight list of steps.
pub(super) struct TreePlan {
    /// The tree's number in the ensemble.
    pub tree: usize,
    /// The nodes that are exact for its longest path.
    pub nodes: Arc<Nodes>,
    /// The splits in preorder.
    pub splits: Vec<Split>,
    /// The order of work.
    pub steps: Vec<Step>,
    /// τ, ω, and δ of the edge to the left and to the right: (split, those four, node).
    pub tables: Vec<f64>,
    /// The sets that the splits credit, in the order of the sweep's recursion.
    pub places: Vec<u32>,
    /// The number of splits on the longest path.
    pub depth: usize,
    /// The most distinct players on a path.
    pub players: usize,
}

/// One step of work at a split.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Decide which way each sample goes, then enter the left subtree if there is one.
    Decide(u32),
    /// Enter the right subtree.
    Turn(u32),
    /// Credit the sets that the split's player closes, and pass the sum over the leaves up.
    Join(u32),
}

/// A split, with what the path to it says.
pub(super) struct Split {
    /// The node in the ensemble.
    pub node: u32,
    /// The column that decides.
    pub feature: u32,
    /// The number of splits above.
    pub depth: u32,
    /// Whether it lies to the left of the split above.
    pub is_left: bool,
    /// The number of distinct players above.
    pub n_above: u32,
    /// The place of its player among the distinct players of the path; `n_above` when it is new.
    pub slot: u32,
    /// The edge (twice the split, 1 more to the right) by which the path left the player's split above, or [`NONE`].
    pub above: u32,
    /// The shares of the cover that go left and right.
    pub share: [f64; 2],
    /// The place of the first value of a child that is a leaf, or [`NONE`]: left, right.
    pub leaf: [u32; 2],
    /// The place of its player's own set in `places`; those of larger sets follow.
    pub first: usize,
}

impl Plan {
    /// Works out the plan.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for trees without covers or with covers that make no sense; [`Error::TooLarge`] when it
    /// needs too much memory.
    pub(super) fn new(
        trees: &TreeEnsemble,
        player_of: &[usize],
        index: InteractionIndex,
        order: usize,
    ) -> Result<Self> {
        let n_halved = halved(trees, "path-dependent interactions", "interventional-tree-interactions")?;
        let measures = Measures::new(index, order);
        let n_players = player_of.iter().max().map_or(0, |p| p + 1);
        let mut builder = Builder {
            trees,
            player_of,
            measures,
            registry: Registry::default(),
            above: vec![NONE; n_players],
            known: Vec::new(),
            bytes: 0,
        };
        let (mut planned, mut base) = (Vec::new(), trees.base.clone());
        for tree in 0..trees.n_trees() {
            for (output, mean) in trees.outputs_of(tree).zip(means(trees, tree)) {
                base[output] += mean;
            }
            if !trees.is_leaf(trees.root(tree)) {
                planned.push(builder.build(tree)?);
            }
        }
        let (terms, place) = builder.registry.finish();
        for plan in &mut planned {
            plan.places.iter_mut().for_each(|p| *p = place[*p as usize]);
        }
        let sums = Sums::new(index, order, &terms)?;
        Ok(Plan { trees: planned, base, n_halved, terms, sums, order })
    }
}

/// The mean of the leaves by cover: one for each output of the tree.
fn means(trees: &TreeEnsemble, tree: usize) -> Vec<f64> {
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

struct Builder<'a> {
    trees: &'a TreeEnsemble,
    player_of: &'a [usize],
    measures: Measures,
    registry: Registry,
    /// The edge by which the path left each player's nearest split, or [`NONE`]: (player).
    above: Vec<u32>,
    /// Nodes that were made before, for how many players and leaves and whether the covers contradict each other.
    known: Vec<(usize, usize, bool, Arc<Nodes>)>,
    /// The memory for the trees so far.
    bytes: u64,
}

enum Visit {
    Enter { node: u32, depth: u32, is_left: bool, empty: u32 },
    Turn { split: usize },
    Join { split: usize },
}

impl Builder<'_> {
    fn build(&mut self, tree: usize) -> Result<TreePlan> {
        let trees = self.trees;
        let mut plan = TreePlan {
            tree,
            nodes: Arc::new(Nodes { t: Vec::new(), rest: Vec::new(), weights: Vec::new() }),
            splits: Vec::new(),
            steps: Vec::new(),
            tables: Vec::new(),
            places: Vec::new(),
            depth: 0,
            players: 0,
        };
        // The product of the shares of the split's player along the path, by edge; the distinct players of the path.
        let (mut covers, mut path): (Vec<[f64; 2]>, Vec<u32>) = (Vec::new(), Vec::new());
        let (floor, least) = if self.measures.touch_zero() { (ALMOST_NOTHING, f64::MIN_POSITIVE) } else { (0.0, 0.0) };
        let (mut largest, mut emptiest) = (0.0f64, 0);
        let mut stack = vec![Visit::Enter { node: trees.root(tree) as u32, depth: 0, is_left: false, empty: 0 }];
        while let Some(visit) = stack.pop() {
            match visit {
                Visit::Enter { node, depth, is_left, empty } => {
                    let at = node as usize;
                    let children = [trees.left[at], trees.right[at]];
                    let player = self.player_of[trees.feature[at] as usize];
                    let above = self.above[player];
                    let slot = path.iter().position(|&p| p as usize == player).unwrap_or(path.len());
                    let split = plan.splits.len();
                    let share = children.map(|c| share(trees, at, c).max(floor));
                    let cover = if above == NONE { 1.0 } else { covers[above as usize / 2][above as usize % 2] };
                    covers.push(share.map(|share| (cover * share).max(least)));
                    plan.splits.push(Split {
                        node,
                        feature: trees.feature[at],
                        depth,
                        is_left,
                        n_above: path.len() as u32,
                        slot: slot as u32,
                        above,
                        share,
                        leaf: children.map(|c| if trees.is_leaf(c as usize) { trees.left[c as usize] } else { NONE }),
                        first: plan.places.len(),
                    });
                    self.enlist(tree, &path, slot, player as u32, &mut plan.places)?;
                    if slot == path.len() {
                        path.push(player as u32);
                    }
                    plan.players = plan.players.max(path.len());
                    plan.depth = plan.depth.max(depth as usize + 1);
                    largest = largest.max(share[0]).max(share[1]);
                    self.above[player] = 2 * split as u32;
                    plan.steps.push(Step::Decide(split as u32));
                    stack.push(Visit::Join { split });
                    let empties = share.map(|share| empty + u32::from(share <= floor));
                    emptiest = emptiest.max(empties[0]).max(empties[1]);
                    let enter = |side: usize| Visit::Enter {
                        node: children[side],
                        depth: depth + 1,
                        is_left: side == 0,
                        empty: empties[side],
                    };
                    if !trees.is_leaf(children[1] as usize) {
                        stack.push(enter(1));
                        stack.push(Visit::Turn { split });
                    }
                    if !trees.is_leaf(children[0] as usize) {
                        stack.push(enter(0));
                    }
                }
                Visit::Turn { split } => {
                    self.above[self.player_of[plan.splits[split].feature as usize]] = 2 * split as u32 + 1;
                    plan.steps.push(Step::Turn(split as u32));
                }
                Visit::Join { split } => {
                    let Split { feature, above, n_above, .. } = plan.splits[split];
                    self.above[self.player_of[feature as usize]] = above;
                    path.truncate(n_above as usize);
                    plan.steps.push(Step::Join(split as u32));
                }
            }
        }
        if floor > 0.0 && emptiest > MOST_EMPTY {
            return Err(Error::unsupported(
                format!("an index that looks at absent players only, for tree {tree}"),
                "its covers contradict each other: nodes without cover lie above nodes with cover; recompute the \
                 covers from a table of training rows",
            ));
        }
        plan.nodes = self.nodes(plan.players, plan.splits.len() + 1, largest > LARGEST_SHARE);
        self.check_memory(&plan)?;
        plan.tables = tables(&plan.splits, &covers, &plan.nodes);
        Ok(plan)
    }

    /// Lists the sets of up to `order` players that a split's player forms with those above it.
    fn enlist(&mut self, tree: usize, path: &[u32], slot: usize, player: u32, places: &mut Vec<u32>) -> Result<()> {
        let others: Vec<u32> = path.iter().enumerate().filter(|(at, _)| *at != slot).map(|(_, &other)| other).collect();
        let Builder { registry, measures, bytes, .. } = self;
        each_set(&others, measures.order(), &mut vec![player], &mut |set| {
            places.push(registry.place(set)?);
            let found = *bytes + 4 * places.len() as u64;
            if found <= MOST_BYTES {
                return Ok(());
            }
            let what = format!("bytes of memory for the sets of players on the paths of the trees up to {tree}");
            Err(Error::TooLarge { what, limit: MOST_BYTES, found })
        })
    }

    fn nodes(&mut self, players: usize, leaves: usize, contradictory: bool) -> Arc<Nodes> {
        // The number of leaves counts through its logarithm only.
        let leaves = leaves.next_power_of_two();
        let same = |k: &&(usize, usize, bool, Arc<Nodes>)| (k.0, k.1, k.2) == (players, leaves, contradictory);
        if let Some(known) = self.known.iter().find(same) {
            return Arc::clone(&known.3);
        }
        let nodes = Arc::new(self.measures.nodes(players, leaves, contradictory));
        self.known.push((players, leaves, contradictory, Arc::clone(&nodes)));
        nodes
    }

    /// Refuses a tree whose stacks or tables would not fit.
    fn check_memory(&mut self, plan: &TreePlan) -> Result<()> {
        let nodes = plan.nodes.t.len() as u64;
        let stacks = 8 * LANES as u64 * (nodes * (3 * plan.depth + self.measures.order()) as u64);
        self.bytes += 8 * 4 * nodes * plan.splits.len() as u64 + 4 * plan.places.len() as u64;
        let found = stacks.max(self.bytes);
        if found <= MOST_BYTES {
            return Ok(());
        }
        let what = format!("bytes of memory for the paths of the trees up to {}", plan.tree);
        Err(Error::TooLarge { what, limit: MOST_BYTES, found })
    }
}

/// τ, ω and δ of all splits, see [`sweep`](super::sweep::sweep).
fn tables(splits: &[Split], covers: &[[f64; 2]], nodes: &Nodes) -> Vec<f64> {
    let mut tables = Vec::with_capacity(4 * nodes.t.len() * splits.len());
    let pairs = || nodes.t.iter().zip(&nodes.rest);
    for (split, cover) in splits.iter().zip(covers) {
        if split.above == NONE {
            tables.extend(&nodes.t);
            tables.extend(nodes.t.iter().map(|_| 1.0));
        } else {
            let c = covers[split.above as usize / 2][split.above as usize % 2];
            tables.extend(pairs().map(|(t, rest)| t / (t + c * rest)));
            tables.extend(pairs().map(|(t, rest)| c / (t + c * rest) / (t + c * rest)));
        }
        for c in cover {
            tables.extend(pairs().map(|(t, rest)| 1.0 / ((t + c * rest) * rest)));
        }
    }
    tables
}
