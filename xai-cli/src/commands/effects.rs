//! `xai effects`.

use xai::registry::{Registry, Scope};

use super::explain::by_name;
use crate::args::EffectsArgs;
use crate::failure::Failure;

/// Shows how scores change with features.
pub fn run(args: &EffectsArgs) -> Result<(), Failure> {
    let registry = Registry::standard();
    let method = registry.get(&args.method)?;
    if method.spec().scope != Scope::Effects {
        return Err(Failure::Use(format!("{} gives no response curves", method.spec().name)));
    }
    by_name(method, &args.source, &args.explaining, &args.running)
}
