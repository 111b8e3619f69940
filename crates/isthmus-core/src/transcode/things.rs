//! The thing that a document belongs to: in the column that joins documents, and in references that it fills first.

use crate::batch::Change;
use crate::bson::Value;
use crate::convert::{Converter, Refusal, NULL_FIELD};
use crate::fault::Code;

use super::books::ColumnCount;
use super::rows::required;
use super::walk::Walk;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Appends the thing of the document in hand; one that nobody knows of is refused, so that it is never taken for
    /// a thing of its own.
    pub(super) fn thing(&mut self, table: usize, converter: &'t Converter) {
        let id = self.slots[self.shape.id_slot];
        let known = id.and_then(|id| converter.things.as_ref()?.of(&id));
        let out = &mut self.batch.outputs[table];
        out.extend_from_slice(known.flatten().unwrap_or(&NULL_FIELD));
        if known.is_none() && self.id_field[..] != NULL_FIELD {
            let reason = "nobody found out yet with which other documents it is one";
            self.refuse(converter, "_id", id, Refusal::new(Code::ThingUnknown, reason));
        }
    }

    /// Appends the thing that the document in hand belongs to as a reference; false where nobody knows, and the field
    /// alone decides. What the field held is listed when it leads elsewhere.
    pub(super) fn linked(
        &mut self,
        table: usize,
        converter: &'t Converter,
        value: Option<Value<'d>>,
        depth: usize,
    ) -> bool {
        let column = &converter.column;
        let id = self.slots[self.shape.id_slot];
        let Some(thing) = id.and_then(|id| converter.things.as_ref()?.of(&id)) else {
            return false;
        };
        self.batch.outputs[table].extend_from_slice(thing.unwrap_or(&NULL_FIELD));
        let level = self.level(column.made, depth, column.depth);
        match value {
            None => self.count_absent(converter, ColumnCount::Missing),
            Some(Value::Null | Value::Undefined) => self.count_absent(converter, ColumnCount::Null),
            Some(value) => {
                if let Err(error) = value.validate_at(level) {
                    self.malformed(error);
                    return true;
                }
                if !converter.leads_to(&self.own.codec, &value, level, thing) {
                    converter.list(Change::Linked, &value, &mut self.side);
                }
            }
        }
        if thing.is_some() {
            self.side.references += 1;
        } else if column.required {
            self.refuse_fed(converter, value, required("the document belongs to none"));
        }
        self.settle(converter);
        true
    }
}
