//! `Finder`: the rows and cells behind sums that differ.

use isthmus_core::checksum as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::batch::Batch;
use crate::input::Input;
use crate::{door, errors};

type Finding = (usize, Option<usize>, Vec<Option<String>>, Option<String>, Option<String>, &'static str);

#[pyclass(module = "isthmus._rust")]
pub struct Finder {
    inner: core::Finder,
}

#[pymethods]
impl Finder {
    #[new]
    fn new(py: Python<'_>, side: &str, wanted: &str, limit: usize) -> PyResult<Self> {
        let inner = door::work(py, || core::Finder::new(side, wanted, limit))?;
        Ok(Self { inner: inner.map_err(PyValueError::new_err)? })
    }

    fn fresh(&self) -> Self {
        Self { inner: self.inner.fresh() }
    }

    fn read_copy(&mut self, py: Python<'_>, table: usize, data: Input<'_>) -> PyResult<usize> {
        let finder = &mut self.inner;
        let data = data.bytes();
        door::work(py, || finder.read_copy(table, data))?.map_err(|error| errors::checksum(py, &error))
    }

    fn read_batch(&mut self, py: Python<'_>, batch: &Batch) -> PyResult<()> {
        let finder = &mut self.inner;
        let batch = batch.inner();
        door::work(py, || finder.read_batch(batch))?.map_err(|error| errors::checksum(py, &error))
    }

    fn merge(&mut self, py: Python<'_>, other: &mut Self) -> PyResult<()> {
        let (finder, other) = (&mut self.inner, &mut other.inner);
        door::work(py, || finder.merge(other))?.map_err(PyValueError::new_err)
    }

    fn beyond(&self) -> Vec<u64> {
        self.inner.beyond()
    }

    fn compare(&self, py: Python<'_>, other: &Self) -> PyResult<Vec<Finding>> {
        let (finder, other) = (&self.inner, &other.inner);
        let findings = door::work(py, || finder.compare(other))?.map_err(PyValueError::new_err)?;
        let finding = |found: core::Finding| {
            (found.table, found.column, found.key, found.expected, found.actual, found.fault.name())
        };
        Ok(findings.into_iter().map(finding).collect())
    }
}
