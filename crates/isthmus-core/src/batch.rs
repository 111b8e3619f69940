//! What one block of documents became.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::fault::Reject;

/// Ways in which a value or a document was not carried letter by letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Change {
    /// Another type, as the column's `coerce` asks for.
    Coerced,
    /// Digits or a time of day were lost, as the column's `coerce` asks for.
    Rounded,
    /// -0 went into a type that has only 0.
    NegativeZero,
    NulRemoved,
    Utf8Replaced,
    /// NaN or an infinity became null inside jsonb.
    NanNull,
    /// An instant beyond PostgreSQL's range became NULL.
    RangeNull,
    /// An instant beyond PostgreSQL's range became an infinity.
    RangeInfinity,
    /// A default was filled in.
    Default,
    /// Of several equal keys the last was taken.
    DuplicateKey,
    /// A pair that occurred more than once in one array was written once.
    DuplicatePair,
    /// A null inside an array of references was left out.
    NullElement,
    /// Null where an array of documents or references could be.
    NullArray,
    /// A single value was taken as an array of one reference.
    SingleAsArray,
    /// `{}` where only fields below have a column.
    EmptyDocument,
    /// Space around a text or its capitals were changed, as the column's `normalise` asks for.
    Normalised,
    /// Another value was put in its place, as the column's `values` ask for.
    ValueMapped,
    /// The thing that the document was found to belong to was put in its place.
    Linked,
    /// It stood where ids inside jsonb are rewritten, is none, and stayed as it is.
    NotAnId,
}

impl Change {
    /// All kinds; the position of each is its number.
    pub const ALL: [Self; 19] = [
        Self::Coerced,
        Self::Rounded,
        Self::NegativeZero,
        Self::NulRemoved,
        Self::Utf8Replaced,
        Self::NanNull,
        Self::RangeNull,
        Self::RangeInfinity,
        Self::Default,
        Self::DuplicateKey,
        Self::DuplicatePair,
        Self::NullElement,
        Self::NullArray,
        Self::SingleAsArray,
        Self::EmptyDocument,
        Self::Normalised,
        Self::ValueMapped,
        Self::Linked,
        Self::NotAnId,
    ];

    /// The kind as it is stored and counted.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Coerced => "coerced",
            Self::Rounded => "rounded",
            Self::NegativeZero => "negative_zero",
            Self::NulRemoved => "nul_removed",
            Self::Utf8Replaced => "utf8_replaced",
            Self::NanNull => "nan_null",
            Self::RangeNull => "range_null",
            Self::RangeInfinity => "range_infinity",
            Self::Default => "default",
            Self::DuplicateKey => "duplicate_key",
            Self::DuplicatePair => "duplicate_pair",
            Self::NullElement => "null_element",
            Self::NullArray => "null_array",
            Self::SingleAsArray => "single_as_array",
            Self::EmptyDocument => "empty_document",
            Self::Normalised => "normalised",
            Self::ValueMapped => "value_mapped",
            Self::Linked => "linked",
            Self::NotAnId => "not_an_id",
        }
    }

    /// The kind with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.slug() == slug)
    }
}

/// A changed value whose original cannot be computed from what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Number of the document in its block, from 0.
    pub document: usize,
    pub table: String,
    pub column: String,
    /// Of a child row: its position in its array, from 0.
    pub position: Option<i32>,
    pub kind: Change,
    /// At most 200 characters of the value as it was, or `(hidden)`.
    pub original: String,
}

/// An id that cannot be turned back without a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMapEntry {
    pub collection: Arc<str>,
    /// `{"_id": value}` as BSON.
    pub source_id: Vec<u8>,
    /// The derived id as text.
    pub id: String,
    /// The value was met in a reference, not as a document's own `_id`.
    pub from_reference: bool,
}

/// Entries of one id are few, so the id alone is hashed.
impl Hash for IdMapEntry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Count by name, by group (`adjusted`, `references`, …).
pub type Counts = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// Count by `WAS → BECAME`, by name of `adjusted`.
pub type Became = BTreeMap<String, BTreeMap<String, u64>>;

/// Rows, rejects and books of one block. `documents = accepted + skipped + rejects.len()` always holds.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub documents: usize,
    pub accepted: usize,
    /// Left out by a condition of the mapping.
    pub skipped: usize,
    pub bytes_in: usize,
    pub rejects: Vec<Reject>,
    /// Documents by the reason of their skip; reasons without a document are not in it.
    pub skips: BTreeMap<String, u64>,
    /// Table names in the order of the plan.
    pub tables: Vec<String>,
    /// Per table: COPY binary rows without header and trailer.
    pub outputs: Vec<Vec<u8>>,
    /// Per table: rows in its output.
    pub rows: Vec<u64>,
    /// Byte offset of each document, then the number of bytes in.
    pub offsets: Vec<usize>,
    pub id_map: Vec<IdMapEntry>,
    pub adjustments: Vec<Adjustment>,
    pub counts: Counts,
    /// What the values became that `values` and defaults of the mapping changed.
    pub became: Became,
    /// blake3 of the block.
    pub digest: [u8; 32],
    /// Sixteen bytes a document: [`crate::transcode::document_digest`] of the canonical `_id` (zeros without one), then
    /// of the document.
    pub document_digests: Vec<u8>,
}
