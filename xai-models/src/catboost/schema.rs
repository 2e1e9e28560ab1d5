//! The parts of the JSON that a model is made of; whatever else a file holds is skipped.

use serde::Deserialize;
use serde::de::IgnoredAny;

#[derive(Deserialize)]
pub(super) struct File {
    pub features_info: FeaturesInfo,
    #[serde(default)]
    pub model_info: ModelInfo,
    pub oblivious_trees: Option<Vec<Oblivious>>,
    pub trees: Option<Vec<Node>>,
    pub scale_and_bias: Option<(f64, OneOrMany)>,
}

#[derive(Deserialize)]
pub(super) struct FeaturesInfo {
    pub float_features: Option<Vec<FloatFeature>>,
    pub categorical_features: Option<Vec<CategoricalFeature>>,
    pub cat_features_hash: Option<Vec<CategoryName>>,
    pub text_features: Option<Vec<IgnoredAny>>,
    pub embedding_features: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
pub(super) struct FloatFeature {
    pub feature_index: usize,
    pub flat_feature_index: usize,
    #[serde(default)]
    pub feature_id: String,
    pub nan_value_treatment: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CategoricalFeature {
    pub feature_index: usize,
    pub flat_feature_index: usize,
    #[serde(default)]
    pub feature_id: String,
    /// The hashes that one-hot splits ask for.
    pub values: Option<Vec<i64>>,
}

/// A category's name and its hash, unsigned here, signed in the splits.
#[derive(Deserialize)]
pub(super) struct CategoryName {
    pub hash: i64,
    pub value: String,
}

#[derive(Deserialize, Default)]
pub(super) struct ModelInfo {
    pub params: Option<Params>,
    pub class_params: Option<ClassParams>,
}

#[derive(Deserialize)]
pub(super) struct Params {
    pub loss_function: Option<LossFunction>,
}

#[derive(Deserialize)]
pub(super) struct LossFunction {
    #[serde(rename = "type")]
    pub name: String,
}

#[derive(Deserialize)]
pub(super) struct ClassParams {
    #[serde(default)]
    pub class_names: Vec<ClassName>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ClassName {
    Text(String),
    Truth(bool),
    Whole(i64),
    Number(f64),
}

/// A symmetric tree: one split a level.
#[derive(Deserialize)]
pub(super) struct Oblivious {
    #[serde(default)]
    pub splits: Option<Vec<Split>>,
    pub leaf_values: Vec<f64>,
    pub leaf_weights: Option<Vec<f64>>,
}

/// A node of a tree that is not symmetric: a leaf has a value, a branch a split and two children.
#[derive(Deserialize)]
pub(super) struct Node {
    pub value: Option<OneOrMany>,
    pub weight: Option<f64>,
    pub split: Option<Split>,
    pub left: Option<Box<Node>>,
    pub right: Option<Box<Node>>,
}

#[derive(Deserialize)]
pub(super) struct Split {
    pub split_type: Option<String>,
    pub float_feature_index: Option<usize>,
    pub border: Option<f64>,
    pub cat_feature_index: Option<usize>,
    pub value: Option<i64>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(f64),
    Many(Vec<f64>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[f64] {
        match self {
            OneOrMany::One(value) => std::slice::from_ref(value),
            OneOrMany::Many(values) => values,
        }
    }
}
