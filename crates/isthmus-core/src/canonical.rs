//! The bytes that stand for a value when an id is hashed: equal for values that MongoDB calls equal.
//!
//! The first byte is the class; numbers of all four types share one, with their exact decimal value.

use crate::bson::{too_deep, BsonError, Raw, Value, MAX_DEPTH};
use crate::decimal::{decimal_digits, Decimal};

/// Canonical bytes of a value that lies in a document at level 1, as `_id` does.
///
/// # Errors
/// Malformed or too deep documents inside the value.
pub fn canonical(value: &Value<'_>) -> Result<Vec<u8>, BsonError> {
    let mut out = Vec::with_capacity(32);
    write_canonical(value, 1, &mut out)?;
    Ok(out)
}

/// Appends the canonical bytes of a value; `depth` is the level of the document that holds it (outermost 1).
///
/// # Errors
/// Malformed or too deep documents inside the value; `out` then holds an unfinished form.
pub fn write_canonical(value: &Value<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), BsonError> {
    match *value {
        Value::Int32(number) => write_i64(i64::from(number), out),
        Value::Int64(number) => write_i64(number, out),
        Value::Double(number) => write_f64(number, out),
        Value::Decimal128(bytes) => write_decimal(&Decimal::decode(bytes), out),
        Value::String(text) | Value::Symbol(text) => tagged(b's', text, out),
        Value::ObjectId(id) => tagged(b'o', &id, out),
        Value::Bool(flag) => tagged(b'b', &[u8::from(flag)], out),
        Value::DateTime(millis) => tagged(b'd', &millis.to_be_bytes(), out),
        Value::Timestamp { .. } => {
            out.push(b't');
            value.write_raw(out);
        }
        Value::Binary { subtype, bytes } => {
            out.extend_from_slice(&[b'x', subtype]);
            out.extend_from_slice(bytes);
        }
        Value::Null => out.push(b'z'),
        Value::MinKey => out.push(b'<'),
        Value::MaxKey => out.push(b'>'),
        Value::Undefined => out.push(b'u'),
        Value::Regex { pattern, options } => {
            tagged(b'r', pattern, out);
            out.push(0);
            out.extend_from_slice(options);
        }
        Value::Code(text) => tagged(b'c', text, out),
        Value::DbPointer { .. } => {
            out.push(b'p');
            value.write_raw(out);
        }
        Value::CodeWithScope { scope, .. } => {
            scope.validate_at(depth + 1)?;
            out.push(b'w');
            value.write_raw(out);
        }
        Value::Document(raw) => return children(raw, b'{', depth + 1, out),
        Value::Array(raw) => return children(raw, b'[', depth + 1, out),
    }
    Ok(())
}

fn tagged(class: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(class);
    out.extend_from_slice(bytes);
}

fn children(raw: Raw<'_>, class: u8, depth: usize, out: &mut Vec<u8>) -> Result<(), BsonError> {
    if depth > MAX_DEPTH {
        return Err(too_deep(raw.offset()));
    }
    out.push(class);
    for element in raw.elements() {
        let element = element?;
        if class == b'{' {
            out.extend_from_slice(&(element.key.len() as u32).to_be_bytes());
            out.extend_from_slice(element.key);
        }
        let slot = out.len();
        out.extend_from_slice(&[0; 4]);
        write_canonical(&element.value, depth, out)?;
        let length = (out.len() - slot - 4) as u32;
        out[slot..slot + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Appends the class byte and [`write_exact`].
fn write_digits(negative: bool, digits: &[u8], exponent: i64, out: &mut Vec<u8>) {
    out.push(b'n');
    write_exact(negative, digits, exponent, out);
}

/// Appends digits x 10^exponent without outer zeros, `0e0` for zero; `digits` is ASCII and may be all zeros.
pub(crate) fn write_exact(negative: bool, digits: &[u8], exponent: i64, out: &mut Vec<u8>) {
    let Some(first) = digits.iter().position(|&digit| digit != b'0') else {
        return out.extend_from_slice(b"0e0");
    };
    let last = digits.iter().rposition(|&digit| digit != b'0').unwrap_or(first);
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[first..=last]);
    out.push(b'e');
    let exponent = exponent + (digits.len() - 1 - last) as i64;
    if exponent < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(decimal_digits(u128::from(exponent.unsigned_abs()), &mut [0; 39]));
}

fn write_i64(number: i64, out: &mut Vec<u8>) {
    let mut buffer = [0; 39];
    write_digits(number < 0, decimal_digits(u128::from(number.unsigned_abs()), &mut buffer), 0, out);
}

/// Appends the class byte and the exact value of a Decimal128.
pub(crate) fn write_decimal(number: &Decimal, out: &mut Vec<u8>) {
    match *number {
        Decimal::NaN => out.extend_from_slice(b"nnan"),
        Decimal::Infinity { negative: true } => out.extend_from_slice(b"n-inf"),
        Decimal::Infinity { negative: false } => out.extend_from_slice(b"ninf"),
        Decimal::Finite { negative, coefficient, exponent } => {
            write_digits(negative, decimal_digits(coefficient, &mut [0; 39]), i64::from(exponent), out);
        }
    }
}

/// Appends the class byte and the exact value of a double, every digit of its binary fraction.
pub(crate) fn write_f64(number: f64, out: &mut Vec<u8>) {
    if number.is_nan() {
        return out.extend_from_slice(b"nnan");
    }
    if number.is_infinite() {
        return out.extend_from_slice(if number > 0.0 { b"ninf".as_slice() } else { b"n-inf" });
    }
    let bits = number.to_bits();
    let biased = (bits >> 52 & 0x7FF) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mut mantissa, mut exponent) =
        if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    if mantissa == 0 {
        return out.extend_from_slice(b"n0e0");
    }
    // The value is mantissa x 2^exponent with an odd mantissa.
    exponent += mantissa.trailing_zeros() as i32;
    mantissa >>= mantissa.trailing_zeros();
    let negative = number < 0.0;
    if (0..64).contains(&exponent) {
        let digits = u128::from(mantissa) << exponent;
        return write_digits(negative, decimal_digits(digits, &mut [0; 39]), 0, out);
    }
    let mut big = Big::new(mantissa);
    if exponent > 0 {
        big.multiply_power(2, exponent.unsigned_abs());
        write_digits(negative, &big.into_digits(), 0, out);
    } else {
        // m / 2^k = m x 5^k / 10^k
        big.multiply_power(5, exponent.unsigned_abs());
        write_digits(negative, &big.into_digits(), i64::from(exponent), out);
    }
}

/// A natural number in 32-bit limbs, least significant first. The largest one here is 2^53 x 5^1074 (2,547 bits).
struct Big {
    limbs: Vec<u32>,
}

impl Big {
    fn new(value: u64) -> Self {
        Self { limbs: vec![value as u32, (value >> 32) as u32] }
    }

    fn multiply(&mut self, factor: u32) {
        let mut carry = 0u64;
        for limb in &mut self.limbs {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.limbs.push(carry as u32);
        }
    }

    fn multiply_power(&mut self, base: u32, exponent: u32) {
        // The greatest powers that fit a limb: 2^31 and 5^13.
        let step = if base == 2 { 31 } else { 13 };
        for _ in 0..exponent / step {
            self.multiply(base.pow(step));
        }
        self.multiply(base.pow(exponent % step));
    }

    /// ASCII digits, most significant first, possibly with leading zeros.
    fn into_digits(mut self) -> Vec<u8> {
        let mut reversed = Vec::with_capacity(self.limbs.len() * 10);
        while !self.limbs.is_empty() {
            let mut rest = 0u64;
            for limb in self.limbs.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                *limb = (value / 1_000_000_000) as u32;
                rest = value % 1_000_000_000;
            }
            while self.limbs.last() == Some(&0) {
                self.limbs.pop();
            }
            for _ in 0..9 {
                reversed.push(b'0' + (rest % 10) as u8);
                rest /= 10;
            }
        }
        reversed.reverse();
        reversed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>) -> String {
        String::from_utf8(canonical(&value).unwrap()).unwrap()
    }

    fn decimal(coefficient: u128, exponent: i32) -> Value<'static> {
        Value::Decimal128((((exponent + 6176) as u128) << 113 | coefficient).to_le_bytes())
    }

    #[test]
    fn numbers_of_all_types_share_their_exact_value() {
        for value in [Value::Int32(5), Value::Int64(5), Value::Double(5.0), decimal(5, 0), decimal(500, -2)] {
            assert_eq!(text(value), "n5e0");
        }
        assert_eq!(text(Value::Int32(1000)), "n1e3");
        assert_eq!(text(Value::Int32(-1050)), "n-105e1");
        assert_eq!(text(Value::Double(0.5)), "n5e-1");
        assert_eq!(text(decimal(1, 6111)), "n1e6111");
        assert_eq!(text(Value::Int64(i64::MIN)), "n-9223372036854775808e0");
        for value in [Value::Int32(0), Value::Double(-0.0), Value::Double(0.0), decimal(0, 5)] {
            assert_eq!(text(value), "n0e0");
        }
    }

    #[test]
    fn doubles_expand_to_every_digit() {
        assert_eq!(text(Value::Double(0.1)), "n1000000000000000055511151231257827021181583404541015625e-55");
        assert_eq!(text(Value::Double(1e22)), "n1e22");
        assert_eq!(text(Value::Double(1e23)), "n99999999999999991611392e0");
        assert_eq!(text(Value::Double(9_007_199_254_740_993.0)), "n9007199254740992e0");
        assert_eq!(text(Value::Double(2f64.powi(100))), "n1267650600228229401496703205376e0");
        let smallest = text(Value::Double(5e-324));
        assert!(smallest.starts_with("n4940656458412465441765687928682213723650598026143247644255856825"));
        assert!(smallest.ends_with("625e-1074"));
        assert_eq!(smallest.len(), 751 + 1 + 6);
        let largest = text(Value::Double(-f64::MAX));
        assert!(largest.starts_with("n-17976931348623157081452742373170435679807056752584499659891747680315"));
        assert!(largest.ends_with("8368e0"));
        assert_eq!(largest.len(), 309 + 2 + 2);
    }

    #[test]
    fn numbers_that_are_none_have_one_form() {
        assert_eq!(text(Value::Double(f64::from_bits(0xFFF8_0000_0000_0001))), "nnan");
        assert_eq!(text(Value::Decimal128((0x7Cu128 << 120).to_le_bytes())), "nnan");
        assert_eq!(text(Value::Double(f64::NEG_INFINITY)), "n-inf");
        assert_eq!(text(Value::Decimal128((0x78u128 << 120).to_le_bytes())), "ninf");
    }

    #[test]
    fn other_scalars_have_their_class_and_bytes() {
        let bytes = |value| canonical(&value).unwrap();
        assert_eq!(bytes(Value::String(b"a\0\xff")), b"sa\0\xff");
        assert_eq!(bytes(Value::Symbol(b"a")), b"sa");
        assert_eq!(bytes(Value::ObjectId([7; 12])), [&b"o"[..], &[7; 12]].concat());
        assert_eq!(bytes(Value::Bool(true)), b"b\x01");
        assert_eq!(bytes(Value::DateTime(-2)), b"d\xff\xff\xff\xff\xff\xff\xff\xfe");
        assert_eq!(bytes(Value::Timestamp { time: 1, increment: 2 }), b"t\x02\0\0\0\x01\0\0\0");
        assert_eq!(bytes(Value::Binary { subtype: 4, bytes: b"ab" }), b"x\x04ab");
        assert_eq!(bytes(Value::Null), b"z");
        assert_eq!(bytes(Value::MinKey), b"<");
        assert_eq!(bytes(Value::MaxKey), b">");
        assert_eq!(bytes(Value::Undefined), b"u");
        assert_eq!(bytes(Value::Regex { pattern: b"p", options: b"i" }), b"rp\0i");
        assert_eq!(bytes(Value::Code(b"f")), b"cf");
        assert_eq!(
            bytes(Value::DbPointer { namespace: b"n", id: [1; 12] }),
            [&b"p\x02\0\0\0n\0"[..], &[1; 12]].concat()
        );
    }

    #[test]
    fn documents_and_arrays_carry_lengths() {
        let raw = Raw::new(b"\x0c\0\0\0\x10k\0\x05\0\0\0\0").unwrap();
        assert_eq!(canonical(&Value::Document(raw)).unwrap(), b"{\0\0\0\x01k\0\0\0\x04n5e0");
        assert_eq!(canonical(&Value::Array(raw)).unwrap(), b"[\0\0\0\x04n5e0");
        let broken = Raw::new(b"\x08\0\0\0\x10k\0\0").unwrap();
        assert_eq!(canonical(&Value::Document(broken)).unwrap_err().code, "bson");
    }
}
