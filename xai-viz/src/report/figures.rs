//! Figures with their captions, and how each was computed.

use std::fmt::Write;

use xai_core::{Attribution, Effects, Importance, Interactions, Result};

use crate::charts::curves::{checked, is_difference};
use crate::clean::escaped;
use crate::door;
use crate::number::{of_output, plain, plain_digits};
use crate::rank::{Ranked, mean_size};
use crate::report::{Individual, Overview, tables};
use crate::rows::readable;
use crate::{
    Beeswarm, Dependence, EffectCurve, ImportanceBars, InteractionBars, InteractionMatrix, Scene, Surface, Waterfall,
};

/// The width of figures on a phone, in pixels.
pub(crate) const NARROW: f64 = 390.0;

pub(crate) fn importance(out: &mut String, importance: &Importance, top: usize) -> Result<()> {
    for output in 0..importance.outputs.len() {
        let bars = ImportanceBars { output, top, ..Default::default() };
        let narrow = ImportanceBars { width: NARROW, ..bars.clone() }.scene(importance)?;
        let caption = format!("Importance for {}", readable(&of_output(&importance.outputs[output])));
        figure(out, &caption, &bars.scene(importance)?, &narrow, |out| {
            let mut more = Vec::new();
            if let Some(base) = importance.base.as_ref().and_then(|b| b.get(output)) {
                more.push(("measured against".to_owned(), plain_digits(*base, 4)));
            }
            if let Some(repeats) = &importance.repeats {
                more.push(("repeats".to_owned(), repeats.shape()[2].to_string()));
            }
            tables::provenance(out, &importance.provenance, &more);
        });
    }
    Ok(())
}

pub(crate) fn overview(out: &mut String, overview: &Overview, top: usize) -> Result<()> {
    let a = overview.attribution;
    let swarm = Beeswarm { output: overview.output, top, ..Default::default() }.scene(a)?;
    let name = readable(&of_output(&a.outputs[overview.output]));
    let samples = if a.n_samples() == 1 { "1 sample".to_owned() } else { format!("{} samples", a.n_samples()) };
    let narrow = Beeswarm { output: overview.output, top, most_points: 250, width: NARROW, title: None }.scene(a)?;
    figure(out, &format!("Contributions to {name}, {samples}"), &swarm, &narrow, |out| {
        tables::provenance(out, &a.provenance, &account(a, overview.output));
    });
    for feature in largest(a, overview.output, SCATTERS) {
        let scatter = Dependence { feature, output: overview.output, ..Default::default() };
        let narrow = Dependence { width: NARROW, height: 320.0, ..scatter.clone() }.scene(a)?;
        let caption = format!("Contributions of {} to {name}, by its value", readable(&a.features[feature].name));
        figure(out, &caption, &scatter.scene(a)?, &narrow, |_| {});
    }
    Ok(())
}

pub(crate) fn interactions(out: &mut String, interactions: &Interactions, top: usize) -> Result<()> {
    let samples = match interactions.n_samples() {
        1 => "1 sample".to_owned(),
        n => format!("{n} samples"),
    };
    for output in 0..interactions.outputs.len() {
        let name = readable(&of_output(&interactions.outputs[output]));
        let map = InteractionMatrix { output, top: top.min(10), ..Default::default() };
        let narrow = InteractionMatrix { width: NARROW, top: 5, ..map.clone() }.scene(interactions)?;
        let caption = format!("What features contribute to {name} alone and in pairs, {samples}");
        figure(out, &caption, &map.scene(interactions)?, &narrow, |out| {
            let more = [("index".to_owned(), interactions.index.to_string())];
            tables::provenance(out, &interactions.provenance, &more);
        });
        if interactions.terms.iter().all(|term| term.len() < 2) {
            continue;
        }
        let bars = InteractionBars { output, at_least: 2, top, ..Default::default() };
        let narrow = InteractionBars { width: NARROW, ..bars.clone() }.scene(interactions)?;
        figure(out, &format!("The strongest pairs for {name}"), &bars.scene(interactions)?, &narrow, |_| {});
    }
    Ok(())
}

/// How many features of an overview are looked at one by one.
const SCATTERS: usize = 2;

/// The features that contribute most on average, of those whose values can be shown.
fn largest(a: &Attribution, output: usize, most: usize) -> Vec<usize> {
    let Some(data) = &a.data else { return Vec::new() };
    let sizes = mean_size(a);
    let mut order = Ranked::new(|feature| sizes[[feature, output]], a.features.len(), usize::MAX).shown;
    order.retain(|&f| sizes[[f, output]] > 0.0 && data.column(f).iter().any(|x| x.is_finite()));
    order.truncate(most);
    order
}

pub(crate) fn effects(out: &mut String, effects: &Effects) -> Result<()> {
    for (curve, what) in effects.curves.iter().enumerate() {
        let names: Vec<String> = what.features.iter().map(|f| readable(&f.name)).collect();
        let kind = if is_difference(effects) { "Effect of" } else { "Average score by" };
        let caption = format!("{kind} {}", names.join(" and "));
        let account = |out: &mut String| tables::provenance(out, &effects.provenance, &[]);
        if what.features.len() == 2 {
            checked(what, effects.outputs.len())?;
            for output in 0..effects.outputs.len() {
                let surface = Surface { curve, output, ..Default::default() };
                let narrow = Surface { width: NARROW, height: 340.0, ..surface.clone() }.scene(effects)?;
                figure(out, &caption, &surface.scene(effects)?, &narrow, account);
            }
            continue;
        }
        let scene = EffectCurve { curve, ..Default::default() };
        let narrow = EffectCurve { width: NARROW, height: 320.0, ..scene.clone() }.scene(effects)?;
        figure(out, &caption, &scene.scene(effects)?, &narrow, account);
    }
    Ok(())
}

pub(crate) fn individual(out: &mut String, individual: &Individual, top: usize) -> Result<()> {
    let Individual { attribution: a, sample, output, .. } = *individual;
    let fall = Waterfall { sample, output, top, ..Default::default() };
    let wide = fall.scene(a)?;
    let narrow = Waterfall { width: NARROW, ..fall }.scene(a)?;
    let _ =
        write!(out, "<article><h3>{}</h3>\n<p>{}</p>\n", escaped(&readable(&individual.title)), in_words(individual));
    tables::facts(out, "This sample", &individual.facts);
    let caption = format!("From the base to {}", readable(&of_output(&a.outputs[output])));
    figure(out, &caption, &wide, &narrow, |out| {
        tables::values(out, a, sample, output);
        tables::provenance(out, &a.provenance, &account(a, output));
    });
    out.push_str("</article>\n");
    Ok(())
}

/// One sentence with the score and what moved it most.
fn in_words(individual: &Individual) -> String {
    let Individual { attribution: a, sample, output, .. } = *individual;
    let value = |f: usize| a.values[[sample, f, output]];
    let mut order: Vec<usize> = (0..a.features.len()).filter(|&f| value(f) != 0.0).collect();
    order.sort_by(|&x, &y| value(y).abs().total_cmp(&value(x).abs()).then(x.cmp(&y)));
    let part = |f: &usize| {
        let way = if value(*f) > 0.0 { "raises" } else { "lowers" };
        format!("<b>{}</b> {way} it by {}", escaped(&readable(&a.features[*f].name)), plain_digits(value(*f).abs(), 3))
    };
    let parts: Vec<String> = order.iter().take(3).map(part).collect();
    let (score, base) = (a.scores[[sample, output]], a.base[[sample, output]]);
    let unit = a.outputs[output].scale.label();
    let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
    let moved = match parts.as_slice() {
        [] => "no feature moves it".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    let name = escaped(&readable(&a.outputs[output].name));
    format!("The score for <b>{name}</b> is <b>{}</b>{unit}, where {} is the base: {moved}.", plain(score), plain(base))
}

/// What an attribution tells about its own precision.
pub(crate) fn account(a: &Attribution, output: usize) -> Vec<(String, String)> {
    let mut more = Vec::new();
    if door::attribution(a).is_err() {
        return more;
    }
    let residual = a.completeness_residual().column(output).iter().fold(0.0, |m: f64, r| m.max(r.abs()));
    more.push(("largest difference between score and sum".to_owned(), plain_digits(residual, 2)));
    let finite = |v: &&f64| v.is_finite();
    if let Some(errors) = &a.standard_error {
        let largest =
            errors.index_axis(ndarray::Axis(2), output).iter().filter(finite).fold(0.0, |m: f64, e| m.max(*e));
        more.push(("largest standard error".to_owned(), plain_digits(largest, 2)));
    }
    if let Some(fidelity) = &a.fidelity {
        let column = fidelity.column(output);
        let lowest = column.iter().filter(finite).fold(f64::INFINITY, |m: f64, v| m.min(*v));
        if lowest.is_finite() {
            more.push(("lowest fidelity of the surrogate (R²)".to_owned(), plain_digits(lowest, 3)));
        }
    }
    more
}

/// A figure, in a second form for narrow screens, with what belongs below it.
pub(crate) fn figure(out: &mut String, caption: &str, wide: &Scene, narrow: &Scene, below: impl FnOnce(&mut String)) {
    let _ = write!(out, "<figure><figcaption>{}</figcaption>", escaped(caption));
    let _ = write!(out, "<div class=\"wide\">{}</div>", wide.svg_inline());
    // Nobody can point at a mark with a finger: without tooltips, the page is much smaller.
    let mut narrow = narrow.clone();
    narrow.marks.iter_mut().for_each(|mark| mark.tooltip = None);
    let _ = writeln!(out, "<div class=\"narrow\">{}</div></figure>", narrow.svg_inline());
    below(out);
}
