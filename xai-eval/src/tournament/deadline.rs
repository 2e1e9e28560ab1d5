//! The moment at which a step must end.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use xai_core::{Error, Observer, Result};

/// How long a contest may still take.
pub(super) struct Clock {
    end: Option<Instant>,
}

impl Clock {
    /// A clock that starts now; without a time it never rings.
    pub fn start(time: Option<Duration>) -> Self {
        // A time beyond what the system can count is no limit.
        Clock { end: time.and_then(|time| Instant::now().checked_add(time)) }
    }

    /// Whether nothing may be begun any more.
    pub fn is_up(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// The moment at which a step that begins now must end: after half of what is left, so that one slow step leaves
    /// time for others.
    pub fn of_step(&self) -> Option<Instant> {
        let now = Instant::now();
        self.end.map(|end| now + end.saturating_duration_since(now) / 2)
    }
}

/// An observer that ends a step when its time is up.
pub(super) struct Deadline<'a> {
    observer: &'a dyn Observer,
    at: Option<Instant>,
    rang: AtomicBool,
}

impl<'a> Deadline<'a> {
    pub fn new(observer: &'a dyn Observer, at: Option<Instant>) -> Self {
        Deadline { observer, at, rang: AtomicBool::new(false) }
    }

    /// What a step found: `None` where the time ended it. Elsewhere what failed is a result, and what somebody stopped is
    /// not.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the observer stopped the step.
    pub fn found<T>(&self, found: Result<T>) -> Result<Option<Result<T>>> {
        match found {
            Err(Error::Cancelled { .. }) if self.rang.load(Ordering::Relaxed) => Ok(None),
            Err(error @ Error::Cancelled { .. }) => Err(error),
            other => Ok(Some(other)),
        }
    }
}

impl Observer for Deadline<'_> {
    fn progress(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.observer.progress(done, total)?;
        if self.at.is_some_and(|at| Instant::now() >= at) {
            self.rang.store(true, Ordering::Relaxed);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
