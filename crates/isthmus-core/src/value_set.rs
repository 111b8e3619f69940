//! Sets of values to look other values up in: the ids of a collection, or the values of a path.
//!
//! Decides what equality of values means there (that of [`crate::value_hash`]), how much memory a set may take, and
//! what it says when it is full: then it turns into a Bloom filter, whose rate of false hits is computed from its bits.

mod bloom;
mod table;

use crate::bson::Value;
use crate::ids::parse_hex_object_id;
use crate::value_hash::hash_wide;

use bloom::Bloom;
use table::Table;

/// A value as the sets know it: ObjectIds exactly, all others by 128 bits of their hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    ObjectId([u8; 12]),
    Other(u128),
}

impl Key {
    /// The key of a value that lies in a validated document.
    #[must_use]
    pub fn of(value: &Value<'_>, scratch: &mut Vec<u8>) -> Self {
        match *value {
            Value::ObjectId(id) => Self::ObjectId(id),
            _ => Self::Other(hash_wide(value, scratch)),
        }
    }

    /// The key of the ObjectId that a text of 24 hex digits writes.
    #[must_use]
    pub fn of_hex(text: &[u8]) -> Option<Self> {
        parse_hex_object_id(text).map(Self::ObjectId)
    }

    /// 128 bits that spread evenly.
    pub(crate) fn hash(&self) -> u128 {
        match self {
            Self::ObjectId(id) => hash_wide(&Value::ObjectId(*id), &mut Vec::new()),
            Self::Other(hash) => *hash,
        }
    }
}

/// A set of values that stays inside its bytes.
#[derive(Debug)]
pub struct ValueSet {
    ids: Table<12>,
    others: Table<16>,
    /// Holds everything, once it did not fit into the tables.
    filter: Option<Bloom>,
    bytes: usize,
    expected: usize,
    count: u64,
    scratch: Vec<u8>,
}

impl ValueSet {
    /// An empty set of at most `bytes` (while a table grows, half as many more); `expected` is how many values there may
    /// be when they do not fit exactly, 0 for four times as many as fit.
    #[must_use]
    pub fn new(bytes: usize, expected: usize) -> Self {
        let (ids, others) = (Table::default(), Table::default());
        Self { ids, others, filter: None, bytes, expected, count: 0, scratch: Vec::new() }
    }

    /// Puts a value in.
    pub fn insert(&mut self, value: &Value<'_>) {
        let key = Key::of(value, &mut self.scratch);
        self.insert_key(&key);
    }

    fn insert_key(&mut self, key: &Key) {
        if self.filter.is_none() {
            let inserted = match *key {
                Key::ObjectId(id) => self.ids.insert(id, self.bytes.saturating_sub(self.others.bytes())),
                Key::Other(hash) => self.others.insert(hash.to_le_bytes(), self.bytes.saturating_sub(self.ids.bytes())),
            };
            if let Some(new) = inserted {
                self.count += u64::from(new);
                return;
            }
        }
        self.filter().insert(key.hash());
        self.count += 1;
    }

    /// The filter, made of what the tables hold if there was none.
    fn filter(&mut self) -> &mut Bloom {
        let (ids, others) = (std::mem::take(&mut self.ids), std::mem::take(&mut self.others));
        let (bytes, expected) = (self.bytes, self.expected);
        let bloom = self.filter.get_or_insert_with(|| {
            let fitting = bytes / 16;
            Bloom::new(if expected > 0 { expected } else { fitting.saturating_mul(4) }, bytes)
        });
        ids.iter().for_each(|id| bloom.insert(Key::ObjectId(*id).hash()));
        others.iter().for_each(|hash| bloom.insert(u128::from_le_bytes(*hash)));
        bloom
    }

    /// Whether a value is in; a filter also says yes to some that are not.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        match (&self.filter, key) {
            (Some(bloom), key) => bloom.contains(key.hash()),
            (None, Key::ObjectId(id)) => self.ids.contains(id),
            (None, Key::Other(hash)) => self.others.contains(&hash.to_le_bytes()),
        }
    }

    /// Takes over all values of another.
    ///
    /// # Errors
    /// A sentence when the other has other limits.
    pub fn merge(&mut self, other: Self) -> Result<(), String> {
        if (self.bytes, self.expected) != (other.bytes, other.expected) {
            return Err("Sets of different limits cannot be merged.".to_owned());
        }
        if self.count == 0 {
            *self = other;
            return Ok(());
        }
        if let Some(bloom) = &other.filter {
            self.filter().merge(bloom);
            self.count += other.count;
            return Ok(());
        }
        other.ids.iter().for_each(|id| self.insert_key(&Key::ObjectId(*id)));
        other.others.iter().for_each(|hash| self.insert_key(&Key::Other(u128::from_le_bytes(*hash))));
        Ok(())
    }

    /// How many values are in; those that came again after the set had turned into a filter count again.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether every answer is certain.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.filter.is_none()
    }

    /// The share of values outside that [`ValueSet::contains`] takes for inside, computed from the filter's bits.
    #[must_use]
    pub fn false_positives(&self) -> f64 {
        self.filter.as_ref().map_or(0.0, Bloom::false_positives)
    }

    /// `{"count": N, "exact": bool, "false_positives": rate}`.
    #[must_use]
    pub fn describe(&self) -> String {
        let (count, exact, rate) = (self.count, self.is_exact(), self.false_positives());
        format!("{{\"count\":{count},\"exact\":{exact},\"false_positives\":{rate}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> Value<'static> {
        let mut id = [7; 12];
        id[8..].copy_from_slice(&number.to_be_bytes());
        Value::ObjectId(id)
    }

    fn contains(set: &ValueSet, value: &Value<'_>) -> bool {
        set.contains(&Key::of(value, &mut Vec::new()))
    }

    #[test]
    fn values_are_found_by_meaning_and_object_ids_by_their_hex() {
        let mut set = ValueSet::new(1 << 20, 0);
        for value in [Value::Int32(5), Value::String(b"x"), Value::ObjectId([0; 12]), Value::ObjectId(*b"abcdefghijkl")]
        {
            set.insert(&value);
            set.insert(&value);
        }
        assert!(contains(&set, &Value::Double(5.0)) && contains(&set, &Value::Symbol(b"x")));
        assert!(contains(&set, &Value::ObjectId([0; 12])));
        assert!(!contains(&set, &Value::Int32(6)) && !contains(&set, &Value::String(b"6162636465666768696a6b6c")));
        assert!(set.contains(&Key::of_hex(b"6162636465666768696A6b6c").unwrap()));
        assert_eq!(set.describe(), "{\"count\":4,\"exact\":true,\"false_positives\":0}");
    }

    #[test]
    fn a_full_set_becomes_a_filter_that_forgets_nothing_and_knows_its_rate() {
        let mut set = ValueSet::new(4096, 2000);
        (0..2000).for_each(|number| set.insert(&id(number)));
        assert!(!set.is_exact());
        assert_eq!(set.count(), 2000);
        assert!((0..2000).all(|number| contains(&set, &id(number))));
        let wrong = (2000..102_000).filter(|number| contains(&set, &id(*number))).count() as f64 / 100_000.0;
        let rate = set.false_positives();
        assert!(rate > 0.0 && (wrong - rate).abs() < 0.2 * rate + 0.0005, "{wrong} {rate}");
    }

    #[test]
    fn sets_merge_in_any_state() {
        let set = |numbers: std::ops::Range<u32>| {
            let mut set = ValueSet::new(4096, 2000);
            numbers.for_each(|number| set.insert(&id(number)));
            set
        };
        for (one, other) in [(0..10, 5..20), (0..2000, 0..10), (0..10, 0..2000), (0..1000, 1000..2000)] {
            let mut merged = set(one.clone());
            merged.merge(set(other.clone())).unwrap();
            assert!(one.chain(other).all(|number| contains(&merged, &id(number))));
        }
        let mut both = set(0..10);
        both.merge(set(5..20)).unwrap();
        assert_eq!((both.count(), both.is_exact()), (20, true));
        assert!(both.merge(ValueSet::new(4096, 1)).is_err());
    }

    #[test]
    fn sets_of_both_kinds_stay_inside_their_bytes() {
        let mut set = ValueSet::new(1 << 16, 0);
        for number in 0..20_000 {
            set.insert(&id(number));
            set.insert(&Value::Int64(i64::from(number)));
            assert!(set.ids.bytes() + set.others.bytes() <= 1 << 16);
        }
        assert!(set.filter.is_some_and(|bloom| bloom.bytes() <= 1 << 16));
    }
}
