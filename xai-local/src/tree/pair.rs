//! One sample against one background row: the walk over every leaf that a mixture of the two can reach.

use xai_core::TreeEnsemble;

/// Weights are tabulated for as many players as this on either side.
const TABULATED: usize = 64;

/// The Shapley weights of a leaf that needs `a` players of the sample and `b` of the background row.
pub(super) struct LeafWeights {
    table: Vec<f64>,
}

impl LeafWeights {
    pub(super) fn new() -> Self {
        let table = (0..TABULATED * TABULATED).map(|i| weight(i / TABULATED, i % TABULATED)).collect();
        LeafWeights { table }
    }

    /// (a − 1)!·b!/(a + b)!: what each of the `a` players that must be present earns of the leaf's value. With the
    /// arguments swapped, what each of those that must be absent loses. 0 when `a` is 0.
    pub(super) fn of(&self, a: usize, b: usize) -> f64 {
        if a < TABULATED && b < TABULATED { self.table[a * TABULATED + b] } else { weight(a, b) }
    }
}

fn weight(a: usize, b: usize) -> f64 {
    if a == 0 {
        return 0.0;
    }
    let (small, large) = (a.min(b), a.max(b));
    let mut binomial = a as f64;
    for i in 1..=small {
        binomial *= (large + i) as f64 / i as f64;
        if binomial.is_infinite() {
            return 0.0;
        }
    }
    1.0 / binomial
}

/// Whose value a player has on the present path.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Open,
    Sample,
    Other,
}

/// The memory of one thread.
#[derive(Default)]
pub(super) struct PairWalk {
    /// Whose value each player has: (player).
    sides: Vec<Side>,
    /// The splits of the path where sample and background row part.
    partings: Vec<Parting>,
    /// What the sample's subtree of a parting summed to, for partings whose second subtree is being walked.
    saved: Vec<f64>,
    /// Σ of value × weight over the leaves below, for a player that is present, then for one that is absent.
    sums: Vec<f64>,
}

struct Parting {
    player: usize,
    /// The child that the background row goes to.
    other: usize,
    /// Whether the sample's subtree is done.
    second: bool,
}

/// A sample and a background row.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub trees: &'a TreeEnsemble,
    pub player_of: &'a [usize],
    pub sample: &'a [f64],
    pub other: &'a [f64],
}

impl PairWalk {
    /// Adds `factor` times what each player contributes in `tree` to `credit`.
    ///
    /// A coalition gives its players the sample's values and the others the background row's. It reaches a leaf when
    /// it holds the players A that must be present and none of the players B that must be absent, so the leaf's value
    /// v is the game v·\[A ⊆ S, B ∩ S = ∅\], whose Shapley value has a closed form. A subtree needs only two sums
    /// over its leaves, so that each node costs the same however deep it lies.
    ///
    /// # Shapes
    /// `factor` (output), `credit` (player, output).
    pub(super) fn add(
        &mut self,
        pair: Pair,
        tree: usize,
        weights: &LeafWeights,
        factor: &[f64],
        n_players: usize,
        credit: &mut [f64],
    ) {
        let Pair { trees, player_of, sample, other } = pair;
        let outputs = trees.outputs_of(tree);
        let (width, n_outputs) = (outputs.len(), trees.n_outputs);
        self.sides.resize(n_players, Side::Open);
        self.sums.clear();
        self.sums.resize(2 * width, 0.0);
        let (mut present, mut absent) = (0, 0);
        let mut node = trees.root(tree);
        loop {
            while !trees.is_leaf(node) {
                let feature = trees.feature[node] as usize;
                let left = trees.goes_left(node, sample[feature]);
                let child = |left: bool| if left { trees.left[node] } else { trees.right[node] } as usize;
                if left == trees.goes_left(node, other[feature]) {
                    node = child(left);
                    continue;
                }
                let player = player_of[feature];
                node = match self.sides[player] {
                    Side::Sample => child(left),
                    Side::Other => child(!left),
                    Side::Open => {
                        self.sides[player] = Side::Sample;
                        present += 1;
                        self.partings.push(Parting { player, other: child(!left), second: false });
                        child(left)
                    }
                };
            }
            let (gain, loss) = (weights.of(present, absent), weights.of(absent, present));
            for (i, value) in trees.leaf_values(tree, node).iter().enumerate() {
                self.sums[i] = value * gain;
                self.sums[width + i] = -value * loss;
            }
            loop {
                let Some(parting) = self.partings.last_mut() else { return };
                let earned = if parting.second { &self.sums[width..] } else { &self.sums[..width] };
                let first = parting.player * n_outputs;
                for (output, earned) in outputs.clone().zip(earned) {
                    credit[first + output] += factor[output] * earned;
                }
                if !parting.second {
                    parting.second = true;
                    self.sides[parting.player] = Side::Other;
                    (present, absent) = (present - 1, absent + 1);
                    self.saved.extend_from_slice(&self.sums);
                    node = parting.other;
                    break;
                }
                self.sides[parting.player] = Side::Open;
                absent -= 1;
                let kept = self.saved.len() - 2 * width;
                self.sums.iter_mut().zip(&self.saved[kept..]).for_each(|(sum, saved)| *sum += saved);
                self.saved.truncate(kept);
                self.partings.pop();
            }
        }
    }
}
