//! Text for a terminal.

use ndarray::array;
use xai_core::{Curve, Distribution, Effects, Error, Feature, Output, Provenance, Run};
use xai_viz::{Bar, Terminal, Waterfall};

use crate::samples::{attribution, complete};

/// Columns by a rule of its own: the names below hold only these wide letters.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|c| if ('\u{4E00}'..='\u{9FFF}').contains(&c) || c == '🦀' { 2 } else { usize::from(c != '\u{301}') })
        .sum()
}

#[test]
fn waterfall_reads_from_score_to_base() {
    let a = complete(array![[[0.5], [-2.0], [1.0]]]);
    let text = Terminal::default().waterfall(&a, &Waterfall::default()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("f(x) = 0  output 0 (log-odds)"), "{text}");
    assert!(lines[1].starts_with("x1") && lines[1].contains("−2.00"));
    assert!(lines[2].contains("+1.00") && lines[3].contains("+0.50"));
    assert_eq!(lines[4], "E[f(x)] = 0.5");
    assert!(!text.contains('\u{1b}'), "no colour unless asked for");
}

#[test]
fn wide_and_combined_letters_do_not_break_columns() {
    let mut a = attribution(3, 4, 1);
    for (feature, name) in
        a.features.iter_mut().zip(["年龄", "e\u{301}cole", "🦀", "a plain name that is much too long to fit"])
    {
        name.clone_into(&mut feature.name);
    }
    for width in [24, 40, 80] {
        let text = Terminal { width, colour: false }.bars(&a, &Bar::default()).unwrap();
        let starts: Vec<usize> = text.lines().map(|l| columns(&l[..l.find('█').unwrap_or(l.len())])).collect();
        assert!(text.lines().all(|l| columns(l) <= width), "{text}");
        assert!(starts.iter().all(|s| *s == starts[0]), "{text}");
    }
}

#[test]
fn colour_is_added_and_nothing_else() {
    let a = attribution(3, 4, 1);
    let plain = Terminal::default().waterfall(&a, &Waterfall::default()).unwrap();
    let coloured = Terminal { colour: true, ..Terminal::default() }.waterfall(&a, &Waterfall::default()).unwrap();
    assert!(coloured.contains("\u{1b}["));
    let mut bare = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find('\u{1b}') {
        bare.push_str(&rest[..start]);
        rest = &rest[start + rest[start..].find('m').unwrap() + 1..];
    }
    bare.push_str(rest);
    assert_eq!(bare, plain);
}

#[test]
fn names_cannot_move_the_cursor() {
    let mut a = attribution(1, 1, 1);
    a.features[0].name = "\u{1b}[2Jgone\r\n\u{202E}".into();
    let text = Terminal::default().waterfall(&a, &Waterfall::default()).unwrap();
    assert!(!text.contains(['\u{1b}', '\r', '\u{202E}']) && text.lines().count() == 3, "{text:?}");
}

#[test]
fn a_rising_line_rises() {
    let curve = Curve {
        features: vec![Feature::numeric("age")],
        grid: vec![vec![0.0, 10.0]],
        values: array![[0.0], [1.0]],
        standard_error: None,
        individual: None,
        distribution: vec![Distribution::default()],
    };
    let effects = Effects {
        provenance: Provenance::new("ale", &Run::default()),
        outputs: Output::unnamed(1),
        curves: vec![curve],
    };
    let text = Terminal { width: 40, colour: false }.curve(&effects, 0, 0, 6).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8);
    let first = |line: &str| line.chars().skip_while(|c| *c != '│').skip(1).position(|c| c != '\u{2800}').unwrap();
    assert!(lines[1..7].windows(2).all(|l| first(l[0]) > first(l[1])), "{text}");
    assert!(lines[7].trim_start().starts_with('0') && lines[7].ends_with("10"));
    assert!(matches!(Terminal { width: 10, colour: false }.curve(&effects, 0, 0, 6), Err(Error::Parameter { .. })));
}
