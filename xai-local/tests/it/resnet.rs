//! Relevance of a trained ResNet-20 against zennit and Captum, where the shared data with its weights is there.

use std::path::PathBuf;

use ndarray::{Array3, Array4, ArrayRef4};
use xai_core::{Cells, Explainer, Run};
use xai_local::gradient::Saliency;
use xai_local::relevance::DeepLift;
use xai_models::adaptor::Select;
use xai_models::network::description;

use crate::networks::{assert_same, resnet};

/// The references computed in f64, the network in f32: rounding through twenty layers.
const ROUNDED: f64 = 1e-4;

#[test]
fn a_trained_resnet_is_explained_as_by_the_references() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let weights = here.join("../../shared/data/models/resnet20-cifar10.th");
    if !weights.exists() {
        println!("skipped: no shared data");
        return;
    }
    let path = here.join("../docs/src/networks/resnet20-cifar10.json");
    let network = description::read(&path, Some(&weights)).unwrap().images().unwrap().network;
    let (image, output, cases) = resnet();
    let model = Select::new(network, &[output]).unwrap();
    let image: Array4<f32> = ArrayRef4::<f32>::of_cells(image).unwrap();
    let mut compared = 0;
    for case in cases {
        let found = match case.name.as_str() {
            "gradient" => Saliency { absolute: false }.explain(&model, &image, &Run::default()),
            "deep-lift-zero" => DeepLift::default().explain(&model, &image, &Run::default()),
            #[cfg(feature = "lrp")]
            name => {
                use xai_local::relevance::{Bounds, Composite, Lrp, Start};
                let composite = match name {
                    "epsilon-gamma-box" => Composite::epsilon_gamma_box(Bounds::all(-2.5, 2.5)),
                    name => Composite::named(name).unwrap(),
                };
                Lrp { composite, start: Start::Score }.explain(&model, &image, &Run::default())
            }
            #[cfg(not(feature = "lrp"))]
            _ => continue,
        };
        let values: Array3<f64> = found.unwrap().values;
        // The ε rule divides by sums of terms of both signs, some near zero. What rounding does with that on these weights
        // is recorded: how far zennit in f32 is from zennit in f64, 6.4e-4 for ε everywhere and 6e-6 at most elsewhere.
        let rounding = case.params["rounding"].as_f64().unwrap_or(0.0);
        let tolerance = rounding.max(ROUNDED);
        assert_same(&case.name, &values, &case.values, tolerance);
        compared += 1;
    }
    assert_eq!(compared, if cfg!(feature = "lrp") { 7 } else { 2 });
}
