//! The core of Isthmus: raw BSON and a compiled mapping in; COPY bytes, digests and rejects out.
//!
//! Knows nothing of Python and does no I/O. It never trusts a length, a depth or an encoding: any bytes give a
//! result or an error that names the place, never a panic.

#![forbid(unsafe_code)]

pub mod batch;
pub mod bson;
pub mod canonical;
pub mod checksum;
pub mod convert;
pub mod crc64;
pub mod decimal;
pub mod digest;
pub mod extended;
pub mod fault;
pub mod frame;
pub mod ids;
pub mod json;
mod number_text;
pub mod numeric;
pub mod order;
pub mod path;
pub mod plan;
pub mod probe;
pub mod profile;
pub mod time;
pub mod transcode;
mod value_hash;
pub mod value_set;

#[cfg(test)]
mod testing;
