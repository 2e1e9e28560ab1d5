//! Worths that are asked once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayRef2, Axis};
use xai_core::error::same_shape;
use xai_core::{Error, Game, Result};

use super::coalitions::{Bits, add, has, nobody};

/// A game that remembers every worth it has told, so that nobody pays for a coalition twice.
///
/// It makes estimators go on where they stopped: the designs of [`KernelShap`](super::KernelShap),
/// [`LeverageShap`](super::LeverageShap), [`PermutationShap`](super::PermutationShap) and
/// [`OwenShap`](super::OwenShap) are nested. With the same seed a larger budget evaluates what the smaller one did and
/// more, so a second run through the same `Known` asks only for what is new, and its result is the one of a cold run.
/// Several estimators may share one `Known` too.
///
/// # Cost
/// Each different coalition is asked once. It is then held with its worth: n / 8 + 8 · outputs bytes, and some 100 more.
///
/// # Errors
/// [`Error::TooLarge`] past `most_bytes`: forgetting would ask twice.
///
/// # Laws
/// `a_warm_run_is_a_cold_run`, `known_coalitions_are_asked_once`.
///
/// # Example
/// ```
/// use ndarray::{Array2, ArrayRef2, Axis};
/// use xai_core::{Game, Result};
/// use xai_local::shapley::{Ends, Estimator, KernelShap, Known};
/// /// 40 players; those at even places are worth twice as much when player 0 is there.
/// struct Even;
/// impl Game for Even {
///     fn n_players(&self) -> usize { 40 }
///     fn n_outputs(&self) -> usize { 1 }
///     fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
///         let worth = |c: ndarray::ArrayView1<bool>| {
///             let even = c.iter().step_by(2).filter(|p| **p).count();
///             (even * if c[0] { 2 } else { 1 }) as f64
///         };
///         Ok(coalitions.map_axis(Axis(1), worth).insert_axis(Axis(1)))
///     }
/// }
/// let ends = Ends::of(&Even)?;
/// let known = Known::new(&Even);
/// KernelShap { n_coalitions: Some(400) }.estimate(&known, &ends, 7)?;
/// assert_eq!(known.len(), 400);
/// let warm = KernelShap { n_coalitions: Some(1000) }.estimate(&known, &ends, 7)?;
/// assert_eq!(known.len(), 1000);
/// assert_eq!(warm, KernelShap { n_coalitions: Some(1000) }.estimate(&Even, &ends, 7)?);
/// # Ok::<(), xai_core::Error>(())
/// ```
pub struct Known<'g> {
    game: &'g dyn Game,
    most_bytes: u64,
    store: Mutex<Store>,
}

/// What is known: a coalition's place, and one row of worths a place.
#[derive(Default)]
struct Store {
    place: HashMap<Bits, usize>,
    worth: Vec<f64>,
}

/// The memory that a [`Known`] takes at most, unless told otherwise.
const MOST_BYTES: u64 = 2 << 30;

/// What the map takes for a coalition besides its words and worths.
const BYTES_BESIDES: u64 = 100;

impl<'g> Known<'g> {
    /// Knows nothing yet, and will take 2 GiB at most.
    pub fn new(game: &'g dyn Game) -> Self {
        Known::within(game, MOST_BYTES)
    }

    /// Knows nothing yet, and will take `most_bytes` at most.
    pub fn within(game: &'g dyn Game, most_bytes: u64) -> Self {
        Known { game, most_bytes, store: Mutex::default() }
    }

    /// How many different coalitions are known, which is how many the game was asked for.
    pub fn len(&self) -> usize {
        self.store().place.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what is known from elsewhere, such as an earlier process.
    ///
    /// # Shapes
    /// `coalitions` (coalition, player), `worth` (coalition, output).
    ///
    /// # Errors
    /// [`Error::Shape`]; [`Error::TooLarge`].
    pub fn learn(&self, coalitions: &ArrayRef2<bool>, worth: &ArrayRef2<f64>) -> Result<()> {
        same_shape("players of known coalitions", &[self.n_players()], &[coalitions.ncols()])?;
        same_shape("known worths (coalition, output)", &[coalitions.nrows(), self.n_outputs()], worth.shape())?;
        let mut store = self.store();
        for (coalition, worth) in coalitions.outer_iter().zip(worth.outer_iter()) {
            let bits = bits(coalition.iter().copied(), self.n_players());
            if !store.place.contains_key(&bits) {
                let (place, bytes) = (store.place.len(), BYTES_BESIDES + 8 * (bits.len() + worth.len()) as u64);
                if bytes.saturating_mul(place as u64 + 1) > self.most_bytes {
                    let what = "bytes of known coalitions".to_owned();
                    return Err(Error::TooLarge { what, limit: self.most_bytes, found: bytes * (place as u64 + 1) });
                }
                store.place.insert(bits, place);
                store.worth.extend(worth);
            }
        }
        Ok(())
    }

    /// All that is known, in the order in which it was asked: (coalition, player) and (coalition, output).
    pub fn all(&self) -> (Array2<bool>, Array2<f64>) {
        let (players, outputs) = (self.n_players(), self.n_outputs());
        let store = self.store();
        let mut coalitions = Array2::from_elem((store.place.len(), players), false);
        for (bits, &place) in &store.place {
            for (player, present) in coalitions.row_mut(place).iter_mut().enumerate() {
                *present = has(bits, player);
            }
        }
        (coalitions, Array2::from_shape_fn((store.place.len(), outputs), |(c, o)| store.worth[c * outputs + o]))
    }

    /// A thread that panicked while it held the store left whole entries behind.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Game for Known<'_> {
    fn n_players(&self) -> usize {
        self.game.n_players()
    }

    fn n_outputs(&self) -> usize {
        self.game.n_outputs()
    }

    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let (players, outputs) = (self.n_players(), self.n_outputs());
        same_shape("players of the coalitions", &[players], &[coalitions.ncols()])?;
        let wanted: Vec<Bits> = coalitions.outer_iter().map(|row| bits(row.iter().copied(), players)).collect();
        let mut unknown: Vec<usize> = Vec::new();
        {
            let store = self.store();
            let mut first: HashMap<&Bits, usize> = HashMap::new();
            for (row, bits) in wanted.iter().enumerate().filter(|(_, bits)| !store.place.contains_key(*bits)) {
                first.entry(bits).or_insert_with(|| {
                    unknown.push(row);
                    row
                });
            }
        }
        // The store is free while the game is asked: the game may work in parallel.
        if !unknown.is_empty() {
            let asked = coalitions.select(Axis(0), &unknown);
            let told = self.game.worth(&asked)?;
            same_shape("worth (coalition, output)", &[unknown.len(), outputs], told.shape())?;
            self.learn(&asked, &told)?;
        }
        let store = self.store();
        let mut worth = Array2::zeros((coalitions.nrows(), outputs));
        for (bits, mut row) in wanted.iter().zip(worth.outer_iter_mut()) {
            if let Some(place) = store.place.get(bits) {
                row.iter_mut().zip(&store.worth[place * outputs..]).for_each(|(to, from)| *to = *from);
            }
        }
        Ok(worth)
    }
}

fn bits(present: impl Iterator<Item = bool>, n_players: usize) -> Bits {
    let mut bits = nobody(n_players);
    present.enumerate().filter(|(_, present)| *present).for_each(|(player, _)| add(&mut bits, player));
    bits
}
