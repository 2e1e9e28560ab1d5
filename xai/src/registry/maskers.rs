//! What absence means, by name.

use xai_core::model::feature_names;
use xai_core::{Error, Masker, Result, Table};
use xai_local::masker::{Background, ConditionalTree, Gaussian, GaussianCopula, Neighbours, Shrinkage};

use super::{Inputs, Kind, Settings, Spec};

/// How many rows a coalition is averaged over when nothing is said.
const ROWS: i64 = 100;

/// A masker, and what a reader must know of it.
pub(super) type Absence = (Box<dyn Masker<Table>>, Option<String>);

/// The parameters that choose a masker.
pub(super) fn parameters(spec: Spec) -> Spec {
    spec.parameter(
        "masker",
        Kind::choice(["background", "gaussian", "copula", "neighbours", "tree"]),
        "background",
        "what absent features are: those of background rows, whatever is present, or draws that go with what is present, \
         by a normal distribution, a copula, near rows or a tree fitted to the background",
    )
    .parameter(
        "n_background",
        Kind::COUNT,
        ROWS,
        "background rows to use at most; with another masker, draws for each coalition",
    )
    .parameter("summary", Kind::choice(["sample", "kmeans"]), "sample", "how more background rows than that become as many")
}

/// The masker that the settings name.
pub(super) fn masker(spec: &Spec, inputs: &Inputs, settings: &Settings) -> Result<Absence> {
    let rows = inputs.background(spec)?;
    let n = settings.count("n_background").unwrap_or(ROWS as usize);
    let (seed, groups) = (inputs.run.seed, inputs.groups);
    let word = settings.word("masker").unwrap_or("background");
    if word != "background" && inputs.background_weights.is_some() {
        let advice = "it fits a distribution to rows that count alike; leave the weights out (--background-weights)";
        return Err(Error::unsupported(format!("masker {word} with weights of background rows"), advice));
    }
    if word != "background" && settings.word("summary") == Some("kmeans") {
        return Err(Error::parameter("summary", "kmeans", "sample: only masker=background makes a summary of rows"));
    }
    // Each has the same three steps, but they are types of their own.
    macro_rules! conditional {
        ($fitted:expr) => {{
            let masker = $fitted.draws(n)?.seeded(seed);
            let masker = match groups {
                None => masker,
                Some(groups) => masker.grouped(groups.clone())?,
            };
            Ok((Box::new(masker), None))
        }};
    }
    match word {
        "gaussian" => conditional!(Gaussian::fit(rows, Shrinkage::Automatic)?),
        "copula" => conditional!(GaussianCopula::fit(rows, Shrinkage::Automatic)?),
        "neighbours" => conditional!(Neighbours::fit(rows, &feature_names(inputs.subject.model, rows)?)?),
        "tree" => conditional!(ConditionalTree::fit(rows, &feature_names(inputs.subject.model, rows)?)?),
        _ => {
            let (few, weights) = (rows.nrows() <= n, inputs.background_weights);
            let masker = match (settings.word("summary"), weights) {
                (_, None) if few => Background::new(rows.to_owned())?,
                (_, Some(weights)) if few => Background::weighted(rows.to_owned(), weights.to_vec())?,
                (Some("kmeans"), None) => Background::kmeans(rows, n, seed)?,
                (Some("kmeans"), Some(_)) => {
                    return Err(Error::parameter("summary", "kmeans", "sample: k-means takes all rows alike"));
                }
                (_, None) => Background::sample(rows, n, seed)?,
                (_, Some(weights)) => Background::sample_weighted(rows, weights, n, seed)?,
            };
            let given = rows.nrows();
            let note = (given > n).then(|| format!("{n} background rows stand for the {given} that were given"));
            Ok((Box::new(grouped(masker, inputs)?), note))
        }
    }
}

/// The same background with groups as players, if there are any.
pub(super) fn grouped(background: Background, inputs: &Inputs) -> Result<Background> {
    match inputs.groups {
        None => Ok(background),
        Some(groups) => background.grouped(groups.clone()),
    }
}
