//! Seeds, budgets, progress, cancellation.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use xai_core::{Error, Meter, Observer, Run};

#[test]
fn sub_seeds_follow_the_place_in_the_whole_data_not_in_the_batch() {
    let whole = Run { seed: 3, ..Run::default() };
    let cut = Run { seed: 3, first_sample: 5, ..Run::default() };
    assert_eq!(whole.seed_of(7), cut.seed_of(2));
    let mut seeds: Vec<u64> = (0..10_000).map(|i| whole.seed_of(i)).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 10_000);
}

#[test]
fn a_budget_is_never_exceeded_even_by_many_threads() {
    let run = Run { max_evaluations: Some(1000), ..Run::default() };
    let meter = Meter::new(&run, 5000);
    let granted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    match meter.spend(3) {
                        Ok(()) => drop(granted.fetch_add(3, Ordering::Relaxed)),
                        Err(Error::Budget { budget: 1000, needed: 5000 }) => {}
                        Err(other) => unreachable!("{other}"),
                    }
                }
            });
        }
    });
    assert_eq!(granted.into_inner(), 999);
    assert_eq!(meter.evaluations(), 999);
}

struct StopAt(u64);

impl Observer for StopAt {
    fn progress(&self, done: u64, _total: u64) -> ControlFlow<()> {
        if done >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn an_observer_stops_the_run() {
    let stop = StopAt(20);
    let run = Run { observer: &stop, ..Run::default() };
    let meter = Meter::new(&run, 100);
    let stopped = (0..100).find_map(|_| meter.spend(10).err()).unwrap();
    assert!(matches!(stopped, Error::Cancelled { done: 20, total: 100 }), "{stopped}");
}
