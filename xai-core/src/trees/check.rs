//! The checks that make the arrays of trees safe to follow.

use super::{LEAF, NO_SET, TreeParts};
use crate::error::same_shape;
use crate::{Error, Link, Result};

pub(super) fn check(parts: &TreeParts) -> Result<()> {
    let nodes = parts.feature.len();
    let lengths = [
        ("threshold", parts.threshold.len()),
        ("left", parts.left.len()),
        ("right", parts.right.len()),
        ("missing", parts.missing.len()),
        ("default_left", parts.default_left.len()),
        ("set", parts.set.len()),
        ("cover", parts.cover.len()),
    ];
    for (what, length) in lengths {
        same_shape(format!("trees: {what} (node)"), &[nodes], &[length])?;
    }
    same_shape("trees: base (output)", &[parts.n_outputs], &[parts.base.len()])?;
    same_shape("trees: starts (tree + 1)", &[parts.tree_output.len() + 1], &[parts.starts.len()])?;
    if let Some(output) = parts.base.iter().position(|b| !b.is_finite()) {
        return Err(malformed("base".into(), format!("output {output} is {}", parts.base[output])));
    }
    if let Link::Logistic { slope } = parts.link
        && !slope.is_finite()
    {
        return Err(malformed("link".into(), format!("a slope of {slope}")));
    }
    let bounds = (parts.starts.first().copied(), parts.starts.last().copied());
    if bounds != (Some(0), u32::try_from(nodes).ok()) {
        return Err(malformed("starts".into(), format!("runs from and to {bounds:?} for {nodes} nodes")));
    }
    if let Some(tree) = parts.starts.windows(2).position(|w| w[0] >= w[1]) {
        return Err(malformed(format!("tree {tree}"), "it has no node".into()));
    }
    for (tree, span) in parts.starts.windows(2).enumerate() {
        check_tree(parts, tree, span[0] as usize..span[1] as usize)?;
    }
    Ok(())
}

fn check_tree(parts: &TreeParts, tree: usize, span: std::ops::Range<usize>) -> Result<()> {
    let width = match parts.tree_output[tree] {
        None => parts.n_outputs,
        Some(output) if (output as usize) < parts.n_outputs => 1,
        Some(output) => {
            return Err(malformed(format!("tree {tree}"), format!("output {output} of {}", parts.n_outputs)));
        }
    };
    let root = span.start;
    // Each node but the root has one parent, and all are reached from the root: then the nodes form a tree.
    let mut seen = vec![false; span.len()];
    seen[0] = true;
    let mut stack = vec![root];
    let mut reached = 0;
    while let Some(node) = stack.pop() {
        reached += 1;
        let at = || format!("tree {tree}, node {}", node - root);
        if !(parts.cover[node].is_finite() && parts.cover[node] >= 0.0) {
            return Err(malformed(at(), format!("a cover of {}", parts.cover[node])));
        }
        if parts.feature[node] == LEAF {
            let first = parts.left[node] as usize;
            let values = first.checked_add(width).and_then(|end| parts.values.get(first..end));
            match values {
                None => return Err(malformed(at(), format!("leaf value {first} of {}", parts.values.len()))),
                Some(values) if values.iter().any(|v| !v.is_finite()) => {
                    return Err(malformed(at(), "a leaf value that is not finite".into()));
                }
                Some(_) => continue,
            }
        }
        if parts.feature[node] as usize >= parts.n_features {
            let problem = format!("feature {} of {}", parts.feature[node], parts.n_features);
            return Err(malformed(at(), problem));
        }
        match parts.set[node] {
            NO_SET if parts.threshold[node].is_nan() => return Err(malformed(at(), "a threshold of NaN".into())),
            NO_SET => {}
            set if (set as usize) < parts.sets.len() => {}
            set => return Err(malformed(at(), format!("set {set} of {}", parts.sets.len()))),
        }
        for child in [parts.left[node] as usize, parts.right[node] as usize] {
            if !span.contains(&child) {
                return Err(malformed(at(), format!("a child outside its tree ({child}, nodes {span:?})")));
            }
            if std::mem::replace(&mut seen[child - root], true) {
                return Err(malformed(at(), format!("child {} has two parents or lies on a cycle", child - root)));
            }
            stack.push(child);
        }
    }
    if reached != span.len() {
        let orphan = seen.iter().position(|s| !s).unwrap_or_default();
        return Err(malformed(format!("tree {tree}, node {orphan}"), "no path leads to it".into()));
    }
    Ok(())
}

fn malformed(at: String, problem: String) -> Error {
    Error::Malformed { format: "tree ensemble", at, problem }
}
