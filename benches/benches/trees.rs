//! Predicting and explaining ensembles of trees. One element is one row.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use xai::core::{Explainer, Model, Run};
use xai::local::tree::{Algorithm, InterventionalTreeShap, TreeInteractions, TreeShap};
use xai::models::trees::TreeModel;
use xai_benches::{LARGE, SMALL, Size, ensemble, rows};

const BATCH: usize = 256;
const FEW: usize = 16;
const MANY: usize = 1000;
const BACKGROUND: usize = 100;

fn predict(c: &mut Criterion) {
    let mut group = c.benchmark_group("predict");
    for size in [SMALL, LARGE] {
        let model = ensemble(size, 1);
        for (name, n) in [("batch", BATCH), ("row", 1)] {
            let batch = rows(n, size.features, 2);
            group.throughput(Throughput::Elements(n as u64));
            group.bench_function(BenchmarkId::new(name, size.name), |b| b.iter(|| model.predict(&batch).unwrap()));
        }
    }
}

/// By each way of summing over coalitions.
fn path_dependent(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree-shap");
    for size in [SMALL, LARGE] {
        let model = ensemble(size, 1);
        let ways = [("", Algorithm::Auto), ("-quadrature", Algorithm::Quadrature), ("-tables", Algorithm::Tables)];
        for (way, algorithm) in ways {
            let method = TreeShap { algorithm, ..Default::default() };
            explain(&mut group, &format!("batch{way}"), size, &model, &method, BATCH);
            explain(&mut group, &format!("row{way}"), size, &model, &method, 1);
        }
    }
}

fn interactions(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree-interactions");
    for size in [SMALL, LARGE] {
        let model = ensemble(size, 1);
        for order in [2, 3] {
            let method = TreeInteractions { order, ..Default::default() };
            explain(&mut group, &format!("order-{order}"), size, &model, &method, FEW);
        }
    }
}

/// Against few background rows and against as many as there are rows.
fn interventional(c: &mut Criterion) {
    let mut group = c.benchmark_group("interventional-tree-shap");
    for size in [SMALL, LARGE] {
        let model = ensemble(size, 1);
        for (name, n, n_background) in [("few", FEW, BACKGROUND), ("many", MANY, MANY)] {
            let method = InterventionalTreeShap::new(rows(n_background, size.features, 4));
            explain(&mut group, name, size, &model, &method, n);
        }
    }
}

fn explain<E: Explainer<TreeModel>>(
    group: &mut BenchmarkGroup<WallTime>,
    name: &str,
    size: Size,
    model: &TreeModel,
    method: &E,
    n: usize,
) {
    let (batch, run): (Array2<f64>, _) = (rows(n, size.features, 2), Run::default());
    group.throughput(Throughput::Elements(n as u64));
    group
        .bench_function(BenchmarkId::new(name, size.name), |b| b.iter(|| method.explain(model, &batch, &run).unwrap()));
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = short(); targets = predict, path_dependent, interactions, interventional }
criterion_main!(benches);
