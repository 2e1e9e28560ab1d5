//! Subsets of a given size: all of them when they are few, otherwise random ones.

use ndarray::{Array2, ArrayView1};

use crate::draws::Draws;

/// The subsets (subset, player) of `size` of `n` players: all, in lexicographic order, when there are at most `most`;
/// otherwise `most` random ones, which may repeat.
pub(crate) fn subsets(n: usize, size: usize, most: usize, seed: u64) -> Array2<bool> {
    let mut chosen: Vec<usize> = (0..size).collect();
    let count = count(n, size).filter(|&c| c <= most);
    let mut table = Array2::from_elem((count.unwrap_or(most), n), false);
    let mut stream = Draws::new(seed);
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

/// The sum of the shares of each subset's members: (subset).
pub(crate) fn sums_over(subsets: &Array2<bool>, shares: ArrayView1<f64>) -> Vec<f64> {
    let shares: Vec<f64> = shares.iter().copied().collect();
    let sum = |row: ArrayView1<bool>| match row.as_slice() {
        Some(row) => sum_of_members(row, &shares),
        None => sum_of_members(&row.to_vec(), &shares),
    };
    subsets.outer_iter().map(sum).collect()
}

/// Sums that are taken side by side, since one addition waits for the other.
const LANES: usize = 8;

fn sum_of_members(members: &[bool], shares: &[f64]) -> f64 {
    // Without a branch on the member, which nothing can predict.
    let term = |member: bool, share: f64| f64::from(u8::from(member)) * share;
    let mut sums = [0.0; LANES];
    let (members, last_members) = members.as_chunks::<LANES>();
    let (shares, last_shares) = shares.as_chunks::<LANES>();
    for (members, shares) in members.iter().zip(shares) {
        for ((sum, &member), &share) in sums.iter_mut().zip(members).zip(shares) {
            *sum += term(member, share);
        }
    }
    let last: f64 = last_members.iter().zip(last_shares).map(|(&member, &share)| term(member, share)).sum();
    sums.iter().sum::<f64>() + last
}
