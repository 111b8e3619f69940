//! Every outcome of the BSON × PostgreSQL table, one value in one column at a time.
//!
//! The expected bytes are written down from PostgreSQL's formats, not computed by the core. What this cannot see is
//! whether PostgreSQL reads them so; the integration tests in Python send rows to a real server.

mod support;

use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

/// What a column makes of a value.
#[derive(Debug, PartialEq)]
enum Made {
    Bytes(Vec<u8>),
    Null,
    Refused(&'static str),
}

fn bytes(data: impl AsRef<[u8]>) -> Made {
    Made::Bytes(data.as_ref().to_vec())
}

/// The outcome, and the changes that were counted.
fn put(kind: &Json, more: &Json, value: Value<'_>) -> (Made, Vec<String>) {
    let transcoder = transcoder(&one_column(kind.clone(), more));
    let batch = run(&transcoder, &[document(&[("_id", Value::Int32(1)), ("v", value)])]);
    let changes = batch.counts["adjusted"].keys().map(|name| name.replace("things.v:", "")).collect();
    let made = match batch.rejects.first() {
        Some(reject) => {
            assert!(changes_are_empty(&batch.counts["adjusted"]));
            let cause = &reject.causes[0];
            assert_eq!((cause.column.as_deref(), cause.path.split('.').next()), (Some("things.v"), Some("v")));
            assert!(cause.message.ends_with('.'), "{}", cause.message);
            Made::Refused(cause.code.slug())
        }
        None => match &rows(&batch, 0)[0][1] {
            Some(data) => bytes(data),
            None => Made::Null,
        },
    };
    (made, changes)
}

fn changes_are_empty(changes: &std::collections::BTreeMap<String, u64>) -> bool {
    changes.is_empty()
}

/// Taken as it is, nothing counted.
fn exact(kind: Json, value: Value<'_>, expected: impl AsRef<[u8]>) {
    assert_eq!(put(&kind, &json!({}), value), (bytes(expected), vec![]), "{kind} {value:?}");
}

/// Refused with and without `coerce`.
fn never(kind: Json, value: Value<'_>, code: &'static str) {
    for coerce in [false, true] {
        let (made, _) = put(&kind, &json!({"coerce": coerce}), value);
        assert_eq!(made, Made::Refused(code), "{kind} {value:?} coerce {coerce}");
    }
}

/// Refused without `coerce`, taken and counted with it.
fn coerced(kind: Json, value: Value<'_>, code: &'static str, expected: impl AsRef<[u8]>, changes: &[&str]) {
    assert_eq!(put(&kind, &json!({}), value).0, Made::Refused(code), "{kind} {value:?}");
    let (made, counted) = put(&kind, &json!({"coerce": true}), value);
    assert_eq!(made, bytes(expected), "{kind} {value:?}");
    assert_eq!(counted, changes, "{kind} {value:?}");
}

/// Decimal128 of a small coefficient.
fn decimal(negative: bool, coefficient: u128, exponent: i32) -> Value<'static> {
    let biased = (exponent + 6_176) as u128;
    Value::Decimal128((u128::from(negative) << 127 | biased << 113 | coefficient).to_le_bytes())
}

const DECIMAL_NAN: Value<'static> = Value::Decimal128([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7C]);
const DECIMAL_INFINITY: Value<'static> = Value::Decimal128([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x78]);

#[test]
fn text_takes_strings_and_object_ids_and_coerces_scalars() {
    exact(json!("text"), text("Zürich"), "Zürich");
    exact(json!("text"), text(""), "");
    exact(json!("text"), Value::Symbol(b"s"), "s");
    exact(json!("text"), Value::ObjectId(USER), "6553f1000102030405060708");
    let c = &["coerced"];
    coerced(json!("text"), Value::Int32(-5), "type", "-5", c);
    coerced(json!("text"), Value::Int64(i64::MIN), "type", "-9223372036854775808", c);
    coerced(json!("text"), Value::Bool(true), "type", "true", c);
    coerced(json!("text"), Value::Double(0.1), "type", "0.1", c);
    coerced(json!("text"), Value::Double(5.0), "type", "5.0", c);
    for (value, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        coerced(json!("text"), Value::Double(value), "type", word, c);
    }
    coerced(json!("text"), DECIMAL_INFINITY, "type", "Infinity", c);
    coerced(json!("text"), decimal(false, 1_230, -3), "type", "1.230", c);
    coerced(json!("text"), Value::DateTime(1_614_834_367_089), "type", "2021-03-04T05:06:07.089Z", c);
    coerced(json!("text"), Value::Code(b"f()"), "type", "f()", c);
    never(json!("text"), Value::MinKey, "type");
    never(json!("text"), as_document(&document(&[])), "type");
    never(json!("text"), Value::Binary { subtype: 0, bytes: b"x" }, "type");
    let (made, _) = put(&json!("text"), &json!({"coerce": true}), Value::DateTime(i64::MAX));
    assert_eq!(made, Made::Refused("range"));
}

#[test]
fn text_with_nul_or_broken_utf8_follows_its_policy() {
    for kind in ["text", "varchar"] {
        never(json!(kind), Value::String(b"a\0b"), "nul");
        never(json!(kind), Value::String(b"a\xFFb"), "utf8");
        let (made, changes) = put(&json!(kind), &json!({"policies": {"nul": "remove"}}), Value::String(b"a\0b\0"));
        assert_eq!((made, changes), (bytes("ab"), vec!["nul_removed".to_owned()]));
        let (made, changes) = put(&json!(kind), &json!({"policies": {"utf8": "replace"}}), Value::String(b"a\xFFb"));
        assert_eq!((made, changes), (bytes("a\u{FFFD}b"), vec!["utf8_replaced".to_owned()]));
    }
    let both = json!({"policies": {"nul": "remove", "utf8": "replace"}});
    assert_eq!(put(&json!("text"), &both, Value::String(b"\0\xE1\x45")).0, bytes("\u{FFFD}E"));
}

#[test]
fn varchar_counts_characters_not_bytes() {
    let kind = json!({"kind": "varchar", "length": 3});
    exact(kind.clone(), text("äöü"), "äöü");
    never(kind.clone(), text("äöüx"), "too-long");
    never(kind, Value::ObjectId(USER), "too-long");
}

#[test]
fn integers_take_whole_numbers_in_range() {
    exact(json!("smallint"), Value::Int32(-32_768), (-32_768_i16).to_be_bytes());
    exact(json!("integer"), Value::Int64(7), 7_i32.to_be_bytes());
    exact(json!("bigint"), Value::Int64(i64::MAX), i64::MAX.to_be_bytes());
    exact(json!("integer"), Value::Double(5.0), 5_i32.to_be_bytes());
    exact(json!("bigint"), Value::Double(-9_223_372_036_854_775_808.0), i64::MIN.to_be_bytes());
    exact(json!("integer"), decimal(false, 1, 3), 1_000_i32.to_be_bytes());
    exact(json!("integer"), decimal(true, 50, -1), (-5_i32).to_be_bytes());
    never(json!("smallint"), Value::Int32(32_768), "out-of-range");
    never(json!("integer"), Value::Int64(1 << 31), "out-of-range");
    never(json!("bigint"), Value::Double(9_223_372_036_854_775_808.0), "out-of-range");
    never(json!("bigint"), decimal(false, 1, 40), "out-of-range");
    never(json!("integer"), Value::Double(f64::NAN), "out-of-range");
    never(json!("integer"), DECIMAL_INFINITY, "out-of-range");
    never(json!("integer"), Value::Double(5.5), "fraction");
    never(json!("integer"), decimal(false, 55, -1), "fraction");
    never(json!("integer"), Value::DateTime(0), "type");
    coerced(json!("integer"), Value::Bool(true), "type", 1_i32.to_be_bytes(), &["coerced"]);
    coerced(json!("smallint"), text("-12"), "type", (-12_i16).to_be_bytes(), &["coerced"]);
    let coerce = json!({"coerce": true});
    assert_eq!(put(&json!("integer"), &coerce, text("1.5")).0, Made::Refused("type"));
    assert_eq!(put(&json!("integer"), &coerce, text("")).0, Made::Refused("type"));
    assert_eq!(put(&json!("integer"), &coerce, text("99999999999999999999")).0, Made::Refused("out-of-range"));
    let (made, changes) = put(&json!("integer"), &json!({}), Value::Double(-0.0));
    assert_eq!((made, changes), (bytes(0_i32.to_be_bytes()), vec!["negative_zero".to_owned()]));
}

#[test]
fn floats_are_exact_or_refused_unless_coerced() {
    let double = |v: f64| v.to_be_bytes();
    exact(json!("double"), Value::Double(f64::NAN), double(f64::NAN));
    exact(json!("double"), Value::Double(-0.0), double(-0.0));
    exact(json!("double"), Value::Double(f64::NEG_INFINITY), double(f64::NEG_INFINITY));
    exact(json!("double"), Value::Int64(1 << 60), double(1_152_921_504_606_846_976.0));
    exact(json!("double"), decimal(false, 5, -1), double(0.5));
    exact(json!("double"), DECIMAL_NAN, double(f64::NAN));
    coerced(json!("double"), Value::Int64(i64::MAX), "inexact", double(9_223_372_036_854_775_808.0), &["rounded"]);
    coerced(json!("double"), decimal(false, 1, -1), "inexact", double(0.1), &["rounded"]);
    coerced(json!("double"), text("-1.5e2"), "type", double(-150.0), &["coerced"]);
    never(json!("double"), decimal(false, 1, 400), "out-of-range");
    never(json!("double"), Value::Bool(true), "type");
    let coerce = json!({"coerce": true});
    for wrong in ["", "x", "1e", "infinity", "0x10", " 1", "--1", "1.5.2"] {
        assert_eq!(put(&json!("double"), &coerce, text(wrong)).0, Made::Refused("type"), "{wrong:?}");
    }
    assert_eq!(put(&json!("double"), &coerce, text("1e999")).0, Made::Refused("out-of-range"));

    let real = |v: f32| v.to_be_bytes();
    exact(json!("real"), Value::Double(0.5), real(0.5));
    exact(json!("real"), Value::Double(f64::NAN), real(f32::NAN));
    exact(json!("real"), Value::Int32(1 << 24), real(16_777_216.0));
    coerced(json!("real"), Value::Double(0.1), "inexact", real(0.1), &["rounded"]);
    coerced(json!("real"), Value::Int32((1 << 24) + 1), "inexact", real(16_777_216.0), &["rounded"]);
    never(json!("real"), Value::Double(1e39), "out-of-range");
}

#[test]
fn numbers_in_texts_have_one_grammar() {
    let coerce = json!({"coerce": true});
    let money = json!({"kind": "numeric", "precision": 10, "scale": 2});
    for kind in [json!("real"), json!("double"), json!("numeric"), money] {
        for number in ["5", "5.", ".5", "1.e5", "+.5E-1", "-0", "007", "1e0000000001"] {
            assert!(matches!(put(&kind, &coerce, text(number)).0, Made::Bytes(_)), "{kind} {number:?}");
        }
        for wrong in ["", ".", "-", "e5", "1e", "1e+", " 5", "5 ", "1_0", "0x5", "inf", "nan", "+Infinity", "1.2.3"] {
            assert_eq!(put(&kind, &coerce, text(wrong)).0, Made::Refused("type"), "{kind} {wrong:?}");
        }
    }
}

#[test]
fn real_is_rounded_once() {
    let coerce = json!({"coerce": true});
    let above = 0x3F80_0001_u32.to_be_bytes();
    // Just above the middle of two singles, too near to it for a double.
    let near = decimal(false, 1_000_000_059_604_644_775_390_625_000_000_001, -33);
    assert_eq!(put(&json!("real"), &coerce, near), (bytes(above), vec!["rounded".to_owned()]));
    for number in ["1.000000059604644775390625000000000001", "1000000059604644775390625000000000001e-36"] {
        assert_eq!(put(&json!("real"), &coerce, text(number)).0, bytes(above), "{number}");
    }
    let wide = (1_i64 << 60) + (1 << 36) + 1;
    let next = ((1_u64 << 60) as f32).to_bits() + 1;
    assert_eq!(put(&json!("real"), &coerce, Value::Int64(wide)).0, bytes(next.to_be_bytes()));
    assert_eq!(put(&json!("real"), &coerce, text("3.5e38")).0, Made::Refused("out-of-range"));
    assert_eq!(put(&json!("real"), &coerce, text("-Infinity")).0, bytes(f32::NEG_INFINITY.to_be_bytes()));
    never(json!("real"), decimal(false, 1, 39), "out-of-range");
}

#[test]
fn a_symbol_is_the_string_it_holds_in_every_column() {
    let coerce = json!({"coerce": true});
    let letters = json!({"kind": "enum", "values": ["A"], "name": "letters"});
    for (kind, written) in [
        (json!("text"), "s"),
        (json!({"kind": "varchar", "length": 1}), "s"),
        (letters, "A"),
        (json!("smallint"), "5"),
        (json!("integer"), "5"),
        (json!("bigint"), "5"),
        (json!("real"), ".5"),
        (json!("double"), ".5"),
        (json!("numeric"), ".5"),
        (json!("boolean"), "true"),
        (json!("boolean"), "false"),
        (json!("date"), "2021-03-04"),
        (json!("timestamp"), "2021-03-04T05:06Z"),
        (json!("timestamptz"), "2021-03-04"),
        (json!("uuid"), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (json!("jsonb"), "s"),
    ] {
        for more in [&json!({}), &coerce] {
            let as_string = put(&kind, more, text(written));
            assert_eq!(put(&kind, more, Value::Symbol(written.as_bytes())), as_string, "{kind} {written}");
        }
        assert!(matches!(put(&kind, &coerce, text(written)).0, Made::Bytes(_)), "{kind} {written}");
    }
}

/// `ndigits, weight, sign, dscale, digits…` of PostgreSQL's numeric.
fn numeric(weight: i16, sign: u16, scale: u16, digits: &[i16]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&(digits.len() as i16).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
    for digit in digits {
        out.extend_from_slice(&digit.to_be_bytes());
    }
    out
}

#[test]
fn numeric_keeps_digits_and_refuses_what_does_not_fit() {
    let money = json!({"kind": "numeric", "precision": 6, "scale": 2});
    exact(json!("numeric"), decimal(false, 12_300, -4), numeric(0, 0, 4, &[1, 2_300]));
    exact(json!("numeric"), Value::Int32(-12_345), numeric(1, 0x4000, 0, &[1, 2_345]));
    exact(json!("numeric"), Value::Double(0.1), numeric(-1, 0, 1, &[1_000]));
    exact(json!("numeric"), DECIMAL_NAN, numeric(0, 0xC000, 0, &[]));
    exact(json!("numeric"), DECIMAL_INFINITY, numeric(0, 0xD000, 0, &[]));
    exact(money.clone(), decimal(false, 125, -2), numeric(0, 0, 2, &[1, 2_500]));
    never(money.clone(), Value::Int32(12_345), "out-of-range");
    never(money.clone(), DECIMAL_INFINITY, "out-of-range");
    never(money.clone(), Value::Bool(true), "type");
    coerced(money.clone(), decimal(false, 1_245, -3), "scale", numeric(0, 0, 2, &[1, 2_400]), &["rounded"]);
    coerced(money, text("1.50"), "type", numeric(0, 0, 2, &[1, 5_000]), &["coerced"]);
    for zero in [decimal(true, 0, 0), Value::Double(-0.0)] {
        let (_, changes) = put(&json!("numeric"), &json!({}), zero);
        assert_eq!(changes, ["negative_zero"]);
    }
    assert_eq!(put(&json!("numeric"), &json!({"coerce": true}), text("twelve")).0, Made::Refused("type"));
}

#[test]
fn boolean_coerces_only_zero_one_and_their_words() {
    exact(json!("boolean"), Value::Bool(true), [1]);
    for (value, expected) in [
        (Value::Int32(1), 1),
        (Value::Int64(0), 0),
        (Value::Double(1.0), 1),
        (Value::Double(-0.0), 0),
        (text("true"), 1),
        (text("false"), 0),
    ] {
        coerced(json!("boolean"), value, "type", [expected], &["coerced"]);
    }
    for value in [Value::Int32(2), text("yes"), Value::Double(0.5), Value::MaxKey] {
        never(json!("boolean"), value, "type");
    }
}

const DAY_MS: i64 = 86_400_000;
const EPOCH_2000_MS: i64 = 946_684_800_000;

#[test]
fn dates_need_midnight_unless_coerced() {
    exact(json!("date"), Value::DateTime(EPOCH_2000_MS + DAY_MS), 1_i32.to_be_bytes());
    exact(json!("date"), Value::DateTime(EPOCH_2000_MS - DAY_MS), (-1_i32).to_be_bytes());
    coerced(json!("date"), Value::DateTime(EPOCH_2000_MS - 1), "time-of-day", (-1_i32).to_be_bytes(), &["rounded"]);
    coerced(json!("date"), text("2000-01-03"), "type", 2_i32.to_be_bytes(), &["coerced"]);
    never(json!("date"), Value::Int32(1), "type");
    assert_eq!(put(&json!("date"), &json!({"coerce": true}), text("3.1.2000")).0, Made::Refused("type"));
}

#[test]
fn timestamps_keep_milliseconds_and_follow_the_range_policy() {
    for kind in ["timestamp", "timestamptz"] {
        exact(json!(kind), Value::DateTime(EPOCH_2000_MS + 1), 1_000_i64.to_be_bytes());
        let seconds = json!({"kind": kind, "precision": 0});
        exact(seconds.clone(), Value::DateTime(EPOCH_2000_MS + 2_000), 2_000_000_i64.to_be_bytes());
        let half = Value::DateTime(EPOCH_2000_MS + 1_500);
        coerced(seconds, half, "precision", 2_000_000_i64.to_be_bytes(), &["rounded"]);
        let stamp = Value::Timestamp { time: 946_684_801, increment: 3 };
        coerced(json!(kind), stamp, "type", 1_000_000_i64.to_be_bytes(), &["coerced"]);
        coerced(json!(kind), text("2000-01-01T00:00:01Z"), "type", 1_000_000_i64.to_be_bytes(), &["coerced"]);
        never(json!(kind), Value::Int64(0), "type");

        for (millis, infinity) in [(i64::MAX, i64::MAX), (i64::MIN, i64::MIN)] {
            let beyond = Value::DateTime(millis);
            never(json!(kind), beyond, "range");
            let null = json!({"policies": {"range": "null"}});
            assert_eq!(put(&json!(kind), &null, beyond), (Made::Null, vec!["range_null".to_owned()]));
            let endless = json!({"policies": {"range": "infinity"}});
            let expected = (bytes(infinity.to_be_bytes()), vec!["range_infinity".to_owned()]);
            assert_eq!(put(&json!(kind), &endless, beyond), expected);
            let required = json!({"policies": {"range": "null"}, "required": true});
            assert_eq!(put(&json!(kind), &required, beyond).0, Made::Refused("range"));
        }
    }
    // Digits are not rounded away unasked, not even where rounding would leave the range.
    let last = Value::DateTime(9_224_318_015_999_999);
    for policy in ["dead_letter", "null", "infinity"] {
        let (made, _) =
            put(&json!({"kind": "timestamp", "precision": 0}), &json!({"policies": {"range": policy}}), last);
        assert_eq!(made, Made::Refused("precision"));
    }
    let more = json!({"policies": {"range": "infinity"}, "coerce": true});
    let (made, changes) = put(&json!({"kind": "timestamp", "precision": 0}), &more, last);
    assert_eq!((made, changes), (bytes(i64::MAX.to_be_bytes()), vec!["range_infinity".to_owned()]));
    let endless = json!({"policies": {"range": "infinity"}});
    assert_eq!(put(&json!("date"), &endless, Value::DateTime(i64::MIN)).0, bytes(i32::MIN.to_be_bytes()));
}

#[test]
fn uuid_and_bytea_mind_the_subtype() {
    let bytes16: Vec<u8> = (0..16).collect();
    let binary = |subtype, bytes| Value::Binary { subtype, bytes };
    exact(json!("uuid"), binary(4, &bytes16), &bytes16);
    never(json!("uuid"), binary(3, &bytes16), "uuid-legacy");
    never(json!("uuid"), binary(0, &bytes16), "type");
    never(json!("uuid"), binary(4, &bytes16[1..]), "type");
    let written = text("00010203-0405-0607-0809-0a0b0c0d0e0f");
    coerced(json!("uuid"), written, "type", &bytes16, &["coerced"]);
    assert_eq!(put(&json!("uuid"), &json!({"coerce": true}), text("0001")).0, Made::Refused("type"));
    exact(json!("bytea"), binary(0, b"\0x"), b"\0x");
    coerced(json!("bytea"), binary(5, b"md5"), "type", b"md5", &["coerced"]);
    never(json!("bytea"), text("x"), "type");
}

#[test]
fn enums_take_their_labels_only() {
    let kind = json!({"kind": "enum", "values": ["ACTIVE", "DONE"], "name": "status"});
    exact(kind.clone(), text("DONE"), "DONE");
    never(kind.clone(), text("done"), "enum");
    never(kind.clone(), Value::Int32(1), "type");
    never(kind.clone(), Value::String(b"DO\0NE"), "nul");
    let (made, changes) = put(&kind, &json!({"policies": {"nul": "remove"}}), Value::String(b"DO\0NE"));
    assert_eq!((made, changes), (bytes("DONE"), vec!["nul_removed".to_owned()]));
}

#[test]
fn arrays_hold_elements_nulls_and_their_type() {
    let texts = json!({"kind": "text", "array": true});
    let head = |flag: u32, oid: u32, count: u32| {
        [1, flag, oid, count, 1].iter().flat_map(|part: &u32| part.to_be_bytes()).collect::<Vec<u8>>()
    };
    let values = array(&[text("a"), Value::Null, text("bc")]);
    let fields = [&1_u32.to_be_bytes()[..], b"a", &(-1_i32).to_be_bytes(), &2_u32.to_be_bytes(), b"bc"].concat();
    exact(texts.clone(), as_array(&values), [head(1, 25, 3), fields].concat());
    let empty = array(&[]);
    exact(texts.clone(), as_array(&empty), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]);
    let nested = array(&[as_array(&empty)]);
    never(texts.clone(), as_array(&nested), "type");
    never(texts.clone(), as_array(&array(&[Value::String(b"\0")])), "nul");
    let one = [head(0, 25, 1), 1_u32.to_be_bytes().to_vec(), b"a".to_vec()].concat();
    coerced(texts, text("a"), "type", one, &["coerced"]);
    let numbers = json!({"kind": "bigint", "array": true});
    let expected = [head(0, 20, 1), 8_u32.to_be_bytes().to_vec(), 5_i64.to_be_bytes().to_vec()].concat();
    exact(numbers, as_array(&array(&[Value::Int32(5)])), expected);
}

#[test]
fn an_element_at_fault_is_named_by_its_position() {
    let transcoder = transcoder(&one_column(json!({"kind": "integer", "array": true}), &json!({})));
    let values = array(&[Value::Int32(1), text("x")]);
    let batch = run(&transcoder, &[document(&[("_id", Value::Int32(1)), ("v", as_array(&values))])]);
    let cause = &batch.rejects[0].causes[0];
    assert_eq!((cause.path.as_str(), cause.bson_type, cause.value.as_str()), ("v.1", "string", "x"));
}

#[test]
fn enum_arrays_need_the_oid_of_their_type() {
    use isthmus_core::transcode::Transcoder;
    let kind = json!({"kind": "enum", "values": ["A"], "name": "letters", "array": true});
    let plan = one_column(kind, &json!({}));
    let block = document(&[("_id", Value::Int32(1)), ("v", as_array(&array(&[text("A")])))]);
    let error = transcoder(&plan).transcode(&block).expect_err("no OID");
    assert_eq!(error.code, "enum-oids");
    let oids = [("letters".to_owned(), 99_999)].into();
    let batch = Transcoder::new(&whole(&plan), &KEY, 0, &oids).unwrap().transcode(&block).unwrap();
    assert_eq!(rows(&batch, 0)[0][1].as_ref().unwrap()[8..12], 99_999_u32.to_be_bytes());
}

#[test]
fn jsonb_takes_every_type_and_follows_its_policies() {
    let inner = document(&[("d", Value::Double(5.0)), ("o", Value::ObjectId(USER))]);
    exact(json!("jsonb"), as_document(&inner), b"\x01{\"d\":5.0,\"o\":\"6553f1000102030405060708\"}");
    exact(json!("jsonb"), Value::MinKey, b"\x01{\"$minKey\":1}");
    never(json!("jsonb"), Value::Double(f64::NAN), "nan");
    never(json!("jsonb"), Value::String(b"\0"), "nul");
    let null = json!({"policies": {"nan": "null"}});
    let list = array(&[Value::Double(f64::NAN)]);
    let (made, changes) = put(&json!("jsonb"), &null, as_array(&list));
    assert_eq!((made, changes), (bytes(b"\x01[null]"), vec!["nan_null".to_owned()]));
}

#[test]
fn changes_that_lose_the_original_are_listed_unless_sensitive() {
    for (sensitive, shown) in [(false, "0.1"), (true, "(hidden)")] {
        let plan = one_column(json!("real"), &json!({"coerce": true, "sensitive": sensitive}));
        let batch = run(&transcoder(&plan), &[document(&[("_id", Value::Int32(1)), ("v", Value::Double(0.1))])]);
        let listed = &batch.adjustments[0];
        assert_eq!((listed.table.as_str(), listed.column.as_str(), listed.position), ("things", "v", None));
        assert_eq!((listed.kind.slug(), listed.original.as_str()), ("rounded", shown));
    }
}

#[test]
fn messages_quote_texts() {
    let message = |kind: Json, more: Json, value: Value<'_>| {
        let batch = run(&transcoder(&one_column(kind, &more)), &[with_id(&[("v", value)])]);
        batch.rejects[0].causes[0].message.clone()
    };
    let about = message(json!("integer"), json!({"coerce": true}), text("about 50"));
    assert_eq!(about, "Column things.v cannot take \"about 50\" from v: the text does not read as integer.");
    let empty = message(json!("integer"), json!({"coerce": true}), text(""));
    assert_eq!(empty, "Column things.v cannot take \"\" from v: the text does not read as integer.");
    let number = message(json!("integer"), json!({}), Value::Double(5.5));
    assert_eq!(number, "Column things.v cannot take 5.5 from v: it is not a whole number.");
    let list = array(&[text("x y")]);
    let element = message(json!({"kind": "uuid", "array": true}), json!({"coerce": true}), as_array(&list));
    assert_eq!(element, "Column things.v cannot take \"x y\" from v.0: the text does not read as uuid.");
    let hidden = message(json!("integer"), json!({"sensitive": true}), text("hush"));
    assert!(hidden.starts_with("Column things.v cannot take (hidden) from v: "), "{hidden}");
}

#[test]
fn a_sensitive_value_is_hidden_in_causes() {
    for kind in [json!("integer"), json!("jsonb"), json!({"kind": "integer", "array": true})] {
        let plan = one_column(kind, &json!({"sensitive": true}));
        let secret = array(&[Value::String(b"hush\0hush")]);
        let batch = run(&transcoder(&plan), &[document(&[("_id", Value::Int32(1)), ("v", as_array(&secret))])]);
        let cause = &batch.rejects[0].causes[0];
        assert_eq!(cause.value, "(hidden)");
        assert!(!cause.message.contains("hush"), "{}", cause.message);
    }
}
