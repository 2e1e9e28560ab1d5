//! Regions: how samples are cut, and what methods over regions give to cells.

use std::collections::BTreeSet;

use ndarray::{Array3, Axis, array};
use xai_core::{Error, Explainer, Run};
use xai_local::masker::{Fill, Regions};
use xai_local::segments::{Patches, Quickshift, SegmentLime, SegmentOwen, SegmentShap, Segmentation, Segmenter, Slic};
use xai_local::shapley::{ExactShap, KernelShap, Masked};

use crate::perturbation::image;

/// Sums of some hundred numbers of size one, in f32 cells.
const ROUNDING: f64 = 1e-5;

/// Four flat quarters of different colours.
fn quarters() -> Array3<f64> {
    Array3::from_shape_fn((3, 24, 30), |(c, y, x)| {
        let colour = [[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9], [0.9, 0.9, 0.1]];
        colour[2 * usize::from(y >= 12) + usize::from(x >= 15)][c]
    })
}

/// Every region is in one piece.
fn connected(s: &Segmentation) -> bool {
    let (rows, columns) = (s.labels().shape()[0], s.labels().shape()[1]);
    let mut seen = BTreeSet::new();
    let mut pieces = 0;
    for start in 0..rows * columns {
        if !seen.insert(start) {
            continue;
        }
        pieces += 1;
        let mut open = vec![start];
        while let Some(i) = open.pop() {
            let (y, x) = (i / columns, i % columns);
            for (v, u) in [(y + 1, x), (y, x + 1), (y.wrapping_sub(1), x), (y, x.wrapping_sub(1))] {
                if v < rows && u < columns && s.labels()[[v, u]] == s.labels()[[y, x]] && seen.insert(v * columns + u) {
                    open.push(v * columns + u);
                }
            }
        }
    }
    pieces == s.n_regions()
}

/// No region lies in two quarters.
fn respects_edges(s: &Segmentation) {
    let mut of = vec![BTreeSet::new(); s.n_regions()];
    for ((place, _), label) in s.labels().indexed_iter().map(|(p, l)| ((p.clone(), ()), l)) {
        of[*label].insert((place[0] >= 12, place[1] >= 15));
    }
    assert!(of.iter().all(|quarters| quarters.len() == 1), "{of:?}");
}

#[test]
fn slic_follows_edges_in_connected_regions() {
    let slic = Slic { n_segments: 12, sigma: 0.0, ..Slic::default() };
    let regions = slic.segment(quarters().view().into_dyn()).unwrap();
    respects_edges(&regions);
    assert!(connected(&regions));
    assert!((6..=24).contains(&regions.n_regions()), "{}", regions.n_regions());
}

#[test]
fn quickshift_follows_edges() {
    let shift = Quickshift { kernel: 2.0, max_distance: 6.0, ratio: 1.0 };
    let regions = shift.segment(quarters().view().into_dyn()).unwrap();
    respects_edges(&regions);
    assert!((4..=60).contains(&regions.n_regions()), "{}", regions.n_regions());
}

#[test]
fn flat_images_and_single_pixels_are_cut() {
    for shape in [(1, 1, 1), (3, 1, 9), (1, 9, 1), (2, 5, 5)] {
        let flat = Array3::from_elem(shape, 0.3);
        for segmenter in [&Slic::default() as &dyn Segmenter, &Quickshift::default(), &Patches(vec![4, 4])] {
            let regions = segmenter.segment(flat.view().into_dyn()).unwrap();
            assert_eq!(regions.labels().shape(), [shape.1, shape.2]);
            assert!(regions.n_regions() >= 1);
        }
    }
}

#[test]
fn cells_that_are_no_number_are_named() {
    let mut image = quarters();
    image[[1, 4, 5]] = f64::NAN;
    for segmenter in [&Slic::default() as &dyn Segmenter, &Quickshift::default()] {
        let error = segmenter.segment(image.view().into_dyn());
        assert!(matches!(error, Err(Error::NonFinite { sample: 4, column: 5, .. })));
        let series = ndarray::Array1::<f64>::zeros(3);
        assert!(matches!(segmenter.segment(series.view().into_dyn()), Err(Error::Shape { .. })));
    }
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let image = quarters();
    let view = || image.view().into_dyn();
    let refused = |segmenter: &dyn Segmenter| matches!(segmenter.segment(view()), Err(Error::Parameter { .. }));
    assert!(refused(&Slic { n_segments: 0, ..Slic::default() }));
    assert!(refused(&Slic { compactness: 0.0, ..Slic::default() }));
    assert!(refused(&Slic { sigma: f64::NAN, ..Slic::default() }));
    assert!(refused(&Quickshift { kernel: 0.0, ..Quickshift::default() }));
    assert!(refused(&Quickshift { ratio: 2.0, ..Quickshift::default() }));
    assert!(refused(&Quickshift { max_distance: f64::NAN, ..Quickshift::default() }));
    assert!(refused(&Patches(vec![])) && refused(&Patches(vec![0, 2])) && refused(&Patches(vec![1; 4])));
    assert!(Slic { n_segments: usize::MAX, ..Slic::default() }.segment(view()).is_ok());
}

#[test]
fn segments_share_out_what_their_region_is_worth() {
    let (model, batch) = image(2, (2, 4, 4));
    let explainer = SegmentShap { estimator: ExactShap, segmenter: Patches(vec![2, 2]), fill: Fill::Constant(0.25) };
    let found = explainer.explain(&model, &*batch, &Run::default()).unwrap();
    assert!(found.completeness_residual().iter().all(|r| r.abs() < ROUNDING));
    let labels = Patches(vec![2, 2]).segment(Array3::zeros((2, 4, 4)).view().into_dyn()).unwrap();
    let labels = labels.of_cells(&[2, 4, 4]).unwrap();
    for region in 0..4 {
        let cells: Vec<usize> = (0..32).filter(|&i| labels[i] == region).collect();
        // The first output is additive: a region is worth the sum of its terms.
        let term = |&i: &usize| {
            let (c, y, x) = (i / 16, i / 4 % 4, i % 4);
            (f64::from(batch[[1, c, y, x]]) - 0.25) * model.weights[[c, y, x]]
        };
        let worth: f64 = cells.iter().map(term).sum();
        for cell in &cells {
            assert!((found.values[[1, *cell, 0]] - worth / 8.0).abs() < ROUNDING);
        }
    }
}

/// The same through a masker, and through an own segmentation for each sample.
#[test]
fn segments_are_cut_sample_by_sample() {
    let (model, batch) = image(3, (2, 4, 5));
    let segmenter = Slic { n_segments: 4, sigma: 0.0, compactness: 1.0, ..Slic::default() };
    let run = Run { seed: 5, ..Run::default() };
    let shap = SegmentShap { estimator: KernelShap::default(), segmenter, fill: Fill::Mean };
    let lime = SegmentLime { n_draws: 60, ..SegmentLime::new(segmenter) };
    let all = [shap.explain(&model, &*batch, &run).unwrap(), lime.explain(&model, &*batch, &run).unwrap()];
    for sample in 0..3 {
        let one = batch.select(Axis(0), &[sample]);
        let own = Run { first_sample: sample as u64, ..run };
        let alone = [shap.explain(&model, &*one, &own).unwrap(), lime.explain(&model, &*one, &own).unwrap()];
        for (all, alone) in all.iter().zip(&alone) {
            assert_eq!(all.values.index_axis(Axis(0), sample), alone.values.index_axis(Axis(0), 0));
        }
        let masker = Regions::cut(&*batch, sample, &segmenter, Fill::Mean).unwrap();
        let labels = masker.segmentation().of_cells(&[2, 4, 5]).unwrap();
        let by_region = Masked { estimator: KernelShap::default(), masker }.explain(&model, &*one, &own).unwrap();
        for region in 0..by_region.features.len() {
            let sum: f64 = (0..40).filter(|&i| labels[i] == region).map(|i| all[0].values[[sample, i, 1]]).sum();
            assert!((sum - by_region.values[[0, region, 1]]).abs() < ROUNDING);
        }
    }
}

#[test]
fn segment_lime_recovers_additive_models() {
    let (model, batch) = image(1, (2, 4, 4));
    let lime =
        SegmentLime { alpha: 0.0, fill: Fill::Constant(0.0), n_draws: 200, ..SegmentLime::new(Patches(vec![2, 2])) };
    let found = lime.explain(&model, &*batch, &Run::default()).unwrap();
    let exact = SegmentShap { estimator: ExactShap, segmenter: Patches(vec![2, 2]), fill: Fill::Constant(0.0) };
    let exact = exact.explain(&model, &*batch, &Run::default()).unwrap();
    for cell in 0..32 {
        assert!((found.values[[0, cell, 0]] - exact.values[[0, cell, 0]]).abs() < ROUNDING);
    }
    assert!((found.fidelity.as_ref().unwrap()[[0, 0]] - 1.0).abs() < ROUNDING);
}

#[test]
fn budgets_hold_over_all_samples() {
    let (model, batch) = image(2, (2, 4, 4));
    let lime = SegmentLime { n_draws: 20, ..SegmentLime::new(Patches(vec![2, 2])) };
    let enough = Run { max_evaluations: Some(40), ..Run::default() };
    assert_eq!(lime.explain(&model, &*batch, &enough).unwrap().provenance.evaluations, 40);
    let short = Run { max_evaluations: Some(39), ..Run::default() };
    assert!(matches!(lime.explain(&model, &*batch, &short), Err(Error::Budget { .. })));
}

#[test]
fn fills_are_what_they_say() {
    let sample = array![[[1.0f32, 3.0], [5.0, 7.0]]].into_dyn();
    let regions = [0, 0, 1, 1];
    let of = |fill: Fill| fill.of(&sample, &regions).unwrap().into_raw_vec_and_offset().0;
    assert_eq!(of(Fill::Mean), [2.0, 2.0, 6.0, 6.0]);
    assert_eq!(of(Fill::Constant(0.5)), [0.5; 4]);
    assert_eq!(of(Fill::Baseline(array![[[0.0, 1.0], [2.0, 3.0]]].into_dyn())), [0.0, 1.0, 2.0, 3.0]);
    let blurred = of(Fill::Blur(50.0));
    assert!(blurred.iter().all(|v| (v - 4.0).abs() < 0.3), "{blurred:?}");
    assert!(matches!(Fill::Baseline(array![0.0].into_dyn()).of(&sample, &regions), Err(Error::Shape { .. })));
    assert!(matches!(Fill::Blur(-1.0).of(&sample, &regions), Err(Error::Parameter { .. })));
}

/// A model of four cells in one row of one image, as brute force asks it.
fn rugged(x: &[f32]) -> f64 {
    let x: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    x[0] * x[1] + 3.0 * x[1] * x[2] * x[3] - x[3] + 2.0 * x[0] * x[3]
}

struct Rugged;

impl xai_core::Model for Rugged {
    type Batch = ndarray::ArrayRef4<f32>;

    fn n_outputs(&self) -> usize {
        1
    }

    fn predict(&self, batch: &Self::Batch) -> xai_core::Result<ndarray::Array2<f64>> {
        let scores = batch.outer_iter().map(|image| rugged(&image.iter().copied().collect::<Vec<_>>()));
        Ok(scores.collect::<ndarray::Array1<f64>>().insert_axis(Axis(1)))
    }
}

#[test]
fn segments_that_are_near_belong_together() {
    let cells = [1.0f32, 2.0, -1.5, 0.5];
    let image = ndarray::Array::from_shape_vec((1, 1, 1, 4), cells.to_vec()).unwrap();
    let method =
        SegmentOwen { segmenter: Patches(vec![1, 1]), fill: Fill::Constant(0.0), n_coalitions: None, stop: None };
    let found = method.explain(&Rugged, &*image, &Run::default()).unwrap();
    // All orders of the four cells in which neither the left nor the right two are torn asunder.
    let (mut shares, mut orders, mut all) = ([0.0; 4], 0, [0.0; 4]);
    for code in 0..256usize {
        let order: Vec<usize> = (0..4).map(|place| code >> (2 * place) & 3).collect();
        if order.iter().collect::<BTreeSet<_>>().len() < 4 {
            continue;
        }
        let mut seen = [0.0f32; 4];
        let mut gains = [0.0; 4];
        for &cell in &order {
            let before = rugged(&seen);
            seen[cell] = cells[cell];
            gains[cell] = rugged(&seen) - before;
        }
        (0..4).for_each(|cell| all[cell] += gains[cell] / 24.0);
        if order[0] / 2 == order[1] / 2 {
            orders += 1;
            (0..4).for_each(|cell| shares[cell] += gains[cell]);
        }
    }
    assert_eq!(orders, 8);
    for (cell, share) in shares.iter().enumerate() {
        assert!((found.values[[0, cell, 0]] - share / 8.0).abs() < ROUNDING, "{cell}: {found:?}");
    }
    // They are no Shapley values.
    assert!((0..4).any(|cell| (shares[cell] / 8.0 - all[cell]).abs() > 0.1));
    let stop = Some(xai_local::shapley::Stop::default());
    let stopped = SegmentOwen { stop, ..method }.explain(&Rugged, &*image, &Run::default()).unwrap();
    assert!(stopped.provenance.notes.iter().any(|note| note.starts_with("stopped at ")));
    assert!(stopped.completeness_residual().iter().all(|left| left.abs() < ROUNDING));
}
