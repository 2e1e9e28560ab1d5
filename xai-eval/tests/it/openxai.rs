//! What OpenXAI's definitions and Captum's sensitivity say of the same explanations, with the same neighbours.

use ndarray::{Array1, Array2, Axis};
use serde_json::Value;
use xai_core::{Attribution, Explainer, Model, Result, Run, Table};
use xai_eval::stability::Relative;
use xai_eval::*;

use crate::golden::{numbers, read, table};
use crate::net::{Gradient, Net, of_cells};
use crate::zoo::{assert_close, attribution};

/// f64 on both sides, some ten operations a number.
const TOLERANCE: f64 = 1e-9;
/// Activations are f32.
const SINGLE: f64 = 1e-5;

fn net(golden: &Value) -> Net {
    let of = &golden["network"];
    let (first, second) = (table(&of["first"]), table(&of["second"]));
    let mut net = Net::new(first.nrows(), first.ncols(), second.ncols(), true);
    (net.first, net.second) = (first, second);
    (net.shift, net.offset) = (Array1::from(numbers(&of["shift"])), Array1::from(numbers(&of["offset"])));
    net
}

#[test]
fn agreement_is_that_of_openxai() {
    let golden = read("openxai");
    let (shares, truth) = (attribution(&table(&golden["values"])), attribution(&table(&golden["truth"])));
    for (k, expected) in golden["agreement"].as_array().unwrap().iter().enumerate() {
        let found = [
            feature_agreement(&shares, &truth, k + 1),
            rank_agreement(&shares, &truth, k + 1),
            sign_agreement(&shares, &truth, k + 1),
            signed_rank_agreement(&shares, &truth, k + 1),
        ];
        for (sample, expected) in expected.as_array().unwrap().iter().enumerate() {
            for (found, expected) in found.iter().zip(numbers(expected)) {
                assert_close(found.as_ref().unwrap().values[[sample, 0]], expected, TOLERANCE);
            }
        }
    }
    let pairs = [
        (rank_correlation(&shares, &truth), "rank_correlation"),
        (pairwise_rank_agreement(&shares, &truth), "pairwise_rank_agreement"),
    ];
    for (found, name) in pairs {
        for (sample, expected) in numbers(&golden[name]).into_iter().enumerate() {
            assert_close(found.as_ref().unwrap().values[[sample, 0]], expected, TOLERANCE);
        }
    }
}

#[test]
fn relative_stability_is_that_of_openxai() {
    let golden = read("openxai");
    let (net, rows, product) = (net(&golden), table(&golden["rows"]), Gradient { times_input: true });
    let shares = product.explain(&net, &rows, &Run::default()).unwrap();
    let case = Case::new(&net, &*rows).with_explainer(&product);
    let noise = Noise::Offsets(table(&golden["offsets"]));
    let near = Neighbourhood { noise, same_prediction: true, ..Neighbourhood::default() };
    let all = Neighbourhood { same_prediction: false, ..near.clone() };
    let relative = Relative::Norms;
    let decided = numbers(&golden["decided"]);
    let stability = &golden["stability"];
    let layer = Some("hidden".into());
    let metrics: [(&dyn Metric<Net>, &Value, f64); 4] = [
        (&RelativeInputStability { neighbourhood: near.clone(), relative }, &stability["input"], TOLERANCE),
        (&RelativeOutputStability { neighbourhood: near.clone(), relative }, &stability["output"], TOLERANCE),
        (
            &RelativeRepresentationStability { neighbourhood: near, layer, relative },
            &stability["representation"],
            SINGLE,
        ),
        (&MaxSensitivity { neighbourhood: all }, &golden["captum_max_sensitivity"], TOLERANCE),
    ];
    assert!(numbers(&golden["neighbours"]).iter().any(|n| *n < 6.0), "no neighbour is left out");
    for (metric, expected, tolerance) in metrics {
        let found = metric.measure(&case, &shares, &Run::default()).unwrap();
        for (sample, expected) in numbers(expected).into_iter().enumerate() {
            assert_close(found.values[[sample, decided[sample] as usize]] / expected, 1.0, tolerance);
        }
    }
}

/// The first output alone.
struct First(Net);

impl Model for First {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(self.0.predict(batch)?.select(Axis(1), &[0]))
    }
}

#[test]
fn prediction_gaps_are_those_of_openxai() {
    const DRAWS: usize = 4000;
    // |f(x) − f(x')| of a nearly linear model spreads by 0.76 of its mean; five standard errors, and those of the file.
    const SPREAD: f64 = 5.0 * 0.8;
    let golden = read("openxai");
    let (model, rows) = (First(net(&golden)), table(&golden["rows"]));
    let values = table(&golden["values_of_first"]).insert_axis(Axis(2));
    let shares: Attribution = of_cells(&model, &*rows, values, &Run::default()).unwrap();
    let case = Case::new(&model, &*rows);
    let (means, errors) = (table(&golden["gaps"]["means"]), table(&golden["gaps"]["errors"]));
    let important = PredictionGap { k: Some(2), sd: 0.1, n_draws: DRAWS, ..PredictionGap::important() };
    let unimportant = PredictionGap { unimportant: true, ..important.clone() };
    let over = |metric: &PredictionGap| PredictionGap { k: Some(3), area: true, ..metric.clone() };
    for (place, metric) in
        [important.clone(), over(&important), unimportant.clone(), over(&unimportant)].iter().enumerate()
    {
        let found = metric.measure(&case, &shares, &Run::default()).unwrap();
        for sample in 0..rows.nrows() {
            let expected = means[[sample, place]];
            let near = SPREAD * expected / (DRAWS as f64).sqrt() + 5.0 * errors[[sample, place]];
            assert_close(found.values[[sample, 0]], expected, near);
        }
    }
}
