//! The tasks on an ensemble of trees.

use ndarray::Array2;
use xai::core::{Attribution, Explainer, Model, Run, Table};
use xai::global::{Grid, PartialDependence};
use xai::local::lime::{Bins, LimeTabular, Training};
use xai::local::tree::{Algorithm, InterventionalTreeShap, Precision, TreeInteractions, TreeShap};
use xai::models::trees::TreeModel;

use crate::outcome::Outcome;
use crate::{Answer, Work};

const GRID: Grid = Grid::Even { n: 20, low: 0.05, high: 0.95 };

type RowWork<'a> = Box<dyn Fn(&Table) -> xai::core::Result<Outcome> + 'a>;

/// The task as a function that does it once.
pub fn work<'a>(task: &str, model: &'a TreeModel, rows: Array2<f64>, background: Array2<f64>) -> Answer<Work<'a>> {
    Ok(match task {
        "predict" => Box::new(move || Ok(Outcome::Scores(model.predict(&rows)?))),
        "values" => explained(TreeShap::default(), model, rows),
        "values-single" => explained(single(), model, rows),
        "values-quadrature" => {
            explained(TreeShap { algorithm: Algorithm::Quadrature, ..Default::default() }, model, rows)
        }
        "pairs" => {
            let method = TreeInteractions::default();
            Box::new(move || Ok(Outcome::Pairs(method.explain(model, &rows, &Run::default())?)))
        }
        "background" => explained(InterventionalTreeShap::new(background), model, rows),
        "lime" => {
            // As the Python library does it, with all features, and with the same number of draws.
            let training = Training::new(&background, &[], Bins::Quartiles)?;
            let method = LimeTabular { n_features: background.ncols(), ..LimeTabular::classic(training) };
            explained(method, model, rows)
        }
        "partial" => {
            let method = PartialDependence { features: vec![vec![0]], grid: GRID, ..Default::default() };
            Box::new(move || Ok(Outcome::Curves(method.explain(model, &rows, &Run::default())?.curves)))
        }
        other => return Err(format!("unknown task {other:?}").into()),
    })
}

/// The values of one row.
pub fn row<'a>(kind: &str, model: &'a TreeModel) -> Answer<RowWork<'a>> {
    let method = match kind {
        "" => TreeShap::default(),
        "-single" => single(),
        other => return Err(format!("unknown kind of row {other:?}").into()),
    };
    Ok(Box::new(move |row| Ok(Outcome::Values(method.explain(model, row, &Run::default())?))))
}

fn single() -> TreeShap {
    TreeShap { precision: Precision::Single, ..Default::default() }
}

fn explained<'a, E>(method: E, model: &'a TreeModel, rows: Array2<f64>) -> Work<'a>
where
    E: Explainer<TreeModel, Explanation = Attribution> + 'a,
{
    Box::new(move || Ok(Outcome::Values(method.explain(model, &rows, &Run::default())?)))
}
