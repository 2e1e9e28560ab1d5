//! What nobody means to measure: nothing, one of a kind, what is missing, what is the same everywhere.

use ndarray::{Array1, Array2, ArrayRef2, Axis, array};
use xai_core::{Attribution, Error, Explainer, Model, Provenance, Result, Run, Table};
use xai_eval::stability::{Distance, Relative};
use xai_eval::*;

use crate::net::of_cells;
use crate::together::metrics;
use crate::zoo::{Baseline, Function, assert_close, attribution, table};

fn zero(n: usize) -> Baseline {
    Baseline(Array1::zeros(n))
}

/// Metrics that look at shares alone.
fn of_shares() -> Vec<Box<dyn Metric<Function>>> {
    vec![
        Box::new(Sparseness),
        Box::new(Entropy),
        Box::new(EffectiveComplexity::default()),
        Box::new(CompletenessGap),
        Box::new(PointingGame::default()),
        Box::new(RelevanceMassAccuracy::default()),
        Box::new(RelevanceRankAccuracy::default()),
        Box::new(AttributionLocalisation::default()),
        Box::new(Auc::default()),
        Box::new(TopKIntersection::default()),
        Box::new(FeatureAgreement { k: 1 }),
        Box::new(RankCorrelation),
        Box::new(PairwiseRankAgreement),
        Box::new(Dummy::default()),
        Box::new(Symmetry::default()),
        Box::new(NormalisedAopc::default()),
        Box::new(PredictionGap { n_draws: 3, ..PredictionGap::default() }),
        Box::new(NoiseInfidelity { n_draws: 3, ..NoiseInfidelity::default() }),
    ]
}

fn all() -> impl Iterator<Item = Box<dyn Metric<Function>>> {
    metrics::<Function>().into_iter().chain(of_shares())
}

#[test]
fn what_is_no_number_is_refused() {
    let (model, batch, masker) = (Function::linear(&[1.0, 2.0, 3.0, 4.0]), table(2, 4), zero(4));
    let (right, masks) = (attribution(&batch), batch.mapv(|x| x > 0.0));
    let broken: [fn(&mut Attribution); 3] =
        [|a| a.values[[1, 2, 0]] = f64::NAN, |a| a.scores[[1, 0]] = f64::INFINITY, |a| a.base[[1, 0]] = f64::NAN];
    for broken in broken {
        let mut wrong = right.clone();
        broken(&mut wrong);
        let case = Case::new(&model, &*batch).with_masker(&masker).with_masks(&masks).with_truth(&right);
        for metric in all() {
            let refused = metric.measure(&case, &wrong, &Run::default());
            assert!(matches!(refused, Err(Error::NonFinite { sample: 1, .. })), "{}: {refused:?}", metric.name());
            // And as the truth, for those that look at it.
            let beside = metric.measure(&case.with_truth(&wrong), &right, &Run::default());
            let looks = metric.needs().contains(&Need::Truth);
            assert_eq!(beside.is_err(), looks, "{}", metric.name());
        }
        // Its residual would be NaN, and the largest of all residuals 0.
        assert!(completeness(&wrong).is_err());
    }
}

#[test]
fn one_feature_has_a_value_or_a_reason() {
    let (model, batch, masker) = (Function::linear(&[2.0]), array![[1.0], [3.0]], zero(1));
    let (shares, masks) = (attribution(&array![[2.0], [6.0]]), array![[true], [true]]);
    let case = Case::new(&model, &*batch).with_masker(&masker).with_masks(&masks).with_truth(&shares);
    for metric in all() {
        match metric.measure(&case, &shares, &Run::default()) {
            Ok(found) => {
                let explained: usize = found.failures.iter().map(|failure| failure.cells.len()).sum();
                assert_eq!(found.n_undefined(), explained, "{}", metric.name());
            }
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains("at least two") || said.contains("subset_size"), "{said}");
            }
        }
    }
}

#[test]
fn nothing_is_measured_without_a_panic() {
    for (samples, features) in [(0, 3), (2, 0), (0, 0)] {
        let (model, batch) = (Function::new(1, |_| vec![0.5]), Array2::zeros((samples, features)));
        let (shares, masks, masker) = (attribution(&batch), batch.mapv(|_| true), zero(features));
        let case = Case::new(&model, &*batch).with_masker(&masker).with_masks(&masks).with_truth(&shares);
        for metric in all() {
            // An error or nothing: never a mean of what was not measured.
            if let Ok(found) = metric.measure(&case, &shares, &Run::default()) {
                assert_eq!(found.values.nrows(), samples, "{}", metric.name());
                assert!(samples > 0 || found.mean.is_none(), "{}", metric.name());
            }
        }
    }
}

#[test]
fn constant_scores_correlate_with_nothing() {
    let (model, batch, masker) = (Function::new(1, |_| vec![7.0]), table(3, 4), zero(4));
    let shares = attribution(&table(3, 4));
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let of = |metric: &dyn Metric<Function>| metric.measure(&case, &shares, &Run::default()).unwrap();
    for metric in [
        &FaithfulnessCorrelation::default() as &dyn Metric<Function>,
        &FaithfulnessEstimate::default(),
        &SensitivityN::default(),
        &MonotonicityCorrelation::default(),
        &NormalisedAopc::default(),
    ] {
        let found = of(metric);
        assert_eq!((found.mean, found.n_undefined(), found.failures.len()), (None, 3, 1), "{}", metric.name());
    }
    // Areas and falls of a constant are those of a constant.
    assert_eq!(of(&RemovalCurve::default()).mean, Some(7.0));
    assert_eq!(of(&Eraser::comprehensiveness()).mean, Some(0.0));
    assert_eq!(of(&Irof::default()).mean, Some(0.0));
    assert_eq!(of(&PredictionGap::important()).mean, Some(0.0));
    assert_eq!(of(&NonSensitivity::default()).mean, Some(4.0), "every share is blamed");
}

/// Gradient times input of a line, with nothing for what is missing.
struct Line;

const SLOPES: [f64; 3] = [2.0, -1.0, 0.5];

impl Model for Line {
    type Batch = Table;
    fn n_outputs(&self) -> usize {
        1
    }
    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        Ok(self.shares(batch).sum_axis(Axis(1)).insert_axis(Axis(1)))
    }
}

impl Line {
    fn shares(&self, batch: &ArrayRef2<f64>) -> Array2<f64> {
        let share = |x: f64, slope: f64| if x.is_nan() { 0.0 } else { x.powi(3) * slope };
        Array2::from_shape_fn(batch.dim(), |(i, j)| share(batch[[i, j]], *SLOPES.get(j).unwrap_or(&1.0)))
    }
}

impl Explainer<Line> for Line {
    type Explanation = Attribution;
    fn explain(&self, model: &Line, batch: &Table, run: &Run) -> Result<Attribution> {
        of_cells(model, batch, self.shares(batch).insert_axis(Axis(2)), run)
    }
}

/// Neighbours of a sample with a missing cell are as near as without the cell.
#[test]
fn missing_cells_do_not_move() {
    let whole = table(3, 2);
    let mut gaps = Array2::from_elem((3, 3), f64::NAN);
    gaps.columns_mut().into_iter().zip(whole.columns()).for_each(|(mut to, from)| to.assign(&from));
    let offsets = array![[0.1, -0.2, 0.3], [-0.05, 0.15, 0.2]];
    let of = |batch: &Array2<f64>, metric: &dyn Fn(Neighbourhood) -> Box<dyn Metric<Line>>| {
        let noise = Noise::Offsets(offsets.slice_axis(Axis(1), ndarray::Slice::from(0..batch.ncols())).to_owned());
        let near = Neighbourhood { noise, ..Neighbourhood::default() };
        let shares = Line.explain(&Line, batch, &Run::default()).unwrap();
        let case = Case::new(&Line, batch).with_explainer(&Line);
        metric(near).measure(&case, &shares, &Run::default()).unwrap().values
    };
    let metrics: [&dyn Fn(Neighbourhood) -> Box<dyn Metric<Line>>; 4] = [
        &|neighbourhood| Box::new(LocalLipschitz { neighbourhood }),
        &|neighbourhood| Box::new(MaxSensitivity { neighbourhood }),
        // The cell-wise change counts a share of zero that stays zero as no change.
        &|neighbourhood| Box::new(RelativeInputStability { neighbourhood, relative: Relative::Cells }),
        &|neighbourhood| Box::new(RelativeInputStability { neighbourhood, relative: Relative::Norms }),
    ];
    for metric in metrics {
        for (found, expected) in of(&gaps, metric).iter().zip(&of(&whole, metric)) {
            assert_close(found / expected, 1.0, 1e-12);
        }
    }
}

#[test]
fn a_search_leaves_missing_cells_alone() {
    let mut batch = table(3, 3);
    batch[[1, 2]] = f64::NAN;
    let shares = Line.explain(&Line, &batch, &Run::default()).unwrap();
    let case = Case::new(&Line, &*batch).with_explainer(&Line);
    let search = WorstCase { score_tolerance: Some(1.0), distance: Distance::Relative, ..WorstCase::default() };
    let worst = search.search(&case, &shares, &Run::default()).unwrap();
    assert!(worst.batch[[1, 2]].is_nan() && worst.measurement.n_undefined() == 0);
    assert!(worst.measurement.values.iter().all(|distance| *distance > 0.0));
}

#[test]
fn equal_zeros_keep_their_order() {
    // The first goes first, whatever the sign of its zero.
    let model = Function::linear(&[4.0, 2.0, 1.0]);
    let (batch, masker) = (Array2::ones((2, 3)), zero(3));
    let shares = attribution(&array![[-0.0, 0.0, -0.0], [0.0, 0.0, 0.0]]);
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let found = RemovalCurve::default().measure(&case, &shares, &Run::default()).unwrap();
    assert_eq!(found.values[[0, 0]], found.values[[1, 0]]);
}

#[test]
fn more_than_memory_holds_is_refused() {
    let (model, batch, masker) = (Function::linear(&[1.0, 2.0, 3.0]), table(2, 3), zero(3));
    let shares = attribution(&batch);
    let case = Case::new(&model, &*batch).with_masker(&masker);
    let most = usize::MAX;
    let large: Vec<Box<dyn Metric<Function>>> = vec![
        Box::new(PredictionGap { n_draws: most, ..PredictionGap::default() }),
        Box::new(Dummy { n_coalitions: most }),
        Box::new(Symmetry { n_coalitions: most }),
        Box::new(FFidelity { n_draws: most, ..FFidelity::default() }),
    ];
    for metric in large {
        let refused = metric.measure(&case, &shares, &Run::default());
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{}: {refused:?}", metric.name());
    }
    let counts = KeepRemove { n_counts: most, ..KeepRemove::default() };
    assert!(matches!(counts.measure(&case, &shares, &Run::default()), Err(Error::Parameter { .. })));
    let provenance = Provenance::new("line", &Run::default());
    let line = Attribution { provenance, ..Line.explain(&Line, &batch, &Run::default()).unwrap() };
    let case = Case::new(&Line, &*batch).with_explainer(&Line);
    let search = WorstCase { n_candidates: most, score_tolerance: Some(1.0), ..WorstCase::default() };
    assert!(matches!(search.measure(&case, &line, &Run::default()), Err(Error::TooLarge { .. })));
}
