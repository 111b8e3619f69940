//! The walk over one block: each document is read into slots, then written table by table.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::batch::{Adjustment, Batch, Change, IdMapEntry};
use crate::bson::{too_deep, BsonError, Element, Elements, Raw, Value, MAX_DEPTH};
use crate::canonical::write_canonical;
use crate::convert::{Converter, Filled, Refusal, Side, Wrote, NULL_FIELD};
use crate::fault::{Cause, Code, Reject, MAX_CAUSES};
use crate::ids::{id_text, parse_hex_object_id, Ahead, IdScheme};
use crate::plan::{Child, Role, Unknown};

use super::books::{Books, ColumnCount};
use super::extras::{self, Leftover};
use super::{document_digest, skip, Transcoder};

/// Everything one call needs, made once and used again for every document.
pub(super) struct Walk<'t, 'd> {
    pub(super) own: &'t Transcoder,
    block: &'d [u8],
    pub(super) batch: Batch,
    pub(super) books: Books<'t>,
    /// By number of the condition.
    skips: Vec<u64>,
    slots: Vec<Option<Value<'d>>>,
    pub(super) leftovers: Vec<Leftover<'t, 'd>>,
    pub(super) side: Side,
    pub(super) causes: Vec<Cause>,
    /// The field that id, root id and own columns share.
    pub(super) id_field: Vec<u8>,
    /// Arrays above the row in hand: the field's path and the element's position.
    pub(super) trail: Vec<(&'t str, i32)>,
    /// Number of the document in hand.
    document: usize,
    pub(super) bytes_in_hand: &'d [u8],
    marks: Marks,
    /// Where the `other` sides of the pairs of the array in hand lie in their output.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) seen: HashSet<Vec<u8>>,
    bytes: Vec<u8>,
    order: Vec<u32>,
    pub(super) path: String,
}

/// Where the outputs stood before the document in hand.
#[derive(Debug, Default)]
struct Marks {
    outputs: Vec<usize>,
    rows: Vec<u64>,
    adjustments: usize,
    id_map: usize,
}

/// Bytes to provide for a table's rows: what the last block gave for its size, and a little more.
fn room(grown: &AtomicUsize, block_bytes: usize) -> usize {
    let rows = (block_bytes >> 10) * grown.load(Ordering::Relaxed);
    rows + rows / 16
}

impl<'t, 'd> Walk<'t, 'd> {
    pub fn new(own: &'t Transcoder, block: &'d [u8]) -> Self {
        let plan = &own.plan;
        let tables = plan.tables.len();
        let outputs = own.grown.iter().map(|grown| Vec::with_capacity(room(grown, block.len()))).collect();
        let batch = Batch {
            bytes_in: block.len(),
            tables: plan.tables.iter().map(|table| table.name.clone()).collect(),
            outputs,
            rows: vec![0; tables],
            digest: blake3::hash(block).into(),
            ..Batch::default()
        };
        Self {
            own,
            block,
            batch,
            books: Books::new(&own.layout),
            skips: vec![0; plan.skips.len()],
            slots: vec![None; plan.slot_count],
            leftovers: Vec::new(),
            side: Side::default(),
            causes: Vec::new(),
            id_field: Vec::new(),
            trail: Vec::new(),
            document: 0,
            bytes_in_hand: &[],
            marks: Marks::default(),
            pairs: Vec::new(),
            seen: HashSet::new(),
            bytes: Vec::new(),
            order: Vec::new(),
            path: String::new(),
        }
    }

    /// Carries, skips or rejects one document; `bytes` are as long as its length field says.
    pub fn document(&mut self, number: usize, offset: usize, bytes: &'d [u8]) {
        self.document = number;
        self.bytes_in_hand = bytes;
        self.batch.documents += 1;
        self.batch.offsets.push(offset);
        self.mark();
        self.reset(0); // first: a document that cannot be read at all must not keep the id of the one before
        let read = Raw::new(bytes).and_then(|raw| self.read(0, self.own.plan.scopes[0].node, raw, 1, false));
        let id = self.slots[self.own.plan.id_slot];
        self.digest(id, bytes);
        match read {
            Err(error) => self.malformed(error),
            Ok(()) => {
                if let Some(condition) = skip::applies(&self.own.plan.skips, &self.slots, &mut self.bytes) {
                    self.skips[condition] += 1;
                    self.batch.skipped += 1;
                    self.books.undo();
                    return;
                }
                self.derive_ahead(0);
                self.id(id);
                self.scope(0, 1);
            }
        }
        if self.causes.is_empty() {
            self.batch.accepted += 1;
            self.books.keep();
        } else {
            self.rollback();
            let source_id = id.map(|value| value.id_document());
            let causes = std::mem::take(&mut self.causes);
            self.batch.rejects.push(Reject { document: number, offset, length: bytes.len(), source_id, causes });
        }
    }

    /// Closes the books of the block.
    pub fn finish(mut self) -> Batch {
        for (output, grown) in self.batch.outputs.iter().zip(&self.own.grown) {
            grown.store((output.len() << 10) / self.block.len().max(1), Ordering::Relaxed);
        }
        self.batch.offsets.push(self.block.len());
        self.batch.counts = self.books.counts();
        for (skip, &count) in self.own.plan.skips.iter().zip(&self.skips) {
            if count > 0 {
                *self.batch.skips.entry(skip.why.clone()).or_default() += count;
            }
        }
        let mut seen = HashSet::with_capacity(self.batch.id_map.len());
        let fresh: Vec<bool> = self.batch.id_map.iter().map(|entry| seen.insert(entry)).collect();
        let mut fresh = fresh.into_iter();
        self.batch.id_map.retain(|_| fresh.next().unwrap_or(true));
        self.batch
    }

    fn mark(&mut self) {
        self.marks.outputs.clear();
        self.marks.outputs.extend(self.batch.outputs.iter().map(Vec::len));
        self.marks.rows.clear();
        self.marks.rows.extend_from_slice(&self.batch.rows);
        self.marks.adjustments = self.batch.adjustments.len();
        self.marks.id_map = self.batch.id_map.len();
    }

    #[cold]
    fn rollback(&mut self) {
        for (output, &length) in self.batch.outputs.iter_mut().zip(&self.marks.outputs) {
            output.truncate(length);
        }
        self.batch.rows.copy_from_slice(&self.marks.rows);
        self.batch.adjustments.truncate(self.marks.adjustments);
        self.batch.id_map.truncate(self.marks.id_map);
        self.books.undo();
        self.trail.clear();
    }

    fn digest(&mut self, id: Option<Value<'d>>, bytes: &[u8]) {
        self.bytes.clear();
        let canonical = id.filter(|value| write_canonical(value, 1, &mut self.bytes).is_ok());
        let first = canonical.map_or([0; 8], |_| document_digest(&self.bytes));
        self.batch.document_digests.extend_from_slice(&first);
        self.batch.document_digests.extend_from_slice(&document_digest(bytes));
    }

    fn reset(&mut self, scope: usize) {
        let (start, end) = self.own.plan.scopes[scope].slots;
        self.slots[start..end].fill(None);
        self.leftovers.clear();
    }

    /// Reads one level into slots, then the levels below that paths go on into.
    ///
    /// `covered`: a rule takes the whole value above, so nothing here is unknown.
    fn read(&mut self, scope: usize, node: usize, raw: Raw<'d>, depth: usize, covered: bool) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(raw.offset()));
        }
        let plan = &self.own.plan;
        let table = plan.scopes[scope].table;
        let level = &plan.nodes[node];
        let first = self.leftovers.len();
        let mut duplicates = 0;
        for element in raw.elements() {
            let element = element?;
            match level.find(element.key) {
                Some(entry) => {
                    let before = self.slots[entry.slot].replace(element.value);
                    if entry.known {
                        if let Some(superseded) = before {
                            superseded.validate_at(depth)?;
                            duplicates += 1;
                        }
                    } else if !covered {
                        self.leftovers.push(Leftover::Field { key: element.key, value: element.value });
                    }
                }
                None if covered => {}
                None => self.leftovers.push(Leftover::Field { key: element.key, value: element.value }),
            }
        }
        if self.leftovers.len() > first + 1 {
            duplicates += extras::supersede(&mut self.leftovers[first..], depth, &mut self.order)?;
        }
        if duplicates > 0 {
            self.books.table_change(table, Change::DuplicateKey, duplicates);
        }
        for &open in &level.open {
            let entry = &level.entries[open];
            let Some(value) = self.slots[entry.slot] else {
                continue;
            };
            let covered = covered || entry.ruled;
            match (entry.below, value) {
                (Some(below), Value::Document(inner)) if !plan.nodes[below].known => {
                    self.look(below, inner, depth + 1)?
                }
                _ if !entry.known => {}
                (Some(below), Value::Document(inner)) => {
                    if inner.is_empty() && !covered {
                        self.books.table_change(table, Change::EmptyDocument, 1);
                    }
                    let before = self.leftovers.len();
                    self.leftovers.push(Leftover::Open(entry));
                    self.read(scope, below, inner, depth + 1, covered)?;
                    if self.leftovers.len() == before + 1 {
                        self.leftovers.pop();
                    } else {
                        self.leftovers.push(Leftover::Close);
                    }
                }
                _ if covered => {}
                _ => self.leftovers.push(Leftover::Known { entry, value }),
            }
        }
        Ok(())
    }

    /// Reads a level, and those below it, that no rule but a condition looks at: into slots and nothing else.
    fn look(&mut self, node: usize, raw: Raw<'d>, depth: usize) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(raw.offset()));
        }
        let level = &self.own.plan.nodes[node];
        for element in raw.elements() {
            let element = element?;
            if let Some(entry) = level.find(element.key) {
                self.slots[entry.slot] = Some(element.value);
            }
        }
        for &open in &level.open {
            let entry = &level.entries[open];
            if let (Some(below), Some(Value::Document(inner))) = (entry.below, self.slots[entry.slot]) {
                self.look(below, inner, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Derives the first ids of the level in hand together.
    #[inline]
    fn derive_ahead(&mut self, scope: usize) {
        let ahead = &mut self.side.ahead;
        ahead.clear();
        for &slot in &self.own.derived[scope] {
            let room = match self.slots[slot] {
                Some(Value::ObjectId(id)) => ahead.push(id),
                Some(Value::Array(raw)) => push_object_ids(raw.elements(), ahead),
                _ => true,
            };
            if !room {
                break;
            }
        }
        self.own.codec.derive_ahead(ahead);
    }

    /// Makes the document's id.
    fn id(&mut self, value: Option<Value<'d>>) {
        self.id_field.clear();
        let own = self.own;
        let column = &own.converters[0][own.id_column];
        let bad = |reason: &'static str| Refusal::new(Code::BadId, reason);
        let written = match &value {
            None => Err(bad("the document has no _id")),
            Some(Value::Array(_) | Value::Regex { .. } | Value::Undefined) => {
                Err(bad("no document can have an _id of this type"))
            }
            Some(Value::Null) if own.plan.ids == IdScheme::Keep => {
                Err(Refusal::new(Code::Required, "a null cannot be kept as an id"))
            }
            Some(value) => own.write_own_id(value, &mut self.side, &mut self.id_field),
        };
        match (written, &value) {
            (Ok(Some(v)), Some(value)) => self.batch.id_map.push(IdMapEntry {
                collection: own.plan.collection.clone(),
                source_id: value.id_document(),
                id: id_text(v, own.plan.ids),
                from_reference: false,
            }),
            (Ok(_), _) => {}
            (Err(refusal), _) => {
                self.id_field.clear();
                self.id_field.extend_from_slice(&NULL_FIELD);
                self.refuse(column, "_id", value, refusal);
            }
        }
        self.settle(column);
    }

    /// Writes a row from the slots of a scope, then what hangs below it. `depth`: level of the document it came from.
    fn scope(&mut self, number: usize, depth: usize) {
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
            && (own.plan.unknown == Unknown::DeadLetter || own.plan.tables[table].extras.is_none())
        {
            self.unknown(number);
        }
        self.batch.rows[table] += 1;
        self.batch.outputs[table].extend_from_slice(&(columns.len() as i16).to_be_bytes());
        let mut ancestors = 0;
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
                Role::Id | Role::RootId | Role::Own => {
                    self.batch.outputs[table].extend_from_slice(&self.id_field);
                }
                Role::Position => {
                    let position = self.trail.last().map_or(0, |(_, position)| *position);
                    self.integer(table, position);
                }
                Role::AncestorPosition => {
                    let position = self.trail.get(ancestors).map_or(0, |(_, position)| *position);
                    ancestors += 1;
                    self.integer(table, position);
                }
                Role::Extras => self.extras(number, column, depth),
            }
        }
        self.nulls(table, nulls);
    }

    /// Appends that many NULLs.
    #[inline]
    fn nulls(&mut self, table: usize, count: usize) {
        if count > 0 {
            let out = &mut self.batch.outputs[table];
            // Every byte of a NULL's length is the same.
            out.resize(out.len() + count * NULL_FIELD.len(), NULL_FIELD[0]);
        }
    }

    fn integer(&mut self, table: usize, value: i32) {
        let out = &mut self.batch.outputs[table];
        out.extend_from_slice(&4_u32.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn column(&mut self, table: usize, converter: &'t Converter, depth: usize) {
        let column = &converter.column;
        let value = column.slot.and_then(|slot| self.slots[slot]);
        let by_default = match value {
            None => {
                self.books.column(column.number, ColumnCount::Missing, 1);
                column.default_for_missing
            }
            Some(Value::Null | Value::Undefined) => {
                self.books.column(column.number, ColumnCount::Null, 1);
                column.default_for_null
            }
            Some(value) => {
                let out = &mut self.batch.outputs[table];
                let level = depth + column.depth - 1;
                match converter.field(&self.own.codec, &value, level, &mut self.side, out) {
                    Ok(Wrote::Null) if column.required => {
                        self.side.clear();
                        self.refuse(converter, &column.path, Some(value), required("the reference is null"));
                    }
                    Ok(_) => {
                        if !self.side.is_empty() {
                            self.settle(converter);
                        }
                    }
                    Err(refusal) => self.refuse(converter, &column.path, Some(value), refusal),
                }
                return;
            }
        };
        if by_default && self.default(table, converter) {
            self.books.column_change(column.number, Change::Default, 1);
            return;
        }
        self.batch.outputs[table].extend_from_slice(&NULL_FIELD);
        if column.required {
            let state = if value.is_none() { "the field is missing" } else { "the field is null" };
            self.refuse(converter, &column.path, value, required(state));
        }
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
                    self.books.column(converter.column.number, ColumnCount::References, 1);
                    self.books.column(converter.column.number, ColumnCount::ReferencesMet, 1);
                }
                true
            }
            Some(Filled::IdTime(relaxed)) => {
                let id = match self.slots[self.own.plan.id_slot] {
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
        if self.leftovers.is_empty() || self.own.plan.unknown == Unknown::DeadLetter {
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
        let raw = match value {
            Value::Array(raw) => raw,
            Value::Null | Value::Undefined => {
                self.books.table_change(self.own.plan.scopes[child.scope].table, Change::NullArray, 1);
                return;
            }
            other => {
                let code = Code::NotAnArray;
                self.misfit(child, code, &child.path, other, "is not an array, so it cannot become rows");
                return;
            }
        };
        let inner = &self.own.plan.scopes[child.scope];
        let level = depth + inner.depth + 1;
        for (position, element) in raw.elements().enumerate() {
            let element = match element {
                Ok(element) => element,
                Err(error) => return self.malformed(error),
            };
            self.trail.push((&child.path, position as i32));
            match element.value {
                Value::Document(document) => {
                    self.reset(child.scope);
                    match self.read(child.scope, inner.node, document, level, false) {
                        Ok(()) => {
                            self.derive_ahead(child.scope);
                            self.scope(child.scope, level);
                        }
                        Err(error) => self.malformed(error),
                    }
                }
                other => {
                    self.misfit(child, Code::NotADocument, "", other, "is not a document, so it cannot become a row")
                }
            }
            self.trail.pop();
            if self.causes.len() >= MAX_CAUSES {
                return;
            }
        }
    }

    /// Takes what a conversion left besides bytes into the books.
    pub(super) fn settle(&mut self, converter: &'t Converter) {
        let column = &converter.column;
        let number = column.number;
        for changed in self.side.changed.drain(..) {
            self.books.column_change(number, changed.kind, changed.times);
            if let Some(original) = changed.original {
                self.batch.adjustments.push(Adjustment {
                    document: self.document,
                    table: column.qualified[..column.qualified.len() - column.name.len() - 1].to_owned(),
                    column: column.name.clone(),
                    position: self.trail.last().map(|(_, position)| *position),
                    kind: changed.kind,
                    original,
                });
            }
        }
        if self.side.references > 0 {
            self.books.column(number, ColumnCount::References, self.side.references);
            self.books.column(number, ColumnCount::ReferencesMet, self.side.references);
            self.side.references = 0;
        }
        for rule in self.side.rewritten.drain(..) {
            self.books.rewritten(number, rule);
        }
        self.batch.id_map.append(&mut self.side.id_map);
    }
}

/// Pushes the ObjectIds among elements; false when there is no room for more.
#[inline]
pub(super) fn push_object_ids(elements: Elements<'_>, ahead: &mut Ahead) -> bool {
    for element in elements {
        if let Ok(Element { value: Value::ObjectId(id), .. }) = element {
            if !ahead.push(id) {
                return false;
            }
        }
    }
    true
}

fn required(state: &'static str) -> Box<Refusal> {
    Refusal::new(Code::Required, format!("it is required and {state}"))
}
