//! `Transcoder`: a compiled plan that turns documents into COPY rows.

use std::collections::HashMap;

use isthmus_core::transcode::{self as core, SoughtId};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::batch::Batch;
use crate::input::Input;
use crate::{door, errors};

#[pyclass(module = "isthmus._rust", frozen)]
pub struct Transcoder {
    inner: core::Transcoder,
}

#[pymethods]
impl Transcoder {
    #[new]
    #[pyo3(signature = (plan, key, now_us, *, enum_oids=None))]
    fn new(
        py: Python<'_>,
        plan: &str,
        key: &[u8],
        now_us: i64,
        enum_oids: Option<HashMap<String, u32>>,
    ) -> PyResult<Self> {
        let oids = enum_oids.unwrap_or_default();
        let inner = door::work(py, || core::Transcoder::new(plan, key, now_us, &oids))?;
        Ok(Self { inner: inner.map_err(|error| errors::plan(py, &error))? })
    }

    fn transcode(&self, py: Python<'_>, documents: Input<'_>) -> PyResult<Batch> {
        let block = documents.bytes();
        let batch = door::work(py, || self.inner.transcode(block))?;
        Ok(Batch::new(batch.map_err(|error| errors::block(py, &error))?))
    }

    fn find(
        &self,
        py: Python<'_>,
        documents: Input<'_>,
        ids: Vec<Bound<'_, PyAny>>,
    ) -> PyResult<Vec<(usize, usize, usize)>> {
        let sought = ids.iter().map(sought_id).collect::<PyResult<Vec<_>>>()?;
        let block = documents.bytes();
        let found = door::work(py, || self.inner.find(block, &sought))?;
        found.map_err(|error| errors::block(py, &error))
    }
}

/// `document_digest`: eight bytes.
#[pyfunction]
pub fn document_digest<'py>(py: Python<'py>, document: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &core::document_digest(document))
}

/// `source_id`: the `_id` of one document.
#[pyfunction]
pub fn source_id<'py>(py: Python<'py>, document: &[u8]) -> Option<Bound<'py, PyBytes>> {
    core::source_id(document).map(|bytes| PyBytes::new(py, &bytes))
}

fn sought_id(id: &Bound<'_, PyAny>) -> PyResult<SoughtId> {
    if let Ok(bytes) = id.cast::<PyBytes>() {
        return Ok(SoughtId::Bytes(bytes.as_bytes().to_vec()));
    }
    Ok(SoughtId::Text(id.cast::<PyString>()?.to_str()?.to_owned()))
}
