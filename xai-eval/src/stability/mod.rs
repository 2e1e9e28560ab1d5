//! Do explanations of nearly the same samples look nearly the same? And of the same sample, explained twice?
//!
//! *Pitfalls of all of them.* A stable explanation need not be right: a constant one is perfectly stable. A model that
//! changes fast has explanations that do, rightly. Noise on a column counts in the column's own units: give
//! [`Neighbourhood::scales`] for tables, and 0 there for categories and whatever must not move. Neighbours far from the
//! data show what the method does where the model was never trained. A method that draws at random shows its own spread,
//! too: [`SeedSpread`] tells how much that is.
//!
//! All neighbours of a chunk of samples are explained in one call. [`measure_together`] takes several measures from the same
//! neighbours.

mod consistency;
mod continuity;
mod neighbourhood;
mod ratios;
mod relative;
mod representation;
mod seeds;
mod sensitivity;
mod worst_case;

pub use consistency::{Code, Consistency};
pub use continuity::Continuity;
pub use neighbourhood::{Neighbourhood, Noise};
pub(crate) use neighbourhood::{batch_of, flat};
pub use ratios::{Ratio, Relative, measure_together};
pub use relative::{RelativeInputStability, RelativeOutputStability};
pub use representation::RelativeRepresentationStability;
pub use seeds::SeedSpread;
pub use sensitivity::{AvgSensitivity, LocalLipschitz, MaxSensitivity};
pub use worst_case::{Distance, Worst, WorstCase};
