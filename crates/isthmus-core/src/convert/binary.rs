//! uuid and bytea.

use crate::batch::Change;
use crate::bson::Value;
use crate::fault::Code;
use crate::ids::parse_uuid;

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    pub(super) fn uuid(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        match *value {
            Value::Binary { subtype: 4, bytes } if bytes.len() == 16 => out.extend_from_slice(bytes),
            Value::Binary { subtype: 3, .. } => {
                return Err(Refusal::new(
                    Code::UuidLegacy,
                    "binary subtype 3 does not say in which order its driver wrote the bytes",
                ))
            }
            Value::String(_) | Value::Symbol(_) if !self.column.coerce => return Err(self.wrong_type(value, true)),
            Value::String(text) | Value::Symbol(text) => {
                out.extend_from_slice(&parse_uuid(text).ok_or_else(|| self.unreadable())?);
                side.count(Change::Coerced);
            }
            _ => return Err(self.wrong_type(value, false)),
        }
        Ok(Wrote::Value)
    }

    pub(super) fn bytea(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let Value::Binary { subtype, bytes } = *value else {
            return Err(self.wrong_type(value, false));
        };
        if subtype != 0 {
            if !self.column.coerce {
                return Err(Refusal::new(
                    Code::Type,
                    format!("bytea would lose the binary subtype {subtype}; only coerce allows that"),
                ));
            }
            self.list(Change::Coerced, value, side);
        }
        out.extend_from_slice(bytes);
        Ok(Wrote::Value)
    }
}
