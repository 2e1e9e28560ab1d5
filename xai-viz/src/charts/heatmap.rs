//! All contributions to all samples, as a map.

use xai_core::{Attribution, Result};

use crate::axis::{self, Linear, tame};
use crate::door;
use crate::number::{Form, of_output, plain, plain_digits};
use crate::rank::{Ranked, mean_size, of_output as values_of, sum};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A column for each sample and a row for each feature; the colour of a cell is the direction of the contribution,
/// its strength the size. The line above is the score of each sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// Which output.
    pub output: usize,
    /// How the samples are ordered.
    pub order: Order,
    /// How many features are shown; the contributions of the others are added up in one row.
    pub top: usize,
    /// How many samples are drawn at most: of more, every k-th, and the picture says so.
    pub most_samples: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Heatmap {
    fn default() -> Self {
        Heatmap { output: 0, order: Order::Clustered, top: 12, most_samples: 300, width: 760.0, title: None }
    }
}

/// An order of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Samples with similar explanations side by side (average linkage on the contributions).
    Clustered,
    /// By score, ascending.
    Score,
    /// As in the data.
    Data,
}

const PITCH: f64 = 24.0;
const LINE: f64 = 64.0;

impl Heatmap {
    /// Draws all samples.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for an output that there is not, `top` or `most_samples` 0 or
    /// above 2,000, and an unfit width; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        door::attribution(a)?;
        door::index("output", self.output, a.outputs.len())?;
        door::positive("top", self.top)?;
        door::width(self.width)?;
        if !(1..=2000).contains(&self.most_samples) {
            return Err(xai_core::Error::parameter("most_samples", self.most_samples, "1 to 2000"));
        }
        let mean = mean_size(a);
        let ranked = Ranked::new(|f| mean[[f, self.output]], a.features.len(), self.top);
        let samples = self.samples(a);
        let values = values_of(a, self.output);
        let mut names: Vec<Name> = ranked.shown.iter().map(|&f| Name::of(&a.features[f], None)).collect();
        let mut cells: Vec<Vec<f64>> =
            ranked.shown.iter().map(|&f| samples.iter().map(|&s| values[[s, f]]).collect()).collect();
        if !ranked.rest.is_empty() {
            names.push(Name::quiet(format!("sum of {}", ranked.rest_name())));
            cells.push(samples.iter().map(|&s| sum(ranked.rest.iter().map(|&f| values[[s, f]]))).collect());
        }
        let top = title_room(self.title.as_deref()) + LINE + 14.0;
        let mut rows = Rows::for_names(&names, self.width, top, PITCH);
        // The scores of the line above stand in the same column.
        rows.left = rows.left.max(72.0);
        let right = self.width - 84.0;
        let bottom = rows.bottom(names.len());
        let column = (right - rows.left) / samples.len() as f64;
        // The strongest hundredth of the cells is as strong as colour goes, so that one outlier pales nothing.
        let limit = limit(&cells);

        let output = of_output(&a.outputs[self.output]);
        let label = format!("Heat map of contributions to {} of {} samples", readable(&output), samples.len());
        let mut scene = Scene::new(self.width, bottom + 40.0, label);
        title(&mut scene, self.title.as_deref());
        rows.draw(&mut scene, &names);
        for (row, cells) in cells.iter().enumerate() {
            draw_row(
                &mut scene,
                cells,
                (rows.left, rows.middle(row) - PITCH / 2.0 + 0.75),
                column,
                limit,
                &samples,
                &names[row].name,
            );
        }
        let scores: Vec<f64> = samples.iter().map(|&s| a.scores[[s, self.output]]).collect();
        line_above(&mut scene, &scores, (rows.left, right), column, top, a.base.column(self.output).mean());
        let caption = match (samples.len() == a.n_samples(), self.order) {
            (true, Order::Clustered) => format!("{} samples, similar explanations side by side", samples.len()),
            (true, Order::Score) => format!("{} samples by f(x)", samples.len()),
            (true, Order::Data) => format!("{} samples in the order of the data", samples.len()),
            (false, _) => format!("{} of {} samples drawn", samples.len(), a.n_samples()),
        };
        let middle = (rows.left + right) / 2.0;
        let caption = crate::font::fit(&caption, 12.0, false, right - rows.left).into_owned();
        let mark = Mark::text((middle, bottom + 24.0), 12.0, caption).anchor(Anchor::Middle).fill(Ink::Muted);
        scene.push(mark.class("axis"));
        key(&mut scene, (right + 20.0, rows.top), (bottom - rows.top).clamp(60.0, 240.0), limit);
        Ok(scene)
    }

    fn samples(&self, a: &Attribution) -> Vec<usize> {
        let n = a.n_samples();
        let mut samples: Vec<usize> = (0..n).collect();
        let score = |s: usize| a.scores[[s, self.output]];
        if self.order == Order::Score {
            samples.sort_by(|&x, &y| score(x).total_cmp(&score(y)).then(x.cmp(&y)));
        }
        if n > self.most_samples {
            samples = (0..self.most_samples).map(|i| samples[i * n / self.most_samples]).collect();
        }
        if self.order == Order::Clustered {
            let chosen = values_of(a, self.output).select(ndarray::Axis(0), &samples);
            samples = crate::cluster::order(chosen.view()).into_iter().map(|i| samples[i]).collect();
        }
        samples
    }
}

/// The 99th percentile of the sizes, or the largest where that is zero.
fn limit(cells: &[Vec<f64>]) -> f64 {
    let mut sizes: Vec<f64> = cells.iter().flatten().map(|v| tame(*v).abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let largest = sizes.last().copied().unwrap_or(0.0);
    let quantile = sizes.get(sizes.len() * 99 / 100).copied().unwrap_or(largest);
    if quantile > 0.0 { quantile } else { largest }
}

/// Neighbours that look alike are one rectangle.
fn draw_row(
    scene: &mut Scene,
    cells: &[f64],
    (x, y): (f64, f64),
    column: f64,
    limit: f64,
    samples: &[usize],
    name: &str,
) {
    const STEPS: f64 = 24.0;
    let strength = |v: f64| if limit > 0.0 { (v / limit).clamp(-1.0, 1.0) * STEPS } else { 0.0 }.round();
    let back = Mark::rect(x, y, column * cells.len() as f64, PITCH - 1.5).fill(Ink::Grid).opacity(0.35);
    scene.push(back.class("row"));
    let mut start = 0;
    while start < cells.len() {
        let level = strength(cells[start]);
        let run = cells[start..].iter().take_while(|v| strength(**v) == level).count();
        if level != 0.0 {
            let ink = if level > 0.0 { Ink::Up } else { Ink::Down };
            // A hair of overlap hides the seams between cells.
            let cell = Mark::rect(x + column * start as f64, y, column * run as f64 + 0.15, PITCH - 1.5);
            let cell = cell.fill(ink).opacity(level.abs() / STEPS).class("cell");
            scene.push(match run {
                1 if cells.len() <= 120 => {
                    cell.tip(format!("sample {}: {name}, {}", samples[start], plain_digits(cells[start], 3)))
                }
                _ => cell,
            });
        }
        start += run;
    }
}

/// The scores above the map, with the base.
fn line_above(
    scene: &mut Scene,
    scores: &[f64],
    (left, right): (f64, f64),
    column: f64,
    bottom: f64,
    base: Option<f64>,
) {
    let scale = Linear::around(scores.iter().copied().chain(base), bottom - 10.0, bottom - LINE + 2.0);
    if let Some(base) = base.filter(|b| b.is_finite()) {
        let y = scale.at(base);
        scene.push(Mark::line((left, y), (right, y), Ink::Axis).dashed(2.0, 3.0).class("guide"));
        let words = format!("base {}", plain_digits(base, 3));
        let words = crate::font::fit(&words, 11.0, false, scene.width - right - 10.0).into_owned();
        let text = Mark::text((right + 6.0, y + 4.0), 11.0, words);
        scene.push(text.fill(Ink::Muted).class("score"));
    }
    let points: Vec<(f64, f64)> =
        scores.iter().enumerate().map(|(i, &v)| (left + column * (i as f64 + 0.5), scale.at(v))).collect();
    scene.push(if points.len() == 1 {
        Mark::circle(points[0], 3.0).fill(Ink::Text).class("line")
    } else {
        Mark::polyline(points, Ink::Text, 1.3).class("line")
    });
    let name = Mark::text((left - 12.0, bottom - LINE / 2.0 + 2.0), 13.0, "f(x)").anchor(Anchor::End).bold();
    scene.push(name.class("score"));
    let form = Form::of([scale.low, scale.high]);
    for value in [scale.low, scale.high] {
        let at = (left - 8.0, scale.at(value) + 4.0);
        scene.push(
            Mark::text(at, axis::TICK_SIZE, crate::font::fit(&form.show(value), axis::TICK_SIZE, false, left - 12.0))
                .anchor(Anchor::End)
                .fill(Ink::Muted)
                .class("tick"),
        );
    }
}

fn key(scene: &mut Scene, (x, y): (f64, f64), height: f64, limit: f64) {
    const PARTS: usize = 31;
    let part = height / PARTS as f64;
    for i in 0..PARTS {
        let at = 1.0 - 2.0 * i as f64 / (PARTS - 1) as f64;
        let ink = if at >= 0.0 { Ink::Up } else { Ink::Down };
        let cell = Mark::rect(x, y + part * i as f64, 10.0, part).fill(ink).opacity(at.abs());
        scene.push(cell.class("colours"));
    }
    for (value, y) in [(limit, y + 8.0), (0.0, y + height / 2.0 + 4.0), (-limit, y + height)] {
        let text = if value == 0.0 { "0".to_owned() } else { plain(value.signum() * rounded(value.abs())) };
        let text = if value > 0.0 { format!("+{text}") } else { text };
        let text = crate::font::fit(&text, 11.0, false, scene.width - x - 18.0).into_owned();
        scene.push(Mark::text((x + 15.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
    }
}

/// Two significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}
