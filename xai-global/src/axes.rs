//! Which features an effect is asked for: one or two at a time.

use xai_core::{Error, Feature, Result, Table};

/// The requested features, checked; every feature that has a value, each alone, when none is requested. With the notes
/// on what was left out.
///
/// # Errors
/// [`Error::Parameter`] for lists that do not name one or two different columns; [`Error::Unsupported`] for a
/// requested column without any value; [`Error::NonFinite`] for an infinite cell.
pub(crate) fn check(
    method: &str,
    requested: &[Vec<usize>],
    names: &[Feature],
    batch: &Table,
) -> Result<(Vec<Vec<usize>>, Vec<String>)> {
    let empty = |column: usize| batch.column(column).iter().all(|v| v.is_nan());
    let mut notes = Vec::new();
    let axes: Vec<Vec<usize>> = if requested.is_empty() {
        let (without, with): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|&column| empty(column));
        notes.extend(without.iter().map(|&c| format!("{} is left out: every value is missing", names[c].name)));
        with.into_iter().map(|column| vec![column]).collect()
    } else {
        requested.to_vec()
    };
    for axis in &axes {
        let expected = format!("one or two different columns below {}", names.len());
        let sound = match axis.as_slice() {
            [a] => *a < names.len(),
            [a, b] => a != b && *a < names.len() && *b < names.len(),
            _ => false,
        };
        if !sound {
            return Err(Error::parameter("features", format!("{axis:?}"), expected));
        }
        for &column in axis {
            if let Some(group) = &names[column].group {
                let note = format!(
                    "{} is one column of {group}: samples in which it alone is changed may belong to several or none",
                    names[column].name
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            if empty(column) {
                let what = format!("{method} of {:?}", names[column].name);
                return Err(Error::unsupported(what, "every value is missing"));
            }
            if let Some(sample) = batch.column(column).iter().position(|v| v.is_infinite()) {
                let (what, value) = (format!("feature {:?}", names[column].name), batch[[sample, column]]);
                return Err(Error::NonFinite { what, sample, column, value });
            }
        }
    }
    Ok((axes, notes))
}

/// The different values of a column in ascending order, without NaN.
pub(crate) fn distinct(column: &ndarray::ArrayView1<f64>) -> Vec<f64> {
    let mut values = sorted(column);
    values.dedup();
    values
}

/// The values of a column in ascending order, without NaN.
pub(crate) fn sorted(column: &ndarray::ArrayView1<f64>) -> Vec<f64> {
    let mut values: Vec<f64> = column.iter().copied().filter(|v| !v.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}
