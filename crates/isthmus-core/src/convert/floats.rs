//! real and double precision. Every number becomes the nearest one of the column's own type in one step, never by way of
//! the other.

use std::str::FromStr;

use crate::batch::Change;
use crate::bson::Value;
use crate::decimal::Decimal;
use crate::fault::Code;
use crate::number_text::NumberText;
use crate::plan::Kind;

use super::{Converted, Converter, Refusal, Side, Wrote};

/// A column's floating type.
trait Float: FromStr {
    fn of_double(number: f64) -> Self;
    fn of_int64(number: i64) -> Self;
    fn of_decimal(number: &Decimal) -> Self;
    /// The same number, which every double can hold.
    fn widened(&self) -> f64;
}

impl Float for f64 {
    fn of_double(number: f64) -> Self {
        number
    }

    fn of_int64(number: i64) -> Self {
        number as f64
    }

    fn of_decimal(number: &Decimal) -> Self {
        number.to_f64()
    }

    fn widened(&self) -> f64 {
        *self
    }
}

impl Float for f32 {
    fn of_double(number: f64) -> Self {
        number as f32
    }

    fn of_int64(number: i64) -> Self {
        number as f32
    }

    fn of_decimal(number: &Decimal) -> Self {
        number.to_f32()
    }

    fn widened(&self) -> f64 {
        f64::from(*self)
    }
}

impl Converter {
    #[inline]
    pub(super) fn float(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        if self.column.kind.kind == Kind::Real {
            out.extend_from_slice(&self.nearest::<f32>(value, side)?.to_be_bytes());
        } else {
            out.extend_from_slice(&self.nearest::<f64>(value, side)?.to_be_bytes());
        }
        Ok(Wrote::Value)
    }

    #[inline]
    fn nearest<F: Float>(&self, value: &Value<'_>, side: &mut Side) -> Result<F, Box<Refusal>> {
        let (number, exact, finite) = match *value {
            Value::Double(v) => {
                let number = F::of_double(v);
                let exact = number.widened() == v || v.is_nan();
                (number, exact, v.is_finite())
            }
            Value::Int32(v) => {
                let number = F::of_double(f64::from(v));
                let exact = number.widened() == f64::from(v);
                (number, exact, true)
            }
            Value::Int64(v) => {
                let number = F::of_int64(v);
                let exact = number.widened() as i128 == i128::from(v);
                (number, exact, true)
            }
            Value::Decimal128(bytes) => {
                let decimal = Decimal::decode(bytes);
                let number = F::of_decimal(&decimal);
                let exact = decimal.is_f64(number.widened());
                (number, exact, matches!(decimal, Decimal::Finite { .. }))
            }
            Value::String(text) | Value::Symbol(text) => {
                if !self.column.coerce {
                    return Err(self.wrong_type(value, true));
                }
                let finite = matches!(NumberText::read(text), Some(NumberText::Finite { .. }));
                let number = read(text).ok_or_else(|| self.unreadable())?;
                side.count(Change::Coerced);
                (number, true, finite)
            }
            _ => return Err(self.wrong_type(value, false)),
        };
        if finite && number.widened().is_infinite() {
            return Err(self.outside());
        }
        if !exact {
            self.inexact(value, side)?;
        }
        Ok(number)
    }

    fn inexact(&self, value: &Value<'_>, side: &mut Side) -> Result<(), Box<Refusal>> {
        if !self.column.coerce {
            return Err(Refusal::new(Code::Inexact, format!("{} does not hold exactly this number", self.kind_name())));
        }
        self.list(Change::Rounded, value, side);
        Ok(())
    }
}

/// The number nearest to a text; `None` when it is no number. The standard library reads the whole grammar of
/// [`NumberText`], and words that it does not have.
fn read<F: FromStr>(text: &[u8]) -> Option<F> {
    NumberText::read(text)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}
