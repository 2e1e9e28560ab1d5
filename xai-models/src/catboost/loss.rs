//! What the scores of a model are, by the loss it was trained with.

use xai_core::{Error, Link, Output, Result, Scale};

use super::malformed;
use super::schema::{ClassName, ModelInfo};

pub(super) struct Loss {
    pub name: String,
    pub link: Link,
    pub outputs: Vec<Output>,
}

impl Loss {
    /// # Errors
    /// [`Error::Unsupported`] for a loss whose predictions none of the links gives.
    pub fn of(info: &ModelInfo, n_outputs: usize) -> Result<Self> {
        let name = info.params.as_ref().and_then(|p| p.loss_function.as_ref()).map(|l| l.name.as_str());
        let (link, scale) = link(name)?;
        let classes: Vec<String> =
            info.class_params.iter().flat_map(|c| &c.class_names).map(ClassName::to_string).collect();
        let outputs = match classes.as_slice() {
            // Two classes, one score: that of the second.
            [_, positive] if n_outputs == 1 => vec![Output::new(positive, scale)],
            [] | [_] => Output::unnamed(n_outputs).into_iter().map(|o| Output::new(o.name, scale)).collect(),
            classes if classes.len() == n_outputs => classes.iter().map(|c| Output::new(c, scale)).collect(),
            classes => {
                let problem = format!("{} class names for {n_outputs} outputs", classes.len());
                return Err(malformed("model_info.class_params", problem));
            }
        };
        Ok(Loss { name: name.unwrap_or("not in the file").to_owned(), link, outputs })
    }
}

/// How margins become predictions, and the unit of the margins.
fn link(loss: Option<&str>) -> Result<(Link, Scale)> {
    let link = match loss {
        Some("Logloss" | "CrossEntropy" | "Focal" | "MultiClassOneVsAll" | "MultiLogloss" | "MultiCrossEntropy") => {
            Link::LOGISTIC
        }
        Some("MultiClass") => Link::Softmax,
        Some("Poisson" | "Tweedie") => Link::Exp,
        Some(
            "RMSE"
            | "MAE"
            | "Quantile"
            | "MultiQuantile"
            | "Expectile"
            | "LogCosh"
            | "Huber"
            | "Lq"
            | "MAPE"
            | "MultiRMSE"
            | "MultiRMSEWithMissingValues"
            | "GroupQuantile",
        ) => Link::Identity,
        // The library predicts the logarithm.
        Some("LogLinQuantile") => return Ok((Link::Identity, Scale::Log)),
        // Only the order of scores has a meaning.
        Some(
            "YetiRank" | "YetiRankPairwise" | "PairLogit" | "PairLogitPairwise" | "QueryRMSE" | "QuerySoftMax"
            | "QueryCrossEntropy" | "StochasticFilter" | "StochasticRank" | "LambdaMart" | "Cox" | "SurvivalAft",
        )
        | None => return Ok((Link::Identity, Scale::Margin)),
        Some(other) => {
            let reason = "how its scores become predictions is not known here";
            return Err(Error::unsupported(format!("CatBoost: the loss {other}"), reason));
        }
    };
    Ok((link, link.margin_scale()))
}

impl std::fmt::Display for ClassName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClassName::Text(name) => f.write_str(name),
            ClassName::Truth(name) => write!(f, "{name}"),
            ClassName::Whole(name) => write!(f, "{name}"),
            ClassName::Number(name) => write!(f, "{name}"),
        }
    }
}
