//! A model that is a sum of terms.

use ndarray::{Array2, Array3, ArrayRef2};
use xai_core::error::same_shape;
use xai_core::{Attribution, Differentiable, Error, Model, Provenance, Result, Run, Table};

use super::Term;

/// A model of tables whose every score is an intercept and a sum of [`Term`]s: each explanation of it can be known.
///
/// # Laws
/// `known_shares_equal_brute_force`, `gradients_of_terms_are_those_of_differences`.
///
/// # Example
/// ```
/// use ndarray::array;
/// use xai_eval::truth::{Term, Terms};
/// let model = Terms::new(2, vec![(1.0, vec![Term::Product { features: vec![0, 1], weight: 2.0 }])])?;
/// let shares = model.shares(&array![[3.0, 5.0]], &array![[0.0, 0.0]])?;
/// assert_eq!(shares.values, array![[[15.0], [15.0]]]);
/// # Ok::<(), xai_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    n_features: usize,
    outputs: Vec<(f64, Vec<Term>)>,
}

impl Terms {
    /// A model of `n_features` columns; every output has an intercept and terms.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no outputs, and for terms of features that are not there, that stand twice, or of more than
    /// 16.
    pub fn new(n_features: usize, outputs: Vec<(f64, Vec<Term>)>) -> Result<Self> {
        if outputs.is_empty() {
            return Err(Error::parameter("outputs", 0, "at least 1"));
        }
        outputs.iter().flat_map(|(_, terms)| terms).try_for_each(|term| term.check(n_features))?;
        Ok(Terms { n_features, outputs })
    }

    /// The number of columns.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The intercept and the terms of every output.
    pub fn outputs_and_terms(&self) -> &[(f64, Vec<Term>)] {
        &self.outputs
    }

    /// Which features some term reads: (feature).
    pub fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.n_features];
        self.outputs.iter().flat_map(|(_, terms)| terms).flat_map(Term::features).for_each(|&f| used[f] = true);
        used
    }

    /// The right attribution: the Shapley values of the game in which an absent feature has the value of a row of
    /// `background`, the mean over its rows.
    ///
    /// # Units
    /// base + Σ over features = score.
    ///
    /// # Cost
    /// Rows × background rows × Σ 2ⁿ over terms of n features.
    ///
    /// # Errors
    /// [`Error::Shape`] for tables of another width; [`Error::Parameter`] for an empty background.
    pub fn shares(&self, batch: &Table, background: &Table) -> Result<Attribution> {
        same_shape("columns of the background", &[self.n_features], &[background.ncols()])?;
        if background.nrows() == 0 {
            return Err(Error::parameter("background", "no rows", "at least 1 row"));
        }
        let scores = self.predict(batch)?;
        let base = self.predict(background)?.sum_axis(ndarray::Axis(0)) / background.nrows() as f64;
        let base = Array2::from_shape_fn(scores.dim(), |(_, output)| base[output]);
        let mut values = Array3::zeros((batch.nrows(), self.n_features, self.outputs.len()));
        for (sample, row) in batch.outer_iter().enumerate() {
            for (output, (_, terms)) in self.outputs.iter().enumerate() {
                for term in terms {
                    let x = read(row, term);
                    for baseline in background.outer_iter() {
                        for (share, feature) in term.shares(&x, &read(baseline, term)).iter().zip(term.features()) {
                            values[[sample, *feature, output]] += share / background.nrows() as f64;
                        }
                    }
                }
            }
        }
        Attribution::of_table(self, batch, values, base, scores, Provenance::new("truth", &Run::default()))
    }
}

fn read(row: ndarray::ArrayView1<f64>, term: &Term) -> Vec<f64> {
    term.features().iter().map(|&feature| row[feature]).collect()
}

impl Model for Terms {
    type Batch = Table;

    fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    fn predict(&self, batch: &Table) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.n_features], &[batch.ncols()])?;
        Ok(Array2::from_shape_fn((batch.nrows(), self.outputs.len()), |(sample, output)| {
            let (intercept, terms) = &self.outputs[output];
            terms.iter().fold(*intercept, |sum, term| sum + term.value(&read(batch.row(sample), term)))
        }))
    }
}

impl Differentiable for Terms {
    fn vjp(&self, batch: &Table, weights: &ArrayRef2<f64>) -> Result<Array2<f64>> {
        same_shape("columns of the batch", &[self.n_features], &[batch.ncols()])?;
        same_shape("weights of the scores", &[batch.nrows(), self.outputs.len()], weights.shape())?;
        let mut gradient = Array2::zeros(batch.dim());
        for (sample, row) in batch.outer_iter().enumerate() {
            for (output, (_, terms)) in self.outputs.iter().enumerate() {
                for term in terms {
                    for (slope, feature) in term.gradient(&read(row, term)).iter().zip(term.features()) {
                        gradient[[sample, *feature]] += weights[[sample, output]] * slope;
                    }
                }
            }
        }
        Ok(gradient)
    }
}
