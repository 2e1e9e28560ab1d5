//! Contests on real data, where nobody knows the truth.

use ndarray::Axis;
use xai::contest::{Arena, Contest, evenly};
use xai::core::{League, Result, Run};
use xai::registry::{Registry, Subject};

use crate::models::{Digits, mlp, tumours, xgboost};
use crate::{MOST_TIME, entries, metrics};

const ROWS: usize = 24;
const BACKGROUND: usize = 30;

const METRICS: [&str; 8] = [
    "faithfulness-correlation",
    "sensitivity-n",
    "deletion",
    "insertion",
    "completeness-gap",
    "sparseness",
    // Those that explain again come last: what time is left is theirs.
    "max-sensitivity n_draws=2",
    "seed-spread n_seeds=2",
];

/// Boosted trees on the breast cancer data.
pub fn trees(run: &Run) -> Result<League> {
    let (model, data) = (xgboost()?, tumours()?);
    let subject = Subject::of_trees(&model);
    let contest = Contest {
        methods: entries(Contest::fitting(&Registry::standard(), &subject, data.held.ncols()))?,
        metrics: metrics(&METRICS),
        time: Some(MOST_TIME),
        ..Contest::default()
    };
    contest.run(subject, &data.rows(ROWS), &data.background(BACKGROUND), run)
}

/// A network on the same data.
pub fn network(run: &Run) -> Result<League> {
    let (network, data) = (mlp()?, tumours()?);
    let (batch, background) = (data.rows(ROWS), data.background(BACKGROUND).into_dyn());
    let arena = Arena { network: &network, batch: &*batch, background: Some(&background) };
    let mut methods = entries(Contest::fitting_network(&Registry::standard(), &arena))?;
    // The baseline of tables is the mean of the background, and not a tumour of no size.
    let registry = Registry::standard();
    for entry in &mut methods {
        if registry.get(&entry.name)?.spec().parameters.iter().any(|p| p.name == "baseline") {
            entry.set.push("baseline=mean".to_owned());
        }
    }
    let contest = Contest {
        methods,
        metrics: metrics(&[&METRICS[..], &["mprt"]].concat()),
        time: Some(MOST_TIME),
        ..Contest::default()
    };
    contest.run_network(&arena, run)
}

/// A small convolutional network on handwritten digits, ten outputs.
pub fn digits(digits: &Digits, run: &Run) -> Result<League> {
    let places = evenly(digits.images.len_of(Axis(0)), 10);
    let batch = digits.images.select(Axis(0), &places);
    let arena = Arena { network: &digits.network, batch: &*batch, background: None };
    let mut methods = entries(Contest::fitting_network(&Registry::standard(), &arena))?;
    for entry in methods.iter_mut().filter(|entry| entry.name == "rise") {
        entry.set.push("n_masks=1000".to_owned());
    }
    let contest = Contest {
        methods,
        metrics: metrics(&[
            "faithfulness-correlation n_subsets=50",
            "deletion n_steps=28",
            "insertion n_steps=28",
            "road",
            "sparseness",
            "random-logit",
            "max-sensitivity n_draws=2",
            "mprt",
        ]),
        time: Some(MOST_TIME),
        ..Contest::default()
    };
    let mut league = contest.run_network(&arena, run)?;
    league.provenance = league.provenance.with("accuracy", digits.accuracy);
    Ok(league)
}
