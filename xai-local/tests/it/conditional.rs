//! Conditional maskers against closed forms, integration, and the marginal masker where columns are independent.

use ndarray::{Array1, Array2, ArrayView1, Axis, array, concatenate};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Explainer, Feature, FeatureKind, Groups, Masker, Run};
use xai_local::masker::{Absence, Background, ConditionalTree, Gaussian, GaussianCopula, Neighbours, Shrinkage};
use xai_local::shapley::{ExactShap, Masked};

use crate::zoo::Function;

/// Solving with well-conditioned matrices of five columns.
const SOLVING: f64 = 1e-9;

/// Normal rows: correlated columns from four independent ones in -1..1, which need not be normal for fitting.
fn mixed(n: usize, seed: u64) -> Array2<f64> {
    let mut state = seed * 2 + 1;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let independent = Array2::from_shape_simple_fn((n, 4), &mut next);
    independent.dot(&array![[1.0, 0.8, 0.0, 0.1], [0.0, 0.6, 0.5, 0.0], [0.0, 0.0, 0.9, -0.7], [0.0, 0.0, 0.0, 0.5]])
}

/// The inverse by Gauss and Jordan.
fn inverse(matrix: &Array2<f64>) -> Array2<f64> {
    let n = matrix.nrows();
    let mut work = concatenate![Axis(1), matrix.view(), Array2::<f64>::eye(n).view()];
    for column in 0..n {
        let pivot = (column..n).max_by(|&a, &b| work[[a, column]].abs().total_cmp(&work[[b, column]].abs())).unwrap();
        for k in 0..2 * n {
            work.swap([column, k], [pivot, k]);
        }
        let scaled = &work.row(column) / work[[column, column]];
        work.row_mut(column).assign(&scaled);
        for row in (0..n).filter(|&row| row != column) {
            let factor = work[[row, column]];
            work.row_mut(row).scaled_add(-factor, &scaled);
        }
    }
    work.select(Axis(1), &(n..2 * n).collect::<Vec<_>>())
}

/// Mean and covariance of the absent columns, by the formula with an inverse.
fn by_formula(
    mean: &Array1<f64>,
    covariance: &Array2<f64>,
    x: ArrayView1<f64>,
    here: &[bool],
) -> (Array1<f64>, Array2<f64>) {
    let (s, a): (Vec<usize>, Vec<usize>) = (0..here.len()).partition(|&column| here[column]);
    let part = |rows: &[usize], columns: &[usize]| covariance.select(Axis(0), rows).select(Axis(1), columns);
    let pull = part(&a, &s).dot(&inverse(&part(&s, &s)));
    let apart = x.select(Axis(0), &s) - mean.select(Axis(0), &s);
    (mean.select(Axis(0), &a) + pull.dot(&apart), part(&a, &a) - pull.dot(&part(&s, &a)))
}

/// A mean, a positive definite covariance, a sample.
fn normal() -> impl Strategy<Value = (Array1<f64>, Array2<f64>, Array2<f64>)> {
    (2_usize..6).prop_flat_map(|n| prop::collection::vec(-1.0..1.0, n * n + 2 * n)).prop_map(|cells| {
        let n = (((cells.len() + 1) as f64).sqrt() - 1.0).round() as usize;
        let root = Array2::from_shape_vec((n, n), cells[..n * n].to_vec()).unwrap();
        let covariance = root.dot(&root.t()) + Array2::<f64>::eye(n) * 0.1;
        let mean = Array1::from(cells[n * n..n * n + n].to_vec());
        (mean, covariance, Array2::from_shape_vec((1, n), cells[n * n + n..].to_vec()).unwrap())
    })
}

/// Shapley values of worths by their definition: the coalition is the number whose bits are its players.
fn shares(n: usize, worth: &[f64]) -> Vec<f64> {
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let weight = |size: usize| factorial(size) * factorial(n - size - 1) / factorial(n);
    let share = |player: usize| -> f64 {
        let without = (0..1usize << n).filter(|coalition| coalition >> player & 1 == 0);
        without.map(|c| weight(c.count_ones() as usize) * (worth[c | 1 << player] - worth[c])).sum()
    };
    (0..n).map(share).collect()
}

proptest! {
    #[test]
    fn gaussian_is_the_conditional_normal((mean, covariance, x) in normal(), bits: u8) {
        let here: Vec<bool> = (0..mean.len()).map(|i| bits >> i & 1 == 1).collect();
        let masker = Gaussian::known(mean.clone(), covariance.clone()).unwrap();
        let (m, c) = masker.conditional(&x.row(0), &here).unwrap();
        let (expected, spread) = by_formula(&mean, &covariance, x.row(0), &here);
        prop_assert!(m.iter().zip(&expected).all(|(a, b)| (a - b).abs() < SOLVING));
        prop_assert!(c.iter().zip(&spread).all(|(a, b)| (a - b).abs() < SOLVING));

        // Means of draws have no error; second moments have that of a hundred draws at most.
        let coalitions = Array1::from(here.clone()).insert_axis(Axis(0));
        let drawn = masker.draws(2000).unwrap().mask(&x, 0, &coalitions).unwrap();
        let absent: Vec<usize> = (0..here.len()).filter(|&i| !here[i]).collect();
        let cells = drawn.select(Axis(1), &absent);
        let found = cells.sum_axis(Axis(0)) / 2000.0;
        prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < SOLVING));
        let centred = &cells - &found;
        let second = centred.t().dot(&centred) / 2000.0;
        for ((i, j), &found) in second.indexed_iter() {
            let scale = (spread[[i, i]] * spread[[j, j]]).sqrt();
            prop_assert!((found - spread[[i, j]]).abs() < 0.15 * scale, "{} {}", found, spread[[i, j]]);
        }
        for column in (0..here.len()).filter(|&i| here[i]) {
            prop_assert!(drawn.column(column).iter().all(|&cell| cell == x[[0, column]]));
        }
    }

    /// v(S) = b·E[x | x_S] is known, and two draws suffice for it.
    #[test]
    fn linear_models_of_normal_rows_are_exact((mean, covariance, x) in normal(), seed: u64) {
        let n = mean.len();
        let slopes = [1.5, -2.0, 0.75, 3.0, -0.5];
        let model = Function::one(move |x| x.iter().zip(slopes).map(|(x, b)| x * b).sum());
        let worth: Vec<f64> = (0..1usize << n).map(|coalition| {
            let here: Vec<bool> = (0..n).map(|i| coalition >> i & 1 == 1).collect();
            let mut row = x.row(0).to_owned();
            let (m, _) = by_formula(&mean, &covariance, x.row(0), &here);
            (0..n).filter(|&i| !here[i]).zip(&m).for_each(|(i, &m)| row[i] = m);
            row.iter().zip(slopes).map(|(x, b)| x * b).sum()
        }).collect();
        let masker = Gaussian::known(mean, covariance).unwrap().draws(2).unwrap().seeded(seed);
        let found = Masked { estimator: ExactShap, masker }.explain(&model, &x, &Run::default()).unwrap();
        for (found, expected) in found.values.iter().zip(shares(n, &worth)) {
            prop_assert!((found - expected).abs() < SOLVING, "{} {}", found, expected);
        }
        prop_assert_eq!(found.provenance.evaluations, 1 + 2 * ((1 << n) - 1));
    }
}

/// Two columns, and a function of both, integrated by Simpson's rule over ten deviations.
#[test]
fn gaussian_draws_agree_with_integration() {
    let (rho, x) = (0.6, [0.8, -0.4]);
    let model = Function::one(|x| (2.0 * x[0]).sin() * (0.5 * x[1]).exp() + x[0] * x[1] * x[1]);
    let f = |a: f64, b: f64| (2.0 * a).sin() * (0.5 * b).exp() + a * b * b;
    let mean_of = |g: &dyn Fn(f64) -> f64, mean: f64, deviation: f64| -> f64 {
        let (n, h) = (2000, 0.01);
        let point = |k: usize| {
            let z = (k as f64 - 1000.0) * h;
            let simpson = if k == 0 || k == n {
                1.0
            } else if k % 2 == 1 {
                4.0
            } else {
                2.0
            };
            simpson * g(mean + deviation * z) * (-0.5 * z * z).exp()
        };
        (0..=n).map(point).sum::<f64>() * h / 3.0 / (2.0 * std::f64::consts::PI).sqrt()
    };
    let left = f64::sqrt(1.0 - rho * rho);
    let nobody = mean_of(&|a| mean_of(&|b| f(a, b), rho * a, left), 0.0, 1.0);
    let first = mean_of(&|b| f(x[0], b), rho * x[0], left);
    let second = mean_of(&|a| f(a, x[1]), rho * x[1], left);
    let expected = shares(2, &[nobody, first, second, f(x[0], x[1])]);
    let masker = Gaussian::known(array![0.0, 0.0], array![[1.0, rho], [rho, 1.0]]).unwrap();
    let error = |draws: usize| {
        let masker = masker.clone().draws(draws).unwrap();
        let found = Masked { estimator: ExactShap, masker };
        let found = found.explain(&model, &array![x], &Run::default()).unwrap();
        (0..2).map(|i| (found.values[[0, i, 0]] - expected[i]).abs()).fold(0.0, f64::max)
    };
    // One column at a time is stratified: of 20,000 draws only the empty coalition, in two columns, has an error that
    // shows, some hundredth of a deviation of 1.
    assert!(error(20_000) < 0.02, "{}", error(20_000));
    assert!(error(20_000) < error(20));
}

#[test]
fn draws_follow_from_seed_and_coalition_alone() {
    let data = mixed(60, 1);
    let one = array![[true, false, false, true]];
    let many = array![[false, true, true, true], [true, false, false, true]];
    type Seeded = Box<dyn Fn(u64) -> Box<dyn Masker<xai_core::Table>>>;
    let maskers: [Seeded; 4] = [
        Box::new(|seed| {
            Box::new(Gaussian::fit(&mixed(60, 1), Shrinkage::Automatic).unwrap().draws(6).unwrap().seeded(seed))
        }),
        Box::new(|seed| {
            Box::new(GaussianCopula::fit(&mixed(60, 1), Shrinkage::None).unwrap().draws(6).unwrap().seeded(seed))
        }),
        Box::new(|seed| {
            let masker = Neighbours::fit(&mixed(60, 1), &[]).unwrap().bandwidth(2.0).unwrap();
            Box::new(masker.draws(6).unwrap().seeded(seed))
        }),
        Box::new(|seed| Box::new(ConditionalTree::fit(&mixed(60, 1), &[]).unwrap().draws(6).unwrap().seeded(seed))),
    ];
    for masker in maskers {
        let alone = masker(3).mask(&data, 7, &one).unwrap();
        let together = masker(3).mask(&data, 7, &many).unwrap();
        assert_eq!(alone.dim(), (6, 4));
        assert_eq!(alone, together.select(Axis(0), &[6, 7, 8, 9, 10, 11]));
        assert_ne!(alone, masker(4).mask(&data, 7, &one).unwrap());
        let nobody = Array2::from_elem((1, 4), false);
        assert!(masker(3).empty_is_shared());
        assert_eq!(masker(3).mask(&data, 0, &nobody).unwrap(), masker(3).mask(&data, 9, &nobody).unwrap());
        let everybody = Array2::from_elem((1, 4), true);
        let whole = masker(3).mask(&data, 5, &everybody).unwrap();
        assert!(whole.outer_iter().all(|row| row == data.row(5)));
    }
}

/// With all correlations shrunk away each column's values come as often as in the data: the values of an additive model
/// are those of the marginal masker, without error.
#[test]
fn independent_copula_equals_background() {
    let (data, model) = (mixed(50, 2), Function::one(|x| x[0].sin() + x[1] * x[1] - (2.0 * x[2]).exp() + x[3]));
    let batch = mixed(3, 9);
    let masker = GaussianCopula::fit(&data, Shrinkage::Share(1.0)).unwrap().draws(100).unwrap();
    let independent = Masked { estimator: ExactShap, masker }.explain(&model, &batch, &Run::default()).unwrap();
    let masker = Background::new(data).unwrap();
    let marginal = Masked { estimator: ExactShap, masker }.explain(&model, &batch, &Run::default()).unwrap();
    for (a, b) in independent.values.iter().zip(&marginal.values).chain(independent.base.iter().zip(&marginal.base)) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn copula_follows_any_monotone_scale() {
    let data = mixed(80, 4);
    let stretched = data.mapv(f64::exp);
    let coalitions = array![[true, false, false, true], [false, false, true, false]];
    let plain = GaussianCopula::fit(&data, Shrinkage::Automatic).unwrap().draws(20).unwrap();
    let other = GaussianCopula::fit(&stretched, Shrinkage::Automatic).unwrap().draws(20).unwrap();
    let masked = plain.mask(&data, 5, &coalitions).unwrap();
    assert_eq!(masked.mapv(f64::exp), other.mask(&stretched, 5, &coalitions).unwrap());
    for (column, cells) in masked.columns().into_iter().enumerate() {
        assert!(cells.iter().all(|cell| data.column(column).iter().any(|known| known == cell)));
    }
    // Columns 0 and 1 have a correlation of 0.8: a high value of one comes with high values of the other.
    let high = array![[0.95, 0.0, 0.0, 0.0]];
    let here = array![[true, false, false, false]];
    let mean = |masker: &GaussianCopula| masker.mask(&high, 0, &here).unwrap().column(1).mean().unwrap();
    let independent = GaussianCopula::fit(&data, Shrinkage::Share(1.0)).unwrap();
    assert!(mean(&plain) > mean(&independent) + 0.4);
}

/// A tree that must not split, or finds nothing to split by, gives all rows: the background.
#[test]
fn a_tree_of_independent_columns_is_the_background() {
    let data = Array2::from_shape_fn((49, 2), |(r, c)| if c == 0 { (r % 7) as f64 } else { (r / 7) as f64 });
    let model = Function::one(|x| x[0] * x[1] + x[1].sin());
    let explain = |masker: &dyn Masker<xai_core::Table>| -> Attribution {
        Masked { estimator: ExactShap, masker }.explain(&model, &array![[2.0, 5.0]], &Run::default()).unwrap()
    };
    let marginal = explain(&Background::new(data.clone()).unwrap());
    let tree = explain(&ConditionalTree::fit(&data, &[]).unwrap());
    assert_eq!(tree.values, marginal.values);
    let dependent = mixed(60, 3);
    let stump = ConditionalTree::fit(&dependent, &[]).unwrap();
    let coalition = array![[true, false, true, false]];
    let rows = |masker: &ConditionalTree| masker.replicas(&dependent, 0, &coalition).unwrap().unwrap().samples.nrows();
    assert!(rows(&stump) < 60);
    assert_eq!(rows(&stump.alpha(0.0).unwrap()), 60);
    let wide = Neighbours::fit(&data, &[]).unwrap().bandwidth(1e9).unwrap();
    assert!(explain(&wide).values.iter().zip(&marginal.values).all(|(a, b)| (a - b).abs() < 1e-12));
}

/// Rows left out by chance are made up for by those that stay.
#[test]
fn thinned_neighbours_are_right_in_the_mean() {
    let data = mixed(60, 5);
    let coalition = array![[false, true, false, false]];
    let worth = |masker: &Neighbours| {
        let replicas = masker.replicas(&data, 3, &coalition).unwrap().unwrap();
        assert!((replicas.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let value = |row: ArrayView1<f64>| row[0] * row[2] + row[3];
        let worth: f64 = replicas.samples.outer_iter().zip(&replicas.weights).map(|(row, w)| w * value(row)).sum();
        (worth, replicas.weights.len())
    };
    let all = Neighbours::fit(&data, &[]).unwrap().bandwidth(0.7).unwrap();
    let (exact, n) = worth(&all);
    assert_eq!(n, 60);
    let some: Vec<f64> = (0..2000)
        .map(|seed| {
            let (worth, n) = worth(&all.clone().draws(12).unwrap().seeded(seed));
            assert!(n <= 12);
            worth
        })
        .collect();
    let mean = some.iter().sum::<f64>() / 2000.0;
    let deviation = (some.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / 1999.0).sqrt();
    assert!(deviation > 0.0 && (mean - exact).abs() < 5.0 * deviation / 2000f64.sqrt(), "{mean} {exact} {deviation}");
    // Equal weights instead: each row as often as its weight says, up to one.
    let equal = all.draws(60).unwrap().mask(&data, 3, &coalition).unwrap();
    let mean = equal.outer_iter().map(|row| row[0] * row[2] + row[3]).sum::<f64>() / 60.0;
    assert!((mean - exact).abs() < 0.1, "{mean} {exact}");
}

#[test]
fn groups_are_present_or_absent_together() {
    let data = mixed(60, 6);
    let groups = Groups { players: Feature::unnamed(2), members: vec![vec![0, 2], vec![1, 3]] };
    let coalition = array![[true, false]];
    let spelled = array![[true, false, true, false]];
    let plain = Gaussian::fit(&data, Shrinkage::None).unwrap();
    let (mean, _) = plain.conditional(&data.row(2), &[true, false, true, false]).unwrap();
    let grouped = plain.grouped(groups.clone()).unwrap().draws(2).unwrap();
    let masked = grouped.mask(&data, 2, &coalition).unwrap();
    assert!((masked.column(1).mean().unwrap() - mean[0]).abs() < SOLVING);
    assert_eq!(grouped.players(&[]).unwrap().len(), 2);
    let plain = ConditionalTree::fit(&data, &[]).unwrap();
    let expected = plain.replicas(&data, 2, &spelled).unwrap();
    assert_eq!(plain.grouped(groups.clone()).unwrap().replicas(&data, 2, &coalition).unwrap(), expected);
    let copula = GaussianCopula::fit(&data, Shrinkage::None).unwrap().grouped(groups.clone()).unwrap();
    assert_eq!(copula.mask(&data, 2, &coalition).unwrap().row(0)[2], data[[2, 2]]);
    assert!(matches!(copula.mask(&data, 2, &spelled), Err(Error::Shape { .. })));
    let wrong = Groups { players: Feature::unnamed(1), members: vec![vec![0]] };
    assert!(matches!(Neighbours::fit(&data, &[]).unwrap().grouped(wrong), Err(Error::Parameter { .. })));
}

#[test]
fn columns_that_follow_from_others_do_no_harm() {
    // The third is the sum of the first two, the fourth is constant.
    let data = Array2::from_shape_fn((30, 4), |(r, c)| {
        let (a, b) = (((r * 7) % 11) as f64, ((r * 5) % 13) as f64);
        [a, b, a + b, 2.5][c]
    });
    let masker = Gaussian::fit(&data, Shrinkage::None).unwrap();
    let (mean, covariance) = masker.conditional(&array![3.0, 4.0, 0.0, 0.0], &[true, true, false, false]).unwrap();
    assert!((mean[0] - 7.0).abs() < 1e-9 && (mean[1] - 2.5).abs() < 1e-12, "{mean}");
    assert!(covariance.iter().all(|c| c.abs() < 1e-9), "{covariance}");
    let (mean, _) = masker.conditional(&array![3.0, 4.0, 7.0, 2.5], &[true, false, true, true]).unwrap();
    assert!((mean[0] - 4.0).abs() < 1e-9, "{mean}");
    let copula = GaussianCopula::fit(&data, Shrinkage::None).unwrap();
    assert_eq!(copula.mask(&data, 0, &array![[true, true, true, false]]).unwrap()[[0, 3]], 2.5);
}

#[test]
fn what_a_masker_cannot_serve_is_named() {
    let data = mixed(30, 7);
    let mut broken = data.clone();
    broken[[4, 2]] = f64::NAN;
    assert!(matches!(Gaussian::fit(&broken, Shrinkage::None), Err(Error::NonFinite { sample: 4, column: 2, .. })));
    assert!(matches!(
        GaussianCopula::fit(&broken, Shrinkage::None),
        Err(Error::NonFinite { sample: 4, column: 2, .. })
    ));
    let gaussian = Gaussian::fit(&data, Shrinkage::Automatic).unwrap();
    let copula = GaussianCopula::fit(&data, Shrinkage::Automatic).unwrap();
    let here = array![[false, false, true, false]];
    assert!(matches!(gaussian.mask(&broken, 4, &here), Err(Error::NonFinite { sample: 4, column: 2, .. })));
    assert!(matches!(copula.mask(&broken, 4, &here), Err(Error::NonFinite { sample: 4, column: 2, .. })));
    // Where the missing cell is absent it does not matter.
    assert!(gaussian.mask(&broken, 4, &array![[true, true, false, true]]).is_ok());

    let mut features = Feature::unnamed(4);
    features[1].kind = FeatureKind::Binary;
    assert!(matches!(gaussian.players(&features), Err(Error::Unsupported { .. })));
    assert!(copula.players(&features).is_ok());
    features[1] = Feature::categorical("colour", ["red", "blue"]);
    let error = copula.players(&features).unwrap_err().to_string();
    assert!(error.contains("colour"), "{error}");
    assert!(Neighbours::fit(&broken, &features).is_ok());

    assert!(matches!(gaussian.clone().draws(3), Err(Error::Parameter { .. })));
    assert!(matches!(gaussian.draws(0), Err(Error::Parameter { .. })));
    assert!(matches!(Gaussian::fit(&data, Shrinkage::Share(1.5)), Err(Error::Parameter { .. })));
    assert!(matches!(Gaussian::fit(&mixed(1, 1), Shrinkage::None), Err(Error::Parameter { .. })));
    let indefinite = Gaussian::known(array![0.0, 0.0], array![[1.0, 2.0], [2.0, 1.0]]);
    assert!(matches!(indefinite, Err(Error::Parameter { .. })));
    assert!(matches!(Gaussian::known(array![0.0], array![[1.0, 2.0]]), Err(Error::Shape { .. })));
    assert!(matches!(Neighbours::fit(&data, &[]).unwrap().bandwidth(0.0), Err(Error::Parameter { .. })));
    assert!(matches!(Neighbours::fit(&data, &Feature::unnamed(2)), Err(Error::Shape { .. })));
    assert!(matches!(ConditionalTree::fit(&data, &[]).unwrap().alpha(f64::NAN), Err(Error::Parameter { .. })));
    let mut infinite = data.clone();
    infinite[[0, 0]] = f64::INFINITY;
    assert!(matches!(ConditionalTree::fit(&infinite, &[]), Err(Error::NonFinite { .. })));
    let tree = ConditionalTree::fit(&data, &[]).unwrap();
    assert!(matches!(tree.mask(&infinite, 0, &here), Err(Error::NonFinite { .. })));
}

/// By its name every masker serves a whole explanation, and the same data tell the same by all of them where a column
/// follows from another.
#[test]
fn maskers_have_names() {
    let data =
        Array2::from_shape_fn((80, 2), |(r, c)| ((r * 11 % 80) as f64 - 39.5) / 20.0 * if c == 0 { 1.0 } else { 2.0 });
    let model = Function::one(|x| x[1]);
    for absence in Absence::ALL {
        assert_eq!(absence.name().parse::<Absence>().unwrap(), absence);
        let masker = absence.masker(&data, &Feature::unnamed(2), 80, 1).unwrap();
        let found = Masked { estimator: ExactShap, masker };
        let found = found.explain(&model, &array![[1.0, 2.0]], &Run::default()).unwrap();
        assert!((found.base[[0, 0]]).abs() < 1e-9, "{absence}");
        let (first, second) = (found.values[[0, 0, 0]], found.values[[0, 1, 0]]);
        match absence {
            Absence::Marginal => assert!(first.abs() < 1e-9 && (second - 2.0).abs() < 1e-9),
            // The value of the one tells that of the other, up to the width of a leaf or a kernel.
            _ => assert!((first - 1.0).abs() < 0.5 && (first + second - 2.0).abs() < 1e-9, "{absence} {first}"),
        }
    }
    assert!(matches!("mean".parse::<Absence>(), Err(Error::Unknown { .. })));
}
