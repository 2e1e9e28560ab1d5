//! The target column as what the model should have predicted.

use xai::core::{Error, Link, Model, Output, Scale, TreeStructured};
use xai::global::Labels;
use xai::models::table::{self, Column, Values};
use xai::models::trees::TreeModel;

/// Labels with the names of their classes; no names for numbers.
#[derive(Debug)]
pub struct Target {
    /// What should have been predicted: (sample).
    pub labels: Labels,
    /// The name of each class.
    pub classes: Vec<String>,
    /// How labels were understood, where that is not plain.
    pub remark: Option<String>,
}

/// The rows that have a label.
pub fn labelled(column: &Column) -> Vec<usize> {
    (0..column.len()).filter(|&row| column.text(row).is_some()).collect()
}

/// These rows of a column; categories stay as they are.
pub fn pick(column: &Column, rows: &[usize]) -> Column {
    let values = match &column.values {
        Values::Numeric(values) => Values::Numeric(rows.iter().map(|&row| values[row]).collect()),
        Values::Boolean(values) => Values::Boolean(rows.iter().map(|&row| values[row]).collect()),
        Values::Categorical { codes, categories } => {
            Values::Categorical { codes: rows.iter().map(|&row| codes[row]).collect(), categories: categories.clone() }
        }
    };
    Column { name: column.name.clone(), values }
}

/// Reads `column` as classes for a model that predicts classes, otherwise as numbers.
///
/// Text that names the model's outputs is matched by name; other text is numbered in alphabetical order; whole numbers
/// from 0 are class numbers; other numbers are numbered in ascending order.
pub fn read(column: &Column, model: &TreeModel) -> Result<Target, Error> {
    let Some(n) = classes(model) else {
        return match table::Labels::of(column)? {
            table::Labels::Numbers(numbers) => {
                Ok(Target { labels: Labels::Numbers(numbers), classes: Vec::new(), remark: None })
            }
            table::Labels::Classes { .. } => {
                let reason = "the model predicts numbers; name a column of numbers";
                Err(Error::unsupported(format!("the text column {:?} as the target", column.name), reason))
            }
        };
    };
    let names: Vec<String> = model.outputs().iter().map(|output| output.name.clone()).collect();
    if names.len() == n
        && let Ok(table::Labels::Classes { names, indices }) = table::Labels::classes(column, &names)
    {
        return Ok(Target { labels: Labels::Classes { n, indices }, classes: names, remark: None });
    }
    match table::Labels::of(column)? {
        table::Labels::Classes { names, indices } => numbered(column, n, names, indices, true),
        table::Labels::Numbers(numbers) => {
            if numbers.iter().all(|x| x.fract() == 0.0 && (0.0..n as f64).contains(x)) {
                let indices = numbers.iter().map(|&x| x as usize).collect();
                let classes = (0..n).map(|class| class.to_string()).collect();
                return Ok(Target { labels: Labels::Classes { n, indices }, classes, remark: None });
            }
            let mut distinct = numbers.clone();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let place = |x: &f64| distinct.partition_point(|known| known < x);
            let indices = numbers.iter().map(place).collect();
            numbered(column, n, distinct.iter().map(f64::to_string).collect(), indices, false)
        }
    }
}

/// The model's outputs, called as the target's classes are where the model has but numbers for them.
pub fn named_outputs(model: &TreeModel, classes: &[String]) -> Vec<Output> {
    let mut outputs = model.outputs().to_vec();
    let first = classes.len().saturating_sub(outputs.len());
    let numbered = outputs.iter().enumerate().all(|(k, o)| o.name == format!("class {}", k + first));
    if numbered && (outputs.len() == classes.len() || (outputs.len(), classes.len()) == (1, 2)) {
        for (output, class) in outputs.iter_mut().zip(&classes[first..]) {
            // A class that is called by a number is clearer as "class 3".
            if class.parse::<f64>().is_err() {
                output.name.clone_from(class);
            }
        }
    }
    outputs
}

/// The number of classes that a model tells apart; `None` when it predicts numbers.
fn classes(model: &TreeModel) -> Option<usize> {
    let outputs = model.n_outputs();
    let probabilities = model.outputs().iter().all(|output| output.scale == Scale::Probability);
    match model.trees().link {
        Link::Logistic { .. } | Link::Softmax | Link::Step => Some(outputs.max(2)),
        Link::Identity if probabilities => Some(outputs.max(2)),
        _ => None,
    }
}

fn numbered(column: &Column, n: usize, names: Vec<String>, indices: Vec<usize>, text: bool) -> Result<Target, Error> {
    if names.len() != n {
        let what = format!("the target {:?} with {} different values", column.name, names.len());
        return Err(Error::unsupported(what, format!("the model tells {n} classes apart")));
    }
    let order = if text { "alphabetical" } else { "ascending" };
    let told = names.iter().enumerate().map(|(class, name)| format!("{name:?} is class {class}"));
    let remark = format!("target in {order} order: {}", told.collect::<Vec<_>>().join(", "));
    Ok(Target { labels: Labels::Classes { n, indices }, classes: names, remark: Some(remark) })
}
