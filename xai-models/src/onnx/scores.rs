//! What the scores of each operator are: trees, base, scale, link and names.

use xai_core::{Error, Link, Output, Result, Scale};

use super::attributes::Attributes;
use super::forest::{Node, Tree};
use super::graph::Operator;
use super::{classic, malformed, newer};
use crate::file::Limit;

/// What the attributes of an operator say.
pub(super) struct Scores {
    pub trees: Vec<Tree>,
    /// The base of every output.
    pub base: Vec<f64>,
    /// What leaves are multiplied with: 1/trees for an average.
    pub scale: f64,
    pub link: Link,
    pub outputs: Vec<Output>,
}

impl Scores {
    /// # Errors
    /// As [`super::read`].
    pub fn of(operator: Operator, attributes: &Attributes, limit: &Limit) -> Result<Self> {
        match operator {
            Operator::Classifier => classifier(attributes),
            Operator::Regressor => regressor(attributes, limit),
            Operator::Newer => newer(attributes, limit),
        }
    }
}

fn classifier(attributes: &Attributes) -> Result<Scores> {
    let classes = classes(attributes)?;
    let n_classes = classes.len();
    if n_classes < 2 {
        return Err(malformed(attributes.at("classlabels"), format!("{n_classes} classes")));
    }
    let link = match attributes.text("post_transform")? {
        None | Some("NONE") => Link::Identity,
        Some("LOGISTIC") => Link::LOGISTIC,
        Some("SOFTMAX") => Link::Softmax,
        Some(other) => return Err(transformation(other)),
    };
    let base = attributes.reals("base_values")?;
    let ids = attributes.ints("class_ids");
    let binary = n_classes == 2 && ids.first().is_some_and(|first| ids.iter().all(|id| id == first));
    if !binary {
        let trees = classic::trees(attributes, "class", n_classes)?;
        let base = base_of(attributes, base, n_classes)?;
        return Ok(Scores { trees, base, scale: 1.0, link, outputs: outputs(&classes, link) });
    }
    // With one weight a leaf, ONNX Runtime takes the sum for the second class and makes up the first from it. What it
    // does when the weights are those of the second class, or there are two bases, differs from the reference.
    if ids.first() != Some(&0) || base.len() > 1 || link == Link::Softmax {
        return Err(Error::unsupported(
            "ONNX: two classes with one weight a leaf, and class_ids other than 0, two base_values or SOFTMAX",
            "runtimes disagree about their meaning",
        ));
    }
    let trees = classic::trees(attributes, "class", 1)?;
    let base = base_of(attributes, base, 1)?;
    let outputs = outputs(&classes[1..], link);
    Ok(Scores { trees, base, scale: 1.0, link, outputs })
}

fn regressor(attributes: &Attributes, limit: &Limit) -> Result<Scores> {
    match attributes.text("post_transform")? {
        None | Some("NONE") => {}
        Some(other) => return Err(transformation(other)),
    }
    let average = match attributes.text("aggregate_function")? {
        None | Some("SUM") => false,
        Some("AVERAGE") => true,
        Some(other) => return Err(aggregation(other)),
    };
    let n_outputs = n_targets(attributes, limit)?;
    let trees = classic::trees(attributes, "target", n_outputs)?;
    let base = base_of(attributes, attributes.reals("base_values")?, n_outputs)?;
    Ok(natural(trees, base, average))
}

fn newer(attributes: &Attributes, limit: &Limit) -> Result<Scores> {
    match attributes.int("post_transform").unwrap_or(0) {
        0 => {}
        code => return Err(transformation(&format!("number {code}"))),
    }
    // SUM unless it is given.
    let average = match attributes.int("aggregate_function").unwrap_or(1) {
        0 => true,
        1 => false,
        2 => return Err(aggregation("MIN")),
        3 => return Err(aggregation("MAX")),
        code => return Err(malformed(attributes.at("aggregate_function"), format!("number {code}"))),
    };
    let n_outputs = n_targets(attributes, limit)?;
    let trees = newer::trees(attributes, n_outputs)?;
    Ok(natural(trees, vec![0.0; n_outputs], average))
}

fn natural(trees: Vec<Tree>, base: Vec<f64>, average: bool) -> Scores {
    let scale = if average { 1.0 / trees.len().max(1) as f64 } else { 1.0 };
    let outputs = Output::unnamed(base.len());
    Scores { trees, base, scale, link: Link::Identity, outputs }
}

fn n_targets(attributes: &Attributes, limit: &Limit) -> Result<usize> {
    match u64::try_from(attributes.int("n_targets").unwrap_or(1)) {
        Ok(n) if n > 0 => limit.count("outputs", n),
        _ => Err(malformed(attributes.at("n_targets"), "not a positive number".into())),
    }
}

fn classes(attributes: &Attributes) -> Result<Vec<String>> {
    let texts = attributes.texts("classlabels_strings")?;
    Ok(match attributes.ints("classlabels_int64s") {
        [] => texts.into_iter().map(str::to_owned).collect(),
        numbers => numbers.iter().map(i64::to_string).collect(),
    })
}

fn outputs(classes: &[String], link: Link) -> Vec<Output> {
    // Scores without a link are probabilities of forests or raw scores of boosted trees: the file does not say which.
    let scale = if link == Link::Identity { Scale::Natural } else { link.margin_scale() };
    classes.iter().map(|class| Output::new(class, scale)).collect()
}

fn base_of(attributes: &Attributes, base: Vec<f64>, n_outputs: usize) -> Result<Vec<f64>> {
    match base.len() {
        0 => Ok(vec![0.0; n_outputs]),
        n if n == n_outputs => Ok(base),
        n => Err(malformed(attributes.at("base_values"), format!("{n} values for {n_outputs} outputs"))),
    }
}

/// How far the sum of shares may be from 1 that weights in `f32` make up.
const SHARES: f64 = 1e-4;

/// Checks that normalising the scores to a sum of 1 would change nothing: they are shares of 1 already.
///
/// # Errors
/// [`Error::Unsupported`] when they are not.
pub(super) fn check_shares(scores: &Scores) -> Result<()> {
    let refuse = || {
        let reason = "the scores are not shares of 1 before it, so that behind it they are no sums over trees";
        Error::unsupported("ONNX: a Normalizer behind the trees", reason)
    };
    if scores.link != Link::Identity || scores.base.iter().any(|b| *b != 0.0) {
        return Err(refuse());
    }
    // Of one score the complement is made up: it is a share when it never exceeds 1.
    let complemented = scores.base.len() == 1;
    let (mut least, mut most) = (0.0, 0.0);
    for tree in &scores.trees {
        let sums: Vec<f64> = tree
            .nodes
            .iter()
            .filter_map(|node| match node {
                Node::Leaf(additions) if additions.iter().any(|(_, weight)| *weight < 0.0) => Some(f64::NAN),
                Node::Leaf(additions) => Some(additions.iter().map(|(_, weight)| scores.scale * weight).sum()),
                Node::Branch { .. } => None,
            })
            .collect();
        if sums.iter().any(|sum: &f64| sum.is_nan()) {
            return Err(refuse());
        }
        least += sums.iter().copied().fold(f64::INFINITY, f64::min);
        most += sums.iter().copied().fold(0.0, f64::max);
    }
    let whole = most <= 1.0 + SHARES && (complemented || least >= 1.0 - SHARES);
    if whole { Ok(()) } else { Err(refuse()) }
}

fn transformation(name: &str) -> Error {
    Error::unsupported(
        format!("ONNX: the post_transform {name} of this operator"),
        "no link gives its predictions, or runtimes disagree about it",
    )
}

fn aggregation(name: &str) -> Error {
    Error::unsupported(
        format!("ONNX: the aggregate_function {name}"),
        "the score is not a sum over trees, which every explanation of trees rests on",
    )
}
