//! The scores while players go, or come, in an order.

use ndarray::{Array1, Array2, Array3};
use xai_core::{Meter, Model, Result, Run};

use crate::games::Games;

/// How many players have gone after each of `n_steps` groups of (nearly) the same size, from none to all.
pub(crate) fn steps(n_players: usize, n_steps: usize) -> Vec<usize> {
    let n_steps = n_steps.min(n_players).max(1);
    (0..=n_steps).map(|step| n_players * step / n_steps).collect()
}

/// Coalitions along an order of the players: all but (or only) the first few.
pub(crate) struct Paths<'g, 'a, M: Model + ?Sized> {
    pub games: &'g Games<'a, M>,
    /// How many players have gone, or come, at each point.
    pub counts: &'g [usize],
    /// Players come instead of going.
    pub insertion: bool,
}

impl<M: Model + ?Sized> Paths<'_, '_, M> {
    /// How many players are present at each point.
    fn present(&self) -> impl Iterator<Item = usize> + '_ {
        self.counts.iter().map(|&n| if self.insertion { n } else { self.games.n_players - n })
    }

    /// A meter for `n_orders` orders a sample.
    ///
    /// # Errors
    /// [`Error::Budget`](xai_core::Error::Budget) when the run allows fewer.
    pub fn meter<'r>(&self, run: &'r Run<'r>, n_orders: usize) -> Result<Meter<'r>> {
        let games = self.games;
        let (n, replicas) = (games.n_samples as u64, games.replicas());
        let between = self.present().filter(|&n| n > 0 && n < games.n_players).count() as u64;
        let along = n.saturating_mul(n_orders as u64).saturating_mul(between).saturating_mul(replicas);
        let empty = match self.present().any(|n| n == 0) {
            true if games.empty_is_shared() => replicas.min(n.saturating_mul(replicas)),
            true => n.saturating_mul(replicas),
            false => 0,
        };
        let whole = if self.present().any(|n| n == games.n_players) { n } else { 0 };
        Meter::planned(run, along.saturating_add(empty).saturating_add(whole))
    }

    /// The scores (sample, point, output) where output k goes along the order that `order` gives for a sample and k.
    ///
    /// # Errors
    /// Those of the model and of the masker.
    pub fn scores(&self, meter: &Meter, order: impl Fn(usize, usize) -> Vec<usize>) -> Result<Array3<f64>> {
        let games = self.games;
        let (n_players, n_outputs) = (games.n_players, games.n_outputs);
        let mut scores = Array3::zeros((games.n_samples, self.counts.len(), n_outputs));
        let present: Vec<usize> = self.present().collect();
        let between: Vec<usize> = (0..present.len()).filter(|&p| present[p] > 0 && present[p] < n_players).collect();
        let whole = if present.contains(&n_players) { Some(games.whole(meter)?) } else { None };
        let mut shared: Option<Array1<f64>> = None;
        for sample in 0..games.n_samples {
            let mut coalitions = Array2::from_elem((between.len() * n_outputs, n_players), !self.insertion);
            for k in 0..n_outputs {
                let order = order(sample, k);
                for (i, &point) in between.iter().enumerate() {
                    let mut row = coalitions.row_mut(k * between.len() + i);
                    order[..self.counts[point]].iter().for_each(|&player| row[player] = self.insertion);
                }
            }
            let worth = games.worth(sample, &coalitions, meter)?;
            for k in 0..n_outputs {
                for (i, &point) in between.iter().enumerate() {
                    scores[[sample, point, k]] = worth[[k * between.len() + i, k]];
                }
            }
            if let Some(whole) = &whole {
                let points = (0..present.len()).filter(|&p| present[p] == n_players);
                points.for_each(|p| (0..n_outputs).for_each(|k| scores[[sample, p, k]] = whole[[sample, k]]));
            }
            if present.contains(&0) && n_players > 0 {
                let empty = match shared.take() {
                    Some(empty) => empty,
                    None => games.empty(sample, meter)?,
                };
                let points = (0..present.len()).filter(|&p| present[p] == 0);
                points.for_each(|p| (0..n_outputs).for_each(|k| scores[[sample, p, k]] = empty[k]));
                shared = games.empty_is_shared().then_some(empty);
            }
        }
        Ok(scores)
    }
}
