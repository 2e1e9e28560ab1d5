//! Trees that are not symmetric: objects within objects.

use xai_core::Result;

use super::features::Columns;
use super::malformed;
use super::schema::Node;
use crate::file::Limit;
use crate::trees::TreeBuilder;

/// The number of outputs that the trees have, by their first leaf; `None` without trees.
pub(super) fn n_outputs(trees: &[Node]) -> Result<Option<usize>> {
    let Some(mut node) = trees.first() else { return Ok(None) };
    while let Some(left) = &node.left {
        node = left;
    }
    match node.value.as_ref().map(|v| v.as_slice().len()) {
        None | Some(0) => Err(malformed("trees[0]", "its leftmost leaf has no value".into())),
        outputs => Ok(outputs),
    }
}

/// Adds the trees; says whether all of them know their leaves' weights.
pub(super) fn build(
    trees: &[Node],
    scale: f64,
    columns: &Columns,
    limit: &mut Limit,
    builder: &mut TreeBuilder,
) -> Result<bool> {
    let outputs = n_outputs(trees)?.unwrap_or(0);
    let plans: Vec<Plan> =
        trees.iter().enumerate().map(|(number, tree)| plan(tree, number, outputs)).collect::<Result<_>>()?;
    let weighted = plans.iter().all(|plan| plan.weighted);
    for (number, plan) in plans.iter().enumerate() {
        let at = || format!("trees[{number}]");
        builder.start_tree((outputs == 1).then_some(0));
        for place in &plan.places {
            let cover = if weighted { place.cover } else { 0.0 };
            match &place.node.split {
                Some(split) => {
                    columns.question(split, at)?.push(place.child, place.child + 1, cover, limit, builder)?;
                }
                None => {
                    let values = place.node.value.as_ref().map_or(&[][..], |v| v.as_slice());
                    let values: Vec<f64> = values.iter().map(|value| scale * value).collect();
                    builder.leaf(&values, cover);
                }
            }
        }
    }
    Ok(weighted)
}

/// The nodes of a tree level by level.
struct Plan<'a> {
    places: Vec<Place<'a>>,
    weighted: bool,
}

struct Place<'a> {
    node: &'a Node,
    /// The place of the left child; the right one follows it.
    child: u32,
    cover: f64,
}

fn plan(tree: &Node, number: usize, outputs: usize) -> Result<Plan<'_>> {
    let mut places = vec![Place { node: tree, child: 0, cover: 0.0 }];
    let mut weighted = true;
    let mut next = 0;
    while next < places.len() {
        let node = places[next].node;
        let at = || format!("trees[{number}], node {next} by level");
        match (&node.split, &node.left, &node.right, &node.value) {
            (Some(_), Some(left), Some(right), None) => {
                places[next].child = places.len() as u32;
                places.push(Place { node: left, child: 0, cover: 0.0 });
                places.push(Place { node: right, child: 0, cover: 0.0 });
            }
            (None, None, None, Some(value)) if value.as_slice().len() == outputs => {
                places[next].cover = node.weight.unwrap_or(0.0);
                weighted &= node.weight.is_some();
            }
            (None, None, None, Some(value)) => {
                let problem = format!("a leaf of {} values, where others have {outputs}", value.as_slice().len());
                return Err(malformed(at(), problem));
            }
            _ => return Err(malformed(at(), "neither a leaf nor a split with two children".into())),
        }
        next += 1;
    }
    for place in (0..places.len()).rev() {
        if places[place].node.split.is_some() {
            let child = places[place].child as usize;
            places[place].cover = places[child].cover + places[child + 1].cover;
        }
    }
    Ok(Plan { places, weighted })
}
