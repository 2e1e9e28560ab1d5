//! Relevance against Captum, zennit and shap.

use ndarray::{ArrayRef3, ArrayRef4, Axis, Slice};
use xai_core::{Attribution, Cells, Explainer, Run, Table};
use xai_local::gradient::Baselines;
use xai_local::relevance::{Deconvolution, DeepLift, DeepShap, GuidedBackpropagation, NonLinearRule};
use xai_models::network::Network;

use crate::networks::{Recorded, assert_same, cases, network};

/// The references computed in f64, the network in f32: rounding alone, of some layers.
const ROUNDED: f64 = 1e-4;

/// Runs a generic test on the networks of the list.
macro_rules! on_networks {
    ($test:ident: $($kind:ty => $($name:literal),+);+) => {{ $($($test::<$kind>($name);)+)+ }};
}
pub(crate) use on_networks;

#[test]
fn networks_score_as_the_references_do() {
    fn check<B: Cells + ?Sized>(name: &str)
    where
        Network<B>: xai_core::Model<Batch = B>,
    {
        let Recorded { network, rows, scores, .. } = network::<B>(name);
        let found = xai_core::Model::predict(&network, std::borrow::Borrow::borrow(&rows)).unwrap();
        let largest = scores.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        assert!((found - scores).iter().all(|gap| gap.abs() <= 1e-5 * largest), "{name}");
    }
    on_networks!(check: Table => "mlp", "smooth", "modern"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn", "residual", "mobile");
}

#[test]
fn deep_lift_matches_the_references() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, baselines, .. } = network::<B>(name);
        let rows = std::borrow::Borrow::borrow(&rows);
        let first = baselines.slice_axis(Axis(0), Slice::from(0..1)).to_owned();
        // Captum is not complete where max pooling lies before other non-linear layers, nor for ReLU6; shap is.
        let captum = !["series", "cnn", "mobile"].contains(&name);
        let mut compared = 0;
        for case in cases(name, "deep-lift") {
            let captums = case.name.starts_with("deep-");
            if case.params["multiply_by_inputs"] == false || (captums && !captum) {
                continue;
            }
            let rule = NonLinearRule::Rescale;
            let one = |baseline| DeepLift { baseline, rule }.explain(&network, rows, &Run::default());
            let many = |baselines| DeepShap { baselines, rule }.explain(&network, rows, &Run::default());
            let whose = if captums && case.name.starts_with("deep-lift") { "baseline" } else { "baselines" };
            let found: Attribution = match case.params[whose].as_str().unwrap() {
                "zero" => one(Baselines::Zero),
                "first" => one(Baselines::Samples(first.clone())),
                _ => many(Baselines::Samples(baselines.clone())),
            }
            .unwrap();
            assert_same(&format!("{name} {}", case.name), &found.values, &case.values, ROUNDED);
            compared += 1;
        }
        assert_eq!(compared, if captum { 6 } else { 3 });
    }
    on_networks!(check: Table => "mlp", "smooth"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn", "residual", "mobile");
}

#[test]
fn guided_passes_match_the_references() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, .. } = network::<B>(name);
        let rows = std::borrow::Borrow::borrow(&rows);
        let mut compared = 0;
        for case in cases(name, "gradients").into_iter().chain(cases(name, "zennit")) {
            let found = match case.name.as_str() {
                "guided-backpropagation" => GuidedBackpropagation.explain(&network, rows, &Run::default()),
                "deconvolution" => Deconvolution.explain(&network, rows, &Run::default()),
                _ => continue,
            };
            assert!(case.layer.is_none());
            assert_same(&format!("{name} {}", case.name), &found.unwrap().values, &case.values, ROUNDED);
            compared += 1;
        }
        assert_eq!(compared, 4);
    }
    on_networks!(check: Table => "mlp"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn", "residual");
}
