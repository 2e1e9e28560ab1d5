//! Explainers of networks: `network FOLDER SECONDS NETWORK METHOD…`.
//!
//! FOLDER is what `peers/captum_bench.py` wrote: parameters and 256 samples of each network as little-endian `f32`. Each
//! method explains them with regard to output 0 until SECONDS have gone, writes what it found to `NETWORK.METHOD.f64` and
//! prints a line of JSON: the least time, and how many bytes the first call needed at its peak beyond what was in memory
//! before (Linux). Times are processor time of all threads where the system tells it, wall time elsewhere;
//! `RAYON_NUM_THREADS` says how many threads there are.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayD, ArrayRef4, IxDyn};
use xai::core::{Attribution, Cell, Cells, Explainer, Run, Table};
use xai::local::cam::{Cam, GradCam};
use xai::local::gradient::{InputTimesGradient, IntegratedGradients, Quadrature, Saliency};
use xai::local::perturbation::Occlusion;
use xai::local::relevance::{Composite, DeepLift, Lrp, Rule, Start};
use xai::models::adaptor::Select;
use xai::models::network::{Convolution, Network, Op, Window};
use xai_benches::processor_seconds;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SAMPLES: usize = 256;
const STEPS: usize = 50;
/// Large enough that no sum of both signs is divided by, so that both sides can be compared.
const EPSILON: f32 = 1e-2;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds, name, methods @ ..] = arguments.as_slice() else {
        return Err("FOLDER SECONDS NETWORK METHOD…".into());
    };
    let folder = Path::new(folder);
    let job = Job { folder, seconds: seconds.parse()?, name, methods };
    let parameters = &mut Parameters(numbers(folder, &format!("{name}.parameters"))?);
    match name.as_str() {
        "mlp-30" => job.run(&dense::<Table>(&[30, 64, 64, 2], parameters)?, &[1]),
        "mlp-784" => job.run(&dense::<Table>(&[784, 256, 128, 10], parameters)?, &[16]),
        "cnn" => job.run(&images(parameters)?, &[1, 4, 4]),
        other => Err(format!("no network {other:?}").into()),
    }
}

/// What was asked for.
struct Job<'a> {
    folder: &'a Path,
    seconds: f64,
    name: &'a str,
    methods: &'a [String],
}

impl Job<'_> {
    fn run<B: Cells + ?Sized>(&self, network: &Network<B>, window: &[usize]) -> Outcome<()> {
        let axes = [&[SAMPLES], network.input_shape()].concat();
        let samples = numbers(self.folder, &format!("{}.samples", self.name))?;
        let cells = samples.into_iter().map(|x| B::Cell::of(f64::from(x))).collect();
        let batch = B::of_cells(ArrayD::from_shape_vec(IxDyn(&axes), cells)?)?;
        let batch: &B = std::borrow::Borrow::borrow(&batch);
        let model = Select::new(network.clone(), &[0])?;
        for method in self.methods {
            let work = || explain(&model, batch, method, window);
            let before = begin_peak();
            let mut found = work()?;
            let bytes = before.zip(bytes_of("VmHWM")).map(|(before, peak)| peak.saturating_sub(before));
            let (begin, mut fastest) = (Instant::now(), f64::INFINITY);
            while fastest.is_infinite() || begin.elapsed().as_secs_f64() < self.seconds {
                let (start, before) = (Instant::now(), processor_seconds());
                found = work()?;
                let spent = before.zip(processor_seconds()).map(|(before, after)| after - before);
                fastest = fastest.min(spent.unwrap_or_else(|| start.elapsed().as_secs_f64()));
            }
            let values: Vec<u8> = found.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(self.folder.join(format!("{}.{method}.f64", self.name)), values)?;
            let bytes = bytes.map_or("null".into(), |bytes| bytes.to_string());
            println!(r#"{{"method":"{method}","seconds":{fastest:.7},"bytes":{bytes}}}"#);
        }
        Ok(())
    }
}

fn explain<B: Cells + ?Sized>(
    model: &Select<Network<B>>,
    batch: &B,
    method: &str,
    window: &[usize],
) -> Outcome<Vec<f64>> {
    let run = &Run::default();
    let found: Attribution = match method {
        "forward" => return Ok(xai::core::Model::predict(model, batch)?.into_raw_vec_and_offset().0),
        "saliency" => Saliency { absolute: true }.explain(model, batch, run)?,
        "input-times-gradient" => InputTimesGradient.explain(model, batch, run)?,
        "integrated-gradients" | "integrated-gradients-in-parts" => {
            IntegratedGradients::fixed(STEPS, Quadrature::GaussLegendre).explain(model, batch, run)?
        }
        "deep-lift" => DeepLift::default().explain(model, batch, run)?,
        "lrp" => {
            let composite = Composite::everywhere(Rule::Epsilon { epsilon: EPSILON });
            Lrp { composite, start: Start::Score }.explain(model, batch, run)?
        }
        "grad-cam" => {
            Cam { relu: false, upsample: false, ..Cam::new(GradCam).at("conv2") }.explain(model, batch, run)?
        }
        "occlusion" => Occlusion::new(window).strides(window).explain(model, batch, run)?,
        other => return Err(format!("no method {other:?}").into()),
    };
    Ok(found.values.into_raw_vec_and_offset().0)
}

/// Weights and biases in the order of the layers.
struct Parameters(Vec<f32>);

impl Parameters {
    fn next(&mut self, shape: &[usize]) -> Outcome<ArrayD<f32>> {
        let n = shape.iter().product::<usize>();
        if n > self.0.len() {
            return Err(format!("parameters end before one of shape {shape:?}").into());
        }
        Ok(ArrayD::from_shape_vec(shape, self.0.drain(..n).collect())?)
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Outcome<Op> {
        let weight: Array2<f32> = self.next(&[outputs, inputs])?.into_dimensionality()?;
        Ok(Op::Linear { weight, bias: Some(self.next(&[outputs])?.into_dimensionality()?) })
    }

    fn convolution(&mut self, inputs: usize, outputs: usize) -> Outcome<Op> {
        let weight = self.next(&[outputs, inputs, 3, 3])?;
        let bias = Some(self.next(&[outputs])?.into_dimensionality()?);
        Ok(Op::Convolution(Convolution { padding: vec![[1, 1]; 2], ..Convolution::new(weight, bias) }))
    }
}

fn dense<B: Cells + ?Sized>(widths: &[usize], parameters: &mut Parameters) -> Outcome<Network<B>> {
    let mut layers = Vec::new();
    for (i, pair) in widths.windows(2).enumerate() {
        layers.push((format!("linear{i}"), parameters.linear(pair[0], pair[1])?));
        layers.push((format!("relu{i}"), Op::Relu));
    }
    layers.pop();
    Ok(Network::sequence(&widths[..1], layers)?)
}

fn images(parameters: &mut Parameters) -> Outcome<Network<ArrayRef4<f32>>> {
    let pool = || Op::MaxPool(Window::new(vec![2, 2]));
    let layers = [
        ("conv1", parameters.convolution(1, 16)?),
        ("relu1", Op::Relu),
        ("pool1", pool()),
        ("conv2", parameters.convolution(16, 32)?),
        ("relu2", Op::Relu),
        ("pool2", pool()),
        ("flatten", Op::Flatten),
        ("linear1", parameters.linear(1568, 128)?),
        ("relu3", Op::Relu),
        ("linear2", parameters.linear(128, 10)?),
    ];
    Ok(Network::sequence(&[1, 28, 28], layers)?)
}

fn numbers(folder: &Path, name: &str) -> Outcome<Vec<f32>> {
    let bytes = std::fs::read(folder.join(format!("{name}.f32")))?;
    Ok(bytes.as_chunks().0.iter().map(|&number| f32::from_le_bytes(number)).collect())
}

/// Forgets the peak of memory so far, and says what is in memory now.
fn begin_peak() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    bytes_of("VmRSS")
}

/// An entry of this process's memory.
fn bytes_of(entry: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(entry)?.strip_prefix(':'))?;
    Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}
