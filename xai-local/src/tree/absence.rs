//! What stands for absence, and the tables that are made of it.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::backdrop::Backdrop;
use super::precision::Real;
use super::tables::{Tabulator, fill_sheaf, sheaf_len};
use super::twigs::Copse;

/// The most memory for the tables of one copse.
const MOST_TABLES: usize = 1 << 26;

/// What stands for absence, and whence tables come.
pub(super) trait Absence<R>: Sync {
    /// Whether it is the shares of the cover, which can do without tables.
    const BY_COVER: bool;

    /// The tables of some copses, from number `first` on, for `n` samples: (sheaf, output, twig, player, index); nothing
    /// where they would cost more than they save.
    fn tables<'t>(&'t self, copses: &[Copse], first: usize, n: usize, memory: &'t mut Vec<R>) -> Vec<Option<&'t [R]>>;
}

/// The shares of the cover stand for absence.
pub(super) struct Cover;

/// Background rows whose tables were made before: (copse).
pub(super) struct Kept<'a>(pub &'a [Vec<f64>]);

impl<R: Real> Absence<R> for Cover {
    const BY_COVER: bool = true;

    fn tables<'t>(&'t self, copses: &[Copse], _: usize, n: usize, memory: &'t mut Vec<R>) -> Vec<Option<&'t [R]>> {
        let len = |copse: &Copse| if n < copse.tables_from { 0 } else { tables_len(copse) };
        let lens: Vec<usize> = copses.iter().map(len).collect();
        let parts = cut(&lens, memory).into_iter().zip(copses).filter(|(tables, _)| !tables.is_empty());
        let sheaves = parts.flat_map(|(tables, copse)| {
            by_sheaf(copse, tables).into_iter().enumerate().map(move |(number, tables)| (copse, number, tables))
        });
        sheaves
            .collect::<Vec<_>>()
            .into_par_iter()
            .for_each_init(Tabulator::default, |work, (copse, number, tables)| {
                Arch::new().dispatch(Fill { copse, number, work, tables })
            });
        let filled = cut(&lens, memory).into_iter().map(|tables| &*tables);
        filled.map(|tables| (!tables.is_empty()).then_some(tables)).collect()
    }
}

impl Absence<f64> for Backdrop<'_> {
    const BY_COVER: bool = false;

    fn tables<'t>(&'t self, copses: &[Copse], _: usize, _: usize, memory: &'t mut Vec<f64>) -> Vec<Option<&'t [f64]>> {
        let lens: Vec<usize> = copses.iter().map(tables_len).collect();
        let fill = |(tables, copse): (&'t mut [f64], &Copse)| {
            self.fill(copse, tables);
            Some(&*tables)
        };
        cut(&lens, memory).into_iter().zip(copses).map(fill).collect()
    }
}

impl Absence<f64> for Kept<'_> {
    const BY_COVER: bool = false;

    fn tables<'t>(&'t self, copses: &[Copse], first: usize, _: usize, _: &'t mut Vec<f64>) -> Vec<Option<&'t [f64]>> {
        self.0[first..first + copses.len()].iter().map(|tables| Some(&tables[..])).collect()
    }
}

/// The numbers of a copse's tables.
pub(super) fn tables_len(copse: &Copse) -> usize {
    copse.sheaves.iter().map(|sheaf| sheaf_len(copse, sheaf)).sum()
}

/// Pieces of these lengths, one after another; the memory grows to hold them.
fn cut<'t, R: Real>(lens: &[usize], memory: &'t mut Vec<R>) -> Vec<&'t mut [R]> {
    memory.resize(memory.len().max(lens.iter().sum()), R::ZERO);
    let mut rest = &mut memory[..];
    let piece = |&len: &usize| {
        let (piece, after) = std::mem::take(&mut rest).split_at_mut(len);
        rest = after;
        piece
    };
    lens.iter().map(piece).collect()
}

/// The tables of a copse, cut between the sheaves.
pub(super) fn by_sheaf<'t, R>(copse: &Copse, mut tables: &'t mut [R]) -> Vec<&'t mut [R]> {
    let cut = |sheaf| {
        let (part, rest) = std::mem::take(&mut tables).split_at_mut(sheaf_len(copse, sheaf));
        tables = rest;
        part
    };
    copse.sheaves.iter().map(cut).collect()
}

/// The number of samples from which on tables cost less than they save. Both ways give the same bits.
///
/// The figures are cycles, estimated for vectors of eight numbers.
pub(super) fn tables_from(copse: &Copse) -> usize {
    let (mut fill, mut save, mut bytes) = (0.0, 0.0, 0);
    for sheaf in &copse.sheaves {
        let (players, nodes) = ((sheaf.n_others + 1) as f64, sheaf.rule.t.len() as f64);
        let len = sheaf_len(copse, sheaf);
        bytes += 8 * len;
        fill += 100.0 * sheaf.len as f64 + len as f64 * (0.3 + 0.15 * nodes);
        save += sheaf.len as f64 * copse.width as f64 * (10.0 + players * (0.9 * nodes - 1.0)).max(10.0);
    }
    if bytes <= MOST_TABLES { (fill / save).ceil() as usize } else { usize::MAX }
}

struct Fill<'a, R> {
    copse: &'a Copse,
    number: usize,
    work: &'a mut Tabulator<R>,
    tables: &'a mut [R],
}

impl<R: Real> WithSimd for Fill<'_, R> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        fill_sheaf(self.copse, self.number, self.work, self.tables);
    }
}
