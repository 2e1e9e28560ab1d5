//! Measures of attributions on models whose right explanation is known.

mod agreement;
mod completeness;
mod complexity;
mod contract;
mod faithfulness;
mod interval;
mod localisation;
mod removal;
mod truth;
mod zoo;
