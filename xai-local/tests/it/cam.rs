//! Class activation maps.

use std::borrow::Borrow;

use ndarray::{Array1, Array2, ArrayD, ArrayRef3, ArrayRef4, Axis, IxDyn, Slice, array, concatenate};
use xai_core::{Attribution, Cells, Error, Explainer, Run, Table};
use xai_local::cam::{
    Cam, EigenCam, FinerCam, GradCam, GradCamPlusPlus, GuidedCam, HiResCam, LayerCam, ScoreCam, Weighting, XGradCam,
    upsample,
};
use xai_local::gradient::{InputTimesGradient, Saliency};
use xai_models::network::{Network, Node, Op};

use crate::golden::{assert_close, cases as golden, numbers, table};
use crate::networks::{assert_same, cases, network};

/// The libraries ran in f64, our networks in f32.
const F32: f64 = 5e-5;
/// Sums of some numbers of size one in f64.
const ROUNDING: f64 = 1e-12;

type Map = Box<dyn Explainer<Network<ArrayRef4<f32>>, Explanation = Attribution>>;

/// The map itself, on the layer's grid.
fn bare<W: Weighting + 'static>(weighting: W, layer: &str) -> Map {
    Box::new(Cam { relu: false, upsample: false, ..Cam::new(weighting).at(layer) })
}

#[test]
fn cams_are_those_of_pytorch_grad_cam() {
    // The library adds 1e-6 to a denominator of squared slopes, which are as small as 1e-4 here.
    const ADDED: f64 = 5e-2;
    for (name, expected) in [("cnn", 16), ("residual", 11)] {
        let recorded = network::<ArrayRef4<f32>>(name);
        let mut compared = 0;
        for case in cases(name, "cam") {
            let layer = case.layer.as_deref().unwrap();
            let (map, tolerance) = match case.method.as_str() {
                "grad-cam" => (bare(GradCam, layer), F32),
                "hi-res-cam" => (bare(HiResCam, layer), F32),
                "layer-cam" => (bare(LayerCam, layer), F32),
                "x-grad-cam" => (bare(XGradCam, layer), F32),
                "grad-cam-plus-plus" => (bare(GradCamPlusPlus, layer), ADDED),
                // On purpose: on a coarser grid the library's masks have the corners of the input at their corners.
                "score-cam" if case.values.dim().1 != 64 => continue,
                "score-cam" => {
                    let map = ScoreCam { layer: Some(layer.into()), relu: false, upsample: false };
                    (Box::new(map) as Map, F32)
                }
                other => panic!("{other}"),
            };
            let found = map.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap();
            assert_same(&format!("{name} {}", case.name), &found.values, &case.values, tolerance);
            compared += 1;
        }
        assert_eq!(compared, expected, "{name}");
    }
}

fn of_captum<B: Cells + ?Sized>(name: &str) -> usize {
    let recorded = network::<B>(name);
    let mut compared = 0;
    for case in cases(name, "layers").into_iter().filter(|case| case.method == "LayerGradCam") {
        let map = Cam { relu: false, upsample: false, ..Cam::new(GradCam).at(case.layer.clone().unwrap()) };
        let found = map.explain(&recorded.network, recorded.rows.borrow(), &Run::default()).unwrap();
        assert_eq!(found.shape.unwrap()[0], 1);
        assert_same(&format!("{name} {}", case.name), &found.values, &case.values, F32);
        compared += 1;
    }
    compared
}

#[test]
fn grad_cam_is_that_of_captum() {
    let compared = [
        of_captum::<ArrayRef3<f32>>("series"),
        of_captum::<ArrayRef4<f32>>("cnn"),
        of_captum::<ArrayRef4<f32>>("residual"),
    ];
    assert_eq!(compared, [2, 2, 2]);
}

#[test]
fn maps_grow_as_in_pytorch() {
    let (_, grids) = golden("images").pop().unwrap();
    let small = table(&grids["small"]).into_dyn();
    for (shape, recorded) in grids["upsampled"].as_object().unwrap() {
        let shape: Vec<usize> = shape.split('x').map(|n| n.parse().unwrap()).collect();
        let found: Vec<f64> = upsample(&small, &shape).unwrap().iter().copied().collect();
        assert_close("upsampled", &found, &numbers(recorded), ROUNDING);
    }
    assert!(matches!(upsample(&small, &[4]), Err(Error::Shape { .. })));
    assert!(matches!(upsample(&ArrayD::zeros(IxDyn(&[0, 2])), &[4, 4]), Err(Error::Shape { .. })));
}

fn activations() -> Array2<f64> {
    array![[1.0, 2.0, 0.0], [0.5, 0.0, 0.25]]
}

fn slopes() -> Array2<f64> {
    array![[0.3, -0.1, 0.4], [-1.0, 0.5, 0.2]]
}

#[test]
fn cams_are_those_written_out() {
    let (a, g) = (activations(), slopes());
    let sum = |weights: [f64; 2]| weights[0] * &a.row(0) + weights[1] * &a.row(1);
    let close = |weighting: &dyn Weighting, expected: Array1<f64>| {
        let map = weighting.map(&a, &g).unwrap();
        assert_close(weighting.name(), &map.to_vec(), &expected.to_vec(), ROUNDING);
    };
    close(&GradCam, sum([0.2, -0.1]));
    close(&HiResCam, array![0.3 - 0.5, -0.2, 0.05]);
    close(&LayerCam, array![0.3, 0.0, 0.05]);
    close(&XGradCam, sum([(0.3 - 0.2) / 3.0, (-0.5 + 0.05) / 0.75]));
    let alpha = |g: f64, all: f64| g * g / (2.0 * g * g + all * g * g * g);
    let first = alpha(0.3, 3.0) * 0.3 + alpha(0.4, 3.0) * 0.4;
    close(&GradCamPlusPlus, sum([first, alpha(0.5, 0.75) * 0.5 + alpha(0.2, 0.75) * 0.2]));
    // No channel is active: nothing to see, and nothing divided by zero.
    let nothing = XGradCam.map(&Array2::zeros((2, 3)), &g).unwrap();
    assert_eq!(nothing, Array1::<f64>::zeros(3));
}

#[test]
fn eigen_cam_finds_the_first_direction() {
    // Two channels that are multiples of one pattern: the map is the pattern, times the size of the multiples.
    let pattern = array![3.0, 0.0, 4.0, 12.0];
    let size = 5f64.sqrt();
    for turned in [false, true] {
        let mut a = Array2::zeros((2, 4));
        a.row_mut(0).assign(&pattern);
        a.row_mut(1).assign(&(&pattern * -2.0));
        if turned {
            a = concatenate![Axis(0), a, Array2::zeros((9, 4))];
        }
        let map = EigenCam.map(&a, &Array2::zeros(a.raw_dim())).unwrap();
        assert_close("eigen-cam", &map.to_vec(), &(size * &pattern).to_vec(), ROUNDING);
    }
    // In general it is a fixed point of AᵀA, and no other direction is longer.
    let map = EigenCam.map(&activations(), &slopes()).unwrap();
    let again = activations().t().dot(&activations().dot(&map));
    let ratio = again.dot(&map) / map.dot(&map);
    assert_close("eigen-cam", &again.to_vec(), &(ratio * &map).to_vec(), ROUNDING);
    let trace: f64 = activations().iter().map(|x| x * x).sum();
    assert!(ratio > trace / 2.0 && (map.dot(&map) - ratio).abs() < ROUNDING * 10.0);
    assert_eq!(EigenCam.map(&Array2::zeros((2, 2)), &Array2::zeros((2, 2))).unwrap(), Array1::<f64>::zeros(2));
}

/// A layer of two channels, of which each output is a weighted sum and a constant.
fn linear_head() -> Network<ArrayRef4<f32>> {
    let weight = Array2::from_shape_fn((3, 8), |(k, cell)| ((k * 8 + cell) % 5) as f32 - 2.0);
    let nodes = vec![
        Node::new("relu", Op::Relu, vec![0]),
        Node::new("flat", Op::Flatten, vec![1]),
        Node::new("out", Op::Linear { weight, bias: Some(Array1::from(vec![1.0, 2.0, 3.0])) }, vec![2]),
    ];
    Network::new(&[2, 2, 2], nodes).unwrap()
}

fn images() -> ndarray::Array4<f32> {
    ndarray::Array4::from_shape_fn((3, 2, 2, 2), |(s, c, y, x)| {
        ((s * 7 + c * 5 + y * 3 + x * 2) % 6) as f32 / 2.0 - 1.0
    })
}

#[test]
fn cam_of_a_linear_head_is_its_sum() {
    let model = linear_head();
    let map = Cam { relu: false, upsample: false, ..Cam::default() };
    let found = map.explain(&model, &images(), &Run::default()).unwrap();
    assert_eq!(found.provenance.parameters["layer"], "relu".into());
    for (sample, sums) in found.values.sum_axis(Axis(1)).outer_iter().enumerate() {
        for (output, sum) in sums.iter().enumerate() {
            assert_eq!(sum + (output + 1) as f64, found.scores[[sample, output]]);
        }
    }
    let default = Cam::default().explain(&model, &images(), &Run::default()).unwrap();
    assert_eq!(default.values, found.values.mapv(|x| x.max(0.0)));
}

#[test]
fn finer_cam_takes_away_what_is_shared() {
    let model = linear_head();
    let map = |strength, n_similar| {
        let weighting = FinerCam { strength, n_similar, ..Default::default() };
        let map = Cam { relu: false, ..Cam::new(weighting) };
        map.explain(&model, &images(), &Run::default()).unwrap()
    };
    let plain = Cam { relu: false, ..Cam::default() }.explain(&model, &images(), &Run::default()).unwrap();
    assert_eq!(map(0.0, 1).values, plain.values);
    // With all others as similar outputs, the map is linear in the maps of the outputs.
    let found = map(0.5, 9);
    for output in 0..3 {
        let of = |k: usize| plain.values.index_axis(Axis(2), k).to_owned();
        let expected = of(output) - 0.25 * (of((output + 1) % 3) + of((output + 2) % 3));
        let gap = &found.values.index_axis(Axis(2), output) - &expected;
        assert!(gap.iter().all(|gap| gap.abs() < ROUNDING));
    }
    // The nearest score decides which one is similar.
    let contrasts = FinerCam { strength: 1.0, n_similar: 1, ..Default::default() }.contrasts(&array![0.0, 1.0, 1.5]);
    assert_eq!(contrasts, Some(array![[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [0.0, -1.0, 1.0]]));
}

#[test]
fn score_cam_is_that_written_out() {
    let model = linear_head();
    let map = ScoreCam { relu: false, ..Default::default() };
    let found = map.explain(&model, &images(), &Run::default()).unwrap();
    let images = images();
    for (sample, image) in images.outer_iter().enumerate() {
        let a = image.mapv(|x| f64::from(x.max(0.0)));
        let scores: Vec<Array2<f64>> = a
            .outer_iter()
            .map(|channel| {
                let (low, high) = channel.fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
                let mask = if high > low { channel.mapv(|x| (x - low) / (high - low)) } else { Array2::zeros((2, 2)) };
                let masked = &image.mapv(f64::from) * &mask;
                let masked = masked.mapv(|x| x as f32).insert_axis(Axis(0));
                xai_core::Model::predict(&model, &masked).unwrap()
            })
            .collect();
        for output in 0..3 {
            let powers: Vec<f64> = scores.iter().map(|scores| scores[[0, output]].exp()).collect();
            let sum: f64 = powers.iter().sum();
            let expected = a.index_axis(Axis(0), 0).to_owned() * (powers[0] / sum)
                + a.index_axis(Axis(0), 1).to_owned() * (powers[1] / sum);
            let values = found.values.index_axis(Axis(0), sample).column(output).to_vec();
            // Masked images are rounded to f32.
            assert_close("score-cam", &values, &expected.iter().copied().collect::<Vec<_>>(), 1e-6);
        }
    }
    assert_eq!(found.provenance.evaluations, 9);
}

#[test]
fn guided_cam_is_the_product() {
    let model = linear_head();
    let (fine, coarse) = (InputTimesGradient, Cam::new(GradCam));
    let found = GuidedCam { fine, coarse: coarse.clone() }.explain(&model, &images(), &Run::default()).unwrap();
    let fine = fine.explain(&model, &images(), &Run::default()).unwrap();
    let coarse = coarse.explain(&model, &images(), &Run::default()).unwrap();
    for ((sample, cell, output), &value) in found.values.indexed_iter() {
        assert_eq!(value, fine.values[[sample, cell, output]] * coarse.values[[sample, cell % 4, output]]);
    }
    assert_eq!(found.provenance.evaluations, 18);
    let wrong = GuidedCam { fine: Saliency::default(), coarse: Saliency::default() };
    assert!(matches!(wrong.explain(&model, &images(), &Run::default()), Err(Error::Shape { .. })));
}

#[test]
fn batches_change_no_map() {
    let recorded = network::<ArrayRef4<f32>>("cnn");
    let maps: [Map; 4] = [
        Box::new(Cam::default()),
        Box::new(Cam::new(GradCamPlusPlus).at("pool1")),
        Box::new(Cam::new(FinerCam::default())),
        Box::new(ScoreCam::default()),
    ];
    for map in maps {
        let whole = map.explain(&recorded.network, &recorded.rows, &Run::default()).unwrap();
        assert_eq!(whole.shape, Some(vec![1, 8, 8]));
        let part = |from: usize| {
            let rows = recorded.rows.slice_axis(Axis(0), Slice::from(from..from + 1)).to_owned();
            map.explain(&recorded.network, &rows, &Run::default()).unwrap().values
        };
        assert_eq!(whole.values, concatenate![Axis(0), part(0), part(1)], "{}", whole.provenance.method);
    }
}

#[test]
fn layers_without_places_are_refused_by_name() {
    let model = linear_head();
    let refused = |map: Cam| map.explain(&model, &images(), &Run::default()).unwrap_err();
    assert!(refused(Cam::default().at("flat")).to_string().contains("\"flat\""));
    assert!(matches!(refused(Cam::default().at("relo")), Error::Unknown { .. }));
    assert!(matches!(refused(Cam::default().at(17)), Error::Parameter { .. }));
    let table: Network<Table> = Network::new(&[3], vec![Node::new("out", Op::Relu, vec![0])]).unwrap();
    let rows = array![[1.0, 2.0, 3.0]];
    assert!(matches!(Cam::default().explain(&table, &rows, &Run::default()), Err(Error::Unsupported { .. })));
}
