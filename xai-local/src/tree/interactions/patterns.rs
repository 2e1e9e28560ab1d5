//! Background rows as the leaves of a tree see them, and what sets of players earn against them.

use std::collections::HashMap;
use std::ops::Range;

use xai_core::{Result, TreeEnsemble};

use super::background::Moments;
use super::terms::{Places, each_set};

/// The most memory for counting the rows of one tree in a table, which is faster than a map.
const MOST_TABLE: u64 = 1 << 26;
/// Answers for paths of up to as many players as this are found through a table.
const TABULATED: usize = 12;

/// What the background looks like from the leaves of one tree.
pub(super) struct Patterns {
    /// The bit that a split's player has on its path, or the number of the leaf: (node of the tree).
    bit: Vec<u32>,
    leaves: Vec<Leaf>,
    /// The sets of players of each leaf's path as bits, and their places among the terms.
    sets: Vec<(u64, u32)>,
    /// The players that some background rows miss, and the weight of the rows that miss exactly them.
    missed: Vec<(u64, f64)>,
}

struct Leaf {
    node: u32,
    /// The number of distinct players of its path.
    players: usize,
    sets: Range<usize>,
    missed: Range<usize>,
}

/// The memory of one thread.
#[derive(Default)]
pub(super) struct Masks {
    /// The players that each sample misses: (sample, leaf).
    lost: Vec<u64>,
    stack: Vec<(u32, u64)>,
    /// What the sets of a leaf earn of a value of 1: one answer after another.
    answers: Vec<(u32, f64)>,
    ends: Vec<usize>,
    /// The number of the answer for each mask, or a larger number.
    table: Vec<u32>,
    map: HashMap<u64, u32>,
    earned: Vec<f64>,
}

impl Patterns {
    /// For a tree whose paths have at most [`MOST_PLAYERS`](super::background::MOST_PLAYERS) players.
    pub(super) fn new(
        trees: &TreeEnsemble,
        tree: usize,
        player_of: &[usize],
        places: &Places,
        moments: &Moments,
        cells: &[f64],
        shares: &[f64],
    ) -> Result<Self> {
        let mut found = paths(trees, tree, player_of, places, moments.order())?;
        let widest = found.leaves.iter().map(|leaf| leaf.players).max().unwrap_or(0);
        let table = 8 * (found.leaves.len() as u64).saturating_mul(1u64.checked_shl(widest as u32).unwrap_or(u64::MAX));
        let mut counts: Vec<((u32, u64), f64)> = Vec::new();
        let mut stack = Vec::new();
        let rows = cells.chunks_exact(trees.n_features.max(1)).zip(shares).filter(|(_, share)| **share > 0.0);
        if table <= MOST_TABLE {
            let mut dense = vec![0.0; found.leaves.len() << widest];
            for (row, share) in rows {
                found.mark(trees, tree, row, moments.most_missed, &mut stack, |leaf, missed| {
                    dense[(leaf as usize) << widest | missed as usize] += share;
                });
            }
            let (low, kept) = ((1 << widest) - 1, dense.into_iter().enumerate().filter(|(_, weight)| *weight > 0.0));
            counts.extend(kept.map(|(at, weight)| (((at >> widest) as u32, (at & low) as u64), weight)));
        } else {
            let mut sparse = HashMap::new();
            for (row, share) in rows {
                found.mark(trees, tree, row, moments.most_missed, &mut stack, |leaf, missed| {
                    *sparse.entry((leaf, missed)).or_insert(0.0) += share;
                });
            }
            counts.extend(sparse);
            counts.sort_unstable_by_key(|(key, _)| *key);
        }
        let mut at = 0;
        for (number, leaf) in found.leaves.iter_mut().enumerate() {
            let first = found.missed.len();
            while let Some(&((_, missed), weight)) = counts.get(at).filter(|((leaf, _), _)| *leaf as usize == number) {
                found.missed.push((missed, weight));
                at += 1;
            }
            leaf.missed = first..found.missed.len();
        }
        Ok(found)
    }

    /// Says for each leaf which of its players the row misses, if they are no more than `most`.
    fn mark(
        &self,
        trees: &TreeEnsemble,
        tree: usize,
        row: &[f64],
        most: usize,
        stack: &mut Vec<(u32, u64)>,
        mut visit: impl FnMut(u32, u64),
    ) {
        let root = trees.root(tree);
        stack.push((root as u32, 0));
        while let Some((node, missed)) = stack.pop() {
            let at = node as usize;
            if trees.is_leaf(at) {
                visit(self.bit[at - root], missed);
                continue;
            }
            let with = missed | 1 << self.bit[at - root];
            let left = trees.goes_left(at, row[trees.feature[at] as usize]);
            for (child, follows) in [(trees.right[at], !left), (trees.left[at], left)] {
                let missed = if follows { missed } else { with };
                if most == usize::MAX || missed.count_ones() as usize <= most {
                    stack.push((child, missed));
                }
            }
        }
    }

    /// Adds what the sets of players contribute in this tree for the `samples` to `credit`.
    ///
    /// A mixture of a sample and a background row reaches a leaf when no player of its path is missed by both. The
    /// players that the row misses must then be present, those that the sample misses absent. All that counts of either
    /// is what it misses, so alike rows were counted together, and alike samples are answered together.
    ///
    /// # Shapes
    /// `samples` (sample, feature), `credit` (sample, term, output).
    pub(super) fn add(
        &self,
        trees: &TreeEnsemble,
        tree: usize,
        moments: &Moments,
        samples: &[f64],
        work: &mut Masks,
        credit: &mut [f64],
    ) {
        let n = samples.len() / trees.n_features.max(1);
        let (n_leaves, width, n_outputs) = (self.leaves.len(), credit.len() / n.max(1), trees.n_outputs);
        work.lost.clear();
        work.lost.resize(n * n_leaves, 0);
        for (row, lost) in samples.chunks_exact(trees.n_features.max(1)).zip(work.lost.chunks_exact_mut(n_leaves)) {
            self.mark(trees, tree, row, usize::MAX, &mut work.stack, |leaf, missed| lost[leaf as usize] = missed);
        }
        work.table.resize(1 << TABULATED, 0);
        for (number, leaf) in self.leaves.iter().enumerate() {
            if leaf.players == 0 || leaf.missed.is_empty() {
                continue;
            }
            work.answers.clear();
            work.ends.clear();
            work.map.clear();
            work.table[..1 << leaf.players.min(TABULATED)].fill(u32::MAX);
            let values = trees.leaf_values(tree, leaf.node as usize);
            for sample in 0..n {
                let lost = work.lost[sample * n_leaves + number];
                let answer = match leaf.players <= TABULATED {
                    true => &mut work.table[lost as usize],
                    false => work.map.entry(lost).or_insert(u32::MAX),
                };
                if *answer == u32::MAX {
                    *answer = work.ends.len() as u32;
                    self.earn(leaf, lost, moments, &mut work.earned, &mut work.answers);
                    work.ends.push(work.answers.len());
                }
                let answer = *answer as usize;
                let first = if answer == 0 { 0 } else { work.ends[answer - 1] };
                let credit = &mut credit[sample * width..(sample + 1) * width];
                for &(place, earned) in &work.answers[first..work.ends[answer]] {
                    let place = place as usize * n_outputs;
                    for (output, value) in trees.outputs_of(tree).zip(values) {
                        credit[place + output] += value * earned;
                    }
                }
            }
        }
    }

    /// Appends what the sets of a leaf's players earn of a value of 1 when the sample misses `lost`.
    fn earn(&self, leaf: &Leaf, lost: u64, moments: &Moments, earned: &mut Vec<f64>, answers: &mut Vec<(u32, f64)>) {
        let sets = &self.sets[leaf.sets.clone()];
        earned.clear();
        earned.resize(sets.len(), 0.0);
        for &(missed, weight) in &self.missed[leaf.missed.clone()] {
            if missed & lost != 0 {
                continue;
            }
            let (present, absent) = (missed.count_ones() as usize, lost.count_ones() as usize);
            for (&(set, _), earned) in sets.iter().zip(earned.iter_mut()) {
                // Who follows the path in the sample and in the row alike makes no difference.
                if set & !(missed | lost) == 0 {
                    let (gain, loss) = ((set & missed).count_ones() as usize, (set & lost).count_ones() as usize);
                    let moment = weight * moments.of(gain + loss, present - gain, absent - loss);
                    *earned += if loss.is_multiple_of(2) { moment } else { -moment };
                }
            }
        }
        let places = sets.iter().map(|&(_, place)| place);
        answers.extend(places.zip(earned.iter().copied()).filter(|(_, earned)| *earned != 0.0));
    }
}

/// The bits of all splits, the leaves, and the sets of their players. For paths of at most 64 players.
fn paths(trees: &TreeEnsemble, tree: usize, player_of: &[usize], places: &Places, order: usize) -> Result<Patterns> {
    let root = trees.root(tree);
    let mut found = Patterns { bit: vec![0; trees.nodes(tree).len()], leaves: vec![], sets: vec![], missed: vec![] };
    let (mut path, mut sorted) = (Vec::<u32>::new(), Vec::new());
    let mut stack = vec![(root, 0)];
    while let Some((node, above)) = stack.pop() {
        path.truncate(above);
        if trees.is_leaf(node) {
            let first = found.sets.len();
            for (at, &last) in path.iter().enumerate() {
                each_set(&path[..at], order, &mut vec![last], &mut |set| {
                    let bit = |player| path.iter().position(|p| p == player).map_or(0, |bit| 1u64 << bit);
                    sorted.clear();
                    sorted.extend_from_slice(set);
                    sorted.sort_unstable();
                    let mask = set.iter().map(bit).sum();
                    found.sets.extend(places.of(&sorted).map(|place| (mask, place)));
                    Ok(())
                })?;
            }
            found.bit[node - root] = found.leaves.len() as u32;
            let sets = first..found.sets.len();
            found.leaves.push(Leaf { node: node as u32, players: path.len(), sets, missed: 0..0 });
            continue;
        }
        let player = player_of[trees.feature[node] as usize] as u32;
        let place = path.iter().position(|&p| p == player).unwrap_or_else(|| {
            path.push(player);
            path.len() - 1
        });
        found.bit[node - root] = place as u32;
        stack.push((trees.right[node] as usize, path.len()));
        stack.push((trees.left[node] as usize, path.len()));
    }
    Ok(found)
}
