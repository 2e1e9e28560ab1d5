//! ONNX files that are only run: by rten, which knows far more operators than can be differentiated here.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ndarray::{Array2, ArrayRef, Axis, Ix3, Ix4, Slice};
use prost::Message;
use rten::{NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::Layout;
use xai_core::error::{all_finite, same_shape};
use xai_core::{Cells, Error, Model, Output, Result, Table};

use super::malformed;
use super::network::{InputShape, input_shape, scores};
use super::proto::{ModelProto, element};
use crate::network::Preparation;

/// A model from an ONNX file that predicts and tells nothing of its inside: no gradients, no layers. Methods that ask for
/// scores alone explain it: KernelSHAP, occlusion, RISE, LIME.
///
/// Every run scores the same number of samples, the last ones repeated where there are fewer, so that a sample's scores
/// have the same bits in any batch. It computes in `f32`.
///
/// How much time and memory a file asks for is not bounded: rten runs what the file says. Take files from those you trust.
///
/// # Cost
/// A clone shares the model. A prediction costs that of a multiple of 16 samples, or of the number that the file fixes.
pub struct Opaque<B: ?Sized> {
    inner: Arc<Inner>,
    outputs: Vec<Output>,
    kind: PhantomData<fn(&B)>,
}

struct Inner {
    model: rten::Model,
    input: NodeId,
    output: NodeId,
    /// The axes of one sample.
    shape: Vec<usize>,
    /// Samples of a run.
    at_once: usize,
    threads: Arc<ThreadPool>,
}

/// A model that only predicts, by the kind of batch that it takes, as [`AnyNetwork`](crate::network::AnyNetwork).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyOpaque {
    /// Of rows of numbers.
    Table(LoadedOpaque<Table>),
    /// Of channels over time.
    Series(LoadedOpaque<ArrayRef<f32, Ix3>>),
    /// Of images.
    Images(LoadedOpaque<ArrayRef<f32, Ix4>>),
}

/// A model that only predicts, with what its file says about it.
#[derive(Debug)]
pub struct LoadedOpaque<B: ?Sized> {
    /// The model.
    pub model: Opaque<B>,
    /// How images are prepared for it: not at all, since ONNX files do not say.
    pub preparation: Preparation,
    /// What a model card says, name and value; `gradients` says why there are none.
    pub facts: Vec<(String, String)>,
}

/// Samples of a run where the file leaves their number open.
const AT_ONCE: usize = 16;
/// The most samples of a run that a file may fix.
const MOST_AT_ONCE: usize = 4096;
/// The most cells of a run's input, and of its output.
const MOST_CELLS: usize = 1 << 27;

/// The model in the bytes of an ONNX file, where the engine of networks refused it for the reason `refusal`.
///
/// # Errors
/// [`Error::Malformed`]; [`Error::Unsupported`] with both refusals where rten cannot run the file either;
/// [`Error::TooLarge`].
pub(super) fn read(bytes: &[u8], refusal: Option<&Error>) -> Result<AnyOpaque> {
    let file = ModelProto::decode(bytes).map_err(|error| malformed("protobuf", error.to_string()))?;
    let graph = file.graph.as_ref().ok_or_else(|| malformed("the top", "no graph".into()))?;
    let InputShape { name, sample, samples, element: kind } = input_shape(graph)?;
    let refused = |problem: String| match refusal {
        Some(refusal) => {
            Error::unsupported(refusal.to_string(), format!("nor can it be run without gradients: {problem}"))
        }
        None => Error::unsupported("ONNX: this model", format!("it cannot be run: {problem}")),
    };
    if kind != element::FLOAT {
        return Err(refused(format!("its input {name:?} is not of 32-bit floats")));
    }
    let at_once = match samples {
        None => AT_ONCE,
        Some(n) => usize::try_from(n).unwrap_or(usize::MAX),
    };
    let cells = sample.iter().try_fold(at_once, |all, &axis| all.checked_mul(axis)).unwrap_or(usize::MAX);
    for (what, limit, found) in
        [("samples that the file fixes", MOST_AT_ONCE, at_once), ("cells of a run", MOST_CELLS, cells)]
    {
        if found > limit {
            return Err(Error::TooLarge { what: what.into(), limit: limit as u64, found: found as u64 });
        }
    }
    let model = guarded("rten, reading the file,", || {
        rten::Model::load(bytes.to_vec()).map_err(|error| refused(error.to_string()))
    })?;
    let node = |name: &str| model.node_id(name).map_err(|error| refused(format!("{name:?}: {error}")));
    let (input, output) = (node(name)?, node(scores(graph)?)?);
    let threads = Arc::new(ThreadPool::with_num_threads(rayon::current_num_threads()));
    let inner = Inner { model, input, output, shape: sample.clone(), at_once, threads };
    // The file need not say how many scores there are: one run tells, and whether it runs at all.
    let n_outputs = inner.run(vec![0.0; cells]).map_err(|error| refused(error.to_string()))?.ncols();
    let mut facts = vec![("file".to_owned(), "ONNX, run by rten".to_owned())];
    if !file.producer_name.is_empty() {
        facts.push(("made by".to_owned(), format!("{} {}", file.producer_name, file.producer_version)));
    }
    let axes: Vec<String> = sample.iter().map(usize::to_string).collect();
    facts.push(("input".to_owned(), axes.join(" × ")));
    facts.push(("parameters".to_owned(), inner.model.total_params().to_string()));
    facts.push(("outputs".to_owned(), n_outputs.to_string()));
    let reason = refusal.map_or("it is only run".to_owned(), |refusal| refusal.to_string());
    facts.push(("gradients".to_owned(), format!("none, and no layers: {reason}")));
    let inner = Arc::new(inner);
    match sample.len() {
        1 => Ok(AnyOpaque::Table(LoadedOpaque::new(inner, n_outputs, facts))),
        2 => Ok(AnyOpaque::Series(LoadedOpaque::new(inner, n_outputs, facts))),
        3 => Ok(AnyOpaque::Images(LoadedOpaque::new(inner, n_outputs, facts))),
        axes => Err(refused(format!("its samples have {axes} axes; 1 to 3 are served"))),
    }
}

impl Inner {
    /// The scores of as many samples as a run has: (sample, output).
    fn run(&self, cells: Vec<f32>) -> Result<Array2<f64>> {
        let shape = [&[self.at_once][..], &self.shape].concat();
        let found = guarded("rten", || {
            let input = Value::from_shape(shape, cells).map_err(Error::model)?;
            let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
            let found = self.model.run_n(vec![(self.input, input.into())], [self.output], Some(options));
            found.map(|[found]| found).map_err(Error::model)
        })?;
        let axes = found.shape().to_vec();
        let n_outputs = axes.iter().skip(1).product::<usize>();
        let fits = axes.first() == Some(&self.at_once) && axes.iter().skip(1).filter(|&&axis| axis != 1).count() <= 1;
        if !fits || n_outputs == 0 || self.at_once * n_outputs > MOST_CELLS {
            let what = format!("ONNX: scores with the axes {axes:?} for {} samples", self.at_once);
            return Err(Error::unsupported(what, "export it with scores (sample, output)"));
        }
        let scores = match axes.len() {
            1 => found.into_shape_vec::<f32, 1>().map(|(_, cells)| cells),
            2 => found.into_shape_vec::<f32, 2>().map(|(_, cells)| cells),
            3 => found.into_shape_vec::<f32, 3>().map(|(_, cells)| cells),
            _ => found.into_shape_vec::<f32, 4>().map(|(_, cells)| cells),
        };
        let scores = scores.map_err(Error::model)?.into_iter().map(f64::from).collect();
        Array2::from_shape_vec((self.at_once, n_outputs), scores).map_err(Error::model)
    }
}

impl<B: Cells + ?Sized> Model for Opaque<B> {
    type Batch = B;

    fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    fn predict(&self, batch: &B) -> Result<Array2<f64>> {
        let n = batch.n_samples();
        let Inner { shape, at_once, .. } = &*self.inner;
        let cells = batch.cells();
        same_shape("the batch (sample, axes of a sample)", &[&[n][..], shape].concat(), cells.shape())?;
        let mut scores = Array2::zeros((n, self.outputs.len()));
        for start in (0..n).step_by(*at_once) {
            let end = (start + at_once).min(n);
            let mut part = Vec::with_capacity(at_once * shape.iter().product::<usize>());
            for sample in start..start + at_once {
                let sample = cells.index_axis(Axis(0), sample.min(n - 1));
                part.extend(sample.iter().map(|&cell| Into::<f64>::into(cell) as f32));
            }
            if let Some(at) = part.iter().position(|cell| !cell.is_finite()) {
                let width = (part.len() / at_once).max(1);
                let (sample, column, value) = (start + at / width, at % width, f64::from(part[at]));
                return Err(Error::NonFinite { what: "cells of the batch".into(), sample, column, value });
            }
            let found = self.inner.run(part)?;
            same_shape("scores (sample, output)", &[*at_once, self.outputs.len()], found.shape())?;
            scores
                .slice_axis_mut(Axis(0), Slice::from(start..end))
                .assign(&found.slice_axis(Axis(0), Slice::from(0..end - start)));
        }
        all_finite("scores of the model", &scores)?;
        Ok(scores)
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }
}

impl<B: ?Sized> Opaque<B> {
    /// The axes of one sample.
    pub fn input_shape(&self) -> &[usize] {
        &self.inner.shape
    }
}

impl<B: ?Sized> Clone for Opaque<B> {
    fn clone(&self) -> Self {
        Opaque { inner: Arc::clone(&self.inner), outputs: self.outputs.clone(), kind: PhantomData }
    }
}

impl<B: ?Sized> fmt::Debug for Opaque<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opaque")
            .field("input_shape", &self.inner.shape)
            .field("n_outputs", &self.outputs.len())
            .finish()
    }
}

impl<B: ?Sized> LoadedOpaque<B> {
    fn new(inner: Arc<Inner>, n_outputs: usize, facts: Vec<(String, String)>) -> Self {
        let model = Opaque { inner, outputs: Output::unnamed(n_outputs), kind: PhantomData };
        LoadedOpaque { model, preparation: Preparation::default(), facts }
    }
}

impl<B: ?Sized> Clone for LoadedOpaque<B> {
    fn clone(&self) -> Self {
        let LoadedOpaque { model, preparation, facts } = self;
        LoadedOpaque { model: model.clone(), preparation: preparation.clone(), facts: facts.clone() }
    }
}

/// Runs `work`; a panic inside becomes [`Error::Model`] with the panic's own words.
fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let words = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        Err(Error::model(format!("{what} panicked: {}", words.unwrap_or("(no message)"))))
    })
}
