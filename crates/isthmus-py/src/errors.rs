//! Core errors as the exceptions of `isthmus.errors`, with their fields.
//!
//! The classes are defined in Python and looked up by name when one is raised, so importing `isthmus._rust` imports
//! nothing else.

use isthmus_core::bson::BsonError;
use isthmus_core::checksum::ReadError;
use isthmus_core::digest::DigestError;
use isthmus_core::plan::PlanError;
use isthmus_core::transcode::BlockError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What one exception carries besides its message.
struct Fields<'a> {
    class: &'a str,
    code: &'a str,
    message: &'a str,
    /// The table, with the column behind a dot, that the error speaks of.
    table: Option<String>,
    /// Counts and offsets by name.
    numbers: &'a [(&'a str, usize)],
}

/// The one place where exceptions are made; a failure to make one is itself the exception.
fn make(py: Python<'_>, fields: &Fields<'_>) -> PyErr {
    let build = || -> PyResult<PyErr> {
        let module = py.import("isthmus.errors")?;
        let keywords = PyDict::new(py);
        keywords.set_item("code", fields.code)?;
        let context = PyDict::new(py);
        for (name, number) in fields.numbers {
            context.set_item(name, number)?;
        }
        keywords.set_item("context", context)?;
        if let Some(table) = &fields.table {
            let place = PyDict::new(py);
            place.set_item("table", table)?;
            keywords.set_item("where", module.getattr("Where")?.call((), Some(&place))?)?;
        }
        let error = module.getattr(fields.class)?.call((fields.message,), Some(&keywords))?;
        Ok(PyErr::from_value(error))
    };
    build().unwrap_or_else(|error| error)
}

/// `MappingError`: the compiled plan or one of its defaults cannot be used.
pub fn plan(py: Python<'_>, error: &PlanError) -> PyErr {
    let table = match (&error.table, &error.column) {
        (Some(table), Some(column)) => Some(format!("{table}.{column}")),
        (table, _) => table.clone(),
    };
    make(py, &Fields { class: "MappingError", code: error.code, message: &error.message, table, numbers: &[] })
}

/// `SourceError`: the block is not made of whole documents; `InternalError`: the call itself was wrong.
/// Context: `offset` in bytes.
pub fn block(py: Python<'_>, error: &BlockError) -> PyErr {
    let fields = Fields {
        class: if error.code == "broken-framing" { "SourceError" } else { "InternalError" },
        code: error.code,
        message: &error.message,
        table: None,
        numbers: &[("offset", error.offset)],
    };
    make(py, &fields)
}

/// `ConversionError`: bytes that are not the BSON they should be. Context: `offset` in bytes.
pub fn bson(py: Python<'_>, error: &BsonError) -> PyErr {
    let fields = Fields {
        class: "ConversionError",
        code: error.code,
        message: error.message,
        table: None,
        numbers: &[("offset", error.offset)],
    };
    make(py, &fields)
}

/// `InternalError`: rows that COPY did not write like this. Context: `row` and, when known, `column`, from 0.
pub fn rows(py: Python<'_>, error: &DigestError) -> PyErr {
    let both = [("row", error.row), ("column", error.column.unwrap_or(0))];
    let numbers = if error.column.is_some() { &both[..] } else { &both[..1] };
    make(py, &Fields { class: "InternalError", code: "copy-rows", message: error.message, table: None, numbers })
}

/// As [`rows`]; a table that the side does not have is `InternalError` as well.
pub fn checksum(py: Python<'_>, error: &ReadError) -> PyErr {
    match error {
        ReadError::Rows(error) => rows(py, error),
        ReadError::Table(message) => internal(py, "copy-rows", message),
    }
}

/// `ConfigError`: a setting that the caller passed on.
pub fn config(py: Python<'_>, code: &str, message: &str) -> PyErr {
    make(py, &Fields { class: "ConfigError", code, message, table: None, numbers: &[] })
}

/// `InternalError`: Isthmus itself is wrong.
pub fn internal(py: Python<'_>, code: &str, message: &str) -> PyErr {
    make(py, &Fields { class: "InternalError", code, message, table: None, numbers: &[] })
}
