//! `xai layers`.

use xai::core::{Cells, Document, Error, Explainer, Inside, Run};
use xai::global::LookInside;
use xai::models::file::AnyModel;
use xai::models::network::{AnyNetwork, Network};
use xai::viz::LayerMap;

use super::networks::{Format, samples};
use crate::args::{LayersArgs, Source, Unknown};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{case, files};

/// Tells what the layers of a network hold and put out.
pub fn run(args: &LayersArgs) -> Result<(), Failure> {
    files::not_over(args.output.as_deref(), [args.model.as_path()].into_iter().chain(args.data.as_deref()))?;
    let source = Source {
        model: args.model.clone(),
        data: args.data.clone().unwrap_or_default(),
        target: None,
        rows: None,
        unknown_category: Unknown::Error,
        iterations: None,
    };
    let AnyModel::Network(network) = case::open(&source, &args.networks)? else {
        let reason = "it tells of networks; `xai importance` and `xai effects` tell of trees";
        return Err(Error::unsupported("xai layers with trees", reason).in_file(&args.model).into());
    };
    let progress = Progress::new("layers");
    let run = Run { observer: &progress, ..Run::default() };
    let data = args.data.as_deref();
    let inside = match &network {
        AnyNetwork::Table(loaded) => {
            let batch = data.map(|path| samples::table(path, &source, &loaded.network)).transpose()?;
            look(&loaded.network, batch.as_deref(), &run)?
        }
        AnyNetwork::Series(loaded) => {
            let batch = data.map(|path| samples::series(path, loaded.network.input_shape())).transpose()?;
            look(&loaded.network, batch.as_deref(), &run)?
        }
        AnyNetwork::Images(loaded) => {
            let batch = data.map(|path| samples::images(path, loaded, args.networks.fit)).transpose()?;
            look(&loaded.network, batch.as_deref(), &run)?
        }
        _ => return Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
    };
    drop(progress);
    let bytes = match (args.output.as_deref(), Format::of(args.output.as_deref())) {
        (None, _) => table(&inside).into_bytes(),
        (Some(_), Some(format)) => {
            let title = args.model.file_name().map(|name| name.to_string_lossy().into_owned());
            format.write(&LayerMap { title, ..LayerMap::default() }.scene(&inside)?)?
        }
        (Some(_), None) => {
            let mut json = serde_json::to_vec(&Document::from(inside)).map_err(Error::model)?;
            json.push(b'\n');
            json
        }
    };
    files::write(args.output.as_deref(), &bytes)
}

fn look<B: Cells + ?Sized>(network: &Network<B>, batch: Option<&B>, run: &Run) -> Result<Inside, Error>
where
    Network<B>: xai::core::Composed<Batch = B>,
{
    let none;
    let batch = match batch {
        Some(batch) => batch,
        None => {
            let mut axes = vec![0];
            axes.extend(network.input_shape());
            none = B::of_cells(ndarray::ArrayD::default(axes))?;
            std::borrow::Borrow::borrow(&none)
        }
    };
    LookInside::default().explain(network, batch, run)
}

/// The layers as text.
fn table(inside: &Inside) -> String {
    let mut rows = vec![["layer", "kind", "shape", "parameters", "activations", "units"].map(str::to_owned)];
    for facts in &inside.layers {
        let shape = facts.layer.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        let parameters = match facts.n_parameters() {
            0 => String::new(),
            n => n.to_string(),
        };
        let activations = facts.activations.as_ref().map(|a| format!("{:.3} ± {:.3}", a.mean, a.deviation));
        let units = match (facts.n_dead, facts.saturated) {
            (Some(dead), _) => format!("{dead} of {} dead", facts.n_units),
            (None, Some(share)) => format!("{:.1} % saturated", 100.0 * share),
            (None, None) => String::new(),
        };
        rows.push([
            facts.layer.name.clone(),
            format!("{:?}", facts.layer.kind),
            shape,
            parameters,
            activations.unwrap_or_default(),
            units,
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut text: String = rows.iter().map(|row| line(row) + "\n").collect();
    let parameters: u64 = inside.layers.iter().map(|facts| facts.n_parameters()).sum();
    text.push_str(&format!("{} layers, {parameters} parameters, {} samples\n", inside.layers.len(), inside.n_samples));
    text
}
