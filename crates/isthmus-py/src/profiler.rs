//! `Profiler` and `IdSet`: what a collection holds, and its ids.

use std::sync::Arc;

use isthmus_core::bson::Value;
use isthmus_core::profile as core;
use isthmus_core::value_set::{Key, ValueSet};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::input::Input;
use crate::{door, errors};

#[pyclass(module = "isthmus._rust")]
pub struct Profiler {
    inner: core::Profiler,
}

#[pymethods]
impl Profiler {
    #[new]
    #[pyo3(signature = (limits = "{}"))]
    fn new(limits: &str) -> PyResult<Self> {
        let limits = core::Limits::parse(limits).map_err(PyValueError::new_err)?;
        Ok(Self { inner: core::Profiler::new(limits) })
    }

    fn read(&mut self, py: Python<'_>, documents: Input<'_>) -> PyResult<usize> {
        let block = documents.bytes();
        let profiler = &mut self.inner;
        let read = door::work(py, || profiler.read(block))?;
        read.map_err(|error| errors::block(py, &error))
    }

    fn merge(&mut self, py: Python<'_>, other: &mut Self) -> PyResult<()> {
        let (profiler, other) = (&mut self.inner, &mut other.inner);
        door::work(py, || profiler.merge(other))?.map_err(PyValueError::new_err)
    }

    fn result(&self, py: Python<'_>) -> PyResult<String> {
        let profiler = &self.inner;
        door::work(py, || profiler.result())
    }

    fn ids(&mut self, py: Python<'_>) -> PyResult<IdSet> {
        let profiler = &mut self.inner;
        Ok(IdSet::new(door::work(py, || profiler.ids())?))
    }
}

#[pyclass(module = "isthmus._rust", frozen)]
pub struct IdSet {
    pub inner: Arc<ValueSet>,
}

impl IdSet {
    pub fn new(set: ValueSet) -> Self {
        Self { inner: Arc::new(set) }
    }
}

#[pymethods]
impl IdSet {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn contains(&self, py: Python<'_>, id_document: &[u8]) -> PyResult<bool> {
        let value = Value::of_id_document(id_document).map_err(|error| errors::bson(py, &error))?;
        value.validate_at(1).map_err(|error| errors::bson(py, &error))?;
        Ok(self.inner.contains(&Key::of(&value, &mut Vec::new())))
    }

    fn __len__(&self) -> usize {
        usize::try_from(self.inner.count()).unwrap_or(usize::MAX)
    }

    fn __repr__(&self) -> String {
        format!("IdSet({})", self.inner.describe())
    }
}
