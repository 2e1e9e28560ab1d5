//! Times Rust peers on the files of `run.py`, one question a line: see `../protocol.py`.

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use hessboost::prelude::{BoostedModel, DMatrix, Iterations, ModelFormat};
use treeshap::TreeExplainer;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("usage: rust-peers FOLDER")?;
    let peers = Peers::load(Path::new(&folder))?;
    for line in std::io::stdin().lock().lines() {
        let answer = peers.answer(&line?).unwrap_or_else(|error| format!(r#"{{"error": {:?}}}"#, error.to_string()));
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A row-major table.
struct Table {
    width: usize,
    cells: Vec<f64>,
}

impl Table {
    fn read(path: &Path) -> Outcome<Table> {
        let text = std::fs::read_to_string(path)?;
        let mut lines = text.lines();
        let width = lines.next().ok_or("an empty table")?.split(',').count();
        let cells = lines.flat_map(|line| line.split(',')).map(|cell| match cell {
            "nan" => Ok(f64::NAN),
            number => number.parse(),
        });
        Ok(Table { width, cells: cells.collect::<Result<_, _>>()? })
    }

    fn first(&self, rows: usize) -> &[f64] {
        &self.cells[..self.cells.len().min(rows * self.width)]
    }
}

struct Peers {
    hessboost: BoostedModel,
    treeshap: treeshap::TreeModel,
    rows: Table,
    background: Table,
}

impl Peers {
    fn load(folder: &Path) -> Outcome<Peers> {
        let model = folder.join("model.json");
        Ok(Peers {
            hessboost: BoostedModel::load(&model, ModelFormat::XgboostJson)?,
            treeshap: treeshap::TreeModel::from_xgboost_json(&std::fs::read(&model)?).map_err(shown)?,
            rows: Table::read(&folder.join("rows.csv"))?,
            background: Table::read(&folder.join("background.csv"))?,
        })
    }

    /// `TASK ROWS BACKGROUND SECONDS RESULT`.
    fn answer(&self, question: &str) -> Outcome<String> {
        let [task, rows, background, seconds, result] = question.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err("a question has five words".into());
        };
        let (least, n_background): (f64, usize) = (seconds.parse()?, background.parse()?);
        let cells = self.rows.first(rows.parse()?);
        let width = self.rows.width;
        let n = cells.len() / width;
        let single: Vec<f32> = cells.iter().map(|&cell| cell as f32).collect();
        let matrix = DMatrix::from_dense(&single, n, width)?;
        let threads = Some(rayon::current_num_threads());
        match task {
            "hessboost-predict" => measure(
                least,
                result,
                || Ok(self.hessboost.predict_margin(&matrix, Iterations::Best)?),
                |margins| widened(margins.as_slice()),
            ),
            "hessboost-values" => measure(
                least,
                result,
                || Ok(self.hessboost.predict_contribs(&matrix, Iterations::Best)?),
                |values| without_bias(values.as_slice(), width),
            ),
            "hessboost-row" => one_by_one(result, n, |row| {
                // A matrix of one row is made outside the clock, as the others' is.
                let matrix = DMatrix::from_dense(&single[row * width..(row + 1) * width], 1, width)?;
                let start = Instant::now();
                let values = self.hessboost.predict_contribs(&matrix, Iterations::Best)?;
                Ok((start.elapsed().as_secs_f64(), without_bias(values.as_slice(), width)))
            }),
            "hessboost-pairs" => measure(
                least,
                result,
                || Ok(self.hessboost.predict_interactions(&matrix, Iterations::Best)?),
                |pairs| {
                    let squares = pairs.as_slice().chunks_exact((width + 1) * (width + 1));
                    squares.flat_map(|square| without_bias(&square[..width * (width + 1)], width)).collect()
                },
            ),
            "treeshap-values" => {
                let explainer = TreeExplainer::linear(&self.treeshap).map_err(shown)?;
                let work = || explainer.shap_values_batch_parallel(cells, 0, threads).map_err(shown);
                measure(least, result, work, |values| values)
            }
            "treeshap-background" => {
                let background = self.background.first(n_background);
                let explainer = TreeExplainer::linear_interventional(&self.treeshap, background).map_err(shown)?;
                let work = || explainer.shap_values_batch_parallel(cells, 0, threads).map_err(shown);
                measure(least, result, work, |values| values)
            }
            other => Err(format!("unknown task {other}").into()),
        }
    }
}

fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn without_bias(values: &[f32], width: usize) -> Vec<f64> {
    values.chunks_exact(width + 1).flat_map(|row| widened(&row[..width])).collect()
}

fn shown(error: impl std::fmt::Debug) -> Box<dyn Error> {
    format!("{error:?}").into()
}

/// Does the work once, writes the values of what came out, and then does it again until `least` seconds have gone.
fn measure<T>(
    least: f64,
    result: &str,
    work: impl Fn() -> Outcome<T>,
    values: impl Fn(T) -> Vec<f64>,
) -> Outcome<String> {
    let start = Instant::now();
    let done = work()?;
    let first = start.elapsed().as_secs_f64();
    write(result, &values(done))?;
    let (start, mut times) = (Instant::now(), 0);
    while times == 0 || start.elapsed().as_secs_f64() < least {
        work()?;
        times += 1;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(times);
    Ok(format!(r#"{{"first": {first:e}, "seconds": {seconds:e}, "times": {times}}}"#))
}

/// The median over rows that are explained one by one.
fn one_by_one(result: &str, n: usize, work: impl Fn(usize) -> Outcome<(f64, Vec<f64>)>) -> Outcome<String> {
    let (mut seconds, mut values) = (Vec::new(), Vec::new());
    let first = work(0)?.0;
    for row in 0..n {
        let (spent, row) = work(row)?;
        seconds.push(spent);
        values.extend(row);
    }
    write(result, &values)?;
    seconds.sort_by(f64::total_cmp);
    Ok(format!(r#"{{"first": {first:e}, "seconds": {:e}, "times": {n}}}"#, seconds[n / 2]))
}

fn write(result: &str, values: &[f64]) -> Outcome<()> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Ok(std::fs::write(result, bytes)?)
}
