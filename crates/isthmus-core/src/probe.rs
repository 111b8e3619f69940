//! Where values lead: those at given paths, looked up in the ids of collections and in the values of other paths.
//!
//! A survey's second look at every document. Decides in which forms a value can be a reference, and counts what was hit
//! and missed; whether that makes a reference is left to the reader.

mod plan;
mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bson::{BsonError, Raw, Value};
use crate::plan::trie::equal;
use crate::profile::print::{write_list, Object};
use crate::profile::read_documents;
use crate::transcode::BlockError;
use crate::value_set::{Key, ValueSet};

use plan::{Level, Plan};
use tally::{Owner, Tally};

/// What is counted of one collection, or of a part of it.
#[derive(Debug)]
pub struct Prober {
    plan: Plan,
    /// The plan as it was given: what is merged must follow the same.
    text: String,
    sets: Vec<Arc<ValueSet>>,
    tallies: Vec<Tally>,
    collected: Vec<ValueSet>,
    documents: u64,
    /// Documents that cannot be read, by the code of what is wrong.
    broken: BTreeMap<&'static str, u64>,
    scratch: Vec<u8>,
}

impl Prober {
    /// Args: the plan's JSON; the sets that it names by their position. Pairs of two collections can be compared only
    /// when their probers were given the same sets in the same order.
    ///
    /// # Errors
    /// A sentence for a plan that cannot be read or names a set that is not there.
    pub fn new(plan: &str, sets: Vec<Arc<ValueSet>>) -> Result<Self, String> {
        let text = plan.to_owned();
        let plan = Plan::parse(plan, sets.len())?;
        let tallies = plan.probes.iter().map(Tally::new).collect();
        let collected = plan.empty_sets();
        let (documents, broken, scratch) = (0, BTreeMap::new(), Vec::new());
        Ok(Self { plan, text, sets, tallies, collected, documents, broken, scratch })
    }

    /// Looks the values of whole documents up, back to back; returns how many documents there were.
    ///
    /// # Errors
    /// Lengths that do not add up. What was counted before stays.
    pub fn read(&mut self, block: &[u8]) -> Result<usize, BlockError> {
        read_documents(block, |document| self.document(document))
    }

    fn document(&mut self, document: Result<Raw<'_>, BsonError>) {
        let raw = match document {
            Ok(raw) => raw,
            Err(error) => {
                *self.broken.entry(error.code).or_default() += 1;
                return;
            }
        };
        self.documents += 1;
        let owner = self.plan.own.and_then(|set| {
            let id = raw.get(b"_id").ok()??.value;
            Some(Owner { set, id: Key::of(&id, &mut self.scratch).hash() })
        });
        let mut walk = Walk {
            sets: &self.sets,
            tallies: &mut self.tallies,
            collected: &mut self.collected,
            scratch: &mut self.scratch,
            owner,
        };
        walk.fields(&self.plan.top, raw, true);
    }

    /// Takes over what another prober counted, and leaves it empty.
    ///
    /// # Errors
    /// A sentence when the other follows another plan or looks into other sets; then nothing is changed.
    pub fn merge(&mut self, other: &mut Self) -> Result<(), String> {
        let same_sets = self.sets.len() == other.sets.len()
            && self.sets.iter().zip(&other.sets).all(|(mine, theirs)| Arc::ptr_eq(mine, theirs));
        if self.text != other.text || !same_sets {
            return Err("Probers of different plans or sets cannot be merged.".to_owned());
        }
        let tallies = self.plan.probes.iter().map(Tally::new).collect();
        for (mine, theirs) in self.tallies.iter_mut().zip(std::mem::replace(&mut other.tallies, tallies)) {
            mine.merge(theirs);
        }
        for (mine, theirs) in
            self.collected.iter_mut().zip(std::mem::replace(&mut other.collected, self.plan.empty_sets()))
        {
            mine.merge(theirs)?;
        }
        self.documents += std::mem::take(&mut other.documents);
        for (code, count) in std::mem::take(&mut other.broken) {
            *self.broken.entry(code).or_default() += count;
        }
        Ok(())
    }

    /// Everything counted so far, as JSON.
    #[must_use]
    pub fn result(&self) -> String {
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        object.number("documents", self.documents);
        if !self.broken.is_empty() {
            let mut broken = Object::open(object.member("broken"));
            self.broken.iter().for_each(|(code, count)| broken.count(code, *count));
            broken.close();
        }
        write_list(self.plan.probes.iter().zip(&self.tallies), object.member("probes"), |(probe, tally), out| {
            tally.write(probe, out);
        });
        object.close();
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Takes the collected sets out, by name; later documents start new ones.
    pub fn sets(&mut self) -> Vec<(String, ValueSet)> {
        let empty = self.plan.empty_sets();
        let sets = std::mem::replace(&mut self.collected, empty);
        self.plan.names.iter().cloned().zip(sets).collect()
    }
}

/// What is needed on the way through one document.
struct Walk<'p> {
    sets: &'p [Arc<ValueSet>],
    tallies: &'p mut [Tally],
    collected: &'p mut [ValueSet],
    scratch: &'p mut Vec<u8>,
    owner: Option<Owner>,
}

impl Walk<'_> {
    fn fields(&mut self, level: &Level, raw: Raw<'_>, top: bool) {
        for element in raw.elements().map_while(Result::ok) {
            if let Some((_, below)) = level.fields.iter().find(|(key, _)| equal(key, element.key)) {
                self.value(below, &element.value);
            }
            // Of whole documents `_id` is a name whatever the other keys are.
            if let Some(below) = level.any.as_ref().filter(|_| !(top && element.key == b"_id")) {
                self.value(below, &element.value);
            }
        }
    }

    fn value(&mut self, level: &Level, value: &Value<'_>) {
        for &probe in &level.probes {
            self.tallies[probe].add(value, self.sets, self.owner.as_ref(), self.scratch);
        }
        if !matches!(value, Value::Null | Value::Undefined | Value::Array(_)) {
            level.collects.iter().for_each(|set| self.collected[*set].insert(value));
        }
        match *value {
            Value::Document(raw) if level.any.is_some() || !level.fields.is_empty() => self.fields(level, raw, false),
            Value::Array(raw) => {
                if let Some(below) = &level.elements {
                    for element in raw.elements().map_while(Result::ok) {
                        self.value(below, &element.value);
                    }
                }
            }
            _ => {}
        }
    }
}
