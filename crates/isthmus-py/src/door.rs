//! The one way into long work: without the GIL, without panics coming out, with Ctrl-C heard afterwards.

use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::prelude::*;

use crate::errors;

/// Runs `job` with the GIL released and returns what it returns.
///
/// A panic becomes `InternalError`. A signal that arrived meanwhile (Ctrl-C) is raised once the work is done.
pub fn work<T: Send>(py: Python<'_>, job: impl FnOnce() -> T + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(job)));
    py.check_signals()?;
    outcome.map_err(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        errors::internal(py, "panic", &format!("The Rust core stopped unexpectedly: {said}."))
    })
}
