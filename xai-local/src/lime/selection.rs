//! Which features a surrogate may use.

use serde::{Deserialize, Serialize};
use xai_core::{Error, Result};

use super::lasso;
use super::surrogate::Moments;

/// How the features of a surrogate are chosen, as `lime` 0.2.0.1 names and does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// All features, whatever their number.
    #[default]
    None,
    /// `ForwardSelection` for up to 6 features, `HighestWeights` for more.
    Auto,
    /// One by one, each time the feature that raises R² most.
    ForwardSelection,
    /// Those whose coefficient times the sample's entry in the design is largest in a regression on all.
    HighestWeights,
    /// The longest list on the lasso path that is short enough.
    LassoPath,
}

/// The penalty of the regression that ranks features by weight.
const RANKING_ALPHA: f64 = 0.01;
/// Up to this number `Auto` selects one by one.
const FORWARD_UP_TO: usize = 6;

impl Selection {
    /// The name by which `lime` knows it.
    pub fn name(self) -> &'static str {
        match self {
            Selection::None => "none",
            Selection::Auto => "auto",
            Selection::ForwardSelection => "forward_selection",
            Selection::HighestWeights => "highest_weights",
            Selection::LassoPath => "lasso_path",
        }
    }

    /// At most `n` features for an output; `sample` is the design's first row.
    pub(super) fn choose(self, moments: &Moments, output: usize, sample: &[f64], n: usize) -> Result<Vec<usize>> {
        let all = moments.n_features();
        if n == 0 && self != Selection::None {
            return Err(Error::parameter("n_features", n, "at least 1"));
        }
        match self {
            Selection::None => Ok((0..all).collect()),
            Selection::Auto if n <= FORWARD_UP_TO => forward(moments, output, n),
            Selection::Auto | Selection::HighestWeights => highest(moments, output, sample, n),
            Selection::ForwardSelection => forward(moments, output, n),
            Selection::LassoPath => Ok(lasso::longest(&moments.products, &moments.cross.column(output), n)),
        }
    }
}

fn forward(moments: &Moments, output: usize, n: usize) -> Result<Vec<usize>> {
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < n.min(moments.n_features()) {
        let mut best: Option<(usize, f64)> = None;
        for feature in (0..moments.n_features()).filter(|f| !chosen.contains(f)) {
            let mut trial = chosen.clone();
            trial.push(feature);
            // A feature that the others already tell adds nothing.
            let fit = moments.ridge(&trial, output, 0.0);
            let score = fit.map_or(f64::NEG_INFINITY, |c| moments.r_squared(&trial, &c, output));
            if best.is_none_or(|(_, most)| score > most) {
                best = Some((feature, score));
            }
        }
        match best {
            Some((feature, score)) if score > f64::NEG_INFINITY => chosen.push(feature),
            _ => break,
        }
    }
    Ok(chosen)
}

fn highest(moments: &Moments, output: usize, sample: &[f64], n: usize) -> Result<Vec<usize>> {
    let all: Vec<usize> = (0..moments.n_features()).collect();
    let coefficients = moments.ridge(&all, output, RANKING_ALPHA)?;
    let mut ranked = all;
    // Stable: equals stay in order.
    ranked.sort_by(|&a, &b| (coefficients[b] * sample[b]).abs().total_cmp(&(coefficients[a] * sample[a]).abs()));
    ranked.truncate(n);
    Ok(ranked)
}
