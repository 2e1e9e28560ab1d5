use ndarray::array;
use xai_core::Error;
use xai_eval::{feature_agreement, rank_correlation, sign_agreement};

use crate::zoo::{assert_close, attribution, table};

#[test]
fn agreement_of_known_attributions() {
    let a = attribution(&array![[4.0, -3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]]);
    let b = attribution(&array![[-4.0, -2.0, 3.0, 1.0], [4.0, 3.0, 2.0, 1.0]]);
    // Sample 0: the first two are {0, 1} and {0, 2}, and feature 0 has another sign; sample 1: {3, 2} and {0, 1}.
    assert_eq!(feature_agreement(&a, &b, 2).unwrap().values, array![[0.5], [0.0]]);
    assert_eq!(sign_agreement(&a, &b, 2).unwrap().values, array![[0.0], [0.0]]);
    assert_eq!(feature_agreement(&a, &b, 4).unwrap().values, array![[1.0], [1.0]]);
    assert_eq!(sign_agreement(&a, &b, 4).unwrap().values, array![[0.75], [1.0]]);
    // Ranks 4 3 2 1 and 4 2 3 1: 1 − 6·2/(4·15); and exactly reversed.
    let ranks = rank_correlation(&a, &b).unwrap();
    assert_close(ranks.values[[0, 0]], 0.8, 1e-15);
    assert_close(ranks.values[[1, 0]], -1.0, 1e-15);
    assert_close(ranks.mean.unwrap(), -0.1, 1e-15);
    assert_eq!(ranks.direction, xai_eval::Direction::Higher);
}

#[test]
fn equal_values_share_their_rank() {
    let a = attribution(&array![[1.0, -1.0, 2.0], [5.0, 5.0, 5.0]]);
    let b = attribution(&array![[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]);
    let found = rank_correlation(&a, &b).unwrap();
    // Ranks 1.5 1.5 3 and 1 2 3.
    assert_close(found.values[[0, 0]], 0.75f64.sqrt(), 1e-15);
    assert!(found.values[[1, 0]].is_nan(), "nothing to rank");
    assert_eq!((found.n_undefined(), found.mean), (1, Some(found.values[[0, 0]])));
}

#[test]
fn agreement_with_itself_is_one() {
    let a = attribution(&table(6, 5));
    for k in 1..=5 {
        assert_eq!(feature_agreement(&a, &a, k).unwrap().mean, Some(1.0));
        assert_eq!(sign_agreement(&a, &a, k).unwrap().mean, Some(1.0));
    }
    assert_close(rank_correlation(&a, &a).unwrap().mean.unwrap(), 1.0, 1e-15);
}

#[test]
fn attributions_of_other_things_are_refused() {
    let a = attribution(&table(2, 3));
    assert!(matches!(feature_agreement(&a, &attribution(&table(2, 4)), 1), Err(Error::Shape { .. })));
    assert!(matches!(rank_correlation(&a, &attribution(&table(3, 3))), Err(Error::Shape { .. })));
    let mut other = a.clone();
    other.features[1].name = "income".into();
    let error = rank_correlation(&a, &other).unwrap_err().to_string();
    assert!(error.contains("income") && error.contains("x1"), "{error}");
    for k in [0, 4] {
        assert!(matches!(sign_agreement(&a, &a, k), Err(Error::Parameter { .. })));
    }
    let none = attribution(&table(0, 3));
    assert_eq!(rank_correlation(&none, &none).unwrap().mean, None);
}
