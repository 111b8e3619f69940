//! `crc64`: the checksum of a mongodump archive.

use isthmus_core::crc64 as core;
use pyo3::prelude::*;

use crate::door;
use crate::input::Input;

#[pyfunction]
#[pyo3(signature = (data, before = 0))]
pub fn crc64(py: Python<'_>, data: Input<'_>, before: u64) -> PyResult<u64> {
    let bytes = data.bytes();
    door::work(py, || core::continued(before, bytes))
}
