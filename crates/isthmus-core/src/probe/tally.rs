//! What became of the values at one path.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::bson::{Raw, Value};
use crate::extended::extended_json;
use crate::json::db_ref;
use crate::profile::print::{write_list, Object};
use crate::profile::sketch::{estimate, Sketch};
use crate::value_hash::hash_bytes;
use crate::value_set::{Key, ValueSet};

use super::plan::{Form, Probe};

/// Values, and pairs, are counted with sketches of this size.
const SKETCH: usize = 256;
/// Missed values that are shown, and the bytes of the longest.
const EXAMPLES: usize = 5;
const EXAMPLE_BYTES: usize = 200;
/// Names of collections in DBRefs that are counted apart.
const COLLECTIONS: usize = 64;

/// The document that a value stands in: the set of its collection's ids, and its own id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) set: usize,
    pub(super) id: u128,
}

/// Values of one form.
#[derive(Debug, Default)]
struct Lookups {
    values: u64,
    /// In the order of the probe's sets.
    hits: Vec<u64>,
    misses: u64,
    /// Values that are in more than one set.
    several: u64,
    /// Those missed values whose hashes are the lowest, so that neither order nor merging matters.
    examples: BTreeMap<u128, String>,
    /// Collections that DBRefs name.
    collections: HashMap<String, u64>,
    /// DBRefs that name further ones.
    other_collections: u64,
}

#[derive(Debug)]
pub(super) struct Tally {
    /// Values that are not null, of whatever type.
    values: u64,
    null: u64,
    forms: Vec<(Form, Lookups)>,
    sets: Vec<usize>,
    /// As the probe's.
    collections: Vec<String>,
    distinct: Sketch,
    /// Pairs of the document and what its value hit; each is the same from either side.
    pairs: Sketch,
}

impl Tally {
    pub(super) fn new(probe: &Probe) -> Self {
        let lookups = || Lookups { hits: vec![0; probe.sets.len()], ..Lookups::default() };
        let forms = probe.forms.iter().map(|form| (*form, lookups())).collect();
        let (distinct, pairs) = (Sketch::default(), Sketch::default());
        let (sets, collections) = (probe.sets.clone(), probe.collections.clone());
        Self { values: 0, null: 0, forms, sets, collections, distinct, pairs }
    }

    /// Looks a value up, in each form that it has.
    pub(super) fn add(
        &mut self,
        value: &Value<'_>,
        sets: &[Arc<ValueSet>],
        owner: Option<&Owner>,
        scratch: &mut Vec<u8>,
    ) {
        if matches!(value, Value::Null | Value::Undefined) {
            self.null += 1;
            return;
        }
        self.values += 1;
        for (form, lookups) in &mut self.forms {
            let Some(meant) = meant(*form, value, lookups, scratch) else { continue };
            let hash = meant.or.as_ref().unwrap_or(&meant.key).hash();
            self.distinct.add(hash as u64, SKETCH);
            let mut found = 0;
            for (at, (set, hits)) in self.sets.iter().zip(&mut lookups.hits).enumerate() {
                let elsewhere = meant
                    .collection
                    .zip(self.collections.get(at))
                    .is_some_and(|(named, collection)| named != collection.as_bytes());
                let ids = &sets[*set];
                // The document's own id stands in its collection's set: the one look-up that is always the largest.
                let own = owner.is_some_and(|owner| owner.set == *set && owner.id == hash);
                let holds = || ids.contains(&meant.key) || meant.or.as_ref().is_some_and(|key| ids.contains(key));
                if !elsewhere && (own || holds()) {
                    *hits += 1;
                    found += 1;
                    if let Some(owner) = owner {
                        self.pairs.add(pair((owner.set, owner.id), (*set, hash)), SKETCH);
                    }
                }
            }
            lookups.values += 1;
            lookups.several += u64::from(found > 1);
            if found == 0 {
                lookups.misses += 1;
                lookups.example(hash, || example(value));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.values += other.values;
        self.null += other.null;
        for ((_, mine), (_, theirs)) in self.forms.iter_mut().zip(other.forms) {
            mine.merge(theirs);
        }
        self.distinct.merge(other.distinct, SKETCH);
        self.pairs.merge(other.pairs, SKETCH);
    }

    pub(super) fn write(&self, probe: &Probe, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.number("values", self.values);
        object.count("null", self.null);
        let mut forms = Object::open(object.member("forms"));
        for (form, lookups) in self.forms.iter().filter(|(_, lookups)| lookups.values > 0) {
            lookups.write(&probe.sets, forms.member(form.name()));
        }
        forms.close();
        object.count("distinct", estimate(&self.distinct.lowest(SKETCH), SKETCH));
        let pairs = self.pairs.lowest(SKETCH);
        if !pairs.is_empty() {
            object.number("pairs_distinct", estimate(&pairs, SKETCH));
            write_list(&pairs, object.member("pairs"), |hash, out| {
                out.extend_from_slice(format!("\"{hash:016x}\"").as_bytes());
            });
        }
        object.close();
    }
}

impl Lookups {
    fn name_collection(&mut self, name: &[u8]) {
        if let Some(count) = std::str::from_utf8(name).ok().and_then(|name| self.collections.get_mut(name)) {
            *count += 1;
        } else if self.collections.len() < COLLECTIONS && name.len() <= EXAMPLE_BYTES {
            *self.collections.entry(String::from_utf8_lossy(name).into_owned()).or_default() += 1;
        } else {
            self.other_collections += 1;
        }
    }

    fn example(&mut self, hash: u128, text: impl FnOnce() -> Option<String>) {
        let full = self.examples.len() >= EXAMPLES;
        if full && self.examples.last_key_value().is_some_and(|(highest, _)| *highest <= hash) {
            return;
        }
        if self.examples.contains_key(&hash) {
            return;
        }
        if let Some(text) = text() {
            self.examples.insert(hash, text);
            if full {
                self.examples.pop_last();
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.values += other.values;
        self.hits.iter_mut().zip(other.hits).for_each(|(count, more)| *count += more);
        self.misses += other.misses;
        self.several += other.several;
        for (hash, text) in other.examples {
            self.example(hash, || Some(text));
        }
        self.other_collections += other.other_collections;
        for (name, count) in other.collections {
            if self.collections.len() < COLLECTIONS || self.collections.contains_key(&name) {
                *self.collections.entry(name).or_default() += count;
            } else {
                self.other_collections += count;
            }
        }
    }

    fn write(&self, sets: &[usize], out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.number("values", self.values);
        let mut hits = Object::open(object.member("hits"));
        sets.iter().zip(&self.hits).for_each(|(set, count)| hits.count(&set.to_string(), *count));
        hits.close();
        object.count("misses", self.misses);
        object.count("several", self.several);
        if !self.collections.is_empty() {
            let mut names: Vec<(&String, &u64)> = self.collections.iter().collect();
            names.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
            let mut collections = Object::open(object.member("collections"));
            names.iter().for_each(|(name, count)| collections.count(name, **count));
            collections.close();
        }
        object.count("other_collections", self.other_collections);
        if !self.examples.is_empty() {
            write_list(self.examples.values(), object.member("examples"), |text, out| {
                out.extend_from_slice(text.as_bytes());
            });
        }
        object.close();
    }
}

/// What a value in one form means.
struct Meant<'v> {
    key: Key,
    /// A text of 24 hex digits in a DBRef may be that text or the ObjectId that it writes.
    or: Option<Key>,
    /// The collection that it names, raw bytes.
    collection: Option<&'v [u8]>,
}

/// What a value means in one form; none when it does not have that form.
fn meant<'v>(form: Form, value: &Value<'v>, lookups: &mut Lookups, scratch: &mut Vec<u8>) -> Option<Meant<'v>> {
    let plain = |key| Some(Meant { key, or: None, collection: None });
    match (form, value) {
        (Form::Oid, Value::ObjectId(id)) => plain(Key::ObjectId(*id)),
        (Form::Hex, Value::String(text)) => plain(Key::of_hex(text)?),
        (Form::Dbref, Value::Document(raw)) => {
            let found = db_ref(*raw).ok()??;
            let id = if found.id == Value::Undefined { Value::Null } else { found.id };
            let or = match id {
                Value::String(text) => Key::of_hex(text),
                _ => None,
            };
            lookups.name_collection(found.collection);
            Some(Meant { key: Key::of(&id, scratch), or, collection: Some(found.collection) })
        }
        (Form::Value, Value::ObjectId(_) | Value::Array(_)) => None,
        (Form::Value, _) => plain(Key::of(value, scratch)),
        _ => None,
    }
}

/// The hash of two members, whichever comes first.
fn pair(one: (usize, u128), other: (usize, u128)) -> u64 {
    let (low, high) = if one <= other { (one, other) } else { (other, one) };
    let mut bytes = [0; 48];
    for (half, (set, id)) in bytes.chunks_exact_mut(24).zip([low, high]) {
        half[..8].copy_from_slice(&(set as u64).to_le_bytes());
        half[8..].copy_from_slice(&id.to_le_bytes());
    }
    hash_bytes(&bytes)
}

/// A value as canonical Extended JSON; none when it is long.
fn example(value: &Value<'_>) -> Option<String> {
    let held = match value {
        Value::String(text) => text.len(),
        Value::Document(raw) => raw.bytes().len(),
        Value::Binary { bytes, .. } => bytes.len(),
        _ => 0,
    };
    if held > EXAMPLE_BYTES {
        return None;
    }
    let document = value.id_document();
    if document.len() > EXAMPLE_BYTES {
        return None;
    }
    let text = extended_json(Raw::new(&document).ok()?, &[]).ok()?;
    Some(text.strip_prefix("{\"_id\":")?.strip_suffix('}')?.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_the_same_from_either_side() {
        assert_eq!(pair((0, 7), (1, 9)), pair((1, 9), (0, 7)));
        assert_ne!(pair((0, 7), (1, 9)), pair((0, 9), (1, 7)));
        assert_ne!(pair((0, 7), (1, 9)), pair((1, 7), (1, 9)));
    }

    #[test]
    fn examples_are_extended_json_and_short() {
        assert_eq!(example(&Value::Int32(5)).as_deref(), Some("{\"$numberInt\":\"5\"}"));
        assert_eq!(example(&Value::String(b"a}")).as_deref(), Some("\"a}\""));
        assert_eq!(example(&Value::String(&[b'x'; 300])), None);
    }
}
