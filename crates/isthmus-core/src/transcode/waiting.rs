//! References that are settled once everything is loaded: rows of pending tables, and routes.

use crate::batch::Change;
use crate::bson::Value;
use crate::convert::{Converter, Refusal, Side, NULL_FIELD};
use crate::fault::MAX_CAUSES;
use crate::path::push_index;
use crate::plan::{Pending, Role};

use super::books::ColumnCount;
use super::rows::required;
use super::walk::Walk;

/// Stands for the elements of an empty array, so that it is told from none.
const NO_ELEMENT: i32 = -1;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Writes what waits for one column of the row in hand: a row for its value, or for each element of its array.
    pub(super) fn pending(&mut self, pending: &'t Pending, depth: usize) {
        let converter = &self.own.converters[pending.table][pending.column];
        if !pending.array {
            return self.pending_row(pending, 0, |walk| {
                let start = walk.batch.outputs[pending.table].len();
                walk.column(pending.table, converter, depth);
                walk.batch.outputs[pending.table][start..] != NULL_FIELD
            });
        }
        let column = &converter.column;
        if self.is_refused(column.made) {
            return self.refuse_made(column.made);
        }
        let value = column.slot.and_then(|slot| self.slots[slot]);
        match value {
            None | Some(Value::Null | Value::Undefined) => {
                let (state, reason) = match value {
                    None => (ColumnCount::Missing, "the field is missing"),
                    Some(_) => (ColumnCount::Null, "the field is null"),
                };
                self.count_absent(converter, state);
                if column.required {
                    self.refuse_fed(converter, value, required(reason));
                }
            }
            Some(Value::Array(raw)) => {
                if raw.is_empty() {
                    self.pending_row(pending, NO_ELEMENT, |walk| {
                        walk.nulls(pending.table, 1);
                        true
                    });
                }
                let level = self.level(column.made, depth, column.depth) + 1;
                for (index, element) in raw.elements().enumerate() {
                    match element {
                        Ok(element) => self.pending_element(pending, converter, Some(index), element.value, level),
                        Err(error) => return self.malformed(error),
                    }
                    if self.causes.len() >= MAX_CAUSES {
                        return;
                    }
                }
            }
            Some(single) if column.wrap => {
                self.books.column_change(column.number, Change::Coerced, 1);
                let level = self.level(column.made, depth, column.depth);
                self.pending_element(pending, converter, None, single, level);
            }
            Some(single) => self.refuse_fed(converter, Some(single), converter.not_wrapped(&single)),
        }
    }

    /// `index`: where the element stands; none for a single value.
    fn pending_element(
        &mut self,
        pending: &'t Pending,
        converter: &'t Converter,
        index: Option<usize>,
        value: Value<'d>,
        level: usize,
    ) {
        self.pending_row(pending, index.unwrap_or(0) as i32, |walk| {
            if matches!(value, Value::Null | Value::Undefined) {
                walk.nulls(pending.table, 1);
                return true;
            }
            let out = &mut walk.batch.outputs[pending.table];
            match converter.element_field(&walk.own.codec, &value, level, &mut walk.side, out) {
                Ok(_) => walk.settle(converter),
                Err(refusal) => {
                    let mut path = walk.path_of(converter.column.made, &converter.column.path).into_owned();
                    index.into_iter().for_each(|index| push_index(index, &mut path));
                    walk.refuse(converter, &path, Some(value), refusal);
                }
            }
            true
        });
    }

    /// Writes one row of a pending table; `write` appends the value and says whether the row stays.
    fn pending_row(&mut self, pending: &'t Pending, element: i32, write: impl FnOnce(&mut Self) -> bool) {
        let columns = &self.own.converters[pending.table];
        let start = self.batch.outputs[pending.table].len();
        self.batch.outputs[pending.table].extend_from_slice(&(columns.len() as i16).to_be_bytes());
        let mut ancestors = 0;
        let mut write = Some(write);
        let mut stays = false;
        for column in columns {
            match column.column.role {
                Role::Reference => stays = write.take().is_some_and(|write| write(self)),
                Role::Element => self.integer(pending.table, element),
                _ => self.by_role(pending.table, column, &mut ancestors),
            }
        }
        if stays {
            self.batch.rows[pending.table] += 1;
        } else {
            self.batch.outputs[pending.table].truncate(start);
        }
    }

    /// A column of a route refused its value: it stays NULL, and only when all of them refuse the document does.
    #[cold]
    pub(super) fn refuse_routed(
        &mut self,
        table: usize,
        converter: &'t Converter,
        value: Value<'d>,
        level: usize,
        refusal: Box<Refusal>,
    ) {
        self.side.clear();
        let own = self.own;
        let Some(route) = &converter.column.route else {
            return;
        };
        let takes = |&column: &usize| {
            let mut out = Vec::new();
            own.converters[table][column].field(&own.codec, &value, level, &mut Side::default(), &mut out).is_ok()
        };
        if route.first && !route.columns.iter().any(takes) {
            self.refuse_fed(converter, Some(value), refusal);
        }
    }

    /// Takes what a column of a route left: one value counts once, and only the first column says how it changed.
    pub(super) fn settle_route(&mut self, converter: &'t Converter) {
        let Some(route) = &converter.column.route else {
            return;
        };
        if !route.first {
            self.side.changed.clear();
        }
        if std::mem::take(&mut self.side.references) > 0 && self.routed[route.number] != self.row_number {
            self.routed[route.number] = self.row_number;
            self.count_references(converter, 1);
        }
    }
}
