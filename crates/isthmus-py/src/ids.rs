//! `IdCodec` and the order of ids.

use isthmus_core::bson::Value;
use isthmus_core::ids::{self as core, IdScheme};
use isthmus_core::order;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors;

#[pyclass(module = "isthmus._rust", frozen)]
pub struct IdCodec {
    inner: core::IdCodec,
}

#[pymethods]
impl IdCodec {
    #[new]
    fn new(py: Python<'_>, key: &[u8]) -> PyResult<Self> {
        let wrong = || {
            let message = format!("The id key has {} bytes; it needs 32.", key.len());
            errors::config(py, "id-key", &message)
        };
        Ok(Self { inner: core::IdCodec::new(key).ok_or_else(wrong)? })
    }

    #[pyo3(signature = (collection, id_document, scheme, *, rewritten = false))]
    fn derive(
        &self,
        py: Python<'_>,
        collection: &str,
        id_document: &[u8],
        scheme: &str,
        rewritten: bool,
    ) -> PyResult<String> {
        let scheme = match scheme {
            "uuid" => IdScheme::Uuid,
            "cuid2" => IdScheme::Cuid2,
            other => return Err(PyValueError::new_err(format!("ids are derived as uuid or cuid2, not as {other}"))),
        };
        let raised = |error| errors::bson(py, &error);
        let value = Value::of_id_document(id_document).map_err(raised)?;
        if let (true, Value::String(text) | Value::Symbol(text)) = (rewritten, value) {
            if let Some(text) = core::standing_id(text, scheme) {
                return Ok(text);
            }
        }
        let derived = self.inner.derive_value(collection, &value).map_err(raised)?;
        Ok(core::id_text(derived.v, scheme))
    }

    fn reverse<'py>(&self, py: Python<'py>, id: &str) -> Option<Bound<'py, PyBytes>> {
        self.inner.reverse(id).map(|bytes| PyBytes::new(py, &bytes))
    }
}

#[pyfunction]
pub fn compare_ids(py: Python<'_>, a: &[u8], b: &[u8]) -> PyResult<i8> {
    let raised = |error| errors::bson(py, &error);
    let (a, b) = (Value::of_id_document(a).map_err(raised)?, Value::of_id_document(b).map_err(raised)?);
    Ok(order::compare(&a, &b) as i8)
}
