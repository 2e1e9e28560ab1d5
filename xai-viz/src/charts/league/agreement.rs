//! How alike methods order the features.

use xai_core::{League, Result};

use super::{checked, name_of};
use crate::door;
use crate::font::{fit, width};
use crate::number::plain_digits;
use crate::rows::{NAME_SIZE, Name, Rows, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A row and a column for each method, best mean rank first: the mean rank correlation of absolute values.
///
/// Agreement is not truth: two methods may share a mistake, or answer different questions and both be right.
#[derive(Debug, Clone, PartialEq)]
pub struct AgreementMap {
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for AgreementMap {
    fn default() -> Self {
        AgreementMap { width: 720.0, title: None }
    }
}

/// The most that a name above a column takes.
const NAME_ROOM: f64 = 130.0;
/// The size of numbers in cells.
const VALUE_SIZE: f64 = 11.5;
/// Colour below numbers stays so pale that letters keep their contrast.
const BELOW_LETTERS: f64 = 0.6;

impl AgreementMap {
    /// Draws the map.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for an unfit width and a league without methods;
    /// [`Error::Shape`](xai_core::Error::Shape) and [`Error::Malformed`](xai_core::Error::Malformed) for one whose parts
    /// do not fit together.
    pub fn scene(&self, league: &League) -> Result<Scene> {
        checked(league)?;
        door::width(self.width)?;
        let order = league.standing();
        let names: Vec<Name> = order
            .iter()
            .map(|&m| Name { quiet: league.methods[m].is_baseline, ..Name::quiet(name_of(&league.methods[m])) })
            .collect();
        let n = names.len();
        let longest = names.iter().map(|name| width(&name.name, NAME_SIZE, false)).fold(20.0, f64::max);
        let top = title_room(self.title.as_deref()) + longest.min(NAME_ROOM) + 14.0;
        let mut rows = Rows::for_names(&names, self.width, top, 1.0);
        let right = self.width - 74.0;
        let column = (right - rows.left) / n as f64;
        rows.pitch = column.clamp(20.0, 36.0);
        let numbers = width("−0.88", VALUE_SIZE, false) + 3.0 <= column;
        let bottom = rows.bottom(n);
        let mut scene = Scene::new(self.width, bottom + 40.0, label(league, &order));
        title(&mut scene, self.title.as_deref());
        rows.draw(&mut scene, &names);
        for (j, name) in names.iter().enumerate() {
            let text = fit(&name.name, NAME_SIZE, false, NAME_ROOM).into_owned();
            let at = (rows.left + column * (j as f64 + 0.5) + 4.6, top - 8.0);
            let ink = if name.quiet { Ink::Muted } else { Ink::Text };
            scene.push(Mark::text(at, NAME_SIZE, text).vertical().fill(ink).tip(name.full()).class("column"));
        }
        let strength = if numbers { BELOW_LETTERS } else { 1.0 };
        for (i, &a) in order.iter().enumerate() {
            for (j, &b) in order.iter().enumerate() {
                let value = league.agreement[[a, b]];
                let (x, y) = (rows.left + column * j as f64, rows.middle(i) - rows.pitch / 2.0);
                let (wide, tall) = (column - 1.5, rows.pitch - 1.5);
                let pair = format!("{} and {}", names[i].name, names[j].name);
                scene.push(Mark::rect(x, y, wide, tall).fill(Ink::Grid).opacity(0.35).class("back"));
                let (part, tip) = match value.is_finite() {
                    true => (value.clamp(-1.0, 1.0), format!("{pair}: {}", plain_digits(value, 3))),
                    false => (0.0, format!("{pair}: not defined")),
                };
                let ink = if part < 0.0 { Ink::Up } else { Ink::Accent };
                let cell = Mark::rect(x, y, wide, tall).fill(ink).opacity(part.abs() * strength);
                scene.push(cell.tip(tip).class("cell"));
                if numbers {
                    let text = if value.is_finite() { short(value) } else { "–".to_owned() };
                    let mark = Mark::text((x + wide / 2.0, rows.middle(i) + 3.2), VALUE_SIZE, text);
                    scene.push(mark.anchor(Anchor::Middle).class("value"));
                }
            }
        }
        let note = "mean rank correlation of absolute values, over samples and outputs";
        let text = fit(note, 12.0, false, self.width - 16.0).into_owned();
        scene.push(Mark::text((12.0, bottom + 26.0), 12.0, text).fill(Ink::Muted).class("axis"));
        key(&mut scene, (right + 16.0, top), (bottom - top).clamp(40.0, 200.0), strength);
        Ok(scene)
    }
}

/// Two digits, and no zero that has a sign.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    if text.contains(|c: char| ('1'..='9').contains(&c)) { crate::number::typeset(&text) } else { "0".to_owned() }
}

/// The colours: blue is alike, orange the other way round.
fn key(scene: &mut Scene, at: (f64, f64), height: f64, strength: f64) {
    const PARTS: usize = 31;
    let part = height / PARTS as f64;
    for i in 0..PARTS {
        let value = 1.0 - 2.0 * i as f64 / (PARTS - 1) as f64;
        let ink = if value < 0.0 { Ink::Up } else { Ink::Accent };
        let cell = Mark::rect(at.0, at.1 + part * i as f64, 10.0, part).fill(ink).opacity(value.abs() * strength);
        scene.push(cell.class("colours"));
    }
    for (text, y) in [("1", at.1 + 8.0), ("0", at.1 + height / 2.0 + 4.0), ("−1", at.1 + height)] {
        scene.push(Mark::text((at.0 + 15.0, y), 11.0, text).fill(Ink::Muted).class("colours"));
    }
}

/// The pair that differs most, for readers who cannot see the picture.
fn label(league: &League, order: &[usize]) -> String {
    let pairs = order.iter().enumerate().flat_map(|(i, &a)| order[..i].iter().map(move |&b| (a, b)));
    let least = pairs
        .filter(|&(a, b)| !league.methods[a].is_baseline && !league.methods[b].is_baseline)
        .map(|(a, b)| (league.agreement[[a, b]], a, b))
        .filter(|(value, ..)| value.is_finite())
        .min_by(|x, y| x.0.total_cmp(&y.0));
    match least {
        Some((value, a, b)) => format!(
            "Agreement of {} methods: {} and {} agree least, {}",
            order.len(),
            name_of(&league.methods[a]),
            name_of(&league.methods[b]),
            plain_digits(value, 2)
        ),
        None => format!("Agreement of {} methods", order.len()),
    }
}
