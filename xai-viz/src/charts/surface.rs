//! How scores change with two features together.

use xai_core::{Effects, Error, Result};

use crate::axis::{self, BELOW, Linear};
use crate::charts::curves::{checked, heading, is_difference};
use crate::door;
use crate::font::fit;
use crate::frame::{FeatureAxis, ramp};
use crate::number::{of_feature, plain_digits};
use crate::rows::{readable, title, title_room};
use crate::scene::{Ink, Mark, Scene};

/// A map of the response to two features: the first to the right, the second upwards. Points where the response is not
/// known are grey.
///
/// Effects (differences whose mean is zero) are drawn in the two colours of directions, other responses from dark to
/// light.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Which of the curves.
    pub curve: usize,
    /// Which output.
    pub output: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// The height of the picture in pixels.
    pub height: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Surface {
    fn default() -> Self {
        Surface { curve: 0, output: 0, width: 640.0, height: 460.0, title: None }
    }
}

/// The most points of a grid that are drawn.
const MOST_CELLS: u64 = 40_000;

impl Surface {
    /// Draws one surface.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a curve or output that there is not and an unfit size, [`Error::Unsupported`] for a
    /// curve of one feature, [`Error::TooLarge`] beyond 40,000 points, [`Error::Shape`] for parts that do not fit.
    pub fn scene(&self, effects: &Effects) -> Result<Scene> {
        door::index("curve", self.curve, effects.curves.len())?;
        door::index("output", self.output, effects.outputs.len())?;
        door::width(self.width)?;
        door::height(self.height)?;
        let curve = &effects.curves[self.curve];
        let ([first, second], [xs, ys]) = (curve.features.as_slice(), curve.grid.as_slice()) else {
            return Err(Error::unsupported(
                format!("a surface of {} features", curve.features.len()),
                "draw a curve instead",
            ));
        };
        checked(curve, effects.outputs.len())?;
        let points = (xs.len() * ys.len()) as u64;
        if points > MOST_CELLS {
            return Err(Error::TooLarge { what: "points of a surface".into(), limit: MOST_CELLS, found: points });
        }
        let values = curve.values.column(self.output);
        let difference = is_difference(effects);
        let mut scale = Linear::around(values.iter().copied(), 0.0, 1.0);
        if difference {
            let most = scale.low.abs().max(scale.high.abs());
            (scale.low, scale.high) = (-most, most);
        }

        let top = title_room(self.title.as_deref()) + 4.0;
        let bottom = self.height - BELOW;
        let mut up = FeatureAxis::new(second, ys.iter().copied(), bottom, top);
        let room = self.width * 0.35 - 40.0;
        for (_, text) in &mut up.ticks {
            *text = fit(text, axis::TICK_SIZE, false, room).into_owned();
        }
        let (left, right) = (axis::room_left(&up.ticks), self.width - 100.0);
        let across = FeatureAxis::new(first, xs.iter().copied(), left, right);
        let (x_name, y_name) = (readable(&first.name), readable(&second.name));
        let label = format!(
            "Joint effect of {x_name} and {y_name}: {} from {} to {}",
            heading(effects, &[self.output]),
            plain_digits(scale.low, 3),
            plain_digits(scale.high, 3)
        );
        let mut scene = Scene::new(self.width, self.height, label);
        title(&mut scene, self.title.as_deref());
        across.below(&mut scene, (top, bottom), &x_name);
        axis::left(&mut scene, &up.scale, &up.ticks, (left, right));
        axis::title_left(&mut scene, &y_name, (top, bottom));
        let (low, high) = (across.scale.from, across.scale.to);
        scene.push(Mark::rect(low, top, high - low, bottom - top).fill(Ink::Grid).class("unknown"));
        let columns = cells(&across, xs);
        let rows = cells(&up, ys);
        for (i, &(x0, x1)) in columns.iter().enumerate() {
            for (j, &(y0, y1)) in rows.iter().enumerate() {
                let value = values[i * ys.len() + j];
                if !value.is_finite() {
                    continue;
                }
                let (low_x, low_y) = (x0.min(x1), y0.min(y1));
                let cell = Mark::rect(low_x, low_y, (x1 - x0).abs(), (y1 - y0).abs());
                let part = scale.within(value);
                let cell = if difference {
                    let back = cell.clone().fill(Ink::Background).class("cell");
                    scene.push(back);
                    let ink = if part >= 0.5 { Ink::Up } else { Ink::Down };
                    cell.fill(ink).opacity((2.0 * part - 1.0).abs())
                } else {
                    cell.fill(Ink::Surface(part))
                };
                let words = |f, x| of_feature(f, x).unwrap_or_default();
                let tip = format!(
                    "{x_name} = {}, {y_name} = {}: {}",
                    words(first, xs[i]),
                    words(second, ys[j]),
                    plain_digits(value, 4)
                );
                scene.push(cell.tip(tip).class("cell"));
            }
        }
        let ends = [plain_digits(scale.low, 3), plain_digits(scale.high, 3)];
        let name = heading(effects, &[self.output]);
        let place = (right + 20.0, top + 2.0);
        if difference {
            // The ramp of directions: the one colour, nothing, the other.
            for i in 0..40 {
                let at = 1.0 - 2.0 * (i as f64 + 0.5) / 40.0;
                let part = (bottom - top - 4.0) / 40.0;
                let cell = Mark::rect(place.0, place.1 + part * i as f64, 10.0, part);
                let ink = if at > 0.0 { Ink::Up } else { Ink::Down };
                scene.push(cell.fill(ink).opacity(at.abs()).class("colours"));
            }
            ramp_words(&mut scene, place, bottom - top - 4.0, &ends, &name);
        } else {
            ramp(&mut scene, place, bottom - top - 4.0, [&ends[0], &ends[1]], &name, Ink::Surface);
        }
        Ok(scene)
    }
}

fn ramp_words(scene: &mut Scene, (x, y): (f64, f64), height: f64, ends: &[String; 2], name: &str) {
    for (text, y) in [(&ends[1], y + 8.0), (&ends[0], y + height)] {
        let text = fit(text, 11.0, false, scene.width - x - 18.0).into_owned();
        scene.push(Mark::text((x + 15.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
    }
    let text = fit(name, 11.0, false, height - 36.0).into_owned();
    let mark = Mark::text((x + 25.0, y + height / 2.0), 11.0, text).anchor(crate::scene::Anchor::Middle);
    scene.push(mark.vertical().fill(Ink::Muted).class("colours"));
}

/// The borders of the cell around each value of an axis: halfway to its neighbours.
fn cells(axis: &FeatureAxis, values: &[f64]) -> Vec<(f64, f64)> {
    let known: Vec<f64> = values.iter().map(|v| axis.at(*v)).collect();
    if axis.categories.is_some() {
        let half = (axis.scale.at(1.0) - axis.scale.at(0.0)) / 2.0;
        return known.into_iter().map(|x| whole((x - half, x + half))).collect();
    }
    let regular: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
    let mut cells: Vec<(f64, f64)> = known.iter().map(|x| (x - 14.0, x + 14.0)).collect();
    for (k, &i) in regular.iter().enumerate() {
        let before = k.checked_sub(1).map(|k| regular[k]);
        let after = regular.get(k + 1).copied();
        let from = before.map_or(axis.scale.from, |b| (known[b] + known[i]) / 2.0);
        let to = after.map_or(axis.scale.to, |n| (known[n] + known[i]) / 2.0);
        cells[i] = (from, to);
    }
    cells.into_iter().map(whole).collect()
}

/// Borders on whole pixels show no seams.
fn whole((from, to): (f64, f64)) -> (f64, f64) {
    (from.round(), to.round())
}
