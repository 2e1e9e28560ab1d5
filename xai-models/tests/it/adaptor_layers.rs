//! Adaptors around networks: gradients and layers pass through, and one forward pass stays one.

use ndarray::{Array1, Array2, Array4, ArrayRef4, Axis, array};
use xai_core::{Composed, Differentiable, Layered, Model, Output, Probe, Scale};
use xai_models::adaptor::{Chunk, Contrast, Count, Linked, Select, Transform};
use xai_models::network::{Network, Node, Op};

/// Products and sums in f32, of size one.
const F32: f64 = 1e-6;

type Images = ArrayRef4<f32>;

fn network() -> Network<Images> {
    let weight = Array2::from_shape_fn((3, 8), |(k, cell)| ((k * 8 + cell) % 5) as f32 / 4.0 - 0.5);
    let nodes = vec![
        Node::new("tanh", Op::Tanh, vec![0]),
        Node::new("flat", Op::Flatten, vec![1]),
        Node::new("out", Op::Linear { weight, bias: Some(Array1::from(vec![0.5, 0.0, -0.5])) }, vec![2]),
    ];
    Network::new(&[2, 2, 2], nodes).unwrap()
}

fn images() -> Array4<f32> {
    Array4::from_shape_fn((5, 2, 2, 2), |(s, c, y, x)| ((s * 7 + c * 5 + y * 3 + x * 2) % 6) as f32 / 3.0 - 0.8)
}

fn weights(n_outputs: usize) -> Vec<Array2<f64>> {
    (0..3).map(|w| Array2::from_shape_fn((5, n_outputs), |(s, k)| ((w + 2 * s + 3 * k) % 4) as f64 - 1.5)).collect()
}

/// What every adaptor must keep: products in one go are those one by one, and match differences of its scores.
fn gradients_pass<M: Differentiable<Batch = Images> + Layered>(model: &M) {
    const STEP: f64 = 1e-2;
    // Central differences of scores in f32: rounding over the step, and the step's square.
    const DIFFERENCES: f64 = 1e-3;
    let (images, weights) = (images(), weights(model.n_outputs()));
    let (scores, gradients) = model.scores_and_vjps(&images, &weights).unwrap();
    assert_eq!(scores, model.predict(&images).unwrap());
    for (weights, gradient) in weights.iter().zip(&gradients) {
        assert_eq!(model.vjp(&images, weights).unwrap(), gradient);
        let moved = |step: f64| {
            let mut moved = images.clone();
            moved
                .slice_each_axis_mut(|axis| if axis.axis == Axis(0) { (..).into() } else { (1..2).into() })
                .mapv_inplace(|x| x + step as f32);
            (model.predict(&moved).unwrap() * weights).sum_axis(Axis(1))
        };
        let slopes = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        for (sample, slope) in slopes.iter().enumerate() {
            assert!((slope - f64::from(gradient[[sample, 1, 1, 1]])).abs() < DIFFERENCES);
        }
        // At the input, a probe tells the same gradients.
        let probe = Probe { read: &[0, 1], weights: std::slice::from_ref(weights), ..Default::default() };
        let probed = model.probe(&images, &probe).unwrap();
        assert_eq!(probed.scores, scores);
        assert_eq!(probed.gradients[0][0], gradient.clone().into_dyn());
    }
    // What replaces a layer reaches the scores of the adaptor.
    let half = images.mapv(|x| x.tanh() / 2.0).into_dyn();
    let probe = Probe { read: &[1], replace: Some((1, &half)), ..Default::default() };
    let replaced = model.probe(&images, &probe).unwrap();
    let same = model.predict(&images.mapv(|x| (x.tanh() / 2.0).atanh())).unwrap();
    assert!((&replaced.scores - &same).iter().all(|gap| gap.abs() < F32));
}

#[test]
fn gradients_and_layers_pass_through() {
    let network = network();
    gradients_pass(&Select::new(&network, &[2, 0, 2]).unwrap());
    gradients_pass(&Contrast::new(&network, &[1.0, -0.5, 0.0]).unwrap());
    gradients_pass(&Linked::new(&network, Transform::SOFTMAX).unwrap());
    gradients_pass(&Linked::new(&network, Transform::PROBABILITY).unwrap());
    gradients_pass(&Select::new(Linked::new(&network, Transform::SOFTMAX).unwrap(), &[1]).unwrap());
    gradients_pass(&Count::new(&network));
}

#[test]
fn counts_are_of_passes() {
    let count = Count::new(network());
    let (images, weights) = (images(), weights(3));
    count.scores_and_vjps(&images, &weights).unwrap();
    assert_eq!((count.calls(), count.samples(), count.gradients()), (1, 5, 15));
    count.probe(&images, &Probe { read: &[1], weights: &weights[..2], ..Default::default() }).unwrap();
    assert_eq!((count.calls(), count.samples(), count.gradients()), (2, 10, 25));
    assert_eq!(count.operator(3).unwrap().parameters().len(), 2);
    let select = Select::new(&count, &[0]).unwrap();
    select.scores_and_vjps(&images, &[Array2::ones((5, 1)), Array2::ones((5, 1))]).unwrap();
    assert_eq!((count.calls(), count.gradients()), (3, 35));
}

#[test]
fn chunks_give_the_same_gradients() {
    let (network, images, weights) = (network(), images(), weights(3));
    let whole = network.scores_and_vjps(&images, &weights).unwrap();
    let zeros = Array4::zeros(images.raw_dim());
    let points = [(0.25, 0.5), (0.75, 0.5)];
    for n_samples in [1, 2, 5, 9] {
        let chunk = Chunk::new(&network, n_samples).unwrap();
        assert_eq!(chunk.scores_and_vjps(&images, &weights).unwrap(), whole);
        assert_eq!(chunk.vjp(&images, &weights[1]).unwrap(), whole.1[1]);
        let line = chunk.line_vjps(&zeros, &images, &points, &weights).unwrap();
        assert_eq!(line, network.line_vjps(&zeros, &images, &points, &weights).unwrap());
    }
}

#[test]
fn lines_of_sums_are_sums_of_lines() {
    let (network, images) = (network(), images());
    let zeros = Array4::zeros(images.raw_dim());
    let points = [(0.25, 0.5), (0.75, 0.5)];
    let contrast = Contrast::new(&network, &[1.0, -2.0, 0.0]).unwrap();
    let ones = [Array2::ones((5, 1))];
    let all = [Array2::from_shape_fn((5, 3), |(_, k)| [1.0, -2.0, 0.0][k])];
    let found = contrast.line_vjps(&zeros, &images, &points, &ones).unwrap();
    assert_eq!(found, network.line_vjps(&zeros, &images, &points, &all).unwrap());
    // Behind a link the weights change along the line: there is no short way.
    let linked = Linked::new(&network, Transform::SOFTMAX).unwrap();
    assert_eq!(linked.line_vjps(&zeros, &images, &points, &weights(3)).unwrap(), None);
    assert_eq!(linked.outputs()[0], Output::new("y0", Scale::Probability));
    assert!(contrast.vjp(&images, &array![[1.0, 2.0]]).is_err());
}

#[test]
fn filled_boxes_pass_through() {
    let (network, images) = (network(), images());
    let boxes = [vec![0..1, 0..2, 0..1], vec![0..2, 1..2, 1..2]];
    let copies = |model: &dyn Model<Batch = Images>| {
        let rows = (0..10).map(|row| {
            let mut one = images.select(Axis(0), &[row / 2]);
            one.slice_each_axis_mut(|axis| match axis.axis.index() {
                0 => (..).into(),
                axis => boxes[row % 2][axis - 1].clone().into(),
            })
            .fill(0.25);
            model.predict(&one).unwrap().row(0).to_owned()
        });
        let rows: Vec<_> = rows.collect();
        Array2::from_shape_fn((10, model.n_outputs()), |(row, k)| rows[row][k])
    };
    let count = Count::new(&network);
    let models: [&dyn Model<Batch = Images>; 4] = [
        &Select::new(&network, &[2, 0]).unwrap(),
        &Contrast::new(&network, &[1.0, -2.0, 0.0]).unwrap(),
        &Linked::new(&network, Transform::SOFTMAX).unwrap(),
        &count,
    ];
    for model in models {
        let found = model.predict_filled(&images, &boxes, 0.25).unwrap().unwrap();
        assert!((&found - &copies(model)).iter().all(|gap| gap.abs() < F32));
    }
    // Ten copies in one call, and ten calls of one.
    assert_eq!((count.calls(), count.samples()), (11, 20));
}
