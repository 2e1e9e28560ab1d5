//! The parts that known models are sums of.

use xai_core::{Error, Result};

/// A function of a few features.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// slope · x.
    Linear {
        /// The feature.
        feature: usize,
        /// The slope.
        slope: f64,
    },
    /// weight · x².
    Square {
        /// The feature.
        feature: usize,
        /// The weight.
        weight: f64,
    },
    /// height where x > threshold, otherwise 0.
    Step {
        /// The feature.
        feature: usize,
        /// The threshold.
        threshold: f64,
        /// The height.
        height: f64,
    },
    /// height · sin(frequency · x).
    Wave {
        /// The feature.
        feature: usize,
        /// The height.
        height: f64,
        /// The frequency.
        frequency: f64,
    },
    /// weight · Π x.
    Product {
        /// The features, none twice.
        features: Vec<usize>,
        /// The weight.
        weight: f64,
    },
    /// height · max(0, Σ weight·x − threshold): a rectified unit.
    Hinge {
        /// The features, none twice.
        features: Vec<usize>,
        /// The weight of each feature.
        weights: Vec<f64>,
        /// What the sum must exceed.
        threshold: f64,
        /// The factor of what exceeds it.
        height: f64,
    },
    /// height · min(1, Σ max(x, 0)): evidence beyond 1 adds nothing.
    Saturation {
        /// The features, none twice.
        features: Vec<usize>,
        /// The height.
        height: f64,
    },
    /// height where every x > ½, otherwise 0.
    All {
        /// The features, none twice.
        features: Vec<usize>,
        /// The height.
        height: f64,
    },
    /// height where some x > ½, otherwise 0.
    Any {
        /// The features, none twice.
        features: Vec<usize>,
        /// The height.
        height: f64,
    },
}

/// More features than this in one term make 2ⁿ coalitions too many.
pub(super) const MOST_FEATURES: usize = 16;

impl Term {
    /// The features that it reads.
    pub fn features(&self) -> &[usize] {
        use Term::*;
        match self {
            Linear { feature, .. } | Square { feature, .. } | Step { feature, .. } | Wave { feature, .. } => {
                std::slice::from_ref(feature)
            }
            Product { features, .. }
            | Hinge { features, .. }
            | Saturation { features, .. }
            | All { features, .. }
            | Any { features, .. } => features,
        }
    }

    /// Its value where its features, in the order of [`Term::features`], have the values `x`.
    pub fn value(&self, x: &[f64]) -> f64 {
        use Term::*;
        match self {
            Linear { slope, .. } => slope * x[0],
            Square { weight, .. } => weight * x[0] * x[0],
            Step { threshold, height, .. } => height * f64::from(x[0] > *threshold),
            Wave { height, frequency, .. } => height * (frequency * x[0]).sin(),
            Product { weight, .. } => weight * x.iter().product::<f64>(),
            Hinge { weights, threshold, height, .. } => height * (dot(weights, x) - threshold).max(0.0),
            Saturation { height, .. } => height * x.iter().map(|x| x.max(0.0)).sum::<f64>().min(1.0),
            All { height, .. } => height * f64::from(x.iter().all(|x| *x > 0.5)),
            Any { height, .. } => height * f64::from(x.iter().any(|x| *x > 0.5)),
        }
    }

    /// Its gradient there, 0 on jumps and kinks: (feature of the term).
    pub fn gradient(&self, x: &[f64]) -> Vec<f64> {
        use Term::*;
        match self {
            Linear { slope, .. } => vec![*slope],
            Square { weight, .. } => vec![2.0 * weight * x[0]],
            Wave { height, frequency, .. } => vec![height * frequency * (frequency * x[0]).cos()],
            Product { weight, .. } => {
                let without = |i: usize| x.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, x)| x).product::<f64>();
                (0..x.len()).map(|i| weight * without(i)).collect()
            }
            Hinge { weights, threshold, height, .. } => {
                let on = f64::from(dot(weights, x) > *threshold);
                weights.iter().map(|weight| on * height * weight).collect()
            }
            Saturation { height, .. } => {
                let on = x.iter().map(|x| x.max(0.0)).sum::<f64>() < 1.0;
                x.iter().map(|x| height * f64::from(on && *x > 0.0)).collect()
            }
            Step { .. } | All { .. } | Any { .. } => vec![0.0; x.len()],
        }
    }

    /// The Shapley values of its features between `baseline` and `x`: (feature of the term). All 2ⁿ coalitions are asked.
    pub(super) fn shares(&self, x: &[f64], baseline: &[f64]) -> Vec<f64> {
        let n = x.len();
        if n == 1 {
            return vec![self.value(x) - self.value(baseline)];
        }
        let mut shares = vec![0.0; n];
        if self.is_idle(x, baseline) {
            return shares;
        }
        let mixed = |present: usize| -> Vec<f64> {
            (0..n).map(|i| if present >> i & 1 == 1 { x[i] } else { baseline[i] }).collect()
        };
        let worth: Vec<f64> = (0..1usize << n).map(|present| self.value(&mixed(present))).collect();
        // |S|!·(n − |S| − 1)!/n! by the size of the coalition that a feature joins.
        let weight: Vec<f64> = (0..n).map(|size| 1.0 / (n as f64 * binomial(n - 1, size))).collect();
        for present in 0..1usize << n {
            for (i, share) in shares.iter_mut().enumerate().filter(|(i, _)| present >> i & 1 == 0) {
                *share += weight[present.count_ones() as usize] * (worth[present | 1 << i] - worth[present]);
            }
        }
        shares
    }

    /// Whether no coalition can lift a rectified unit above its threshold, which spares most of the work on pictures.
    fn is_idle(&self, x: &[f64], baseline: &[f64]) -> bool {
        let Term::Hinge { weights, threshold, .. } = self else { return false };
        let most = |(weight, (x, b)): (&f64, (&f64, &f64))| (weight * x).max(weight * b);
        weights.iter().zip(x.iter().zip(baseline)).map(most).sum::<f64>() <= *threshold
    }

    /// # Errors
    /// [`Error::Parameter`] for features that are not there or stand twice, for too many of them, and for weights of
    /// another number.
    pub(super) fn check(&self, n_features: usize) -> Result<()> {
        let features = self.features();
        let refuse = |expected: String| Err(Error::parameter("features of a term", format!("{features:?}"), expected));
        if features.is_empty() || features.len() > MOST_FEATURES {
            return refuse(format!("1 to {MOST_FEATURES} features"));
        }
        if features.iter().any(|f| *f >= n_features) {
            return refuse(format!("numbers below {n_features}"));
        }
        if (1..features.len()).any(|i| features[..i].contains(&features[i])) {
            return refuse("no feature twice".into());
        }
        match self {
            Term::Hinge { weights, .. } if weights.len() != features.len() => {
                Err(Error::parameter("weights of a term", weights.len(), format!("one for each of {features:?}")))
            }
            _ => Ok(()),
        }
    }
}

fn dot(weights: &[f64], x: &[f64]) -> f64 {
    weights.iter().zip(x).map(|(w, x)| w * x).sum()
}

fn binomial(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i as f64 + 1.0)).product()
}
