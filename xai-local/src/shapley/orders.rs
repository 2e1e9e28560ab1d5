//! The mean of what players add when they join in some orders.

use ndarray::Array2;
use xai_core::{Game, Result};

use super::coalitions::{Coalitions, add, nobody};
use super::{Ends, Estimate};

/// The mean contribution over orders of all players, of which `each` in a row depend on each other; its standard error
/// is that of the mean over such units. For two players and more.
pub(super) fn mean_contribution(game: &dyn Game, ends: &Ends, orders: &[Vec<usize>], each: usize) -> Result<Estimate> {
    let mut coalitions = Coalitions::default();
    // For each order the places of its prefixes of 1 to n − 1 players.
    let prefixes: Vec<Vec<usize>> = orders.iter().map(|order| insert_prefixes(order, &mut coalitions)).collect();
    let worth = coalitions.worth(game)?;

    let mut mean = Array2::<f64>::zeros((game.n_players(), game.n_outputs()));
    let mut squares = mean.clone();
    let units = orders.len() / each;
    for unit in 0..units {
        let mut shares = Array2::<f64>::zeros(mean.dim());
        for k in unit * each..(unit + 1) * each {
            let mut before = ends.empty.view();
            for (step, &player) in orders[k].iter().enumerate() {
                let after = prefixes[k].get(step).map_or(ends.full.view(), |&place| worth.row(place));
                shares.row_mut(player).scaled_add(1.0 / each as f64, &(&after - &before));
                before = after;
            }
        }
        // Welford's update: no cancellation where the spread is small beside the mean.
        let ahead = &shares - &mean;
        mean.scaled_add(1.0 / (unit + 1) as f64, &ahead);
        squares += &(ahead * (&shares - &mean));
    }
    let standard_error = (units > 1).then(|| squares.mapv(|s| (s.max(0.0) / (units - 1) as f64 / units as f64).sqrt()));
    let estimate = Estimate { values: mean, standard_error, coalitions: coalitions.len() as u64, notes: Vec::new() };
    Ok(match units {
        1 => estimate.note("no standard error: a single order (or pair of orders) was drawn"),
        _ => estimate,
    })
}

fn insert_prefixes(order: &[usize], coalitions: &mut Coalitions) -> Vec<usize> {
    let mut prefix = nobody(order.len());
    order[..order.len() - 1]
        .iter()
        .map(|&player| {
            add(&mut prefix, player);
            coalitions.insert(prefix.clone()).0
        })
        .collect()
}
