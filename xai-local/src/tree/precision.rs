//! In which numbers path-dependent values are worked out.

use std::ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub};

use pulp::Simd;
use serde::{Deserialize, Serialize};

use super::hits::{ROWS, Words};

/// In which numbers [`TreeShap`](super::TreeShap) works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// `f64`: values are right to rounding, some 10⁻¹⁵ of the largest.
    #[default]
    Double,
    /// `f32` for the sums within some trees, which are added up in `f64`: faster for batches, and right to some 10⁻⁶ of
    /// the largest value (where trees cancel each other: of what their largest leaves sum to). Scores and base stay what
    /// they are, so base and values sum to the score to as much and no more. A sample gets the same bits alone and among
    /// others, and on any number of threads.
    Single,
}

/// A number that values are worked out in.
pub(super) trait Real:
    Copy
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
{
    const ZERO: Self;
    const ONE: Self;
    /// The copses whose credit is summed before it is added up in `f64`.
    const COPSES: usize;
    /// The same for trees that are swept.
    const TREES: usize;
    /// The smallest and the largest size that the largest leaf may have.
    const LEAVES: [f64; 2];

    /// The nearest number.
    fn of(number: f64) -> Self;

    /// 0 or 1.
    fn of_bit(bit: u32) -> Self;

    /// The same number.
    fn wide(self) -> f64;

    /// Adds one entry of each table for each sample of a block.
    fn add_entries<S: Simd, const N: usize, const P: usize>(
        simd: S,
        tables: [&[Self; N]; P],
        index: &Words,
        credit: [&mut [Self; ROWS]; P],
    );
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const COPSES: usize = usize::MAX;
    const TREES: usize = usize::MAX;
    const LEAVES: [f64; 2] = [0.0, f64::INFINITY];

    #[inline(always)]
    fn of(number: f64) -> Self {
        number
    }

    #[inline(always)]
    fn of_bit(bit: u32) -> Self {
        f64::from(bit as i32)
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn add_entries<S: Simd, const N: usize, const P: usize>(
        _: S,
        tables: [&[Self; N]; P],
        index: &Words,
        credit: [&mut [Self; ROWS]; P],
    ) {
        tables.into_iter().zip(credit).for_each(|(table, credit)| gather(table, index, credit));
    }
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const COPSES: usize = 8;
    const TREES: usize = 1;
    const LEAVES: [f64; 2] = [1e-30, 1e30];

    #[inline(always)]
    fn of(number: f64) -> Self {
        number as f32
    }

    #[inline(always)]
    fn of_bit(bit: u32) -> Self {
        bit as i32 as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn add_entries<S: Simd, const N: usize, const P: usize>(
        simd: S,
        tables: [&[Self; N]; P],
        index: &Words,
        credit: [&mut [Self; ROWS]; P],
    ) {
        #[cfg(target_arch = "x86_64")]
        if N <= 256
            && let Some(&simd) = (&simd as &dyn std::any::Any).downcast_ref::<pulp::x86::V4>()
        {
            return super::permute::add(simd, tables, index, credit);
        }
        let _ = simd;
        tables.into_iter().zip(credit).for_each(|(table, credit)| gather(table, index, credit));
    }
}

#[inline(always)]
fn gather<R: Real, const N: usize>(table: &[R; N], index: &Words, credit: &mut [R; ROWS]) {
    for row in 0..ROWS {
        credit[row] += table[usize::from(index[row]) & (N - 1)];
    }
}
