//! Methods that explain a whole model, each beside the bare calls of the model on as many rows. One element is one row
//! that the model scores.

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xai::core::{Explainer, Explanation, Link, Model, Run};
use xai::global::{AccumulatedLocalEffects, Grid, Labels, PartialDependence, PermutationImportance, mean_absolute};
use xai::local::tree::TreeShap;
use xai::models::adaptor::Linked;
use xai::models::trees::TreeModel;
use xai_benches::{SMALL, ensemble, rows};

const ROWS: usize = 2000;
const POINTS: usize = 20;

fn effects(c: &mut Criterion) {
    let model = ensemble(SMALL, 1);
    let one = vec![vec![0]];
    let grid = Grid::Even { n: POINTS, low: 0.05, high: 0.95 };
    let partial = PartialDependence { features: one.clone(), grid, ..Default::default() };
    beside_bare_calls(c, "partial-dependence", &model, &partial);
    let individual = PartialDependence { individual: true, ..partial };
    beside_bare_calls(c, "individual-conditional-expectation", &model, &individual);
    let accumulated = AccumulatedLocalEffects { features: one, n_bins: POINTS, ..Default::default() };
    beside_bare_calls(c, "accumulated-local-effects", &model, &accumulated);
}

fn importance(c: &mut Criterion) {
    let model = Linked::new(ensemble(SMALL, 1), Link::LOGISTIC).unwrap();
    let batch = rows(ROWS, SMALL.features, 2);
    let indices = batch.column(0).iter().map(|&x| usize::from(x > 0.5)).collect();
    let method = PermutationImportance::new(Labels::Classes { n: 2, indices });
    beside_bare_calls(c, "permutation-importance", &model, &method);
}

fn mean(c: &mut Criterion) {
    let model: TreeModel = ensemble(SMALL, 1);
    let attribution = TreeShap::default().explain(&model, &rows(ROWS, SMALL.features, 2), &Run::default()).unwrap();
    c.bench_function("mean-absolute-attribution/2000 rows", |b| b.iter(|| mean_absolute(&attribution).unwrap()));
}

/// The method on all rows, and as many rows scored as it asks for.
fn beside_bare_calls<M, E>(c: &mut Criterion, name: &str, model: &M, method: &E)
where
    M: Model<Batch = xai::core::Table>,
    E: Explainer<M>,
{
    let (batch, run) = (rows(ROWS, SMALL.features, 2), Run::default());
    let asked = method.explain(model, &batch, &run).unwrap().provenance().evaluations;
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(asked));
    group.bench_function("explain", |b| b.iter(|| method.explain(model, &batch, &run).unwrap()));
    let same = rows(asked as usize, SMALL.features, 6);
    group.bench_function("bare calls", |b| b.iter(|| model.predict(&same).unwrap()));
}

fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = short(); targets = effects, importance, mean }
criterion_main!(benches);
