//! LightGBM models from the text files that `save_model` writes.
//!
//! | | |
//! |---|---|
//! | forms | text, versions v2 to v4; the JSON of `dump_model` is refused |
//! | boosting | `gbdt`, `goss`, `dart` (its weights are in the leaves), `rf` (`average_output`) |
//! | objectives | `regression` and its kin, with or without `sqrt`; `poisson`, `gamma`, `tweedie`, `quantile`, `mape`; `binary` and `multiclassova` with their `sigmoid`; `multiclass`; `cross_entropy`, `cross_entropy_lambda`; `lambdarank`, `rank_xendcg`; `custom` or none: scores are predictions. Others are refused by name |
//! | splits | numbers, compared in `f64` with ≤, where numbers within 1e-35 of zero count as 0; sets of categories; each split's own rule for what is missing |
//! | names | `feature_names`, and the categories of pandas columns |
//! | refused | linear leaves (`linear_tree`): Shapley values of trees do not see the slopes |
//!
//! Covers are numbers of rows (`leaf_count`, `internal_count`), as LightGBM's own contributions take them. A categorical
//! feature whose categories have no names calls them by number, up to the largest that training or a split names.
//!
//! # Units
//! Scores are margins, summed in `f64` as LightGBM sums them. For `rf` they are means over the iterations, as
//! LightGBM's `predict` takes them before the link; its `raw_score` and `pred_contrib` forget to divide.
//!
//! # Laws
//! `lightgbm_margins_and_predictions`.
//!
//! # Source
//! LightGBM's `src/boosting/gbdt_model_text.cpp`, `src/io/tree.cpp`, `include/LightGBM/tree.h`, `src/objective/`.

mod names;
mod objective;
mod text;
mod tree;

use xai_core::trees::{CategoryRule, Comparison};
use xai_core::{Error, Result};

use crate::file::{FileKind, Limit, LoadOptions, Loaded};
use crate::trees::{TreeBuilder, TreeModel};
use objective::Objective;
use text::Text;

/// Reads a text file.
///
/// # Errors
/// As [`load_bytes`](crate::file::load_bytes).
pub fn load(bytes: &[u8], options: &LoadOptions) -> Result<Loaded> {
    let mut limit = Limit::of(bytes.len());
    let text = Text::read(bytes)?;
    let header = &text.header;
    let n_outputs = limit.count("outputs", header.number::<u64>("num_tree_per_iteration")?)?.max(1);
    let names = header.words("feature_names")?;
    limit.count("features", names.len() as u64)?;
    let (line, last) = header.field("max_feature_idx")?;
    if last.trim().parse() != Ok(names.len() as i64 - 1) {
        return Err(malformed(line, format!("max_feature_idx is {last:?} and there are {} names", names.len())));
    }
    let objective = Objective::of(header.get("objective"), n_outputs)?;
    if text.trees.len() % n_outputs != 0 {
        let problem = format!("{} trees cannot be shared by {n_outputs} outputs", text.trees.len());
        return Err(malformed(header.line, problem));
    }
    let iterations = options.iterations_of(text.trees.len() / n_outputs)?;
    let averaged = header.get("average_output").is_some();
    let share = if averaged { iterations.len().max(1) as f64 } else { 1.0 };

    let mut builder = TreeBuilder::new(names.len(), vec![0.0; n_outputs], objective.link, Comparison::DOUBLE_AT_MOST);
    builder.category_rule(CategoryRule::TruncateFirst);
    let mut categories = vec![0_u64; names.len()];
    for index in iterations.start * n_outputs..iterations.end * n_outputs {
        let output = (index % n_outputs) as u32;
        tree::add(&text.trees[index], output, share, &mut builder, &mut limit, &mut categories)?;
    }
    let trees = builder.finish()?;

    let features = names::features(&names, &text, categories, &mut limit)?;
    let outputs = objective.outputs(n_outputs);
    let mut facts = vec![("library".to_owned(), "LightGBM".to_owned())];
    let mut fact = |name: &str, value: &str| facts.push((name.to_owned(), value.to_owned()));
    if let Some((_, version)) = header.get("version") {
        fact("version", version);
    }
    if let Some(boosting) = text.parameter("boosting") {
        fact("booster", boosting);
    }
    fact("objective", header.get("objective").map_or("none", |(_, objective)| objective));
    if averaged {
        fact("scores", "means over the iterations");
    }
    let left_out = text.trees.len() - trees.n_trees();
    if left_out > 0 {
        fact("trees left out", &left_out.to_string());
    }
    Ok(Loaded::new(FileKind::LightgbmText, TreeModel::new(trees, features, outputs)?, facts))
}

fn malformed(line: usize, problem: String) -> Error {
    Error::Malformed { format: "LightGBM", at: format!("line {line}"), problem }
}
