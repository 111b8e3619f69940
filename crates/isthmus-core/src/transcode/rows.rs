//! Rows from the slots of a scope: the columns of its own table, then what hangs below it.

use std::borrow::Cow;

use crate::batch::Change;
use crate::bson::Value;
use crate::convert::{Converter, Filled, Refusal, Wrote, NULL_FIELD};
use crate::fault::{Code, MAX_CAUSES};
use crate::ids::parse_hex_object_id;
use crate::plan::{Child, Role, Unknown};

use super::books::ColumnCount;
use super::extras;
use super::walk::Walk;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Writes a row from the slots of a scope, then what hangs below it. `depth`: level of the document it came from.
    pub(super) fn scope(&mut self, number: usize, depth: usize) {
        let own = self.own;
        let scope = &own.plan.scopes[number];
        self.row(number, depth);
        for &(slot, dropped) in &scope.drops {
            let Some(value) = self.slots[slot] else {
                continue;
            };
            self.books.dropped(dropped);
            if let Err(error) = value.validate_at(depth) {
                self.malformed(error);
            }
        }
        for junction in &scope.junctions {
            if let Some(value) = self.slots[junction.slot] {
                self.junction(junction, value, depth);
            }
        }
        for child in &scope.children {
            if let Some(value) = self.slots[child.slot] {
                self.children(child, value, depth);
            }
        }
    }

    fn row(&mut self, number: usize, depth: usize) {
        let own = self.own;
        let scope = &own.plan.scopes[number];
        let table = scope.table;
        let columns = &own.converters[table];
        if !self.leftovers.is_empty()
            && (self.shape.unknown == Unknown::DeadLetter || own.plan.tables[table].extras.is_none())
        {
            self.unknown(number);
        }
        self.row_number += 1;
        self.batch.rows[table] += 1;
        self.batch.outputs[table].extend_from_slice(&(columns.len() as i16).to_be_bytes());
        let mut ancestors = 0;
        let mut written = 0;
        for pending in &scope.pendings {
            self.columns(number, &columns[written..pending.after], &mut ancestors, depth);
            written = pending.after;
            self.pending(pending, depth);
        }
        self.columns(number, &columns[written..], &mut ancestors, depth);
    }

    /// Appends fields that follow each other in a row.
    #[inline(always)]
    fn columns(&mut self, number: usize, columns: &'t [Converter], ancestors: &mut usize, depth: usize) {
        let table = self.own.plan.scopes[number].table;
        let mut nulls = 0;
        for column in columns {
            if column.quiet.is_some_and(|slot| self.slots[slot].is_none()) {
                self.books.missing(column.column.number);
                nulls += 1;
                continue;
            }
            self.nulls(table, nulls);
            nulls = 0;
            match column.column.role {
                Role::Value | Role::Reference | Role::Other => self.column(table, column, depth),
                Role::Extras => self.extras(number, column, depth),
                _ => self.by_role(table, column, ancestors),
            }
        }
        self.nulls(table, nulls);
    }

    /// Appends a field that no document field feeds.
    pub(super) fn by_role(&mut self, table: usize, converter: &'t Converter, ancestors: &mut usize) {
        match converter.column.role {
            Role::Position => {
                let position = self.trail.last().map_or(0, |(_, position)| *position);
                self.integer(table, position);
            }
            Role::AncestorPosition => {
                let position = self.trail.get(*ancestors).map_or(0, |(_, position)| *position);
                *ancestors += 1;
                self.integer(table, position);
            }
            Role::Constant | Role::Source => {
                if let Some(Filled::Field { bytes, .. }) = &converter.default {
                    self.batch.outputs[table].extend_from_slice(bytes);
                } else {
                    self.default(table, converter);
                }
            }
            Role::Thing => self.thing(table, converter),
            Role::Filled => self.told_defaults(table, converter),
            _ => self.batch.outputs[table].extend_from_slice(&self.id_field),
        }
    }

    /// Appends the names of the columns that defaults filled in this row; NULL where there are none.
    fn told_defaults(&mut self, table: usize, converter: &'t Converter) {
        let out = &mut self.batch.outputs[table];
        if self.filled.is_empty() {
            out.extend_from_slice(&NULL_FIELD);
        } else if let Err(refusal) = converter.labels(&self.own.codec, &self.filled, &mut self.side, out) {
            self.refuse(converter, "", None, refusal);
        }
        self.filled.clear();
    }

    /// Appends that many NULLs.
    #[inline]
    pub(super) fn nulls(&mut self, table: usize, count: usize) {
        if count > 0 {
            let out = &mut self.batch.outputs[table];
            // Every byte of a NULL's length is the same.
            out.resize(out.len() + count * NULL_FIELD.len(), NULL_FIELD[0]);
        }
    }

    pub(super) fn integer(&mut self, table: usize, value: i32) {
        let out = &mut self.batch.outputs[table];
        out.extend_from_slice(&4_u32.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }

    /// Appends the field of a column that the mapping feeds.
    // Inlined by force: rows have many columns, and only pending ones come from elsewhere.
    #[inline(always)]
    pub(super) fn column(&mut self, table: usize, converter: &'t Converter, depth: usize) {
        let column = &converter.column;
        let value = column.slot.and_then(|slot| self.slots[slot]);
        if converter.things.is_some() && self.linked(table, converter, value, depth) {
            return;
        }
        let by_default = match value {
            None => {
                if column.several.is_some() && self.several(table, converter, depth) {
                    return;
                }
                self.count_absent(converter, ColumnCount::Missing);
                column.default_for_missing
            }
            Some(Value::Null | Value::Undefined) => {
                self.count_absent(converter, ColumnCount::Null);
                column.default_for_null
            }
            Some(_) if self.is_refused(column.made) => {
                self.batch.outputs[table].extend_from_slice(&NULL_FIELD);
                if !column.silent() {
                    self.refuse_made(column.made);
                }
                return;
            }
            Some(value) => {
                let level = self.level(column.made, depth, column.depth);
                let out = &mut self.batch.outputs[table];
                match converter.field(&self.own.codec, &value, level, &mut self.side, out) {
                    Ok(Wrote::Null) if column.required => {
                        self.side.clear();
                        self.refuse_fed(converter, Some(value), required("it stands for null"));
                    }
                    Ok(_) => {
                        if !self.side.is_empty() {
                            self.settle(converter);
                        }
                    }
                    Err(refusal) if column.route.is_some() => {
                        self.refuse_routed(table, converter, value, level, refusal)
                    }
                    Err(refusal) => self.refuse_fed(converter, Some(value), refusal),
                }
                return;
            }
        };
        if by_default && self.default(table, converter) {
            if !column.silent() {
                self.books.filled(column.number, value.is_some());
            }
            if column.tells_default {
                self.filled.push(column.name.as_bytes());
            }
            return;
        }
        self.batch.outputs[table].extend_from_slice(&NULL_FIELD);
        if column.required && !column.silent() {
            let state = if value.is_none() { "the field is missing" } else { "the field is null" };
            self.refuse_fed(converter, value, required(state));
        }
    }

    /// Counts a field that is missing or null.
    #[inline]
    pub(super) fn count_absent(&mut self, converter: &'t Converter, state: ColumnCount) {
        if !converter.column.silent() {
            self.books.column(converter.column.number, state, 1);
        }
    }

    /// Notes that a column refused the value that its field gave.
    #[cold]
    pub(super) fn refuse_fed(&mut self, converter: &'t Converter, value: Option<Value<'d>>, refusal: Box<Refusal>) {
        let path = self.path_of(converter.column.made, &converter.column.path);
        self.refuse(converter, &path, value, refusal);
    }

    /// Appends a column's default; false when there is none for this document.
    fn default(&mut self, table: usize, converter: &'t Converter) -> bool {
        let out = &mut self.batch.outputs[table];
        match &converter.default {
            None => false,
            Some(Filled::Field { bytes, id_map }) => {
                out.extend_from_slice(bytes);
                if converter.column.role == Role::Reference && bytes[..] != NULL_FIELD {
                    self.batch.id_map.extend_from_slice(id_map);
                    if !converter.column.silent() {
                        self.count_references(converter, 1);
                    }
                }
                true
            }
            Some(Filled::IdTime(relaxed)) => {
                let id = match self.slots[self.shape.id_slot] {
                    Some(Value::ObjectId(id)) => Some(id),
                    Some(Value::String(text) | Value::Symbol(text)) => parse_hex_object_id(text),
                    _ => None,
                };
                let Some([a, b, c, d, ..]) = id else {
                    return false;
                };
                let value = Value::DateTime(i64::from(u32::from_be_bytes([a, b, c, d])) * 1_000);
                let wrote = relaxed.field(&self.own.codec, &value, 1, &mut self.side, out);
                self.side.clear();
                if wrote.is_err() {
                    out.truncate(out.len() - NULL_FIELD.len());
                }
                wrote.is_ok()
            }
        }
    }

    fn extras(&mut self, number: usize, converter: &'t Converter, depth: usize) {
        let table = self.own.plan.scopes[number].table;
        if self.leftovers.is_empty() || self.shape.unknown == Unknown::DeadLetter {
            self.batch.outputs[table].extend_from_slice(&NULL_FIELD);
            return;
        }
        let out = &mut self.batch.outputs[table];
        let written = extras::write(&self.leftovers, converter, &self.own.codec, depth, &mut self.side, out);
        match written {
            Ok(_) => {
                self.settle(converter);
                let books = &mut self.books;
                let prefix = &self.own.plan.scopes[number].path;
                extras::for_each_path(&self.leftovers, prefix, &mut self.path, |path, _| books.extra(path.as_bytes()));
            }
            Err(refusal) => self.refuse(converter, "", None, refusal),
        }
    }

    fn children(&mut self, child: &'t Child, value: Value<'d>, depth: usize) {
        if self.is_refused(child.made) {
            return self.refuse_made(child.made);
        }
        let field = self.path_of(child.made, &child.path);
        let inner = &self.own.plan.scopes[child.scope];
        let raw = match value {
            Value::Array(raw) => raw,
            Value::Null | Value::Undefined => {
                self.books.table_change(inner.table, Change::NullArray, 1);
                return;
            }
            other => {
                let what = "is not an array, so it cannot become rows";
                self.misfit((Code::NotAnArray, what), &field, other, inner.table, child.sensitive);
                return;
            }
        };
        let level = self.level(child.made, depth, child.depth) + 2;
        for (position, element) in raw.elements().enumerate() {
            let element = match element {
                Ok(element) => element,
                Err(error) => return self.malformed(error),
            };
            self.trail.push((field.clone(), position as i32));
            match element.value {
                Value::Document(document) => {
                    self.reset(child.scope);
                    match self.read(child.scope, inner.node, document, level, false) {
                        Ok(()) => {
                            self.picks(child.scope, level);
                            self.derive_ahead(child.scope);
                            self.scope(child.scope, level);
                        }
                        Err(error) => self.malformed(error),
                    }
                }
                other => {
                    let what = "is not a document, so it cannot become a row";
                    self.misfit((Code::NotADocument, what), "", other, inner.table, child.sensitive);
                }
            }
            self.trail.pop();
            if self.causes.len() >= MAX_CAUSES {
                return;
            }
        }
    }

    /// The printed path of a value in its scope; of a made one where it really came from.
    #[inline]
    pub(super) fn path_of(&self, made: Option<usize>, path: &'t str) -> Cow<'t, str> {
        match made {
            None => Cow::Borrowed(path),
            Some(made) => self.picked[made].path(path),
        }
    }

    /// A made value is there only to be refused.
    #[inline]
    pub(super) fn is_refused(&self, made: Option<usize>) -> bool {
        made.is_some_and(|made| self.picked[made].refused.is_some())
    }

    /// The level of the document that holds a value which lies `keys` below a document at `depth`.
    #[inline]
    pub(super) fn level(&self, made: Option<usize>, depth: usize, keys: usize) -> usize {
        match made {
            None => depth + keys - 1,
            Some(made) => self.picked[made].level,
        }
    }
}

pub(super) fn required(state: &'static str) -> Box<Refusal> {
    Refusal::new(Code::Required, format!("it is required and {state}"))
}
