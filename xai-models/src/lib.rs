//! Models to explain: tree ensembles and their file loaders, linfa adapters, closures, adaptors, tables.
//!
//! | what | feature | where |
//! |---|---|---|
//! | [`TreeModel`](trees::TreeModel): a predictor faithful to the library that grew the trees | – | `trees/` |
//! | [`load`](file::load): a model from a file, its kind found from the content | – | `file/` |
//! | XGBoost JSON and UBJSON | `xgboost` | `xgboost/` |
//! | LightGBM text | `lightgbm` | `lightgbm/` |
//! | CatBoost JSON | `catboost` | `catboost/` |
//! | ONNX: tree ensembles and networks | `onnx` | `onnx/` |
//! | linfa 0.8 | `linfa` | `linfa/` |
//! | [`Dense`](dense::Dense): a network of dense layers | – | `dense.rs` |
//! | [`Network`](network::Network): convolutions, residual connections and the rest, with gradients | `network` | `network/` |
//! | [`Weights`](weights::Weights): safetensors and PyTorch files | `network` | `weights/` |
//! | images from PNG, JPEG and BMP files | `image` | `image.rs` |
//! | `BurnModel`: burn modules, networks on burn's devices | `burn` | `burn/` |
//! | `Training`: networks that learn | `train` | `train/` |
//! | closures, [`Linear`](linear::Linear) | – | `function.rs`, `linear.rs` |
//! | select outputs, contrast, link, chunk, count, cache | – | `adaptor/` |
//! | typed tables from CSV and Parquet, encoders | `csv`, `parquet` | `table/` |

pub mod adaptor;
#[cfg(feature = "burn")]
pub mod burn;
#[cfg(feature = "catboost")]
pub mod catboost;
pub mod dense;
pub mod file;
pub mod function;
#[cfg(feature = "image")]
pub mod image;
#[cfg(feature = "lightgbm")]
pub mod lightgbm;
pub mod linear;
#[cfg(feature = "linfa")]
pub mod linfa;
#[cfg(feature = "network")]
pub mod network;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod table;
#[cfg(feature = "train")]
pub mod train;
pub mod trees;
#[cfg(feature = "network")]
pub mod weights;
#[cfg(feature = "xgboost")]
pub mod xgboost;

/// The page of the book about burn, whose code runs where burn is there.
#[cfg(all(doctest, feature = "train"))]
#[doc = include_str!("../../docs/src/burn.md")]
mod book {}
