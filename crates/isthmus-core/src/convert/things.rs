//! Which thing a document belongs to, in the form in which a column holds it, and what leads to the same thing.

use std::collections::HashMap;

use crate::bson::Value;
use crate::ids::{parse_uuid, IdCodec, IdScheme};
use crate::plan::{Column, Kind, Member, PlanError, Things};

use super::references::write_standing;
use super::{write_id, Converter, Side, Wrote, NULL_FIELD};

/// The things of a column: fields with their lengths, ready to be written.
#[derive(Debug, Default)]
pub(crate) struct EncodedThings {
    /// By `{"_id": value}` as BSON; none for a document that belongs to no thing.
    of: HashMap<Box<[u8]>, Option<Box<[u8]>>>,
    /// Of a reference: what a value becomes that leads to a document → that document's thing.
    leads: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl EncodedThings {
    /// Encodes what the plan says.
    ///
    /// # Errors
    /// A thing that is no id of the column's type; a document whose `_id` cannot be read.
    pub fn new(things: &Things, column: &Column, codec: &IdCodec) -> Result<Self, PlanError> {
        let wrong = |what: &str| PlanError::misfit("thing", column, what);
        let scheme = column.reference.as_ref().map_or(IdScheme::Keep, |reference| reference.ids);
        let kind = column.kind.kind;
        let encoded = |thing: &str| {
            if kind == Kind::Uuid && parse_uuid(thing.as_bytes()).is_none() {
                return Err(wrong("it is no UUID."));
            }
            Ok(field(|out| write_standing(thing, kind, out)))
        };
        let mut found = Self::default();
        for (document, thing) in &things.of {
            found.of.insert(document.clone(), thing.as_deref().map(encoded).transpose()?);
        }
        for Member { collection, document, thing } in &things.members {
            let derived = Value::of_id_document(document).and_then(|id| codec.derive_value(collection, &id));
            let derived = derived.map_err(|error| wrong(&error.to_string()))?;
            found.leads.insert(field(|out| write_id(derived.v, scheme, kind, out)), encoded(thing)?);
        }
        Ok(found)
    }

    /// The field of the thing that a document belongs to; NULL where it belongs to none, none where nobody knows.
    pub fn of(&self, id: &Value<'_>) -> Option<Option<&[u8]>> {
        self.of.get(id.id_document().as_slice()).map(Option::as_deref)
    }
}

impl Converter {
    /// Whether a value leads to a thing, given as its field; nothing is lost then when the thing is written instead.
    pub fn leads_to(&self, codec: &IdCodec, value: &Value<'_>, level: usize, thing: Option<&[u8]>) -> bool {
        let mut out = Vec::new();
        match self.field(codec, value, level, &mut Side::default(), &mut out) {
            Ok(Wrote::Null) => true,
            Ok(Wrote::Value) => {
                let known = self.things.as_ref().and_then(|things| things.leads.get(out.as_slice()));
                thing.is_some_and(|thing| out == thing || known.is_some_and(|known| **known == *thing))
            }
            Err(_) => false,
        }
    }
}

/// A field with its length.
fn field(write: impl FnOnce(&mut Vec<u8>)) -> Box<[u8]> {
    let mut out = NULL_FIELD.to_vec();
    write(&mut out);
    let length = (out.len() - NULL_FIELD.len()) as u32;
    out[..NULL_FIELD.len()].copy_from_slice(&length.to_be_bytes());
    out.into_boxed_slice()
}
