//! Plain JSON for `jsonb` columns, written straight from raw BSON.
//!
//! Decides the JSON form of every BSON type, which reference values inside become derived ids, and what the
//! policies say about texts and numbers that `jsonb` cannot hold. Forms for values that JSON has no word for are
//! those of MongoDB Extended JSON v2.

mod report;
mod rewrite;
pub(crate) mod text;
pub(crate) mod walk;

pub use report::{short_text, JsonFault, Note, Reference, Report};
pub use rewrite::{db_ref, DbRef, RenameRule, RewriteRule, Rewrites, EVERY_ELEMENT};
pub use text::write_string;
pub(crate) use walk::keys_become_one;

use serde::Deserialize;

use crate::bson::Value;
use crate::decimal::{write_double, Decimal};
use crate::extended::{write_date_number, write_wrapped};
use crate::ids::{object_id_hex, IdCodec};
use crate::time::write_iso;
use walk::{Form, Walk};

/// What to do with a NUL inside a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NulPolicy {
    #[default]
    DeadLetter,
    Remove,
}

/// What to do with bytes in a text that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Utf8Policy {
    #[default]
    DeadLetter,
    /// U+FFFD for each maximal invalid part.
    Replace,
}

/// What to do with NaN and infinities where JSON needs a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NanPolicy {
    #[default]
    DeadLetter,
    Null,
}

/// What stays the same for every value of one column.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'p> {
    pub nul: NulPolicy,
    pub utf8: Utf8Policy,
    pub nan: NanPolicy,
    /// Hides originals in notes and faults.
    pub sensitive: bool,
    pub rewrites: Option<&'p Rewrites>,
    /// Makes the derived ids; without it rewrites are not applied.
    pub codec: Option<&'p IdCodec>,
}

/// Appends one value as plain JSON, without the version byte that `jsonb` has in binary COPY.
///
/// `depth` is the level of the document that holds the value (outermost 1). `report.path` must lead to the value
/// and does so again afterwards. Duplicate keys inside: the last one wins, counted.
///
/// # Errors
/// The first value that cannot be written under the settings; `out` then holds an unfinished text to be cut off.
pub fn write_json(
    value: &Value<'_>,
    settings: &Settings<'_>,
    report: &mut Report,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), JsonFault> {
    walk::write::<Plain>(value, settings, report, depth, out)
}

/// JSON as people write it: dates and ObjectIds as text.
struct Plain;

impl Form for Plain {
    const REWRITES: bool = true;

    fn scalar(walk: &mut Walk<'_, '_>, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault> {
        match *value {
            Value::Symbol(text) => return walk.text(text, value, out),
            Value::Double(number) if number.is_finite() => write_double(number, out),
            Value::Double(_) => return walk.not_a_number(value, out),
            Value::Int32(number) => text::write_integer(i64::from(number), out),
            Value::Int64(number) => text::write_integer(number, out),
            Value::Decimal128(bytes) => match Decimal::decode(bytes) {
                decimal @ Decimal::Finite { .. } => decimal.write_text(out),
                _ => return walk.not_a_number(value, out),
            },
            Value::ObjectId(id) => {
                out.push(b'"');
                out.extend_from_slice(&object_id_hex(id));
                out.push(b'"');
            }
            Value::DateTime(millis) => {
                let start = out.len();
                out.push(b'"');
                if write_iso(millis, out) {
                    out.push(b'"');
                } else {
                    out.truncate(start);
                    write_date_number(millis, out);
                }
            }
            _ => return write_wrapped(walk, value, out),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bson::Raw;
    use crate::ids::{id_text, IdScheme};
    use crate::testing::{array, document, string};

    fn plain_with(value: &Value<'_>, settings: &Settings<'_>) -> (Result<String, JsonFault>, Report) {
        let (mut report, mut out) = (Report::default(), Vec::new());
        report.path.push_key(b"f");
        let result = write_json(value, settings, &mut report, 1, &mut out);
        assert_eq!(report.path.text(), "f");
        (result.map(|()| String::from_utf8(out).unwrap()), report)
    }

    fn plain(value: &Value<'_>) -> String {
        plain_with(value, &Settings::default()).0.unwrap()
    }

    fn fault(value: &Value<'_>) -> JsonFault {
        plain_with(value, &Settings::default()).0.unwrap_err()
    }

    #[test]
    fn scalars_have_their_plain_form() {
        let id = [0x5c, 0xa4, 0xbb, 0xc7, 0xa2, 0xdd, 0x94, 0xee, 0x58, 0x16, 0x23, 0x8c];
        let decimal = |coefficient: u128, exponent: i32| {
            Value::Decimal128((((exponent + 6176) as u128) << 113 | coefficient).to_le_bytes())
        };
        for (value, expected) in [
            (Value::String("a\"\\/é\n\u{1}".as_bytes()), r#""a\"\\/é\n\u0001""#),
            (Value::Bool(true), "true"),
            (Value::Null, "null"),
            (Value::Int32(-5), "-5"),
            (Value::Int64(i64::MIN), "-9223372036854775808"),
            (Value::Double(5.0), "5.0"),
            (Value::Double(-0.0), "-0.0"),
            (Value::Double(1e300), "1e+300"),
            (decimal(1230, -2), "12.30"),
            (decimal(1, 3), "1E+3"),
            (Value::ObjectId(id), "\"5ca4bbc7a2dd94ee5816238c\""),
            (Value::DateTime(1_614_834_367_089), "\"2021-03-04T05:06:07.089Z\""),
            (Value::DateTime(i64::MAX), r#"{"$date":{"$numberLong":"9223372036854775807"}}"#),
            (Value::Binary { subtype: 4, bytes: b"abcd" }, r#"{"$binary":{"base64":"YWJjZA==","subType":"04"}}"#),
            (Value::Timestamp { time: u32::MAX, increment: 1 }, r#"{"$timestamp":{"t":4294967295,"i":1}}"#),
            (
                Value::Regex { pattern: b"^a", options: b"i" },
                r#"{"$regularExpression":{"pattern":"^a","options":"i"}}"#,
            ),
            (Value::Code(b"f()"), r#"{"$code":"f()"}"#),
            (Value::Symbol(b"s"), "\"s\""),
            (Value::Undefined, r#"{"$undefined":true}"#),
            (Value::MinKey, r#"{"$minKey":1}"#),
            (Value::MaxKey, r#"{"$maxKey":1}"#),
        ] {
            assert_eq!(plain(&value), expected);
        }
        let pointer = Value::DbPointer { namespace: b"a.b", id };
        assert_eq!(plain(&pointer), r#"{"$dbPointer":{"$ref":"a.b","$id":{"$oid":"5ca4bbc7a2dd94ee5816238c"}}}"#);
        let scope = document(&[(b"d", &Value::DateTime(0))]);
        let code = Value::CodeWithScope { code: b"x", scope: Raw::new(&scope).unwrap() };
        assert_eq!(plain(&code), r#"{"$code":"x","$scope":{"d":"1970-01-01T00:00:00.000Z"}}"#);
    }

    #[test]
    fn documents_and_arrays_nest() {
        let inner = array(&[Value::Int32(1), string("x"), Value::Null]);
        let outer = document(&[
            (b"", &Value::Array(Raw::new(&inner).unwrap())),
            (b"$a.b\"", &Value::Document(Raw::new(b"\x05\0\0\0\0").unwrap())),
        ]);
        assert_eq!(plain(&Value::Document(Raw::new(&outer).unwrap())), r#"{"":[1,"x",null],"$a.b\"":{}}"#);
    }

    #[test]
    fn duplicate_keys_the_last_wins_and_is_counted() {
        for others in [0usize, 60] {
            let keys: Vec<String> = (0..others).map(|at| format!("k{at}")).collect();
            let mut fields = vec![(&b"a"[..], Value::Int32(1)), (b"b", Value::Int32(2)), (b"a", Value::Int32(3))];
            fields.extend(keys.iter().map(|key| (key.as_bytes(), Value::Int32(0))));
            let fields: Vec<(&[u8], &Value<'_>)> = fields.iter().map(|(key, value)| (*key, value)).collect();
            let bytes = document(&fields);
            let (text, report) = plain_with(&Value::Document(Raw::new(&bytes).unwrap()), &Settings::default());
            assert!(text.unwrap().starts_with(r#"{"b":2,"a":3"#));
            assert_eq!(report.duplicate_keys, 1);
        }
    }

    #[test]
    fn nul_in_a_text_follows_the_policy() {
        let bytes = document(&[(b"k", &Value::String(b"a\0b\0"))]);
        let value = Value::Document(Raw::new(&bytes).unwrap());
        let found = fault(&value);
        assert_eq!((found.code, found.path.as_str(), found.bson_type), ("nul", "f.k", "string"));
        assert_eq!(found.value, "a\\u0000b\\u0000");
        let settings = Settings { nul: NulPolicy::Remove, ..Settings::default() };
        let (text, report) = plain_with(&value, &settings);
        assert_eq!(text.unwrap(), r#"{"k":"ab"}"#);
        let note = Note { kind: "nul_removed", path: "f.k".into(), original: "a\\u0000b\\u0000".into() };
        assert_eq!(report.notes, [note]);
    }

    #[test]
    fn bad_utf8_in_texts_and_keys_follows_the_policy() {
        let bytes = document(&[(b"k\xff", &Value::String(b"a\xffb"))]);
        let value = Value::Document(Raw::new(&bytes).unwrap());
        assert_eq!((fault(&value).code, fault(&value).path.as_str()), ("utf8", "f.k\u{FFFD}"));
        let settings = Settings { utf8: Utf8Policy::Replace, sensitive: true, ..Settings::default() };
        let (text, report) = plain_with(&value, &settings);
        assert_eq!(text.unwrap(), "{\"k\u{FFFD}\":\"a\u{FFFD}b\"}");
        assert_eq!(report.notes.len(), 2);
        assert!(report.notes.iter().all(|note| note.kind == "utf8_replaced" && note.original == "(hidden)"));
    }

    #[test]
    fn keys_that_would_become_one_by_replacing_are_refused() {
        let bytes = document(&[(b"\xff", &Value::Null), (b"\xfe", &Value::Null)]);
        let settings = Settings { utf8: Utf8Policy::Replace, ..Settings::default() };
        let (result, _) = plain_with(&Value::Document(Raw::new(&bytes).unwrap()), &settings);
        assert_eq!(result.unwrap_err().code, "utf8");
    }

    #[test]
    fn nan_follows_the_policy() {
        let nan = Value::Decimal128((0x7Cu128 << 120).to_le_bytes());
        for value in [Value::Double(f64::NAN), Value::Double(f64::INFINITY), nan] {
            assert_eq!(fault(&value).code, "nan");
            let settings = Settings { nan: NanPolicy::Null, ..Settings::default() };
            let (text, report) = plain_with(&value, &settings);
            assert_eq!(text.unwrap(), "null");
            assert_eq!(report.notes[0].kind, "nan_null");
        }
    }

    #[test]
    fn nesting_is_followed_to_level_100_only() {
        let mut bytes = document(&[]);
        for _ in 0..98 {
            bytes = document(&[(b"a", &Value::Document(Raw::new(&bytes).unwrap()))]);
        }
        assert!(plain(&Value::Document(Raw::new(&bytes).unwrap())).starts_with("{\"a\":{"));
        let bytes = document(&[(b"a", &Value::Document(Raw::new(&bytes).unwrap()))]);
        assert_eq!(fault(&Value::Document(Raw::new(&bytes).unwrap())).code, "nesting");
    }

    #[test]
    fn malformed_inside_is_named_with_its_path() {
        let inner = b"\x09\0\0\0\x08b\0\x02\0";
        let bytes = document(&[(b"a", &Value::Document(Raw::new(inner).unwrap()))]);
        let found = fault(&Value::Document(Raw::new(&bytes).unwrap()));
        assert_eq!((found.code, found.path.as_str()), ("bson", "f.a"));
        assert!(found.message.contains("offset 14"), "{}", found.message);
    }

    #[test]
    fn rewrites_replace_ids_and_report_them() {
        let codec = IdCodec::new(&[3; 32]).unwrap();
        let rewrites = Rewrites::new(&[
            (vec!["[]".into(), "userId".into()], "Users".into(), IdScheme::Uuid),
            (vec!["[]".into(), "kept".into()], "Users".into(), IdScheme::Keep),
        ]);
        let settings = Settings { rewrites: Some(&rewrites), codec: Some(&codec), ..Settings::default() };
        let db_ref = document(&[(b"$ref", &string("Users")), (b"$id", &Value::ObjectId([1; 12]))]);
        let elements: Vec<Vec<u8>> = [
            Value::ObjectId([1; 12]),
            string("010101010101010101010101"),
            Value::Int32(7),
            Value::Null,
            Value::Document(Raw::new(&db_ref).unwrap()),
        ]
        .iter()
        .map(|value| {
            document(&[(b"userId", value), (b"kept", &Value::ObjectId([1; 12])), (b"x", &Value::ObjectId([1; 12]))])
        })
        .collect();
        let values: Vec<Value<'_>> = elements.iter().map(|bytes| Value::Document(Raw::new(bytes).unwrap())).collect();
        let bytes = array(&values);
        let (text, report) = plain_with(&Value::Array(Raw::new(&bytes).unwrap()), &settings);
        let id = id_text(codec.derive_object_id([1; 12]), IdScheme::Uuid);
        let seven = id_text(codec.derive_value("Users", &Value::Int64(7)).unwrap().v, IdScheme::Uuid);
        let expected: Vec<String> = [&id, &id, &seven, &String::new(), &id]
            .iter()
            .map(|id| {
                let id = if id.is_empty() { "null".into() } else { format!("\"{id}\"") };
                let hex = "\"010101010101010101010101\"";
                format!("{{\"userId\":{id},\"kept\":{hex},\"x\":{hex}}}")
            })
            .collect();
        assert_eq!(text.unwrap(), format!("[{}]", expected.join(",")));
        let mapped: Vec<_> = report.references.iter().filter(|r| r.rule == 0).map(|r| r.mapped.clone()).collect();
        assert_eq!(mapped, [None, None, Some((Value::Int32(7).id_document(), seven)), None]);
        assert_eq!(report.references.iter().filter(|reference| reference.rule == 1).count(), 5);
        assert_eq!(rewrites.rule(0).unwrap().collection, "Users");
    }

    #[test]
    fn rewrites_refuse_arrays_and_other_collections() {
        let codec = IdCodec::new(&[3; 32]).unwrap();
        let rewrites = Rewrites::new(&[(vec!["u".into()], "Users".into(), IdScheme::Uuid)]);
        let settings = Settings { rewrites: Some(&rewrites), codec: Some(&codec), ..Settings::default() };
        let other = document(&[(b"$ref", &string("Cats")), (b"$id", &Value::Int32(1))]);
        let list = array(&[]);
        for (value, code) in [
            (Value::Document(Raw::new(&other).unwrap()), "wrong-collection"),
            (Value::Array(Raw::new(&list).unwrap()), "type"),
        ] {
            let bytes = document(&[(b"u", &value)]);
            let (result, _) = plain_with(&Value::Document(Raw::new(&bytes).unwrap()), &settings);
            let found = result.unwrap_err();
            assert_eq!((found.code, found.path.as_str()), (code, "f.u"));
        }
    }

    #[test]
    fn short_text_is_bounded_and_printable() {
        assert_eq!(short_text(&string("abc"), 80), "abc");
        assert_eq!(short_text(&string("abcdef"), 5), "abcd…");
        assert_eq!(short_text(&string("é".repeat(200).as_str()), 80).chars().count(), 80);
        assert_eq!(short_text(&Value::String(b"a\xff\0"), 80), "a\\xff\\u0000");
        assert_eq!(short_text(&Value::Int64(5), 80), "5");
        let big = vec![b'x'; 1 << 20];
        let bytes = document(&[(b"a", &Value::String(&big)), (b"b", &Value::Int32(1))]);
        let short = short_text(&Value::Document(Raw::new(&bytes).unwrap()), 20);
        assert_eq!(short, "{\"a\":\"xxxxxxxxxxxxx…");
    }
}
