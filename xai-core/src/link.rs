//! How a margin becomes what is predicted.

use serde::{Deserialize, Serialize};

use crate::Scale;

/// The function from the scores of one sample to its prediction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The score is the prediction.
    #[default]
    Identity,
    /// 1 / (1 + exp(−`slope`·x)), output by output.
    Logistic {
        /// The factor of the margin; 1 but for LightGBM's parameter `sigmoid`.
        slope: f64,
    },
    /// exp(xₖ) / Σ exp(xⱼ) over the outputs.
    Softmax,
    /// exp(x).
    Exp,
    /// ln(1 + exp(x)).
    Softplus,
    /// sign(x)·x².
    SignedSquare,
    /// 1 where x > 0, otherwise 0.
    Step,
}

impl Link {
    /// The logistic link with slope 1.
    pub const LOGISTIC: Link = Link::Logistic { slope: 1.0 };

    /// Turns the scores of one sample into its prediction, in place.
    ///
    /// # Example
    /// ```
    /// let mut scores = [0.0];
    /// xai_core::Link::LOGISTIC.apply(&mut scores);
    /// assert_eq!(scores, [0.5]);
    /// ```
    pub fn apply(self, scores: &mut [f64]) {
        match self {
            Link::Identity => {}
            Link::Logistic { slope } => scores.iter_mut().for_each(|x| *x = logistic(slope * *x)),
            Link::Softmax => softmax(scores),
            Link::Exp => scores.iter_mut().for_each(|x| *x = x.exp()),
            Link::Softplus => scores.iter_mut().for_each(|x| *x = x.max(0.0) + (-x.abs()).exp().ln_1p()),
            Link::SignedSquare => scores.iter_mut().for_each(|x| *x = x.signum() * *x * *x),
            Link::Step => scores.iter_mut().for_each(|x| *x = if *x > 0.0 { 1.0 } else { 0.0 }),
        }
    }

    /// The unit of a score before the link.
    pub fn margin_scale(self) -> Scale {
        match self {
            Link::Identity => Scale::Natural,
            Link::Logistic { slope: 1.0 } => Scale::LogOdds,
            Link::Exp => Scale::Log,
            Link::Logistic { .. } | Link::Softmax | Link::Softplus | Link::SignedSquare | Link::Step => Scale::Margin,
        }
    }

    /// The unit of the prediction after the link.
    pub fn prediction_scale(self) -> Scale {
        match self {
            Link::Logistic { .. } | Link::Softmax => Scale::Probability,
            Link::Identity | Link::Exp | Link::Softplus | Link::SignedSquare | Link::Step => Scale::Natural,
        }
    }

    /// Whether each prediction depends on its own score alone.
    pub fn is_elementwise(self) -> bool {
        self != Link::Softmax
    }
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

fn softmax(scores: &mut [f64]) {
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for x in scores.iter_mut() {
        *x = (*x - top).exp();
        sum += *x;
    }
    scores.iter_mut().for_each(|x| *x /= sum);
}
