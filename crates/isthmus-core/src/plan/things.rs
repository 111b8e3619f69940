//! Which thing a document belongs to, by its `_id`: what was found out before anything is loaded.

use std::collections::HashMap;
use std::sync::Arc;

use super::file::ThingsFile;
use super::PlanError;

/// Documents of the plan's collection, and of those whose rows the things are.
///
/// Documents are named by `{"_id": value}` as BSON, things by the id of their row as text.
#[derive(Debug, Default)]
pub struct Things {
    /// Document of the plan's collection → its thing; none for one that belongs to none.
    pub of: HashMap<Box<[u8]>, Option<Box<str>>>,
    /// Of a reference: every document that a value may lead to.
    pub members: Vec<Member>,
}

/// A document whose row is a thing, or a part of one.
#[derive(Debug)]
pub struct Member {
    pub collection: Arc<str>,
    pub document: Box<[u8]>,
    pub thing: Box<str>,
}

impl Things {
    pub(super) fn compile(file: ThingsFile) -> Result<Self, PlanError> {
        let mut of = HashMap::new();
        for line in file.of.lines() {
            let (document, thing) = entry(line)?;
            of.insert(document, thing.map(Into::into));
        }
        let mut members = Vec::new();
        for (collection, text) in file.members {
            let collection: Arc<str> = collection.into();
            for line in text.lines() {
                if let (document, Some(thing)) = entry(line)? {
                    members.push(Member { collection: collection.clone(), document, thing: thing.into() });
                }
            }
        }
        Ok(Self { of, members })
    }
}

/// Reads a document and its thing.
fn entry(line: &str) -> Result<(Box<[u8]>, Option<&str>), PlanError> {
    let (document, thing) = line.split_once(' ').map_or((line, None), |(document, thing)| (document, Some(thing)));
    Ok((bytes(document)?, thing))
}

/// Reads an even number of hex digits.
fn bytes(hex: &str) -> Result<Box<[u8]>, PlanError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<Box<[u8]>>>().ok_or_else(|| PlanError::plain("A document is named by what is no hex text."))
}
