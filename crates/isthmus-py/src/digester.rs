//! `Digester`: sums of digests of what tables hold.

use isthmus_core::checksum as core;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::batch::Batch;
use crate::input::Input;
use crate::{door, errors};

type Difference<'py> = (usize, Option<usize>, Bound<'py, PyBytes>);

#[pyclass(module = "isthmus._rust")]
pub struct Digester {
    inner: core::Digester,
}

#[pymethods]
impl Digester {
    #[new]
    fn new(py: Python<'_>, side: &str) -> PyResult<Self> {
        let inner = door::work(py, || core::Digester::new(side))?;
        Ok(Self { inner: inner.map_err(PyValueError::new_err)? })
    }

    fn fresh(&self) -> Self {
        Self { inner: self.inner.fresh() }
    }

    fn read_copy(&mut self, py: Python<'_>, table: usize, data: Input<'_>) -> PyResult<usize> {
        let digester = &mut self.inner;
        let data = data.bytes();
        door::work(py, || digester.read_copy(table, data))?.map_err(|error| errors::checksum(py, &error))
    }

    fn read_batch(&mut self, py: Python<'_>, batch: &Batch) -> PyResult<()> {
        let digester = &mut self.inner;
        let batch = batch.inner();
        door::work(py, || digester.read_batch(batch))?.map_err(|error| errors::checksum(py, &error))
    }

    fn merge(&mut self, py: Python<'_>, other: &mut Self) -> PyResult<()> {
        let (digester, other) = (&mut self.inner, &mut other.inner);
        door::work(py, || digester.merge(other))?.map_err(PyValueError::new_err)
    }

    fn rows(&self) -> Vec<u64> {
        self.inner.rows()
    }

    fn left_out(&self) -> Vec<u64> {
        self.inner.left_out()
    }

    fn cells(&self) -> Vec<Vec<u64>> {
        self.inner.cells()
    }

    fn compare<'py>(&self, py: Python<'py>, other: &Self) -> PyResult<Vec<Difference<'py>>> {
        let (digester, other) = (&self.inner, &other.inner);
        let differences = door::work(py, || digester.compare(other))?.map_err(PyValueError::new_err)?;
        let bytes = |buckets: &[u8]| PyBytes::new(py, buckets);
        Ok(differences.into_iter().map(|found| (found.table, found.column, bytes(&found.buckets))).collect())
    }
}
