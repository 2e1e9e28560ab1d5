//! `xai demo`: a forest on embedded data, explained.

use std::io::IsTerminal;
use std::path::Path;

use linfa::prelude::{Dataset, Fit};
use linfa_ensemble::RandomForestParams;
use linfa_trees::DecisionTree;
use ndarray::{Array2, Axis};
use rand08::{SeedableRng, rngs::SmallRng};
use xai::core::{Error, Model, Output, Result, Run, TreeStructured};
use xai::global::Labels;
use xai::models::adaptor::select_trees;
use xai::models::table::{Labels as Known, align};
use xai::models::trees::TreeModel;
use xai::registry::Subject;
use xai::report::{Brief, Findings};
use xai::viz::{ImportanceBars, Terminal};

use crate::args::DemoArgs;
use crate::failure::Failure;
use crate::files;
use crate::progress::Progress;

/// How many trees the forest has, and how deep they are: seconds to train.
const TREES: usize = 60;
const DEPTH: usize = 6;
/// Every third row is kept for the report.
const HELD_OUT: usize = 3;

/// Trains, explains, reports.
pub fn run(args: &DemoArgs) -> std::result::Result<(), Failure> {
    eprintln!("xai: training a forest of {TREES} trees on the Wisconsin breast cancer data");
    let demo = Demo::train(args.seed)?;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let brief = Brief {
        title: "Is the tumour malignant? A random forest explained".into(),
        subject: Subject::of_trees(&demo.model),
        link: demo.model.trees().link,
        batch: &demo.batch,
        background: None,
        labels: Some(&demo.labels),
        classes: &demo.classes,
        groups: None,
        model_facts: vec![
            fact("kind", "random forest, trained with linfa".into()),
            fact("trees", TREES.to_string()),
            fact("deepest tree", DEPTH.to_string()),
            fact("score", "share of trees that vote for malignant".into()),
        ],
        data_facts: vec![
            fact("data", "Wisconsin diagnostic breast cancer, UCI, CC BY 4.0".into()),
            fact("rows for training", demo.training.nrows().to_string()),
            fact("rows held out, explained here", demo.batch.nrows().to_string()),
            fact("features", demo.batch.ncols().to_string()),
        ],
        notes: Vec::new(),
    };
    finish(brief, args.seed, &args.output)
}

/// Computes, writes the page and prints what matters.
pub fn finish(brief: Brief, seed: u64, output: &Path) -> std::result::Result<(), Failure> {
    let progress = Progress::new("report");
    let run = Run { seed, observer: &progress, ..Run::default() };
    let findings = Findings::new(brief, &run)?;
    let page = findings.report().html()?;
    drop(progress);
    files::write(Some(output), page.as_bytes())?;
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let terminal = Terminal { width: 100, colour };
    let mut text = String::new();
    for importance in &findings.importances {
        let chart = ImportanceBars { top: 10, ..ImportanceBars::default() };
        text.push_str(&format!("{}\n", importance.provenance.method));
        text.push_str(&terminal.importance(importance, &chart)?);
        text.push('\n');
    }
    text.push_str(&format!("The report is {}\n", output.display()));
    files::write(None, text.as_bytes())
}

/// A forest and the rows that it has not seen.
pub struct Demo {
    /// The share of trees that vote for `malignant`.
    pub model: TreeModel,
    /// The rows that the forest was trained on: (row, feature).
    pub training: Array2<f64>,
    /// The rows that it has not seen: (sample, feature).
    pub batch: Array2<f64>,
    /// Whether each of those is malignant.
    pub labels: Labels,
    /// The names of the classes.
    pub classes: Vec<String>,
}

impl Demo {
    /// Trains a random forest on two thirds of the Wisconsin breast cancer data.
    ///
    /// # Errors
    /// None in practice: data and parameters are fixed.
    pub fn train(seed: u64) -> Result<Self> {
        let (table, diagnosis) = xai::data::breast_cancer()?.split_label("diagnosis")?;
        let matrix = align(&table, &[])?.matrix;
        let Known::Classes { names, indices } = Known::of(&diagnosis)? else {
            return Err(Error::unsupported("the embedded data", "its diagnosis is no text"));
        };
        let rows = |held_out: bool| (0..indices.len()).filter(move |row| (row % HELD_OUT == 0) == held_out);
        let pick = |held_out| matrix.select(Axis(0), &rows(held_out).collect::<Vec<_>>());
        let (training, batch) = (pick(false), pick(true));
        let known: Vec<usize> = rows(false).map(|row| indices[row]).collect();

        let cells = nd16::Array2::from_shape_vec(training.dim(), training.iter().copied().collect());
        let data = Dataset::new(cells.map_err(Error::model)?, nd16::Array1::from(known));
        let tree = DecisionTree::params().max_depth(Some(DEPTH));
        let forest = RandomForestParams::new_fixed_rng(tree, SmallRng::seed_from_u64(seed))
            .ensemble_size(TREES)
            .bootstrap_proportion(0.7)
            .feature_proportion(0.3)
            .fit(&data)
            .map_err(Error::model)?;
        let forest = xai::models::linfa::random_forest(&forest, &[0, 1], &training)?;
        let outputs = forest.outputs().iter().zip(&names);
        let outputs = outputs.map(|(o, name)| Output::new(name.clone(), o.scale)).collect();
        let model = forest.renamed(table.features(), outputs)?;
        // The share of votes for one class says all about two.
        let trees = select_trees(model.trees(), &[1])?;
        let model = TreeModel::new(trees, model.features().to_vec(), model.outputs()[1..].to_vec())?;
        let labels = Labels::Classes { n: 2, indices: rows(true).map(|row| indices[row]).collect() };
        Ok(Demo { model, training, batch, labels, classes: names })
    }
}
