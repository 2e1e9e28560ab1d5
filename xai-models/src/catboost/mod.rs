//! CatBoost models saved as JSON (`model.save_model(path, format="json")`).
//!
//! | what | how it is read |
//! |---|---|
//! | symmetric trees | unfolded into binary trees, the last split at the root, as the library's own attributions see them |
//! | `Depthwise`, `Lossguide` | as they are |
//! | numbers | `f32`, greater than the border goes right; missing values as `nan_value_treatment` says |
//! | one-hot splits of categories | by the names in the file, or by names given to [`read_with_categories`] |
//! | splits on target statistics (CTR), text, embeddings | refused by name |
//! | covers | sums of the leaves' weights |
//! | scale and bias | the scale multiplies the leaves, the bias is the base |
//!
//! Checked against catboost 1.2.10: margins agree to 1e-13.

mod city;
mod features;
mod loss;
mod nested;
mod oblivious;
mod schema;

pub use city::category_hash;

use xai_core::trees::Comparison;
use xai_core::{Error, Result};

use crate::file::{FileKind, Limit, Loaded};
use crate::trees::{TreeBuilder, TreeModel};
use features::Columns;
use loss::Loss;
use schema::{File, OneOrMany};

/// The name of the format in errors.
const FORMAT: &str = "CatBoost JSON";

/// A model from the text of a CatBoost JSON file, and facts about it that the model itself does not hold.
///
/// # Errors
/// [`Error::Malformed`] with the place in the file; [`Error::Unsupported`] naming what cannot be served: features of
/// text or embeddings, splits on target statistics, a loss whose predictions no link gives, one-hot splits on
/// categories whose names the file lacks; [`Error::TooLarge`] for a symmetric tree of more than 2¹⁶ leaves.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    read_with_categories(bytes, &[])
}

/// As [`read`], with the names of the categories of some columns: (column's name, names in order of their codes).
///
/// A file knows categories by the hashes of their names; the names themselves stand in it only when it was saved with
/// `pool=`. Names that never occurred in training are welcome: they are in no split, as in the library.
///
/// # Errors
/// As [`read`]; [`Error::Unknown`] for a column that is not one of the file's categorical features.
pub fn read_with_categories(bytes: &[u8], categories: &[(String, Vec<String>)]) -> Result<Loaded> {
    let file: File = serde_json::from_slice(bytes).map_err(not_json)?;
    let mut limit = Limit::of(bytes.len());
    let columns = Columns::of(&file.features_info, categories, &limit)?;
    let (scale, bias) = match file.scale_and_bias {
        None => (1.0, OneOrMany::One(0.0)),
        Some((scale, bias)) => (scale, bias),
    };
    if !scale.is_finite() {
        return Err(malformed("scale_and_bias", format!("a scale of {scale}")));
    }
    let n_outputs = match (&file.oblivious_trees, &file.trees) {
        (Some(trees), None) => oblivious::n_outputs(trees)?,
        (None, Some(trees)) => nested::n_outputs(trees)?,
        (Some(_), Some(_)) => return Err(malformed("the top", "both `oblivious_trees` and `trees`".into())),
        (None, None) => return Err(malformed("the top", "neither `oblivious_trees` nor `trees`".into())),
    };
    let base = base(bias, n_outputs)?;
    let loss = Loss::of(&file.model_info, base.len())?;
    let mut builder = TreeBuilder::new(columns.len(), base, loss.link, Comparison::SINGLE_AT_MOST);
    let weighted = match (&file.oblivious_trees, &file.trees) {
        (Some(trees), _) => oblivious::build(trees, scale, &columns, &mut limit, &mut builder)?,
        (None, trees) => {
            nested::build(trees.as_deref().unwrap_or_default(), scale, &columns, &mut limit, &mut builder)?
        }
    };
    let mut facts = vec![("objective".to_owned(), loss.name)];
    if !weighted {
        facts.push(("covers".to_owned(), "not in the file; recompute them from background rows".to_owned()));
    }
    let model = TreeModel::new(builder.finish()?, columns.into_features(), loss.outputs)?;
    Ok(Loaded::new(FileKind::CatboostJson, model, facts))
}

/// The base of every output; a file without trees says by its bias how many outputs there are.
fn base(bias: OneOrMany, n_outputs: Option<usize>) -> Result<Vec<f64>> {
    let base = match (bias, n_outputs) {
        (OneOrMany::Many(bias), _) => bias,
        (OneOrMany::One(bias), Some(1) | None) => vec![bias],
        (OneOrMany::One(0.0), Some(n)) => vec![0.0; n],
        (OneOrMany::One(bias), Some(n)) => {
            return Err(malformed("scale_and_bias", format!("one bias ({bias}) for {n} outputs")));
        }
    };
    match n_outputs {
        Some(n) if n != base.len() => {
            Err(malformed("scale_and_bias", format!("{} biases for {n} outputs", base.len())))
        }
        _ if base.is_empty() => Err(malformed("scale_and_bias", "no output".into())),
        _ => Ok(base),
    }
}

fn malformed(at: impl Into<String>, problem: String) -> Error {
    Error::Malformed { format: FORMAT, at: at.into(), problem }
}

fn not_json(error: serde_json::Error) -> Error {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    malformed(format!("line {}, column {}", error.line(), error.column()), problem.to_owned())
}
