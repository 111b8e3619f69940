//! The Python module `isthmus._rust`: the core's types as Python sees them.
//!
//! Converts and never decides. All long work passes through [`door::work`]; all exceptions are made in [`errors`].

mod batch;
mod crc64;
mod digester;
mod door;
mod errors;
mod finder;
mod framing;
mod ids;
mod input;
mod prober;
mod profiler;
mod records;
mod rows;
mod transcoder;

use pyo3::prelude::*;

#[pymodule]
#[pyo3(name = "_rust")]
fn rust_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<transcoder::Transcoder>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<records::Reject>()?;
    module.add_class::<records::Cause>()?;
    module.add_class::<records::Adjustment>()?;
    module.add_class::<framing::Frames>()?;
    module.add_class::<profiler::Profiler>()?;
    module.add_class::<profiler::IdSet>()?;
    module.add_class::<prober::Prober>()?;
    module.add_class::<digester::Digester>()?;
    module.add_class::<finder::Finder>()?;
    module.add_class::<ids::IdCodec>()?;
    module.add_function(wrap_pyfunction!(crc64::crc64, module)?)?;
    module.add_function(wrap_pyfunction!(framing::frame, module)?)?;
    module.add_function(wrap_pyfunction!(framing::hop, module)?)?;
    module.add_function(wrap_pyfunction!(ids::compare_ids, module)?)?;
    module.add_function(wrap_pyfunction!(transcoder::source_id, module)?)?;
    module.add_function(wrap_pyfunction!(transcoder::document_digest, module)?)?;
    module.add_function(wrap_pyfunction!(rows::digest_rows, module)?)?;
    module.add_function(wrap_pyfunction!(rows::extended_json, module)?)?;
    Ok(())
}
