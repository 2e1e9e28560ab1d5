//! How fast the score changes when features go, or come, in the order of their shares.

use ndarray::{Array2, Array3, ArrayView1, Axis};
use xai_core::{Attribution, Error, Masker, Meter, Model, Result, Run};

use crate::games::Games;
use crate::measurement::Measurement;
use crate::rank::descending;

/// Deletion and insertion: the score while players are made absent (or present) one group after another, the most
/// important first, and the area under that curve.
///
/// Deletion starts with all players present and ends with none; a low area is better: what goes first carries the
/// score. Insertion starts with none; a high area is better. The order is that of each output's own shares.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `insertion` | false | players come instead of going |
/// | `order` | signed | largest share first, or largest absolute share first |
/// | `n_steps` | 100 | groups of (nearly) the same size; at most one for each player |
///
/// *Pitfalls.* Areas depend on the model, the sample and the masker: an area of 0.3 may be the best that can be had
/// with one model and a bad one with another, so compare methods on the same model and samples only. Half-masked
/// samples may lie where the model was never trained. In signed order, shares below zero go last, which makes the
/// end of a deletion rise.
///
/// # Units
/// Those of the scores.
///
/// # Cost
/// n_samples · n_outputs · (min(n_steps, n_players) + 1) · replicas of the masker, in evaluations.
///
/// # Laws
/// `removal_of_a_linear_model_follows_its_terms`, `removal_in_exact_order_is_the_best`,
/// `removal_counts_its_evaluations`.
///
/// # Source
/// Petsiuk, Das, Saenko 2018, "RISE: randomized input sampling for explanation of black-box models", section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalCurve {
    /// Players come instead of going.
    pub insertion: bool,
    /// Which players come first.
    pub order: RemovalOrder,
    /// How many groups the players go in.
    pub n_steps: usize,
}

/// Which players come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RemovalOrder {
    /// Those with the largest shares: what speaks for the output.
    #[default]
    Signed,
    /// Those with the largest absolute shares: what speaks for or against it.
    Absolute,
}

impl Default for RemovalCurve {
    fn default() -> Self {
        RemovalCurve { insertion: false, order: RemovalOrder::default(), n_steps: 100 }
    }
}

/// The scores along the way, and the area under them.
#[derive(Debug, Clone, PartialEq)]
pub struct RemovalCurves {
    /// The share of the players that has gone (or come): (point).
    pub shares: Vec<f64>,
    /// The scores: (sample, point, output).
    pub scores: Array3<f64>,
    /// The area under each curve over `shares`, by trapezoids: the mean score along the way.
    pub area: Measurement,
}

impl RemovalCurve {
    /// Insertion instead of deletion.
    pub fn insertion() -> Self {
        RemovalCurve { insertion: true, ..Self::default() }
    }

    /// Measures the attribution of `batch`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for no step or no player; [`Error::Shape`] for an attribution of other samples, players or
    /// outputs; [`Error::Budget`] before any evaluation; those of the model and of the masker.
    pub fn measure<M, K>(
        &self,
        model: &M,
        batch: &M::Batch,
        masker: &K,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<RemovalCurves>
    where
        M: Model + ?Sized,
        K: Masker<M::Batch> + ?Sized,
    {
        let games = Games::new(model, batch, masker, attribution)?;
        let Games { n_samples, n_players, n_outputs, .. } = games;
        if self.n_steps == 0 || n_players == 0 {
            let given = format!("{} steps for {n_players} players", self.n_steps);
            return Err(Error::parameter("n_steps", given, "at least one step and one player"));
        }
        let n_steps = self.n_steps.min(n_players);
        let counts: Vec<usize> = (0..=n_steps).map(|step| n_players * step / n_steps).collect();
        let curves = (n_samples as u64).saturating_mul(n_outputs as u64);
        let each = (counts.len() as u64).saturating_mul(games.replicas() as u64);
        let meter = Meter::planned(run, curves.saturating_mul(each))?;

        let shares: Vec<f64> = counts.iter().map(|&count| count as f64 / n_players as f64).collect();
        let mut scores = Array3::zeros((n_samples, counts.len(), n_outputs));
        for sample in 0..n_samples {
            for k in 0..n_outputs {
                let order = self.sorted(games.values.index_axis(Axis(0), sample).column(k));
                let mut coalitions = Array2::from_elem((counts.len(), n_players), !self.insertion);
                for (mut row, &count) in coalitions.outer_iter_mut().zip(&counts) {
                    order[..count].iter().for_each(|&player| row[player] = self.insertion);
                }
                let worth = games.worth(sample, &coalitions, &meter)?;
                scores.index_axis_mut(Axis(0), sample).column_mut(k).assign(&worth.column(k));
            }
        }
        let area = Array2::from_shape_fn((n_samples, n_outputs), |(i, k)| {
            let at = |p: usize| scores[[i, p, k]];
            (1..shares.len()).map(|p| (shares[p] - shares[p - 1]) * (at(p) + at(p - 1)) / 2.0).sum()
        });
        let area = Measurement {
            metric: if self.insertion { "insertion" } else { "deletion" },
            higher_is_better: self.insertion,
            values: area,
            evaluations: meter.evaluations(),
        };
        Ok(RemovalCurves { shares, scores, area })
    }

    fn sorted(&self, values: ArrayView1<f64>) -> Vec<usize> {
        match self.order {
            RemovalOrder::Signed => descending(values.iter().copied()),
            RemovalOrder::Absolute => descending(values.iter().map(|v| v.abs())),
        }
    }
}
