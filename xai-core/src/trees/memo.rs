//! What is derived from trees, kept beside them.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;

/// How many derived things are kept: the one used longest ago gives way.
const MOST: usize = 8;

/// Things that were derived from one ensemble of trees, such as the plan of a sweep over them.
///
/// Explaining one row at a time would otherwise spend most of its time on deriving them anew. An ensemble never
/// changes, so nothing here ever grows stale. Clones share what they hold.
#[derive(Clone, Default)]
pub struct Memo {
    /// The key (a `K`), and what was made for it (an `Arc<T>`); the latest used last.
    entries: Arc<Mutex<Vec<Entry>>>,
}

type Entry = (Box<dyn Any + Send>, Box<dyn Any + Send>);

impl Memo {
    /// What was made for `key` before, or is made now.
    ///
    /// Threads that ask at once for the same may all make it; one of the results is kept.
    ///
    /// # Errors
    /// Those of `make`; then nothing is kept.
    pub fn get_or_make<K, T>(&self, key: K, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>>
    where
        K: PartialEq + Send + 'static,
        T: Send + Sync + 'static,
    {
        if let Some(known) = self.find(&key) {
            return Ok(known);
        }
        let made = Arc::new(make()?);
        if let Some(known) = self.find(&key) {
            return Ok(known);
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST {
            entries.remove(0);
        }
        entries.push((Box::new(key), Box::new(Arc::clone(&made))));
        Ok(made)
    }

    fn find<K: PartialEq + 'static, T: Send + Sync + 'static>(&self, key: &K) -> Option<Arc<T>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let place = entries.iter().position(|(known, made)| {
            known.downcast_ref::<K>().is_some_and(|known| known == key) && made.is::<Arc<T>>()
        })?;
        let entry = entries.remove(place);
        let found = entry.1.downcast_ref::<Arc<T>>().map(Arc::clone);
        entries.push(entry);
        found
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}
