//! Accumulated local effects: how scores change with a feature, asked only of samples that lie near the change.

mod accumulate;
mod bins;
mod categories;
mod numeric;
mod order;
mod pair;

use std::collections::BTreeMap;

use ndarray::Array2;
use ndarray::parallel::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::model::{feature_names, output_names};
use xai_core::{Curve, Effects, Error, Explainer, Feature, FeatureKind, Meter, Model, Provenance, Result, Run, Table};

use crate::axes;
use crate::copies::{Copies, check_samples};
use crate::distribution::distribution;
use crate::grid::MOST_POINTS;
use bins::Bins;
use categories::Levels;

/// Accumulated local effects (ALE) of single features, and of pairs beyond their single effects.
///
/// *A numeric feature j.* Edges z₀ < z₁ < … < z_K at quantiles of the data; bin k is (z₍ₖ₋₁₎, zₖ], the first one with its
/// left edge. With the samples i of bin k,
///
/// Δₖ = mean of f(xⱼ = zₖ, others of i) − f(xⱼ = z₍ₖ₋₁₎, others of i), g(zₖ) = Δ₁ + … + Δₖ,
/// ALE(zₖ) = g(zₖ) − (1/n) Σᵢ g(xᵢⱼ),
///
/// so that the mean effect over the data is zero. [`Centring`] says how g is read between edges. For a linear model
/// ALE is slope · (x − mean).
///
/// *Categories* are put in an order ([`CategoryOrder`]); Δ between neighbours is the mean over the samples of either,
/// set to the one and to the other, and the mean effect over the data is zero.
///
/// *Two numeric features* give the second-order effect: accumulated second differences over cells, less its own two
/// first-order effects, less its mean over the data. It is zero for an additive model. A cell without samples takes the
/// second difference of the nearest cell that has some (distance between centres, each axis scaled to its range;
/// the mean of several that are equally near); a note tells how many there were.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `features` | none: every feature that has a value | columns, one or two to a curve |
/// | `n_bins` | 20 | bins of a numeric feature, 1 to 10,000; fewer where quantiles are equal |
/// | `edges` | none | the edges of single numeric columns instead of quantiles; bins without samples are merged |
/// | `centring` | data | how the curve is read between edges when its mean is taken |
/// | `order` | similarity | the order of categories |
///
/// Samples that miss a feature are left out of its curve.
///
/// # Shapes
/// values, standard error (point, output): a point for each edge or category. Pairs have no standard error.
///
/// # Units
/// Those of the scores, around 0. The standard error takes the edges as given and the bins as independent; there is
/// none where a bin has a single sample.
///
/// # Cost
/// Evaluations, with n the samples that have a value: 2 n for a numeric feature, 4 n for a pair, 2 n less the
/// samples of the first and the last category for categories, and once n_samples when there are categories at all;
/// 0 for a feature with one value.
///
/// # Errors
/// [`Error::Parameter`] for no samples, bad edges, or features that are not one or two different columns;
/// [`Error::Unsupported`] for a pair with a categorical feature or a requested feature without values;
/// [`Error::NonFinite`] for an infinite cell in one; [`Error::Budget`] before any evaluation.
///
/// # Laws
/// `ale_of_a_linear_model_is_its_centred_term`, `ale_of_an_additive_pair_is_zero`, `ale_of_a_product_is_its_interaction`,
/// `ale_equals_brute_force`, `ale_of_categories_equals_brute_force`, `ale_counts_its_evaluations`.
///
/// # Source
/// Apley, Zhu 2020, "Visualizing the effects of predictor variables in black box supervised learning models", the
/// estimators of the effects of first and second order, and their R package ALEPlot. *differs:* the paper reads g as a
/// step function when it centres, the package (and PyALE, alibi) takes the mean of the bin's two edges
/// ([`Centring::Midpoints`]).
///
/// # Example
/// ```
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_global::AccumulatedLocalEffects;
/// struct Double;
/// impl Model for Double {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<ndarray::Array2<f64>> {
///         Ok(batch.column(0).mapv(|x| 2.0 * x).insert_axis(ndarray::Axis(1)))
///     }
/// }
/// let batch = ndarray::array![[1.0], [2.0], [3.0]];
/// let effects = AccumulatedLocalEffects::default().explain(&Double, &batch, &Run::default()).unwrap();
/// assert_eq!(effects.curves[0].values, ndarray::array![[-2.0], [0.0], [2.0]]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccumulatedLocalEffects {
    /// The columns of each curve: one or two. Empty for every column alone.
    pub features: Vec<Vec<usize>>,
    /// The number of bins of a numeric feature.
    pub n_bins: usize,
    /// The edges of single numeric columns, instead of quantiles.
    pub edges: BTreeMap<usize, Vec<f64>>,
    /// How a curve is read between its edges when its mean is taken.
    pub centring: Centring,
    /// The order of categories.
    pub order: CategoryOrder,
}

impl Default for AccumulatedLocalEffects {
    fn default() -> Self {
        AccumulatedLocalEffects {
            features: Vec::new(),
            n_bins: 20,
            edges: BTreeMap::new(),
            centring: Centring::default(),
            order: CategoryOrder::default(),
        }
    }
}

/// How an accumulated curve is read between its edges when its mean over the data is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centring {
    /// Linear between the edges, at each sample's own value: as the curve is drawn.
    #[default]
    Data,
    /// Every sample of a bin counts as the mean of its two edges, as in ALEPlot, PyALE and alibi.
    Midpoints,
}

/// The order in which the effects of categories are accumulated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CategoryOrder {
    /// By how alike the samples of two categories are in their other features: the distance is the sum over those of the
    /// Kolmogorov-Smirnov distance (numbers) or half the sum of the differences of frequencies (categories), and
    /// the order that of classical scaling of the distances to one dimension (as in ALEPlot).
    #[default]
    Similarity,
    /// As the categories are listed: for categories that have an order.
    Given,
}

/// What is to be done for one curve.
enum Plan {
    Numeric(Bins),
    Pair(Bins, Bins),
    Levels(Levels),
}

impl Plan {
    fn evaluations(&self) -> u64 {
        let rows = match self {
            Plan::Numeric(bins) if bins.len() == 0 => 0,
            Plan::Numeric(bins) => 2 * bins.rows.len(),
            Plan::Pair(a, b) if a.len() == 0 || b.len() == 0 => 0,
            Plan::Pair(a, _) => 4 * a.rows.len(),
            Plan::Levels(levels) => levels.n_moves(),
        };
        rows as u64
    }
}

/// A curve without its names.
struct Effect {
    grid: Vec<Vec<f64>>,
    values: Array2<f64>,
    standard_error: Option<Array2<f64>>,
    note: Option<String>,
}

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for AccumulatedLocalEffects {
    type Explanation = Effects;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Effects> {
        check_samples(batch, 1)?;
        if !(1..=MOST_POINTS).contains(&self.n_bins) {
            return Err(Error::parameter("n_bins", self.n_bins, format!("1 to {MOST_POINTS} bins")));
        }
        let names = feature_names(model, batch)?;
        if let Some((&column, _)) = self.edges.range(names.len()..).next() {
            let given = format!("edges for column {column}");
            return Err(Error::parameter("edges", given, format!("columns below {}", names.len())));
        }
        let (axes, mut notes) = axes::check("accumulated local effects", &self.features, &names, batch)?;
        let plans = axes.iter().map(|axis| self.plan(axis, &names, batch)).collect::<Result<Vec<Plan>>>()?;
        let with_levels = plans.iter().any(|plan| matches!(plan, Plan::Levels(levels) if levels.n_moves() > 0));
        let once = if with_levels { batch.nrows() as u64 } else { 0 };
        let meter = Meter::planned(run, plans.iter().map(Plan::evaluations).sum::<u64>() + once)?;
        let intact = match with_levels {
            true => Copies { meter: &meter, model, batch }.scores(0..1, |_, _, _| {}, |_, s| Ok(s.to_owned()))?.pop(),
            false => None,
        };
        let effect = |(axis, plan): (&Vec<usize>, &Plan)| {
            let effect = self.effect(model, batch, &meter, axis, plan, intact.as_ref())?;
            let among: Vec<Feature> = axis.iter().map(|&column| names[column].clone()).collect();
            let called = || among.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(" × ");
            let note = effect.note.map(|note| format!("{}: {note}", called()));
            let curve = Curve {
                features: among,
                grid: effect.grid,
                values: effect.values,
                standard_error: effect.standard_error,
                individual: None,
                distribution: axis.iter().map(|&c| distribution(&names[c], &batch.column(c))).collect(),
            };
            Ok((curve, note))
        };
        let curves: Result<Vec<(Curve, Option<String>)>> = axes.par_iter().zip(plans.par_iter()).map(effect).collect();
        let (curves, more): (Vec<Curve>, Vec<Option<String>>) = curves?.into_iter().unzip();
        notes.extend(more.into_iter().flatten());
        let mut provenance = self.provenance(run).evaluations(meter.evaluations());
        provenance.notes = notes;
        Ok(Effects { provenance, outputs: output_names(model), curves })
    }
}

impl AccumulatedLocalEffects {
    fn plan(&self, axis: &[usize], names: &[Feature], batch: &Table) -> Result<Plan> {
        let categorical = |column: usize| matches!(names[column].kind, FeatureKind::Categorical { .. });
        match *axis {
            [column] if categorical(column) => Ok(Plan::Levels(Levels::new(self.order, column, names, batch)?)),
            [column] => {
                let rows = (0..batch.nrows()).filter(|&row| !batch[[row, column]].is_nan()).collect();
                Ok(Plan::Numeric(self.bins(column, batch, rows)?))
            }
            [a, b] => {
                if let Some(&column) = axis.iter().find(|&&column| categorical(column)) {
                    let what =
                        format!("the joint accumulated effect of the categorical feature {:?}", names[column].name);
                    return Err(Error::unsupported(
                        what,
                        "it is defined for two numeric features; use partial dependence",
                    ));
                }
                let both = |&row: &usize| !batch[[row, a]].is_nan() && !batch[[row, b]].is_nan();
                let rows: Vec<usize> = (0..batch.nrows()).filter(both).collect();
                if rows.is_empty() {
                    let what = format!("the joint effect of {:?} and {:?}", names[a].name, names[b].name);
                    return Err(Error::unsupported(what, "no sample has a value for both"));
                }
                Ok(Plan::Pair(self.bins(a, batch, rows.clone())?, self.bins(b, batch, rows)?))
            }
            _ => Err(Error::parameter("features", format!("{axis:?}"), "one or two columns")),
        }
    }

    fn bins(&self, column: usize, batch: &Table, rows: Vec<usize>) -> Result<Bins> {
        match self.edges.get(&column) {
            None => Ok(Bins::at_quantiles(self.n_bins, column, batch, rows)),
            Some(edges) => Bins::with_edges(edges, column, batch, rows),
        }
    }

    fn effect<M: Model<Batch = Table> + ?Sized>(
        &self,
        model: &M,
        batch: &Table,
        meter: &Meter,
        axis: &[usize],
        plan: &Plan,
        intact: Option<&Array2<f64>>,
    ) -> Result<Effect> {
        match plan {
            Plan::Numeric(bins) => numeric::effect(model, batch, meter, axis[0], bins, self.centring),
            Plan::Pair(a, b) => pair::effect(model, batch, meter, [axis[0], axis[1]], [a, b], self.centring),
            Plan::Levels(levels) => levels.effect(model, batch, meter, axis[0], intact),
        }
    }

    fn provenance(&self, run: &Run) -> Provenance {
        let centring = match self.centring {
            Centring::Data => "data",
            Centring::Midpoints => "midpoints",
        };
        let order = match self.order {
            CategoryOrder::Similarity => "similarity",
            CategoryOrder::Given => "given",
        };
        Provenance::new("accumulated-local-effects", run)
            .with("n_bins", self.n_bins)
            .with("centring", centring)
            .with("order", order)
    }
}
