//! `Batch`: what one block of documents became.

use std::collections::BTreeMap;

use isthmus_core::batch as core;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::records::{Adjustment, Reject};

type MapRow<'py> = (String, Bound<'py, PyBytes>, String, &'static str);

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Batch {
    inner: core::Batch,
}

impl Batch {
    pub fn new(inner: core::Batch) -> Self {
        Self { inner }
    }

    fn output(&self, table: usize) -> PyResult<&[u8]> {
        let output = self.inner.outputs.get(table);
        output.map(Vec::as_slice).ok_or_else(|| PyIndexError::new_err(format!("the plan has no table {table}")))
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn documents(&self) -> usize {
        self.inner.documents
    }

    #[getter]
    fn accepted(&self) -> usize {
        self.inner.accepted
    }

    #[getter]
    fn skipped(&self) -> usize {
        self.inner.skipped
    }

    #[getter]
    fn bytes_in(&self) -> usize {
        self.inner.bytes_in
    }

    #[getter]
    fn rejects(&self) -> Vec<Reject> {
        self.inner.rejects.iter().map(|reject| Reject::new(reject.clone())).collect()
    }

    #[getter]
    fn skips(&self) -> BTreeMap<String, u64> {
        self.inner.skips.clone()
    }

    #[getter]
    fn tables(&self) -> Vec<String> {
        self.inner.tables.clone()
    }

    fn rows(&self, table: usize) -> PyResult<u64> {
        self.output(table)?;
        Ok(self.inner.rows[table])
    }

    fn size(&self, table: usize) -> PyResult<usize> {
        Ok(self.output(table)?.len())
    }

    fn chunk<'py>(&self, py: Python<'py>, table: usize, start: usize, size: usize) -> PyResult<Bound<'py, PyBytes>> {
        let output = self.output(table)?;
        let start = start.min(output.len());
        let end = start.saturating_add(size).min(output.len());
        Ok(PyBytes::new(py, &output[start..end]))
    }

    fn offset(&self, document: usize) -> PyResult<usize> {
        let offset = self.inner.offsets.get(document).copied();
        offset.ok_or_else(|| PyIndexError::new_err(format!("the block has no document {document}")))
    }

    #[getter]
    fn id_map<'py>(&self, py: Python<'py>) -> Vec<MapRow<'py>> {
        let row = |entry: &core::IdMapEntry| {
            let origin = if entry.from_reference { "reference" } else { "document" };
            (entry.collection.to_string(), PyBytes::new(py, &entry.source_id), entry.id.clone(), origin)
        };
        self.inner.id_map.iter().map(row).collect()
    }

    #[getter]
    fn adjustments(&self) -> Vec<Adjustment> {
        self.inner.adjustments.iter().map(|adjustment| Adjustment::new(adjustment.clone())).collect()
    }

    fn counts(&self) -> core::Counts {
        self.inner.counts.clone()
    }

    #[getter]
    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.digest)
    }

    #[getter]
    fn document_digests<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.inner.document_digests)
    }

    fn __repr__(&self) -> String {
        format!(
            "Batch(documents={}, accepted={}, skipped={}, rejects={})",
            self.inner.documents,
            self.inner.accepted,
            self.inner.skipped,
            self.inner.rejects.len()
        )
    }
}
