//! What is counted of arrays and documents as such.

use crate::bson::kind;

use super::print::{write_count, Object};
use super::scalars::{join, widen, Range};

#[derive(Debug, Clone, Default)]
pub(super) struct Arrays {
    length: Range<u64>,
    /// Elements of all arrays.
    total: u64,
    empty: u64,
    /// Arrays that hold an array.
    nested: u64,
    /// Arrays with elements of several kinds: scalars, documents, arrays.
    mixed: u64,
}

/// What one array holds, gathered while it is walked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    length: u64,
    arrays: bool,
    documents: bool,
    scalars: bool,
}

impl Held {
    #[inline]
    pub(super) fn add(&mut self, kind: u8) {
        self.length += 1;
        match kind {
            kind::ARRAY => self.arrays = true,
            kind::DOCUMENT => self.documents = true,
            kind::NULL | kind::UNDEFINED => {}
            _ => self.scalars = true,
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }
}

impl Arrays {
    pub(super) fn add(&mut self, held: Held) {
        widen(&mut self.length, held.length);
        self.total += held.length;
        self.empty += u64::from(held.length == 0);
        self.nested += u64::from(held.arrays);
        let kinds = u8::from(held.arrays) + u8::from(held.documents) + u8::from(held.scalars);
        self.mixed += u64::from(kinds > 1);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.length, other.length);
        self.total += other.total;
        self.empty += other.empty;
        self.nested += other.nested;
        self.mixed += other.mixed;
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("length", self.length, write_count);
        object.count("total", self.total);
        object.count("empty", self.empty);
        object.count("nested", self.nested);
        object.count("mixed", self.mixed);
        object.close();
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Documents {
    /// Different keys.
    keys: Range<u64>,
    empty: u64,
    /// Exactly `$ref`, `$id` and perhaps `$db`.
    pub(super) dbref: u64,
    /// Other documents that hold a key beginning with `$`.
    extended: u64,
}

impl Documents {
    #[inline]
    pub(super) fn add(&mut self, keys: u64, dbref: bool, dollar: bool) {
        widen(&mut self.keys, keys);
        self.empty += u64::from(keys == 0);
        self.dbref += u64::from(dbref);
        self.extended += u64::from(dollar && !dbref);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.keys, other.keys);
        self.empty += other.empty;
        self.dbref += other.dbref;
        self.extended += other.extended;
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("keys", self.keys, write_count);
        object.count("empty", self.empty);
        object.count("dbref", self.dbref);
        object.count("extended", self.extended);
        object.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_mixed_by_kind_and_nulls_apart() {
        let mut arrays = Arrays::default();
        for kinds in [
            &[kind::INT32, kind::STRING, kind::NULL][..],
            &[kind::INT32, kind::DOCUMENT],
            &[kind::ARRAY, kind::NULL, kind::ARRAY],
            &[kind::ARRAY, kind::DOCUMENT],
            &[],
        ] {
            let mut held = Held::default();
            kinds.iter().for_each(|kind| held.add(*kind));
            assert_eq!(held.is_empty(), kinds.is_empty());
            arrays.add(held);
        }
        let mut out = Vec::new();
        arrays.write(&mut out);
        let expected = "{\"length\":[0,3],\"total\":10,\"empty\":1,\"nested\":2,\"mixed\":2}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn documents_are_empty_references_or_extended() {
        let mut documents = Documents::default();
        documents.add(2, true, true);
        documents.add(1, false, true);
        documents.add(0, false, false);
        let mut out = Vec::new();
        documents.write(&mut out);
        let expected = "{\"keys\":[0,2],\"empty\":1,\"dbref\":1,\"extended\":1}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
