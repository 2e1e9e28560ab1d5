//! Laws, closed forms, oracles and goldens of the explanations of whole models.

mod ale;
mod ale_golden;
mod exact_trees;
mod golden;
mod hostile;
mod losses;
mod mean_absolute;
mod partial_dependence;
mod permutation;
mod running;
mod zoo;
