//! Columns that are explained as one.

use ndarray::array;
use xai_core::{Error, Feature, FeatureKind, Groups};

fn one_hot() -> Vec<Feature> {
    let mut features = Feature::unnamed(4);
    for (feature, level) in features[1..3].iter_mut().zip(["red", "blue"]) {
        feature.name = format!("colour={level}");
        feature.kind = FeatureKind::Binary;
        feature.group = Some("colour".into());
    }
    features
}

#[test]
fn a_one_hot_group_is_one_categorical_player() {
    let groups = Groups::of(&one_hot());
    assert_eq!(groups.members, [vec![0], vec![1, 2], vec![3]]);
    assert_eq!(groups.players[1], Feature::categorical("colour", ["red", "blue"]));
    let data = groups.data(&array![[5.0, 0.0, 1.0, 7.0], [5.0, 0.0, 0.0, 7.0], [5.0, 1.0, 1.0, 7.0]]);
    assert_eq!(data.row(0).to_vec(), [5.0, 1.0, 7.0]);
    // No column on, or two: there is no one value to show.
    assert!(data[[1, 1]].is_nan() && data[[2, 1]].is_nan());
    assert_eq!(groups.players[1].display(data[[0, 1]]), "blue");
}

#[test]
fn groups_that_are_no_partition_are_refused() {
    let players = Feature::unnamed(2);
    for members in [vec![vec![0], vec![0]], vec![vec![0], vec![5]], vec![vec![0], vec![]], vec![vec![0, 1]]] {
        let groups = Groups { players: players.clone(), members };
        assert!(matches!(groups.player_of(2), Err(Error::Parameter { .. })), "{groups:?}");
    }
    assert_eq!(Groups::each(&players).player_of(2).unwrap(), [0, 1]);
}

#[test]
fn values_are_shown_as_a_reader_wants_them() {
    let number = Feature::numeric("n");
    let shown = [
        (-0.0, "0"),
        (39.0, "39"),
        (0.123_456, "0.1235"),
        (1234.56, "1235"),
        (-2.5, "-2.5"),
        (1e-7, "1.000e-7"),
        (1e20, "1.000e20"),
        (f64::INFINITY, "∞"),
        (f64::NAN, "missing"),
    ];
    for (value, text) in shown {
        assert_eq!(number.display(value), text);
    }
    assert_eq!(Feature::categorical("c", ["a"]).display(3.0), "unknown (3)");
}
