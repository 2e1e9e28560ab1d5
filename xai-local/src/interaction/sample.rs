//! Which coalitions a game is asked for.

use std::collections::HashSet;

use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Pairs of a coalition and those who are not in it, none twice, about as many of every size: (coalition, player). The
/// empty and the full coalition are not among them.
///
/// Sizes with fewer pairs than their share come whole, and leave what they do not need to the others.
pub(super) fn draw(n: usize, coalitions: usize, seed: u64) -> Array2<bool> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut left = coalitions / 2;
    let mut chosen: Vec<Vec<usize>> = Vec::new();
    for size in 1..=n / 2 {
        let share = left / (n / 2 + 1 - size);
        let all = n_pairs(n, size);
        let wanted = if all <= share as f64 { all as usize } else { share };
        left -= wanted;
        if all <= 2.0 * wanted as f64 {
            let mut every = enumerate(n, size);
            every.shuffle(&mut rng);
            chosen.extend(every.into_iter().take(wanted));
            continue;
        }
        let mut seen: HashSet<Vec<usize>> = HashSet::new();
        let mut players: Vec<usize> = (0..n).collect();
        while seen.len() < wanted {
            players.shuffle(&mut rng);
            let mut members = players[..size].to_vec();
            members.sort_unstable();
            // Of two halves, the one with player 0 stands for both.
            if 2 * size == n && members[0] != 0 {
                members = (0..n).filter(|player| members.binary_search(player).is_err()).collect();
            }
            if seen.insert(members.clone()) {
                chosen.push(members);
            }
        }
    }
    let mut spelled = Array2::from_elem((2 * chosen.len(), n), false);
    for (pair, members) in chosen.iter().enumerate() {
        spelled.row_mut(2 * pair + 1).fill(true);
        for &player in members {
            spelled[[2 * pair, player]] = true;
            spelled[[2 * pair + 1, player]] = false;
        }
    }
    spelled
}

/// The number of pairs whose smaller coalition has `size` players; infinite if more than an `f64` can count.
pub(super) fn n_pairs(n: usize, size: usize) -> f64 {
    let subsets = (1..=size).fold(1.0, |count, k| count * (n + 1 - k) as f64 / k as f64).round();
    if 2 * size == n { subsets / 2.0 } else { subsets }
}

fn enumerate(n: usize, size: usize) -> Vec<Vec<usize>> {
    let half = 2 * size == n;
    super::sets::sets_of(n, size).into_iter().filter(|set| !half || set[0] == 0).collect()
}
