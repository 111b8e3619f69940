//! Counters of one block: dense numbers while walking, names at the end, and an undo list for rejected documents.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::batch::{Became, Change, Counts};
use crate::path::{join, print_path};
use crate::plan::Plan;

use super::became;

/// Different paths of unknown fields that are counted by name; more are counted together.
const MAX_EXTRAS_PATHS: usize = 1_000;

/// The name under which further paths are counted together.
const OTHER_PATHS: &str = "(other paths)";

const CHANGES: usize = Change::ALL.len();

/// Counters of one column, before its changes.
#[derive(Debug, Clone, Copy)]
pub(super) enum ColumnCount {
    References,
    /// Before equal pairs of one array were folded.
    ReferencesMet,
    Null,
    Missing,
}

const COLUMN_STRIDE: usize = 4 + CHANGES;

/// Where each counter of a plan lies.
#[derive(Debug)]
pub(super) struct Layout {
    names: Vec<(&'static str, String)>,
    tables: usize,
    drops: usize,
    rewrites: Vec<usize>,
    /// By column: the counter of its first exchange, and that of a missing field for its default.
    exchanges: Vec<(usize, usize)>,
    /// Under which name of `adjusted` each exchange counts, and what it is called.
    became: Vec<(String, String)>,
}

impl Layout {
    pub fn new(plan: &Plan) -> Self {
        let mut names = Vec::new();
        for column in plan.tables.iter().flat_map(|table| &table.columns) {
            for group in ["references", "references_met", "fields_null", "fields_missing"] {
                names.push((group, column.qualified.clone()));
            }
            for change in Change::ALL {
                names.push(("adjusted", format!("{}:{}", column.qualified, change.slug())));
            }
        }
        let tables = names.len();
        for table in &plan.tables {
            for change in Change::ALL {
                names.push(("adjusted", format!("{}:{}", table.name, change.slug())));
            }
        }
        let drops = names.len();
        for path in &plan.dropped {
            names.push(("dropped", path.clone()));
        }
        let mut rewrites = Vec::new();
        for column in plan.tables.iter().flat_map(|table| &table.columns) {
            rewrites.push(names.len());
            for rule in &column.rewrite {
                names.push(("references", join(&column.qualified, &print_path(&rule.written))));
            }
        }
        let (mut exchanges, mut became) = (Vec::new(), Vec::new());
        for column in plan.tables.iter().flat_map(|table| &table.columns) {
            let first = names.len() + became.len();
            exchanges.push((first, first + became::first_filled(column)));
            for (kind, called) in became::exchanges(column) {
                became.push((format!("{}:{}", column.qualified, kind.slug()), called));
            }
        }
        Self { names, tables, drops, rewrites, exchanges, became }
    }

    /// How many counters there are, of which the last ones are those of the exchanges.
    fn len(&self) -> usize {
        self.names.len() + self.became.len()
    }
}

/// Multiplies eight bytes at a time: the keys are short, few and bounded in number.
#[derive(Default)]
pub(super) struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517C_C1B7_2722_0A95);
        }
    }
}

/// The counters of one block.
#[derive(Debug)]
pub(super) struct Books<'t> {
    layout: &'t Layout,
    values: Vec<u64>,
    /// What the document in hand counted once.
    once: Vec<u32>,
    /// What the document in hand counted otherwise, with how often.
    journal: Vec<(u32, u64)>,
    extras: HashMap<Box<[u8]>, u32, BuildHasherDefault<Fold>>,
}

impl<'t> Books<'t> {
    pub fn new(layout: &'t Layout) -> Self {
        Self {
            layout,
            values: vec![0; layout.len() + 1],
            once: Vec::new(),
            journal: Vec::new(),
            extras: HashMap::default(),
        }
    }

    #[inline]
    fn add(&mut self, index: usize, times: u64) {
        self.values[index] += times;
        self.journal.push((index as u32, times));
    }

    #[inline]
    fn add_one(&mut self, index: usize) {
        self.values[index] += 1;
        self.once.push(index as u32);
    }

    /// The field of a column is missing.
    #[inline]
    pub fn missing(&mut self, column: usize) {
        self.add_one(column * COLUMN_STRIDE + ColumnCount::Missing as usize);
    }

    #[inline]
    pub fn column(&mut self, column: usize, count: ColumnCount, times: u64) {
        self.add(column * COLUMN_STRIDE + count as usize, times);
    }

    #[inline]
    pub fn column_change(&mut self, column: usize, change: Change, times: u64) {
        self.add(column * COLUMN_STRIDE + 4 + change as usize, times);
    }

    #[inline]
    pub fn table_change(&mut self, table: usize, change: Change, times: u64) {
        self.add(self.layout.tables + table * CHANGES + change as usize, times);
    }

    /// A value became another one: the exchange of this number, which counts as a change too.
    #[inline]
    pub fn exchanged(&mut self, column: usize, exchange: usize) {
        self.add_one(self.layout.exchanges[column].0 + exchange);
    }

    /// A default was filled in for a field that is missing, or null.
    #[inline]
    pub fn filled(&mut self, column: usize, is_null: bool) {
        self.add_one(self.layout.exchanges[column].1 + usize::from(is_null));
    }

    pub fn dropped(&mut self, index: usize) {
        self.add_one(self.layout.drops + index);
    }

    pub fn rewritten(&mut self, column: usize, rule: usize) {
        self.add_one(self.layout.rewrites[column] + rule);
    }

    /// Counts an unknown field by its printable path.
    pub fn extra(&mut self, path: &[u8]) {
        let other = self.layout.len();
        let index = match self.extras.get(path) {
            Some(&index) => index as usize,
            None if self.extras.len() >= MAX_EXTRAS_PATHS => other,
            None => {
                let index = self.values.len();
                if let Entry::Vacant(vacant) = self.extras.entry(path.into()) {
                    vacant.insert(index as u32);
                }
                self.values.push(0);
                index
            }
        };
        self.add_one(index);
    }

    /// The document is carried: what it added stays.
    #[inline]
    pub fn keep(&mut self) {
        self.once.clear();
        self.journal.clear();
    }

    /// The document is not carried: what it added goes.
    pub fn undo(&mut self) {
        for index in self.once.drain(..) {
            self.values[index as usize] -= 1;
        }
        for (index, times) in self.journal.drain(..) {
            self.values[index as usize] -= times;
        }
    }

    /// All counters that are not zero, by group and name.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        for group in ["adjusted", "references", "references_met", "extras", "dropped", "fields_null", "fields_missing"]
        {
            counts.insert(group, std::collections::BTreeMap::new());
        }
        let mut put = |group: &'static str, name: String, value: u64| {
            if value > 0 {
                *counts.entry(group).or_default().entry(name).or_default() += value;
            }
        };
        for ((group, name), &value) in self.layout.names.iter().zip(&self.values) {
            put(group, name.clone(), value);
        }
        for ((name, _), value) in self.exchanges() {
            put("adjusted", name.clone(), value);
        }
        put("extras", OTHER_PATHS.to_owned(), self.values[self.layout.len()]);
        for (path, &index) in &self.extras {
            put("extras", String::from_utf8_lossy(path).into_owned(), self.values[index as usize]);
        }
        counts
    }

    /// What values became, as often as it was; the sum of a name is what `adjusted` says of it.
    pub fn became(&self) -> Became {
        let mut became = Became::new();
        for ((name, called), value) in self.exchanges().filter(|(_, value)| *value > 0) {
            *became.entry(name.clone()).or_default().entry(called.clone()).or_default() += value;
        }
        became
    }

    fn exchanges(&self) -> impl Iterator<Item = (&'t (String, String), u64)> + '_ {
        self.layout.became.iter().zip(self.values[self.layout.names.len()..].iter().copied())
    }
}
