//! A flat table for a reader.

use super::{Column, Flat};

/// The table in columns of equal width: names to the left, numbers to the right, in six significant digits.
pub fn draw(flat: &Flat) -> String {
    let cell = |column: &Column, row: usize| match column {
        Column::Numbers(values) => number(values[row]),
        // Names from outside must not steer the terminal.
        other => other.cell(row).replace(char::is_control, "\u{fffd}"),
    };
    let names: Vec<String> = flat.columns.iter().map(|(name, _)| name.replace(char::is_control, "\u{fffd}")).collect();
    let mut widths = Vec::new();
    for (name, (_, column)) in names.iter().zip(&flat.columns) {
        let longest = (0..flat.n_rows()).map(|row| cell(column, row).chars().count()).max().unwrap_or(0);
        widths.push(longest.max(name.chars().count()));
    }
    let mut text = String::new();
    let mut line = |cells: Vec<(String, bool)>| {
        let padded = cells.iter().zip(&widths).map(|((cell, right), width)| {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            if *right { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    };
    let is_number = |column: &Column| !matches!(column, Column::Texts(_));
    line(names.iter().zip(&flat.columns).map(|(name, (_, column))| (name.clone(), is_number(column))).collect());
    for row in 0..flat.n_rows() {
        line(flat.columns.iter().map(|(_, column)| (cell(column, row), is_number(column))).collect());
    }
    text
}

fn number(value: f64) -> String {
    match value {
        v if v.is_nan() => String::new(),
        0.0 => "0".into(),
        v if (1e-4..1e7).contains(&v.abs()) => {
            let decimals = (5.0 - v.abs().log10().floor()).clamp(0.0, 9.0) as usize;
            format!("{v:.decimals$}")
        }
        v => format!("{v:.5e}"),
    }
}
