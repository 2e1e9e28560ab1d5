//! Metrics of explanations on a small convolutional network: `evaluation FOLDER SECONDS TASK…`.
//!
//! FOLDER is what `peers/evaluation.py` wrote: the parameters, 32 images and their explanations as little-endian `f32`. Each
//! task runs until SECONDS have gone and prints a line of JSON: the least time, how many samples the model scored, and the
//! value of every image. `calls-N` is the model alone on N images at a time, as many samples as N says in all: what no
//! metric can go below. Times are processor time of all threads where the system tells it (Linux), wall time elsewhere;
//! `RAYON_NUM_THREADS` says how many threads there are.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array1, Array4, ArrayRef4, Axis, Slice};
use xai::core::{Attribution, Explainer, Model, Provenance, Run};
use xai::eval::{
    Case, FaithfulnessCorrelation, MaxSensitivity, Measurement, Metric, Neighbourhood, Noise, RelativeInputStability,
    RemovalCurve,
};
use xai::local::gradient::Saliency;
use xai::local::masker::{Fill, Regions};
use xai::local::segments::Patches;
use xai::models::adaptor::Select;
use xai::models::network::{Convolution, Network, Op, Window};
use xai_benches::processor_seconds;

const SIDE: usize = 28;
const IMAGES: usize = 32;
const CLASS: usize = 3;
const DRAWS: usize = 10;
const BATCH: usize = 256;

type Cnn = Select<Network<ArrayRef4<f32>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds, tasks @ ..] = arguments.as_slice() else { return Err("FOLDER SECONDS TASK…".into()) };
    let (folder, least) = (Path::new(folder), seconds.parse::<f64>()?);
    let network = network(&numbers(folder, "parameters")?)?;
    let images = Array4::from_shape_vec((IMAGES, 1, SIDE, SIDE), numbers(folder, "images")?)?;
    let given = explanation(&network, &images, numbers(folder, "explanations")?)?;
    let masker = Regions::cut(&*images, 0, &Patches(vec![1, 1]), Fill::Constant(0.0))?;
    let explainer = Saliency { absolute: true };
    let own = explainer.explain(&network, &images, &Run::default())?;
    let case = Case::new(&network, &*images).with_masker(&masker).with_explainer(&explainer);
    let near = Neighbourhood { noise: Noise::Uniform(0.2), n_draws: DRAWS, ..Neighbourhood::default() };
    for task in tasks {
        let run = Run { seed: 1, ..Run::default() };
        let work = || -> Result<Option<Measurement>, Box<dyn Error>> {
            Ok(match task.as_str() {
                "faithfulness-correlation" => {
                    let metric = FaithfulnessCorrelation { subset_size: Some(224), n_subsets: 100 };
                    Some(metric.measure(&case, &given, &run)?)
                }
                "pixel-flipping" => {
                    let metric = RemovalCurve { n_steps: SIDE, ..RemovalCurve::default() };
                    Some(metric.measure(&case, &given, &run)?)
                }
                "max-sensitivity" => Some(MaxSensitivity { neighbourhood: near.clone() }.measure(&case, &own, &run)?),
                "relative-input-stability" => {
                    let metric =
                        RelativeInputStability { neighbourhood: near.clone(), ..RelativeInputStability::default() };
                    Some(metric.measure(&case, &own, &run)?)
                }
                calls => {
                    let n: usize = calls.strip_prefix("calls-").ok_or("an unknown task")?.parse()?;
                    let many = images.select(Axis(0), &(0..BATCH).map(|i| i % IMAGES).collect::<Vec<_>>());
                    for start in (0..n).step_by(BATCH) {
                        let part = many.slice_axis(Axis(0), Slice::from(0..BATCH.min(n - start)));
                        black_box(network.predict(&part)?);
                    }
                    None
                }
            })
        };
        let begin = Instant::now();
        let (mut fastest, mut found) = (f64::INFINITY, None);
        while fastest.is_infinite() || begin.elapsed().as_secs_f64() < least {
            let (start, before) = (Instant::now(), processor_seconds());
            found = work()?;
            let spent = before.zip(processor_seconds()).map(|(before, after)| after - before);
            fastest = fastest.min(spent.unwrap_or_else(|| start.elapsed().as_secs_f64()));
        }
        let (evaluations, values) =
            found.map_or((0, Vec::new()), |found| (found.evaluations, found.values.into_raw_vec_and_offset().0));
        println!(r#"{{"task":"{task}","seconds":{fastest:.6},"evaluations":{evaluations},"values":{values:?}}}"#);
    }
    Ok(())
}

fn numbers(folder: &Path, name: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(folder.join(format!("{name}.f32")))?;
    Ok(bytes.chunks_exact(4).map(|part| f32::from_le_bytes([part[0], part[1], part[2], part[3]])).collect())
}

/// Two convolutions of 3×3 (8 and 16 channels), each with ReLU and a pool of 2×2, and a dense layer to ten scores.
fn network(parameters: &[f32]) -> Result<Cnn, Box<dyn Error>> {
    let mut rest = parameters;
    let mut take = |shape: &[usize]| {
        let (own, after) = rest.split_at(shape.iter().product());
        rest = after;
        ndarray::ArrayD::from_shape_vec(shape, own.to_vec())
    };
    let mut layers = Vec::new();
    for (name, [out, into]) in [("one", [8, 1]), ("two", [16, 8])] {
        let (weight, bias) = (take(&[out, into, 3, 3])?, take(&[out])?.into_dimensionality()?);
        layers.push((format!("convolution {name}"), Op::Convolution(Convolution::new(weight, Some(bias)))));
        layers.push((format!("relu {name}"), Op::Relu));
        layers.push((format!("pool {name}"), Op::MaxPool(Window::new(vec![2, 2]))));
    }
    layers.push(("flat".into(), Op::Flatten));
    let (weight, bias) = (take(&[10, 400])?.into_dimensionality()?, take(&[10])?.into_dimensionality()?);
    layers.push(("scores".into(), Op::Linear { weight, bias: Some(bias) }));
    Ok(Select::new(Network::sequence(&[1, SIDE, SIDE], layers)?, &[CLASS])?)
}

fn explanation(network: &Cnn, images: &Array4<f32>, values: Vec<f32>) -> Result<Attribution, Box<dyn Error>> {
    let scores = network.predict(images)?;
    let values = Array1::from_vec(values).mapv(f64::from).into_shape_with_order((IMAGES, SIDE * SIDE, 1))?;
    let made = Provenance::new("given", &Run::default());
    let base = ndarray::Array2::zeros(scores.dim());
    Ok(Attribution::of_cells(network, &[1, SIDE, SIDE], values, base, scores, made)?)
}
