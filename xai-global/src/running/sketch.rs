//! Quantiles of numbers that are not kept.

use serde::{Deserialize, Serialize};

/// How many bins there are from a power of two to the next, as a power of two.
const BINS_LOG2: u32 = 6;
/// Bits of a number that do not decide its bin.
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - BINS_LOG2;
/// Bins of all positive numbers.
const MOST_BINS: u32 = 1 << (63 - SHIFT);

/// The most that a quantile differs from the number it stands for, as a share of that number: half a bin, 1/128.
pub const QUANTILE_ERROR: f64 = 1.0 / (1 << (BINS_LOG2 + 1)) as f64;

/// How many numbers lie in each of fixed bins, 64 from every power of two to the next.
///
/// Bins do not depend on the data, so that the counts are the same for any order and any cut.
///
/// # Source
/// Masson, Rim, Lee 2019, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees".
/// *differs:* bins are cut by the bits of a number, evenly between powers of two, rather than by logarithms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sketch {
    /// Numbers that are 0, or below the least normal number.
    pub zero: u64,
    pub positive: Ladder,
    pub negative: Ladder,
}

/// Counts of the bins from `first` on; written as (bin, count) where there is a count.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u32, u64)>", into = "Vec<(u32, u64)>")]
pub(super) struct Ladder {
    first: u32,
    counts: Vec<u64>,
}

impl Sketch {
    pub fn add(&mut self, x: f64) {
        let bin = (x.abs().to_bits() >> SHIFT) as u32;
        if x.abs() < f64::MIN_POSITIVE {
            self.zero += 1;
        } else if x > 0.0 {
            *self.positive.slot(bin) += 1;
        } else {
            *self.negative.slot(bin) += 1;
        }
    }

    pub fn merge(&mut self, other: &Sketch) {
        self.zero += other.zero;
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    /// How many numbers were added; `None` when a file claims more than can be counted.
    pub fn total(&self) -> Option<u64> {
        let ladders = self.positive.counts.iter().chain(&self.negative.counts);
        ladders.copied().try_fold(self.zero, u64::checked_add)
    }

    /// The middle of the bin in which the `rank`th smallest number lies, from 1.
    pub fn value(&self, rank: u64) -> f64 {
        let mut left = rank;
        for (bin, count) in self.negative.bins().rev() {
            if left <= count {
                return -middle(bin);
            }
            left -= count;
        }
        if left <= self.zero {
            return 0.0;
        }
        find(self.positive.bins(), left - self.zero)
    }

    /// The middle of the bin in which the `rank`th smallest absolute value lies, from 1.
    pub fn absolute(&self, rank: u64) -> f64 {
        if rank <= self.zero {
            return 0.0;
        }
        let mut both = self.positive.clone();
        both.merge(&self.negative);
        find(both.bins(), rank - self.zero)
    }

    /// The number of counts that are held.
    pub fn n_counts(&self) -> usize {
        self.positive.counts.len() + self.negative.counts.len()
    }
}

fn find(bins: impl Iterator<Item = (u32, u64)>, rank: u64) -> f64 {
    let mut left = rank;
    for (bin, count) in bins {
        if left <= count {
            return middle(bin);
        }
        left -= count;
    }
    0.0
}

fn middle(bin: u32) -> f64 {
    let edge = |bin: u32| f64::from_bits(u64::from(bin) << SHIFT);
    // The last bin ends at infinity.
    let width = edge(bin) - edge(bin - 1);
    let next = edge(bin + 1);
    edge(bin) + if next.is_finite() { next - edge(bin) } else { width } / 2.0
}

impl Ladder {
    fn slot(&mut self, bin: u32) -> &mut u64 {
        if self.counts.is_empty() {
            self.first = bin;
        }
        if bin < self.first {
            let more = (self.first - bin) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first = bin;
        }
        let place = (bin - self.first) as usize;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        &mut self.counts[place]
    }

    fn merge(&mut self, other: &Ladder) {
        other.bins().for_each(|(bin, count)| *self.slot(bin) += count);
    }

    /// The bins in which there is something, with their counts.
    fn bins(&self) -> impl DoubleEndedIterator<Item = (u32, u64)> {
        (self.first..).zip(self.counts.iter().copied()).collect::<Vec<_>>().into_iter().filter(|(_, count)| *count > 0)
    }
}

impl From<Ladder> for Vec<(u32, u64)> {
    fn from(ladder: Ladder) -> Self {
        ladder.bins().collect()
    }
}

impl TryFrom<Vec<(u32, u64)>> for Ladder {
    type Error = String;
    fn try_from(bins: Vec<(u32, u64)>) -> Result<Self, String> {
        let least = (f64::MIN_POSITIVE.to_bits() >> SHIFT) as u32;
        let most = (f64::MAX.to_bits() >> SHIFT) as u32;
        debug_assert!(most < MOST_BINS);
        let mut ladder = Ladder::default();
        for (bin, count) in bins {
            if !(least..=most).contains(&bin) || count == 0 || *ladder.slot(bin) > 0 {
                return Err(format!("bin {bin} with the count {count}: expected each of {least} to {most} once"));
            }
            *ladder.slot(bin) = count;
        }
        Ok(ladder)
    }
}
