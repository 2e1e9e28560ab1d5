//! Trees cut into twigs: splits with a leaf below them, small enough that what a sample earns there hangs on few bits.

use std::sync::Arc;

use super::quadrature::Quadrature;

/// Twigs that are worked on side by side.
pub(super) const LANES: usize = 8;
/// One number for each twig of a sheaf.
pub(super) type Lanes = [f64; LANES];
/// The most bits that an index may have.
pub(super) const MOST_BITS: usize = 14;

/// Some trees of an ensemble, cut into twigs.
///
/// A *twig* is a split with one or two leaves among its children. All that matters of a sample to a twig is its
/// *index*: for each player on the path, but the last, whether the sample follows the path wherever that player
/// splits; and above these bits the *state*, what the last player, that of the split itself, makes of the leaves.
pub(super) struct Copse {
    /// The splits of the trees, in preorder, tree after tree.
    pub branches: Vec<Branch>,
    /// The same, for one sample: (split).
    pub turns: Vec<Turn>,
    /// Whether all splits compare numbers, and NaN is what is missing.
    pub is_plain: bool,
    /// The number of splits on the longest path.
    pub depth: usize,
    /// The number of outputs that the leaves have values for.
    pub width: usize,
    /// The twigs, eight by eight, those with the most players first. Twig r is lane r % 8 of sheaf r / 8.
    pub sheaves: Vec<Sheaf>,
    /// The number of twigs.
    pub n_twigs: usize,
    /// From so many samples on, tables by cover cost less than they save.
    pub tables_from: usize,
    /// For players other than the last, the share of the cover that their splits send along the path: (sheaf, player).
    pub covers: Vec<Lanes>,
    /// The place of a player's credit for the first output of its tree, the last player after the others; padding has
    /// none: (sheaf, player, lane).
    pub places: Vec<[u32; LANES]>,
    /// The leaves' value when the last player is absent: (sheaf, output).
    pub means: Vec<Lanes>,
    /// The leaves' value when the last player is present: (sheaf, output, lane, state).
    pub states: Vec<[[f64; 4]; LANES]>,
}

/// Eight twigs, or fewer at the end.
pub(super) struct Sheaf {
    /// The players besides the last.
    pub n_others: usize,
    /// The place in `covers` of the first; its place in `places` is this plus the sheaf's number.
    pub first: usize,
    /// How many of the first players of each twig are padding, that every sample follows with a cover of 1.
    pub pads: [u16; LANES],
    /// The bits of each twig's index.
    pub bits: [u8; LANES],
    /// How the twigs' indices are made of patterns.
    pub picks: Picks,
    /// The twigs.
    pub len: usize,
    /// The quadrature that is exact for them.
    pub rule: Arc<Quadrature>,
}

/// How the indices of eight twigs are made of the patterns below their splits.
#[derive(Default)]
pub(super) struct Picks {
    /// The places of two patterns: of the child that is a leaf; or of both, when the last player has split above.
    pub from: [[u32; LANES]; 2],
    /// The bits below that of the last player.
    pub low: [u32; LANES],
    /// The bits of the other players above it, when it has been taken out.
    pub high: [u32; LANES],
    /// The bit of the last player.
    pub bit: [u32; LANES],
    /// The number of the other players.
    pub n_others: [u32; LANES],
    /// 2 when the last player has split above and both children are leaves.
    pub both: [u32; LANES],
}

/// A split, as one sample needs it.
pub(super) struct Turn {
    pub threshold: f64,
    /// The column that decides.
    pub feature: u32,
    /// The place of the pattern above it; those below split i lie at 2·i + 2 and, to the right, 2·i + 3.
    pub from: u32,
    /// The bit of its player.
    pub mask: u16,
    /// The same when the player has not split above.
    pub fresh: u16,
}

/// A split, and what it does to the pattern of the players followed so far.
#[derive(Clone)]
pub(super) struct Branch {
    pub threshold: f64,
    /// The column that decides.
    pub feature: u32,
    /// The node in the ensemble.
    pub node: u32,
    /// The number of its twig; without one, the number of twigs of the copse, padded to whole sheaves.
    pub twig: u32,
    /// Where the pattern above it lies: twice the number of splits above, and one more to the right of the last.
    pub from: u32,
    /// The bit of its player.
    pub mask: u16,
    /// The same when the player has not split above.
    pub fresh: u16,
    /// How the twig's index is made of a pattern.
    pub pick: Pick,
    /// Whether it compares numbers, and NaN is what is missing.
    pub is_plain: bool,
    /// Whether missing values go left.
    pub default_left: bool,
}

/// How a twig's index is made of the pattern above its split, `p`, with `l` for going left.
#[derive(Clone, Copy, Default)]
pub(super) struct Pick {
    /// All bits when the left child counts (the bit of the player falls for samples that go right).
    pub left: u16,
    /// All bits when the right child counts.
    pub right: u16,
    /// The bits below that of the last player.
    pub low: u16,
    /// The bits of the other players above it, when it has been taken out.
    pub high: u16,
    /// The bit of the last player.
    pub bit: u8,
    /// The number of the other players.
    pub n_others: u8,
    /// The bit that is on for samples that go left, when the last player has split above and both children are leaves.
    pub both: u16,
}

impl Pick {
    /// The index.
    #[inline(always)]
    pub(super) fn index(self, pattern: u16, on: u16, off: u16) -> u16 {
        let x = pattern & !((off & self.left) | (on & self.right));
        let others = (x & self.low) | ((x >> 1) & self.high) | (((x >> self.bit) & 1) << self.n_others);
        // `on` is the player's bit for samples that go left.
        others | (((on >> self.bit) & 1) * self.both)
    }
}
