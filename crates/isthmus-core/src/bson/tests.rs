use super::*;
use crate::testing::{array, document, string};

fn only(bytes: &[u8]) -> Element<'_> {
    let mut elements = Raw::new(bytes).unwrap().elements();
    let element = elements.next().unwrap().unwrap();
    assert!(elements.next().is_none());
    element
}

fn error(bytes: &[u8]) -> BsonError {
    match Raw::new(bytes) {
        Err(error) => error,
        Ok(raw) => raw.validate().unwrap_err(),
    }
}

/// One element of each type: type byte, stored bytes, value, name.
fn vectors() -> Vec<(u8, Vec<u8>, Value<'static>, &'static str)> {
    let empty = Raw::new(b"\x05\0\0\0\0").unwrap();
    vec![
        (0x01, b"\0\0\0\0\0\0\xf8\x3f".to_vec(), Value::Double(1.5), "double"),
        (0x02, b"\x04\0\0\0a\0b\0".to_vec(), Value::String(b"a\0b"), "string"),
        (0x03, b"\x05\0\0\0\0".to_vec(), Value::Document(empty), "object"),
        (0x04, b"\x05\0\0\0\0".to_vec(), Value::Array(empty), "array"),
        (0x05, b"\x02\0\0\0\x80xy".to_vec(), Value::Binary { subtype: 0x80, bytes: b"xy" }, "binData"),
        (0x05, b"\x06\0\0\0\x02\x02\0\0\0xy".to_vec(), Value::Binary { subtype: 2, bytes: b"xy" }, "binData"),
        (0x06, vec![], Value::Undefined, "undefined"),
        (0x07, b"abcdefghijkl".to_vec(), Value::ObjectId(*b"abcdefghijkl"), "objectId"),
        (0x08, vec![1], Value::Bool(true), "bool"),
        (0x09, vec![0xFF; 8], Value::DateTime(-1), "date"),
        (0x0A, vec![], Value::Null, "null"),
        (0x0B, b"^a\0im\0".to_vec(), Value::Regex { pattern: b"^a", options: b"im" }, "regex"),
        (
            0x0C,
            b"\x04\0\0\0a.b\0abcdefghijkl".to_vec(),
            Value::DbPointer { namespace: b"a.b", id: *b"abcdefghijkl" },
            "dbPointer",
        ),
        (0x0D, b"\x02\0\0\0f\0".to_vec(), Value::Code(b"f"), "javascript"),
        (0x0E, b"\x02\0\0\0s\0".to_vec(), Value::Symbol(b"s"), "symbol"),
        (
            0x0F,
            b"\x0f\0\0\0\x02\0\0\0f\0\x05\0\0\0\0".to_vec(),
            Value::CodeWithScope { code: b"f", scope: empty },
            "javascriptWithScope",
        ),
        (0x10, vec![0xFE, 0xFF, 0xFF, 0xFF], Value::Int32(-2), "int"),
        (0x11, b"\x02\0\0\0\xff\xff\xff\xff".to_vec(), Value::Timestamp { time: u32::MAX, increment: 2 }, "timestamp"),
        (0x12, i64::MIN.to_le_bytes().to_vec(), Value::Int64(i64::MIN), "long"),
        (0x13, vec![7; 16], Value::Decimal128([7; 16]), "decimal"),
        (0xFF, vec![], Value::MinKey, "minKey"),
        (0x7F, vec![], Value::MaxKey, "maxKey"),
    ]
}

fn wrap(kind: u8, stored: &[u8]) -> Vec<u8> {
    let mut bytes = vec![(stored.len() + 8) as u8, 0, 0, 0, kind, b'k', 0];
    bytes.extend_from_slice(stored);
    bytes.push(0);
    bytes
}

#[test]
fn every_type_is_read_and_written_back() {
    for (kind, stored, value, name) in vectors() {
        let bytes = wrap(kind, &stored);
        let element = only(&bytes);
        assert_eq!((element.key, element.kind, element.value), (&b"k"[..], kind, value));
        assert_eq!((element.raw, element.offset), (&stored[..], 7));
        assert_eq!((value.kind(), value.type_name()), (kind, name));
        let mut written = Vec::new();
        value.write_raw(&mut written);
        assert_eq!(written, stored);
        let id = value.id_document();
        assert_eq!(Value::of_id_document(&id).unwrap(), value);
    }
    assert_eq!(type_name(0x14), "unknown");
    assert_eq!(Value::of_id_document(&wrap(0x0A, b"")).unwrap_err().code, "bson");
}

#[test]
fn a_document_cut_short_inside_is_an_error_never_a_panic() {
    for (kind, stored, _, name) in vectors() {
        for keep in 0..stored.len() {
            let bytes = wrap(kind, &stored[..keep]);
            assert!(Raw::new(&bytes).unwrap().validate().is_err(), "{name} {keep}");
        }
    }
}

#[test]
fn any_single_changed_byte_gives_a_result_or_an_error() {
    for (kind, stored, ..) in vectors() {
        let bytes = wrap(kind, &stored);
        for at in 0..bytes.len() {
            for value in [0, 1, 2, 5, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(raw) = Raw::new(&changed) {
                    let _ = raw.validate();
                    let _ = crate::extended::extended_json(raw, &[]);
                    let _ = crate::canonical::canonical(&Value::Document(raw));
                    let _ = crate::order::compare(&Value::Document(raw), &Value::Array(raw));
                }
            }
        }
    }
}

#[test]
fn new_needs_exactly_one_document() {
    for bytes in [&b""[..], b"\x05\0\0", b"\x04\0\0\0", b"\x05\0\0\0\0\0", b"\x06\0\0\0\0", b"\xff\xff\xff\xff\0"] {
        assert_eq!(Raw::new(bytes).unwrap_err().code, "bson");
    }
    let terminator = Raw::new(b"\x05\0\0\0\x01").unwrap_err();
    assert_eq!((terminator.code, terminator.offset), ("bson", 4));
    assert!(Raw::new(b"\x05\0\0\0\0").unwrap().is_empty());
}

#[test]
fn errors_name_the_code_and_the_offset_in_the_outermost_document() {
    assert_eq!(error(b"\x08\0\0\0\x63a\0\0").code, "bson-type");
    assert_eq!(error(b"\x09\0\0\0\x08b\0\x02\0").offset, 7);
    assert_eq!(error(b"\x08\0\0\0\0a\0\0").code, "bson");
    let inner = [&b"\x09\0\0\0\x08b\0"[..], b"\x02\0"].concat();
    let middle = document(&[(b"m", &Value::Document(Raw::new(&inner).unwrap()))]);
    let outer = document(&[(b"o", &Value::Array(Raw::new(&middle).unwrap()))]);
    assert_eq!(error(&outer), BsonError { code: "bson", offset: 21, message: "A boolean is neither 0 nor 1." });
}

#[test]
fn a_string_with_a_bad_length_or_end_is_an_error() {
    for stored in [&b"\0\0\0\0\0"[..], b"\x03\0\0\0a\0", b"\xff\xff\xff\xffa\0", b"\x01\0\0\0ab"] {
        assert_eq!(error(&wrap(0x02, stored)).code, "bson");
    }
    assert_eq!(error(&wrap(0x05, b"\x06\0\0\0\x02\x03\0\0\0xy")).code, "bson");
    assert_eq!(error(&wrap(0x05, b"\x02\0\0\0\x02xy")).code, "bson");
}

#[test]
fn keys_of_any_length_are_found() {
    for length in [0, 1, 15, 16, 17, 40] {
        let key = vec![b'k'; length];
        let bytes = document(&[(&key, &Value::Int32(1))]);
        assert_eq!(only(&bytes).key, key);
    }
    assert_eq!(error(&[&[15, 0, 0, 0, 0x0A][..], &[b'k'; 9], &[0]].concat()).code, "bson");
}

#[test]
fn get_takes_the_last_of_duplicate_keys() {
    let bytes = document(&[(b"a", &Value::Int32(1)), (b"b", &string("x")), (b"a", &Value::Int32(2))]);
    let raw = Raw::new(&bytes).unwrap();
    assert_eq!(raw.get(b"a").unwrap().unwrap().value, Value::Int32(2));
    assert!(raw.get(b"c").unwrap().is_none());
}

#[test]
fn validate_follows_100_levels() {
    let mut bytes = document(&[]);
    for level in 2..=101 {
        let value = Raw::new(&bytes).unwrap();
        bytes =
            if level % 2 == 0 { document(&[(b"a", &Value::Document(value))]) } else { array(&[Value::Array(value)]) };
        let result = Raw::new(&bytes).unwrap().validate();
        assert_eq!(result.map_err(|error| error.code), if level <= 100 { Ok(()) } else { Err("nesting") });
    }
}
