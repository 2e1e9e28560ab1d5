//! Tests of the pictures: what is in them, where it is, and that nothing from outside can break them.

mod bars;
mod checks;
mod effects;
mod fonts;
mod hostile;
mod images;
mod interactions;
mod layers;
mod leagues;
mod page;
#[cfg(feature = "png")]
mod png;
mod samples;
mod swarms;
mod terminal;
mod themes;
mod waterfall;
