//! Which places inside a jsonb value hold references, and what a DBRef is.

use crate::bson::{BsonError, Raw, Value};
use crate::ids::IdScheme;

/// In a rule's path: every element of an array.
const EVERY_ELEMENT: &str = "[]";

/// One place whose values are ids of another collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteRule {
    pub path: Vec<String>,
    pub collection: String,
    pub ids: IdScheme,
    /// A text that is in the form of these ids is one already.
    pub rewritten: bool,
}

/// The rules of one column, as a tree over their paths.
#[derive(Debug, Clone, Default)]
pub struct Rewrites {
    /// The first node is the column's value itself; empty when there are no rules.
    nodes: Vec<Node>,
    rules: Vec<RewriteRule>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    keys: Vec<(Vec<u8>, usize)>,
    element: Option<usize>,
    rule: Option<usize>,
}

impl Rewrites {
    /// Takes (path, collection, scheme) of each rule; `[]` in a path stands for every array element.
    #[must_use]
    pub fn new(rules: &[(Vec<String>, String, IdScheme)]) -> Self {
        Self::of(rules.iter().map(|(path, collection, ids)| RewriteRule {
            path: path.clone(),
            collection: collection.clone(),
            ids: *ids,
            rewritten: false,
        }))
    }

    /// Takes rules as they are; `[]` in a path stands for every array element.
    #[must_use]
    pub fn of(rules: impl IntoIterator<Item = RewriteRule>) -> Self {
        let mut rewrites = Self::default();
        for rule in rules {
            rewrites.add(rule);
        }
        rewrites
    }

    fn add(&mut self, rule: RewriteRule) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for segment in &rule.path {
            let fresh = self.nodes.len();
            let node = &mut self.nodes[at];
            at = if segment == EVERY_ELEMENT {
                *node.element.get_or_insert(fresh)
            } else if let Some((_, next)) = node.keys.iter().find(|(key, _)| key == segment.as_bytes()) {
                *next
            } else {
                node.keys.push((segment.as_bytes().to_vec(), fresh));
                fresh
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        self.nodes[at].rule = Some(self.rules.len());
        self.rules.push(rule);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule at a position of the list that [`Rewrites::new`] got.
    #[must_use]
    pub fn rule(&self, index: usize) -> Option<&RewriteRule> {
        self.rules.get(index)
    }

    pub(super) fn root(&self) -> Option<usize> {
        (!self.nodes.is_empty()).then_some(0)
    }

    pub(super) fn below_key(&self, node: usize, key: &[u8]) -> Option<usize> {
        let node = self.nodes.get(node)?;
        node.keys.iter().find(|(name, _)| name == key).map(|(_, next)| *next)
    }

    pub(super) fn below_element(&self, node: usize) -> Option<usize> {
        self.nodes.get(node)?.element
    }

    pub(super) fn rule_at(&self, node: usize) -> Option<(usize, &RewriteRule)> {
        let index = self.nodes.get(node)?.rule?;
        Some((index, self.rules.get(index)?))
    }
}

/// The parts of a DBRef that matter here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DbRef<'a> {
    /// The collection's name, raw bytes.
    pub collection: &'a [u8],
    pub id: Value<'a>,
}

/// Reads `{$ref: text, $id: value[, $db: text]}`; `None` for a document with other, more or reordered fields.
/// Source: <https://github.com/mongodb/specifications/blob/master/source/dbref/dbref.md>.
///
/// # Errors
/// Malformed elements.
pub fn db_ref(raw: Raw<'_>) -> Result<Option<DbRef<'_>>, BsonError> {
    let mut elements = raw.elements();
    let Some(first) = elements.next().transpose()? else { return Ok(None) };
    let Value::String(collection) = first.value else { return Ok(None) };
    if first.key != b"$ref" {
        return Ok(None);
    }
    let Some(second) = elements.next().transpose()? else { return Ok(None) };
    if second.key != b"$id" {
        return Ok(None);
    }
    let found = DbRef { collection, id: second.value };
    let Some(third) = elements.next().transpose()? else { return Ok(Some(found)) };
    let named = third.key == b"$db" && matches!(third.value, Value::String(_));
    let last = elements.next().transpose()?.is_none();
    Ok((named && last).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{document, string};

    #[test]
    fn db_ref_needs_exactly_its_fields() {
        let id = Value::Int32(1);
        let name = string("Users");
        let database = string("db");
        let read = |fields: &[(&[u8], &Value<'_>)]| {
            db_ref(Raw::new(&document(fields)).unwrap()).unwrap().map(|found| found.collection.to_vec())
        };
        assert_eq!(read(&[(b"$ref", &name), (b"$id", &id)]), Some(b"Users".to_vec()));
        assert_eq!(read(&[(b"$ref", &name), (b"$id", &id), (b"$db", &database)]), Some(b"Users".to_vec()));
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[(b"$ref", &name)]), None);
        assert_eq!(read(&[(b"$ref", &id), (b"$id", &id)]), None);
        assert_eq!(read(&[(b"$id", &id), (b"$ref", &name)]), None);
        assert_eq!(read(&[(b"$ref", &name), (b"$id", &id), (b"x", &id)]), None);
        assert_eq!(read(&[(b"$ref", &name), (b"$id", &id), (b"$db", &database), (b"x", &id)]), None);
    }
}
