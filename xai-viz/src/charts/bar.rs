//! How much each feature contributes: on average over samples, or to one sample.

use xai_core::{Attribution, Result};

use crate::axis::{self, BELOW, Linear, tame};
use crate::charts::waterfall::whisker;
use crate::door;
use crate::font::{fit, width};
use crate::number::{Form, of_output, plain_digits};
use crate::rank::{Ranked, mean_size, sum};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A bar for each feature.
///
/// Without a sample, its length is the mean of |value| over all samples: how much the feature matters, whatever the
/// direction; with several outputs, these are stacked. With a sample, it is the feature's contribution to that one.
/// The row of the others holds their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Which sample; all of them without.
    pub sample: Option<usize>,
    /// Which output; without, all are stacked, or the only one is shown for a sample.
    pub output: Option<usize>,
    /// How many features are shown; the others are gathered in one row.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Bar {
    fn default() -> Self {
        Bar { sample: None, output: None, top: 10, width: 720.0, title: None }
    }
}

/// A row: a bar of one part or several.
pub(crate) struct Row {
    pub(crate) name: Name,
    pub(crate) parts: Vec<f64>,
    pub(crate) error: Option<f64>,
}

const VALUE_SIZE: f64 = 12.0;
const PITCH: f64 = 30.0;
const HALF: f64 = 9.5;

impl Bar {
    /// Draws the bars.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for a sample or output that there is not, a sample without an
    /// output where there are several, `top` 0 and an unfit width; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        let rows = self.rows(a)?;
        let outputs = self.outputs(a);
        let stacked = outputs.len() > 1;
        let unit = match outputs.as_slice() {
            [one] => of_output(&a.outputs[*one]),
            _ => a.outputs[0].scale.label().to_owned(),
        };
        let heading = match (self.sample, unit.as_str()) {
            (Some(_), unit) => format!("contribution to {unit}"),
            (None, "") => "mean |contribution|".to_owned(),
            (None, unit) => format!("mean |contribution| to {unit}"),
        };
        let names: Vec<String> = outputs.iter().map(|&o| readable(&a.outputs[o].name)).collect();
        let label = format!("Bars, {heading}: {}", largest(&rows));
        let style = Style {
            across: self.width,
            title: self.title.as_deref(),
            heading: &heading,
            legend: if stacked { &names } else { &[] },
            signed: self.sample.is_some(),
        };
        Ok(draw(&rows, &style, label))
    }

    fn outputs(&self, a: &Attribution) -> Vec<usize> {
        self.output.map_or_else(|| (0..a.outputs.len()).collect(), |output| vec![output])
    }

    /// The rows, most important first.
    pub(crate) fn rows(&self, a: &Attribution) -> Result<Vec<Row>> {
        door::attribution(a)?;
        door::positive("top", self.top)?;
        door::width(self.width)?;
        if let Some(output) = self.output {
            door::index("output", output, a.outputs.len())?;
        }
        let outputs = self.outputs(a);
        let Some(sample) = self.sample else {
            let mean = mean_size(a);
            let parts = |f: usize| -> Vec<f64> { outputs.iter().map(|&o| mean[[f, o]]).collect() };
            let ranked = Ranked::new(|f| sum(parts(f)), a.features.len(), self.top);
            let name = |f: usize| Name::of(&a.features[f], None);
            let gather = |rest: &[usize]| {
                let part = |&o: &usize| sum(rest.iter().map(|&f| mean[[f, o]]));
                outputs.iter().map(part).collect()
            };
            return Ok(assemble(&ranked, name, parts, |_| None, gather));
        };
        door::index("sample", sample, a.n_samples())?;
        let [output] = outputs[..] else {
            let expected = format!("one of the {} outputs, for a single sample", a.outputs.len());
            return Err(xai_core::Error::parameter("output", "none", expected));
        };
        let value = |f: usize| tame(a.values[[sample, f, output]]);
        let ranked = Ranked::new(|f| value(f).abs(), a.features.len(), self.top);
        let name = |f: usize| Name::of(&a.features[f], a.data.as_ref().map(|data| data[[sample, f]]));
        let error = |f: usize| a.standard_error.as_ref().map(|e| e[[sample, f, output]]);
        let gather = |rest: &[usize]| vec![sum(rest.iter().map(|&f| value(f)))];
        Ok(assemble(&ranked, name, |f| vec![value(f)], error, gather))
    }
}

fn assemble(
    ranked: &Ranked,
    name: impl Fn(usize) -> Name,
    parts: impl Fn(usize) -> Vec<f64>,
    error: impl Fn(usize) -> Option<f64>,
    gather: impl Fn(&[usize]) -> Vec<f64>,
) -> Vec<Row> {
    let usable = |e: &f64| e.is_finite() && *e > 0.0;
    let mut rows: Vec<Row> = ranked
        .shown
        .iter()
        .map(|&f| Row { name: name(f), parts: parts(f), error: error(f).filter(usable).map(|e| 2.0 * e) })
        .collect();
    if !ranked.rest.is_empty() {
        rows.push(Row { name: Name::quiet(ranked.rest_name()), parts: gather(&ranked.rest), error: None });
    }
    rows
}

/// The names and numbers of the first rows, for readers who cannot see the picture.
pub(crate) fn largest(rows: &[Row]) -> String {
    let one = |row: &Row| format!("{} {}", row.name.full(), plain_digits(sum(row.parts.iter().copied()), 3));
    rows.iter().take(3).map(one).collect::<Vec<_>>().join(", ")
}

/// What a bar chart looks like besides its rows.
pub(crate) struct Style<'a> {
    pub(crate) across: f64,
    pub(crate) title: Option<&'a str>,
    /// The title of the axis.
    pub(crate) heading: &'a str,
    /// The names of the parts of stacked bars.
    pub(crate) legend: &'a [String],
    /// Whether the bars have a direction.
    pub(crate) signed: bool,
}

/// Draws rows of bars from zero.
pub(crate) fn draw(bars: &[Row], style: &Style, label: String) -> Scene {
    let names: Vec<Name> = bars.iter().map(|row| row.name.clone()).collect();
    let legend = legend_lines(style.legend, style.across);
    let top = title_room(style.title) + 20.0 * legend.len() as f64 + if legend.is_empty() { 0.0 } else { 6.0 };
    let rows = Rows::for_names(&names, style.across, top, PITCH);
    let bottom = rows.bottom(bars.len()) + 4.0;
    let total = |row: &Row| sum(row.parts.iter().copied());
    let form = Form::of(bars.iter().map(total));
    let write = |row: &Row| if style.signed { form.signed(total(row)) } else { form.show(total(row)) };
    let text = bars.iter().map(|row| width(&write(row), VALUE_SIZE, true)).fold(0.0, f64::max) + 10.0;
    // On a narrow picture the bars keep a fifth of the room; numbers then lie over them.
    let text = text.min((style.across - 14.0 - rows.left) * 0.4);
    let reach = |row: &Row| [total(row) - row.error.unwrap_or(0.0), total(row) + row.error.unwrap_or(0.0)];
    let ends = bars.iter().flat_map(reach).chain([0.0]);
    let mut scale = Linear::around(ends.clone(), rows.left, style.across - 14.0);
    if bars.iter().all(|row| total(row) == 0.0) {
        (scale.low, scale.high) = (if style.signed { -1.0 } else { 0.0 }, 1.0);
    }
    let negative = scale.low < 0.0;
    let scale = scale.on(rows.left + if negative { text } else { 0.0 }, style.across - 14.0 - text);

    let mut scene = Scene::new(style.across, bottom + BELOW, label);
    title(&mut scene, style.title);
    let ticks = scale.ticks(5);
    axis::below(&mut scene, &scale, &ticks, (rows.top, bottom), style.heading);
    draw_legend(&mut scene, &legend, title_room(style.title));
    rows.draw(&mut scene, &names);
    let zero = scale.at(0.0);
    scene.push(Mark::line((zero, rows.top), (zero, bottom), Ink::Axis).class("zero"));
    for (i, row) in bars.iter().enumerate() {
        let y = rows.middle(i);
        let mut at = 0.0;
        for (p, &part) in row.parts.iter().enumerate() {
            let (x0, x1) = (scale.at(at), scale.at(tame(at + part)));
            at = tame(at + part);
            let ink = match part {
                _ if !style.legend.is_empty() => Ink::Series(p),
                _ if !style.signed => Ink::Accent,
                v if v < 0.0 => Ink::Down,
                _ => Ink::Up,
            };
            let whose = style.legend.get(p).map_or(String::new(), |name| format!(", {name}"));
            let tip = format!(
                "{}{whose}: {}",
                row.name.full(),
                if style.signed { form.signed(part) } else { form.show(part) }
            );
            let bar = Mark::rect(x0.min(x1), y - HALF, (x1 - x0).abs(), 2.0 * HALF);
            let muted = if row.name.quiet && style.legend.is_empty() { 0.55 } else { 1.0 };
            scene.push(bar.fill(ink).opacity(muted).tip(tip).class("bar"));
        }
        let (x, [low, high]) = (scale.at(at), reach(row).map(|v| scale.at(v)));
        if row.error.is_some() {
            whisker(&mut scene, [low, high], y);
        }
        let value = Mark::text((0.0, 0.0), VALUE_SIZE, write(row)).bold().class("value");
        scene.push(if at < 0.0 {
            let end = (low.min(x) - 6.0).max(width(&write(row), VALUE_SIZE, true) + 4.0);
            at_place(value.anchor(Anchor::End), (end, y + 4.3))
        } else {
            let start = (high.max(x) + 6.0).min(style.across - 4.0 - width(&write(row), VALUE_SIZE, true));
            at_place(value, (start, y + 4.3))
        });
    }
    scene
}

fn at_place(mut mark: Mark, at: (f64, f64)) -> Mark {
    if let crate::scene::Shape::Text(text) = &mut mark.shape {
        text.at = at;
    }
    mark
}

/// The entries of a legend, line by line, with their places.
pub(crate) fn legend_lines(names: &[String], across: f64) -> Vec<Vec<(f64, usize, String)>> {
    let mut lines: Vec<Vec<(f64, usize, String)>> = Vec::new();
    let mut x = f64::INFINITY;
    for (i, name) in names.iter().enumerate() {
        let text = fit(name, 12.0, false, 180.0).into_owned();
        let needs = 18.0 + width(&text, 12.0, false) + 14.0;
        if x + needs > across {
            lines.push(Vec::new());
            x = 12.0;
        }
        if let Some(line) = lines.last_mut() {
            line.push((x, i, text));
        }
        x += needs;
    }
    lines
}

/// Draws a legend from `top` on.
pub(crate) fn draw_legend(scene: &mut Scene, lines: &[Vec<(f64, usize, String)>], top: f64) {
    for (row, line) in lines.iter().enumerate() {
        let y = top + 20.0 * row as f64 + 8.0;
        for (x, i, text) in line {
            scene.push(Mark::rect(*x, y - 9.0, 11.0, 11.0).rounded(2.0).fill(Ink::Series(*i)).class("legend"));
            scene.push(Mark::text((x + 17.0, y + 0.5), 12.0, text.as_str()).fill(Ink::Muted).class("legend"));
        }
    }
}
