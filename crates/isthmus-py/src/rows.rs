//! `digest_rows` and `extended_json`.

use isthmus_core::bson::Raw;
use isthmus_core::digest::{self, Kind};
use isthmus_core::extended;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::Input;
use crate::{door, errors};

#[pyfunction]
pub fn digest_rows<'py>(py: Python<'py>, data: Input<'_>, kinds: Vec<String>) -> PyResult<Bound<'py, PyBytes>> {
    let kinds: Vec<Kind> = kinds.iter().map(|name| Kind::of(name)).collect();
    let bytes = data.bytes();
    let digests = door::work(py, || digest::digest_rows(bytes, &kinds))?;
    Ok(PyBytes::new(py, &digests.map_err(|error| errors::rows(py, &error))?))
}

#[pyfunction]
#[pyo3(signature = (document, *, hidden=Vec::new()))]
pub fn extended_json(py: Python<'_>, document: &[u8], hidden: Vec<Vec<String>>) -> PyResult<String> {
    let text = door::work(py, || extended::extended_json(Raw::new(document)?, &hidden))?;
    text.map_err(|error| errors::bson(py, &error))
}
