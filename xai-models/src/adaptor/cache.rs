//! Rows that a model has scored before.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayRef2};
use xai_core::error::same_shape;
use xai_core::{Differentiable, Feature, Model, Output, Result, Table};

/// A model of tables that remembers the scores of the rows it has seen.
///
/// Rows are the same when all their bits are: 0.0 and −0.0 are two rows. Within one call no row goes to the model
/// twice, whatever the capacity. The oldest rows are forgotten first.
///
/// # Cost
/// For each row kept, 8 bytes a feature and an output, and about 100 bytes besides. Threads that ask for the same new
/// row at the same time may each ask the model.
///
/// # Laws
/// `cache_gives_the_same_bits`, `cache_asks_once`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::Model;
/// use xai_models::{adaptor::{Cache, Count}, function::Function};
/// let count = Count::new(Function::by_row(|x| [x[0]]));
/// let cache = Cache::new(&count, 100);
/// cache.predict(&array![[1.0], [2.0], [1.0]]).unwrap();
/// cache.predict(&array![[2.0], [3.0]]).unwrap();
/// assert_eq!(count.samples(), 3);
/// ```
#[derive(Debug)]
pub struct Cache<M> {
    model: M,
    capacity: usize,
    known: Mutex<Known>,
}

/// The bits of a row.
type Key = Arc<[u64]>;

#[derive(Debug, Default)]
struct Known {
    scores: HashMap<Key, Arc<[f64]>>,
    /// The oldest first.
    order: VecDeque<Key>,
}

/// Where the scores of a row come from.
enum Source {
    Known(Arc<[f64]>),
    /// The place among the rows that the model is asked for.
    Asked(usize),
}

impl<M: Model<Batch = Table>> Cache<M> {
    /// `model`, with a memory of at most `capacity` rows.
    pub fn new(model: M, capacity: usize) -> Self {
        Cache { model, capacity, known: Mutex::default() }
    }
}

impl<M> Cache<M> {
    /// The number of rows in memory.
    pub fn len(&self) -> usize {
        self.lock().order.len()
    }

    /// Whether no row is in memory.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere leaves whole entries behind: nothing between the two insertions can fail.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, rows: Vec<Key>, scores: &Array2<f64>) {
        let mut known = self.lock();
        for (key, scores) in rows.into_iter().zip(scores.outer_iter()) {
            if self.capacity == 0 || known.scores.contains_key(&key) {
                continue;
            }
            if known.order.len() >= self.capacity
                && let Some(oldest) = known.order.pop_front()
            {
                known.scores.remove(&oldest);
            }
            known.scores.insert(Arc::clone(&key), scores.iter().copied().collect());
            known.order.push_back(key);
        }
    }
}

impl<M: Model<Batch = Table>> Model for Cache<M> {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.model.n_outputs()
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        let mut asked: Vec<Key> = Vec::new();
        let mut places = Vec::new();
        let mut sources = Vec::with_capacity(batch.nrows());
        {
            let known = self.lock();
            let mut new: HashMap<Key, usize> = HashMap::new();
            for (sample, row) in batch.outer_iter().enumerate() {
                let key: Key = row.iter().map(|value| value.to_bits()).collect();
                sources.push(if let Some(scores) = known.scores.get(&key) {
                    Source::Known(Arc::clone(scores))
                } else if let Some(&place) = new.get(&key) {
                    Source::Asked(place)
                } else {
                    new.insert(Arc::clone(&key), asked.len());
                    places.push(sample);
                    asked.push(key);
                    Source::Asked(asked.len() - 1)
                });
            }
        }
        let fresh = if asked.is_empty() && batch.nrows() > 0 {
            Array2::zeros((0, self.n_outputs()))
        } else {
            let fresh = self.model.predict(&batch.select(ndarray::Axis(0), &places))?;
            same_shape("scores of the model", &[asked.len(), self.n_outputs()], fresh.shape())?;
            fresh
        };
        let mut scores = Array2::zeros((batch.nrows(), self.n_outputs()));
        for (mut row, source) in scores.outer_iter_mut().zip(&sources) {
            match source {
                Source::Known(known) => row.iter_mut().zip(known.iter()).for_each(|(slot, &value)| *slot = value),
                Source::Asked(place) => row.assign(&fresh.row(*place)),
            }
        }
        self.remember(asked, &fresh);
        Ok(scores)
    }

    fn features(&self) -> &[Feature] {
        self.model.features()
    }

    fn outputs(&self) -> &[Output] {
        self.model.outputs()
    }
}

/// Gradients are not remembered.
impl<M: Differentiable + Model<Batch = Table>> Differentiable for Cache<M> {
    fn vjp(&self, batch: &Table, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        self.model.vjp(batch, weights)
    }
}

super::forward_structure!(Cache);
