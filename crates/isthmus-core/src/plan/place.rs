//! Paths placed into tries: every path gets a slot, paths that share their beginning share its entries.

use super::trie::{Entry, Node};
use super::{PlanError, Way};
use crate::path::print_path;

/// Field names of one level; their index counts in 16 bits.
const MAX_KEYS: usize = 60_000;

/// The tries of a plan and the count of their slots.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub nodes: Vec<Node>,
    pub slots: usize,
}

impl Places {
    pub fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    pub fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    /// Walks a path from a node, making what is missing.
    ///
    /// # Errors
    /// A path that is empty, deeper than any document, or not made of keys that BSON can have.
    pub fn place(&mut self, mut node: usize, path: &[String]) -> Result<Way, PlanError> {
        if path.is_empty() {
            return Err(PlanError::plain("A field of the plan has an empty path."));
        }
        if path.len() > crate::bson::MAX_DEPTH {
            return Err(PlanError::plain(format!("The path {} is deeper than any document.", print_path(path))));
        }
        let mut way = Way { slot: 0, path: print_path(path), steps: Vec::with_capacity(path.len()) };
        for (depth, key) in path.iter().enumerate() {
            let number = self.entry(node, key, &path[..=depth])?;
            way.steps.push((node, number));
            way.slot = self.nodes[node].entries[number].slot;
            if depth + 1 < path.len() {
                node = match self.nodes[node].entries[number].below {
                    Some(below) => below,
                    None => {
                        let below = self.node();
                        self.nodes[node].entries[number].below = Some(below);
                        below
                    }
                };
            }
        }
        Ok(way)
    }

    fn entry(&mut self, node: usize, key: &str, path: &[String]) -> Result<usize, PlanError> {
        if key.as_bytes().contains(&0) {
            return Err(PlanError::plain(format!("The path {} holds a NUL, which no BSON key can.", print_path(path))));
        }
        if let Some(index) = self.nodes[node].entries.iter().position(|entry| *entry.key == *key.as_bytes()) {
            return Ok(index);
        }
        if self.nodes[node].entries.len() >= MAX_KEYS {
            return Err(PlanError::plain("A document level of the plan has more than 60,000 fields."));
        }
        let slot = self.slot();
        self.nodes[node].entries.push(Entry {
            key: key.as_bytes().into(),
            slot,
            ruled: false,
            known: false,
            below: None,
            path: print_path(path),
        });
        Ok(self.nodes[node].entries.len() - 1)
    }

    /// Notes that a rule takes what lies at the end of a way; tells whether one did already.
    pub fn claim(&mut self, way: &Way) -> bool {
        let Some(&(node, entry)) = way.steps.last() else {
            return false;
        };
        std::mem::replace(&mut self.nodes[node].entries[entry].ruled, true)
    }

    /// Closes all levels, deeper ones first, so that each entry knows whether a rule goes on below it.
    pub fn seal(&mut self) {
        for number in (0..self.nodes.len()).rev() {
            let mut node = std::mem::take(&mut self.nodes[number]);
            for entry in &mut node.entries {
                entry.known = entry.ruled || entry.below.is_some_and(|below| self.nodes[below].known);
            }
            node.seal();
            self.nodes[number] = node;
        }
    }
}
