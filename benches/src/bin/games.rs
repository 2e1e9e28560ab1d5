//! How far estimates are off on games whose Shapley values are known.
//!
//! `games FOLDER [--seeds 30] [--games NAME] [--only ESTIMATOR] [--peers FILE.tsv]` plays the games of the folder and
//! the closed forms with 10, 50 and 200 evaluations a player (counting all, the empty and the full coalition too), and
//! prints ‖φ̂ − φ‖² / ‖φ‖², mean over seeds and games, as Markdown: one table a family. `--peers` adds the rows of what
//! `peers/games.py` wrote.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ndarray::{Array2, ArrayRef2};
use rayon::prelude::*;
use xai::core::{Game, Result};
use xai::local::shapley::{
    Auto, Ends, Estimator, GpShap, KernelShap, LeverageShap, PermutationShap, PolyShap, RegressionMsr,
};
use xai_benches::known::{KnownGame, closed_forms, tables};

/// Evaluations a player.
const FACTORS: [usize; 3] = [10, 50, 200];

/// The estimators, for a game of `n` players and `coalitions` coalitions besides the empty and the full one.
fn estimators(n: usize, coalitions: usize) -> Vec<Box<dyn Estimator>> {
    let n_coalitions = Some(coalitions);
    vec![
        Box::new(PermutationShap { n_permutations: (coalitions / (n - 1)).max(2) / 2 * 2, antithetic: true }),
        Box::new(KernelShap { n_coalitions }),
        Box::new(LeverageShap { n_coalitions }),
        Box::new(PolyShap { n_coalitions, ..Default::default() }),
        Box::new(RegressionMsr { n_coalitions, ..Default::default() }),
        Box::new(GpShap { n_coalitions }),
        Box::new(Auto { n_coalitions }),
    ]
}

/// A game that counts what it is asked.
struct Counted<'g> {
    game: &'g dyn Game,
    asked: AtomicU64,
}

impl Game for Counted<'_> {
    fn n_players(&self) -> usize {
        self.game.n_players()
    }
    fn n_outputs(&self) -> usize {
        self.game.n_outputs()
    }
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        self.asked.fetch_add(coalitions.nrows() as u64, Ordering::Relaxed);
        self.game.worth(coalitions)
    }
}

struct Options {
    folder: PathBuf,
    seeds: u64,
    games: String,
    only: String,
    peers: Option<PathBuf>,
}

fn options() -> std::result::Result<Options, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder =
        arguments.next().ok_or("usage: games FOLDER [--seeds N] [--games NAME] [--only NAME] [--peers FILE]")?;
    let (games, only) = (String::new(), String::new());
    let mut options = Options { folder: folder.into(), seeds: 30, games, only, peers: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--seeds" => options.seeds = value.parse()?,
            "--games" => options.games = value,
            "--only" => options.only = value,
            "--peers" => options.peers = Some(value.into()),
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(options)
}

/// Of each family, estimator, game and factor: the errors and the seconds.
type Results = BTreeMap<String, Family>;

/// Of each estimator, game and factor: the errors and the seconds.
type Family = BTreeMap<String, BTreeMap<(usize, String), Vec<(f64, f64)>>>;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let options = options()?;
    let mut results = Results::new();
    for known in tables(&options.folder)?.into_iter().chain(closed_forms()) {
        if known.name.contains(&options.games) {
            play(&known, &options, &mut results)?;
        }
    }
    if let Some(path) = &options.peers {
        add_peers(&std::fs::read_to_string(path)?, &options, &mut results)?;
    }
    for (family, estimators) in &results {
        print(family, estimators);
    }
    Ok(())
}

/// One estimate: how far it is off, and how long it took.
fn one(known: &KnownGame, ends: &Ends, estimator: &dyn Estimator, budget: u64, seed: u64) -> Result<(f64, f64)> {
    let counted = Counted { game: &*known.game, asked: AtomicU64::new(2) };
    let start = Instant::now();
    let values = estimator.estimate(&counted, ends, seed)?.values;
    let seconds = start.elapsed().as_secs_f64();
    let asked = counted.asked.load(Ordering::Relaxed);
    assert!(asked <= budget, "{} asked {asked} of {budget} on {}", estimator.name(), known.name);
    let off = &values.column(0) - &known.exact;
    Ok((off.dot(&off) / known.exact.dot(&known.exact), seconds))
}

fn play(known: &KnownGame, options: &Options, results: &mut Results) -> Result<()> {
    let n = known.game.n_players();
    let ends = Ends::of(&*known.game)?;
    for factor in FACTORS {
        let budget = if n < 20 { (factor * n).min(1 << n) } else { factor * n };
        for estimator in estimators(n, budget - 2) {
            if !estimator.name().contains(&options.only) || estimator.coalitions(n).is_err() {
                continue;
            }
            let errors: Vec<(f64, f64)> = (0..options.seeds)
                .into_par_iter()
                .map(|seed| one(known, &ends, &*estimator, budget as u64, seed))
                .collect::<Result<_>>()?;
            let rows = results.entry(known.family.clone()).or_default().entry(estimator.name().to_owned()).or_default();
            rows.insert((factor, known.name.clone()), errors);
        }
    }
    Ok(())
}

/// Reads what `peers/games.py` wrote: lines of family, game, factor, estimator, seed, error, evaluations, seconds.
fn add_peers(text: &str, options: &Options, results: &mut Results) -> std::result::Result<(), Box<dyn Error>> {
    for line in text.lines().skip(1) {
        let [family, game, factor, estimator, _, error, _, seconds] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("not a line of results: {line}").into());
        };
        if game.contains(&options.games) {
            let rows = results.entry(family.to_owned()).or_default().entry(estimator.to_owned()).or_default();
            rows.entry((factor.parse()?, game.to_owned())).or_default().push((error.parse()?, seconds.parse()?));
        }
    }
    Ok(())
}

fn print(family: &str, estimators: &Family) {
    println!("\n### {family}\n\n| estimator | 10n | 50n | 200n | ms at 200n |\n|---|--:|--:|--:|--:|");
    for (estimator, rows) in estimators {
        let mean = |factor: usize, of: fn(&(f64, f64)) -> f64| {
            let games: Vec<f64> = rows
                .iter()
                .filter(|((f, _), _)| *f == factor)
                .map(|(_, errors)| errors.iter().map(of).sum::<f64>() / errors.len() as f64)
                .collect();
            (!games.is_empty()).then(|| games.iter().sum::<f64>() / games.len() as f64)
        };
        let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.2e}"));
        let errors = FACTORS.map(|factor| show(mean(factor, |e| e.0))).join(" | ");
        let time = mean(200, |e| e.1).map_or("-".to_owned(), |s| format!("{:.0}", 1e3 * s));
        println!("| {estimator} | {errors} | {time} |");
    }
}
