//! Tests of the models: each against its own library, against brute force, and against broken input.

mod adaptor;
#[cfg(feature = "network")]
mod adaptor_layers;
#[cfg(feature = "burn")]
mod burn;
#[cfg(feature = "catboost")]
mod catboost;
mod cover;
mod dense;
mod file;
mod golden;
#[cfg(feature = "lightgbm")]
mod lightgbm;
mod linear;
#[cfg(feature = "linfa")]
mod linfa;
#[cfg(all(feature = "xgboost", feature = "lightgbm"))]
mod mutation;
#[cfg(feature = "network")]
mod network;
#[cfg(feature = "network")]
mod network_files;
#[cfg(feature = "onnx")]
mod onnx;
mod table;
#[cfg(feature = "train")]
mod train;
mod trees;
#[cfg(feature = "xgboost")]
mod xgboost;
