//! How much explanations change, as a ratio to how much something else does.

use ndarray::{Array2, ArrayView2};
use xai_core::{Attribution, Cells, Model, Result, Run};

use super::Neighbourhood;
use super::neighbourhood::{Near, Rows};
use crate::{Case, Direction, Failures, Measurement};

/// A measure of how much an explanation changes between a sample and its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// [`MaxSensitivity`](super::MaxSensitivity).
    MaxSensitivity,
    /// [`AvgSensitivity`](super::AvgSensitivity).
    AvgSensitivity,
    /// [`LocalLipschitz`](super::LocalLipschitz).
    LocalLipschitz,
    /// [`RelativeInputStability`](super::RelativeInputStability).
    RelativeInput(Relative),
    /// [`RelativeOutputStability`](super::RelativeOutputStability).
    RelativeOutput(Relative),
}

/// What a change is set in relation to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Relative {
    /// Each cell of it to that cell: ‖(v − v') / v‖₂ (the formula of the paper, and Quantus). Cells near zero rule it.
    #[default]
    Cells,
    /// Its size to the size of the whole: ‖v − v'‖₂ / ‖v‖₂ (OpenXAI's code). Undefined where v is all zero.
    Norms,
}

impl Relative {
    /// The relative change between two samples' cells; NaN where it is not defined.
    pub(super) fn between(self, before: &[f64], after: &[f64]) -> f64 {
        match self {
            Relative::Cells => relative_distance(before, after),
            Relative::Norms => {
                let size = before.iter().filter(|x| !x.is_nan()).map(|x| x * x).sum::<f64>().sqrt();
                if size > 0.0 { distance(before, after) / size } else { f64::NAN }
            }
        }
    }

    /// A change of the explanation by another relative change; `None` where it is not defined.
    pub(super) fn ratio(self, change: &Change, output: usize, by: f64) -> Option<f64> {
        match self {
            Relative::Cells => Some(change.relative[output].sqrt() / by.max(LEAST)),
            Relative::Norms => {
                let size = change.size[output].sqrt();
                (size > 0.0 && by > 0.0 && by.is_finite()).then(|| change.squares[output].sqrt() / size / by)
            }
        }
    }
}

/// Where a number that is divided by is zero, and the least divisor of relative stability.
const LEAST: f64 = 1e-6;

impl Ratio {
    pub(super) fn name(self) -> &'static str {
        match self {
            Ratio::MaxSensitivity => "max-sensitivity",
            Ratio::AvgSensitivity => "avg-sensitivity",
            Ratio::LocalLipschitz => "local-lipschitz",
            Ratio::RelativeInput(_) => "relative-input-stability",
            Ratio::RelativeOutput(_) => "relative-output-stability",
        }
    }

    /// The ratio for one neighbour; `None` where it is not defined for it.
    fn of(self, change: &Change, output: usize, near: &Near) -> Option<f64> {
        match self {
            Ratio::MaxSensitivity | Ratio::AvgSensitivity => {
                let size = change.size[output].sqrt();
                (size > 0.0).then(|| change.squares[output].sqrt() / size)
            }
            Ratio::LocalLipschitz => {
                let distance = distance(near.cells, near.moved);
                (distance > 0.0).then(|| change.squares[output].sqrt() / distance)
            }
            Ratio::RelativeInput(relative) => relative.ratio(change, output, relative.between(near.cells, near.moved)),
            Ratio::RelativeOutput(relative) => {
                let size = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
                let moved = size(&mut near.scores.iter().zip(near.moved_scores).map(|(a, b)| a - b));
                let by = match relative {
                    Relative::Cells => moved,
                    Relative::Norms => moved / size(&mut near.scores.iter().copied()),
                };
                relative.ratio(change, output, by)
            }
        }
    }
}

/// Several measures from the same neighbours: as many evaluations as one of them takes.
///
/// # Cost
/// Explains samples × draws samples, in calls of some thousand.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) without an explainer; those of the neighbourhood's parameters and of
/// the explainer.
///
/// # Laws
/// `ratios_together_are_those_alone`, `a_batch_may_be_cut`.
pub fn measure_together<M>(
    ratios: &[Ratio],
    neighbourhood: &Neighbourhood,
    case: &Case<M>,
    attribution: &Attribution,
    run: &Run,
) -> Result<Vec<Measurement>>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let Some(first) = ratios.first() else { return Ok(Vec::new()) };
    let mut folds: Vec<Fold> = ratios.iter().map(|ratio| Fold::new(*ratio, attribution)).collect();
    let mut change = Change::new(attribution.outputs.len());
    let mut none = |_: &Rows<M>, _: &Run| Ok(0);
    let evaluations = neighbourhood.visit(first.name(), case, attribution, run, &mut none, &mut |_, near| {
        change.measure(near.shares, near.moved_shares);
        for fold in &mut folds {
            for output in 0..change.squares.len() {
                fold.add(near.sample, output, fold.ratio.of(&change, output, &near));
            }
        }
    })?;
    Ok(folds.into_iter().map(|fold| fold.measurement(neighbourhood.same_prediction, evaluations, run)).collect())
}

/// One of them.
pub(super) fn only<M>(
    ratio: Ratio,
    neighbourhood: &Neighbourhood,
    case: &Case<M>,
    attribution: &Attribution,
    run: &Run,
) -> Result<Measurement>
where
    M: Model + ?Sized,
    M::Batch: Cells,
{
    let mut found = measure_together(&[ratio], neighbourhood, case, attribution, run)?;
    Ok(found.swap_remove(0))
}

/// How the shares of a sample and of a neighbour differ: (output).
pub(super) struct Change {
    /// Σ (e − e')².
    pub squares: Vec<f64>,
    /// Σ e².
    pub size: Vec<f64>,
    /// Σ ((e − e') / e)².
    pub relative: Vec<f64>,
}

impl Change {
    pub fn new(n_outputs: usize) -> Self {
        Change { squares: vec![0.0; n_outputs], size: vec![0.0; n_outputs], relative: vec![0.0; n_outputs] }
    }

    /// Measures the change between two tables (feature, output).
    pub fn measure(&mut self, shares: ArrayView2<f64>, moved: ArrayView2<f64>) {
        [&mut self.squares, &mut self.size, &mut self.relative].into_iter().for_each(|sums| sums.fill(0.0));
        let outputs = self.squares.len().max(1);
        match (shares.as_slice(), moved.as_slice()) {
            (Some(shares), Some(moved)) => {
                for (shares, moved) in shares.chunks_exact(outputs).zip(moved.chunks_exact(outputs)) {
                    self.add(shares.iter().zip(moved));
                }
            }
            _ => shares.outer_iter().zip(moved.outer_iter()).for_each(|(a, b)| self.add(a.iter().zip(b))),
        }
    }

    /// Adds one feature.
    fn add<'v>(&mut self, of_outputs: impl Iterator<Item = (&'v f64, &'v f64)>) {
        let sums = self.squares.iter_mut().zip(&mut self.size).zip(&mut self.relative);
        for ((share, moved), ((squares, size), relative)) in of_outputs.zip(sums) {
            let gap = share - moved;
            *squares += gap * gap;
            *size += share * share;
            *relative += (gap / if *share == 0.0 { LEAST } else { *share }).powi(2);
        }
    }
}

/// The largest or the mean ratio of each sample and output.
struct Fold {
    ratio: Ratio,
    sum: Array2<f64>,
    n: Array2<u32>,
}

impl Fold {
    fn new(ratio: Ratio, attribution: &Attribution) -> Self {
        let shape = attribution.scores.dim();
        Fold { ratio, sum: Array2::zeros(shape), n: Array2::zeros(shape) }
    }

    fn add(&mut self, sample: usize, output: usize, ratio: Option<f64>) {
        let Some(ratio) = ratio else { return };
        let (sum, n) = (&mut self.sum[[sample, output]], &mut self.n[[sample, output]]);
        *n += 1;
        *sum = if self.ratio == Ratio::AvgSensitivity { *sum + ratio } else { sum.max(ratio) };
    }

    fn measurement(self, same_prediction: bool, evaluations: u64, run: &Run) -> Measurement {
        let reason = match self.ratio {
            Ratio::MaxSensitivity | Ratio::AvgSensitivity if !same_prediction => crate::lanes::NOTHING,
            Ratio::LocalLipschitz if !same_prediction => "no neighbour differs",
            _ => "no neighbour counts",
        };
        let mut failures = Failures::default();
        let values = Array2::from_shape_fn(self.sum.dim(), |(sample, output)| {
            let n = self.n[[sample, output]];
            let divisor = if self.ratio == Ratio::AvgSensitivity { f64::from(n) } else { 1.0 };
            match n {
                0 => failures.add(sample, output, reason),
                _ => self.sum[[sample, output]] / divisor,
            }
        });
        Measurement::new(self.ratio.name(), Direction::Lower, values, failures, evaluations, run)
    }
}

/// ‖x − x'‖₂. A cell that is missing in both has not moved.
pub(super) fn distance(x: &[f64], moved: &[f64]) -> f64 {
    present(x, moved).map(|(x, moved)| (x - moved).powi(2)).sum::<f64>().sqrt()
}

/// ‖(x − x') / x‖₂.
fn relative_distance(x: &[f64], moved: &[f64]) -> f64 {
    let part = |(x, moved): (&f64, &f64)| ((x - moved) / if *x == 0.0 { LEAST } else { *x }).powi(2);
    present(x, moved).map(part).sum::<f64>().sqrt()
}

/// The pairs of cells that are not missing on both sides.
fn present<'v>(x: &'v [f64], moved: &'v [f64]) -> impl Iterator<Item = (&'v f64, &'v f64)> {
    x.iter().zip(moved).filter(|(x, moved)| !(x.is_nan() && moved.is_nan()))
}
