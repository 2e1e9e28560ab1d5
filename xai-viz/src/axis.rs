//! From numbers to pixels, and ticks at round numbers.

use crate::number::{exponent, plain_digits, trimmed_power, typeset};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// Numbers beyond this are drawn at this: sums and differences of what is drawn stay finite.
const FARTHEST: f64 = f64::MAX / 16.0;

/// `value` as near as it can be drawn.
pub(crate) fn tame(value: f64) -> f64 {
    value.clamp(-FARTHEST, FARTHEST)
}

/// A straight scale from numbers to pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The pixel of `low`.
    pub(crate) from: f64,
    /// The pixel of `high`.
    pub(crate) to: f64,
}

impl Linear {
    /// A scale for the range of the finite ones of `values`, widened where there is but one number.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|v| v.is_finite()) {
            low = low.min(tame(value));
            high = high.max(tame(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let size = low.abs().max(high.abs());
        if high - low < 1e-290 || high - low <= 1e-13 * size {
            let room = if size < 1e-290 { 1.0 } else { 0.05 * size };
            (low, high) = (low - room, high + room);
        }
        Linear { low, high, from, to }
    }

    /// The same scale with `share` of its range added at either end.
    pub(crate) fn padded(self, share: f64) -> Self {
        let room = (self.high - self.low) * share;
        Linear { low: tame(self.low - room), high: tame(self.high + room), ..self }
    }

    /// The same numbers on other pixels.
    pub(crate) fn on(self, from: f64, to: f64) -> Self {
        Linear { from, to, ..self }
    }

    /// The pixel of a number; of an infinite one, the end of the scale.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let part = (tame(value) - self.low) / (self.high - self.low);
        self.from + part.clamp(-4.0, 5.0) * (self.to - self.from)
    }

    /// The pixel of a number, within the scale.
    pub(crate) fn within(&self, value: f64) -> f64 {
        self.at(value.clamp(self.low, self.high))
    }

    /// Round numbers within the scale, about `n`, and how they are written.
    pub(crate) fn ticks(&self, n: usize) -> Vec<(f64, String)> {
        let step = round_step((self.high - self.low) / n.max(1) as f64);
        let first = (self.low / step).ceil();
        let values: Vec<f64> =
            (0..self.count(step)).map(|i| (first + i as f64) * step).filter(|v| v.is_finite()).collect();
        let largest = values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let write = |v: f64| match v {
            v if v.abs() < step / 2.0 => "0".to_owned(),
            v if largest >= 1e7 || step < 1e-5 => {
                trimmed_power(v, (exponent(v) - exponent(step)).clamp(0, 9) as usize + 1)
            }
            v => {
                let decimals = (-exponent(step * 1.0001)).max(0) as usize;
                let quarter = decimals + usize::from(is_quarter(step));
                typeset(&format!("{v:.quarter$}"))
            }
        };
        values.into_iter().map(|v| (v, write(v))).collect()
    }

    /// How many multiples of `step` lie within the scale; there may be none.
    fn count(&self, step: f64) -> usize {
        ((self.high / step).floor() - (self.low / step).ceil() + 1.0).clamp(0.0, 40.0) as usize
    }

    /// Whole numbers within the scale, at most `n`, for features that have no others.
    pub(crate) fn whole_ticks(&self, n: usize) -> Vec<(f64, String)> {
        let step = round_step((self.high - self.low) / n.max(1) as f64);
        if step >= 1.0 && !is_quarter(step) {
            return self.ticks(n);
        }
        let step = step.ceil().max(1.0);
        let first = (self.low / step).ceil();
        (0..self.count(step)).map(|i| ((first + i as f64) * step, plain_digits((first + i as f64) * step, 9))).collect()
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powi(exponent(step));
    [1.0, 2.0, 2.5, 5.0].into_iter().map(|m| m * power).find(|&s| s >= step * 0.999).unwrap_or(10.0 * power)
}

fn is_quarter(step: f64) -> bool {
    let mantissa = step / 10f64.powi(exponent(step * 1.0001));
    (mantissa - 2.5).abs() < 0.01
}

/// The size of the letters at ticks.
pub(crate) const TICK_SIZE: f64 = 11.0;
/// The size of axis titles.
pub(crate) const TITLE_SIZE: f64 = 12.0;
/// What an axis below the data takes, with its title.
pub(crate) const BELOW: f64 = 46.0;

/// Draws grid lines from `top` to `bottom`, ticks below them, and the title of the axis.
pub(crate) fn below(scene: &mut Scene, scale: &Linear, ticks: &[(f64, String)], span: (f64, f64), title: &str) {
    let (top, bottom) = span;
    grid_below(scene, scale, ticks, span);
    let room = scene.width - 16.0;
    let text = crate::font::fit(title, TITLE_SIZE, false, room).into_owned();
    let middle = (scale.from + scale.to) / 2.0;
    let half = crate::font::width(&text, TITLE_SIZE, false) / 2.0;
    let middle = middle.clamp((8.0 + half).min(scene.width / 2.0), (scene.width - 8.0 - half).max(scene.width / 2.0));
    scene.push(
        Mark::text((middle, bottom + 36.0), TITLE_SIZE, text).anchor(Anchor::Middle).fill(Ink::Muted).class("axis"),
    );
    debug_assert!(top <= bottom);
}

/// A title of an axis with a note that must not be cut.
pub(crate) fn with_note(title: &str, note: &str, across: f64) -> String {
    let note = format!(" · {note}");
    let room = across - 20.0 - crate::font::width(&note, TITLE_SIZE, false);
    format!("{}{note}", crate::font::fit(title, TITLE_SIZE, false, room))
}

/// Draws grid lines and ticks, without a title.
pub(crate) fn grid_below(scene: &mut Scene, scale: &Linear, ticks: &[(f64, String)], (top, bottom): (f64, f64)) {
    for (value, _) in ticks {
        let x = scale.at(*value);
        scene.push(Mark::line((x, top), (x, bottom), Ink::Grid).class("grid"));
    }
    scene.push(
        Mark::line((scale.from.min(scale.to), bottom), (scale.from.max(scale.to), bottom), Ink::Axis).class("axis"),
    );
    let mut taken = f64::NEG_INFINITY;
    for (value, text) in ticks {
        let x = scale.at(*value);
        let half = crate::font::width(text, TICK_SIZE, false) / 2.0;
        if x - half < taken + 6.0 || x - half < 0.0 || x + half > scene.width {
            continue;
        }
        taken = x + half;
        scene.push(Mark::line((x, bottom), (x, bottom + 4.0), Ink::Axis).class("axis"));
        scene.push(
            Mark::text((x, bottom + 17.0), TICK_SIZE, text.as_str())
                .anchor(Anchor::Middle)
                .fill(Ink::Muted)
                .class("tick"),
        );
    }
}

/// Draws grid lines to the right of `left`, ticks before them; `scale` runs upwards.
pub(crate) fn left(scene: &mut Scene, scale: &Linear, ticks: &[(f64, String)], (left, right): (f64, f64)) {
    for (value, text) in ticks {
        let y = scale.at(*value);
        scene.push(Mark::line((left, y), (right, y), Ink::Grid).class("grid"));
        scene.push(
            Mark::text((left - 8.0, y + 4.0), TICK_SIZE, text.as_str())
                .anchor(Anchor::End)
                .fill(Ink::Muted)
                .class("tick"),
        );
    }
}

/// The room that ticks at the left take, with the title that runs upwards.
pub(crate) fn room_left(ticks: &[(f64, String)]) -> f64 {
    ticks.iter().map(|(_, text)| crate::font::width(text, TICK_SIZE, false)).fold(12.0, f64::max) + 36.0
}

/// Writes the title of an axis at the left, upwards.
pub(crate) fn title_left(scene: &mut Scene, title: &str, (top, bottom): (f64, f64)) {
    let text = crate::font::fit(title, TITLE_SIZE, false, bottom - top).into_owned();
    let at = (18.0, (top + bottom) / 2.0);
    scene.push(Mark::text(at, TITLE_SIZE, text).anchor(Anchor::Middle).vertical().fill(Ink::Muted).class("axis"));
}
