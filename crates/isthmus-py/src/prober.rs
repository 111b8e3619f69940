//! `Prober`: where the values of a collection lead.

use std::collections::HashMap;
use std::sync::Arc;

use isthmus_core::probe as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::input::Input;
use crate::profiler::IdSet;
use crate::{door, errors};

#[pyclass(module = "isthmus._rust")]
pub struct Prober {
    inner: core::Prober,
}

#[pymethods]
impl Prober {
    #[new]
    fn new(plan: &str, sets: Vec<PyRef<'_, IdSet>>) -> PyResult<Self> {
        let sets = sets.iter().map(|set| Arc::clone(&set.inner)).collect();
        Ok(Self { inner: core::Prober::new(plan, sets).map_err(PyValueError::new_err)? })
    }

    fn read(&mut self, py: Python<'_>, documents: Input<'_>) -> PyResult<usize> {
        let block = documents.bytes();
        let prober = &mut self.inner;
        let read = door::work(py, || prober.read(block))?;
        read.map_err(|error| errors::block(py, &error))
    }

    fn merge(&mut self, py: Python<'_>, other: &mut Self) -> PyResult<()> {
        let (prober, other) = (&mut self.inner, &mut other.inner);
        door::work(py, || prober.merge(other))?.map_err(PyValueError::new_err)
    }

    fn result(&self, py: Python<'_>) -> PyResult<String> {
        let prober = &self.inner;
        door::work(py, || prober.result())
    }

    fn sets(&mut self) -> HashMap<String, IdSet> {
        self.inner.sets().into_iter().map(|(name, set)| (name, IdSet::new(set))).collect()
    }
}
