//! Shares of a score for sets of players.

use std::fmt;

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{all_finite, same_shape, values_finite};
use crate::{Error, Explanation, Feature, Output, Provenance, Result};

/// What sets of players contribute together to every score of every sample.
///
/// # Units
/// For an [efficient](InteractionIndex::is_efficient) index, `base` + Σ over terms of `values` = `scores`.
///
/// # Laws
/// `interactions_read_back_bit_for_bit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interactions {
    /// How it was made.
    pub provenance: Provenance,
    /// What the values mean.
    pub index: InteractionIndex,
    /// The largest number of players in a term that the index was asked for.
    pub order: usize,
    /// The players: (player).
    pub features: Vec<Feature>,
    /// What the scores are: (output).
    pub outputs: Vec<Output>,
    /// The sets of players that have a value, each ascending and never empty; those not listed have the value 0 or, as
    /// `provenance` then says, were not asked for: (term).
    pub terms: Vec<Vec<usize>>,
    /// The score when every player is absent: (sample, output).
    #[serde(with = "crate::nested")]
    pub base: Array2<f64>,
    /// The contributions: (sample, term, output).
    #[serde(with = "crate::nested")]
    pub values: Array3<f64>,
    /// What is explained: (sample, output).
    #[serde(with = "crate::nested")]
    pub scores: Array2<f64>,
    /// The standard error of each value, where the method estimates one: (sample, term, output).
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<Array3<f64>>,
    /// The players' values for display: (sample, player), NaN where a player has none.
    #[serde(with = "crate::nested", default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Array2<f64>>,
}

/// How a game is divided among sets of players. Δ_T(S) = Σ_{L ⊆ T} (−1)^(|T|−|L|) v(S ∪ L) is what T gains by acting
/// together when S is present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InteractionIndex {
    /// Shapley interaction index: Δ_T averaged as in random orders in which T comes as one player (Grabisch & Roubens
    /// 1999). Not efficient.
    #[serde(rename = "SII")]
    Sii,
    /// The Shapley interaction indices of up to k players, aggregated so that they sum to the score (Bord & von Luxburg
    /// 2023, n-Shapley values). Order 2 is what `shap` calls interaction values.
    #[serde(rename = "k-SII")]
    KSii,
    /// Shapley-Taylor interaction index (Sundararajan, Dhamdhere & Agarwal 2020).
    #[serde(rename = "STII")]
    Stii,
    /// Faithful Shapley interaction index: the best approximation of the game by sets of up to k players in the
    /// Shapley kernel (Tsai, Yeh & Ravikumar 2023).
    #[serde(rename = "FSII")]
    Fsii,
    /// Banzhaf interaction index: the mean of Δ_T over all coalitions. Not efficient.
    #[serde(rename = "BII")]
    Bii,
    /// Faithful Banzhaf interaction index: the best approximation of the game by sets of up to k players when all
    /// coalitions count alike (Tsai, Yeh & Ravikumar 2023). Not efficient.
    #[serde(rename = "FBII")]
    Fbii,
    /// Möbius transform, the dividends of Harsanyi 1963: Δ_T(∅). Efficient when all sets are listed.
    #[serde(rename = "Moebius")]
    Moebius,
}

impl InteractionIndex {
    /// Every index.
    pub const ALL: [InteractionIndex; 7] = [
        InteractionIndex::KSii,
        InteractionIndex::Sii,
        InteractionIndex::Stii,
        InteractionIndex::Fsii,
        InteractionIndex::Bii,
        InteractionIndex::Fbii,
        InteractionIndex::Moebius,
    ];

    /// Whether the values of all terms sum to the score less the base, whatever the game and the order.
    pub fn is_efficient(self) -> bool {
        matches!(self, InteractionIndex::KSii | InteractionIndex::Stii | InteractionIndex::Fsii)
    }

    /// The name in papers, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            InteractionIndex::Sii => "SII",
            InteractionIndex::KSii => "k-SII",
            InteractionIndex::Stii => "STII",
            InteractionIndex::Fsii => "FSII",
            InteractionIndex::Bii => "BII",
            InteractionIndex::Fbii => "FBII",
            InteractionIndex::Moebius => "Moebius",
        }
    }
}

impl fmt::Display for InteractionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Explanation for Interactions {
    fn provenance(&self) -> &Provenance {
        &self.provenance
    }
}

impl Interactions {
    /// Itself, if all parts fit together and every value is finite: the last step of an explainer, the first of a
    /// reader.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::NonFinite`], or [`Error::Malformed`] for a term that is no ascending set of players
    /// or stands twice.
    pub fn checked(self) -> Result<Self> {
        let (samples, terms, outputs) = (self.scores.nrows(), self.terms.len(), self.outputs.len());
        let mut seen = std::collections::HashSet::new();
        for (place, term) in self.terms.iter().enumerate() {
            let ascending = !term.is_empty() && term.is_sorted_by(|a, b| a < b);
            let known = term.last().is_some_and(|&last| last < self.features.len());
            if !(ascending && known && seen.insert(term)) {
                let problem = format!("{term:?} is no new ascending set of {} players", self.features.len());
                return Err(Error::Malformed { format: "interactions", at: format!("term {place}"), problem });
            }
        }
        // JSON's nested lists cannot tell (0, 3, 1) from (0, 0, 0): without samples there is nothing to compare.
        if samples > 0 {
            same_shape("scores (sample, output)", &[samples, outputs], self.scores.shape())?;
            same_shape("base (sample, output)", &[samples, outputs], self.base.shape())?;
            if terms > 0 {
                same_shape("values (sample, term, output)", &[samples, terms, outputs], self.values.shape())?;
            }
            if let Some(error) = &self.standard_error {
                same_shape("standard errors", self.values.shape(), error.shape())?;
            }
            if let Some(data) = &self.data {
                same_shape("data (sample, player)", &[samples, self.features.len()], data.shape())?;
            }
        }
        all_finite("scores", &self.scores)?;
        all_finite("base", &self.base)?;
        values_finite(&self.values)?;
        Ok(self)
    }

    /// The number of samples.
    pub fn n_samples(&self) -> usize {
        self.scores.nrows()
    }

    /// The place of a set of players among the terms.
    pub fn place(&self, players: &[usize]) -> Option<usize> {
        self.terms.iter().position(|term| term == players)
    }

    /// The pairs of one sample and output as a symmetric matrix that sums to the sum of all terms of one or two
    /// players, in `shap`'s manner: single players on the diagonal, each half of a pair's value on either side.
    pub fn matrix(&self, sample: usize, output: usize) -> Array2<f64> {
        let mut matrix = Array2::zeros((self.features.len(), self.features.len()));
        let values = self.values.index_axis(Axis(0), sample);
        for (term, &value) in self.terms.iter().zip(values.index_axis(Axis(1), output)) {
            match *term.as_slice() {
                [i] => matrix[[i, i]] = value,
                [i, j] => {
                    matrix[[i, j]] = value / 2.0;
                    matrix[[j, i]] = value / 2.0;
                }
                _ => {}
            }
        }
        matrix
    }

    /// `scores` − `base` − Σ over terms of `values`: (sample, output). Zero up to rounding for an efficient index.
    pub fn completeness_residual(&self) -> Array2<f64> {
        if self.values.is_empty() {
            return &self.scores - &self.base;
        }
        &self.scores - &self.base - self.values.sum_axis(Axis(1))
    }
}
