//! One sample against one background row, coalition by coalition: for scales that are not linear in the margin.

use super::pair::Pair;

/// More players than this are not enumerated: a million coalitions for every pair.
pub(super) const MOST_PLAYERS: usize = 20;

/// No bit.
const NO_BIT: u32 = u32::MAX;

/// The memory of one thread.
#[derive(Default)]
pub(super) struct Enumeration {
    /// The bit of each player in this pair, or [`NO_BIT`]: (player).
    bit: Vec<u32>,
    /// The players that have a bit.
    players: Vec<usize>,
    /// Where to go on: node, players taken from the sample, players taken from the background row.
    stack: Vec<(usize, u32, u32)>,
    /// The leaves that some coalition reaches: tree, node, present, absent.
    leaves: Vec<(usize, usize, u32, u32)>,
    /// What each coalition is worth: (coalition, output).
    worth: Vec<f64>,
}

impl Enumeration {
    /// Adds `factor` times the Shapley values of the game g(margins of the mixture) to `credit`; `transform` is g.
    ///
    /// # Shapes
    /// `credit` (player, output).
    ///
    /// # Errors
    /// The number of players found when more than [`MOST_PLAYERS`] tell the two apart.
    pub(super) fn add(
        &mut self,
        pair: Pair,
        transform: impl Fn(&mut [f64]),
        factor: f64,
        n_players: usize,
        credit: &mut [f64],
    ) -> Result<(), usize> {
        let Pair { trees, .. } = pair;
        let n_outputs = trees.n_outputs;
        self.reach(pair, n_players)?;
        let d = self.players.len();
        let all = (1u32 << d) - 1;
        self.worth.clear();
        for _ in 0..=all {
            self.worth.extend_from_slice(&trees.base);
        }
        for &(tree, leaf, present, absent) in &self.leaves {
            // Every coalition that holds `present` and none of `absent`.
            let free = all & !(present | absent);
            let mut extra = free;
            loop {
                let first = (present | extra) as usize * n_outputs;
                for (output, value) in trees.outputs_of(tree).zip(trees.leaf_values(tree, leaf)) {
                    self.worth[first + output] += value;
                }
                if extra == 0 {
                    break;
                }
                extra = (extra - 1) & free;
            }
        }
        self.worth.chunks_exact_mut(n_outputs.max(1)).for_each(transform);
        let weight = size_weights(d);
        for (bit, &player) in self.players.iter().enumerate() {
            let one = 1u32 << bit;
            for without in (0..=all).filter(|coalition| coalition & one == 0) {
                let weight = factor * weight[without.count_ones() as usize];
                let (low, high) = (without as usize * n_outputs, (without | one) as usize * n_outputs);
                for output in 0..n_outputs {
                    credit[player * n_outputs + output] +=
                        weight * (self.worth[high + output] - self.worth[low + output]);
                }
            }
        }
        Ok(())
    }

    /// Finds the leaves that mixtures of the two reach, and gives every player that matters a bit.
    fn reach(&mut self, pair: Pair, n_players: usize) -> Result<(), usize> {
        let Pair { trees, player_of, sample, other } = pair;
        self.bit.clear();
        self.bit.resize(n_players, NO_BIT);
        self.players.clear();
        self.leaves.clear();
        for tree in 0..trees.n_trees() {
            self.stack.push((trees.root(tree), 0, 0));
            while let Some((node, present, absent)) = self.stack.pop() {
                if trees.is_leaf(node) {
                    self.leaves.push((tree, node, present, absent));
                    continue;
                }
                let feature = trees.feature[node] as usize;
                let left = trees.goes_left(node, sample[feature]);
                let child = |left: bool| if left { trees.left[node] } else { trees.right[node] } as usize;
                if left == trees.goes_left(node, other[feature]) {
                    self.stack.push((child(left), present, absent));
                    continue;
                }
                let player = player_of[feature];
                if self.bit[player] == NO_BIT {
                    self.bit[player] = self.players.len() as u32;
                    self.players.push(player);
                    if self.players.len() > MOST_PLAYERS {
                        self.stack.clear();
                        return Err(self.players.len());
                    }
                }
                let one = 1 << self.bit[player];
                if absent & one == 0 {
                    self.stack.push((child(left), present | one, absent));
                }
                if present & one == 0 {
                    self.stack.push((child(!left), present, absent | one));
                }
            }
        }
        Ok(())
    }
}

/// s!·(d − 1 − s)!/d!: (size s of the coalition that a player joins).
fn size_weights(d: usize) -> Vec<f64> {
    let mut weights = Vec::with_capacity(d);
    let mut binomial = d as f64;
    for s in 0..d {
        weights.push(1.0 / binomial);
        binomial *= (d - 1 - s) as f64 / (s + 1) as f64;
    }
    weights
}
