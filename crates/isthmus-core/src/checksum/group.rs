//! Ids that stand for others: what one side calls `from` the other calls `to`.

use std::collections::HashMap;

use crate::ids::parse_uuid;

/// Pairs of one group, in the forms of the columns that ask for them.
#[derive(Debug, Default)]
pub(super) struct Group {
    texts: HashMap<Box<[u8]>, Box<[u8]>>,
    uuids: HashMap<[u8; 16], [u8; 16]>,
    numbers: HashMap<i64, i64>,
}

/// The kinds of columns that ask for a group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    pub texts: bool,
    pub uuids: bool,
    pub numbers: bool,
}

impl Group {
    /// Keeps what is asked for.
    ///
    /// # Errors
    /// A sentence for a pair of which only one half is a UUID, or a number, when that is asked for: which form the other
    /// side has could not be told.
    pub(super) fn new(pairs: Vec<(String, String)>, asked: Asked) -> Result<Self, String> {
        let mut group = Self::default();
        for (from, to) in pairs {
            let halves = |one: bool, other: bool, what: &str| {
                if one == other {
                    return Ok(());
                }
                Err(format!("Of the translation from \"{from}\" to \"{to}\" only one is {what}."))
            };
            if asked.uuids {
                let (one, other) = (parse_uuid(from.as_bytes()), parse_uuid(to.as_bytes()));
                halves(one.is_some(), other.is_some(), "a UUID")?;
                group.uuids.extend(one.zip(other));
            }
            if asked.numbers {
                let (one, other) = (from.parse::<i64>().ok(), to.parse::<i64>().ok());
                halves(one.is_some(), other.is_some(), "a whole number")?;
                group.numbers.extend(one.zip(other));
            }
            if asked.texts {
                group.texts.insert(from.into_bytes().into(), to.into_bytes().into());
            }
        }
        Ok(group)
    }

    pub(super) fn text<'a>(&'a self, from: &'a [u8]) -> &'a [u8] {
        self.texts.get(from).map_or(from, |to| to)
    }

    pub(super) fn uuid(&self, from: [u8; 16]) -> [u8; 16] {
        self.uuids.get(&from).copied().unwrap_or(from)
    }

    pub(super) fn number(&self, from: i64) -> i64 {
        self.numbers.get(&from).copied().unwrap_or(from)
    }
}
