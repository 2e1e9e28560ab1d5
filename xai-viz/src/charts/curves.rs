//! How scores change with one feature.

use ndarray::Axis;
use xai_core::error::same_shape;
use xai_core::{Curve, Effects, Error, FeatureKind, Result};

use crate::axis::{self, BELOW, Linear};
use crate::charts::bar::{draw_legend, legend_lines};
use crate::charts::waterfall::whisker;
use crate::door;
use crate::font::width;
use crate::frame::{FeatureAxis, histogram};
use crate::number::{Form, of_feature, of_output, plain_digits};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Ink, Mark, Scene};

/// A curve of the response to one feature (partial dependence, accumulated local effects), with the curves of single
/// samples where there are any, a band of two standard errors, and bars that show where the data lie.
///
/// A categorical feature has a row for each category instead of a line: there is nothing between two categories.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectCurve {
    /// Which of the curves.
    pub curve: usize,
    /// Which output; all of them without.
    pub output: Option<usize>,
    /// How many curves of single samples are drawn at most: of more, every k-th.
    pub most_individual: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// The height of the picture in pixels; a categorical feature takes what its categories need.
    pub height: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for EffectCurve {
    fn default() -> Self {
        EffectCurve { curve: 0, output: None, most_individual: 100, width: 640.0, height: 400.0, title: None }
    }
}

impl EffectCurve {
    /// Draws one curve.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a curve or output that there is not and an unfit size, [`Error::Unsupported`] for a
    /// surface, [`Error::Shape`] for parts that do not fit together.
    pub fn scene(&self, effects: &Effects) -> Result<Scene> {
        door::index("curve", self.curve, effects.curves.len())?;
        door::width(self.width)?;
        door::height(self.height)?;
        let curve = &effects.curves[self.curve];
        if curve.features.len() != 1 {
            return Err(Error::unsupported(
                format!("a curve of {} features", curve.features.len()),
                "draw it as a surface instead",
            ));
        }
        checked(curve, effects.outputs.len())?;
        if let Some(output) = self.output {
            door::index("output", output, effects.outputs.len())?;
        }
        let outputs: Vec<usize> = self.output.map_or_else(|| (0..effects.outputs.len()).collect(), |o| vec![o]);
        match curve.features[0].kind {
            FeatureKind::Categorical { .. } => Ok(self.categories(effects, curve, &outputs)),
            _ => Ok(self.line(effects, curve, &outputs)),
        }
    }

    fn line(&self, effects: &Effects, curve: &Curve, outputs: &[usize]) -> Scene {
        let grid = &curve.grid[0];
        let feature = &curve.features[0];
        let legend = legend_of(effects, outputs, self.width);
        let top = title_room(self.title.as_deref()) + 20.0 * legend.len() as f64;
        let bottom = self.height - BELOW;
        let error = |p: usize, o: usize| curve.standard_error.as_ref().map_or(0.0, |e| 2.0 * e[[p, o]]);
        let one = outputs.len() == 1;
        let samples = if one { self.individual(curve) } else { Vec::new() };
        let whole = (0..grid.len()).flat_map(|p| {
            outputs.iter().flat_map(move |&o| [curve.values[[p, o]] - error(p, o), curve.values[[p, o]] + error(p, o)])
        });
        let single = samples.iter().flat_map(|&s| {
            let of = curve.individual.as_ref().map(|i| i.index_axis(Axis(0), s).column(outputs[0]).to_vec());
            of.unwrap_or_default()
        });
        let up = Linear::around(whole.chain(single), bottom - 40.0, top + 8.0).padded(0.05);
        let ticks = up.ticks(((bottom - top) / 55.0).max(2.0) as usize);
        let (left, right) = (axis::room_left(&ticks), self.width - 18.0);
        // The edges of the data must not widen the axis beyond the curve.
        let across = FeatureAxis::new(feature, grid.iter().copied(), left + 8.0, right - 8.0);

        let mut scene = Scene::new(self.width, self.height, self.label(effects, curve, outputs));
        title(&mut scene, self.title.as_deref());
        draw_legend(&mut scene, &legend, title_room(self.title.as_deref()));
        across.below(&mut scene, (top, bottom), &readable(&feature.name));
        axis::left(&mut scene, &up, &ticks, (left, right));
        axis::title_left(&mut scene, &heading(effects, outputs), (top, bottom));
        if let Some(distribution) = curve.distribution.first() {
            histogram(&mut scene, &across, distribution, bottom, 30.0);
        }
        for &s in &samples {
            let at = |p: usize| curve.individual.as_ref().map_or(f64::NAN, |i| i[[s, p, outputs[0]]]);
            for run in runs(grid, at, &across, &up) {
                let faint = if samples.len() > 30 { 0.4 } else { 0.6 };
                scene.push(Mark::polyline(run, Ink::Missing, 1.0).opacity(faint).class("individual"));
            }
        }
        for &o in outputs {
            let ink = if one { Ink::Accent } else { Ink::Series(o) };
            if curve.standard_error.is_some() {
                let high = runs(grid, |p| curve.values[[p, o]] + error(p, o), &across, &up);
                let low = runs(grid, |p| curve.values[[p, o]] - error(p, o), &across, &up);
                for (mut high, mut low) in high.into_iter().zip(low) {
                    low.reverse();
                    high.append(&mut low);
                    scene.push(Mark::polygon(high).fill(ink).opacity(0.18).class("band"));
                }
            }
            for run in runs(grid, |p| curve.values[[p, o]], &across, &up) {
                scene.push(match run.as_slice() {
                    [point] => Mark::circle(*point, 4.0).fill(ink).class("line"),
                    _ => Mark::polyline(run, ink, 2.4).class("line"),
                });
            }
            for (p, &x) in grid.iter().enumerate().filter(|(p, _)| curve.values[[*p, o]].is_finite()) {
                let tip = format!(
                    "{} = {}: {}",
                    feature.name,
                    of_feature(feature, x).unwrap_or_default(),
                    plain_digits(curve.values[[p, o]], 4)
                );
                let place = (across.at(x), up.within(curve.values[[p, o]]));
                let dot = if x.is_nan() { 4.0 } else { 2.0 };
                scene.push(Mark::circle(place, dot).fill(ink).tip(tip).class("point"));
            }
        }
        scene
    }

    fn categories(&self, effects: &Effects, curve: &Curve, outputs: &[usize]) -> Scene {
        let feature = &curve.features[0];
        let grid = &curve.grid[0];
        let count = |x: f64| {
            let d = curve.distribution.first()?;
            if x.is_nan() {
                return Some(d.missing);
            }
            d.edges.iter().position(|e| *e == x).and_then(|i| d.counts.get(i).copied())
        };
        let names: Vec<Name> = grid
            .iter()
            .map(|&x| {
                let mut name = Name::quiet(readable(&of_feature(feature, x).unwrap_or_default()));
                name.quiet = x.is_nan();
                if let Some(n) = count(x) {
                    let samples = if n == 1 { "1 sample".to_owned() } else { format!("{n} samples") };
                    name.legend = vec![(samples, Ink::Missing)];
                }
                name
            })
            .collect();
        let legend = legend_of(effects, outputs, self.width);
        let top = title_room(self.title.as_deref()) + 20.0 * legend.len() as f64 + 4.0;
        let rows = Rows::for_names(&names, self.width, top, if outputs.len() > 2 { 44.0 } else { 38.0 });
        let bottom = rows.bottom(grid.len()) + 2.0;
        let error = |p: usize, o: usize| curve.standard_error.as_ref().map_or(0.0, |e| 2.0 * e[[p, o]]);
        let ends = (0..grid.len()).flat_map(|p| {
            outputs.iter().flat_map(move |&o| [curve.values[[p, o]] - error(p, o), curve.values[[p, o]] + error(p, o)])
        });
        // Effects are differences from their mean, so zero belongs to the picture.
        let zero = is_difference(effects).then_some(0.0);
        let form = Form::of(outputs.iter().flat_map(|&o| curve.values.column(o).to_vec()));
        let text = |p: usize, o: usize| form.show(curve.values[[p, o]]);
        let room = (0..grid.len()).map(|p| width(&text(p, outputs[0]), 12.0, true)).fold(0.0, f64::max) + 16.0;
        let scale = Linear::around(ends.chain(zero), rows.left + 10.0, self.width - 16.0 - room).padded(0.04);
        let mut scene = Scene::new(self.width, bottom + BELOW, self.label(effects, curve, outputs));
        title(&mut scene, self.title.as_deref());
        draw_legend(&mut scene, &legend, title_room(self.title.as_deref()));
        let words = format!("{} · {}", readable(&feature.name), heading(effects, outputs));
        axis::below(&mut scene, &scale, &scale.ticks(5), (rows.top, bottom), &words);
        rows.draw(&mut scene, &names);
        for (p, name) in names.iter().enumerate() {
            let y = rows.middle(p);
            let guide = Mark::line((rows.left, y), (scale.to, y), Ink::Grid).dashed(1.0, 4.0);
            scene.push(guide.class("grid"));
            for (place, &o) in outputs.iter().enumerate().filter(|(_, o)| curve.values[[p, **o]].is_finite()) {
                let apart = (place as f64 - (outputs.len() as f64 - 1.0) / 2.0) * (24.0 / outputs.len() as f64);
                let ink = if outputs.len() == 1 { Ink::Accent } else { Ink::Series(o) };
                let (value, y) = (curve.values[[p, o]], y + if outputs.len() == 1 { 0.0 } else { apart });
                let x = scale.within(value);
                if curve.standard_error.is_some() {
                    whisker(&mut scene, [value - error(p, o), value + error(p, o)].map(|v| scale.within(v)), y);
                }
                let tip = format!("{}: {}", name.name, text(p, o));
                scene.push(Mark::circle((x, y), 5.0).fill(ink).tip(tip).class("point"));
                if outputs.len() == 1 {
                    let after = scale.within(value + error(p, o)) + 10.0;
                    scene.push(Mark::text((after, y + 4.3), 12.0, text(p, o)).bold().class("value"));
                }
            }
        }
        scene
    }

    /// The samples whose curves are drawn.
    fn individual(&self, curve: &Curve) -> Vec<usize> {
        let n = curve.individual.as_ref().map_or(0, |i| i.shape()[0]);
        let take = n.min(self.most_individual);
        (0..take).map(|i| i * n / take).collect()
    }

    fn label(&self, effects: &Effects, curve: &Curve, outputs: &[usize]) -> String {
        let of = |&o: &usize| {
            let finite = curve.values.column(o).iter().copied().filter(|v| v.is_finite()).collect::<Vec<_>>();
            let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
            let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let name = readable(&effects.outputs[o].name);
            format!("{name} from {} to {}", plain_digits(low, 3), plain_digits(high, 3))
        };
        let ranges: Vec<String> = outputs.iter().take(3).map(of).collect();
        format!("Effect of {}: {}", readable(&curve.features[0].name), ranges.join("; "))
    }
}

/// Whether the responses are differences, whose mean over the data is zero.
pub(crate) fn is_difference(effects: &Effects) -> bool {
    effects.provenance.method.contains("accumulated") || effects.provenance.method.starts_with("ale")
}

/// The title of the axis of responses.
pub(crate) fn heading(effects: &Effects, outputs: &[usize]) -> String {
    let what = if is_difference(effects) { "effect on" } else { "average" };
    match outputs {
        [one] => format!("{what} {}", of_output(&effects.outputs[*one])),
        _ => {
            let unit = effects.outputs[outputs[0]].scale.label();
            format!("{what} {}", if unit.is_empty() { "score" } else { unit })
        }
    }
}

/// Checks that the parts of a curve or surface fit together.
pub(crate) fn checked(curve: &Curve, n_outputs: usize) -> Result<()> {
    same_shape("grid (axis)", &[curve.features.len()], &[curve.grid.len()])?;
    let points: usize = curve.grid.iter().map(Vec::len).product();
    if points == 0 || n_outputs == 0 {
        return Err(Error::parameter("effects", "no points", "at least one point and one output"));
    }
    same_shape("responses (point, output)", &[points, n_outputs], curve.values.shape())?;
    if let Some(error) = &curve.standard_error {
        same_shape("standard errors (point, output)", &[points, n_outputs], error.shape())?;
    }
    if let Some(individual) = &curve.individual {
        let samples = individual.shape()[0];
        same_shape("individual responses (sample, point, output)", &[samples, points, n_outputs], individual.shape())?;
    }
    Ok(())
}

fn legend_of(effects: &Effects, outputs: &[usize], across: f64) -> Vec<Vec<(f64, usize, String)>> {
    if outputs.len() == 1 {
        return Vec::new();
    }
    let names: Vec<String> = outputs.iter().map(|&o| readable(&effects.outputs[o].name)).collect();
    legend_lines(&names, across)
}

/// The points of a curve in pixels, cut where the response is not finite; a missing value of the feature stands
/// alone.
fn runs(grid: &[f64], at: impl Fn(usize) -> f64, across: &FeatureAxis, up: &Linear) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (p, &x) in grid.iter().enumerate() {
        let y = at(p);
        if x.is_nan() || !y.is_finite() {
            runs.push(Vec::new());
        }
        if y.is_finite()
            && let Some(run) = runs.last_mut()
        {
            run.push((across.at(x), up.within(y)));
        }
        if x.is_nan() {
            runs.push(Vec::new());
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
