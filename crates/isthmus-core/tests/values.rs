//! Texts that are trimmed and lowered, and values that are replaced by others, before anything is converted.

mod support;

use isthmus_core::batch::Batch;
use isthmus_core::bson::Value;
use isthmus_core::transcode::Transcoder;
use serde_json::{json, Value as Json};
use std::collections::HashMap;
use support::*;

/// The field of `v`, and the batch.
fn one(kind: Json, more: &Json, value: Value<'_>) -> (Field, Batch) {
    let batch = run(&transcoder(&one_column(kind, more)), &[with_id(&[("v", value)])]);
    assert!(batch.rejects.is_empty(), "{:?}", batch.rejects);
    (rows(&batch, 0)[0][1].clone(), batch)
}

fn said(text: &str) -> Field {
    Some(text.as_bytes().to_vec())
}

/// Kind and original of everything listed.
fn listed(batch: &Batch) -> Vec<(&'static str, String)> {
    batch.adjustments.iter().map(|change| (change.kind.slug(), change.original.clone())).collect()
}

fn cause(kind: Json, more: &Json, value: Value<'_>) -> (&'static str, String, String) {
    let batch = run(&transcoder(&one_column(kind, more)), &[with_id(&[("v", value)])]);
    let cause = batch.rejects[0].causes[0].clone();
    (cause.code.slug(), cause.path, cause.value)
}

#[test]
fn texts_are_trimmed_then_lowered() {
    let both = json!({"normalise": ["trim", "lower"]});
    // U+0085, U+2003 and U+3000 are white space to Unicode, U+200B and U+001C are not.
    let (field, batch) = one(json!("text"), &both, text("\u{85}\u{2003} \tÅB \u{3000}\n"));
    assert_eq!((field, count(&batch, "adjusted", "things.v:normalised")), (said("åb"), 1));
    assert_eq!(listed(&batch), [("normalised", "\\u0085\u{2003} \\u0009ÅB \u{3000}\\u000a".to_owned())]);
    assert_eq!(one(json!("text"), &both, text("\u{200B}a\u{1C}")).0, said("\u{200B}a\u{1C}"));
    // The full mapping: final sigma, and one letter that becomes two.
    assert_eq!(one(json!("text"), &both, text("ΟΔΟΣ İ")).0, said("οδος i\u{307}"));
    assert_eq!(one(json!("text"), &json!({"normalise": ["trim"]}), text(" A ")).0, said("A"));
    assert_eq!(one(json!("text"), &json!({"normalise": ["lower"]}), text(" A ")).0, said(" a "));
    assert_eq!(one(json!("text"), &both, Value::Symbol(b" A")).0, said("a"));
    let (field, batch) = one(json!("text"), &both, text("a b"));
    assert_eq!((field, batch.counts["adjusted"].len()), (said("a b"), 0));
    let (field, batch) = one(json!("text"), &both, Value::ObjectId(USER));
    assert_eq!((field, batch.counts["adjusted"].len()), (said("6553f1000102030405060708"), 0));
    assert_eq!(one(json!("text"), &both, text("  ")).0, said(""));
}

#[test]
fn normalising_reaches_types_that_hold_texts() {
    let lower = json!({"normalise": ["lower", "trim"]});
    let letter = json!({"kind": "enum", "values": ["a", "b"], "name": "letter"});
    assert_eq!(one(letter.clone(), &lower, text(" A")).0, said("a"));
    assert_eq!(cause(letter, &lower, text(" C")), ("enum", "v".into(), " C".into()));
    let short = json!({"kind": "varchar", "length": 2});
    assert_eq!(one(short, &lower, text(" ab ")).0, said("ab"));
    let list = array(&[text("A "), Value::Null, text("b")]);
    let (field, batch) = one(json!({"kind": "text", "array": true}), &lower, as_array(&list));
    let field = field.unwrap();
    assert_eq!((&field[24..25], &field[33..34], field.len()), (&b"a"[..], &b"b"[..], 34));
    assert_eq!(listed(&batch), [("normalised", "A ".to_owned())]);
    for (kind, more) in [("integer", &lower), ("jsonb", &lower)] {
        assert!(refused_plan(&one_column(json!(kind), more)).contains("things.v normalises texts, but is none"));
    }
    let derived =
        json!({"reference": {"collection": "Users", "ids": "uuid"}, "role": "reference", "normalise": ["trim"]});
    assert!(refused_plan(&one_column(json!("uuid"), &derived)).contains("derives its ids"));
}

#[test]
fn policies_clean_a_text_before_it_is_normalised() {
    let mend = json!({"normalise": ["trim", "lower"], "policies": {"nul": "remove", "utf8": "replace"}});
    let (field, batch) = one(json!("text"), &mend, Value::String(b"A\xFF \0"));
    assert_eq!(field, said("a\u{FFFD}"));
    let original = "A\\xff \\u0000".to_owned();
    let kinds: Vec<(&str, String)> =
        ["utf8_replaced", "nul_removed", "normalised"].map(|kind| (kind, original.clone())).to_vec();
    assert_eq!(listed(&batch), kinds);
    let strict = json!({"normalise": ["trim"]});
    assert_eq!(cause(json!("text"), &strict, Value::String(b" \xFF")).0, "utf8");
    assert_eq!(cause(json!("text"), &strict, text(" \0")).0, "nul");
}

fn values(pairs: &[(Json, Json)]) -> Json {
    Json::Array(pairs.iter().map(|(from, to)| json!({"from": from, "to": to})).collect())
}

#[test]
fn listed_values_are_replaced_by_values_of_the_column() {
    let status = json!({"values": values(&[(json!("Active"), json!(true)), (json!("Inactive"), json!(false)), (json!(5), json!(true))])});
    let flag = |value: bool| Some(vec![u8::from(value)]);
    let (field, batch) = one(json!("boolean"), &status, text("Inactive"));
    assert_eq!((field, count(&batch, "adjusted", "things.v:value_mapped")), (flag(false), 1));
    assert!(listed(&batch).is_empty(), "it can be told back");
    let (field, batch) = one(json!("boolean"), &status, text("Active"));
    assert_eq!((field, listed(&batch)), (flag(true), vec![("value_mapped", "Active".to_owned())]));
    let decimal = Value::Decimal128(((6_176_u128 - 1) << 113 | 50).to_le_bytes());
    for five in [Value::Int32(5), Value::Int64(5), Value::Double(5.0), decimal] {
        assert_eq!(one(json!("boolean"), &status, five).0, flag(true));
    }
    assert_eq!(one(json!("boolean"), &status, Value::Symbol(b"Inactive")).0, flag(false));
    let (field, batch) = one(json!("boolean"), &status, Value::Bool(true));
    assert_eq!((field, batch.counts["adjusted"].len()), (flag(true), 0));
    assert_eq!(cause(json!("boolean"), &status, text("active")).0, "type");
    assert_eq!(cause(json!("boolean"), &status, text("5")).0, "type");
    let twice = json!({"values": values(&[(json!(1), json!(true)), (json!(1.0), json!(true))])});
    assert!(refused_plan(&one_column(json!("boolean"), &twice)).contains("replaces one value twice"));
    let wrong = json!({"values": values(&[(json!("a"), json!("maybe"))])});
    let error = Transcoder::new(&whole(&one_column(json!("boolean"), &wrong)), &KEY, 0, &HashMap::new()).unwrap_err();
    assert_eq!((error.code, error.column.as_deref()), ("default", Some("v")));
    assert!(error.message.starts_with("The list of values of things.v does not fit"), "{}", error.message);
}

#[test]
fn all_other_values_may_be_replaced_and_are_listed() {
    let more = json!({"values": values(&[(json!("a"), json!("A"))]), "others": {"value": "?"}});
    let (field, batch) = one(json!("text"), &more, text("b"));
    assert_eq!((field, listed(&batch)), (said("?"), vec![("value_mapped", "b".to_owned())]));
    let deep = document(&[("x", Value::Int32(1))]);
    let (field, batch) = one(json!("text"), &more, as_document(&deep));
    assert_eq!((field, listed(&batch)), (said("?"), vec![("value_mapped", r#"{"x":{"$numberInt":"1"}}"#.to_owned())]));
    assert_eq!(one(json!("text"), &more, as_array(&array(&[text("a")]))).0, said("?"));
    assert_eq!(one(json!("text"), &more, Value::String(b"\xFF")).0, said("?"));
    assert!(listed(&one(json!("text"), &more, text("a")).1).is_empty());
    for nothing in [Value::Null, Value::Undefined] {
        let (field, batch) = one(json!("text"), &more, nothing);
        assert_eq!((field, count(&batch, "fields_null", "things.v"), batch.counts["adjusted"].len()), (None, 1, 0));
    }
    let mut broken = document(&[("x", Value::Bool(true))]);
    let last = broken.len() - 2;
    broken[last] = 9;
    assert_eq!(cause(json!("text"), &more, as_document(&broken)).0, "bson");
    let mut nested = document(&[]);
    for _ in 0..100 {
        nested = document(&[("x", as_document(&nested))]);
    }
    assert_eq!(cause(json!("text"), &more, as_document(&nested)).0, "nesting");
}

#[test]
fn a_value_may_be_replaced_by_null() {
    let none = json!({"values": values(&[(json!("none"), json!(null)), (json!(""), json!(null))]),
                      "default": {"kind": "literal", "value": "d"}, "default_for": ["missing", "null"]});
    let (field, batch) = one(json!("text"), &none, text("none"));
    assert_eq!(
        (field, count(&batch, "fields_null", "things.v"), count(&batch, "adjusted", "things.v:default")),
        (None, 0, 0)
    );
    assert_eq!(listed(&batch), [("value_mapped", "none".to_owned())]);
    let mut required = none.clone();
    required["required"] = json!(true);
    assert_eq!(cause(json!("text"), &required, text("")), ("required", "v".into(), String::new()));
    let list = array(&[text("none"), text("x")]);
    let mut plain = none;
    plain["default"] = json!(null);
    let (field, _) = one(json!({"kind": "text", "array": true}), &plain, as_array(&list));
    let field = field.unwrap();
    assert_eq!((field[7], &field[20..24], &field[28..]), (1, &[255; 4][..], &b"x"[..]));
}

#[test]
fn values_are_looked_up_after_normalising_and_defaults_are_not() {
    let more = json!({"normalise": ["trim", "lower"], "values": values(&[(json!("yes"), json!("Y")), (json!("d"), json!("x"))]),
                      "default": {"kind": "literal", "value": " D "}});
    let (field, batch) = one(json!("text"), &more, text(" YES"));
    assert_eq!(field, said("Y"));
    assert_eq!(listed(&batch), [("normalised", " YES".to_owned())]);
    assert_eq!(count(&batch, "adjusted", "things.v:value_mapped"), 1);
    let batch = run(&transcoder(&one_column(json!("text"), &more)), &[with_id(&[])]);
    assert_eq!(rows(&batch, 0)[0][1], said(" D "));
}

#[test]
fn elements_of_arrays_are_replaced_one_by_one() {
    let more = json!({"values": values(&[(json!("a"), json!(1))]), "others": {"value": 0}, "coerce": true});
    let kind = json!({"kind": "smallint", "array": true});
    let list = array(&[text("a"), Value::Null, text("b")]);
    let (field, batch) = one(kind.clone(), &more, as_array(&list));
    let field = field.unwrap();
    assert_eq!((&field[24..26], &field[26..30], &field[34..36]), (&[0, 1][..], &[255; 4][..], &[0, 0][..]));
    assert_eq!(count(&batch, "adjusted", "things.v:value_mapped"), 2);
    let (field, batch) = one(kind.clone(), &more, text("a"));
    assert_eq!(field.unwrap()[24..26], [0, 1]);
    assert_eq!(count(&batch, "adjusted", "things.v:coerced"), 1);
    let nested = array(&[as_array(&list)]);
    assert_eq!(one(kind, &more, as_array(&nested)).0.unwrap()[24..26], [0, 0]);
    let more = json!({"values": values(&[(json!("a"), json!("b"))])});
    for kind in ["text", "jsonb"] {
        let kind = json!({"kind": kind, "array": true});
        assert_eq!(cause(kind, &more, as_array(&nested)), ("type", "v.0".into(), r#"["a",null,"b"]"#.into()));
    }
}

#[test]
fn originals_of_sensitive_columns_are_not_listed() {
    let more = json!({"sensitive": true, "normalise": ["trim"], "others": {"value": "x"}});
    let (_, batch) = one(json!("text"), &more, text(" secret"));
    assert_eq!(listed(&batch), [("normalised", "(hidden)".to_owned()), ("value_mapped", "(hidden)".to_owned())]);
    let strict = json!({"sensitive": true, "normalise": ["trim"]});
    let batch = run(&transcoder(&one_column(json!("text"), &strict)), &[with_id(&[("v", text(" se\0cret"))])]);
    let cause = &batch.rejects[0].causes[0];
    assert_eq!(cause.value, "(hidden)");
    assert!(!cause.message.contains("cret"), "{}", cause.message);
}

/// Names of what became what, with how often, from a few literals.
fn named(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(called, count)| ((*called).to_owned(), *count)).collect()
}

#[test]
fn what_values_became_is_counted_by_what_they_were() {
    let more = json!({"values": values(&[(json!("Active"), json!("A")), (json!("Done"), json!(null)), (json!(5), json!("A"))]),
                      "others": {"value": "?"}, "default": {"kind": "literal", "value": "A"},
                      "default_for": ["missing", "null"]});
    let given = [
        Some(text("Active")),
        Some(Value::Double(5.0)),
        Some(text("Active")),
        Some(text("Done")),
        Some(text("x")),
        Some(text("*")),
        Some(Value::Int64(6)),
        Some(Value::Null),
        Some(Value::Undefined),
        None,
    ];
    let documents: Vec<Vec<u8>> =
        given.iter().map(|value| with_id(&value.iter().map(|value| ("v", *value)).collect::<Vec<_>>())).collect();
    let batch = run(&transcoder(&one_column(json!("text"), &more)), &documents);
    let replaced = [("\"Active\" → \"A\"", 2), ("\"Done\" → null", 1), ("* → \"?\"", 3), ("5 → \"A\"", 1)];
    assert_eq!(became(&batch, "value_mapped"), named(&replaced));
    assert_eq!(became(&batch, "default"), named(&[("missing → \"A\"", 1), ("null → \"A\"", 2)]));
}

#[test]
fn what_becomes_something_is_called_as_json_has_it() {
    let long = "ä".repeat(300);
    let more = json!({"values": values(&[(json!("a \"b\" \\ → \n\u{85}"), json!(1.5)), (json!(true), json!({"$numberLong": "9"})),
                                          (json!({"$date": "2024-02-03T04:05:06Z"}), json!(2)), (json!(long), json!(3))])});
    let batch = run(
        &transcoder(&one_column(json!("double"), &more)),
        &[
            with_id(&[("v", text("a \"b\" \\ → \n\u{85}"))]),
            with_id(&[("v", Value::Bool(true))]),
            with_id(&[("v", Value::DateTime(1_706_933_106_000))]),
            with_id(&[("v", text(&long))]),
        ],
    );
    let cut = format!("\"{}…\" → 3", "ä".repeat(200));
    let date = became(&batch, "value_mapped").into_iter().find(|(called, _)| called.ends_with("→ 2")).unwrap().0;
    assert!(date.starts_with("2024-02-03T04:05:06"), "{date}");
    let wanted = [("\"a \\\"b\\\" \\\\ → \\u000a\\u0085\" → 1.5", 1), (&*cut, 1), (&*date, 1), ("true → 9", 1)];
    assert_eq!(became(&batch, "value_mapped"), named(&wanted));
    for (kind, default, called) in [
        ("timestamptz", json!({"kind": "now"}), "now"),
        ("timestamptz", json!({"kind": "id_time"}), "id_time"),
        ("text", json!({"kind": "literal", "value": "now"}), "\"now\""),
        ("text", json!({"kind": "literal", "value": null}), "null"),
        ("jsonb", json!({"kind": "literal", "value": {"a": ["b"]}}), "{\"a\":[\"b\"]}"),
    ] {
        let batch = run(&transcoder(&one_column(json!(kind), &json!({"default": default}))), &[with_id(&[])]);
        assert_eq!(became(&batch, "default"), named(&[(&format!("missing → {called}"), 1)]));
    }
}

#[test]
fn what_became_of_a_document_that_is_refused_or_of_a_sensitive_column_is_not_told() {
    let more = json!({"values": values(&[(json!("a"), json!(1))]), "others": {"value": 2},
                      "default": {"kind": "literal", "value": 3}});
    let columns = [id_column(), column("v", "value", json!("integer"), &more), plain("w", "integer"), extras_column()];
    let plan = plan(&[root(&columns)], &[feeds(&["v"], 0, 1), feeds(&["w"], 0, 2)]);
    let bad = ("w", text("no number"));
    let documents = [with_id(&[("v", text("a")), bad]), with_id(&[("v", text("b")), bad]), with_id(&[bad])];
    let batch = run(&transcoder(&plan), &documents);
    assert_eq!((batch.rejects.len(), batch.became.len()), (3, 0));
    let mut hidden = more;
    hidden["sensitive"] = json!(true);
    let documents = [with_id(&[("v", text("a"))]), with_id(&[("v", text("b"))]), with_id(&[])];
    let batch = run(&transcoder(&one_column(json!("integer"), &hidden)), &documents);
    assert_eq!(became(&batch, "value_mapped"), named(&[("(hidden) → (hidden)", 2)]));
    assert_eq!(became(&batch, "default"), named(&[("missing → (hidden)", 1)]));
}

#[test]
fn exchanges_are_bounded_by_the_mapping_and_not_by_the_data() {
    let transcoder = transcoder(&one_column(json!("text"), &json!({"others": {"value": "x"}})));
    let texts: Vec<String> = (0..5_000).map(|number| format!("text {number}")).collect();
    let documents: Vec<Vec<u8>> = texts.iter().map(|one| with_id(&[("v", text(one))])).collect();
    let batch = run(&transcoder, &documents);
    assert_eq!(became(&batch, "value_mapped"), named(&[("* → \"x\"", 5_000)]));
    assert_eq!(batch.adjustments.len(), 5_000);
}
