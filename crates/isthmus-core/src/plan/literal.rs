//! Values written down in a plan (defaults, skip conditions): Extended JSON read into BSON.
//!
//! Decides which BSON value an Extended JSON value stands for; relaxed and canonical forms are both read.
//! Source: <https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md>.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::bson::{kind, Value};
use crate::{canonical, ids, time};

/// JSON with its key order kept, because the order of keys is part of a BSON document.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an Extended JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Integer).map_err(|_| E::custom("a whole number beyond 64 bits"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_entry()? {
            items.push(item);
        }
        Ok(Json::Object(items))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// One BSON value that a plan names.
#[derive(Debug, Clone)]
pub struct Literal {
    /// `{"_id": value}` as BSON.
    document: Vec<u8>,
    /// The value's canonical bytes; equal bytes are equal values, whatever their number type.
    pub canonical: Vec<u8>,
}

impl Literal {
    /// Reads an Extended JSON value.
    ///
    /// # Errors
    /// A phrase that names the part that is not Extended JSON.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let mut document = vec![0; 4];
        element("_id", json, &mut document)?;
        document.push(0);
        seal(&mut document, 0);
        let value = Value::of_id_document(&document).map_err(|error| error.to_string())?;
        let canonical = canonical::canonical(&value).map_err(|error| error.to_string())?;
        Ok(Self { document, canonical })
    }

    /// The value, borrowed.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        Value::of_id_document(&self.document).unwrap_or(Value::Null)
    }
}

fn seal(out: &mut [u8], start: usize) {
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

fn element(key: &str, json: &Json, out: &mut Vec<u8>) -> Result<(), String> {
    if key.as_bytes().contains(&0) {
        return Err("a key with a NUL".to_owned());
    }
    let tag = out.len();
    out.push(0);
    out.extend_from_slice(key.as_bytes());
    out.push(0);
    out[tag] = value(json, out)?;
    Ok(())
}

/// Appends a value and returns its type byte.
fn value(json: &Json, out: &mut Vec<u8>) -> Result<u8, String> {
    Ok(match json {
        Json::Null => kind::NULL,
        Json::Bool(v) => put(&Value::Bool(*v), out),
        Json::Integer(v) => match i32::try_from(*v) {
            Ok(small) => put(&Value::Int32(small), out),
            Err(_) => put(&Value::Int64(*v), out),
        },
        Json::Double(v) => put(&Value::Double(*v), out),
        Json::Text(text) => put(&Value::String(text.as_bytes()), out),
        Json::Array(items) => {
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            for (index, item) in items.iter().enumerate() {
                element(&index.to_string(), item, out)?;
            }
            out.push(0);
            seal(out, start);
            kind::ARRAY
        }
        Json::Object(items) => {
            if items.first().is_some_and(|(key, _)| key.starts_with('$') && key != "$ref") {
                return wrapped(items, out);
            }
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            for (key, item) in items {
                element(key, item, out)?;
            }
            out.push(0);
            seal(out, start);
            kind::DOCUMENT
        }
    })
}

fn put(value: &Value<'_>, out: &mut Vec<u8>) -> u8 {
    value.write_raw(out);
    value.kind()
}

/// `{"$oid": …}` and its kin.
fn wrapped(items: &[(String, Json)], out: &mut Vec<u8>) -> Result<u8, String> {
    let (name, inner) = &items[0];
    let wrong = || format!("a {name} value that Extended JSON does not know");
    if items.len() != 1 {
        return Err(wrong());
    }
    let field = |key: &str| match inner {
        Json::Object(parts) => parts.iter().find(|(name, _)| name == key).map(|(_, value)| value),
        _ => None,
    };
    let value = match (name.as_str(), inner) {
        ("$oid", Json::Text(text)) => ids::parse_hex_object_id(text.as_bytes()).map(Value::ObjectId),
        ("$numberInt", Json::Text(text)) => text.parse().ok().map(Value::Int32),
        ("$numberLong", Json::Text(text)) => text.parse().ok().map(Value::Int64),
        ("$numberDouble", Json::Text(text)) => text.parse().ok().map(Value::Double),
        ("$numberDecimal", Json::Text(text)) => decimal128(text).map(Value::Decimal128),
        ("$date", Json::Text(text)) => time::parse_timestamp(text.as_bytes())
            .map(|at| Value::DateTime((at.micros + time::EPOCH_GAP_MICROS).div_euclid(1_000))),
        ("$date", Json::Object(_)) => match field("$numberLong") {
            Some(Json::Text(text)) => text.parse().ok().map(Value::DateTime),
            _ => None,
        },
        ("$symbol", Json::Text(text)) => Some(Value::Symbol(text.as_bytes())),
        ("$code", Json::Text(text)) => Some(Value::Code(text.as_bytes())),
        ("$undefined", Json::Bool(true)) => Some(Value::Undefined),
        ("$minKey", Json::Integer(1)) => Some(Value::MinKey),
        ("$maxKey", Json::Integer(1)) => Some(Value::MaxKey),
        ("$timestamp", Json::Object(_)) => match (field("t"), field("i")) {
            (Some(Json::Integer(t)), Some(Json::Integer(i))) => match (u32::try_from(*t), u32::try_from(*i)) {
                (Ok(time), Ok(increment)) => Some(Value::Timestamp { time, increment }),
                _ => None,
            },
            _ => None,
        },
        ("$uuid", Json::Text(text)) => {
            let bytes = ids::parse_uuid(text.as_bytes()).ok_or_else(wrong)?;
            return Ok(put(&Value::Binary { subtype: 4, bytes: &bytes }, out));
        }
        ("$binary", Json::Object(_)) => match (field("base64"), field("subType")) {
            (Some(Json::Text(data)), Some(Json::Text(subtype))) => {
                let bytes = base64(data).ok_or_else(wrong)?;
                let subtype = u8::from_str_radix(subtype, 16).map_err(|_| wrong())?;
                return Ok(put(&Value::Binary { subtype, bytes: &bytes }, out));
            }
            _ => None,
        },
        _ => None,
    };
    value.map(|value| put(&value, out)).ok_or_else(wrong)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for &digit in digits {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0).then_some(out)
}

/// Decimal text as decimal128 (BID, little-endian); none when it has more than 34 digits or too far an exponent.
fn decimal128(text: &str) -> Option<[u8; 16]> {
    const BIAS: i32 = 6_176;
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let sign = u128::from(negative) << 127;
    match text {
        "NaN" => return Some((0x7C_u128 << 120).to_le_bytes()),
        "Infinity" => return Some((sign | 0x78_u128 << 120).to_le_bytes()),
        _ => {}
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut coefficient = 0_u128;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        coefficient = coefficient.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
    }
    let mut exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    while exponent > 6_111 && coefficient != 0 {
        coefficient = coefficient.checked_mul(10)?;
        exponent -= 1;
    }
    if coefficient >= 10_u128.pow(34) || !(-BIAS..=6_111).contains(&exponent) {
        return None;
    }
    let biased = (exponent + BIAS) as u128;
    Some((sign | biased << 113 | coefficient).to_le_bytes())
}
