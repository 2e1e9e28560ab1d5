//! Does the explanation change more than what the model makes of the sample inside?

use std::borrow::Borrow;

use ndarray::{Array2, ArrayD, Axis};
use xai_core::layers::layer_named;
use xai_core::{Attribution, Batch, Cells, Error, Layered, Meter, Probe, Result, Run};

use super::neighbourhood::Rows;
use super::ratios::Change;
use super::{Neighbourhood, Relative};
use crate::{Case, Direction, Failures, Measurement, Metric, Need};

/// The largest relative change of the explanation for each relative change of a layer's activations:
/// max ‖(e(x) − e(x')) / e(x)‖₂ / max(‖(a(x) − a(x')) / a(x)‖₂, 10⁻⁶) over neighbours with the same prediction; where a
/// divisor e(x) or a(x) is zero, 10⁻⁶ stands for it.
///
/// Lower is better; 0 for a constant explanation. With [`Relative::Norms`] it is
/// max (‖e(x) − e(x')‖₂ / ‖e(x)‖₂) / (‖a(x) − a(x')‖₂ / ‖a(x)‖₂), over neighbours for which that is defined.
///
/// *Pitfalls.* Those of [`RelativeInputStability`](super::RelativeInputStability), and more: behind a rectifier many
/// activations are zero, so that 10⁻⁶ divides them. Take a layer before one.
///
/// # Cost
/// Explains samples × draws samples, and scores as many, in calls of some thousand.
///
/// # Laws
/// `relative_stability_equals_its_formula`, `a_constant_explainer_is_stable`; goldens beside Quantus.
///
/// # Source
/// Agarwal et al. 2022, "Rethinking stability for attribution-based explanations", equation 3 (RRS), p = 2;
/// norms as in OpenXAI's code.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeRepresentationStability {
    /// Which samples count as near.
    pub neighbourhood: Neighbourhood,
    /// The name of the layer; `None`: the last one before the scores.
    pub layer: Option<String>,
    /// What changes are set in relation to.
    pub relative: Relative,
}

impl Default for RelativeRepresentationStability {
    /// Twenty neighbours within 0.2 of each cell that keep the prediction, and the last layer before the scores.
    fn default() -> Self {
        let neighbourhood = Neighbourhood { same_prediction: true, ..Neighbourhood::default() };
        RelativeRepresentationStability { neighbourhood, layer: None, relative: Relative::default() }
    }
}

const NAME: &str = "relative-representation-stability";

impl<M> Metric<M> for RelativeRepresentationStability
where
    M: Layered + ?Sized,
    M::Batch: Cells,
{
    fn name(&self) -> &str {
        NAME
    }
    fn direction(&self) -> Direction {
        Direction::Lower
    }
    fn needs(&self) -> &[Need] {
        &[Need::Explainer, Need::Cells, Need::Layers]
    }
    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        case.need_explainer(NAME)?;
        let layer = self.layer(case.model)?;
        let (of_samples, spent) = activations(case.model, case.batch, layer, run)?;
        let left = Run { max_evaluations: run.max_evaluations.map(|budget| budget.saturating_sub(spent)), ..*run };
        let mut change = Change::new(attribution.outputs.len());
        let mut largest = Array2::from_elem(attribution.scores.dim(), f64::NAN);
        // One distance a row of the chunk that is shown next; neighbours come row by row.
        let distances = std::cell::RefCell::new(Vec::new());
        let mut chunk = |rows: &Rows<M>, run: &Run| {
            let (moved, spent) = activations(case.model, rows.batch.borrow(), layer, run)?;
            let of = |(row, sample): (usize, &usize)| {
                let row_of = |all: &Array2<f64>, place: usize| all.row(place).to_vec();
                self.relative.between(&row_of(&of_samples, *sample), &row_of(&moved, row))
            };
            *distances.borrow_mut() = rows.samples.iter().enumerate().map(of).collect();
            Ok(spent)
        };
        let spent_near = self.neighbourhood.visit(NAME, case, attribution, &left, &mut chunk, &mut |row, near| {
            change.measure(near.shares, near.moved_shares);
            let distance: f64 = distances.borrow().get(row).copied().unwrap_or(0.0);
            for output in 0..change.squares.len() {
                let largest = &mut largest[[near.sample, output]];
                // The larger one; a number where there was none.
                *largest = largest.max(self.relative.ratio(&change, output, distance).unwrap_or(f64::NAN));
            }
        })?;
        let mut failures = Failures::default();
        for ((sample, output), value) in largest.indexed_iter_mut() {
            *value = failures.finite(sample, output, *value, "no neighbour counts");
        }
        Ok(Measurement::new(NAME, Direction::Lower, largest, failures, spent + spent_near, run))
    }
}

impl RelativeRepresentationStability {
    fn layer<M: Layered + ?Sized>(&self, model: &M) -> Result<usize> {
        match &self.layer {
            Some(name) => layer_named(model.layers(), name),
            None => model
                .layers()
                .len()
                .checked_sub(2)
                .ok_or_else(|| Error::unsupported(NAME, "the model has no layer before its scores")),
        }
    }
}

/// The activations of a layer, (sample, cell), and the evaluations spent.
fn activations<M: Layered + ?Sized>(
    model: &M,
    batch: &M::Batch,
    layer: usize,
    run: &Run,
) -> Result<(Array2<f64>, u64)> {
    let n = batch.n_samples();
    if n == 0 {
        return Ok((Array2::zeros((0, 0)), 0));
    }
    let meter = Meter::planned(run, n as u64)?;
    let read = [layer];
    let probed = meter.probe(model, batch, &Probe { read: &read, ..Probe::default() })?;
    let Some(activations) = probed.activations.into_iter().next() else {
        return Err(Error::unsupported(NAME, "the model shows no activations"));
    };
    Ok((table(activations, n)?, meter.evaluations()))
}

fn table(activations: ArrayD<f32>, n: usize) -> Result<Array2<f64>> {
    xai_core::error::same_shape("samples of the activations", &[n], &[activations.len_of(Axis(0))])?;
    let flat: Vec<f64> = activations.iter().map(|a| f64::from(*a)).collect();
    let shape = (n, flat.len() / n);
    Array2::from_shape_vec(shape, flat).map_err(|error| Error::unsupported(NAME, error.to_string()))
}
