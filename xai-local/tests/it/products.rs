//! Masking behind the first product, against masking before it.

use ndarray::{Array2, ArrayRef2, Axis, array};
use proptest::prelude::*;
use xai_core::{Error, Explainer, Feature, Groups, LinearFirst, Model, Result, Run, Table};
use xai_local::masker::Background;
use xai_local::shapley::{Estimator, ExactShap, KernelShap, Masked, MaskedProducts, PermutationShap};

/// Sums of some hundred numbers of size ten in another order, through functions of slope one.
const ORDER: f64 = 1e-12;

/// Two outputs of a hidden layer of hyperbolic tangents.
struct Network {
    first: Array2<f64>,
    second: Array2<f64>,
}

impl Model for Network {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        2
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut sums = Array2::zeros((batch.nrows(), self.first.ncols()));
        for ((row, unit), sum) in sums.indexed_iter_mut() {
            *sum = (0..batch.ncols()).map(|f| batch[[row, f]] * self.first[[f, unit]]).sum();
        }
        self.head(&sums)
    }
}

impl LinearFirst for Network {
    fn first_weights(&self) -> &ArrayRef2<f64> {
        &self.first
    }
    fn head(&self, products: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        let mut scores = Array2::zeros((products.nrows(), 2));
        for ((row, output), score) in scores.indexed_iter_mut() {
            *score = (0..products.ncols()).map(|u| (products[[row, u]] - 0.1).tanh() * self.second[[u, output]]).sum();
        }
        Ok(scores)
    }
}

fn cells(rows: usize, columns: usize) -> impl Strategy<Value = Array2<f64>> {
    prop::collection::vec(-2.0..2.0, rows * columns)
        .prop_map(move |cells| Array2::from_shape_vec((rows, columns), cells).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn masked_products_equal_masked_samples(
        (first, second, batch, rows, weights, owner) in (1_usize..24, 1_usize..9, 1_usize..6).prop_flat_map(|(features, units, rows)| {
            let owner = prop::collection::vec(0..features, features);
            (cells(features, units), cells(units, 2), cells(2, features), cells(rows, features), prop::collection::vec(0.1..2.0, rows), owner)
        }),
        grouped: bool,
    ) {
        let features = batch.ncols();
        let mut background = Background::weighted(rows, weights).unwrap();
        if grouped {
            let members: Vec<Vec<usize>> = (0..features).map(|p| (0..features).filter(|&c| owner[c] == p).collect()).collect();
            background = background.grouped(Groups { players: Feature::unnamed(features), members }).unwrap();
        }
        let model = Network { first, second };
        let estimators: [fn() -> Box<dyn Estimator>; 3] = [
            || Box::new(KernelShap { n_coalitions: Some(1500) }),
            || Box::new(PermutationShap::default()),
            || Box::new(ExactShap),
        ];
        for estimator in estimators.iter().take(if features < 10 { 3 } else { 2 }) {
            let before = Masked { estimator: estimator(), masker: background.clone() };
            let before = before.explain(&model, &batch, &Run::default()).unwrap();
            let after = MaskedProducts { estimator: estimator(), background: background.clone() };
            let after = after.explain(&model, &batch, &Run::default()).unwrap();
            for (a, b) in [(&before.base, &after.base), (&before.scores, &after.scores)] {
                prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < ORDER));
            }
            prop_assert!(before.values.iter().zip(&after.values).all(|(a, b)| (a - b).abs() < ORDER));
            prop_assert_eq!(&before.features, &after.features);
            prop_assert_eq!(before.provenance.evaluations, after.provenance.evaluations);
        }
    }
}

#[test]
fn products_of_missing_cells_mean_nothing() {
    let model = Network { first: array![[1.0], [2.0]], second: array![[1.0, -1.0]] };
    let explain = |rows: Array2<f64>, batch: Array2<f64>| {
        let background = Background::new(rows).unwrap();
        MaskedProducts { estimator: ExactShap, background }.explain(&model, &batch, &Run::default())
    };
    let missing = array![[1.0, 1.0], [f64::NAN, 0.0]];
    assert!(matches!(explain(array![[0.0, 0.0]], missing.clone()), Err(Error::NonFinite { sample: 1, column: 0, .. })));
    assert!(matches!(explain(missing, array![[0.0, 0.0]]), Err(Error::NonFinite { sample: 1, column: 0, .. })));
    let narrow = explain(array![[0.0]], array![[0.0]]);
    assert!(matches!(narrow, Err(Error::Shape { .. })));
    let explanation = explain(array![[0.0, 0.0]], array![[1.0, 1.0]]).unwrap();
    assert_eq!(explanation.values.len_of(Axis(1)), 2);
    let described = format!("{:?}", explanation.provenance.parameters["masker"]);
    assert!(described.contains("background of 1 row, behind the first product"), "{described}");
}
