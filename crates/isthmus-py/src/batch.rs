//! `Batch`: what one block of documents became.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};

use isthmus_core::batch as core;
use pyo3::exceptions::PyIndexError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView};

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

    pub fn inner(&self) -> &core::Batch {
        &self.inner
    }

    fn output(&self, table: usize) -> PyResult<&[u8]> {
        let output = self.inner.outputs.get(table);
        output.map(Vec::as_slice).ok_or_else(|| PyIndexError::new_err(format!("the plan has no table {table}")))
    }
}

/// A table's rows as a buffer that Python reads in place: copying them would cost as much as sending them.
#[pyclass(frozen)]
struct CopyData {
    batch: Py<Batch>,
    table: usize,
}

#[pymethods]
impl CopyData {
    /// # Safety
    /// Called by Python's buffer protocol, with a view to fill. The bytes stay where they are as long as this object
    /// lives, which the view holds: it holds the batch, and a batch is frozen.
    unsafe fn __getbuffer__(slf: &Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let this = slf.get();
        let output = this.batch.get().output(this.table)?;
        let (start, length) = (output.as_ptr().cast_mut().cast::<c_void>(), output.len());
        let length = ffi::Py_ssize_t::try_from(length)?;
        // SAFETY: as above; the view is read-only, so nobody writes through the pointer.
        let filled = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, length, 1, flags) };
        if filled == 0 {
            Ok(())
        } else {
            Err(PyErr::fetch(slf.py()))
        }
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

    fn copy_data<'py>(slf: &Bound<'py, Self>, table: usize) -> PyResult<Bound<'py, PyMemoryView>> {
        slf.get().output(table)?;
        let data = CopyData { batch: slf.clone().unbind(), table };
        PyMemoryView::from(Bound::new(slf.py(), data)?.as_any())
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

    fn became(&self) -> core::Became {
        self.inner.became.clone()
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
