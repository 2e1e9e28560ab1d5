//! Gradient methods on models whose slopes are known.

use ndarray::{Array2, Array3, Array4, ArrayRef4, Axis, Slice, array, concatenate};
use xai_core::{Attribution, Cells, Error, Explainer, Model, Run, Table};
use xai_local::gradient::{
    Baselines, ExpectedGradients, InputTimesGradient, IntegratedGradients, Quadrature, Saliency,
};

use crate::analytic::{hinges, linear, quadratic, softmax};

/// Sums of some hundred numbers of size one in f64.
const ROUNDING: f64 = 1e-12;

fn rows() -> Array2<f64> {
    array![[0.5, -1.0, 2.0], [3.0, 0.25, -0.5], [-1.0, -2.0, 0.125], [0.0, 1.0, 1.0]]
}

fn weights() -> Array2<f64> {
    array![[1.0, -2.0], [0.5, 3.0], [-0.25, 0.0]]
}

fn greatest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |most, value| most.max(value.abs()))
}

#[test]
fn slopes_of_a_linear_model_are_its_weights() {
    let model = linear::<Table>(weights(), vec![7.0, -7.0]);
    let signed = Saliency { absolute: false }.explain(&model, &rows(), &Run::default()).unwrap();
    for sample in signed.values.outer_iter() {
        assert_eq!(sample, weights());
    }
    let unsigned = Saliency::default().explain(&model, &rows(), &Run::default()).unwrap();
    assert_eq!(unsigned.values, signed.values.mapv(f64::abs));
    assert_eq!(unsigned.scores, model.predict(&rows()).unwrap());
    assert_eq!(unsigned.features[1].name, "x1");
    assert_eq!((unsigned.shape, unsigned.data), (None, Some(rows())));
    assert_eq!(unsigned.provenance.evaluations, 8);
}

#[test]
fn gradients_match_differences() {
    const STEP: f64 = 1e-5;
    // Central differences: a cubic term of size one times the step squared, and rounding over the step.
    const DIFFERENCES: f64 = 1e-9;
    let model = softmax::<Table>(array![[1.0, -2.0, 0.5], [0.5, 1.0, 0.0], [-0.25, 0.0, 1.5]]);
    let found = Saliency { absolute: false }.explain(&model, &rows(), &Run::default()).unwrap();
    for cell in 0..3 {
        let moved = |step: f64| {
            let mut moved = rows();
            moved.column_mut(cell).mapv_inplace(|x| x + step);
            model.predict(&moved).unwrap()
        };
        let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        let gap = &slope - &found.values.index_axis(Axis(1), cell);
        assert!(greatest(gap) < DIFFERENCES);
    }
}

#[test]
fn input_times_gradient_is_the_product() {
    let found = InputTimesGradient.explain(&quadratic::<Table>(), &rows(), &Run::default()).unwrap();
    for (x, values) in rows().outer_iter().zip(found.values.outer_iter()) {
        let product = x[0] * x[1];
        assert_eq!(values.column(0).to_vec(), [product, product, 2.0 * x[2] * x[2]]);
        assert_eq!(values.column(1).to_vec(), [3.0 * x[0], x[1] * -x[2], x[2] * -x[1]]);
    }
}

/// On the way from x′ to x, a product of two cells is shared by the trapezoid rule.
fn by_hand(x: ndarray::ArrayView1<f64>, start: ndarray::ArrayView1<f64>) -> Array2<f64> {
    let product = |i: usize, j: usize| (x[i] - start[i]) * (x[j] + start[j]) / 2.0;
    let square = x[2] * x[2] - start[2] * start[2];
    array![[product(0, 1), 3.0 * (x[0] - start[0])], [product(1, 0), -product(1, 2)], [square, -product(2, 1)]]
}

#[test]
fn quadratic_models_are_integrated_exactly() {
    let starts = array![[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]];
    for (quadrature, n_steps) in [
        (Quadrature::GaussLegendre, 1),
        (Quadrature::GaussLegendre, 7),
        (Quadrature::Middle, 1),
        (Quadrature::Trapezoid, 2),
    ] {
        let method = IntegratedGradients::fixed(n_steps, quadrature).from_baselines(Baselines::of(&*starts));
        let found = method.explain(&quadratic::<Table>(), &rows(), &Run::default()).unwrap();
        for (x, values) in rows().outer_iter().zip(found.values.outer_iter()) {
            let mean = (by_hand(x, starts.row(0)) + by_hand(x, starts.row(1))) / 2.0;
            assert!(greatest(&values - &mean) < ROUNDING, "{quadrature:?} {n_steps}");
        }
        assert!(greatest(found.completeness_residual()) < ROUNDING);
    }
}

#[test]
fn the_ends_of_parts_err_by_what_is_known() {
    // x² from 0 to 1 with n left ends: 2·(0 + … + (n − 1))/n² = 1 − 1/n.
    let model = quadratic::<Table>();
    let sample = array![[0.0, 0.0, 1.0]];
    for (quadrature, expected) in [(Quadrature::Left, 0.9), (Quadrature::Right, 1.1)] {
        let found = IntegratedGradients::fixed(10, quadrature).explain(&model, &sample, &Run::default()).unwrap();
        assert!((found.values[[0, 2, 0]] - expected).abs() < ROUNDING);
        assert!((found.completeness_residual()[[0, 0]] - (1.0 - expected)).abs() < ROUNDING);
    }
}

#[test]
fn bisection_finds_the_kink() {
    let model = hinges::<Table>();
    let sample = array![[1.25, 0.4], [0.3, 1.0], [0.9, 0.8]];
    let rough = IntegratedGradients { tolerance: None, n_steps: 4, ..Default::default() };
    let fine = IntegratedGradients { tolerance: Some(1e-3), n_steps: 4, max_steps: 10_000, ..Default::default() };
    let rough = rough.explain(&model, &sample, &Run::default()).unwrap();
    let fine = fine.explain(&model, &sample, &Run::default()).unwrap();
    let allowed = fine.scores.mapv(|score| 1e-3 * score.abs());
    assert!(fine.completeness_residual().iter().zip(&allowed).all(|(left, allowed)| left.abs() <= *allowed));
    assert!(greatest(rough.completeness_residual()) > 0.01);
    assert!(fine.provenance.notes.is_empty());
    // By hand: of the first line, the part beyond t = 1 / 1.65 and the part beyond t = 0.3 / 0.85.
    let (first, second) = (1.0 - 1.0 / 1.65, 2.0 * (1.0 - 0.3 / 0.85));
    assert!((fine.values[[0, 0, 0]] - 1.25 * (first - second)).abs() < 2e-3);
    assert!((fine.values[[0, 1, 0]] - 0.4 * (first + second)).abs() < 2e-3);

    let hurried = IntegratedGradients { tolerance: Some(1e-9), n_steps: 4, max_steps: 12, ..Default::default() };
    let hurried = hurried.explain(&model, &sample, &Run::default()).unwrap();
    assert!(hurried.provenance.notes[0].contains("of 3 lines did not reach the tolerance"));
}

#[test]
fn short_ways_change_nothing() {
    let mut model = hinges::<Table>();
    let method = IntegratedGradients { tolerance: Some(1e-4), n_steps: 5, max_steps: 2000, ..Default::default() };
    let sample = array![[1.25, 0.4], [0.9, 0.8]];
    let long = method.explain(&model, &sample, &Run::default()).unwrap();
    model.knows_lines = true;
    let short = method.explain(&model, &sample, &Run::default()).unwrap();
    assert!(greatest(&long.values - &short.values) < ROUNDING);
    assert_eq!(long.provenance, short.provenance);
}

#[test]
fn expected_gradients_are_integrated_gradients_on_average() {
    let starts = array![[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0], [0.0, 0.0, 1.0]];
    let background = Baselines::of(&*starts);
    let model = quadratic::<Table>();
    let exact = IntegratedGradients::fixed(2, Quadrature::GaussLegendre).from_baselines(background.clone());
    let exact = exact.explain(&model, &rows(), &Run::default()).unwrap();
    let found = ExpectedGradients { background, n_draws: 3000 }.explain(&model, &rows(), &Run::default()).unwrap();
    assert_eq!(found.base, exact.base);
    let error = found.standard_error.as_ref().unwrap();
    // Six standard errors: one in five hundred million, if errors are normal; and the rounding of exact values.
    let far =
        (&found.values - &exact.values).iter().zip(error).filter(|(gap, e)| gap.abs() > 6.0 * **e + ROUNDING).count();
    assert_eq!(far, 0);
    assert!(greatest(error.iter().copied()) < 0.2);
    assert!(greatest(found.completeness_residual()) < 0.2);
}

fn images() -> Array4<f32> {
    Array4::from_shape_fn((5, 1, 1, 3), |(s, _, _, x)| ((s * 5 + x * 3) % 7) as f32 / 2.0 - 1.0)
}

fn methods() -> Vec<Box<dyn Explainer<crate::analytic::Analytic<ArrayRef4<f32>>, Explanation = Attribution>>> {
    let background = Baselines::Samples(Array4::from_shape_fn((3, 1, 1, 3), |(s, _, _, x)| (s * x) as f64).into_dyn());
    vec![
        Box::new(Saliency::default()),
        Box::new(InputTimesGradient),
        Box::new(IntegratedGradients {
            baselines: background.clone(),
            n_steps: 3,
            tolerance: Some(1e-5),
            ..Default::default()
        }),
        Box::new(ExpectedGradients { background, n_draws: 7 }),
    ]
}

#[test]
fn batches_change_no_bit() {
    let model = quadratic::<ArrayRef4<f32>>();
    for method in methods() {
        let whole = method.explain(&model, &images(), &Run { seed: 5, ..Default::default() }).unwrap();
        assert_eq!(whole.shape.as_deref(), Some(&[1, 1, 3][..]));
        assert_eq!(whole.features[2].name, "0,0,2");
        let part = |from: usize, to: usize| {
            let run = Run { seed: 5, first_sample: from as u64, ..Default::default() };
            let images = images().slice_axis(Axis(0), Slice::from(from..to)).to_owned();
            method.explain(&model, &images, &run).unwrap().values
        };
        let parts: [Array3<f64>; 3] = [part(0, 1), part(1, 3), part(3, 5)];
        assert_eq!(whole.values, concatenate![Axis(0), parts[0], parts[1], parts[2]], "{}", whole.provenance.method);
    }
}

#[test]
fn budgets_are_kept() {
    let model = quadratic::<ArrayRef4<f32>>();
    for method in methods() {
        let free = method.explain(&model, &images(), &Run::default()).unwrap().provenance.evaluations;
        let tight = Run { max_evaluations: Some(free), ..Default::default() };
        assert_eq!(method.explain(&model, &images(), &tight).unwrap().provenance.evaluations, free);
        let short = Run { max_evaluations: Some(free - 1), ..Default::default() };
        assert!(matches!(method.explain(&model, &images(), &short), Err(Error::Budget { .. })));
    }
}

#[test]
fn nonsense_is_refused_by_name() {
    let (model, rows, run) = (quadratic::<Table>(), rows(), Run::default());
    let refused = |method: IntegratedGradients| method.explain(&model, &rows, &run).unwrap_err().to_string();
    let default = IntegratedGradients::default;
    assert!(refused(IntegratedGradients { n_steps: 0, ..default() }).contains("n_steps"));
    assert!(refused(IntegratedGradients { tolerance: Some(0.0), ..default() }).contains("tolerance"));
    assert!(refused(IntegratedGradients { max_steps: 31, ..default() }).contains("max_steps"));
    assert!(refused(default().from_baselines(Baselines::of(&*array![[1.0, 2.0]]))).contains("baseline"));
    assert!(refused(default().from_baselines(Baselines::Constant(f64::NAN))).contains("baselines"));
    let none = Baselines::Samples(Array2::<f64>::zeros((0, 3)).into_dyn());
    assert!(refused(default().from_baselines(none)).contains("baselines"));
    let draws = ExpectedGradients { n_draws: 0, ..Default::default() };
    assert!(draws.explain(&model, &rows, &run).unwrap_err().to_string().contains("n_draws"));
    let flat: Array2<f64> = Array2::zeros((0, 3));
    assert_eq!(Saliency::default().explain(&model, &flat, &run).unwrap().values.len(), 0);
    assert_eq!(flat.sample_shape(), [3]);
}
