//! The canonical form of one value that is no array.

use crate::ids::parse_uuid;
use crate::time::{round_micros, MICROS_INFINITY, MICROS_NEGATIVE_INFINITY};

use super::group::Group;
use super::json::{Json, Rewrites};
use super::number;

/// What a column's type makes of its bytes.
#[derive(Debug, Clone)]
pub(super) enum Form {
    Boolean,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    /// With the declared scale.
    Numeric(Option<i32>),
    /// With the declared number of characters.
    Text(Option<usize>),
    Date,
    /// With the declared digits of a second; of `timestamptz` with true.
    Timestamp(u8, bool),
    Uuid,
    Bytea,
    Jsonb(Rewrites),
}

fn fixed<const N: usize>(value: &[u8], what: &'static str) -> Result<[u8; N], &'static str> {
    value.try_into().map_err(|_| what)
}

impl Form {
    /// Appends the form of a value; `ids` translates it first, `groups` those inside jsonb.
    ///
    /// # Errors
    /// A sentence for bytes that are no value of the type.
    #[inline]
    pub(super) fn write(
        &self,
        value: &[u8],
        ids: Option<&Group>,
        groups: &[Group],
        json: &mut Json,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let number = |number: i64, out: &mut Vec<u8>| {
            let number = ids.map_or(number, |ids| ids.number(number));
            out.extend_from_slice(&number.to_le_bytes());
        };
        match self {
            Self::Text(length) => {
                let text = ids.map_or(value, |ids| ids.text(value));
                out.extend_from_slice(length.map_or(text, |length| within(text, length)));
            }
            Self::Boolean => out.push(match value {
                [0] => 0,
                // Anything else is true to `boolrecv`.
                [_] => 1,
                _ => return Err("A boolean has not one byte."),
            }),
            Self::Smallint => {
                number(i16::from_be_bytes(fixed(value, "A smallint has not two bytes.")?).into(), out);
            }
            Self::Integer => number(i32::from_be_bytes(fixed(value, "An integer has not four bytes.")?).into(), out),
            Self::Bigint => number(i64::from_be_bytes(fixed(value, "A bigint has not eight bytes.")?), out),
            Self::Real => {
                let bits = fixed(value, "A real has not four bytes.")?;
                let nan = f32::from_be_bytes(bits).is_nan();
                out.extend_from_slice(&if nan { 0x7FC0_0000u32.to_be_bytes() } else { bits });
            }
            Self::Double => {
                let bits = fixed(value, "A double has not eight bytes.")?;
                let nan = f64::from_be_bytes(bits).is_nan();
                out.extend_from_slice(&if nan { 0x7FF8_0000_0000_0000u64.to_be_bytes() } else { bits });
            }
            Self::Numeric(scale) => number::write(value, *scale, out)?,
            Self::Date => {
                let days = i32::from_be_bytes(fixed(value, "A date has not four bytes.")?);
                out.extend_from_slice(&days.to_le_bytes());
            }
            Self::Timestamp(precision, _) => {
                let micros = i64::from_be_bytes(fixed(value, "A timestamp has not eight bytes.")?);
                out.extend_from_slice(&rounded(micros, *precision).to_le_bytes());
            }
            Self::Uuid => {
                let uuid = fixed(value, "A uuid has not sixteen bytes.")?;
                out.extend_from_slice(&ids.map_or(uuid, |ids| ids.uuid(uuid)));
            }
            Self::Bytea => out.extend_from_slice(value),
            Self::Jsonb(rewrites) => {
                let [1, text @ ..] = value else {
                    return Err("A jsonb value does not start with version 1.");
                };
                json.write(text, rewrites, groups, out)?;
            }
        }
        Ok(())
    }

    /// The form of a value that PostgreSQL prints as `text`; `None` when it is of a kind that ids never are, or is none
    /// of its kind.
    pub(super) fn of_id(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text(_) => Some(text.as_bytes().to_vec()),
            Self::Uuid => parse_uuid(text.as_bytes()).map(|uuid| uuid.to_vec()),
            Self::Smallint | Self::Integer | Self::Bigint => {
                text.parse::<i64>().ok().map(|number| number.to_le_bytes().to_vec())
            }
            _ => None,
        }
    }
}

/// A text as `varchar(length)` stores it: without spaces beyond its last character.
fn within(text: &[u8], length: usize) -> &[u8] {
    if text.len() <= length {
        return text;
    }
    let starts = |byte: &u8| byte & 0xC0 != 0x80;
    let Some((end, _)) = text.iter().enumerate().filter(|(_, byte)| starts(byte)).nth(length) else {
        return text;
    };
    if text[end..].iter().all(|byte| *byte == b' ') {
        &text[..end]
    } else {
        text
    }
}

fn rounded(micros: i64, precision: u8) -> i64 {
    if precision >= 6 || micros == MICROS_INFINITY || micros == MICROS_NEGATIVE_INFINITY {
        return micros;
    }
    // What the server could not store either stays as it is.
    round_micros(micros, precision).map_or(micros, |rounded| rounded.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(form: &Form, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        form.write(value, None, &[], &mut Json::default(), &mut out).unwrap();
        out
    }

    #[test]
    fn numbers_of_all_widths_are_one() {
        let five = form(&Form::Bigint, &5i64.to_be_bytes());
        assert_eq!(form(&Form::Smallint, &5i16.to_be_bytes()), five);
        assert_eq!(form(&Form::Integer, &5i32.to_be_bytes()), five);
        assert_ne!(form(&Form::Integer, &(-5i32).to_be_bytes()), five);
    }

    #[test]
    fn every_nan_is_one_and_zeros_are_two() {
        let double = |bits: u64| form(&Form::Double, &bits.to_be_bytes());
        assert_eq!(double(0xFFF8_0000_0000_0001), double(f64::NAN.to_bits()));
        assert_ne!(double(0), double(1 << 63));
        let real = |bits: u32| form(&Form::Real, &bits.to_be_bytes());
        assert_eq!(real(0xFFC0_0001), real(f32::NAN.to_bits()));
        assert_ne!(real(0), real(1 << 31));
    }

    #[test]
    fn texts_are_cut_only_where_the_server_cuts_them() {
        for (text, length, stored) in [
            ("ab", 2, "ab"),
            ("ab  ", 2, "ab"),
            ("ab  ", 3, "ab "),
            ("ab c", 2, "ab c"),
            ("é  ", 1, "é"),
            ("éé ", 3, "éé "),
            ("", 0, ""),
            ("  ", 0, ""),
        ] {
            assert_eq!(form(&Form::Text(Some(length)), text.as_bytes()), stored.as_bytes(), "{text:?} in {length}");
        }
        assert_eq!(form(&Form::Text(None), b"ab  "), b"ab  ");
        assert_eq!(within(b"\xff\xff", 1), b"\xff\xff");
    }

    #[test]
    fn instants_are_rounded_as_declared() {
        let micros = |micros: i64, precision| form(&Form::Timestamp(precision, true), &micros.to_be_bytes());
        assert_eq!(micros(1_500, 3), micros(2_000, 6));
        assert_eq!(micros(-1_500, 3), micros(-2_000, 6));
        assert_eq!(micros(1_499, 3), micros(1_000, 6));
        assert_eq!(micros(i64::MAX, 0), i64::MAX.to_le_bytes());
        assert_eq!(micros(i64::MIN, 0), i64::MIN.to_le_bytes());
        assert_eq!(micros(i64::MAX - 1, 0), (i64::MAX - 1).to_le_bytes());
    }

    #[test]
    fn values_of_a_wrong_size_are_refused() {
        for form in [
            Form::Boolean,
            Form::Smallint,
            Form::Integer,
            Form::Bigint,
            Form::Real,
            Form::Double,
            Form::Numeric(None),
            Form::Date,
            Form::Timestamp(6, false),
            Form::Uuid,
            Form::Jsonb(Rewrites::default()),
        ] {
            for value in [&b""[..], &[0; 3], &[0; 17]] {
                assert!(form.write(value, None, &[], &mut Json::default(), &mut Vec::new()).is_err(), "{form:?}");
            }
        }
    }
}
