//! What Quantus says of the same explanations, with the same neighbours.

use std::path::Path;
use std::sync::Mutex;

use ndarray::{Array1, Array2, Array3, Array4, ArrayD, ArrayRef2, ArrayRef4, ArrayViewMutD, Axis};
use serde_json::Value;
use xai_core::{Attribution, Batch, Differentiable, Explainer, Model, Parametric, Result, Run, Table};
use xai_eval::complexity::{Entropy, Sparseness};
use xai_eval::localisation::{Signs, quadrants};
use xai_eval::randomisation::{LayerOrder, Similarity};
use xai_eval::stability::{Code, Relative};
use xai_eval::*;

use crate::net::{Gradient, Net, of_cells};
use crate::zoo::{Baseline, assert_close, attribution};

/// Sums of 36 numbers and their ranks, in f64 on both sides; Quantus adds 1e-9 to some divisors and 1e-12 in logarithms.
const TOLERANCE: f64 = 1e-8;
/// Activations are f32.
const SINGLE: f64 = 1e-5;

struct Golden {
    json: Value,
    net: Net,
    x: Array2<f64>,
    y: Vec<usize>,
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        Value::Bool(yes) => vec![f64::from(u8::from(*yes))],
        other => vec![other.as_f64().unwrap_or(f64::NAN)],
    }
}

fn table(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap().len();
    let flat = numbers(value);
    Array2::from_shape_vec((rows, flat.len() / rows), flat).unwrap()
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/reference/golden/evaluation/stability.json");
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (first, second) = (table(&json["hidden_weight"]), table(&json["scores_weight"]));
    let mut net = Net::new(first.ncols(), first.nrows(), second.nrows(), true);
    (net.first, net.second) = (first.reversed_axes(), second.reversed_axes());
    net.shift = Array1::from(numbers(&json["hidden_bias"]));
    net.offset = Array1::from(numbers(&json["scores_bias"]));
    let (x, y) = (table(&json["x"]), numbers(&json["y"]).into_iter().map(|y| y as usize).collect());
    Golden { json, net, x, y }
}

impl Golden {
    /// The numbers of one sample each.
    fn of(&self, family: &str, name: &str) -> Vec<f64> {
        numbers(&self.json[family][name])
    }

    /// Compares the values for the output that was explained.
    fn check(&self, found: &Measurement, expected: &[f64], tolerance: f64) {
        assert_eq!(expected.len(), self.y.len(), "{}", found.metric);
        for (sample, expected) in expected.iter().enumerate() {
            let found = found.values[[sample, if found.values.ncols() == 1 { 0 } else { self.y[sample] }]];
            if !expected.is_nan() {
                assert_close(found / expected.abs().max(1.0), expected / expected.abs().max(1.0), tolerance);
            }
        }
    }
}

fn run<M: Model>(metric: &dyn Metric<M>, case: &Case<M>, shares: &Attribution) -> Measurement {
    metric.measure(case, shares, &Run::default()).unwrap()
}

#[test]
fn complexity_is_that_of_quantus() {
    let golden = golden();
    let values = table(&golden.json["values"]);
    let (model, shares) = (crate::zoo::Function::new(1, |_| vec![0.0]), attribution(&values));
    let case = Case::new(&model, &*golden.x);
    golden.check(&run(&Sparseness, &case, &shares), &golden.of("complexity", "sparseness"), TOLERANCE);
    golden.check(&run(&Entropy, &case, &shares), &golden.of("complexity", "entropy"), TOLERANCE);
    let effective = EffectiveComplexity { threshold: 0.2 };
    golden.check(&run(&effective, &case, &shares), &golden.of("complexity", "effective_complexity"), 0.0);
}

#[test]
fn localisation_is_that_of_quantus() {
    let golden = golden();
    let values = table(&golden.json["values"]);
    let (model, shares) = (crate::zoo::Function::new(1, |_| vec![0.0]), attribution(&values));
    let masks = table(&golden.json["masks"]).mapv(|cell| cell == 1.0);
    let case = Case::new(&model, &*golden.x).with_masks(&masks);
    let signs = Signs::Absolute;
    let top = TopKIntersection { k: Some(7), ..TopKIntersection::default() };
    let metrics: [(&str, &dyn Metric<_>); 9] = [
        ("pointing_game", &PointingGame::default()),
        ("attribution_localisation", &AttributionLocalisation::default()),
        ("top_k_7", &top),
        ("top_k_7_influence", &TopKIntersection { concept_influence: true, ..top }),
        ("rank_accuracy", &RelevanceRankAccuracy::default()),
        ("rank_accuracy_absolute", &RelevanceRankAccuracy { signs }),
        ("mass_accuracy_absolute", &RelevanceMassAccuracy { signs }),
        ("auc", &Auc::default()),
        ("auc_absolute", &Auc { signs }),
    ];
    for (name, metric) in metrics {
        golden.check(&run(metric, &case, &shares), &golden.of("localisation", name), TOLERANCE);
    }
    let shown: Vec<[bool; 4]> =
        table(&golden.json["quadrants"]).outer_iter().map(|row| std::array::from_fn(|i| row[i] == 1.0)).collect();
    let masks = quadrants([1, 6, 6], &shown).unwrap();
    let case = Case::new(&model, &*golden.x).with_masks(&masks);
    golden.check(&run(&Focus, &case, &shares), &golden.of("localisation", "focus"), TOLERANCE);
}

#[test]
fn stability_is_that_of_quantus() {
    let golden = golden();
    let product = Gradient { times_input: true };
    let shares = product.explain(&golden.net, &golden.x, &Run::default()).unwrap();
    // The explanations themselves first.
    let recorded = table(&golden.json["values"]);
    for ((sample, cell), expected) in recorded.indexed_iter() {
        assert_close(shares.values[[sample, cell, golden.y[sample]]], *expected, TOLERANCE);
    }
    let case = Case::new(&golden.net, &*golden.x).with_explainer(&product);
    let relative = Relative::Cells;
    let noise = Noise::Offsets(table(&golden.json["offsets"]));
    let all = Neighbourhood { noise, ..Neighbourhood::default() };
    let kept = Neighbourhood { same_prediction: true, ..all.clone() };
    let metrics: [(&str, &dyn Metric<Net>, f64); 7] = [
        ("max_sensitivity", &MaxSensitivity { neighbourhood: all.clone() }, TOLERANCE),
        ("avg_sensitivity", &AvgSensitivity { neighbourhood: all.clone() }, TOLERANCE),
        ("local_lipschitz", &LocalLipschitz { neighbourhood: all.clone() }, TOLERANCE),
        ("relative_input_stability", &RelativeInputStability { neighbourhood: all.clone(), relative }, TOLERANCE),
        // Where a neighbour has another prediction Quantus says NaN for the sample, which is left out here.
        ("relative_input_stability_kept", &RelativeInputStability { neighbourhood: kept, relative }, TOLERANCE),
        ("relative_output_stability", &RelativeOutputStability { neighbourhood: all.clone(), relative }, SINGLE),
        (
            "relative_representation_stability",
            &RelativeRepresentationStability { neighbourhood: all, layer: Some("sums".into()), relative },
            SINGLE,
        ),
    ];
    for (name, metric, tolerance) in metrics {
        let expected = golden.of("stability", name);
        assert!(expected.iter().filter(|value| !value.is_nan()).count() >= 3, "{name} tells nothing");
        golden.check(&run(metric, &case, &shares), &expected, tolerance);
    }
}

/// The network on pictures (sample, 1, 6, 6).
struct Pictures(Net);

fn flat(batch: &ArrayRef4<f64>) -> Array2<f64> {
    Array2::from_shape_vec((batch.n_samples(), 36), batch.iter().copied().collect()).unwrap()
}

impl Model for Pictures {
    type Batch = ArrayRef4<f64>;
    fn n_outputs(&self) -> usize {
        self.0.n_outputs()
    }
    fn predict(&self, batch: &ArrayRef4<f64>) -> Result<Array2<f64>> {
        self.0.predict(&flat(batch))
    }
}

impl Differentiable for Pictures {
    fn vjp(&self, batch: &ArrayRef4<f64>, weights: &ArrayRef2<f64>) -> Result<Array4<f64>> {
        let slopes = self.0.vjp(&flat(batch), weights)?;
        Ok(Array4::from_shape_vec(batch.dim(), slopes.iter().copied().collect()).unwrap())
    }
}

#[test]
fn continuity_is_that_of_quantus() {
    let golden = golden();
    let pictures = Array4::from_shape_vec((golden.x.nrows(), 1, 6, 6), golden.x.iter().copied().collect()).unwrap();
    let (model, product) = (Pictures(golden.net.clone()), Gradient { times_input: true });
    let shares = product.explain(&model, &pictures, &Run::default()).unwrap();
    let case = Case::new(&model, &*pictures).with_explainer(&product);
    // Shifts of −4, −2, 2, 4 and, all black, 6.
    let found = run(&Continuity { step: 2, furthest: Some(6) }, &case, &shares);
    golden.check(&found, &golden.of("stability", "continuity"), TOLERANCE);
}

#[test]
fn consistency_is_that_of_quantus() {
    let golden = golden();
    let values = table(&golden.json["stability"]["consistency_shares"]);
    let scores = golden.net.predict(&golden.x).unwrap();
    let outputs = scores.ncols();
    let mut shares = attribution(&values);
    shares.outputs = xai_core::Output::unnamed(outputs);
    shares.values = Array3::from_shape_fn((values.nrows(), 36, outputs), |(i, j, _)| values[[i, j]]);
    (shares.base, shares.scores) = (Array2::zeros(scores.dim()), scores);
    let case = Case::new(&golden.net, &*golden.x);
    for (name, code) in [("signs", Code::Signs), ("rounded_0", Code::Rounded(0))] {
        let expected = golden.of("stability", &format!("consistency_{name}"));
        let found = run(&Consistency { code }, &case, &shares);
        assert_eq!(found.n_undefined(), 0);
        golden.check(&found, &expected, TOLERANCE);
    }
}

#[test]
fn non_sensitivity_is_that_of_quantus() {
    let golden = golden();
    let values = table(&golden.json["axioms"]["non_sensitivity_shares"]);
    let mut shares = Gradient { times_input: true }.explain(&golden.net, &golden.x, &Run::default()).unwrap();
    shares.values = Array3::from_shape_fn(shares.values.dim(), |(i, j, _)| values[[i, j]]);
    let masker = Baseline(Array1::zeros(36));
    let case = Case::new(&golden.net, &*golden.x).with_masker(&masker);
    golden.check(&run(&NonSensitivity::default(), &case, &shares), &golden.of("axioms", "non_sensitivity"), 0.0);
}

#[test]
fn random_logits_are_those_of_quantus() {
    let golden = golden();
    let mut shares = Gradient { times_input: true }.explain(&golden.net, &golden.x, &Run::default()).unwrap();
    // The first two outputs: each has one other, so nothing is left to chance.
    let two = |x: &Array2<f64>| Array2::from_shape_fn((x.nrows(), 2), |(i, k)| x[[i, k]]);
    shares.outputs.truncate(2);
    shares.values = shares.values.slice_axis(Axis(2), ndarray::Slice::from(0..2)).to_owned();
    (shares.scores, shares.base) = (two(&shares.scores), two(&shares.base));
    let model = crate::zoo::Function::new(2, |_| vec![0.0, 0.0]);
    let found = run(&RandomLogit::default(), &Case::new(&model, &*golden.x), &shares);
    let expected = golden.of("randomisation", "random_logit");
    for (sample, expected) in expected.into_iter().enumerate() {
        assert_close(found.values[[sample, golden.y[sample] % 2]], expected, TOLERANCE);
    }
}

/// A model that knows which of its two layers are random.
#[derive(Clone)]
struct Marked([f64; 2]);

impl Model for Marked {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(Array2::zeros((batch.nrows(), 1)))
    }
}

impl Parametric for Marked {
    fn parameter_layers(&self) -> Vec<String> {
        vec!["hidden".into(), "scores".into()]
    }
    fn with_parameters(&self, change: &mut dyn FnMut(usize, &str, ArrayViewMutD<f64>)) -> Result<Self> {
        let mut marks = self.0;
        for (layer, mark) in marks.iter_mut().enumerate() {
            let mut array = ArrayD::from_elem(vec![1, 1], *mark);
            change(layer, "weight", array.view_mut());
            *mark = array[[0, 0]];
        }
        Ok(Marked(marks))
    }
}

/// The explanations that Quantus saw, by how many layers are random.
struct Recorded(Vec<Array2<f64>>, Mutex<Vec<usize>>);

impl Explainer<Marked> for Recorded {
    type Explanation = Attribution;
    fn explain(&self, model: &Marked, batch: &Table, run: &Run) -> Result<Attribution> {
        let random = model.0.iter().filter(|mark| **mark != 5.0).count();
        self.1.lock().unwrap().push(random);
        let values = &self.0[random - 1];
        of_cells(model, batch, values.clone().insert_axis(Axis(2)), run)
    }
}

#[test]
fn mprt_is_that_of_quantus() {
    let golden = golden();
    let shares = attribution(&table(&golden.json["values"]));
    let model = Marked([5.0, 5.0]);
    for (name, order) in [("mprt_top_down", LayerOrder::TopDown), ("mprt_bottom_up", LayerOrder::BottomUp)] {
        let case = &golden.json["randomisation"][name];
        let shown = case["shares"].as_array().unwrap().iter().map(table).collect();
        let recorded = Recorded(shown, Mutex::new(Vec::new()));
        let of = Case::new(&model, &*golden.x).with_explainer(&recorded);
        let found = Mprt { order, ..Mprt::default() }.similarities(&of, &shares, &Run::default()).unwrap();
        let layers: Vec<&str> = case["layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(found.layers, layers);
        for (layer, expected) in case["scores"].as_array().unwrap().iter().enumerate() {
            for (sample, expected) in numbers(expected).into_iter().enumerate() {
                assert_close(found.values[[layer, sample, 0]], expected, TOLERANCE);
            }
        }
        assert_eq!(*recorded.1.lock().unwrap(), [1, 2]);
    }
    let case = &golden.json["randomisation"]["efficient_mprt"];
    let shown = table(&case["shares"]);
    let recorded = Recorded(vec![shown.clone(), shown], Mutex::new(Vec::new()));
    let of = Case::new(&model, &*golden.x).with_explainer(&recorded);
    let metric = EfficientMprt { n_bins: 10, ..EfficientMprt::default() };
    golden.check(&run(&metric, &of, &shares), &numbers(&case["scores"]), TOLERANCE);
}

#[test]
fn structural_similarity_is_that_of_scikit_image() {
    for case in golden().json["ssim"].as_array().unwrap() {
        let shape: Vec<usize> = numbers(&case["shape"]).into_iter().map(|axis| axis as usize).collect();
        let of = |name: &str| {
            let values = numbers(&case[name]);
            let mut shares = attribution(&Array2::from_shape_vec((1, values.len()), values).unwrap());
            shares.shape = Some(shape.clone());
            shares
        };
        let (a, b) = (of("a"), of("b"));
        let found = label_randomisation(&a, &b, Similarity::Ssim, false).unwrap().values[[0, 0]];
        assert_close(found, case["value"].as_f64().unwrap(), 1e-12);
        assert_close(label_randomisation(&a, &a, Similarity::Ssim, true).unwrap().values[[0, 0]], 1.0, 1e-14);
        let mut bare = a.clone();
        bare.shape = None;
        let none = label_randomisation(&bare, &b, Similarity::Ssim, false).unwrap();
        assert_eq!((none.mean, none.failures[0].cells.len()), (None, 1));
    }
}
