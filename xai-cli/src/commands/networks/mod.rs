//! `xai explain` and `xai predict` for networks.

mod picture;
mod report;
pub mod samples;

pub use picture::Format;
pub use report::report;

use std::path::Path;

use ndarray::{ArrayD, ArrayRef3, ArrayRef4};
use xai::core::{Batch, Document, Error, Feature, Meter, Model, Prediction, Provenance, Run};
use xai::models::network::{AnyNetwork, Preparation};
#[cfg(feature = "onnx-any")]
use xai::models::onnx::AnyOpaque;
#[cfg(feature = "onnx-any")]
use xai::registry::OnlyPredicts;
use xai::registry::{ArrayInputs, Arrays, Inputs, LayeredModel, Method, Need, Settings, Subject};

#[cfg(feature = "onnx-any")]
use crate::args::Fitting;
use crate::args::{Drawing, Explaining, Networks, Running, Scale, Source};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{files, tabular};

/// What to do with a network.
pub struct Task<'a> {
    pub source: &'a Source,
    pub explaining: &'a Explaining,
    pub running: &'a Running,
    pub networks: &'a Networks,
    pub drawing: &'a Drawing,
}

impl Task<'_> {
    /// Runs a method and writes what it finds, as data or as a picture.
    pub fn explain(&self, network: &AnyNetwork, method: &dyn Method, settings: &Settings) -> Result<(), Failure> {
        self.on(method, |asked| match network {
            AnyNetwork::Table(loaded) => {
                let network = &loaded.network;
                self.table(asked, Subject::of_network(network), network.features(), network.input_shape()[0], settings)
            }
            AnyNetwork::Series(loaded) => self.series(asked, &loaded.network, loaded.network.input_shape(), settings),
            AnyNetwork::Images(loaded) => {
                self.images(asked, &loaded.network, loaded.network.input_shape(), &loaded.preparation, settings)
            }
            _ => Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
        })
    }

    /// The same for a model that only predicts.
    #[cfg(feature = "onnx-any")]
    pub fn explain_opaque(&self, model: &AnyOpaque, method: &dyn Method, settings: &Settings) -> Result<(), Failure> {
        self.on(method, |asked| match model {
            AnyOpaque::Table(loaded) => {
                let width = loaded.model.input_shape()[0];
                self.table(asked, Subject::opaque(&loaded.model), &[], width, settings)
            }
            AnyOpaque::Series(loaded) => {
                let shape = loaded.model.input_shape();
                self.series(asked, &OnlyPredicts::new(&loaded.model, shape), shape, settings)
            }
            AnyOpaque::Images(loaded) => {
                let shape = loaded.model.input_shape();
                let model = OnlyPredicts::new(&loaded.model, shape);
                self.images(asked, &model, shape, &loaded.preparation, settings)
            }
            _ => Err(Error::unsupported("this model", "it takes neither tables, series nor images").into()),
        })
    }

    /// Checks what was asked for, runs `work` with it, and writes what comes of it.
    fn on(&self, method: &dyn Method, work: impl FnOnce(&Asked) -> Result<Vec<u8>, Failure>) -> Result<(), Failure> {
        self.served()?;
        let progress = Progress::new(&method.spec().name);
        let first_row = self.source.rows.map_or(0, |rows| rows.start());
        let run = Run {
            seed: self.running.seed,
            max_evaluations: self.explaining.max_evaluations,
            first_sample: first_row as u64,
            observer: &progress,
        };
        let background = self.explaining.background.as_deref();
        if background.is_none() && method.spec().needs.contains(&Need::Background) {
            let advice = "give samples that stand for absence, such as some of the training data";
            return Err(Failure::Use(format!("{} needs --background FILE: {advice}", method.spec().name)));
        }
        let drawn = picture::Format::of(self.running.output.as_deref());
        let bytes = work(&Asked { method, run: &run, background, drawn, first_row })?;
        drop(progress);
        files::write(self.running.output.as_deref(), &bytes)
    }

    fn table(
        &self,
        asked: &Asked,
        subject: Subject,
        named: &[Feature],
        width: usize,
        settings: &Settings,
    ) -> Result<Vec<u8>, Failure> {
        if asked.drawn.is_some() {
            let advice = "write JSON and draw it by `xai plot`";
            return Err(Failure::Use(format!("a picture of a table's explanation: {advice}")));
        }
        let table = |path: &Path| samples::rows(path, self.source, named, width);
        let batch = table(&self.source.data)?;
        let background = asked.background.map(table).transpose()?;
        let background = background.as_deref();
        let inputs = Inputs {
            subject,
            batch: &batch,
            background,
            background_weights: None,
            labels: None,
            groups: None,
            run: asked.run,
        };
        tabular::render(&asked.method.explain(&inputs, settings)?, self.running.format(), asked.first_row)
    }

    fn series(
        &self,
        asked: &Asked,
        model: &LayeredModel<ArrayRef3<f32>>,
        shape: &[usize],
        settings: &Settings,
    ) -> Result<Vec<u8>, Failure> {
        let series = |path: &Path| samples::series(path, shape);
        let batch = series(&self.source.data)?;
        let background = self.wide(asked.background.map(series).transpose()?.map(|cells| cells.into_dyn()));
        let arrays = Arrays::Series(model, &batch);
        let inputs = ArrayInputs { arrays, background: background.as_ref(), run: asked.run };
        let document = asked.method.explain_arrays(&inputs, settings)?;
        match asked.drawn {
            Some(format) => picture::series(&document, &batch, self.drawing, format),
            None => tabular::render(&document, self.running.format(), asked.first_row),
        }
    }

    fn images(
        &self,
        asked: &Asked,
        model: &LayeredModel<ArrayRef4<f32>>,
        shape: &[usize],
        preparation: &Preparation,
        settings: &Settings,
    ) -> Result<Vec<u8>, Failure> {
        let images = |path: &Path| samples::pictures(path, shape, preparation, self.networks.fit);
        let batch = images(&self.source.data)?;
        let background = self.wide(asked.background.map(images).transpose()?.map(|cells| cells.into_dyn()));
        let arrays = Arrays::Images(model, &batch);
        let inputs = ArrayInputs { arrays, background: background.as_ref(), run: asked.run };
        let document = asked.method.explain_arrays(&inputs, settings)?;
        match asked.drawn {
            Some(format) => picture::images(&document, &batch, preparation, self.drawing, format),
            None => tabular::render(&document, self.running.format(), asked.first_row),
        }
    }

    /// Refuses what says nothing to a network.
    fn served(&self) -> Result<(), Failure> {
        let grouping = &self.explaining.grouping;
        for (option, given) in [
            ("--iterations", self.source.iterations.is_some()),
            ("--target", self.source.target.is_some()),
            ("--background-weights", self.explaining.background_weights.is_some()),
            ("--scale prediction", self.explaining.scale == Scale::Prediction),
            ("--group", grouping.group_one_hot || !grouping.group.is_empty()),
        ] {
            if given {
                return Err(Failure::Use(format!("{option} says nothing to a network")));
            }
        }
        Ok(())
    }

    fn wide(&self, cells: Option<ArrayD<f32>>) -> Option<ArrayD<f64>> {
        cells.map(|cells| cells.mapv(f64::from))
    }
}

/// A method and all that its run needs but the samples.
struct Asked<'a> {
    method: &'a dyn Method,
    run: &'a Run<'a>,
    background: Option<&'a Path>,
    drawn: Option<Format>,
    first_row: usize,
}

/// Scores samples.
pub fn predict(network: &AnyNetwork, source: &Source, running: &Running, networks: &Networks) -> Result<(), Failure> {
    let progress = Progress::new("predict");
    let run = Run { seed: running.seed, observer: &progress, ..Run::default() };
    let document = match network {
        AnyNetwork::Table(loaded) => {
            scored(&loaded.network, &*samples::table(&source.data, source, &loaded.network)?, &run)?
        }
        AnyNetwork::Series(loaded) => {
            scored(&loaded.network, &*samples::series(&source.data, loaded.network.input_shape())?, &run)?
        }
        AnyNetwork::Images(loaded) => {
            scored(&loaded.network, &*samples::images(&source.data, loaded, networks.fit)?, &run)?
        }
        _ => return Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
    };
    drop(progress);
    write(&document, source, running)
}

/// Scores samples by a model that only predicts.
#[cfg(feature = "onnx-any")]
pub fn predict_opaque(model: &AnyOpaque, source: &Source, running: &Running, fit: Fitting) -> Result<(), Failure> {
    let progress = Progress::new("predict");
    let run = Run { seed: running.seed, observer: &progress, ..Run::default() };
    let data = &source.data;
    let document = match model {
        AnyOpaque::Table(loaded) => {
            let width = loaded.model.input_shape()[0];
            scored(&loaded.model, &*samples::rows(data, source, &[], width)?, &run)?
        }
        AnyOpaque::Series(loaded) => scored(&loaded.model, &*samples::series(data, loaded.model.input_shape())?, &run)?,
        AnyOpaque::Images(loaded) => {
            let shape = loaded.model.input_shape();
            scored(&loaded.model, &*samples::pictures(data, shape, &loaded.preparation, fit)?, &run)?
        }
        _ => return Err(Error::unsupported("this model", "it takes neither tables, series nor images").into()),
    };
    drop(progress);
    write(&document, source, running)
}

fn write(document: &Document, source: &Source, running: &Running) -> Result<(), Failure> {
    let first_row = source.rows.map_or(0, |rows| rows.start());
    files::write(running.output.as_deref(), &tabular::render(document, running.format(), first_row)?)
}

fn scored<M: Model + ?Sized>(model: &M, batch: &M::Batch, run: &Run) -> Result<Document, Error> {
    let meter = Meter::planned(run, batch.n_samples() as u64)?;
    let scores = meter.predict(model, batch)?;
    let provenance = Provenance::new("predict", run).evaluations(meter.evaluations());
    let outputs = xai::core::model::output_names(model);
    Ok(Prediction { provenance, outputs, predictions: scores.clone(), scores }.into())
}
