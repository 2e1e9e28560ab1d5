//! What each player changes in some coalitions.

use ndarray::{Array2, Array3, ArrayView2, Axis};
use xai_core::{Meter, Model, Result, Run};

use crate::draws::Draws;
use crate::games::Games;

/// What coalitions are worth, and what they are worth with one player more or less.
pub(super) struct Toggles {
    /// Who is in: (coalition, player). The first is empty, the second complete.
    pub coalitions: Array2<bool>,
    /// The worth of each coalition: (coalition, output).
    pub worth: Array2<f64>,
    /// The worth when one player comes, or goes if it was in: (coalition, player, output).
    pub toggled: Array3<f64>,
}

/// The number of evaluations for one sample.
pub(super) fn n_coalitions(n_players: usize, n_drawn: usize) -> usize {
    n_drawn.saturating_add(2).saturating_mul(n_players.saturating_add(1))
}

/// Asks the empty, the complete and `n_drawn` random coalitions of one sample, and all that differ from them by one player.
pub(super) fn toggles<M: Model + ?Sized>(
    games: &Games<M>,
    sample: usize,
    n_drawn: usize,
    run: &Run,
    meter: &Meter,
) -> Result<Toggles> {
    let n = games.n_players;
    games.bounded(n_coalitions(n, n_drawn))?;
    let mut coalitions = Array2::from_elem((n_drawn + 2, n), false);
    coalitions.row_mut(1).fill(true);
    for draw in 0..n_drawn {
        let mut draws = Draws::nth(run.seed_of(sample), draw);
        coalitions.row_mut(draw + 2).iter_mut().for_each(|present| *present = draws.uniform() < 0.5);
    }
    // Each coalition, then the n that differ from it by one player.
    let asked = Array2::from_shape_fn((coalitions.nrows() * (n + 1), n), |(row, player)| {
        coalitions[[row / (n + 1), player]] != (row % (n + 1) == player + 1)
    });
    let found = games.worth(sample, &asked, meter)?;
    let of = |coalition: usize| -> ArrayView2<f64> {
        let rows = coalition * (n + 1)..(coalition + 1) * (n + 1);
        found.slice_axis(Axis(0), ndarray::Slice::from(rows))
    };
    let outputs = found.ncols();
    Ok(Toggles {
        worth: Array2::from_shape_fn((coalitions.nrows(), outputs), |(c, output)| of(c)[[0, output]]),
        toggled: Array3::from_shape_fn((coalitions.nrows(), n, outputs), |(c, i, output)| of(c)[[i + 1, output]]),
        coalitions,
    })
}

/// Worths that differ by less than this part of the largest one differ by rounding.
const ROUNDING: f64 = 1e-9;

impl Toggles {
    /// Below this, two worths of an output are the same.
    pub fn noise(&self, output: usize) -> f64 {
        let toggled = self.toggled.index_axis(Axis(2), output);
        let all =
            self.worth.column(output).into_iter().chain(toggled).fold(0.0f64, |most, worth| most.max(worth.abs()));
        ROUNDING * all
    }
}
