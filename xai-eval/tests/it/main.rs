//! Measures of attributions on models whose right explanation is known.

mod agreement;
mod completeness;
mod faithfulness;
mod removal;
mod zoo;
