//! What a Gaussian process expects of both parts of a game.

use ndarray::{Array2, Axis, Slice, concatenate, stack};
use xai_core::InteractionIndex;

use super::super::gp::expected;
use super::super::process::{Covariance, scale};
use super::fit::Fit;
use super::seen::Seen;
use crate::cholesky::Cholesky;

/// Coalitions from which the covariance is learned, half of them complements of the others.
const LEARNED: usize = 300;

/// The process for the odd and for the even part; nothing if its matrix is singular in these digits.
///
/// The covariance is the same for two coalitions and for their complements: the two parts do not know of each other, and
/// each is a process on the pairs, with the sum or the difference of two covariances.
pub(super) fn fit(seen: &Seen, index: InteractionIndex, order: usize, sets: &[Vec<usize>]) -> Option<[Fit; 2]> {
    let m = seen.len();
    // The ends first, then pair by pair: what a process is learned from, and what it is explained by.
    let mirrored = -&seen.signs;
    let alternate = |own: &Array2<f64>, others: &Array2<f64>| {
        let rows = stack(Axis(1), &[own.view(), others.view()]).ok()?;
        rows.to_shape((2 * m, own.ncols())).ok().map(|rows| rows.to_owned())
    };
    let x = alternate(&seen.signs, &mirrored)?;
    let mut y = alternate(&(&seen.even + &seen.odd), &(&seen.even - &seen.odd))?;
    let deviations: Vec<f64> = y.columns().into_iter().map(|column| scale(&column).1).collect();
    y.columns_mut().into_iter().zip(&deviations).for_each(|(mut y, sd)| y /= *sd);
    let count = m.min(LEARNED / 2);
    let places: Vec<usize> = (0..count).flat_map(|k| [2 * (k * m / count), 2 * (k * m / count) + 1]).collect();
    let covariance = Covariance::learn(&x.select(Axis(0), &places), &y.select(Axis(0), &places));

    let near = covariance.matrix(&seen.signs, 1);
    let far = Array2::from_shape_fn((m, m), |(i, j)| covariance.between(seen.signs.row(i), mirrored.row(j)));
    let solve = |matrix: Array2<f64>, part: &Array2<f64>| {
        let factor = Cholesky::new(matrix).ok()?;
        let (told, inverse) = (factor.solve(part), factor.inverse_diagonal());
        // Rasmussen & Williams 2006, equation 5.12.
        let missed = Array2::from_shape_fn(told.dim(), |(pair, o)| told[[pair, o]] / inverse[pair]);
        let left_out = part - missed;
        Some((told, left_out))
    };
    let (odd, odd_left) = solve(&near - &far, &seen.odd)?;
    let (even, even_left) = solve(near + far, &seen.even)?;
    let outputs = odd.ncols();
    let side = |sign: f64| concatenate(Axis(1), &[(&odd * sign).view(), even.view()]).ok();
    let told = alternate(&side(1.0)?, &side(-1.0)?)?;
    let values = expected(&covariance, &x, &told, index, order, sets);
    let part = |from: usize| values.slice_axis(Axis(1), Slice::from(from..from + outputs)).to_owned();
    Some([
        Fit { values: part(0), said: seen.odd.clone(), left_out: odd_left },
        Fit { values: part(outputs), said: seen.even.clone(), left_out: even_left },
    ])
}
