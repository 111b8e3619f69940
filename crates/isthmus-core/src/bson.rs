//! A reader of raw BSON that borrows from the document and trusts nothing in it.
//!
//! Decides what is well-formed: lengths inside bounds, strings ended by a NUL inside bounds, booleans 0 or 1, known
//! type bytes. Whether keys and strings are UTF-8 is left to the caller, who gets raw bytes.
//! Format: <https://bsonspec.org/spec.html>, version 1.1.

use std::fmt;

/// Nesting levels that are followed, the document itself being level 1 (MongoDB's own limit is 100).
pub const MAX_DEPTH: usize = 100;

/// Type bytes, by MongoDB's own names.
pub mod kind {
    pub const DOUBLE: u8 = 0x01;
    pub const STRING: u8 = 0x02;
    pub const DOCUMENT: u8 = 0x03;
    pub const ARRAY: u8 = 0x04;
    pub const BINARY: u8 = 0x05;
    pub const UNDEFINED: u8 = 0x06;
    pub const OBJECT_ID: u8 = 0x07;
    pub const BOOL: u8 = 0x08;
    pub const DATE: u8 = 0x09;
    pub const NULL: u8 = 0x0A;
    pub const REGEX: u8 = 0x0B;
    pub const DB_POINTER: u8 = 0x0C;
    pub const CODE: u8 = 0x0D;
    pub const SYMBOL: u8 = 0x0E;
    pub const CODE_WITH_SCOPE: u8 = 0x0F;
    pub const INT32: u8 = 0x10;
    pub const TIMESTAMP: u8 = 0x11;
    pub const INT64: u8 = 0x12;
    pub const DECIMAL128: u8 = 0x13;
    pub const MAX_KEY: u8 = 0x7F;
    pub const MIN_KEY: u8 = 0xFF;
}

/// Bytes that are not BSON, with the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BsonError {
    /// `bson` (malformed), `bson-type` (unknown type byte) or `nesting` (deeper than [`MAX_DEPTH`]).
    pub code: &'static str,
    /// Bytes from the start of the outermost document that was given to [`Raw::new`].
    pub offset: usize,
    /// What is wrong, as a full sentence.
    pub message: &'static str,
}

impl fmt::Display for BsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (offset {})", self.message, self.offset)
    }
}

impl std::error::Error for BsonError {}

#[cold]
fn malformed(offset: usize, message: &'static str) -> BsonError {
    BsonError { code: "bson", offset, message }
}

/// The error for a document that nests deeper than [`MAX_DEPTH`]; `offset` counts from the outermost document.
#[cold]
pub fn too_deep(offset: usize) -> BsonError {
    BsonError { code: "nesting", offset, message: "The document nests deeper than 100 levels." }
}

/// One document or array: its bytes including length and terminator, and where it lies in the outermost document.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    bytes: &'a [u8],
    base: usize,
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<'a> Raw<'a> {
    /// Takes exactly one document; checks its length and its terminator, not its elements.
    ///
    /// # Errors
    /// `bson` when the slice is not as long as its length field says or does not end in 0.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Result<Self, BsonError> {
        Self::nested(bytes, 0)
    }

    #[inline]
    fn nested(bytes: &'a [u8], base: usize) -> Result<Self, BsonError> {
        let Some(head) = bytes.first_chunk::<4>() else {
            return Err(malformed(base, "A document is shorter than its length field."));
        };
        if u32::from_le_bytes(*head) as usize != bytes.len() || bytes.len() < 5 {
            return Err(malformed(base, "A document's length field does not fit its bytes."));
        }
        if bytes[bytes.len() - 1] != 0 {
            return Err(malformed(base + bytes.len() - 1, "A document does not end with a zero byte."));
        }
        Ok(Self { bytes, base })
    }

    /// All bytes of the document, length and terminator included.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the document starts inside the outermost one.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.base
    }

    /// True for `{}` and `[]`.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 5
    }

    /// The elements in stored order. After an error the iterator ends.
    #[inline]
    #[must_use]
    pub fn elements(&self) -> Elements<'a> {
        Elements { bytes: self.bytes, at: 4, base: self.base }
    }

    /// The last element with this key (duplicate keys: the last one wins), missing as `None`.
    ///
    /// # Errors
    /// Malformed elements anywhere in the document.
    pub fn get(&self, key: &[u8]) -> Result<Option<Element<'a>>, BsonError> {
        let mut found = None;
        for element in self.elements() {
            let element = element?;
            if element.key == key {
                found = Some(element);
            }
        }
        Ok(found)
    }

    /// Walks everything, nested documents included.
    ///
    /// # Errors
    /// The first malformed place, or nesting deeper than [`MAX_DEPTH`].
    pub fn validate(&self) -> Result<(), BsonError> {
        self.validate_at(1)
    }

    /// As [`Raw::validate`], for a document that is itself at nesting level `depth` (the outermost is 1).
    ///
    /// # Errors
    /// The first malformed place, or nesting deeper than [`MAX_DEPTH`].
    pub fn validate_at(&self, depth: usize) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(self.base));
        }
        for element in self.elements() {
            element?.value.validate_at(depth)?;
        }
        Ok(())
    }
}

/// One value, borrowed from the document. Texts are raw bytes that need not be UTF-8.
// A word for the tag keeps every payload on word boundaries: copied by odd bytes, a value costs three times as much.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(u64)]
pub enum Value<'a> {
    Double(f64),
    String(&'a [u8]),
    Document(Raw<'a>),
    Array(Raw<'a>),
    /// Subtype 2 (old binary) is given without its inner length field.
    Binary {
        subtype: u8,
        bytes: &'a [u8],
    },
    Undefined,
    ObjectId([u8; 12]),
    Bool(bool),
    /// Milliseconds since 1970-01-01 UTC.
    DateTime(i64),
    Null,
    Regex {
        pattern: &'a [u8],
        options: &'a [u8],
    },
    DbPointer {
        namespace: &'a [u8],
        id: [u8; 12],
    },
    Code(&'a [u8]),
    Symbol(&'a [u8]),
    CodeWithScope {
        code: &'a [u8],
        scope: Raw<'a>,
    },
    Int32(i32),
    /// Seconds since 1970-01-01 UTC and a counter within the second.
    Timestamp {
        time: u32,
        increment: u32,
    },
    Int64(i64),
    /// IEEE 754-2008 decimal128, BID encoding, little-endian as stored.
    Decimal128([u8; 16]),
    MinKey,
    MaxKey,
}

impl<'a> Value<'a> {
    /// The type byte of this value.
    #[must_use]
    pub fn kind(&self) -> u8 {
        match self {
            Value::Double(_) => kind::DOUBLE,
            Value::String(_) => kind::STRING,
            Value::Document(_) => kind::DOCUMENT,
            Value::Array(_) => kind::ARRAY,
            Value::Binary { .. } => kind::BINARY,
            Value::Undefined => kind::UNDEFINED,
            Value::ObjectId(_) => kind::OBJECT_ID,
            Value::Bool(_) => kind::BOOL,
            Value::DateTime(_) => kind::DATE,
            Value::Null => kind::NULL,
            Value::Regex { .. } => kind::REGEX,
            Value::DbPointer { .. } => kind::DB_POINTER,
            Value::Code(_) => kind::CODE,
            Value::Symbol(_) => kind::SYMBOL,
            Value::CodeWithScope { .. } => kind::CODE_WITH_SCOPE,
            Value::Int32(_) => kind::INT32,
            Value::Timestamp { .. } => kind::TIMESTAMP,
            Value::Int64(_) => kind::INT64,
            Value::Decimal128(_) => kind::DECIMAL128,
            Value::MinKey => kind::MIN_KEY,
            Value::MaxKey => kind::MAX_KEY,
        }
    }

    /// MongoDB's own name of this value's type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        type_name(self.kind())
    }

    /// Appends this value as stored, without type byte and key.
    pub fn write_raw(&self, out: &mut Vec<u8>) {
        match *self {
            Value::Double(v) => out.extend_from_slice(&v.to_le_bytes()),
            Value::String(s) | Value::Code(s) | Value::Symbol(s) => write_raw_string(s, out),
            Value::Document(raw) | Value::Array(raw) => out.extend_from_slice(raw.bytes()),
            Value::Binary { subtype, bytes } => {
                let inner = bytes.len() as u32;
                if subtype == 2 {
                    out.extend_from_slice(&(inner + 4).to_le_bytes());
                    out.push(2);
                } else {
                    out.extend_from_slice(&inner.to_le_bytes());
                    out.push(subtype);
                }
                if subtype == 2 {
                    out.extend_from_slice(&inner.to_le_bytes());
                }
                out.extend_from_slice(bytes);
            }
            Value::Undefined | Value::Null | Value::MinKey | Value::MaxKey => {}
            Value::ObjectId(id) => out.extend_from_slice(&id),
            Value::Bool(v) => out.push(u8::from(v)),
            Value::DateTime(v) | Value::Int64(v) => out.extend_from_slice(&v.to_le_bytes()),
            Value::Regex { pattern, options } => {
                out.extend_from_slice(pattern);
                out.push(0);
                out.extend_from_slice(options);
                out.push(0);
            }
            Value::DbPointer { namespace, id } => {
                write_raw_string(namespace, out);
                out.extend_from_slice(&id);
            }
            Value::CodeWithScope { code, scope } => {
                let total = code.len() + scope.bytes().len() + 9;
                out.extend_from_slice(&(total as u32).to_le_bytes());
                write_raw_string(code, out);
                out.extend_from_slice(scope.bytes());
            }
            Value::Int32(v) => out.extend_from_slice(&v.to_le_bytes()),
            Value::Timestamp { time, increment } => {
                out.extend_from_slice(&increment.to_le_bytes());
                out.extend_from_slice(&time.to_le_bytes());
            }
            Value::Decimal128(bytes) => out.extend_from_slice(&bytes),
        }
    }

    /// Checks what is inside this value; `depth` is the level of the document that holds it.
    ///
    /// # Errors
    /// Malformed or too deep documents inside.
    pub fn validate_at(&self, depth: usize) -> Result<(), BsonError> {
        match self {
            Value::Document(raw) | Value::Array(raw) | Value::CodeWithScope { scope: raw, .. } => {
                raw.validate_at(depth + 1)
            }
            _ => Ok(()),
        }
    }

    /// The document `{"_id": value}` as BSON: how a source id is written down everywhere.
    #[must_use]
    pub fn id_document(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        out.extend_from_slice(&[0; 4]);
        out.push(self.kind());
        out.extend_from_slice(b"_id\0");
        self.write_raw(&mut out);
        out.push(0);
        let length = (out.len() as u32).to_le_bytes();
        out[..4].copy_from_slice(&length);
        out
    }

    /// The value of `{"_id": value}`.
    ///
    /// # Errors
    /// `bson` when the bytes are not a document whose first element is `_id`.
    pub fn of_id_document(bytes: &'a [u8]) -> Result<Self, BsonError> {
        match Raw::new(bytes)?.elements().next() {
            Some(Ok(element)) if element.key == b"_id" => Ok(element.value),
            Some(Err(error)) => Err(error),
            _ => Err(malformed(4, "The document does not start with _id.")),
        }
    }
}

fn write_raw_string(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32 + 1).to_le_bytes());
    out.extend_from_slice(text);
    out.push(0);
}

/// One field of a document.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// The key without its terminator; never contains a NUL, need not be UTF-8.
    pub key: &'a [u8],
    /// The type byte as stored.
    pub kind: u8,
    pub value: Value<'a>,
    /// The value as stored, without type byte and key.
    pub raw: &'a [u8],
    /// Where the value starts inside the outermost document.
    pub offset: usize,
}

/// Iterator over the elements of one document.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Elements<'a> {
    /// The next element's parts before its value: type byte, key, and where the value starts.
    #[inline(always)]
    fn head(&self) -> Result<(u8, &'a [u8], usize), BsonError> {
        const MESSAGE: &str = "A key does not end inside its document.";
        let key_start = self.at + 1;
        let key_length =
            zero_within(&self.bytes[key_start..]).ok_or_else(|| malformed(self.base + self.at, MESSAGE))?;
        let key = &self.bytes[key_start..key_start + key_length];
        Ok((self.bytes[self.at], key, key_start + key_length + 1))
    }

    #[inline(always)]
    fn read(&mut self) -> Result<Element<'a>, BsonError> {
        let (tag, key, start) = self.head()?;
        // The last byte is the document's terminator, so no value may reach it.
        let Some(body) = self.bytes.get(start..self.bytes.len() - 1) else {
            return Err(malformed(self.base + self.at, "A key does not end inside its document."));
        };
        let offset = self.base + start;
        let (value, length) = read_value(tag, body, offset)?;
        self.at = start + length;
        Ok(Element { key, kind: tag, value, raw: &body[..length], offset })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, BsonError>;

    // Inlined by force: passing the value through memory in several copies costs more than reading it.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        // `Raw` holds at least five bytes, so the last index never underflows.
        if self.at >= self.bytes.len() - 1 {
            return None;
        }
        let result = self.read();
        if result.is_err() {
            self.at = self.bytes.len();
        }
        Some(result)
    }
}

/// Where the first zero byte lies. Most keys are a few bytes long, for which a word or two beat a call.
#[inline(always)]
fn zero_within(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while at < 16 {
        let Some(word) = bytes[at..].first_chunk::<8>() else {
            return bytes[at..].iter().position(|&byte| byte == 0).map(|near| near + at);
        };
        let word = u64::from_le_bytes(*word);
        // Marks zero bytes; the lowest mark is exact.
        let marks = word.wrapping_sub(ONES) & !word & TOPS;
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr(0, &bytes[at..]).map(|near| near + at)
}

#[inline]
fn fixed<const N: usize>(body: &[u8], offset: usize) -> Result<[u8; N], BsonError> {
    match body.first_chunk::<N>() {
        Some(chunk) => Ok(*chunk),
        None => Err(malformed(offset, "A value does not end inside its document.")),
    }
}

/// A length-prefixed, NUL-terminated string; returns the text and all bytes used.
#[inline]
fn string(body: &[u8], offset: usize) -> Result<(&[u8], usize), BsonError> {
    let length = u32::from_le_bytes(fixed::<4>(body, offset)?) as usize;
    let text = &body[4..];
    if length == 0 || length > text.len() {
        return Err(malformed(offset, "A string's length does not fit inside its document."));
    }
    if text[length - 1] != 0 {
        return Err(malformed(offset, "A string does not end with a zero byte."));
    }
    Ok((&text[..length - 1], length + 4))
}

#[inline]
fn document(body: &[u8], offset: usize) -> Result<(Raw<'_>, usize), BsonError> {
    let length = u32::from_le_bytes(fixed::<4>(body, offset)?) as usize;
    match body.get(..length) {
        Some(bytes) => Ok((Raw::nested(bytes, offset)?, length)),
        None => Err(malformed(offset, "A nested document does not end inside its parent.")),
    }
}

#[inline(always)]
fn read_value(tag: u8, body: &[u8], offset: usize) -> Result<(Value<'_>, usize), BsonError> {
    Ok(match tag {
        kind::DOUBLE => (Value::Double(f64::from_le_bytes(fixed(body, offset)?)), 8),
        kind::STRING => {
            let (text, used) = string(body, offset)?;
            (Value::String(text), used)
        }
        kind::DOCUMENT => {
            let (raw, used) = document(body, offset)?;
            (Value::Document(raw), used)
        }
        kind::ARRAY => {
            let (raw, used) = document(body, offset)?;
            (Value::Array(raw), used)
        }
        kind::OBJECT_ID => (Value::ObjectId(fixed(body, offset)?), 12),
        kind::BOOL => match fixed::<1>(body, offset)? {
            [0] => (Value::Bool(false), 1),
            [1] => (Value::Bool(true), 1),
            _ => return Err(malformed(offset, "A boolean is neither 0 nor 1.")),
        },
        kind::DATE => (Value::DateTime(i64::from_le_bytes(fixed(body, offset)?)), 8),
        kind::NULL => (Value::Null, 0),
        kind::INT32 => (Value::Int32(i32::from_le_bytes(fixed(body, offset)?)), 4),
        kind::INT64 => (Value::Int64(i64::from_le_bytes(fixed(body, offset)?)), 8),
        _ => return read_rare(tag, body, offset),
    })
}

fn read_rare(tag: u8, body: &[u8], offset: usize) -> Result<(Value<'_>, usize), BsonError> {
    Ok(match tag {
        kind::BINARY => return binary(body, offset),
        kind::UNDEFINED => (Value::Undefined, 0),
        kind::REGEX => {
            const MESSAGE: &str = "A regular expression does not end inside its document.";
            let first = zero_within(body).ok_or_else(|| malformed(offset, MESSAGE))?;
            let rest = &body[first + 1..];
            let second = zero_within(rest).ok_or_else(|| malformed(offset, MESSAGE))?;
            (Value::Regex { pattern: &body[..first], options: &rest[..second] }, first + second + 2)
        }
        kind::DB_POINTER => {
            let (namespace, used) = string(body, offset)?;
            let id = fixed(&body[used..], offset)?;
            (Value::DbPointer { namespace, id }, used + 12)
        }
        kind::CODE => {
            let (text, used) = string(body, offset)?;
            (Value::Code(text), used)
        }
        kind::SYMBOL => {
            let (text, used) = string(body, offset)?;
            (Value::Symbol(text), used)
        }
        kind::CODE_WITH_SCOPE => {
            let length = u32::from_le_bytes(fixed::<4>(body, offset)?) as usize;
            let Some(inside) = body.get(4..length) else {
                return Err(malformed(offset, "Code with scope does not end inside its document."));
            };
            let (code, used) = string(inside, offset + 4)?;
            let scope = Raw::nested(&inside[used..], offset + 4 + used)?;
            (Value::CodeWithScope { code, scope }, length)
        }
        kind::TIMESTAMP => {
            let bits = u64::from_le_bytes(fixed(body, offset)?);
            (Value::Timestamp { time: (bits >> 32) as u32, increment: bits as u32 }, 8)
        }
        kind::DECIMAL128 => (Value::Decimal128(fixed(body, offset)?), 16),
        kind::MIN_KEY => (Value::MinKey, 0),
        kind::MAX_KEY => (Value::MaxKey, 0),
        0 => return Err(malformed(offset, "A document ends before its length says.")),
        _ => {
            let message = "A value has a type byte that BSON does not know.";
            return Err(BsonError { code: "bson-type", offset, message });
        }
    })
}

fn binary(body: &[u8], offset: usize) -> Result<(Value<'_>, usize), BsonError> {
    const MESSAGE: &str = "A binary value's length does not fit inside its document.";
    let head = fixed::<5>(body, offset)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let subtype = head[4];
    let Some(mut bytes) = body[5..].get(..length) else {
        return Err(malformed(offset, MESSAGE));
    };
    if subtype == 2 {
        let inner = u32::from_le_bytes(fixed::<4>(bytes, offset)?) as usize;
        bytes = &bytes[4..];
        if inner != bytes.len() {
            return Err(malformed(offset, MESSAGE));
        }
    }
    Ok((Value::Binary { subtype, bytes }, length + 5))
}

/// MongoDB's `$type` alias of a type byte; `unknown` for bytes that BSON does not define.
#[must_use]
pub fn type_name(kind: u8) -> &'static str {
    match kind {
        kind::DOUBLE => "double",
        kind::STRING => "string",
        kind::DOCUMENT => "object",
        kind::ARRAY => "array",
        kind::BINARY => "binData",
        kind::UNDEFINED => "undefined",
        kind::OBJECT_ID => "objectId",
        kind::BOOL => "bool",
        kind::DATE => "date",
        kind::NULL => "null",
        kind::REGEX => "regex",
        kind::DB_POINTER => "dbPointer",
        kind::CODE => "javascript",
        kind::SYMBOL => "symbol",
        kind::CODE_WITH_SCOPE => "javascriptWithScope",
        kind::INT32 => "int",
        kind::TIMESTAMP => "timestamp",
        kind::INT64 => "long",
        kind::DECIMAL128 => "decimal",
        kind::MIN_KEY => "minKey",
        kind::MAX_KEY => "maxKey",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests;
