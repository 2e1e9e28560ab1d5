//! Sets of players.

/// All sets of 1 to `order` of `n` players: by size, then by players.
pub(crate) fn sets_up_to(n: usize, order: usize) -> Vec<Vec<usize>> {
    (1..=order.min(n)).flat_map(|size| sets_of(n, size)).collect()
}

/// All sets of `size` of `n` players, at least one, by players.
pub(crate) fn sets_of(n: usize, size: usize) -> Vec<Vec<usize>> {
    let mut sets = Vec::new();
    let mut set: Vec<usize> = (0..size).collect();
    loop {
        sets.push(set.clone());
        let Some(k) = (0..size).rposition(|k| set[k] < n - size + k) else { return sets };
        set[k] += 1;
        for later in k + 1..size {
            set[later] = set[later - 1] + 1;
        }
    }
}

/// How many sets of 1 to `order` of `n` players there are; the largest number if more.
pub(crate) fn count_up_to(n: usize, order: usize) -> u64 {
    let (mut all, mut of_size) = (0u64, 1u128);
    for size in 1..=order.min(n) {
        of_size = of_size.saturating_mul((n + 1 - size) as u128) / size as u128;
        all = all.saturating_add(u64::try_from(of_size).unwrap_or(u64::MAX));
    }
    all
}

/// The bits of a set of fewer than 64 players.
pub(crate) fn mask_of(set: &[usize]) -> usize {
    set.iter().fold(0, |mask, player| mask | 1 << player)
}
