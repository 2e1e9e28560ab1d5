//! A feature's value against what it contributes.

use xai_core::{Attribution, Error, FeatureKind, Result};

use crate::axis::{self, BELOW, Linear};
use crate::charts::beeswarm::Colouring;
use crate::door;
use crate::frame::{FeatureAxis, distribution, histogram, ramp};
use crate::number::{of_feature, of_output, plain_digits};
use crate::rank::of_output as values_of;
use crate::rows::{readable, title, title_room};
use crate::scene::{Ink, Mark, Scene};
use crate::theme::N_SERIES;

/// A point for each sample: the value of one feature to the right, its contribution upwards.
///
/// Points are coloured by a second feature: points of one colour that run apart from the others show an interaction.
/// Samples without a value stand in a place of their own; the bars below show where the data lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    /// Which feature.
    pub feature: usize,
    /// Which output.
    pub output: usize,
    /// What the colours show.
    pub colour: Colour,
    /// How many points are drawn at most: of more samples, every k-th.
    pub most_points: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// The height of the picture in pixels.
    pub height: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Dependence {
    fn default() -> Self {
        let colour = Colour::Strongest;
        Dependence { feature: 0, output: 0, colour, most_points: 3000, width: 640.0, height: 420.0, title: None }
    }
}

/// What the colours of points show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// The feature that [`strongest_interaction`] finds among those whose values have colours: not groups, nor
    /// categories of more than eight.
    Strongest,
    /// This feature.
    Feature(usize),
    /// Nothing.
    Plain,
}

impl Dependence {
    /// Draws all samples.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a feature or output that there is not and an unfit size, [`Error::Unsupported`] for an
    /// attribution without data; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        door::attribution(a)?;
        door::index("feature", self.feature, a.features.len())?;
        door::index("output", self.output, a.outputs.len())?;
        door::positive("most_points", self.most_points)?;
        door::width(self.width)?;
        door::height(self.height)?;
        let Some(data) = &a.data else {
            return Err(Error::unsupported(
                "a dependence chart without data",
                "the attribution holds no feature values",
            ));
        };
        let colour = match self.colour {
            Colour::Strongest => strongest(a, self.feature, self.output, |f| has_colours(&a.features[f].kind)),
            Colour::Feature(other) => door::index("colour", other, a.features.len()).map(|()| Some(other))?,
            Colour::Plain => None,
        };
        let feature = &a.features[self.feature];
        let column = data.column(self.feature);
        let values = values_of(a, self.output);
        let values = values.column(self.feature);

        let top = title_room(self.title.as_deref());
        let bottom = self.height - BELOW;
        let rough = Linear::around(values.iter().copied().chain([0.0]), bottom - 34.0, top + 6.0).padded(0.04);
        let ticks = rough.ticks(((bottom - top) / 55.0).max(2.0) as usize);
        let left = axis::room_left(&ticks);
        let right = self.width - if colour.is_some() { 96.0 } else { 16.0 };
        let across = FeatureAxis::new(feature, column.iter().copied(), left + 10.0, right - 10.0);

        let name = readable(&feature.name);
        let output = of_output(&a.outputs[self.output]);
        let label =
            format!("Contribution of {name} to {} against its value, {} samples", readable(&output), a.n_samples());
        let mut scene = Scene::new(self.width, self.height, label);
        title(&mut scene, self.title.as_deref());
        across.below(&mut scene, (top, bottom), &name);
        axis::left(&mut scene, &rough, &ticks, (left, right));
        axis::title_left(&mut scene, &format!("contribution to {output}"), (top, bottom));
        let zero = rough.at(0.0);
        scene.push(Mark::line((left, zero), (right, zero), Ink::Axis).class("zero"));
        histogram(&mut scene, &across, &distribution(&across, column.iter().copied()), bottom, 28.0);

        let other = colour.map(|c| (c, data.column(c).to_vec()));
        let colouring = other.as_ref().map(|(c, column)| Colouring::of(&a.features[*c].kind, column));
        let every = a.n_samples().div_ceil(self.most_points);
        let radius = if a.n_samples() > 500 { 2.4 } else { 3.2 };
        for s in (0..a.n_samples()).step_by(every) {
            let wide = across.categories.map_or(0.0, |_| (across.scale.at(1.0) - across.scale.at(0.0)).abs() * 0.5);
            let nudge = if across.categories.is_some() || column[s].is_nan() {
                scatter(s) * wide.clamp(16.0, 60.0)
            } else {
                0.0
            };
            let x = (across.at(column[s]) + nudge).clamp(left, right);
            let ink = match (&other, &colouring) {
                (Some((_, column)), Some(colouring)) => colouring.ink(column[s]),
                _ => Ink::Accent,
            };
            let mut tip = format!("sample {s}: {name} = {}", of_feature(feature, column[s]).unwrap_or_default());
            if let Some((c, column)) = &other {
                let value = of_feature(&a.features[*c], column[s]).unwrap_or_default();
                tip.push_str(&format!(", {} = {value}", a.features[*c].name));
            }
            tip.push_str(&format!(": {}", plain_digits(values[s], 3)));
            let point = Mark::circle((x, rough.within(values[s])), radius).fill(ink).opacity(0.8);
            scene.push(if a.n_samples() <= door::MOST_TOOLTIPS { point.tip(tip) } else { point }.class("point"));
        }
        if let (Some((c, _)), Some(colouring)) = (&other, &colouring) {
            key(&mut scene, &a.features[*c], colouring, (right + 18.0, top + 8.0), bottom - top - 16.0);
        }
        Ok(scene)
    }
}

fn has_colours(kind: &FeatureKind) -> bool {
    match kind {
        FeatureKind::Group { .. } => false,
        FeatureKind::Categorical { categories } => categories.len() <= N_SERIES,
        _ => true,
    }
}

/// Says what the colours mean, at the right.
fn key(scene: &mut Scene, feature: &xai_core::Feature, colouring: &Colouring, (x, y): (f64, f64), height: f64) {
    let name = readable(&feature.name);
    match *colouring {
        Colouring::Range(low, high) => {
            ramp(scene, (x, y), height, [&plain_digits(low, 3), &plain_digits(high, 3)], &name, Ink::Value);
        }
        Colouring::Category(n) => {
            let room = scene.width - x - 6.0;
            let heading = crate::font::fit(&name, 11.0, true, room).into_owned();
            scene.push(Mark::text((x, y + 8.0), 11.0, heading).bold().class("colours"));
            for i in 0..n {
                let y = y + 28.0 + 18.0 * i as f64;
                let text =
                    crate::font::fit(&of_feature(feature, i as f64).unwrap_or_default(), 11.0, false, room - 12.0)
                        .into_owned();
                scene.push(Mark::circle((x + 4.0, y - 4.0), 4.0).fill(Ink::Series(i)).class("colours"));
                scene.push(Mark::text((x + 12.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
            }
        }
        Colouring::None => {}
    }
}

/// A number from −0.5 to 0.5 that looks random and depends on `i` alone.
pub(crate) fn scatter(i: usize) -> f64 {
    // The golden ratio spreads any run of numbers evenly.
    (i as f64 * 0.618_033_988_749_894_9).fract() - 0.5
}

/// The feature that best accounts for how the contributions of `feature` vary at equal values of it.
///
/// The samples are cut into up to ten bins by the value of `feature`; in each bin, the variance of the contributions
/// between up to five bins of the other feature is added up, less what chance alone would give. `None` when no other
/// feature accounts for more than chance, or there are no data.
///
/// # Cost
/// O(features · samples · log samples).
pub fn strongest_interaction(a: &Attribution, feature: usize, output: usize) -> Option<usize> {
    strongest(a, feature, output, |_| true)
}

fn strongest(a: &Attribution, feature: usize, output: usize, allowed: impl Fn(usize) -> bool) -> Option<usize> {
    let data = a.data.as_ref()?;
    if feature >= a.features.len() || output >= a.outputs.len() {
        return None;
    }
    let values: Vec<f64> = values_of(a, output).column(feature).to_vec();
    let all: Vec<usize> = (0..a.n_samples()).collect();
    let outer = quantile_bins(&all, |s| data[[s, feature]], 10);
    let mut best = (1e-12 * variation(&values, &all), None);
    for other in (0..a.features.len()).filter(|&f| f != feature && allowed(f)) {
        let gain: f64 = outer.iter().map(|bin| explained(&values, bin, |s| data[[s, other]])).sum();
        if gain > best.0 {
            best = (gain, Some(other));
        }
    }
    best.1
}

/// The variation between bins of `key` above what chance gives.
fn explained(values: &[f64], samples: &[usize], key: impl Fn(usize) -> f64) -> f64 {
    let bins = quantile_bins(samples, key, 5);
    let total = variation(values, samples);
    let within: f64 = bins.iter().map(|bin| variation(values, bin)).sum();
    let chance = total * (bins.len() as f64 - 1.0) / (samples.len() as f64 - 1.0).max(1.0);
    total - within - chance
}

/// The sum of squared deviations from the mean.
fn variation(values: &[f64], samples: &[usize]) -> f64 {
    let mean = samples.iter().map(|&s| values[s] / samples.len() as f64).sum::<f64>();
    samples.iter().map(|&s| (values[s] - mean).powi(2)).sum::<f64>().min(f64::MAX)
}

/// Bins of about equal size; equal keys stay together, missing ones have a bin of their own.
fn quantile_bins(samples: &[usize], key: impl Fn(usize) -> f64, n: usize) -> Vec<Vec<usize>> {
    let (missing, mut known): (Vec<usize>, Vec<usize>) = samples.iter().partition(|&&s| key(s).is_nan());
    known.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    let size = known.len().div_ceil(n).max(1);
    let mut bins: Vec<Vec<usize>> = Vec::new();
    for s in known {
        match bins.last_mut() {
            Some(bin) if bin.len() < size || bin.last().is_some_and(|&last| key(last) == key(s)) => bin.push(s),
            _ => bins.push(vec![s]),
        }
    }
    if !missing.is_empty() {
        bins.push(missing);
    }
    bins
}
