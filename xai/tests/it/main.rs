//! The crates together, as a user of the façade sees them.

mod schema;
#[cfg(all(feature = "local", feature = "models"))]
mod tree_golden;
