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

#[cfg(test)]
mod tests {
    use super::*;

    /// `isthmus.errors` as it lies in this repository, without an installed package.
    fn with_errors(test: impl FnOnce(Python<'_>)) {
        Python::initialize();
        Python::attach(|py| {
            let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src");
            let path = py.import("sys").unwrap().getattr("path").unwrap();
            path.call_method1("insert", (0, sources)).unwrap();
            test(py);
        });
    }

    #[test]
    fn a_panic_inside_a_long_call_becomes_an_internal_error() {
        with_errors(|py| {
            let hook = std::panic::take_hook();
            std::panic::set_hook(Box::new(|_| ()));
            let plain = work(py, || -> usize { panic!("a bound is wrong") }).expect_err("it panics");
            let formed = work(py, || -> usize { panic!("row {} is wrong", 7) }).expect_err("it panics");
            let silent = work(py, || -> usize { std::panic::panic_any(7) }).expect_err("it panics");
            std::panic::set_hook(hook);
            let class = py.import("isthmus.errors").unwrap().getattr("InternalError").unwrap();
            for (error, said) in [(plain, "a bound is wrong"), (formed, "row 7 is wrong"), (silent, "no message")] {
                assert!(error.is_instance(py, &class), "{error}");
                let value = error.value(py);
                assert_eq!(value.getattr("code").unwrap().extract::<String>().unwrap(), "panic");
                assert!(value.str().unwrap().to_string().contains(said), "{error}");
            }
        });
    }

    #[test]
    fn what_a_job_returns_comes_back_also_after_a_panic() {
        with_errors(|py| {
            assert!(work(py, || panic!("on purpose")).map(|()| 0).is_err());
            assert_eq!(work(py, || 7).unwrap(), 7);
        });
    }
}
