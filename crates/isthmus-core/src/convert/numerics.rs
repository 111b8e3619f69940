//! numeric, with and without precision.

use crate::batch::Change;
use crate::bson::Value;
use crate::decimal::Decimal;
use crate::fault::Code;
use crate::numeric::{self, Outcome, Rounding};

use super::{Converted, Converter, Refusal, Side, Wrote};

impl Converter {
    pub(super) fn numeric(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let rounding = if self.column.coerce { Rounding::HalfEven } else { Rounding::Refuse };
        let typmod = self.typmod;
        let outcome = match *value {
            Value::Int32(v) => numeric::write_i64(i64::from(v), typmod, out),
            Value::Int64(v) => numeric::write_i64(v, typmod, out),
            Value::Double(v) => {
                if v == 0.0 && v.is_sign_negative() {
                    side.count(Change::NegativeZero);
                }
                numeric::write_f64(v, typmod, rounding, out)
            }
            Value::Decimal128(bytes) => match Decimal::decode(bytes) {
                Decimal::NaN => {
                    numeric::write_nan(out);
                    Outcome::Exact
                }
                Decimal::Infinity { negative } => numeric::write_infinity(negative, typmod, out),
                decimal @ Decimal::Finite { negative, coefficient, exponent } => {
                    if decimal.is_negative_zero() {
                        side.count(Change::NegativeZero);
                    }
                    numeric::write_decimal(negative, coefficient, exponent, typmod, rounding, out)
                }
            },
            Value::String(text) | Value::Symbol(text) => {
                if !self.column.coerce {
                    return Err(self.wrong_type(value, true));
                }
                side.count(Change::Coerced);
                numeric::write_text(text, typmod, rounding, out).ok_or_else(|| self.unreadable())?
            }
            _ => return Err(self.wrong_type(value, false)),
        };
        match outcome {
            Outcome::Exact => Ok(Wrote::Value),
            Outcome::Rounded => {
                self.list(Change::Rounded, value, side);
                Ok(Wrote::Value)
            }
            Outcome::ScaleLost => {
                let places = self.column.kind.scale.unwrap_or(0);
                Err(Refusal::new(Code::Scale, format!("it has more than {places} digits after the point")))
            }
            Outcome::Overflow => Err(self.outside()),
        }
    }
}
