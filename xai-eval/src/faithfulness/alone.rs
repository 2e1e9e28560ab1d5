//! Groups of players that go one group at a time, all others staying.

use ndarray::{Array2, ArrayView1};
use xai_core::{Error, Result};

/// Groups of `step` players: in the order of the players themselves when each goes alone, which serves all outputs at
/// once, otherwise in an order for each output.
pub(crate) struct Alone {
    step: usize,
    n_players: usize,
    n_orders: usize,
    /// The number of groups.
    pub n_groups: usize,
}

impl Alone {
    /// # Errors
    /// [`Error::Parameter`] for a step of 0.
    pub fn new(step: usize, n_players: usize, n_outputs: usize) -> Result<Self> {
        if step == 0 {
            return Err(Error::parameter("step", step, "at least 1"));
        }
        let n_orders = if step == 1 { n_outputs.min(1) } else { n_outputs };
        Ok(Alone { step, n_players, n_orders, n_groups: n_players.div_ceil(step) })
    }

    /// How many coalitions a sample takes.
    pub fn n_coalitions(&self) -> usize {
        self.n_orders * self.n_groups
    }

    /// The orders, where `order` says that of an output.
    pub fn orders(&self, order: impl Fn(usize) -> Vec<usize>) -> Vec<Vec<usize>> {
        let own = |k: usize| if self.step == 1 { (0..self.n_players).collect() } else { order(k) };
        (0..self.n_orders).map(own).collect()
    }

    /// All but one group, group by group, order by order.
    pub fn coalitions(&self, orders: &[Vec<usize>]) -> Array2<bool> {
        let mut coalitions = Array2::from_elem((self.n_coalitions(), self.n_players), true);
        for (i, group) in orders.iter().flat_map(|order| order.chunks(self.step)).enumerate() {
            group.iter().for_each(|&player| coalitions[[i, player]] = false);
        }
        coalitions
    }

    /// The sums of `shares` over the groups of an output.
    pub fn sums(&self, orders: &[Vec<usize>], output: usize, shares: ArrayView1<f64>) -> Vec<f64> {
        let groups = orders[self.own(output)].chunks(self.step);
        groups.map(|group| group.iter().map(|&player| shares[player]).sum()).collect()
    }

    /// The part of a column (coalition) that belongs to the groups of an output.
    pub fn part<'v>(&self, output: usize, column: ArrayView1<'v, f64>) -> impl Iterator<Item = f64> + use<'v> {
        let from = self.own(output) * self.n_groups;
        let n = self.n_groups;
        (from..from + n).map(move |i| column[i])
    }

    fn own(&self, output: usize) -> usize {
        if self.n_orders == 1 { 0 } else { output }
    }
}
