//! A network of images or series, looked into and explained on one page.

use ndarray::{Array3, Array4, ArrayD, Axis};
use xai_core::{Attribution, Document, Error, Explainer, Inside, Result, Run};
use xai_global::LookInside;
use xai_viz::{Maps, Picture, Report};

use super::thinned;
use crate::registry::{ArrayInputs, Arrays, Form, Method, Registry, Settings};

/// What a report about a network of images or series is about.
pub struct NetworkBrief<'a> {
    /// The heading.
    pub title: String,
    /// The network and its samples.
    pub arrays: Arrays<'a>,
    /// The images as they are seen, from 0 to 1, in 1 or 3 channels: (sample, channel, row, column); nothing for series.
    pub pixels: Option<&'a Array4<f32>>,
    /// Samples that stand for absence: (sample, axes …).
    pub background: Option<&'a ArrayD<f64>>,
    /// The methods by name; those of [`METHODS`] that fit when there are none.
    pub methods: Vec<String>,
    /// Facts about the model: what, and its value.
    pub model_facts: Vec<(String, String)>,
    /// Facts about the data.
    pub data_facts: Vec<(String, String)>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// The methods of a report, where the network allows them: complete ones, one that hides parts, and a control.
pub const METHODS: [&str; 5] = ["integrated-gradients", "deep-lift", "hires-cam", "occlusion", "edge-detector"];

/// Samples that are shown at most.
const MOST_SHOWN: usize = 8;
/// Windows of occlusion along a side.
const WINDOWS: usize = 8;
/// Outputs whose scores are told of a sample.
const MOST_SCORES: usize = 3;

/// Everything that a report about a network shows, computed.
#[derive(Debug, Clone)]
pub struct NetworkFindings {
    title: String,
    model_facts: Vec<(String, String)>,
    data_facts: Vec<(String, String)>,
    notes: Vec<String>,
    shown: Shown,
    /// The places of the samples that are shown.
    pub places: Vec<usize>,
    /// What is inside.
    pub inside: Inside,
    /// What each method says of the samples that are shown.
    pub attributions: Vec<Attribution>,
}

#[derive(Debug, Clone)]
enum Shown {
    Images(Array4<f32>),
    Series(Array3<f32>),
}

impl NetworkFindings {
    /// Computes what the report shows.
    ///
    /// # Cost
    /// One evaluation a sample, and those of the methods for 8 samples at most.
    ///
    /// # Errors
    /// Those of the methods; of the methods that were not asked for by name, one that does not suit the network is left
    /// out with a note. [`Error::Unknown`] for a name that is no method's; [`Error::Parameter`] for no samples and for
    /// images without pixels.
    pub fn new(brief: NetworkBrief, run: &Run) -> Result<Self> {
        let (n, inside) = match brief.arrays {
            Arrays::Series(model, batch) => (batch.shape()[0], LookInside::default().explain(model, batch, run)?),
            Arrays::Images(model, batch) => (batch.shape()[0], LookInside::default().explain(model, batch, run)?),
        };
        if n == 0 {
            return Err(Error::parameter("samples", 0, "at least one to explain"));
        }
        let mut notes = brief.notes.clone();
        let places = thinned(n, MOST_SHOWN);
        if places.len() < n {
            notes.push(format!("{} of {n} samples are explained, evenly spaced.", places.len()));
        }
        let named = !brief.methods.is_empty();
        let names = if named { brief.methods.clone() } else { METHODS.map(str::to_owned).to_vec() };
        let registry = Registry::standard();
        let mut attributions = Vec::new();
        for name in &names {
            let method = registry.get(name)?;
            match (attribution(method, &brief, &places, run), named) {
                (Ok(attribution), _) => attributions.push(attribution),
                (Err(Error::Unsupported { what, reason }), false) => {
                    notes.push(format!("{name} is left out: {what}: {reason}."))
                }
                (Err(error), _) => return Err(error),
            }
        }
        if attributions.is_empty() {
            return Err(Error::unsupported("a report about this network", "no method of the report explains it"));
        }
        let shown = match (brief.arrays, brief.pixels) {
            (Arrays::Series(_, batch), _) => Shown::Series(batch.select(Axis(0), &places)),
            (Arrays::Images(..), Some(pixels)) => {
                xai_core::error::same_shape("images as they are seen", &[n], &[pixels.len_of(Axis(0))])?;
                Shown::Images(pixels.select(Axis(0), &places))
            }
            (Arrays::Images(..), None) => {
                return Err(Error::parameter("pixels", "nothing", "the images as they are seen"));
            }
        };
        let NetworkBrief { title, model_facts, data_facts, .. } = brief;
        Ok(NetworkFindings { title, model_facts, data_facts, notes, shown, places, inside, attributions })
    }

    /// The report as plain data; [`Report::html`] makes a page of it.
    pub fn report(&self) -> Report<'_> {
        let methods: Vec<&str> = self.attributions.iter().map(|a| a.provenance.method.as_str()).collect();
        let parameters: u64 = self.inside.layers.iter().map(|layer| layer.n_parameters()).sum();
        let summary = format!(
            "{} layers with {parameters} parameters. Scores of {} were explained with {}.",
            self.inside.layers.len().saturating_sub(1),
            if self.places.len() == 1 { "one sample".to_owned() } else { format!("{} samples", self.places.len()) },
            methods.join(", ")
        );
        Report {
            title: self.title.clone(),
            summary: vec![summary],
            model: self.model_facts.clone(),
            data: self.data_facts.clone(),
            inside: Some(&self.inside),
            maps: (0..self.places.len()).map(|sample| self.maps(sample)).collect(),
            notes: self.notes.clone(),
            ..Report::default()
        }
    }

    /// One sample, for the output that it scores highest.
    fn maps(&self, sample: usize) -> Maps<'_> {
        let first = &self.attributions[0];
        let scores = first.scores.row(sample);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let fact = |&output: &usize| {
            let name = first.outputs.get(output).map_or_else(String::new, |output| output.name.clone());
            (format!("Score of {name}"), format!("{:.4}", scores[output]))
        };
        Maps {
            title: format!("Sample {}", self.places[sample]),
            picture: match &self.shown {
                Shown::Images(images) => Picture::Image(images.index_axis(Axis(0), sample)),
                Shown::Series(series) => Picture::Series(series.index_axis(Axis(0), sample)),
            },
            attributions: self.attributions.iter().collect(),
            sample,
            output: order.first().copied().unwrap_or(0),
            facts: order.iter().take(MOST_SCORES).map(fact).collect(),
        }
    }
}

/// What a method says of some samples, on the cells of the input.
fn attribution(method: &dyn Method, brief: &NetworkBrief, places: &[usize], run: &Run) -> Result<Attribution> {
    let spec = method.spec();
    let (shape, form) = match brief.arrays {
        Arrays::Series(_, batch) => (batch.shape()[1..].to_vec(), Form::Series),
        Arrays::Images(_, batch) => (batch.shape()[1..].to_vec(), Form::Image),
    };
    let longest = shape[1..].iter().copied().max().unwrap_or(1);
    // As many windows on a large image as on a small one.
    let windows = [format!("window={}", longest.div_ceil(WINDOWS))];
    let settings = match spec.name.as_str() {
        "occlusion" => Settings::from_pairs(spec, windows)?,
        _ => Settings::default_of(spec),
    };
    let explained =
        |arrays: Arrays| method.explain_arrays(&ArrayInputs { arrays, background: brief.background, run }, &settings);
    let document = match brief.arrays {
        Arrays::Series(model, batch) => explained(Arrays::Series(model, &batch.select(Axis(0), places)))?,
        Arrays::Images(model, batch) => explained(Arrays::Images(model, &batch.select(Axis(0), places)))?,
    };
    match document {
        Document::Attribution(a) if a.shape.as_ref().is_some_and(|axes| axes.ends_with(&shape[1..])) => Ok(a),
        _ => {
            let reason = format!("it says nothing of the cells of {}", form.label());
            Err(Error::unsupported(format!("{} in a report", spec.name), reason))
        }
    }
}
