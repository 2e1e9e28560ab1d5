//! How far estimates are off on games whose Shapley values are known.
//!
//! `games FOLDER [--pairs yes] [--seeds 30] [--games NAME] [--only ESTIMATOR] [--factors 10,50]
//! [--peers FILE.tsv]` plays the games of the folder and
//! the closed forms with 10, 50 and 200 evaluations a player (or those named; counting all, the empty and the full coalition too), and
//! prints ‖φ̂ − φ‖² / ‖φ‖², mean over seeds and games, as Markdown: one table a family, as soon as it is played. `--peers`
//! adds the rows of what `peers/games.py` wrote. With `--pairs` the φ are Shapley interactions of two players. A
//! cell stays empty unless all games of the family were played: means over other games are not compared.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ndarray::{Array2, ArrayRef2};
use rayon::prelude::*;
use xai::core::{Game, InteractionIndex, Result};
use xai::local::interaction::{GpInteractions, InteractionEstimator, ProxyInteractions, Terms};
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

/// The estimators of pairs.
fn pair_estimators(coalitions: usize) -> Vec<Box<dyn InteractionEstimator>> {
    let n_coalitions = Some(coalitions);
    let proxy = ProxyInteractions { n_coalitions, ..Default::default() };
    vec![
        Box::new(GpInteractions { n_coalitions, ..Default::default() }),
        Box::new(proxy),
        Box::new(Unbiased(ProxyInteractions { unbiased: true, ..proxy })),
    ]
}

/// An estimator without bias, under a name of its own.
struct Unbiased(ProxyInteractions);

impl InteractionEstimator for Unbiased {
    fn name(&self) -> &'static str {
        "proxy-interactions, unbiased"
    }
    fn index(&self) -> (InteractionIndex, usize) {
        self.0.index()
    }
    fn coalitions(&self, n_players: usize) -> Result<u64> {
        self.0.coalitions(n_players)
    }
    fn most_sets(&self, n_players: usize) -> u64 {
        self.0.most_sets(n_players)
    }
    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Terms> {
        self.0.estimate(game, ends, seed)
    }
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

impl Counted<'_> {
    fn check(&self, budget: u64, estimator: &str) {
        let asked = self.asked.load(Ordering::Relaxed);
        assert!(asked <= budget, "{estimator} asked {asked} of {budget}");
    }
}

struct Options {
    folder: PathBuf,
    seeds: u64,
    games: String,
    only: String,
    peers: Option<PathBuf>,
    pairs: bool,
    factors: Vec<usize>,
}

fn options() -> std::result::Result<Options, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: games FOLDER [--seeds N] [--games NAME] [--only NAME] [--factors N,N] [--peers FILE]")?;
    let (games, only) = (String::new(), String::new());
    let mut options =
        Options { folder: folder.into(), seeds: 30, games, only, peers: None, pairs: false, factors: FACTORS.to_vec() };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--pairs" => options.pairs = value == "yes",
            "--seeds" => options.seeds = value.parse()?,
            "--games" => options.games = value,
            "--only" => options.only = value,
            "--factors" => options.factors = value.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?,
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
    if let Some(path) = &options.peers {
        add_peers(&std::fs::read_to_string(path)?, &options, &mut results)?;
    }
    let mut games: Vec<KnownGame> = tables(&options.folder)?.into_iter().chain(closed_forms()).collect();
    games.retain(|known| known.name.contains(&options.games) && !(options.pairs && known.pairs.is_empty()));
    for of_family in games.chunk_by(|a, b| a.family == b.family) {
        for known in of_family {
            play(known, &options, &mut results)?;
        }
        if let Some(estimators) = results.get(&of_family[0].family) {
            print(&of_family[0].family, estimators);
        }
    }
    Ok(())
}

/// One estimate: how far it is off, and how long it took.
fn one(known: &KnownGame, ends: &Ends, estimator: &dyn Estimator, budget: u64, seed: u64) -> Result<(f64, f64)> {
    let counted = Counted { game: &*known.game, asked: AtomicU64::new(2) };
    let start = Instant::now();
    let values = estimator.estimate(&counted, ends, seed)?.values;
    let seconds = start.elapsed().as_secs_f64();
    counted.check(budget, estimator.name());
    let off = &values.column(0) - &known.exact;
    Ok((off.dot(&off) / known.exact.dot(&known.exact), seconds))
}

/// One estimate of pairs.
fn one_of_pairs(
    known: &KnownGame,
    ends: &Ends,
    estimator: &dyn InteractionEstimator,
    budget: u64,
    seed: u64,
) -> Result<(f64, f64)> {
    let counted = Counted { game: &*known.game, asked: AtomicU64::new(2) };
    let start = Instant::now();
    let terms = estimator.estimate(&counted, ends, seed)?;
    let seconds = start.elapsed().as_secs_f64();
    counted.check(budget, estimator.name());
    let exact: BTreeMap<&[usize], f64> = known.pairs.iter().map(|(pair, value)| (&pair[..], *value)).collect();
    let pairs = terms.sets.iter().zip(terms.values.column(0)).filter(|(set, _)| set.len() == 2);
    let off: f64 = pairs.map(|(set, value)| (value - exact.get(&set[..]).copied().unwrap_or(0.0)).powi(2)).sum();
    Ok((off / exact.values().map(|value| value * value).sum::<f64>(), seconds))
}

fn play(known: &KnownGame, options: &Options, results: &mut Results) -> Result<()> {
    let n = known.game.n_players();
    let ends = Ends::of(&*known.game)?;
    let family = results.entry(known.family.clone()).or_default();
    for &factor in &options.factors {
        let budget = if n < 20 { (factor * n).min(1 << n) } else { factor * n };
        let mut add = |name: &str, one: &(dyn Fn(u64) -> Result<(f64, f64)> + Sync)| -> Result<()> {
            let errors = (0..options.seeds).into_par_iter().map(one).collect::<Result<_>>()?;
            family.entry(name.to_owned()).or_default().insert((factor, known.name.clone()), errors);
            Ok(())
        };
        if options.pairs {
            for estimator in pair_estimators(budget - 2) {
                if estimator.name().contains(&options.only) && estimator.coalitions(n).is_ok() {
                    let one = |seed| one_of_pairs(known, &ends, &*estimator, budget as u64, seed);
                    add(estimator.name(), &one)?;
                }
            }
            continue;
        }
        for estimator in estimators(n, budget - 2) {
            if estimator.name().contains(&options.only) && estimator.coalitions(n).is_ok() {
                add(estimator.name(), &|seed| one(known, &ends, &*estimator, budget as u64, seed))?;
            }
        }
    }
    Ok(())
}

/// Reads what `peers/games.py` wrote: lines of family, game, factor, estimator, seed, error, evaluations, seconds; under a
/// head that says `seeds`, means over so many.
fn add_peers(text: &str, options: &Options, results: &mut Results) -> std::result::Result<(), Box<dyn Error>> {
    let are_means = text.lines().next().is_some_and(|head| head.split('\t').any(|name| name == "seeds"));
    for line in text.lines().skip(1) {
        let [family, game, factor, estimator, seed, error, _, seconds] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            return Err(format!("not a line of results: {line}").into());
        };
        if game.contains(&options.games) {
            let rows = results.entry(family.to_owned()).or_default().entry(estimator.to_owned()).or_default();
            let rows = rows.entry((factor.parse()?, game.to_owned())).or_default();
            let seeds = if are_means { seed.parse()? } else { 1 };
            rows.resize(rows.len() + seeds, (error.parse()?, seconds.parse()?));
        }
    }
    Ok(())
}

fn print(family: &str, estimators: &Family) {
    println!(
        "\n### {family}\n\n| estimator | 10n | 50n | 200n | ms at 200n | games, seeds |\n|---|--:|--:|--:|--:|--:|"
    );
    let games = |rows: &BTreeMap<(usize, String), Vec<(f64, f64)>>, factor: usize| -> usize {
        rows.keys().filter(|(f, _)| *f == factor).count()
    };
    let all = estimators.values().flat_map(|rows| FACTORS.map(|factor| games(rows, factor))).max().unwrap_or(0);
    for (estimator, rows) in estimators {
        let mean = |factor: usize, of: fn(&(f64, f64)) -> f64| {
            let own = rows.iter().filter(|((f, _), _)| *f == factor);
            let means: Vec<f64> = own.map(|(_, all)| all.iter().map(of).sum::<f64>() / all.len() as f64).collect();
            // Means over other games are no row of the same table.
            (means.len() == all).then(|| means.iter().sum::<f64>() / all as f64)
        };
        let show = |x: Option<f64>| x.map_or("-".to_owned(), |x| format!("{x:.2e}"));
        let errors = FACTORS.map(|factor| show(mean(factor, |e| e.0))).join(" | ");
        let time = mean(200, |e| e.1).map_or("-".to_owned(), |s| format!("{:.0}", 1e3 * s));
        let fewest = rows.values().map(Vec::len).min().unwrap_or(0);
        println!("| {estimator} | {errors} | {time} | {all}, {fewest} |");
    }
}
