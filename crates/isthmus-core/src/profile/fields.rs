//! The keys of the documents at one path, each with its node; together in one node when they are too many.

use crate::plan::trie::{equal, mix};

use super::budget::Budget;
use super::collapsed::Collapsed;
use super::limits::Limits;
use super::node::Node;

const EMPTY: u16 = u16::MAX;
const ID: &[u8] = b"_id";

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) key: Box<[u8]>,
    pub(super) node: Box<Node>,
}

/// Keys in order of first appearance, found by where they stood last or by their hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) entries: Vec<Field>,
    /// What stands for all other keys, once they are more than the limit.
    pub(super) collapsed: Option<Box<Collapsed>>,
    /// These are the fields of whole documents: `_id` keeps its own node whatever happens to the others.
    pub(super) top: bool,
    /// Open-addressed: positions in `entries`.
    index: Vec<u16>,
}

/// What a new key became.
pub(super) enum Entered {
    /// It has a node of its own, at this position.
    At(usize),
    /// It goes to the node that stands for all.
    Collapsed,
    /// No room for another path.
    Unlisted,
}

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.collapsed.is_none()
    }

    /// Where a known key stands; `hint` is where it probably stands.
    #[inline]
    pub(super) fn find(&self, key: &[u8], hint: usize) -> Option<usize> {
        match self.entries.get(hint) {
            Some(field) if equal(&field.key, key) => Some(hint),
            _ => self.search(key),
        }
    }

    fn search(&self, key: &[u8]) -> Option<usize> {
        let mask = self.index.len().checked_sub(1)?;
        let mut at = mix(key) & mask;
        loop {
            let position = self.index[at];
            if position == EMPTY {
                return None;
            }
            let position = usize::from(position);
            if equal(&self.entries[position].key, key) {
                return Some(position);
            }
            at = (at + 1) & mask;
        }
    }

    fn pinned(&self, key: &[u8]) -> bool {
        self.top && key == ID
    }

    /// Makes room for a key that [`Fields::find`] does not know; the keys may collapse for it.
    pub(super) fn enter(&mut self, key: &[u8], limits: &Limits, budget: &mut Budget) -> Entered {
        let pinned = self.pinned(key);
        if self.collapsed.is_some() && !pinned {
            return Entered::Collapsed;
        }
        if !pinned && self.entries.len() - usize::from(self.top && self.search(ID).is_some()) >= limits.keys {
            self.collapse(limits, budget);
            return Entered::Collapsed;
        }
        if !budget.take() {
            return Entered::Unlisted;
        }
        self.entries.push(Field { key: key.into(), node: Box::default() });
        self.list(self.entries.len() - 1);
        Entered::At(self.entries.len() - 1)
    }

    fn list(&mut self, position: usize) {
        if self.index.len() < self.entries.len() * 2 {
            self.index = vec![EMPTY; (self.entries.len() * 4).next_power_of_two().max(8)];
            (0..self.entries.len()).for_each(|position| self.place(position));
        } else {
            self.place(position);
        }
    }

    fn place(&mut self, position: usize) {
        let mask = self.index.len() - 1;
        let mut at = mix(&self.entries[position].key) & mask;
        while self.index[at] != EMPTY {
            at = (at + 1) & mask;
        }
        // Never more entries than `Limits::parse` allows keys.
        self.index[at] = u16::try_from(position).unwrap_or(EMPTY);
    }

    /// Merges the nodes of all keys into one.
    pub(super) fn collapse(&mut self, limits: &Limits, budget: &mut Budget) {
        let (kept, gone): (Vec<Field>, Vec<Field>) =
            std::mem::take(&mut self.entries).into_iter().partition(|field| self.pinned(&field.key));
        let mut collapsed = Box::<Collapsed>::default();
        let before: usize = gone.iter().map(|field| field.node.paths()).sum();
        for field in gone {
            collapsed.note(&field.key, field.node.with);
            collapsed.node.merge(*field.node, limits, &mut Budget::unbounded());
        }
        budget.give_back(before.saturating_sub(collapsed.node.paths()));
        self.index.clear();
        self.entries = kept;
        (0..self.entries.len()).for_each(|position| self.list(position));
        self.collapsed = Some(collapsed);
    }

    /// True when all keys look like data, so that they are values rather than names.
    pub(super) fn look_like_data(&self) -> bool {
        const ENOUGH: usize = 16;
        let keys = || self.entries.iter().map(|field| &*field.key).filter(|key| !self.pinned(key));
        self.collapsed.is_none() && keys().count() >= ENOUGH && Collapsed::look_of(keys()).name() != "mixed"
    }

    /// Takes over another's keys; returns how many values found no room.
    pub(super) fn merge(&mut self, other: Self, limits: &Limits, budget: &mut Budget) -> u64 {
        let mut unlisted = 0;
        for (hint, field) in other.entries.into_iter().enumerate() {
            let place = match self.find(&field.key, hint) {
                Some(at) => Entered::At(at),
                None => self.enter(&field.key, limits, budget),
            };
            match place {
                Entered::At(at) => self.entries[at].node.merge(*field.node, limits, budget),
                Entered::Collapsed => {
                    if let Some(collapsed) = &mut self.collapsed {
                        collapsed.note(&field.key, field.node.with);
                        collapsed.node.merge(*field.node, limits, budget);
                    }
                }
                Entered::Unlisted => unlisted += field.node.present(),
            }
        }
        if let Some(theirs) = other.collapsed {
            if self.collapsed.is_none() {
                self.collapse(limits, budget);
            }
            if let Some(collapsed) = &mut self.collapsed {
                collapsed.merge(*theirs, limits, budget);
            }
        }
        unlisted
    }

    /// Nodes below, all levels down.
    pub(super) fn paths(&self) -> usize {
        let listed: usize = self.entries.iter().map(|field| field.node.paths()).sum();
        listed + self.collapsed.as_ref().map_or(0, |collapsed| collapsed.node.paths())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_hint_and_by_hash() {
        let (limits, mut budget) = (Limits { keys: 500, ..Limits::default() }, Budget::unbounded());
        let mut fields = Fields::default();
        assert!(fields.find(b"", 0).is_none());
        let keys: Vec<Vec<u8>> = (0..300).map(|n| format!("field_{n}_name").into_bytes()).chain([vec![]]).collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(fields.find(key, at).is_none());
            assert!(matches!(fields.enter(key, &limits, &mut budget), Entered::At(place) if place == at));
        }
        for (at, key) in keys.iter().enumerate() {
            assert_eq!((fields.find(key, at), fields.find(key, at + 1)), (Some(at), Some(at)));
        }
        assert!(fields.find(b"field_300_name", 0).is_none());
    }

    #[test]
    fn more_keys_than_the_limit_collapse_and_give_their_room_back() {
        let (limits, mut budget) = (Limits { keys: 3, ..Limits::default() }, Budget::new(4));
        let mut fields = Fields { top: true, ..Fields::default() };
        for key in [&b"_id"[..], b"a", b"b", b"c"] {
            assert!(matches!(fields.enter(key, &limits, &mut budget), Entered::At(_)));
        }
        assert!(matches!(fields.enter(b"d", &limits, &mut budget), Entered::Collapsed));
        assert_eq!((fields.find(b"_id", 0), fields.find(b"a", 1), fields.paths()), (Some(0), None, 2));
        assert!(matches!(fields.enter(b"a", &limits, &mut budget), Entered::Collapsed));
        // The three that went made room for all but the one in whose name they go on.
        assert_eq!((0..9).take_while(|_| budget.take()).count(), 2);
        assert!(budget.reached);
    }

    #[test]
    fn keys_look_like_data_only_when_they_all_do() {
        let (limits, mut budget) = (Limits::default(), Budget::unbounded());
        let mut fields = Fields { top: true, ..Fields::default() };
        fields.enter(b"_id", &limits, &mut budget);
        for number in 0..16 {
            assert!(!fields.look_like_data());
            fields.enter(number.to_string().as_bytes(), &limits, &mut budget);
        }
        assert!(fields.look_like_data());
        fields.enter(b"name", &limits, &mut budget);
        assert!(!fields.look_like_data());
    }
}
