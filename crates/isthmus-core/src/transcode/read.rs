//! One document level into slots: known keys to their places, everything else to the leftovers.

use crate::batch::Change;
use crate::bson::{too_deep, BsonError, Element, Elements, Raw, Value, MAX_DEPTH};
use crate::ids::Ahead;

use super::conditions;
use super::extras::{self, Leftover};
use super::walk::Walk;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    pub(super) fn reset(&mut self, scope: usize) {
        let (start, end) = self.own.plan.scopes[scope].slots;
        self.slots[start..end].fill(None);
        self.leftovers.clear();
    }

    /// Reads one level into slots, then the levels below that paths go on into.
    ///
    /// `covered`: a rule takes the whole value above, so nothing here is unknown.
    pub(super) fn read(
        &mut self,
        scope: usize,
        node: usize,
        raw: Raw<'d>,
        depth: usize,
        covered: bool,
    ) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(raw.offset()));
        }
        let plan = &self.own.plan;
        let table = plan.scopes[scope].table;
        let level = &plan.nodes[node];
        let first = self.leftovers.len();
        let mut duplicates = 0;
        for element in raw.elements() {
            let element = element?;
            match level.find(element.key) {
                Some(entry) => {
                    let before = self.slots[entry.slot].replace(element.value);
                    if entry.known {
                        if let Some(superseded) = before {
                            superseded.validate_at(depth)?;
                            duplicates += 1;
                        }
                    } else if !covered {
                        self.leftovers.push(Leftover::Field { key: element.key, value: element.value });
                    }
                }
                None if covered => {}
                None => self.leftovers.push(Leftover::Field { key: element.key, value: element.value }),
            }
        }
        if self.leftovers.len() > first + 1 {
            duplicates += extras::supersede(&mut self.leftovers[first..], depth, &mut self.order)?;
        }
        if duplicates > 0 {
            self.books.table_change(table, Change::DuplicateKey, duplicates);
        }
        for &open in &level.open {
            let entry = &level.entries[open];
            let Some(value) = self.slots[entry.slot] else {
                continue;
            };
            let covered = covered || entry.ruled;
            match (entry.below, value) {
                (Some(below), Value::Document(inner)) if !plan.nodes[below].known => {
                    conditions::look(plan, below, inner, depth + 1, &mut self.slots)?
                }
                _ if !entry.known => {}
                (Some(below), Value::Document(inner)) => {
                    if inner.is_empty() && !covered {
                        self.books.table_change(table, Change::EmptyDocument, 1);
                    }
                    let before = self.leftovers.len();
                    self.leftovers.push(Leftover::Open(entry));
                    self.read(scope, below, inner, depth + 1, covered)?;
                    if self.leftovers.len() == before + 1 {
                        self.leftovers.pop();
                    } else {
                        self.leftovers.push(Leftover::Close);
                    }
                }
                _ if covered => {}
                _ => self.leftovers.push(Leftover::Known { entry, value, hidden: false }),
            }
        }
        Ok(())
    }

    /// Derives the first ids of the level in hand together.
    #[inline]
    pub(super) fn derive_ahead(&mut self, scope: usize) {
        let ahead = &mut self.side.ahead;
        ahead.clear();
        for &slot in &self.own.derived[scope] {
            let room = match self.slots[slot] {
                Some(Value::ObjectId(id)) => ahead.push(id),
                Some(Value::Array(raw)) => push_object_ids(raw.elements(), ahead),
                _ => true,
            };
            if !room {
                break;
            }
        }
        self.own.codec.derive_ahead(ahead);
    }
}

/// Pushes the ObjectIds among elements; false when there is no room for more.
#[inline]
pub(super) fn push_object_ids(elements: Elements<'_>, ahead: &mut Ahead) -> bool {
    for element in elements {
        if let Ok(Element { value: Value::ObjectId(id), .. }) = element {
            if !ahead.push(id) {
                return false;
            }
        }
    }
    true
}
