//! On which scale a score is explained, and how a margin's Shapley values are carried there.

use serde::{Deserialize, Serialize};
use xai_core::{Error, Link, Output, Result, Scale, TreeEnsemble};

/// The scale on which scores are explained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputScale {
    /// The sums of the leaves, before the link.
    #[default]
    Margin,
    /// What the model predicts: the link applied to the margins, such as a probability.
    #[serde(alias = "probability")]
    Prediction,
    /// The loss of each sample against its label: −ln of the probability given to the label for a logistic link
    /// (`labels` from 0 to 1) and for softmax (`labels` the numbers of classes, from 0 on), the squared error for the
    /// identity. The explanation has one output. Softmax asks for [`Nonlinear::Exact`].
    #[serde(alias = "log-loss")]
    Loss {
        /// What was observed: (sample).
        labels: Vec<f64>,
    },
}

impl OutputScale {
    /// Its name for the provenance.
    pub(super) fn name(&self) -> &'static str {
        match self {
            OutputScale::Margin => "margin",
            OutputScale::Prediction => "prediction",
            OutputScale::Loss { .. } => "loss",
        }
    }
}

/// How a scale that is not linear in the margin is explained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nonlinear {
    /// For every background row z, the margin's Shapley values times (g(f(x)) − g(f(z)))/(f(x) − f(z)): what shap's
    /// `model_output="probability"` and `"log_loss"` report. Sums to the score, but is *not* the Shapley value of g(f).
    #[default]
    Rescale,
    /// The Shapley values of g(f) itself, by enumeration of the players that tell the sample from the background row:
    /// 2^players for each pair, 20 players at most.
    Exact,
}

/// A scale that has been found to suit the model and the batch.
pub(super) enum Transform<'a> {
    Link(Link),
    LogLoss {
        slope: f64,
        labels: &'a [f64],
    },
    /// The first score is the loss, the others are nothing.
    CrossEntropy {
        labels: &'a [f64],
    },
    SquaredError {
        labels: &'a [f64],
    },
}

impl<'a> Transform<'a> {
    /// The scale as a function of the margins.
    pub(super) fn new(scale: &'a OutputScale, nonlinear: Nonlinear, trees: &TreeEnsemble, n: usize) -> Result<Self> {
        let labels = match scale {
            OutputScale::Margin => return Ok(Transform::Link(Link::Identity)),
            OutputScale::Prediction if !trees.link.is_elementwise() && nonlinear == Nonlinear::Rescale => {
                return Err(Error::unsupported(
                    "rescaled TreeSHAP values of softmax probabilities",
                    "each probability depends on all margins, so no margin's values can be rescaled to it; set \
                     nonlinear to exact, or explain the margins",
                ));
            }
            OutputScale::Prediction => return Ok(Transform::Link(trees.link)),
            OutputScale::Loss { labels } => labels,
        };
        xai_core::error::same_shape("labels (sample)", &[n], &[labels.len()])?;
        if trees.link == Link::Softmax {
            return Transform::cross_entropy(labels, nonlinear, trees.n_outputs);
        }
        if trees.n_outputs != 1 {
            return Err(Error::unsupported(
                format!("the loss of a model with {} outputs, each on its own", trees.n_outputs),
                "a label belongs to one output; explain the margins or the predictions",
            ));
        }
        let allowed = match trees.link {
            Link::Logistic { .. } => 0.0..=1.0,
            Link::Identity => f64::MIN..=f64::MAX,
            other => {
                return Err(Error::unsupported(
                    format!("the loss of a model with the link {other:?}"),
                    "losses are known for the logistic link and softmax (log loss) and the identity (squared error)",
                ));
            }
        };
        if let Some(sample) = labels.iter().position(|label| !allowed.contains(label)) {
            let expected = format!("numbers from {} to {}", allowed.start(), allowed.end());
            return Err(Error::parameter("labels", format!("{} for sample {sample}", labels[sample]), expected));
        }
        Ok(match trees.link {
            Link::Logistic { slope } => Transform::LogLoss { slope, labels },
            _ => Transform::SquaredError { labels },
        })
    }

    fn cross_entropy(labels: &'a [f64], nonlinear: Nonlinear, n_classes: usize) -> Result<Self> {
        if nonlinear == Nonlinear::Rescale {
            return Err(Error::unsupported(
                "rescaled TreeSHAP values of the loss of softmax probabilities",
                "the loss depends on all margins, so no margin's values can be rescaled to it; set nonlinear to exact",
            ));
        }
        let is_class = |label: &f64| label.fract() == 0.0 && (0.0..n_classes as f64).contains(label);
        match labels.iter().position(|label| !is_class(label)) {
            None => Ok(Transform::CrossEntropy { labels }),
            Some(sample) => {
                let found = format!("{} for sample {sample}", labels[sample]);
                Err(Error::parameter("labels", found, format!("the numbers of {n_classes} classes, from 0 on")))
            }
        }
    }

    /// How many outputs there are on this scale, of a model with `n_outputs`.
    pub(super) fn n_scores(&self, n_outputs: usize) -> usize {
        if matches!(self, Transform::CrossEntropy { .. }) { 1 } else { n_outputs }
    }

    /// Whether nothing is transformed.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self, Transform::Link(Link::Identity))
    }

    /// The units of the outputs on this scale.
    pub(super) fn rename(&self, scale: &OutputScale, link: Link, outputs: &mut [Output]) {
        if let (Transform::CrossEntropy { .. }, Some(output)) = (self, outputs.first_mut()) {
            output.name = "log loss".to_owned();
        }
        for output in outputs {
            match scale {
                OutputScale::Margin => {}
                OutputScale::Prediction => output.scale = link.prediction_scale(),
                OutputScale::Loss { .. } => output.scale = Scale::Loss,
            }
        }
    }

    /// Turns the margins of a sample, or of a stand-in for it, into scores.
    pub(super) fn apply(&self, sample: usize, margins: &mut [f64]) {
        match *self {
            Transform::Link(link) => link.apply(margins),
            Transform::LogLoss { slope, labels } => {
                for m in margins {
                    let x = slope * *m;
                    *m = softplus(x) - labels[sample] * x;
                }
            }
            Transform::CrossEntropy { labels } => {
                let loss = cross_entropy(margins, labels[sample] as usize);
                margins.fill(0.0);
                margins[0] = loss;
            }
            Transform::SquaredError { labels } => margins.iter_mut().for_each(|m| *m = (labels[sample] - *m).powi(2)),
        }
    }

    /// (g(a) − g(b))/(a − b), and g′(a) where a = b; accurate also where a and b differ in the last bits only.
    pub(super) fn secant(&self, sample: usize, a: f64, b: f64) -> f64 {
        let (a, b) = if a >= b { (a, b) } else { (b, a) };
        match *self {
            Transform::Link(link) => secant_of_link(link, a, b),
            Transform::LogLoss { slope, labels } => slope * (secant_of_softplus(slope, a, b) - labels[sample]),
            Transform::SquaredError { labels } => (a - labels[sample]) + (b - labels[sample]),
            // Never rescaled.
            Transform::CrossEntropy { .. } => f64::NAN,
        }
    }
}

/// For a ≥ b.
fn secant_of_link(link: Link, a: f64, b: f64) -> f64 {
    let gap = a - b;
    match link {
        Link::Identity | Link::Softmax => 1.0,
        Link::Logistic { slope } => {
            let (high, low) = if slope >= 0.0 { (slope * a, slope * b) } else { (slope * b, slope * a) };
            // σ(p) − σ(q) = σ(p)·σ(−q)·(1 − exp(q − p))
            slope * logistic(high) * logistic(-low) * shrinkage(high - low)
        }
        // exp(a) − exp(b) = exp(a)·(1 − exp(b − a))
        Link::Exp => a.exp() * shrinkage(gap),
        Link::Softplus => secant_of_softplus(1.0, a, b),
        Link::SignedSquare if a >= 0.0 && b <= 0.0 && gap > 0.0 => (a * a + b * b) / gap,
        Link::SignedSquare => (a + b).abs(),
        Link::Step if a > 0.0 && b <= 0.0 => 1.0 / gap,
        Link::Step => 0.0,
    }
}

/// (softplus(`slope`·a) − softplus(`slope`·b))/(`slope`·(a − b)).
fn secant_of_softplus(slope: f64, a: f64, b: f64) -> f64 {
    let (high, low) = if slope >= 0.0 { (slope * a, slope * b) } else { (slope * b, slope * a) };
    let gap = high - low;
    if gap > 1.0 {
        return (softplus(high) - softplus(low)) / gap;
    }
    if gap == 0.0 {
        return logistic(high);
    }
    // (1 + exp(p))/(1 + exp(q)) = 1 + σ(q)·(exp(p − q) − 1)
    (logistic(low) * gap.exp_m1()).ln_1p() / gap
}

/// (1 − exp(−`gap`))/`gap` for a gap of at least 0.
fn shrinkage(gap: f64) -> f64 {
    if gap == 0.0 { 1.0 } else { -(-gap).exp_m1() / gap }
}

/// −ln of the share of exp(`margins[label]`) in the sum of all exponentials: ln(1 + Σ over the others of exp(x − top)) and
/// how far the label's margin is below the top.
fn cross_entropy(margins: &[f64], label: usize) -> f64 {
    let highest = (0..margins.len()).reduce(|best, next| if margins[next] > margins[best] { next } else { best });
    let Some(highest) = highest else { return 0.0 };
    let others = (0..margins.len()).filter(|&class| class != highest);
    let sum: f64 = others.map(|class| (margins[class] - margins[highest]).exp()).sum();
    (margins[highest] - margins[label]) + sum.ln_1p()
}

fn logistic(x: f64) -> f64 {
    let mut one = [x];
    Link::LOGISTIC.apply(&mut one);
    one[0]
}

fn softplus(x: f64) -> f64 {
    let mut one = [x];
    Link::Softplus.apply(&mut one);
    one[0]
}
