//! Subsets of a given size: all of them when they are few, otherwise random ones.

use ndarray::Array2;

/// The subsets (subset, player) of `size` of `n` players: all, in lexicographic order, when there are at most `most`;
/// otherwise `most` random ones, which may repeat.
pub(crate) fn subsets(n: usize, size: usize, most: usize, seed: u64) -> Array2<bool> {
    let mut chosen: Vec<usize> = (0..size).collect();
    let count = count(n, size).filter(|&c| c <= most);
    let mut table = Array2::from_elem((count.unwrap_or(most), n), false);
    let mut stream = Stream(seed);
    for mut row in table.outer_iter_mut() {
        if count.is_none() {
            chosen = stream.sample(n, size);
        }
        chosen.iter().for_each(|&player| row[player] = true);
        if count.is_some() {
            advance(&mut chosen, n);
        }
    }
    table
}

/// How many subsets of `size` of `n` there are, or as many as `subsets` will return; for counting in advance.
pub(crate) fn n_subsets(n: usize, size: usize, most: usize) -> usize {
    count(n, size).map_or(most, |c| c.min(most))
}

/// n over size; `None` when it is more than a `usize` holds.
fn count(n: usize, size: usize) -> Option<usize> {
    let size = size.min(n - size);
    (0..size)
        .try_fold(1u128, |product, i| Some(product.checked_mul((n - i) as u128)? / (i as u128 + 1)))?
        .try_into()
        .ok()
}

/// The next subset in lexicographic order; the last one stays.
fn advance(chosen: &mut [usize], n: usize) {
    let size = chosen.len();
    let Some(at) = (0..size).rev().find(|&i| chosen[i] < n - size + i) else { return };
    chosen[at] += 1;
    for i in at + 1..size {
        chosen[i] = chosen[i - 1] + 1;
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a counter with a finaliser. Plenty for choosing subsets.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, each with the same chance: numbers in the last, incomplete block of n are drawn again.
    fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        let rest = (u64::MAX % n + 1) % n;
        loop {
            let drawn = self.next();
            if drawn <= u64::MAX - rest {
                return (drawn % n) as usize;
            }
        }
    }

    /// `size` different numbers below `n`: the first steps of a Fisher-Yates shuffle.
    fn sample(&mut self, n: usize, size: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..size {
            let other = i + self.below(n - i);
            all.swap(i, other);
        }
        all.truncate(size);
        all
    }
}
