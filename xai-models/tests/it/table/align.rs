//! A table fitted to a model by names.

use ndarray::{Array2, array};
use xai_core::{Error, Feature, FeatureKind, Groups, Result};
use xai_models::table::{Aligned, Alignment, Column, Frame, Unknown, Values, align};

use super::shop;

/// NaN equals NaN here.
fn same(found: &Array2<f64>, expected: &Array2<f64>) -> bool {
    found.dim() == expected.dim() && found.iter().zip(expected).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
}

fn binary(name: &str) -> Feature {
    Feature { name: name.into(), kind: FeatureKind::Binary, group: None }
}

fn cell(outcome: Result<Aligned>) -> (usize, String, String) {
    match outcome {
        Err(Error::Cell { row, column, expected, .. }) => (row, column, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let model = [Feature::numeric("sold"), Feature::numeric("price")];
    let aligned = align(&shop(), &model).unwrap();
    let expected = array![[1.0, 1.5], [f64::NAN, f64::NAN], [0.0, 3.0], [1.0, 4.0]];
    assert!(same(&aligned.matrix, &expected));
    assert_eq!(aligned.ignored, ["colour"]);
    assert_eq!((aligned.features, aligned.by_position), (model.to_vec(), false));
    match align(&shop(), &[Feature::numeric("weight"), Feature::numeric("price"), Feature::numeric("age")]) {
        Err(Error::MissingColumns { columns, present }) => {
            assert_eq!((columns, present.len()), (vec!["weight".to_owned(), "age".to_owned()], 3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn categories_are_the_models_own() {
    let model = [Feature::categorical("colour", ["green", "red", "blue"])];
    assert!(same(&align(&shop(), &model).unwrap().matrix, &array![[1.0], [2.0], [f64::NAN], [0.0]]));
    let fewer = [Feature::categorical("colour", ["green", "red"])];
    let (row, column, expected) = cell(align(&shop(), &fewer));
    assert_eq!((row, column.as_str()), (2, "colour"));
    assert!(expected.contains("\"green\", \"red\""), "{expected}");
    let with = |unknown| Alignment { unknown, codes: false }.align(&shop(), &fewer).unwrap().matrix[[1, 0]];
    assert!(with(Unknown::Missing).is_nan());
    assert_eq!(with(Unknown::Unseen), 2.0);
    // A category that no row has is no reason to refuse.
    assert!(align(&shop().rows(2..4).unwrap(), &fewer).is_ok());
}

/// Where pandas kept `?` as a category, a missing cell would take another way through the model.
#[test]
fn missing_is_no_category() {
    let model = [Feature::categorical("colour", [" ?", " blue", " green", " red"])];
    let (row, _, expected) = cell(align(&shop(), &model));
    assert!(row == 3 && expected.contains("\" ?\""), "{expected}");
    let missing = Alignment { unknown: Unknown::Missing, codes: false };
    assert!(same(&missing.align(&shop(), &model).unwrap().matrix, &array![[3.0], [1.0], [f64::NAN], [2.0]]));
    let kept = Frame::new(vec![Column::categorical("colour", [Some("?"), Some("red")])]).unwrap();
    assert_eq!(align(&kept, &model).unwrap().matrix, array![[0.0], [3.0]]);
}

#[test]
fn text_is_no_number() {
    let (row, column, _) = cell(align(&shop(), &[Feature::numeric("colour")]));
    assert_eq!((row, column.as_str()), (1, "colour"));
    // Rows of a text column that hold only numbers are numbers.
    let frame = Frame::new(vec![Column::categorical("n", [Some("1"), Some("x"), Some("2.5"), None])]).unwrap();
    assert_eq!(cell(align(&frame, &[Feature::numeric("n")])).0, 2);
    let part = align(&frame.rows(2..4).unwrap(), &[Feature::numeric("n")]).unwrap();
    assert!(same(&part.matrix, &array![[2.5], [f64::NAN]]));
}

#[test]
fn numbers_stand_for_categories_that_spell_them() {
    let frame = Frame::new(vec![Column::numeric("class", vec![3.0, 1.0, f64::NAN])]).unwrap();
    let matrix =
        |categories: &[&str]| align(&frame, &[Feature::categorical("class", categories.to_vec())]).map(|a| a.matrix);
    assert!(same(&matrix(&["1", "2", "3"]).unwrap(), &array![[2.0], [0.0], [f64::NAN]]));
    assert!(same(&matrix(&["3.0", "1.0"]).unwrap(), &array![[0.0], [1.0], [f64::NAN]]));
    // Without names there are only codes.
    assert!(same(&matrix(&[]).unwrap(), &array![[3.0], [1.0], [f64::NAN]]));
    assert!(matches!(matrix(&["a", "b", "c", "d"]), Err(Error::Cell { row: 1, .. })));
    assert!(matches!(matrix(&["1", "01", "3"]), Err(Error::Cell { row: 2, .. })));
    let codes = Alignment { codes: true, ..Alignment::default() };
    let by_code = |n: usize| codes.align(&frame, &[Feature::categorical("class", ["a", "b", "c", "d"][..n].to_vec())]);
    assert!(same(&by_code(4).unwrap().matrix, &array![[3.0], [1.0], [f64::NAN]]));
    assert_eq!(cell(by_code(3)).0, 1);
}

#[test]
fn booleans_match_names_in_any_case() {
    let frame = shop();
    let with = |categories: [&str; 2]| align(&frame, &[Feature::categorical("sold", categories)]).unwrap().matrix;
    assert!(same(&with(["False", "True"]), &array![[1.0], [f64::NAN], [0.0], [1.0]]));
    assert!(same(&with(["1", "0"]), &array![[0.0], [f64::NAN], [1.0], [0.0]]));
}

#[test]
fn one_hot_features_come_from_their_text_column() {
    for separator in ["=", "_"] {
        let model = ["green", "red", "blue"].map(|level| Feature::numeric(format!("colour{separator}{level}")));
        let frame = shop().rows(0..2).unwrap();
        let aligned = align(&frame, &model).unwrap();
        assert_eq!(aligned.matrix, array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(
            (&aligned.expanded, &aligned.ignored),
            (&vec!["colour".to_owned()], &vec!["price".into(), "sold".into()])
        );
        let groups = Groups::of(&aligned.features);
        assert_eq!((groups.len(), groups.players[0].name.as_str()), (1, "colour"));
        assert_eq!(
            groups.players[0].kind,
            FeatureKind::Categorical { categories: vec!["green".into(), "red".into(), "blue".into()] }
        );
        // A missing cell, and a category without a column, are refused unless told otherwise.
        assert_eq!(cell(align(&shop(), &model)).0, 3);
        assert_eq!(cell(align(&frame, &model[..2])).0, 2);
        let unseen = Alignment { unknown: Unknown::Unseen, codes: false };
        assert_eq!(unseen.align(&frame, &model[..2]).unwrap().matrix, array![[0.0, 1.0], [0.0, 0.0]]);
        let missing = Alignment { unknown: Unknown::Missing, codes: false };
        assert!(missing.align(&shop(), &model).unwrap().matrix.row(2).iter().all(|x| x.is_nan()));
    }
}

#[test]
fn one_hot_features_of_two_possible_columns_are_refused() {
    let text = |name: &str, cell: &str| Column::categorical(name, [Some(cell)]);
    let frame = Frame::new(vec![text("a", "x"), text("a_b", "y")]).unwrap();
    assert!(matches!(align(&frame, &[binary("a_b_c")]), Err(Error::Unsupported { .. })));
    // The categories decide.
    let frame = Frame::new(vec![text("a", "b_c"), text("a_b", "y")]).unwrap();
    let aligned = align(&frame, &[binary("a_b_c")]).unwrap();
    assert_eq!((aligned.matrix, aligned.expanded), (array![[1.0]], vec!["a".to_owned()]));
    // A common beginning alone is no level.
    let frame = Frame::new(vec![text("age", "old")]).unwrap();
    assert!(matches!(align(&frame, &[Feature::numeric("age_mean")]), Err(Error::MissingColumns { .. })));
    assert!(matches!(align(&shop(), &[Feature::numeric("price_mean")]), Err(Error::MissingColumns { .. })));
}

#[test]
fn names_without_meaning_go_by_position() {
    let frame = Frame::new(vec![Column::numeric("a", vec![1.0]), Column::numeric("b", vec![2.0])]).unwrap();
    for stem in ["f", "x", "Column_", ""] {
        for first in [0, 1] {
            let model: Vec<Feature> = (first..first + 2).map(|i| Feature::numeric(format!("{stem}{i}"))).collect();
            let aligned = align(&frame, &model).unwrap();
            assert!(aligned.by_position, "{stem}{first}");
            assert_eq!(aligned.matrix, array![[1.0, 2.0]]);
            assert_eq!(aligned.features[1].name, "b");
        }
    }
    let refused = |names: &[&str]| {
        let model: Vec<Feature> = names.iter().map(|&name| Feature::numeric(name)).collect();
        assert!(matches!(align(&frame, &model), Err(Error::MissingColumns { .. })), "{names:?}");
    };
    refused(&["f0", "f1", "f2"]);
    refused(&["f0"]);
    refused(&["f1", "f0"]);
    refused(&["f0", "x1"]);
    refused(&["u", "v"]);
    refused(&["a", "f1"]);
    // A table without names serves a model with names, and then these are the names.
    let nameless = Frame::new(vec![Column::numeric("x0", vec![1.0]), Column::numeric("x1", vec![2.0])]).unwrap();
    let aligned = align(&nameless, &[Feature::numeric("u"), Feature::numeric("v")]).unwrap();
    assert_eq!((aligned.by_position, aligned.features[0].name.as_str()), (true, "u"));
    // Names that match are names, however they look.
    let swapped = align(&nameless, &[Feature::numeric("x1"), Feature::numeric("x0")]).unwrap();
    assert_eq!((swapped.by_position, swapped.matrix), (false, array![[2.0, 1.0]]));
    assert!(align(&frame, &[]).unwrap().by_position);
}

/// LightGBM writes `mean_radius` for `mean radius`.
#[test]
fn signs_in_names_may_differ_where_one_column_is_meant() {
    let frame = |names: [&str; 2]| Frame::new(names.map(|name| Column::numeric(name, vec![1.0])).to_vec()).unwrap();
    let model = [Feature::numeric("mean_radius")];
    let aligned = align(&frame(["mean radius", "b"]), &model).unwrap();
    assert_eq!(aligned.respelt, [("mean_radius".to_owned(), "mean radius".to_owned())]);
    assert!(matches!(align(&frame(["mean radius", "mean.radius"]), &model), Err(Error::MissingColumns { .. })));
    // A column that is another feature's own is not taken.
    let model = [Feature::numeric("mean radius"), Feature::numeric("mean_radius")];
    assert!(matches!(align(&frame(["mean radius", "b"]), &model), Err(Error::MissingColumns { .. })));
}

#[test]
fn doubtful_models_are_refused() {
    let twice = [Feature::numeric("price"), Feature::numeric("price")];
    assert!(matches!(align(&shop(), &twice), Err(Error::Unsupported { .. })));
    let group = Feature { name: "price".into(), kind: FeatureKind::Group { members: vec![] }, group: None };
    assert!(matches!(align(&shop(), &[group]), Err(Error::Unsupported { .. })));
}

#[test]
fn frames_check_their_columns() {
    let short = vec![Column::numeric("a", vec![1.0]), Column::numeric("b", vec![])];
    assert!(matches!(Frame::new(short), Err(Error::Shape { .. })));
    let twice = vec![Column::numeric("a", vec![1.0]), Column::numeric("a", vec![1.0])];
    assert!(matches!(Frame::new(twice), Err(Error::Parameter { .. })));
    let code = Values::Categorical { codes: vec![1], categories: vec!["x".into()] };
    assert!(matches!(Frame::new(vec![Column { name: "a".into(), values: code }]), Err(Error::Parameter { .. })));
    assert!(matches!(shop().rows(3..5), Err(Error::Parameter { .. })));
    match shop().split_label("Colour") {
        Err(Error::Unknown { nearest, .. }) => assert_eq!(nearest.as_deref(), Some("colour")),
        other => panic!("{other:?}"),
    }
    let filled = shop().into_columns().swap_remove(0).with_missing_as("none");
    assert_eq!((filled.n_missing(), filled.text(2).unwrap().into_owned()), (0, "none".to_owned()));
}
