//! linfa's linked nodes as an ensemble of arrays.

use linfa::Label;
use linfa_trees::{DecisionTree, TreeNode};
use xai_core::error::same_shape;
use xai_core::trees::{Comparison, Missing};
use xai_core::{Error, Feature, Link, Output, Result, Scale, Table};

use super::{Cell, name_of};
use crate::trees::{Split, TreeBuilder, TreeModel, with_covers};

/// Trees whose leaves name a class, one after the other; each tree has a weight for its vote.
pub(super) struct Voters<'a, L> {
    classes: &'a [L],
    n_features: usize,
    builder: TreeBuilder,
}

impl<'a, L: Label> Voters<'a, L> {
    /// # Errors
    /// [`Error::Parameter`] for classes that are none or listed twice.
    pub fn new<F: Cell>(classes: &'a [L], n_features: usize) -> Result<Self> {
        if classes.is_empty() {
            return Err(Error::parameter("classes", "none", "the labels that the model was fitted with"));
        }
        if let Some(twice) = (1..classes.len()).find(|&place| classes[..place].contains(&classes[place])) {
            let name = format!("classes[{twice}]");
            return Err(Error::parameter(name, name_of(&classes[twice]), "each label once"));
        }
        // `make_prediction` goes left on <, in the precision of the model; a missing value compares false.
        let comparison = if F::SINGLE { Comparison::SINGLE_LESS } else { Comparison::DOUBLE_LESS };
        let builder = TreeBuilder::new(n_features, vec![0.0; classes.len()], Link::Identity, comparison);
        Ok(Voters { classes, n_features, builder })
    }

    /// Adds a tree. `columns` are the table's columns that its features count, when it saw but some of them.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a leaf with a label that is not among the classes; [`Error::Shape`] for a split on a
    /// column that does not exist.
    pub fn add<F: Cell>(&mut self, tree: &DecisionTree<F, L>, columns: Option<&[usize]>, weight: f64) -> Result<()> {
        self.builder.start_tree(None);
        let mut votes = vec![0.0; self.classes.len()];
        let mut queue: Vec<&TreeNode<F, L>> = vec![tree.root_node()];
        let mut next = 0;
        while let Some(&node) = queue.get(next) {
            next += 1;
            // A node with one child is a leaf to linfa, whatever hangs below it.
            if node.is_leaf() {
                votes.fill(0.0);
                votes[self.class_of(node)?] = weight;
                self.builder.leaf(&votes, 0.0);
                continue;
            }
            let (feature, threshold, _) = node.split();
            let column = match columns {
                None => Some(feature),
                Some(columns) => columns.get(feature).copied(),
            };
            let column = column.filter(|&column| column < self.n_features);
            let column = column.ok_or_else(|| Error::Shape {
                what: "columns that the trees split".into(),
                expected: vec![columns.map_or(self.n_features, <[usize]>::len)],
                found: vec![feature + 1],
            })?;
            let left = queue.len() as u32;
            for child in node.children() {
                let child = child.as_deref().ok_or_else(|| Error::Malformed {
                    format: "linfa tree",
                    at: format!("node {} by level", next - 1),
                    problem: "a split without two children".into(),
                })?;
                queue.push(child);
            }
            let (right, missing) = (left + 1, Missing::Nan);
            let split = Split { feature: column as u32, left, right, default_left: false, missing };
            self.builder.number_split(split, threshold.wide(), 0.0);
        }
        Ok(())
    }

    /// The model, with the covers of `background`.
    pub fn finish(self, background: &Table, scale: Scale) -> Result<TreeModel> {
        same_shape("columns of the background", &[self.n_features], &[background.ncols()])?;
        let outputs = self.classes.iter().map(|class| Output::new(name_of(class), scale)).collect();
        let trees = with_covers(&self.builder.finish()?, background)?;
        TreeModel::new(trees, Feature::unnamed(self.n_features), outputs)
    }

    fn class_of<F: Cell>(&self, leaf: &TreeNode<F, L>) -> Result<usize> {
        let label = leaf.prediction();
        let place = label.as_ref().and_then(|label| self.classes.iter().position(|class| class == label));
        place.ok_or_else(|| Error::Unknown {
            kind: "label in a leaf".into(),
            name: label.as_ref().map(name_of).unwrap_or_default(),
            nearest: None,
            known: self.classes.iter().map(name_of).collect(),
        })
    }
}
