use ndarray::{Array1, Array2, Array4, ArrayRef1, ArrayRef2, Axis, array};
use xai_core::{Batch, Differentiable, Error, LinearStructured, Model, Result, Table};
use xai_eval::truth::{Known, Term, Terms, documents, linear_shares, linear_slopes, pictures, tables};

use crate::zoo::assert_close;

/// Sums over 50 background rows of numbers around 10.
const ROUNDING: f64 = 1e-11;

/// Shapley values by the definition: all orders are summed through all coalitions of all features.
fn brute_force(game: &dyn Fn(&[bool]) -> f64, n: usize) -> Vec<f64> {
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let coalition = |bits: usize| (0..n).map(|i| bits >> i & 1 == 1).collect::<Vec<bool>>();
    let worth: Vec<f64> = (0..1 << n).map(|bits| game(&coalition(bits))).collect();
    let gain = |i: usize, bits: usize| {
        let size = bits.count_ones() as usize;
        factorial(size) * factorial(n - size - 1) / factorial(n) * (worth[bits | 1 << i] - worth[bits])
    };
    (0..n).map(|i| (0..1 << n).filter(|bits| bits >> i & 1 == 0).map(|bits| gain(i, bits)).sum()).collect()
}

/// What is right for one row, from predictions alone.
fn brute_row(known: &Known<Terms>, sample: usize, n_background: usize) -> Vec<f64> {
    let (row, n) = (known.batch.row(sample), known.batch.ncols());
    let background = known.background.samples(0..n_background);
    let game = |present: &[bool]| {
        let mixed =
            Array2::from_shape_fn(background.dim(), |(b, j)| if present[j] { row[j] } else { background[[b, j]] });
        known.model.predict(&mixed).unwrap().mean().unwrap()
    };
    brute_force(&game, n)
}

#[test]
fn known_shares_equal_brute_force() {
    for known in tables(3, 11).unwrap() {
        let n_background = known.background.nrows();
        for sample in 0..2 {
            for (feature, expected) in brute_row(&known, sample, n_background).into_iter().enumerate() {
                assert_close(known.truth.values[[sample, feature, 0]], expected, ROUNDING);
            }
        }
        for residual in known.truth.completeness_residual() {
            assert_close(residual, 0.0, ROUNDING);
        }
        assert_eq!(known.case().need_truth("m", &known.truth).unwrap(), &known.truth);
        let used = known.model.used();
        for ((sample, feature), evidence) in known.evidence.indexed_iter() {
            assert!(!evidence || used[feature], "{} {sample} {feature}", known.name);
        }
    }
}

#[test]
fn samples_do_not_hang_on_their_number() {
    let (few, many) = (tables(2, 5).unwrap(), tables(7, 5).unwrap());
    for (few, many) in few.iter().zip(&many) {
        assert_eq!(few.batch, many.batch.samples(0..2), "{}", few.name);
        assert_eq!(few.background, many.background);
    }
    assert_ne!(few[0].batch, tables(2, 6).unwrap()[0].batch);
}

#[test]
fn tables_are_what_they_are_called() {
    let all = tables(400, 3).unwrap();
    let named = |name: &str| all.iter().find(|known| known.name == name).unwrap();
    let spread = |v: ndarray::ArrayView1<f64>| v.std(0.0);
    let cancelling = named("cancelling");
    assert!(spread(cancelling.truth.scores.column(0)) < 1.0);
    assert!(spread(cancelling.truth.values.index_axis(Axis(1), 0).column(0)) > 3.0);
    let redundant = named("redundant");
    assert_eq!(redundant.batch.column(0), redundant.batch.column(1));
    assert!(redundant.truth.values.index_axis(Axis(1), 1).iter().all(|share| *share == 0.0));
    let correlated = named("correlated");
    let (a, b) = (correlated.batch.column(0), correlated.batch.column(1));
    let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / 400.0;
    // The correlation of 400 pairs around 0.9 has a standard error of 0.01.
    assert_close(product / (spread(a) * spread(b)), 0.9, 0.05);
    let saturating = named("saturating");
    let gradient = saturating.model.vjp(&saturating.batch, &Array2::ones((400, 1))).unwrap();
    let flat = gradient.outer_iter().filter(|row| row.iter().all(|slope| *slope == 0.0)).count();
    assert!(flat > 300, "{flat} of 400 saturated");
}

#[test]
fn gradients_of_terms_are_those_of_differences() {
    let features = vec![0, 1, 2];
    let terms = vec![
        Term::Linear { feature: 0, slope: 2.0 },
        Term::Square { feature: 1, weight: -1.5 },
        Term::Wave { feature: 2, height: 0.5, frequency: 3.0 },
        Term::Product { features: features.clone(), weight: 0.7 },
        Term::Hinge { features: features.clone(), weights: vec![1.0, -2.0, 0.5], threshold: 0.1, height: 2.0 },
        Term::Saturation { features: features.clone(), height: 3.0 },
        Term::All { features: features.clone(), height: 1.0 },
        Term::Any { features, height: 1.0 },
    ];
    let model = Terms::new(3, vec![(1.0, terms), (0.0, vec![Term::Linear { feature: 1, slope: 1.0 }])]).unwrap();
    let batch = array![[0.3, 0.2, 0.1], [-0.4, 0.7, 1.1], [0.6, -0.9, 0.2]];
    let weights = array![[1.0, 0.5], [2.0, 0.0], [-1.0, 3.0]];
    let gradient = model.vjp(&batch, &weights).unwrap();
    const STEP: f64 = 1e-6;
    for ((sample, feature), slope) in gradient.indexed_iter() {
        let at = |by: f64| {
            let mut moved = batch.clone();
            moved[[sample, feature]] += by;
            model.predict(&moved).unwrap().row(sample).dot(&weights.row(sample))
        };
        assert_close(*slope, (at(STEP) - at(-STEP)) / (2.0 * STEP), 1e-8);
    }
}

#[test]
fn planted_evidence_is_the_block() {
    let known = pictures(6, 16, 4).unwrap();
    assert_eq!(known.truth.shape.as_deref(), Some([1, 16, 16].as_slice()));
    for sample in 0..6 {
        let evidence: Vec<usize> = (0..256).filter(|cell| known.evidence[[sample, *cell]]).collect();
        assert_eq!(evidence.len(), 16);
        assert_eq!(evidence[15] - evidence[0], 3 * 16 + 3, "one block");
        assert!(known.truth.scores[[sample, 0]] > 2.5);
    }
    // Without the block nothing is left; the other pattern is as bright and changes nothing.
    let mut without = known.batch.clone();
    let mut bright = 0;
    for ((sample, _, row, column), cell) in without.indexed_iter_mut() {
        if known.evidence[[sample, row * 16 + column]] {
            *cell = 0.0;
        } else if cell.abs() > 0.5 {
            bright += 1;
        }
    }
    assert_eq!((bright, known.model.predict(&without).unwrap()), (6 * 16, Array2::zeros((6, 1))));
    let gradient = known.model.vjp(&known.batch, &Array2::ones((6, 1))).unwrap();
    for ((sample, _, row, column), slope) in gradient.indexed_iter() {
        assert_eq!(*slope != 0.0, known.evidence[[sample, row * 16 + column]]);
    }
    for side in [0, 4, 10, 68] {
        assert!(matches!(pictures(1, side, 0), Err(Error::Parameter { .. })));
    }
    let other = Array4::<f32>::zeros((1, 3, 16, 16));
    assert!(matches!(known.model.predict(&other), Err(Error::Shape { .. })));
}

#[test]
fn planted_words_are_the_evidence() {
    let known = documents(40, 9, 8).unwrap();
    let mut negated = 0;
    for (sample, text) in known.batch.iter().enumerate() {
        let words: Vec<&str> = text.split(' ').collect();
        assert_eq!(words.len(), 9);
        let game = |present: &[bool]| {
            let kept: Vec<&str> =
                words.iter().zip(present).map(|(word, kept)| if *kept { *word } else { "" }).collect();
            known.model.predict(&[kept.join(" ")]).unwrap()[[0, 0]]
        };
        for (place, expected) in brute_force(&game, 9).into_iter().enumerate() {
            assert_close(known.truth.values[[sample, place, 0]], expected, 1e-13);
        }
        let evidence = known.evidence.row(sample).iter().filter(|e| **e).count();
        let has_not = words.contains(&"not");
        negated += usize::from(has_not);
        assert_eq!(evidence, 2 + usize::from(has_not), "{text}");
    }
    assert_eq!(negated, 20);
    assert!(matches!(documents(1, 5, 0), Err(Error::Parameter { .. })));
}

struct Line(Array2<f64>, Array1<f64>);

impl Model for Line {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        self.1.len()
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(batch.dot(&self.0) + &self.1)
    }
}

impl LinearStructured for Line {
    fn coefficients(&self) -> &ArrayRef2<f64> {
        &self.0
    }
    fn intercept(&self) -> &ArrayRef1<f64> {
        &self.1
    }
}

#[test]
fn linear_truths_sum_to_the_score() {
    let model = Line(array![[2.0, 1.0], [-1.0, 0.0], [0.5, 3.0]], array![1.0, -2.0]);
    let (batch, background) = (array![[1.0, 2.0, 3.0], [-1.0, 0.0, 4.0]], array![[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]);
    let shares = linear_shares(&model, &batch, &background).unwrap();
    assert_eq!(shares.completeness_residual(), Array2::<f64>::zeros((2, 2)));
    assert_eq!(shares.values.index_axis(Axis(0), 0), array![[0.0, 0.0], [-1.0, 0.0], [1.0, 6.0]]);
    let slopes = linear_slopes(&model, &batch).unwrap();
    assert_eq!(slopes.values.index_axis(Axis(0), 1), model.0);
    let wide = array![[0.0; 4]];
    assert!(matches!(linear_shares(&model, &wide, &background), Err(Error::Shape { .. })));
    let none = Array2::zeros((0, 3));
    assert!(matches!(linear_shares(&model, &batch, &none), Err(Error::Parameter { .. })));
}

#[test]
fn terms_that_cannot_be_are_refused() {
    let of = |features: Vec<usize>| Terms::new(3, vec![(0.0, vec![Term::Product { features, weight: 1.0 }])]);
    for features in [vec![], vec![3], vec![1, 1]] {
        assert!(matches!(of(features), Err(Error::Parameter { .. })));
    }
    let uneven = Term::Hinge { features: vec![0, 1], weights: vec![1.0], threshold: 0.0, height: 1.0 };
    assert!(matches!(Terms::new(3, vec![(0.0, vec![uneven])]), Err(Error::Parameter { .. })));
    assert!(matches!(Terms::new(3, vec![]), Err(Error::Parameter { .. })));
    assert!(matches!(tables(0, 1), Err(Error::Parameter { .. })));
    let model = of(vec![0, 1, 2]).unwrap();
    assert!(matches!(model.predict(&array![[1.0]]), Err(Error::Shape { .. })));
    assert!(matches!(model.shares(&array![[1.0, 2.0, 3.0]], &Array2::zeros((0, 3))), Err(Error::Parameter { .. })));
}
