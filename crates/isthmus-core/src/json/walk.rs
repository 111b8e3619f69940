//! The walk over documents and arrays that plain JSON and extras share: keys, policies, duplicates, rewrites.

use std::collections::{HashMap, HashSet};

use super::report::{JsonFault, Report};
use super::rewrite::{db_ref, RewriteRule, Rewrites};
use super::text::{write_escaped, write_escaped_bytes};
use super::{NanPolicy, NulPolicy, Reference, Settings, Utf8Policy};
use crate::bson::{too_deep, BsonError, Raw, Value, MAX_DEPTH};
use crate::ids::{id_text, parse_hex_object_id, standing_id, IdScheme};

/// How the values that are neither plain texts nor containers are written.
pub(crate) trait Form {
    /// Whether the settings' rewrites apply.
    const REWRITES: bool;

    fn scalar(walk: &mut Walk<'_, '_>, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault>;
}

pub(crate) struct Walk<'w, 'p> {
    pub(crate) settings: &'w Settings<'p>,
    pub(crate) report: &'w mut Report,
}

/// Writes one value; the report's path is the same afterwards, also after a fault.
pub(crate) fn write<F: Form>(
    value: &Value<'_>,
    settings: &Settings<'_>,
    report: &mut Report,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), JsonFault> {
    let level = report.path.len();
    let node = match settings.rewrites {
        Some(rewrites) if F::REWRITES && settings.codec.is_some() => rewrites.root(),
        _ => None,
    };
    let result = Walk { settings, report }.value::<F>(value, depth, node, out);
    report.path.truncate(level);
    result
}

/// What a look over a document's own keys found.
#[derive(Default)]
struct Keys {
    repeated: bool,
    not_utf8: bool,
}

/// Up to this many keys are compared by fingerprint in one array; more go through a set.
const FEW_KEYS: usize = 32;

/// Differs for most different keys; equal ones only make the exact check run.
#[inline]
fn fingerprint(key: &[u8]) -> u64 {
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (key.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)), 0),
    };
    head ^ tail.rotate_left(23) ^ (key.len() as u64).rotate_right(7)
}

impl Walk<'_, '_> {
    #[inline]
    fn value<F: Form>(
        &mut self,
        value: &Value<'_>,
        depth: usize,
        node: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonFault> {
        if let Some(node) = node {
            let found = self.settings.rewrites.and_then(|rewrites| rewrites.rule_at(node));
            if let Some((index, rule)) = found {
                return self.reference::<F>(index, rule, value, depth, out);
            }
        }
        match *value {
            Value::String(text) => self.text(text, value, out),
            Value::Document(raw) => self.document::<F>(raw, value, depth + 1, node, out),
            Value::Array(raw) => self.array::<F>(raw, value, depth + 1, node, out),
            Value::Null => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            Value::Bool(flag) => {
                out.extend_from_slice(if flag { b"true" } else { b"false" });
                Ok(())
            }
            Value::CodeWithScope { code, scope } => {
                out.extend_from_slice(b"{\"$code\":");
                self.text(code, value, out)?;
                out.extend_from_slice(b",\"$scope\":");
                self.document::<F>(scope, value, depth + 1, None, out)?;
                out.push(b'}');
                Ok(())
            }
            _ => F::scalar(self, value, out),
        }
    }

    fn document<F: Form>(
        &mut self,
        raw: Raw<'_>,
        value: &Value<'_>,
        depth: usize,
        node: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonFault> {
        if depth > MAX_DEPTH {
            return Err(self.bson_fault(too_deep(raw.offset()), value));
        }
        let keys = inspect(raw).map_err(|error| self.bson_fault(error, value))?;
        let last = if keys.repeated { Some(last_offsets(raw)) } else { None };
        let renaming = node.and_then(|node| Some((node, self.settings.rewrites?)));
        let renaming = renaming.filter(|(node, rewrites)| rewrites.renames_at(*node));
        if let Some((node, rewrites)) = renaming {
            self.refuse_taken(raw, last.as_ref(), node, rewrites)?;
        }
        let mut written: HashSet<std::borrow::Cow<'_, str>> = HashSet::new();
        out.push(b'{');
        let mut first = true;
        for element in raw.elements() {
            let element = match element {
                Ok(element) => element,
                Err(error) => return Err(self.bson_fault(error, value)),
            };
            if last.as_ref().is_some_and(|last| last.get(element.key) != Some(&element.offset)) {
                element.value.validate_at(depth).map_err(|error| self.bson_fault(error, value))?;
                self.report.duplicate_keys += 1;
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            self.report.path.push_key(element.key);
            let below = node.and_then(|node| self.settings.rewrites?.below_key(node, element.key));
            let renamed = renaming.and_then(|(_, rewrites)| rewrites.name_of(below?));
            let name = renamed.unwrap_or(element.key);
            self.key(name, out)?;
            if keys.not_utf8 && !written.insert(String::from_utf8_lossy(name)) {
                return Err(keys_become_one(element.key, self.settings, self.report));
            }
            out.push(b':');
            self.value::<F>(&element.value, depth, below, out)?;
            self.report.path.pop();
        }
        out.push(b'}');
        Ok(())
    }

    /// Refuses a document in which a key would be written as one that stands there too; `last` as for the walk itself.
    fn refuse_taken(
        &mut self,
        raw: Raw<'_>,
        last: Option<&HashMap<&[u8], usize>>,
        node: usize,
        rewrites: &Rewrites,
    ) -> Result<(), JsonFault> {
        let named = |key| rewrites.below_key(node, key).and_then(|below| rewrites.name_of(below));
        let mut written: HashMap<&[u8], (&[u8], Value<'_>)> = HashMap::new();
        let winners = raw.elements().flatten();
        for element in winners.filter(|one| last.is_none_or(|last| last.get(one.key) == Some(&one.offset))) {
            let name = named(element.key).unwrap_or(element.key);
            let Some(&other) = written.get(name) else {
                written.insert(name, (element.key, element.value));
                continue;
            };
            // of the two the one that is renamed is told; of two renamed ones the second
            let (key, value) = if named(element.key).is_some() { (element.key, element.value) } else { other };
            self.report.path.push_key(key);
            let name = String::from_utf8_lossy(name);
            let message = format!("The key is written as {name:?}, and so is another one of its document.");
            return Err(self.fault("key-taken", &value, &message));
        }
        Ok(())
    }

    fn array<F: Form>(
        &mut self,
        raw: Raw<'_>,
        value: &Value<'_>,
        depth: usize,
        node: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonFault> {
        if depth > MAX_DEPTH {
            return Err(self.bson_fault(too_deep(raw.offset()), value));
        }
        let below = node.and_then(|node| self.settings.rewrites?.below_element(node));
        out.push(b'[');
        for (at, element) in raw.elements().enumerate() {
            let element = match element {
                Ok(element) => element,
                Err(error) => return Err(self.bson_fault(error, value)),
            };
            if at > 0 {
                out.push(b',');
            }
            self.report.path.push_index(at);
            self.value::<F>(&element.value, depth, below, out)?;
            self.report.path.pop();
        }
        out.push(b']');
        Ok(())
    }

    /// Writes a key as a JSON string; the path must already lead to it.
    #[inline]
    pub(crate) fn key(&mut self, key: &[u8], out: &mut Vec<u8>) -> Result<(), JsonFault> {
        self.text(key, &Value::String(key), out)
    }

    /// Writes a text as a JSON string under the policies; `value` is what a note or fault shows.
    #[inline]
    pub(crate) fn text(&mut self, text: &[u8], value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault> {
        let start = out.len();
        out.push(b'"');
        let nuls = match write_escaped_bytes(text, out) {
            Some(nuls) => nuls,
            None => {
                if self.settings.utf8 == Utf8Policy::DeadLetter {
                    return Err(self.fault("utf8", value, "The text has bytes that are not UTF-8."));
                }
                self.report.note("utf8_replaced", value, self.settings.sensitive);
                out.truncate(start + 1);
                write_escaped(&String::from_utf8_lossy(text), out)
            }
        };
        if nuls > 0 {
            if self.settings.nul == NulPolicy::DeadLetter {
                return Err(self.fault("nul", value, "The text has a NUL, which PostgreSQL cannot store."));
            }
            self.report.note("nul_removed", value, self.settings.sensitive);
        }
        out.push(b'"');
        Ok(())
    }

    /// Handles NaN and infinities where JSON needs a number.
    pub(crate) fn not_a_number(&mut self, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault> {
        if self.settings.nan == NanPolicy::DeadLetter {
            return Err(self.fault("nan", value, "JSON has no number for NaN and infinities."));
        }
        self.report.note("nan_null", value, self.settings.sensitive);
        out.extend_from_slice(b"null");
        Ok(())
    }

    fn reference<F: Form>(
        &mut self,
        index: usize,
        rule: &RewriteRule,
        value: &Value<'_>,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonFault> {
        let mut target = *value;
        let mut is_dbref = false;
        if let Value::Document(raw) = target {
            if let Some(found) = db_ref(raw).map_err(|error| self.bson_fault(error, value))? {
                if found.collection != rule.collection.as_bytes() {
                    let message = format!(
                        "The DBRef points at the collection {:?}, the mapping says {:?}.",
                        String::from_utf8_lossy(found.collection),
                        rule.collection
                    );
                    return Err(self.report.fault("wrong-collection", value, self.settings.sensitive, message));
                }
                target = if found.id == Value::Undefined { Value::Null } else { found.id };
                is_dbref = true;
            }
        }
        match target {
            // A DBRef names a document all the same: the one whose `_id` is null, which no kept id can be.
            Value::Null if is_dbref && rule.ids != IdScheme::Keep => {}
            Value::Null | Value::Undefined => {
                out.extend_from_slice(b"null");
                return Ok(());
            }
            _ if rule.keep_others && !is_dbref && !is_id(&target, rule.ids) => {
                self.report.no_ids += 1;
                return self.value::<F>(&target, depth, None, out);
            }
            Value::Array(_) => {
                return Err(self.fault("type", value, "An array cannot be a reference to one document."))
            }
            _ => {}
        }
        let codec = match self.settings.codec {
            Some(codec) if rule.ids != IdScheme::Keep => codec,
            _ => {
                self.report.references.push(Reference { rule: index, mapped: None });
                return self.value::<F>(&target, depth, None, out);
            }
        };
        target.validate_at(depth).map_err(|error| self.bson_fault(error, value))?;
        if let (true, Value::String(text) | Value::Symbol(text)) = (rule.rewritten || rule.keep_others, target) {
            if let Some(text) = standing_id(text, rule.ids) {
                out.push(b'"');
                out.extend_from_slice(text.as_bytes());
                out.push(b'"');
                self.report.references.push(Reference { rule: index, mapped: None });
                return Ok(());
            }
        }
        let derived = codec.derive_value(&rule.collection, &target).map_err(|error| self.bson_fault(error, value))?;
        let text = id_text(derived.v, rule.ids);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        let mapped = (!derived.from_object_id).then(|| (target.id_document(), text));
        self.report.references.push(Reference { rule: index, mapped });
        Ok(())
    }

    #[cold]
    pub(crate) fn fault(&self, code: &'static str, value: &Value<'_>, message: &str) -> JsonFault {
        self.report.fault(code, value, self.settings.sensitive, message.to_owned())
    }

    #[cold]
    fn bson_fault(&self, error: BsonError, value: &Value<'_>) -> JsonFault {
        let mut fault = self.report.fault(error.code, &Value::Null, self.settings.sensitive, error.to_string());
        fault.bson_type = value.type_name();
        fault.value.clear();
        fault
    }
}

/// Whether a value has the form of an id: an ObjectId, one written out, or a text that is an id of the target already.
fn is_id(value: &Value<'_>, scheme: IdScheme) -> bool {
    match value {
        Value::ObjectId(_) => true,
        Value::String(text) | Value::Symbol(text) => {
            parse_hex_object_id(text).is_some() || standing_id(text, scheme).is_some()
        }
        _ => false,
    }
}

/// The fault of a key that another one of its document equals once bytes that are not UTF-8 are replaced.
#[cold]
pub(crate) fn keys_become_one(key: &[u8], settings: &Settings<'_>, report: &Report) -> JsonFault {
    let message = "Two keys of one document become the same when bytes that are not UTF-8 are replaced.";
    report.fault("utf8", &Value::String(key), settings.sensitive, message.to_owned())
}

fn inspect(raw: Raw<'_>) -> Result<Keys, BsonError> {
    let mut keys = Keys::default();
    let mut seen = [0u64; FEW_KEYS];
    let mut count = 0;
    for element in raw.elements() {
        let key = element?.key;
        if !key.is_ascii() {
            keys.not_utf8 |= std::str::from_utf8(key).is_err();
        }
        if count < FEW_KEYS {
            let print = fingerprint(key);
            keys.repeated |= seen[..count].contains(&print);
            seen[count] = print;
        }
        count += 1;
    }
    if count > FEW_KEYS {
        let mut set = HashSet::with_capacity(count);
        keys.repeated = raw.elements().flatten().any(|element| !set.insert(element.key));
    }
    Ok(keys)
}

/// Where the winning element of each key lies.
fn last_offsets(raw: Raw<'_>) -> HashMap<&[u8], usize> {
    raw.elements().flatten().map(|element| (element.key, element.offset)).collect()
}
