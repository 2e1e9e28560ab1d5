//! Times one task on a model file and tables: our half of `peers/run.py`.
//!
//! `time TASK MODEL ROWS.csv BACKGROUND.csv N_ROWS SECONDS` does the task on the first N_ROWS rows again and again for
//! at least SECONDS, after once without a clock, and prints one line of JSON: the mean `seconds`, and `sum`, the sum of
//! the results' absolute values, by which the script sees that both sides did the same work.
//!
//! RAYON_NUM_THREADS says how many threads there are.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, Axis, Slice};
use xai::core::{Attribution, Explainer, Model, Result, Run};
use xai::global::{Grid, PartialDependence};
use xai::local::lime::{Bins, LimeTabular, Training};
use xai::local::masker::Background;
use xai::local::shapley::{KernelShap, Masked};
use xai::local::tree::{InterventionalTreeShap, TreeShap};
use xai::models::file::load;
use xai::models::table::{CsvOptions, align, read_csv};
use xai::models::trees::TreeModel;

/// What both sides are told.
const COALITIONS: usize = 2048;
const GRID: Grid = Grid::Even { n: 20, low: 0.05, high: 0.95 };

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, model, rows, background, n_rows, seconds] = arguments.as_slice() else {
        return Err("usage: time TASK MODEL ROWS.csv BACKGROUND.csv N_ROWS SECONDS".into());
    };
    let model = load(Path::new(model))?.model;
    let (n_rows, least): (usize, f64) = (n_rows.parse()?, seconds.parse()?);
    let table = |path: &str| -> Result<Array2<f64>> {
        Ok(align(&read_csv(path, &CsvOptions::default())?, model.features())?.matrix)
    };
    let (rows, background) = (table(rows)?, table(background)?);
    let n_rows = n_rows.min(rows.nrows());
    let rows = rows.slice_axis(Axis(0), Slice::from(..n_rows)).to_owned();
    let work = work(task, &model, rows, background)?;

    let sum = work()?;
    let start = Instant::now();
    let mut times = 0;
    while times == 0 || start.elapsed().as_secs_f64() < least {
        work()?;
        times += 1;
    }
    let seconds = start.elapsed().as_secs_f64() / f64::from(times);
    println!(r#"{{"task": "{task}", "rows": {n_rows}, "seconds": {seconds:e}, "sum": {sum:e}, "times": {times}}}"#);
    Ok(())
}

type Work<'a> = Box<dyn Fn() -> Result<f64> + 'a>;

/// The task as a function that does it once.
fn work<'a>(
    task: &str,
    model: &'a TreeModel,
    rows: Array2<f64>,
    background: Array2<f64>,
) -> std::result::Result<Work<'a>, Box<dyn Error>> {
    Ok(match task {
        "predict" => Box::new(move || Ok(size(model.predict(&rows)?.iter()))),
        "tree-shap" => explained(TreeShap::default(), model, rows),
        "tree-shap-row" => Box::new(move || {
            let (method, run) = (TreeShap::default(), Run::default());
            let mut sum = 0.0;
            for row in rows.axis_chunks_iter(Axis(0), 1) {
                sum += size(method.explain(model, &row, &run)?.values.iter());
            }
            Ok(sum)
        }),
        "interventional-tree-shap" => explained(InterventionalTreeShap::new(background), model, rows),
        "kernel-shap" => {
            let estimator = KernelShap { n_coalitions: Some(COALITIONS) };
            explained(Masked { estimator, masker: Background::new(background)? }, model, rows)
        }
        "lime" => {
            // As the Python library does it, with all features, and with the same number of draws.
            let training = Training::new(&background, &[], Bins::Quartiles)?;
            let method = LimeTabular { n_features: background.ncols(), ..LimeTabular::classic(training) };
            explained(method, model, rows)
        }
        "partial-dependence" => {
            let method = PartialDependence { features: vec![vec![0]], grid: GRID, ..Default::default() };
            Box::new(move || Ok(size(method.explain(model, &rows, &Run::default())?.curves[0].values.iter())))
        }
        other => return Err(format!("unknown task {other:?}").into()),
    })
}

fn explained<'a, E>(method: E, model: &'a TreeModel, rows: Array2<f64>) -> Work<'a>
where
    E: Explainer<TreeModel, Explanation = Attribution> + 'a,
{
    Box::new(move || Ok(size(method.explain(model, &rows, &Run::default())?.values.iter())))
}

fn size<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    values.map(|value| value.abs()).sum()
}
