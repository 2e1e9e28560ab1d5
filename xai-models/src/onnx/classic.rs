//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor` of ai.onnx.ml, versions 1 to 4.

use std::collections::HashMap;

use xai_core::{Error, Result};

use super::attributes::Attributes;
use super::forest::{Mode, Node, Tree};
use super::malformed;

/// The trees of a node in order of their first mention; leaves add to outputs below `n_outputs`.
///
/// `prefix` is `class` or `target`.
pub(super) fn trees(attributes: &Attributes, prefix: &str, n_outputs: usize) -> Result<Vec<Tree>> {
    let ids = attributes.ints("nodes_treeids");
    let nodes = attributes.ints("nodes_nodeids");
    let features = attributes.ints("nodes_featureids");
    let yes = attributes.ints("nodes_truenodeids");
    let no = attributes.ints("nodes_falsenodeids");
    let modes = attributes.texts("nodes_modes")?;
    let thresholds = attributes.reals("nodes_values")?;
    let missing = attributes.ints("nodes_missing_value_tracks_true");
    let lengths = [
        ("nodes_nodeids", nodes.len()),
        ("nodes_featureids", features.len()),
        ("nodes_truenodeids", yes.len()),
        ("nodes_falsenodeids", no.len()),
        ("nodes_modes", modes.len()),
        ("nodes_values", thresholds.len()),
    ];
    for (name, length) in lengths {
        same_length(attributes, name, length, ids.len())?;
    }
    if !missing.is_empty() {
        same_length(attributes, "nodes_missing_value_tracks_true", missing.len(), ids.len())?;
    }
    let places = Places::of(attributes, ids, nodes)?;
    let mut trees: Vec<Tree> = places.trees.iter().map(|&id| Tree { id, nodes: Vec::new() }).collect();
    for node in 0..ids.len() {
        let (tree, _) = places.find(attributes, "nodes_nodeids", ids[node], nodes[node])?;
        let child = |name: &str, to: i64| places.find(attributes, name, ids[node], to).map(|(_, place)| place);
        let grown = match mode(modes[node])? {
            None => Node::Leaf(Vec::new()),
            Some(mode) => Node::Branch {
                feature: u32::try_from(features[node])
                    .map_err(|_| malformed(attributes.at("nodes_featureids"), format!("feature {}", features[node])))?,
                mode,
                threshold: thresholds[node],
                missing_is_true: missing.get(node).is_some_and(|&tracks| tracks == 1),
                yes: child("nodes_truenodeids", yes[node])?,
                no: child("nodes_falsenodeids", no[node])?,
            },
        };
        trees[tree].nodes.push(grown);
    }
    add_weights(attributes, prefix, n_outputs, &places, &mut trees)?;
    Ok(trees)
}

/// Where the node of each id lies: trees in order of their first mention, nodes in order of the file.
struct Places {
    trees: Vec<i64>,
    /// By tree id and node id: the tree's place, the node's place in the tree.
    nodes: HashMap<(i64, i64), (usize, u32)>,
}

impl Places {
    fn of(attributes: &Attributes, ids: &[i64], nodes: &[i64]) -> Result<Self> {
        let mut trees = Vec::new();
        let mut tree_of = HashMap::new();
        let mut sizes: Vec<u32> = Vec::new();
        let mut places = HashMap::with_capacity(nodes.len());
        for (&id, &node) in ids.iter().zip(nodes) {
            let tree = *tree_of.entry(id).or_insert_with(|| {
                trees.push(id);
                sizes.push(0);
                trees.len() - 1
            });
            if places.insert((id, node), (tree, sizes[tree])).is_some() {
                return Err(malformed(attributes.at("nodes_nodeids"), format!("node {node} of tree {id} twice")));
            }
            sizes[tree] += 1;
        }
        Ok(Places { trees, nodes: places })
    }

    fn find(&self, attributes: &Attributes, name: &str, tree: i64, node: i64) -> Result<(usize, u32)> {
        let place = self.nodes.get(&(tree, node)).copied();
        place.ok_or_else(|| malformed(attributes.at(name), format!("node {node} of tree {tree} does not exist")))
    }
}

/// What the leaves add, as (tree, node, output, weight) in four lists.
fn add_weights(
    attributes: &Attributes,
    prefix: &str,
    n_outputs: usize,
    places: &Places,
    trees: &mut [Tree],
) -> Result<()> {
    let name = |part: &str| format!("{prefix}_{part}");
    let ids = attributes.ints(&name("treeids"));
    let nodes = attributes.ints(&name("nodeids"));
    let outputs = attributes.ints(&name("ids"));
    let weights = attributes.reals(&name("weights"))?;
    for (part, length) in [("nodeids", nodes.len()), ("ids", outputs.len()), ("weights", weights.len())] {
        same_length(attributes, &name(part), length, ids.len())?;
    }
    for entry in 0..ids.len() {
        let (tree, place) = places.find(attributes, &name("nodeids"), ids[entry], nodes[entry])?;
        let output = usize::try_from(outputs[entry]).ok().filter(|&output| output < n_outputs);
        let output = output.ok_or_else(|| {
            malformed(attributes.at(&name("ids")), format!("output {} of {n_outputs}", outputs[entry]))
        })?;
        match &mut trees[tree].nodes[place as usize] {
            Node::Leaf(additions) => additions.push((output as u32, weights[entry])),
            Node::Branch { .. } => {
                let problem = format!("a weight at node {} of tree {}, which is no leaf", nodes[entry], ids[entry]);
                return Err(malformed(attributes.at(&name("weights")), problem));
            }
        }
    }
    Ok(())
}

/// `None` for a leaf.
fn mode(name: &str) -> Result<Option<Mode>> {
    Ok(Some(match name {
        "LEAF" => return Ok(None),
        "BRANCH_LEQ" => Mode::AtMost,
        "BRANCH_LT" => Mode::Less,
        "BRANCH_GTE" => Mode::AtLeast,
        "BRANCH_GT" => Mode::Greater,
        other => {
            return Err(Error::unsupported(
                format!("ONNX: trees with nodes of mode {other}"),
                "only comparisons by order (BRANCH_LEQ, LT, GTE, GT) can be expressed as splits",
            ));
        }
    }))
}

fn same_length(attributes: &Attributes, name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(malformed(attributes.at(name), format!("{found} entries, where {expected} are needed")))
}
