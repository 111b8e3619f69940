//! Derived ids: a keyed permutation for ObjectIds, a keyed hash for every other `_id`, and their two text shapes.
//!
//! An id is a 122-bit number V. From an ObjectId: bit 121 is 0, then a 25-bit tag, then the 96 permuted bits. From
//! any other value: bit 121 is 1, then 121 bits of a keyed hash of collection and canonical value.

mod codec;
mod speck;
mod text;

pub use codec::{Ahead, Derived, IdCodec};
pub use text::{
    cuid2, id_text, object_id_hex, parse_hex_object_id, parse_uuid, standing_id, uuid_bytes, uuid_text, v_from_cuid2,
    v_from_uuid,
};

use serde::Deserialize;

/// How a collection's ids are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdScheme {
    /// UUID version 8 (RFC 9562).
    Uuid,
    /// 24 characters in the shape of a cuid2.
    Cuid2,
    /// The source's own value, converted like any other.
    Keep,
}
