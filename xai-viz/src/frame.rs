//! The axis of a feature: numbers or categories, with a place for missing values.

use xai_core::{Distribution, Feature, FeatureKind};

use crate::axis::Linear;
use crate::font::fit;
use crate::number::plain;
use crate::rows::readable;
use crate::scene::{Anchor, Ink, Mark, Scene};

/// What the place for missing values takes.
const MISSING: f64 = 58.0;

/// The axis of one feature.
#[derive(Debug, Clone)]
pub(crate) struct FeatureAxis {
    pub(crate) scale: Linear,
    pub(crate) ticks: Vec<(f64, String)>,
    /// The number of categories; `None` for numbers.
    pub(crate) categories: Option<usize>,
    /// The pixel of missing values.
    pub(crate) missing: Option<f64>,
}

impl FeatureAxis {
    /// An axis for `values` on the pixels `from` to `to`; NaN gets a place behind the others.
    pub(crate) fn new(feature: &Feature, values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let has_missing = values.clone().any(f64::is_nan);
        let side = if to > from { 1.0 } else { -1.0 };
        let end = if has_missing { to - side * MISSING } else { to };
        let missing = has_missing.then_some(to - side * MISSING * 0.45);
        let length = (end - from).abs();
        if let FeatureKind::Categorical { categories } = &feature.kind {
            let highest = values.filter(|v| v.is_finite()).fold(0.0, f64::max).clamp(0.0, 10_000.0) as usize;
            let n = categories.len().clamp(1, 10_000).max(highest + 1);
            let scale = Linear { low: -0.5, high: n as f64 - 0.5, from, to: end };
            let slot = length / n as f64;
            let every = ((if side > 0.0 { 34.0 } else { 16.0 }) / slot).ceil().max(1.0) as usize;
            let room = if side > 0.0 { slot * every as f64 - 6.0 } else { 130.0 };
            let name = |i: usize| categories.get(i).map_or_else(|| i.to_string(), |c| readable(c));
            let tick = |i: usize| (i as f64, fit(&name(i), crate::axis::TICK_SIZE, false, room).into_owned());
            return FeatureAxis {
                scale,
                ticks: (0..n).step_by(every).map(tick).collect(),
                categories: Some(n),
                missing,
            };
        }
        let scale = Linear::around(values, from, end);
        let n = (length / if side > 0.0 { 80.0 } else { 48.0 }).max(2.0) as usize;
        let whole = matches!(feature.kind, FeatureKind::Integer | FeatureKind::Binary);
        let ticks = if whole { scale.whole_ticks(n) } else { scale.ticks(n) };
        FeatureAxis { scale, ticks, categories: None, missing }
    }

    /// The pixel of a value; an infinite one lies at the end.
    pub(crate) fn at(&self, value: f64) -> f64 {
        match self.missing {
            Some(x) if value.is_nan() => x,
            _ => self.scale.within(value),
        }
    }

    /// Draws ticks below, with the place for missing values.
    pub(crate) fn below(&self, scene: &mut Scene, span: (f64, f64), title: &str) {
        crate::axis::below(scene, &self.scale, &self.ticks, span, title);
        if let Some(x) = self.missing {
            let half = MISSING * 0.4;
            let band = Mark::rect(x - half, span.0, 2.0 * half, span.1 - span.0);
            scene.push(band.fill(Ink::Grid).opacity(0.5).class("missing"));
            let text = Mark::text((x, span.1 + 17.0), crate::axis::TICK_SIZE, "missing");
            scene.push(text.anchor(Anchor::Middle).fill(Ink::Muted).class("tick"));
        }
    }
}

/// Draws where the data lie: bars that stand on `bottom`, at most `height` high.
pub(crate) fn histogram(scene: &mut Scene, axis: &FeatureAxis, distribution: &Distribution, bottom: f64, height: f64) {
    let bins = bins(axis, distribution);
    let most = bins.iter().map(|b| b.2).fold(0.0, f64::max);
    if most <= 0.0 {
        return;
    }
    for (from, to, density, count, what) in bins {
        let tall = height * density / most;
        let bar = Mark::rect(from.min(to) + 0.5, bottom - tall, (to - from).abs() - 1.0, tall);
        if count > 0 {
            scene.push(bar.fill(Ink::Missing).opacity(0.55).tip(format!("{count} samples {what}")).class("density"));
        }
    }
}

/// Left and right pixel, height (samples per pixel, since bins may differ in width), count and words of each bin.
fn bins(axis: &FeatureAxis, d: &Distribution) -> Vec<(f64, f64, f64, u64, String)> {
    let mut bins = Vec::new();
    if axis.categories.is_some() || d.edges.len() == d.counts.len() {
        let half = match axis.categories {
            Some(_) => ((axis.scale.at(1.0) - axis.scale.at(0.0)).abs() * 0.36).max(0.6),
            None => (d.edges.windows(2).map(|e| axis.at(e[1]) - axis.at(e[0])).fold(20.0, f64::min) * 0.4).max(0.6),
        };
        for (&value, &count) in d.edges.iter().zip(&d.counts).filter(|(v, _)| v.is_finite()) {
            let x = axis.at(value);
            bins.push((x - half, x + half, count as f64, count, String::new()));
        }
    } else if d.edges.len() == d.counts.len() + 1 {
        for (pair, &count) in d.edges.windows(2).zip(&d.counts) {
            let (from, to) = (axis.at(pair[0]), axis.at(pair[1]));
            // A bin that reaches beyond the axis is drawn as far as it can be seen, as high as its whole width makes it.
            let per_unit =
                (axis.at(axis.scale.high) - axis.at(axis.scale.low)).abs() / (axis.scale.high - axis.scale.low);
            let whole = ((pair[1] - pair[0]) * per_unit).max((to - from).abs()).max(1.0);
            let density = count as f64 / whole;
            if (to - from).abs() < 0.5 && whole > 1.0 {
                continue;
            }
            bins.push((from, to, density, count, format!("from {} to {}", plain(pair[0]), plain(pair[1]))));
        }
    }
    bins
}

/// Counts numbers in evenly spaced bins, or categories one by one.
pub(crate) fn distribution(axis: &FeatureAxis, values: impl Iterator<Item = f64> + Clone) -> Distribution {
    let missing = values.clone().filter(|v| v.is_nan()).count() as u64;
    let finite = values.filter(|v| v.is_finite());
    if let Some(n) = axis.categories {
        let mut counts = vec![0; n];
        finite.filter(|v| *v >= 0.0 && *v < n as f64).for_each(|v| counts[v as usize] += 1);
        return Distribution { edges: (0..n).map(|i| i as f64).collect(), counts, missing };
    }
    let whole = finite.clone().all(|v| v.fract() == 0.0);
    if whole && axis.scale.high - axis.scale.low <= 60.0 {
        let first = axis.scale.low.ceil();
        let mut counts = vec![0; (axis.scale.high.floor() - first).max(0.0) as usize + 1];
        let most = counts.len() - 1;
        finite.for_each(|v| counts[((v - first).max(0.0) as usize).min(most)] += 1);
        return Distribution { edges: (0..=most).map(|i| first + i as f64).collect(), counts, missing };
    }
    const BINS: usize = 30;
    let (low, step) = (axis.scale.low, (axis.scale.high - axis.scale.low) / BINS as f64);
    let mut counts = vec![0; BINS];
    finite.for_each(|v| counts[(((crate::axis::tame(v) - low) / step) as usize).min(BINS - 1)] += 1);
    Distribution { edges: (0..=BINS).map(|i| low + step * i as f64).collect(), counts, missing }
}

/// Draws a colour bar with numbers at its ends, for what is named.
pub(crate) fn ramp(
    scene: &mut Scene,
    (x, y): (f64, f64),
    height: f64,
    ends: [&str; 2],
    name: &str,
    ink: fn(f64) -> Ink,
) {
    const PARTS: usize = 40;
    let part = height / PARTS as f64;
    for i in 0..PARTS {
        let at = 1.0 - (i as f64 + 0.5) / PARTS as f64;
        scene.push(Mark::rect(x, y + part * i as f64, 10.0, part + 0.4).fill(ink(at)).class("colours"));
    }
    let room = scene.width - x - 16.0;
    for (text, y) in [(ends[1], y + 8.0), (ends[0], y + height)] {
        let text = fit(text, 11.0, false, room).into_owned();
        scene.push(Mark::text((x + 15.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
    }
    let text = fit(name, 11.0, false, height - 36.0).into_owned();
    let mark = Mark::text((x + 25.0, y + height / 2.0), 11.0, text);
    scene.push(mark.anchor(Anchor::Middle).vertical().fill(Ink::Muted).class("colours"));
}
