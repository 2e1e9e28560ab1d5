//! The fields of XGBoost's files, in JSON and UBJSON alike.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use xai_core::Result;

#[derive(Deserialize)]
pub(super) struct File {
    pub learner: Learner,
    #[serde(default)]
    pub version: Vec<u32>,
}

#[derive(Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub feature_names: Vec<String>,
    #[serde(default)]
    pub feature_types: Vec<String>,
    pub gradient_booster: Booster,
    pub learner_model_param: LearnerParam,
    pub objective: ObjectiveParam,
}

#[derive(Deserialize)]
pub(super) struct LearnerParam {
    pub base_score: String,
    pub num_class: String,
    pub num_feature: String,
    pub num_target: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ObjectiveParam {
    pub name: String,
    pub quantile_loss_param: Option<QuantileParam>,
}

#[derive(Deserialize)]
pub(super) struct QuantileParam {
    pub quantile_alpha: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Booster {
    pub name: String,
    pub model: Option<Forest>,
    pub gbtree: Option<InnerBooster>,
    pub weight_drop: Option<Vec<Real>>,
}

#[derive(Deserialize)]
pub(super) struct InnerBooster {
    pub model: Option<Forest>,
}

#[derive(Deserialize)]
pub(super) struct Forest {
    #[serde(default)]
    pub trees: Vec<Tree>,
    #[serde(default)]
    pub tree_info: Vec<i64>,
    pub iteration_indptr: Option<Vec<usize>>,
    pub weight_drop: Option<Vec<Real>>,
    pub gbtree_model_param: Option<ForestParam>,
    pub cats: Option<Categories>,
}

#[derive(Deserialize)]
pub(super) struct ForestParam {
    pub num_parallel_tree: Option<String>,
}

/// Every array has an entry for each node, but those of categories.
#[derive(Deserialize)]
pub(super) struct Tree {
    pub left_children: Vec<i32>,
    /// In a leaf of a tree with vector leaves: which of them it is.
    pub right_children: Vec<i32>,
    pub split_indices: Vec<i64>,
    /// Thresholds, and the values of leaves that have one.
    pub split_conditions: Vec<Real>,
    pub default_left: Vec<Flag>,
    /// Covers; XGBoost 2.x does not write them for trees with vector leaves.
    pub sum_hessian: Option<Vec<Real>>,
    /// 1 where the split is by category; absent in old files.
    #[serde(default)]
    pub split_type: Vec<u8>,
    /// The nodes that split by category, …
    #[serde(default)]
    pub categories_nodes: Vec<i64>,
    /// … for each the place in `categories` where its set begins, …
    #[serde(default)]
    pub categories_segments: Vec<i64>,
    /// … and how many it has.
    #[serde(default)]
    pub categories_sizes: Vec<i64>,
    #[serde(default)]
    pub categories: Vec<i64>,
    /// Vector leaves since 3.1, by number of the leaf.
    pub leaf_weights: Option<Vec<Real>>,
    /// Vector leaves until 3.0, by node.
    pub base_weights: Option<Vec<Real>>,
    pub tree_param: Option<TreeParam>,
}

#[derive(Deserialize)]
pub(super) struct TreeParam {
    pub size_leaf_vector: Option<String>,
    pub num_deleted: Option<String>,
}

impl Tree {
    /// The number of values of a leaf.
    pub fn n_values(&self) -> Result<usize> {
        let text = self.tree_param.as_ref().and_then(|param| param.size_leaf_vector.as_deref());
        Ok(usize::try_from(super::whole("size_leaf_vector", text.unwrap_or("1"))?).unwrap_or(usize::MAX).max(1))
    }

    /// The number of nodes that pruning left unreachable.
    pub fn n_deleted(&self) -> Result<u64> {
        super::whole("num_deleted", self.tree_param.as_ref().and_then(|p| p.num_deleted.as_deref()).unwrap_or("0"))
    }
}

/// The categories of the data frame that a model was trained on.
#[derive(Deserialize)]
pub(super) struct Categories {
    #[serde(default)]
    pub enc: Vec<Encoding>,
}

/// The categories of one feature: text cut at `offsets`, or whole numbers of a type.
#[derive(Deserialize)]
pub(super) struct Encoding {
    pub offsets: Option<Vec<usize>>,
    #[serde(default)]
    pub values: Vec<i64>,
    #[serde(rename = "type")]
    pub kind: Option<i64>,
}

/// A number in single precision. XGBoost's JSON has NaN and infinities, which reach this as the texts of `json.rs`.
#[derive(Clone, Copy)]
pub(super) struct Real(pub f32);

/// 0 or 1, or in old files true and false.
#[derive(Clone, Copy)]
pub(super) struct Flag(pub bool);

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct RealVisitor;
        impl Visitor<'_> for RealVisitor {
            type Value = Real;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, x: f64) -> std::result::Result<Real, E> {
                // At most nine digits are written, so rounding them by way of f64 gives the same f32.
                Ok(Real(x as f32))
            }
            fn visit_i64<E>(self, x: i64) -> std::result::Result<Real, E> {
                Ok(Real(x as f32))
            }
            fn visit_u64<E>(self, x: u64) -> std::result::Result<Real, E> {
                Ok(Real(x as f32))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Real, E> {
                super::json::special(text).map(Real).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(RealVisitor)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct FlagVisitor;
        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("0 or 1")
            }
            fn visit_bool<E>(self, x: bool) -> std::result::Result<Flag, E> {
                Ok(Flag(x))
            }
            fn visit_i64<E: de::Error>(self, x: i64) -> std::result::Result<Flag, E> {
                match x {
                    0 | 1 => Ok(Flag(x == 1)),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(x), &self)),
                }
            }
            fn visit_u64<E: de::Error>(self, x: u64) -> std::result::Result<Flag, E> {
                match x {
                    0 | 1 => Ok(Flag(x == 1)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(x), &self)),
                }
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}
