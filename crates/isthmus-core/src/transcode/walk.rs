//! The walk over one block: each document finds its shape, is read into slots, then written table by table.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::batch::{Adjustment, Batch, Change, IdMapEntry};
use crate::bson::{Raw, Value};
use crate::canonical::write_canonical;
use crate::convert::{Converter, Refusal, Side, NULL_FIELD};
use crate::fault::{Cause, Code, Reject};
use crate::ids::{id_text, IdScheme};
use crate::plan::Shape;

use super::books::{Books, ColumnCount};
use super::extras::Leftover;
use super::picks::Picked;
use super::{conditions, document_digest, Transcoder};

/// Everything one call needs, made once and used again for every document.
pub(super) struct Walk<'t, 'd> {
    pub(super) own: &'t Transcoder,
    block: &'d [u8],
    pub(super) batch: Batch,
    pub(super) books: Books<'t>,
    /// By number of the condition.
    skips: Vec<u64>,
    /// The shape of the document in hand.
    pub(super) shape: &'t Shape,
    pub(super) slots: Vec<Option<Value<'d>>>,
    /// By number of the made value: where it came from.
    pub(super) picked: Vec<Picked<'t>>,
    /// The elements of the array in hand.
    pub(super) elements: Vec<Value<'d>>,
    pub(super) leftovers: Vec<Leftover<'t, 'd>>,
    /// Names of the columns of the row in hand that defaults filled, where the row tells them.
    pub(super) filled: Vec<&'t [u8]>,
    pub(super) side: Side,
    pub(super) causes: Vec<Cause>,
    /// The field that id, root id and own columns share.
    pub(super) id_field: Vec<u8>,
    /// Arrays above the row in hand: the field's path and the element's position.
    pub(super) trail: Vec<(Cow<'t, str>, i32)>,
    /// Number of the row in hand, over all tables.
    pub(super) row_number: u64,
    /// By number of the route: the row for which it counted last.
    pub(super) routed: Vec<u64>,
    /// Number of the document in hand.
    document: usize,
    pub(super) bytes_in_hand: &'d [u8],
    marks: Marks,
    /// Where the `other` sides of the pairs of the array in hand lie in their output.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) seen: HashSet<Vec<u8>>,
    bytes: Vec<u8>,
    pub(super) order: Vec<u32>,
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

impl<'t: 'd, 'd> Walk<'t, 'd> {
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
            shape: &plan.shapes[0],
            slots: vec![None; plan.slot_count],
            picked: vec![Picked::default(); plan.made_count],
            elements: Vec::new(),
            leftovers: Vec::new(),
            filled: Vec::new(),
            side: Side::default(),
            causes: Vec::new(),
            id_field: Vec::new(),
            trail: Vec::new(),
            row_number: 0,
            routed: vec![0; plan.route_count],
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
        let chosen = self.choose(bytes);
        let scope = self.shape.scope;
        let (id, read) = match chosen {
            Some(id_slot) => (self.slots[id_slot], None),
            None => {
                // First: a document that cannot be read at all must not keep the id of the one before.
                self.reset(scope);
                let node = self.own.plan.scopes[scope].node;
                let read = Raw::new(bytes).and_then(|raw| self.read(scope, node, raw, 1, false));
                (self.slots[self.shape.id_slot], Some(read))
            }
        };
        self.digest(id, bytes);
        match read {
            None => {}
            Some(Err(error)) => self.malformed(error),
            Some(Ok(())) => {
                let skips = &self.own.plan.skips[self.shape.skips.clone()];
                if let Some(condition) = conditions::applies(skips, &self.slots, self.own.now_ms, &mut self.bytes) {
                    self.skips[self.shape.skips.start + condition] += 1;
                    self.batch.skipped += 1;
                    self.books.undo();
                    return;
                }
                self.picks(scope, 1);
                self.derive_ahead(scope);
                self.id(id);
                self.scope(scope, 1);
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

    /// Finds the shape of a document; when none takes it, leaves a cause and tells the slot of its `_id`.
    #[inline]
    fn choose(&mut self, bytes: &'d [u8]) -> Option<usize> {
        let own = self.own;
        let choice = own.plan.choice.as_ref()?;
        match conditions::choose(&own.plan, choice, bytes, &mut self.slots, own.now_ms, &mut self.bytes) {
            Ok(Some(shape)) => {
                self.shape = &own.plan.shapes[shape];
                return None;
            }
            Ok(None) => match Raw::new(bytes).and_then(|raw| raw.validate()) {
                Err(error) => self.malformed(error),
                Ok(()) => self.causes.push(Cause {
                    code: Code::NoEntry,
                    path: String::new(),
                    bson_type: "object",
                    column: None,
                    value: String::new(),
                    message: format!(
                        "No entry of the mapping takes this document of {}: it meets the `when` of none of the entries \
                         that read this collection.",
                        own.plan.collection
                    ),
                }),
            },
            Err(error) => self.malformed(error),
        }
        Some(choice.id_slot)
    }

    /// Closes the books of the block.
    pub fn finish(mut self) -> Batch {
        for (output, grown) in self.batch.outputs.iter().zip(&self.own.grown) {
            grown.store((output.len() << 10) / self.block.len().max(1), Ordering::Relaxed);
        }
        self.batch.offsets.push(self.block.len());
        self.batch.counts = self.books.counts();
        self.batch.became = self.books.became();
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

    /// Makes the document's id.
    fn id(&mut self, value: Option<Value<'d>>) {
        self.id_field.clear();
        let (own, shape) = (self.own, self.shape);
        let column = own.id_converter(shape);
        let bad = |reason: &'static str| Refusal::new(Code::BadId, reason);
        let written = match &value {
            None => Err(bad("the document has no _id")),
            Some(Value::Array(_) | Value::Regex { .. } | Value::Undefined) => {
                Err(bad("no document can have an _id of this type"))
            }
            Some(Value::Null) if shape.ids == IdScheme::Keep => {
                Err(Refusal::new(Code::Required, "a null cannot be kept as an id"))
            }
            Some(value) => own.write_own_id(shape, value, &mut self.side, &mut self.id_field),
        };
        match (written, &value) {
            (Ok(Some(v)), Some(value)) => self.batch.id_map.push(IdMapEntry {
                collection: own.plan.collection.clone(),
                source_id: value.id_document(),
                id: id_text(v, shape.ids),
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

    /// Takes what a conversion left besides bytes into the books.
    pub(super) fn settle(&mut self, converter: &'t Converter) {
        let column = &converter.column;
        let number = column.number;
        if column.route.is_some() {
            self.settle_route(converter);
        }
        for changed in self.side.changed.drain(..) {
            match changed.exchange {
                None => self.books.column_change(number, changed.kind, changed.times),
                Some(exchange) => self.books.exchanged(number, exchange),
            }
            if let Some(original) = changed.original {
                self.batch.adjustments.push(Adjustment {
                    document: self.document,
                    table: column.table.clone(),
                    column: column.books_name().to_owned(),
                    position: self.trail.last().map(|(_, position)| *position),
                    kind: changed.kind,
                    original,
                });
            }
        }
        if self.side.references > 0 {
            self.count_references(converter, self.side.references);
            self.side.references = 0;
        }
        for rule in self.side.rewritten.drain(..) {
            self.books.rewritten(number, rule);
        }
        self.batch.id_map.append(&mut self.side.id_map);
    }

    /// Counts references of a column that were met and that were kept.
    pub(super) fn count_references(&mut self, converter: &'t Converter, times: u64) {
        self.books.column(converter.column.number, ColumnCount::References, times);
        self.books.column(converter.column.number, ColumnCount::ReferencesMet, times);
    }

    /// Counts that a value of a whole array was taken as its only element.
    pub(super) fn count_single(&mut self, converter: &'t Converter) {
        self.books.column_change(converter.column.number, Change::SingleAsArray, 1);
    }
}
