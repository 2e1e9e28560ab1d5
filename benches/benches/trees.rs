//! Predicting and explaining ensembles of trees. One element is one row.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xai::core::{Explainer, Model, Run};
use xai::local::tree::{InterventionalTreeShap, TreeShap};
use xai_benches::{LARGE, SMALL, ensemble, rows};

const BATCH: usize = 256;
const BATCH_AGAINST_BACKGROUND: usize = 16;
const BACKGROUND: usize = 100;

fn predict(c: &mut Criterion) {
    let mut group = c.benchmark_group("predict");
    for size in [SMALL, LARGE] {
        let (model, batch) = (ensemble(size, 1), rows(BATCH, size.features, 2));
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::new("batch", size.name), |b| b.iter(|| model.predict(&batch).unwrap()));
        let row = rows(1, size.features, 3);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("row", size.name), |b| b.iter(|| model.predict(&row).unwrap()));
    }
}

fn path_dependent(c: &mut Criterion) {
    let mut group = c.benchmark_group("tree-shap");
    let run = Run::default();
    for size in [SMALL, LARGE] {
        let (model, batch) = (ensemble(size, 1), rows(BATCH, size.features, 2));
        let method = TreeShap::default();
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::new("batch", size.name), |b| {
            b.iter(|| method.explain(&model, &batch, &run).unwrap());
        });
        let row = rows(1, size.features, 3);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("row", size.name), |b| {
            b.iter(|| method.explain(&model, &row, &run).unwrap());
        });
    }
}

fn interventional(c: &mut Criterion) {
    let mut group = c.benchmark_group("interventional-tree-shap");
    let run = Run::default();
    for size in [SMALL, LARGE] {
        let (model, batch) = (ensemble(size, 1), rows(BATCH_AGAINST_BACKGROUND, size.features, 2));
        let method = InterventionalTreeShap::new(rows(BACKGROUND, size.features, 4));
        group.throughput(Throughput::Elements(BATCH_AGAINST_BACKGROUND as u64));
        group.bench_function(BenchmarkId::new("batch", size.name), |b| {
            b.iter(|| method.explain(&model, &batch, &run).unwrap());
        });
    }
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = short(); targets = predict, path_dependent, interventional }
criterion_main!(benches);
