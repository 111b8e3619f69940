//! Arrays of references as rows of a junction table: one pair an element, nulls left out, equal pairs written once.

use crate::batch::Change;
use crate::bson::{Elements, Value};
use crate::convert::Wrote;
use crate::fault::MAX_CAUSES;
use crate::path::push_index;
use crate::plan::{Junction, Role};

use super::books::ColumnCount;
use super::read::push_object_ids;
use super::walk::Walk;

/// Pairs of one array that are compared one by one; longer arrays are hashed.
const PAIRWISE: usize = 32;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Writes the pairs of one array of references, or of a single one.
    pub(super) fn junction(&mut self, junction: &'t Junction, value: Value<'d>, depth: usize) {
        if self.is_refused(junction.made) {
            return self.refuse_made(junction.made);
        }
        let other = &self.own.converters[junction.table][junction.other];
        let number = other.column.number;
        let level = self.level(junction.made, depth, junction.depth);
        self.pairs.clear();
        self.seen.clear();
        let mut met = 0;
        match value {
            Value::Null | Value::Undefined => self.books.column_change(number, Change::NullArray, 1),
            Value::Array(raw) => {
                let mut elements = raw.elements();
                let mut position = 0;
                while let Some(element) = elements.next() {
                    match element {
                        Ok(element) => {
                            self.derive_pairs_ahead(element.value, &elements);
                            met += self.pair(junction, element.value, Some(position), level + 1);
                            position += 1;
                        }
                        Err(error) => return self.malformed(error),
                    }
                    if self.causes.len() >= MAX_CAUSES {
                        return;
                    }
                }
            }
            single => {
                self.count_single(other);
                met = self.pair(junction, single, None, level);
            }
        }
        if met > 0 {
            let kept = self.pairs.len() as u64;
            self.books.column(number, ColumnCount::ReferencesMet, met);
            self.books.column(number, ColumnCount::References, kept);
            if met > kept {
                self.books.column_change(number, Change::DuplicatePair, met - kept);
            }
        }
    }

    /// Derives an id and those that follow it together, unless that was done already.
    #[inline]
    fn derive_pairs_ahead(&mut self, value: Value<'d>, rest: &Elements<'d>) {
        if let Value::ObjectId(id) = value {
            if self.side.ahead.get(id).is_none() {
                let ahead = &mut self.side.ahead;
                ahead.clear();
                let _ = ahead.push(id) && push_object_ids(rest.clone(), ahead);
                self.own.codec.derive_ahead(ahead);
            }
        }
    }

    /// Writes one pair unless it is a null or was written before; returns how many references were met (0 or 1).
    fn pair(&mut self, junction: &'t Junction, value: Value<'d>, position: Option<usize>, depth: usize) -> u64 {
        let columns = &self.own.converters[junction.table];
        let other = &columns[junction.other];
        if matches!(value, Value::Null | Value::Undefined) {
            self.books.column_change(other.column.number, Change::NullElement, 1);
            return 0;
        }
        let out = &mut self.batch.outputs[junction.table];
        let start = out.len();
        out.extend_from_slice(&2_i16.to_be_bytes());
        let mut side_of_other = (start, start);
        let mut wrote = Ok(Wrote::Null);
        for column in columns {
            if column.column.role == Role::Other {
                let from = out.len();
                wrote = column.field(&self.own.codec, &value, depth, &mut self.side, out);
                side_of_other = (from, out.len());
            } else {
                out.extend_from_slice(&self.id_field);
            }
        }
        match wrote {
            Ok(Wrote::Value) => {}
            Ok(Wrote::Null) => {
                out.truncate(start);
                self.side.clear();
                self.books.column_change(other.column.number, Change::NullElement, 1);
                return 0;
            }
            Err(refusal) => {
                out.truncate(start);
                let mut path = self.path_of(junction.made, &junction.path).into_owned();
                position.into_iter().for_each(|position| push_index(position, &mut path));
                self.refuse(other, &path, Some(value), refusal);
                return 0;
            }
        }
        if self.is_repeated(junction.table, side_of_other) {
            self.batch.outputs[junction.table].truncate(start);
        } else {
            self.pairs.push(side_of_other);
            self.batch.rows[junction.table] += 1;
        }
        // Counted by the array, because only there equal pairs are folded.
        self.side.references = 0;
        if !self.side.is_empty() {
            self.settle(other);
        }
        1
    }

    fn is_repeated(&mut self, table: usize, side: (usize, usize)) -> bool {
        let out = &self.batch.outputs[table];
        let field = &out[side.0..side.1];
        if self.pairs.len() < PAIRWISE {
            return self.pairs.iter().any(|&(start, end)| out[start..end] == *field);
        }
        if self.seen.is_empty() {
            self.seen.extend(self.pairs.iter().map(|&(start, end)| out[start..end].to_vec()));
        }
        !self.seen.insert(field.to_vec())
    }
}
