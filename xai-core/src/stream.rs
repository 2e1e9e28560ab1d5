//! Explanations of data that never lie in memory as a whole.

use std::borrow::Borrow;
use std::ops::ControlFlow;

use crate::{Batch, Error, Explainer, Explanation, Model, Observer, Result, Run};

/// Batches in, explanations out: one batch is read, explained and handed on before the next is asked for.
///
/// Every sample gets the numbers that it would get if all samples were one batch, since [`Run::first_sample`] moves on
/// with the stream; that holds for every explainer that draws its random choices by [`Run::seed_of`]. The budget of the
/// run is that of the whole stream, and its observer hears of the whole stream: `done` and `total` count from its
/// start, `total` as far as batches are known. The observer is asked between batches, too, so that every stream can be
/// stopped. After an error the stream ends; [`Stream::next_sample`] says where another may go on.
///
/// # Cost
/// Memory: one batch and its explanation, whatever the number of batches.
///
/// # Errors
/// An item is an error of the iterator, as it is; [`Error::Cancelled`]; [`Error::Budget`], with the numbers of the whole
/// stream; other errors of the explainer in [`Error::InSamples`], their samples counted as the whole data counts them.
///
/// # Laws
/// `a_stream_gives_the_numbers_of_one_batch`, `a_stream_keeps_one_budget`, `a_stream_ends_at_the_first_error`,
/// `a_stream_can_be_stopped_between_batches`.
///
/// # Example
/// ```
/// use ndarray::{array, Array2, Array3, Axis};
/// use xai_core::{Attribution, Explainer, Model, Provenance, Result, Run, Stream, Table, cut};
/// struct Sum;
/// impl Model for Sum {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<Array2<f64>> { Ok(batch.sum_axis(Axis(1)).insert_axis(Axis(1))) }
/// }
/// struct Own;
/// impl Explainer<Sum> for Own {
///     type Explanation = Attribution;
///     fn explain(&self, model: &Sum, batch: &Table, run: &Run) -> Result<Attribution> {
///         let scores = model.predict(batch)?;
///         let values = batch.to_owned().insert_axis(Axis(2));
///         Attribution::of_table(model, batch, values, Array2::zeros(scores.dim()), scores, Provenance::new("own", run))
///     }
/// }
/// let rows = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// let mut stream = Stream::new(&Own, &Sum, cut(&*rows, 2)?, &Run::default());
/// let sizes: Vec<usize> = stream.by_ref().map(|part| part.map(|a| a.n_samples())).collect::<Result<_>>()?;
/// assert_eq!((sizes, stream.next_sample()), (vec![2, 1], 3));
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct Stream<'a, M: ?Sized, E: ?Sized, I> {
    explainer: &'a E,
    model: &'a M,
    batches: I,
    run: Run<'a>,
    spent: u64,
    ended: bool,
}

impl<'a, M: ?Sized, E: ?Sized, I> Stream<'a, M, E, I> {
    /// A stream that explains `batches` one after the other; the first sample of the first is
    /// [`run.first_sample`](Run::first_sample).
    pub fn new<B>(
        explainer: &'a E,
        model: &'a M,
        batches: impl IntoIterator<Item = Result<B>, IntoIter = I>,
        run: &Run<'a>,
    ) -> Self
    where
        M: Model,
        E: Explainer<M>,
        B: Borrow<M::Batch>,
    {
        Stream { explainer, model, batches: batches.into_iter(), run: *run, spent: 0, ended: false }
    }

    /// The number, in the whole data, of the first sample that is not explained yet.
    pub fn next_sample(&self) -> u64 {
        self.run.first_sample
    }

    /// The evaluations spent on the batches that are explained.
    pub fn evaluations(&self) -> u64 {
        self.spent
    }
}

impl<M, E, I, B> Iterator for Stream<'_, M, E, I>
where
    M: Model + ?Sized,
    E: Explainer<M> + ?Sized,
    I: Iterator<Item = Result<B>>,
    B: Borrow<M::Batch>,
{
    type Item = Result<E::Explanation>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

impl<M: ?Sized, E: ?Sized, I> Stream<'_, M, E, I> {
    fn step<B>(&mut self) -> Option<Result<E::Explanation>>
    where
        M: Model,
        E: Explainer<M>,
        I: Iterator<Item = Result<B>>,
        B: Borrow<M::Batch>,
    {
        loop {
            if self.run.observer.progress(self.spent, self.spent).is_break() {
                return Some(Err(Error::Cancelled { done: self.spent, total: self.spent }));
            }
            match self.batches.next()? {
                Ok(batch) if batch.borrow().n_samples() == 0 => {}
                Ok(batch) => return Some(self.explain(batch.borrow())),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn explain(&mut self, batch: &M::Batch) -> Result<E::Explanation>
    where
        M: Model,
        E: Explainer<M>,
    {
        let observer = Later { observer: self.run.observer, before: self.spent };
        let left = self.run.max_evaluations.map(|budget| budget.saturating_sub(self.spent));
        let run = Run { max_evaluations: left, observer: &observer, ..self.run };
        let n = batch.n_samples() as u64;
        let explanation = self.explainer.explain(self.model, batch, &run).map_err(|error| self.placed(error, n))?;
        self.spent = self.spent.saturating_add(explanation.provenance().evaluations);
        self.run.first_sample = self.run.first_sample.saturating_add(n);
        Ok(explanation)
    }

    /// The error of a batch of `n` samples, as the whole stream sees it.
    fn placed(&self, error: Error, n: u64) -> Error {
        let first = self.run.first_sample;
        match error {
            Error::Budget { budget, needed } => {
                Error::Budget { budget: budget.saturating_add(self.spent), needed: needed.saturating_add(self.spent) }
            }
            Error::Cancelled { done, total } => {
                Error::Cancelled { done: done.saturating_add(self.spent), total: total.saturating_add(self.spent) }
            }
            // These speak of the method, whatever the samples.
            error @ (Error::Parameter { .. } | Error::Unknown { .. }) => error,
            error => {
                Error::InSamples { first, last: first.saturating_add(n - 1), source: Box::new(error.moved(first)) }
            }
        }
    }
}

/// Tells an observer what happens after `before` evaluations.
struct Later<'a> {
    observer: &'a dyn Observer,
    before: u64,
}

impl Observer for Later<'_> {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.observer.progress(self.before.saturating_add(done), self.before.saturating_add(total))
    }
}

/// The samples of `whole` in batches of `n_samples`, the last one perhaps smaller.
///
/// # Errors
/// [`Error::Parameter`] for batches of 0 samples.
///
/// # Example
/// ```
/// let sizes: Vec<usize> = xai_core::cut(&[1, 2, 3][..], 2)?.map(|batch| batch.unwrap().len()).collect();
/// assert_eq!(sizes, [2, 1]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn cut<B: Batch + ?Sized>(whole: &B, n_samples: usize) -> Result<impl Iterator<Item = Result<B::Owned>>> {
    if n_samples == 0 {
        return Err(Error::parameter("n_samples", n_samples, "at least 1"));
    }
    let n = whole.n_samples();
    Ok((0..n).step_by(n_samples).map(move |start| Ok(whole.samples(start..n.min(start.saturating_add(n_samples))))))
}
