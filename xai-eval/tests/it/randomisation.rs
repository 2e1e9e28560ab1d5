use std::cell::RefCell;

use ndarray::{Array2, Array3, ArrayD, array};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Explainer, Model, Parametric, Run};
use xai_eval::randomisation::{LayerOrder, Reset, Similarity, Summary, histogram_entropy, randomised};
use xai_eval::{Case, EfficientMprt, Measurement, Metric, Mprt, RandomLogit, SmoothMprt, label_randomisation};

use crate::net::{Gradient, Input, Net};
use crate::zoo::{assert_close, attribution, table};

fn measure(
    metric: &dyn Metric<Net>,
    model: &Net,
    batch: &Array2<f64>,
    explainer: &dyn Explainer<Net, Explanation = Attribution>,
) -> xai_core::Result<Measurement> {
    let explained = explainer.explain(model, batch, &Run::default())?;
    metric.measure(&Case::new(model, batch).with_explainer(explainer), &explained, &Run::default())
}

#[test]
fn explainers_that_ignore_the_model_do_not_pass() {
    let (model, batch, ignores) = (Net::new(8, 5, 2, true), table(4, 8), Input { noise: 0.0 });
    for metric in [&Mprt::default() as &dyn Metric<Net>, &SmoothMprt { n_draws: 7, ..SmoothMprt::default() }] {
        let found = measure(metric, &model, &batch, &ignores).unwrap();
        assert_close(found.mean.unwrap(), 1.0, 1e-14);
    }
    let found = measure(&EfficientMprt::default(), &model, &batch, &ignores).unwrap();
    assert_eq!((found.mean, found.evaluations), (Some(0.0), 4));
}

#[test]
fn gradients_of_a_randomised_network_are_others() {
    let (model, batch, gradient) = (Net::new(12, 8, 2, true), table(20, 12), Gradient { times_input: false });
    let last = |reset| Mprt { summary: Summary::Last, reset, ..Mprt::default() };
    for reset in [Reset::Initial, Reset::Shuffled] {
        let found = measure(&last(reset), &model, &batch, &gradient).unwrap();
        assert!(found.mean.unwrap().abs() < 0.5, "{reset:?}: {:?}", found.mean);
        assert_eq!(found.evaluations, 2 * 20);
    }
    let smooth = SmoothMprt { n_draws: 5, summary: Summary::Last, ..SmoothMprt::default() };
    let found = measure(&smooth, &model, &batch, &gradient).unwrap();
    assert!(found.mean.unwrap() < 0.5, "{:?}", found.mean);
    assert_eq!(found.evaluations, 3 * 5 * 20);
    assert!(
        measure(&EfficientMprt { n_bins: 6, ..EfficientMprt::default() }, &model, &batch, &gradient)
            .unwrap()
            .mean
            .unwrap()
            != 0.0
    );
}

#[test]
fn layers_become_random_in_their_order() {
    let model = Net::new(3, 4, 2, true);
    let seen: RefCell<Vec<[bool; 2]>> = RefCell::new(Vec::new());
    /// Tells which layers are as they were.
    struct Spy<'a>(&'a Net, &'a std::sync::Mutex<Vec<[bool; 2]>>);
    impl Explainer<Net> for Spy<'_> {
        type Explanation = Attribution;
        fn explain(&self, model: &Net, batch: &xai_core::Table, run: &Run) -> xai_core::Result<Attribution> {
            self.1.lock().unwrap().push([model.first == self.0.first, model.second == self.0.second]);
            Gradient { times_input: false }.explain(model, batch, run)
        }
    }
    let (batch, log) = (table(2, 3), std::sync::Mutex::new(Vec::new()));
    let spy = Spy(&model, &log);
    let explained = Gradient { times_input: false }.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch).with_explainer(&spy);
    let mut layers = Vec::new();
    for order in [LayerOrder::TopDown, LayerOrder::BottomUp, LayerOrder::Independent] {
        let found = Mprt { order, ..Mprt::default() }.similarities(&case, &explained, &Run::default()).unwrap();
        assert_eq!(found.values.dim(), (2, 2, 2));
        layers.push(found.layers.join(" "));
    }
    assert_eq!(layers, ["scores hidden", "hidden scores", "hidden scores"]);
    seen.borrow_mut().extend(log.lock().unwrap().iter());
    let expected = [[true, false], [false, false], [false, true], [false, false], [false, true], [true, false]];
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn random_parameters_are_what_they_should_be() {
    let model = Net::new(50, 40, 3, true);
    let of = |reset, seed| randomised(&model, |_| true, reset, seed).unwrap();
    let initial = of(Reset::Initial, 1);
    let bound = 1.0 / 50f64.sqrt();
    let largest = |x: &Array2<f64>| x.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    // Of 2,000 even numbers the largest is nearly the bound; biases have that of their weights.
    assert!(largest(&initial.first) <= bound && largest(&initial.first) > 0.99 * bound);
    assert!(initial.shift.iter().all(|v| v.abs() <= bound) && initial.shift != model.shift);
    assert!(largest(&initial.second) <= 1.0 / 40f64.sqrt());
    assert_close(initial.first.mean().unwrap(), 0.0, 5.0 * bound / 2000f64.sqrt());
    assert_eq!(of(Reset::Initial, 1).first, initial.first);
    assert_ne!(of(Reset::Initial, 2).first, initial.first);
    let shuffled = of(Reset::Shuffled, 1);
    let sorted = |x: &Array2<f64>| {
        let mut all = x.iter().copied().collect::<Vec<f64>>();
        all.sort_by(f64::total_cmp);
        all
    };
    assert_eq!(sorted(&shuffled.first), sorted(&model.first));
    assert_ne!(shuffled.first, model.first);
    // The layers that are not chosen stay; those that are get what they get anyway.
    let second = randomised(&model, |layer| layer == 1, Reset::Initial, 1).unwrap();
    assert_eq!((&second.first, &second.second), (&model.first, &initial.second));
}

#[test]
fn smoothing_a_line_changes_nothing() {
    let (model, batch, gradient) = (Net::new(6, 5, 2, false), table(3, 6), Gradient { times_input: false });
    let order = LayerOrder::BottomUp;
    let rough = measure(&Mprt { order, ..Mprt::default() }, &model, &batch, &gradient).unwrap();
    let smooth = measure(&SmoothMprt { n_draws: 4, ..SmoothMprt::default() }, &model, &batch, &gradient).unwrap();
    for (rough, smooth) in rough.values.iter().zip(&smooth.values) {
        assert_close(*rough, *smooth, 1e-14);
    }
    let refused = measure(&SmoothMprt { n_draws: 0, ..SmoothMprt::default() }, &model, &batch, &gradient);
    assert!(matches!(refused, Err(Error::Parameter { .. })));
    let refused = measure(&EfficientMprt { n_bins: 0, ..EfficientMprt::default() }, &model, &batch, &gradient);
    assert!(matches!(refused, Err(Error::Parameter { .. })));
}

#[test]
fn explanations_of_all_outputs_must_differ() {
    let batch = table(2, 4);
    let mut shares = attribution(&batch);
    shares.outputs = xai_core::Output::unnamed(3);
    (shares.scores, shares.base) = (Array2::zeros((2, 3)), Array2::zeros((2, 3)));
    let model = Net::new(4, 3, 3, true);
    let mut of = |similarity, absolute, value: &dyn Fn(usize, usize) -> f64| {
        shares.values = Array3::from_shape_fn((2, 4, 3), |(_, j, k)| value(j, k));
        RandomLogit { similarity, absolute }.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap()
    };
    assert_close(of(Similarity::Spearman, false, &|j, _| j as f64).mean.unwrap(), 1.0, 1e-14);
    // Outputs 0 and 1 are each other's negative, output 2 is as output 0.
    let opposed = |j: usize, k: usize| if k == 1 { -(j as f64) } else { j as f64 };
    for similarity in [Similarity::Spearman, Similarity::Pearson, Similarity::Cosine] {
        let found = of(similarity, false, &opposed).values.row(0).to_vec();
        for (found, expected) in found.into_iter().zip([0.0, -1.0, 0.0]) {
            assert_close(found, expected, 1e-14);
        }
        assert_close(of(similarity, true, &opposed).mean.unwrap(), 1.0, 1e-14);
    }
    let flat = of(Similarity::Spearman, false, &|_, _| 1.0);
    assert_eq!((flat.mean, flat.failures[0].reason.as_str()), (None, "all shares are the same"));
    let single = RandomLogit::default().measure(&Case::new(&model, &*batch), &attribution(&batch), &Run::default());
    assert!(single.is_err());
}

#[test]
fn explanations_of_models_of_chance_are_compared() {
    let (a, b) = (attribution(&array![[1.0, -2.0, 3.0]]), attribution(&array![[-1.0, 2.0, -3.0]]));
    let of = |absolute| label_randomisation(&a, &b, Similarity::Spearman, absolute).unwrap();
    assert_close(of(true).mean.unwrap(), 1.0, 1e-14);
    assert_close(of(false).mean.unwrap(), -1.0, 1e-14);
    assert_eq!(of(true).metric, "label-randomisation");
}

#[test]
fn a_model_without_parameters_is_refused() {
    #[derive(Clone)]
    struct Bare(Net);
    impl Model for Bare {
        type Batch = xai_core::Table;
        fn n_outputs(&self) -> usize {
            2
        }
        fn predict(&self, batch: &xai_core::Table) -> xai_core::Result<Array2<f64>> {
            self.0.predict(batch)
        }
    }
    impl Parametric for Bare {
        fn parameter_layers(&self) -> Vec<String> {
            vec![]
        }
        fn with_parameters(
            &self,
            _: &mut dyn FnMut(usize, &str, ndarray::ArrayViewMutD<f64>),
        ) -> xai_core::Result<Self> {
            Ok(self.clone())
        }
    }
    let (model, batch) = (Bare(Net::new(3, 2, 2, true)), table(2, 3));
    let explainer = Input { noise: 0.0 };
    let explained = explainer.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch).with_explainer(&explainer);
    for metric in [&Mprt::default() as &dyn Metric<Bare>, &SmoothMprt::default(), &EfficientMprt::default()] {
        let refused = metric.measure(&case, &explained, &Run::default());
        assert!(matches!(refused, Err(Error::Unsupported { .. })));
    }
}

#[test]
fn normalisations_start_as_they_do() {
    /// One normalisation layer.
    struct Norm(ArrayD<f64>, ArrayD<f64>);
    impl Model for Norm {
        type Batch = xai_core::Table;
        fn n_outputs(&self) -> usize {
            1
        }
        fn predict(&self, batch: &xai_core::Table) -> xai_core::Result<Array2<f64>> {
            Ok(Array2::zeros((batch.nrows(), 1)))
        }
    }
    impl Parametric for Norm {
        fn parameter_layers(&self) -> Vec<String> {
            vec!["norm".into()]
        }
        fn with_parameters(
            &self,
            change: &mut dyn FnMut(usize, &str, ndarray::ArrayViewMutD<f64>),
        ) -> xai_core::Result<Self> {
            let (mut scale, mut shift) = (self.0.clone(), self.1.clone());
            change(0, "scale", scale.view_mut());
            change(0, "shift", shift.view_mut());
            Ok(Norm(scale, shift))
        }
    }
    let model = Norm(array![3.0, 4.0].into_dyn(), array![0.5, -1.0].into_dyn());
    let reset = randomised(&model, |_| true, Reset::Initial, 0).unwrap();
    assert_eq!((reset.0, reset.1), (array![1.0, 1.0].into_dyn(), array![0.0, 0.0].into_dyn()));
}

proptest! {
    /// Whole numbers and whole bins: which bin is known without rounding.
    #[test]
    fn entropy_of_a_histogram_is_that_of_its_counts(mut cells in prop::collection::vec(0..16u32, 2..40)) {
        cells.extend([0, 16]);
        let values: Vec<f64> = cells.iter().map(|cell| f64::from(*cell)).collect();
        let count = |bin: u32| cells.iter().filter(|cell| (**cell / 4).min(3) == bin).count() as f64 / cells.len() as f64;
        let expected: f64 = (0..4).map(count).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
        prop_assert!((histogram_entropy(&values, 4) - expected).abs() < 1e-13);
        prop_assert_eq!(histogram_entropy(&[2.0, 2.0], 4), 0.0);
    }
}
