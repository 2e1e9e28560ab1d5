//! The layers of a network, as a map.

use xai_core::{Inside, LayerFacts, Result, Spread};

use crate::door;
use crate::font::fit;
use crate::number::plain_digits;
use crate::rows::{readable, title, title_room};
use crate::scene::{Anchor, Ink, Mark, Scene};

/// A row for each layer: what it reads, its shape and parameters, how weights and activations are spread, and which units
/// are dead or saturated.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerMap {
    /// The width of the picture in pixels.
    pub width: f64,
    /// A heading inside the picture.
    pub title: Option<String>,
}

impl Default for LayerMap {
    fn default() -> Self {
        LayerMap { width: 900.0, title: None }
    }
}

const ROW: f64 = 34.0;
const HEAD: f64 = 26.0;
/// The room for arcs that lead from a layer past the next one.
const ARCS: f64 = 64.0;
const MOST_LAYERS: usize = 1000;

impl LayerMap {
    /// Draws all layers, the input first.
    ///
    /// # Errors
    /// [`Error::Parameter`](xai_core::Error::Parameter) for an unfit width, no layer, or more than 1,000;
    /// [`Error::Malformed`](xai_core::Error::Malformed) for a layer that reads one behind it.
    pub fn scene(&self, inside: &Inside) -> Result<Scene> {
        door::width(self.width)?;
        let n = inside.layers.len();
        if !(1..=MOST_LAYERS).contains(&n) {
            return Err(xai_core::Error::parameter("layers", n, format!("1 to {MOST_LAYERS}")));
        }
        for (place, facts) in inside.layers.iter().enumerate() {
            if let Some(input) = facts.layer.inputs.iter().find(|&&input| input >= place) {
                let problem = format!("it reads layer {input}, which is not before it");
                return Err(xai_core::Error::Malformed { format: "layers", at: format!("layer {place}"), problem });
            }
        }
        let columns = Columns::new(self.width);
        let above = title_room(self.title.as_deref());
        let parameters: u64 = inside.layers.iter().map(LayerFacts::n_parameters).sum();
        let label = format!("{n} layers with {parameters} parameters");
        let mut scene = Scene::new(self.width, above + HEAD + ROW * n as f64 + 44.0, label);
        title(&mut scene, self.title.as_deref());
        for (x, words) in columns.heads(inside.n_samples) {
            scene.push(Mark::text((x, above + 14.0), 11.0, words).fill(Ink::Muted).class("axis"));
        }
        let middle = |place: usize| above + HEAD + ROW * (place as f64 + 0.5);
        for (place, facts) in inside.layers.iter().enumerate() {
            for &input in &facts.layer.inputs {
                arc(&mut scene, middle(input), middle(place), place - input);
            }
        }
        for (place, facts) in inside.layers.iter().enumerate() {
            columns.row(&mut scene, facts, middle(place));
        }
        let samples = match inside.n_samples {
            0 => "no samples".to_owned(),
            n => format!("activations on {n} samples"),
        };
        let words = format!("{} parameters; {samples}", thousands(parameters));
        let at = (ARCS, above + HEAD + ROW * n as f64 + 24.0);
        scene.push(Mark::text(at, 12.0, words).fill(Ink::Muted).class("axis"));
        Ok(scene)
    }
}

/// Where things stand in a row.
struct Columns {
    name: (f64, f64),
    shape: (f64, f64),
    parameters: f64,
    weights: (f64, f64),
    activations: (f64, f64),
    health: (f64, f64),
}

impl Columns {
    fn new(width: f64) -> Self {
        let unit = (width - ARCS - 12.0) / 100.0;
        let at = |from: f64, to: f64| (ARCS + unit * from, unit * (to - from) - 8.0);
        Columns {
            name: at(0.0, 27.0),
            shape: at(27.0, 42.0),
            parameters: ARCS + unit * 53.0 - 8.0,
            weights: at(55.0, 68.0),
            activations: at(70.0, 83.0),
            health: at(85.0, 100.0),
        }
    }

    fn heads(&self, n_samples: usize) -> Vec<(f64, &'static str)> {
        let mut heads = vec![(self.name.0, "layer"), (self.shape.0, "shape"), (self.weights.0, "weights")];
        if n_samples > 0 {
            heads.extend([(self.activations.0, "activations"), (self.health.0, "units")]);
        }
        heads
    }

    fn row(&self, scene: &mut Scene, facts: &LayerFacts, y: f64) {
        let layer = &facts.layer;
        scene.push(Mark::circle((ARCS - 12.0, y), 4.0).fill(Ink::Accent).class("node"));
        let name = fit(&readable(&layer.name), 13.0, false, self.name.1).into_owned();
        scene.push(Mark::text((self.name.0, y - 1.0), 13.0, name).tip(readable(&layer.name)).class("label"));
        let kind = fit(&format!("{:?}", layer.kind), 10.5, false, self.name.1).into_owned();
        scene.push(Mark::text((self.name.0, y + 12.0), 10.5, kind).fill(Ink::Muted).class("kind"));
        let shape = layer.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        let shape = fit(&shape, 12.0, false, self.shape.1).into_owned();
        scene.push(Mark::text((self.shape.0, y + 4.0), 12.0, shape).class("shape"));
        if facts.n_parameters() > 0 {
            let count = Mark::text((self.parameters, y + 4.0), 12.0, thousands(facts.n_parameters()));
            scene.push(count.anchor(Anchor::End).class("count"));
        }
        if let Some((name, spread)) = facts.parameters.iter().max_by_key(|(_, spread)| spread.n) {
            histogram(scene, spread, self.weights, y, &format!("{} of {}", name, readable(&layer.name)), Ink::Muted);
        }
        if let Some(spread) = &facts.activations {
            histogram(scene, spread, self.activations, y, &readable(&layer.name), Ink::Accent);
        }
        let health = match (facts.n_dead, facts.saturated) {
            (Some(0), _) => Some(("all alive".to_owned(), Ink::Muted)),
            (Some(dead), _) => Some((format!("{dead} of {} dead", facts.n_units), Ink::Up)),
            (None, Some(share)) => {
                Some((format!("{:.0} % saturated", share * 100.0), if share > 0.5 { Ink::Up } else { Ink::Muted }))
            }
            (None, None) => None,
        };
        if let Some((words, ink)) = health {
            let words = fit(&words, 12.0, false, self.health.1).into_owned();
            scene.push(Mark::text((self.health.0, y + 4.0), 12.0, words).fill(ink).class("health"));
        }
    }
}

/// A way from one layer to another: straight to the next, an arc past others.
fn arc(scene: &mut Scene, from: f64, to: f64, past: usize) {
    let x = ARCS - 12.0;
    if past == 1 {
        scene.push(Mark::line((x, from), (x, to), Ink::Axis).class("edge"));
        return;
    }
    let out = (14.0 + 5.0 * (past as f64).ln() * 2.0).min(ARCS - 20.0);
    let points = (0..=24).map(|i| {
        let t = f64::from(i) / 24.0;
        (x - out * (std::f64::consts::PI * t).sin().powf(0.6), from + (to - from) * t)
    });
    scene.push(Mark::polyline(points.collect(), Ink::Down, 1.5).class("edge"));
}

/// A small histogram with its ends in the tooltip and zero as a line.
fn histogram(scene: &mut Scene, spread: &Spread, (x, width): (f64, f64), y: f64, name: &str, ink: Ink) {
    let most = spread.histogram.iter().copied().max().unwrap_or(0).max(1) as f64;
    let height = ROW - 12.0;
    let bottom = y + height / 2.0;
    let part = width / spread.histogram.len().max(1) as f64;
    let tip = format!(
        "{name}: mean {}, deviation {}, from {} to {}",
        plain_digits(spread.mean, 3),
        plain_digits(spread.deviation, 3),
        plain_digits(spread.min, 3),
        plain_digits(spread.max, 3)
    );
    let back = Mark::rect(x, bottom - height, width, height).fill(Ink::Grid).opacity(0.35).class("back");
    scene.push(back.tip(tip));
    for (i, &count) in spread.histogram.iter().enumerate().filter(|(_, count)| **count > 0) {
        // The root of the count: rare values can be seen beside a peak.
        let tall = height * (count as f64 / most).sqrt();
        scene.push(Mark::rect(x + part * i as f64, bottom - tall, part, tall).fill(ink).class("bin"));
    }
    if spread.min < 0.0 && spread.max > 0.0 {
        let zero = x + width * (-spread.min / (spread.max - spread.min));
        scene.push(Mark::line((zero, bottom - height), (zero, bottom), Ink::Axis).dashed(2.0, 2.0).class("guide"));
    }
}

/// A whole number with thin spaces between thousands.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}
