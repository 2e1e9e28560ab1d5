//! `xai explain` and `xai predict` for networks.

mod picture;
pub mod samples;

pub use picture::Format;

use std::path::Path;

use ndarray::ArrayD;
use xai::core::{Batch, Document, Error, Meter, Model, Prediction, Provenance, Run};
use xai::models::network::AnyNetwork;
use xai::registry::{ArrayInputs, Arrays, Inputs, Method, Need, Settings, Subject};

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
        let bytes = match network {
            AnyNetwork::Table(loaded) => {
                if drawn.is_some() {
                    let advice = "write JSON and draw it by `xai plot`";
                    return Err(Failure::Use(format!("a picture of a table's explanation: {advice}")));
                }
                let table = |path: &Path| samples::table(path, self.source, &loaded.network);
                let batch = table(&self.source.data)?;
                let background = background.map(table).transpose()?;
                let inputs = Inputs {
                    subject: Subject::of_network(&loaded.network),
                    batch: &batch,
                    background: background.as_deref(),
                    labels: None,
                    groups: None,
                    run: &run,
                };
                tabular::render(&method.explain(&inputs, settings)?, self.running.format(), first_row)?
            }
            AnyNetwork::Series(loaded) => {
                let series = |path: &Path| samples::series(path, loaded.network.input_shape());
                let batch = series(&self.source.data)?;
                let background = self.wide(background.map(series).transpose()?.map(|cells| cells.into_dyn()));
                let arrays = Arrays::Series(&loaded.network, &batch);
                let inputs = ArrayInputs { arrays, background: background.as_ref(), run: &run };
                let document = method.explain_arrays(&inputs, settings)?;
                match drawn {
                    Some(format) => picture::series(&document, &batch, self.drawing, format)?,
                    None => tabular::render(&document, self.running.format(), first_row)?,
                }
            }
            AnyNetwork::Images(loaded) => {
                let images = |path: &Path| samples::images(path, loaded, self.networks.fit);
                let batch = images(&self.source.data)?;
                let background = self.wide(background.map(images).transpose()?.map(|cells| cells.into_dyn()));
                let arrays = Arrays::Images(&loaded.network, &batch);
                let inputs = ArrayInputs { arrays, background: background.as_ref(), run: &run };
                let document = method.explain_arrays(&inputs, settings)?;
                match drawn {
                    Some(format) => picture::images(&document, &batch, &loaded.preparation, self.drawing, format)?,
                    None => tabular::render(&document, self.running.format(), first_row)?,
                }
            }
            _ => return Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
        };
        drop(progress);
        files::write(self.running.output.as_deref(), &bytes)
    }

    /// Refuses what says nothing to a network.
    fn served(&self) -> Result<(), Failure> {
        let grouping = &self.explaining.grouping;
        for (option, given) in [
            ("--iterations", self.source.iterations.is_some()),
            ("--target", self.source.target.is_some()),
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
    let first_row = source.rows.map_or(0, |rows| rows.start());
    files::write(running.output.as_deref(), &tabular::render(&document, running.format(), first_row)?)
}

fn scored<M: Model + ?Sized>(model: &M, batch: &M::Batch, run: &Run) -> Result<Document, Error> {
    let meter = Meter::planned(run, batch.n_samples() as u64)?;
    let scores = meter.predict(model, batch)?;
    let provenance = Provenance::new("predict", run).evaluations(meter.evaluations());
    let outputs = xai::core::model::output_names(model);
    Ok(Prediction { provenance, outputs, predictions: scores.clone(), scores }.into())
}
