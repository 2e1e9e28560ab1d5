//! Games whose Shapley values are known: tables of all worths, and sums of products of memberships.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::Path;

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use ndarray_npy::NpzReader;
use xai::core::{Game, InteractionIndex, Result};
use xai::local::interaction::{ExactInteractions, InteractionEstimator};
use xai::local::shapley::{Ends, Estimator, ExactShap};

/// A game and what its players are owed.
pub struct KnownGame {
    /// What kind of game it is; results are averaged over these.
    pub family: String,
    /// Its own name.
    pub name: String,
    /// The game.
    pub game: Box<dyn Game + Send>,
    /// Its Shapley values.
    pub exact: Array1<f64>,
    /// Its Shapley interactions of two (SII): players, ascending, and value; others have none.
    pub pairs: Vec<([usize; 2], f64)>,
}

/// A game given by the worth of every coalition.
struct Table {
    n: usize,
    /// The bits of the place say who is present.
    worth: Vec<f64>,
}

impl Game for Table {
    fn n_players(&self) -> usize {
        self.n
    }
    fn n_outputs(&self) -> usize {
        1
    }
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let worth = |present: ndarray::ArrayView1<bool>| self.worth[place(present.iter())];
        Ok(coalitions.map_axis(Axis(1), worth).insert_axis(Axis(1)))
    }
}

fn place<'a>(present: impl Iterator<Item = &'a bool>) -> usize {
    present.enumerate().map(|(player, &present)| usize::from(present) << player).sum()
}

/// The games of a folder of `.npz` files with the arrays `values` (coalition) and `coalitions` (coalition, player), by
/// name. The family is the name up to the first dash.
///
/// # Errors
/// Files that cannot be read or are not what they should be.
pub fn tables(folder: &Path) -> std::result::Result<Vec<KnownGame>, Box<dyn Error>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "npz"));
    paths.sort();
    paths.iter().map(|path| table(path)).collect()
}

fn table(path: &Path) -> std::result::Result<KnownGame, Box<dyn Error>> {
    let mut file = NpzReader::new(File::open(path)?)?;
    let values: Array1<f64> = file.by_name("values")?;
    let coalitions: Array2<bool> = file.by_name("coalitions")?;
    let n = coalitions.ncols();
    let mut worth = vec![0.0; 1 << n];
    if values.len() != worth.len() || coalitions.nrows() != worth.len() {
        return Err(format!("{}: not the worth of all coalitions", path.display()).into());
    }
    for (present, value) in coalitions.outer_iter().zip(&values) {
        worth[place(present.iter())] = *value;
    }
    let game = Table { n, worth };
    let ends = Ends::of(&game)?;
    let exact = ExactShap.estimate(&game, &ends, 0)?.values.column(0).to_owned();
    let pairs = ExactInteractions { index: InteractionIndex::Sii, order: 2 }.estimate(&game, &ends, 0)?;
    let pairs = pairs.sets.iter().zip(&pairs.values).filter_map(|(set, value)| match set[..] {
        [i, j] => Some(([i, j], *value)),
        _ => None,
    });
    let pairs = pairs.collect();
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let family = name.split('-').next().unwrap_or_default().to_owned();
    Ok(KnownGame { family, name, game: Box::new(game), exact, pairs })
}

/// A sum of products of memberships: every member of a product gets an equal part of its coefficient.
struct Products {
    n: usize,
    members: Vec<Vec<usize>>,
    coefficients: Vec<f64>,
}

impl Game for Products {
    fn n_players(&self) -> usize {
        self.n
    }
    fn n_outputs(&self) -> usize {
        1
    }
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let worth = |present: ndarray::ArrayView1<bool>| {
            let terms = self.members.iter().zip(&self.coefficients);
            terms.filter(|(members, _)| members.iter().all(|&player| present[player])).map(|(_, c)| c).sum::<f64>()
        };
        Ok(coalitions.map_axis(Axis(1), worth).insert_axis(Axis(1)))
    }
}

impl Products {
    fn known(self, name: &str) -> KnownGame {
        let mut exact = Array1::zeros(self.n);
        for (members, c) in self.members.iter().zip(&self.coefficients) {
            members.iter().for_each(|&player| exact[player] += c / members.len() as f64);
        }
        let mut pairs = BTreeMap::new();
        for (members, c) in self.members.iter().zip(&self.coefficients) {
            for (&i, &j) in members.iter().flat_map(|i| members.iter().map(move |j| (i, j))).filter(|(i, j)| i < j) {
                *pairs.entry([i, j]).or_insert(0.0) += c / (members.len() - 1) as f64;
            }
        }
        KnownGame {
            family: format!("{name}, {} players", self.n),
            name: format!("{name}-{}", self.n),
            game: Box::new(self),
            exact,
            pairs: pairs.into_iter().collect(),
        }
    }
}

/// Linear games, pairwise products and triple products of 30 and of 100 players: those of `peers/games.py`.
pub fn closed_forms() -> Vec<KnownGame> {
    let mut games = Vec::new();
    for n in [30, 100] {
        let ring = |steps: &[usize]| -> Vec<Vec<usize>> {
            (0..n).map(|first| steps.iter().map(|step| (first + step) % n).collect()).collect()
        };
        for (name, products) in [
            ("linear", ring(&[0])),
            ("pairs", [ring(&[0]), ring(&[0, 1]), ring(&[0, 5])].concat()),
            ("triples", [ring(&[0, 1, 3]), ring(&[0, 4, 9])].concat()),
        ] {
            let coefficients = (0..products.len()).map(|k| (1.0 + k as f64).sin()).collect();
            games.push(Products { n, members: products, coefficients }.known(name));
        }
    }
    games
}
