//! The crates together, as a user of the façade sees them.

#[cfg(all(feature = "local", feature = "global", feature = "models", feature = "eval"))]
mod contest;
#[cfg(all(feature = "local", feature = "global", feature = "models"))]
mod inside;
#[cfg(all(feature = "local", feature = "global", feature = "models"))]
mod networks;
#[cfg(all(feature = "local", feature = "global", feature = "models"))]
mod registry;
mod schema;
#[cfg(all(feature = "local", feature = "global", feature = "models"))]
mod stream;
#[cfg(all(feature = "local", feature = "models"))]
mod tree_golden;
#[cfg(all(feature = "local", feature = "models"))]
mod tree_interactions_golden;
mod weights;
