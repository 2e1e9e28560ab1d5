//! Thousands of players: words of a text, superpixels.

use ndarray::{Array2, ArrayRef2};
use xai_core::{Game, Result};
use xai_local::shapley::{Ends, Estimator, KernelShap, LeverageShap, OwenShap, PartitionTree, PermutationShap};

/// How many.
const N: usize = 2000;

/// Sums of thousands of numbers near 1 in f64.
const ROUNDING: f64 = 1e-8;

/// Two outputs: what each player is worth alone, and the same with a pair that is worth more.
struct Crowd;

fn alone(player: usize) -> f64 {
    ((player * 37) % 101) as f64 / 50.0 - 1.0
}

/// The players of the pair, and what it adds.
const PAIR: (usize, usize, f64) = (3, 1998, 40.0);

impl Game for Crowd {
    fn n_players(&self) -> usize {
        N
    }

    fn n_outputs(&self) -> usize {
        2
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let mut worth = Array2::zeros((coalitions.nrows(), 2));
        for (coalition, mut worth) in coalitions.rows().into_iter().zip(worth.rows_mut()) {
            let sum: f64 = coalition.iter().enumerate().filter(|(_, here)| **here).map(|(p, _)| alone(p)).sum();
            worth[0] = sum;
            worth[1] = sum + if coalition[PAIR.0] && coalition[PAIR.1] { PAIR.2 } else { 0.0 };
        }
        Ok(worth)
    }
}

/// Runs an estimator with few coalitions; its values are the closed form where it is exact for pairs.
fn serves(estimator: &dyn Estimator, exact: bool) {
    let name = estimator.name();
    let budget = 2 * N + 100;
    let estimator = estimator.with_coalitions(budget).unwrap();
    let ends = Ends::of(&Crowd).unwrap();
    let found = estimator.estimate(&Crowd, &ends, 5).unwrap();
    assert!(found.coalitions <= budget as u64, "{name}: {}", found.coalitions);
    for output in 0..2 {
        let left = found.values.column(output).sum() - ends.gain()[output];
        assert!(left.abs() < ROUNDING, "{name}: {left} is left over");
        for player in 0..N {
            let half = if output == 1 && [PAIR.0, PAIR.1].contains(&player) { PAIR.2 / 2.0 } else { 0.0 };
            let (value, truth) = (found.values[[player, output]], alone(player) + half);
            assert!(value.is_finite(), "{name}: player {player}");
            assert!(!exact || (value - truth).abs() < ROUNDING, "{name}: player {player} {value} {truth}");
        }
    }
    // The pair stands out in any case.
    for player in [PAIR.0, PAIR.1] {
        assert!(found.values[[player, 1]] > 5.0, "{name}: {}", found.values[[player, 1]]);
    }
}

#[test]
fn regressions_serve_thousands_of_players() {
    serves(&KernelShap::default(), true);
    serves(&LeverageShap::default(), true);
}

#[test]
fn orders_serve_thousands_of_players() {
    serves(&PermutationShap::default(), true);
    serves(&OwenShap::new(PartitionTree::flat(N).halved()), false);
}
