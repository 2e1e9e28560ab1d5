//! How much worse a model becomes when a feature's values are shuffled.

use std::ops::Range;

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Array3, ArrayViewMut2, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use xai_core::model::{feature_names, output_names};
use xai_core::{Error, Explainer, Groups, Importance, Meter, Model, Output, Provenance, Result, Run, Scale, Table};

use crate::copies::{Copies, check_samples};
use crate::labels::{Labels, check_weights};
use crate::loss::Loss;

/// The rise of the loss when one feature's values are shuffled among the samples.
///
/// importance(j, r) = loss(model(X with column j shuffled by π(j, r)), y) − loss(model(X), y), averaged over the
/// repeats r. All repeats are kept, and their sample standard deviation is the spread.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `labels` | | the truth, one a sample |
/// | `losses` | the [usual](Loss::usual) one | what is measured; all come from the same predictions |
/// | `n_repeats` | 10 | shuffles of each feature, 1 to 1,000,000 |
/// | `groups` | every column alone | columns that are shuffled together, by the same permutation |
/// | `weights` | equal | the weight of each sample in the loss |
/// | `ratio` | false | divide by the intact loss instead of subtracting it |
///
/// The model's scores are taken as predictions: wrap it in the link adaptor when a loss needs probabilities and the
/// model gives margins. Features that depend on one another share their importance in ways that shuffling cannot
/// tell apart, and shuffled samples may be impossible ones.
///
/// # Shapes
/// values, spread (feature, loss); repeats (feature, loss, repeat); base, the intact loss (loss).
///
/// # Units
/// Those of the loss; with `ratio` none.
///
/// # Cost
/// n_samples · (1 + n_features · n_repeats) evaluations, in calls of at most 4096 rows.
///
/// # Errors
/// [`Error::Parameter`] for fewer than two samples (nothing can be shuffled), no loss, or groups that do not fit;
/// [`Error::TooLarge`] for more than a hundred million repeats in all; those of [`Loss::check_outputs`] and
/// [`Loss::of`]; [`Error::Budget`] before any evaluation.
///
/// # Laws
/// `permutation_of_a_linear_model_has_its_expectation`, `permutation_repeats_are_losses_of_what_the_model_saw`,
/// `permutation_is_the_same_for_any_number_of_threads`, `permutation_counts_its_evaluations`.
///
/// # Source
/// Fisher, Rudin, Dominici 2019, "All models are wrong, but many are useful", as in scikit-learn's
/// `permutation_importance`. *differs:* a rise of a loss rather than a fall of a score; the spread is a sample
/// standard deviation (n − 1).
///
/// # Example
/// ```
/// use xai_core::{Explainer, Model, Result, Run, Table};
/// use xai_global::{Labels, PermutationImportance};
/// struct First;
/// impl Model for First {
///     type Batch = Table;
///     fn n_outputs(&self) -> usize { 1 }
///     fn predict(&self, batch: &Table) -> Result<ndarray::Array2<f64>> {
///         Ok(batch.column(0).to_owned().insert_axis(ndarray::Axis(1)))
///     }
/// }
/// let batch = ndarray::array![[1.0, 9.0], [2.0, 8.0], [3.0, 7.0]];
/// let labels = Labels::Numbers(vec![1.0, 2.0, 3.0]);
/// let importance = PermutationImportance::new(labels).explain(&First, &batch, &Run::default()).unwrap();
/// assert_eq!(importance.order(), [0, 1]);
/// assert_eq!(importance.values[[1, 0]], 0.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermutationImportance {
    /// The truth: (sample).
    pub labels: Labels,
    /// What is measured, at least one.
    pub losses: Vec<Loss>,
    /// How often each feature is shuffled.
    pub n_repeats: usize,
    /// Columns that are shuffled together; `None` for every column alone.
    pub groups: Option<Groups>,
    /// The weight of each sample in the losses: (sample).
    pub weights: Option<Vec<f64>>,
    /// Shuffled loss divided by intact loss, instead of their difference.
    pub ratio: bool,
}

/// More repeats than anybody wants, few enough to hold.
const MOST_REPEATS: usize = 1_000_000;
/// As many numbers as all repeats together may be.
const MOST_NUMBERS: u64 = 100_000_000;

impl PermutationImportance {
    /// The usual loss for these labels, ten repeats, every column alone.
    pub fn new(labels: Labels) -> Self {
        let losses = vec![Loss::usual(&labels)];
        PermutationImportance { labels, losses, n_repeats: 10, groups: None, weights: None, ratio: false }
    }

    fn check(&self, batch: &Table) -> Result<()> {
        check_samples(batch, 2)?;
        self.labels.check(batch.nrows())?;
        check_weights(self.weights.as_deref(), batch.nrows())?;
        if self.losses.is_empty() {
            return Err(Error::parameter("losses", "none", "at least one loss"));
        }
        if !(1..=MOST_REPEATS).contains(&self.n_repeats) {
            return Err(Error::parameter("n_repeats", self.n_repeats, format!("1 to {MOST_REPEATS}")));
        }
        Ok(())
    }

    fn losses_of(&self, scores: &Table) -> Result<Vec<f64>> {
        self.losses.iter().map(|loss| loss.of(scores, &self.labels, self.weights.as_deref())).collect()
    }

    fn provenance(&self, run: &Run) -> Provenance {
        let names: Vec<&str> = self.losses.iter().map(|loss| loss.name()).collect();
        let mut provenance = Provenance::new("permutation-importance", run)
            .with("n_repeats", self.n_repeats)
            .with("losses", names)
            .with("ratio", self.ratio)
            .with("weighted", self.weights.is_some());
        if let Some(groups) = &self.groups {
            let names: Vec<&str> = groups.players.iter().map(|p| p.name.as_str()).collect();
            provenance = provenance.with("groups", names);
        }
        provenance
    }
}

impl<M: Model<Batch = Table> + ?Sized> Explainer<M> for PermutationImportance {
    type Explanation = Importance;

    fn explain(&self, model: &M, batch: &Table, run: &Run) -> Result<Importance> {
        self.check(batch)?;
        let names = feature_names(model, batch)?;
        let groups = self.groups.clone().unwrap_or_else(|| Groups::each(&names));
        groups.player_of(batch.ncols())?;
        self.losses.iter().try_for_each(|loss| loss.check_outputs(&output_names(model)))?;

        let n_copies = groups.len().saturating_mul(self.n_repeats);
        let numbers = (n_copies as u64).saturating_mul(self.losses.len() as u64);
        if numbers > MOST_NUMBERS {
            return Err(Error::TooLarge {
                what: "repeats of all features".into(),
                limit: MOST_NUMBERS,
                found: numbers,
            });
        }
        let needed = (batch.nrows() as u64).saturating_mul((n_copies as u64).saturating_add(1));
        let meter = Meter::planned(run, needed)?;
        let copies = Copies { meter: &meter, model, batch };
        let whole = copies.scores(0..1, |_, _, _| {}, |_, scores| self.losses_of(&scores))?;
        let base = Array1::from_vec(whole.concat());
        if self.ratio
            && let Some(l) = base.iter().position(|&b| b == 0.0)
        {
            let reason = format!("the intact {} is 0; use the difference", self.losses[l].name());
            return Err(Error::unsupported("the ratio of losses", reason));
        }

        let mut repeats = Array3::zeros((groups.len(), self.losses.len(), self.n_repeats));
        for first in (0..n_copies).step_by(copies.per_wave()) {
            let wave = first..n_copies.min(first + copies.per_wave());
            let place = |copy: usize| (copy / self.n_repeats, copy % self.n_repeats);
            let shuffled = |copy: usize| order(run, place(copy), batch.nrows());
            let orders: Vec<Vec<usize>> = wave.clone().into_par_iter().map(shuffled).collect();
            let shuffle = |copy: usize, rows: Range<usize>, mut block: ArrayViewMut2<f64>| {
                for (mut row, &from) in block.outer_iter_mut().zip(&orders[copy - first][rows]) {
                    groups.members[place(copy).0].iter().for_each(|&column| row[column] = batch[[from, column]]);
                }
            };
            let losses = copies.scores(wave.clone(), shuffle, |_, scores| self.losses_of(&scores))?;
            for (copy, losses) in wave.zip(losses) {
                let (player, repeat) = place(copy);
                for (l, loss) in losses.into_iter().enumerate() {
                    repeats[[player, l, repeat]] = if self.ratio { loss / base[l] } else { loss - base[l] };
                }
            }
        }
        let values = mean(&repeats);
        Ok(Importance {
            provenance: self.provenance(run).evaluations(meter.evaluations()),
            features: groups.players,
            outputs: self.losses.iter().map(|loss| Output::new(loss.name(), Scale::Loss)).collect(),
            spread: (self.n_repeats > 1).then(|| spread(&repeats, &values)),
            values,
            repeats: Some(repeats),
            base: Some(base),
        })
    }
}

/// A permutation of the samples that depends on nothing but the run's seed, the feature and the repeat.
fn order(run: &Run, (feature, repeat): (usize, usize), n_samples: usize) -> Vec<usize> {
    let within = |seed: u64| Run { seed, first_sample: 0, ..*run };
    let seed = within(within(run.seed).seed_of(feature)).seed_of(repeat);
    let mut order: Vec<usize> = (0..n_samples).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order
}

fn mean(repeats: &Array3<f64>) -> Array2<f64> {
    repeats.sum_axis(Axis(2)) / repeats.len_of(Axis(2)) as f64
}

fn spread(repeats: &Array3<f64>, means: &Array2<f64>) -> Array2<f64> {
    let away = repeats - &means.view().insert_axis(Axis(2));
    let variance = (&away * &away).sum_axis(Axis(2)) / (repeats.len_of(Axis(2)) as f64 - 1.0);
    variance.mapv(f64::sqrt)
}
