//! What is known of one path: how often it was met, as what types, and what each type held.

use crate::bson::{kind, type_name};

use super::budget::Budget;
use super::containers::{Arrays, Documents};
use super::few::{Few, Met};
use super::fields::Fields;
use super::limits::Limits;
use super::scalars::{join, Binaries, Dates, Decimals, Doubles, Range, Strings};
use super::sketch::Sketch;

/// Type bytes 0x01 to 0x13, then those of the highest and the lowest key.
const KINDS: usize = 21;

#[inline]
fn slot(kind: u8) -> usize {
    match kind {
        kind::MAX_KEY => 19,
        kind::MIN_KEY => 20,
        // Nothing else comes from the reader.
        kind => usize::from(kind).clamp(1, 19) - 1,
    }
}

/// What is there of each type only when the type was met.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    kinds: [u64; KINDS],
    /// Of a field: documents that have it. Of elements: arrays that are not empty.
    pub(super) with: u64,
    /// Documents in which the key stands more than once.
    pub(super) duplicated: u64,
    /// The last document that had the key, and the last in which it came again, by their number in the walk.
    pub(super) stamp: u64,
    pub(super) repeated: u64,
    pub(super) strings: Option<Box<Strings>>,
    pub(super) integers: Range<i64>,
    pub(super) doubles: Option<Box<Doubles>>,
    pub(super) decimals: Option<Box<Decimals>>,
    pub(super) dates: Option<Box<Dates>>,
    pub(super) arrays: Option<Box<Arrays>>,
    pub(super) documents: Option<Box<Documents>>,
    pub(super) binaries: Option<Box<Binaries>>,
    pub(super) trues: u64,
    pub(super) few: Few,
    pub(super) sketch: Sketch,
    pub(super) fields: Fields,
    pub(super) elements: Option<Box<Node>>,
    /// Values whose path there was no room for.
    pub(super) unlisted: u64,
    /// Values whose key is longer than what is followed.
    pub(super) oversize: u64,
}

impl Node {
    #[inline]
    pub(super) fn count(&mut self, kind: u8) {
        self.kinds[slot(kind)] += 1;
    }

    /// Values of one type.
    pub(super) fn of_kind(&self, kind: u8) -> u64 {
        self.kinds[slot(kind)]
    }

    /// Values of all types.
    pub(super) fn present(&self) -> u64 {
        self.kinds.iter().sum()
    }

    pub(super) fn falses(&self) -> u64 {
        self.of_kind(kind::BOOL) - self.trues
    }

    /// The types that were met, with their counts.
    pub(super) fn types(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let kinds = (1..=19).chain([kind::MAX_KEY, kind::MIN_KEY]);
        kinds.zip(self.kinds).filter(|(_, count)| *count > 0).map(|(kind, count)| (type_name(kind), count))
    }

    /// Notes that a document, known by its number, has this key; true for the first time.
    #[inline]
    pub(super) fn meet(&mut self, stamp: u64) -> bool {
        if self.stamp != stamp {
            self.stamp = stamp;
            self.with += 1;
            return true;
        }
        if self.repeated != stamp {
            self.repeated = stamp;
            self.duplicated += 1;
        }
        false
    }

    /// Counts a scalar as a value of its own.
    #[inline]
    pub(super) fn keep(&mut self, hash: u64, met: Met<'_>, limits: &Limits) {
        if !self.few.see(hash, met, limits) {
            self.sketch.add(hash, limits.sketch);
        }
    }

    /// Takes over what another node knows of the same path.
    pub(super) fn merge(&mut self, other: Self, limits: &Limits, budget: &mut Budget) {
        self.kinds.iter_mut().zip(other.kinds).for_each(|(count, more)| *count += more);
        self.with += other.with;
        self.duplicated += other.duplicated;
        merge_box(&mut self.strings, other.strings, Strings::merge);
        join(&mut self.integers, other.integers);
        merge_box(&mut self.doubles, other.doubles, Doubles::merge);
        merge_box(&mut self.decimals, other.decimals, Decimals::merge);
        merge_box(&mut self.dates, other.dates, Dates::merge);
        merge_box(&mut self.arrays, other.arrays, Arrays::merge);
        merge_box(&mut self.documents, other.documents, Documents::merge);
        merge_box(&mut self.binaries, other.binaries, Binaries::merge);
        self.trues += other.trues;
        self.few.merge(other.few, limits);
        self.sketch.merge(other.sketch, limits.sketch);
        self.unlisted += other.unlisted;
        self.oversize += other.oversize;
        if !other.fields.is_empty() {
            self.unlisted += self.fields.merge(other.fields, limits, budget);
        }
        if let Some(theirs) = other.elements {
            if self.elements.is_none() && budget.take() {
                self.elements = Some(Box::default());
            }
            match &mut self.elements {
                Some(elements) => elements.merge(*theirs, limits, budget),
                None => self.unlisted += theirs.present(),
            }
        }
    }

    /// This node and all below it.
    pub(super) fn paths(&self) -> usize {
        1 + self.fields.paths() + self.elements.as_ref().map_or(0, |elements| elements.paths())
    }

    /// Merges the fields of every document whose keys look like data, from the top down.
    pub(super) fn settle(&mut self, limits: &Limits) {
        if self.fields.look_like_data() {
            self.fields.collapse(limits, &mut Budget::unbounded());
        }
        for field in &mut self.fields.entries {
            field.node.settle(limits);
        }
        if let Some(collapsed) = &mut self.fields.collapsed {
            collapsed.node.settle(limits);
        }
        if let Some(elements) = &mut self.elements {
            elements.settle(limits);
        }
    }
}

fn merge_box<T>(mine: &mut Option<Box<T>>, theirs: Option<Box<T>>, merge: impl Fn(&mut T, &T)) {
    match (mine, theirs) {
        (Some(mine), Some(theirs)) => merge(mine, &theirs),
        (mine @ None, theirs) => *mine = theirs,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_place_of_its_own() {
        let kinds = || (1..=19).chain([kind::MIN_KEY, kind::MAX_KEY]);
        let mut node = Node::default();
        for (times, kind) in kinds().enumerate() {
            (0..=times).for_each(|_| node.count(kind));
        }
        for (times, kind) in kinds().enumerate() {
            assert_eq!(node.of_kind(kind), times as u64 + 1);
            assert!(node.types().any(|found| found == (type_name(kind), times as u64 + 1)));
        }
        assert_eq!((node.present(), node.types().count()), (21 * 22 / 2, 21));
    }

    #[test]
    fn a_key_is_with_its_document_once_and_repeated_once() {
        let mut node = Node::default();
        let met = [1, 1, 1, 2, 3, 3].map(|stamp| node.meet(stamp));
        assert_eq!(met, [true, false, false, true, true, false]);
        assert_eq!((node.with, node.duplicated), (3, 2));
    }
}
