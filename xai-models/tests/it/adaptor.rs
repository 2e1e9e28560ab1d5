//! Laws of the adaptors, on random ensembles, linear models and closures.

use ndarray::{Array1, Array2, Array4, ArrayRef4, Axis, array};
use proptest::prelude::*;
use xai_core::trees::{Comparison, Missing};
use xai_core::{
    Differentiable, Error, Feature, LinearStructured, Link, Model, Output, Result, Scale, Table, TreeEnsemble,
    TreeStructured,
};
use xai_models::adaptor::{Cache, Chunk, Contrast, Count, Linked, Select, Transform, contrast_trees, select_trees};
use xai_models::function::Function;
use xai_models::linear::Linear;
use xai_models::trees::{Split, TreeBuilder, TreeModel};

/// Differences of order h² (h = 1e-5) on functions with third derivatives of order 1, and rounding of order 1e-16 / h.
const DIFFERENCE: f64 = 1e-8;

/// Some thirty products of numbers below 2, summed in another order.
const ORDER: f64 = 1e-12;

/// The probability of a margin of 8 is 1 − 3e-4 and keeps 1e-16 of itself: 1e-16 / 3e-4, with room.
const LOGIT: f64 = 1e-11;

/// The number of features of the random ensembles.
const FEATURES: usize = 3;

/// A tree of two splits: the output that it adds to, features, thresholds, and three leaves of `n` values.
type Recipe = (Option<u32>, [u32; 2], [f64; 2], Vec<f64>);

fn recipe(n_outputs: usize) -> impl Strategy<Value = Recipe> {
    let output = prop::option::of(0..n_outputs as u32);
    let features = [0..FEATURES as u32, 0..FEATURES as u32];
    (output, features, [-1.0..1.0, -1.0..1.0], prop::collection::vec(-1.0..1.0, 3 * n_outputs))
}

fn grow(base: Vec<f64>, link: Link, recipes: &[Recipe]) -> TreeEnsemble {
    let n_outputs = base.len();
    let mut builder = TreeBuilder::new(FEATURES, base, link, Comparison::DOUBLE_LESS);
    for (output, features, thresholds, leaves) in recipes {
        let width = if output.is_some() { 1 } else { n_outputs };
        let split = |i: usize, left: u32| Split {
            feature: features[i],
            left,
            right: left + 1,
            default_left: i == 0,
            missing: Missing::Nan,
        };
        builder.start_tree(*output);
        builder.number_split(split(0, 1), thresholds[0], 5.0);
        builder.number_split(split(1, 3), thresholds[1], 3.0);
        for leaf in 0..3 {
            builder.leaf(&leaves[leaf * n_outputs..leaf * n_outputs + width], 1.0);
        }
    }
    builder.finish().unwrap()
}

fn ensembles() -> impl Strategy<Value = (TreeEnsemble, Vec<usize>)> {
    (1_usize..5).prop_flat_map(|n| {
        let trees = prop::collection::vec(recipe(n), 0..6);
        let parts = (prop::collection::vec(-1.0..1.0, n), prop::bool::ANY, trees);
        let grown = parts.prop_map(|(base, softmax, trees)| {
            grow(base, if softmax { Link::Softmax } else { Link::LOGISTIC }, &trees)
        });
        (grown, prop::collection::vec(0..n, 1..5))
    })
}

fn batches() -> impl Strategy<Value = Array2<f64>> {
    let cell = prop_oneof![8 => -1.5..1.5_f64, 1 => Just(f64::NAN), 1 => Just(0.0), 1 => Just(-0.0)];
    (0_usize..20).prop_flat_map(move |n| {
        prop::collection::vec(cell.clone(), n * FEATURES)
            .prop_map(move |cells| Array2::from_shape_vec((n, FEATURES), cells).unwrap())
    })
}

fn model_of(trees: TreeEnsemble) -> TreeModel {
    let outputs = Output::unnamed(trees.n_outputs);
    TreeModel::new(trees, Feature::unnamed(FEATURES), outputs).unwrap()
}

fn bits(scores: &Array2<f64>) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

proptest! {
    #[test]
    fn select_takes_columns((trees, outputs) in ensembles(), batch in batches()) {
        let model = model_of(trees);
        let all = model.predict(&batch).unwrap();
        let some = Select::new(&model, &outputs).unwrap();
        let scores = some.predict(&batch).unwrap();
        prop_assert_eq!(scores.dim(), (batch.nrows(), outputs.len()));
        for (place, &output) in outputs.iter().enumerate() {
            prop_assert_eq!(scores.column(place), all.column(output));
            prop_assert_eq!(&some.outputs()[place].name, &model.outputs()[output].name);
        }
    }

    #[test]
    fn selected_trees_score_the_same_bits((trees, outputs) in ensembles(), batch in batches()) {
        let model = model_of(trees);
        let some = Select::new(&model, &outputs).unwrap();
        let rebuilt = model_of(some.trees().clone());
        prop_assert_eq!(bits(&rebuilt.predict(&batch).unwrap()), bits(&some.predict(&batch).unwrap()));
        let covers = |trees: &TreeEnsemble| trees.cover.iter().sum::<f64>();
        if outputs.len() == 1 && model.trees().tree_output.iter().all(Option::is_none) {
            prop_assert_eq!(covers(some.trees()), covers(model.trees()));
        }
    }

    #[test]
    fn contrast_is_the_weighted_sum((trees, _) in ensembles(), batch in batches(), raw in prop::array::uniform4(-2.0..2.0_f64)) {
        let model = model_of(trees);
        let weights = &raw[..model.n_outputs()];
        let contrast = Contrast::new(&model, weights).unwrap();
        let all = model.predict(&batch).unwrap();
        let scores = contrast.predict(&batch).unwrap();
        for (row, score) in all.outer_iter().zip(&scores) {
            let expected: f64 = row.iter().zip(weights).map(|(a, w)| a * w).sum();
            prop_assert!((score - expected).abs() < ORDER);
        }
    }

    #[test]
    fn contrasted_trees_score_the_weighted_sum((trees, _) in ensembles(), batch in batches(), raw in prop::array::uniform4(-2.0..2.0_f64), zero in 0_usize..5) {
        let model = model_of(trees);
        let mut weights = raw[..model.n_outputs()].to_vec();
        weights.iter_mut().skip(zero).take(1).for_each(|weight| *weight = 0.0);
        let rebuilt = model_of(contrast_trees(model.trees(), &weights).unwrap());
        let expected = model.predict(&batch).unwrap().dot(&Array1::from(weights.clone()));
        for (found, expected) in rebuilt.predict(&batch).unwrap().iter().zip(&expected) {
            prop_assert!((found - expected).abs() < ORDER);
        }
        prop_assert!(contrast_trees(model.trees(), &raw[..model.n_outputs() - 1]).is_err());
    }

    #[test]
    fn chunks_give_the_same_bits((trees, _) in ensembles(), batch in batches(), size in 1_usize..9) {
        let model = model_of(trees);
        let count = Count::new(&model);
        let chunk = Chunk::new(&count, size).unwrap();
        prop_assert_eq!(bits(&chunk.predict(&batch).unwrap()), bits(&model.predict(&batch).unwrap()));
        prop_assert_eq!(count.samples(), batch.nrows() as u64);
        prop_assert_eq!(count.calls(), batch.nrows().div_ceil(size).max(1) as u64);
    }

    #[test]
    fn cache_gives_the_same_bits((trees, _) in ensembles(), rows in prop::collection::vec(batches(), 1..4), size in 0_usize..9) {
        let model = model_of(trees);
        let cache = Cache::new(&model, size);
        for batch in rows.iter().chain(&rows) {
            prop_assert_eq!(bits(&cache.predict(batch).unwrap()), bits(&model.predict(batch).unwrap()));
            prop_assert!(cache.len() <= size);
        }
    }

    #[test]
    fn cache_asks_once(values in prop::collection::vec(0_u8..4, 0..30), size in 0_usize..5) {
        let count = Count::new(Function::by_row(|x| [x[0] + x[1], x[0]]));
        let cache = Cache::new(&count, size);
        let batch = Array2::from_shape_fn((values.len(), 2), |(i, j)| if j == 0 { f64::from(values[i]) } else { 1.0 });
        cache.predict(&batch).unwrap();
        let distinct: std::collections::HashSet<u8> = values.iter().copied().collect();
        prop_assert_eq!(count.samples(), distinct.len() as u64);
        cache.predict(&batch).unwrap();
        let forgotten = if size >= distinct.len() { 0 } else { distinct.len() };
        prop_assert!(count.samples() <= (distinct.len() + forgotten) as u64);
    }

    #[test]
    fn logit_undoes_the_logistic(margins in prop::collection::vec(-8.0..8.0_f64, 1..20)) {
        let model = Function::by_row(|x| [x[0]]);
        let probability = Linked::new(model, Link::LOGISTIC).unwrap();
        let margin = Linked::new(&probability, Transform::Logit).unwrap();
        let batch = Array2::from_shape_vec((margins.len(), 1), margins).unwrap();
        for (found, expected) in margin.predict(&batch).unwrap().iter().zip(&batch) {
            prop_assert!((found - expected).abs() < LOGIT, "{} for {}", found, expected);
        }
        prop_assert_eq!(margin.outputs()[0].scale, Scale::LogOdds);
    }

    #[test]
    fn linked_gradients_match_differences(x in prop::array::uniform2(0.2..0.8_f64), weights in prop::array::uniform2(-1.0..1.0_f64)) {
        // Scores stay within 0.1 and 0.9, where every function here is smooth.
        let model = Linear::new(array![[0.5, 0.3], [0.4, -0.2]], array![0.05, 0.3]).unwrap();
        let links = [
            Link::Identity, Link::Logistic { slope: 1.3 }, Link::Softmax, Link::Exp, Link::Softplus, Link::SignedSquare,
        ];
        let batch = Array2::from_shape_vec((1, 2), x.to_vec()).unwrap();
        let weights = Array2::from_shape_vec((1, 2), weights.to_vec()).unwrap();
        for transform in links.map(Transform::from).into_iter().chain([Transform::Logit, Transform::Log]) {
            let linked = Linked::new(&model, transform).unwrap();
            differentiate(&linked, &batch, &weights)?;
        }
        differentiate(&Select::new(&model, &[1, 1]).unwrap(), &batch, &weights)?;
        differentiate(&Chunk::new(&model, 1).unwrap(), &batch, &weights)?;
        let one = weights.columns().into_iter().next().unwrap().insert_axis(Axis(1)).to_owned();
        differentiate(&Contrast::between(&model, 1, 0).unwrap(), &batch, &one)?;
    }
}

fn differentiate<M: Differentiable<Batch = Table>>(
    model: &M,
    batch: &Array2<f64>,
    weights: &Array2<f64>,
) -> std::result::Result<(), TestCaseError> {
    const STEP: f64 = 1e-5;
    let gradient = model.vjp(batch, weights).unwrap();
    let value = |batch: &Array2<f64>| (model.predict(batch).unwrap() * weights).sum();
    for feature in 0..batch.ncols() {
        let moved = |step: f64| {
            let mut batch = batch.clone();
            batch[[0, feature]] += step;
            value(&batch)
        };
        let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        prop_assert!((gradient[[0, feature]] - difference).abs() < DIFFERENCE);
    }
    Ok(())
}

/// Where the function has no finite value the error says of which sample, output and score.
#[test]
fn a_transform_out_of_its_domain_names_the_sample() {
    let model = Function::by_row(|x| [0.5, x[0]]);
    let cases = [
        (Transform::Logit, 1.0, "the logit of the score 1"),
        (Transform::Logit, 0.0, "the logit of the score 0"),
        (Transform::Logit, -0.1, "the logit of the score -0.1"),
        (Transform::Log, 0.0, "the logarithm of the score 0"),
        (Transform::Link(Link::Exp), 800.0, "the exponential of the score 800"),
    ];
    for (transform, bad, words) in cases {
        let linked = Linked::new(&model, transform).unwrap();
        match linked.predict(&array![[0.5], [0.25], [bad]]) {
            Err(Error::NonFinite { what, sample: 2, column: 1, .. }) => assert_eq!(what, words),
            other => panic!("{transform:?} of {bad}: {other:?}"),
        }
    }
    let step = Linked::new(Linear::new(array![[1.0]], array![0.0]).unwrap(), Link::Step).unwrap();
    assert!(matches!(step.vjp(&array![[1.0]], &array![[1.0]]), Err(Error::Unsupported { .. })));
}

/// A softmax over part of the outputs would be another function; over all of them in another order it is not.
#[test]
fn a_part_of_a_softmax_has_no_link() {
    let trees = grow(vec![0.0; 3], Link::Softmax, &[]);
    assert_eq!(select_trees(&trees, &[2, 0]).unwrap().link, Link::Identity);
    assert_eq!(select_trees(&trees, &[2, 0, 1]).unwrap().link, Link::Softmax);
    assert_eq!(select_trees(&trees, &[2, 2, 1]).unwrap().link, Link::Identity);
    let elementwise = grow(vec![0.0; 3], Link::LOGISTIC, &[]);
    assert_eq!(select_trees(&elementwise, &[1]).unwrap().link, Link::LOGISTIC);
    assert!(matches!(select_trees(&trees, &[3]), Err(Error::Parameter { .. })));
}

#[test]
fn linear_models_stay_linear() {
    let model = Linear::new(array![[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]], array![0.5, 0.25, 0.125]).unwrap();
    let last = Select::new(&model, &[2, 0]).unwrap();
    assert_eq!(last.coefficients().to_owned(), array![[4.0, 1.0], [32.0, 8.0]]);
    assert_eq!(last.intercept().to_owned(), Array1::from(vec![0.125, 0.5]));
    let contrast = Contrast::new(&model, &[1.0, 0.0, -2.0]).unwrap();
    assert_eq!(contrast.coefficients().to_owned(), array![[-7.0], [-56.0]]);
    assert_eq!(contrast.intercept().to_owned(), Array1::from(vec![0.25]));
    let wrapped = Cache::new(Count::new(Chunk::new(&last, 2).unwrap()), 5);
    assert_eq!(wrapped.coefficients(), last.coefficients());
}

#[test]
fn contrasts_are_named_after_their_terms() {
    let named = |scale| vec![Output::new("cat", scale), Output::new("dog", scale), Output::new("owl", scale)];
    let model = |scale| Function::by_row(|x| [x[0], x[0], x[0]]).with_outputs(named(scale)).unwrap();
    let name = |weights: &[f64], scale| Contrast::new(model(scale), weights).unwrap().outputs()[0].clone();
    assert_eq!(name(&[-1.0, 0.0, 1.0], Scale::Margin), Output::new("owl − cat", Scale::Margin));
    assert_eq!(name(&[0.5, 0.5, -1.0], Scale::LogOdds), Output::new("0.5·cat + 0.5·dog − owl", Scale::Margin));
    assert_eq!(name(&[-1.0, -1.0, 0.0], Scale::Probability), Output::new("−cat − dog", Scale::Natural));
    assert_eq!(name(&[0.0, 1.0, 0.0], Scale::Probability), Output::new("dog", Scale::Probability));
}

#[test]
fn nonsense_is_refused_at_the_door() {
    let model = Function::by_row(|x| [x[0], x[0]]);
    let parameter = |outcome: Result<()>| assert!(matches!(outcome, Err(Error::Parameter { .. })), "{outcome:?}");
    parameter(Select::new(&model, &[]).map(drop));
    parameter(Select::new(&model, &[2]).map(drop));
    parameter(Contrast::between(&model, 1, 1).map(drop));
    parameter(Contrast::between(&model, 0, 2).map(drop));
    parameter(Contrast::new(&model, &[0.0, 0.0]).map(drop));
    parameter(Contrast::new(&model, &[f64::NAN, 0.0]).map(drop));
    parameter(Chunk::new(&model, 0).map(drop));
    parameter(Linked::new(Select::new(&model, &[0]).unwrap(), Link::Softmax).map(drop));
    parameter(Linked::new(&model, Link::Logistic { slope: 0.0 }).map(drop));
    assert!(matches!(Contrast::new(&model, &[1.0]), Err(Error::Shape { .. })));
}

/// Adaptors that need nothing of a table work on any batch.
#[test]
fn image_models_are_adapted_too() {
    let mean = |batch: &ArrayRef4<f32>| {
        batch.map_axis(Axis(3), |row| f64::from(row.sum())).sum_axis(Axis(2)).sum_axis(Axis(1)).insert_axis(Axis(1))
    };
    let model = Function::new(1, mean);
    let images = Array4::from_shape_fn((5, 1, 2, 2), |(n, ..)| n as f32);
    let count = Count::new(Linked::new(&model, Link::Exp).unwrap());
    let chunk = Chunk::new(&count, 2).unwrap();
    let scores = chunk.predict(&images).unwrap();
    assert_eq!(scores.column(0).to_vec(), [0.0, 4.0, 8.0, 12.0, 16.0].map(f64::exp));
    assert_eq!((count.samples(), count.calls()), (5, 3));
}

/// Two zeros, and two rows of NaN with other bits, are different rows.
#[test]
fn the_cache_compares_bits() {
    let count = Count::new(Function::by_row(|x| [1.0_f64.copysign(x[0])]));
    let cache = Cache::new(&count, 10);
    let scores = cache.predict(&array![[0.0], [-0.0], [0.0]]).unwrap();
    assert_eq!(scores.column(0).to_vec(), [1.0, -1.0, 1.0]);
    assert_eq!((count.samples(), cache.len()), (2, 2));
}

/// An error is not remembered, and a failed call leaves the cache as it was.
#[test]
fn the_cache_forgets_errors() {
    let fails = std::sync::atomic::AtomicBool::new(true);
    let model = Function::fallible(1, |batch: &Table| {
        if fails.load(std::sync::atomic::Ordering::Relaxed) { Err(Error::model("down")) } else { Ok(batch.to_owned()) }
    });
    let cache = Cache::new(&model, 10);
    assert!(cache.predict(&array![[1.0]]).is_err());
    assert!(cache.is_empty());
    fails.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(cache.predict(&array![[1.0]]).unwrap(), array![[1.0]]);
}
