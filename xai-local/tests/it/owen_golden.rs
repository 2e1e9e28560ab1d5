//! Owen values over correlated columns against recorded numbers of `scipy` and `shap`.

use ndarray::{Axis, Slice};
use xai_core::{Explainer, Run};
use xai_local::masker::Background;
use xai_local::shapley::partition::Linkage;
use xai_local::shapley::{Masked, OwenShap, PartitionTree};

use crate::golden::{assert_close, cases, numbers, table};
use crate::shapley_golden::formula;

/// Sums of some hundred numbers of size ten in f64.
const SHAP: f64 = 1e-10;

#[test]
fn owen_values_are_those_of_shap() {
    let mut compared = 0;
    for (name, case) in cases("owen") {
        let linkage = if name == "complete" { Linkage::Complete } else { Linkage::Average };
        let data = table(&case["data"]);
        let tree = PartitionTree::correlated(&data, linkage).unwrap();
        let mut held: Vec<Vec<usize>> = (0..8).map(|player| vec![player]).collect();
        for (part, recorded) in tree.parts().iter().zip(case["clusters"].as_array().unwrap()) {
            let mut players: Vec<usize> = part.iter().flat_map(|&member| held[member].clone()).collect();
            players.sort_unstable();
            assert_eq!(serde_json::json!(players), *recorded, "{name}");
            held.push(players);
        }
        assert_eq!(held.len(), 15);

        let n_background = case["n_background"].as_u64().unwrap() as isize;
        let background = data.slice_axis(Axis(0), Slice::from(..n_background)).to_owned();
        let masker = Background::new(background).unwrap();
        for function in ["mixture", "triple_products"] {
            let explainer = Masked { estimator: OwenShap::new(tree.clone()), masker: masker.clone() };
            let model = formula(function).unwrap();
            let explanation = explainer.explain(&model, &table(&case["rows"]), &Run::default()).unwrap();
            let values: Vec<f64> = explanation.values.iter().copied().collect();
            assert_close(function, &values, &numbers(&case[function]["values"]), SHAP);
            assert_close(function, &[explanation.base[[0, 0]]], &numbers(&case[function]["base"]), SHAP);
            compared += 1;
        }
    }
    assert_eq!(compared, 4);
}
