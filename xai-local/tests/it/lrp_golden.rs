//! Rules and composites against zennit and Captum.

use ndarray::{ArrayRef3, ArrayRef4};
use xai_core::{Cells, Explainer, LayerKind, Run, Table};
use xai_local::relevance::{Bounds, Composite, Lrp, Rule, Start, Which};

use crate::networks::{Recorded, assert_same, cases, network};
use crate::relevance_golden::on_networks;

/// The references computed in f64, the network in f32: rounding alone, of some layers.
const ROUNDED: f64 = 1e-4;

/// What zennit's case of this name is called here.
fn of_zennit(name: &str) -> Option<Composite> {
    let first = |rule| {
        Composite::everywhere(Rule::EPSILON).first(Which::First(vec![LayerKind::Linear, LayerKind::Convolution]), rule)
    };
    let bounds = Bounds::all(-4.5, 4.5);
    Some(match name {
        // zennit's norm keeps the bias in the denominator: it is epsilon.
        "epsilon" | "norm" => Composite::named("epsilon").unwrap(),
        "epsilon-0.25" => Composite::everywhere(Rule::Epsilon { epsilon: 0.25 }),
        "gamma" => Composite::everywhere(Rule::Gamma { gamma: 0.25 }),
        "z-plus" => Composite::everywhere(Rule::ZPlus),
        "alpha2-beta1" => Composite::everywhere(Rule::AlphaBeta { alpha: 2.0, beta: 1.0 }),
        "alpha1-beta0" => Composite::everywhere(Rule::AlphaBeta { alpha: 1.0, beta: 0.0 }),
        "first-z-box" => first(Rule::ZBox(bounds)),
        "first-w-square" => first(Rule::WSquare),
        "first-flat" => first(Rule::Flat),
        "w-square" => Composite::everywhere(Rule::WSquare),
        "flat" => Composite::everywhere(Rule::Flat),
        "epsilon-gamma-box" => Composite::epsilon_gamma_box(bounds),
        "excitation-backprop" => Composite::excitation(),
        "deconvolution" | "guided-backpropagation" => return None,
        name => Composite::named(name).unwrap(),
    })
}

#[test]
fn rules_match_zennit() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, .. } = network::<B>(name);
        let rows = std::borrow::Borrow::borrow(&rows);
        let mut compared = 0;
        for case in cases(name, "zennit") {
            let Some(composite) = of_zennit(&case.name) else { continue };
            let start = if case.name == "excitation-backprop" { Start::One } else { Start::Score };
            let found = Lrp { composite, start }.explain(&network, rows, &Run::default()).unwrap();
            assert_same(&format!("{name} {}", case.name), &found.values, &case.values, ROUNDED);
            compared += 1;
        }
        assert_eq!(compared, if ["smooth", "mobile"].contains(&name) { 17 } else { 18 });
    }
    on_networks!(check: Table => "mlp", "smooth"; ArrayRef3<f32> => "series"; ArrayRef4<f32> => "cnn", "residual", "mobile");
}

#[test]
fn rules_match_captum() {
    fn check<B: Cells + ?Sized>(name: &str) {
        let Recorded { network, rows, .. } = network::<B>(name);
        let rows = std::borrow::Borrow::borrow(&rows);
        let mut compared = 0;
        for case in cases(name, "captum-lrp") {
            // Captum leaves biases out of its other rules: the golden says so.
            if !["epsilon", "default"].contains(&case.name.as_str()) {
                continue;
            }
            // Captum's stabiliser is smaller, and it has one for additions and pooling too.
            let epsilon = || Rule::Epsilon { epsilon: case.params["epsilon"].as_f64().unwrap() as f32 };
            let kinds = Which::Kinds(vec![LayerKind::Add, LayerKind::AveragePool]);
            let composite = Composite::everywhere(epsilon()).then(kinds, epsilon());
            let found = Lrp { composite, start: Start::Score }.explain(&network, rows, &Run::default()).unwrap();
            assert_same(&format!("{name} {}", case.name), &found.values, &case.values, ROUNDED);
            compared += 1;
        }
        assert_eq!(compared, 2);
    }
    on_networks!(check: Table => "mlp"; ArrayRef4<f32> => "cnn", "residual");
}
