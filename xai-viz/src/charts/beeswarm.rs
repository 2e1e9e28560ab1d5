//! All samples at once: what every feature does, to whom, and at which values.

use xai_core::{Attribution, FeatureKind, Result};

use crate::axis::{self, BELOW, Linear};
use crate::charts::dependence::scatter;
use crate::door;
use crate::number::{of_feature, of_output, plain_digits};
use crate::rank::{Ranked, mean_size, of_output as values_of, sum};
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};
use crate::theme::N_SERIES;

/// A row of points for each feature, a point for each sample.
///
/// A point lies at the feature's contribution and is coloured by the feature's value, from the 5th to the 95th
/// percentile of the values; categories have colours of their own, missing values are grey. Points that would cover
/// each other are stacked, so that a row is as thick as the points are dense. Up to 500 points a row have tooltips.
#[derive(Debug, Clone, PartialEq)]
pub struct Beeswarm {
    /// Which output.
    pub output: usize,
    /// How many features are shown; the contributions of the others are added up in one row.
    pub top: usize,
    /// How many points a row has at most: of more samples, evenly spaced ones by contribution are drawn, and the
    /// picture says so.
    pub most_points: usize,
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for Beeswarm {
    fn default() -> Self {
        Beeswarm { output: 0, top: 12, most_points: 1000, width: 760.0, title: None }
    }
}

const PITCH: f64 = 36.0;
/// Up to so many points a row are placed one by one.
const FEW: usize = 250;
/// The room at the right that the colour bar takes.
const COLOUR_BAR: f64 = 66.0;

impl Beeswarm {
    /// Draws all samples.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for an output that there is not, `top` or `most_points` 0 and
    /// an unfit width; the errors of [`Attribution::checked`].
    pub fn scene(&self, a: &Attribution) -> Result<Scene> {
        door::attribution(a)?;
        door::index("output", self.output, a.outputs.len())?;
        door::positive("top", self.top)?;
        door::positive("most_points", self.most_points)?;
        door::width(self.width)?;
        let mean = mean_size(a);
        let ranked = Ranked::new(|f| mean[[f, self.output]], a.features.len(), self.top);
        let values = values_of(a, self.output);
        let mut names: Vec<Name> = ranked.shown.iter().map(|&f| name(a, f)).collect();
        let mut swarms: Vec<Vec<Bee>> = ranked.shown.iter().map(|&f| bees(a, f, &values.column(f).to_vec())).collect();
        if !ranked.rest.is_empty() {
            names.push(Name::quiet(format!("sum of {}", ranked.rest_name())));
            let total = |s: usize| sum(ranked.rest.iter().map(|&f| values[[s, f]]));
            let bee = |s| Bee { sample: s, value: total(s), ink: Ink::Missing, datum: None };
            swarms.push((0..a.n_samples()).map(bee).collect());
        }
        // Every swarm must be sorted: `any` on the iterator itself would stop at the first that is thinned.
        let thinned: Vec<bool> = swarms.iter_mut().map(|swarm| thin(swarm, self.most_points)).collect();
        let thinned = thinned.contains(&true);

        let rows = Rows::for_names(&names, self.width, title_room(self.title.as_deref()), PITCH);
        let bottom = rows.bottom(names.len()) + 4.0;
        let coloured = swarms.iter().flatten().any(|bee| matches!(bee.ink, Ink::Value(_)));
        let right = self.width - if coloured { COLOUR_BAR } else { 14.0 };
        let all = swarms.iter().flatten().map(|bee| bee.value).chain([0.0]);
        let scale = Linear::around(all, rows.left + 4.0, right).padded(0.03);
        let radius = radius_for(&scale, &swarms);
        let mut scene = Scene::new(self.width, bottom + BELOW, self.label(a, &names));
        title(&mut scene, self.title.as_deref());
        let heading = match thinned {
            false => format!("contribution to {}", of_output(&a.outputs[self.output])),
            true => axis::with_note(
                &format!("contribution to {}", of_output(&a.outputs[self.output])),
                &format!("{} of {} samples drawn", self.most_points, a.n_samples()),
                self.width,
            ),
        };
        axis::below(&mut scene, &scale, &scale.ticks(6), (rows.top, bottom), &heading);
        let zero = scale.at(0.0);
        scene.push(Mark::line((zero, rows.top), (zero, bottom), Ink::Axis).class("zero"));
        rows.draw(&mut scene, &names);
        for row in 0..names.len() {
            let y = rows.middle(row);
            scene.push(Mark::line((rows.left, y), (right, y), Ink::Grid).dashed(1.0, 4.0).class("grid"));
        }
        for (row, swarm) in swarms.iter().enumerate() {
            draw_swarm(&mut scene, &scale, swarm, rows.middle(row), radius, &names[row].name);
        }
        if coloured {
            let height = (bottom - rows.top - 40.0).clamp(24.0, 260.0);
            colour_bar(&mut scene, (right + 20.0, (rows.top + bottom - height) / 2.0), height);
        }
        Ok(scene)
    }

    fn label(&self, a: &Attribution, names: &[Name]) -> String {
        let first: Vec<&str> = names.iter().take(3).map(|n| n.name.as_str()).collect();
        let output = readable(&of_output(&a.outputs[self.output]));
        format!(
            "Beeswarm of contributions to {output} of {} samples; most important: {}",
            a.n_samples(),
            first.join(", ")
        )
    }
}

/// One point.
struct Bee {
    sample: usize,
    value: f64,
    ink: Ink,
    datum: Option<String>,
}

/// The name of a row, with a legend where the feature is a category.
fn name(a: &Attribution, f: usize) -> Name {
    let mut name = Name::of(&a.features[f], None);
    if let (FeatureKind::Categorical { categories }, Some(_)) = (&a.features[f].kind, &a.data) {
        if categories.len() > N_SERIES {
            name.legend = vec![(format!("{} categories", categories.len()), Ink::Missing)];
        } else {
            name.legend = categories.iter().enumerate().map(|(i, c)| (readable(c), Ink::Series(i))).collect();
        }
    }
    name
}

fn bees(a: &Attribution, f: usize, values: &[f64]) -> Vec<Bee> {
    let column: Option<Vec<f64>> = a.data.as_ref().map(|data| data.column(f).to_vec());
    let colour = column.as_deref().map(|column| Colouring::of(&a.features[f].kind, column));
    let bee = |(sample, &value): (usize, &f64)| {
        let x = column.as_ref().map(|column| column[sample]);
        let ink = x.zip(colour.as_ref()).map_or(Ink::Accent, |(x, colour)| colour.ink(x));
        Bee { sample, value, ink, datum: x.and_then(|x| of_feature(&a.features[f], x)) }
    };
    values.iter().enumerate().map(bee).collect()
}

/// The largest points that need not cover each other, or small ones where they must.
fn radius_for(scale: &Linear, swarms: &[Vec<Bee>]) -> f64 {
    let most = swarms.iter().map(Vec::len).max().unwrap_or(0);
    if most > FEW {
        return if most > 800 { 2.3 } else { 2.7 };
    }
    let fits = |radius: &f64| {
        swarms.iter().all(|swarm| {
            let xs: Vec<f64> = swarm.iter().map(|bee| scale.at(bee.value)).collect();
            stack(&xs, *radius, room(*radius)).1
        })
    };
    [4.0, 3.5, 3.0, 2.6].into_iter().find(fits).unwrap_or(2.6)
}

/// How far the centre of a point may lie from the middle of its row.
fn room(radius: f64) -> f64 {
    PITCH / 2.0 - radius - 1.5
}

/// How the values of a feature become colours.
pub(crate) enum Colouring {
    /// One colour each.
    Category(usize),
    /// From low to high, between these.
    Range(f64, f64),
    /// All the same: nothing can be told from a colour.
    None,
}

impl Colouring {
    /// By category where there are no more than colours; by value from the 5th to the 95th percentile.
    pub(crate) fn of(kind: &FeatureKind, column: &[f64]) -> Self {
        match kind {
            FeatureKind::Group { .. } => return Colouring::None,
            FeatureKind::Categorical { categories } if categories.len() <= N_SERIES => {
                return Colouring::Category(categories.len());
            }
            FeatureKind::Categorical { .. } => return Colouring::None,
            _ => {}
        }
        let mut sorted: Vec<f64> = column.iter().copied().filter(|x| x.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return Colouring::None };
        let quantile = |q: f64| sorted[(last as f64 * q).round() as usize];
        let (mut low, mut high) = (quantile(0.05), quantile(0.95));
        if low == high {
            // A rare value still has a colour of its own.
            (low, high) = (sorted[0], sorted[last]);
        }
        Colouring::Range(axis::tame(low), axis::tame(high))
    }

    /// The colour of a value.
    pub(crate) fn ink(&self, x: f64) -> Ink {
        match *self {
            _ if x.is_nan() => Ink::Missing,
            Colouring::None => Ink::Missing,
            Colouring::Category(n) if x >= 0.0 && x.fract() == 0.0 && x < n as f64 => Ink::Series(x as usize),
            Colouring::Category(_) => Ink::Missing,
            Colouring::Range(low, high) if low == high && x == low => Ink::Value(0.5),
            // Steps of 1/64 cannot be told apart and let neighbours share a group.
            Colouring::Range(low, high) => {
                let part = (axis::tame(x) - low) / (high - low).max(f64::MIN_POSITIVE);
                Ink::Value((part.clamp(0.0, 1.0) * 64.0).round() / 64.0)
            }
        }
    }
}

/// Keeps `most` points, evenly by value with both ends; says whether any is gone.
fn thin(swarm: &mut Vec<Bee>, most: usize) -> bool {
    swarm.sort_by(|a, b| a.value.total_cmp(&b.value).then(a.sample.cmp(&b.sample)));
    let n = swarm.len();
    if n <= most {
        return false;
    }
    let mut keep = vec![false; n];
    for i in 0..most {
        keep[if most == 1 { n / 2 } else { i * (n - 1) / (most - 1) }] = true;
    }
    let mut place = keep.into_iter();
    swarm.retain(|_| place.next().unwrap_or(false));
    true
}

/// Draws points sorted by value, stacked to either side of `y`.
fn draw_swarm(scene: &mut Scene, scale: &Linear, swarm: &[Bee], y: f64, radius: f64, name: &str) {
    let xs: Vec<f64> = swarm.iter().map(|bee| scale.at(bee.value)).collect();
    let offsets = stack(&xs, radius, room(radius)).0;
    for ((bee, x), offset) in swarm.iter().zip(xs).zip(offsets) {
        let datum = bee.datum.as_ref().map_or(String::new(), |datum| format!(" = {datum}"));
        let tip = format!("sample {}: {name}{datum}, {}", bee.sample, plain_digits(bee.value, 3));
        let point = Mark::circle((x, y + offset), radius).fill(bee.ink).opacity(0.85).class("point");
        scene.push(if swarm.len() <= door::MOST_TOOLTIPS { point.tip(tip) } else { point });
    }
}

/// How far each point moves up or down so that none covers another, if `room` allows; where it does not, the row is
/// pressed together as a whole.
///
/// `xs` ascend. Few points take the free place nearest to the middle, in an order that follows no pattern; many are
/// counted in narrow columns, each filled from the middle to both sides.
///
/// Also says whether no point covers another.
fn stack(xs: &[f64], radius: f64, room: f64) -> (Vec<f64>, bool) {
    let mut places = if xs.len() <= FEW { apart(xs, 2.0 * radius) } else { columns(xs, radius) };
    let most = places.iter().fold(0.0, |m: f64, p| m.max(p.abs()));
    if most > room {
        places.iter_mut().for_each(|p| *p *= room / most);
    }
    (places, most <= room && xs.len() <= FEW)
}

fn apart(xs: &[f64], gap: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..xs.len()).collect();
    order.sort_by(|&a, &b| scatter(a).total_cmp(&scatter(b)));
    let mut places: Vec<Option<f64>> = vec![None; xs.len()];
    for i in order {
        // Around each neighbour an interval is taken; the nearest border that lies in none is free.
        let mut taken: Vec<(f64, f64)> = (0..xs.len())
            .filter_map(|j| {
                let dx = xs[i] - xs[j];
                let dy = (gap * gap - dx * dx).max(0.0).sqrt();
                places[j].filter(|_| dy > 1e-9).map(|place| (place - dy, place + dy))
            })
            .collect();
        taken.sort_by(|a, b| a.0.total_cmp(&b.0));
        places[i] = Some(nearest_gap(&taken));
    }
    places.into_iter().flatten().collect()
}

fn columns(xs: &[f64], radius: f64) -> Vec<f64> {
    let mut places = vec![0.0; xs.len()];
    let mut start = 0;
    while start < xs.len() {
        let column = (xs[start] / radius).floor();
        let end = start + xs[start..].iter().take_while(|x| (**x / radius).floor() == column).count();
        let mut order: Vec<usize> = (start..end).collect();
        order.sort_by(|&a, &b| scatter(a).total_cmp(&scatter(b)));
        for (k, i) in order.into_iter().enumerate() {
            let level = k.div_ceil(2) as f64 * if k % 2 == 0 { 1.0 } else { -1.0 };
            places[i] = level * 1.3 * radius;
        }
        start = end;
    }
    places
}

/// The number nearest to zero in no open interval of `taken`, which ascends by its left ends.
fn nearest_gap(taken: &[(f64, f64)]) -> f64 {
    // The run of overlapping intervals around zero, if any.
    let (mut low, mut high, mut covered) = (0.0f64, 0.0f64, false);
    let mut run: Option<(f64, f64)> = None;
    for &(from, to) in taken {
        match &mut run {
            Some((_, end)) if from < *end - 1e-9 => *end = end.max(to),
            _ => {
                if let Some((a, b)) = run.filter(|&(a, b)| a < -1e-9 && b > 1e-9) {
                    (low, high, covered) = (a, b, true);
                }
                run = Some((from, to));
            }
        }
    }
    if let Some((a, b)) = run.filter(|&(a, b)| a < -1e-9 && b > 1e-9) {
        (low, high, covered) = (a, b, true);
    }
    match covered {
        false => 0.0,
        true if high <= -low => high,
        true => low,
    }
}

/// Draws what the colours of values mean.
pub(crate) fn colour_bar(scene: &mut Scene, (x, y): (f64, f64), height: f64) {
    const PARTS: usize = 32;
    let part = height / PARTS as f64;
    for i in 0..PARTS {
        let at = 1.0 - (i as f64 + 0.5) / PARTS as f64;
        scene.push(Mark::rect(x, y + part * i as f64, 9.0, part + 0.4).fill(Ink::Value(at)).class("colours"));
    }
    let text = |at, text| Mark::text(at, 11.0, text).fill(Ink::Muted).class("colours");
    scene.push(text((x + 4.5, y - 7.0), "high").anchor(Anchor::Middle));
    scene.push(text((x + 4.5, y + height + 15.0), "low").anchor(Anchor::Middle));
    if height >= 80.0 {
        scene.push(text((x + 26.0, y + height / 2.0), "feature value").anchor(Anchor::Middle).vertical());
    }
}
