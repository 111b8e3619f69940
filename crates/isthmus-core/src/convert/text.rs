//! text and varchar.

use crate::batch::Change;
use crate::bson::Value;
use crate::decimal::{write_double, Decimal};
use crate::fault::Code;
use crate::ids::object_id_hex;
use crate::json::{NulPolicy, Utf8Policy};
use crate::plan::RangePolicy;
use crate::time;

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    #[inline]
    pub(super) fn text(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let start = out.len();
        match *value {
            Value::String(text) | Value::Symbol(text) => self.clean(text, value, side, out)?,
            Value::ObjectId(id) => out.extend_from_slice(&object_id_hex(id)),
            _ if !self.column.coerce => return Err(self.wrong_type(value, coercible(value))),
            Value::Code(text) => {
                self.clean(text, value, side, out)?;
                side.count(Change::Coerced);
            }
            Value::DateTime(millis) => {
                if !time::write_iso(millis, out) {
                    return self.beyond_years(value, side);
                }
                side.count(Change::Coerced);
            }
            _ if coercible(value) => {
                match *value {
                    Value::Int32(v) => out.extend_from_slice(v.to_string().as_bytes()),
                    Value::Int64(v) => out.extend_from_slice(v.to_string().as_bytes()),
                    Value::Bool(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
                    Value::Double(v) => write_double(v, out),
                    Value::Decimal128(bytes) => Decimal::decode(bytes).write_text(out),
                    _ => {}
                }
                side.count(Change::Coerced);
            }
            _ => return Err(self.wrong_type(value, false)),
        }
        if let Some(limit) = self.column.kind.length {
            self.fits(&out[start..], limit as usize)?;
        }
        Ok(Wrote::Value)
    }

    fn beyond_years(&self, value: &Value<'_>, side: &mut Side) -> Converted {
        if self.column.policies.range == RangePolicy::Null && !self.column.required {
            self.list(Change::RangeNull, value, side);
            return Ok(Wrote::Null);
        }
        Err(Refusal::new(Code::Range, "the instant lies outside the years 1 to 9999"))
    }

    /// Characters, as PostgreSQL counts them, against the limit of a varchar.
    #[inline]
    fn fits(&self, text: &[u8], limit: usize) -> Result<(), Box<Refusal>> {
        if text.len() <= limit {
            return Ok(());
        }
        let characters = text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
        if characters <= limit {
            return Ok(());
        }
        Err(Refusal::new(Code::TooLong, format!("it has {characters} characters and {limit} are allowed")))
    }

    /// Appends text that PostgreSQL takes: UTF-8 without NUL, under the column's policies.
    #[inline]
    pub(super) fn clean(
        &self,
        text: &[u8],
        value: &Value<'_>,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Refusal>> {
        if memchr::memchr(0, text).is_none() && std::str::from_utf8(text).is_ok() {
            out.extend_from_slice(text);
            return Ok(());
        }
        self.mend(text, value, side, out)
    }

    #[cold]
    pub(super) fn mend(
        &self,
        text: &[u8],
        value: &Value<'_>,
        side: &mut Side,
        out: &mut Vec<u8>,
    ) -> Result<(), Box<Refusal>> {
        let policies = &self.column.policies;
        if let Err(error) = std::str::from_utf8(text) {
            if policies.utf8 == Utf8Policy::DeadLetter {
                let at = error.valid_up_to();
                return Err(Refusal::new(Code::Utf8, format!("it is not UTF-8 from byte {at} on")));
            }
            self.list(Change::Utf8Replaced, value, side);
        }
        if memchr::memchr(0, text).is_some() {
            if policies.nul == NulPolicy::DeadLetter {
                return Err(Refusal::new(Code::Nul, "it holds a NUL, which PostgreSQL text cannot"));
            }
            self.list(Change::NulRemoved, value, side);
        }
        let readable = String::from_utf8_lossy(text);
        out.extend(readable.bytes().filter(|&byte| byte != 0));
        Ok(())
    }
}

/// Types whose text form is unambiguous.
fn coercible(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Int32(_)
            | Value::Int64(_)
            | Value::Bool(_)
            | Value::Double(_)
            | Value::Decimal128(_)
            | Value::DateTime(_)
            | Value::Code(_)
    )
}
