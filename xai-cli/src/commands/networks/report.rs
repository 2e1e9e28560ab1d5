//! `xai report` for networks.

use std::path::Path;

use ndarray::ArrayD;
use xai::core::{Error, Link, Run};
use xai::models::network::AnyNetwork;
use xai::registry::{Arrays, Registry, Subject};
use xai::report::{Brief, NetworkBrief, NetworkFindings};

use super::samples;
use crate::args::{ReportArgs, Source};
use crate::commands::demo;
use crate::failure::Failure;
use crate::files;
use crate::progress::Progress;

/// Looks into a network, explains samples, and writes the page.
pub fn report(network: &AnyNetwork, args: &ReportArgs, source: &Source) -> Result<(), Failure> {
    let registry = Registry::standard();
    args.methods.iter().try_for_each(|name| registry.get(name).map(|_| ()))?;
    for (option, given) in [
        ("--target", args.target.is_some()),
        ("--group", args.grouping.group_one_hot || !args.grouping.group.is_empty()),
    ] {
        if given {
            return Err(Failure::Use(format!("{option} says nothing in a report about a network")));
        }
    }
    let background = args.background.as_deref();
    let about = About { args, source };
    match network {
        AnyNetwork::Table(loaded) => {
            if !args.methods.is_empty() {
                return Err(Failure::Use("--methods chooses among methods of images and series".into()));
            }
            let table = |path: &Path| samples::table(path, source, &loaded.network);
            let batch = table(&source.data)?;
            let background = background.map(table).transpose()?;
            let brief = Brief {
                title: about.title(),
                subject: Subject::of_network(&loaded.network),
                link: Link::Identity,
                batch: &batch,
                background: background.as_deref(),
                labels: None,
                classes: &[],
                groups: None,
                model_facts: about.model(&loaded.facts),
                data_facts: about.data(("rows", batch.nrows())),
                notes: Vec::new(),
            };
            demo::finish(brief, args.seed, &args.output)
        }
        AnyNetwork::Series(loaded) => {
            let series = |path: &Path| samples::series(path, loaded.network.input_shape());
            let batch = series(&source.data)?;
            let background = background.map(series).transpose()?.map(|cells| cells.mapv(f64::from).into_dyn());
            let facts = about.data(("series", batch.dim().0));
            let brief =
                about.arrays(Arrays::Series(&loaded.network, &batch), background.as_ref(), &loaded.facts, facts);
            finish(brief, args)
        }
        AnyNetwork::Images(loaded) => {
            let images = |path: &Path| samples::images(path, loaded, args.networks.fit);
            let batch = images(&source.data)?;
            let background = background.map(images).transpose()?.map(|cells| cells.mapv(f64::from).into_dyn());
            let pixels = samples::pixels(&batch, &loaded.preparation);
            let facts = about.data(("images", batch.dim().0));
            let brief =
                about.arrays(Arrays::Images(&loaded.network, &batch), background.as_ref(), &loaded.facts, facts);
            finish(NetworkBrief { pixels: Some(&pixels), ..brief }, args)
        }
        _ => Err(Error::unsupported("this network", "it takes neither tables, series nor images").into()),
    }
}

/// What the report tells before any number.
struct About<'a> {
    args: &'a ReportArgs,
    source: &'a Source,
}

impl About<'_> {
    fn title(&self) -> String {
        self.args.title.clone().unwrap_or_else(|| format!("What {} does", name(&self.source.model)))
    }

    fn model(&self, facts: &[(String, String)]) -> Vec<(String, String)> {
        let mut all = vec![("file name".to_owned(), name(&self.source.model))];
        all.extend(self.args.networks.weights.iter().map(|path| ("weights".to_owned(), name(path))));
        all.extend(facts.iter().cloned());
        all
    }

    fn data(&self, (what, n): (&str, usize)) -> Vec<(String, String)> {
        let mut all = vec![("file".to_owned(), name(&self.source.data)), (what.to_owned(), n.to_string())];
        all.extend(self.args.background.iter().map(|path| ("background".to_owned(), name(path))));
        all
    }

    fn arrays<'b>(
        &self,
        arrays: Arrays<'b>,
        background: Option<&'b ArrayD<f64>>,
        facts: &[(String, String)],
        data_facts: Vec<(String, String)>,
    ) -> NetworkBrief<'b> {
        NetworkBrief {
            title: self.title(),
            arrays,
            pixels: None,
            background,
            methods: self.args.methods.clone(),
            model_facts: self.model(facts),
            data_facts,
            notes: Vec::new(),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Computes, writes the page and says where it is.
fn finish(brief: NetworkBrief, args: &ReportArgs) -> Result<(), Failure> {
    let progress = Progress::new("report");
    let run = Run { seed: args.seed, observer: &progress, ..Run::default() };
    let findings = NetworkFindings::new(brief, &run)?;
    let page = findings.report().html()?;
    drop(progress);
    files::write(Some(&args.output), page.as_bytes())?;
    let methods: Vec<&str> = findings.attributions.iter().map(|a| a.provenance.method.as_str()).collect();
    let text =
        format!("{} samples, {}\nThe report is {}\n", findings.places.len(), methods.join(", "), args.output.display());
    files::write(None, text.as_bytes())
}
