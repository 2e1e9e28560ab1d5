//! Games whose Shapley values are known, and the definition to find others.

use std::sync::Mutex;

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use xai_core::{Game, Result};
use xai_local::shapley::{Ends, Estimate, Estimator};

/// A game by its formula, which notes what it is asked.
pub struct Formula<F> {
    pub n: usize,
    pub worth: F,
    pub asked: Mutex<Vec<Vec<bool>>>,
}

impl<F: Fn(&[bool]) -> f64 + Sync> Formula<F> {
    pub fn new(n: usize, worth: F) -> Self {
        Formula { n, worth, asked: Mutex::new(Vec::new()) }
    }

    pub fn shares(&self, estimator: &dyn Estimator, seed: u64) -> Result<Estimate> {
        let ends = Ends {
            empty: Array1::from_elem(1, (self.worth)(&vec![false; self.n])),
            full: Array1::from_elem(1, (self.worth)(&vec![true; self.n])),
        };
        estimator.estimate(self, &ends, seed)
    }
}

impl<F: Fn(&[bool]) -> f64 + Sync> Game for Formula<F> {
    fn n_players(&self) -> usize {
        self.n
    }

    fn n_outputs(&self) -> usize {
        1
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let rows: Vec<Vec<bool>> = coalitions.outer_iter().map(|row| row.to_vec()).collect();
        let worth = Array1::from_iter(rows.iter().map(|row| (self.worth)(row)));
        self.asked.lock().unwrap().extend(rows);
        Ok(worth.insert_axis(Axis(1)))
    }
}

/// The average over all orders of what each player adds: the definition, and no code of the crate.
pub fn over_all_orders(n: usize, worth: &dyn Fn(&[bool]) -> f64) -> Vec<f64> {
    fn visit(order: &mut Vec<usize>, n: usize, worth: &dyn Fn(&[bool]) -> f64, sums: &mut [f64], orders: &mut f64) {
        if order.len() == n {
            *orders += 1.0;
            let mut present = vec![false; n];
            for &player in order.iter() {
                let before = worth(&present);
                present[player] = true;
                sums[player] += worth(&present) - before;
            }
            return;
        }
        for player in 0..n {
            if !order.contains(&player) {
                order.push(player);
                visit(order, n, worth, sums, orders);
                order.pop();
            }
        }
    }
    let (mut sums, mut orders) = (vec![0.0; n], 0.0);
    visit(&mut Vec::new(), n, worth, &mut sums, &mut orders);
    sums.iter().map(|sum| sum / orders).collect()
}

/// Ten products of three different players of thirty, each of weight 3(j + 1): every member is owed j + 1.
pub fn triples(present: &[bool]) -> f64 {
    (0..10).filter(|j| (0..3).all(|k| present[(j * 3 + k * 7) % 30])).map(|j| 3.0 * (j + 1) as f64).sum()
}

pub fn owed() -> Vec<f64> {
    let mut owed = vec![0.0; 30];
    (0..10).for_each(|j| (0..3).for_each(|k| owed[(j * 3 + k * 7) % 30] += (j + 1) as f64));
    owed
}
