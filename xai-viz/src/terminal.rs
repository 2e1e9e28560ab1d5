//! Charts as text, for a terminal.

use xai_core::{Attribution, Effects, Importance, Interactions, Result};

use crate::axis::{Linear, tame};
use crate::charts::bar::{Bar, Row};
use crate::charts::curves::{checked, heading};
use crate::charts::importance::ImportanceBars;
use crate::charts::matrix::InteractionMatrix;
use crate::charts::terms::InteractionBars;
use crate::charts::waterfall::{Step, Waterfall, base_name};
use crate::clean::{cells, clean};
use crate::door;
use crate::number::{Form, of_feature, of_output, plain, plain_digits};
use crate::rank::sum;
use crate::rows::{Name, readable};

/// How text is written.
///
/// The caller decides on colour: a program that writes to a terminal turns it on unless the environment holds
/// `NO_COLOR`. Nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// The columns that a line may take.
    pub width: usize,
    /// Whether ANSI colours are written.
    pub colour: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal { width: 80, colour: false }
    }
}

const UP: &str = "\u{1b}[38;5;208m";
const DOWN: &str = "\u{1b}[38;5;39m";
pub(crate) const DIM: &str = "\u{1b}[2m";
pub(crate) const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Terminal {
    /// One score as a sum, line by line.
    ///
    /// # Example
    /// ```
    /// use xai_core::{Attribution, Feature, Output, Provenance, Run};
    /// let attribution = Attribution {
    ///     provenance: Provenance::new("exact-shapley", &Run::default()),
    ///     features: Feature::unnamed(2), outputs: Output::unnamed(1),
    ///     base: ndarray::array![[1.0]], values: ndarray::array![[[0.5], [-2.0]]], scores: ndarray::array![[-0.5]],
    ///     standard_error: None, data: None, fidelity: None, shape: None,
    /// };
    /// let text = xai_viz::Terminal::default().waterfall(&attribution, &xai_viz::Waterfall::default())?;
    /// assert!(text.starts_with("f(x) = −0.5"));
    /// # Ok::<(), xai_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Waterfall::scene`], and [`Error::Parameter`](xai_core::Error::Parameter) for a width below 24.
    pub fn waterfall(&self, a: &Attribution, chart: &Waterfall) -> Result<String> {
        self.checked()?;
        let steps = chart.steps(a)?;
        let form = Form::of(steps.iter().map(|s| s.value));
        let numbers: Vec<String> = steps.iter().map(|s| form.signed(s.value)).collect();
        let names: Vec<&Name> = steps.iter().map(|s| &s.name).collect();
        let (name, number) = (self.name_cells(&names), longest(&numbers));
        let room = self.width.saturating_sub(name + number + 2).max(1);
        let scale = Linear::around(steps.iter().flat_map(|s| [s.before, s.after()]), 0.0, room as f64);
        let (base, score) = (a.base[[chart.sample, chart.output]], a.scores[[chart.sample, chart.output]]);
        let output = of_output(&a.outputs[chart.output]);
        let mut out = self.styled(BOLD, &format!("f(x) = {}", plain_digits(score, 4)));
        out.push_str(&format!("  {}\n", self.styled(DIM, &shortened(&output, self.width.saturating_sub(24)))));
        for (step, text) in steps.iter().zip(&numbers) {
            self.line_start(&mut out, &step.name, name, text, number);
            let bar = span(scale.at(step.before), scale.at(step.after()), room);
            self.bar(&mut out, &bar, ink(step), (step.value < 0.0).then_some('◂').or(Some('▸')));
        }
        let last = format!("{} = {}", base_name(a), plain_digits(base, 4));
        out.push_str(&self.styled(DIM, &last));
        out.push('\n');
        Ok(out)
    }

    /// How much features contribute, on average or to one sample; several outputs are added up.
    ///
    /// # Errors
    /// As [`Bar::scene`], and [`Error::Parameter`](xai_core::Error::Parameter) for a width below 24.
    pub fn bars(&self, a: &Attribution, chart: &Bar) -> Result<String> {
        self.checked()?;
        let rows = chart.rows(a)?;
        Ok(self.rows(&rows, chart.sample.is_some()))
    }

    /// How much features matter to the model.
    ///
    /// # Errors
    /// As [`ImportanceBars::scene`], and [`Error::Parameter`](xai_core::Error::Parameter) for a width below 24.
    pub fn importance(&self, importance: &Importance, chart: &ImportanceBars) -> Result<String> {
        self.checked()?;
        let rows = chart.rows(importance)?;
        let signed = rows.iter().any(|row| row.parts[0] < 0.0);
        Ok(self.rows(&rows, signed))
    }

    /// What sets of features contribute, line by line.
    ///
    /// # Errors
    /// As [`InteractionBars::scene`], and [`Error::Parameter`](xai_core::Error::Parameter) for a width below 24.
    pub fn interactions(&self, interactions: &Interactions, chart: &InteractionBars) -> Result<String> {
        self.checked()?;
        Ok(self.rows(&chart.rows(interactions)?, chart.sample.is_some()))
    }

    /// What features contribute alone and in pairs, as a table of numbers; as many columns as the width holds.
    ///
    /// # Errors
    /// As [`InteractionMatrix::scene`], and [`Error::Parameter`](xai_core::Error::Parameter) for a width below 24.
    pub fn matrix(&self, interactions: &Interactions, chart: &InteractionMatrix) -> Result<String> {
        self.checked()?;
        let cells = chart.cells(interactions)?;
        let form = Form::of(cells.values.iter().copied());
        let write = |v: f64| if cells.signed { form.signed(v) } else { form.show(v) };
        let numbers: Vec<String> = cells.values.iter().map(|&v| write(v)).collect();
        let names: Vec<&Name> = cells.names.iter().collect();
        let (name, n) = (self.name_cells(&names), names.len());
        let column = longest(&numbers).max(7) + 1;
        let shown = (self.width.saturating_sub(name) / column).clamp(1, n);
        let head = cells.names[..shown].iter().map(|c| padded_left(&shortened(&c.name, column - 1), column));
        let mut out = format!("{}{}\n", " ".repeat(name), self.styled(DIM, &head.collect::<String>()));
        for (i, row) in names.iter().enumerate() {
            let text = padded(&shortened(&row.full(), name), name);
            out.push_str(&if row.quiet { self.styled(DIM, &text) } else { text });
            for j in 0..shown {
                let text = padded_left(&numbers[i * n + j], column);
                let ink = if cells.values[[i, j]] < 0.0 { DOWN } else { UP };
                out.push_str(&if i == j { self.styled(BOLD, &text) } else { self.styled(ink, &text) });
            }
            out.push('\n');
        }
        Ok(out)
    }

    /// A curve in Braille dots, `height` lines high; the rows of a categorical feature are bars.
    ///
    /// # Errors
    /// As [`EffectCurve::scene`](crate::EffectCurve::scene), and [`Error::Parameter`](xai_core::Error::Parameter) for a
    /// width below 24 or a height that is not from 2 to 200.
    pub fn curve(&self, effects: &Effects, curve: usize, output: usize, height: usize) -> Result<String> {
        self.checked()?;
        door::index("curve", curve, effects.curves.len())?;
        door::index("output", output, effects.outputs.len())?;
        if !(2..=200).contains(&height) {
            return Err(xai_core::Error::parameter("height", height, "2 to 200 lines"));
        }
        let curve = &effects.curves[curve];
        let [feature] = curve.features.as_slice() else {
            return Err(xai_core::Error::unsupported("a surface as text", "draw it as a picture"));
        };
        checked(curve, effects.outputs.len())?;
        let values: Vec<f64> = curve.values.column(output).to_vec();
        let title = format!("{} · {}", readable(&feature.name), heading(effects, &[output]));
        let mut out = format!("{}\n", self.styled(BOLD, &shortened(&title, self.width)));
        if let xai_core::FeatureKind::Categorical { .. } = feature.kind {
            let row = |(&x, &y): (&f64, &f64)| Row {
                name: Name::quiet(readable(&of_feature(feature, x).unwrap_or_default())),
                parts: vec![y],
                error: None,
            };
            let rows: Vec<Row> = curve.grid[0].iter().zip(&values).filter(|(_, y)| y.is_finite()).map(row).collect();
            out.push_str(&self.rows(&rows, rows.iter().any(|row| row.parts[0] < 0.0)));
            return Ok(out);
        }
        let up = Linear::around(values.iter().copied(), (height * 4 - 1) as f64, 0.0);
        let ends = [plain_digits(up.high, 3), plain_digits(up.low, 3)];
        let margin = longest(&ends);
        let room = self.width.saturating_sub(margin + 2).max(1);
        let across = Linear::around(curve.grid[0].iter().copied(), 0.0, (room * 2 - 1) as f64);
        let dots = dots(&curve.grid[0], &values, &across, &up, room, height);
        for (line, row) in dots.iter().enumerate() {
            let end = match line {
                0 => ends[0].as_str(),
                l if l + 1 == height => ends[1].as_str(),
                _ => "",
            };
            let text: String =
                row.iter().map(|&bits| char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')).collect();
            out.push_str(&format!("{} │{}\n", padded_left(end, margin), self.styled(UP, &text)));
        }
        let (low, high) = (plain(across.low), plain(across.high));
        let gap = room.saturating_sub(measure(&low) + measure(&high)).max(1);
        out.push_str(&format!("{}{low}{}{high}\n", " ".repeat(margin + 2), " ".repeat(gap)));
        Ok(out)
    }

    fn rows(&self, rows: &[Row], signed: bool) -> String {
        let total = |row: &Row| sum(row.parts.iter().copied());
        let form = Form::of(rows.iter().map(total));
        let write = |row: &Row| if signed { form.signed(total(row)) } else { form.show(total(row)) };
        let numbers: Vec<String> = rows.iter().map(write).collect();
        let names: Vec<&Name> = rows.iter().map(|row| &row.name).collect();
        let (name, number) = (self.name_cells(&names), longest(&numbers));
        let room = self.width.saturating_sub(name + number + 2).max(1);
        let scale = Linear::around(rows.iter().map(total).chain([0.0]), 0.0, room as f64);
        let mut out = String::new();
        for (row, text) in rows.iter().zip(&numbers) {
            self.line_start(&mut out, &row.name, name, text, number);
            let ink = if total(row) < 0.0 { DOWN } else { UP };
            self.bar(&mut out, &span(scale.at(0.0), scale.at(tame(total(row))), room), ink, None);
        }
        out
    }

    pub(crate) fn checked(&self) -> Result<()> {
        match self.width {
            24..=1000 => Ok(()),
            width => Err(xai_core::Error::parameter("width", width, "24 to 1000 columns")),
        }
    }

    /// The columns of the names: what the longest takes, at most two fifths.
    fn name_cells(&self, names: &[&Name]) -> usize {
        names.iter().map(|n| measure(&n.full())).max().unwrap_or(0).min(self.width * 2 / 5).max(1)
    }

    fn line_start(&self, out: &mut String, name: &Name, room: usize, number: &str, number_room: usize) {
        let text = padded(&shortened(&name.full(), room), room);
        out.push_str(&if name.quiet { self.styled(DIM, &text) } else { text });
        out.push_str(&format!(" {} ", padded_left(number, number_room)));
    }

    fn bar(&self, out: &mut String, bar: &str, ink: &str, tip: Option<char>) {
        let mut text = bar.trim_end().to_owned();
        if let Some(tip) = tip.filter(|_| text.trim().is_empty()) {
            text.push(tip);
        }
        out.push_str(&self.styled(ink, &text));
        out.push('\n');
    }

    pub(crate) fn styled(&self, style: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
}

fn ink(step: &Step) -> &'static str {
    match step.value {
        _ if step.remainder => DIM,
        v if v < 0.0 => DOWN,
        _ => UP,
    }
}

/// A bar from one column to another, in eighths where it ends.
fn span(from: f64, to: f64, room: usize) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let (low, high) = (from.min(to), from.max(to).min(room as f64));
    let mut line: Vec<char> = vec![' '; room];
    // The left end lies on a whole column: there are blocks that fill from the left, and few from the right.
    let first = (low.round() as usize).min(room.saturating_sub(1));
    let eighths = ((high - low) * 8.0).round() as usize;
    for cell in line.iter_mut().skip(first).take(eighths / 8) {
        *cell = '█';
    }
    if let Some(cell) = line.get_mut(first + eighths / 8).filter(|_| !eighths.is_multiple_of(8)) {
        *cell = PARTS[eighths % 8];
    }
    line.into_iter().collect()
}

/// The dots of a curve: a byte for each character, as Braille numbers them.
fn dots(xs: &[f64], ys: &[f64], across: &Linear, up: &Linear, room: usize, height: usize) -> Vec<Vec<u8>> {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let mut lines = vec![vec![0u8; room]; height];
    let mut set = |x: f64, y: f64| {
        let (x, y) =
            ((x.round().max(0.0) as usize).min(room * 2 - 1), (y.round().max(0.0) as usize).min(height * 4 - 1));
        lines[y / 4][x / 2] |= BITS[x % 2][y % 4];
    };
    let points: Vec<(f64, f64)> = xs
        .iter()
        .zip(ys)
        .filter(|(x, y)| !x.is_nan() && y.is_finite())
        .map(|(x, y)| (across.within(*x), up.within(*y)))
        .collect();
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        let n = (x1 - x0).abs().max((y1 - y0).abs()).ceil().max(1.0) as usize;
        for i in 0..=n {
            let part = i as f64 / n as f64;
            set(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
        }
    }
    if let [(x, y)] = points[..] {
        set(x, y);
    }
    lines
}

/// The columns that `text` takes.
pub(crate) fn measure(text: &str) -> usize {
    clean(text).chars().map(cells).sum()
}

fn longest(texts: &[String]) -> usize {
    texts.iter().map(|text| measure(text)).max().unwrap_or(0)
}

/// `text` in at most `room` columns, its end cut where it is longer.
pub(crate) fn shortened(text: &str, room: usize) -> String {
    let text = clean(text);
    if measure(&text) <= room {
        return text.into_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += cells(*c);
        used <= room
    };
    let head: String = text.chars().take_while(fits).collect();
    format!("{head}…")
}

pub(crate) fn padded(text: &str, room: usize) -> String {
    format!("{text}{}", " ".repeat(room.saturating_sub(measure(text))))
}

pub(crate) fn padded_left(text: &str, room: usize) -> String {
    format!("{}{text}", " ".repeat(room.saturating_sub(measure(text))))
}
