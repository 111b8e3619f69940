//! References: the derived id of the document that a value points at.

use crate::batch::IdMapEntry;
use crate::bson::{Raw, Value};
use crate::fault::Code;
use crate::ids::{cuid2, id_text, parse_uuid, standing_id, uuid_bytes, uuid_text, IdCodec, IdScheme};
use crate::json::db_ref;
use crate::plan::Kind;

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    #[inline]
    pub(super) fn reference(
        &self,
        codec: &IdCodec,
        value: &Value<'_>,
        depth: usize,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Converted {
        let Some(reference) = &self.column.reference else {
            return Err(self.wrong_type(value, false));
        };
        if reference.by_value {
            let wrote = self.scalar(codec, value, depth, side, out)?;
            side.references += u64::from(wrote == Wrote::Value);
            return Ok(wrote);
        }
        if matches!(value, Value::Null | Value::Undefined) {
            return Ok(Wrote::Null);
        }
        if let Value::ObjectId(id) = *value {
            if reference.ids != IdScheme::Keep {
                side.references += 1;
                let v = side.ahead.get(id).unwrap_or_else(|| codec.derive_object_id(id));
                write_id(v, reference.ids, self.column.kind.kind, out);
                return Ok(Wrote::Value);
            }
        }
        let value = match *value {
            Value::Array(_) => return Err(self.wrong_type(value, false)),
            Value::Document(raw) => match dbref_id(raw, reference.collection.as_bytes())? {
                // It names a document all the same: the one whose `_id` is null, which no kept id can be.
                Some(Value::Null | Value::Undefined) if reference.ids == IdScheme::Keep => return Ok(Wrote::Null),
                Some(Value::Undefined) => Value::Null,
                Some(id) => id,
                None => *value,
            },
            other => other,
        };
        if reference.ids == IdScheme::Keep {
            let wrote = self.scalar(codec, &value, depth, side, out)?;
            side.references += u64::from(wrote == Wrote::Value);
            return Ok(wrote);
        }
        if let Value::Array(_) = value {
            return Err(self.wrong_type(&value, false));
        }
        if let (true, Value::String(text) | Value::Symbol(text)) = (reference.rewritten, value) {
            if let Some(text) = standing_id(text, reference.ids) {
                side.references += 1;
                write_standing(&text, self.column.kind.kind, out);
                return Ok(Wrote::Value);
            }
        }
        let derived = codec.derive_value(&reference.collection, &value).map_err(Refusal::bson)?;
        side.references += 1;
        if !derived.from_object_id {
            side.id_map.push(IdMapEntry {
                collection: reference.collection.clone(),
                source_id: value.id_document(),
                id: id_text(derived.v, reference.ids),
                from_reference: true,
            });
        }
        write_id(derived.v, reference.ids, self.column.kind.kind, out);
        Ok(Wrote::Value)
    }
}

/// Appends a derived id in the form its column holds, without a length.
#[inline]
pub(crate) fn write_id(v: u128, scheme: IdScheme, kind: Kind, out: &mut Vec<u8>) {
    match (scheme, kind) {
        (IdScheme::Cuid2, _) => out.extend_from_slice(&cuid2(v)),
        (_, Kind::Uuid) => out.extend_from_slice(&uuid_bytes(v)),
        _ => out.extend_from_slice(&uuid_text(uuid_bytes(v))),
    }
}

/// Appends an id that stands as a text, as its column holds it, without a length.
pub(super) fn write_standing(text: &str, kind: Kind, out: &mut Vec<u8>) {
    match parse_uuid(text.as_bytes()).filter(|_| kind == Kind::Uuid) {
        Some(bytes) => out.extend_from_slice(&bytes),
        None => out.extend_from_slice(text.as_bytes()),
    }
}

/// The `$id` of a DBRef into `collection`; none when the document only looks like one or not at all.
///
/// Other keys than those of [`db_ref`], which the specification allows, would be lost here, so a document with them is
/// an ordinary value.
///
/// # Errors
/// `wrong-collection` for a DBRef into another collection; malformed BSON.
fn dbref_id<'a>(raw: Raw<'a>, collection: &[u8]) -> Result<Option<Value<'a>>, Box<Refusal>> {
    match db_ref(raw).map_err(Refusal::bson)? {
        Some(found) if found.collection != collection => Err(Refusal::new(
            Code::WrongCollection,
            format!(
                "it is a DBRef into {} and the mapping says {}",
                String::from_utf8_lossy(found.collection),
                String::from_utf8_lossy(collection)
            ),
        )),
        found => Ok(found.map(|found| found.id)),
    }
}
