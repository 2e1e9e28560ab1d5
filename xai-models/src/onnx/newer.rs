//! `TreeEnsemble` of ai.onnx.ml, version 5 and later.

use xai_core::{Error, Result};

use super::attributes::Attributes;
use super::forest::{Mode, Node, Tree};
use super::malformed;

/// The trees of a node in order of `tree_roots`; leaves add to outputs below `n_outputs`.
pub(super) fn trees(attributes: &Attributes, n_outputs: usize) -> Result<Vec<Tree>> {
    let lists = Lists::of(attributes, n_outputs)?;
    let mut taken = vec![false; lists.features.len()];
    let roots = attributes.ints("tree_roots").iter().enumerate();
    roots.map(|(number, &root)| lists.tree(attributes, number, root, &mut taken)).collect()
}

struct Lists<'a> {
    features: &'a [i64],
    modes: Vec<Mode>,
    thresholds: Vec<f64>,
    missing: &'a [i64],
    yes: Children<'a>,
    no: Children<'a>,
    leaf_outputs: Vec<u32>,
    leaf_weights: Vec<f64>,
}

/// The children on one side: places of nodes or of leaves.
struct Children<'a> {
    places: &'a [i64],
    leaves: &'a [i64],
}

impl<'a> Lists<'a> {
    fn of(attributes: &Attributes<'a>, n_outputs: usize) -> Result<Self> {
        if attributes.has("membership_values") && !attributes.tensor_of_reals("membership_values")?.is_empty() {
            return Err(unsupported_mode("BRANCH_MEMBER"));
        }
        let side = |ids: &str, leaves: &str| Children { places: attributes.ints(ids), leaves: attributes.ints(leaves) };
        let modes = attributes.tensor_of_bytes("nodes_modes")?;
        let outputs = attributes.ints("leaf_targetids");
        let leaf_outputs = outputs.iter().map(|&output| match u32::try_from(output) {
            Ok(to) if (to as usize) < n_outputs => Ok(to),
            _ => Err(malformed(attributes.at("leaf_targetids"), format!("output {output} of {n_outputs}"))),
        });
        let lists = Lists {
            features: attributes.ints("nodes_featureids"),
            modes: modes.into_iter().map(mode).collect::<Result<_>>()?,
            thresholds: attributes.tensor_of_reals("nodes_splits")?,
            missing: attributes.ints("nodes_missing_value_tracks_true"),
            yes: side("nodes_truenodeids", "nodes_trueleafs"),
            no: side("nodes_falsenodeids", "nodes_falseleafs"),
            leaf_outputs: leaf_outputs.collect::<Result<_>>()?,
            leaf_weights: attributes.tensor_of_reals("leaf_weights")?,
        };
        let nodes = lists.features.len();
        let lengths = [
            ("nodes_modes", lists.modes.len(), nodes),
            ("nodes_splits", lists.thresholds.len(), nodes),
            ("nodes_truenodeids", lists.yes.places.len(), nodes),
            ("nodes_trueleafs", lists.yes.leaves.len(), nodes),
            ("nodes_falsenodeids", lists.no.places.len(), nodes),
            ("nodes_falseleafs", lists.no.leaves.len(), nodes),
            ("leaf_weights", lists.leaf_weights.len(), lists.leaf_outputs.len()),
        ];
        for (name, found, expected) in lengths {
            if found != expected {
                let problem = format!("{found} entries, where {expected} are needed");
                return Err(malformed(attributes.at(name), problem));
            }
        }
        Ok(lists)
    }

    /// The tree below `root`, level by level. `taken` remembers the nodes of all trees: one that comes again lies on a
    /// cycle or has two parents.
    fn tree(&self, attributes: &Attributes, number: usize, root: i64, taken: &mut [bool]) -> Result<Tree> {
        let mut nodes = Vec::new();
        // A place and whether it is a leaf's.
        let mut queue = vec![(root, false)];
        while let Some(&(place, is_leaf)) = queue.get(nodes.len()) {
            let missing =
                || malformed(attributes.at("tree_roots"), format!("tree {number}: place {place} does not exist"));
            let at = usize::try_from(place).map_err(|_| missing())?;
            if is_leaf {
                let leaf = self.leaf_outputs.get(at).zip(self.leaf_weights.get(at));
                let (&output, &weight) = leaf.ok_or_else(missing)?;
                nodes.push(Node::Leaf(vec![(output, weight)]));
                continue;
            }
            let seen = taken.get_mut(at).ok_or_else(missing)?;
            if std::mem::replace(seen, true) {
                let problem = format!("node {at} has two parents or lies on a cycle");
                return Err(malformed(format!("{}, tree {number}", attributes.at("nodes_truenodeids")), problem));
            }
            let feature = u32::try_from(self.features[at])
                .map_err(|_| malformed(attributes.at("nodes_featureids"), format!("feature {}", self.features[at])))?;
            let child = queue.len() as u32;
            for side in [&self.yes, &self.no] {
                queue.push((side.places[at], side.leaves[at] != 0));
            }
            nodes.push(Node::Branch {
                feature,
                mode: self.modes[at],
                threshold: self.thresholds[at],
                missing_is_true: self.missing.get(at).is_some_and(|&tracks| tracks == 1),
                yes: child,
                no: child + 1,
            });
        }
        Ok(Tree { id: number as i64, nodes })
    }
}

fn mode(code: u8) -> Result<Mode> {
    Ok(match code {
        0 => Mode::AtMost,
        1 => Mode::Less,
        2 => Mode::AtLeast,
        3 => Mode::Greater,
        4 => return Err(unsupported_mode("BRANCH_EQ")),
        5 => return Err(unsupported_mode("BRANCH_NEQ")),
        6 => return Err(unsupported_mode("BRANCH_MEMBER")),
        other => return Err(malformed("TreeEnsemble, nodes_modes", format!("mode {other}"))),
    })
}

fn unsupported_mode(name: &str) -> Error {
    Error::unsupported(
        format!("ONNX: trees with nodes of mode {name}"),
        "only comparisons by order (BRANCH_LEQ, LT, GTE, GT) can be expressed as splits",
    )
}
