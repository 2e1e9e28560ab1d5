//! `xai bench`: methods compete.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use ndarray::{Array2, Axis};
use xai::contest::{Contest, Entry, Fingerprint, METRICS};
use xai::core::{Document, Error, League, Run, Table};
use xai::eval::tournament::Step;
use xai::metrics::{MetricSpec, Metrics};
use xai::registry::{Registry, Subject, TableModel};
use xai::viz::{LeaguePage, LeagueTable, Png, Terminal, Theme};

use super::demo::Demo;
use crate::args::{BenchArgs, Grouping, Source};
use crate::case::{Case, Unlabelled};
use crate::failure::Failure;
use crate::files;
use crate::progress::{Progress, use_threads};
use crate::steps::StepFile;

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
    let read = [&args.model, &args.data, &args.background].into_iter().flatten();
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
        return compare(args, Subject::of_trees(&demo.model), &batch, &background, facts);
    };
    let source = Source {
        model: model.clone(),
        data: data.clone(),
        target: args.target.clone(),
        rows: args.rows,
        unknown_category: args.unknown_category,
        iterations: None,
    };
    let case = Case::open(&source, args.background.as_deref(), &Grouping::default(), Unlabelled::Ignore)?;
    let batch = match args.rows {
        Some(_) => case.batch.clone(),
        None => spread(&case.batch, ROWS),
    };
    if batch.nrows() < case.batch.nrows() {
        eprintln!("xai: {} of {} rows are explained; --rows A..B chooses", batch.nrows(), case.batch.nrows());
    }
    if case.background.is_none() {
        eprintln!("xai: without --background, rows of --data stand for absence");
    }
    let rows = case.background.as_ref().unwrap_or(&case.batch);
    let background = spread(rows, most);
    if background.nrows() < rows.nrows() {
        eprintln!("xai: {} of {} rows stand for absence; --n-background takes more", background.nrows(), rows.nrows());
    }
    let facts = [("model", model), ("data", data)].map(|(name, path)| (name.to_owned(), path.display().to_string()));
    compare(args, Subject::of_trees(&case.loaded.model), &batch, &background, facts.to_vec())
}

/// At most `n` rows, evenly spread.
fn spread(rows: &Array2<f64>, n: usize) -> Array2<f64> {
    let all = rows.nrows();
    if all <= n {
        return rows.clone();
    }
    rows.select(Axis(0), &(0..n).map(|i| i * all / n).collect::<Vec<_>>())
}

fn compare(
    args: &BenchArgs,
    subject: Subject,
    batch: &Table,
    background: &Table,
    mut facts: Vec<(String, String)>,
) -> Result<(), Failure> {
    let contest = contest(args, &subject, batch.ncols())?;
    let mut file = None;
    let mut done = Vec::new();
    if let Some(path) = &args.resume {
        let model: &TableModel = subject.model;
        let now = Fingerprint::new(&contest, model, batch, background, args.seed, args.max_evaluations)?;
        let (opened, steps) = StepFile::open(path, &now)?;
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
    let found = contest.resume((subject, batch, background), &run, done, &mut record);
    drop(progress);
    let league = match (found, &args.resume) {
        (Err(Error::Cancelled { .. }), Some(path)) => {
            let path = path.display();
            return Err(Failure::Stopped(format!("stopped; the same command with --resume {path} goes on")));
        }
        (found, _) => found?,
    };
    facts.push(("rows explained".into(), batch.nrows().to_string()));
    facts.push(("rows that stand for absence".into(), background.nrows().to_string()));
    facts.push(("features".into(), batch.ncols().to_string()));
    write(args.output.as_deref(), league, facts)
}

/// What was asked for, or all that fits.
fn contest(args: &BenchArgs, subject: &Subject, n_features: usize) -> Result<Contest, Failure> {
    let registry = Registry::standard();
    let mut methods: Vec<Entry> = match args.methods.as_slice() {
        [] => Contest::fitting(&registry, subject, n_features),
        names => names.iter().map(|name| Entry::new(name.trim())).collect(),
    };
    for entry in &methods {
        registry.get(&entry.name)?;
    }
    let known = Metrics::standard();
    let mut metrics = Vec::new();
    let default: Vec<String> = METRICS.map(str::to_owned).to_vec();
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
    Ok(Contest { methods, metrics, time: seconds.map(Duration::from_secs) })
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
        text.push_str(&format!("{:width$}  {}\n", spec.name, spec.summary));
        for parameter in &spec.parameters {
            let default = parameter.default.as_ref().map(|value| format!(", {value} by default")).unwrap_or_default();
            text.push_str(&format!("{:width$}  {}: {}{default}\n", "", parameter.name, parameter.purpose));
        }
    }
    text
}
