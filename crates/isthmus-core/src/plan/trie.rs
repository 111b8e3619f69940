//! Field names of one document level and how an element's key finds its rule.

/// One known key of a level.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: Box<[u8]>,
    /// Where the walk leaves this key's value.
    pub slot: usize,
    /// A rule names exactly this path; without one the value itself is unknown, only paths below it are known.
    pub ruled: bool,
    /// A rule names this path or one below it; without one only conditions look here, and the field is unknown.
    pub known: bool,
    /// The level below, when paths go on.
    pub below: Option<usize>,
    /// Printed path from the top of its scope.
    pub path: String,
}

const EMPTY: u16 = u16::MAX;

/// One level: its entries and an open-addressed index over their keys.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub entries: Vec<Entry>,
    /// Some entry is known to the rules.
    pub known: bool,
    /// Entries that need a look after the level is read, because paths go on below.
    pub open: Vec<usize>,
    index: Vec<u16>,
    mask: usize,
}

/// Mixes length, first and last bytes: enough to part field names, and two loads instead of a walk over the key.
#[inline]
pub(crate) fn mix(key: &[u8]) -> usize {
    let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
            (Some(head), Some(tail)) => (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail))),
            _ => (key.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)), 0),
        },
    };
    let mixed = (head ^ tail.rotate_left(23) ^ (key.len() as u64) << 57).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as usize
}

/// Compares two keys; up to sixteen bytes by two overlapping words each, which beat a call.
#[inline]
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        4..8 => left.first_chunk::<4>() == right.first_chunk() && left.last_chunk::<4>() == right.last_chunk(),
        8..=16 => left.first_chunk::<8>() == right.first_chunk() && left.last_chunk::<8>() == right.last_chunk(),
        _ => left == right,
    }
}

impl Node {
    /// Builds the index; call once after the last entry.
    pub(super) fn seal(&mut self) {
        let size = (self.entries.len() * 4).next_power_of_two().max(8);
        self.index = vec![EMPTY; size];
        self.mask = size - 1;
        let open = self.entries.iter().enumerate().filter(|(_, entry)| entry.below.is_some());
        self.open = open.map(|(number, _)| number).collect();
        self.known = self.entries.iter().any(|entry| entry.known);
        for (number, entry) in self.entries.iter().enumerate().take(usize::from(EMPTY)) {
            let mut at = mix(&entry.key) & self.mask;
            while self.index[at] != EMPTY {
                at = (at + 1) & self.mask;
            }
            self.index[at] = number as u16;
        }
    }

    /// The entry with this key.
    #[inline]
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<&Entry> {
        let mut at = mix(key) & self.mask;
        loop {
            let number = self.index[at];
            if number == EMPTY {
                return None;
            }
            let entry = &self.entries[usize::from(number)];
            if equal(&entry.key, key) {
                return Some(entry);
            }
            at = (at + 1) & self.mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(keys: &[&str]) -> Node {
        let mut node = Node::default();
        for (slot, key) in keys.iter().enumerate() {
            node.entries.push(Entry {
                key: key.as_bytes().into(),
                slot,
                ruled: true,
                known: true,
                below: None,
                path: (*key).to_owned(),
            });
        }
        node.seal();
        node
    }

    #[test]
    fn find_each_key_returns_its_own_entry() {
        let keys: Vec<String> = (0..300).map(|n| format!("field_{n}_name")).chain(["".into(), "a".into()]).collect();
        let names: Vec<&str> = keys.iter().map(String::as_str).collect();
        let node = node(&names);
        for (slot, key) in names.iter().enumerate() {
            assert_eq!(node.find(key.as_bytes()).map(|entry| entry.slot), Some(slot), "{key}");
        }
        assert!(node.find(b"field_301_name").is_none());
        assert!(node.find(b"b").is_none());
    }

    #[test]
    fn equal_keys_of_every_length_differ_in_every_byte() {
        for length in 0..40_u8 {
            let key: Vec<u8> = (0..length).collect();
            assert!(equal(&key, &key.clone()));
            for at in 0..usize::from(length) {
                let mut other = key.clone();
                other[at] ^= 0x80;
                assert!(!equal(&key, &other), "{length} {at}");
            }
            assert!(!equal(&key, &[key.clone(), vec![0]].concat()));
        }
    }

    #[test]
    fn find_in_an_empty_node_returns_nothing() {
        assert!(node(&[]).find(b"x").is_none());
    }
}
