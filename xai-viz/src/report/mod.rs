//! One page that holds everything: who the model is, what it does, and why it said what it said.

mod figures;
mod league;
mod networks;
mod page;
mod tables;

use ndarray::Array2;
use xai_core::error::same_shape;
use xai_core::{Attribution, Effects, Importance, Inside, Interactions, Result, Value};

pub use league::LeaguePage;
pub use networks::{Maps, Picture};

/// A report as plain data; [`Report::html`] makes one self-contained page of it.
///
/// The page loads nothing from elsewhere, follows the reader's choice of light or dark, fits phones, prints, and reads
/// well aloud. Each kind of figure comes with a few plain sentences on how to read it, and each figure with an account
/// of how it was computed.
///
/// # Example
/// ```
/// let report = xai_viz::Report { title: "Credit & risk".into(), ..Default::default() };
/// let page = report.html()?;
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<h1>Credit &amp; risk</h1>"));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The heading.
    pub title: String,
    /// What the reader should know first, a paragraph each.
    pub summary: Vec<String>,
    /// Facts about the model: what is said, and of what.
    pub model: Vec<(String, String)>,
    /// Facts about the data.
    pub data: Vec<(String, String)>,
    /// How well the model does.
    pub performance: Vec<(String, Value)>,
    /// Which outputs are taken for which.
    pub confusion: Option<Confusion>,
    /// The layers of a network.
    pub inside: Option<&'a Inside>,
    /// What matters to the model as a whole.
    pub importance: Vec<&'a Importance>,
    /// What features do to many samples.
    pub overviews: Vec<Overview<'a>>,
    /// What features do together.
    pub interactions: Vec<&'a Interactions>,
    /// How scores change with features.
    pub effects: Vec<&'a Effects>,
    /// Single predictions.
    pub individuals: Vec<Individual<'a>>,
    /// Images or series, and what methods make of them.
    pub maps: Vec<Maps<'a>>,
    /// What else must be said.
    pub notes: Vec<String>,
    /// How many features a figure shows.
    pub top: usize,
    /// Whether the page carries its font (320 KB), so that it looks the same everywhere.
    pub embed_font: bool,
}

impl Default for Report<'_> {
    fn default() -> Self {
        Report {
            title: "Model report".to_owned(),
            summary: Vec::new(),
            model: Vec::new(),
            data: Vec::new(),
            performance: Vec::new(),
            confusion: None,
            inside: None,
            importance: Vec::new(),
            overviews: Vec::new(),
            interactions: Vec::new(),
            effects: Vec::new(),
            individuals: Vec::new(),
            maps: Vec::new(),
            notes: Vec::new(),
            top: 12,
            embed_font: true,
        }
    }
}

/// How often each output was predicted where each was true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    /// The outputs by name.
    pub names: Vec<String>,
    /// The numbers of samples: (true, predicted).
    pub counts: Array2<u64>,
}

/// Many samples explained, for one output.
#[derive(Debug, Clone, Copy)]
pub struct Overview<'a> {
    /// The explanation.
    pub attribution: &'a Attribution,
    /// Which output.
    pub output: usize,
}

/// One prediction explained.
#[derive(Debug, Clone)]
pub struct Individual<'a> {
    /// What the reader knows the sample by.
    pub title: String,
    /// The explanation; it may hold more samples.
    pub attribution: &'a Attribution,
    /// Which sample of it.
    pub sample: usize,
    /// Which output.
    pub output: usize,
    /// Facts about the sample: what was predicted, what was true.
    pub facts: Vec<(String, String)>,
}

impl Report<'_> {
    /// The page.
    ///
    /// # Errors
    /// Those of the charts for explanations that do not fit together, [`xai_core::Error::Shape`] for a confusion
    /// matrix whose size is not that of its names.
    pub fn html(&self) -> Result<String> {
        let mut page = page::Page::new(&self.title, self.embed_font);
        page.paragraphs("lead", &self.summary);
        page.section("caution", "Before you read on", |out| {
            out.push_str(CAUTION);
            Ok(())
        })?;
        if !self.model.is_empty() || !self.data.is_empty() {
            page.section("facts", "Model and data", |out| {
                tables::facts(out, "The model", &self.model);
                tables::facts(out, "The data", &self.data);
                Ok(())
            })?;
        }
        if !self.performance.is_empty() || self.confusion.is_some() {
            page.section("performance", "How well the model does", |out| {
                tables::metrics(out, &self.performance);
                if let Some(confusion) = &self.confusion {
                    let n = confusion.names.len();
                    same_shape("confusion matrix (true, predicted)", &[n, n], confusion.counts.shape())?;
                    tables::confusion(out, confusion);
                }
                Ok(())
            })?;
        }
        if let Some(inside) = self.inside {
            page.section("layers", "What is inside", |out| {
                out.push_str(LAYERS);
                networks::layers(out, inside)
            })?;
        }
        if !self.importance.is_empty() {
            page.section("importance", "What matters to the model", |out| {
                out.push_str(IMPORTANCE);
                self.importance.iter().try_for_each(|i| figures::importance(out, i, self.top))
            })?;
        }
        if !self.overviews.is_empty() {
            page.section("overview", "What the features do", |out| {
                out.push_str(OVERVIEW);
                self.overviews.iter().try_for_each(|o| figures::overview(out, o, self.top))
            })?;
        }
        if !self.interactions.is_empty() {
            page.section("interactions", "What features do together", |out| {
                out.push_str(INTERACTIONS);
                self.interactions.iter().try_for_each(|i| figures::interactions(out, i, self.top))
            })?;
        }
        if !self.effects.is_empty() {
            page.section("effects", "How the score changes with a feature", |out| {
                out.push_str(EFFECTS);
                self.effects.iter().try_for_each(|e| figures::effects(out, e))
            })?;
        }
        if !self.individuals.is_empty() {
            page.section("individuals", "Single predictions", |out| {
                out.push_str(INDIVIDUALS);
                self.individuals.iter().try_for_each(|i| figures::individual(out, i, self.top))
            })?;
        }
        if !self.maps.is_empty() {
            page.section("maps", "What single scores hang on", |out| {
                out.push_str(MAPS);
                self.maps.iter().try_for_each(|maps| networks::maps(out, maps))?;
                networks::accounts(out, &self.maps);
                Ok(())
            })?;
        }
        if !self.notes.is_empty() {
            page.section("notes", "Notes", |out| {
                page::list(out, &self.notes);
                Ok(())
            })?;
        }
        Ok(page.finish())
    }
}

const CAUTION: &str = "<p>This page explains <strong>what the model does</strong> with the data it is given. It does not \
explain the world: that a feature raises a score does not mean that changing it would change what really happens, nor \
that it should count. Features that belong together share what they tell, so that one of them may seem to matter less \
than it does.</p>";

const LAYERS: &str = "<p class=\"how\"><strong>How to read it.</strong> A row is a layer; lines on the left lead to it from \
the layers that it reads. The small histograms show how its weights, and what it puts out on the data, are spread; a \
dashed line stands at zero. A <b>dead</b> unit never put out anything on these data; what is <b>saturated</b> hardly \
changes any more, whatever goes in. Many of either say that the network learnt badly or sees data that it was not made \
for.</p>";

const MAPS: &str = "<p class=\"how\"><strong>How to read it.</strong> Orange speaks for the score, blue against it; the \
stronger the colour, the more. Each map has a scale of its own, since methods measure in different units: compare where \
they point, not how strong they look. Methods answer different questions and may all be misled; where they disagree, \
none is proof. <b>edge-detector</b>, where it is shown, knows nothing of the network: a map that looks like it may tell \
of the picture and not of the network.</p>";

const IMPORTANCE: &str = "<p class=\"how\"><strong>How to read it.</strong> A row is a feature of the data. The longer \
its bar, the more the model as a whole relies on it. Thin lines across the ends of bars show how far the number varies \
when the computation is repeated: where they overlap, do not read anything into the order. A bar near zero, or below \
it, means that the model does well without the feature.</p>";

const OVERVIEW: &str = "<p class=\"how\"><strong>How to read it.</strong> A row is a feature, a dot is one sample. Dots \
to the right of the line at zero raised the score of their sample, dots to the left lowered it; the farther, the more. \
The colour is the value of the feature: orange is high, blue is low, grey is missing; where dots of one colour lie on \
one side, the feature works in one direction. Features stand in the order of how much they contribute on average. \
For the first of them a second figure shows each sample by the value of the feature (across) and what it contributes (up); \
there the colour is another feature, the one with which it seems to interact most.</p>";

const INTERACTIONS: &str = "<p class=\"how\"><strong>How to read it.</strong> Two features interact when what one of them \
does to a score depends on the other. A cell of the map is the mean size of what a pair does together, beyond what each \
does alone; on the diagonal stands what a feature does alone. The stronger the colour, the more; every pair stands twice. \
The bars name the strongest pairs. A pair that is small beside the features themselves may be left out of any story.</p>";

const EFFECTS: &str = "<p class=\"how\"><strong>How to read it.</strong> The line shows how the model's score changes \
from low to high values of one feature, on average over the data; thin grey lines are single samples. Grey bars at the \
bottom show where there are data: where there are few, the line is a guess of the model that nobody has checked. In \
maps of two features, colour takes the place of height.</p>";

const INDIVIDUALS: &str = "<p class=\"how\"><strong>How to read it.</strong> Read a figure from the bottom up. It starts \
at the score that the model gives when it knows nothing about the sample. Each arrow adds what one feature contributes: \
orange, to the right, raises the score; blue, to the left, lowers it. The top is the score of this sample.</p>";
