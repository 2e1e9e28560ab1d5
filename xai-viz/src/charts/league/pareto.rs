//! What is gained against what it costs.

use xai_core::{Error, League, Result};

use super::labels::{self, places};
use super::{checked, cost, name_of, told, way};
use crate::axis::{self, Linear};
use crate::door;
use crate::font::fit;
use crate::number::plain_digits;
use crate::rows::{readable, title, title_room};
use crate::scene::{Ink, Mark, Point, Scene};

/// A point for each method: what it costs to the right, on a logarithmic axis, how good it is upwards.
///
/// A step line joins the methods that none is both cheaper and better than. What costs nothing lies at the left edge.
#[derive(Debug, Clone, PartialEq)]
pub struct CostPicture {
    /// The metric upwards, by its place; the mean rank when `None`.
    pub metric: Option<usize>,
    /// The cost to the right.
    pub cost: Cost,
    /// The width of the picture in pixels.
    pub width: f64,
    /// The height of the picture in pixels.
    pub height: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

/// What a method costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Samples that the model scored.
    Evaluations,
    /// Seconds.
    Seconds,
}

impl Default for CostPicture {
    fn default() -> Self {
        CostPicture { metric: None, cost: Cost::Seconds, width: 720.0, height: 420.0, title: None }
    }
}

/// The radius of a point.
const RADIUS: f64 = 5.0;

/// A method with both numbers.
struct Entry {
    method: usize,
    cost: f64,
    good: f64,
}

impl CostPicture {
    /// Draws the points.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a metric that there is not, an unfit size, and a league in which no method has both
    /// numbers; [`Error::Shape`] and [`Error::Malformed`] for one whose parts do not fit together.
    pub fn scene(&self, league: &League) -> Result<Scene> {
        checked(league)?;
        door::width(self.width)?;
        door::height(self.height)?;
        if let Some(metric) = self.metric {
            door::index("metric", metric, league.metrics.len())?;
        }
        let entries = self.entries(league);
        if entries.is_empty() {
            return Err(Error::parameter("league", "no method with a cost and a value", "at least one"));
        }
        let higher = self.metric.is_some_and(|k| league.metrics[k].higher_is_better);
        let (top, bottom) = (title_room(self.title.as_deref()) + 6.0, self.height - axis::BELOW - 4.0);
        let ends = |low: f64, high: f64| if higher { (high, low) } else { (low, high) };
        let (from, to) = ends(top + 14.0, bottom - 14.0);
        let up = Linear::around(entries.iter().map(|e| e.good), from, to).padded(0.04);
        let ticks = up.ticks(((bottom - top) / 56.0) as usize);
        let left = axis::room_left(&ticks).min(self.width * 0.3);
        let right = self.width - 18.0;
        let free = entries.iter().any(|e| e.cost <= 0.0);
        let start = left + if free { 46.0 } else { 14.0 };
        let across = decades(&entries, start, right - 14.0);
        let at = |e: &Entry| -> Point {
            let x = if e.cost > 0.0 { across.within(e.cost.log10()) } else { left + 16.0 };
            (x, up.within(e.good))
        };
        let points: Vec<Point> = entries.iter().map(at).collect();
        let front = front(&entries, higher);
        let mut scene = Scene::new(self.width, self.height, self.label(league, &entries, &front));
        title(&mut scene, self.title.as_deref());
        axis::left(&mut scene, &up, &ticks, (left, right));
        axis::title_left(&mut scene, &self.upwards(league), (top, bottom));
        let what = match self.cost {
            Cost::Evaluations => "samples that the model scored to explain all samples",
            Cost::Seconds => "seconds to explain all samples",
        };
        let mut marks = powers(&across);
        if free {
            // The axis of grid lines has no place for nothing: it gets one of its own.
            let x = left + 16.0;
            scene.push(Mark::line((x, top), (x, bottom), Ink::Grid).dashed(2.0, 3.0).class("grid"));
            let zero = Mark::text((x, bottom + 17.0), axis::TICK_SIZE, "0").anchor(crate::Anchor::Middle);
            scene.push(zero.fill(Ink::Muted).class("tick"));
            marks.retain(|(value, _)| across.at(*value) > x + 24.0);
        }
        axis::below(
            &mut scene,
            &Linear { from: left, to: right, ..stretched(&across, left, right) },
            &marks,
            (top, bottom),
            what,
        );
        step_line(&mut scene, &front.iter().map(|&i| points[i]).collect::<Vec<_>>(), right);
        let names: Vec<String> = entries.iter().map(|e| name_of(&league.methods[e.method])).collect();
        let short: Vec<String> =
            names.iter().map(|n| fit(n, labels::SIZE, false, self.width * 0.3).into_owned()).collect();
        let where_to = places(&points, &short, &front, [left, top, self.width - 4.0, bottom], RADIUS);
        for (i, entry) in entries.iter().enumerate() {
            let quiet = league.methods[entry.method].is_baseline;
            let tip = format!("{}: {}, {} {}", names[i], self.worth(league, entry), cost(entry.cost), unit(self.cost));
            if let Some(place) = &where_to[i] {
                if place.far {
                    let to = (place.at.0, place.at.1 - 4.2);
                    scene.push(Mark::line(points[i], to, Ink::Axis).class("leader"));
                }
                let ink = if quiet { Ink::Muted } else { Ink::Text };
                let text = Mark::text(place.at, labels::SIZE, short[i].as_str()).anchor(place.anchor).fill(ink);
                let text = if front.contains(&i) { text.bold() } else { text };
                scene.push(text.class("label"));
            }
            let dot = Mark::circle(points[i], RADIUS).stroke(if quiet { Ink::Missing } else { Ink::Accent }, 1.6);
            let full = if front.contains(&i) { Ink::Accent } else { Ink::Background };
            scene.push(dot.fill(full).tip(tip).class("point"));
        }
        Ok(scene)
    }

    /// The methods that have both numbers.
    fn entries(&self, league: &League) -> Vec<Entry> {
        let one = |(method, contestant): (usize, &xai_core::league::Contestant)| {
            let good = match self.metric {
                None => contestant.mean_rank,
                Some(k) => league.results[method * league.metrics.len() + k].mean,
            };
            let cost = match self.cost {
                Cost::Evaluations => contestant.evaluations as f64,
                Cost::Seconds => contestant.seconds,
            };
            let good = good.filter(|good| good.is_finite() && cost.is_finite() && contestant.failure.is_none())?;
            Some(Entry { method, cost, good })
        };
        league.methods.iter().enumerate().filter_map(one).collect()
    }

    fn upwards(&self, league: &League) -> String {
        match self.metric {
            None => "mean rank over metrics, best at the top".to_owned(),
            Some(k) => format!("{} ({})", readable(&league.metrics[k].name), way(&league.metrics[k])),
        }
    }

    fn worth(&self, league: &League, entry: &Entry) -> String {
        match self.metric {
            None => format!("mean rank {}", plain_digits(entry.good, 3)),
            Some(k) => told(&league.results[entry.method * league.metrics.len() + k]),
        }
    }

    fn label(&self, league: &League, entries: &[Entry], front: &[usize]) -> String {
        let names: Vec<String> = front.iter().map(|&i| name_of(&league.methods[entries[i].method])).collect();
        format!("Quality against cost of {} methods; none beats {}", entries.len(), names.join(", "))
    }
}

fn unit(cost: Cost) -> &'static str {
    match cost {
        Cost::Evaluations => "evaluations",
        Cost::Seconds => "seconds",
    }
}

/// The methods that none is both as cheap and as good as, and better in one: cheapest first.
fn front(entries: &[Entry], higher: bool) -> Vec<usize> {
    let good = |e: &Entry| if higher { -e.good } else { e.good };
    let beats = |a: &Entry, b: &Entry| a.cost <= b.cost && good(a) <= good(b) && (a.cost < b.cost || good(a) < good(b));
    let mut front: Vec<usize> =
        (0..entries.len()).filter(|&i| !entries.iter().any(|other| beats(other, &entries[i]))).collect();
    front.sort_by(|&a, &b| entries[a].cost.total_cmp(&entries[b].cost));
    front
}

/// The scale of the powers of ten that the costs lie between.
fn decades(entries: &[Entry], from: f64, to: f64) -> Linear {
    let logs = entries.iter().filter(|e| e.cost > 0.0).map(|e| e.cost.log10());
    let scale = Linear::around(logs, from, to);
    let room = (1.0 - (scale.high - scale.low)).max(0.0) / 2.0;
    Linear { low: scale.low - room, high: scale.high + room, ..scale }
}

/// The same scale over the whole axis, every number at its old pixel.
fn stretched(scale: &Linear, left: f64, right: f64) -> Linear {
    let per = (scale.high - scale.low) / (scale.to - scale.from);
    Linear {
        low: scale.low - (scale.from - left) * per,
        high: scale.high + (right - scale.to) * per,
        from: left,
        to: right,
    }
}

/// Powers of ten within the scale, and what lies between them where there are few.
fn powers(scale: &Linear) -> Vec<(f64, String)> {
    let (first, last) = (scale.low.floor() as i32, scale.high.ceil() as i32);
    let every = ((last - first) as usize).div_ceil(9).max(1);
    let between: &[f64] = if last - first <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let mut ticks = Vec::new();
    for power in (first..=last).step_by(every) {
        for digit in between {
            let at = f64::from(power) + digit.log10();
            if (scale.low..=scale.high).contains(&at) {
                ticks.push((at, short(digit * 10f64.powi(power))));
            }
        }
    }
    ticks
}

/// Thousands and millions by their letters.
fn short(value: f64) -> String {
    match value {
        v if (1e4..1e6).contains(&v) => format!("{} k", plain_digits(v / 1e3, 1)),
        v if (1e6..1e9).contains(&v) => format!("{} M", plain_digits(v / 1e6, 1)),
        v => plain_digits(v, 1),
    }
}

/// From each point of the front right, then up to the next.
fn step_line(scene: &mut Scene, front: &[Point], right: f64) {
    let mut line: Vec<Point> = Vec::new();
    for &(x, y) in front {
        if let Some(&(_, before)) = line.last() {
            line.push((x, before));
        }
        line.push((x, y));
    }
    if let Some(&(_, y)) = line.last() {
        line.push((right, y));
        scene.push(Mark::polyline(line, Ink::Accent, 1.4).opacity(0.45).class("front"));
    }
}
