//! real and double precision.

use crate::batch::Change;
use crate::bson::Value;
use crate::decimal::Decimal;
use crate::fault::Code;
use crate::plan::Kind;

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    #[inline]
    pub(super) fn float(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let real = self.column.kind.kind == Kind::Real;
        // (the number, whether it is exactly what the document says)
        let (number, exact) = match *value {
            Value::Double(v) => (v, true),
            Value::Int32(v) => (f64::from(v), true),
            Value::Int64(v) => (v as f64, v as f64 as i128 == i128::from(v)),
            Value::Decimal128(bytes) => match Decimal::decode(bytes) {
                Decimal::NaN => (f64::NAN, true),
                Decimal::Infinity { negative: true } => (f64::NEG_INFINITY, true),
                Decimal::Infinity { negative: false } => (f64::INFINITY, true),
                decimal => match decimal.to_f64_exact() {
                    Some(v) => (v, true),
                    None => {
                        let v = decimal.to_f64();
                        if v.is_infinite() {
                            return Err(self.outside());
                        }
                        (v, false)
                    }
                },
            },
            Value::String(text) | Value::Symbol(text) => {
                if !self.column.coerce {
                    return Err(self.wrong_type(value, true));
                }
                let v = read(text).ok_or_else(|| self.unreadable())?;
                if v.is_infinite() && !text.ends_with(b"y") {
                    return Err(self.outside());
                }
                side.count(Change::Coerced);
                if real {
                    let narrow = v as f32;
                    if v.is_finite() && narrow.is_infinite() {
                        return Err(self.outside());
                    }
                    out.extend_from_slice(&narrow.to_be_bytes());
                } else {
                    out.extend_from_slice(&v.to_be_bytes());
                }
                return Ok(Wrote::Value);
            }
            _ => return Err(self.wrong_type(value, false)),
        };
        if !real {
            if !exact {
                self.inexact(value, side)?;
            }
            out.extend_from_slice(&number.to_be_bytes());
            return Ok(Wrote::Value);
        }
        let narrow = number as f32;
        if number.is_finite() && narrow.is_infinite() {
            return Err(self.outside());
        }
        if !exact || (f64::from(narrow) != number && !number.is_nan()) {
            self.inexact(value, side)?;
        }
        out.extend_from_slice(&narrow.to_be_bytes());
        Ok(Wrote::Value)
    }

    fn inexact(&self, value: &Value<'_>, side: &mut Side) -> Result<(), Box<Refusal>> {
        if !self.column.coerce {
            return Err(Refusal::new(Code::Inexact, format!("{} does not hold exactly this number", self.kind_name())));
        }
        self.list(Change::Rounded, value, side);
        Ok(())
    }
}

/// `[+-]digits[.digits][e[+-]digits]`, NaN, Infinity and -Infinity; nothing else.
fn read(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => return Some(f64::NAN),
        b"Infinity" => return Some(f64::INFINITY),
        b"-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if !unsigned.first()?.is_ascii_digit() || !text.last()?.is_ascii_digit() {
        return None;
    }
    // What is left of the grammar is the standard library's own; it knows no other letters than these.
    if !unsigned.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
