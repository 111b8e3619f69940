//! Skip conditions look at fields and leave no trace: what only a condition names stays unknown, and whole.

mod support;

use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

/// One integer column `v`, and a condition on `path` that holds for 5.
fn looked_at(path: &[&str]) -> Json {
    let mut plan = one_column(json!("jsonb"), &json!({}));
    plan["skip"] = json!([{"all": [{"path": path, "op": "eq", "values": [5]}], "why": "five"}]);
    plan
}

#[test]
fn a_field_that_only_a_condition_looks_into_is_kept_whole_and_in_order() {
    let transcoder = transcoder(&looked_at(&["x", "y", "z"]));
    let deep = document(&[("z", Value::Int32(4)), ("a", Value::Null)]);
    let empty = document(&[]);
    for (value, kept) in [
        (as_document(&empty), r#"{"x":{},"w":1}"#),
        (as_document(&document(&[("y", as_document(&empty))])), r#"{"x":{"y":{}},"w":1}"#),
        (as_document(&document(&[("y", as_document(&deep))])), r#"{"x":{"y":{"z":4,"a":null}},"w":1}"#),
        (text("s"), r#"{"x":"s","w":1}"#),
        (Value::Null, r#"{"x":null,"w":1}"#),
    ] {
        let batch = run(&transcoder, &[with_id(&[("x", value), ("w", Value::Int32(1))])]);
        assert_eq!(jsonb(&rows(&batch, 0)[0][2]), kept);
        assert_eq!(batch.counts["extras"].keys().collect::<Vec<_>>(), ["w", "x"]);
        assert!(batch.counts["adjusted"].is_empty(), "{:?}", batch.counts["adjusted"]);
    }
    let five = document(&[("z", Value::Int64(5))]);
    let inside = document(&[("y", as_document(&five))]);
    assert_eq!(run(&transcoder, &[with_id(&[("x", as_document(&inside))])]).skipped, 1);
}

#[test]
fn a_field_that_only_a_condition_looks_into_is_refused_where_unknown_fields_are() {
    let mut plan = looked_at(&["x", "y"]);
    plan["unknown"] = json!("dead_letter");
    let batch = run(&transcoder(&plan), &[with_id(&[("x", as_document(&document(&[])))])]);
    assert_eq!((codes(&batch), batch.rejects[0].causes[0].path.as_str()), (vec!["unknown-field"], "x"));
}

#[test]
fn a_condition_below_a_column_changes_nothing_but_what_is_skipped() {
    let doubled = document(&[("y", Value::Int32(4)), ("y", Value::Int32(5)), ("y", Value::Int32(6))]);
    let documents = [with_id(&[("v", as_document(&doubled))])];
    let plain = run(&transcoder(&one_column(json!("jsonb"), &json!({}))), &documents);
    let looked = run(&transcoder(&looked_at(&["v", "y"])), &documents);
    assert_eq!((looked.counts, looked.outputs), (plain.counts, plain.outputs));
    let last = document(&[("y", Value::Int32(4)), ("y", Value::Int32(5))]);
    assert_eq!(run(&transcoder(&looked_at(&["v", "y"])), &[with_id(&[("v", as_document(&last))])]).skipped, 1);
}

#[test]
fn of_duplicate_keys_that_only_a_condition_names_the_last_is_kept() {
    let fields = [("x", Value::Int32(5)), ("x", Value::Int32(6))];
    let batch = run(&transcoder(&looked_at(&["x"])), &[with_id(&fields)]);
    assert_eq!(jsonb(&rows(&batch, 0)[0][2]), r#"{"x":6}"#);
    assert_eq!(count(&batch, "adjusted", "things:duplicate_key"), 1);
    assert_eq!(run(&transcoder(&looked_at(&["x"])), &[with_id(&[fields[1], fields[0]])]).skipped, 1);
}

#[test]
fn a_broken_document_that_a_condition_looks_into_is_refused_not_skipped() {
    let mut broken = document(&[("a", Value::Bool(true))]);
    let last = broken.len() - 2;
    broken[last] = 9;
    let mut plan = looked_at(&["x", "y"]);
    plan["skip"][0]["all"][0] = json!({"path": ["x", "y"], "op": "missing"});
    let batch = run(&transcoder(&plan), &[with_id(&[("x", as_document(&broken))])]);
    assert_eq!(codes(&batch), ["bson"]);
}

#[test]
fn a_date_is_before_an_instant_or_the_start_of_the_run_or_it_is_not() {
    let skipped = |op: &str, values: Json, value: Value<'_>| {
        let mut plan = looked_at(&["x"]);
        plan["skip"][0]["all"][0] = json!({"path": ["x"], "op": op, "values": values});
        run(&transcoder(&plan), &[with_id(&[("x", value)])]).skipped == 1
    };
    let now = NOW_US.div_euclid(1_000);
    for (millis, before) in [(now - 1, true), (now, false), (now + 1, false)] {
        assert_eq!(skipped("before", json!([]), Value::DateTime(millis)), before);
        assert_eq!(skipped("not_before", json!([]), Value::DateTime(millis)), !before);
    }
    let epoch = json!([{"$date": "1970-01-01T00:00:00Z"}]);
    assert!(skipped("before", epoch.clone(), Value::DateTime(-1)));
    assert!(!skipped("before", epoch.clone(), Value::DateTime(0)));
    for other in [Value::Null, Value::Int64(-1), text("1969-01-01"), Value::Timestamp { time: 0, increment: 0 }] {
        assert!(!skipped("before", epoch.clone(), other) && !skipped("not_before", epoch.clone(), other));
    }
    let mut wrong = looked_at(&["x"]);
    wrong["skip"][0]["all"][0] = json!({"path": ["x"], "op": "before", "values": [5]});
    assert!(refused_plan(&wrong).contains("compares with no instant"));
}
