//! What the layers of a network hold and put out.

use ndarray::{ArrayD, Axis};
use xai_core::{
    Batch, Composed, Error, Explainer, Inside, Layer, LayerFacts, LayerKind, Meter, Probe, Provenance, Result, Run,
    Spread,
};

/// Looks into a network: every layer's parameters, and what it puts out on the samples of a batch: spread, dead units,
/// saturation.
///
/// A unit that is dead on these samples may live on others. Samples without any dead unit prove little when they are few.
///
/// | parameter | default | |
/// |---|---|---|
/// | `samples_at_once` | 256 | samples whose activations are held together |
///
/// # Units
/// Those of the activations and of the parameters.
///
/// # Cost
/// One evaluation a sample; the memory of all activations of `samples_at_once` samples.
///
/// # Errors
/// Those of the model; [`Error::Parameter`] for no samples at once; [`Error::NonFinite`] names no layer: a network whose
/// activations are not finite says so itself.
///
/// # Laws
/// `activations_are_counted_as_they_are`, `dead_units_and_saturation_are_found`, `batches_at_once_change_nothing`.
///
/// # Source
/// None: counting. Dead units: Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookInside {
    /// Samples whose activations are held together.
    pub samples_at_once: usize,
}

impl Default for LookInside {
    fn default() -> Self {
        LookInside { samples_at_once: 256 }
    }
}

/// Parts of a histogram.
const PARTS: usize = 32;
/// Numbers of one layer that a histogram is made of.
const MOST_NUMBERS: usize = 1 << 16;

impl<M: Composed + ?Sized> Explainer<M> for LookInside {
    type Explanation = Inside;

    fn explain(&self, model: &M, batch: &M::Batch, run: &Run) -> Result<Inside> {
        if self.samples_at_once == 0 {
            return Err(Error::parameter("samples_at_once", 0, "at least 1"));
        }
        let n = batch.n_samples();
        let meter = Meter::planned(run, n as u64)?;
        let layers = model.layers();
        let read: Vec<usize> = (0..layers.len()).collect();
        let mut seen: Vec<Seen> = layers.iter().map(|layer| Seen::new(layer, n)).collect();
        for start in (0..n).step_by(self.samples_at_once) {
            let part = batch.samples(start..(start + self.samples_at_once).min(n));
            let probe = Probe { read: &read, ..Probe::default() };
            let probed = meter.probe(model, std::borrow::Borrow::borrow(&part), &probe)?;
            seen.iter_mut().zip(&probed.activations).for_each(|(seen, activations)| seen.add(activations));
        }
        let mut facts = Vec::with_capacity(layers.len());
        for (place, (layer, seen)) in layers.iter().zip(seen).enumerate() {
            let parameters = match place {
                0 => Vec::new(),
                _ => parameters(model, place)?,
            };
            facts.push(seen.facts(layer, parameters));
        }
        let provenance = Provenance::new("look-inside", run).evaluations(meter.evaluations());
        Ok(Inside { provenance, n_samples: n, layers: facts })
    }
}

/// The parameters of a layer by name; none where it cannot be run alone.
fn parameters<M: Composed + ?Sized>(model: &M, layer: usize) -> Result<Vec<(String, Spread)>> {
    let operator = match model.operator(layer) {
        Err(Error::Unsupported { .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let parameters = operator.parameters().into_iter();
    let spread = |(name, cells): (&str, ArrayD<f32>)| {
        // A bias that is not there is shown as zeros; nothing learned is zero everywhere.
        if name == "bias" && cells.iter().all(|&cell| cell == 0.0) {
            return None;
        }
        let mut sums = Sums::new(cells.len());
        cells.iter().for_each(|&cell| sums.add(cell.into()));
        Some((name.to_owned(), sums.spread()?))
    };
    Ok(parameters.filter_map(spread).collect())
}

/// What has been seen of a layer.
struct Seen {
    sums: Sums,
    /// Whether each unit was ever above zero, of a curve that can die.
    alive: Option<Vec<bool>>,
    /// The bounds of a curve that has two, and how many numbers lie at one of them.
    bounds: Option<(f64, f64, u64)>,
    n_units: usize,
}

impl Seen {
    fn new(layer: &Layer, n_samples: usize) -> Self {
        let cells: usize = layer.shape.iter().product();
        let n_units = layer.shape.first().copied().unwrap_or(1);
        let alive = matches!(layer.kind, LayerKind::Relu).then(|| vec![false; n_units]);
        let bounds = match layer.kind {
            LayerKind::Sigmoid | LayerKind::Softmax => Some((0.0, 1.0, 0)),
            LayerKind::Tanh => Some((-1.0, 1.0, 0)),
            _ => None,
        };
        Seen { sums: Sums::new(cells.saturating_mul(n_samples)), alive, bounds, n_units }
    }

    fn add(&mut self, activations: &ArrayD<f32>) {
        for sample in activations.outer_iter() {
            if let Some(alive) = &mut self.alive {
                if sample.ndim() == 0 {
                    continue;
                }
                for (unit, alive) in sample.axis_iter(Axis(0)).zip(alive) {
                    *alive |= unit.iter().any(|&v| v > 0.0);
                }
            }
            for &cell in &sample {
                let cell = f64::from(cell);
                self.sums.add(cell);
                if let Some((low, high, at_bound)) = &mut self.bounds {
                    let edge = (*high - *low) / 100.0;
                    *at_bound += u64::from(cell < *low + edge || cell > *high - edge);
                }
            }
        }
    }

    fn facts(self, layer: &Layer, parameters: Vec<(String, Spread)>) -> LayerFacts {
        let n = self.sums.n;
        LayerFacts {
            layer: layer.clone(),
            parameters,
            n_units: self.n_units,
            n_dead: self.alive.filter(|_| n > 0).map(|alive| alive.iter().filter(|alive| !**alive).count()),
            saturated: self.bounds.filter(|_| n > 0).map(|(_, _, at_bound)| at_bound as f64 / n as f64),
            activations: self.sums.spread(),
        }
    }
}

/// Sums of numbers, and an even selection of them.
struct Sums {
    n: u64,
    mean: f64,
    /// Σ (x − mean)², by Welford's recurrence.
    squares: f64,
    min: f64,
    max: f64,
    every: u64,
    chosen: Vec<f64>,
}

impl Sums {
    fn new(expected: usize) -> Self {
        let every = expected.div_ceil(MOST_NUMBERS).max(1) as u64;
        Sums { n: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, every, chosen: Vec::new() }
    }

    fn add(&mut self, x: f64) {
        if self.n.is_multiple_of(self.every) {
            self.chosen.push(x);
        }
        self.n += 1;
        let off = x - self.mean;
        self.mean += off / self.n as f64;
        self.squares += off * (x - self.mean);
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    /// How they are spread; `None` of no numbers.
    fn spread(self) -> Option<Spread> {
        if self.n == 0 {
            return None;
        }
        let mut histogram = vec![0; PARTS];
        let width = self.max - self.min;
        for x in &self.chosen {
            let part = if width > 0.0 { (x - self.min) / width * PARTS as f64 } else { 0.0 };
            histogram[(part as usize).min(PARTS - 1)] += 1;
        }
        let deviation = (self.squares / self.n as f64).sqrt();
        Some(Spread { n: self.n, mean: self.mean, deviation, min: self.min, max: self.max, histogram })
    }
}
