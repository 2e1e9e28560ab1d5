//! What pushes a score up and what pushes it down, in one line.

use xai_core::{Attribution, Result};

use crate::axis::{self, BELOW, Linear, tame};
use crate::charts::waterfall::{Step, Waterfall, base_name};
use crate::font::{fit, width};
use crate::number::{Form, of_output};
use crate::rank::sum;
use crate::rows::{readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// The contributions to the score of one sample, end to end: those that raise it from the left, those that lower it
/// from the right; they meet at the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Force {
    /// Which sample.
    pub sample: usize,
    /// Which output.
    pub output: usize,
    /// How many features are shown; the others are gathered.
    pub top: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Force {
    fn default() -> Self {
        Force { sample: 0, output: 0, top: 12, width: 820.0, title: None }
    }
}

const SIZE: f64 = 12.0;
const BAND: f64 = 28.0;
const LEVELS: usize = 5;
const LEVEL: f64 = 20.0;

impl Force {
    /// Draws one sample.
    ///
    /// # Errors
    /// As [`Waterfall::scene`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        let Force { sample, output, top, width: across, .. } = *self;
        let steps = Waterfall { sample, output, top, width: across, title: None }.steps(a)?;
        let (base, score) = (a.base[[sample, output]], a.scores[[sample, output]]);
        let rising: Vec<&Step> = steps.iter().filter(|s| s.value > 0.0).collect();
        let falling: Vec<&Step> = steps.iter().filter(|s| s.value < 0.0).collect();
        let low = tame(score - sum(rising.iter().map(|s| s.value)));
        let high = tame(score - sum(falling.iter().map(|s| s.value)));
        let scale = Linear::around([low, high, base, score], 24.0, across - 24.0);

        let mut segments = Vec::new();
        for (side, toward) in [(&rising, -1.0), (&falling, 1.0)] {
            let mut at = score;
            for step in side {
                let next = tame(at + toward * step.value.abs());
                segments.push((*step, scale.at(at), scale.at(next)));
                at = next;
            }
        }
        let first = title_room(self.title.as_deref());
        let band = first + 46.0;
        let labels = band + BAND + 8.0;
        let placed = labels_below(&segments, across);
        let levels = placed.iter().map(|label| label.level + 1).max().unwrap_or(0);
        let bottom = labels + levels as f64 * LEVEL + 8.0;
        let output_name = of_output(&a.outputs[output]);
        let label = format!(
            "Forces on {} of sample {sample}: {} raise it, {} lower it",
            readable(&output_name),
            rising.len(),
            falling.len()
        );
        let mut scene = Scene::new(across, bottom + BELOW, label);
        title(&mut scene, self.title.as_deref());
        axis::below(
            &mut scene,
            &scale,
            &scale.ticks((across / 100.0).max(2.0) as usize),
            (band - 4.0, bottom),
            &output_name,
        );

        let form = Form::of(steps.iter().map(|s| s.value));
        for (step, near, far) in &segments {
            // The arrow points to the score.
            let tip = (near - far).abs().min(6.0) * (near - far).signum();
            let (top, middle, low) = (band, band + BAND / 2.0, band + BAND);
            let corners = vec![
                (*far, top),
                (near - tip, top),
                (*near, middle),
                (near - tip, low),
                (*far, low),
                (far + tip, middle),
            ];
            let tip = format!("{}: {}", step.name.full(), form.signed(step.value));
            scene.push(Mark::polygon(corners).fill(step.ink()).stroke(Ink::Background, 1.0).tip(tip).class("bar"));
            let number = form.signed(step.value);
            if (near - far).abs() > width(&number, SIZE, true) + 18.0 {
                let at = ((near + far) / 2.0, middle + 4.3);
                scene.push(Mark::text(at, SIZE, number).bold().anchor(Anchor::Middle).fill(Ink::OnFill).class("value"));
            }
        }
        for Label { x, anchor, level, text, full } in placed {
            let y = labels + level as f64 * LEVEL;
            scene.push(Mark::line((anchor, labels - 7.0), (anchor, y + 3.0), Ink::Axis).class("leader"));
            scene.push(Mark::text((x, y + 14.0), SIZE, text).anchor(Anchor::Middle).tip(full).class("label"));
        }
        let shown = Form::of([base, score]);
        let score_text = format!("f(x) = {}", shown.show(score));
        let base_text = format!("{} = {}", base_name(a), shown.show(base));
        let (x, x_base) = (scale.at(score), scale.at(base));
        scene.push(Mark::line((x, band - 6.0), (x, band + BAND), Ink::Text).class("guide"));
        scene.push(Mark::line((x_base, band - 6.0), (x_base, band + BAND), Ink::Axis).dashed(2.0, 2.0).class("guide"));
        let place = |x: f64, text: &str, bold| {
            let half = width(text, 13.0, bold) / 2.0;
            x.clamp((half + 8.0).min(across / 2.0), (across - half - 8.0).max(across / 2.0))
        };
        let quiet = Mark::text((place(x_base, &base_text, false), band - 10.0), 13.0, base_text.as_str());
        let apart = (place(x, &score_text, true) - place(x_base, &base_text, false)).abs()
            > (width(&score_text, 13.0, true) + width(&base_text, 13.0, false)) / 2.0 + 8.0;
        let lift = if apart { 10.0 } else { 28.0 };
        scene.push(quiet.anchor(Anchor::Middle).fill(Ink::Muted).class("score"));
        let loud = Mark::text((place(x, &score_text, true), band - lift), 13.0, score_text);
        scene.push(loud.bold().anchor(Anchor::Middle).class("score"));
        Ok(scene)
    }
}

/// A name below its segment.
struct Label {
    /// The middle of the text.
    x: f64,
    /// The middle of the segment.
    anchor: f64,
    level: usize,
    text: String,
    full: String,
}

/// Finds places for names below their segments, the largest first, on the first level where there is room; a name
/// without room is left to the tooltip of its segment.
fn labels_below(segments: &[(&Step, f64, f64)], across: f64) -> Vec<Label> {
    let mut order: Vec<&(&Step, f64, f64)> = segments.iter().collect();
    order.sort_by(|a, b| (b.1 - b.2).abs().total_cmp(&(a.1 - a.2).abs()));
    let mut placed: Vec<Label> = Vec::new();
    for (step, near, far) in order {
        let full = step.name.full();
        let text = fit(&full, SIZE, false, 190.0).into_owned();
        let half = width(&text, SIZE, false) / 2.0;
        let anchor = (near + far) / 2.0;
        let x = anchor.clamp((half + 6.0).min(across / 2.0), (across - half - 6.0).max(across / 2.0));
        // Neither may a text lie on another, nor on the line that leads to a lower one, nor a line cross a text.
        let clear = |level: usize, other: &Label| {
            let reach = width(&other.text, SIZE, false) / 2.0;
            (other.level != level || (other.x - x).abs() > half + reach + 8.0)
                && (other.level <= level || (other.anchor - x).abs() > half + 4.0)
                && (other.level >= level || (other.x - anchor).abs() > reach + 4.0)
        };
        if let Some(level) = (0..LEVELS).find(|&level| placed.iter().all(|other| clear(level, other))) {
            placed.push(Label { x, anchor, level, text, full });
        }
    }
    placed
}
