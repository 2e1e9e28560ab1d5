//! The networks of the shared data, where it is there.

use std::path::PathBuf;

use ndarray::Array4;
use xai_core::Model;
use xai_models::network::{LoadedNetwork, description};

use super::golden;
use crate::golden::gap;

/// The folder of the shared data, if it is there.
fn data() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !folder.exists() {
        println!("skipped: no shared data");
    }
    Some(folder).filter(|folder| folder.exists())
}

/// The pixels, from 0 to 255, of which the recorded outputs are.
fn pixels(shape: (usize, usize, usize, usize)) -> Array4<f32> {
    let n = shape.0 * shape.1 * shape.2 * shape.3;
    let pixels = (0..n).map(|i| ((i * 37 + i / 7 * 11) % 256) as f32).collect();
    Array4::from_shape_vec(shape, pixels).unwrap()
}

fn resnet(data: &std::path::Path) -> LoadedNetwork<ndarray::ArrayRef4<f32>> {
    let text = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/src/networks/resnet20-cifar10.json");
    let weights = data.join("models/resnet20-cifar10.th");
    description::read(&text, Some(&weights)).unwrap_or_else(|error| panic!("{error}")).images().unwrap()
}

#[test]
fn resnet_20_scores_as_in_pytorch() {
    let Some(data) = data() else { return };
    let resnet = resnet(&data);
    let mut batch = pixels((4, 3, 32, 32));
    batch.indexed_iter_mut().for_each(|((_, channel, ..), x)| *x = resnet.preparation.cell(channel, *x / 255.0));
    let case = golden("shared");
    let difference = gap(&resnet.network.predict(&batch).unwrap(), &case.table("resnet_outputs"));
    assert!(difference <= case.tolerance("output"), "{difference:e}");
    assert_eq!(resnet.facts.iter().find(|(name, _)| name == "parameters").unwrap().1, "269722");
}

#[test]
#[cfg(feature = "onnx")]
fn mnist_cnn_scores_as_in_onnxruntime() {
    use xai_models::file::{AnyModel, open};
    let Some(data) = data() else { return };
    let Ok(AnyModel::Network(network)) = open(&data.join("models/mnist-cnn.onnx")) else { panic!("a network") };
    let scores = network.images().unwrap().network.predict(&pixels((4, 1, 28, 28))).unwrap();
    let case = golden("shared");
    let difference = gap(&scores, &case.table("mnist_outputs"));
    assert!(difference <= case.tolerance("output"), "{difference:e}");
}

/// The JPEG files are small and much compressed, so that PyTorch itself is right on 82 of the 100 only, where it is right
/// on 91.8 % of the uncompressed test images. Three of each class are asked here. Decoders of JPEG differ by one step of a
/// pixel here and there.
#[test]
#[cfg(feature = "image")]
fn resnet_20_is_as_right_as_in_pytorch() {
    const DIFFERENT: usize = 1;
    const ASKED: usize = 3;
    let Some(data) = data() else { return };
    let resnet = resnet(&data);
    let case = golden("shared");
    let classes: Vec<&str> =
        case.body["classes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(resnet.network.outputs().iter().map(|output| output.name.as_str()).eq(classes.iter().copied()));
    let (mut right, mut expected, mut different) = (0, 0, 0_usize);
    for (class, name) in classes.iter().enumerate() {
        let paths: Vec<PathBuf> = (0..ASKED).map(|i| data.join(format!("images/cifar10/{name}/{i:04}.jpg"))).collect();
        let fit = xai_models::image::Fit::Exact;
        let batch = xai_models::image::read(&paths, [3, 32, 32], fit, &resnet.preparation).unwrap();
        for (at, row) in resnet.network.predict(&batch).unwrap().rows().into_iter().enumerate() {
            let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
            let recorded = case.body["resnet_predicted"][class][at].as_u64().unwrap() as usize;
            right += usize::from(best == class);
            expected += usize::from(recorded == class);
            different += usize::from(recorded != best);
        }
    }
    println!("{right} right of {}, PyTorch {expected}", ASKED * classes.len());
    assert!(
        usize::abs_diff(right, expected) <= DIFFERENT && different <= DIFFERENT,
        "{right} right, {different} different"
    );
}
