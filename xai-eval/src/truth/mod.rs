//! Models and data whose right attribution is known by construction.
//!
//! *What is right?* Here: the Shapley value of the game in which an absent feature has the value of a background row, which
//! for every model below has a closed form or is enumerated term by term. A method that answers another question (what
//! would happen if the feature changed a little?) is not wrong where it differs. For additive models all sensible methods
//! with the same background agree.
//!
//! | generator | what it tests | who fails |
//! |---|---|---|
//! | [`additive`] | curves of single features, two features unused | nobody should |
//! | [`interacting`] | products | one feature removed at a time counts products doubly |
//! | [`cancelling`] | large shares with opposite signs, scores near zero | whatever ranks by change of the score |
//! | [`saturating`] | more evidence than is needed | gradients, one feature removed at a time |
//! | [`stepped`] | jumps | gradients |
//! | [`shattered`] | a fast wave of no size on a slow line | gradients |
//! | [`logical`] | and, or; absence that matters | gradients |
//! | [`correlated`] | unused features that tell the used ones | conditional methods, permutation |
//! | [`redundant`] | a copy that the model ignores | conditional methods |
//! | [`pictures`] | a planted pattern beside one as bright | edge detectors, whatever ignores the model |
//! | [`documents`] | planted words, negation | whatever ignores the neighbours |

mod documents;
mod known;
mod linear;
mod model;
mod pictures;
mod tabular;
mod term;

pub use documents::{Words, documents};
pub use known::Known;
pub use linear::{linear_shares, linear_slopes};
pub use model::Terms;
pub use pictures::{Pictures, pictures};
pub use tabular::{
    additive, cancelling, correlated, interacting, logical, redundant, saturating, shattered, stepped, tables,
};
pub use term::Term;
