//! The standard errors of a regression, from what it leaves unexplained.

use ndarray::Array2;
use ndarray::parallel::prelude::*;

use super::regression::Regression;

/// Pairs whose pulls are held at once.
const AT_ONCE: usize = 1024;

/// The spread of each drawn pair's pull on the values, within its stratum, less what is enumerated: (player, output).
///
/// A value is linear in the differences of the pairs, so that its variance is, over the strata, k (1 − k / K) times the
/// variance of what the k pairs of K contribute with their residuals.
pub(super) fn standard_error(regression: &Regression, residual: &Array2<f64>) -> Array2<f64> {
    let strata = || regression.pairs.strata.iter().filter(|stratum| stratum.span.start >= regression.first_drawn);
    let outputs = residual.ncols();
    let mut sums: Option<Array2<Spread>> = None;
    for places in regression.drawn(AT_ONCE) {
        let pulls = regression.pulls(places.clone());
        let sums = sums.get_or_insert_with(|| Array2::default((pulls.nrows(), outputs)));
        // What the fit would leave of each pair without that pair (the jackknife), or errors look too small.
        let mut own = Array2::zeros((places.len(), outputs));
        for (column, place) in places.clone().enumerate() {
            let root = regression.pairs.weight[place].sqrt();
            let members = regression.pairs.chosen.members(place);
            let leverage = root * 2.0 * members.map(|player| pulls[[player, column]]).sum::<f64>();
            own.row_mut(column).scaled_add(root / (1.0 - leverage).max(f64::EPSILON), &residual.row(place));
        }
        sums.outer_iter_mut().into_par_iter().zip(pulls.outer_iter().into_par_iter()).for_each(|(mut row, pull)| {
            for (output, spread) in row.iter_mut().enumerate() {
                let own = own.column(output);
                for stratum in strata().filter(|s| s.span.start < places.end && s.span.end > places.start) {
                    for place in stratum.span.start.max(places.start)..stratum.span.end.min(places.end) {
                        spread.add(pull[place - places.start] * own[place - places.start]);
                    }
                    if stratum.span.end <= places.end {
                        spread.close(1.0 - stratum.span.len() as f64 / stratum.pairs);
                    }
                }
            }
        });
    }
    match sums {
        Some(sums) => sums.mapv(|spread| spread.variance.max(0.0).sqrt()),
        None => Array2::zeros((regression.n, outputs)),
    }
}

/// The variance of a sum over strata, of which one is open.
#[derive(Clone, Copy, Default)]
struct Spread {
    variance: f64,
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    /// Welford's update.
    fn add(&mut self, x: f64) {
        self.count += 1.0;
        let ahead = x - self.mean;
        self.mean += ahead / self.count;
        self.squares += ahead * (x - self.mean);
    }

    /// Ends a stratum of which the share `unseen` was not drawn.
    fn close(&mut self, unseen: f64) {
        let variance = self.variance + self.count * unseen * self.squares / (self.count - 1.0).max(1.0);
        *self = Spread { variance, ..Spread::default() };
    }
}
