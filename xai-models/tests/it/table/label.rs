//! Columns of known answers.

use xai_core::Error;
use xai_models::table::{Column, Labels, Values};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn indices(labels: Labels) -> Vec<usize> {
    match labels {
        Labels::Classes { indices, .. } => indices,
        Labels::Numbers(numbers) => panic!("{numbers:?}"),
    }
}

#[test]
fn labels_follow_their_column() {
    let text = Column::categorical("y", [Some("b"), Some("a"), Some("b")]);
    assert_eq!(indices(Labels::of(&text).unwrap()), [1, 0, 1]);
    assert_eq!(indices(Labels::classes(&text, &names(&["b", "c", "a"])).unwrap()), [0, 2, 0]);
    let boolean = Column { name: "y".into(), values: Values::Boolean(vec![Some(true), Some(false)]) };
    assert_eq!(indices(Labels::of(&boolean).unwrap()), [1, 0]);
    let number = Column::numeric("y", vec![2.0, 0.0]);
    assert_eq!(Labels::of(&number).unwrap(), Labels::Numbers(vec![2.0, 0.0]));
}

/// German credit's classes are called 1 and 2: then the number 1 is a name, not an index.
#[test]
fn numbers_are_names_before_they_are_indices() {
    let number = Column::numeric("y", vec![1.0, 2.0, 1.0]);
    assert_eq!(indices(Labels::classes(&number, &names(&["1", "2"])).unwrap()), [0, 1, 0]);
    assert_eq!(indices(Labels::classes(&number, &names(&["a", "b", "c"])).unwrap()), [1, 2, 1]);
}

#[test]
fn labels_that_are_none_are_refused() {
    let refuses = |column: Column, known: &[&str]| match Labels::classes(&column, &names(known)) {
        Err(Error::Cell { row, .. }) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!(refuses(Column::numeric("y", vec![0.0, 1.5]), &["a", "b"]), 2);
    assert_eq!(refuses(Column::numeric("y", vec![2.0]), &["a", "b"]), 1);
    assert_eq!(refuses(Column::categorical("y", [Some("a"), None]), &["a"]), 2);
    assert_eq!(refuses(Column::categorical("y", [Some("a"), Some("z")]), &["a"]), 2);
    assert!(matches!(Labels::of(&Column::numeric("y", vec![f64::NAN])), Err(Error::Cell { row: 1, .. })));
    assert!(matches!(Labels::of(&Column::categorical("y", [None::<&str>])), Err(Error::Cell { row: 1, .. })));
}
