//! One sample against one background row: what a leaf that needs some of either is worth.

use xai_core::TreeEnsemble;

/// Weights are tabulated for as many players as this on either side.
const TABULATED: usize = 64;

/// The Shapley weights of a leaf that needs some players of the sample and some of the background row.
pub(super) struct LeafWeights {
    /// (players of the background row, players of the sample).
    table: Vec<[[f64; 2]; TABULATED]>,
}

impl LeafWeights {
    pub(super) fn new() -> Self {
        LeafWeights { table: (0..TABULATED).map(|b| std::array::from_fn(|a| both(a, b))).collect() }
    }

    /// (a − 1)!·b!/(a + b)!, what each of the `a` players that must be present earns of the leaf's value, and
    /// a!·(b − 1)!/(a + b)!, what each of the `b` that must be absent loses; 0 when there are none.
    #[inline(always)]
    pub(super) fn both(&self, a: usize, b: usize) -> [f64; 2] {
        match self.table.get(b) {
            Some(row) if a < TABULATED => row[a],
            _ => both(a, b),
        }
    }
}

fn both(a: usize, b: usize) -> [f64; 2] {
    [weight(a, b), weight(b, a)]
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

/// A sample and a background row.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub trees: &'a TreeEnsemble,
    pub player_of: &'a [usize],
    pub sample: &'a [f64],
    pub other: &'a [f64],
}
