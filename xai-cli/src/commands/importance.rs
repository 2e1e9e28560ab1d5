//! `xai importance`.

use xai::registry::{Registry, Scope};

use super::explain::by_name;
use crate::args::GlobalArgs;
use crate::failure::Failure;

/// Says how much each feature matters.
pub fn run(args: &GlobalArgs) -> Result<(), Failure> {
    let registry = Registry::standard();
    let usual = if args.source.target.is_some() { "permutation-importance" } else { "mean-absolute-attribution" };
    let method = registry.get(args.method.as_deref().unwrap_or(usual))?;
    if method.spec().scope != Scope::Importance {
        return Err(Failure::Use(format!("{} gives no importance", method.spec().name)));
    }
    by_name(method, &args.source, &args.explaining, &args.running)
}
