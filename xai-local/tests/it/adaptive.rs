//! Budgets that grow.

use std::collections::HashSet;

use xai_core::Error;
use xai_local::shapley::{
    Adaptive, Estimator, ExactShap, KernelShap, LeverageShap, OwenShap, PartitionTree, PermutationShap, Stop,
};

use crate::games::{Formula, owed, triples};

const SILENT: Stop = Stop { relative_error: None, top_k: None, level: 0.05, most_coalitions: 4000 };

fn ratio(estimator: &dyn Estimator, seed: u64) -> f64 {
    let estimate = Formula::new(30, triples).shares(estimator, seed).unwrap();
    let fold = |start: f64, choose: fn(f64, f64) -> f64| estimate.values.iter().copied().fold(start, choose);
    let range = fold(f64::NEG_INFINITY, f64::max) - fold(f64::INFINITY, f64::min);
    estimate.standard_error.unwrap().iter().copied().fold(0.0, f64::max) / range
}

/// The look that is good enough is the first that is, and is what the estimator gives with that budget alone.
#[test]
fn a_run_stops_when_it_may() {
    // 4 · 30 + 64, and twice as many each time.
    let looks = [184, 368, 736, 1472, 2944, 4000];
    for relative_error in [0.5, 0.25, 0.1] {
        let stop = Stop { relative_error: Some(relative_error), ..SILENT };
        let adaptive = Adaptive { estimator: LeverageShap::default(), stop };
        let game = Formula::new(30, triples);
        let mut found = game.shares(&adaptive, 4).unwrap();
        let at = |n: usize| LeverageShap { n_coalitions: Some(n) };
        let enough = looks.into_iter().find(|&look| ratio(&at(look), 4) <= relative_error).unwrap();
        assert_eq!(
            found.notes.pop().unwrap(),
            format!("stopped at {enough} coalitions: the relative error is at most {relative_error}")
        );
        assert_eq!(found, Formula::new(30, triples).shares(&at(enough), 4).unwrap());
        let asked = game.asked.into_inner().unwrap();
        assert_eq!(asked.len(), enough);
        assert_eq!(asked.iter().collect::<HashSet<_>>().len(), enough);
    }
}

#[test]
fn a_run_never_asks_more_than_the_most() {
    let rules = Stop { relative_error: Some(1e-9), top_k: Some(5), ..SILENT };
    let estimators = || -> [Box<dyn Estimator>; 4] {
        [
            Box::new(KernelShap::default()),
            Box::new(LeverageShap::default()),
            Box::new(PermutationShap::default()),
            Box::new(OwenShap::new(PartitionTree::flat(30))),
        ]
    };
    for most_coalitions in [60, 61, 200, 777, 3000] {
        for estimator in estimators() {
            let game = Formula::new(30, triples);
            let adaptive = Adaptive { estimator, stop: Stop { most_coalitions, ..rules } };
            let estimate = game.shares(&adaptive, 1).unwrap();
            let asked = game.asked.into_inner().unwrap().len() as u64;
            assert_eq!(asked, estimate.coalitions);
            assert!(asked <= adaptive.coalitions(30).unwrap() && asked <= most_coalitions as u64);
            let last = estimate.notes.last().unwrap();
            let over = ["the most coalitions allowed, and no other rule holds", "the estimator takes no more"];
            assert!(over.iter().any(|why| last.ends_with(why)), "{last}");
        }
    }
}

/// Of 100 runs at a level of 5 %, no more than some miss the first three or their order.
#[test]
fn settled_ranks_are_right() {
    // Members of a triple are equal: a weight each sets them, and all others, apart.
    let lift = |player: usize| 8.0 * player as f64;
    let worth = |present: &[bool]| triples(present) + (0..30).filter(|&p| present[p]).map(lift).sum::<f64>();
    let mut order: Vec<usize> = (0..30).collect();
    order.sort_by(|&a, &b| (owed()[b] + lift(b)).total_cmp(&(owed()[a] + lift(a))));
    let stop = Stop { top_k: Some(3), most_coalitions: 1 << 14, ..SILENT };
    let mut wrong = 0;
    let mut fewest = u64::MAX;
    for seed in 0..100 {
        let adaptive = Adaptive { estimator: KernelShap::default(), stop };
        let estimate = Formula::new(30, worth).shares(&adaptive, seed).unwrap();
        assert!(estimate.notes.last().unwrap().ends_with("the first 3 are settled"), "{:?}", estimate.notes);
        let mut found: Vec<usize> = (0..30).collect();
        found.sort_by(|&a, &b| estimate.values[[b, 0]].total_cmp(&estimate.values[[a, 0]]));
        wrong += usize::from(found[..3] != order[..3]);
        fewest = fewest.min(estimate.coalitions);
    }
    assert!(wrong <= 5, "{wrong} of 100");
    assert!(fewest < 1 << 11);
}

/// Where nothing is left to gain, or to judge.
#[test]
fn exact_values_end_at_once() {
    let stop = Stop { relative_error: Some(1e-3), ..SILENT };
    let small = Formula::new(6, |present: &[bool]| f64::from(u8::from(present[0] && present[3] && present[5])));
    let estimate = small.shares(&Adaptive { estimator: KernelShap::default(), stop }, 0).unwrap();
    assert_eq!(estimate.coalitions, 62);
    assert_eq!(estimate.notes.last().unwrap(), "stopped at 62 coalitions: the estimator takes no more");
    let line = Formula::new(50, |present: &[bool]| present.iter().filter(|p| **p).count() as f64);
    let estimate =
        line.shares(&Adaptive { estimator: KernelShap::default(), stop: Stop { top_k: Some(50), ..stop } }, 0);
    assert_eq!(estimate.unwrap().coalitions, 264);
}

#[test]
fn rules_out_of_range_are_errors() {
    let check = |stop: Stop| Adaptive { estimator: KernelShap::default(), stop }.coalitions(30).unwrap_err();
    for stop in [
        Stop { relative_error: Some(0.0), ..SILENT },
        Stop { relative_error: Some(f64::NAN), ..SILENT },
        Stop { top_k: Some(0), ..SILENT },
        Stop { level: 1.0, ..SILENT },
        Stop { most_coalitions: 59, ..SILENT },
    ] {
        let error = check(stop);
        assert!(matches!(error, Error::Parameter { .. }), "{error}");
    }
    let error = Adaptive { estimator: ExactShap, stop: SILENT }.coalitions(5).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
}
