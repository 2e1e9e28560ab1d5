//! What charts with a row for each feature have in common: the names at the left.

use xai_core::Feature;

use crate::font::{fit, width};
use crate::scene::{Anchor, Ink, Mark, Scene, Span};

/// The size of names.
pub(crate) const NAME_SIZE: f64 = 13.0;
/// The size of the letters in a legend below a name.
const LEGEND_SIZE: f64 = 10.0;
/// The most that an entry of such a legend takes.
const LEGEND_ENTRY: f64 = 90.0;
/// What lies between a name and the data.
const GAP: f64 = 12.0;
/// What lies between the border and the longest name.
const MARGIN: f64 = 12.0;

/// The name of a row.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) name: String,
    /// The feature's value.
    pub(crate) value: Option<String>,
    /// Whether the row stands for no single feature.
    pub(crate) quiet: bool,
    /// A legend below the name: categories with their colours.
    pub(crate) legend: Vec<(String, Ink)>,
}

impl Name {
    /// A feature with its value in the data.
    pub(crate) fn of(feature: &Feature, value: Option<f64>) -> Self {
        let value = value.and_then(|v| crate::number::of_feature(feature, v));
        Name { name: readable(&feature.name), value, quiet: false, legend: Vec::new() }
    }

    /// A row that gathers others.
    pub(crate) fn quiet(name: impl Into<String>) -> Self {
        Name { name: name.into(), value: None, quiet: true, legend: Vec::new() }
    }

    /// The whole text.
    pub(crate) fn full(&self) -> String {
        match &self.value {
            Some(value) => format!("{} = {value}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A name that can be seen.
pub(crate) fn readable(name: &str) -> String {
    let name = crate::clean::clean(name);
    if name.trim().is_empty() { "(no name)".to_owned() } else { name.into_owned() }
}

/// The rows of a chart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    /// Where the data begin.
    pub(crate) left: f64,
    /// The top of the first row.
    pub(crate) top: f64,
    /// The height of a row.
    pub(crate) pitch: f64,
}

impl Rows {
    /// Makes room for names in a picture `across` pixels wide: what the longest needs, at most two fifths.
    pub(crate) fn for_names(names: &[Name], across: f64, top: f64, pitch: f64) -> Self {
        let needs = |n: &Name| {
            let entries = n.legend.iter().map(|(name, _)| width(name, LEGEND_SIZE, false).min(LEGEND_ENTRY) + 19.0);
            // A legend may widen the column, though not much.
            width(&n.full(), NAME_SIZE, false).max(entries.sum::<f64>().min(230.0))
        };
        let longest = names.iter().map(needs).fold(30.0, f64::max);
        Rows { left: (longest + 2.0).min(across * 0.4) + MARGIN + GAP, top, pitch }
    }

    /// The middle of a row.
    pub(crate) fn middle(&self, row: usize) -> f64 {
        self.top + (row as f64 + 0.5) * self.pitch
    }

    /// The bottom of the last of `n` rows.
    pub(crate) fn bottom(&self, n: usize) -> f64 {
        self.top + n as f64 * self.pitch
    }

    /// Writes the names.
    pub(crate) fn draw(&self, scene: &mut Scene, names: &[Name]) {
        let room = self.left - MARGIN - GAP;
        for (row, name) in names.iter().enumerate() {
            let lift = if name.legend.is_empty() { 0.0 } else { 7.0 };
            let at = (self.left - GAP, self.middle(row) + 4.6 - lift);
            scene.push(written(name, at, room));
            if !name.legend.is_empty() {
                scene.push(legend(&name.legend, (self.left - GAP, self.middle(row) + 11.5), room));
            }
        }
    }
}

/// The name, with its value in a quieter colour, within `room`.
fn written(name: &Name, at: (f64, f64), room: f64) -> Mark {
    let measure = |text: &str| width(text, NAME_SIZE, false);
    let ink = if name.quiet { Ink::Muted } else { Ink::Text };
    let value = name.value.as_ref().map(|value| {
        let whole = format!(" = {value}");
        // A long value leaves the name what it needs, but at least half of the room.
        let rest = (room - measure(&name.name)).max(room * 0.5);
        fit(&whole, NAME_SIZE, false, rest).into_owned()
    });
    let left = room - value.as_deref().map_or(0.0, measure);
    let text = fit(&name.name, NAME_SIZE, false, left).into_owned();
    let mut mark = Mark::text(at, NAME_SIZE, text).anchor(Anchor::End).fill(ink).class("label");
    if let Some(value) = value {
        mark = mark.span(value, Ink::Muted);
    }
    // The fill of a text is that of its first part.
    mark.tip(name.full())
}

/// Dots with the names of categories; those that do not fit are left out behind an ellipsis.
fn legend(entries: &[(String, Ink)], at: (f64, f64), room: f64) -> Mark {
    let mut mark = Mark::text(at, LEGEND_SIZE, "").anchor(Anchor::End).class("legend");
    let mut left = room;
    let mut spans = Vec::new();
    for (i, (name, ink)) in entries.iter().enumerate() {
        let text = fit(name, LEGEND_SIZE, false, LEGEND_ENTRY).into_owned();
        // What has no colour has no dot.
        let dot = if *ink == Ink::Missing { "" } else { "● " };
        let needs = width(dot, LEGEND_SIZE, false) + width(&text, LEGEND_SIZE, false) + if i == 0 { 0.0 } else { 6.0 };
        let reserve = if i + 1 < entries.len() { width("  …", LEGEND_SIZE, false) } else { 0.0 };
        if needs + reserve > left {
            spans.push(Span { text: if i == 0 { "…".into() } else { "  …".into() }, ink: Ink::Muted });
            break;
        }
        left -= needs;
        spans.push(Span { text: format!("{}{dot}", if i == 0 { "" } else { "  " }), ink: *ink });
        spans.push(Span { text, ink: Ink::Muted });
    }
    if let crate::scene::Shape::Text(letters) = &mut mark.shape {
        letters.spans = spans;
    }
    mark
}

/// Draws the title of a chart and says how much room it takes.
pub(crate) fn title(scene: &mut Scene, title: Option<&str>) {
    if let Some(title) = title {
        let text = fit(title, 16.0, true, scene.width - 2.0 * MARGIN).into_owned();
        scene.push(Mark::text((MARGIN, 28.0), 16.0, text).bold().class("title"));
    }
}

/// The room that the title takes.
pub(crate) fn title_room(title: Option<&str>) -> f64 {
    if title.is_some() { 42.0 } else { 10.0 }
}
