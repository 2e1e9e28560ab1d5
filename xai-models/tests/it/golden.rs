//! What the source libraries say of their own models: the files under `tools/reference/golden`.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::Value;
use xai_core::{Table, TreeEnsemble};

/// One recorded model with rows and answers.
pub struct Case {
    pub name: String,
    pub body: Value,
    folder: PathBuf,
}

/// The cases of a library, by name.
pub fn cases(library: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/reference/golden").join(library);
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(name) = file.strip_suffix(".json").filter(|name| !name.ends_with(".model")) else { continue };
        let body = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        cases.push(Case { name: format!("{library}/{name}"), body, folder: folder.clone() });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!cases.is_empty(), "no case in {}", folder.display());
    cases
}

/// The case called `name` of a library.
pub fn case(library: &str, name: &str) -> Case {
    let name = format!("{library}/{name}");
    cases(library).into_iter().find(|case| case.name == name).unwrap_or_else(|| panic!("no case {name}"))
}

impl Case {
    /// The model's file, and its twins in other forms.
    pub fn models(&self) -> Vec<PathBuf> {
        let first = self.folder.join(self.body["model"].as_str().unwrap());
        let twin = first.with_extension("ubj");
        let twin = Some(twin).filter(|twin| *twin != first && twin.exists());
        std::iter::once(first).chain(twin).collect()
    }

    /// The content of the model's file.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.models()[0]).unwrap()
    }

    pub fn table(&self, key: &str) -> Array2<f64> {
        table(&self.body[key])
    }

    pub fn tolerance(&self, key: &str) -> f64 {
        self.body["about"]["tolerance"][key].as_f64().unwrap()
    }
}

/// Rows of numbers; null is NaN.
pub fn table(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap_or(f64::NAN)).collect())
        .collect();
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

/// The largest difference, as a share of the largest number (of 1 where all are smaller).
pub fn gap(found: &Table, expected: &Table) -> f64 {
    assert_eq!(found.shape(), expected.shape());
    let largest = expected.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / largest);
    differences.fold(0.0, |a, b| if b.is_nan() { f64::INFINITY } else { a.max(b) })
}

/// The score when nothing is known of a sample: each split shares its weight by cover.
pub fn expected_scores(trees: &TreeEnsemble) -> Vec<f64> {
    let mut scores = trees.base.clone();
    for tree in 0..trees.n_trees() {
        let mut stack = vec![(trees.root(tree), 1.0)];
        while let Some((node, weight)) = stack.pop() {
            if trees.is_leaf(node) {
                for (output, value) in trees.outputs_of(tree).zip(trees.leaf_values(tree, node)) {
                    scores[output] += weight * value;
                }
                continue;
            }
            for child in [trees.left[node] as usize, trees.right[node] as usize] {
                let whole = trees.cover[node];
                let share = if whole > 0.0 { trees.cover[child] / whole } else { 0.5 };
                stack.push((child, weight * share));
            }
        }
    }
    scores
}
