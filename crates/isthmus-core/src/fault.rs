//! Why a document could not be carried: one list of codes, one shape of cause.

use std::fmt;

/// The stable codes of rejects. Each is also a page of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// Bytes that are not BSON.
    Bson,
    /// A type byte that BSON does not define.
    BsonType,
    /// Deeper than 100 levels.
    Nesting,
    /// `_id` missing, or of a type that no `_id` can have.
    BadId,
    /// Missing or null, and the column is required.
    Required,
    /// The BSON type does not go into the column's type, or only with `coerce`.
    Type,
    OutOfRange,
    /// A fraction where the column holds whole numbers.
    Fraction,
    /// The column's floating type does not hold exactly this value.
    Inexact,
    Scale,
    Precision,
    TooLong,
    /// None of the enum's values.
    Enum,
    Nul,
    Utf8,
    Nan,
    /// An instant that PostgreSQL cannot hold.
    Range,
    /// A date column, but not midnight UTC.
    TimeOfDay,
    /// Binary subtype 3, whose byte order depends on the driver that wrote it.
    UuidLegacy,
    NotAnArray,
    NotADocument,
    /// A DBRef into another collection than the mapping says.
    WrongCollection,
    UnknownField,
    /// No entry of the mapping takes the document.
    NoEntry,
    /// Nobody found out which thing the document belongs to.
    ThingUnknown,
    /// A key inside jsonb would be renamed to one that is there already.
    KeyTaken,
}

impl Code {
    /// All codes, in the order of the enum.
    pub const ALL: [Self; 26] = [
        Self::Bson,
        Self::BsonType,
        Self::Nesting,
        Self::BadId,
        Self::Required,
        Self::Type,
        Self::OutOfRange,
        Self::Fraction,
        Self::Inexact,
        Self::Scale,
        Self::Precision,
        Self::TooLong,
        Self::Enum,
        Self::Nul,
        Self::Utf8,
        Self::Nan,
        Self::Range,
        Self::TimeOfDay,
        Self::UuidLegacy,
        Self::NotAnArray,
        Self::NotADocument,
        Self::WrongCollection,
        Self::UnknownField,
        Self::NoEntry,
        Self::ThingUnknown,
        Self::KeyTaken,
    ];

    /// The code as it is stored and shown.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Bson => "bson",
            Self::BsonType => "bson-type",
            Self::Nesting => "nesting",
            Self::BadId => "bad-id",
            Self::Required => "required",
            Self::Type => "type",
            Self::OutOfRange => "out-of-range",
            Self::Fraction => "fraction",
            Self::Inexact => "inexact",
            Self::Scale => "scale",
            Self::Precision => "precision",
            Self::TooLong => "too-long",
            Self::Enum => "enum",
            Self::Nul => "nul",
            Self::Utf8 => "utf8",
            Self::Nan => "nan",
            Self::Range => "range",
            Self::TimeOfDay => "time-of-day",
            Self::UuidLegacy => "uuid-legacy",
            Self::NotAnArray => "not-an-array",
            Self::NotADocument => "not-a-document",
            Self::WrongCollection => "wrong-collection",
            Self::UnknownField => "unknown-field",
            Self::NoEntry => "no-entry",
            Self::ThingUnknown => "thing-unknown",
            Self::KeyTaken => "key-taken",
        }
    }

    /// The code with this slug.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.slug() == slug)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

/// Causes that one document reports; the first is the headline.
pub const MAX_CAUSES: usize = 16;

/// Characters of a value that a cause shows.
pub const VALUE_CHARACTERS: usize = 80;

/// Stands for a value that must not be shown.
pub const HIDDEN: &str = "(hidden)";

/// One thing wrong with one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: Code,
    /// Keys with dots between, array positions as numbers; empty for the document as a whole.
    pub path: String,
    /// MongoDB's name of the value's type; `missing` when there is no value.
    pub bson_type: &'static str,
    /// `table.column`, when a column refused the value.
    pub column: Option<String>,
    /// At most [`VALUE_CHARACTERS`] characters of the value, or [`HIDDEN`].
    pub value: String,
    /// A full sentence.
    pub message: String,
}

/// A document that was not carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Number of the document in its block, from 0.
    pub document: usize,
    /// Bytes from the start of the block.
    pub offset: usize,
    /// Bytes of the document.
    pub length: usize,
    /// `{"_id": value}` as BSON, when the document's `_id` could be read.
    pub source_id: Option<Vec<u8>>,
    /// Never empty, at most [`MAX_CAUSES`].
    pub causes: Vec<Cause>,
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn slugs_are_unique_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::from_slug(code.slug()), Some(code));
        }
        assert_eq!(Code::from_slug("no-such-code"), None);
    }
}
