//! Times tasks on the files of a folder: our half of `peers/run.py`.
//!
//! `time FOLDER` reads one question a line, `TASK ROWS BACKGROUND SECONDS RESULT`: the task is done once on the first
//! ROWS rows against the first BACKGROUND background rows, what came out is written to RESULT (f64, little-endian), and
//! then it is done again and again until SECONDS have gone. The answer is one line of JSON: `first`, the seconds of the
//! first call, in which whatever is kept between calls is made; `seconds`, the mean of the others, or for rows one by
//! one the median; `times`; or `error`.
//!
//! RAYON_NUM_THREADS says how many threads there are.

mod network;
mod outcome;
mod tasks;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array2, Axis, Slice};
use outcome::Outcome;
use xai::core::{Model, Table};
use xai::models::dense::Dense;
use xai::models::file::load;
use xai::models::table::{CsvOptions, align, read_csv};
use xai::models::trees::TreeModel;

type Answer<T> = Result<T, Box<dyn Error>>;

/// Does a task once.
type Work<'a> = Box<dyn Fn() -> xai::core::Result<Outcome> + 'a>;

fn main() -> Answer<()> {
    let folder = std::env::args().nth(1).ok_or("usage: time FOLDER")?;
    let folder = Folder::open(PathBuf::from(folder))?;
    for line in std::io::stdin().lock().lines() {
        let answer = folder.answer(&line?).unwrap_or_else(|error| format!(r#"{{"error": {:?}}}"#, error.to_string()));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A model and its tables.
enum Folder {
    Trees { model: Box<TreeModel>, rows: Array2<f64>, background: Array2<f64> },
    Network { model: Dense, rows: Array2<f64>, background: Array2<f64> },
}

impl Folder {
    fn open(path: PathBuf) -> Answer<Folder> {
        let file = path.join("model.json");
        if !file.exists() {
            let rows = network::numbers(&path.join("network-rows.csv"), 1)?;
            let background = network::numbers(&path.join("network-background.csv"), 1)?;
            return Ok(Folder::Network { model: network::read(&path)?, rows, background });
        }
        let model = load(&file)?.model;
        let table = |name: &str| -> Answer<Array2<f64>> {
            Ok(align(&read_csv(path.join(name), &CsvOptions::default())?, model.features())?.matrix)
        };
        let (rows, background) = (table("rows.csv")?, table("background.csv")?);
        Ok(Folder::Trees { model: Box::new(model), rows, background })
    }

    fn answer(&self, question: &str) -> Answer<String> {
        let [task, rows, background, seconds, result] = question.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("a question has five words".into());
        };
        let (rows, background): (usize, usize) = (rows.parse()?, background.parse()?);
        let (least, result): (f64, &Path) = (seconds.parse()?, result.as_ref());
        match self {
            Folder::Trees { model, rows: all, background: known } => {
                let (rows, background) = (first(all, rows), first(known, background));
                match task.strip_prefix("row") {
                    Some(kind) => one_by_one(&rows, result, &tasks::row(kind, model)?),
                    None => measure(least, result, &tasks::work(task, model, rows, background)?),
                }
            }
            Folder::Network { model, rows: all, background: known } => {
                measure(least, result, &network::work(task, model, first(all, rows), first(known, background))?)
            }
        }
    }
}

fn first(table: &Array2<f64>, n: usize) -> Array2<f64> {
    table.slice_axis(Axis(0), Slice::from(..n.min(table.nrows()))).to_owned()
}

/// The work once, which gives the values, and again until `least` seconds have gone.
fn measure(least: f64, result: &Path, work: &Work) -> Answer<String> {
    let start = Instant::now();
    let done = work()?;
    let first = start.elapsed().as_secs_f64();
    write(result, &done.values())?;
    let (start, mut times) = (Instant::now(), 0);
    while times == 0 || start.elapsed().as_secs_f64() < least {
        work()?;
        times += 1;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(times);
    Ok(format!(r#"{{"first": {first:e}, "seconds": {seconds:e}, "times": {times}}}"#))
}

/// The median over rows that are explained one by one.
fn one_by_one(
    rows: &Array2<f64>,
    result: &Path,
    work: &dyn Fn(&Table) -> xai::core::Result<Outcome>,
) -> Answer<String> {
    let timed = |row: usize| {
        let start = Instant::now();
        let done = work(&rows.slice_axis(Axis(0), Slice::from(row..=row)))?;
        Ok::<_, Box<dyn Error>>((start.elapsed().as_secs_f64(), done))
    };
    let first = timed(0)?.0;
    let (mut seconds, mut values) = (Vec::new(), Vec::new());
    for row in 0..rows.nrows() {
        let (spent, done) = timed(row)?;
        seconds.push(spent);
        values.extend(done.values());
    }
    write(result, &values)?;
    seconds.sort_by(f64::total_cmp);
    let times = seconds.len();
    Ok(format!(r#"{{"first": {first:e}, "seconds": {:e}, "times": {times}}}"#, seconds[times / 2]))
}

fn write(result: &Path, values: &[f64]) -> Answer<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Ok(std::fs::write(result, bytes)?)
}
