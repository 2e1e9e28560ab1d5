//! Streams of batches: the numbers, the budget, the errors and the end.

use std::ops::ControlFlow;
use std::sync::Mutex;

use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Explainer, Meter, Model, Observer, Provenance, Result, Run, Stream, Table, cut};

struct Sum;

impl Model for Sum {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1)))
    }
}

/// Values that follow from the seed of each sample; an evaluation for each row, and three more for each value of 7.
struct Drawn;

impl Explainer<Sum> for Drawn {
    type Explanation = Attribution;
    fn explain(&self, model: &Sum, batch: &Table, run: &Run) -> Result<Attribution> {
        let more = batch.iter().filter(|x| **x == 7.0).count() * 3;
        let meter = Meter::planned(run, (batch.nrows() + more) as u64)?;
        let scores = meter.predict(model, batch)?;
        meter.spend(more as u64)?;
        let drawn = |(i, j, _)| run.seed_of(i) as f64 * (j + 1) as f64;
        let values = Array3::from_shape_fn((batch.nrows(), batch.ncols(), 1), drawn);
        let provenance = Provenance::new("drawn", run).evaluations(meter.evaluations());
        Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, provenance)
    }
}

fn rows(n: usize) -> Array2<f64> {
    Array2::from_shape_fn((n, 2), |(i, j)| (2 * i + j) as f64)
}

proptest! {
    #[test]
    fn a_stream_gives_the_numbers_of_one_batch(sizes in prop::collection::vec(0usize..5, 0..8), first in 0u64..1000) {
        let n = sizes.iter().sum();
        let rows = rows(n);
        let run = Run { seed: 5, first_sample: first, ..Run::default() };
        let whole = Drawn.explain(&Sum, &rows, &run).unwrap();
        let mut start = 0;
        let batches = sizes.iter().map(|&size| {
            start += size;
            Ok(rows.slice_axis(Axis(0), (start - size..start).into()).to_owned())
        });
        let mut stream = Stream::new(&Drawn, &Sum, batches, &run);
        let parts: Vec<Attribution> = stream.by_ref().collect::<Result<_>>().unwrap();
        prop_assert_eq!(parts.len(), sizes.iter().filter(|&&size| size > 0).count());
        let values: Vec<f64> = parts.iter().flat_map(|part| part.values.iter().copied()).collect();
        prop_assert_eq!(values, whole.values.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(stream.next_sample(), first + n as u64);
        prop_assert_eq!(stream.evaluations(), whole.provenance.evaluations);
    }
}

/// Evaluations for six rows in batches of two: 2, then 2 + 3 for the seven, then 2.
#[test]
fn a_stream_keeps_one_budget() {
    let rows = rows(6);
    let run = |budget| Run { max_evaluations: Some(budget), ..Run::default() };
    let ends = |budget| {
        let mut stream = Stream::new(&Drawn, &Sum, cut(&*rows, 2).unwrap(), &run(budget));
        let error = stream.by_ref().find_map(Result::err);
        (error, stream.next_sample(), stream.evaluations())
    };
    assert!(matches!(ends(9), (None, 6, 9)));
    assert!(matches!(ends(8), (Some(Error::Budget { budget: 8, needed: 9 }), 4, 7)));
    assert!(matches!(ends(3), (Some(Error::Budget { budget: 3, needed: 7 }), 2, 2)));
}

#[test]
fn a_stream_ends_at_the_first_error() {
    let mut table = rows(9);
    table[[7, 1]] = f64::INFINITY;
    let run = Run { first_sample: 100, ..Run::default() };
    let mut stream = Stream::new(&Drawn, &Sum, cut(&*table, 3).unwrap(), &run);
    assert!(stream.next().unwrap().is_ok() && stream.next().unwrap().is_ok());
    let error = stream.next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("samples 106 to 108: scores of the model: sample 107"), "{error}");
    assert!(stream.next().is_none() && stream.next_sample() == 106);
    // What the reader says is handed on as it is.
    let broken = [Ok(rows(2)), Err(Error::parameter("file", 1, "2")), Ok(rows(2))];
    let mut stream = Stream::new(&Drawn, &Sum, broken, &run);
    assert!(stream.next().unwrap().is_ok());
    assert!(matches!(stream.next(), Some(Err(Error::Parameter { .. }))));
    assert!(stream.next().is_none());
}

/// Keeps what it is told, and stops at a number of evaluations.
struct Heard {
    told: Mutex<Vec<(u64, u64)>>,
    stop: u64,
}

impl Observer for Heard {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.told.lock().unwrap().push((done, total));
        if done >= self.stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Asks nobody, tells nobody.
struct Quiet;

impl Explainer<Sum> for Quiet {
    type Explanation = Attribution;
    fn explain(&self, model: &Sum, batch: &Table, run: &Run) -> Result<Attribution> {
        let values = batch.to_owned().insert_axis(Axis(2));
        let scores = model.predict(batch)?;
        let provenance = Provenance::new("quiet", run).evaluations(batch.nrows() as u64);
        Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, provenance)
    }
}

#[test]
fn a_stream_can_be_stopped_between_batches() {
    let heard = |stop| Heard { told: Mutex::default(), stop };
    let rows = rows(6);
    let observer = heard(4);
    let run = Run { observer: &observer, ..Run::default() };
    let mut stream = Stream::new(&Quiet, &Sum, cut(&*rows, 2).unwrap(), &run);
    assert!(matches!(stream.by_ref().find_map(Result::err), Some(Error::Cancelled { done: 4, total: 4 })));
    assert_eq!(stream.next_sample(), 4);
    // An explainer that tells its observer tells it of the whole stream.
    let observer = heard(u64::MAX);
    let run = Run { observer: &observer, ..Run::default() };
    assert!(Stream::new(&Drawn, &Sum, cut(&*rows, 2).unwrap(), &run).all(|part| part.is_ok()));
    let told = observer.told.into_inner().unwrap();
    assert!(told.contains(&(0, 2)) && told.contains(&(2, 7)) && told.contains(&(7, 9)), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0));
}

#[test]
fn batches_of_no_samples_are_refused() {
    assert!(matches!(cut(&*rows(3), 0).err(), Some(Error::Parameter { .. })));
    assert_eq!(cut(&*rows(0), 3).unwrap().count(), 0);
}
