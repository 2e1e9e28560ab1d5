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

/// Where each set of up to `order` of `n` players lies among [`sets_up_to`], without a search.
pub(crate) struct Ranks {
    n: usize,
    order: usize,
    /// Binomial coefficients: (of, below the order + 1).
    choose: Vec<Vec<usize>>,
    /// Where the sets of each size begin, and where all end.
    start: Vec<usize>,
}

impl Ranks {
    /// For sets whose number fits memory.
    pub fn new(n: usize, order: usize) -> Self {
        let order = order.min(n);
        let mut choose = vec![vec![0; order + 1]; n + 1];
        for of in 0..=n {
            choose[of][0] = 1;
            for k in 1..=order.min(of) {
                choose[of][k] = choose[of - 1][k - 1] + choose[of - 1][k];
            }
        }
        let mut start = vec![0];
        for size in 1..=order {
            start.push(start[size - 1] + choose[n][size]);
        }
        Ranks { n, order, choose, start }
    }

    /// The most players of a set.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number of sets.
    pub fn len(&self) -> usize {
        self.start[self.order]
    }

    /// The place of an ascending set of 1 to `order` players.
    pub fn place(&self, set: &[usize]) -> usize {
        let k = set.len();
        let later: usize = set.iter().enumerate().map(|(i, &player)| self.choose[self.n - 1 - player][k - i]).sum();
        self.start[k] - 1 - later
    }
}
