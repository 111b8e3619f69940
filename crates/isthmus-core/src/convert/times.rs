//! date, timestamp and timestamptz.

use crate::batch::Change;
use crate::bson::Value;
use crate::fault::Code;
use crate::ids::IdCodec;
use crate::plan::{Kind, RangePolicy};
use crate::time::{self, Rounded};

use super::{Converted, Converter, Refusal, Side, Wrote};

const MICROS_A_DAY: i64 = 86_400_000_000;

impl Converter {
    #[inline]
    pub(super) fn timestamp(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        match *value {
            Value::DateTime(millis) => match time::micros_from_millis(millis) {
                Some(micros) if self.column.kind.precision.is_none_or(|precision| precision >= 3) => {
                    out.extend_from_slice(&micros.to_be_bytes());
                    Ok(Wrote::Value)
                }
                Some(micros) => self.rounded(micros, value, side, out),
                None => self.beyond(value, millis < 0, side, out),
            },
            Value::Timestamp { .. } | Value::String(_) | Value::Symbol(_) if !self.column.coerce => {
                Err(self.wrong_type(value, true))
            }
            Value::Timestamp { time: seconds, increment } => {
                if increment == 0 {
                    side.count(Change::Coerced);
                } else {
                    self.list(Change::Coerced, value, side);
                }
                out.extend_from_slice(&time::micros_from_seconds(seconds).to_be_bytes());
                Ok(Wrote::Value)
            }
            Value::String(text) | Value::Symbol(text) => {
                let Rounded { micros, lost } = time::parse_timestamp(text).ok_or_else(|| self.unreadable())?;
                side.count(Change::Coerced);
                if lost {
                    self.list(Change::Rounded, value, side);
                }
                self.rounded(micros, value, side, out)
            }
            _ => Err(self.wrong_type(value, false)),
        }
    }

    fn rounded(&self, micros: i64, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let precision = self.column.kind.precision.unwrap_or(6).min(6) as u8;
        if !self.column.coerce && time::loses_digits(micros, precision) {
            return Err(Refusal::new(
                Code::Precision,
                format!("{} keeps {precision} digits of a second and the instant has more", self.kind_name()),
            ));
        }
        let Some(rounded) = time::round_micros(micros, precision) else {
            return self.beyond(value, micros < 0, side, out);
        };
        if rounded.lost {
            self.list(Change::Rounded, value, side);
        }
        out.extend_from_slice(&rounded.micros.to_be_bytes());
        Ok(Wrote::Value)
    }

    pub(super) fn date(&self, value: &Value<'_>, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        match *value {
            Value::DateTime(millis) => {
                let Some(day) = time::day_from_millis(millis) else {
                    return self.beyond(value, millis < 0, side, out);
                };
                if day.floored {
                    if !self.column.coerce {
                        return Err(Refusal::new(Code::TimeOfDay, "it is not midnight UTC and date keeps no time"));
                    }
                    self.list(Change::Rounded, value, side);
                }
                out.extend_from_slice(&day.days.to_be_bytes());
                Ok(Wrote::Value)
            }
            Value::String(_) | Value::Symbol(_) if !self.column.coerce => Err(self.wrong_type(value, true)),
            Value::String(text) | Value::Symbol(text) => {
                let days = time::parse_date(text).ok_or_else(|| self.unreadable())?;
                side.count(Change::Coerced);
                out.extend_from_slice(&days.to_be_bytes());
                Ok(Wrote::Value)
            }
            _ => Err(self.wrong_type(value, false)),
        }
    }

    /// An instant that the type cannot hold, by the column's policy.
    #[cold]
    fn beyond(&self, value: &Value<'_>, negative: bool, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        match self.column.policies.range {
            RangePolicy::Null if !self.column.required => {
                self.list(Change::RangeNull, value, side);
                Ok(Wrote::Null)
            }
            RangePolicy::Infinity => {
                self.list(Change::RangeInfinity, value, side);
                if self.column.kind.kind == Kind::Date {
                    let days = if negative { time::DAYS_NEGATIVE_INFINITY } else { time::DAYS_INFINITY };
                    out.extend_from_slice(&days.to_be_bytes());
                } else {
                    let micros = if negative { time::MICROS_NEGATIVE_INFINITY } else { time::MICROS_INFINITY };
                    out.extend_from_slice(&micros.to_be_bytes());
                }
                Ok(Wrote::Value)
            }
            _ => Err(Refusal::new(Code::Range, format!("the instant lies outside the range of {}", self.kind_name()))),
        }
    }

    /// An instant in µs since 1970 as this column holds it; what it cannot hold exactly is rounded or floored.
    pub(super) fn instant(&self, codec: &IdCodec, now_us: i64, side: &mut Side, out: &mut Vec<u8>) -> Converted {
        let outside = || Refusal::new(Code::Range, "the run's start lies outside PostgreSQL's range");
        match self.column.kind.kind {
            Kind::Timestamp | Kind::Timestamptz if !self.column.kind.array => {
                let micros = now_us.checked_sub(time::EPOCH_GAP_MICROS).ok_or_else(outside)?;
                let precision = self.column.kind.precision.unwrap_or(6).min(6) as u8;
                let rounded = time::round_micros(micros, precision).ok_or_else(outside)?;
                out.extend_from_slice(&rounded.micros.to_be_bytes());
                Ok(Wrote::Value)
            }
            Kind::Date if !self.column.kind.array => {
                let micros = now_us.checked_sub(time::EPOCH_GAP_MICROS).ok_or_else(outside)?;
                let days = i32::try_from(micros.div_euclid(MICROS_A_DAY)).map_err(|_| outside())?;
                out.extend_from_slice(&days.to_be_bytes());
                Ok(Wrote::Value)
            }
            _ => {
                let value = Value::DateTime(now_us.div_euclid(1_000));
                if self.column.kind.array {
                    self.array(codec, &value, 1, side, out)
                } else {
                    self.single(codec, &value, 1, side, out)
                }
            }
        }
    }
}
