//! One tree of LightGBM's file.

use xai_core::trees::Missing;
use xai_core::{Error, Result};

use super::malformed;
use super::text::Block;
use crate::file::Limit;
use crate::trees::{Split, TreeBuilder};

/// Bits of `decision_type`.
const BY_CATEGORY: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

/// Adds a tree, whose leaf values are divided by `share`. `categories` holds, for each feature, 1 + the largest
/// category that a split names.
pub(super) fn add(
    block: &Block,
    output: u32,
    share: f64,
    builder: &mut TreeBuilder,
    limit: &mut Limit,
    categories: &mut [u64],
) -> Result<()> {
    refuse_linear(block)?;
    let n_leaves: usize = block.number("num_leaves")?;
    let (line, _) = block.field("num_leaves")?;
    let n_splits = n_leaves.checked_sub(1).ok_or_else(|| malformed(line, "a tree without leaves".to_owned()))?;
    let values: Vec<f64> = block.numbers("leaf_value", n_leaves)?;
    builder.start_tree(Some(output));
    if n_splits > 0 {
        let mut splits = Splits::read(block, n_splits)?;
        for node in 0..n_splits {
            splits.add(node, builder, limit, categories)?;
        }
    }
    let counts = counts(block, "leaf_count", n_leaves)?;
    for (value, count) in values.iter().zip(counts) {
        builder.leaf(&[value / share], f64::from(count));
    }
    Ok(())
}

/// Covers: all 0 in a file without them, which old versions wrote for trees of one leaf.
fn counts(block: &Block, key: &str, n: usize) -> Result<Vec<u32>> {
    if block.get(key).is_some() { block.numbers(key, n) } else { Ok(vec![0; n]) }
}

fn refuse_linear(block: &Block) -> Result<()> {
    match block.get("is_linear") {
        Some((_, "0")) | None => Ok(()),
        Some(_) => {
            let reason = "a leaf's value then depends on the sample, which Shapley values of trees do not see; train \
                 with linear_tree=false";
            Err(Error::unsupported("LightGBM's linear_tree", reason))
        }
    }
}

/// The arrays of the nodes that are no leaves.
struct Splits<'a> {
    block: &'a Block<'a>,
    feature: Vec<u32>,
    threshold: Vec<f64>,
    decision: Vec<u8>,
    left: Vec<i64>,
    right: Vec<i64>,
    count: Vec<u32>,
    /// The sets of categories. A split by category has the place of its own set for a threshold.
    sets: Vec<Option<Vec<u32>>>,
}

impl<'a> Splits<'a> {
    fn read(block: &'a Block<'a>, n: usize) -> Result<Self> {
        Ok(Splits {
            block,
            feature: block.numbers("split_feature", n)?,
            threshold: block.numbers("threshold", n)?,
            decision: block.numbers("decision_type", n)?,
            left: block.numbers("left_child", n)?,
            right: block.numbers("right_child", n)?,
            count: counts(block, "internal_count", n)?,
            sets: sets(block)?,
        })
    }

    fn add(&mut self, node: usize, builder: &mut TreeBuilder, limit: &mut Limit, categories: &mut [u64]) -> Result<()> {
        let feature = self.feature[node];
        let n_features = categories.len();
        let Some(largest) = categories.get_mut(feature as usize) else {
            return Err(self.bad("split_feature", format!("feature {feature} of {n_features}")));
        };
        let (decision, cover) = (self.decision[node], f64::from(self.count[node]));
        let split = Split {
            feature,
            left: self.child("left_child", self.left[node])?,
            right: self.child("right_child", self.right[node])?,
            default_left: decision & DEFAULT_LEFT != 0,
            missing: match decision >> 2 {
                0 => Missing::Never,
                1 => Missing::Zero,
                2 => Missing::Nan,
                _ => return Err(self.bad("decision_type", format!("decision type {decision}"))),
            },
        };
        if decision & BY_CATEGORY == 0 {
            builder.number_split(split, threshold(self.threshold[node]), cover);
            return Ok(());
        }
        let place = self.threshold[node];
        let set = if place >= 0.0 && place.fract() == 0.0 { self.sets.get_mut(place as usize) } else { None };
        let Some(goes_left) = set.and_then(Option::take) else {
            return Err(self.bad("threshold", format!("set of categories {place}, which lacks or is used twice")));
        };
        limit.take(goes_left.len())?;
        let last = goes_left.iter().enumerate().rev().find(|(_, word)| **word != 0);
        let end = last.map_or(0, |(i, word)| 32 * i as u64 + u64::from(32 - word.leading_zeros()));
        *largest = end.max(*largest);
        // Whatever the default, a missing category goes right.
        builder.category_split(Split { default_left: false, missing: Missing::Nan, ..split }, goes_left, cover);
        Ok(())
    }

    /// The place of a child in the tree: splits come first, then leaves, whose numbers are below zero in the file.
    fn child(&self, key: &str, child: i64) -> Result<u32> {
        let n = self.feature.len();
        let (number, first, end) = if child < 0 { (!child, n, n + 1) } else { (child, 0, n) };
        match usize::try_from(number) {
            Ok(number) if number < end => Ok((first + number) as u32),
            _ => Err(self.bad(key, format!("child {child} of a tree with {n} splits"))),
        }
    }

    fn bad(&self, key: &str, problem: String) -> Error {
        malformed(self.block.get(key).map_or(self.block.line, |(line, _)| line), problem)
    }
}

/// LightGBM's `kZeroThreshold`.
const ZERO: f64 = 1e-35_f32 as f64;

/// The threshold for numbers as they are. LightGBM's `predict` takes numbers from −[`ZERO`] to [`ZERO`] for 0 before any
/// split sees them, and −[`ZERO`] is a usual threshold: between the numbers below zero and the zeros.
fn threshold(threshold: f64) -> f64 {
    match threshold {
        t if (-ZERO..0.0).contains(&t) => (-ZERO).next_down(),
        t if (0.0..ZERO).contains(&t) => ZERO,
        t => t,
    }
}

/// The sets of categories of a tree, as bits.
fn sets(block: &Block) -> Result<Vec<Option<Vec<u32>>>> {
    let n: usize = if block.get("num_cat").is_some() { block.number("num_cat")? } else { 0 };
    if n == 0 {
        return Ok(Vec::new());
    }
    let (line, _) = block.field("cat_boundaries")?;
    let edges: Vec<usize> = block.numbers("cat_boundaries", n.saturating_add(1))?;
    let words: Vec<u32> = block.numbers("cat_threshold", edges[n])?;
    let cut = |ends: &[usize]| words.get(ends[0]..ends[1]).map(|set| Some(set.to_vec()));
    let sets = edges.windows(2).map(cut).collect::<Option<_>>();
    sets.ok_or_else(|| malformed(line, "boundaries that do not rise".to_owned()))
}
