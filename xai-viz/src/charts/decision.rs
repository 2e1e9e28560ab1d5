//! How scores build up, feature by feature, for many samples at once.

use xai_core::{Attribution, Result};

use crate::axis::{self, BELOW, Linear, tame};
use crate::charts::waterfall::base_name;
use crate::door;
use crate::number::{of_output, plain_digits};
use crate::rank::{Ranked, mean_size, of_output as values_of, sum};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A line for each sample: it starts at the base, at the bottom, and adds one feature a row, up to the score.
///
/// The line's colour is its score; lines that end alike but run apart got there for different reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Which output.
    pub output: usize,
    /// A sample whose line stands out.
    pub highlight: Option<usize>,
    /// How many features are shown; the others are added up in one row.
    pub top: usize,
    /// How many samples are drawn at most: of more, every k-th by score, and the picture says so.
    pub most_samples: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Decision {
    fn default() -> Self {
        Decision { output: 0, highlight: None, top: 12, most_samples: 150, width: 720.0, title: None }
    }
}

const PITCH: f64 = 30.0;

impl Decision {
    /// Draws all samples.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for an output or sample that there is not, `top` or
    /// `most_samples` 0 and an unfit width; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        door::attribution(a)?;
        door::index("output", self.output, a.outputs.len())?;
        door::positive("top", self.top)?;
        door::positive("most_samples", self.most_samples)?;
        door::width(self.width)?;
        if let Some(sample) = self.highlight {
            door::index("highlight", sample, a.n_samples())?;
        }
        let mean = mean_size(a);
        let ranked = Ranked::new(|f| mean[[f, self.output]], a.features.len(), self.top);
        let data = |f: usize| self.highlight.and_then(|s| a.data.as_ref().map(|data| data[[s, f]]));
        let mut names: Vec<Name> = ranked.shown.iter().map(|&f| Name::of(&a.features[f], data(f))).collect();
        if !ranked.rest.is_empty() {
            names.push(Name::quiet(ranked.rest_name()));
        }
        let samples = self.samples(a);
        let paths: Vec<Vec<f64>> = samples.iter().map(|&s| path(a, s, self.output, &ranked)).collect();

        let top = title_room(self.title.as_deref()) + 8.0;
        let rows = Rows::for_names(&names, self.width, top, PITCH);
        let bottom = rows.bottom(names.len());
        let scale = Linear::around(paths.iter().flatten().copied(), rows.left + 4.0, self.width - 16.0).padded(0.03);
        let output = of_output(&a.outputs[self.output]);
        let label = format!("Decision paths to {} of {} samples", readable(&output), samples.len());
        let mut scene = Scene::new(self.width, bottom + BELOW, label);
        title(&mut scene, self.title.as_deref());
        let heading = match samples.len() < a.n_samples() {
            true => {
                axis::with_note(&output, &format!("{} of {} samples drawn", samples.len(), a.n_samples()), self.width)
            }
            false => output,
        };
        axis::below(&mut scene, &scale, &scale.ticks(6), (rows.top, bottom), &heading);
        for row in 0..names.len() {
            let y = rows.bottom(row);
            scene.push(Mark::line((rows.left, y), (self.width - 16.0, y), Ink::Grid).dashed(1.0, 4.0).class("grid"));
        }
        rows.draw(&mut scene, &names);
        let base = a.base.column(self.output).iter().map(|b| tame(*b) / a.n_samples() as f64).sum::<f64>();
        let x = scale.at(base);
        scene.push(Mark::line((x, rows.top), (x, bottom), Ink::Axis).class("zero"));
        let text = format!("{} = {}", base_name(a), plain_digits(base, 3));
        let right = x + 6.0 + crate::font::width(&text, 11.0, false) < self.width;
        let (at, anchor) = if right { (x + 5.0, Anchor::Start) } else { (x - 5.0, Anchor::End) };
        let (low, high) = paths.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), path| {
            let end = path.last().copied().unwrap_or(0.0);
            (l.min(end), h.max(end))
        });
        let thin = if samples.len() > 40 { 0.45 } else { 0.8 };
        for (&sample, path) in samples.iter().zip(&paths) {
            let points: Vec<(f64, f64)> =
                path.iter().enumerate().map(|(i, &v)| (scale.at(v), rows.bottom(names.len() - i))).collect();
            let end = path.last().copied().unwrap_or(0.0);
            let part = if high > low { (end - low) / (high - low) } else { 0.5 };
            let tip = format!("sample {sample}: {}", plain_digits(end, 4));
            let line = match self.highlight {
                Some(chosen) if chosen == sample => Mark::polyline(points, Ink::Text, 2.6),
                Some(_) => Mark::polyline(points, Ink::Value(part), 1.1).opacity(thin * 0.6),
                None => Mark::polyline(points, Ink::Value(part), 1.3).opacity(thin),
            };
            scene.push(line.tip(tip).class("line"));
        }
        scene.push(Mark::text((at, bottom - 6.0), 11.0, text).anchor(anchor).fill(Ink::Muted).class("score"));
        Ok(scene)
    }

    /// The samples that are drawn, the highlighted one last, above all others.
    fn samples(&self, a: &Attribution) -> Vec<usize> {
        let n = a.n_samples();
        let score = |s: usize| a.scores[[s, self.output]];
        let mut samples: Vec<usize> = (0..n).collect();
        samples.sort_by(|&x, &y| score(x).total_cmp(&score(y)).then(x.cmp(&y)));
        if n > self.most_samples {
            samples = (0..self.most_samples).map(|i| samples[i * n / self.most_samples]).collect();
        }
        if let Some(chosen) = self.highlight {
            samples.retain(|&s| s != chosen);
            samples.push(chosen);
        }
        samples
    }
}

/// The sums from the base, at the bottom, to the score.
fn path(a: &Attribution, sample: usize, output: usize, ranked: &Ranked) -> Vec<f64> {
    let values = values_of(a, output);
    let mut at = tame(a.base[[sample, output]]);
    let mut path = vec![at];
    let rest = (!ranked.rest.is_empty()).then(|| sum(ranked.rest.iter().map(|&f| values[[sample, f]])));
    for value in rest.into_iter().chain(ranked.shown.iter().rev().map(|&f| values[[sample, f]])) {
        at = tame(at + tame(value));
        path.push(at);
    }
    path
}
