//! What holds for every network, tried on random small ones.

use ndarray::{Array2, Array3, Array4, ArrayD, Axis, concatenate};
use proptest::prelude::*;
use xai_core::{Batch, Cells, Composed, Differentiable, Layered, Model, Parametric, Probe, Table};
use xai_models::network::Network;

use super::random::Dice;
use super::reference::run;

type Image = ndarray::ArrayRef4<f32>;
type Series = ndarray::ArrayRef3<f32>;

/// Relative to the largest number of its kind. A random network may blow roundings of `f32` up, as by a softmax of
/// hundreds or a variance near zero: of 7,200 such networks the worst was off by 5e-5. How exact each op is, the goldens
/// say.
const ROUNDING: f64 = 3e-4;

fn close(what: &str, found: &[f64], expected: &[f64]) {
    let scale = expected.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= ROUNDING * scale, "{what}, cell {i}: {a} instead of {b}, of at most {scale}");
    }
}

/// Compares scores and gradients, at the input and at every layer, with the definitions; `layers` may be run alone.
fn compare<B: Cells + ?Sized>(network: &Network<B>, batch: &B, dice: &mut Dice)
where
    Network<B>: Composed<Batch = B>,
    B::Owned: std::borrow::Borrow<B>,
{
    let n = batch.n_samples();
    let nodes: Vec<_> = network.nodes().collect();
    let layers = network.layers();
    let weights = Array2::from_shape_simple_fn((n, network.n_outputs()), || f64::from(dice.number()));
    let all: Vec<usize> = (0..layers.len()).collect();
    let probed =
        network.probe(batch, &Probe { read: &all, replace: None, weights: std::slice::from_ref(&weights) }).unwrap();
    let (scores, gradients) = network.scores_and_vjps(batch, &[weights.clone(), &weights * 2.0]).unwrap();
    assert_eq!(scores, probed.scores);
    assert_eq!(scores, network.predict(batch).unwrap());
    let by_input = |gradient: &B::Owned| -> Vec<f64> {
        use std::borrow::Borrow;
        let gradient: &B = gradient.borrow();
        gradient.cells().iter().map(|&x| x.into()).collect()
    };
    let own: Vec<f64> = probed.gradients[0][0].iter().map(|&x| x.into()).collect();
    assert_eq!(by_input(&gradients[0]), own);
    close("twice the weights", &by_input(&gradients[1]), &own.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
    let cells = batch.cells();
    for sample in 0..n {
        let input: Vec<f64> = cells.index_axis(Axis(0), sample).iter().map(|&x| Into::<f64>::into(x)).collect();
        let still = run(layers, &nodes, &input, 0, &[]);
        for (layer, cells) in still.iter().enumerate() {
            let found: Vec<f64> =
                probed.activations[layer].index_axis(Axis(0), sample).iter().map(|&x| x.into()).collect();
            close(&format!("{:?}", layers[layer]), &found, &cells.iter().map(|x| x.0).collect::<Vec<_>>());
        }
        // All layers would take long; the input, and one other.
        for layer in [0, dice.below(layers.len())] {
            let size = still[layer].len();
            let expected: Vec<f64> = (0..size)
                .map(|cell| {
                    let direction: Vec<f64> = (0..size).map(|i| f64::from(u8::from(i == cell))).collect();
                    let moved = run(layers, &nodes, &input, layer, &direction);
                    moved[layers.len() - 1].iter().zip(weights.row(sample)).map(|(score, w)| score.1 * w).sum()
                })
                .collect();
            let found = probed.gradients[0][layer].index_axis(Axis(0), sample);
            let what = format!("gradient by {:?} of {:?}", layers[layer], nodes.last());
            close(&what, &found.iter().map(|&x| x.into()).collect::<Vec<f64>>(), &expected);
        }
    }
    operators_compose(network, &probed.activations, &probed.gradients[0]);
}

/// Layer by layer, operators give what the network gives.
fn operators_compose<B: Cells + ?Sized>(network: &Network<B>, cells: &[ArrayD<f32>], gradients: &[ArrayD<f32>])
where
    Network<B>: Composed,
{
    let layers = network.layers();
    let last = layers.len() - 1;
    let mut sums: Vec<ArrayD<f32>> = cells.iter().map(|cells| ArrayD::zeros(cells.raw_dim())).collect();
    sums[last] = gradients[last].clone();
    for layer in (1..=last).rev() {
        let operator = network.operator(layer).unwrap();
        let inputs: Vec<&ArrayD<f32>> = layers[layer].inputs.iter().map(|&i| &cells[i]).collect();
        if inputs.is_empty() {
            continue;
        }
        assert_eq!(operator.forward(&inputs).unwrap(), cells[layer], "{:?}", layers[layer]);
        let parts = operator.vjp(&inputs, &cells[layer], &sums[layer].clone()).unwrap();
        layers[layer].inputs.iter().zip(parts).for_each(|(&input, part)| sums[input] += &part);
        let same = operator.with_parameters(&mut |_, value| value).unwrap();
        assert_eq!(same.forward(&inputs).unwrap(), cells[layer]);
    }
    for (sum, gradient) in sums.iter().zip(gradients) {
        let wide = |x: &ArrayD<f32>| x.iter().map(|&x| x.into()).collect::<Vec<f64>>();
        close("gradients put together", &wide(sum), &wide(gradient));
    }
}

fn images(dice: &mut Dice, n: usize) -> Array4<f32> {
    let shape = (n, 1 + dice.below(3), 1 + dice.below(7), 1 + dice.below(7));
    Array4::from_shape_simple_fn(shape, || dice.number())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn images_are_the_definitions_spelled_out(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = images(dice, 2);
        let network = Network::<Image>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice);
    }

    #[test]
    fn series_are_the_definitions_spelled_out(seed: u64) {
        let dice = &mut Dice(seed);
        let shape = (2, 1 + dice.below(4), 1 + dice.below(12));
        let batch = Array3::from_shape_simple_fn(shape, || dice.number());
        let network = Network::<Series>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice);
    }

    #[test]
    fn tables_are_the_definitions_spelled_out(seed: u64) {
        let dice = &mut Dice(seed);
        let shape = (3, 1 + dice.below(40));
        let batch = Array2::from_shape_simple_fn(shape, || f64::from(dice.number()));
        let network = Network::<Table>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        compare(&network, &batch, dice);
    }

    /// The sum along a line is that of the gradients at its points.
    #[test]
    fn lines_are_their_points(seed: u64) {
        let dice = &mut Dice(seed);
        let to = images(dice, 3);
        let from = to.mapv(|x| 0.5 - x);
        let network = Network::<Image>::new(&to.shape()[1..], dice.nodes(&to.shape()[1..])).unwrap();
        let weights = Array2::from_shape_simple_fn((3, network.n_outputs()), || f64::from(dice.number()));
        // Halves and quarters keep what is exact exact: no kink is passed on another side.
        let points = [(0.0, 0.5), (0.25, 1.5), (0.5, -1.0), (1.0, 0.25)];
        let found = network.line_vjps(&from, &to, &points, std::slice::from_ref(&weights)).unwrap().unwrap();
        let mut expected = Array4::<f64>::zeros(to.raw_dim());
        for (t, c) in points {
            let here = &from * (1.0 - t as f32) + &to * t as f32;
            expected += &network.vjp(&here, &weights).unwrap().mapv(|x| c * f64::from(x));
        }
        let found: Vec<f64> = found[0].iter().map(|&x| x.into()).collect();
        close("a line", &found, expected.as_slice().unwrap());
    }

    /// The bits of a sample hang on nothing but the sample.
    #[test]
    fn bits_are_the_same_in_any_batch_and_on_any_threads(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = images(dice, 37);
        let network = Network::<Image>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        let weights = Array2::ones((37, network.n_outputs()));
        let whole = network.scores_and_vjps(&batch, std::slice::from_ref(&weights)).unwrap();
        let cut = |from: usize, to: usize| {
            network.scores_and_vjps(&batch.samples(from..to), &[weights.samples(from..to)]).unwrap()
        };
        let parts = [cut(0, 1), cut(1, 12), cut(12, 37)];
        let scores: Vec<_> = parts.iter().map(|part| part.0.view()).collect();
        assert_eq!(concatenate(Axis(0), &scores).unwrap(), whole.0);
        let gradients: Vec<_> = parts.iter().map(|part| part.1[0].view()).collect();
        assert_eq!(concatenate(Axis(0), &gradients).unwrap(), whole.1[0]);
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        for pool in [one, three] {
            assert_eq!(pool.install(|| network.scores_and_vjps(&batch, std::slice::from_ref(&weights))).unwrap(), whole);
        }
    }

    /// What is put in the place of a layer's output goes on from there.
    #[test]
    fn a_replaced_layer_is_what_it_is_replaced_by(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = images(dice, 2);
        let network = Network::<Image>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        let layer = dice.below(network.layers().len());
        let weights = [Array2::ones((2, network.n_outputs()))];
        let read = [0, layer];
        let plain = network.probe(&batch, &Probe { read: &read, replace: None, weights: &weights }).unwrap();
        let own = &plain.activations[1];
        let probe = Probe { read: &read, replace: Some((layer, own)), weights: &weights };
        let replaced = network.probe(&batch, &probe).unwrap();
        assert_eq!(replaced.scores, plain.scores);
        assert_eq!(replaced.gradients[0][1], plain.gradients[0][1]);
        let other = ArrayD::from_shape_simple_fn(own.raw_dim(), || dice.number());
        let probe = Probe { read: &read, replace: Some((layer, &other)), weights: &[] };
        let replaced = network.probe(&batch, &probe).unwrap();
        assert_eq!(replaced.activations[1], other);
        // The scores are those of the definitions behind it.
        let last = network.layers().len() - 1;
        if layer == last {
            assert_eq!(replaced.scores.mapv(|x| x as f32).into_dyn(), other);
        }
    }

    /// Parameters that are not changed give the same model, and those that are give the changed one.
    #[test]
    fn parameters_can_be_replaced(seed: u64) {
        let dice = &mut Dice(seed);
        let batch = images(dice, 2);
        let network = Network::<Image>::new(&batch.shape()[1..], dice.nodes(&batch.shape()[1..])).unwrap();
        let mut seen = Vec::new();
        let same = network.with_parameters(&mut |layer, name, _| seen.push((layer, name.to_owned()))).unwrap();
        assert_eq!(same.predict(&batch).unwrap(), network.predict(&batch).unwrap());
        let last = network.parameter_layers().len() - 1;
        assert_eq!(seen.last(), Some(&(last, "bias".to_owned())));
        // The last layer is linear: with all of it zero but the bias, the scores are the bias.
        let flat = network.with_parameters(&mut |layer, name, mut values| {
            if layer == last {
                values.fill(if name == "bias" { 0.75 } else { 0.0 });
            }
        });
        assert_eq!(flat.unwrap().predict(&batch).unwrap(), Array2::from_elem((2, network.n_outputs()), 0.75));
    }
}

#[test]
fn the_order_of_the_cells_in_memory_does_not_matter() {
    let dice = &mut Dice(3);
    let batch = Array4::from_shape_simple_fn((5, 2, 6, 5), || dice.number());
    let network = Network::<Image>::new(&[2, 6, 5], dice.nodes(&[2, 6, 5])).unwrap();
    let turned = batch.view().permuted_axes([3, 2, 1, 0]).as_standard_layout().into_owned().permuted_axes([3, 2, 1, 0]);
    assert!(!turned.is_standard_layout());
    assert_eq!(network.predict(&turned).unwrap(), network.predict(&batch).unwrap());
    let empty = Array4::<f32>::zeros((0, 2, 6, 5));
    assert_eq!(network.predict(&empty).unwrap().shape(), [0, network.n_outputs()]);
    let weights = Array2::zeros((0, network.n_outputs()));
    assert_eq!(network.vjp(&empty, &weights).unwrap().shape(), [0, 2, 6, 5]);
    assert_eq!(network.layers()[0].shape, [2, 6, 5]);
}
