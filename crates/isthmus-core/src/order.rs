//! The order that MongoDB puts values in: type brackets first, then the value.
//!
//! Source: "Comparison/Sort Order" in the MongoDB manual, with the server's finer points: undefined before null,
//! numbers of all four types by exact value with NaN lowest, binary by length first, no collation.

use std::cmp::Ordering;

use crate::bson::{Raw, Value, MAX_DEPTH};
use crate::canonical::canonical;
use crate::decimal::Decimal;

/// Compares two values as MongoDB's `sort` does; a total order, equal for values that MongoDB calls equal.
///
/// Nested documents that are malformed or too deep are compared by their bytes.
#[must_use]
pub fn compare(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    compare_at(a, b, 1)
}

fn bracket(value: &Value<'_>) -> u8 {
    match value {
        Value::MinKey => 0,
        Value::Undefined => 1,
        Value::Null => 2,
        Value::Int32(_) | Value::Int64(_) | Value::Double(_) | Value::Decimal128(_) => 3,
        Value::String(_) | Value::Symbol(_) => 4,
        Value::Document(_) => 5,
        Value::Array(_) => 6,
        Value::Binary { .. } => 7,
        Value::ObjectId(_) => 8,
        Value::Bool(_) => 9,
        Value::DateTime(_) => 10,
        Value::Timestamp { .. } => 11,
        Value::Regex { .. } => 12,
        Value::DbPointer { .. } => 13,
        Value::Code(_) => 14,
        Value::CodeWithScope { .. } => 15,
        Value::MaxKey => 16,
    }
}

fn compare_at(a: &Value<'_>, b: &Value<'_>, depth: usize) -> Ordering {
    match (*a, *b) {
        (Value::String(a) | Value::Symbol(a), Value::String(b) | Value::Symbol(b)) => a.cmp(b),
        (Value::Document(a), Value::Document(b)) => compare_children(a, b, true, depth + 1),
        (Value::Array(a), Value::Array(b)) => compare_children(a, b, false, depth + 1),
        (Value::Binary { subtype: sa, bytes: a }, Value::Binary { subtype: sb, bytes: b }) => {
            (a.len(), sa, a).cmp(&(b.len(), sb, b))
        }
        (Value::ObjectId(a), Value::ObjectId(b)) => a.cmp(&b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(&b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(&b),
        (Value::Timestamp { time: ta, increment: a }, Value::Timestamp { time: tb, increment: b }) => {
            (ta, a).cmp(&(tb, b))
        }
        (Value::Regex { pattern: pa, options: a }, Value::Regex { pattern: pb, options: b }) => (pa, a).cmp(&(pb, b)),
        (Value::DbPointer { namespace: na, id: a }, Value::DbPointer { namespace: nb, id: b }) => {
            (na.len(), na, a).cmp(&(nb.len(), nb, b))
        }
        (Value::Code(a), Value::Code(b)) => a.cmp(b),
        (Value::CodeWithScope { code: ca, scope: a }, Value::CodeWithScope { code: cb, scope: b }) => {
            ca.cmp(cb).then_with(|| compare_children(a, b, true, depth + 1))
        }
        _ => bracket(a).cmp(&bracket(b)).then_with(|| compare_numbers(a, b)),
    }
}

fn compare_children(a: Raw<'_>, b: Raw<'_>, keys: bool, depth: usize) -> Ordering {
    if depth > MAX_DEPTH {
        return a.bytes().cmp(b.bytes());
    }
    let (mut left, mut right) = (a.elements(), b.elements());
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(Ok(x)), Some(Ok(y))) => (x, y),
            _ => return a.bytes().cmp(b.bytes()),
        };
        let order = bracket(&x.value)
            .cmp(&bracket(&y.value))
            .then_with(|| if keys { x.key.cmp(y.key) } else { Ordering::Equal })
            .then_with(|| compare_at(&x.value, &y.value, depth));
        if order.is_ne() {
            return order;
        }
    }
}

/// Numbers of any two types; equal for the brackets of a single value (null, minKey, …).
fn compare_numbers(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => return a.cmp(&b),
        (Some(a), None) => {
            if let Value::Double(b) = *b {
                return compare_whole(a, b);
            }
        }
        (None, Some(b)) => {
            if let Value::Double(a) = *a {
                return compare_whole(b, a).reverse();
            }
        }
        (None, None) => {
            if let (Value::Double(a), Value::Double(b)) = (*a, *b) {
                return a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()));
            }
        }
    }
    match (Exact::of(a), Exact::of(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        _ => Ordering::Equal,
    }
}

fn whole(value: &Value<'_>) -> Option<i64> {
    match *value {
        Value::Int32(number) => Some(i64::from(number)),
        Value::Int64(number) => Some(number),
        _ => None,
    }
}

fn compare_whole(a: i64, b: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() || b < -LIMIT {
        return Ordering::Greater;
    }
    if b >= LIMIT {
        return Ordering::Less;
    }
    let truncated = b.trunc();
    a.cmp(&(truncated as i64)).then_with(|| 0.0f64.partial_cmp(&(b - truncated)).unwrap_or(Ordering::Equal))
}

/// A number by class and exact decimal digits.
enum Exact {
    NaN,
    NegativeInfinity,
    Finite {
        negative: bool,
        /// ASCII without outer zeros; empty for zero.
        digits: Vec<u8>,
        /// The value is 0.d1d2d3… x 10^point.
        point: i64,
    },
    Infinity,
}

impl Exact {
    fn of(value: &Value<'_>) -> Option<Self> {
        match *value {
            Value::Double(number) if number.is_nan() => return Some(Exact::NaN),
            Value::Double(f64::INFINITY) => return Some(Exact::Infinity),
            Value::Double(f64::NEG_INFINITY) => return Some(Exact::NegativeInfinity),
            Value::Decimal128(bytes) => match Decimal::decode(bytes) {
                Decimal::NaN => return Some(Exact::NaN),
                Decimal::Infinity { negative: true } => return Some(Exact::NegativeInfinity),
                Decimal::Infinity { negative: false } => return Some(Exact::Infinity),
                Decimal::Finite { .. } => {}
            },
            Value::Int32(_) | Value::Int64(_) | Value::Double(_) => {}
            _ => return None,
        }
        // The canonical form of a finite number is n[-]digits e exponent.
        let text = canonical(value).ok()?;
        let (negative, text) = match text.get(1..)? {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let split = text.iter().position(|&byte| byte == b'e')?;
        let exponent: i64 = std::str::from_utf8(&text[split + 1..]).ok()?.parse().ok()?;
        let digits = if text[..split] == *b"0" { Vec::new() } else { text[..split].to_vec() };
        let point = digits.len() as i64 + exponent;
        Some(Exact::Finite { negative, digits, point })
    }

    fn class(&self) -> u8 {
        match self {
            Exact::NaN => 0,
            Exact::NegativeInfinity => 1,
            Exact::Finite { negative: true, .. } => 2,
            Exact::Finite { digits, .. } if digits.is_empty() => 3,
            Exact::Finite { .. } => 4,
            Exact::Infinity => 5,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let order = self.class().cmp(&other.class());
        match (self, other) {
            (Exact::Finite { digits: a, point: pa, .. }, Exact::Finite { digits: b, point: pb, .. })
                if order.is_eq() =>
            {
                let size = (pa, a).cmp(&(pb, b));
                if self.class() == 2 {
                    size.reverse()
                } else {
                    size
                }
            }
            _ => order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{array, document, string};

    fn decimal(negative: bool, coefficient: u128, exponent: i32) -> Value<'static> {
        let bits = u128::from(negative) << 127 | ((exponent + 6176) as u128) << 113 | coefficient;
        Value::Decimal128(bits.to_le_bytes())
    }

    fn assert_ascending(values: &[Value<'_>]) {
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn brackets_are_in_the_manuals_order() {
        let (empty, list) = (document(&[]), array(&[]));
        let scope = Raw::new(&empty).unwrap();
        assert_ascending(&[
            Value::MinKey,
            Value::Undefined,
            Value::Null,
            Value::Int32(1),
            string("a"),
            Value::Document(scope),
            Value::Array(Raw::new(&list).unwrap()),
            Value::Binary { subtype: 0, bytes: b"" },
            Value::ObjectId([0; 12]),
            Value::Bool(false),
            Value::Bool(true),
            Value::DateTime(-5),
            Value::Timestamp { time: 0, increment: 0 },
            Value::Regex { pattern: b"", options: b"" },
            Value::DbPointer { namespace: b"", id: [0; 12] },
            Value::Code(b""),
            Value::CodeWithScope { code: b"", scope },
            Value::MaxKey,
        ]);
    }

    #[test]
    fn numbers_of_all_types_are_compared_exactly() {
        assert_ascending(&[
            Value::Double(f64::NAN),
            Value::Double(f64::NEG_INFINITY),
            decimal(true, 1, 400),
            Value::Double(-f64::MAX),
            Value::Double(-9_223_372_036_854_777_856.0),
            Value::Int64(i64::MIN),
            Value::Double(-1.5),
            Value::Int32(-1),
            Value::Double(-0.5),
            decimal(true, 1, -400),
            Value::Int32(0),
            decimal(false, 1, -400),
            Value::Double(5e-324),
            decimal(false, 1, -1),
            Value::Double(0.1),
            Value::Int64(9_007_199_254_740_992),
            Value::Int64(9_007_199_254_740_993),
            Value::Int64(i64::MAX),
            Value::Double(9_223_372_036_854_775_808.0),
            Value::Double(f64::MAX),
            decimal(false, 1, 400),
            Value::Double(f64::INFINITY),
        ]);
    }

    #[test]
    fn numbers_that_are_equal_across_types() {
        for (a, b) in [
            (Value::Int32(5), Value::Double(5.0)),
            (Value::Int64(5), decimal(false, 500, -2)),
            (Value::Double(0.5), decimal(false, 5, -1)),
            (Value::Double(-0.0), Value::Int32(0)),
            (decimal(true, 0, 3), Value::Double(0.0)),
            (Value::Double(f64::NAN), Value::Decimal128((0x7Cu128 << 120).to_le_bytes())),
            (Value::Double(f64::INFINITY), Value::Decimal128((0x78u128 << 120).to_le_bytes())),
            (Value::Double(f64::NAN), Value::Double(-f64::NAN)),
            (string("a"), Value::Symbol(b"a")),
        ] {
            assert_eq!(compare(&a, &b), Ordering::Equal);
            assert_eq!(compare(&b, &a), Ordering::Equal);
        }
    }

    #[test]
    fn texts_and_binaries_within_their_bracket() {
        assert_ascending(&[string(""), string("Z"), string("a"), string("aa"), Value::String(b"\xff")]);
        assert_ascending(&[
            Value::Binary { subtype: 4, bytes: b"z" },
            Value::Binary { subtype: 0, bytes: b"aa" },
            Value::Binary { subtype: 4, bytes: b"aa" },
            Value::Binary { subtype: 4, bytes: b"ab" },
        ]);
        assert_ascending(&[
            Value::Timestamp { time: 1, increment: u32::MAX },
            Value::Timestamp { time: u32::MAX, increment: 0 },
        ]);
    }

    #[test]
    fn documents_by_bracket_then_key_then_value() {
        let documents = [
            document(&[]),
            document(&[(b"b", &Value::Int32(1))]),
            document(&[(b"b", &Value::Int32(1)), (b"c", &Value::Null)]),
            document(&[(b"b", &Value::Int32(2))]),
            document(&[(b"c", &Value::Int32(0))]),
            document(&[(b"a", &string("x"))]),
        ];
        let values: Vec<Value<'_>> = documents.iter().map(|bytes| Value::Document(Raw::new(bytes).unwrap())).collect();
        assert_ascending(&values);
        let arrays =
            [array(&[]), array(&[Value::Int32(1)]), array(&[Value::Int32(1), Value::Null]), array(&[Value::Int32(2)])];
        let values: Vec<Value<'_>> = arrays.iter().map(|bytes| Value::Array(Raw::new(bytes).unwrap())).collect();
        assert_ascending(&values);
    }

    #[test]
    fn malformed_and_deep_documents_still_compare() {
        let broken = Value::Document(Raw::new(b"\x08\0\0\0\x10k\0\0").unwrap());
        assert_eq!(compare(&broken, &broken), Ordering::Equal);
        let mut bytes = document(&[]);
        for _ in 0..300 {
            bytes = document(&[(b"a", &Value::Document(Raw::new(&bytes).unwrap()))]);
        }
        let deep = Value::Document(Raw::new(&bytes).unwrap());
        assert_eq!(compare(&deep, &deep), Ordering::Equal);
    }
}
