//! Methods that add noise, blur, or wander, and the controls.

use ndarray::{Array2, Array4, ArrayRef4, Axis, Slice, array, concatenate};
use xai_core::{Attribution, Error, Explainer, Model, Run, Table};
use xai_local::control::EdgeDetector;
use xai_local::gradient::{
    Baselines, BlurIntegratedGradients, GuidedIntegratedGradients, InputTimesGradient, IntegratedGradients, Noise,
    Quadrature, Saliency, SmoothGrad, Statistic,
};

use crate::analytic::{Analytic, linear, quadratic};
use crate::golden::{assert_close, cases as golden, numbers, table};

/// Sums of some hundred numbers of size one in f64.
const ROUNDING: f64 = 1e-12;

fn rows() -> Array2<f64> {
    array![[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]]
}

fn greatest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |most, value| most.max(value.abs()))
}

#[test]
fn smoothing_leaves_a_linear_model_alone() {
    let weights = array![[1.0, -2.0], [0.5, 3.0], [-0.25, 0.0]];
    let model = linear::<Table>(weights.clone(), vec![0.0, 1.0]);
    let smooth = |statistic| {
        let method = SmoothGrad { statistic, ..SmoothGrad::new(Saliency { absolute: false }) };
        method.explain(&model, &rows(), &Run::default()).unwrap()
    };
    let mean = smooth(Statistic::Mean);
    assert_eq!((&mean.scores, mean.data.as_ref()), (&model.predict(&rows()).unwrap(), Some(&rows())));
    for (found, expected) in [
        (mean.values, weights.clone()),
        (smooth(Statistic::Square).values, weights.mapv(|w| w * w)),
        (smooth(Statistic::Variance).values, Array2::zeros((3, 2))),
    ] {
        found.outer_iter().for_each(|found| assert!(greatest(&found - &expected) < ROUNDING));
    }
}

#[test]
fn variance_of_slopes_is_that_of_the_noise() {
    // The slope of x₂² is 2·x₂: its variance is four times that of the noise, for each sample's own noise.
    let n_draws = 4000;
    let method = SmoothGrad {
        n_draws,
        noise: Noise::Each(vec![0.0, 0.0, 0.5]),
        statistic: Statistic::Variance,
        explainer: Saliency { absolute: false },
    };
    let found = method.explain(&quadratic::<Table>(), &rows(), &Run::default()).unwrap();
    // The variance of a normal sample's variance is 2σ⁴/n: six standard errors.
    let allowed = 6.0 * (2.0 / n_draws as f64).sqrt();
    for sample in 0..2 {
        assert!((found.values[[sample, 2, 0]] - 1.0).abs() < allowed);
        assert_eq!(found.values[[sample, 0, 0]], 0.0);
    }
    let method = SmoothGrad { statistic: Statistic::Mean, ..method };
    let found = method.explain(&quadratic::<Table>(), &rows(), &Run::default()).unwrap();
    let error = found.standard_error.unwrap();
    for sample in 0..2 {
        assert!((found.values[[sample, 2, 0]] - 2.0 * rows()[[sample, 2]]).abs() < 6.0 * error[[sample, 2, 0]]);
        assert!((error[[sample, 2, 0]] - 1.0 / (n_draws as f64).sqrt()).abs() < 1e-3);
    }
    assert!(found.provenance.parameters.contains_key("explainer"));
}

fn images() -> Array4<f32> {
    Array4::from_shape_fn((4, 1, 1, 3), |(s, _, _, x)| ((s * 5 + x * 3) % 7) as f32 / 2.0 - 1.0)
}

fn methods() -> Vec<Box<dyn Explainer<Analytic<ArrayRef4<f32>>, Explanation = Attribution>>> {
    vec![
        Box::new(SmoothGrad { n_draws: 3, ..SmoothGrad::new(InputTimesGradient) }),
        Box::new(GuidedIntegratedGradients { n_steps: 9, ..Default::default() }),
        Box::new(BlurIntegratedGradients { n_steps: 5, max_sigma: None }),
        Box::new(EdgeDetector),
    ]
}

#[test]
fn batches_change_no_bit() {
    let model = quadratic::<ArrayRef4<f32>>();
    for method in methods() {
        let whole = method.explain(&model, &images(), &Run { seed: 3, ..Default::default() }).unwrap();
        let part = |from: usize, to: usize| {
            let run = Run { seed: 3, first_sample: from as u64, ..Default::default() };
            let images = images().slice_axis(Axis(0), Slice::from(from..to)).to_owned();
            method.explain(&model, &images, &run).unwrap().values
        };
        assert_eq!(whole.values, concatenate![Axis(0), part(0, 3), part(3, 4)], "{}", whole.provenance.method);
        let free = whole.provenance.evaluations;
        let run = Run { max_evaluations: Some(free - 1), ..Default::default() };
        assert!(
            matches!(method.explain(&model, &images(), &run), Err(Error::Budget { .. })),
            "{}",
            whole.provenance.method
        );
    }
}

/// x₀ + 10·x₁·(1 − x₁)·x₂: steep in x₁ away from the middle.
fn steep() -> Analytic<Table> {
    Analytic::new(
        1,
        |x| vec![x[0] + 10.0 * x[1] * (1.0 - x[1]) * x[2]],
        |x| array![[1.0, 10.0 * (1.0 - 2.0 * x[1]) * x[2], 10.0 * x[1] * (1.0 - x[1])]],
    )
}

#[test]
fn guided_paths_without_room_are_straight() {
    let sample = array![[0.7, 1.0, 0.5], [0.2, -0.3, 0.9]];
    let straight =
        IntegratedGradients::fixed(100, Quadrature::Left).explain(&steep(), &sample, &Run::default()).unwrap();
    let guided = GuidedIntegratedGradients { n_steps: 100, max_distance: 0.0, ..Default::default() };
    let guided = guided.explain(&steep(), &sample, &Run::default()).unwrap();
    // On the straight line every step is as long in every cell: left ends of equal parts.
    assert!(greatest(&guided.values - &straight.values) < 1e-9);
}

#[test]
fn guided_paths_go_around_the_steep_cell() {
    let sample = array![[0.7, 1.0, 0.5]];
    let free = GuidedIntegratedGradients { n_steps: 2000, max_distance: 1.0, fraction: 0.0, ..Default::default() };
    let found = free.explain(&steep(), &sample, &Run::default()).unwrap();
    // While x₂ is 0, moving x₁ costs nothing, and at the end of its way x₁·(1 − x₁) is 0: it never gets credit.
    assert!(found.values[[0, 1, 0]].abs() < 0.02, "{}", found.values[[0, 1, 0]]);
    assert!((found.values[[0, 0, 0]] - 0.7).abs() < ROUNDING);
    assert!(greatest(found.completeness_residual()) < 0.02);
    let straight = IntegratedGradients::default().explain(&steep(), &sample, &Run::default()).unwrap();
    assert!(straight.values[[0, 1, 0]].abs() > 0.4);
}

#[test]
fn blur_paths_are_complete() {
    let model = quadratic::<ArrayRef4<f32>>();
    let run = Run::default();
    let left = |n_steps| {
        let found = BlurIntegratedGradients { n_steps, max_sigma: None }.explain(&model, &images(), &run).unwrap();
        // As blurred as it gets, the three cells are nearly alike, and so are all their products.
        assert!(found.provenance.parameters.contains_key("max_sigma"));
        greatest(found.completeness_residual())
    };
    // Slopes of this model are linear, so that the mean of both ends is exact up to the rounding of the images.
    assert!(left(1) < 1e-5 && left(10) < 1e-5);
    let rows = rows();
    let refused = BlurIntegratedGradients::default().explain(&quadratic::<Table>(), &rows, &run);
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
    let refused = BlurIntegratedGradients { max_sigma: Some(0.0), ..Default::default() };
    assert!(matches!(refused.explain(&model, &images(), &run), Err(Error::Parameter { .. })));
}

/// A model whose slope is 1 everywhere: values of a blur path are the differences between sharp and blurred.
fn sum_of_cells(cells: usize) -> Analytic<ArrayRef4<f32>> {
    linear(Array2::ones((cells, 1)), vec![0.0])
}

#[test]
fn blurs_are_those_of_scipy() {
    let (_, grids) = golden("images").pop().unwrap();
    let image = table(&grids["image"]);
    let batch = image.mapv(|x| x as f32).into_shape_with_order((1, 1, 5, 7)).unwrap();
    for (sigma, recorded) in grids["blurred"].as_object().unwrap() {
        let method = BlurIntegratedGradients { n_steps: 1, max_sigma: Some(sigma.parse().unwrap()) };
        let found = method.explain(&sum_of_cells(35), &batch, &Run::default()).unwrap();
        let blurred: Vec<f64> = image.iter().zip(&found.values).map(|(sharp, way)| sharp - way).collect();
        // The image was rounded to f32.
        assert_close(sigma, &blurred, &numbers(recorded), 1e-6);
    }
}

#[test]
fn edges_are_sobels() {
    let (_, grids) = golden("images").pop().unwrap();
    let image = table(&grids["image"]).mapv(|x| x as f32).into_shape_with_order((1, 1, 5, 7)).unwrap();
    let found = EdgeDetector.explain(&sum_of_cells(35), &image, &Run::default()).unwrap();
    // The image was rounded to f32.
    assert_close("edges", &found.values.iter().copied().collect::<Vec<_>>(), &numbers(&grids["edges"]), 1e-6);
    let refused = EdgeDetector.explain(&quadratic::<Table>(), &rows(), &Run::default());
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
}

#[test]
fn nonsense_is_refused_by_name() {
    let (model, rows, run) = (quadratic::<Table>(), rows(), Run::default());
    let smooth = |noise: Noise, n_draws: usize| {
        let method = SmoothGrad { noise, n_draws, ..SmoothGrad::new(Saliency::default()) };
        method.explain(&model, &rows, &run).unwrap_err().to_string()
    };
    assert!(smooth(Noise::Absolute(-1.0), 3).contains("noise"));
    assert!(smooth(Noise::Range(f64::NAN), 3).contains("noise"));
    assert!(smooth(Noise::Each(vec![1.0]), 3).contains("noise"));
    assert!(smooth(Noise::Absolute(1.0), 0).contains("n_draws"));
    let guided = |method: GuidedIntegratedGradients| method.explain(&model, &rows, &run).unwrap_err().to_string();
    let default = GuidedIntegratedGradients::default;
    assert!(guided(GuidedIntegratedGradients { fraction: 2.0, ..default() }).contains("fraction"));
    assert!(guided(GuidedIntegratedGradients { max_distance: -1.0, ..default() }).contains("max_distance"));
    assert!(guided(GuidedIntegratedGradients { n_steps: 0, ..default() }).contains("n_steps"));
    let baselines = Baselines::Samples(Array2::<f64>::zeros((1, 2)).into_dyn());
    assert!(guided(GuidedIntegratedGradients { baselines, ..default() }).contains("baseline"));
}
