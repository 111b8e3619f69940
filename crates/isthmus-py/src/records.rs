//! What a batch says of single documents, as plain read-only objects.

use isthmus_core::{batch, fault};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Cause {
    inner: fault::Cause,
}

#[pymethods]
impl Cause {
    #[getter]
    fn code(&self) -> &'static str {
        self.inner.code.slug()
    }

    #[getter]
    fn path(&self) -> &str {
        &self.inner.path
    }

    #[getter]
    fn bson_type(&self) -> &'static str {
        self.inner.bson_type
    }

    #[getter]
    fn column(&self) -> Option<&str> {
        self.inner.column.as_deref()
    }

    #[getter]
    fn value(&self) -> &str {
        &self.inner.value
    }

    #[getter]
    fn message(&self) -> &str {
        &self.inner.message
    }

    fn __repr__(&self) -> String {
        format!("Cause(code={:?}, path={:?}, message={:?})", self.code(), self.inner.path, self.inner.message)
    }
}

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Reject {
    inner: fault::Reject,
}

impl Reject {
    pub fn new(inner: fault::Reject) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl Reject {
    #[getter]
    fn document(&self) -> usize {
        self.inner.document
    }

    #[getter]
    fn offset(&self) -> usize {
        self.inner.offset
    }

    #[getter]
    fn length(&self) -> usize {
        self.inner.length
    }

    #[getter]
    fn source_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.inner.source_id.as_ref().map(|bytes| PyBytes::new(py, bytes))
    }

    #[getter]
    fn causes(&self) -> Vec<Cause> {
        self.inner.causes.iter().map(|cause| Cause { inner: cause.clone() }).collect()
    }

    fn __repr__(&self) -> String {
        let code = self.inner.causes.first().map_or("", |cause| cause.code.slug());
        format!("Reject(document={}, offset={}, code={code:?})", self.inner.document, self.inner.offset)
    }
}

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Adjustment {
    inner: batch::Adjustment,
}

impl Adjustment {
    pub fn new(inner: batch::Adjustment) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl Adjustment {
    #[getter]
    fn document(&self) -> usize {
        self.inner.document
    }

    #[getter]
    fn table(&self) -> &str {
        &self.inner.table
    }

    #[getter]
    fn column(&self) -> &str {
        &self.inner.column
    }

    #[getter]
    fn position(&self) -> Option<i32> {
        self.inner.position
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.inner.kind.slug()
    }

    #[getter]
    fn original(&self) -> &str {
        &self.inner.original
    }

    fn __repr__(&self) -> String {
        format!(
            "Adjustment(document={}, column={:?}, kind={:?})",
            self.inner.document,
            format!("{}.{}", self.inner.table, self.inner.column),
            self.kind()
        )
    }
}
