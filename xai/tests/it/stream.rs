//! Every method by its name: a stream gives the numbers of one batch, for any cut and any number of threads.

use ndarray::{Array2, array};
use xai::core::trees::{Comparison, Missing};
use xai::core::{Document, Explainer, Feature, Link, Output, Result, Run, Scale, Stream, Table, cut};
use xai::models::linear::Linear;
use xai::models::trees::{Split, TreeBuilder, TreeModel};
use xai::registry::{Inputs, Method, Need, Registry, Settings, Subject, TableModel};

/// More players than can be tried in all coalitions within [`BUDGET`].
const N_FEATURES: usize = 7;
const BUDGET: &str = "n_coalitions=40";
const N_ROWS: usize = 9;

fn trees() -> TreeModel {
    let mut builder = TreeBuilder::new(N_FEATURES, vec![0.1], Link::LOGISTIC, Comparison::SINGLE_LESS);
    for feature in 0..N_FEATURES {
        let split = |feature: usize, left, right| {
            let feature = (feature % N_FEATURES) as u32;
            Split { feature, left, right, default_left: true, missing: Missing::Nan }
        };
        builder.start_tree(Some(0));
        builder.number_split(split(feature, 1, 2), 0.5, 10.0);
        builder.leaf(&[-1.0 - feature as f64], 4.0);
        builder.number_split(split(feature + 4, 3, 4), 0.3, 6.0);
        builder.leaf(&[0.3], 2.0);
        builder.leaf(&[1.7 + feature as f64 / 7.0], 4.0);
    }
    let outputs = vec![Output::new("class 1", Scale::LogOdds)];
    TreeModel::new(builder.finish().unwrap(), Feature::unnamed(N_FEATURES), outputs).unwrap()
}

fn rows(n: usize, offset: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, N_FEATURES), |(i, j)| (((i + offset) * 31 + j * 17) % 29) as f64 / 29.0)
}

/// A method by its name, with everything but the samples.
struct Named<'a> {
    method: &'a dyn Method,
    subject: Subject<'a>,
    background: &'a Table,
}

impl<'m> Explainer<TableModel<'m>> for Named<'_> {
    type Explanation = Document;
    fn explain(&self, _model: &TableModel<'m>, batch: &Table, run: &Run) -> Result<Document> {
        let (subject, background) = (self.subject, Some(self.background));
        let inputs = Inputs { subject, batch, background, background_weights: None, labels: None, groups: None, run };
        let spec = self.method.spec();
        let sampled = spec.parameters.iter().any(|parameter| parameter.name == "n_coalitions");
        let settings = Settings::from_pairs(spec, sampled.then_some(BUDGET))?;
        self.method.explain(&inputs, &settings)
    }
}

/// The bits of everything that belongs to single samples, sample by sample; `None` for an explanation of the model.
fn bits(document: &Document) -> Option<Vec<Vec<u64>>> {
    let (n, parts): (usize, Vec<Vec<f64>>) = match document {
        Document::Attribution(a) => {
            let all = |array: &ndarray::Array3<f64>| array.iter().copied().collect();
            let mut parts: Vec<Vec<f64>> = vec![all(&a.values), a.base.iter().copied().collect()];
            parts.push(a.scores.iter().copied().collect());
            parts.extend(a.standard_error.as_ref().map(all));
            parts.extend(a.fidelity.as_ref().map(|f| f.iter().copied().collect()));
            (a.n_samples(), parts)
        }
        Document::Interactions(i) => {
            let all = [i.values.iter().copied().collect(), i.scores.iter().copied().collect()];
            (i.scores.nrows(), all.to_vec())
        }
        _ => return None,
    };
    let of_sample = |sample: usize| {
        let share = |part: &Vec<f64>| part[part.len() / n * sample..part.len() / n * (sample + 1)].to_vec();
        parts.iter().flat_map(share).map(f64::to_bits).collect()
    };
    Some((0..n).map(of_sample).collect())
}

#[test]
fn every_method_streams_to_the_same_bits() {
    let registry = Registry::standard();
    let (trees, rows, background) = (trees(), rows(N_ROWS, 0), rows(2, 100));
    let slopes = Array2::from_shape_fn((N_FEATURES, 1), |(j, _)| j as f64 - 2.5);
    let linear = Linear::new(slopes, array![0.5]).unwrap();
    let run = Run { seed: 11, first_sample: 1_000_000_007, ..Run::default() };
    let mut n_methods = 0;
    for method in registry.methods() {
        let of_linear = method.spec().needs.contains(&Need::Linear);
        let subject = if of_linear { Subject::of_linear(&linear) } else { Subject::of_trees(&trees) };
        let model = subject.model;
        let named = Named { method, subject, background: &background };
        // Methods that need labels, and those that explain the model as a whole, do not stream.
        let Ok(whole) = named.explain(model, &rows, &run) else { continue };
        let Some(whole) = bits(&whole) else { continue };
        n_methods += 1;
        for (size, n_threads) in [(1, 1), (4, 2), (N_ROWS, 1), (2, 3)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            let found: Vec<Vec<u64>> = pool.install(|| {
                let stream = Stream::new(&named, model, cut(&*rows, size).unwrap(), &run);
                stream.flat_map(|part| bits(&part.unwrap()).unwrap()).collect()
            });
            let name = &method.spec().name;
            assert_eq!(found, whole, "{name}: batches of {size}, {n_threads} threads");
        }
    }
    assert!(n_methods >= 7, "only {n_methods} methods stream");
}
