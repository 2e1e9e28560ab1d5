//! Different coalitions of any number of players, as bits.

use std::collections::HashMap;

use ndarray::{Array2, Axis, Slice};
use xai_core::{Error, Game, Result};

/// A coalition: player p is in it when bit p % 64 of word p / 64 is on.
pub(super) type Bits = Vec<u64>;

/// The empty coalition.
pub(super) fn nobody(n_players: usize) -> Bits {
    vec![0; n_players.div_ceil(64)]
}

pub(super) fn add(coalition: &mut [u64], player: usize) {
    coalition[player / 64] |= 1 << (player % 64);
}

pub(super) fn has(coalition: &[u64], player: usize) -> bool {
    coalition[player / 64] >> (player % 64) & 1 == 1
}

/// An ordered set of coalitions; nothing depends on the order in which the map holds them.
#[derive(Default)]
pub(super) struct Coalitions {
    place: HashMap<Bits, usize>,
    list: Vec<Bits>,
}

/// How many coalitions of `n_players` are spelled out at once; an even number.
pub(super) fn at_once(n_players: usize) -> usize {
    const MOST: usize = 1 << 14;
    const CELLS: usize = 1 << 25;
    (CELLS / n_players.max(1) / 2 * 2).clamp(2, MOST)
}

/// Coalitions are held until the last is evaluated, in words of 64 players: some 2 GiB with all that belongs to them.
const MOST_WORDS: u64 = 1 << 24;

/// Refuses more coalitions than memory can hold.
///
/// # Errors
/// [`Error::TooLarge`].
pub(super) fn bounded(words: u64) -> Result<()> {
    if words <= MOST_WORDS {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: "coalitions of one sample, in words of 64 players".into(),
        limit: MOST_WORDS,
        found: words,
    })
}

impl Coalitions {
    /// The place of a coalition, and whether it is new.
    pub fn insert(&mut self, coalition: Bits) -> (usize, bool) {
        match self.place.get(&coalition) {
            Some(&place) => (place, false),
            None => {
                let place = self.list.len();
                self.place.insert(coalition.clone(), place);
                self.list.push(coalition);
                (place, true)
            }
        }
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    pub fn get(&self, place: usize) -> &[u64] {
        &self.list[place]
    }

    /// The number of players in a coalition.
    pub fn size(&self, place: usize) -> usize {
        self.get(place).iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The players in a coalition, ascending.
    pub fn members(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        self.get(place).iter().enumerate().flat_map(|(k, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let player = 64 * k + left.trailing_zeros() as usize;
                let any = left != 0;
                left &= left.wrapping_sub(1);
                any.then_some(player)
            })
        })
    }

    /// What each coalition is worth: (coalition, output).
    pub fn worth(&self, game: &dyn Game) -> Result<Array2<f64>> {
        let n = game.n_players();
        let mut worth = Array2::zeros((self.len(), game.n_outputs()));
        let step = at_once(n);
        for (start, mut rows) in (0..).step_by(step).zip(worth.axis_chunks_iter_mut(Axis(0), step)) {
            let spelled = Array2::from_shape_fn((rows.nrows(), n), |(row, player)| has(self.get(start + row), player));
            rows.assign(&game.worth(&spelled)?);
        }
        Ok(worth)
    }

    /// What each coalition is worth more than those who are not in it: (coalition, output).
    pub fn differences(&self, game: &dyn Game) -> Result<Array2<f64>> {
        let [own, others] = self.sides(game)?;
        Ok(own - others)
    }

    /// What each coalition is worth, and what those are worth who are not in it: (coalition, output).
    pub fn sides(&self, game: &dyn Game) -> Result<[Array2<f64>; 2]> {
        let n = game.n_players();
        let mut own = Array2::zeros((self.len(), game.n_outputs()));
        let mut others = own.clone();
        let step = at_once(n) / 2;
        let parts = own.axis_chunks_iter_mut(Axis(0), step).zip(others.axis_chunks_iter_mut(Axis(0), step));
        for (start, (mut own, mut others)) in (0..).step_by(step).zip(parts) {
            let spelled = Array2::from_shape_fn((2 * own.nrows(), n), |(row, player)| {
                has(self.get(start + row / 2), player) == (row % 2 == 0)
            });
            let worth = game.worth(&spelled)?;
            own.assign(&worth.slice_axis(Axis(0), Slice::new(0, None, 2)));
            others.assign(&worth.slice_axis(Axis(0), Slice::new(1, None, 2)));
        }
        Ok([own, others])
    }
}
