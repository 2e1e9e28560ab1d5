//! The worth of all coalitions, turned into dividends and those into an index, all at once.

use ndarray::{Array2, ArrayRef2, Axis};
use rayon::prelude::*;
use xai_core::error::same_shape;
use xai_core::{Error, InteractionIndex, Result};

use super::Terms;
use super::conversion::Conversion;
use super::sets::{mask_of, sets_up_to};

/// Worths of this many coalitions and outputs are held at most: half a gigabyte, and as much again at work.
const MOST_WORTHS: u64 = 1 << 26;

/// An interaction index of a game whose coalitions are all known.
///
/// The dividends m(T) = Σ over L ⊆ T of (−1)^(|T| − |L|) · v(L) come of a fast Möbius transform. Every index is a sum
/// over larger sets, I(S) = Σ over T ⊇ S of w(|S|, |T|) · m(T), taken for all sets of a size by one more transform.
///
/// # Shapes
/// `worth` (coalition, output): row r is the coalition of the players whose bits of r are on, so there are 2ⁿ rows →
/// [`Terms`] of all sets of 1 to `order` players, by size, then by players.
///
/// # Cost
/// n · 2ⁿ additions for each output and each size of sets up to `order`; twice the memory of `worth`. Rounding grows with
/// the dividends: for worths drawn at random, of 20 players, to about 10⁻¹² of the worths; far less where large sets
/// have small dividends.
///
/// # Errors
/// [`Error::Shape`] when the number of rows is no power of two; [`Error::Parameter`] for order 0; [`Error::TooLarge`].
///
/// # Laws
/// `every_index_is_its_definition`, `recorded_indices_are_those_of_shapiq`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_core::InteractionIndex;
/// use xai_local::interaction::indices;
/// // Nobody 0, either alone 1, both 5.
/// let terms = indices(&array![[0.0], [1.0], [1.0], [5.0]], InteractionIndex::KSii, 2)?;
/// assert_eq!(terms.sets, [vec![0], vec![1], vec![0, 1]]);
/// assert_eq!(terms.values, array![[1.0], [1.0], [3.0]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub fn indices(worth: &ArrayRef2<f64>, index: InteractionIndex, order: usize) -> Result<Terms> {
    let (rows, outputs) = worth.dim();
    let n = rows.max(1).ilog2() as usize;
    same_shape("worths (coalition, output)", &[1 << n, outputs], &[rows, outputs])?;
    let size = (rows as u64).saturating_mul(outputs as u64);
    if size > MOST_WORTHS {
        return Err(Error::TooLarge { what: "worths of coalitions".into(), limit: MOST_WORTHS, found: size });
    }
    let conversion = Conversion::new(index, order, n)?;
    let sets = sets_up_to(n, conversion.order());
    let mut values = Array2::zeros((sets.len(), outputs));
    values.axis_iter_mut(Axis(1)).into_par_iter().enumerate().for_each(|(output, mut column)| {
        let mut dividends = worth.column(output).to_vec();
        transform(&mut dividends, |low, high| *high -= *low);
        let mut sums = Vec::new();
        let mut place = 0;
        for size in 1..=conversion.order().min(n) {
            let of_size = &sets[place..];
            let count = of_size.iter().take_while(|set| set.len() == size).count();
            if !conversion.is_local(size) {
                let weights: Vec<f64> =
                    (0..=n).map(|t| if t < size { 0.0 } else { conversion.weight(size, t) }).collect();
                let weighted = dividends.iter().enumerate().map(|(t, m)| weights[t.count_ones() as usize] * m);
                sums.clear();
                sums.extend(weighted);
                transform(&mut sums, |low, high| *low += *high);
            }
            let source = if conversion.is_local(size) { &dividends } else { &sums };
            for (i, set) in of_size[..count].iter().enumerate() {
                column[place + i] = source[mask_of(set)];
            }
            place += count;
        }
    });
    Ok(Terms { sets, values, standard_error: None, coalitions: rows as u64, fidelity: None, notes: Vec::new() })
}

/// For every player, combines what each coalition without it has with what the same one has with it.
fn transform(values: &mut [f64], combine: impl Fn(&mut f64, &mut f64) + Copy) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            low.iter_mut().zip(high).for_each(|(low, high)| combine(low, high));
        }
        half *= 2;
    }
}
