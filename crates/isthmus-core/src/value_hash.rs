//! Hashes of values, equal for values that MongoDB calls equal.
//!
//! Decides what "the same value" means where values are counted, sketched and looked up: 5, 5.0 and Decimal128 5 are
//! one, an ObjectId and its hex text are two. The classes are those of [`crate::canonical`]; only its exact decimal
//! expansion of doubles is not needed here, so nothing is allocated for a scalar of an ordinary type.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_128_with_seed, xxh3_64_with_seed};

use crate::bson::Value;
use crate::canonical::write_canonical;
use crate::decimal::Decimal;

/// The class of a value is the seed of its hash, so that equal bytes of two classes part.
mod class {
    pub const TEXT: u64 = 0;
    pub const INTEGER: u64 = 1;
    pub const DOUBLE: u64 = 2;
    pub const DECIMAL: u64 = 3;
    pub const OBJECT_ID: u64 = 4;
    pub const DATE: u64 = 5;
    pub const UUID: u64 = 6;
    pub const OTHER: u64 = 7;
}

/// Hashes the form of a text, number, ObjectId, date or UUID: its bytes and its class; none for every other type.
// The hash is taken where the bytes are: passing them on through one type costs a fifth of a profile's time.
#[inline(always)]
fn hash_form<H>(value: &Value<'_>, hash: impl Fn(&[u8], u64) -> H) -> Option<H> {
    Some(match *value {
        Value::String(text) | Value::Symbol(text) => hash(text, class::TEXT),
        Value::Int32(number) => hash(&i64::from(number).to_le_bytes(), class::INTEGER),
        Value::Int64(number) => hash(&number.to_le_bytes(), class::INTEGER),
        Value::Double(number) => {
            let (class, word) = double_form(number);
            hash(&word, class)
        }
        Value::Decimal128(bytes) => match decimal_form(bytes) {
            DecimalForm::Integer(number) => hash(&number.to_le_bytes(), class::INTEGER),
            DecimalForm::Double(number) => {
                let (class, word) = double_form(number);
                hash(&word, class)
            }
            DecimalForm::Digits(digits) => hash(&digits, class::DECIMAL),
        },
        Value::ObjectId(id) => hash(&id, class::OBJECT_ID),
        Value::DateTime(millis) => hash(&millis.to_le_bytes(), class::DATE),
        Value::Binary { subtype: subtype @ 3..=4, bytes } => {
            let mut form = [subtype; 17];
            form[1..].copy_from_slice(<&[u8; 16]>::try_from(bytes).ok()?);
            hash(&form, class::UUID)
        }
        _ => return None,
    })
}

/// The class of a double and its form: integers are those of their own type.
#[inline]
fn double_form(number: f64) -> (u64, [u8; 8]) {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&number) && (number as i64) as f64 == number {
        return (class::INTEGER, (number as i64).to_le_bytes());
    }
    let number = if number.is_nan() { f64::NAN } else { number };
    (class::DOUBLE, number.to_bits().to_le_bytes())
}

enum DecimalForm {
    Integer(i64),
    Double(f64),
    /// What no other type holds: sign, coefficient without zeros at its end, exponent.
    Digits([u8; 21]),
}

/// Rare enough to allocate.
fn decimal_form(bytes: [u8; 16]) -> DecimalForm {
    let decimal = Decimal::decode(bytes);
    if let Some(integer) = decimal.to_i64() {
        return DecimalForm::Integer(integer);
    }
    let nearest = decimal.to_f64();
    let Decimal::Finite { negative, mut coefficient, mut exponent } = decimal else {
        return DecimalForm::Double(nearest);
    };
    if nearest.is_finite() && decimal.is_f64(nearest) {
        return DecimalForm::Double(nearest);
    }
    while coefficient % 10 == 0 && coefficient > 0 {
        coefficient /= 10;
        exponent += 1;
    }
    let mut digits = [u8::from(negative); 21];
    digits[1..17].copy_from_slice(&coefficient.to_le_bytes());
    digits[17..].copy_from_slice(&exponent.to_le_bytes());
    DecimalForm::Digits(digits)
}

/// The hash of a text, number, ObjectId, date or UUID; none of every other type.
#[inline]
pub(crate) fn hash_scalar(value: &Value<'_>) -> Option<u64> {
    hash_form(value, xxh3_64_with_seed)
}

/// The wide hash of any value; of containers and rare types by their canonical form.
pub(crate) fn hash_wide(value: &Value<'_>, scratch: &mut Vec<u8>) -> u128 {
    hash_form(value, xxh3_128_with_seed).unwrap_or_else(|| {
        scratch.clear();
        if write_canonical(value, 1, scratch).is_err() {
            // Never of a validated document.
            scratch.clear();
            value.write_raw(scratch);
        }
        xxh3_128_with_seed(scratch, class::OTHER)
    })
}

/// The hash of bytes that are no value: of a key, of a pair.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    xxh3_64_with_seed(bytes, class::TEXT)
}

/// Spreads numbers that are hashes already.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0.rotate_left(8) ^ u64::from(byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        // The lowest hashes of a sketch begin with zeros, and tables look at both ends.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// A set of hashes.
pub(crate) type HashedSet = HashSet<u64, BuildHasherDefault<Spread>>;

/// Anything by hash.
pub(crate) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<Spread>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bson::Raw;
    use crate::canonical::canonical;
    use crate::testing::{array, document, string};

    fn decimal(coefficient: u128, exponent: i32) -> Value<'static> {
        Value::Decimal128((((exponent + 6176) as u128) << 113 | coefficient).to_le_bytes())
    }

    #[test]
    fn values_hash_alike_exactly_when_their_canonical_forms_are_alike() {
        let empty = document(&[]);
        let five = document(&[(b"a", &Value::Int32(5))]);
        let five_too = document(&[(b"a", &Value::Double(5.0))]);
        let list = array(&[Value::Int32(5)]);
        let values = [
            Value::Int32(5),
            Value::Int64(5),
            Value::Double(5.0),
            decimal(5, 0),
            decimal(500, -2),
            Value::Int32(0),
            Value::Double(-0.0),
            decimal(0, 9),
            Value::Double(0.5),
            decimal(5, -1),
            Value::Double(0.1),
            decimal(1, -1),
            decimal(10, -2),
            Value::Double(1e22),
            decimal(1, 22),
            decimal(1, 23),
            Value::Double(1e23),
            decimal(1, 6000),
            Value::Int64(i64::MAX),
            Value::Double(9_223_372_036_854_775_808.0),
            decimal(1 << 63, 0),
            Value::Int64(i64::MIN),
            Value::Double(-9_223_372_036_854_775_808.0),
            Value::Double(f64::NAN),
            Value::Double(f64::from_bits(0xFFF8_0000_0000_0001)),
            Value::Decimal128((0x7Cu128 << 120).to_le_bytes()),
            Value::Double(f64::INFINITY),
            Value::Decimal128((0x78u128 << 120).to_le_bytes()),
            string("5"),
            Value::Symbol(b"5"),
            string(""),
            Value::ObjectId(*b"abcdefghijkl"),
            string("abcdefghijkl"),
            Value::DateTime(5),
            Value::Timestamp { time: 0, increment: 5 },
            Value::Binary { subtype: 4, bytes: b"0123456789abcdef" },
            Value::Binary { subtype: 3, bytes: b"0123456789abcdef" },
            Value::Binary { subtype: 0, bytes: b"0123456789abcdef" },
            Value::Binary { subtype: 4, bytes: b"short" },
            Value::Bool(true),
            Value::Bool(false),
            Value::Null,
            Value::Document(Raw::new(&empty).unwrap()),
            Value::Document(Raw::new(&five).unwrap()),
            Value::Document(Raw::new(&five_too).unwrap()),
            Value::Array(Raw::new(&list).unwrap()),
        ];
        let mut scratch = Vec::new();
        for one in &values {
            for other in &values {
                let alike = canonical(one).unwrap() == canonical(other).unwrap();
                assert_eq!(hash_wide(one, &mut scratch) == hash_wide(other, &mut scratch), alike, "{one:?} {other:?}");
                if let (Some(one_hash), Some(other_hash)) = (hash_scalar(one), hash_scalar(other)) {
                    assert_eq!(one_hash == other_hash, alike, "{one:?} {other:?}");
                }
            }
        }
        let scalar = values.map(|value| hash_scalar(&value).is_some());
        assert_eq!(scalar.iter().filter(|some| **some).count(), 36);
    }
}
