//! Keys that are data: what is known of them, and one node for the values of all.

use crate::value_hash::hash_bytes;

use super::budget::Budget;
use super::limits::Limits;
use super::node::Node;
use super::oddities::{Oddity, Odds};
use super::shapes::Looks;
use super::sketch::Sketch;

/// Keys that are shown.
const EXAMPLES: usize = 5;

#[derive(Debug, Clone)]
pub(super) struct Collapsed {
    /// Hashes of the keys.
    pub(super) keys: Sketch,
    /// Those keys whose hashes are the lowest, so that neither order nor merging matters.
    pub(super) examples: Vec<(u64, Box<[u8]>)>,
    /// What all keys look like.
    pub(super) look: Looks,
    /// Keys that PostgreSQL or a path has trouble with, by document.
    pub(super) odds: Odds,
    pub(super) node: Node,
}

impl Default for Collapsed {
    fn default() -> Self {
        Self {
            keys: Sketch::default(),
            examples: Vec::new(),
            look: Looks::ALL,
            odds: Odds::default(),
            node: Node::default(),
        }
    }
}

/// Keys are counted with a sketch of this size.
pub(super) const KEY_SKETCH: usize = 512;

impl Collapsed {
    /// What all these keys look like.
    pub(super) fn look_of<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Looks {
        keys.fold(Looks::ALL, |look, key| look.and(Looks::of(key)))
    }

    /// Notes a key that stands in `documents` documents.
    pub(super) fn note(&mut self, key: &[u8], documents: u64) {
        let hash = hash_bytes(key);
        self.keys.add(hash, KEY_SKETCH);
        if self.look != Looks::NONE {
            self.look = self.look.and(Looks::of(key));
        }
        self.odds.add(Oddity::of(key), documents);
        self.example(hash, key);
    }

    fn example(&mut self, hash: u64, key: &[u8]) {
        let full = self.examples.len() >= EXAMPLES;
        if full && self.examples.last().is_some_and(|(highest, _)| *highest <= hash) {
            return;
        }
        if let Err(at) = self.examples.binary_search_by_key(&hash, |(hash, _)| *hash) {
            self.examples.insert(at, (hash, key.into()));
            self.examples.truncate(EXAMPLES);
        }
    }

    pub(super) fn merge(&mut self, other: Self, limits: &Limits, budget: &mut Budget) {
        self.keys.merge(other.keys, KEY_SKETCH);
        self.look = self.look.and(other.look);
        self.odds.merge(&other.odds);
        for (hash, key) in other.examples {
            self.example(hash, &key);
        }
        self.node.merge(other.node, limits, budget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_look_number_and_five_examples() {
        let keys: Vec<String> = (0..40).map(|number| format!("{number}")).collect();
        let gathered = |keys: &[String]| {
            let mut collapsed = Collapsed::default();
            keys.iter().for_each(|key| collapsed.note(key.as_bytes(), 1));
            collapsed
        };
        let whole = gathered(&keys);
        assert_eq!((whole.look.name(), whole.keys.distinct(KEY_SKETCH), whole.examples.len()), ("number", 40, 5));
        for cut in [0, 3, 20, 40] {
            let mut merged = gathered(&keys[cut..]);
            merged.merge(gathered(&keys[..cut]), &Limits::default(), &mut Budget::unbounded());
            assert_eq!(merged.examples, whole.examples);
            assert_eq!(merged.look, whole.look);
        }
        let mut named = whole;
        named.note(b"name", 1);
        assert_eq!(named.look.name(), "mixed");
    }
}
