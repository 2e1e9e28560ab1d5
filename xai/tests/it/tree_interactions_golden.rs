//! Interactions of models from files, against shapiq and against enumerations of all coalitions.

use std::path::PathBuf;

use ndarray::Axis;
use serde_json::Value;
use xai_core::{Explainer, InteractionIndex, Interactions, Run};
use xai_local::tree::{InterventionalTreeInteractions, TreeInteractions};
use xai_models::file::load;

use crate::tree_golden::{cases, matrix, number};

/// The enumerations for XGBoost read the decimals of the file as `f64`; the library, and so we, round them to `f32`.
const SINGLE_INPUTS: f64 = 1e-7;

#[test]
fn pairs_equal_enumeration() {
    let cases = cases("interactions_exact");
    assert!(cases.len() >= 2);
    for case in cases {
        let block = &case.golden["interactions_exact"];
        let found = TreeInteractions::default().explain(&case.model, &case.rows, &Run::default()).unwrap();
        let mut worst = 0.0f64;
        for (sample, wanted) in block["values"].as_array().unwrap().iter().enumerate() {
            for output in 0..found.outputs.len() {
                let matrix = found.matrix(sample, output);
                for ((i, j), value) in matrix.indexed_iter() {
                    worst = worst.max((value - number(&wanted[i][j][output])).abs());
                }
            }
        }
        println!("interactions_exact {:30} {worst:.1e}", case.name);
        assert!(worst <= SINGLE_INPUTS, "{} differs by {worst:e}", case.name);
    }
}

fn index(name: &str) -> InteractionIndex {
    match name {
        // What shapiq calls the Banzhaf index of order 1.
        "BV" => InteractionIndex::Bii,
        name => InteractionIndex::ALL.into_iter().find(|index| index.name() == name).unwrap(),
    }
}

/// The largest difference between what was found and what was recorded; sets that only one side lists count as 0 on
/// the other.
fn gap(found: &Interactions, recorded: &Value) -> f64 {
    let mut worst = 0.0f64;
    for (sample, recorded) in recorded.as_array().unwrap().iter().enumerate() {
        let mut left: Vec<f64> = found.values.index_axis(Axis(0), sample).index_axis(Axis(1), 0).to_vec();
        for entry in recorded.as_array().unwrap() {
            let term: Vec<usize> = entry[0].as_array().unwrap().iter().map(|p| p.as_u64().unwrap() as usize).collect();
            let value = found.place(&term).map_or(0.0, |place| std::mem::take(&mut left[place]));
            worst = worst.max((value - number(&entry[1])).abs());
        }
        worst = left.iter().fold(worst, |worst, value| worst.max(value.abs()));
    }
    worst
}

#[test]
fn interactions_equal_those_of_shapiq() {
    let golden = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden"));
    let mut compared = 0;
    for name in ["regression_nan", "binary"] {
        let text = std::fs::read(golden.join(format!("tree_interactions/{name}.json"))).unwrap();
        let case: Value = serde_json::from_slice(&text).unwrap();
        let model = load(&golden.join(case["model"].as_str().unwrap())).unwrap().model;
        let (rows, background) = (matrix(&case["rows"]), matrix(&case["background"]));
        let tolerance = number(&case["about"]["tolerance"]["interaction"]);
        for kind in ["path_dependent", "interventional"] {
            for block in case[kind].as_array().unwrap() {
                let order = block["order"].as_u64().unwrap() as usize;
                let index = index(block["index"].as_str().unwrap());
                let found = match kind {
                    "path_dependent" => {
                        TreeInteractions { index, order, groups: None }.explain(&model, &rows, &Run::default())
                    }
                    _ => {
                        let plain = InterventionalTreeInteractions::new(background.clone());
                        let method = InterventionalTreeInteractions { index, order, ..plain };
                        method.explain(&model, &rows, &Run::default())
                    }
                };
                let gap = gap(&found.unwrap(), &block["values"]);
                println!("{name:16} {kind:16} {index:8} {order} {gap:.1e}");
                assert!(gap <= tolerance, "{name}, {kind} {index} of order {order} differs by {gap:e}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 20);
}
