//! Boosted trees on memberships, and their exact Shapley values.
//!
//! No tree is kept: as soon as a leaf is grown it is shared out, and what it adds is added to every pair that reaches it.
//! A leaf of worth c that asks for the players P and against the players Q is the game c · 1[P ⊆ S, Q ∩ S = ∅], whose
//! Shapley values are c (|P| − 1)! |Q|! / (|P| + |Q|)! for those in P and −c |P|! (|Q| − 1)! / (|P| + |Q|)! for those in
//! Q: interventional TreeSHAP with nobody as the only background.

use ndarray::{Array2, ArrayView1};

/// How trees are grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    /// Trees.
    pub trees: usize,
    /// Splits on a path, at most.
    pub depth: usize,
    /// What of a leaf's mean is taken.
    pub rate: f64,
}

/// What boosted trees make of one output.
pub(crate) struct Boosted {
    /// The Shapley values: (player).
    pub shares: Vec<f64>,
    /// What the trees say of half of each pair's difference, also of those they have not seen: (pair).
    pub half: Vec<f64>,
}

/// Added to the number of rows in a leaf's mean, which draws small leaves towards zero.
const RIDGE: f64 = 1.0;

/// A leaf's rows, at least.
const FEWEST_ROWS: usize = 2;

/// Grows trees on `half` differences of the pairs that are `taught`. A pair is two rows, its coalition and the
/// complement with the opposite sign, so that what is learned is odd.
///
/// # Shapes
/// `signs` (pair, player); `half` (pair); `taught` (pair).
///
/// # Cost
/// O(trees · depth · pairs · players).
pub(crate) fn boost(signs: &Array2<f64>, half: ArrayView1<f64>, taught: &[bool], growth: Growth) -> Boosted {
    boost_both(signs, [half, half.mapv(|x| -x).view()], taught, growth)
}

/// Grows trees on the `worth` of both coalitions of the pairs that are `taught`: what is simple for a coalition may be
/// twice as hard for the difference of two.
///
/// # Shapes
/// `signs` (pair, player); `worth` (pair) of the coalitions and of their complements; `taught` (pair).
///
/// # Cost
/// O(trees · depth · pairs · players).
pub(crate) fn boost_both(signs: &Array2<f64>, worth: [ArrayView1<f64>; 2], taught: &[bool], growth: Growth) -> Boosted {
    let mut shares = vec![0.0; signs.ncols()];
    let [own, others] = grow(signs, worth, taught, growth, |path, worth| {
        let present = path.iter().filter(|(_, present)| *present).count();
        let (inside, outside) = leaf_shares(present, path.len() - present);
        for &(player, present) in path {
            shares[player] += worth * if present { inside } else { outside };
        }
    });
    Boosted { shares, half: own.iter().zip(&others).map(|(own, others)| (own - others) / 2.0).collect() }
}

/// Grows trees on the `worth` of both coalitions of the pairs that are `taught`, and calls `leaf` with the path and the
/// worth of every leaf: players, and whether they must be present. Returns what the trees say of both of every pair.
///
/// # Shapes
/// `signs` (pair, player); `worth` (pair) of the coalitions and of their complements; `taught` (pair).
///
/// # Cost
/// O(trees · depth · pairs · players).
pub(crate) fn grow(
    signs: &Array2<f64>,
    worth: [ArrayView1<f64>; 2],
    taught: &[bool],
    growth: Growth,
    leaf: impl FnMut(&[(usize, bool)], f64),
) -> [Vec<f64>; 2] {
    let m = signs.nrows();
    let mut grower = Grower {
        signs,
        taught,
        growth,
        left: worth.iter().flatten().copied().collect(),
        said: vec![0.0; 2 * m],
        each_leaf: leaf,
    };
    for _ in 0..growth.trees {
        let rows: Vec<u32> = (0..2 * m as u32).collect();
        grower.grow(&rows, &mut Vec::new());
    }
    let others = grower.said.split_off(m);
    [grower.said, others]
}

struct Grower<'a, L> {
    signs: &'a Array2<f64>,
    taught: &'a [bool],
    growth: Growth,
    /// What is left of each row's target: (row), the pairs and then their complements.
    left: Vec<f64>,
    /// What the trees say of each row.
    said: Vec<f64>,
    each_leaf: L,
}

impl<L: FnMut(&[(usize, bool)], f64)> Grower<'_, L> {
    fn sign(&self, row: u32, player: usize) -> f64 {
        let (row, m) = (row as usize, self.signs.nrows());
        if row < m { self.signs[[row, player]] } else { -self.signs[[row - m, player]] }
    }

    fn is_taught(&self, row: u32) -> bool {
        self.taught[row as usize % self.signs.nrows()]
    }

    /// Grows what is below a node reached by `rows`, along `path`: players, and whether they must be present.
    fn grow(&mut self, rows: &[u32], path: &mut Vec<(usize, bool)>) {
        let split = if path.len() < self.growth.depth { self.best_split(rows, path) } else { None };
        let Some(player) = split else { return self.leaf(rows, path) };
        let (present, absent): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| self.sign(row, player) > 0.0);
        for (rows, side) in [(present, true), (absent, false)] {
            path.push((player, side));
            self.grow(&rows, path);
            path.pop();
        }
    }

    /// The player whose presence tells most of what is left, if any does.
    fn best_split(&self, rows: &[u32], path: &[(usize, bool)]) -> Option<usize> {
        let (m, n) = self.signs.dim();
        // Sums over those present less sums over those absent.
        let (mut sums, mut counts) = (vec![0.0; n], vec![0.0; n]);
        let (mut sum, mut count) = (0.0, 0.0);
        for &row in rows.iter().filter(|&&row| self.is_taught(row)) {
            let left = self.left[row as usize];
            let (pair, side) = if (row as usize) < m { (row as usize, 1.0) } else { (row as usize - m, -1.0) };
            (sum, count) = (sum + left, count + 1.0);
            for ((s, c), sign) in sums.iter_mut().zip(&mut counts).zip(self.signs.row(pair)) {
                *s += side * left * sign;
                *c += side * sign;
            }
        }
        let worth = |sum: f64, count: f64| sum * sum / (count + RIDGE);
        let mut best = (worth(sum, count) * (1.0 + f64::EPSILON), None);
        for player in (0..n).filter(|player| path.iter().all(|(known, _)| known != player)) {
            let (s, c) = ((sum + sums[player]) / 2.0, (count + counts[player]) / 2.0);
            let gain = worth(s, c) + worth(sum - s, count - c);
            if c.min(count - c) >= FEWEST_ROWS as f64 && gain > best.0 {
                best = (gain, Some(player));
            }
        }
        best.1
    }

    fn leaf(&mut self, rows: &[u32], path: &[(usize, bool)]) {
        let (mut sum, mut count) = (0.0, 0.0);
        for &row in rows.iter().filter(|&&row| self.is_taught(row)) {
            (sum, count) = (sum + self.left[row as usize], count + 1.0);
        }
        let worth = self.growth.rate * sum / (count + RIDGE);
        for &row in rows {
            self.left[row as usize] -= worth;
            self.said[row as usize] += worth;
        }
        (self.each_leaf)(path, worth);
    }
}

/// The shares of one who must be present, and of one who must be absent, in a leaf that asks for so many.
fn leaf_shares(present: usize, absent: usize) -> (f64, f64) {
    let (p, q) = (present as f64, absent as f64);
    // p! q! / (p + q)!
    let both: f64 = (1..=absent).map(|k| k as f64 / (p + k as f64)).product();
    (if present > 0 { both / p } else { 0.0 }, if absent > 0 { -both / q } else { 0.0 })
}
