//! What every method promises, one line a method.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, Axis, Slice, array, concatenate};
use xai_core::{Attribution, Error, Explainer, Observer, Run, Table};
use xai_local::lime::{Bins, LimeTabular, Training};
use xai_local::masker::{Background, Baseline, ConditionalTree, Gaussian, GaussianCopula, Neighbours, Shrinkage};
use xai_local::shapley::{
    Adaptive, ExactShap, KernelShap, LeverageShap, Masked, MaskedProducts, OwenShap, PartitionTree, PermutationShap,
    Stop,
};

use crate::zoo::{Function, background, pairwise, rugged, samples};

/// Sums of some hundred numbers of size ten in f64.
const ROUNDING: f64 = 1e-12;

trait Method: Explainer<Function, Explanation = Attribution> {}
impl<E: Explainer<Function, Explanation = Attribution>> Method for E {}

fn exact() -> impl Method {
    Masked { estimator: ExactShap, masker: Background::new(background()).unwrap() }
}

fn exact_from_baseline() -> impl Method {
    Masked { estimator: ExactShap, masker: Baseline::new(background().row(1).to_owned()) }
}

/// A budget far below the 62 coalitions of six players.
fn kernel() -> impl Method {
    let estimator = KernelShap { n_coalitions: Some(30) };
    Masked { estimator, masker: Background::new(background()).unwrap() }
}

fn products() -> impl Method {
    let estimator = KernelShap { n_coalitions: Some(30) };
    MaskedProducts { estimator, background: Background::new(background()).unwrap() }
}

fn gaussian() -> impl Method {
    let masker = Gaussian::fit(&rows(), Shrinkage::Automatic).unwrap().draws(4).unwrap();
    Masked { estimator: KernelShap { n_coalitions: Some(30) }, masker }
}

fn copula() -> impl Method {
    let masker = GaussianCopula::fit(&rows(), Shrinkage::Automatic).unwrap().draws(4).unwrap();
    Masked { estimator: KernelShap { n_coalitions: Some(30) }, masker }
}

fn neighbours() -> impl Method {
    let masker = Neighbours::fit(&rows(), &[]).unwrap().bandwidth(0.5).unwrap().draws(5).unwrap();
    Masked { estimator: KernelShap { n_coalitions: Some(30) }, masker }
}

fn conditional_tree() -> impl Method {
    let masker = ConditionalTree::fit(&rows(), &[]).unwrap().draws(5).unwrap();
    Masked { estimator: KernelShap { n_coalitions: Some(30) }, masker }
}

fn permutation() -> impl Method {
    let estimator = PermutationShap { n_permutations: 4, antithetic: true };
    Masked { estimator, masker: Background::new(background()).unwrap() }
}

fn leverage() -> impl Method {
    let estimator = LeverageShap { n_coalitions: Some(30) };
    Masked { estimator, masker: Background::new(background()).unwrap() }
}

/// Features 0 and 1 in one part, so that they may stay alike.
fn tree_of_parts() -> PartitionTree {
    PartitionTree::groups(6, &[vec![0, 1], vec![2, 3]]).unwrap()
}

fn owen() -> impl Method {
    Masked { estimator: OwenShap::new(tree_of_parts()), masker: Background::new(background()).unwrap() }
}

fn sampled_owen() -> impl Method {
    let estimator = OwenShap { tree: tree_of_parts(), n_coalitions: Some(20) };
    Masked { estimator, masker: Background::new(background()).unwrap() }
}

/// A rule that no budget below the most meets.
fn adaptive() -> impl Method {
    let stop = Stop { relative_error: Some(1e-9), most_coalitions: 40, ..Stop::default() };
    let estimator = Adaptive { estimator: PermutationShap::default(), stop };
    Masked { estimator, masker: Background::new(background()).unwrap() }
}

fn lime() -> impl Method {
    LimeTabular { n_draws: 200, ..LimeTabular::new(training()) }
}

fn classic_lime() -> impl Method {
    LimeTabular { n_draws: 200, ..LimeTabular::classic(training()) }
}

fn training() -> Training {
    Training::new(&rows(), &[], Bins::Quartiles).unwrap()
}

fn rows() -> Array2<f64> {
    Array2::from_shape_fn((40, 6), |(r, f)| ((r * (f + 3) + f) % 17) as f64 / 6.0 - 1.0)
}

macro_rules! laws {
    ($($law:ident: $($method:ident),*;)*) => {$(
        mod $law {
            $(#[test]
            fn $method() {
                super::check::$law(&super::$method());
            })*
        }
    )*};
}

laws! {
    completeness: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, products, gaussian, copula, neighbours, conditional_tree;
    symmetry: exact, kernel, permutation, leverage, owen, sampled_owen, adaptive, products;
    dummy: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, products;
    linearity: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, products;
    batch_cut: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    threads: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    same_seed: exact, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    other_seed: kernel, permutation, leverage, sampled_owen, adaptive, lime, classic_lime;
    budget: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    cancellation: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    non_finite: exact, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    no_samples: exact, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
    wrong_width: exact, exact_from_baseline, kernel, permutation, leverage, owen, sampled_owen, adaptive, lime, classic_lime, products, gaussian, copula, neighbours, conditional_tree;
}

mod check {
    use super::*;

    pub fn completeness(method: &impl Method) {
        let explanation = method.explain(&rugged(), &samples(), &Run::default()).unwrap();
        let worst = explanation.completeness_residual().iter().fold(0.0, |w: f64, r| w.max(r.abs()));
        assert!(worst < ROUNDING, "{worst}");
    }

    pub fn symmetry(method: &impl Method) {
        let mut batch = samples();
        let first = batch.column(0).to_owned();
        batch.column_mut(1).assign(&first);
        let values = method.explain(&pairwise(), &batch, &Run::default()).unwrap().values;
        for sample in 0..batch.nrows() {
            let (a, b) = (values[[sample, 0, 0]], values[[sample, 1, 0]]);
            assert!((a - b).abs() < ROUNDING, "{a} {b}");
        }
    }

    pub fn dummy(method: &impl Method) {
        let values = method.explain(&pairwise(), &samples(), &Run::default()).unwrap().values;
        assert!(values.index_axis(Axis(1), 2).iter().all(|v| v.abs() < ROUNDING));
        assert!(values.index_axis(Axis(1), 3).iter().any(|v| v.abs() > 0.1));
    }

    pub fn linearity(method: &impl Method) {
        let sum = Function::many(2, |x| {
            let twice = x[0] * x[3] * x[5] + x[1].abs();
            vec![twice - 3.0 * x[2] * x[4] * x[0], x[2] * x[4] * x[0]]
        });
        let first = Function::one(|x| x[0] * x[3] * x[5] + x[1].abs());
        let run = Run::default();
        let sum = method.explain(&sum, &samples(), &run).unwrap().values;
        let first = method.explain(&first, &samples(), &run).unwrap().values;
        for ((sample, feature, _), &value) in first.indexed_iter() {
            let combined = sum[[sample, feature, 0]] + 3.0 * sum[[sample, feature, 1]];
            assert!((combined - value).abs() < ROUNDING, "{combined} {value}");
        }
    }

    pub fn batch_cut(method: &impl Method) {
        let (model, batch) = (rugged(), samples());
        let whole = method.explain(&model, &batch, &Run { seed: 3, ..Run::default() }).unwrap();
        let cut = |from: usize, to: usize| {
            let run = Run { seed: 3, first_sample: from as u64, ..Run::default() };
            method.explain(&model, &batch.slice_axis(Axis(0), Slice::from(from..to)), &run).unwrap()
        };
        let (head, tail) = (cut(0, 2), cut(2, 5));
        assert_eq!(whole.values, concatenate![Axis(0), head.values, tail.values]);
        assert_eq!(whole.base, concatenate![Axis(0), head.base, tail.base]);
    }

    pub fn threads(method: &impl Method) {
        let explain = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| method.explain(&rugged(), &samples(), &Run { seed: 9, ..Run::default() }).unwrap())
        };
        assert_eq!(explain(1), explain(4));
    }

    pub fn same_seed(method: &impl Method) {
        let explain = || method.explain(&rugged(), &samples(), &Run { seed: 1, ..Run::default() }).unwrap();
        assert_eq!(explain(), explain());
    }

    pub fn other_seed(method: &impl Method) {
        let explain = |seed| method.explain(&rugged(), &samples(), &Run { seed, ..Run::default() }).unwrap().values;
        assert_ne!(explain(1), explain(2));
    }

    pub fn budget(method: &impl Method) {
        let model = rugged();
        let free = method.explain(&model, &samples(), &Run::default()).unwrap();
        assert_eq!(model.scored(), free.provenance.evaluations);

        let enough = Run { max_evaluations: Some(100_000), ..Run::default() };
        assert_eq!(method.explain(&rugged(), &samples(), &enough).unwrap(), free);

        let model = rugged();
        let short = Run { max_evaluations: Some(free.provenance.evaluations - 1), ..Run::default() };
        let error = method.explain(&model, &samples(), &short).unwrap_err();
        assert!(matches!(error, Error::Budget { needed, .. } if needed >= free.provenance.evaluations), "{error}");
        assert_eq!(model.scored(), 0, "a plan that exceeds the budget must not begin");
    }

    pub fn cancellation(method: &impl Method) {
        struct Second(AtomicU64);
        impl Observer for Second {
            fn progress(&self, _done: u64, _total: u64) -> ControlFlow<()> {
                match self.0.fetch_add(1, Ordering::Relaxed) {
                    0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            }
        }
        let observer = Second(AtomicU64::new(0));
        let run = Run { observer: &observer, ..Run::default() };
        let error = method.explain(&rugged(), &samples(), &run).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
    }

    /// Sample 3 alone has 9 in column 0; with that and any other row's column 1 the score is no number.
    pub fn non_finite(method: &impl Method) {
        let mut batch = samples();
        batch[[3, 0]] = 9.0;
        let own = batch[[3, 1]];
        let model = Function::one(move |x| if x[0] == 9.0 && x[1] != own { f64::NAN } else { x[0] });
        // Classic LIME never draws 9 again.
        let drawn = Function::one(|_| f64::NAN);
        match method.explain(&model, &batch, &Run::default()) {
            Err(Error::NonFinite { sample, .. }) => assert_eq!(sample, 3),
            Err(other) => panic!("{other}"),
            Ok(_) => {
                let error = method.explain(&drawn, &batch, &Run::default()).unwrap_err();
                assert!(matches!(error, Error::NonFinite { .. }), "{error}");
            }
        }
    }

    pub fn no_samples(method: &impl Method) {
        let explanation = method.explain(&rugged(), &Array2::zeros((0, 6)), &Run::default()).unwrap();
        assert_eq!(explanation.values.dim(), (0, 6, 2));
        assert_eq!(explanation.provenance.evaluations, 0);
    }

    pub fn wrong_width(method: &impl Method) {
        let narrow: &Table = &array![[1.0, 2.0]];
        let model = Function::one(|x| x[0]);
        assert!(matches!(method.explain(&model, narrow, &Run::default()), Err(Error::Shape { .. })));
    }
}
