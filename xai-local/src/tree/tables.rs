//! What each index of a twig earns, tabulated, and looked up for a block of samples.

use pulp::Simd;

use super::hits::{ROWS, Words, indices};
use super::precision::Real;
use super::twigs::{Copse, LANES, Sheaf};

/// The memory of one thread for making tables.
pub(super) struct Tabulator<R> {
    /// The products of the first j players' factors for each pattern of theirs: 2ʲ numbers from 2ʲ − 1 on.
    below: Vec<R>,
    /// The factors of the players after the j-th and the leaves, for each pattern of theirs with a state.
    above: Vec<R>,
    /// For each player, and each pattern of the others with a state, the integral.
    earned: Vec<R>,
    /// For each pattern of the other players, the integral for the last one.
    last: Vec<R>,
}

impl<R> Default for Tabulator<R> {
    fn default() -> Self {
        Tabulator { below: Vec::new(), above: Vec::new(), earned: Vec::new(), last: Vec::new() }
    }
}

/// The numbers of a twig's table for one output: for each of its players, one for each index.
pub(super) fn table_len(sheaf: &Sheaf, lane: usize) -> usize {
    (sheaf.n_others - usize::from(sheaf.pads[lane]) + 1) << sheaf.bits[lane]
}

/// The numbers of a sheaf's tables.
pub(super) fn sheaf_len(copse: &Copse, sheaf: &Sheaf) -> usize {
    (0..sheaf.len).map(|lane| table_len(sheaf, lane)).sum::<usize>() * copse.width
}

/// Makes the tables of a sheaf: (output, twig, player, index). The numbers are those of
/// [`credit_row`](super::direct::credit_row) to the last bit.
#[inline(always)]
pub(super) fn fill_sheaf<R: Real>(copse: &Copse, number: usize, work: &mut Tabulator<R>, mut tables: &mut [R]) {
    let sheaf = &copse.sheaves[number];
    for output in 0..copse.width {
        for lane in 0..sheaf.len {
            let (table, rest) = std::mem::take(&mut tables).split_at_mut(table_len(sheaf, lane));
            tables = rest;
            fill(copse, number, lane, output, work, table);
        }
    }
}

#[inline(always)]
fn fill<R: Real>(copse: &Copse, number: usize, lane: usize, output: usize, work: &mut Tabulator<R>, table: &mut [R]) {
    let sheaf = &copse.sheaves[number];
    let pads = usize::from(sheaf.pads[lane]);
    let n = sheaf.n_others - pads;
    let n_states = 1usize << (usize::from(sheaf.bits[lane]) - n);
    let covers = &copse.covers[sheaf.first + pads..sheaf.first + sheaf.n_others];
    let covers = || covers.iter().map(|cover| R::of(cover[lane]));
    let mean = R::of(copse.means[number * copse.width + output][lane]);
    let states = &copse.states[number * copse.width + output][lane].map(R::of)[..n_states];
    let half = (n_states << n) / 2;
    work.below.resize(2 << n, R::ZERO);
    work.above.resize(n_states << (n + 1), R::ZERO);
    work.earned.clear();
    work.earned.resize(n * half, R::ZERO);
    work.last.clear();
    work.last.resize(1 << n, R::ZERO);
    for ((&t, &rest), &weight) in sheaf.rule.t.iter().zip(&sheaf.rule.rest).zip(&sheaf.rule.weight) {
        let (t, rest, weight) = (R::of(t), R::of(rest), R::of(weight));
        // Padding multiplies as it does without tables.
        work.below[0] = (0..pads).fold(R::ONE, |product, _| product * (rest + t));
        for (player, cover) in covers().enumerate() {
            let size = 1 << player;
            let (from, to) = work.below[size - 1..].split_at_mut(size);
            let (missed, hit) = to[..2 * size].split_at_mut(size);
            for ((&from, missed), hit) in from.iter().zip(missed).zip(hit) {
                *missed = from * (cover * rest);
                *hit = from * (cover * rest + t);
            }
        }
        let products = &work.below[(1 << n) - 1..(2 << n) - 1];
        work.last.iter_mut().zip(products).for_each(|(last, &product)| *last += weight * product);
        // The patterns after player j lie from n_states·2ⁿ⁻ʲ on, so that the shortest come first.
        for (above, &value) in work.above[n_states..2 * n_states].iter_mut().zip(states) {
            *above = weight * (t * value + rest * mean);
        }
        for (player, cover) in covers().enumerate().rev() {
            let size = n_states << (n - 1 - player);
            let below = &work.below[(1 << player) - 1..(2 << player) - 1];
            let earned = &mut work.earned[player * half..(player + 1) * half];
            let (from, to) = work.above[size..].split_at_mut(size);
            outer(earned, below, from);
            if player > 0 {
                let (missed, hit) = (cover * rest, cover * rest + t);
                for (to, &mut from) in to.as_chunks_mut::<2>().0.iter_mut().zip(from) {
                    *to = [from * missed, from * hit];
                }
            }
        }
    }
    let size = n_states << n;
    for (player, cover) in covers().enumerate() {
        let earned = &work.earned[player * half..(player + 1) * half];
        spread(&mut table[player * size..(player + 1) * size], earned, 1 << player, -cover, R::ONE - cover);
    }
    for (table, &value) in table[n * size..].chunks_exact_mut(1 << n).zip(states) {
        table.iter_mut().zip(&work.last).for_each(|(table, &last)| *table = last * (value - mean));
    }
}

/// Adds the outer product: `sum`(a, b) += `low`(b)·`high`(a).
#[inline(always)]
fn outer<R: Real>(sum: &mut [R], low: &[R], high: &[R]) {
    #[inline(always)]
    fn narrow<R: Real, const N: usize>(sum: &mut [R], low: &[R], high: &[R]) {
        let Some(low) = low.first_chunk::<N>() else { return };
        for (sum, &high) in sum.as_chunks_mut::<N>().0.iter_mut().zip(high) {
            for i in 0..N {
                sum[i] += low[i] * high;
            }
        }
    }
    match low.len() {
        1 => narrow::<R, 1>(sum, low, high),
        2 => narrow::<R, 2>(sum, low, high),
        4 => narrow::<R, 4>(sum, low, high),
        n => {
            for (sum, &high) in sum.chunks_exact_mut(n).zip(high) {
                sum.iter_mut().zip(low).for_each(|(sum, &low)| *sum += low * high);
            }
        }
    }
}

/// Puts a player's bit back in: pieces of `width` numbers, times one factor and then times the other.
#[inline(always)]
fn spread<R: Real>(table: &mut [R], earned: &[R], width: usize, missed: R, hit: R) {
    #[inline(always)]
    fn narrow<R: Real, const N: usize>(table: &mut [R], earned: &[R], missed: R, hit: R) {
        let (pieces, _) = table.as_chunks_mut::<N>();
        for (to, from) in pieces.as_chunks_mut::<2>().0.iter_mut().zip(earned.as_chunks::<N>().0) {
            for i in 0..N {
                to[0][i] = from[i] * missed;
                to[1][i] = from[i] * hit;
            }
        }
    }
    match width {
        1 => narrow::<R, 1>(table, earned, missed, hit),
        2 => narrow::<R, 2>(table, earned, missed, hit),
        4 => narrow::<R, 4>(table, earned, missed, hit),
        _ => {
            for (to, from) in table.chunks_exact_mut(2 * width).zip(earned.chunks_exact(width)) {
                let (low, high) = to.split_at_mut(width);
                for ((low, high), &from) in low.iter_mut().zip(high).zip(from) {
                    *low = from * missed;
                    *high = from * hit;
                }
            }
        }
    }
}

/// Adds what the samples of a block earn at the twigs of a sheaf.
///
/// # Shapes
/// `tables` as [`fill_sheaf`] makes them; `index` (twig of the copse); `credit` (output, player).
#[inline(always)]
pub(super) fn look_up<R: Real, S: Simd>(
    simd: S,
    copse: &Copse,
    number: usize,
    mut tables: &[R],
    index: &[Words],
    n_players: usize,
    credit: &mut [[R; ROWS]],
) {
    let sheaf = &copse.sheaves[number];
    for output in 0..copse.width {
        for lane in 0..sheaf.len {
            let (table, rest) = tables.split_at(table_len(sheaf, lane));
            tables = rest;
            let index = &index[number * LANES + lane];
            let places = &copse.places[sheaf.first + number..][..sheaf.n_others + 1];
            let places = &places[usize::from(sheaf.pads[lane])..];
            let place = |player: usize| places[player][lane] as usize + output * n_players;
            macro_rules! by_bits {
                ($($bits:literal)*) => {
                    match sheaf.bits[lane] {
                        $($bits => add::<R, S, { 1 << $bits }>(simd, table, index, place, credit),)*
                        _ => {}
                    }
                };
            }
            by_bits!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
        }
    }
}

/// Adds every player's entry for each sample.
#[inline(always)]
fn add<R: Real, S: Simd, const N: usize>(
    simd: S,
    table: &[R],
    index: &Words,
    place: impl Fn(usize) -> usize,
    credit: &mut [[R; ROWS]],
) {
    // Two at a time share what is done to the index; larger tables fill all registers alone.
    let (pairs, alone) =
        if N <= 128 { table.as_chunks::<N>().0.as_chunks::<2>() } else { (&[][..], table.as_chunks::<N>().0) };
    for (pair, [first, second]) in pairs.iter().enumerate() {
        if let Ok(credit) = credit.get_disjoint_mut([place(2 * pair), place(2 * pair + 1)]) {
            R::add_entries(simd, [first, second], index, credit);
        }
    }
    for (player, table) in alone.iter().enumerate() {
        R::add_entries(simd, [table], index, [&mut credit[place(2 * pairs.len() + player)]]);
    }
}

/// Adds what one sample earns at the twigs of a copse.
///
/// # Shapes
/// `tables` of all sheaves, one after another; `patterns` as [`walk_row`](super::hits::walk_row) leaves them; `credit`
/// (output, player).
pub(super) fn look_up_row<R: Real>(
    copse: &Copse,
    mut tables: &[R],
    patterns: &[u16],
    n_players: usize,
    credit: &mut [R],
) {
    for (number, sheaf) in copse.sheaves.iter().enumerate() {
        let index = indices(sheaf, patterns);
        for output in 0..copse.width {
            for lane in 0..sheaf.len {
                let (table, rest) = tables.split_at(table_len(sheaf, lane));
                tables = rest;
                let index = index[lane] as usize;
                let places = &copse.places[sheaf.first + number..][..sheaf.n_others + 1];
                let places = &places[usize::from(sheaf.pads[lane])..];
                for (place, table) in places.iter().zip(table.chunks_exact(1 << sheaf.bits[lane])) {
                    credit[place[lane] as usize + output * n_players] += table[index];
                }
            }
        }
    }
}
