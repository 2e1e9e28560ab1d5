//! A background as each leaf sees it: which rows are alike for the leaf, counted once for all samples.

use xai_core::TreeEnsemble;

use super::pair::LeafWeights;

/// Paths with more distinct players than a mask has bits are walked pair by pair.
const MOST_PLAYERS: usize = 64;
/// The most memory for the patterns of one tree, and of all trees; trees beyond it are walked pair by pair.
const MOST_BYTES: [u64; 2] = [1 << 28, 1 << 30];

/// What the background looks like from the leaves of one tree.
pub(super) struct Patterns {
    /// The tree's number in the ensemble.
    tree: usize,
    /// The bit that a split's player has on its path: (node of the tree).
    bit: Vec<u8>,
    leaves: Vec<Leaf>,
    /// The players of the paths, by bit: those of the first leaf, then those of the next.
    players: Vec<u32>,
    /// The players that some background rows miss: those of the first leaf, then those of the next.
    missed: Vec<u64>,
    /// How many they are.
    n_missed: Vec<u32>,
    /// The weight of the rows that miss exactly them.
    weight: Vec<f64>,
    /// The end of each pattern's rows in `rows`.
    end: Vec<u32>,
    /// The background rows of each pattern; empty unless they have weights of their own for each sample.
    rows: Vec<u32>,
}

struct Leaf {
    node: u32,
    /// All bits of its path.
    full: u64,
    first_player: u32,
    /// Its patterns.
    patterns: std::ops::Range<u32>,
}

/// The memory of one thread.
pub(super) struct Masks {
    /// The players at which each row follows each leaf's path: (row, leaf).
    masks: Vec<u64>,
    /// The players that each sample misses, and the sample.
    lost: Vec<(u64, u32)>,
    stack: Vec<(u32, u64)>,
    /// What each player of a leaf's path earns of a value of 1: (bit).
    earned: [f64; MOST_PLAYERS],
}

impl Default for Masks {
    fn default() -> Self {
        Masks { masks: Vec::new(), lost: Vec::new(), stack: Vec::new(), earned: [0.0; MOST_PLAYERS] }
    }
}

/// Samples to be explained together.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Their cells: (sample, feature).
    pub cells: &'a [f64],
    /// Their number.
    pub n: usize,
    /// What background rows weigh for them.
    pub factors: Factors<'a>,
}

/// What a pattern weighs for a sample.
#[derive(Clone, Copy)]
pub(super) enum Factors<'a> {
    /// The shares of its rows.
    Shares,
    /// The sum of these over its rows: (sample, background row, output).
    Rows(&'a [f64]),
}

impl Patterns {
    /// The patterns of an [`affordable`](Patterns::affordable) tree against background rows with these shares.
    ///
    /// # Shapes
    /// `cells` (row, feature), `shares` (row).
    pub(super) fn new(
        trees: &TreeEnsemble,
        tree: usize,
        player_of: &[usize],
        cells: &[f64],
        shares: &[f64],
        keep_rows: bool,
    ) -> Self {
        let (bit, mut leaves, players) = paths(trees, tree, player_of);
        let mut found = Patterns {
            tree,
            bit,
            leaves: Vec::new(),
            players,
            missed: Vec::new(),
            n_missed: Vec::new(),
            weight: Vec::new(),
            end: Vec::new(),
            rows: Vec::new(),
        };
        let (mut work, n_leaves) = (Masks::default(), leaves.len());
        for row in 0..shares.len() {
            found.mark(trees, &cells[row * trees.n_features..(row + 1) * trees.n_features], &mut work);
        }
        let mut seen: Vec<(u64, u32)> = Vec::with_capacity(shares.len());
        for (i, leaf) in leaves.iter_mut().enumerate() {
            seen.clear();
            seen.extend((0..shares.len()).map(|row| (leaf.full & !work.masks[row * n_leaves + i], row as u32)));
            seen.sort_unstable();
            let first = found.missed.len();
            for &(missed, row) in &seen {
                if found.missed.len() == first || found.missed.last() != Some(&missed) {
                    found.missed.push(missed);
                    found.n_missed.push(missed.count_ones());
                    found.weight.push(0.0);
                    found.end.push(found.rows.len() as u32);
                }
                let last = found.missed.len() - 1;
                found.weight[last] += shares[row as usize];
                if keep_rows {
                    found.rows.push(row);
                    found.end[last] = found.rows.len() as u32;
                }
            }
            leaf.patterns = first as u32..found.missed.len() as u32;
        }
        found.leaves = leaves;
        found
    }

    /// Which trees are worth patterns, decided by memory alone: (tree).
    pub(super) fn affordable(trees: &TreeEnsemble, player_of: &[usize], n_rows: usize, keep_rows: bool) -> Vec<bool> {
        let [most, mut left] = MOST_BYTES;
        let mut afford = |tree| {
            let leaves = trees.nodes(tree).len() as u64 / 2 + 1;
            let distinct = most_players(trees, tree, player_of);
            let kinds = (n_rows as u64).min(1u64.checked_shl(distinct as u32).unwrap_or(u64::MAX));
            let temporary = leaves.saturating_mul(8 * n_rows as u64);
            let rows = if keep_rows { 4 * n_rows as u64 } else { 0 };
            let kept = leaves.saturating_mul(kinds.saturating_mul(24).saturating_add(rows + 4 * distinct as u64 + 40));
            let fits = distinct <= MOST_PLAYERS && temporary.max(kept) <= most && kept <= left;
            if fits {
                left -= kept;
            }
            fits
        };
        (0..trees.n_trees()).map(&mut afford).collect()
    }

    /// Adds to `work.masks` for each leaf at which of its players the row follows the path.
    fn mark(&self, trees: &TreeEnsemble, row: &[f64], work: &mut Masks) {
        let root = trees.root(self.tree);
        work.stack.push((root as u32, u64::MAX));
        while let Some((node, mask)) = work.stack.pop() {
            let at = node as usize;
            if trees.is_leaf(at) {
                work.masks.push(mask);
                continue;
            }
            let without = mask & !(1 << self.bit[at - root]);
            let left = trees.goes_left(at, row[trees.feature[at] as usize]);
            work.stack.push((trees.right[at], if left { without } else { mask }));
            work.stack.push((trees.left[at], if left { mask } else { without }));
        }
    }

    /// Adds what each player of the samples contributes in this tree to `credit`.
    ///
    /// A mixture of a sample and a background row reaches a leaf when no player of its path is missed by both. The
    /// players that the row misses must then come from the sample and those that the sample misses from the row; all
    /// that counts of either is which players it misses. So samples that miss the same ones are answered together.
    ///
    /// # Shapes
    /// `credit` (sample, player, output).
    pub(super) fn add(
        &self,
        trees: &TreeEnsemble,
        samples: Samples,
        weights: &LeafWeights,
        work: &mut Masks,
        credit: &mut [f64],
    ) {
        let Samples { cells, n, factors } = samples;
        work.masks.clear();
        for sample in 0..n {
            self.mark(trees, &cells[sample * trees.n_features..(sample + 1) * trees.n_features], work);
        }
        let (n_outputs, width, n_leaves) = (trees.n_outputs, credit.len() / n.max(1), self.leaves.len());
        let Masks { masks, lost, earned, .. } = work;
        for (place, leaf) in self.leaves.iter().enumerate() {
            let players = &self.players[leaf.first_player as usize..][..leaf.full.count_ones() as usize];
            let earned = &mut earned[..players.len()];
            let values = trees.leaf_values(self.tree, leaf.node as usize);
            lost.clear();
            lost.extend((0..n).map(|sample| (leaf.full & !masks[sample * n_leaves + place], sample as u32)));
            if let Factors::Shares = factors {
                lost.sort_unstable();
            }
            let mut answered = None;
            for &(lost, sample) in lost.iter() {
                let credit = &mut credit[sample as usize * width..(sample as usize + 1) * width];
                match factors {
                    Factors::Shares => {
                        if answered.replace(lost) != Some(lost) {
                            self.earn(leaf, lost, weights, |pattern| self.weight[pattern], earned);
                        }
                        for (player, earned) in players.iter().zip(&*earned) {
                            let first = *player as usize * n_outputs;
                            for (output, value) in trees.outputs_of(self.tree).zip(values) {
                                credit[first + output] += value * earned;
                            }
                        }
                    }
                    Factors::Rows(factors) => {
                        let factors = &factors[sample as usize * factors.len() / n..];
                        for (output, value) in trees.outputs_of(self.tree).zip(values) {
                            let factor = |pattern: usize| {
                                let start = if pattern == 0 { 0 } else { self.end[pattern - 1] as usize };
                                let rows = &self.rows[start..self.end[pattern] as usize];
                                rows.iter().map(|&row| factors[row as usize * n_outputs + output]).sum()
                            };
                            self.earn(leaf, lost, weights, factor, earned);
                            for (player, earned) in players.iter().zip(&*earned) {
                                credit[*player as usize * n_outputs + output] += value * earned;
                            }
                        }
                    }
                }
            }
        }
    }

    /// Sets `earned` to what each player of the leaf's path earns of a value of 1 when the sample misses `lost`.
    fn earn(&self, leaf: &Leaf, lost: u64, weights: &LeafWeights, weight: impl Fn(usize) -> f64, earned: &mut [f64]) {
        earned.fill(0.0);
        let n_lost = lost.count_ones() as usize;
        let mut losses = 0.0;
        let (first, last) = (leaf.patterns.start as usize, leaf.patterns.end as usize);
        for (i, &missed) in self.missed[first..last].iter().enumerate() {
            if missed & lost != 0 {
                continue;
            }
            let n_missed = self.n_missed[first + i] as usize;
            let weight = weight(first + i);
            let gain = weight * weights.of(n_missed, n_lost);
            losses += weight * weights.of(n_lost, n_missed);
            for bit in bits(missed) {
                earned[bit] += gain;
            }
        }
        for bit in bits(lost) {
            earned[bit] -= losses;
        }
    }
}

/// The places of the bits that are on.
fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}

/// The bit of every split, the leaves from left to right, and their players by bit. For paths of at most
/// [`MOST_PLAYERS`] players.
fn paths(trees: &TreeEnsemble, tree: usize, player_of: &[usize]) -> (Vec<u8>, Vec<Leaf>, Vec<u32>) {
    let root = trees.root(tree);
    let mut bit = vec![0; trees.nodes(tree).len()];
    let (mut leaves, mut players, mut path) = (Vec::new(), Vec::new(), Vec::<u32>::new());
    // Each entry knows how many distinct players lie above; the path holds at least those.
    let mut stack = vec![(root, 0)];
    while let Some((node, above)) = stack.pop() {
        path.truncate(above);
        if trees.is_leaf(node) {
            let full = if above == MOST_PLAYERS { u64::MAX } else { (1 << above) - 1 };
            let first_player = players.len() as u32;
            leaves.push(Leaf { node: node as u32, full, first_player, patterns: 0..0 });
            players.extend_from_slice(&path);
            continue;
        }
        let player = player_of[trees.feature[node] as usize] as u32;
        let place = path.iter().position(|&p| p == player).unwrap_or_else(|| {
            path.push(player);
            path.len() - 1
        });
        bit[node - root] = place as u8;
        stack.push((trees.right[node] as usize, path.len()));
        stack.push((trees.left[node] as usize, path.len()));
    }
    (bit, leaves, players)
}

/// The most distinct players on a path, or one more than [`MOST_PLAYERS`] when there are more.
fn most_players(trees: &TreeEnsemble, tree: usize, player_of: &[usize]) -> usize {
    let (mut most, mut path) = (0, Vec::new());
    let mut stack = vec![(trees.root(tree), 0)];
    while let Some((node, above)) = stack.pop() {
        path.truncate(above);
        if trees.is_leaf(node) {
            continue;
        }
        let player = player_of[trees.feature[node] as usize];
        if !path.contains(&player) {
            path.push(player);
        }
        most = most.max(path.len());
        if most > MOST_PLAYERS {
            break;
        }
        stack.push((trees.right[node] as usize, path.len()));
        stack.push((trees.left[node] as usize, path.len()));
    }
    most
}
