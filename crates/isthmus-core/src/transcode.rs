//! Whole documents in, rows of every table out.
//!
//! Decides which documents are carried: each is accepted whole, skipped by the mapping's condition, or rejected with
//! its causes and without any row. What one value becomes is [`crate::convert`]'s business, which rules apply is
//! [`crate::plan`]'s. Nothing here is shared between calls, so one transcoder serves many threads.

mod became;
mod books;
mod causes;
mod conditions;
mod extras;
mod pairs;
mod picks;
mod read;
mod rows;
mod things;
mod waiting;
mod walk;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicUsize;

use crate::batch::Batch;
use crate::bson::{Raw, Value};
use crate::convert::{write_id, Converter, Side};
use crate::frame::MAX_DOCUMENT_BYTES;
use crate::ids::{parse_uuid, IdCodec, IdScheme};
use crate::plan::{Column, Flags, Kind, Pick, Plan, PlanError, Shape};

use books::Layout;
use walk::Walk;

/// A block that is not a row of whole documents, or that cannot be carried as things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockError {
    /// `broken-framing` (the block is not made of whole documents) or `enum-oids` (an array of an enum without the OID
    /// of its type).
    pub code: &'static str,
    /// Bytes from the start of the block.
    pub offset: usize,
    /// A full sentence.
    pub message: String,
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BlockError {}

/// What `find` looks for: the bytes of an id column, or its text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoughtId {
    Bytes(Vec<u8>),
    Text(String),
}

/// A plan with everything prepared: defaults encoded, keys expanded, counters laid out.
#[derive(Debug)]
pub struct Transcoder {
    plan: Plan,
    codec: IdCodec,
    /// The run's start in ms since 1970, for conditions.
    now_ms: i64,
    /// Per table, per column.
    converters: Vec<Vec<Converter>>,
    layout: Layout,
    /// Per scope: slots whose ObjectIds, alone or in an array, will be derived.
    derived: Vec<Vec<usize>>,
    /// Per table: bytes of rows that 1024 bytes of documents gave lately, so that buffers need not grow on the way.
    grown: Vec<AtomicUsize>,
}

impl Transcoder {
    /// Prepares a plan.
    ///
    /// Args: the plan's JSON text; the target's 32-byte id key; the run's start in µs since 1970 (the default `now`);
    /// OIDs of enum types by name, needed only for columns that are arrays of an enum.
    ///
    /// # Errors
    /// A plan that contradicts itself, a key of another length, a default that its column refuses.
    pub fn new(plan: &str, key: &[u8], now_us: i64, enum_oids: &HashMap<String, u32>) -> Result<Self, PlanError> {
        let plan = Plan::parse(plan)?;
        let codec = IdCodec::new(key).ok_or_else(|| PlanError {
            code: "plan",
            table: None,
            column: None,
            message: format!("The id key has {} bytes; it needs 32.", key.len()),
        })?;
        let mut converters = Vec::with_capacity(plan.tables.len());
        for table in &plan.tables {
            let columns = table.columns.iter().map(|column| Converter::new(column, &codec, now_us, enum_oids));
            converters.push(columns.collect::<Result<Vec<_>, _>>()?);
        }
        for pick in &plan.picks {
            if let Pick::Flags(Flags { flags, table, column, .. }) = pick {
                converters[*table][*column].check_labels(&codec, flags.iter().map(|flag| &*flag.label))?;
            }
        }
        let layout = Layout::new(&plan);
        let derived = (0..plan.scopes.len()).map(|scope| derived_slots(&plan, scope)).collect();
        let grown = plan.tables.iter().map(|_| AtomicUsize::new(0)).collect();
        let now_ms = now_us.div_euclid(1_000);
        Ok(Self { plan, codec, now_ms, converters, layout, derived, grown })
    }

    /// The compiled plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Turns whole documents, back to back, into rows, rejects and books.
    ///
    /// # Errors
    /// A block whose lengths do not add up; an enum array without its OID.
    pub fn transcode(&self, block: &[u8]) -> Result<Batch, BlockError> {
        if let Some(column) = self.converters.iter().flatten().find(|converter| converter.lacks_oid()) {
            return Err(BlockError {
                code: "enum-oids",
                offset: 0,
                message: format!(
                    "Column {} is an array of an enum, and the OID of its type was not given.",
                    column.column.qualified
                ),
            });
        }
        let mut walk = Walk::new(self, block);
        let mut at = 0;
        let mut number = 0;
        while at < block.len() {
            let length = document_length(block, at)?;
            walk.document(number, at, &block[at..at + length]);
            at += length;
            number += 1;
        }
        Ok(walk.finish())
    }

    /// The documents whose derived id is among `ids`, in the order of the block: offset, length, and which of the ids.
    ///
    /// Each is asked by the id column of the shape that takes it. Documents that cannot be read, have no id or no shape
    /// are passed over.
    ///
    /// # Errors
    /// A block whose lengths do not add up.
    pub fn find(&self, block: &[u8], ids: &[SoughtId]) -> Result<Vec<(usize, usize, usize)>, BlockError> {
        let sought: Vec<HashMap<Vec<u8>, usize>> =
            self.plan.shapes.iter().map(|shape| self.sought(shape, ids)).collect();
        let mut slots = vec![None; self.plan.slot_count];
        let mut scratch = Vec::new();
        let mut found = Vec::new();
        let mut side = Side::default();
        let mut field = Vec::new();
        let mut at = 0;
        while at < block.len() {
            let length = document_length(block, at)?;
            let document = &block[at..at + length];
            let (shape, id) = match &self.plan.choice {
                None => (Some(0), Raw::new(document).and_then(|raw| raw.get(b"_id")).ok().flatten().map(|e| e.value)),
                Some(choice) => {
                    let shape = conditions::choose(&self.plan, choice, document, &mut slots, self.now_ms, &mut scratch);
                    (shape.ok().flatten(), slots[choice.id_slot])
                }
            };
            if let (Some(shape), Some(value)) = (shape, id) {
                field.clear();
                if self.write_own_id(&self.plan.shapes[shape], &value, &mut side, &mut field).is_ok() {
                    if let Some(number) = sought[shape].get(&field[4..]) {
                        found.push((at, length, *number));
                    }
                }
                side.clear();
            }
            at += length;
        }
        Ok(found)
    }

    /// The bytes of the ids as the id column of a shape holds them, with their positions.
    fn sought(&self, shape: &Shape, ids: &[SoughtId]) -> HashMap<Vec<u8>, usize> {
        let kind = self.id_converter(shape).column.kind.kind;
        ids.iter().enumerate().filter_map(|(number, id)| Some((payload(id, kind)?, number))).collect()
    }

    /// The id column of a shape.
    #[inline]
    fn id_converter(&self, shape: &Shape) -> &Converter {
        &self.converters[shape.tables.start][shape.id_column]
    }

    /// Appends the id field of a document; tells the id's number when it was derived from something else than an
    /// ObjectId, so that it belongs into the id map.
    #[inline]
    fn write_own_id(
        &self,
        shape: &Shape,
        value: &Value<'_>,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Result<Option<u128>, Box<crate::convert::Refusal>> {
        let converter = self.id_converter(shape);
        if shape.ids == IdScheme::Keep {
            converter.field(&self.codec, value, 1, side, out)?;
            return Ok(None);
        }
        let (v, mapped) = match value {
            Value::ObjectId(id) => (side.ahead.get(*id).unwrap_or_else(|| self.codec.derive_object_id(*id)), false),
            other => {
                let derived = self.codec.derive_value(&self.plan.collection, other);
                (derived.map_err(crate::convert::Refusal::bson)?.v, true)
            }
        };
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        write_id(v, shape.ids, converter.column.kind.kind, out);
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(mapped.then_some(v))
    }
}

/// The `_id` of a document as the BSON document `{"_id": value}`; none when it has none or cannot be read that far.
#[must_use]
pub fn source_id(document: &[u8]) -> Option<Vec<u8>> {
    let element = Raw::new(document).and_then(|raw| raw.get(b"_id")).ok()??;
    Some(element.value.id_document())
}

/// The digest by which a later look at the source tells whether a document is the one that was carried: XXH3 with 64
/// bits over its bytes, big-endian. It finds accidents, not forgers; the digest of the whole block resists those.
///
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
#[must_use]
#[inline]
pub fn document_digest(document: &[u8]) -> [u8; 8] {
    xxhash_rust::xxh3::xxh3_64(document).to_be_bytes()
}

/// The slots of a scope whose ObjectIds will be derived, in the order in which they are needed.
fn derived_slots(plan: &Plan, number: usize) -> Vec<usize> {
    let own = plan.shapes.iter().find(|shape| shape.scope == number && shape.ids != IdScheme::Keep);
    let scope = &plan.scopes[number];
    let derives =
        |column: &Column| column.reference.as_ref().is_some_and(|to| to.ids != IdScheme::Keep && !to.by_value);
    let waiting = scope.pendings.iter().map(|pending| &plan.tables[pending.table].columns[pending.column]);
    let columns = plan.tables[scope.table].columns.iter().chain(waiting).filter(|column| derives(column));
    let pairs = scope.junctions.iter().filter(|pairs| derives(&plan.tables[pairs.table].columns[pairs.other]));
    let mut slots: Vec<usize> = own.map(|shape| shape.id_slot).into_iter().collect();
    for slot in columns.filter_map(|column| column.slot).chain(pairs.map(|pairs| pairs.slot)) {
        // The columns of a route share one.
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    slots
}

/// The length of the document at `at`, checked against the block.
#[inline]
pub(crate) fn document_length(block: &[u8], at: usize) -> Result<usize, BlockError> {
    let rest = &block[at..];
    let length = rest.first_chunk::<4>().map_or(0, |head| u32::from_le_bytes(*head) as usize);
    if length < 5 || length > rest.len() || length > MAX_DOCUMENT_BYTES {
        return Err(BlockError {
            code: "broken-framing",
            offset: at,
            message: format!("At byte {at} the block does not hold a whole document (its length would be {length})."),
        });
    }
    Ok(length)
}

/// The bytes that the id column would hold; none when the text is no such id.
fn payload(id: &SoughtId, kind: Kind) -> Option<Vec<u8>> {
    match id {
        SoughtId::Bytes(bytes) => Some(bytes.clone()),
        SoughtId::Text(text) => match kind {
            Kind::Uuid => parse_uuid(text.as_bytes()).map(|bytes| bytes.to_vec()),
            Kind::Smallint => text.parse::<i16>().ok().map(|v| v.to_be_bytes().to_vec()),
            Kind::Integer => text.parse::<i32>().ok().map(|v| v.to_be_bytes().to_vec()),
            Kind::Bigint => text.parse::<i64>().ok().map(|v| v.to_be_bytes().to_vec()),
            _ => Some(text.as_bytes().to_vec()),
        },
    }
}
