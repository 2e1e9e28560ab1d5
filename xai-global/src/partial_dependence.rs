//! The mean score when a feature is set to a value in every sample.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Array3, ArrayView2, ArrayViewMut2, Axis};
use serde::{Deserialize, Serialize};
use xai_core::model::{feature_names, output_names};
use xai_core::{Curve, Effects, Error, Explainer, Feature, Meter, Model, Provenance, Result, Run, Table};

use crate::axes;
use crate::copies::{Copies, check_samples};
use crate::distribution::distribution;
use crate::grid::{Grid, MOST_POINTS};
use crate::labels::check_weights;

/// Partial dependence: the mean score over the samples when one feature or two are set to a value in all of them, and
/// the scores of the single samples (individual conditional expectation, ICE).
///
/// PD(v) = E f(xⱼ = v, other features as in the sample), the mean (by `weights`) over all samples, also those that
/// miss feature j.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `features` | none: every feature that has a value | columns, one or two to a curve |
/// | `grid` | 20 even points from the 5 % to the 95 % quantile | where the response is asked for |
/// | `values` | none | the points of single columns, instead of those of `grid` |
/// | `individual` | false | keep each sample's response; the method is then `individual-conditional-expectation` |
/// | `centered` | false | subtract from each sample's response that at the first point of the curve |
/// | `weights` | equal | the weight of each sample in the mean |
///
/// Where features depend on one another, some of the samples that this asks about cannot occur: compare
/// [`AccumulatedLocalEffects`](crate::AccumulatedLocalEffects).
///
/// # Shapes
/// values, standard error (point, output); individual (sample, point, output).
///
/// # Units
/// Those of the scores. The standard error is that of a mean over samples, √(Var / n); there is none with weights or a
/// single sample.
///
/// # Cost
/// n_samples evaluations a point, in calls of at most 4096 rows. `individual` and two-dimensional grids take memory
/// for n_samples · n_points · n_outputs and n_points · n_outputs numbers.
///
/// # Errors
/// [`Error::Parameter`] for no samples, a bad grid or features that are not one or two different columns;
/// [`Error::TooLarge`] for a surface of more than a million points;
/// [`Error::Unsupported`] for a requested feature without values; [`Error::NonFinite`] for an infinite cell in one;
/// [`Error::Budget`] before any evaluation.
///
/// # Laws
/// `partial_dependence_of_an_additive_model_is_its_term`, `partial_dependence_equals_brute_force`,
/// `individual_curves_average_to_the_partial_dependence`, `partial_dependence_is_the_same_for_any_number_of_threads`.
///
/// # Source
/// Friedman 2001, "Greedy function approximation", section 8.2; Goldstein et al. 2015, "Peeking inside the black box";
/// scikit-learn's `partial_dependence` with `method="brute"`. *differs:* NaN is never a grid point; a categorical
/// feature is asked at all its categories, also those that the data lack.
///
/// # Example
/// ```
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_global::PartialDependence;
/// struct Square;
/// impl Model for Square {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<ndarray::Array2<f64>> {
///         Ok(batch.column(0).mapv(|x| x * x).insert_axis(ndarray::Axis(1)))
///     }
/// }
/// let batch = ndarray::array![[1.0], [2.0], [3.0]];
/// let effects = PartialDependence::default().explain(&Square, &batch, &Run::default()).unwrap();
/// assert_eq!(effects.curves[0].grid, [[1.0, 2.0, 3.0]]);
/// assert_eq!(effects.curves[0].values, ndarray::array![[1.0], [4.0], [9.0]]);
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PartialDependence {
    /// The columns of each curve: one or two. Empty for every column alone.
    pub features: Vec<Vec<usize>>,
    /// Where the response is asked for.
    pub grid: Grid,
    /// The points of single columns, instead of those of the grid.
    pub values: BTreeMap<usize, Vec<f64>>,
    /// Keep the response of each sample.
    pub individual: bool,
    /// Subtract the response at the first point of the curve.
    pub centered: bool,
    /// The weight of each sample: (sample).
    pub weights: Option<Vec<f64>>,
}

/// More points of a surface than a picture can show.
const MOST_SURFACE: u64 = 1_000_000;

impl PartialDependence {
    /// With each sample's response: individual conditional expectation.
    pub fn individual() -> Self {
        PartialDependence { individual: true, ..Self::default() }
    }

    fn method(&self) -> &'static str {
        if self.individual { "individual-conditional-expectation" } else { "partial-dependence" }
    }

    pub(crate) fn provenance(&self, method: &str, run: &Run) -> Provenance {
        let kind = if matches!(self.grid, Grid::Even { .. }) { "even" } else { "quantiles" };
        let (Grid::Even { n, low, high } | Grid::Quantiles { n, low, high }) = self.grid;
        Provenance::new(method, run)
            .with("grid", kind)
            .with("n_points", n)
            .with("low", low)
            .with("high", high)
            .with("centered", self.centered)
            .with("weighted", self.weights.is_some())
    }

    /// Checks what is asked for, and works out where.
    pub(crate) fn layout<M: Model<Batch = Table> + ?Sized>(
        &self,
        method: &str,
        model: &M,
        batch: &Table,
    ) -> Result<Layout> {
        check_samples(batch, 1)?;
        check_weights(self.weights.as_deref(), batch.nrows())?;
        self.grid.check()?;
        let names = feature_names(model, batch)?;
        if let Some((&column, _)) = self.values.range(names.len()..).next() {
            let given = format!("values for column {column}");
            return Err(Error::parameter("values", given, format!("columns below {}", names.len())));
        }
        let (axes, mut notes) = axes::check(method, &self.features, &names, batch)?;
        let mut grids = Vec::with_capacity(axes.len());
        let mut needed = 0u64;
        for axis in &axes {
            let mut grid = Vec::with_capacity(axis.len());
            for &column in axis {
                let (points, note) = self.points(&names[column], batch, column)?;
                notes.extend(note.filter(|note| !notes.contains(note)));
                grid.push(points);
            }
            let n_points: u64 = grid.iter().map(|points| points.len() as u64).product();
            if n_points > MOST_SURFACE {
                let what = format!("points of the surface over columns {axis:?}");
                return Err(Error::TooLarge { what, limit: MOST_SURFACE, found: n_points });
            }
            needed = needed.saturating_add(n_points.saturating_mul(batch.nrows() as u64));
            grids.push(grid);
        }
        Ok(Layout { names, axes, grids, notes, needed })
    }

    fn points(&self, feature: &Feature, batch: &Table, column: usize) -> Result<(Vec<f64>, Option<String>)> {
        let Some(values) = self.values.get(&column) else {
            return self.grid.points(feature, &batch.column(column));
        };
        if !(1..=MOST_POINTS).contains(&values.len()) || values.iter().any(|v| v.is_infinite()) {
            let given = format!("{} values for {:?}", values.len(), feature.name);
            return Err(Error::parameter("values", given, format!("1 to {MOST_POINTS} values, none infinite")));
        }
        Ok((values.clone(), None))
    }
}

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for PartialDependence {
    type Explanation = Effects;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Effects> {
        let Layout { names, axes, grids, notes, needed } = self.layout(self.method(), model, batch)?;
        let meter = Meter::planned(run, needed)?;
        let curve = |(axis, grid): (&Vec<usize>, Vec<Vec<f64>>)| {
            let response = self.response(model, batch, &meter, axis, &grid)?;
            Ok(Curve {
                features: axis.iter().map(|&column| names[column].clone()).collect(),
                grid,
                values: response.values,
                standard_error: response.standard_error,
                individual: response.individual,
                distribution: axis.iter().map(|&c| distribution(&names[c], &batch.column(c))).collect(),
            })
        };
        let curves = axes.par_iter().zip(grids).map(curve).collect::<Result<Vec<Curve>>>()?;
        let mut provenance = self.provenance(self.method(), run).evaluations(meter.evaluations());
        provenance.notes = notes;
        Ok(Effects { provenance, outputs: output_names(model), curves })
    }
}

/// Where a response is asked for.
pub(crate) struct Layout {
    /// (feature)
    pub(crate) names: Vec<Feature>,
    /// The columns of each curve: one or two.
    pub(crate) axes: Vec<Vec<usize>>,
    /// The points of each curve, a list for each axis.
    pub(crate) grids: Vec<Vec<Vec<f64>>>,
    pub(crate) notes: Vec<String>,
    /// The evaluations that it takes to score every sample at every point.
    pub(crate) needed: u64,
}

struct Response {
    values: Array2<f64>,
    standard_error: Option<Array2<f64>>,
    individual: Option<Array3<f64>>,
}

impl PartialDependence {
    fn response<M: Model<Batch = Table> + ?Sized>(
        &self,
        model: &M,
        batch: &Table,
        meter: &Meter,
        axis: &[usize],
        grid: &[Vec<f64>],
    ) -> Result<Response> {
        let n_points = grid.iter().map(Vec::len).product();
        let set = |point: usize, _: Range<usize>, mut block: ArrayViewMut2<f64>| {
            for (&column, value) in axis.iter().zip(values_of(grid, point)) {
                block.column_mut(column).fill(value);
            }
        };
        let copies = Copies { meter, model, batch };
        let mut points = Vec::with_capacity(n_points);
        let reference = match self.centered {
            false => None,
            true => {
                let first = copies.scores(0..1, set, |_, scores| Ok(scores.to_owned()))?.swap_remove(0);
                points.push(self.summary(Array2::zeros(first.dim()).view()));
                Some(first)
            }
        };
        points.extend(copies.scores(points.len()..n_points, set, |_, scores| {
            Ok(match &reference {
                None => self.summary(scores),
                Some(first) => self.summary((&scores - first).view()),
            })
        })?);

        let (n, k) = (batch.nrows(), model.n_outputs());
        let with_error = self.weights.is_none() && n > 1;
        let mut response = Response {
            values: Array2::zeros((n_points, k)),
            standard_error: with_error.then(|| Array2::zeros((n_points, k))),
            individual: self.individual.then(|| Array3::zeros((n, n_points, k))),
        };
        for (p, point) in points.into_iter().enumerate() {
            response.values.row_mut(p).assign(&point.mean);
            if let Some(errors) = &mut response.standard_error {
                errors.row_mut(p).assign(&point.error);
            }
            if let (Some(all), Some(scores)) = (&mut response.individual, point.scores) {
                all.index_axis_mut(Axis(1), p).assign(&scores);
            }
        }
        Ok(response)
    }

    /// The mean of the samples' scores at one point, and its standard error.
    fn summary(&self, scores: ArrayView2<f64>) -> Point {
        let n = scores.nrows() as f64;
        let mean: Array1<f64> = match &self.weights {
            None => scores.sum_axis(Axis(0)) / n,
            Some(weights) => {
                let weights = ndarray::ArrayView1::from(weights);
                weights.dot(&scores) / weights.sum()
            }
        };
        let away = &scores - &mean;
        let error = ((&away * &away).sum_axis(Axis(0)) / (n * (n - 1.0))).mapv(f64::sqrt);
        Point { mean, error, scores: self.individual.then(|| scores.to_owned()) }
    }
}

struct Point {
    mean: Array1<f64>,
    error: Array1<f64>,
    scores: Option<Array2<f64>>,
}

/// The value of each axis at a point; points run through the last axis first.
fn values_of(grid: &[Vec<f64>], point: usize) -> impl Iterator<Item = f64> + '_ {
    let mut inner: usize = grid.iter().map(Vec::len).product();
    grid.iter().map(move |axis| {
        inner /= axis.len();
        axis[point / inner % axis.len()]
    })
}
