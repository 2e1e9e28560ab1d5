//! The one tree ensemble of a graph, and what stands around it.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::attributes::Attributes;
use super::malformed;
use super::proto::{GraphProto, NodeProto, ValueInfo, element};

/// A graph that is a tree ensemble between conversions of types and names.
pub(super) struct TreeGraph<'a> {
    pub node: &'a NodeProto,
    pub operator: Operator,
    /// The number of columns that the graph's input declares, if it does.
    pub n_features: Option<u64>,
    /// Whether values are `f32` when they reach the trees.
    pub single: bool,
    /// Whether a `Normalizer` with norm L1 follows: it changes nothing only if the scores are shares of 1.
    pub normalised: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Classifier,
    Regressor,
    /// `TreeEnsemble` of version 5.
    Newer,
}

/// The domain of the operators for classical models.
const ML: &str = "ai.onnx.ml";

impl Operator {
    fn of(node: &NodeProto) -> Option<Self> {
        match (node.domain.as_str(), node.op_type.as_str()) {
            (ML, "TreeEnsembleClassifier") => Some(Operator::Classifier),
            (ML, "TreeEnsembleRegressor") => Some(Operator::Regressor),
            (ML, "TreeEnsemble") => Some(Operator::Newer),
            _ => None,
        }
    }
}

impl<'a> TreeGraph<'a> {
    /// # Errors
    /// [`Error::Unsupported`] naming any operator but one tree ensemble and those around it that change no score.
    pub fn of(graph: &'a GraphProto) -> Result<Self> {
        let mut ensembles = graph.node.iter().filter_map(|node| Operator::of(node).map(|operator| (node, operator)));
        let Some((node, operator)) = ensembles.next() else {
            let names: Vec<&str> = graph.node.iter().take(8).map(|n| n.op_type.as_str()).collect();
            return Err(Error::unsupported(
                "ONNX: a graph without a tree ensemble",
                format!("its operators begin with {}; only tree ensembles are read", names.join(", ")),
            ));
        };
        if ensembles.next().is_some() {
            return Err(Error::unsupported(
                "ONNX: a graph with several tree ensembles",
                "only one ensemble, whose trees are summed or averaged, can be explained as trees",
            ));
        }
        let input = data_input(graph)?;
        let (element_type, n_features) = shape(input)?;
        let single = element_type_before(graph, node, input, element_type)?;
        let normalised = check_after(graph, node, operator)?;
        Ok(TreeGraph { node, operator, n_features, single, normalised })
    }
}

/// The input that carries the data: the only one that no initializer fills.
pub(super) fn data_input(graph: &GraphProto) -> Result<&ValueInfo> {
    let filled = |input: &&ValueInfo| !graph.initializer.iter().any(|tensor| tensor.name == input.name);
    let mut inputs = graph.input.iter().filter(filled);
    match (inputs.next(), inputs.next()) {
        (Some(input), None) => Ok(input),
        (None, _) => Err(malformed("graph.input", "no input".into())),
        (Some(_), Some(_)) => Err(Error::unsupported(
            "ONNX: a graph with several inputs",
            "convert the model with one input that holds all columns",
        )),
    }
}

fn shape(input: &ValueInfo) -> Result<(i32, Option<u64>)> {
    let at = || format!("graph.input {:?}", input.name);
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| malformed(at(), "it is no tensor".into()))?;
    match tensor.shape.as_ref().map(|shape| shape.dim.as_slice()) {
        None => Ok((tensor.elem_type, None)),
        Some([_, columns]) => Ok((tensor.elem_type, u64::try_from(columns.dim_value).ok().filter(|&n| n > 0))),
        Some(dim) => Err(malformed(at(), format!("{} axes, where (sample, column) is needed", dim.len()))),
    }
}

/// Follows the trees' input back to the graph's; says whether a value is an `f32` at the end.
fn element_type_before(graph: &GraphProto, trees: &NodeProto, input: &ValueInfo, element_type: i32) -> Result<bool> {
    let makers: HashMap<&str, &NodeProto> =
        graph.node.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect();
    let mut name = first(trees, &trees.input)?;
    let mut casts = Vec::new();
    // A chain without a cycle is no longer than the graph.
    for _ in 0..=graph.node.len() {
        if name == input.name {
            let mut single = holds_single(element_type)?;
            for to in casts.into_iter().rev() {
                single |= holds_single(to)?;
            }
            return Ok(single);
        }
        let Some(node) = makers.get(name) else {
            return Err(malformed(format!("{} {:?}", trees.op_type, trees.name), format!("no {name:?} to read")));
        };
        match node.op_type.as_str() {
            "Identity" => {}
            "Cast" => casts.push(Attributes::of(node).int("to").unwrap_or_default() as i32),
            other => return Err(stranger(other, "before the trees")),
        }
        name = first(node, &node.input)?;
    }
    Err(malformed("graph.node", "its nodes form a circle".into()))
}

/// Whether values of an element type are `f32` numbers; whole numbers become such before they are compared.
fn holds_single(element_type: i32) -> Result<bool> {
    match element_type {
        element::FLOAT | element::INT32 | element::INT64 => Ok(true),
        element::DOUBLE => Ok(false),
        other => Err(Error::unsupported(
            format!("ONNX: values of element type {other}"),
            "only float, double, int32 and int64 can be read",
        )),
    }
}

/// Checks that whatever follows the trees leaves their scores as they are; says whether they are normalised.
fn check_after(graph: &GraphProto, trees: &NodeProto, operator: Operator) -> Result<bool> {
    let scores_at = usize::from(operator == Operator::Classifier);
    let mut scores: Vec<&str> = trees.output.get(scores_at).map(String::as_str).into_iter().collect();
    let mut labels: Vec<&str> = trees.output.iter().take(scores_at).map(String::as_str).collect();
    let mut before: Vec<&str> = trees.input.iter().map(String::as_str).collect();
    // What lies before the trees was checked from its end; here it is only passed over.
    for node in graph.node.iter().rev().filter(|node| Operator::of(node).is_none()) {
        if node.output.iter().any(|output| before.contains(&output.as_str())) {
            before.extend(node.input.iter().map(String::as_str));
        }
    }
    let mut normalised = false;
    for node in graph.node.iter().filter(|node| Operator::of(node).is_none()) {
        let input = first(node, &node.input)?;
        let output = first(node, &node.output)?;
        let of_scores = scores.contains(&input);
        match node.op_type.as_str() {
            _ if before.contains(&output) => {}
            "Identity" | "ZipMap" | "Cast" if labels.contains(&input) => labels.push(output),
            "Identity" | "ZipMap" if of_scores => scores.push(output),
            "Cast" if of_scores => match Attributes::of(node).int("to") {
                Some(to) if [element::FLOAT, element::DOUBLE].contains(&(to as i32)) => scores.push(output),
                to => {
                    let what = format!("ONNX: a Cast of the scores to element type {}", to.unwrap_or_default());
                    return Err(Error::unsupported(what, "it changes the scores"));
                }
            },
            "Normalizer" if of_scores => match Attributes::of(node).text("norm")? {
                Some("L1") => {
                    normalised = true;
                    scores.push(output);
                }
                norm => {
                    let what = format!("ONNX: a Normalizer with norm {}", norm.unwrap_or("MAX"));
                    return Err(Error::unsupported(what, "the scores would no longer be sums over trees"));
                }
            },
            other => return Err(stranger(other, "beside or behind the trees")),
        }
    }
    Ok(normalised)
}

fn first<'a>(node: &NodeProto, names: &'a [String]) -> Result<&'a str> {
    let problem = || malformed(format!("{} {:?}", node.op_type, node.name), "it has no input or no output".into());
    names.first().map(String::as_str).ok_or_else(problem)
}

fn stranger(operator: &str, place: &str) -> Error {
    Error::unsupported(
        format!("ONNX: the operator {operator} {place}"),
        "only Cast, Identity, ZipMap and Normalizer (L1) may stand around a tree ensemble; convert the estimator \
         alone and prepare the table beforehand",
    )
}
