//! Partial dependence of tree ensembles from the trees themselves.

use std::collections::BTreeMap;
use std::rc::Rc;

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xai_core::error::same_shape;
use xai_core::model::output_names;
use xai_core::{Curve, Effects, Explainer, Meter, Result, Run, Table, TreeEnsemble, TreeStructured};

use crate::distribution::distribution;
use crate::exact_leaves::{LeafShares, Rows};
use crate::grid::Grid;
use crate::partial_dependence::{Layout, PartialDependence};

/// The memory for the responses of trees that are not yet summed.
const WAVE_BYTES: usize = 1 << 26;

/// Partial dependence of the margins of a tree ensemble on all samples, without a call of the model: the numbers of
/// [`PartialDependence`], at a cost that does not grow with samples × points.
///
/// A leaf answers for a point when the point follows the leaf's splits on the asked features; the share of the samples
/// that follow all other splits of its path is counted once, for all points.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `features` | none: every feature that has a value | columns, one or two to a curve |
/// | `grid` | 20 even points from the 5 % to the 95 % quantile | where the response is asked for |
/// | `values` | none | the points of single columns, instead of those of `grid` |
/// | `weights` | equal | the weight of each sample in the mean |
///
/// Where features depend on one another, some of the samples that this asks about cannot occur: compare
/// [`AccumulatedLocalEffects`](crate::AccumulatedLocalEffects).
///
/// # Shapes
/// values (point, output).
///
/// # Units
/// Margins: sums of leaves before the link. No standard errors; [`PartialDependence`] has them.
///
/// # Cost
/// No model calls. For each sample, the leaves of which it misses at most one feature (two, when a surface is asked
/// for): about the depth of each tree. Then, for each curve, the leaves × the points that reach them.
///
/// # Errors
/// Those of [`PartialDependence`], but for the budget; [`Error::TooLarge`](xai_core::Error::TooLarge) for surfaces of
/// trees with 1 GiB of pairs of columns on their paths.
///
/// # Laws
/// `exact_partial_dependence_equals_brute_force`, `exact_partial_dependence_is_the_same_for_any_number_of_threads`.
///
/// # Source
/// Friedman 2001, "Greedy function approximation", section 8.2, which averages over the training covers instead of the
/// data (scikit-learn's `method="recursion"`); this is its `method="brute"` in less time.
///
/// # Example
/// ```
/// use xai_global::{ExactPartialDependence, Grid};
/// let method = ExactPartialDependence { grid: Grid::Even { n: 100, low: 0.0, high: 1.0 }, ..Default::default() };
/// assert!(method.features.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExactPartialDependence {
    /// The columns of each curve: one or two. Empty for every column alone.
    pub features: Vec<Vec<usize>>,
    /// Where the response is asked for.
    pub grid: Grid,
    /// The points of single columns, instead of those of the grid.
    pub values: BTreeMap<usize, Vec<f64>>,
    /// The weight of each sample: (sample).
    pub weights: Option<Vec<f64>>,
}

impl<M: TreeStructured + ?Sized> Explainer<M> for ExactPartialDependence {
    type Explanation = Effects;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Effects> {
        const METHOD: &str = "exact-partial-dependence";
        let brute = PartialDependence {
            features: self.features.clone(),
            grid: self.grid,
            values: self.values.clone(),
            weights: self.weights.clone(),
            ..PartialDependence::default()
        };
        let trees = model.trees();
        same_shape("columns of the batch", &[trees.n_features], &[batch.ncols()])?;
        let Layout { names, axes, grids, notes, .. } = brute.layout(METHOD, model, batch)?;
        let rows = Rows::new(batch, self.weights.as_deref());
        let meter = Meter::new(run, trees.n_trees() as u64);
        let responses = responses(trees, &rows, &axes, &grids, &meter)?;
        let mut curves = Vec::with_capacity(axes.len());
        for ((axis, grid), values) in axes.iter().zip(grids).zip(responses) {
            curves.push(Curve {
                features: axis.iter().map(|&column| names[column].clone()).collect(),
                grid,
                values,
                standard_error: None,
                individual: None,
                distribution: axis.iter().map(|&c| distribution(&names[c], &batch.column(c))).collect(),
            });
        }
        let mut provenance = brute.provenance(METHOD, run);
        provenance.parameters.remove("centered");
        provenance.notes = notes;
        Ok(Effects { provenance, outputs: output_names(model), curves })
    }
}

/// The response of the ensemble on every curve: (point, output).
fn responses(
    trees: &TreeEnsemble,
    rows: &Rows,
    axes: &[Vec<usize>],
    grids: &[Vec<Vec<f64>>],
    meter: &Meter,
) -> Result<Vec<Array2<f64>>> {
    let n_points = |grid: &Vec<Vec<f64>>| grid.iter().map(Vec::len).product::<usize>();
    let base = |grid| Array2::from_shape_fn((n_points(grid), trees.n_outputs), |(_, output)| trees.base[output]);
    let mut sums: Vec<Array2<f64>> = grids.iter().map(base).collect();
    let pairs = axes.iter().any(|axis| axis.len() > 1);
    let bytes = 8 * trees.n_outputs * grids.iter().map(n_points).sum::<usize>();
    let wave = (WAVE_BYTES / bytes.max(1)).max(1);
    for first in (0..trees.n_trees()).step_by(wave) {
        meter.tick(first as u64)?;
        let of_tree = |tree: usize| {
            let leaves = LeafShares::new(trees, tree, rows, pairs)?;
            let of_axis = |(axis, grid): (&Vec<usize>, &Vec<Vec<f64>>)| response(trees, tree, &leaves, axis, grid);
            Ok(axes.iter().zip(grids).map(of_axis).collect::<Vec<Vec<f64>>>())
        };
        let found = (first..trees.n_trees().min(first + wave)).into_par_iter().map(of_tree);
        // Summed in the order of the trees, however many threads there are.
        for (tree, responses) in found.collect::<Result<Vec<_>>>()?.into_iter().enumerate() {
            let outputs = trees.outputs_of(first + tree);
            for (sum, response) in sums.iter_mut().zip(responses) {
                for (mut sum, response) in sum.outer_iter_mut().zip(response.chunks_exact(outputs.len().max(1))) {
                    outputs.clone().zip(response).for_each(|(output, value)| sum[output] += value);
                }
            }
        }
    }
    meter.tick(trees.n_trees() as u64)?;
    Ok(sums)
}

/// Where a walk through a tree stands.
#[derive(Clone)]
struct Visit {
    node: usize,
    /// The points of each axis that follow the path so far.
    points: [Rc<[u32]>; 2],
    /// Whether the path has split on each axis.
    split: [bool; 2],
}

/// The response of one tree on one curve: (point, output of the tree).
///
/// A leaf whose path does not split on an axis answers alike along it, so there are sums for all points, for the points
/// of one axis, and for those of a surface; they are put together at the end.
fn response(trees: &TreeEnsemble, tree: usize, leaves: &LeafShares, axis: &[usize], grid: &[Vec<f64>]) -> Vec<f64> {
    let width = trees.outputs_of(tree).len();
    let (n_first, n_second) = (grid[0].len(), grid.get(1).map_or(1, Vec::len));
    let mut all = vec![0.0; width];
    let (mut first, mut second) = (vec![0.0; n_first * width], vec![0.0; n_second * width]);
    let mut surface = vec![0.0; n_first * n_second * width];
    let whole = |n: usize| (0..n as u32).collect();
    let mut stack =
        vec![Visit { node: trees.root(tree), points: [whole(n_first), whole(n_second)], split: [false; 2] }];
    while let Some(visit) = stack.pop() {
        let Visit { node, points, split } = &visit;
        if trees.is_leaf(*node) {
            let share = leaves.without(leaves.paths.place(trees, tree, *node), axis);
            let answer = |to: &mut [f64], point: usize| {
                let values = trees.leaf_values(tree, *node);
                to[point * width..][..width].iter_mut().zip(values).for_each(|(to, value)| *to += share * value);
            };
            match split {
                [false, false] => answer(&mut all, 0),
                [true, false] => points[0].iter().for_each(|&p| answer(&mut first, p as usize)),
                [false, true] => points[1].iter().for_each(|&p| answer(&mut second, p as usize)),
                [true, true] => {
                    for &p in &*points[0] {
                        points[1].iter().for_each(|&q| answer(&mut surface, p as usize * n_second + q as usize));
                    }
                }
            }
            continue;
        }
        let children = [trees.left[*node], trees.right[*node]].map(|child| child as usize);
        let Some(along) = axis.iter().position(|&column| column == trees.feature[*node] as usize) else {
            stack.extend(children.map(|node| Visit { node, ..visit.clone() }));
            continue;
        };
        let goes_left = |point: &u32| trees.goes_left(*node, grid[along][*point as usize]);
        let (left, right): (Vec<u32>, Vec<u32>) = points[along].iter().partition(|point| goes_left(point));
        for (node, kept) in children.into_iter().zip([left, right]) {
            if !kept.is_empty() {
                let mut next = Visit { node, ..visit.clone() };
                next.points[along] = kept.into();
                next.split[along] = true;
                stack.push(next);
            }
        }
    }
    for (p, to) in surface.chunks_exact_mut(width.max(1)).enumerate() {
        let (a, b) = (p / n_second * width, p % n_second * width);
        for (output, to) in to.iter_mut().enumerate() {
            *to += all[output] + first[a + output] + second[b + output];
        }
    }
    surface
}
