//! `xai bench`: methods compete.

mod known;
mod networks;

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use ndarray::{Array2, Axis};
use xai::contest::{Contest, Entry, Fingerprint, MASK_METRICS, METRICS, TRUTH_METRICS, evenly};
use xai::core::{Document, Error, League, Model, Result as Found, Run, Table};
use xai::eval::tournament::Step;
use xai::metrics::{MetricSpec, Metrics};
use xai::models::file::AnyModel;
use xai::registry::{Form, Registry, Subject};
use xai::viz::{LeaguePage, LeagueTable, Png, Terminal, Theme};

use super::demo::Demo;
use crate::absence::Absence;
use crate::args::{BenchArgs, Grouping, Source};
use crate::case::{self, Case, Unlabelled};
use crate::failure::Failure;
use crate::files;
use crate::progress::{Progress, use_threads};
use crate::steps::StepFile;
use known::Known;

/// How many rows are compared when none are chosen; on the embedded data, so many that it takes a minute or two.
const ROWS: usize = 40;
const DEMO_ROWS: usize = 12;
const DEMO_BACKGROUND: usize = 10;
const DEMO_COALITIONS: &str = "n_coalitions=1024";
const DEMO_SECONDS: u64 = 150;
/// What fits a model to every game takes minutes in a debug build, or more coalitions than that.
const DEMO_WITHOUT: [&str; 4] = ["auto-shap", "gp-shap", "poly-shap", "regression-msr"];

/// Compares methods.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    if args.list_metrics {
        return files::write(None, list(&Metrics::standard()).as_bytes());
    }
    let read = [&args.model, &args.data, &args.background, &args.masks, &args.truth].into_iter().flatten();
    files::not_over(args.output.as_deref(), read.map(|path| path.as_path()).chain(args.resume.as_deref()))?;
    kind(args.output.as_deref())?;
    use_threads(args.threads)?;
    let most = args.n_background as usize;
    let (Some(model), Some(data)) = (&args.model, &args.data) else {
        eprintln!("xai: training a forest on the Wisconsin breast cancer data");
        let demo = Demo::train(args.seed)?;
        let (batch, background) = (spread(&demo.batch, DEMO_ROWS), spread(&demo.training, most.min(DEMO_BACKGROUND)));
        let facts =
            [("model", "random forest, trained with linfa"), ("data", "Wisconsin diagnostic breast cancer, UCI")];
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        return compare(args, Subject::of_trees(&demo.model), &batch, &background, Known::default(), facts);
    };
    let source = Source {
        model: model.clone(),
        data: data.clone(),
        target: args.target.clone(),
        rows: args.rows,
        unknown_category: args.unknown_category,
        iterations: None,
    };
    if let AnyModel::Network(network) = case::open(&source, &args.networks)? {
        return networks::run(args, &source, &network);
    }
    if !args.outputs.is_empty() {
        return Err(Failure::Use("--outputs chooses among the outputs of a network".into()));
    }
    let absence = args.background.as_deref().map(|path| Absence { path, weights: None });
    let case = Case::open(&source, absence, &Grouping::default(), Unlabelled::Ignore)?;
    let places = chosen(args, case.batch.nrows(), ROWS, "rows");
    let batch = case.batch.select(Axis(0), &places);
    let known = Known::of_rows(args, &source, case.loaded.model.features(), case.batch.nrows())?.pick(&places, None)?;
    if case.background.is_none() {
        eprintln!("xai: without --background, rows of --data stand for absence");
    }
    let rows = case.background.as_ref().map_or(&case.batch, |background| &background.rows);
    let background = spread(rows, most);
    if background.nrows() < rows.nrows() {
        eprintln!("xai: {} of {} rows stand for absence; --n-background takes more", background.nrows(), rows.nrows());
    }
    compare(args, Subject::of_trees(&case.loaded.model), &batch, &background, known, facts(&source))
}

fn facts(source: &Source) -> Vec<(String, String)> {
    let paths = [("model", &source.model), ("data", &source.data)];
    paths.map(|(name, path)| (name.to_owned(), path.display().to_string())).to_vec()
}

/// The samples that are explained: all where some were chosen, otherwise at most `most`, evenly spread.
fn chosen(args: &BenchArgs, n_samples: usize, most: usize, what: &str) -> Vec<usize> {
    let places = evenly(n_samples, if args.rows.is_some() { n_samples } else { most });
    if places.len() < n_samples {
        eprintln!("xai: {} of {n_samples} {what} are explained; --rows A..B chooses", places.len());
    }
    places
}

/// At most `n` rows, evenly spread.
fn spread(rows: &Array2<f64>, n: usize) -> Array2<f64> {
    rows.select(Axis(0), &evenly(rows.nrows(), n))
}

/// Compares methods on a table model.
fn compare(
    args: &BenchArgs,
    subject: Subject,
    batch: &Table,
    background: &Table,
    known: Known,
    mut facts: Vec<(String, String)>,
) -> Result<(), Failure> {
    let contest = contest(args, known, |registry| Contest::fitting(registry, &subject, batch.ncols()))?;
    facts.push(("rows explained".into(), batch.nrows().to_string()));
    facts.push(("rows that stand for absence".into(), background.nrows().to_string()));
    facts.push(("features".into(), batch.ncols().to_string()));
    let begun = |contest: &Contest| {
        Fingerprint::new(contest, subject.model, batch, background, args.seed, args.max_evaluations)
    };
    hold(args, &contest, begun, facts, |run, done, record| {
        contest.resume((subject, batch, background), run, done, record)
    })
}

/// Holds a contest, goes on with one that was interrupted, and writes what came out.
fn hold(
    args: &BenchArgs,
    contest: &Contest,
    begun: impl FnOnce(&Contest) -> Found<Fingerprint>,
    facts: Vec<(String, String)>,
    resume: impl FnOnce(&Run, Vec<Step>, &mut dyn FnMut(&Step) -> Found<()>) -> Found<League>,
) -> Result<(), Failure> {
    let mut file = None;
    let mut done = Vec::new();
    if let Some(path) = &args.resume {
        let (opened, steps) = StepFile::open(path, &begun(contest)?)?;
        if !steps.is_empty() {
            eprintln!("xai: {} steps are done already", steps.len());
        }
        (file, done) = (Some(opened), steps);
    }
    let known = contest.methods.len() + 3;
    let (total, mut n_done) = (known * (1 + contest.metrics.len()), done.len());
    let progress = Progress::new("methods compete");
    let run = Run { seed: args.seed, max_evaluations: args.max_evaluations, observer: &progress, ..Run::default() };
    let mut record = |step: &Step| {
        n_done += 1;
        let what = match step {
            Step::Explained { method, .. } => method.clone(),
            Step::Measured { method, metric, .. } => format!("{method}, {metric}"),
        };
        progress.says(&format!("{n_done} of {total}: {what}"), matches!(step, Step::Explained { .. }));
        file.as_mut().map_or(Ok(()), |file| file.push(step))
    };
    let found = resume(&run, done, &mut record);
    drop(progress);
    let league = match (found, &args.resume) {
        (Err(Error::Cancelled { .. }), Some(path)) => {
            let path = path.display();
            return Err(Failure::Stopped(format!("stopped; the same command with --resume {path} goes on")));
        }
        (found, _) => found?,
    };
    write(args.output.as_deref(), league, facts)
}

/// What was asked for, or all that fits.
fn contest(args: &BenchArgs, beside: Known, fitting: impl FnOnce(&Registry) -> Vec<Entry>) -> Result<Contest, Failure> {
    let registry = Registry::standard();
    let mut methods: Vec<Entry> = match args.methods.as_slice() {
        [] => fitting(&registry),
        names => names.iter().map(|name| Entry::new(name.trim())).collect(),
    };
    for entry in &methods {
        registry.get(&entry.name)?;
    }
    let known = Metrics::standard();
    let mut metrics = Vec::new();
    let mut default: Vec<String> = METRICS.map(str::to_owned).to_vec();
    default.extend(MASK_METRICS.iter().filter(|_| beside.masks.is_some()).map(|name| (*name).to_owned()));
    default.extend(TRUTH_METRICS.iter().filter(|_| beside.truth.is_some()).map(|name| (*name).to_owned()));
    for text in if args.metrics.is_empty() { &default } else { &args.metrics } {
        let (name, weight) = match text.split_once('=') {
            None => (text.trim(), None),
            Some((name, weight)) => {
                let number = weight.trim().parse().ok().filter(|w: &f64| w.is_finite() && *w >= 0.0);
                let wrong = || Failure::Use(format!("--metrics {text}: a weight is a number, at least 0"));
                (name.trim(), Some(number.ok_or_else(wrong)?))
            }
        };
        known.get(name)?;
        metrics.push(Entry { weight, ..Entry::new(name) });
    }
    let mut seconds = args.seconds;
    if args.model.is_none() {
        // First steps are short: the same few coalitions for all methods that count them.
        seconds = seconds.or(Some(DEMO_SECONDS));
        if args.methods.is_empty() {
            methods.retain(|entry| !DEMO_WITHOUT.contains(&entry.name.as_str()));
            eprintln!("xai: {} are left out, which take minutes; --methods names them", DEMO_WITHOUT.join(", "));
        }
        for entry in &mut methods {
            let counts = registry.get(&entry.name)?.spec().parameters.iter().any(|p| p.name == "n_coalitions");
            let prefix = format!("{}.n_coalitions=", entry.name);
            if counts && !args.set.iter().any(|text| text.starts_with(&prefix)) {
                entry.set.push(DEMO_COALITIONS.to_owned());
            }
        }
    }
    for text in &args.set {
        let wrong = || Failure::Use(format!("--set {text}: expected NAME.KEY=VALUE, such as lime.n_draws=500"));
        let (name, pair) = text.split_once('.').ok_or_else(wrong)?;
        let mut entries = methods.iter_mut().chain(&mut metrics).filter(|entry| entry.name == name).peekable();
        if entries.peek().is_none() {
            return Err(Failure::Use(format!("--set {text}: {name} does not take part")));
        }
        entries.for_each(|entry| entry.set.push(pair.to_owned()));
    }
    let Known { masks, truth } = beside;
    Ok(Contest { methods, metrics, time: seconds.map(Duration::from_secs), masks, truth })
}

/// The forms that a league can be written in.
enum Kind {
    Json,
    Html,
    Svg,
    Png,
}

fn kind(output: Option<&Path>) -> Result<Option<Kind>, Failure> {
    let Some(path) = output else { return Ok(None) };
    match path.extension().and_then(|e| e.to_str()) {
        Some("json") => Ok(Some(Kind::Json)),
        Some("html") => Ok(Some(Kind::Html)),
        Some("svg") => Ok(Some(Kind::Svg)),
        Some("png") => Ok(Some(Kind::Png)),
        _ => Err(Failure::Use(format!("{}: a league ends in .json, .html, .svg or .png", path.display()))),
    }
}

fn write(output: Option<&Path>, league: League, facts: Vec<(String, String)>) -> Result<(), Failure> {
    let bytes = match kind(output)? {
        None => {
            let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            Terminal { width: 120, colour }.league(&league)?.into_bytes()
        }
        Some(Kind::Json) => {
            let mut text = serde_json::to_string(&Document::from(league)).map_err(Error::model)?;
            text.push('\n');
            text.into_bytes()
        }
        Some(Kind::Html) => LeaguePage { facts, ..LeaguePage::default() }.html(&league)?.into_bytes(),
        Some(Kind::Svg) => LeagueTable::default().scene(&league)?.svg(&Theme::light()).into_bytes(),
        Some(Kind::Png) => Png::default().render(&LeagueTable::default().scene(&league)?, &Theme::light())?,
    };
    files::write(output, &bytes)
}

/// The metrics, with what they ask.
fn list(metrics: &Metrics) -> String {
    let mut specs: Vec<&MetricSpec> = metrics.specs().collect();
    specs.sort_by_key(|spec| spec.family);
    let width = specs.iter().map(|spec| spec.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for spec in specs {
        let forms: Vec<&str> = spec.forms.iter().map(|form| form.label()).collect();
        let of = if spec.forms.len() < Form::ALL.len() { format!(" ({})", forms.join(", ")) } else { String::new() };
        text.push_str(&format!("{:width$}  {}{of}\n", spec.name, spec.summary));
        if !spec.needs.is_empty() {
            let needs: Vec<String> = spec.needs.iter().map(ToString::to_string).collect();
            text.push_str(&format!("{:width$}  needs {}\n", "", needs.join(", ")));
        }
        for parameter in &spec.parameters {
            let default = parameter.default.as_ref().map(|value| format!(", {value} by default")).unwrap_or_default();
            text.push_str(&format!("{:width$}  {}: {}{default}\n", "", parameter.name, parameter.purpose));
        }
    }
    text
}
