//! Coalitions of many samples, asked in few calls of the model.

use std::borrow::Borrow;
use std::num::NonZero;
use std::sync::OnceLock;

use ndarray::{Array2, ArrayRef2, Axis, Slice};
use xai_core::error::same_shape;
use xai_core::{Batch, Meter, Model, Owned, Result};

use crate::games::Games;

/// How many masked samples one call of the model scores at most.
const SAMPLES_PER_CALL: usize = 4096;

/// From so many masked samples on the model is asked: fewer leave threads idle, more leave the cache and ask the system for
/// new memory again and again. No number hangs on it.
fn gathered() -> usize {
    static ROWS: OnceLock<usize> = OnceLock::new();
    let threads = || std::thread::available_parallelism().map_or(1, NonZero::get);
    *ROWS.get_or_init(|| (32 * threads()).clamp(64, 1024))
}

/// What a score counts for a coalition: (sample, output, score).
pub(crate) type Term<'k> = &'k dyn Fn(usize, usize, f64) -> f64;

/// Questions about the coalitions of samples, gathered until they fill a call. The answers are the weighted means, over the
/// replicas of a coalition, of a term of the score; they come in the order of the questions.
pub(crate) struct Asking<'k, 'a, M: Model + ?Sized, T> {
    games: &'k Games<'a, M>,
    meter: &'k Meter<'k>,
    term: Term<'k>,
    questions: Vec<Question<T>>,
    parts: Vec<Part<Owned<M>>>,
    n_rows: usize,
}

/// What was asked, and its answer as far as it is known.
struct Question<T> {
    sample: usize,
    with: T,
    /// (coalition, output).
    values: Array2<f64>,
}

/// Masked samples that the model has not seen yet.
struct Part<O> {
    question: usize,
    /// The first coalition of the question that is in it.
    first: usize,
    samples: O,
    /// The weight of each sample.
    weights: Vec<f64>,
    /// The place behind each coalition's last sample.
    ends: Vec<usize>,
}

impl<'k, 'a, M: Model + ?Sized, T> Asking<'k, 'a, M, T> {
    pub fn new(games: &'k Games<'a, M>, meter: &'k Meter<'k>, term: Term<'k>) -> Self {
        Asking { games, meter, term, questions: Vec::new(), parts: Vec::new(), n_rows: 0 }
    }

    /// Asks about coalitions (coalition, player) of a sample; `with` comes back with the answer (coalition, output).
    ///
    /// # Errors
    /// Those of the model and of the masker.
    pub fn ask(
        &mut self,
        sample: usize,
        coalitions: &ArrayRef2<bool>,
        with: T,
        see: &mut dyn FnMut(usize, T, Array2<f64>),
    ) -> Result<()> {
        let games = self.games;
        let n = coalitions.nrows();
        self.questions.push(Question { sample, with, values: Array2::zeros((n, games.n_outputs)) });
        let at_once = games.masker.samples_at_once(games.batch).clamp(1, SAMPLES_PER_CALL);
        let step = (at_once / games.masker.weights().len().max(1)).max(1);
        for first in (0..n).step_by(step) {
            let chunk = coalitions.slice_axis(Axis(0), Slice::from(first..n.min(first + step)));
            let part = self.masked(sample, first, &chunk)?;
            let enough = gathered().min(at_once);
            // What fills a call by itself is not copied to stand behind others.
            if self.n_rows + part.weights.len() > at_once || part.weights.len() >= enough {
                self.call()?;
            }
            self.n_rows += part.weights.len();
            self.parts.push(Part { question: self.questions.len() - 1, ..part });
            if self.n_rows >= enough {
                self.call()?;
            }
        }
        if self.parts.is_empty() {
            self.answer(see);
        }
        Ok(())
    }

    /// Asks what is left.
    ///
    /// # Errors
    /// As [`Asking::ask`].
    pub fn finish(mut self, see: &mut dyn FnMut(usize, T, Array2<f64>)) -> Result<()> {
        self.call()?;
        self.answer(see);
        Ok(())
    }

    fn answer(&mut self, see: &mut dyn FnMut(usize, T, Array2<f64>)) {
        self.questions.drain(..).for_each(|question| see(question.sample, question.with, question.values));
    }

    fn masked(&self, sample: usize, first: usize, coalitions: &ArrayRef2<bool>) -> Result<Part<Owned<M>>> {
        let (games, n) = (self.games, coalitions.nrows());
        let part = match games.masker.replicas(games.batch, sample, coalitions)? {
            Some(found) => {
                Part { question: 0, first, samples: found.samples, weights: found.weights, ends: found.ends }
            }
            None => {
                let each = games.masker.weights();
                let samples = games.masker.mask(games.batch, sample, coalitions)?;
                let weights = each.repeat(n);
                Part { question: 0, first, samples, weights, ends: (1..=n).map(|c| c * each.len()).collect() }
            }
        };
        let samples: &M::Batch = part.samples.borrow();
        same_shape("masked samples", &[part.weights.len()], &[samples.n_samples()])?;
        same_shape("ends of the replicas (coalition)", &[n], &[part.ends.len()])?;
        let rising = part.ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let last = if rising { part.ends.last().copied().unwrap_or(0) } else { 0 };
        same_shape("ends of the replicas, which must rise to their number", &[part.weights.len()], &[last])?;
        Ok(part)
    }

    /// Asks the model about all that was gathered.
    fn call(&mut self) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        self.n_rows = 0;
        let batches: Vec<&M::Batch> = parts.iter().map(|part| part.samples.borrow()).collect();
        let joined = if batches.len() > 1 { M::Batch::joined(&batches)? } else { None };
        let together = joined.map(|batch| self.meter.predict(self.games.model, batch.borrow())).transpose()?;
        let mut before = 0;
        for (part, batch) in parts.iter().zip(batches) {
            match &together {
                Some(scores) => self.note(part, scores, before),
                None => {
                    let scores = self.meter.predict(self.games.model, batch)?;
                    self.note(part, &scores, 0);
                }
            }
            before += part.weights.len();
        }
        Ok(())
    }

    /// Takes the answers to a part out of scores (sample, output), in which its own begin at `before`.
    fn note(&mut self, part: &Part<Owned<M>>, scores: &Array2<f64>, before: usize) {
        let question = &mut self.questions[part.question];
        let mut from = 0;
        for (c, &to) in part.ends.iter().enumerate() {
            for (k, value) in question.values.row_mut(part.first + c).iter_mut().enumerate() {
                let term = |r: usize| part.weights[r] * (self.term)(question.sample, k, scores[[before + r, k]]);
                *value = (from..to).map(term).sum();
            }
            from = to;
        }
    }
}
