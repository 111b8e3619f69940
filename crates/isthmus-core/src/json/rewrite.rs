//! Which places inside a jsonb value hold references, which keys are written otherwise, and what a DBRef is.

use crate::bson::{BsonError, Raw, Value};
use crate::ids::IdScheme;

/// In a rule's path: every element of an array.
pub const EVERY_ELEMENT: &str = "[]";

/// One place whose values are ids of another collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteRule {
    pub path: Vec<String>,
    pub collection: String,
    pub ids: IdScheme,
    /// A text that is in the form of these ids is one already.
    pub rewritten: bool,
    /// What is not in the form of an id stays as it is: neither an ObjectId, nor one written out, nor an id already.
    pub keep_others: bool,
}

/// One key that is written as another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameRule {
    pub path: Vec<String>,
    pub to: String,
}

/// The rules of one column, as a tree over their paths: paths are those of the source.
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
    /// What the key that leads here is written as.
    name: Option<Box<[u8]>>,
    /// Whether any of its own keys is written as another.
    renames: bool,
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
            keep_others: false,
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

    /// Takes keys that are written as others, besides the rules; one whose path does not end with a key says nothing.
    #[must_use]
    pub fn with_renames(mut self, renames: impl IntoIterator<Item = RenameRule>) -> Self {
        for RenameRule { path, to } in renames {
            let Some((last, above)) = path.split_last().filter(|(last, _)| *last != EVERY_ELEMENT) else { continue };
            let above = self.place(above);
            self.nodes[above].renames = true;
            let at = self.below(above, last);
            self.nodes[at].name = Some(to.into_bytes().into());
        }
        self
    }

    fn add(&mut self, rule: RewriteRule) {
        let at = self.place(&rule.path);
        self.nodes[at].rule = Some(self.rules.len());
        self.rules.push(rule);
    }

    /// The node of a path.
    fn place(&mut self, path: &[String]) -> usize {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        path.iter().fold(0, |at, segment| self.below(at, segment))
    }

    /// The node one step below another.
    fn below(&mut self, at: usize, segment: &str) -> usize {
        let fresh = self.nodes.len();
        let node = &mut self.nodes[at];
        let below = if segment == EVERY_ELEMENT {
            *node.element.get_or_insert(fresh)
        } else if let Some((_, next)) = node.keys.iter().find(|(key, _)| key == segment.as_bytes()) {
            *next
        } else {
            node.keys.push((segment.as_bytes().to_vec(), fresh));
            fresh
        };
        if below == fresh {
            self.nodes.push(Node::default());
        }
        below
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
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

    /// What the key that leads to a node is written as; none where it stays.
    pub(super) fn name_of(&self, node: usize) -> Option<&[u8]> {
        self.nodes.get(node)?.name.as_deref()
    }

    /// Whether any key of a document at this node is written as another.
    pub(super) fn renames_at(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.renames)
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
