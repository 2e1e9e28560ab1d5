//! One tree swept for one sample: down level by level, and up again.

use pulp::{Arch, Simd, WithSimd};
use xai_core::trees::TreeEnsemble;

use super::levels::{Kind, Levels, Piece, Split};
use super::precision::Real;

/// The nodes of the quadrature that are worked on side by side.
pub(super) const LANES: usize = 8;

/// The memory of one thread.
pub(super) struct Slots<R> {
    /// The product of the factors above a split; once it is swept, the sum over the leaves below: (slot, node of the
    /// quadrature).
    vectors: Vec<[R; LANES]>,
    /// h·(hₑ − cₑ) of the edges: (slot), left and right.
    gain: Vec<[R; 2]>,
    /// 1 while the sample has followed its player at every split so far, this one included: (slot), left and right.
    follows: Vec<[R; 2]>,
}

impl<R> Default for Slots<R> {
    fn default() -> Self {
        Slots { vectors: Vec::new(), gain: Vec::new(), follows: Vec::new() }
    }
}

/// The value as the trees compare it.
pub(super) fn round(trees: &TreeEnsemble, value: f64) -> f64 {
    if trees.comparison.single { f64::from(value as f32) } else { value }
}

/// Sets `credit` to what each player contributes in some trees, in parts that are yet to be summed.
///
/// # Shapes
/// `rows` (sample, feature), rounded as [`round`] does it; `credit` (sample, output, player).
pub(super) fn sweep_all<R: Real>(
    trees: &TreeEnsemble,
    all: &[Levels<R>],
    rows: &[f64],
    slots: &mut Slots<R>,
    credit: &mut [[R; LANES]],
) {
    credit.fill([R::ZERO; LANES]);
    Arch::new().dispatch(Sweeps { trees, all, rows, slots, credit });
}

/// The sum of the parts.
pub(super) fn total<R: Real>(parts: &[R; LANES]) -> R {
    let [a, b, c, d, e, f, g, h] = *parts;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

struct Sweeps<'a, R> {
    trees: &'a TreeEnsemble,
    all: &'a [Levels<R>],
    rows: &'a [f64],
    slots: &'a mut Slots<R>,
    credit: &'a mut [[R; LANES]],
}

impl<R: Real> WithSimd for Sweeps<'_, R> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Sweeps { trees, all, rows, slots, credit } = self;
        let n_samples = rows.len() / trees.n_features.max(1);
        let n_players = credit.len() / (n_samples * trees.n_outputs).max(1);
        for tree in all {
            for (sample, row) in rows.chunks_exact(trees.n_features.max(1)).enumerate() {
                for (value, output) in trees.outputs_of(tree.tree).enumerate() {
                    let first = (sample * trees.n_outputs + output) * n_players;
                    let credit = &mut credit[first..first + n_players];
                    let sweep = Sweep { trees, tree, value, row };
                    match tree.width / LANES {
                        1 => sweep.run(1, slots, credit),
                        2 => sweep.run(2, slots, credit),
                        n => sweep.run(n, slots, credit),
                    }
                }
            }
        }
    }
}

/// One sample, one output of a tree.
struct Sweep<'a, R> {
    trees: &'a TreeEnsemble,
    tree: &'a Levels<R>,
    /// The place of the output among the values of a leaf.
    value: usize,
    /// The sample, rounded as [`round`] does it: (feature).
    row: &'a [f64],
}

impl<R: Real> Sweep<'_, R> {
    /// Adds what each player contributes.
    ///
    /// For a leaf with value v, whose path sends a share c of the cover along each player's splits and which a sample
    /// reaches (h = 1) or misses (h = 0) there, the Shapley value is v·(hᵢ − cᵢ)·∫₀¹ Πⱼ≠ᵢ (hⱼ·t + cⱼ·(1 − t)) dt. With
    /// A(t) the product over the players above a split and B(t) the sum over the leaves below a child, each with its
    /// factors further down, and D = Σ h·(hₑ − cₑ)·Bₑ over the two edges e, a split adds ∫ ω·A·D to its player, where
    /// τ = t, ω = 1 for the player's first split on the path; for later ones τ = t/(t + c·(1 − t)),
    /// ω = c/(t + c·(1 − t))². The sum that it passes up is Σ cₑ·Bₑ + τ·D, the product that it passes down along an edge
    /// A·(cₑ + τ·h·(hₑ − cₑ)).
    ///
    /// # Shapes
    /// `n` is the number of vectors that hold a number for each node; `credit` (player).
    #[inline(always)]
    fn run(&self, n: usize, slots: &mut Slots<R>, credit: &mut [[R; LANES]]) {
        let n_slots = self.tree.n_slots;
        slots.vectors.resize(slots.vectors.len().max(n * n_slots), [R::ZERO; LANES]);
        slots.gain.resize(slots.gain.len().max(n_slots), [R::ZERO; 2]);
        slots.follows.resize(slots.follows.len().max(n_slots), [R::ZERO; 2]);
        // What stands above the root: nothing.
        slots.vectors[..n].fill([R::ONE; LANES]);
        (slots.gain[0], slots.follows[0]) = ([R::ZERO; 2], [R::ONE; 2]);
        let Some((top, pieces)) = self.tree.pieces.split_first() else { return };
        self.down(n, top, slots, credit);
        for piece in pieces {
            self.down(n, piece, slots, credit);
            self.up(n, piece, slots, credit);
            slots.vectors.copy_within(n * piece.slot..n * (piece.slot + 1), n * piece.kept);
        }
        self.up(n, top, slots, credit);
    }

    /// Decides which way the sample goes and multiplies the factors of the paths; splits between two leaves are done
    /// with.
    #[inline(always)]
    fn down(&self, n: usize, piece: &Piece, slots: &mut Slots<R>, credit: &mut [[R; LANES]]) {
        let (mut slot, mut splits) = (piece.slot, &self.tree.splits[piece.splits.clone()]);
        for &(kind, len) in &piece.runs {
            let (here, rest) = splits.split_at(len as usize);
            splits = rest;
            for (split, slot) in here.iter().zip(slot..) {
                let left = R::of_bit(u32::from(self.goes_left(split)));
                let share = split.share.map(R::of);
                let share_above = R::of(split.share_above);
                let h = slots.follows.as_flattened()[split.above as usize];
                let gain = [h * (left - share[0]), h * (R::ONE - left - share[1])];
                slots.gain[slot] = gain;
                slots.follows[slot] = [h * left, h * (R::ONE - left)];
                let gain_above = slots.gain.as_flattened()[split.parent as usize];
                let (above, here) = slots.vectors.split_at_mut(n * slot);
                let product = above[n * (split.parent as usize / 2)..].iter().zip(self.tau(n, split.table[1]));
                let product = product.map(|(product, tau)| {
                    std::array::from_fn::<R, LANES, _>(|i| product[i] * (share_above + tau[i] * gain_above))
                });
                if kind != Kind::Both {
                    here.iter_mut().zip(product).for_each(|(here, product)| *here = product);
                    continue;
                }
                let [left, right] = split.children.map(|place| R::of(self.trees.values[place as usize + self.value]));
                let mean = share[0] * left + share[1] * right;
                let gained = gain[0] * left + gain[1] * right;
                let (tau, omega) = (self.tau(n, split.table[0]), self.omega(n, split.table[0]));
                let credit = &mut credit[split.player as usize];
                for (((here, product), tau), omega) in here.iter_mut().zip(product).zip(tau).zip(omega) {
                    *credit = std::array::from_fn(|i| credit[i] + omega[i] * product[i] * gained);
                    *here = std::array::from_fn(|i| mean + tau[i] * gained);
                }
            }
            slot += len as usize;
        }
    }

    /// Credits the players of the splits and passes the sums over their leaves up.
    #[inline(always)]
    fn up(&self, n: usize, piece: &Piece, slots: &mut Slots<R>, credit: &mut [[R; LANES]]) {
        let (mut slot, mut splits) = (piece.slot + piece.splits.len(), &self.tree.splits[piece.splits.clone()]);
        for &(kind, len) in piece.runs.iter().rev() {
            let (rest, here) = splits.split_at(splits.len() - len as usize);
            splits = rest;
            slot -= len as usize;
            match kind {
                Kind::Both => {}
                Kind::Left => self.join::<true, false>(n, slot, here, slots, credit),
                Kind::Right => self.join::<false, true>(n, slot, here, slots, credit),
                Kind::Neither => self.join::<false, false>(n, slot, here, slots, credit),
            }
        }
    }

    #[inline(always)]
    fn join<const LEFT: bool, const RIGHT: bool>(
        &self,
        n: usize,
        first: usize,
        splits: &[Split],
        slots: &mut Slots<R>,
        credit: &mut [[R; LANES]],
    ) {
        for (split, slot) in splits.iter().zip(first..first + splits.len()).rev() {
            // The sums of children lie behind the product of their parent.
            let (before, after) = slots.vectors.split_at_mut(n * (slot + 1));
            let vectors = &mut before[n * slot..];
            let leaf = |is_leaf: bool, side: usize| match is_leaf {
                true => R::of(self.trees.values[split.children[side] as usize + self.value]),
                false => R::ZERO,
            };
            let sums = |is_leaf: bool, side: usize| match is_leaf {
                true => &[][..],
                false => &after[n * (split.children[side] as usize - slot - 1)..][..n],
            };
            let (leaf_left, leaf_right) = (leaf(LEFT, 0), leaf(RIGHT, 1));
            let (sums_left, sums_right) = (sums(LEFT, 0), sums(RIGHT, 1));
            let ([share_left, share_right], [gain_left, gain_right]) = (split.share.map(R::of), slots.gain[slot]);
            let (tau, omega) = (self.tau(n, split.table[0]), self.omega(n, split.table[0]));
            let credit = &mut credit[split.player as usize];
            for (node, vector) in vectors.iter_mut().enumerate() {
                let left = if LEFT { [leaf_left; LANES] } else { sums_left[node] };
                let right = if RIGHT { [leaf_right; LANES] } else { sums_right[node] };
                let (tau, omega, product) = (&tau[node], &omega[node], *vector);
                // One array after another: loops that write two at a time are not turned into vector instructions.
                let gained: [R; LANES] = std::array::from_fn(|i| gain_left * left[i] + gain_right * right[i]);
                *credit = std::array::from_fn(|i| credit[i] + omega[i] * product[i] * gained[i]);
                let mean: [R; LANES] = std::array::from_fn(|i| share_left * left[i] + share_right * right[i]);
                *vector = std::array::from_fn(|i| mean[i] + tau[i] * gained[i]);
            }
        }
    }

    #[inline(always)]
    fn goes_left(&self, split: &Split) -> bool {
        let x = self.row[split.feature as usize];
        match (split.is_plain, self.trees.comparison.strict) {
            (true, true) => (x < split.threshold) | (x.is_nan() & split.default_left),
            (true, false) => (x <= split.threshold) | (x.is_nan() & split.default_left),
            (false, _) => self.trees.goes_left(split.node as usize, x),
        }
    }

    #[inline(always)]
    fn tau(&self, n: usize, table: u32) -> &[[R; LANES]] {
        &self.tree.tables[table as usize..].as_chunks().0[..n]
    }

    #[inline(always)]
    fn omega(&self, n: usize, table: u32) -> &[[R; LANES]] {
        &self.tree.tables[table as usize..].as_chunks().0[n..2 * n]
    }
}
