//! Measures of attributions on models whose right explanation is known.

mod agreement;
mod axioms;
mod completeness;
mod complexity;
mod contract;
mod faithful;
mod faithfulness;
mod formulas;
mod golden;
mod hostile;
mod interval;
mod keep_remove;
mod localisation;
mod net;
mod openxai;
mod paths;
mod quantus;
mod randomisation;
mod removal;
mod stability;
mod stability_golden;
mod together;
mod tournament;
mod truth;
mod tuning;
mod zoo;
