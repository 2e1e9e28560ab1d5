//! How contributions go with the values of a feature, counted.

use serde::{Deserialize, Serialize};

/// The bins of contributions; a power of two.
const VALUE_BINS: usize = 64;
/// The bins of a feature's values; a power of two.
const DATA_BINS: usize = 32;

/// Bins of equal width 2^exponent: bin k holds the numbers from k to k + 1 times the width.
///
/// The exponent is the least for which all numbers seen lie in at most so many bins, so that it follows from the least
/// and the greatest number alone, and bins are only ever joined in twos as the range grows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bins {
    exponent: i32,
    low: i64,
    high: i64,
}

impl Bins {
    fn of(x: f64) -> Self {
        // So fine that the bin's number takes no more than 52 bits.
        let binary = ((x.abs().to_bits() >> 52) as i32 - 1023).max(-971);
        let exponent = binary - 51;
        let bin = (x * power_of_two(-exponent)).floor() as i64;
        Bins { exponent, low: bin, high: bin }
    }

    /// The bins that hold both, at most `most`.
    fn join(self, other: Bins, most: usize) -> Self {
        let mut exponent = self.exponent.max(other.exponent);
        let low = coarser(self.low, exponent - self.exponent).min(coarser(other.low, exponent - other.exponent));
        let high = coarser(self.high, exponent - self.exponent).max(coarser(other.high, exponent - other.exponent));
        let (mut low, mut high) = (low, high);
        while high - low >= most as i64 {
            (low, high, exponent) = (low >> 1, high >> 1, exponent + 1);
        }
        Bins { exponent, low, high }
    }

    /// The bin of a number within the range.
    fn place(&self, x: f64) -> i64 {
        (x * power_of_two(-self.exponent)).floor() as i64
    }

    fn edges(&self) -> Vec<f64> {
        let width = power_of_two(self.exponent);
        (self.low..=self.high + 1).map(|bin| bin as f64 * width).collect()
    }
}

fn coarser(bin: i64, by: i32) -> i64 {
    bin >> by.clamp(0, 63)
}

/// 2^`exponent`, from −1074 to 1023.
fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        -1022.. => f64::from_bits(((exponent.min(1023) + 1023) as u64) << 52),
        _ => f64::from_bits(1 << (exponent + 1074).max(0)),
    }
}

/// Counts of contributions by the value of the feature.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub(super) struct Joint {
    values: Option<Bins>,
    data: Option<Bins>,
    /// (bin of contributions modulo 64, bin of the feature modulo 32; the last for missing cells).
    counts: Vec<u64>,
}

const COLUMNS: usize = DATA_BINS + 1;

fn slot(value: i64, data: Option<i64>) -> usize {
    let column = data.map_or(DATA_BINS, |data| data as usize & (DATA_BINS - 1));
    (value as usize & (VALUE_BINS - 1)) * COLUMNS + column
}

/// Counts as they are read: see [`Running::histogram`](super::Running::histogram).
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The borders of the bins of contributions: (bin + 1).
    pub value_edges: Vec<f64>,
    /// The borders of the bins of the feature's values, one more than bins; empty when every cell is missing.
    pub data_edges: Vec<f64>,
    /// How many samples lie in each: (bin of contributions, bin of the feature's values).
    pub counts: ndarray::Array2<u64>,
    /// How many samples without a finite value of the feature: (bin of contributions).
    pub missing: Vec<u64>,
}

impl Joint {
    /// Counts a contribution; `data` is NaN where the cell is missing.
    pub fn add(&mut self, value: f64, data: f64) {
        let data = data.is_finite().then_some(data);
        self.cover(Some(Bins::of(value)), data.map(Bins::of));
        if let (Some(values), bins) = (self.values, self.data) {
            let column = data.zip(bins).map(|(data, bins)| bins.place(data));
            self.counts[slot(values.place(value), column)] += 1;
        }
    }

    pub fn merge(&mut self, other: &Joint) {
        self.cover(other.values, other.data);
        let (Some(mine), Some(theirs)) = (self.values, other.values) else { return };
        let shift = mine.exponent - theirs.exponent;
        let data_shift = self.data.zip(other.data).map_or(0, |(mine, theirs)| mine.exponent - theirs.exponent);
        for (value, data, count) in other.cells() {
            let data = data.map(|data| coarser(data, data_shift));
            self.counts[slot(coarser(value, shift), data)] += count;
        }
    }

    pub fn n_counts(&self) -> usize {
        self.counts.len()
    }

    /// How many pairs were counted; `None` when a file claims more than can be counted.
    pub fn total(&self) -> Option<u64> {
        self.counts.iter().copied().try_fold(0, u64::checked_add)
    }

    pub fn histogram(&self) -> Option<Histogram> {
        let values = self.values?;
        let n_values = (values.high - values.low + 1) as usize;
        let n_data = self.data.map_or(0, |data| (data.high - data.low + 1) as usize);
        let mut counts = ndarray::Array2::zeros((n_values, n_data));
        let mut missing = vec![0; n_values];
        for (value, data, count) in self.cells() {
            let row = (value - values.low) as usize;
            match data.zip(self.data) {
                None => missing[row] = count,
                Some((data, bins)) => counts[[row, (data - bins.low) as usize]] = count,
            }
        }
        let data_edges = self.data.map(|data| data.edges()).unwrap_or_default();
        Some(Histogram { value_edges: values.edges(), data_edges, counts, missing })
    }

    /// Makes room for what is to come.
    fn cover(&mut self, values: Option<Bins>, data: Option<Bins>) {
        let join = |mine: Option<Bins>, theirs: Option<Bins>, most| match (mine, theirs) {
            (Some(mine), Some(theirs)) => Some(mine.join(theirs, most)),
            (mine, theirs) => mine.or(theirs).map(|bins| bins.join(bins, most)),
        };
        let (values, data) = (join(self.values, values, VALUE_BINS), join(self.data, data, DATA_BINS));
        let width = |bins: Option<Bins>| bins.map(|bins| bins.exponent);
        let same = |old: Option<Bins>, new| old.is_none() || width(old) == width(new);
        if self.counts.is_empty() {
            self.counts = vec![0; VALUE_BINS * COLUMNS];
        } else if !same(self.values, values) || !same(self.data, data) {
            let shift = |old: Option<Bins>, new: Option<Bins>| old.zip(new).map_or(0, |(o, n)| n.exponent - o.exponent);
            let (by_value, by_data) = (shift(self.values, values), shift(self.data, data));
            let mut counts = vec![0; VALUE_BINS * COLUMNS];
            for (value, data, count) in self.cells() {
                counts[slot(coarser(value, by_value), data.map(|data| coarser(data, by_data)))] += count;
            }
            self.counts = counts;
        }
        (self.values, self.data) = (values, data);
    }

    /// Every bin that counts something: contribution, feature (`None` for missing cells), count.
    fn cells(&self) -> Vec<(i64, Option<i64>, u64)> {
        let Some(values) = self.values else { return Vec::new() };
        let columns = || self.data.into_iter().flat_map(|data| data.low..=data.high).map(Some).chain([None]);
        let all = (values.low..=values.high).flat_map(|value| columns().map(move |data| (value, data)));
        all.map(|(value, data)| (value, data, self.counts[slot(value, data)])).filter(|cell| cell.2 > 0).collect()
    }
}

/// The form of a [`Joint`] in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// The widths of the bins are 2^these.
    value_exponent: Option<i32>,
    data_exponent: Option<i32>,
    /// (bin of contributions, bin of the feature or none, count).
    counts: Vec<(i64, Option<i64>, u64)>,
}

impl From<Joint> for Saved {
    fn from(joint: Joint) -> Self {
        let exponent = |bins: Option<Bins>| bins.map(|bins| bins.exponent);
        Saved { value_exponent: exponent(joint.values), data_exponent: exponent(joint.data), counts: joint.cells() }
    }
}

impl TryFrom<Saved> for Joint {
    type Error = String;
    fn try_from(saved: Saved) -> Result<Self, String> {
        let values = range(saved.value_exponent, saved.counts.iter().map(|cell| cell.0), VALUE_BINS)?;
        let data = range(saved.data_exponent, saved.counts.iter().filter_map(|cell| cell.1), DATA_BINS)?;
        let mut counts = if saved.counts.is_empty() { Vec::new() } else { vec![0; VALUE_BINS * COLUMNS] };
        for (value, data, count) in saved.counts {
            let place = &mut counts[slot(value, data)];
            if *place > 0 || count == 0 {
                return Err("a bin of the histogram stands there twice, or counts nothing".into());
            }
            *place = count;
        }
        Ok(Joint { values, data, counts })
    }
}

fn range(exponent: Option<i32>, bins: impl Iterator<Item = i64> + Clone, most: usize) -> Result<Option<Bins>, String> {
    let (low, high) = (bins.clone().min(), bins.max());
    match (exponent, low.zip(high)) {
        (None, None) => Ok(None),
        (Some(exponent @ -1022..=1074), Some((low, high)))
            if low.unsigned_abs() <= 1 << 53 && high.unsigned_abs() <= 1 << 53 && high - low < most as i64 =>
        {
            Ok(Some(Bins { exponent, low, high }))
        }
        _ => Err(format!("a histogram whose bins are not within {most} neighbours of one width")),
    }
}
