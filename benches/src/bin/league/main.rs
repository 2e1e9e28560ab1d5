//! The reference league: `league [FOLDER]`, from the root of the repository.
//!
//! Lets the methods of the registry compete where the truth is known by construction (tables, words, pictures), on trees
//! and on a network of real data, and, where `../shared/data` has them, on handwritten digits. Writes `league-*.json` and
//! `league-*.svg` to FOLDER, `docs/src/evaluation` when not given, and the tables of `league.md` there and of `README.md`
//! between their markers. Without the digits their old results stay.

mod models;
mod page;
mod real;
mod truth;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xai::contest::Entry;
use xai::core::{Document, League, Run};
use xai::registry::Registry;
use xai::viz::{LeagueTable, Theme};

/// What everything random follows from.
const SEED: u64 = 20261;
/// How many coalitions each method that counts them gets for a sample: the same for all.
const COALITIONS: &str = "n_coalitions=256";
/// How long one contest may take: a guard for slow machines, which none needs elsewhere. What it cuts off is named.
const MOST_TIME: Duration = Duration::from_secs(150);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A contest that was held.
pub struct Held {
    /// Its name, in kebab case.
    pub name: String,
    /// What came out.
    pub league: League,
}

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("docs/src/evaluation"), PathBuf::from);
    if !folder.is_dir() {
        return Err(format!("{}: not a folder; run this from the root of the repository", folder.display()).into());
    }
    let begun = Instant::now();
    let mut all = Vec::new();
    let mut hold = |name: &str, league: xai::core::Result<League>| -> Outcome<()> {
        let held = Held { name: name.to_owned(), league: league? };
        eprintln!("{name}: {}, {:.0} s since the start", held.league, begun.elapsed().as_secs_f64());
        write(&folder, &held)?;
        all.push(held);
        Ok(())
    };
    let run = Run { seed: SEED, ..Run::default() };
    for known in xai::eval::truth::tables(truth::ROWS, SEED)? {
        hold(known.name, truth::table(&known, &run))?;
    }
    hold("words", truth::words(&run))?;
    hold("pictures", truth::pictures(&run))?;
    hold("trees", real::trees(&run))?;
    hold("network", real::network(&run))?;
    let shared = Path::new("../shared/data");
    match models::digits(shared)? {
        Some(digits) => hold("digits", real::digits(&digits, &run))?,
        None => match stored(&folder, "digits")? {
            Some(held) => {
                eprintln!("digits: not in {}; the results that are stored stay", shared.display());
                all.push(held);
            }
            None => eprintln!("digits: left out, they are not in {}", shared.display()),
        },
    }
    page::fill(&folder.join("league.md"), &page::tables(&all))?;
    if folder.ends_with("docs/src/evaluation") {
        page::fill(Path::new("README.md"), &[("summary".to_owned(), page::summary(&all))])?;
    }
    eprintln!("{:.0} s in all", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Methods by name, with the same number of coalitions for all that count them.
fn entries(methods: Vec<Entry>) -> xai::core::Result<Vec<Entry>> {
    let registry = Registry::standard();
    methods
        .into_iter()
        .map(|mut entry| {
            let counts = registry.get(&entry.name)?.spec().parameters.iter().any(|p| p.name == "n_coalitions");
            entry.set.extend(counts.then(|| COALITIONS.to_owned()));
            // What `auto` adds to it is thinking, for seconds an image.
            entry.set.extend((entry.name == "segment-shap").then(|| "estimator=kernel".to_owned()));
            Ok(entry)
        })
        .collect()
}

/// Metrics with their parameters, written as `name key=value …`.
fn metrics(list: &[&str]) -> Vec<Entry> {
    let entry = |text: &&str| {
        let mut words = text.split(' ').map(str::to_owned);
        let name = words.next().unwrap_or_default();
        Entry { set: words.collect(), ..Entry::new(name) }
    };
    list.iter().map(entry).collect()
}

fn write(folder: &Path, held: &Held) -> Outcome<()> {
    let mut text = serde_json::to_string(&Document::from(held.league.clone()))?;
    text.push('\n');
    std::fs::write(folder.join(format!("league-{}.json", held.name)), text)?;
    let drawn = ["pictures", "trees", "network", "digits"].contains(&held.name.as_str());
    if drawn {
        let table = LeagueTable { title: Some(page::title(&held.name).to_owned()), ..LeagueTable::default() };
        let svg = table.scene(&held.league)?.svg(&Theme::light());
        std::fs::write(folder.join(format!("league-{}.svg", held.name)), svg)?;
    }
    Ok(())
}

fn stored(folder: &Path, name: &str) -> Outcome<Option<Held>> {
    let path = folder.join(format!("league-{name}.json"));
    if !path.is_file() {
        return Ok(None);
    }
    match serde_json::from_str(&std::fs::read_to_string(&path)?)? {
        Document::League(league) => Ok(Some(Held { name: name.to_owned(), league })),
        _ => Err(format!("{}: no league", path.display()).into()),
    }
}
