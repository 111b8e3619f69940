//! One document down into the nodes of its paths.

use crate::bson::{Element, Raw, Value};
use crate::json::db_ref;
use crate::value_hash::{hash_bytes, hash_scalar, HashedMap};

use super::budget::Budget;
use super::collapsed::Collapsed;
use super::containers::Held;
use super::few::Met;
use super::fields::Entered;
use super::limits::Limits;
use super::node::Node;
use super::scalars::widen;

/// Keys of one document by their hash, with whether they came again.
type Seen = HashedMap<bool>;

/// Keys for which a set that is kept for later has room.
const SPARE_KEYS: usize = 1024;

/// What is needed on the way, besides the nodes.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) limits: Limits,
    pub(super) budget: Budget,
    /// Documents so far, nested ones included: a number for each, by which repeated keys are known.
    stamp: u64,
    /// Emptied sets, to be used again.
    spare: Vec<Seen>,
}

impl Walk {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, budget: Budget::new(limits.paths), stamp: 0, spare: Vec::new() }
    }

    /// Counts one value at its node. The document that holds it must be validated: what is malformed or too deep inside
    /// it would end the count halfway.
    pub(super) fn value(&mut self, node: &mut Node, kind: u8, value: &Value<'_>) {
        node.count(kind);
        match *value {
            Value::String(text) => {
                let text = node.strings.get_or_insert_default().add(text);
                match text {
                    Some(text) => self.keep(node, value, Met::Text(text)),
                    None => self.other(node, value),
                }
            }
            Value::Int32(number) => self.integer(node, value, i64::from(number)),
            Value::Int64(number) => self.integer(node, value, number),
            Value::Double(number) => {
                node.doubles.get_or_insert_default().add(number);
                self.keep(node, value, Met::Double(number));
            }
            Value::ObjectId(id) => self.keep(node, value, Met::ObjectId(id)),
            Value::Bool(flag) => node.trues += u64::from(flag),
            Value::DateTime(millis) => {
                node.dates.get_or_insert_default().add(millis);
                self.other(node, value);
            }
            Value::Decimal128(bytes) => {
                node.decimals.get_or_insert_default().add(bytes);
                self.other(node, value);
            }
            Value::Binary { subtype, bytes } => {
                node.binaries.get_or_insert_default().add(subtype, bytes);
                self.other(node, value);
            }
            Value::Null | Value::Undefined => {}
            Value::Document(raw) => {
                node.few.close();
                self.document(node, raw);
            }
            Value::Array(raw) => {
                node.few.close();
                self.array(node, raw);
            }
            _ => node.few.close(),
        }
    }

    #[inline]
    fn keep(&mut self, node: &mut Node, value: &Value<'_>, met: Met<'_>) {
        if let Some(hash) = hash_scalar(value) {
            node.keep(hash, met, &self.limits);
        }
    }

    #[inline]
    fn integer(&mut self, node: &mut Node, value: &Value<'_>, number: i64) {
        widen(&mut node.integers, number);
        self.keep(node, value, Met::Integer(number));
    }

    /// A scalar that is not kept as a value; some kinds are told apart all the same.
    fn other(&mut self, node: &mut Node, value: &Value<'_>) {
        node.few.close();
        if let Some(hash) = hash_scalar(value) {
            node.sketch.add(hash, self.limits.sketch);
        }
    }

    fn array(&mut self, node: &mut Node, raw: Raw<'_>) {
        if node.elements.is_none() && !raw.is_empty() && self.budget.take() {
            node.elements = Some(Box::default());
        }
        let mut held = Held::default();
        for element in raw.elements() {
            let Ok(element) = element else { break };
            held.add(element.kind);
            match &mut node.elements {
                Some(elements) => self.value(elements, element.kind, &element.value),
                None => node.unlisted += 1,
            }
        }
        if let Some(elements) = &mut node.elements {
            elements.with += u64::from(!held.is_empty());
        }
        node.arrays.get_or_insert_default().add(held);
    }

    /// Counts the fields of a document; the document itself is counted by [`Walk::value`].
    pub(super) fn document(&mut self, node: &mut Node, raw: Raw<'_>) {
        self.stamp += 1;
        let stamp = self.stamp;
        let mut hint = 0;
        let mut keys = 0;
        let mut dollar = false;
        let mut seen = None;
        for element in raw.elements() {
            let Ok(element) = element else { break };
            dollar |= element.key.first() == Some(&b'$');
            let fields = &mut node.fields;
            let new = match fields.find(element.key, hint) {
                Some(at) => {
                    hint = at + 1;
                    let field = &mut *fields.entries[at].node;
                    let new = field.meet(stamp);
                    self.value(field, element.kind, &element.value);
                    new
                }
                None => {
                    hint = fields.entries.len() + 1;
                    self.unknown(node, raw, &element, stamp, &mut seen)
                }
            };
            keys += u64::from(new);
        }
        // Emptying a set costs as much as it has room, so a large one is not worth keeping.
        if let Some(mut seen) = seen.filter(|seen: &Seen| seen.capacity() <= SPARE_KEYS) {
            seen.clear();
            self.spare.push(seen);
        }
        let dbref = dollar && db_ref(raw).is_ok_and(|found| found.is_some());
        node.documents.get_or_insert_default().add(keys, dbref, dollar);
    }

    /// A key without a node of its own; true when it is the document's first of that name.
    #[inline(never)]
    fn unknown(
        &mut self,
        node: &mut Node,
        raw: Raw<'_>,
        element: &Element<'_>,
        stamp: u64,
        seen: &mut Option<Seen>,
    ) -> bool {
        if element.key.len() > self.limits.key_bytes {
            node.oversize += 1;
            return true;
        }
        let collapsed = node.fields.collapsed.is_some();
        match node.fields.enter(element.key, &self.limits, &mut self.budget) {
            Entered::At(at) => {
                let field = &mut *node.fields.entries[at].node;
                field.meet(stamp);
                self.value(field, element.kind, &element.value);
                true
            }
            Entered::Collapsed => {
                let seen = seen.get_or_insert_with(|| self.spare.pop().unwrap_or_default());
                if !collapsed {
                    note_keys_before(raw, element, seen);
                }
                match &mut node.fields.collapsed {
                    Some(collapsed) => self.collapsed(collapsed, element, seen),
                    None => true,
                }
            }
            Entered::Unlisted => {
                node.unlisted += 1;
                true
            }
        }
    }

    fn collapsed(&mut self, collapsed: &mut Collapsed, element: &Element<'_>, seen: &mut Seen) -> bool {
        let mut new = false;
        let again = seen.entry(hash_bytes(element.key)).and_modify(|again| {
            collapsed.node.duplicated += u64::from(!*again);
            *again = true;
        });
        again.or_insert_with(|| {
            new = true;
            false
        });
        if new {
            collapsed.node.with += 1;
            collapsed.note(element.key, 1);
        }
        self.value(&mut collapsed.node, element.kind, &element.value);
        new
    }
}

/// Notes the keys in front of an element: those were counted in nodes of their own, which have just become one.
fn note_keys_before(raw: Raw<'_>, element: &Element<'_>, seen: &mut Seen) {
    for before in raw.elements().map_while(Result::ok).take_while(|before| before.offset < element.offset) {
        seen.entry(hash_bytes(before.key)).and_modify(|again| *again = true).or_insert(false);
    }
}
