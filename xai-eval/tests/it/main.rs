//! Measures of attributions on models whose right explanation is known.

mod agreement;
mod completeness;
mod contract;
mod faithfulness;
mod interval;
mod removal;
mod zoo;
