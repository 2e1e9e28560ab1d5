//! What features contribute alone and in pairs, as a map.

use ndarray::{Array2, Axis};
use xai_core::{Interactions, Result};

use crate::axis::tame;
use crate::door;
use crate::font::{fit, width};
use crate::number::{Form, of_output, plain_digits};
use crate::rank::{Ranked, sum};
use crate::rows::{NAME_SIZE, Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A row and a column for each feature: on the diagonal what it contributes alone, elsewhere what two contribute
/// together. A pair stands twice, with its whole value in both places.
///
/// With a sample, colours are directions. Without, the mean of |value| over all samples is shown. Colours run to the
/// strongest pair, so that pairs can be told apart beside main effects that are much larger. The row of the others
/// holds sums: on the diagonal that of all terms within.
#[derive(Debug, Clone, PartialEq)]
pub struct InteractionMatrix {
    /// Which sample; the mean over all of them without.
    pub sample: Option<usize>,
    /// Which output.
    pub output: usize,
    /// How many features are shown; the others are gathered in one row and column.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for InteractionMatrix {
    fn default() -> Self {
        InteractionMatrix { sample: None, output: 0, top: 8, width: 720.0, title: None }
    }
}

/// What is drawn: names and numbers, (row, column).
pub(crate) struct Cells {
    pub(crate) names: Vec<Name>,
    pub(crate) values: Array2<f64>,
    /// Whether values have a direction.
    pub(crate) signed: bool,
    /// The places of those that are features of their own.
    pub(crate) own: usize,
}

/// The most that a name above a column takes.
const NAME_ROOM: f64 = 120.0;
/// The size of numbers in cells.
const VALUE_SIZE: f64 = 11.5;
/// Colour below numbers stays so pale that letters keep their contrast.
const BELOW_LETTERS: f64 = 0.6;

impl InteractionMatrix {
    /// Draws the map.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for a sample or output that there is not, `top` 0 or above 200,
    /// an unfit width, and interactions without a sample, feature, output or term; the errors of
    /// [`Interactions::checked`].
    pub fn scene(&self, interactions: &Interactions) -> Result<Scene> {
        let cells = self.cells(interactions)?;
        let n = cells.names.len();
        let limit = limit(&cells);
        let form = Form::of(cells.values.iter().copied());
        let write = |v: f64| if cells.signed { form.signed(v) } else { form.show(v) };

        let room = cells.names.iter().map(|name| width(&name.name, NAME_SIZE, false)).fold(20.0, f64::max);
        let top = title_room(self.title.as_deref()) + room.min(NAME_ROOM) + 14.0;
        let mut rows = Rows::for_names(&cells.names, self.width, top, 1.0);
        let right = self.width - 84.0;
        let column = (right - rows.left) / n as f64;
        rows.pitch = column.clamp(22.0, 44.0);
        let widest = cells.values.iter().map(|v| width(&write(*v), VALUE_SIZE, false)).fold(0.0, f64::max);
        let numbers = widest + 4.0 <= column;
        let bottom = rows.bottom(n);

        let output = of_output(&interactions.outputs[self.output]);
        let what = if cells.signed { "contributions" } else { "mean |contribution|" };
        let label = format!("Map of {what} of features and pairs to {}: {}", readable(&output), strongest(&cells));
        let mut scene = Scene::new(self.width, bottom + 58.0, label);
        title(&mut scene, self.title.as_deref());
        rows.draw(&mut scene, &cells.names);
        for (j, name) in cells.names.iter().enumerate() {
            let text = fit(&name.name, NAME_SIZE, false, NAME_ROOM).into_owned();
            let at = (rows.left + column * (j as f64 + 0.5) + 4.6, top - 8.0);
            let ink = if name.quiet { Ink::Muted } else { Ink::Text };
            scene.push(Mark::text(at, NAME_SIZE, text).vertical().fill(ink).tip(name.full()).class("column"));
        }
        let strength = if numbers { BELOW_LETTERS } else { 1.0 };
        for ((i, j), &value) in cells.values.indexed_iter() {
            let (x, y) = (rows.left + column * j as f64, rows.middle(i) - rows.pitch / 2.0);
            let (wide, tall) = (column - 1.5, rows.pitch - 1.5);
            scene.push(Mark::rect(x, y, wide, tall).fill(Ink::Grid).opacity(0.35).class("back"));
            let part = if limit > 0.0 { (value / limit).clamp(-1.0, 1.0) } else { 0.0 };
            let tip = match i == j {
                true => format!("{}: {}", cells.names[i].name, plain_digits(value, 4)),
                false => format!("{} × {}: {}", cells.names[i].name, cells.names[j].name, plain_digits(value, 4)),
            };
            let cell = Mark::rect(x, y, wide, tall).fill(ink(part, cells.signed)).opacity(part.abs() * strength);
            scene.push(cell.tip(tip).class("cell"));
            if i == j {
                let frame = Mark::rect(x + 0.5, y + 0.5, wide - 1.0, tall - 1.0).stroke(Ink::Axis, 1.0);
                scene.push(frame.class("diagonal"));
            }
            if numbers {
                let at = (x + wide / 2.0, rows.middle(i) + 3.4);
                let text = Mark::text(at, VALUE_SIZE, write(value)).anchor(Anchor::Middle);
                scene.push(text.class("value"));
            }
        }
        caption(&mut scene, self.captions(interactions, &output), (rows.left, right), bottom);
        key(&mut scene, (right + 20.0, rows.top), (bottom - rows.top).clamp(60.0, 240.0), limit, &cells, strength);
        Ok(scene)
    }

    /// What a reader must know, in two lines.
    fn captions(&self, interactions: &Interactions, output: &str) -> [String; 2] {
        let index = interactions.index;
        let what = match self.sample {
            Some(sample) => format!("{index}, contribution to {output}, sample {sample}"),
            None => format!("{index}, mean |contribution| to {output}, {} samples", interactions.n_samples()),
        };
        let larger = interactions.terms.iter().filter(|term| term.len() > 2).count();
        let pairs = "diagonal: alone · elsewhere: the whole of a pair";
        match larger {
            0 => [what, pairs.to_owned()],
            n => [what, format!("{pairs} · {n} larger sets are not shown")],
        }
    }

    /// The names and numbers, strongest features first.
    pub(crate) fn cells(&self, interactions: &Interactions) -> Result<Cells> {
        door::interactions(interactions)?;
        door::index("output", self.output, interactions.outputs.len())?;
        door::width(self.width)?;
        if !(1..=200).contains(&self.top) {
            return Err(xai_core::Error::parameter("top", self.top, "1 to 200"));
        }
        if let Some(sample) = self.sample {
            door::index("sample", sample, interactions.n_samples())?;
        }
        let terms = term_sizes(interactions, self.sample, self.output);
        let n = interactions.features.len();
        let mut strength = vec![0.0; n];
        for (term, value) in interactions.terms.iter().zip(&terms).filter(|(term, _)| term.len() < 3) {
            term.iter().for_each(|&f| strength[f] = sum([strength[f], value.abs() / term.len() as f64]));
        }
        let ranked = Ranked::new(|f| strength[f], n, self.top);
        // The place of each feature; all of the rest share the last.
        let mut place = vec![ranked.shown.len(); n];
        ranked.shown.iter().enumerate().for_each(|(i, &f)| place[f] = i);
        let datum = |f: usize| self.sample.and_then(|s| interactions.data.as_ref().map(|data| data[[s, f]]));
        let mut names: Vec<Name> =
            ranked.shown.iter().map(|&f| Name::of(&interactions.features[f], datum(f))).collect();
        if !ranked.rest.is_empty() {
            names.push(Name::quiet(ranked.rest_name()));
        }
        let mut values = Array2::zeros((names.len(), names.len()));
        for (term, &value) in interactions.terms.iter().zip(&terms) {
            let (i, j) = match *term.as_slice() {
                [i] => (place[i], place[i]),
                [i, j] => (place[i], place[j]),
                _ => continue,
            };
            values[[i, j]] = tame(values[[i, j]] + value);
            values[[j, i]] = values[[i, j]];
        }
        Ok(Cells { names, values, signed: self.sample.is_some(), own: ranked.shown.len() })
    }
}

/// The value of every term for one sample, or its mean size over all: (term).
pub(crate) fn term_sizes(interactions: &Interactions, sample: Option<usize>, output: usize) -> Vec<f64> {
    let values = interactions.values.index_axis(Axis(2), output);
    let samples = interactions.n_samples() as f64;
    match sample {
        Some(sample) => values.row(sample).iter().map(|v| tame(*v)).collect(),
        None => values.columns().into_iter().map(|c| sum(c.iter().map(|v| v.abs() / samples))).collect(),
    }
}

/// Where colour is strongest: at the strongest pair of features shown; where there is none, at the strongest cell.
fn limit(cells: &Cells) -> f64 {
    let largest = |only: &dyn Fn(usize, usize) -> bool| {
        let sizes = cells.values.indexed_iter().filter(|((i, j), _)| only(*i, *j)).map(|(_, v)| v.abs());
        sizes.fold(0.0, f64::max)
    };
    match largest(&|i, j| i != j && i.max(j) < cells.own) {
        0.0 => largest(&|_, _| true),
        limit => limit,
    }
}

fn ink(value: f64, signed: bool) -> Ink {
    match (signed, value < 0.0) {
        (false, _) => Ink::Accent,
        (true, true) => Ink::Down,
        (true, false) => Ink::Up,
    }
}

/// The strongest pair in words, for readers who cannot see the picture.
fn strongest(cells: &Cells) -> String {
    let pairs = cells.values.indexed_iter().filter(|((i, j), _)| i < j);
    match pairs.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) {
        Some(((i, j), v)) => {
            format!("the strongest pair is {} × {}, {}", cells.names[i].name, cells.names[j].name, plain_digits(*v, 3))
        }
        None => "one feature".to_owned(),
    }
}

fn caption(scene: &mut Scene, lines: [String; 2], (left, right): (f64, f64), bottom: f64) {
    for (line, text) in lines.into_iter().enumerate() {
        let text = fit(&text, 12.0, false, scene.width - 16.0).into_owned();
        let half = width(&text, 12.0, false) / 2.0;
        let middle = ((left + right) / 2.0).clamp(8.0 + half, (scene.width - 8.0 - half).max(8.0 + half));
        let at = (middle, bottom + 24.0 + 18.0 * line as f64);
        scene.push(Mark::text(at, 12.0, text).anchor(Anchor::Middle).fill(Ink::Muted).class("axis"));
    }
}

/// The colours, from the strongest up to the strongest down; beyond them, colour grows no stronger.
fn key(scene: &mut Scene, (x, y): (f64, f64), height: f64, limit: f64, cells: &Cells, strength: f64) {
    const PARTS: usize = 31;
    let part = height / PARTS as f64;
    let lowest = if cells.signed { -1.0 } else { 0.0 };
    for i in 0..PARTS {
        let at = 1.0 - (1.0 - lowest) * i as f64 / (PARTS - 1) as f64;
        let cell = Mark::rect(x, y + part * i as f64, 10.0, part).fill(ink(at, cells.signed));
        scene.push(cell.opacity(at.abs() * strength).class("colours"));
    }
    let beyond = cells.values.iter().any(|v| v.abs() > limit);
    let digits = plain_digits(limit, 2);
    let mut marks = vec![(if beyond { "≥ " } else { "" }, digits.as_str(), y + 8.0)];
    if cells.signed {
        marks.push(("", "0", y + height / 2.0 + 4.0));
        marks.push((if beyond { "≤ −" } else { "−" }, digits.as_str(), y + height));
    } else {
        marks.push(("", "0", y + height));
    }
    for (sign, digits, y) in marks {
        let text = if limit == 0.0 { "0".to_owned() } else { format!("{sign}{digits}") };
        let text = fit(&text, 11.0, false, scene.width - x - 18.0).into_owned();
        scene.push(Mark::text((x + 15.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
    }
}
