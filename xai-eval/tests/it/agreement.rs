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

/// The definitions of the paper with sets and sorted lists, for shares without ties.
fn by_definition(name: &str, x: &[f64], y: &[f64], k: usize) -> f64 {
    let list = |v: &[f64]| {
        let mut all: Vec<(usize, f64)> = v.iter().copied().enumerate().collect();
        all.sort_by(|a, b| b.1.abs().partial_cmp(&a.1.abs()).unwrap());
        all.iter().take(k).map(|(i, v)| (*i, *v > 0.0)).collect::<Vec<(usize, bool)>>()
    };
    let (a, b) = (list(x), list(y));
    let count = (0..k)
        .filter(|&place| match name {
            "feature" => b.iter().any(|(i, _)| *i == a[place].0),
            "sign" => b.contains(&a[place]),
            "rank" => a[place].0 == b[place].0,
            _ => a[place] == b[place],
        })
        .count();
    count as f64 / k as f64
}

#[test]
fn agreement_equals_its_definition() {
    use xai_eval::{pairwise_rank_agreement, rank_agreement, signed_rank_agreement};
    const SAMPLES: usize = 40;
    // A few features and values near each other: places agree now and then.
    let a = table(SAMPLES, 5);
    let b = &a + &a.mapv(|v| 2.0 * (v * 1e5).fract());
    let (one, other) = (attribution(&a), attribution(&b));
    for k in 1..=5 {
        let found = [
            ("feature", feature_agreement(&one, &other, k)),
            ("sign", sign_agreement(&one, &other, k)),
            ("rank", rank_agreement(&one, &other, k)),
            ("signed-rank", signed_rank_agreement(&one, &other, k)),
        ];
        for (name, found) in found {
            let found = found.unwrap();
            for sample in 0..SAMPLES {
                let expected = by_definition(name, &a.row(sample).to_vec(), &b.row(sample).to_vec(), k);
                assert_eq!(found.values[[sample, 0]], expected, "{name} {k}");
            }
            let mean = found.mean.unwrap();
            assert!(0.2 < mean && (mean < 1.0 || k == 5), "{name} {k} {mean}: a test that tells nothing");
        }
    }
    let pairs = pairwise_rank_agreement(&one, &other).unwrap();
    let ranks = rank_correlation(&one, &other).unwrap();
    for sample in 0..SAMPLES {
        let place = |v: ndarray::ArrayView1<f64>, i: usize| v.iter().filter(|other| other.abs() < v[i].abs()).count();
        let alike = |i: usize, j: usize| {
            let first = |m: &ndarray::Array2<f64>| place(m.row(sample), i) < place(m.row(sample), j);
            first(&a) == first(&b)
        };
        let count = (0..5).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|(i, j)| alike(*i, *j)).count();
        assert_eq!(pairs.values[[sample, 0]], count as f64 / 10.0);
        // 1 − 6·Σd² / (n·(n² − 1)).
        let gap = |i: usize| place(a.row(sample), i) as f64 - place(b.row(sample), i) as f64;
        let squares: f64 = (0..5).map(|i| gap(i).powi(2)).sum();
        assert_close(ranks.values[[sample, 0]], 1.0 - 6.0 * squares / 120.0, 1e-14);
    }
}

#[test]
fn ties_are_an_order_of_their_own() {
    let a = attribution(&array![[1.0, -1.0, 3.0]]);
    let b = attribution(&array![[1.0, 2.0, 3.0]]);
    assert_eq!(xai_eval::pairwise_rank_agreement(&a, &b).unwrap().values[[0, 0]], 2.0 / 3.0);
    assert_eq!(xai_eval::pairwise_rank_agreement(&a, &a).unwrap().values[[0, 0]], 1.0);
    let alone = attribution(&array![[1.0]]);
    assert!(xai_eval::pairwise_rank_agreement(&alone, &alone).unwrap().values[[0, 0]].is_nan());
}

#[test]
fn metrics_compare_with_the_truth_of_the_case() {
    use xai_core::Run;
    use xai_eval::{
        Case, FeatureAgreement, Metric, PairwiseRankAgreement, RankAgreement, RankCorrelation, SignAgreement,
        SignedRankAgreement,
    };
    let model = crate::zoo::Function::new(1, |_| vec![0.0]);
    let (values, truth) = (table(3, 4), attribution(&table(3, 4)));
    let metrics: Vec<Box<dyn Metric<crate::zoo::Function>>> = vec![
        Box::new(FeatureAgreement { k: 2 }),
        Box::new(SignAgreement { k: 2 }),
        Box::new(RankAgreement { k: 2 }),
        Box::new(SignedRankAgreement { k: 2 }),
        Box::new(RankCorrelation),
        Box::new(PairwiseRankAgreement),
    ];
    for metric in metrics {
        let case = Case::new(&model, &*values);
        let error = metric.measure(&case, &truth, &Run::default()).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        let found = metric.measure(&case.with_truth(&truth), &truth, &Run::default()).unwrap();
        assert_close(found.mean.unwrap(), 1.0, 1e-14);
        assert_eq!((found.metric.as_str(), found.evaluations), (metric.name(), 0));
    }
}
