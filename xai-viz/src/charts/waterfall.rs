//! How one score came about, step by step.

use xai_core::{Attribution, Result};

use crate::axis::{self, BELOW, Linear, tame};
use crate::door;
use crate::font::width;
use crate::number::{Form, of_output};
use crate::rank::{Ranked, sum};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// The score of one sample as a sum: from the base at the bottom, feature by feature, to the score at the top.
///
/// Each arrow is as long as the feature's contribution; whiskers, where the method knows them, span two standard
/// errors to either side. What the contributions do not account for, if the method leaves anything, has a grey row of
/// its own.
///
/// # Example
/// ```
/// use xai_core::{Attribution, Feature, Output, Provenance, Run};
/// let attribution = Attribution {
///     provenance: Provenance::new("exact-shapley", &Run::default()),
///     features: Feature::unnamed(2), outputs: Output::unnamed(1),
///     base: ndarray::array![[1.0]], values: ndarray::array![[[0.5], [-2.0]]], scores: ndarray::array![[-0.5]],
///     standard_error: None, data: Some(ndarray::array![[3.0, f64::NAN]]), fidelity: None, shape: None,
/// };
/// let scene = xai_viz::Waterfall::default().scene(&attribution)?;
/// assert!(scene.texts().contains(&"x1 = missing".to_owned()));
/// assert!(scene.texts().contains(&"−2.00".to_owned()));
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Which sample.
    pub sample: usize,
    /// Which output.
    pub output: usize,
    /// How many features are shown; the others are gathered in one row.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Waterfall {
    fn default() -> Self {
        Waterfall { sample: 0, output: 0, top: 10, width: 720.0, title: None }
    }
}

/// One step of the sum.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: Name,
    pub(crate) value: f64,
    /// The sum before this step.
    pub(crate) before: f64,
    pub(crate) error: Option<f64>,
    /// Whether this is what no feature accounts for.
    pub(crate) remainder: bool,
}

impl Step {
    pub(crate) fn after(&self) -> f64 {
        tame(self.before + self.value)
    }

    pub(crate) fn ink(&self) -> Ink {
        match self.value {
            _ if self.remainder => Ink::Missing,
            v if v < 0.0 => Ink::Down,
            _ => Ink::Up,
        }
    }
}

/// The height of a row.
const PITCH: f64 = 30.0;
/// Half of the height of a bar.
const HALF: f64 = 10.0;
/// The size of the numbers at bars.
const VALUE_SIZE: f64 = 12.0;

impl Waterfall {
    /// Draws one sample.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for a sample or output that there is not, for `top` 0 and an
    /// unfit width; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        let steps = self.steps(a)?;
        let names: Vec<Name> = steps.iter().map(|step| step.name.clone()).collect();
        let rows = Rows::for_names(&names, self.width, title_room(self.title.as_deref()) + 24.0, PITCH);
        let bottom = rows.bottom(steps.len()) + 24.0;
        let form = Form::of(steps.iter().map(|s| s.value));
        let (base, score) = (a.base[[self.sample, self.output]], a.scores[[self.sample, self.output]]);
        let scale = fitted_scale(&steps, [base, score], form, rows.left + 6.0, self.width - 20.0);

        let mut scene = Scene::new(self.width, bottom + BELOW, self.label(a, &steps));
        title(&mut scene, self.title.as_deref());
        let ticks = scale.ticks(((scale.to - scale.from) / 70.0).max(2.0) as usize);
        axis::below(&mut scene, &scale, &ticks, (rows.top, bottom), &of_output(&a.outputs[self.output]));
        let shown = Form::of([base, score]);
        let base_text = format!("{} = {}", base_name(a), shown.show(base));
        guide(
            &mut scene,
            &scale,
            base,
            (rows.bottom(steps.len()) - PITCH / 2.0, bottom),
            bottom - 7.0,
            &base_text,
            rows.left,
        );
        let score_text = format!("f(x) = {}", shown.show(score));
        guide(&mut scene, &scale, score, (rows.top - 4.0, rows.middle(0)), rows.top - 9.0, &score_text, rows.left);
        rows.draw(&mut scene, &names);
        for (row, step) in steps.iter().enumerate() {
            if row + 1 < steps.len() {
                let x = scale.at(step.before);
                let line = Mark::line((x, rows.middle(row) + HALF), (x, rows.middle(row + 1) - HALF), Ink::Axis);
                scene.push(line.dashed(2.0, 2.0).class("link"));
            }
        }
        for (row, step) in steps.iter().enumerate() {
            draw_step(&mut scene, &scale, step, rows.middle(row), form, rows.left);
        }
        Ok(scene)
    }

    /// The steps from the score, at the top, down to the base.
    pub(crate) fn steps(&self, a: &Attribution) -> Result<Vec<Step>> {
        door::attribution(a)?;
        door::index("sample", self.sample, a.n_samples())?;
        door::index("output", self.output, a.outputs.len())?;
        door::positive("top", self.top)?;
        door::width(self.width)?;
        let value = |f: usize| tame(a.values[[self.sample, f, self.output]]);
        let ranked = Ranked::new(|f| value(f).abs(), a.features.len(), self.top);
        let datum = |f: usize| a.data.as_ref().map(|data| data[[self.sample, f]]);
        let error = |f: usize| a.standard_error.as_ref().map(|e| e[[self.sample, f, self.output]]);
        let mut steps: Vec<Step> = ranked
            .shown
            .iter()
            .map(|&f| Step {
                name: Name::of(&a.features[f], datum(f)),
                value: value(f),
                before: 0.0,
                error: error(f).filter(|e| e.is_finite() && *e > 0.0),
                remainder: false,
            })
            .collect();
        let whole = |name: Name, value, remainder| Step { name, value, before: 0.0, error: None, remainder };
        if !ranked.rest.is_empty() {
            steps.push(whole(Name::quiet(ranked.rest_name()), sum(ranked.rest.iter().map(|&f| value(f))), false));
        }
        let (base, score) = (a.base[[self.sample, self.output]], a.scores[[self.sample, self.output]]);
        let all = sum((0..a.features.len()).map(value));
        let left = tame(tame(score) - tame(tame(base) + all));
        let extent = steps.iter().map(|s| s.value.abs()).fold(score.abs().max(base.abs()) * 1e-3, f64::max);
        // What is left by rounding is not worth a row.
        if left.abs() > 1e-3 * extent {
            steps.push(whole(Name::quiet("not accounted for"), left, true));
        }
        let mut at = tame(base);
        for step in steps.iter_mut().rev() {
            step.before = at;
            at = step.after();
        }
        Ok(steps)
    }

    fn label(&self, a: &Attribution, steps: &[Step]) -> String {
        let largest: Vec<String> =
            steps.iter().take(3).map(|s| format!("{} {}", s.name.full(), Form::Fixed(3).signed(s.value))).collect();
        format!(
            "Waterfall of {} for sample {}: from {} to {}; largest: {}",
            readable(&of_output(&a.outputs[self.output])),
            self.sample,
            crate::number::plain(a.base[[self.sample, self.output]]),
            crate::number::plain(a.scores[[self.sample, self.output]]),
            largest.join(", ")
        )
    }
}

/// What the base is called: an expectation for the Shapley family.
pub(crate) fn base_name(a: &Attribution) -> &'static str {
    let method = a.provenance.method.as_str();
    if method.contains("shap") && !method.contains("baseline") { "E[f(x)]" } else { "base" }
}

/// A scale on which every number fits beside its bar.
fn fitted_scale(steps: &[Step], ends: [f64; 2], form: Form, left: f64, right: f64) -> Linear {
    let reach = |s: &Step| s.error.map_or(0.0, |e| 2.0 * e);
    let steps_at = steps.iter().flat_map(|s| [s.before, s.after(), s.after() - reach(s), s.after() + reach(s)]);
    let whole = Linear::around(steps_at.chain(ends), left, right).padded(0.02);
    let (mut from, mut to) = (left + 4.0, right - 4.0);
    for _ in 0..4 {
        let scale = whole.on(from, to);
        let (mut over_left, mut over_right) = (0.0f64, 0.0f64);
        for step in steps {
            let text = width(&form.signed(step.value), VALUE_SIZE, true) + 8.0;
            if !fits_inside(&scale, step, text) {
                let [low, high] = outer(&scale, step);
                if step.value < 0.0 {
                    over_left = over_left.max(left - (low - text));
                } else {
                    over_right = over_right.max(high + text - right);
                }
            }
        }
        if over_left <= 0.0 && over_right <= 0.0 {
            break;
        }
        let most = (right - left) * 0.3;
        from = (from + over_left.max(0.0)).min(left + most);
        to = (to - over_right.max(0.0)).max(right - most);
    }
    whole.on(from, to)
}

fn fits_inside(scale: &Linear, step: &Step, text: f64) -> bool {
    step.error.is_none() && (scale.at(step.after()) - scale.at(step.before)).abs() > text + 12.0
}

/// The leftmost and rightmost pixel of a bar with its whiskers.
fn outer(scale: &Linear, step: &Step) -> [f64; 2] {
    let reach = step.error.map_or(0.0, |e| 2.0 * e);
    let ends = [step.before, step.after(), step.after() - reach, step.after() + reach].map(|v| scale.at(v));
    [ends.into_iter().fold(f64::INFINITY, f64::min), ends.into_iter().fold(f64::NEG_INFINITY, f64::max)]
}

fn draw_step(scene: &mut Scene, scale: &Linear, step: &Step, y: f64, form: Form, leftmost: f64) {
    let (x0, x1) = (scale.at(step.before), scale.at(step.after()));
    let tip = (x1 - x0).abs().min(7.0) * (x1 - x0).signum();
    let shape = if (x1 - x0).abs() < 1.0 {
        Mark::rect(x0.min(x1) - 0.5, y - HALF, 1.5, 2.0 * HALF)
    } else {
        let edge = x1 - tip;
        Mark::polygon(vec![(x0, y - HALF), (edge, y - HALF), (x1, y), (edge, y + HALF), (x0, y + HALF)])
    };
    let number = form.signed(step.value);
    let mut tooltip = format!("{}: {number}", step.name.full());
    if let Some(error) = step.error {
        tooltip.push_str(&format!(" (standard error {})", crate::number::plain_digits(error, 2)));
    }
    scene.push(shape.fill(step.ink()).tip(tooltip).class("bar"));
    let [low, high] = outer(scale, step);
    if let Some(error) = step.error {
        let ends = [step.after() - 2.0 * error, step.after() + 2.0 * error].map(|v| scale.at(v));
        whisker(scene, ends, y);
    }
    let text = width(&number, VALUE_SIZE, true);
    let label =
        |x: f64, anchor| Mark::text((x, y + 4.3), VALUE_SIZE, number.as_str()).bold().anchor(anchor).class("value");
    let mark = if fits_inside(scale, step, text + 8.0) {
        label((x0 + x1 - tip / 2.0) / 2.0, Anchor::Middle).fill(Ink::OnFill)
    } else if (step.value < 0.0 && low - text - 5.0 >= leftmost) || high + text + 5.0 > scene.width {
        label(low - 5.0, Anchor::End).fill(step.ink())
    } else {
        label(high + 5.0, Anchor::Start).fill(step.ink())
    };
    scene.push(mark);
}

/// A line with caps.
pub(crate) fn whisker(scene: &mut Scene, [from, to]: [f64; 2], y: f64) {
    scene.push(Mark::line((from, y), (to, y), Ink::Text).class("whisker"));
    scene.push(Mark::line((from, y - 3.0), (from, y + 3.0), Ink::Text).class("whisker"));
    scene.push(Mark::line((to, y - 3.0), (to, y + 3.0), Ink::Text).class("whisker"));
}

/// A dashed line at a number, with its text beside or above.
fn guide(scene: &mut Scene, scale: &Linear, value: f64, span: (f64, f64), baseline: f64, text: &str, left: f64) {
    let x = scale.at(value);
    scene.push(Mark::line((x, span.0), (x, span.1), Ink::Axis).dashed(2.0, 2.0).class("guide"));
    let half = width(text, 12.0, true) / 2.0;
    let right = scene.width - 8.0 - half;
    let middle = x.clamp((left + half).min(right), right);
    let text = crate::font::fit(text, 12.0, true, scene.width - 16.0).into_owned();
    // The guide must not run through its own text.
    scene.push(
        Mark::rect(middle - half - 3.0, baseline - 11.0, 2.0 * half + 6.0, 15.0).fill(Ink::Background).class("halo"),
    );
    scene.push(Mark::text((middle, baseline), 12.0, text).bold().anchor(Anchor::Middle).class("score"));
}
