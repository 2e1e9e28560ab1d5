//! Comprehensiveness and sufficiency between the worst and the best that can be had.

use std::collections::{BTreeMap, HashMap};

use ndarray::{Array1, Array2};
use xai_core::{Attribution, Error, Meter, Model, Result, Run};

use crate::games::Games;
use crate::measurement::Failures;
use crate::rank::descending;
use crate::{Case, Direction, Measurement, Metric, Need};

/// The normalised area over the perturbation curve: (AOPC − least) / (most − least), where AOPC = 1/n Σ_{i=1}^{n} (f(x) −
/// f(x without the first i players)), and least and most are those of the worst and the best order of the players.
///
/// Comprehensiveness: the largest share goes first; higher is better, 1 is the best that can be had. Sufficiency: the
/// smallest share goes first; lower is better, 0 is the best. NaN where all orders give the same.
///
/// The limits are searched level by level, keeping the `width` best sets of each size: a `width` of the number of sets of
/// n/2 players or more is exact. An order that is better than what the search found becomes the limit itself.
///
/// | parameter | default | meaning |
/// |---|---|---|
/// | `sufficiency` | false | the smallest share goes first |
/// | `width` | 5 | sets kept at each size; [`NormalisedAopc::EXACT`] for all |
///
/// *Pitfalls.* The best order may only exploit that the model errs on masked samples. With a narrow search the limits are
/// too tight, and values too near 0 or 1, the same for all methods on one sample.
///
/// # Units
/// None.
///
/// # Cost
/// For every sample at most 1 + n_players + 2 · width · n_players² / 2 coalitions for every output, none asked twice; 2^n
/// of them when exact. Each takes as many evaluations as the masker has replicas.
///
/// # Errors
/// [`Error::TooLarge`] for a search that holds more than 131,072 sets; [`Error::Parameter`] for a width of 0 or no player;
/// else those of [`Metric::measure`].
///
/// # Laws
/// `normalised_aopc_is_what_brute_force_says`, `exact_shares_of_additive_models_are_the_best`.
///
/// # Source
/// Edin et al. 2025, "Normalized AOPC: fixing misleading faithfulness metrics for feature attributions explainability",
/// section 4 (exact and beam search).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NormalisedAopc {
    /// The smallest share goes first.
    pub sufficiency: bool,
    /// How many sets of each size are kept.
    pub width: usize,
}

impl Default for NormalisedAopc {
    fn default() -> Self {
        NormalisedAopc { sufficiency: false, width: 5 }
    }
}

/// Sets of one size that are held at once.
const MOST_SETS: u64 = 1 << 17;

/// Players that are gone: p by bit p % 64 of word p / 64.
type Gone = Vec<u64>;

impl NormalisedAopc {
    /// All sets are kept: the limits are those of all orders.
    pub const EXACT: usize = usize::MAX;

    /// Comprehensiveness, the default.
    pub fn comprehensiveness() -> Self {
        Self::default()
    }

    /// Sufficiency.
    pub fn sufficiency() -> Self {
        NormalisedAopc { sufficiency: true, ..Self::default() }
    }

    fn called(&self) -> &'static str {
        if self.sufficiency { "normalised-sufficiency" } else { "normalised-comprehensiveness" }
    }

    fn better(&self) -> Direction {
        if self.sufficiency { Direction::Lower } else { Direction::Higher }
    }
}

impl<M: Model + ?Sized> Metric<M> for NormalisedAopc {
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
        let games = Games::new(self.called(), case, attribution)?;
        let Games { n_samples, n_players, n_outputs, .. } = games;
        if self.width == 0 || n_players == 0 {
            let given = format!("{} for {n_players} players", self.width);
            return Err(Error::parameter("width", given, "at least 1, for at least one player"));
        }
        let all_sets = if n_players < 64 { 1u64 << n_players } else { u64::MAX };
        let held = (self.width as u64).saturating_mul(n_players as u64).min(all_sets);
        if held > MOST_SETS {
            let what = format!("sets of {n_players} players that a search of width {} holds", self.width);
            return Err(Error::TooLarge { what, limit: MOST_SETS, found: held });
        }
        let levels = held.saturating_mul(n_players as u64).min(all_sets).saturating_mul(games.replicas());
        let meter = Meter::new(run, levels.saturating_add(1).saturating_mul(n_samples as u64));
        let whole = games.whole(&meter)?;
        let (mut values, mut failures) = (Array2::zeros((n_samples, n_outputs)), Failures::default());
        for sample in 0..n_samples {
            let mut known = Known { games: &games, sample, meter: &meter, scores: HashMap::new() };
            let orders: Vec<Vec<usize>> = (0..n_outputs)
                .map(|k| {
                    let sign = if self.sufficiency { -1.0 } else { 1.0 };
                    descending(games.shares(sample, k).iter().map(|share| sign * share))
                })
                .collect();
            let own = known.along(&orders)?;
            let most = known.search(self.width, -1.0)?;
            let least = known.search(self.width, 1.0)?;
            for k in 0..n_outputs {
                // Sums of scores along the way: the lower, the more the score fell.
                let aopc = |sum: f64| whole[[sample, k]] - sum / n_players as f64;
                let (own, most, least) = (aopc(own[k]), aopc(most[k]), aopc(least[k]));
                let (most, least) = (most.max(own), least.min(own));
                let size = most.abs().max(least.abs()) * f64::EPSILON * 64.0;
                let value = if most - least > size { (own - least) / (most - least) } else { f64::NAN };
                values[[sample, k]] = failures.finite(sample, k, value, "all orders of the players give the same");
            }
        }
        let evaluations = meter.evaluations();
        Ok(Measurement::new(self.called(), self.better(), values, failures, evaluations, run))
    }
}

/// The scores of one sample's coalitions that were asked.
struct Known<'k, 'a, M: Model + ?Sized> {
    games: &'k Games<'a, M>,
    sample: usize,
    meter: &'k Meter<'k>,
    scores: HashMap<Gone, Array1<f64>>,
}

impl<M: Model + ?Sized> Known<'_, '_, M> {
    /// Asks for the sets that are not known yet, all at once.
    fn ask<'s>(&mut self, sets: impl Iterator<Item = &'s Gone>) -> Result<()> {
        let mut new: Vec<&Gone> = sets.filter(|gone| !self.scores.contains_key(*gone)).collect();
        new.sort();
        new.dedup();
        let present = |(c, j): (usize, usize)| new[c][j / 64] >> (j % 64) & 1 == 0;
        let coalitions = Array2::from_shape_fn((new.len(), self.games.n_players), present);
        let worth = self.games.worth(self.sample, &coalitions, self.meter)?;
        self.scores.extend(new.into_iter().cloned().zip(worth.outer_iter().map(|row| row.to_owned())));
        Ok(())
    }

    /// The sum of the scores along each output's order: (output).
    fn along(&mut self, orders: &[Vec<usize>]) -> Result<Vec<f64>> {
        let sets = |order: &Vec<usize>| {
            let mut gone = vec![0u64; self.games.n_players.div_ceil(64)];
            let add = |&player: &usize| {
                gone[player / 64] |= 1 << (player % 64);
                gone.clone()
            };
            order.iter().map(add).collect::<Vec<Gone>>()
        };
        let paths: Vec<Vec<Gone>> = orders.iter().map(sets).collect();
        self.ask(paths.iter().flatten())?;
        Ok(paths.iter().enumerate().map(|(k, path)| path.iter().map(|gone| self.scores[gone][k]).sum()).collect())
    }

    /// The largest (`sign` 1) or smallest (−1) sum of scores along any order, as far as the search finds it: (output).
    fn search(&mut self, width: usize, sign: f64) -> Result<Vec<f64>> {
        let n_players = self.games.n_players;
        let mut kept = vec![vec![(vec![0u64; n_players.div_ceil(64)], 0.0)]; self.games.n_outputs];
        for _ in 0..n_players {
            let next: Vec<BTreeMap<Gone, f64>> = kept.iter().map(|sets| grown(sets, n_players, sign)).collect();
            self.ask(next.iter().flat_map(BTreeMap::keys))?;
            for (k, (kept, next)) in kept.iter_mut().zip(next).enumerate() {
                *kept = next
                    .into_iter()
                    .map(|(gone, sum)| (sum + self.scores[&gone][k], gone))
                    .map(|(s, g)| (g, s))
                    .collect();
                kept.sort_by(|a, b| (sign * b.1).total_cmp(&(sign * a.1)).then_with(|| a.0.cmp(&b.0)));
                kept.truncate(width);
            }
        }
        Ok(kept.iter().map(|sets| sets[0].1).collect())
    }
}

/// All sets with one player more, each with the best sum of a way to it.
fn grown(sets: &[(Gone, f64)], n_players: usize, sign: f64) -> BTreeMap<Gone, f64> {
    let mut next: BTreeMap<Gone, f64> = BTreeMap::new();
    for (gone, sum) in sets {
        for player in (0..n_players).filter(|player| gone[player / 64] >> (player % 64) & 1 == 0) {
            let mut more = gone.clone();
            more[player / 64] |= 1 << (player % 64);
            let best = next.entry(more).or_insert(*sum);
            if sign * *sum > sign * *best {
                *best = *sum;
            }
        }
    }
    next
}
