//! One sample against one background row, leaf by leaf: for paths with too many players for patterns.

use xai_core::TreeEnsemble;

use super::background::Moments;
use super::terms::Places;

/// The memory of one thread.
#[derive(Default)]
pub(super) struct MixtureWalk {
    /// Whose value each player has, if the path has settled it: (player).
    sides: Vec<Option<Side>>,
    /// The players at whose splits sample and background row part.
    partings: Vec<u32>,
    /// Where to go on: node, partings above it, the player that takes the background row's value from there on.
    stack: Vec<(usize, usize, u32)>,
    set: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Sample,
    Row,
}

/// A sample and a background row.
#[derive(Clone, Copy)]
pub(super) struct Mixture<'a> {
    pub trees: &'a TreeEnsemble,
    pub player_of: &'a [usize],
    pub sample: &'a [f64],
    pub row: &'a [f64],
}

impl MixtureWalk {
    /// Adds `share` times what the sets of players contribute in `tree` to `credit`: (term, output).
    pub(super) fn add(
        &mut self,
        mixture: Mixture,
        tree: usize,
        (places, moments): (&Places, &Moments),
        share: f64,
        credit: &mut [f64],
    ) {
        let Mixture { trees, player_of, sample, row } = mixture;
        self.sides.clear();
        self.sides.resize(player_of.iter().max().map_or(0, |p| p + 1), None);
        self.partings.clear();
        let mut node = trees.root(tree);
        loop {
            while !trees.is_leaf(node) {
                let feature = trees.feature[node] as usize;
                let child = |left: bool| if left { trees.left[node] } else { trees.right[node] } as usize;
                let (own, other) = (trees.goes_left(node, sample[feature]), trees.goes_left(node, row[feature]));
                let player = player_of[feature];
                node = match self.sides[player] {
                    _ if own == other => child(own),
                    Some(Side::Sample) => child(own),
                    Some(Side::Row) => child(other),
                    None => {
                        self.stack.push((child(other), self.partings.len(), player as u32));
                        self.partings.push(player as u32);
                        self.sides[player] = Some(Side::Sample);
                        child(own)
                    }
                };
            }
            self.credit(trees, tree, node, (places, moments), share, credit);
            let Some((next, above, player)) = self.stack.pop() else { return };
            for gone in self.partings.drain(above..) {
                self.sides[gone as usize] = None;
            }
            self.partings.push(player);
            self.sides[player as usize] = Some(Side::Row);
            node = next;
        }
    }

    /// Credits the sets of the players that the path to a leaf has settled.
    fn credit(
        &mut self,
        trees: &TreeEnsemble,
        tree: usize,
        leaf: usize,
        (places, moments): (&Places, &Moments),
        share: f64,
        credit: &mut [f64],
    ) {
        let is_present = |player: &&u32| self.sides[**player as usize] == Some(Side::Sample);
        let present = self.partings.iter().filter(is_present).count();
        let absent = self.partings.len() - present;
        if present > moments.most_missed {
            return;
        }
        let mut settled = self.partings.clone();
        settled.sort_unstable();
        let values = trees.leaf_values(tree, leaf);
        let mut visit = |set: &[u32]| {
            let Some(place) = places.of(set) else { return };
            let gain = set.iter().filter(is_present).count();
            let loss = set.len() - gain;
            let moment = share * moments.of(set.len(), present - gain, absent - loss);
            let earned = if loss.is_multiple_of(2) { moment } else { -moment };
            for (output, value) in trees.outputs_of(tree).zip(values) {
                credit[place as usize * trees.n_outputs + output] += value * earned;
            }
        };
        each_ascending(&settled, moments.order(), &mut self.set, &mut visit);
    }
}

/// Calls `visit` with every set of 1 to `most` of the ascending `players` on top of `set`.
fn each_ascending(players: &[u32], most: usize, set: &mut Vec<u32>, visit: &mut impl FnMut(&[u32])) {
    for (at, &player) in players.iter().enumerate() {
        set.push(player);
        visit(set);
        if most > 1 {
            each_ascending(&players[at + 1..], most - 1, set, visit);
        }
        set.pop();
    }
}
