//! Random numbers from a seed.

/// SplitMix64 (Steele, Lea, Flood 2014): a counter with a finaliser. Plenty for choosing subsets and adding noise.
pub(crate) struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Draws(seed)
    }

    /// The numbers of the draw with this number among those of a seed, whatever the draws before it took.
    pub fn nth(seed: u64, draw: usize) -> Self {
        let mut stream = Draws(seed ^ 0x6a09_e667_f3bc_c908);
        let of_seed = stream.next();
        let mut stream = Draws((draw as u64).wrapping_add(0x5bf0_3635));
        Draws(of_seed ^ stream.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, and without, 1.
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number from the standard normal distribution: one of Box and Muller's two.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A number below `n`, which is at least 1, each with the same chance: numbers in the last, incomplete block of n
    /// are drawn again.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        loop {
            let drawn = self.next();
            // The incomplete block is shorter than n: only near the end its length must be known.
            if drawn <= u64::MAX - n || drawn <= u64::MAX - (u64::MAX % n + 1) % n {
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
