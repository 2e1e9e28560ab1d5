//! Networks from files, against the libraries that wrote them.

mod description;
#[cfg(feature = "image")]
mod images;
mod kinds;
mod mutation;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "onnx-any")]
mod opaque;
mod shared;
mod weights;

use std::path::PathBuf;

use ndarray::{Array2, Array3, Array4};
use serde_json::Value;
use xai_core::{Model, Result};
use xai_models::network::AnyNetwork;

use crate::golden::{Case, case, gap};

/// The folder of the recorded files.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tools/reference/golden/network-files")
}

/// A recorded file.
fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn golden(name: &str) -> Case {
    case("network-files", name)
}

/// What a network says of samples whose cells lie one after another.
fn scores(network: &AnyNetwork, cells: &[f32]) -> Result<Array2<f64>> {
    match network {
        AnyNetwork::Table(loaded) => {
            let width = loaded.network.input_shape()[0];
            let cells = cells.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            loaded.network.predict(&Array2::from_shape_vec((cells.len() / width, width), cells).unwrap())
        }
        AnyNetwork::Series(loaded) => {
            let &[channels, steps] = loaded.network.input_shape() else { panic!("two axes") };
            let shape = (cells.len() / (channels * steps), channels, steps);
            loaded.network.predict(&Array3::from_shape_vec(shape, cells.to_vec()).unwrap())
        }
        AnyNetwork::Images(loaded) => {
            let &[channels, rows, columns] = loaded.network.input_shape() else { panic!("three axes") };
            let shape = (cells.len() / (channels * rows * columns), channels, rows, columns);
            loaded.network.predict(&Array4::from_shape_vec(shape, cells.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// The largest difference between a network's scores and the recorded ones under `key`.
fn difference(network: &AnyNetwork, case: &Case, key: &str) -> f64 {
    gap(&scores(network, &floats(&case.body["inputs"])).unwrap(), &case.table(key))
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}
