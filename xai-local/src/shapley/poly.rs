//! Shapley values of a polynomial that fits the game.

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use xai_core::{Error, Game, Provenance, Result};

use super::proxy::polynomial::{Gain, all_terms, count_terms, regress};
use super::proxy::sample::Sampled;
use super::proxy::share::make_efficient;
use super::proxy::{budget, exact_instead, planned};
use super::{Ends, Estimate, Estimator};

/// Shapley values of the polynomial of memberships that fits the game best, coalitions weighing by the Shapley kernel.
///
/// [`KernelShap`](super::KernelShap) fits a linear function; a polynomial of order 3 also takes in what any three players
/// make together, and leaves less to chance. Since coalitions come in pairs, S and its complement, products of an even
/// number of players cancel: order 3 needs n + C(n, 3) coefficients, and is exact for games without interactions of five
/// or more players.
///
/// | parameter | default | range |
/// |---|---|---|
/// | `n_coalitions` | 2n + 2048 for n players | two for each coefficient, or all 2ⁿ − 2; the empty and the full coalition do not count |
/// | `order` | 3 | 1 to 9; an even order is the one below it |
///
/// # Units
/// Values sum to the worth of all less the worth of nobody, up to rounding. The standard error is the regression's, by
/// what each pair's own fit leaves of it when it is left out (HC3), less what is enumerated.
///
/// # Cost
/// At most `n_coalitions` coalitions, O(coalitions · coefficients²). With a budget for all coalitions the values are
/// exact, as by [`ExactShap`](super::ExactShap).
///
/// # Errors
/// [`Error::Parameter`] for an order out of range and for fewer coalitions than two a coefficient;
/// [`Error::TooLarge`] for pairs times coefficients beyond 2²⁶; [`Error::Unsupported`] if the coalitions drawn do not
/// settle the coefficients.
///
/// # Laws
/// `polynomials_are_exact_for_their_order`, `proxies_keep_their_budget`, `proxies_are_efficient`.
///
/// # Source
/// Fumagalli, Witter & Musco, *PolySHAP: extending KernelSHAP with interaction-informed polynomial regression*, 2026.
/// *Differs:* stratified draws without repetition, in pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolyShap {
    /// The number of coalitions besides the empty and the full one.
    pub n_coalitions: Option<usize>,
    /// The most players that a product has.
    pub order: usize,
}

impl Default for PolyShap {
    fn default() -> Self {
        PolyShap { n_coalitions: None, order: 3 }
    }
}

/// Pairs times coefficients: half a gigabyte, which is held a few times.
const MOST_CELLS: f64 = (1u64 << 26) as f64;

impl Estimator for PolyShap {
    fn name(&self) -> &'static str {
        "poly-shap"
    }

    fn parameters(&self, provenance: Provenance) -> Provenance {
        budget(self.n_coalitions, provenance).with("order", self.order)
    }

    fn coalitions(&self, n_players: usize) -> Result<u64> {
        if !(1..=9).contains(&self.order) {
            return Err(Error::parameter("order", self.order, "1 to 9"));
        }
        let planned = planned(self.n_coalitions, n_players)?;
        if n_players < 64 && planned == (1u64 << n_players).saturating_sub(2) {
            return Ok(planned);
        }
        let terms = count_terms(n_players, self.order);
        let pairs = (planned / 2) as f64;
        if pairs < terms {
            let expected = format!("at least {}: two for each of {terms} coefficients", 2.0 * terms);
            return Err(Error::parameter("n_coalitions", planned, expected));
        }
        if pairs * terms > MOST_CELLS {
            let what = "pairs of coalitions times coefficients of a polynomial".into();
            return Err(Error::TooLarge { what, limit: MOST_CELLS as u64, found: (pairs * terms) as u64 });
        }
        Ok(planned)
    }

    fn with_coalitions(&self, n: usize) -> Option<Box<dyn Estimator>> {
        Some(Box::new(PolyShap { n_coalitions: Some(n), ..*self }))
    }

    fn estimate(&self, game: &dyn Game, ends: &Ends, seed: u64) -> Result<Estimate> {
        let n = game.n_players();
        let coalitions = self.coalitions(n)?;
        if let Some(exact) = exact_instead(game, ends, coalitions, seed) {
            return exact;
        }
        let sampled = Sampled::draw(game, ends, coalitions, seed)?;
        let weight = Array1::from(sampled.pairs.weight.clone());
        let Some(regressed) = regress(&sampled, &all_terms(n, self.order), &weight, Gain::Met) else {
            return Err(Error::unsupported(
                format!("a polynomial of order {} on {} pairs of coalitions", self.order, sampled.len()),
                "they do not settle its coefficients; more coalitions or a lower order may",
            ));
        };
        let mut values = regressed.fit.shares;
        make_efficient(&mut values, &sampled.gain);
        let (standard_error, coalitions) = (regressed.fit.standard_error, sampled.coalitions());
        Ok(Estimate { values, standard_error, coalitions, notes: Vec::new() })
    }
}
