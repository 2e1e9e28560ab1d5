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

/// Those who are not in the coalition.
pub(super) fn others(coalition: &[u64], n_players: usize) -> Bits {
    let mut others: Bits = coalition.iter().map(|word| !word).collect();
    if let (Some(last), rest @ 1..) = (others.last_mut(), n_players % 64) {
        *last &= (1 << rest) - 1;
    }
    others
}

/// An ordered set of coalitions; nothing depends on the order in which the map holds them.
#[derive(Default)]
pub(super) struct Coalitions {
    place: HashMap<Bits, usize>,
    list: Vec<Bits>,
}

/// How many coalitions are spelled out at once.
const AT_ONCE: usize = 1 << 14;

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

    /// What each coalition is worth: (coalition, output).
    pub fn worth(&self, game: &dyn Game) -> Result<Array2<f64>> {
        let n = game.n_players();
        let mut worth = Array2::zeros((self.len(), game.n_outputs()));
        for start in (0..self.len()).step_by(AT_ONCE) {
            let part = &self.list[start..self.len().min(start + AT_ONCE)];
            let spelled = Array2::from_shape_fn((part.len(), n), |(row, player)| has(&part[row], player));
            worth.slice_axis_mut(Axis(0), Slice::from(start..start + part.len())).assign(&game.worth(&spelled)?);
        }
        Ok(worth)
    }
}
