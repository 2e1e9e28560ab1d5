//! Random numbers from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014): a counter with a finaliser. Plenty for choosing subsets and adding noise.
pub(crate) struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Draws(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is at least 1, each with the same chance: numbers in the last, incomplete block of n
    /// are drawn again.
    pub fn below(&mut self, n: usize) -> usize {
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
    pub fn sample(&mut self, n: usize, size: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..size {
            let other = i + self.below(n - i);
            all.swap(i, other);
        }
        all.truncate(size);
        all
    }
}
