//! An open-addressed table of byte strings of one length.

use crate::value_hash::hash_bytes;

/// Of four slots three may be taken.
const fn fits(used: usize, slots: usize) -> bool {
    used < slots / 4 * 3
}

const FIRST_SLOTS: usize = 64;
/// Slots between one value that `iter` yields and the next.
const STRIDE: usize = 1021;

/// All zeros mark a free slot; the value of all zeros is noted apart.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    slots: Vec<[u8; N]>,
    used: usize,
    zero: bool,
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self { slots: Vec::new(), used: 0, zero: false }
    }
}

impl<const N: usize> Table<N> {
    const FREE: [u8; N] = [0; N];

    /// Where the search for a value starts.
    #[inline]
    fn start(&self, value: &[u8; N]) -> usize {
        ((u128::from(hash_bytes(value)) * self.slots.len() as u128) >> 64) as usize
    }

    /// The slot of a value, or the free one where it would go; none in a table without slots.
    #[inline]
    fn slot(&self, value: &[u8; N]) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.start(value);
        while self.slots[at] != *value && self.slots[at] != Self::FREE {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        Some(at)
    }

    /// Puts a value in: whether it is new, or none when that would take more than `bytes`.
    #[inline]
    pub(super) fn insert(&mut self, value: [u8; N], bytes: usize) -> Option<bool> {
        if value == Self::FREE {
            return Some(!std::mem::replace(&mut self.zero, true));
        }
        if !fits(self.used, self.slots.len()) && !self.contains(&value) && !self.grow(bytes) {
            return None;
        }
        let at = self.slot(&value)?;
        let new = self.slots[at] == Self::FREE;
        self.slots[at] = value;
        self.used += usize::from(new);
        Some(new)
    }

    #[inline]
    pub(super) fn contains(&self, value: &[u8; N]) -> bool {
        if *value == Self::FREE {
            return self.zero;
        }
        self.slot(value).is_some_and(|at| self.slots[at] == *value)
    }

    #[cold]
    fn grow(&mut self, bytes: usize) -> bool {
        let slots = (self.slots.len() * 2).max(FIRST_SLOTS).min(bytes / N);
        if !fits(self.used, slots) {
            return false;
        }
        let before = std::mem::replace(&mut self.slots, vec![Self::FREE; slots]);
        for value in before.into_iter().filter(|value| *value != Self::FREE) {
            if let Some(at) = self.slot(&value) {
                self.slots[at] = value;
            }
        }
        true
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * N
    }

    /// All values, again and again from the whole range of hashes: who puts them into another table in the order of
    /// their slots fills that from one end, and then every search walks through what is full there.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8; N]> {
        let zero = self.zero.then_some(&Self::FREE);
        let ways = (0..STRIDE).flat_map(|start| self.slots.iter().skip(start).step_by(STRIDE));
        ways.filter(|value| **value != Self::FREE).chain(zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_put_into_another_without_long_searches() {
        let mut table = Table::<4>::default();
        (1..=200_000_u32).for_each(|number| assert_eq!(table.insert(number.to_le_bytes(), 1 << 30), Some(true)));
        let (mut other, mut walked) = (Table::<4>::default(), 0);
        for value in table.iter() {
            assert_eq!(other.insert(*value, 1 << 30), Some(true));
            let (start, at) = (other.start(value), other.slot(value).unwrap());
            walked += if at >= start { at - start } else { at + other.slots.len() - start };
        }
        assert_eq!(other.used, 200_000);
        assert!(walked < 10_000_000, "{walked} steps"); // slot by slot it would be thousands for each value
    }

    #[test]
    fn a_table_knows_what_was_put_in_until_it_is_full() {
        let mut table = Table::<4>::default();
        assert!(!table.contains(&[0; 4]));
        for number in (0..1000_u32).chain(0..1000) {
            assert_eq!(table.contains(&number.to_le_bytes()), table.iter().any(|value| *value == number.to_le_bytes()));
            if number < 20 {
                table.insert(number.to_le_bytes(), 1 << 20);
            }
        }
        let mut table = Table::<4>::default();
        let put = |table: &mut Table<4>, number: u32| table.insert(number.to_le_bytes(), 4096);
        assert!((0..700).all(|number| put(&mut table, number) == Some(true)));
        assert!((0..700).all(|number| put(&mut table, number) == Some(false)));
        let full = (700..2000).find(|number| put(&mut table, *number).is_none()).unwrap();
        assert!(full > 700 && table.bytes() <= 4096);
        assert_eq!((put(&mut table, 0), put(&mut table, 699)), (Some(false), Some(false)));
        assert_eq!(table.iter().count(), full as usize);
        assert!(!table.contains(&full.to_le_bytes()));
    }
}
