//! Occlusion, ablation and RISE against their definitions and against models whose answer is known.

use ndarray::{Array, Array2, Array3, Array4, ArrayRef4, Axis, array};
use proptest::prelude::*;
use xai_core::{Attribution, Error, Explainer, Model, Result, Run};
use xai_local::masker::Fill;
use xai_local::perturbation::{FeatureAblation, Occlusion, Rise};
use xai_local::segments::{Patches, Segmentation, Segmenter};
use xai_models::network::{Convolution, Network, Op, Window};

/// Sums of some hundred numbers of size one, in f32 cells.
const ROUNDING: f64 = 1e-5;

/// Two outputs of an image: Σ weight·cell, and the product of the first and last cell plus a square.
pub struct Image {
    pub weights: Array3<f64>,
}

impl Model for Image {
    type Batch = ArrayRef4<f32>;

    fn n_outputs(&self) -> usize {
        2
    }

    fn predict(&self, batch: &ArrayRef4<f32>) -> Result<Array2<f64>> {
        let mut scores = Array2::zeros((batch.dim().0, 2));
        for (image, mut score) in batch.outer_iter().zip(scores.outer_iter_mut()) {
            let cells: Vec<f64> = image.iter().map(|&v| f64::from(v)).collect();
            score[0] = cells.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
            score[1] = cells[0] * cells[cells.len() - 1] + cells[1].powi(2);
        }
        Ok(scores)
    }
}

pub fn image(samples: usize, shape: (usize, usize, usize)) -> (Image, Array4<f32>) {
    let weights = Array::from_shape_fn(shape, |(c, y, x)| ((c * 7 + y * 3 + x * 5) % 11) as f64 / 5.0 - 1.0);
    let cell = |(n, c, y, x)| ((n * 13 + c * 5 + y * 7 + x * 3) % 9) as f32 / 4.0 - 0.75;
    (Image { weights }, Array4::from_shape_fn((samples, shape.0, shape.1, shape.2), cell))
}

/// The definition, one window and one cell at a time.
fn by_hand(model: &Image, batch: &Array4<f32>, window: [usize; 3], strides: [usize; 3], fill: f32) -> Array3<f64> {
    let (samples, c, h, w) = batch.dim();
    let starts = |n: usize, window: usize, stride: usize| {
        let mut all = vec![0];
        while all[all.len() - 1] + window < n {
            all.push(all[all.len() - 1] + stride);
        }
        all
    };
    let mut sums = Array4::<f64>::zeros((samples * 2, c, h, w));
    let mut counts = Array4::<f64>::zeros((samples * 2, c, h, w));
    for sample in 0..samples {
        let one = batch.select(Axis(0), &[sample]);
        let whole = model.predict(&one).unwrap();
        for &z in &starts(c, window[0], strides[0]) {
            for &y in &starts(h, window[1], strides[1]) {
                for &x in &starts(w, window[2], strides[2]) {
                    let below = |p: (usize, usize, usize)| {
                        (z..z + window[0]).contains(&p.0)
                            && (y..y + window[1]).contains(&p.1)
                            && (x..x + window[2]).contains(&p.2)
                    };
                    let mut hidden = one.clone();
                    for ((_, a, b, d), cell) in hidden.indexed_iter_mut() {
                        if below((a, b, d)) {
                            *cell = fill;
                        }
                    }
                    let fall = &whole - &model.predict(&hidden).unwrap();
                    for (a, b, d) in ndarray::indices((c, h, w)) {
                        if below((a, b, d)) {
                            for k in 0..2 {
                                sums[[sample * 2 + k, a, b, d]] += fall[[0, k]];
                                counts[[sample * 2 + k, a, b, d]] += 1.0;
                            }
                        }
                    }
                }
            }
        }
    }
    let mean = sums / counts;
    Array3::from_shape_fn((samples, c * h * w, 2), |(s, i, k)| mean[[s * 2 + k, i / (h * w), i / w % h, i % w]])
}

fn close(a: &Array3<f64>, b: &Array3<f64>) {
    assert_eq!(a.dim(), b.dim());
    let worst = a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    assert!(worst < ROUNDING, "{worst}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn occlusion_equals_its_definition(
        shape in (1usize..4, 2usize..6, 2usize..6),
        window in (1usize..4, 1usize..6, 1usize..6),
        stride in (1usize..4, 1usize..6, 1usize..6),
        fill in -1.0f32..1.0,
    ) {
        let window = [window.0.min(shape.0), window.1.min(shape.1), window.2.min(shape.2)];
        let strides = [stride.0.min(window[0]), stride.1.min(window[1]), stride.2.min(window[2])];
        let (model, batch) = image(2, shape);
        let occlusion = Occlusion { window: window.to_vec(), strides: strides.to_vec(), fill: fill.into() };
        let found = occlusion.explain(&model, &*batch, &Run::default()).unwrap();
        close(&found.values, &by_hand(&model, &batch, window, strides, fill));
    }
}

#[test]
fn occlusion_of_a_linear_model_is_its_terms() {
    let (model, batch) = image(1, (2, 3, 3));
    let found = Occlusion::new([1, 1, 1]).explain(&model, &*batch, &Run::default()).unwrap();
    for (i, (x, w)) in batch.iter().zip(&model.weights).enumerate() {
        assert!((found.values[[0, i, 0]] - f64::from(*x) * w).abs() < ROUNDING);
    }
    assert_eq!(found.shape, Some(vec![2, 3, 3]));
    assert_eq!(found.features[4].name, "0,1,1");
}

#[test]
fn ablation_of_a_linear_model_is_its_terms() {
    let (model, batch) = image(2, (2, 4, 4));
    let regions = Patches(vec![2, 2]).segment(Array3::zeros((2, 4, 4)).view().into_dyn()).unwrap();
    let labels = regions.of_cells(&[2, 4, 4]).unwrap();
    let found =
        FeatureAblation { regions, fill: Fill::Constant(0.5) }.explain(&model, &*batch, &Run::default()).unwrap();
    for sample in 0..2 {
        let term = |i: usize| {
            let (c, y, x) = (i / 16, i / 4 % 4, i % 4);
            (f64::from(batch[[sample, c, y, x]]) - 0.5) * model.weights[[c, y, x]]
        };
        for cell in 0..32 {
            let all: f64 = (0..32).filter(|&i| labels[i] == labels[cell]).map(term).sum();
            assert!((found.values[[sample, cell, 0]] - all).abs() < ROUNDING);
        }
    }
}

#[test]
fn rise_finds_where_a_linear_model_looks() {
    // The model looks at one quarter only. Visibility there and the score vary together: the map must say so, within
    // four standard errors of nothing elsewhere far away.
    let weights = Array3::from_shape_fn((1, 12, 12), |(_, y, x)| f64::from(u8::from(y < 4 && x < 4)));
    let model = Image { weights };
    let batch = Array4::from_elem((1, 1, 12, 12), 1.0f32);
    let rise = Rise { n_masks: 2000, grid: (3, 3), ..Rise::default() };
    let found = rise.explain(&model, &*batch, &Run::default()).unwrap();
    let error = found.standard_error.as_ref().unwrap();
    assert!(found.values[[0, 12 + 1, 0]] > 10.0 * error[[0, 12 + 1, 0]]);
    let far = 11 * 12 + 11;
    assert!(found.values[[0, far, 0]].abs() < 4.0 * error[[0, far, 0]], "{}", found.values[[0, far, 0]]);
    assert_eq!(found.shape, Some(vec![12, 12]));
}

/// As the paper writes it, without centring: Σ mask·score / (n·p), for a score that never changes, is the mean of the
/// masks by p, that is about one.
#[test]
fn rise_without_centring_is_the_paper_s_mean() {
    let model = Image { weights: Array3::zeros((1, 6, 6)) };
    let batch = Array4::from_elem((1, 1, 6, 6), 0.0f32);
    let rise = Rise { n_masks: 400, grid: (2, 2), centred: false, ..Rise::default() };
    let found = rise.explain(&model, &*batch, &Run::default()).unwrap();
    assert!(found.values.iter().all(|&v| v == 0.0)); // every copy scores 0
    let centred = Rise { centred: true, ..rise }.explain(&model, &*batch, &Run::default()).unwrap();
    assert!(centred.values.iter().all(|&v| v == 0.0));
}

/// A method, and how many evaluations it says that it needs.
fn methods() -> Vec<(Box<dyn Explainer<Image, Explanation = Attribution>>, u64)> {
    let regions = Segmentation::new(array![[0, 1, 2], [0, 1, 2]].into_dyn()).unwrap();
    vec![
        (Box::new(Occlusion::new([2, 1, 2])), 2 * (2 * 2 + 1)),
        (Box::new(FeatureAblation { regions, fill: Fill::Mean }), 2 * (3 + 1)),
        (Box::new(Rise { n_masks: 10, ..Rise::default() }), 2 * 11),
    ]
}

#[test]
fn perturbation_counts_its_evaluations() {
    let (model, batch) = image(2, (2, 2, 3));
    for (method, needed) in methods() {
        let enough = Run { max_evaluations: Some(needed), ..Run::default() };
        assert_eq!(method.explain(&model, &*batch, &enough).unwrap().provenance.evaluations, needed);
        let short = Run { max_evaluations: Some(needed - 1), ..Run::default() };
        assert!(matches!(method.explain(&model, &*batch, &short), Err(Error::Budget { .. })));
    }
}

/// A model without its short ways.
struct Plain<M>(M);

impl<M: Model> Model for Plain<M> {
    type Batch = M::Batch;
    fn n_outputs(&self) -> usize {
        self.0.n_outputs()
    }
    fn predict(&self, batch: &M::Batch) -> Result<Array2<f64>> {
        self.0.predict(batch)
    }
}

#[test]
fn occlusion_of_a_network_is_that_of_its_scores() {
    /// Sums of a hundred products in f32, added up in another order, relative to the largest score.
    const REORDERED: f64 = 1e-6;
    let number = |i: usize| ((i * 7919 + 13) % 997) as f32 / 997.0 - 0.5;
    let kernel = Array::from_shape_fn((4, 1, 3, 3), |(o, _, y, x)| number(o * 9 + y * 3 + x)).into_dyn();
    let weight = Array2::from_shape_fn((3, 144), |(k, cell)| number(k * 144 + cell + 50) / 4.0);
    let layers = [
        ("conv", Op::Convolution(Convolution { padding: vec![[1, 1]; 2], ..Convolution::new(kernel, None) })),
        ("relu", Op::Relu),
        ("pool", Op::MaxPool(Window::new(vec![2, 2]))),
        ("flat", Op::Flatten),
        ("scores", Op::Linear { weight, bias: None }),
    ];
    let network = Network::<ArrayRef4<f32>>::sequence(&[1, 12, 12], layers).unwrap();
    let batch = Array4::from_shape_fn((5, 1, 12, 12), |(s, _, y, x)| 2.0 * number(s * 144 + y * 12 + x + 7));
    let occlusion = Occlusion { fill: 0.25, ..Occlusion::new([1, 3, 3]).strides([1, 2, 2]) };
    let short = occlusion.explain(&network, &*batch, &Run::default()).unwrap();
    let long = occlusion.explain(&Plain(&network), &*batch, &Run::default()).unwrap();
    let largest = long.scores.iter().fold(0.0, |most: f64, score| most.max(score.abs()));
    let worst = (&short.values - &long.values).iter().fold(0.0, |most: f64, gap| most.max(gap.abs()));
    assert!(worst <= REORDERED * largest, "{worst:.1e} of {largest:.1e}");
    assert_eq!(short.provenance.evaluations, long.provenance.evaluations);
    let few = Run { max_evaluations: Some(short.provenance.evaluations - 1), ..Run::default() };
    assert!(matches!(occlusion.explain(&network, &*batch, &few), Err(Error::Budget { .. })));
}

#[test]
fn perturbation_does_not_hang_on_the_batch() {
    let (model, batch) = image(2, (2, 2, 3));
    for (method, _) in methods() {
        let both = method.explain(&model, &*batch, &Run { seed: 3, ..Run::default() }).unwrap();
        let one = batch.select(Axis(0), &[1]);
        let alone = method.explain(&model, &*one, &Run { seed: 3, first_sample: 1, ..Run::default() }).unwrap();
        assert_eq!(both.values.index_axis(Axis(0), 1), alone.values.index_axis(Axis(0), 0));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (model, batch) = image(1, (2, 2, 3));
    let run = Run::default();
    for window in [vec![1, 1], vec![0, 1, 1], vec![3, 1, 1], vec![]] {
        let error = Occlusion::new(window).explain(&model, &*batch, &run);
        assert!(matches!(error, Err(Error::Parameter { .. })));
    }
    let leaves_out = Occlusion::new([1, 1, 1]).strides([1, 1, 2]).explain(&model, &*batch, &run);
    assert!(matches!(leaves_out, Err(Error::Parameter { .. })));
    let nan = Occlusion { fill: f64::NAN, ..Occlusion::new([1, 1, 1]) }.explain(&model, &*batch, &run);
    assert!(matches!(nan, Err(Error::Parameter { .. })));
    let regions = Segmentation::new(array![[0, 1]].into_dyn()).unwrap();
    let other = FeatureAblation { regions, fill: Fill::Mean }.explain(&model, &*batch, &run);
    assert!(matches!(other, Err(Error::Shape { .. })));
    for rise in [
        Rise { n_masks: 1, ..Rise::default() },
        Rise { grid: (0, 7), ..Rise::default() },
        Rise { grid: (usize::MAX, 7), ..Rise::default() },
        Rise { probability: 1.0, ..Rise::default() },
    ] {
        assert!(matches!(rise.explain(&model, &*batch, &run), Err(Error::Parameter { .. })));
    }
}
