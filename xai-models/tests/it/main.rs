//! Tests of the models: each against its own library, against brute force, and against broken input.

#[cfg(feature = "catboost")]
mod catboost;
mod file;
mod golden;
#[cfg(feature = "lightgbm")]
mod lightgbm;
#[cfg(all(feature = "xgboost", feature = "lightgbm"))]
mod mutation;
mod trees;
#[cfg(feature = "xgboost")]
mod xgboost;
