//! smallint, integer, bigint and boolean.

use crate::batch::Change;
use crate::bson::Value;
use crate::decimal::Decimal;
use crate::fault::Code;
use crate::plan::Kind;

use super::{Converted, Converter, Refusal, Side, Wrote};

/// 2^63: the first double beyond a bigint.
const BEYOND_BIGINT: f64 = 9_223_372_036_854_775_808.0;

impl Converter {
    #[inline]
    pub(super) fn integer(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let number = match *value {
            Value::Int32(v) => i64::from(v),
            Value::Int64(v) => v,
            _ => self.whole(value, side)?,
        };
        match self.column.kind.kind {
            Kind::Smallint => {
                let narrow = i16::try_from(number).map_err(|_| self.outside())?;
                out.extend_from_slice(&narrow.to_be_bytes());
            }
            Kind::Integer => {
                let narrow = i32::try_from(number).map_err(|_| self.outside())?;
                out.extend_from_slice(&narrow.to_be_bytes());
            }
            _ => out.extend_from_slice(&number.to_be_bytes()),
        }
        Ok(Wrote::Value)
    }

    /// Numbers that are whole, and what `coerce` reads as one.
    fn whole(&self, value: &Value<'_>, side: &mut Side) -> Result<i64, Box<Refusal>> {
        let fraction = || Refusal::new(Code::Fraction, "it is not a whole number");
        match *value {
            Value::Double(v) => {
                if !v.is_finite() {
                    return Err(self.outside());
                }
                if v.trunc() != v {
                    return Err(fraction());
                }
                if !(-BEYOND_BIGINT..BEYOND_BIGINT).contains(&v) {
                    return Err(self.outside());
                }
                if v == 0.0 && v.is_sign_negative() {
                    side.count(Change::NegativeZero);
                }
                Ok(v as i64)
            }
            Value::Decimal128(bytes) => {
                let decimal = Decimal::decode(bytes);
                if matches!(decimal, Decimal::Finite { .. }) && !decimal.is_integral() {
                    return Err(fraction());
                }
                let number = decimal.to_i64().ok_or_else(|| self.outside())?;
                if decimal.is_negative_zero() {
                    side.count(Change::NegativeZero);
                }
                Ok(number)
            }
            Value::Bool(_) | Value::String(_) | Value::Symbol(_) if !self.column.coerce => {
                Err(self.wrong_type(value, true))
            }
            Value::Bool(v) => {
                side.count(Change::Coerced);
                Ok(i64::from(v))
            }
            Value::String(text) | Value::Symbol(text) => {
                let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return Err(self.unreadable());
                }
                let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                side.count(Change::Coerced);
                number.ok_or_else(|| self.outside())
            }
            _ => Err(self.wrong_type(value, false)),
        }
    }

    #[cold]
    pub(super) fn outside(&self) -> Box<Refusal> {
        Refusal::new(Code::OutOfRange, format!("it lies outside the range of {}", self.kind_name()))
    }

    #[inline]
    pub(super) fn boolean(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        if let Value::Bool(v) = *value {
            out.push(u8::from(v));
            return Ok(Wrote::Value);
        }
        match as_boolean(value) {
            Some(v) if self.column.coerce => {
                side.count(Change::Coerced);
                out.push(u8::from(v));
                Ok(Wrote::Value)
            }
            Some(_) => Err(self.wrong_type(value, true)),
            None => Err(self.wrong_type(value, false)),
        }
    }
}

/// What numbers and texts say that stand for a boolean; none for any other value.
pub(crate) fn as_boolean(value: &Value<'_>) -> Option<bool> {
    match *value {
        Value::Int32(0) | Value::Int64(0) => Some(false),
        Value::Int32(1) | Value::Int64(1) => Some(true),
        Value::Double(0.0) => Some(false),
        Value::Double(1.0) => Some(true),
        Value::String(b"true") | Value::Symbol(b"true") => Some(true),
        Value::String(b"false") | Value::Symbol(b"false") => Some(false),
        _ => None,
    }
}
