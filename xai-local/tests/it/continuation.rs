//! A larger budget goes on where a smaller one stopped.

use std::collections::HashSet;
use std::sync::Mutex;

use ndarray::{Array2, ArrayRef2, Axis, array};
use proptest::prelude::*;
use xai_core::{Error, Game, Result};
use xai_local::shapley::{
    Ends, Estimator, ExactShap, KernelShap, Known, LeverageShap, OwenShap, PartitionTree, PermutationShap,
};

/// Two rugged outputs for any number of players; notes what it is asked.
struct Rugged {
    n: usize,
    asked: Mutex<Vec<Vec<bool>>>,
}

impl Rugged {
    fn new(n: usize) -> Self {
        Rugged { n, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<Vec<bool>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Game for Rugged {
    fn n_players(&self) -> usize {
        self.n
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let mut worth = Array2::zeros((coalitions.nrows(), 2));
        for (row, mut worth) in coalitions.outer_iter().zip(worth.axis_iter_mut(Axis(0))) {
            let sum: f64 =
                row.iter().enumerate().map(|(p, here)| if *here { (p * 7 % 5) as f64 - 1.5 } else { 0.1 }).sum();
            worth.assign(&array![sum.sin(), (0.1 * sum).exp() * f64::from(row[0])]);
            self.asked.lock().unwrap().push(row.to_vec());
        }
        Ok(worth)
    }
}

fn estimators(n: usize) -> [Box<dyn Estimator>; 5] {
    [
        Box::new(KernelShap::default()),
        Box::new(OwenShap::new(PartitionTree::flat(n).halved())),
        Box::new(LeverageShap::default()),
        Box::new(PermutationShap::default()),
        Box::new(PermutationShap { antithetic: false, ..PermutationShap::default() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The result of a warm run is, bit for bit, that of a cold one, which asks for no coalition more.
    #[test]
    fn a_warm_run_is_a_cold_run(n in 2usize..40, first in 0usize..300, second in 0usize..300, seed: u64) {
        let (small, large) = (2 * n + first, 2 * n + first + second);
        for estimator in estimators(n) {
            let at = |budget: usize| estimator.with_coalitions(budget).unwrap();
            let warm_game = Rugged::new(n);
            let ends = Ends::of(&Rugged::new(n)).unwrap();
            let known = Known::new(&warm_game);
            at(small).estimate(&known, &ends, seed).unwrap();
            prop_assert!(known.len() <= small, "{} asked {} of {small}", estimator.name(), known.len());
            let warm = at(large).estimate(&known, &ends, seed).unwrap();
            let cold_game = Rugged::new(n);
            let cold = at(large).estimate(&cold_game, &ends, seed).unwrap();
            prop_assert_eq!(&warm, &cold);
            let asked = warm_game.asked();
            let (warm_set, cold_set): (HashSet<_>, HashSet<_>) =
                (asked.iter().cloned().collect(), cold_game.asked().into_iter().collect());
            prop_assert_eq!(warm_set.len(), asked.len());
            prop_assert!(warm_set == cold_set, "{} is not nested", estimator.name());
            prop_assert_eq!(known.len(), asked.len());
            prop_assert_eq!(cold.coalitions, asked.len() as u64);
        }
    }
}

#[test]
fn known_coalitions_are_asked_once() {
    let game = Rugged::new(3);
    let known = Known::new(&game);
    assert!(known.is_empty());
    let rows = array![[true, false, false], [true, true, false], [true, false, false]];
    let told = known.worth(&rows).unwrap();
    assert_eq!(told, Rugged::new(3).worth(&rows).unwrap());
    known.worth(&array![[true, true, false], [true, true, true]]).unwrap();
    assert_eq!(game.asked().len(), 3);
    assert_eq!(known.len(), 3);

    let (coalitions, worth) = known.all();
    assert_eq!(coalitions, array![[true, false, false], [true, true, false], [true, true, true]]);
    let unasked = Rugged::new(3);
    let taught = Known::new(&unasked);
    taught.learn(&coalitions, &worth).unwrap();
    assert_eq!(taught.worth(&rows).unwrap(), told);
    assert!(unasked.asked().is_empty());
}

#[test]
fn known_coalitions_have_a_bound() {
    let game = Rugged::new(12);
    let known = Known::within(&game, 1000);
    let ends = Ends::of(&game).unwrap();
    let error = ExactShap.estimate(&known, &ends, 0).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000, .. }), "{error}");
    let error = known.worth(&Array2::from_elem((1, 11), true)).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}
