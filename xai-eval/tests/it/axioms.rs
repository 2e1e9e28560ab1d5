use ndarray::{Array1, Array2, array};
use xai_core::{Attribution, Error, Explainer, Result, Run};
use xai_eval::axioms::Shifted;
use xai_eval::truth::{Term, Terms};
use xai_eval::{Case, CompletenessGap, Dummy, InputInvariance, Measurement, Metric, NonSensitivity, Symmetry};

use crate::net::{Constant, Gradient, Net};
use crate::zoo::{Baseline, Function, assert_close, attribution, table};

/// Features 0 to 3 in products and curves, 4 and 5 unused.
fn model() -> Terms {
    let terms = vec![
        Term::Linear { feature: 0, slope: 2.0 },
        Term::Square { feature: 1, weight: 1.0 },
        Term::Product { features: vec![2, 3], weight: 1.5 },
    ];
    Terms::new(6, vec![(1.0, terms)]).unwrap()
}

fn zero(n: usize) -> Baseline {
    Baseline(Array1::zeros(n))
}

fn measure(
    metric: &dyn Metric<Terms>,
    model: &Terms,
    batch: &Array2<f64>,
    shares: &Attribution,
) -> Result<Measurement> {
    let masker = zero(batch.ncols());
    metric.measure(&Case::new(model, batch).with_masker(&masker), shares, &Run::default())
}

fn constant(batch: &Array2<f64>) -> Attribution {
    Constant.explain(&model(), batch, &Run::default()).unwrap()
}

#[test]
fn completeness_gap_is_the_part_that_is_left() {
    let model = Function::linear(&[1.0, 2.0]);
    let batch = array![[1.0, 1.0], [0.0, 0.0]];
    let mut shares = attribution(&array![[3.0, -1.0], [0.0, 0.0]]);
    shares.scores[[0, 0]] = 4.0;
    let found = CompletenessGap.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap();
    assert_eq!(found.values[[0, 0]], 2.0 / 8.0);
    assert_eq!((found.n_undefined(), found.failures[0].cells.as_slice()), (1, [(1, 0)].as_slice()));
    shares.scores[[0, 0]] = 2.0;
    let found = CompletenessGap.measure(&Case::new(&model, &*batch), &shares, &Run::default()).unwrap();
    assert_eq!(found.mean, Some(0.0));
}

#[test]
fn non_sensitivity_of_known_shares_is_zero() {
    let (model, batch) = (model(), table(4, 6));
    let truth = model.shares(&batch, &Array2::zeros((1, 6))).unwrap();
    let found = measure(&NonSensitivity::default(), &model, &batch, &truth).unwrap();
    assert_eq!((found.mean, found.evaluations), (Some(0.0), 4 * 7));
    let found = measure(&NonSensitivity::default(), &model, &batch, &constant(&batch)).unwrap();
    assert_eq!(found.mean, Some(2.0), "two unused features have a share");
    let mut nothing = truth.clone();
    nothing.values.fill(0.0);
    assert_eq!(measure(&NonSensitivity::default(), &model, &batch, &nothing).unwrap().mean, Some(4.0));
    // Evidence that is there twice: leaving out one changes nothing, though both share rightly.
    let doubled = Terms::new(2, vec![(0.0, vec![Term::Saturation { features: vec![0, 1], height: 1.0 }])]).unwrap();
    let ones = Array2::ones((1, 2));
    let truth = doubled.shares(&ones, &Array2::zeros((1, 2))).unwrap();
    assert_eq!(measure(&NonSensitivity::default(), &doubled, &ones, &truth).unwrap().mean, Some(2.0));
    let refused = measure(&NonSensitivity { tolerance: -1.0 }, &doubled, &ones, &truth);
    assert!(matches!(refused, Err(Error::Parameter { .. })));
}

#[test]
fn non_sensitivity_asks_every_replica() {
    /// Replaces what is absent by 1 and by −1: the mean of both is that of the sample.
    struct Both;
    impl xai_core::Masker<xai_core::Table> for Both {
        fn n_players(&self, batch: &xai_core::Table, _: usize) -> usize {
            batch.ncols()
        }
        fn weights(&self) -> &[f64] {
            &[0.5, 0.5]
        }
        fn mask(
            &self,
            batch: &xai_core::Table,
            sample: usize,
            coalitions: &ndarray::ArrayRef2<bool>,
        ) -> Result<Array2<f64>> {
            Ok(Array2::from_shape_fn((coalitions.nrows() * 2, batch.ncols()), |(row, j)| {
                let replaced = if row % 2 == 0 { 1.0 } else { -1.0 };
                if coalitions[[row / 2, j]] { batch[[sample, j]] } else { replaced }
            }))
        }
        fn describe(&self) -> String {
            "both".into()
        }
    }
    let model = Terms::new(2, vec![(0.0, vec![Term::Linear { feature: 0, slope: 1.0 }])]).unwrap();
    let batch = Array2::zeros((1, 2));
    let case = Case::new(&model, &*batch).with_masker(&Both);
    let found = NonSensitivity::default().measure(&case, &attribution(&array![[1.0, 0.0]]), &Run::default()).unwrap();
    assert_eq!((found.mean, found.evaluations), (Some(0.0), 5));
}

#[test]
fn unused_features_must_get_nothing() {
    let (model, batch) = (model(), table(4, 6));
    let truth = model.shares(&batch, &Array2::zeros((1, 6))).unwrap();
    let found = measure(&Dummy::default(), &model, &batch, &truth).unwrap();
    assert_eq!((found.mean, found.evaluations), (Some(0.0), 4 * 10 * 7));
    let found = measure(&Dummy::default(), &model, &batch, &constant(&batch)).unwrap();
    // Of the shares 1 to 6 the last two.
    found.values.iter().for_each(|value| assert_close(*value, 11.0 / 21.0, 1e-15));
    // Twice the same evidence is found by coalitions: both are used.
    let doubled = Terms::new(3, vec![(0.0, vec![Term::Saturation { features: vec![0, 1], height: 1.0 }])]).unwrap();
    let ones = Array2::ones((1, 3));
    let shares = attribution(&array![[1.0, 1.0, 2.0]]);
    assert_eq!(measure(&Dummy::default(), &doubled, &ones, &shares).unwrap().mean, Some(0.5));
    let used = Terms::new(1, vec![(0.0, vec![Term::Linear { feature: 0, slope: 1.0 }])]).unwrap();
    let found = measure(&Dummy::default(), &used, &array![[1.0]], &attribution(&array![[1.0]])).unwrap();
    assert_eq!(found.failures[0].reason, "every feature changes something");
}

#[test]
fn alike_features_must_get_the_same() {
    let terms = vec![
        Term::Product { features: vec![0, 1], weight: 2.0 },
        Term::Linear { feature: 2, slope: 1.0 },
        Term::Linear { feature: 3, slope: 1.0 },
    ];
    let model = Terms::new(5, vec![(0.0, terms)]).unwrap();
    // 0 and 1 are alike in every sample; 2 and 3 in the second only. 4 is unused.
    let batch = array![[0.5, 0.7, 1.0, 2.0, 3.0], [0.5, 0.7, 2.0, 2.0, 3.0]];
    let truth = model.shares(&batch, &Array2::zeros((1, 5))).unwrap();
    let of = |shares: &Attribution| measure(&Symmetry::default(), &model, &batch, shares).unwrap();
    assert!(of(&truth).values.iter().all(|gap| *gap < 1e-12));
    let wrong = attribution(&array![[1.0, 1.0, 9.0, 2.0, 0.0], [2.0, 1.0, 10.0, 4.0, 0.0]]);
    assert_eq!(of(&wrong).values, array![[0.0], [0.6]]);
    let unlike = Terms::new(2, vec![(0.0, vec![Term::Linear { feature: 0, slope: 1.0 }])]).unwrap();
    let shares = attribution(&array![[1.0, 0.0]]);
    let found = measure(&Symmetry::default(), &unlike, &array![[1.0, 1.0]], &shares).unwrap();
    assert_eq!(found.failures[0].reason, "no two features are alike");
}

#[test]
fn budgets_are_asked_before_anything() {
    let (model, batch, masker) = (model(), table(2, 6), zero(6));
    let truth = model.shares(&batch, &Array2::zeros((1, 6))).unwrap();
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let metrics: [(&dyn Metric<Terms>, u64); 3] =
        [(&NonSensitivity::default(), 14), (&Dummy::default(), 140), (&Symmetry::default(), 2 * 18 * 7)];
    for (metric, needed) in metrics {
        let run = |budget| Run { max_evaluations: Some(budget), ..Run::default() };
        let error = metric.measure(&case, &truth, &run(needed - 1)).unwrap_err();
        assert!(matches!(error, Error::Budget { needed: n, .. } if n == needed), "{error}");
        assert_eq!(metric.measure(&case, &truth, &run(needed)).unwrap().evaluations, needed);
    }
}

#[test]
fn gradients_do_not_see_a_shift() {
    let (net, batch) = (Net::new(3, 4, 2, true), table(4, 3));
    let (model, twin) = (Shifted { model: net.clone(), shift: 0.0 }, Shifted { model: net, shift: 2.5 });
    let of = |times_input: bool| {
        let explainer = Gradient { times_input };
        let explained = explainer.explain(&model, &batch, &Run::default()).unwrap();
        let case = Case::new(&model, &*batch).with_explainer(&explainer);
        InputInvariance { twin: &twin, shift: 2.5 }.measure(&case, &explained, &Run::default())
    };
    let gradient = of(false).unwrap();
    assert!(gradient.values.iter().all(|change| *change < 1e-12));
    assert_eq!(gradient.evaluations, 12);
    assert!(of(true).unwrap().values.iter().all(|change| *change > 0.1));
    let explainer = Gradient { times_input: false };
    let explained = explainer.explain(&model, &batch, &Run::default()).unwrap();
    let case = Case::new(&model, &*batch).with_explainer(&explainer);
    let wrong = InputInvariance { twin: &twin, shift: 1.0 }.measure(&case, &explained, &Run::default());
    assert!(matches!(wrong, Err(Error::Unsupported { .. })));
}
