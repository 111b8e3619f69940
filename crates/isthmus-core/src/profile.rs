//! What a collection holds, path by path: a survey's first look at every document.
//!
//! Decides what is counted of documents, fields and values, and how much of it is remembered: memory stays inside the
//! [`Limits`] whatever comes. Profiles of parts of a collection merge into that of the whole, in any order, except for
//! the order in which keys were met and for what lies beyond the limit of paths. What follows from the counts is left
//! to the reader.

mod budget;
mod collapsed;
mod containers;
mod few;
mod fields;
mod limits;
mod node;
mod oddities;
pub(crate) mod print;
mod report;
mod scalars;
mod shapes;
pub(crate) mod sketch;
mod walk;

use std::collections::BTreeMap;

use crate::bson::{kind, BsonError, Raw};
use crate::transcode::{document_length, BlockError};
use crate::value_set::ValueSet;

pub use limits::Limits;

use node::Node;
use scalars::{join, widen, Range};
use walk::Walk;

/// Calls `each` for the documents of a block, in order: validated, or what is wrong with them; returns how many.
///
/// # Errors
/// Lengths that do not add up; the documents before were given to `each`.
pub(crate) fn read_documents(
    block: &[u8],
    mut each: impl FnMut(Result<Raw<'_>, BsonError>),
) -> Result<usize, BlockError> {
    let mut at = 0;
    let mut documents = 0;
    while at < block.len() {
        let length = document_length(block, at)?;
        let raw = Raw::new(&block[at..at + length]);
        each(raw.and_then(|raw| raw.validate().map(|()| raw)));
        at += length;
        documents += 1;
    }
    Ok(documents)
}

/// Counts of one collection, or of a part of it.
#[derive(Debug)]
pub struct Profiler {
    walk: Walk,
    root: Node,
    ids: ValueSet,
    documents: u64,
    /// Documents that cannot be read, by the code of what is wrong; nothing else of them is counted.
    broken: BTreeMap<&'static str, u64>,
    bytes: u64,
    /// Bytes of the smallest and the largest document.
    sizes: Range<u64>,
}

impl Profiler {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let limits = limits.bounded();
        let mut root = Node::default();
        root.fields.top = true;
        let ids = ValueSet::new(limits.ids_bytes, limits.expected);
        Self { walk: Walk::new(limits), root, ids, documents: 0, broken: BTreeMap::new(), bytes: 0, sizes: None }
    }

    /// Counts whole documents, back to back; returns how many there were.
    ///
    /// Of a document that is malformed or nests too deep only that is counted: a copy would not carry it either.
    ///
    /// # Errors
    /// Lengths that do not add up. What was counted before stays.
    pub fn read(&mut self, block: &[u8]) -> Result<usize, BlockError> {
        read_documents(block, |document| match document {
            Ok(raw) => self.document(raw),
            Err(error) => *self.broken.entry(error.code).or_default() += 1,
        })
    }

    fn document(&mut self, raw: Raw<'_>) {
        let length = raw.bytes().len() as u64;
        self.documents += 1;
        self.bytes += length;
        widen(&mut self.sizes, length);
        if let Ok(Some(id)) = raw.get(b"_id") {
            self.ids.insert(&id.value);
        }
        self.root.count(kind::DOCUMENT);
        self.walk.document(&mut self.root, raw);
    }

    /// Takes over what another profiler counted, and leaves it empty.
    ///
    /// # Errors
    /// A sentence when the other has other limits; then nothing is changed.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), String> {
        let limits = self.walk.limits;
        if limits != other.walk.limits {
            return Err("Profilers of different limits cannot be merged.".to_owned());
        }
        let other = std::mem::replace(other, Self::new(limits));
        self.ids.merge(other.ids)?;
        self.documents += other.documents;
        for (code, count) in other.broken {
            *self.broken.entry(code).or_default() += count;
        }
        self.bytes += other.bytes;
        join(&mut self.sizes, other.sizes);
        self.walk.budget.reached |= other.walk.budget.reached;
        self.root.merge(other.root, &limits, &mut self.walk.budget);
        Ok(())
    }

    /// Takes the ids out; later documents start a new set.
    pub fn ids(&mut self) -> ValueSet {
        let limits = &self.walk.limits;
        std::mem::replace(&mut self.ids, ValueSet::new(limits.ids_bytes, limits.expected))
    }

    /// Everything counted so far, as JSON.
    #[must_use]
    pub fn result(&self) -> String {
        let mut out = Vec::new();
        report::write(self, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}
