//! What LightGBM's objectives mean for margins, predictions and names.

use xai_core::{Error, Link, Output, Result, Scale};

use super::malformed;

/// What an objective says about the scores of a model.
pub(super) struct Objective {
    /// From the margin to the prediction.
    pub link: Link,
    naming: Naming,
}

enum Naming {
    Values,
    Ranks,
    Classes,
}

impl Objective {
    /// The objective that the header names, with its line: a name, then `key:value` and flags.
    pub fn of(header: Option<(usize, &str)>, n_outputs: usize) -> Result<Self> {
        let (line, text) = header.unwrap_or((1, "custom"));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or("custom");
        let arguments: Vec<&str> = words.collect();
        let argument = |key: &str| arguments.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
        let slope = || match argument("sigmoid").map_or(Ok(1.0), str::parse::<f64>) {
            Ok(slope) if slope.is_finite() && slope > 0.0 => Ok(Link::Logistic { slope }),
            _ => Err(malformed(line, format!("the sigmoid of {text:?}"))),
        };
        let (link, naming) = match name {
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" => {
                let squared = arguments.contains(&"sqrt");
                (if squared { Link::SignedSquare } else { Link::Identity }, Naming::Values)
            }
            "poisson" | "gamma" | "tweedie" => (Link::Exp, Naming::Values),
            "binary" => (slope()?, Naming::Classes),
            "multiclass" => (Link::Softmax, Naming::Classes),
            "multiclassova" => (slope()?, Naming::Classes),
            "cross_entropy" => (Link::LOGISTIC, Naming::Values),
            "cross_entropy_lambda" => (Link::Softplus, Naming::Values),
            "lambdarank" | "rank_xendcg" => (Link::Identity, Naming::Ranks),
            "custom" | "none" => (Link::Identity, Naming::Values),
            other => {
                let reason = "its link is not known, so its margins could not be read rightly";
                return Err(Error::unsupported(format!("LightGBM's objective {other:?}"), reason));
            }
        };
        let n_class = argument("num_class").map(str::parse::<usize>);
        if n_class.is_some_and(|n| n != Ok(n_outputs)) {
            return Err(malformed(line, format!("{text:?} with {n_outputs} trees an iteration")));
        }
        Ok(Objective { link, naming })
    }

    /// The outputs by name.
    pub fn outputs(&self, n: usize) -> Vec<Output> {
        let scale = self.link.margin_scale();
        match self.naming {
            Naming::Classes if n == 1 => vec![Output::new("class 1", scale)],
            Naming::Classes => (0..n).map(|i| Output::new(format!("class {i}"), scale)).collect(),
            Naming::Ranks if n == 1 => vec![Output::new("relevance", Scale::Margin)],
            _ if n == 1 => vec![Output::new("y", scale)],
            _ => (0..n).map(|i| Output::new(format!("y{i}"), scale)).collect(),
        }
    }
}
