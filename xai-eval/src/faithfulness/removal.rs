//! How fast the score changes when features go, or come, in the order of their shares.

use ndarray::{Array2, Array3};
use xai_core::{Attribution, Error, Model, Result, Run};

use super::path::{Paths, steps};
use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// Deletion (pixel flipping, selectivity) and insertion: the score while players are made absent (or present) one group
/// after another, the most important first, and the area under that curve.
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
/// n_samples · (1 + (n_outputs · (min(n_steps, n_players) − 1) + 1) · replicas of the masker), in evaluations: the whole
/// sample and the empty coalition are asked once for all outputs, and the latter once for all samples where the masker
/// says that it is shared.
///
/// # Errors
/// [`Error::Parameter`] for no step or no player; else those of [`Metric::measure`].
///
/// # Laws
/// `removal_of_a_linear_model_follows_its_terms`, `removal_in_exact_order_is_the_best`,
/// `removal_counts_its_evaluations`, `quantus_pixel_flipping`.
///
/// # Source
/// Bach et al. 2015, "On pixel-wise explanations …" (pixel flipping); Petsiuk, Das, Saenko 2018, "RISE: randomized input
/// sampling for explanation of black-box models", section 4; Montavon, Samek, Müller 2018, "Methods for interpreting and
/// understanding deep neural networks" (selectivity: the same with patches as players).
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

    /// Measures the attribution of every sample of `case`, with the scores along the way.
    ///
    /// # Errors
    /// As [`Metric::measure`].
    pub fn curves<M: Model + ?Sized>(
        &self,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<RemovalCurves> {
        let games = Games::new(self.called(), case, attribution)?;
        if self.n_steps == 0 || games.n_players == 0 {
            let given = format!("{} steps for {} players", self.n_steps, games.n_players);
            return Err(Error::parameter("n_steps", given, "at least one step and one player"));
        }
        let counts = steps(games.n_players, self.n_steps);
        let paths = Paths { games: &games, counts: &counts, insertion: self.insertion };
        let meter = paths.meter(run, games.n_outputs, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let mut scores = Array3::zeros((games.n_samples, counts.len(), games.n_outputs));
        let orders = |sample| (0..games.n_outputs).map(|k| self.order.of(games.shares(sample, k))).collect();
        paths.visit(&meter, &whole, orders, |sample, k, point, at| scores[[sample, point, k]] = at[k])?;
        let shares: Vec<f64> = counts.iter().map(|&count| count as f64 / games.n_players as f64).collect();
        let area = Array2::from_shape_fn((games.n_samples, games.n_outputs), |(i, k)| {
            let at = |p: usize| scores[[i, p, k]];
            (1..shares.len()).map(|p| (shares[p] - shares[p - 1]) * (at(p) + at(p - 1)) / 2.0).sum()
        });
        let (name, direction, evaluations) = (self.called(), self.better(), meter.evaluations());
        let area = Measurement::new(name, direction, area, Failures::default(), evaluations, run);
        Ok(RemovalCurves { shares, scores, area })
    }

    fn called(&self) -> &'static str {
        if self.insertion { "insertion" } else { "deletion" }
    }

    fn better(&self) -> Direction {
        if self.insertion { Direction::Higher } else { Direction::Lower }
    }
}

impl<M: Model + ?Sized> Metric<M> for RemovalCurve {
    fn name(&self) -> &str {
        self.called()
    }

    fn direction(&self) -> Direction {
        self.better()
    }

    fn needs(&self) -> &[Need] {
        &[Need::Masker]
    }

    fn measure(&self, case: &Case<M>, attribution: &Attribution, run: &Run) -> Result<Measurement> {
        Ok(self.curves(case, attribution, run)?.area)
    }
}

impl RemovalOrder {
    /// The players in this order.
    pub(crate) fn of(self, shares: ndarray::ArrayView1<f64>) -> Vec<usize> {
        match self {
            RemovalOrder::Signed => descending(shares.iter().copied()),
            RemovalOrder::Absolute => descending(shares.iter().map(|v| v.abs())),
        }
    }
}
