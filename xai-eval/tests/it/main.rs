//! Measures of attributions on models whose right explanation is known.

mod agreement;
mod axioms;
mod completeness;
mod complexity;
mod contract;
mod faithfulness;
mod interval;
mod localisation;
mod net;
mod randomisation;
mod removal;
mod stability;
mod truth;
mod zoo;
