//! Methods by metrics: means, intervals, places.

use xai_core::league::Contest;
use xai_core::{Error, League, Result};

use super::{chance, checked, cost, found, name_of, ranked, told, way};
use crate::axis::Linear;
use crate::door;
use crate::font::{fit, width};
use crate::number::plain_digits;
use crate::rows::{Name, Rows, readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A row for each method, best mean rank first, a column for each metric.
///
/// A cell holds the mean, the place, and below them the mean as a dot on its interval, on a scale of the column's own.
/// Methods with the same place cannot be told apart from the best of that place; the dot of the first place is full. The
/// mean rank stands beside what it is made of: every metric's weight stands above its column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeagueTable {
    /// The width of the picture in pixels; what all columns need when `None`.
    pub width: Option<f64>,
    /// A heading inside the picture.
    pub title: Option<String>,
}

const PITCH: f64 = 38.0;
const COLUMN: f64 = 128.0;
const NARROWEST: f64 = 84.0;
const RANK: f64 = 64.0;
const COST: f64 = 86.0;
const HEAD: f64 = 78.0;
const SIZE: f64 = 12.5;
const SMALL: f64 = 11.0;

impl LeagueTable {
    /// Draws the table.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a width that its columns do not fit into and for a league without methods;
    /// [`Error::Shape`] and [`Error::Malformed`] for one whose parts do not fit together.
    pub fn scene(&self, league: &League) -> Result<Scene> {
        checked(league)?;
        let order = league.standing();
        let names: Vec<Name> = order.iter().map(|&m| name(league, m)).collect();
        let metrics = league.metrics.len();
        let wanted = 1000.0f64.max(240.0 + RANK + 2.0 * COST + COLUMN * metrics as f64);
        let across = self.width.unwrap_or(wanted.min(8000.0));
        door::width(across)?;
        let top = title_room(self.title.as_deref()) + HEAD;
        let rows = Rows::for_names(&names, across.min(600.0), top, PITCH);
        let column = (across - rows.left - RANK - 2.0 * COST - 12.0) / metrics.max(1) as f64;
        if metrics > 0 && column < NARROWEST {
            let least = rows.left + RANK + 2.0 * COST + 12.0 + NARROWEST * metrics as f64;
            let expected = format!("at least {least:.0} pixels for {metrics} metrics");
            return Err(Error::parameter("width", across, expected));
        }
        let column = column.min(COLUMN * 1.5);
        let bottom = rows.bottom(order.len());
        let mut scene = Scene::new(across, bottom + 54.0, label(league, &order));
        title(&mut scene, self.title.as_deref());
        for row in (0..order.len()).step_by(2) {
            let (x, y) = (6.0, rows.middle(row) - PITCH / 2.0);
            scene.push(Mark::rect(x, y, across - 12.0, PITCH).fill(Ink::Grid).opacity(0.35).class("band"));
        }
        scene.push(Mark::line((6.0, top - 4.0), (across - 6.0, top - 4.0), Ink::Axis).class("axis"));
        rows.draw(&mut scene, &names);
        self.ranks(&mut scene, league, &order, &rows);
        let first = rows.left + RANK;
        for (k, metric) in league.metrics.iter().enumerate() {
            let left = first + column * k as f64;
            head(&mut scene, metric, (left + 8.0, left + column - 8.0), top);
            cells(&mut scene, league, &order, k, (left + 8.0, left + column - 8.0), &rows);
        }
        costs(&mut scene, league, &order, first + column * metrics as f64, &rows);
        let notes = [
            format!("{} samples · dot: mean, line: 95 % interval, each column on a scale of its own", league.n_samples),
            "#n: place; methods with the same place cannot be told apart from its best (Friedman, Nemenyi, 0.05) · \
             mean rank: over the metrics by weight"
                .to_owned(),
        ];
        for (line, note) in notes.iter().enumerate() {
            let text = fit(note, SMALL, false, across - 24.0).into_owned();
            let at = (12.0, bottom + 22.0 + 17.0 * line as f64);
            scene.push(Mark::text(at, SMALL, text).fill(Ink::Muted).class("note"));
        }
        Ok(scene)
    }

    fn ranks(&self, scene: &mut Scene, league: &League, order: &[usize], rows: &Rows) {
        let right = rows.left + RANK - 10.0;
        heading(scene, "mean rank", (right, rows.top - 14.0), Anchor::End);
        for (row, &m) in order.iter().enumerate() {
            let method = &league.methods[m];
            let text = method.mean_rank.map_or_else(|| "–".to_owned(), ranked);
            let mark = Mark::text((right, rows.middle(row) + 4.6), SIZE, text).bold().anchor(Anchor::End);
            let tip = format!("{}: mean rank over {} metrics", name_of(method), method.n_ranked);
            scene.push(mark.tip(tip).class("value"));
        }
    }
}

fn name(league: &League, m: usize) -> Name {
    let method = &league.methods[m];
    if method.is_baseline {
        Name::quiet(name_of(method))
    } else {
        Name { quiet: false, ..Name::quiet(name_of(method)) }
    }
}

fn heading(scene: &mut Scene, text: &str, at: (f64, f64), anchor: Anchor) {
    scene.push(Mark::text(at, SMALL, text).bold().anchor(anchor).class("column"));
}

/// The name in one or two lines, which way is better, the weight and what the test says.
fn head(scene: &mut Scene, metric: &Contest, (left, right): (f64, f64), top: f64) {
    let name = readable(&metric.name);
    let room = right - left;
    let [upper, lower] = broken(&name, room);
    for (text, y) in [(upper, top - 58.0), (lower, top - 44.0)] {
        let text = fit(&text, SMALL, true, room).into_owned();
        scene.push(Mark::text((left, y), SMALL, text).bold().tip(name.clone()).class("column"));
    }
    let test = metric.test.as_ref().map_or_else(|| "not tested".to_owned(), |test| chance(test.p_value));
    let lines =
        [(way(metric).to_owned(), top - 29.0), (format!("×{} · {test}", plain_digits(metric.weight, 2)), top - 14.0)];
    for (text, y) in lines {
        let text = fit(&text, SMALL - 0.5, false, room).into_owned();
        scene.push(Mark::text((left, y), SMALL - 0.5, text).fill(Ink::Muted).class("column"));
    }
}

/// A name on two lines where it is too long for one, parted at a hyphen.
fn broken(name: &str, room: f64) -> [String; 2] {
    let wide = |text: &str| width(text, SMALL, true);
    if wide(name) <= room {
        return [String::new(), name.to_owned()];
    }
    let cut = name.char_indices().filter(|(i, c)| *c == '-' && wide(&name[..=*i]) <= room).map(|(i, _)| i).next_back();
    match cut {
        Some(i) => [name[..=i].to_owned(), name[i + 1..].to_owned()],
        None => [String::new(), name.to_owned()],
    }
}

fn cells(scene: &mut Scene, league: &League, order: &[usize], k: usize, (left, right): (f64, f64), rows: &Rows) {
    let of = |m: usize| &league.results[m * league.metrics.len() + k];
    let ends = order.iter().flat_map(|&m| {
        let (mean, interval) = found(of(m)).unzip();
        let interval = interval.flatten();
        [mean, interval.map(|i| i.0), interval.map(|i| i.1)].into_iter().flatten()
    });
    let scale = Linear::around(ends, left + 3.0, right - 3.0);
    for (row, &m) in order.iter().enumerate() {
        let finding = of(m);
        let (y, tip) = (rows.middle(row), format!("{}: {}", name_of(&league.methods[m]), told(finding)));
        let Some((mean, interval)) = found(finding) else {
            scene.push(Mark::text((left, y + 4.6), SIZE, "–").fill(Ink::Muted).tip(tip).class("nothing"));
            continue;
        };
        let first = finding.place == Some(1);
        let text = Mark::text((left, y - 2.0), SIZE, plain_digits(mean, 3)).tip(tip.clone()).class("value");
        scene.push(if first { text.bold() } else { text });
        if let Some(place) = finding.place {
            let ink = if first { Ink::Text } else { Ink::Muted };
            let place = Mark::text((right, y - 2.0), SMALL, format!("#{place}")).anchor(Anchor::End).fill(ink);
            scene.push(if first { place.bold() } else { place }.class("place"));
        }
        let (line, x) = (y + 9.0, scale.within(mean));
        scene.push(Mark::line((left, line), (right, line), Ink::Grid).class("grid"));
        if let Some((low, high)) = interval {
            let mark = Mark::line((scale.within(low), line), (scale.within(high), line), Ink::Accent);
            scene.push(mark.stroke(Ink::Accent, 2.0).class("whisker"));
        }
        let dot = Mark::circle((x, line), 3.4).stroke(Ink::Accent, 1.4).tip(tip).class("point");
        scene.push(dot.fill(if first { Ink::Accent } else { Ink::Background }));
    }
}

fn costs(scene: &mut Scene, league: &League, order: &[usize], left: f64, rows: &Rows) {
    for (place, what) in ["evaluations", "seconds"].into_iter().enumerate() {
        let right = left + COST * (place as f64 + 1.0) - 4.0;
        heading(scene, what, (right, rows.top - 14.0), Anchor::End);
        for (row, &m) in order.iter().enumerate() {
            let method = &league.methods[m];
            let value = if place == 0 { method.evaluations as f64 } else { method.seconds };
            let (text, tip) = match &method.failure {
                Some(reason) => ("failed".to_owned(), readable(reason)),
                None => (cost(value), format!("{}: {value} {what}", name_of(method))),
            };
            let mark = Mark::text((right, rows.middle(row) + 4.6), SIZE, text).anchor(Anchor::End).fill(Ink::Muted);
            scene.push(mark.tip(tip).class("cost"));
        }
    }
}

/// Who leads, for readers who cannot see the picture.
fn label(league: &League, order: &[usize]) -> String {
    let first = &league.methods[order[0]];
    match first.mean_rank {
        Some(rank) => format!(
            "Table of {} methods and {} metrics: {} has the best mean rank, {}",
            league.methods.len(),
            league.metrics.len(),
            name_of(first),
            ranked(rank)
        ),
        None => format!("Table of {} methods and {} metrics", league.methods.len(), league.metrics.len()),
    }
}
