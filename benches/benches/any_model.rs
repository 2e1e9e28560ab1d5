//! Methods that only ask the model, each beside the bare calls of the model on as many rows: what lies between the two
//! is the method's own work. One element is one row that the model scores.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use xai::core::{Attribution, Explainer, Model, Run};
use xai::local::lime::{Bins, LimeTabular, Training};
use xai::local::linear::LinearShap;
use xai::local::masker::Background;
use xai::local::shapley::{Estimator, ExactShap, KernelShap, Masked, MaskedProducts, PermutationShap};
use xai::models::dense::Activation;
use xai::models::linear::Linear;
use xai::models::trees::TreeModel;
use xai_benches::{LARGE, SMALL, ensemble, network, rows};

const COALITIONS: usize = 2048;
const BACKGROUND: usize = 100;
/// Exact values take 4,094 coalitions of 12 players; a small background keeps the bench short.
const SMALL_BACKGROUND: usize = 10;
const TRAINING: usize = 2000;

fn games(c: &mut Criterion) {
    let model = ensemble(SMALL, 1);
    let background = |n| Background::new(rows(n, SMALL.features, 4)).unwrap();
    let kernel = KernelShap { n_coalitions: Some(COALITIONS) };
    play(c, "kernel-shap", &model, Masked { estimator: kernel, masker: background(BACKGROUND) });
    let permutation = PermutationShap::default();
    play(c, "permutation-shap", &model, Masked { estimator: permutation, masker: background(BACKGROUND) });
    play(c, "exact-shap", &model, Masked { estimator: ExactShap, masker: background(SMALL_BACKGROUND) });
}

fn play<E: Estimator>(c: &mut Criterion, name: &str, model: &TreeModel, method: Masked<E, Background>) {
    beside_bare_calls(c, name, model, &method);
}

/// A small network: the model is so fast that a method's own work shows.
fn networks(c: &mut Criterion) {
    let model = network(LARGE.features, Activation::Relu, 1);
    let background = Background::new(rows(BACKGROUND, LARGE.features, 4)).unwrap();
    let estimator = KernelShap { n_coalitions: Some(COALITIONS) };
    let before = Masked { estimator, masker: background.clone() };
    let behind = MaskedProducts { estimator, background };
    let (row, run) = (rows(1, LARGE.features, 3), Run::default());
    let asked = before.explain(&model, &row, &run).unwrap().provenance.evaluations;
    let bare = rows(asked as usize, LARGE.features, 6);
    let mut group = c.benchmark_group("kernel-shap of a network");
    group.throughput(Throughput::Elements(asked));
    group.bench_function("explain", |b| b.iter(|| before.explain(&model, &row, &run).unwrap()));
    group
        .bench_function("explain behind the first product", |b| b.iter(|| behind.explain(&model, &row, &run).unwrap()));
    group.bench_function("bare calls", |b| b.iter(|| model.predict(&bare).unwrap()));
}

fn lime(c: &mut Criterion) {
    let model = ensemble(SMALL, 1);
    let method = LimeTabular::new(Training::new(&rows(TRAINING, SMALL.features, 5), &[], Bins::Quartiles).unwrap());
    beside_bare_calls(c, "lime", &model, &method);
}

/// One row explained, and as many rows scored.
fn beside_bare_calls<E>(c: &mut Criterion, name: &str, model: &TreeModel, method: &E)
where
    E: Explainer<TreeModel, Explanation = Attribution>,
{
    let (row, run) = (rows(1, SMALL.features, 3), Run::default());
    let asked = method.explain(model, &row, &run).unwrap().provenance.evaluations;
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(asked));
    group.bench_function("explain", |b| b.iter(|| method.explain(model, &row, &run).unwrap()));
    bare(&mut group, model, &rows(asked as usize, SMALL.features, 6));
}

fn bare(group: &mut BenchmarkGroup<WallTime>, model: &TreeModel, batch: &Array2<f64>) {
    group.bench_function("bare calls", |b| b.iter(|| model.predict(batch).unwrap()));
}

fn linear(c: &mut Criterion) {
    let slopes = rows(SMALL.features, 1, 7);
    let model = Linear::new(slopes, ndarray::array![0.5]).unwrap();
    let method = LinearShap { background: Background::new(rows(BACKGROUND, SMALL.features, 4)).unwrap() };
    let (batch, run) = (rows(TRAINING, SMALL.features, 3), Run::default());
    let mut group = c.benchmark_group("linear-shap");
    group.throughput(Throughput::Elements(TRAINING as u64));
    group.bench_function("explain", |b| b.iter(|| method.explain(&model, &batch, &run).unwrap()));
    group.bench_function("bare calls", |b| b.iter(|| model.predict(&batch).unwrap()));
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = short(); targets = games, networks, lime, linear }
criterion_main!(benches);
