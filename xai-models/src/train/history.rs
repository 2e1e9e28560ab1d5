//! What went on in training.

use serde::{Deserialize, Serialize};

/// Everything that was watched, epoch by epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// One entry an epoch.
    pub epochs: Vec<Epoch>,
    /// The epoch whose parameters were kept, counted from 1; 0 before the first.
    pub best: usize,
}

/// One pass over all samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Which, counted from 1.
    pub epoch: usize,
    /// How many there shall be.
    pub of: usize,
    /// Loss and accuracy while it learned: means over steps, each before its step.
    pub learned: Scored,
    /// Loss and accuracy afterwards on samples that it does not learn from.
    pub checked: Option<Scored>,
    /// The rate of learning.
    pub rate: f64,
    /// The root mean square over steps of the norm of the gradient by all parameters.
    pub gradient_norm: f64,
    /// The layers that learn.
    pub layers: Vec<LayerState>,
}

/// How well a network scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The mean loss of a sample.
    pub loss: f64,
    /// The share of samples, or outputs, that are right; where there is right and wrong.
    pub accuracy: Option<f64>,
}

/// One layer after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerState {
    /// Its name.
    pub name: String,
    /// The root mean square over steps of the norm of the gradient by its parameters.
    pub gradient_norm: f64,
    /// Its weights, or scales.
    pub weights: Histogram,
}

/// How often numbers fall into bins of the same width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Where the first bin begins.
    pub low: f64,
    /// Where the last ends.
    pub high: f64,
    /// How many numbers lie in each.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// The numbers in 24 bins from the least to the greatest; those that are not finite are left out.
    pub fn of(numbers: &[f32]) -> Self {
        const BINS: usize = 24;
        let finite = || numbers.iter().filter(|x| x.is_finite()).map(|&x| f64::from(x));
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let mut counts = vec![0; BINS];
        if low > high {
            return Histogram { low: 0.0, high: 0.0, counts };
        }
        for x in finite() {
            let bin = if high > low { (x - low) / (high - low) * BINS as f64 } else { 0.0 };
            counts[(bin as usize).min(BINS - 1)] += 1;
        }
        Histogram { low, high, counts }
    }

    /// The counts as one line of bars, one character a bin.
    pub fn bars(&self) -> String {
        const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1);
        self.counts.iter().map(|&count| BARS[(count * 8).div_ceil(most) as usize]).collect()
    }
}
