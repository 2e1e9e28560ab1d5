//! What XGBoost's objectives mean for margins, predictions and names.

use xai_core::{Error, Link, Output, Result, Scale};

use super::malformed;
use super::schema::ObjectiveParam;

/// What an objective says about the scores of a model.
pub(super) struct Objective {
    /// From the margin to the prediction.
    pub link: Link,
    /// From `base_score` to the margin.
    start: Start,
    /// What the outputs are called.
    naming: Naming,
}

/// In which unit `base_score` is.
#[derive(Clone, Copy)]
enum Start {
    Margin,
    Probability,
    Mean,
}

enum Naming {
    Values,
    Ranks,
    Classes,
    Quantiles(Vec<String>),
}

impl Objective {
    /// The objective that the file names.
    pub fn of(param: &ObjectiveParam, n_outputs: usize) -> Result<Self> {
        let (link, start, naming) = match param.name.as_str() {
            "reg:squarederror"
            | "reg:linear"
            | "reg:squaredlogerror"
            | "reg:pseudohubererror"
            | "reg:absoluteerror" => (Link::Identity, Start::Margin, Naming::Values),
            "reg:quantileerror" => (Link::Identity, Start::Margin, Naming::Quantiles(levels(param))),
            "reg:expectileerror" if n_outputs == 1 => (Link::Identity, Start::Margin, Naming::Values),
            "reg:expectileerror" => {
                let reason = "each prediction is the one below it plus a function of its margin, so that no score \
                     stands for one of them; train one level a model";
                return Err(Error::unsupported("reg:expectileerror at several levels", reason));
            }
            "reg:logistic" => (Link::LOGISTIC, Start::Probability, Naming::Values),
            "binary:logistic" => (Link::LOGISTIC, Start::Probability, Naming::Classes),
            "binary:logitraw" => (Link::Identity, Start::Margin, Naming::Classes),
            "binary:hinge" => (Link::Step, Start::Margin, Naming::Classes),
            "multi:softprob" | "multi:softmax" => (Link::Softmax, Start::Margin, Naming::Classes),
            "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
                (Link::Exp, Start::Mean, Naming::Values)
            }
            "rank:pairwise" | "rank:ndcg" | "rank:map" => (Link::Identity, Start::Margin, Naming::Ranks),
            other => {
                let reason = "its link is not known, so its margins could not be read rightly";
                return Err(Error::unsupported(format!("XGBoost's objective {other:?}"), reason));
            }
        };
        Ok(Objective { link, start, naming })
    }

    /// The margin before the first tree: (output). `text` is a number, or a list with one or with `n_outputs` numbers.
    pub fn base(&self, text: &str, n_outputs: usize) -> Result<Vec<f64>> {
        let inner = text.trim();
        let inner = inner.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(inner);
        let mut base = Vec::new();
        for number in inner.split(',') {
            let score: f64 = number.trim().parse().map_err(|_| bad_base(text, "where numbers are needed"))?;
            let margin = match self.start {
                Start::Margin => score,
                Start::Probability => -(1.0 / score - 1.0).ln(),
                Start::Mean => score.ln(),
            };
            if !margin.is_finite() {
                return Err(bad_base(text, "has no finite margin"));
            }
            base.push(margin);
        }
        match base.len() {
            1 => Ok(vec![base[0]; n_outputs]),
            n if n == n_outputs => Ok(base),
            n => Err(bad_base(text, &format!("has {n} numbers for {n_outputs} outputs"))),
        }
    }

    /// The outputs by name.
    pub fn outputs(&self, n: usize) -> Vec<Output> {
        let scale = match (&self.naming, self.link) {
            (Naming::Ranks, _) => Scale::Margin,
            (Naming::Classes, Link::Identity) => Scale::LogOdds,
            (_, link) => link.margin_scale(),
        };
        let named = |name: &dyn Fn(usize) -> String| (0..n).map(|i| Output::new(name(i), scale)).collect();
        match &self.naming {
            Naming::Classes if n == 1 => vec![Output::new("class 1", scale)],
            Naming::Classes if self.link == Link::Softmax => named(&|i| format!("class {i}")),
            // Several binary outputs: each sample may have several labels.
            Naming::Classes => named(&|i| format!("label {i}")),
            Naming::Quantiles(levels) if levels.len() == n => named(&|i| format!("quantile {}", levels[i])),
            Naming::Ranks if n == 1 => vec![Output::new("relevance", scale)],
            _ if n == 1 => vec![Output::new("y", scale)],
            _ => named(&|i| format!("y{i}")),
        }
    }
}

/// The levels of a quantile regression; empty when the file does not say.
fn levels(param: &ObjectiveParam) -> Vec<String> {
    let text = param.quantile_loss_param.as_ref().and_then(|p| p.quantile_alpha.as_deref()).unwrap_or("");
    let inner = text.trim().trim_start_matches(['[', '(']).trim_end_matches([']', ')']);
    let level = |number: &str| number.trim().parse::<f32>().ok().map(|level| level.to_string());
    inner.split(',').map(level).collect::<Option<_>>().unwrap_or_default()
}

fn bad_base(text: &str, problem: &str) -> Error {
    const SHOWN: usize = 60;
    let shown: String = text.chars().take(SHOWN).collect();
    malformed("base_score", format!("{shown:?} {problem}"))
}
