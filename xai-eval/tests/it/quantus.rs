//! Quantus 0.6 and Captum 0.9 on the same network, samples, explanations and draws.

use ndarray::{Array2, Array3, Array4};
use serde_json::Value;
use xai_core::{Attribution, Masker, Model, Output, Run};
use xai_eval::*;

use crate::golden::{Network, Zero, numbers, read, table};
use crate::zoo::{assert_close, attribution};

/// Correlations of some hundred numbers in double precision.
const GOLDEN: f64 = 1e-9;
const SIDE: usize = 6;
const CELLS: usize = SIDE * SIDE;

struct Setting {
    golden: Value,
    network: Network,
    images: Array4<f64>,
    /// The output that Quantus was asked about.
    labels: Vec<usize>,
}

impl Setting {
    fn read() -> Self {
        let golden = read("faithfulness");
        let rows = table(&golden["rows"]);
        let images = rows.to_shape((rows.nrows(), 1, SIDE, SIDE)).unwrap().to_owned();
        let labels = numbers(&golden["labels"]).into_iter().map(|label| label as usize).collect();
        Setting { network: Network::read(&golden), images, labels, golden }
    }

    /// The attribution of all outputs by these values (sample, cell).
    fn shares(&self, values: &Array2<f64>) -> Attribution {
        let (n, p) = values.dim();
        let mut shares = attribution(values);
        shares.outputs = Output::unnamed(self.network.n_outputs());
        shares.values = Array3::from_shape_fn((n, p, shares.outputs.len()), |(i, j, _)| values[[i, j]]);
        shares.scores = self.network.predict(&self.images).unwrap();
        shares.base = Array2::zeros(shares.scores.dim());
        shares
    }

    fn given(&self) -> Attribution {
        self.shares(&table(&self.golden["attributions"]))
    }

    /// The values of a metric for the outputs that Quantus was asked about.
    fn measure(&self, metric: &dyn Metric<Network>, masker: &Zero, shares: &Attribution) -> Vec<f64> {
        let case = Case::new(&self.network, &*self.images).with_masker(masker);
        let found = metric.measure(&case, shares, &Run::default()).unwrap().values;
        (0..found.nrows()).map(|i| found[[i, self.labels[i].min(found.ncols() - 1)]]).collect()
    }

    fn assert(&self, metric: &dyn Metric<Network>, golden: &Value) {
        let found = self.measure(metric, &Zero((0..CELLS).collect()), &self.given());
        let expected = numbers(golden);
        assert_eq!(found.len(), expected.len());
        found.iter().zip(&expected).for_each(|(found, expected)| assert_close(*found, *expected, GOLDEN));
    }
}

#[test]
fn quantus_network_is_ours() {
    let setting = Setting::read();
    let found = setting.network.predict(&setting.images).unwrap();
    found.iter().zip(&table(&setting.golden["scores"])).for_each(|(f, e)| assert_close(*f, *e, 1e-12));
}

/// All 630 pairs of cells.
#[test]
fn quantus_faithfulness_correlation() {
    let setting = Setting::read();
    let metric = FaithfulnessCorrelation { subset_size: Some(2), n_subsets: 630 };
    setting.assert(&metric, &setting.golden["quantus"]["faithfulness_correlation_2"]);
}

#[test]
fn quantus_faithfulness_estimate() {
    let setting = Setting::read();
    for step in [1, 3] {
        let golden = &setting.golden["quantus"][format!("faithfulness_estimate_{step}")];
        setting.assert(&FaithfulnessEstimate { step }, golden);
    }
}

#[test]
fn quantus_monotonicity_correlation() {
    let setting = Setting::read();
    for step in [1, 3] {
        let golden = &setting.golden["quantus"][format!("monotonicity_correlation_{step}")];
        setting.assert(&MonotonicityCorrelation { step }, golden);
    }
}

/// Quantus's curve starts after the first step.
fn assert_curves(setting: &Setting, found: &Array3<f64>, golden: &Value) {
    let expected = table(golden);
    for i in 0..expected.nrows() {
        for p in 0..expected.ncols() {
            assert_close(found[[i, p + 1, setting.labels[i]]], expected[[i, p]], GOLDEN);
        }
    }
}

#[test]
fn quantus_pixel_flipping() {
    let setting = Setting::read();
    let masker = Zero((0..CELLS).collect());
    let case = Case::new(&setting.network, &*setting.images).with_masker(&masker);
    let curve = RemovalCurve { n_steps: CELLS / 4, ..RemovalCurve::default() };
    let found = curve.curves(&case, &setting.given(), &Run::default()).unwrap();
    assert_curves(&setting, &found.scores, &setting.golden["quantus"]["pixel_flipping_4"]);
}

/// Patches of 2×2 cells, ranked by the sums of their shares.
fn patches(setting: &Setting) -> (Zero, Attribution) {
    let numbers: Vec<usize> = numbers(&setting.golden["patches"]).into_iter().map(|v| v as usize).collect();
    let regions = Array2::from_shape_vec((1, CELLS), numbers.clone()).unwrap();
    (Zero(numbers), pooled(&setting.given(), &regions, 9, Pool::Sum).unwrap())
}

#[test]
fn quantus_selectivity() {
    let setting = Setting::read();
    let (masker, shares) = patches(&setting);
    let case = Case::new(&setting.network, &*setting.images).with_masker(&masker);
    let found = RemovalCurve::default().curves(&case, &shares, &Run::default()).unwrap();
    assert_curves(&setting, &found.scores, &setting.golden["quantus"]["selectivity"]);
}

#[test]
fn quantus_region_perturbation() {
    let setting = Setting::read();
    let (masker, shares) = patches(&setting);
    let case = Case::new(&setting.network, &*setting.images).with_masker(&masker);
    for (least_first, order) in [(false, "morf"), (true, "lerf")] {
        let metric = RegionPerturbation { least_first, n_regions: 9 };
        let (falls, _) = metric.falls(&case, &shares, &Run::default()).unwrap();
        let golden = &setting.golden["quantus"][format!("region_perturbation_{order}")];
        assert_curves(&setting, &falls, golden);
        // The mean counts the whole sample, whose fall is 0.
        let found = setting.measure(&metric, &masker, &shares);
        for (found, falls) in found.iter().zip(table(golden).outer_iter()) {
            assert_close(*found, falls.sum() / 10.0, GOLDEN);
        }
    }
}

/// Quantus: segments − the area of the quotients after the 1st, …, last segment; ours is over the share of segments gone,
/// from the whole sample on. The area between the whole sample and the first segment and the division are by hand.
#[test]
fn quantus_irof() {
    let setting = Setting::read();
    let segments: Vec<usize> =
        numbers(&setting.golden["quantus"]["segments"]).into_iter().map(|v| v as usize).collect();
    let regions = Array2::from_shape_vec((1, CELLS), segments.clone()).unwrap();
    let shares = pooled(&setting.given(), &regions, 3, Pool::Mean).unwrap();
    let masker = Zero(segments);
    let case = Case::new(&setting.network, &*setting.images).with_masker(&masker);
    let curves = RemovalCurve::default().curves(&case, &shares, &Run::default()).unwrap().scores;
    let found = setting.measure(&Irof::default(), &masker, &shares);
    for (i, expected) in numbers(&setting.golden["quantus"]["irof"]).into_iter().enumerate() {
        let at = |p: usize| curves[[i, p, setting.labels[i]]] / curves[[i, 0, setting.labels[i]]];
        let theirs = 3.0 - expected;
        assert_close(found[i], 1.0 - (theirs + (1.0 + at(1)) / 2.0) / 3.0, GOLDEN);
    }
}

#[test]
fn quantus_sufficiency() {
    let setting = Setting::read();
    let metric = GlobalSufficiency { threshold: 0.9 };
    let found = setting.measure(&metric, &Zero((0..CELLS).collect()), &setting.given());
    for (found, expected) in found.iter().zip(numbers(&setting.golden["quantus"]["sufficiency"])) {
        assert_close(*found, expected, GOLDEN);
    }
}

#[test]
fn quantus_road() {
    let setting = Setting::read();
    let of = &setting.golden["imputation"];
    let masker = NoisyLinear { noise: 0.0, seed: 0 };
    for (absent, filled) in of["absent"].as_array().unwrap().iter().zip(table(&of["filled"]).outer_iter()) {
        let absent = numbers(absent);
        let present = Array2::from_shape_fn((1, CELLS), |(_, j)| !absent.contains(&(j as f64)));
        let found = masker.mask(&setting.images, 0, &present).unwrap();
        found.iter().zip(filled).for_each(|(found, expected)| assert_close(*found, *expected, GOLDEN));
    }
    let shares: Vec<f64> = numbers(&setting.golden["quantus"]["road_percentages"]).iter().map(|p| p / 100.0).collect();
    let metric = Road { shares, ..Road::default() };
    let (labels, expected) = (numbers(&setting.golden["labels"]), numbers(&setting.golden["quantus"]["road"]));
    let case = Case::new(&setting.network, &*setting.images).with_masker(&masker);
    for case in [case, case.with_labels(&labels)] {
        let (right, _) = metric.curves(&case, &setting.given(), &Run::default()).unwrap();
        let accuracy = right.mean_axis(ndarray::Axis(0)).unwrap();
        accuracy.iter().zip(&expected).for_each(|(found, expected)| assert_close(*found, *expected, GOLDEN));
        let found = metric.measure(&case, &setting.given(), &Run::default()).unwrap();
        assert_close(found.mean.unwrap(), expected.iter().sum::<f64>() / 4.0, GOLDEN);
    }
}

/// The same pairs of cells, shares as they are and scaled; and noise, where both draw their own.
#[test]
fn captum_infidelity() {
    let setting = Setting::read();
    let captum = &setting.golden["captum"];
    for (name, scaled) in [("plain", false), ("scaled", true)] {
        let metric = Infidelity { subset_size: Some(2), n_subsets: 630, scaled };
        setting.assert(&metric, &captum[format!("infidelity_2_{name}")]);
    }
    const DRAWS: usize = 4000;
    let metric = NoiseInfidelity { sd: 0.5, n_draws: DRAWS, scaled: false };
    let gradient = setting.shares(&table(&captum["gradient"]));
    let found = setting.measure(&metric, &Zero((0..CELLS).collect()), &gradient);
    let (expected, errors) = (numbers(&captum["noise_infidelity"]), numbers(&captum["noise_infidelity_error"]));
    for i in 0..found.len() {
        // Captum's error is of 20 runs of 4,000 draws; ours is one such run.
        assert_close(found[i], expected[i], 5.0 * errors[i] * (1.0 + 20f64).sqrt());
    }
}
