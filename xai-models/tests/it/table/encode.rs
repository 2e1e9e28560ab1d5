//! Encoders against scikit-learn.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde_json::Value;
use xai_core::{Error, Groups};
use xai_models::table::{Column, CsvOptions, Drop, Frame, OneHotEncoder, OrdinalEncoder, Unknown, read_csv};

use super::shop;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/reference/golden/tables");

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn matrix(rows: &Value) -> Array2<f64> {
    let rows = rows.as_array().unwrap();
    let cell = |(i, j): (usize, usize)| rows[i][j].as_f64().unwrap_or(f64::NAN);
    Array2::from_shape_fn((rows.len(), rows[0].as_array().unwrap().len()), cell)
}

fn table(columns: &[String], rows: &Value) -> Frame {
    let rows: Vec<Vec<String>> = rows.as_array().unwrap().iter().map(strings).collect();
    let column = |(j, name): (usize, &String)| Column::categorical(name, rows.iter().map(move |row| Some(&row[j])));
    Frame::new(columns.iter().enumerate().map(column).collect()).unwrap()
}

#[test]
fn encoders_agree_with_scikit_learn() {
    let golden: Value = serde_json::from_slice(&std::fs::read(format!("{GOLDEN}/encoders.json")).unwrap()).unwrap();
    let columns = strings(&golden["columns"]);
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let shop = read_csv(format!("{GOLDEN}/shop.csv"), &CsvOptions::default()).unwrap().select(&names).unwrap();
    assert_eq!(shop, table(&columns, &golden["fit_rows"]));
    let unseen = table(&columns, &golden["unseen_rows"]);
    let (mut one_hot, mut ordinal) = (0, 0);
    for case in golden["encoders"].as_array().unwrap() {
        let (name, params) = (case["name"].as_str().unwrap(), &case["params"]);
        let categories: BTreeMap<String, Vec<String>> = match &params["categories"] {
            Value::Array(lists) => columns.iter().cloned().zip(lists.iter().map(strings)).collect(),
            _ => BTreeMap::new(),
        };
        if !params["min_frequency"].is_null() {
            // Rare categories are not joined here.
            continue;
        }
        if name.starts_with("OneHot") {
            let drop = match params["drop"].as_str() {
                None => Drop::Nothing,
                Some("first") => Drop::First,
                Some("if_binary") => Drop::IfBinary,
                other => panic!("{other:?}"),
            };
            let encoder = OneHotEncoder { drop, categories, unknown: Unknown::Unseen, ..OneHotEncoder::default() };
            let fitted = encoder.fit(&shop).unwrap();
            let found: Vec<&String> = fitted.features().iter().map(|feature| &feature.name).collect();
            assert_eq!(found, strings(&case["feature_names"]).iter().collect::<Vec<_>>(), "{name}");
            assert_eq!(fitted.transform(&shop).unwrap(), matrix(&case["encoded"]), "{name}");
            assert_eq!(fitted.transform(&unseen).unwrap(), matrix(&case["encoded_unseen"]), "{name}");
            one_hot += 1;
        } else {
            let missing = params["unknown_value"].is_null();
            let unknown = if missing { Unknown::Missing } else { Unknown::Unseen };
            let fitted = OrdinalEncoder { categories, unknown }.fit(&shop).unwrap();
            assert_eq!(fitted.transform(&shop).unwrap(), matrix(&case["encoded"]), "{name}");
            let expected = matrix(&case["encoded_unseen"]);
            for ((place, &value), &expected) in fitted.transform(&unseen).unwrap().indexed_iter().zip(&expected) {
                // The library's code for what it does not know, against the one after the last.
                let last = case["categories"][place.1].as_array().unwrap().len() as f64;
                let agrees = match params["unknown_value"].as_f64() {
                    Some(code) if expected == code => value == last,
                    _ => value == expected || value.is_nan() && expected.is_nan(),
                };
                assert!(agrees, "{name}: {value} for {expected} at {place:?}");
            }
            ordinal += 1;
        }
    }
    assert!(one_hot >= 4 && ordinal >= 2, "{one_hot} and {ordinal} cases");
}

#[test]
fn one_hot_columns_are_one_player() {
    let fitted = OneHotEncoder::default().fit(&shop()).unwrap();
    let groups = Groups::of(fitted.features());
    let players: Vec<&str> = groups.players.iter().map(|player| player.name.as_str()).collect();
    assert_eq!((players, &groups.members[0]), (vec!["colour", "price", "sold"], &vec![0, 1, 2]));
    let encoded = fitted.transform(&shop()).unwrap();
    assert_eq!(groups.data(&encoded)[[0, 0]], 2.0);
    assert_eq!(groups.players[0].display(2.0), "red");
}

/// What a row was can be read off its encoding, whatever was dropped.
#[test]
fn encodings_read_back() {
    let expected = [["red", "1.5", "1"], ["blue", "missing", "missing"], ["missing", "3", "0"], ["green", "4", "1"]];
    for drop in [Drop::Nothing, Drop::First, Drop::IfBinary] {
        let fitted = OneHotEncoder { drop, ..OneHotEncoder::default() }.fit(&shop()).unwrap();
        let encoded = fitted.transform(&shop()).unwrap();
        for (row, expected) in encoded.outer_iter().zip(expected) {
            assert_eq!(fitted.inverse(&row.to_vec()).unwrap(), expected, "{drop:?}");
        }
        assert!(matches!(fitted.inverse(&[1.0]), Err(Error::Shape { .. })));
    }
    let fitted = OneHotEncoder::default().fit(&shop()).unwrap();
    assert_eq!(fitted.inverse(&[0.0, 0.0, 0.0, 1.0, 1.0]).unwrap()[0], "unknown");
    assert_eq!(fitted.inverse(&[1.0, 1.0, 0.0, 1.0, 1.0]).unwrap()[0], "unknown");
    let fitted = OrdinalEncoder::default().fit(&shop()).unwrap();
    for (row, expected) in fitted.transform(&shop()).unwrap().outer_iter().zip(expected) {
        assert_eq!(fitted.inverse(&row.to_vec()).unwrap(), expected);
    }
}

#[test]
fn new_tables_are_encoded_by_name() {
    let fitted = OneHotEncoder::default().fit(&shop()).unwrap();
    let mut columns = shop().into_columns();
    columns.reverse();
    columns.push(Column::numeric("extra", vec![0.0; 4]));
    let shuffled = Frame::new(columns).unwrap();
    let (found, expected) = (fitted.transform(&shuffled).unwrap(), fitted.transform(&shop()).unwrap());
    assert!(found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()));
    let lacking = shop().select(&["price"]).unwrap();
    assert!(matches!(fitted.transform(&lacking), Err(Error::MissingColumns { columns, .. }) if columns.len() == 2));
    let mut columns = shop().into_columns();
    columns[0] = Column::categorical("colour", [Some("red"), Some("violet"), None, None]);
    let violet = Frame::new(columns).unwrap();
    let refused = |outcome| match outcome {
        Err(Error::Cell { row: 2, column, found, .. }) => {
            assert_eq!((column.as_str(), found.as_str()), ("colour", "violet"))
        }
        other => panic!("{other:?}"),
    };
    refused(fitted.transform(&violet));
    refused(OrdinalEncoder::default().fit(&shop()).unwrap().transform(&violet));
}

#[test]
fn doubtful_encoders_are_refused() {
    let given = |name: &str, categories: &[&str]| {
        BTreeMap::from([(name.to_owned(), categories.iter().map(|&text| text.to_owned()).collect())])
    };
    for (name, categories) in [("color", &["red"][..]), ("colour", &[]), ("colour", &["red", "red"])] {
        let categories = given(name, categories);
        assert!(OrdinalEncoder { categories: categories.clone(), ..Default::default() }.fit(&shop()).is_err());
        assert!(OneHotEncoder { categories, ..Default::default() }.fit(&shop()).is_err());
    }
    let text = |name: &str, cell: &str| Column::categorical(name, [Some(cell)]);
    let frame = Frame::new(vec![text("a", "b_c"), text("a_b", "c")]).unwrap();
    assert!(matches!(OneHotEncoder::default().fit(&frame), Err(Error::Parameter { .. })));
    assert!(OneHotEncoder { separator: '=', ..Default::default() }.fit(&frame).is_ok());
}
