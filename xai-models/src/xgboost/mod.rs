//! XGBoost models from the files that `save_model` writes.
//!
//! | | |
//! |---|---|
//! | forms | JSON and UBJSON of XGBoost 1.x to 3.x; the binary form of old versions is refused |
//! | boosters | `gbtree`; `dart` with its weights (in the tree's book since 3.4, beside it before); `gblinear` is refused |
//! | objectives | `reg:*`, `binary:*`, `multi:*`, `count:poisson`, `rank:*`, `survival:cox`, `survival:aft`; others are refused by name |
//! | several outputs | a tree an output (`multi:*`, several targets, several quantiles), or vector leaves (`multi_output_tree`) |
//! | forests | `num_parallel_tree` |
//! | splits | numbers, compared in `f32` with <; categories, one against the rest or by set; missing values by default direction |
//! | `base_score` | a number (to 3.0) or a list (since 3.1), in the unit of the prediction: taken to the margin by the objective |
//! | names | `feature_names`, `feature_types`, and the categories that 3.x keeps of data frames |
//! | early stopping | all trees are read, as `Booster.predict` does; see [`LoadOptions::iterations`] |
//! | quantiles | each prediction is its own margin; XGBoost 3.4 sorts those of a sample where levels cross |
//! | refused | expectiles at several levels: what is predicted is not a function of each margin |
//!
//! Covers are the file's `sum_hessian`; below zero, as rounding may leave them, they count as zero. XGBoost 2.x keeps none
//! for trees with vector leaves: they are all 0 then, and [`with_covers`](crate::trees::with_covers) counts rows instead. The features of a
//! file without names are `x0`, `x1`, …; a categorical feature whose categories have no names calls them by number, up
//! to the largest that a split names.
//!
//! # Units
//! Scores are margins: the sum of the base and the leaves. XGBoost sums them in `f32`, this crate in `f64`.
//!
//! # Laws
//! `xgboost_margins_and_predictions`, `xgboost_json_and_ubjson_agree`.
//!
//! # Source
//! XGBoost's `doc/model.schema`, `src/tree/tree_model.cc`, `src/tree/multi_target_tree_model.cc`,
//! `src/gbm/gbtree.cc`, `src/data/cat_container.cc`, `src/objective/`.
//!
//! # Example
//! ```
//! use xai_core::Model;
//! let file = br#"{"learner": {
//!     "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "1"},
//!     "objective": {"name": "reg:squarederror"},
//!     "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [{
//!         "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
//!         "split_conditions": [0.5, -1.0, 1.0], "default_left": [0, 0, 0], "sum_hessian": [2.0, 1.0, 1.0]
//!     }]}}
//! }}"#;
//! let loaded = xai_models::file::load_bytes(file).unwrap();
//! assert_eq!(loaded.model.predict(&ndarray::array![[0.2]]).unwrap()[[0, 0]], -0.5);
//! ```

mod json;
mod names;
mod objective;
mod schema;
mod tree;
mod ubjson;

use std::ops::Range;

use xai_core::trees::Comparison;
use xai_core::{Error, Result};

use crate::file::{FileKind, Limit, LoadOptions, Loaded};
use crate::trees::{TreeBuilder, TreeModel};
use objective::Objective;
use schema::{Booster, File, Forest};

/// Reads a JSON file.
///
/// # Errors
/// As [`load_bytes`](crate::file::load_bytes).
pub fn load_json(bytes: &[u8], options: &LoadOptions) -> Result<Loaded> {
    model(json::read(bytes)?, bytes.len(), FileKind::XgboostJson, options)
}

/// Reads a UBJSON file.
///
/// # Errors
/// As [`load_bytes`](crate::file::load_bytes).
pub fn load_ubjson(bytes: &[u8], options: &LoadOptions) -> Result<Loaded> {
    model(ubjson::read(bytes)?, bytes.len(), FileKind::XgboostUbjson, options)
}

/// What both forms of the file say is the same.
fn model(file: File, bytes: usize, kind: FileKind, options: &LoadOptions) -> Result<Loaded> {
    let mut limit = Limit::of(bytes);
    let File { learner, version } = file;
    let param = &learner.learner_model_param;
    let n_features = limit.count("features", whole("num_feature", &param.num_feature)?)?;
    let n_class = whole("num_class", &param.num_class)?;
    let n_target = whole("num_target", param.num_target.as_deref().unwrap_or("1"))?;
    let n_outputs = limit.count("outputs", n_class.max(n_target).max(1))?;

    let name = learner.gradient_booster.name.clone();
    let (forest, weights) = forest(learner.gradient_booster)?;
    let objective = Objective::of(&learner.objective, n_outputs)?;
    let base = objective.base(&param.base_score, n_outputs)?;
    let kept = kept(&forest, n_outputs, options)?;

    let mut builder = TreeBuilder::new(n_features, base, objective.link, Comparison::SINGLE_LESS);
    let mut categories = vec![0_u32; n_features];
    for index in kept.clone() {
        let tree = &forest.trees[index];
        let output = if tree.n_values()? > 1 { None } else { Some(output_of(&forest, index)?) };
        let weight = weights.get(index).copied().map_or(1.0, f64::from);
        let mut growth = tree::Growth { builder: &mut builder, limit: &mut limit, categories: &mut categories };
        growth.add(tree, index, output, n_outputs, weight)?;
    }
    let trees = builder.finish()?;

    let features = names::features(
        n_features,
        &learner.feature_names,
        &learner.feature_types,
        forest.cats.as_ref(),
        &categories,
        &mut limit,
    )?;
    let outputs = objective.outputs(n_outputs);
    let mut facts = vec![("library".to_owned(), "XGBoost".to_owned())];
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if !version.is_empty() {
        fact("version", version.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
    }
    fact("booster", if weights.is_empty() { name } else { "dart".to_owned() });
    fact("objective", learner.objective.name.clone());
    fact("base score", param.base_score.clone());
    if let Some(best) = learner.attributes.get("best_iteration") {
        fact("best iteration", best.clone());
    }
    if learner.objective.name == "reg:quantileerror" && n_outputs > 1 {
        fact("note", "each prediction is its own margin; XGBoost 3.4 sorts those of a sample by size".to_owned());
    }
    if forest.trees.iter().any(|tree| tree.sum_hessian.is_none()) {
        fact("covers", "none in the file".to_owned());
    }
    if kept.len() < forest.trees.len() {
        fact("trees left out", (forest.trees.len() - kept.len()).to_string());
    }
    Ok(Loaded::new(kind, TreeModel::new(trees, features, outputs)?, facts))
}

/// The trees and, for DART, their weights, which XGBoost keeps in one of three places.
fn forest(booster: Booster) -> Result<(Forest, Vec<f32>)> {
    if booster.name == "gblinear" {
        let reason = "it holds no trees; give its weights to `xai_models::linear::Linear`";
        return Err(Error::unsupported("XGBoost's booster gblinear", reason));
    }
    if booster.name != "gbtree" && booster.name != "dart" {
        let reason = "only gbtree and dart are known";
        return Err(Error::unsupported(format!("XGBoost's booster {:?}", booster.name), reason));
    }
    let missing = || malformed("gradient_booster", "no `model` in it".to_owned());
    let mut forest = match (booster.model, booster.gbtree) {
        (Some(forest), _) => forest,
        (None, Some(inner)) => inner.model.ok_or_else(missing)?,
        (None, None) => return Err(missing()),
    };
    let weights = forest.weight_drop.take().or(booster.weight_drop).unwrap_or_default();
    if !weights.is_empty() && weights.len() != forest.trees.len() {
        let problem = format!("{} weights for {} trees", weights.len(), forest.trees.len());
        return Err(malformed("weight_drop", problem));
    }
    if booster.name == "dart" && weights.is_empty() && !forest.trees.is_empty() {
        return Err(malformed("gradient_booster", "dart without `weight_drop`".to_owned()));
    }
    if forest.tree_info.len() != forest.trees.len() {
        let problem = format!("{} entries for {} trees", forest.tree_info.len(), forest.trees.len());
        return Err(malformed("tree_info", problem));
    }
    Ok((forest, weights.into_iter().map(|weight| weight.0).collect()))
}

/// The trees of the iterations that `options` keep.
fn kept(forest: &Forest, n_outputs: usize, options: &LoadOptions) -> Result<Range<usize>> {
    let n = forest.trees.len();
    if options.iterations.is_none() {
        return Ok(0..n);
    }
    let starts = match &forest.iteration_indptr {
        Some(starts) => starts.clone(),
        None => {
            let param = forest.gbtree_model_param.as_ref();
            let parallel =
                whole("num_parallel_tree", param.and_then(|p| p.num_parallel_tree.as_deref()).unwrap_or("1"))?;
            let vector = forest.trees.first().map_or(Ok(1), schema::Tree::n_values)? > 1;
            let step = (parallel.max(1) as usize).saturating_mul(if vector { 1 } else { n_outputs });
            (0..=n).step_by(step).collect()
        }
    };
    let iterations = options.iterations_of(starts.len().saturating_sub(1))?;
    let at = |i: usize| starts.get(i).copied().unwrap_or(0);
    let (start, end) = (at(iterations.start), at(iterations.end));
    if start > end || end > n {
        return Err(malformed("iteration_indptr", format!("trees {start}..{end} of {n}")));
    }
    Ok(start..end)
}

fn output_of(forest: &Forest, tree: usize) -> Result<u32> {
    let output = forest.tree_info[tree];
    u32::try_from(output).map_err(|_| malformed(&format!("tree_info[{tree}]"), format!("output {output}")))
}

/// A whole number in a string, as XGBoost writes parameters.
fn whole(name: &str, text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| malformed(name, format!("{text:?} where a whole number is needed")))
}

fn malformed(at: &str, problem: String) -> Error {
    Error::Malformed { format: "XGBoost", at: at.to_owned(), problem }
}
