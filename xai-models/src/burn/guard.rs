//! burn panics where this toolkit returns errors; here the one becomes the other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::burn::tensor::{Device, Tensor};
use xai_core::{Error, Result};

/// Runs `work`; a panic inside becomes [`Error::Model`] with `what` and the panic's own words.
pub(crate) fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => Err(Error::model(format!("{what} panicked: {}", words(payload.as_ref())))),
    }
}

fn words(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<String>(), payload.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "(no message)",
    }
}

/// Frees graphs that no backward pass has consumed. burn keeps them until the next one, whatever it is of.
pub(crate) fn sweep(device: &Device) {
    // Nothing was lost if even this fails: the graphs wait for the next backward pass.
    let _ = guarded("burn", || {
        let leaf = Tensor::<1>::ones([1], device).autodiff().require_grad();
        drop((leaf * 2.0).backward());
        Ok(())
    });
}
