//! Remove and debias: does the decision fall when the most important pixels are filled in from their neighbours?

use ndarray::Array2;
use xai_core::{Attribution, Model, Result, Run};

use super::decision::{decides, targets, winner};
use super::eraser::rising_shares;
use super::path::Paths;
use crate::games::Games;
use crate::measurement::Failures;
use crate::{Case, Direction, Measurement, Metric, Need, RemovalOrder};

/// The share of removal steps after which the model still decides for the right output, most important pixels first (or
/// last). The mean over samples is the area under the curve of accuracy.
///
/// The right output is that of the labels, or else the one that the model decides for; pixels are ranked by their shares
/// for it. Most important first: lower is better. Least important first: higher is better. Use it with the masker
/// [`NoisyLinear`](crate::NoisyLinear), which fills pixels in without telling the model which ones are gone. One value a
/// sample: the result has one column.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `least_first` | false | the least important pixels go first |
/// | `shares` | 1, 3, 5, … 99 % | how many pixels are gone at each step, rounded down: rising, above 0 to 1 |
/// | `order` | signed | largest share first, or largest absolute share first |
///
/// *Pitfalls.* It rewards blurry maps: a coarse map removes whole areas, which cannot be filled in. It says nothing where
/// the model decides alike for everything.
///
/// # Units
/// None: a share.
///
/// # Cost
/// n_samples · (1 + number of shares · replicas of the masker), in evaluations.
///
/// # Errors
/// [`Error::Unsupported`](xai_core::Error::Unsupported) for a model of one output;
/// [`Error::Parameter`](xai_core::Error::Parameter) for shares or labels that are none; else those of
/// [`Metric::measure`].
///
/// # Laws
/// `quantus_road`.
///
/// # Source
/// Rong et al. 2022, "A consistent and efficient evaluation strategy for attribution methods"; on blurry maps,
/// arXiv 2304.13836.
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// The least important pixels go first.
    pub least_first: bool,
    /// The shares of the pixels that are gone.
    pub shares: Vec<f64>,
    /// Which pixels are the most important.
    pub order: RemovalOrder,
}

impl Default for Road {
    fn default() -> Self {
        let shares = (1..100).step_by(2).map(|percent| f64::from(percent) / 100.0).collect();
        Road { least_first: false, shares, order: RemovalOrder::default() }
    }
}

impl Road {
    fn called(&self) -> &'static str {
        if self.least_first { "road-least-first" } else { "road" }
    }

    fn better(&self) -> Direction {
        if self.least_first { Direction::Higher } else { Direction::Lower }
    }

    /// Whether the decision is right after each step: (sample, step), 1 or 0, and the evaluations it took.
    ///
    /// # Errors
    /// As [`Metric::measure`].
    pub fn curves<M: Model + ?Sized>(
        &self,
        case: &Case<M>,
        attribution: &Attribution,
        run: &Run,
    ) -> Result<(Array2<f64>, u64)> {
        let games = Games::new(self.called(), case, attribution)?;
        decides(self.called(), case.model)?;
        rising_shares(&self.shares)?;
        // Rounded down, as the published code does, where other metrics round up.
        let most = games.n_players as f64;
        let counts: Vec<usize> = self.shares.iter().map(|share| (share * most + 1e-9).floor() as usize).collect();
        let paths = Paths { games: &games, counts: &counts, insertion: false };
        let meter = paths.meter(run, 1, |_, _| games.n_players)?;
        let whole = games.whole(&meter)?;
        let targets = targets(case, &whole)?;
        let orders = |sample: usize| {
            let mut order = self.order.of(games.shares(sample, targets[sample]));
            if self.least_first {
                order.reverse();
            }
            vec![order]
        };
        let mut right = Array2::zeros((games.n_samples, counts.len()));
        paths.visit(&meter, &whole, orders, |sample, _, point, at| {
            right[[sample, point]] = f64::from(u8::from(winner(at) == targets[sample]));
        })?;
        Ok((right, meter.evaluations()))
    }
}

impl<M: Model + ?Sized> Metric<M> for Road {
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
        let (right, evaluations) = self.curves(case, attribution, run)?;
        let mean = |(i, _)| right.row(i).sum() / right.ncols() as f64;
        let values = Array2::from_shape_fn((right.nrows(), 1), mean);
        Ok(Measurement::new(self.called(), self.better(), values, Failures::default(), evaluations, run))
    }
}
