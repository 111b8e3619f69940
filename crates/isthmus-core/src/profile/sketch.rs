//! A bottom-k sketch: of all hashes met, the lowest k.
//!
//! Merging two sketches gives the sketch of both, in any order. With fewer than k hashes it is exact; beyond, the
//! highest kept one tells how dense they lie. Source: Bar-Yossef et al., "Counting Distinct Elements in a Data
//! Stream", 2002.

use crate::value_hash::HashedSet;

#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    /// The lowest k are the sketch; up to half as many more wait to be sorted out.
    hashes: HashedSet,
    /// Hashes above are none of the lowest k.
    highest: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { hashes: HashedSet::default(), highest: u64::MAX }
    }
}

impl Sketch {
    #[inline]
    pub(crate) fn add(&mut self, hash: u64, k: usize) {
        if hash <= self.highest {
            self.insert(hash, k);
        }
    }

    fn insert(&mut self, hash: u64, k: usize) {
        if self.hashes.insert(hash) && self.hashes.len() >= k + k / 2 {
            let mut hashes: Vec<u64> = self.hashes.iter().copied().collect();
            let (_, &mut highest, _) = hashes.select_nth_unstable(k - 1);
            self.highest = highest;
            self.hashes.retain(|hash| *hash <= highest);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Self, k: usize) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for hash in other.hashes {
            self.add(hash, k);
        }
    }

    /// The lowest k hashes, ascending.
    pub(crate) fn lowest(&self, k: usize) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.hashes.iter().copied().collect();
        hashes.sort_unstable();
        hashes.truncate(k);
        hashes
    }

    /// About how many different hashes were met; exact below k.
    pub(crate) fn distinct(&self, k: usize) -> u64 {
        estimate(&self.lowest(k), k)
    }
}

/// About how many different hashes there were of which these are the lowest k.
pub(crate) fn estimate(lowest: &[u64], k: usize) -> u64 {
    match lowest.last() {
        Some(&highest) if lowest.len() >= k => {
            let share = (highest as f64 + 1.0) / (u64::MAX as f64 + 1.0);
            ((k - 1) as f64 / share).round() as u64
        }
        _ => lowest.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_hash::hash_bytes;

    fn sketch(numbers: impl Iterator<Item = u32>, k: usize) -> Sketch {
        let mut sketch = Sketch::default();
        numbers.for_each(|number| sketch.add(hash_bytes(&number.to_le_bytes()), k));
        sketch
    }

    #[test]
    fn few_values_are_counted_exactly_however_often_they_come() {
        for count in [0, 1, 5, 31] {
            assert_eq!(sketch((0..count).cycle().take(1000 * count as usize), 32).distinct(32), u64::from(count));
        }
    }

    #[test]
    fn many_values_are_estimated() {
        for count in [1_000, 100_000] {
            let distinct = sketch(0..count, 256).distinct(256) as f64;
            assert!((distinct / f64::from(count) - 1.0).abs() < 0.2, "{distinct} of {count}");
        }
    }

    #[test]
    fn a_sketch_holds_the_lowest_hashes_whatever_the_order() {
        let mut all: Vec<u64> = (0..5000_u32).map(|number| hash_bytes(&number.to_le_bytes())).collect();
        all.sort_unstable();
        assert_eq!(sketch(0..5000, 16).lowest(16), all[..16]);
        for cut in [0, 1, 15, 16, 2500, 4999] {
            let mut merged = sketch(cut..5000, 16);
            merged.merge(sketch(0..cut, 16), 16);
            assert_eq!(merged.lowest(16), all[..16]);
            assert!(merged.hashes.len() < 24);
        }
    }
}
