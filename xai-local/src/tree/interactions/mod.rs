//! Interactions of tree ensembles from the trees themselves: exact, of any order, and without a call of the model.
//!
//! | method | absence of a feature means | time for each sample |
//! |---|---|---|
//! | [`TreeInteractions`] | the split sends the sample both ways, by cover | splits × sets of players above × players / 2 |
//! | [`InterventionalTreeInteractions`] | the values of the background rows | leaves × sets of players of a path |
//!
//! Banzhaf values are [`InteractionIndex::Bii`] of order 1.

mod background;
mod interventional;
pub(crate) mod measure;
mod mixtures;
mod path_dependent;
mod patterns;
mod plan;
mod sweep;
pub(crate) mod terms;

use ndarray::{Array2, Array3};
use xai_core::{Error, InteractionIndex, Interactions, Output, Provenance, Result};

use super::players::Players;

pub use interventional::InterventionalTreeInteractions;
pub use path_dependent::TreeInteractions;

/// Larger sets are refused: the numbers of a faithful index lose their meaning to rounding.
const MOST_ORDER: usize = 10;

/// A result of more numbers than this is refused: 4 GiB.
const MOST_VALUES: u64 = 1 << 29;

fn check_order(order: usize) -> Result<()> {
    if (1..=MOST_ORDER).contains(&order) {
        return Ok(());
    }
    Err(Error::parameter("order", order, format!("1 to {MOST_ORDER}")))
}

fn check_size(samples: usize, terms: usize, outputs: usize) -> Result<()> {
    let found = (samples as u64).saturating_mul(terms as u64).saturating_mul(outputs as u64);
    if found <= MOST_VALUES {
        return Ok(());
    }
    let what = format!("values of {terms} sets of players for {samples} samples; explain fewer samples at a time");
    Err(Error::TooLarge { what, limit: MOST_VALUES, found })
}

/// What a method has found.
struct Found {
    /// (sample, term, output)
    values: Array3<f64>,
    /// (sample, output)
    base: Array2<f64>,
    /// (sample, output)
    scores: Array2<f64>,
}

/// The finished explanation.
fn finish(
    players: Players,
    outputs: Vec<Output>,
    (index, order): (InteractionIndex, usize),
    terms: Vec<Vec<usize>>,
    found: Found,
    mut provenance: Provenance,
) -> Result<Interactions> {
    provenance = provenance
        .with("index", index.name())
        .with("order", order)
        .note("sets of players that are not listed have the value 0: no path of a tree holds them");
    if index == InteractionIndex::Fbii {
        provenance = provenance.note(
            "base is the score when every player is absent, not the constant of the approximation that the index is of",
        );
    }
    let Found { values, base, scores } = found;
    let Players { features, data, .. } = players;
    let all = Interactions {
        provenance,
        index,
        order,
        features,
        outputs,
        terms,
        base,
        values,
        scores,
        standard_error: None,
        data: Some(data),
    };
    all.checked()
}
