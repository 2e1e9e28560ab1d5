//! Estimators that fit a model of the game, against brute force, closed forms and their own promises.

use std::collections::HashSet;

use ndarray::{Array1, Array2, ArrayRef2, Axis};
use proptest::prelude::*;
use xai_core::{Error, Game, Result};
use xai_local::shapley::{Auto, Ends, Estimate, Estimator, ExactShap, GpShap, LeverageShap, PolyShap, RegressionMsr};

use crate::games::{Formula, over_all_orders, owed, triples};

/// Sums of some thousand numbers of size ten in f64, through a well-conditioned regression.
const ROUNDING: f64 = 1e-9;

/// What a Gaussian process is uncertain by about the worth of all, which stands beside the other coalitions, and the
/// rounding of its matrix, whose condition is 1e9 at worst.
const PROCESS: f64 = 2e-4;

fn all(n_coalitions: usize) -> Vec<Box<dyn Estimator>> {
    let n_coalitions = Some(n_coalitions);
    vec![
        Box::new(GpShap { n_coalitions }),
        Box::new(PolyShap { n_coalitions, order: 3 }),
        Box::new(RegressionMsr { n_coalitions, n_trees: 20, ..Default::default() }),
        Box::new(Auto { n_coalitions }),
    ]
}

/// A small network: smooth, with interactions of every order.
fn network(present: &[bool]) -> f64 {
    let unit = |k: usize| {
        let sum: f64 = present.iter().enumerate().filter(|(_, p)| **p).map(|(i, _)| ((i * (k + 2)) as f64).sin()).sum();
        sum.tanh()
    };
    (0..4).map(|k| (k as f64 + 1.0) * unit(k)).sum()
}

/// Every worth a number of its own, between −1 and 1.
fn rugged(present: &[bool]) -> f64 {
    let place = present.iter().enumerate().map(|(i, &p)| f64::from(u8::from(p)) * (1u64 << i) as f64).sum::<f64>();
    (place * place * 0.37 + place).sin()
}

fn distance(a: &Array2<f64>, b: &[f64]) -> f64 {
    a.column(0).iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

#[test]
fn polynomials_are_exact_for_their_order() {
    let worth = |present: &[bool]| {
        let x = |i: usize| f64::from(u8::from(present[i]));
        3.0 + x(0) - 2.0 * x(1) * x(2) + 5.0 * x(2) * x(3) * x(4) - 4.0 * x(0) * x(3) * x(5) * x(6) + x(6)
    };
    let exact = over_all_orders(7, &worth);
    let estimate = Formula::new(7, worth).shares(&PolyShap { n_coalitions: Some(110), order: 3 }, 3).unwrap();
    assert!(distance(&estimate.values, &exact) < ROUNDING);
    assert!(estimate.standard_error.unwrap().iter().all(|e| *e < ROUNDING));
    let linear = Formula::new(7, worth).shares(&PolyShap { n_coalitions: Some(110), order: 2 }, 3).unwrap();
    assert!(distance(&linear.values, &exact) > 1e-3);
}

#[test]
fn polynomials_refuse_too_few_coalitions() {
    let refused = PolyShap { n_coalitions: Some(500), order: 3 }.coalitions(14);
    assert!(matches!(refused, Err(Error::Parameter { name, .. }) if name == "n_coalitions"));
    assert!(matches!(PolyShap { n_coalitions: None, order: 0 }.coalitions(5), Err(Error::Parameter { .. })));
    let rate = RegressionMsr { rate: 0.0, ..Default::default() };
    assert!(matches!(rate.coalitions(5), Err(Error::Parameter { name, .. }) if name == "rate"));
}

#[test]
fn auto_is_exact_where_a_model_is() {
    let linear =
        |present: &[bool]| present.iter().enumerate().filter(|(_, p)| **p).map(|(i, _)| (i as f64).cos()).sum();
    let exact: Vec<f64> = (0..200).map(|i| (i as f64).cos()).collect();
    let estimate = Formula::new(200, linear).shares(&Auto { n_coalitions: Some(600) }, 1).unwrap();
    assert!(distance(&estimate.values, &exact) < ROUNDING);
    assert!(estimate.notes[0].contains("linear function"), "{:?}", estimate.notes);

    let estimate = Formula::new(30, triples).shares(&Auto { n_coalitions: Some(1500) }, 1).unwrap();
    assert!(distance(&estimate.values, &owed()) < ROUNDING);
    assert!(estimate.notes[0].contains("10 triples"), "{:?}", estimate.notes);

    let estimate = Formula::new(7, network).shares(&Auto { n_coalitions: Some(126) }, 1).unwrap();
    assert!(distance(&estimate.values, &over_all_orders(7, &network)) < ROUNDING);
    assert!(estimate.notes.iter().any(|note| note.contains("exact")), "{:?}", estimate.notes);
}

/// Sixty triples of thirty players, some weighing a hundredth of others.
fn many_triples() -> Vec<([usize; 3], f64)> {
    let places = [[0, 1, 3], [0, 4, 9]].into_iter().flat_map(|steps| (0..30).map(move |i| steps.map(|s| (i + s) % 30)));
    places.enumerate().map(|(k, triple)| (triple, (1.0 + k as f64).sin())).collect()
}

#[test]
fn many_triples_are_found_exactly() {
    let triples = many_triples();
    let worth = |present: &[bool]| triples.iter().filter(|(t, _)| t.iter().all(|&p| present[p])).map(|(_, c)| c).sum();
    let mut exact = vec![0.0; 30];
    triples.iter().for_each(|(triple, c)| triple.iter().for_each(|&p| exact[p] += c / 3.0));
    // 750 pairs do not settle the 4,060 triples that there are.
    for seed in 0..3 {
        let estimate = Formula::new(30, worth).shares(&Auto { n_coalitions: Some(1500) }, seed).unwrap();
        assert!(distance(&estimate.values, &exact) < ROUNDING, "{:?}", estimate.notes);
        assert!(estimate.notes[0].contains("60 triples"), "{:?}", estimate.notes);
    }
}

/// The squares of what `estimate` is off, as a share of the squares of `exact`.
fn share_lost(estimate: &Estimate, exact: &[f64]) -> f64 {
    let lost: f64 = estimate.values.iter().zip(exact).map(|(a, b)| (a - b) * (a - b)).sum();
    lost / exact.iter().map(|x| x * x).sum::<f64>()
}

#[test]
fn few_pairs_tell_products_of_three() {
    let triples = many_triples();
    let of =
        |present: &[bool]| triples.iter().filter(|(t, _)| t.iter().all(|&p| present[p])).map(|(_, c)| c).sum::<f64>();
    // What three players add when all of them are absent: the same Shapley values.
    let absent = |present: &[bool]| -of(&present.iter().map(|present| !present).collect::<Vec<bool>>());
    let mut exact = vec![0.0; 30];
    triples.iter().for_each(|(triple, c)| triple.iter().for_each(|&p| exact[p] += c / 3.0));
    let n_coalitions = Some(298);
    let (mut processes, mut linear, mut inside) = (0.0, 0.0, 0);
    for seed in 0..SEEDS {
        let estimate = Formula::new(30, of).shares(&Auto { n_coalitions }, seed).unwrap();
        assert!(estimate.notes[0].contains("products of three"), "{:?}", estimate.notes);
        let other = Formula::new(30, absent).shares(&Auto { n_coalitions }, seed).unwrap();
        assert!(share_lost(&other, &estimate.values.column(0).to_vec()) < SAME, "{:?}", other.notes);
        let known = estimate.standard_error.as_ref().unwrap().iter().zip(&estimate.values).zip(&exact);
        inside += known.filter(|((error, value), exact)| (*value - *exact).abs() < 3.0 * *error).count();
        processes += share_lost(&estimate, &exact);
        let leverage = Formula::new(30, of).shares(&LeverageShap { n_coalitions }, seed).unwrap();
        linear += share_lost(&leverage, &exact);
    }
    assert!(processes < 0.3 * linear, "{processes} of {linear}");
    assert!(inside as f64 > 0.9 * (30 * SEEDS) as f64, "{inside}");
}

/// Whichever model is taken, it must not lose to a linear one where games are not what the model expects.
#[test]
fn auto_beats_linear_functions_on_products() {
    const PLAYERS: usize = 14;
    for sizes in [&[3usize][..], &[2, 3], &[1, 2, 3, 4], &[4], &[2, 4], &[5], &[2, 3, 4, 5]] {
        let product = |k: usize| {
            let players = (0..sizes[k % sizes.len()]).map(|j| (5 * k + j * (1 + k % 3)) % PLAYERS);
            (players.collect::<Vec<usize>>(), (1.0 + k as f64).sin())
        };
        let products: Vec<(Vec<usize>, f64)> = (0..2 * PLAYERS).map(product).collect();
        let worth = |present: &[bool]| -> f64 {
            products.iter().filter(|(players, _)| players.iter().all(|&p| present[p])).map(|(_, c)| c).sum()
        };
        let mut exact = vec![0.0; PLAYERS];
        products.iter().for_each(|(players, c)| players.iter().for_each(|&p| exact[p] += c / players.len() as f64));
        let n_coalitions = Some(10 * PLAYERS - 2);
        let (mut auto, mut linear) = (0.0, 0.0);
        for seed in 0..SEEDS {
            let game = Formula::new(PLAYERS, worth);
            auto += share_lost(&game.shares(&Auto { n_coalitions }, seed).unwrap(), &exact);
            linear += share_lost(&game.shares(&LeverageShap { n_coalitions }, seed).unwrap(), &exact);
        }
        assert!(auto < linear, "products of {sizes:?}: {auto} of {linear}");
    }
}

/// Samples of a game.
const SEEDS: u64 = 3;

/// Two samples of the same differences lead to the same search but for rounding, and a search ends where rounding says.
const SAME: f64 = 1e-6;

/// The confidence in the likelier of two classes, negative for the one: it jumps where the smooth score changes sign.
fn signed_confidence(present: &[bool]) -> f64 {
    let score = network(present) + 0.5;
    let confidence = 1.0 / (1.0 + (-score.abs()).exp());
    confidence * score.signum()
}

#[test]
fn normal_scores_see_through_jumps() {
    let exact = Formula::new(11, signed_confidence).shares(&ExactShap, 0).unwrap().values.column(0).to_vec();
    let n_coalitions = Some(400);
    let (mut plain, mut mixed) = (0.0, 0.0);
    for seed in 0..4 {
        let estimate = |estimator: &dyn Estimator| Formula::new(11, signed_confidence).shares(estimator, seed).unwrap();
        plain += distance(&estimate(&GpShap { n_coalitions }).values, &exact);
        let estimate = estimate(&Auto { n_coalitions });
        mixed += distance(&estimate.values, &exact);
        assert!(estimate.notes[0].contains("normal scores"), "{:?}", estimate.notes);
    }
    assert!(mixed < 0.8 * plain, "{mixed} against {plain}");
}

/// Four of twelve players raise a probability, which saturates.
fn saturated(present: &[bool]) -> f64 {
    let sum: f64 = (0..4).filter(|&i| present[3 * i]).map(|i| 2.0 + 0.5 * i as f64).sum();
    1.0 / (1.0 + (4.0 - sum).exp())
}

#[test]
fn processes_beat_linear_functions_where_few_players_matter() {
    let exact = Formula::new(12, saturated).shares(&ExactShap, 0).unwrap().values.column(0).to_vec();
    let off = |estimator: &dyn Estimator| -> f64 {
        (0..5).map(|seed| distance(&Formula::new(12, saturated).shares(estimator, seed).unwrap().values, &exact)).sum()
    };
    let n_coalitions = Some(160);
    let leverage = off(&LeverageShap { n_coalitions });
    for better in [&GpShap { n_coalitions } as &dyn Estimator, &Auto { n_coalitions }] {
        assert!(off(better) < 0.5 * leverage, "{}: {} against {leverage}", better.name(), off(better));
    }
}

#[test]
fn process_errors_tell_the_error() {
    let exact = Formula::new(10, network).shares(&ExactShap, 0).unwrap().values;
    let n_coalitions = Some(150);
    for estimator in [&GpShap { n_coalitions } as &dyn Estimator, &Auto { n_coalitions }] {
        let (mut off, mut told) = (0.0, 0.0);
        for seed in 0..20 {
            let estimate = Formula::new(10, network).shares(estimator, seed).unwrap();
            off += (&estimate.values - &exact).mapv(|x| x * x).sum();
            told += estimate.standard_error.unwrap().mapv(|x| x * x).sum();
        }
        // The game is no draw of the process, so that its errors are right in size only.
        let ratio = (off / told).sqrt();
        assert!((0.4..2.5).contains(&ratio), "{}: {ratio}", estimator.name());
    }
}

#[test]
fn regression_msr_has_no_bias() {
    let exact = over_all_orders(6, &rugged);
    let estimator = RegressionMsr { n_coalitions: Some(48), n_trees: 15, ..Default::default() };
    let seeds = 600u64;
    let (mut sum, mut squares, mut told) = (Array1::<f64>::zeros(6), Array1::<f64>::zeros(6), Array1::<f64>::zeros(6));
    for seed in 0..seeds {
        let estimate = Formula::new(6, rugged).shares(&estimator, seed).unwrap();
        assert!(estimate.notes.is_empty(), "{:?}", estimate.notes);
        let values = estimate.values.column(0).to_owned();
        squares += &values.mapv(|x| x * x);
        sum += &values;
        told += &estimate.standard_error.unwrap().column(0).mapv(|x| x * x);
    }
    let count = seeds as f64;
    for player in 0..6 {
        let mean = sum[player] / count;
        let variance = squares[player] / count - mean * mean;
        let error = (variance / count).sqrt();
        // Six players and 4.5 standard errors: once in 25,000.
        assert!((mean - exact[player]).abs() < 4.5 * error, "player {player}: {mean} for {}, ± {error}", exact[player]);
        let ratio = (told[player] / count / variance).sqrt();
        assert!((0.5..2.0).contains(&ratio), "player {player}: the errors told are {ratio} of those made");
    }
}

#[test]
fn proxies_keep_their_budget() {
    for (n, budget) in [(9, 60), (9, 333), (12, 601), (15, 1001)] {
        for estimator in all(budget) {
            if estimator.coalitions(n).is_err() {
                continue;
            }
            let game = Formula::new(n, network);
            let estimate = game.shares(&*estimator, 5).unwrap();
            let asked = game.asked.into_inner().unwrap();
            assert!(asked.len() <= budget, "{} asked {} of {budget}", estimator.name(), asked.len());
            assert_eq!(asked.len() as u64, estimate.coalitions, "{}", estimator.name());
            assert_eq!(asked.iter().collect::<HashSet<_>>().len(), asked.len(), "{} asked twice", estimator.name());
        }
    }
}

#[test]
fn larger_budgets_ask_what_smaller_ones_do() {
    for (small, large) in all(300).into_iter().zip(all(420)) {
        let (few, many) = (Formula::new(11, network), Formula::new(11, network));
        if small.coalitions(11).is_err() {
            continue;
        }
        few.shares(&*small, 8).unwrap();
        many.shares(&*large, 8).unwrap();
        let many: HashSet<Vec<bool>> = many.asked.into_inner().unwrap().into_iter().collect();
        assert!(few.asked.into_inner().unwrap().iter().all(|coalition| many.contains(coalition)), "{}", small.name());
    }
}

#[test]
fn proxies_are_efficient() {
    for estimator in all(700) {
        let estimate = Formula::new(13, network).shares(&*estimator, 2);
        if estimator.coalitions(13).is_err() {
            continue;
        }
        let gain = network(&[true; 13]) - network(&[false; 13]);
        assert!((estimate.unwrap().values.sum() - gain).abs() < 1e-13, "{}", estimator.name());
    }
}

#[test]
fn threads_do_not_change_proxies() {
    for estimator in all(400) {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Formula::new(10, network).shares(&*estimator, 4).unwrap())
        };
        assert_eq!(with(1), with(3), "{}", estimator.name());
    }
}

/// The network, a constant, and the network from the other side.
struct Three;

impl Game for Three {
    fn n_players(&self) -> usize {
        9
    }
    fn n_outputs(&self) -> usize {
        3
    }
    fn worth(&self, coalitions: &ArrayRef2<bool>) -> Result<Array2<f64>> {
        let worth = coalitions.map_axis(Axis(1), |present| network(&present.to_vec()));
        Ok(Array2::from_shape_fn((worth.len(), 3), |(c, o)| [worth[c], 7.0, 1.0 - worth[c]][o]))
    }
}

#[test]
fn outputs_without_players_get_nothing() {
    let ends = Ends::of(&Three).unwrap();
    for estimator in all(300) {
        let values = estimator.estimate(&Three, &ends, 6).unwrap().values;
        assert!(values.column(1).iter().all(|x| x.abs() < 1e-12), "{}: {values}", estimator.name());
        let sum = &values.column(0) + &values.column(2);
        assert!(sum.iter().all(|x| x.abs() < ROUNDING), "{}: {values}", estimator.name());
        assert!(values.column(0).iter().any(|x| x.abs() > 0.1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Of 31 pairs all but one, of three players against three, are seen. Whatever the model, what is seen counts
    /// exactly: only the share of the one pair, the same for all players but for its sign, may be wrong.
    #[test]
    fn what_is_seen_counts_exactly(worth in prop::collection::vec(-1.0f64..1.0, 64), seed in 0u64..1000) {
        let place = |present: &[bool]| present.iter().enumerate().map(|(i, &p)| usize::from(p) << i).sum::<usize>();
        let game = |present: &[bool]| worth[place(present)];
        let exact = over_all_orders(6, &game);
        for (estimator, tolerance) in [
            (Box::new(PolyShap { n_coalitions: Some(60), order: 3 }) as Box<dyn Estimator>, ROUNDING),
            (Box::new(GpShap { n_coalitions: Some(60) }), PROCESS),
        ] {
            let formula = Formula::new(6, game);
            let values = formula.shares(&*estimator, seed).unwrap().values;
            let asked: HashSet<usize> = formula.asked.into_inner().unwrap().iter().map(|c| place(c)).collect();
            let missing = (1..63usize).find(|c| !asked.contains(c)).unwrap();
            prop_assert_eq!(missing.count_ones(), 3);
            let sign = |player: usize| if missing >> player & 1 == 1 { 1.0 } else { -1.0 };
            let off: Vec<f64> = (0..6).map(|p| (values[[p, 0]] - exact[p]) * sign(p)).collect();
            for one in &off {
                prop_assert!((one - off[0]).abs() < tolerance, "{}: {off:?}", estimator.name());
            }
        }
    }
}
