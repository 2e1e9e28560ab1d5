//! Aggregates of contributions that are not kept, against the same of contributions that are.

use ndarray::{Array2, Array3, Axis};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Feature, Output, Provenance, Run};
use xai_global::mean_absolute;
use xai_global::running::{QUANTILE_ERROR, Running, top};

/// One rounding of a quotient and one of a root.
const ROUNDING: f64 = 1e-15;
/// Two-pass sums of a hundred numbers of one size.
const PLAIN: f64 = 1e-13;

/// Contributions as whole numbers of 2⁻²⁰, so that sums of whole numbers know the truth.
const UNIT: f64 = 1.0 / (1 << 20) as f64;

fn attribution(values: Array3<f64>, data: Option<Array2<f64>>) -> Attribution {
    let (n, j, k) = values.dim();
    let scores = values.sum_axis(Axis(1));
    let provenance = Provenance::new("own", &Run::default()).with("power", 2.0).evaluations(n as u64);
    Attribution {
        provenance,
        features: Feature::unnamed(j),
        outputs: Output::unnamed(k),
        base: Array2::zeros((n, k)),
        values,
        scores,
        standard_error: None,
        data,
        fidelity: None,
        shape: None,
    }
}

/// One feature, one output.
fn column(values: &[f64], data: Option<&[f64]>) -> Attribution {
    let shape = (values.len(), 1, 1);
    let values = Array3::from_shape_vec(shape, values.to_vec()).unwrap();
    attribution(values, data.map(|data| Array2::from_shape_vec((data.len(), 1), data.to_vec()).unwrap()))
}

fn running(attribution: &Attribution) -> Running {
    let mut running = Running::default();
    running.add(attribution).unwrap();
    running
}

/// Sums whose plain addition depends on the order, among them numbers that cancel, and both zeros.
fn wild() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1.0f64..1.0,
        (-1.0f64..1.0, -140i32..130).prop_map(|(x, exponent)| x * 10f64.powi(exponent)),
        prop_oneof![Just(1e16), Just(-1e16), Just(1.0), Just(0.0), Just(-0.0), Just(5e-324)],
    ]
}

/// Cells of a table: numbers of all sizes, and missing ones.
fn cell() -> impl Strategy<Value = f64> {
    prop_oneof![4 => wild(), 2 => (0u8..40).prop_map(f64::from), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

proptest! {
    #[test]
    fn merging_gives_the_same_bits_for_any_cut_and_order(
        rows in prop::collection::vec((wild(), cell()), 1..60),
        cuts in prop::collection::vec(0usize..60, 0..6),
        swaps in prop::collection::vec((0usize..60, 0usize..60), 0..60),
        pairwise in any::<bool>(),
    ) {
        let split = |rows: &[(f64, f64)]| {
            let (values, data): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
            running(&column(&values, Some(&data)))
        };
        let whole = split(&rows);
        let mut shuffled = rows.clone();
        let n = rows.len();
        swaps.iter().for_each(|&(a, b)| shuffled.swap(a % n, b % n));
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % n).chain([0, n]).collect();
        ends.sort_unstable();
        let mut parts: Vec<Running> = ends.windows(2).map(|pair| split(&shuffled[pair[0]..pair[1]])).collect();
        while parts.len() > 1 {
            let last = parts.pop().unwrap();
            // From the end towards the front, or the other way round.
            if pairwise {
                parts.last_mut().unwrap().merge(&last).unwrap();
            } else {
                let first = parts.remove(0);
                let mut last = last;
                last.merge(&first).unwrap();
                parts.push(last);
            }
        }
        prop_assert_eq!(&parts[0], &whole);
        prop_assert_eq!(serde_json::to_string(&parts[0]).unwrap(), serde_json::to_string(&whole).unwrap());
        prop_assert_eq!(parts[0].mean().unwrap(), whole.mean().unwrap());
        prop_assert_eq!(parts[0].histogram(0, 0).unwrap(), whole.histogram(0, 0).unwrap());
    }

    #[test]
    fn readings_agree_with_the_collected_numbers(
        units in prop::collection::vec(-(1i64 << 30)..1 << 30, 2..120),
        offset in prop_oneof![Just(0), Just(1i64 << 44)],
    ) {
        let units: Vec<i128> = units.iter().map(|&x| i128::from(x + offset)).collect();
        let values: Vec<f64> = units.iter().map(|&x| x as f64 * UNIT).collect();
        let running = running(&column(&values, None));
        let n = units.len() as i128;
        let near = |found: f64, truth: f64| (found - truth).abs() <= ROUNDING * truth.abs();
        let (sum, squares): (i128, i128) = (units.iter().sum(), units.iter().map(|x| x * x).sum());
        let absolute: i128 = units.iter().map(|x| x.abs()).sum();
        prop_assert!(near(running.mean().unwrap()[[0, 0]], sum as f64 * UNIT / n as f64));
        prop_assert!(near(running.mean_absolute().unwrap()[[0, 0]], absolute as f64 * UNIT / n as f64));
        let variance = |sum: i128| (n * squares - sum * sum) as f64 / (n * (n - 1)) as f64 * UNIT * UNIT;
        prop_assert!(near(running.deviation().unwrap()[[0, 0]], variance(sum).sqrt()));
        let importance = running.importance().unwrap();
        let error = importance.spread.unwrap()[[0, 0]];
        prop_assert!(near(error, (variance(absolute) / n as f64).sqrt()), "{error}");
        prop_assert_eq!(running.smallest().unwrap()[[0, 0]], values.iter().copied().fold(f64::MAX, f64::min));
        prop_assert_eq!(running.largest().unwrap()[[0, 0]], values.iter().copied().fold(f64::MIN, f64::max));
    }

    #[test]
    fn quantiles_keep_their_bound(values in prop::collection::vec(wild(), 1..200), level in 0.0f64..=1.0) {
        let running = running(&column(&values, None));
        let mut sorted = values.clone();
        for (found, by) in [
            (running.quantile(level).unwrap()[[0, 0]], f64::total_cmp as fn(&f64, &f64) -> std::cmp::Ordering),
            (running.absolute_quantile(level).unwrap()[[0, 0]], |a: &f64, b: &f64| a.abs().total_cmp(&b.abs())),
        ] {
            sorted.sort_by(by);
            let rank = ((level * values.len() as f64).ceil() as usize).max(1);
            let truth = sorted[rank - 1];
            let truth = if by(&-1.0, &0.5).is_gt() { truth.abs() } else { truth };
            // The least numbers of all count as zero.
            prop_assert!((found - truth).abs() <= QUANTILE_ERROR * truth.abs() + f64::MIN_POSITIVE, "{found} {truth}");
        }
    }

    #[test]
    fn histograms_count_what_lies_between_their_edges(rows in prop::collection::vec((-9.0f64..5.0, cell()), 1..300)) {
        let (values, data): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
        let found = running(&column(&values, Some(&data))).histogram(0, 0).unwrap().unwrap();
        let inside = |edges: &[f64], bin: usize, x: f64| edges[bin] <= x && x < edges[bin + 1];
        prop_assert_eq!(found.counts.dim().0, found.value_edges.len() - 1);
        for ((v, d), &count) in found.counts.indexed_iter() {
            let here = |&&(x, y): &&(f64, f64)| inside(&found.value_edges, v, x) && inside(&found.data_edges, d, y);
            prop_assert_eq!(rows.iter().filter(here).count() as u64, count);
        }
        let total = found.counts.iter().chain(&found.missing).sum::<u64>();
        prop_assert_eq!(total, rows.len() as u64);
        // No more bins than promised; half as wide they would be too many.
        prop_assert!(found.counts.dim().0 <= 64 && found.counts.dim().1 <= 32);
        prop_assert!(found.counts.dim().0 >= 32 || rows.len() < 2);
    }

    #[test]
    fn the_top_is_the_head_of_the_sorted_contributions(
        values in prop::collection::vec(prop_oneof![-3i8..4, -100i8..100], 24),
        k in 1usize..8,
    ) {
        let values = Array3::from_shape_vec((2, 6, 2), values.iter().map(|&x| f64::from(x)).collect()).unwrap();
        let whole = attribution(values, None);
        let top = top(&whole, k).unwrap();
        for sample in 0..2 {
            for output in 0..2 {
                let row = whole.values.index_axis(Axis(0), sample);
                let mut all: Vec<(usize, f64)> = row.column(output).iter().copied().enumerate().collect();
                all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
                let expected: Vec<(String, f64)> = all.iter().take(k).map(|&(j, x)| (format!("x{j}"), x)).collect();
                let found: Vec<(String, f64)> = top.leading(sample, output).map(|(f, x)| (f.name.clone(), x)).collect();
                prop_assert_eq!(&found, &expected);
                let rest: f64 = all.iter().skip(k).map(|(_, x)| x).sum();
                prop_assert_eq!(top.rest[sample * 2 + output], rest);
            }
        }
        let text = serde_json::to_string(&top).unwrap();
        prop_assert_eq!(serde_json::from_str::<xai_global::running::TopAttribution>(&text).unwrap(), top);
    }
}

#[test]
fn importance_is_the_mean_absolute_attribution() {
    let wave = |(i, j, k): (usize, usize, usize)| ((i * 7 + j * 3 + k) as f64).sin() * (j + 1) as f64;
    let whole = attribution(Array3::from_shape_fn((100, 3, 2), wave), None);
    let (found, expected) = (running(&whole).importance().unwrap(), mean_absolute(&whole).unwrap());
    assert_eq!(found.provenance, expected.provenance);
    assert_eq!((&found.features, &found.outputs), (&expected.features, &expected.outputs));
    let close = |a: &Array2<f64>, b: &Array2<f64>| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= PLAIN * b.abs());
    assert!(close(&found.values, &expected.values));
    assert!(close(&found.spread.unwrap(), &expected.spread.unwrap()));
}

#[test]
fn a_saved_aggregate_goes_on() {
    let wave = |(i, j, _): (usize, usize, usize)| ((i * 7 + j) as f64).sin();
    let whole = attribution(Array3::from_shape_fn((50, 2, 1), wave), Some(Array2::from_elem((50, 2), 3.5)));
    let part = |range: std::ops::Range<usize>| {
        let slice = ndarray::Slice::from(range);
        let values = whole.values.slice_axis(Axis(0), slice).to_owned();
        attribution(values, whole.data.as_ref().map(|data| data.slice_axis(Axis(0), slice).to_owned()))
    };
    let text = serde_json::to_string(&running(&part(0..20))).unwrap();
    assert!(text.starts_with(r#"{"schema":"xai/running/1","n_samples":20,"#), "{text}");
    let mut read: Running = serde_json::from_str(&text).unwrap();
    read.add(&part(20..50)).unwrap();
    assert_eq!(read, running(&whole));
    let empty = serde_json::to_string(&Running::default()).unwrap();
    assert_eq!(serde_json::from_str::<Running>(&empty).unwrap(), Running::default());
    // Files that do not hold together.
    for (right, wrong) in [
        ("\"n_samples\":20", "\"n_samples\":21"),
        ("xai/running/1", "xai/running/2"),
        ("\"zero\":", "\"zero\":18446744073709551615,\"was\":"),
        ("\"smallest\":", "\"smallest\":1e300,\"was\":"),
        ("\"value_exponent\":", "\"value_exponent\":5000,\"was\":"),
        ("[{\"sum\"", "[], \"were\":[{\"sum\""),
    ] {
        assert!(text.contains(right), "{right}");
        assert!(serde_json::from_str::<Running>(&text.replacen(right, wrong, 1)).is_err(), "{wrong}");
    }
}

#[test]
fn what_cannot_be_aggregated_is_refused_and_changes_nothing() {
    let good = column(&[1.0, -2.0], None);
    let mut running = running(&good);
    let before = running.clone();
    let refuses = |running: &mut Running, bad: Attribution| running.add(&bad).unwrap_err();
    let nan = column(&[1.0, f64::NAN], None);
    assert!(matches!(refuses(&mut running, nan), Error::NonFinite { sample: 1, column: 0, .. }));
    assert!(matches!(refuses(&mut running, column(&[1e200], None)), Error::TooLarge { .. }));
    let other = attribution(Array3::zeros((1, 2, 1)), None);
    assert!(refuses(&mut running, other).to_string().contains("features"));
    for change in [
        (|a: &mut Attribution| a.provenance.seed = 1) as fn(&mut Attribution),
        |a| a.provenance.method = "else".into(),
        |a| a.outputs[0].name = "else".into(),
    ] {
        let mut other = good.clone();
        change(&mut other);
        assert!(matches!(refuses(&mut running, other), Error::Unsupported { .. }));
    }
    let mut ragged = good.clone();
    ragged.values = Array3::zeros((2, 2, 1));
    assert!(matches!(refuses(&mut running, ragged), Error::Shape { .. }));
    assert!(matches!(refuses(&mut running, attribution(Array3::zeros((1, 1000, 100)), None)), Error::TooLarge { .. }));
    assert_eq!(running, before);
    assert!(matches!(running.quantile(1.5), Err(Error::Parameter { .. })));
    assert!(matches!(running.histogram(1, 0), Err(Error::Parameter { .. })));
    assert!(matches!(Running::default().importance(), Err(Error::Parameter { .. })));
    assert!(matches!(top(&good, 0), Err(Error::Parameter { .. })));
    // A single sample has no spread; parameters that differ between batches are not told.
    let mut other = column(&[3.0], None);
    assert!(Running::default().merge(&running).is_ok());
    assert!(self::running(&other).importance().unwrap().spread.is_none());
    other.provenance.parameters.insert("power".into(), 3.0.into());
    running.add(&other).unwrap();
    let account = running.importance().unwrap().provenance;
    assert!(!account.parameters.contains_key("own.power") && account.evaluations == 3);
}
