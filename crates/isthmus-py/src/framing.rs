//! `frame` and `hop`: where documents start and end.

use isthmus_core::frame as core;
use pyo3::prelude::*;

use crate::door;
use crate::input::Input;

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Frames {
    inner: core::Frames,
}

#[pymethods]
impl Frames {
    #[getter]
    fn documents(&self) -> usize {
        self.inner.documents
    }

    #[getter]
    fn end(&self) -> usize {
        self.inner.end
    }

    #[getter]
    fn broken(&self) -> Option<(&'static str, usize)> {
        self.inner.broken
    }

    #[getter]
    fn needed(&self) -> usize {
        self.inner.needed
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.inner)
    }
}

#[pyfunction]
#[pyo3(signature = (data, *, r#final))]
pub fn frame(py: Python<'_>, data: Input<'_>, r#final: bool) -> PyResult<Frames> {
    let bytes = data.bytes();
    let inner = door::work(py, || core::frame(bytes, r#final))?;
    Ok(Frames { inner })
}

#[pyfunction]
pub fn hop(py: Python<'_>, data: Input<'_>, start: usize) -> PyResult<(usize, usize)> {
    let bytes = data.bytes();
    door::work(py, || core::hop(bytes, start))
}
