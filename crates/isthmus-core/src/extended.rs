//! MongoDB Extended JSON: the reversible form that extras use, and canonical v2 for people.
//!
//! Source: the Extended JSON v2 specification. Extras keep texts, booleans, null, int32 and ordinary doubles plain;
//! every other value carries its type, so that the document can be turned back.

use crate::bson::{too_deep, BsonError, Raw, Value, MAX_DEPTH};
use crate::decimal::{write_double, write_plain_double, Decimal};
use crate::ids::object_id_hex;
use crate::json::text::{write_base64, write_integer};
use crate::json::walk::{self, Form, Walk};
use crate::json::{write_string, JsonFault, Report, Settings};
use crate::time::write_iso;

/// 10000-01-01T00:00:00Z in milliseconds since 1970, exclusive end of the dates that extras write as text.
const MILLIS_YEAR_10000: i64 = 253_402_300_800_000;
const HIDDEN: &[u8] = b"\"(hidden)\"";

/// Appends one value in the extras form; arguments, effects and errors as [`crate::json::write_json`], except that
/// rewrites and the NaN policy do not apply.
///
/// # Errors
/// The first value that cannot be written under the settings; `out` then holds an unfinished text to be cut off.
pub fn write_extras(
    value: &Value<'_>,
    settings: &Settings<'_>,
    report: &mut Report,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), JsonFault> {
    walk::write::<Extras>(value, settings, report, depth, out)
}

/// Appends a key as a JSON string under the policies; `report.path` must already lead to it.
///
/// # Errors
/// `utf8` under the dead-letter policy.
pub fn write_key(key: &[u8], settings: &Settings<'_>, report: &mut Report, out: &mut Vec<u8>) -> Result<(), JsonFault> {
    Walk { settings, report }.key(key, out)
}

struct Extras;

impl Form for Extras {
    const REWRITES: bool = false;

    fn scalar(walk: &mut Walk<'_, '_>, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault> {
        match *value {
            Value::Int32(number) => write_integer(i64::from(number), out),
            Value::Double(number) => {
                let size = number.abs();
                let ordinary = (1e-5..1e15).contains(&size) || (size == 0.0 && number.is_sign_positive());
                if ordinary {
                    write_plain_double(number, out);
                } else {
                    write_typed(value, out);
                }
            }
            Value::DateTime(millis) if (0..MILLIS_YEAR_10000).contains(&millis) => {
                out.extend_from_slice(b"{\"$date\":\"");
                write_iso(millis, out);
                out.extend_from_slice(b"\"}");
            }
            Value::Symbol(text) => {
                out.extend_from_slice(b"{\"$symbol\":");
                walk.text(text, value, out)?;
                out.push(b'}');
            }
            Value::Int64(_) | Value::Decimal128(_) | Value::ObjectId(_) | Value::DateTime(_) => write_typed(value, out),
            _ => return write_wrapped(walk, value, out),
        }
        Ok(())
    }
}

/// Writes the types that all forms wrap in the same way.
pub(crate) fn write_wrapped(walk: &mut Walk<'_, '_>, value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), JsonFault> {
    match *value {
        Value::Regex { pattern, options } => {
            out.extend_from_slice(b"{\"$regularExpression\":{\"pattern\":");
            walk.text(pattern, value, out)?;
            out.extend_from_slice(b",\"options\":");
            walk.text(options, value, out)?;
            out.extend_from_slice(b"}}");
        }
        Value::Code(text) => {
            out.extend_from_slice(b"{\"$code\":");
            walk.text(text, value, out)?;
            out.push(b'}');
        }
        Value::DbPointer { namespace, id } => {
            out.extend_from_slice(b"{\"$dbPointer\":{\"$ref\":");
            walk.text(namespace, value, out)?;
            write_pointer_id(id, out);
        }
        _ => write_typed(value, out),
    }
    Ok(())
}

fn write_pointer_id(id: [u8; 12], out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"$id\":{\"$oid\":\"");
    out.extend_from_slice(&object_id_hex(id));
    out.extend_from_slice(b"\"}}}");
}

/// Writes `{"$date":{"$numberLong":"…"}}`.
pub(crate) fn write_date_number(millis: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"$date\":{\"$numberLong\":\"");
    write_integer(millis, out);
    out.extend_from_slice(b"\"}}");
}

/// Writes a value without texts of its own in canonical form. Containers and texts are not its business.
fn write_typed(value: &Value<'_>, out: &mut Vec<u8>) {
    match *value {
        Value::Double(number) => {
            out.extend_from_slice(b"{\"$numberDouble\":\"");
            write_double(number, out);
            out.extend_from_slice(b"\"}");
        }
        Value::Int32(number) => {
            out.extend_from_slice(b"{\"$numberInt\":\"");
            write_integer(i64::from(number), out);
            out.extend_from_slice(b"\"}");
        }
        Value::Int64(number) => {
            out.extend_from_slice(b"{\"$numberLong\":\"");
            write_integer(number, out);
            out.extend_from_slice(b"\"}");
        }
        Value::Decimal128(bytes) => {
            out.extend_from_slice(b"{\"$numberDecimal\":\"");
            Decimal::decode(bytes).write_text(out);
            out.extend_from_slice(b"\"}");
        }
        Value::ObjectId(id) => {
            out.extend_from_slice(b"{\"$oid\":\"");
            out.extend_from_slice(&object_id_hex(id));
            out.extend_from_slice(b"\"}");
        }
        Value::DateTime(millis) => write_date_number(millis, out),
        Value::Timestamp { time, increment } => {
            out.extend_from_slice(b"{\"$timestamp\":{\"t\":");
            write_integer(i64::from(time), out);
            out.extend_from_slice(b",\"i\":");
            write_integer(i64::from(increment), out);
            out.extend_from_slice(b"}}");
        }
        Value::Binary { subtype, bytes } => {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"{\"$binary\":{\"base64\":\"");
            write_base64(bytes, out);
            out.extend_from_slice(b"\",\"subType\":\"");
            out.extend_from_slice(&[HEX[usize::from(subtype >> 4)], HEX[usize::from(subtype & 15)]]);
            out.extend_from_slice(b"\"}}");
        }
        Value::Bool(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Value::Undefined => out.extend_from_slice(b"{\"$undefined\":true}"),
        Value::MinKey => out.extend_from_slice(b"{\"$minKey\":1}"),
        Value::MaxKey => out.extend_from_slice(b"{\"$maxKey\":1}"),
        _ => out.extend_from_slice(b"null"),
    }
}

/// Canonical Extended JSON v2 of a document, duplicate keys and NULs included.
///
/// A value at one of the `hidden` paths becomes `"(hidden)"`; nulls stay. In a path `[]` stands for every element of an
/// array; arrays that no `[]` names are looked through, and so are keys of digits where a name should be. Where a path
/// ends early because something on the way is not what it says, the whole value there is hidden. A key with dots counts
/// as the path it looks like. Bytes that are not UTF-8 become U+FFFD, the only thing that is lost.
///
/// # Errors
/// Malformed or too deep documents.
pub fn extended_json(document: Raw<'_>, hidden: &[Vec<String>]) -> Result<String, BsonError> {
    let hidden: Vec<Vec<Step<'_>>> = hidden.iter().map(|path| steps(path)).collect();
    let hidden: Vec<&[Step<'_>]> = hidden.iter().map(Vec::as_slice).collect();
    let mut out = Vec::with_capacity(document.bytes().len() * 2);
    Canonical { limit: usize::MAX }.document(document, 1, &hidden, &mut out)?;
    Ok(into_text(out))
}

/// Appends canonical Extended JSON v2 of one value of a document at level 1, as [`extended_json`] does.
///
/// # Errors
/// Malformed or too deep documents inside the value.
pub fn write_canonical(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), BsonError> {
    Canonical { limit: usize::MAX }.value(value, 1, &[], out)
}

/// Everything written is UTF-8 already, so the copy of the lossy branch never happens.
fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Appends at least the first `limit` bytes of a value's text (canonical, bare numbers, dates and ObjectIds), if it
/// has so many; what is malformed ends it.
pub(crate) fn write_bounded(value: &Value<'_>, limit: usize, out: &mut Vec<u8>) {
    match *value {
        Value::Double(number) => write_double(number, out),
        Value::Int32(number) => write_integer(i64::from(number), out),
        Value::Int64(number) => write_integer(number, out),
        Value::Decimal128(bytes) => Decimal::decode(bytes).write_text(out),
        Value::ObjectId(id) => out.extend_from_slice(&object_id_hex(id)),
        Value::DateTime(millis) => {
            if !write_iso(millis, out) {
                write_date_number(millis, out);
            }
        }
        _ => {
            if (Canonical { limit }).value(value, 1, &[], out).is_err() {
                out.extend_from_slice("…".as_bytes());
            }
        }
    }
}

/// Stops adding children once the text has `limit` bytes.
struct Canonical {
    limit: usize,
}

impl Canonical {
    fn value(
        &self,
        value: &Value<'_>,
        depth: usize,
        hidden: &[&[Step<'_>]],
        out: &mut Vec<u8>,
    ) -> Result<(), BsonError> {
        if !hidden.is_empty() && conceals(value, hidden) {
            // what is not shown must be sound all the same: a document is either readable or not
            value.validate_at(depth)?;
            out.extend_from_slice(HIDDEN);
            return Ok(());
        }
        match *value {
            Value::Document(raw) => return self.document(raw, depth + 1, hidden, out),
            Value::Array(raw) => return self.array(raw, depth + 1, hidden, out),
            Value::String(text) => self.text(text, out),
            Value::Symbol(text) => {
                out.extend_from_slice(b"{\"$symbol\":");
                self.text(text, out);
                out.push(b'}');
            }
            Value::Code(text) => {
                out.extend_from_slice(b"{\"$code\":");
                self.text(text, out);
                out.push(b'}');
            }
            Value::CodeWithScope { code, scope } => {
                out.extend_from_slice(b"{\"$code\":");
                self.text(code, out);
                out.extend_from_slice(b",\"$scope\":");
                self.document(scope, depth + 1, &[], out)?;
                out.push(b'}');
            }
            Value::Regex { pattern, options } => {
                out.extend_from_slice(b"{\"$regularExpression\":{\"pattern\":");
                self.text(pattern, out);
                out.extend_from_slice(b",\"options\":");
                self.text(options, out);
                out.extend_from_slice(b"}}");
            }
            Value::DbPointer { namespace, id } => {
                out.extend_from_slice(b"{\"$dbPointer\":{\"$ref\":");
                self.text(namespace, out);
                write_pointer_id(id, out);
            }
            Value::Binary { subtype, bytes } => {
                write_typed(&Value::Binary { subtype, bytes: &bytes[..bytes.len().min(self.limit)] }, out);
            }
            _ => write_typed(value, out),
        }
        Ok(())
    }

    fn text(&self, text: &[u8], out: &mut Vec<u8>) {
        write_string(&String::from_utf8_lossy(&text[..text.len().min(self.limit)]), out);
    }

    fn document(&self, raw: Raw<'_>, depth: usize, hidden: &[&[Step<'_>]], out: &mut Vec<u8>) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(raw.offset()));
        }
        out.push(b'{');
        for (at, element) in raw.elements().enumerate() {
            let element = element?;
            if out.len() >= self.limit {
                break;
            }
            if at > 0 {
                out.push(b',');
            }
            self.text(element.key, out);
            out.push(b':');
            let below = below_key(hidden, element.key, depth > 1);
            self.value(&element.value, depth, &below, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn array(&self, raw: Raw<'_>, depth: usize, hidden: &[&[Step<'_>]], out: &mut Vec<u8>) -> Result<(), BsonError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(raw.offset()));
        }
        let below = below_element(hidden);
        out.push(b'[');
        for (at, element) in raw.elements().enumerate() {
            let element = element?;
            if out.len() >= self.limit {
                break;
            }
            if at > 0 {
                out.push(b',');
            }
            self.value(&element.value, depth, &below, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// One step of a hidden path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'p> {
    Key(&'p [u8]),
    /// `[]`: every element of an array.
    Each,
}

/// A path as steps; keys are cut at their dots, so that `a.b` as one key and as two are the same.
fn steps(path: &[String]) -> Vec<Step<'_>> {
    let parts = path.iter().flat_map(|part| match part.as_str() {
        "[]" => vec![Step::Each],
        key => key.as_bytes().split(|&byte| byte == b'.').map(Step::Key).collect(),
    });
    parts.collect()
}

/// True when a value must not be shown: a path ends here, or cannot go on.
fn conceals(value: &Value<'_>, hidden: &[&[Step<'_>]]) -> bool {
    match value {
        Value::Null | Value::Undefined => false,
        Value::Document(_) => hidden.iter().any(|rest| matches!(rest, [] | [Step::Each, ..])),
        Value::Array(_) => hidden.iter().any(|rest| rest.is_empty()),
        _ => true,
    }
}

/// The rests of the paths that go on below a key; `positions` tells whether digits may stand for a place in an array.
fn below_key<'h, 'p>(hidden: &[&'h [Step<'p>]], key: &[u8], positions: bool) -> Vec<&'h [Step<'p>]> {
    let mut found = Vec::new();
    for &path in hidden {
        let mut open = vec![path];
        for (at, part) in key.split(|&byte| byte == b'.').enumerate() {
            let position = (positions || at > 0) && is_position(part);
            let mut next = Vec::new();
            for rest in open {
                match rest {
                    [] | [Step::Each] => next.push(&rest[rest.len()..]),
                    [Step::Each, after @ ..] => next.push(if position { after } else { &rest[rest.len()..] }),
                    [Step::Key(name), after @ ..] => {
                        if *name == part {
                            next.push(after);
                        }
                        if position {
                            next.push(rest);
                        }
                    }
                }
            }
            open = next;
        }
        found.append(&mut open);
    }
    found
}

/// The rests of the paths for the elements of an array; a step of digits may mean one of them, so it counts for all.
fn below_element<'h, 'p>(hidden: &[&'h [Step<'p>]]) -> Vec<&'h [Step<'p>]> {
    let mut below = Vec::with_capacity(hidden.len());
    for &path in hidden {
        match path {
            [Step::Each, after @ ..] => below.push(after),
            [Step::Key(name), after @ ..] if is_position(name) => below.extend([path, after]),
            _ => below.push(path),
        }
    }
    below
}

fn is_position(key: &[u8]) -> bool {
    !key.is_empty() && key.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{array, document, string};

    fn extras(value: &Value<'_>) -> String {
        let (mut report, mut out) = (Report::default(), Vec::new());
        write_extras(value, &Settings::default(), &mut report, 1, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn canonical(value: &Value<'_>) -> String {
        let mut out = Vec::new();
        write_canonical(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn extras_keep_ordinary_values_plain_and_wrap_the_rest() {
        for (value, expected) in [
            (string("a\n"), r#""a\n""#),
            (Value::Bool(false), "false"),
            (Value::Null, "null"),
            (Value::Int32(5), "5"),
            (Value::Int64(5), r#"{"$numberLong":"5"}"#),
            (Value::Double(5.0), "5.0"),
            (Value::Double(0.0), "0.0"),
            (Value::Double(0.000_01), "0.00001"),
            (Value::Double(-999_999_999_999_999.9), "-999999999999999.9"),
            (Value::Double(-0.0), r#"{"$numberDouble":"-0.0"}"#),
            (Value::Double(1e15), r#"{"$numberDouble":"1000000000000000.0"}"#),
            (Value::Double(0.000_009), r#"{"$numberDouble":"9e-06"}"#),
            (Value::Double(f64::NAN), r#"{"$numberDouble":"NaN"}"#),
            (Value::Double(f64::NEG_INFINITY), r#"{"$numberDouble":"-Infinity"}"#),
            (Value::ObjectId([1; 12]), r#"{"$oid":"010101010101010101010101"}"#),
            (Value::DateTime(0), r#"{"$date":"1970-01-01T00:00:00.000Z"}"#),
            (Value::DateTime(-1), r#"{"$date":{"$numberLong":"-1"}}"#),
            (Value::DateTime(MILLIS_YEAR_10000), r#"{"$date":{"$numberLong":"253402300800000"}}"#),
            (Value::Symbol(b"s"), r#"{"$symbol":"s"}"#),
            (Value::Decimal128((6176u128 << 113 | 5).to_le_bytes()), r#"{"$numberDecimal":"5"}"#),
            (Value::Decimal128((0x78u128 << 120).to_le_bytes()), r#"{"$numberDecimal":"Infinity"}"#),
            (Value::Binary { subtype: 0x80, bytes: b"" }, r#"{"$binary":{"base64":"","subType":"80"}}"#),
        ] {
            assert_eq!(extras(&value), expected);
        }
        let inner = document(&[(b"n", &Value::Int64(1))]);
        let list = array(&[Value::Document(Raw::new(&inner).unwrap())]);
        assert_eq!(extras(&Value::Array(Raw::new(&list).unwrap())), r#"[{"n":{"$numberLong":"1"}}]"#);
    }

    #[test]
    fn canonical_wraps_every_type() {
        for (value, expected) in [
            (Value::Int32(5), r#"{"$numberInt":"5"}"#),
            (Value::Double(5.0), r#"{"$numberDouble":"5.0"}"#),
            (Value::DateTime(0), r#"{"$date":{"$numberLong":"0"}}"#),
            (Value::Bool(true), "true"),
            (Value::Null, "null"),
            (Value::String(b"a\0\xff"), "\"a\\u0000\u{FFFD}\""),
            (Value::Code(b"x"), r#"{"$code":"x"}"#),
            (Value::Symbol(b"x"), r#"{"$symbol":"x"}"#),
            (Value::Timestamp { time: 1, increment: 2 }, r#"{"$timestamp":{"t":1,"i":2}}"#),
            (Value::Regex { pattern: b"a", options: b"" }, r#"{"$regularExpression":{"pattern":"a","options":""}}"#),
            (Value::MinKey, r#"{"$minKey":1}"#),
            (Value::Undefined, r#"{"$undefined":true}"#),
        ] {
            assert_eq!(canonical(&value), expected);
        }
    }

    #[test]
    fn extended_json_keeps_duplicates_and_hides_paths_through_arrays() {
        let secret = document(&[(b"pin", &Value::Int32(1)), (b"x", &Value::Null)]);
        let list = array(&[Value::Document(Raw::new(&secret).unwrap())]);
        let bytes = document(&[
            (b"a", &Value::Bool(true)),
            (b"a", &Value::Bool(false)),
            (b"list", &Value::Array(Raw::new(&list).unwrap())),
            (b"pin", &Value::Int32(2)),
        ]);
        let raw = Raw::new(&bytes).unwrap();
        let path = |parts: &[&str]| parts.iter().map(|&part| part.to_owned()).collect::<Vec<_>>();
        for hidden in [path(&["list", "pin"]), path(&["list", "[]", "pin"])] {
            assert_eq!(
                extended_json(raw, &[hidden]).unwrap(),
                r#"{"a":true,"a":false,"list":[{"pin":"(hidden)","x":null}],"pin":{"$numberInt":"2"}}"#
            );
        }
        assert!(extended_json(raw, &[path(&["list"])]).unwrap().contains(r#""list":"(hidden)""#));
        assert!(extended_json(raw, &[path(&["list", "[]"])]).unwrap().contains(r#""list":["(hidden)"]"#));
    }

    fn embedded<'a>(bytes: &'a [u8]) -> Value<'a> {
        Value::Document(Raw::new(bytes).unwrap())
    }

    fn listed<'a>(bytes: &'a [u8]) -> Value<'a> {
        Value::Array(Raw::new(bytes).unwrap())
    }

    /// `{"v": value}` as it is shown when these paths, written with dots, are hidden.
    fn shown(value: &Value<'_>, hidden: &[&str]) -> String {
        let bytes = document(&[(b"v", value)]);
        let paths: Vec<Vec<String>> =
            hidden.iter().map(|path| path.split('.').map(str::to_owned).collect::<Vec<_>>()).collect();
        let text = extended_json(Raw::new(&bytes).unwrap(), &paths).unwrap();
        text.strip_prefix("{\"v\":").unwrap().strip_suffix('}').unwrap().to_owned()
    }

    #[test]
    fn what_is_no_document_where_a_hidden_path_goes_on_is_hidden_whole() {
        let code = document(&[(b"pin", &string("s"))]);
        let scalars = [
            string("s"),
            Value::Int64(4),
            Value::Bool(true),
            Value::ObjectId([1; 12]),
            Value::Binary { subtype: 0, bytes: b"s" },
            Value::CodeWithScope { code: b"s", scope: Raw::new(&code).unwrap() },
            Value::Regex { pattern: b"s", options: b"" },
            Value::MinKey,
        ];
        for value in &scalars {
            for path in ["v", "v.pin", "v.deep.pin", "v.[].pin"] {
                assert_eq!(shown(value, &[path]), r#""(hidden)""#, "{value:?} {path}");
            }
        }
        for path in ["v", "v.pin", "v.[].pin"] {
            assert_eq!(shown(&Value::Null, &[path]), "null");
            assert_eq!(shown(&Value::Undefined, &[path]), r#"{"$undefined":true}"#);
        }
        assert_eq!(shown(&string("s"), &["w.pin", "vv"]), r#""s""#);
    }

    #[test]
    fn arrays_are_looked_through_and_a_document_in_place_of_one_is_hidden() {
        let inner = document(&[(b"pin", &string("s")), (b"x", &Value::Null), (b"y", &string("open"))]);
        let inner = embedded(&inner);
        let hidden = r#"{"pin":"(hidden)","x":null,"y":"open"}"#;
        let nested = array(&[inner]);
        let list = array(&[inner, string("s"), Value::Null, listed(&nested)]);
        for path in ["v.pin", "v.[].pin"] {
            assert_eq!(shown(&listed(&list), &[path]), format!(r#"[{hidden},"(hidden)",null,[{hidden}]]"#), "{path}");
        }
        assert_eq!(shown(&inner, &["v.pin"]), hidden);
        assert_eq!(shown(&inner, &["v.[].pin"]), r#""(hidden)""#);
        let by_name = document(&[(b"a", &inner)]);
        assert_eq!(shown(&embedded(&by_name), &["v.[].pin"]), r#""(hidden)""#);
        assert_eq!(shown(&inner, &["v.y.deep", "v.pin"]), r#"{"pin":"(hidden)","x":null,"y":"(hidden)"}"#);
    }

    #[test]
    fn keys_of_digits_with_dots_or_repeated_do_not_show_what_is_hidden() {
        let inner = document(&[(b"pin", &string("s")), (b"y", &string("open"))]);
        let numbered = document(&[(b"0", &embedded(&inner)), (b"1", &string("s")), (b"z", &string("open"))]);
        assert_eq!(
            shown(&embedded(&numbered), &["v.pin"]),
            r#"{"0":{"pin":"(hidden)","y":"open"},"1":"(hidden)","z":"open"}"#
        );
        assert_eq!(shown(&listed(&array(&[embedded(&inner)])), &["v.0.pin"]), r#"[{"pin":"(hidden)","y":"open"}]"#);
        assert_eq!(shown(&listed(&array(&[string("s")])), &["v.0"]), r#"["(hidden)"]"#);
        let dotted = document(&[(b"a.pin", &string("s")), (b"a.pin.more", &string("s")), (b"a.x", &string("open"))]);
        assert_eq!(
            shown(&embedded(&dotted), &["v.a.pin"]),
            r#"{"a.pin":"(hidden)","a.pin.more":"(hidden)","a.x":"open"}"#
        );
        let of_array = document(&[(b"a.0.pin", &string("s")), (b"a.pin", &string("s")), (b"b", &string("open"))]);
        assert_eq!(
            shown(&embedded(&of_array), &["v.a.[].pin"]),
            r#"{"a.0.pin":"(hidden)","a.pin":"(hidden)","b":"open"}"#
        );
        let twice = document(&[(b"pin", &string("s")), (b"pin", &string("s"))]);
        assert_eq!(shown(&embedded(&twice), &["v.pin"]), r#"{"pin":"(hidden)","pin":"(hidden)"}"#);
        let bytes = document(&[(b"2020", &string("open")), (b"a.pin", &string("s"))]);
        let path = vec!["a".to_owned(), "pin".to_owned()];
        assert_eq!(extended_json(Raw::new(&bytes).unwrap(), &[path]).unwrap(), r#"{"2020":"open","a.pin":"(hidden)"}"#);
    }

    #[test]
    fn extended_json_of_broken_or_deep_documents_is_an_error() {
        assert_eq!(extended_json(Raw::new(b"\x08\0\0\0\x63a\0\0").unwrap(), &[]).unwrap_err().code, "bson-type");
        let mut bytes = document(&[]);
        for _ in 0..100 {
            bytes = document(&[(b"a", &Value::Document(Raw::new(&bytes).unwrap()))]);
        }
        assert_eq!(extended_json(Raw::new(&bytes).unwrap(), &[]).unwrap_err().code, "nesting");
    }
}
