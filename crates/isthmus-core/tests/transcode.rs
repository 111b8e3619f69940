//! The walk over documents: rows, extras, duplicate keys, skips, defaults, and what is said of rejects.

mod support;

use std::collections::HashMap;

use isthmus_core::bson::Value;
use isthmus_core::ids::{id_text, IdScheme};
use isthmus_core::transcode::{SoughtId, Transcoder};
use serde_json::{json, Value as Json};
use support::*;

/// id, n integer, city text (address.city), extras.
fn address_plan() -> Json {
    let columns = [id_column(), plain("n", "integer"), plain("city", "text"), extras_column()];
    plan(&[root(&columns)], &[feeds(&["n"], 0, 1), feeds(&["address", "city"], 0, 2)])
}

/// The extras text of one document under `address_plan`.
fn leftovers(fields: &[(&str, Value<'_>)]) -> Option<String> {
    let batch = run(&transcoder(&address_plan()), &[with_id(fields)]);
    let row = &rows(&batch, 0)[0];
    row[3].as_ref().map(|_| jsonb(&row[3]))
}

#[test]
fn an_empty_block_makes_an_empty_batch() {
    let batch = run(&transcoder(&address_plan()), &[]);
    assert_eq!((batch.documents, batch.accepted, batch.offsets), (0, 0, vec![0]));
}

#[test]
fn columns_come_in_plan_order_whatever_the_order_of_fields() {
    let address = document(&[("city", text("Ulm"))]);
    let fields = [("address", as_document(&address)), ("n", Value::Int32(4))];
    let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
    let expected = vec![derived("Things", Value::ObjectId(USER)), int(4), Some(b"Ulm".to_vec()), None];
    assert_eq!(rows(&batch, 0), [expected]);
}

#[test]
fn unknown_fields_keep_their_nesting_in_extras() {
    let address = document(&[("city", text("Ulm")), ("zip", Value::Int64(89_073))]);
    let fields = [("x", Value::Bool(true)), ("address", as_document(&address)), ("a.b", Value::Null)];
    let expected = r#"{"x":true,"a.b":null,"address":{"zip":{"$numberLong":"89073"}}}"#;
    assert_eq!(leftovers(&fields).as_deref(), Some(expected));
    let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
    let counted: Vec<&str> = batch.counts["extras"].keys().map(String::as_str).collect();
    assert_eq!(counted, ["a\\.b", "address.zip", "x"]);
}

#[test]
fn a_rule_through_something_else_than_a_document_leaves_the_value_in_extras() {
    assert_eq!(leftovers(&[("address", text("Ulm"))]).as_deref(), Some(r#"{"address":"Ulm"}"#));
    assert_eq!(leftovers(&[("address", Value::Null)]).as_deref(), Some(r#"{"address":null}"#));
    let list = array(&[Value::Int32(1)]);
    assert_eq!(leftovers(&[("address", as_array(&list))]).as_deref(), Some(r#"{"address":[1]}"#));
}

#[test]
fn an_empty_document_above_rules_leaves_nothing_over_and_is_counted() {
    let empty = document(&[]);
    assert_eq!(leftovers(&[("address", as_document(&empty))]), None);
    let batch = run(&transcoder(&address_plan()), &[with_id(&[("address", as_document(&empty))])]);
    assert_eq!(count(&batch, "adjusted", "things:empty_document"), 1);
    let known = document(&[("city", text("Ulm"))]);
    assert_eq!(leftovers(&[("address", as_document(&known))]), None);
}

#[test]
fn a_rule_for_a_whole_value_covers_what_lies_below() {
    let columns = [id_column(), plain("address", "jsonb"), plain("city", "text"), extras_column()];
    let plan = plan(&[root(&columns)], &[feeds(&["address"], 0, 1), feeds(&["address", "city"], 0, 2)]);
    let address = document(&[("city", text("Ulm")), ("zip", Value::Int32(1))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("address", as_document(&address))])]);
    let row = &rows(&batch, 0)[0];
    assert_eq!(
        (jsonb(&row[1]).as_str(), row[2].as_deref(), &row[3]),
        (r#"{"city":"Ulm","zip":1}"#, Some(&b"Ulm"[..]), &None)
    );
}

#[test]
fn unknown_fields_without_a_place_reject_the_document() {
    let mut strict = address_plan();
    strict["unknown"] = json!("dead_letter");
    let mut without = address_plan();
    without["tables"][0]["columns"].as_array_mut().unwrap().pop();
    for plan in [strict, without] {
        let address = document(&[("zip", text("secret"))]);
        let fields = [("address", as_document(&address)), ("x", Value::Null)];
        let batch = run(&transcoder(&plan), &[with_id(&fields), with_id(&[])]);
        let found: Vec<(&str, &str)> =
            batch.rejects[0].causes.iter().map(|cause| (cause.path.as_str(), cause.value.as_str())).collect();
        assert_eq!(found, [("x", "(hidden)"), ("address.zip", "(hidden)")]);
        assert_eq!(codes(&batch), ["unknown-field"; 2]);
        assert_eq!(batch.accepted, 1);
    }
}

#[test]
fn of_duplicate_keys_the_last_wins_and_is_counted() {
    let batch = run(
        &transcoder(&address_plan()),
        &[with_id(&[("n", text("no number")), ("n", Value::Int32(2)), ("x", Value::Int32(1)), ("x", Value::Int32(2))])],
    );
    let row = &rows(&batch, 0)[0];
    assert_eq!((&row[1], jsonb(&row[3]).as_str()), (&int(2), r#"{"x":2}"#));
    assert_eq!(count(&batch, "adjusted", "things:duplicate_key"), 2);
    assert_eq!(count(&batch, "extras", "x"), 1);
}

#[test]
fn unknown_keys_that_would_become_one_by_replacing_are_refused() {
    let mut plan = address_plan();
    let last = plan["tables"][0]["columns"].as_array().unwrap().len() - 1;
    plan["tables"][0]["columns"][last]["policies"]["utf8"] = json!("replace");
    let transcoder = transcoder(&plan);
    let one = Value::Int32(1);
    for other in [&b"\xFE"[..], "\u{FFFD}".as_bytes()] {
        let both = raw_document(&[(b"_id", Value::ObjectId(USER)), (b"\xFF", one), (other, one)]);
        let inside = raw_document(&[(b"\xFF", one), (other, one)]);
        let below = with_id(&[("address", as_document(&inside))]);
        for (document, path) in [(both, "\u{FFFD}"), (below, "address.\u{FFFD}")] {
            let batch = run(&transcoder, &[document]);
            assert_eq!((codes(&batch), batch.rejects[0].causes[0].path.as_str()), (vec!["utf8"], path));
        }
    }
    // On different levels they do not meet.
    let inside = raw_document(&[(b"\xFE", one)]);
    let apart = raw_document(&[(b"_id", Value::ObjectId(USER)), (b"\xFF", one), (b"address", as_document(&inside))]);
    let batch = run(&transcoder, &[apart]);
    assert_eq!(jsonb(&rows(&batch, 0)[0][last]), "{\"\u{FFFD}\":1,\"address\":{\"\u{FFFD}\":1}}");
}

#[test]
fn of_duplicate_documents_above_rules_only_the_last_is_read() {
    let first = document(&[("city", text("Ulm")), ("zip", Value::Int32(1))]);
    let second = document(&[("street", text("S"))]);
    let fields = [("address", as_document(&first)), ("address", as_document(&second))];
    let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
    let row = &rows(&batch, 0)[0];
    assert_eq!((&row[2], jsonb(&row[3]).as_str()), (&None, r#"{"address":{"street":"S"}}"#));
}

#[test]
fn damage_inside_a_superseded_value_is_seen() {
    let mut broken = document(&[("a", Value::Bool(true))]);
    let last = broken.len() - 2;
    broken[last] = 9;
    for name in ["n", "address", "x"] {
        let fields = [(name, as_document(&broken)), (name, Value::Null)];
        let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
        assert_eq!(
            (codes(&batch), batch.rejects[0].causes[0].path.as_str()),
            (vec!["bson"], format!("{name}.a").as_str())
        );
    }
}

#[test]
fn many_duplicate_unknown_keys_are_folded_too() {
    let keys: Vec<String> = (0..200).map(|number| format!("k{}", number % 50)).collect();
    let fields: Vec<(&str, Value<'_>)> = keys.iter().map(|key| (key.as_str(), Value::Bool(true))).collect();
    let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
    assert_eq!(count(&batch, "adjusted", "things:duplicate_key"), 150);
    assert_eq!(batch.counts["extras"].values().sum::<u64>(), 50);
    assert_eq!(jsonb(&rows(&batch, 0)[0][3]).matches("true").count(), 50);
}

#[test]
fn unknown_paths_beyond_a_thousand_are_counted_together() {
    let keys: Vec<String> = (0..1_500).map(|number| format!("k{number}")).collect();
    let fields: Vec<(&str, Value<'_>)> = keys.iter().map(|key| (key.as_str(), Value::Bool(true))).collect();
    let batch = run(&transcoder(&address_plan()), &[with_id(&fields)]);
    assert_eq!(batch.counts["extras"].len(), 1_001);
    assert_eq!(count(&batch, "extras", "(other paths)"), 500);
}

#[test]
fn dropped_fields_are_counted_and_leave_nothing() {
    let mut plan = address_plan();
    plan["fields"].as_array_mut().unwrap().push(json!({"path": ["old", "x"], "do": "drop"}));
    let old = document(&[("x", Value::Int32(1))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("old", as_document(&old))])]);
    assert_eq!(rows(&batch, 0)[0][3], None);
    assert_eq!(count(&batch, "dropped", "old.x"), 1);
    // A dropped value still has to be BSON.
    let mut broken = document(&[("y", Value::Bool(true))]);
    let last = broken.len() - 2;
    broken[last] = 9;
    let inside = document(&[("x", as_document(&broken))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("old", as_document(&inside))])]);
    assert_eq!((codes(&batch), batch.rejects[0].causes[0].path.as_str()), (vec!["bson"], "old.x.y"));
}

#[test]
fn missing_null_and_present_are_three_states() {
    let more = |states: Json| json!({"default": {"kind": "literal", "value": 7}, "default_for": states});
    let filled = |states: Json, fields: &[(&str, Value<'_>)]| {
        let batch = run(&transcoder(&one_column(json!("integer"), &more(states))), &[with_id(fields)]);
        (rows(&batch, 0)[0][1].clone(), count(&batch, "adjusted", "things.v:default"))
    };
    assert_eq!(filled(json!(["missing"]), &[]), (int(7), 1));
    assert_eq!(filled(json!(["missing"]), &[("v", Value::Null)]), (None, 0));
    assert_eq!(filled(json!(["missing"]), &[("v", Value::Undefined)]), (None, 0));
    assert_eq!(filled(json!(["missing", "null"]), &[("v", Value::Null)]), (int(7), 1));
    assert_eq!(filled(json!(["null"]), &[]), (None, 0));
    assert_eq!(filled(json!(["missing"]), &[("v", Value::Int32(1))]), (int(1), 0));

    let required = transcoder(&one_column(json!("integer"), &json!({"required": true})));
    let batch = run(&required, &[with_id(&[]), with_id(&[("v", Value::Null)])]);
    let types: Vec<&str> = batch.rejects.iter().map(|reject| reject.causes[0].bson_type).collect();
    assert_eq!((codes(&batch), types), (vec!["required"; 2], vec!["missing", "null"]));

    let plain =
        run(&transcoder(&one_column(json!("text"), &json!({}))), &[with_id(&[]), with_id(&[("v", Value::Null)])]);
    assert_eq!((count(&plain, "fields_missing", "things.v"), count(&plain, "fields_null", "things.v")), (1, 1));
}

#[test]
fn defaults_are_converted_by_their_own_column() {
    let default = |kind: Json, value: Json| {
        let plan = one_column(kind, &json!({"default": {"kind": "literal", "value": value}}));
        rows(&run(&transcoder(&plan), &[with_id(&[])]), 0)[0][1].clone()
    };
    assert_eq!(default(json!("smallint"), json!("5")), Some(vec![0, 5]));
    assert_eq!(default(json!("boolean"), json!(0)), Some(vec![0]));
    assert_eq!(default(json!("date"), json!("2000-01-02")), int(1));
    assert_eq!(
        default(json!("timestamptz"), json!({"$date": "2000-01-01T00:00:01.000Z"})),
        Some(1_000_000_i64.to_be_bytes().to_vec())
    );
    assert_eq!(jsonb(&default(json!("jsonb"), json!([]))), "[]");
    assert_eq!(
        jsonb(&default(json!("jsonb"), json!({"a": 1, "b": {"$numberDecimal": "1.50"}}))),
        r#"{"a":1,"b":1.50}"#
    );
    assert_eq!(default(json!("text"), json!(null)), None);
    assert!(default(json!({"kind": "text", "array": true}), json!([])).is_some());
    let hex = json!({"$binary": {"base64": "AAEC", "subType": "00"}});
    assert_eq!(default(json!("bytea"), hex), Some(vec![0, 1, 2]));
}

#[test]
fn a_default_that_does_not_fit_is_an_error_that_names_its_column() {
    for (kind, value) in [
        (json!("integer"), json!("seven")),
        (json!({"kind": "varchar", "length": 2}), json!("abc")),
        (json!({"kind": "enum", "values": ["A"], "name": "letter"}), json!("B")),
        (json!("uuid"), json!({"$oid": "6553f1000102030405060708"})),
    ] {
        let plan = one_column(kind, &json!({"default": {"kind": "literal", "value": value}}));
        let error = Transcoder::new(&whole(&plan), &KEY, 0, &HashMap::new()).expect_err("does not fit");
        assert_eq!(
            (error.code, error.table.as_deref(), error.column.as_deref()),
            ("default", Some("things"), Some("v"))
        );
        assert!(error.message.starts_with("The default of things.v does not fit the column: "), "{}", error.message);
    }
    let required = json!({"required": true, "default": {"kind": "literal", "value": null}});
    assert!(refused_plan(&one_column(json!("text"), &required)).contains("null"));
}

#[test]
fn now_and_the_time_of_the_id_fill_in_instants() {
    let micros_2000 = NOW_US - 946_684_800_000_000;
    let of = |kind: Json, default: &str, id: Value<'_>| {
        let plan = one_column(kind, &json!({"default": {"kind": default}}));
        rows(&run(&transcoder(&plan), &[document(&[("_id", id)])]), 0)[0][1].clone()
    };
    let id = Value::ObjectId(USER);
    assert_eq!(of(json!("timestamptz"), "now", id), Some(micros_2000.to_be_bytes().to_vec()));
    let milliseconds = json!({"kind": "timestamp", "precision": 3});
    assert_eq!(of(milliseconds, "now", id), Some((micros_2000 - 456).to_be_bytes().to_vec()));
    assert_eq!(of(json!("date"), "now", id), int(8_718));
    let seconds = 0x6553_F100_i64 - 946_684_800;
    assert_eq!(of(json!("timestamptz"), "id_time", id), Some((seconds * 1_000_000).to_be_bytes().to_vec()));
    assert_eq!(of(json!("date"), "id_time", text("6553f1000102030405060708")), int(8_718));
    assert_eq!(of(json!("date"), "id_time", Value::Symbol(b"6553f1000102030405060708")), int(8_718));
    assert_eq!(of(json!("date"), "id_time", Value::Int32(1)), None);
}

#[test]
fn skip_conditions_compare_by_value_and_state() {
    let skipped = |test: Json, fields: &[(&str, Value<'_>)]| {
        let mut plan = address_plan();
        plan["skip"] = json!([{"all": [test], "why": "for a reason"}]);
        let batch = run(&transcoder(&plan), &[with_id(fields)]);
        assert_eq!(batch.skips.get("for a reason").copied().unwrap_or(0) as usize, batch.skipped);
        batch.skipped == 1
    };
    let test = |op: &str, values: Json| json!({"path": ["n"], "op": op, "values": values});
    let five = [("n", Value::Int64(5))];
    let null = [("n", Value::Null)];
    assert!(skipped(test("eq", json!([5])), &five));
    assert!(skipped(test("eq", json!([5.0])), &five));
    assert!(!skipped(test("eq", json!(["5"])), &five));
    assert!(!skipped(test("eq", json!([5])), &[]));
    assert!(skipped(test("ne", json!([5])), &[]));
    assert!(skipped(test("in", json!([1, {"$numberLong": "5"}])), &five));
    assert!(!skipped(test("not_in", json!([1, 5])), &five));
    assert!(skipped(test("missing", json!([])), &[]));
    assert!(!skipped(test("missing", json!([])), &null));
    assert!(skipped(test("null", json!([])), &null));
    assert!(skipped(test("present", json!([])), &five));
    assert!(!skipped(test("present", json!([])), &null));
    let nested = json!({"path": ["address", "city"], "op": "eq", "values": ["Ulm"]});
    let address = document(&[("city", text("Ulm"))]);
    assert!(skipped(nested, &[("address", as_document(&address))]));
}

#[test]
fn a_field_that_only_a_condition_names_is_still_unknown() {
    let mut plan = address_plan();
    plan["skip"] = json!([{"all": [{"path": ["deleted"], "op": "eq", "values": [true]}], "why": "deleted"}]);
    let documents =
        [with_id(&[("deleted", Value::Bool(false))]), with_id(&[("deleted", Value::Bool(true)), ("n", text("x"))])];
    let batch = run(&transcoder(&plan), &documents);
    assert_eq!((batch.accepted, batch.skipped), (1, 1));
    assert_eq!(jsonb(&rows(&batch, 0)[0][3]), r#"{"deleted":false}"#);
}

#[test]
fn all_tests_of_a_condition_must_hold() {
    let mut plan = address_plan();
    let all = json!([{"path": ["n"], "op": "present"}, {"path": ["x"], "op": "missing"}]);
    plan["skip"] = json!([{"all": all, "why": "both"}]);
    let documents = [with_id(&[("n", Value::Int32(1))]), with_id(&[("n", Value::Int32(1)), ("x", Value::Null)])];
    let batch = run(&transcoder(&plan), &documents);
    assert_eq!((batch.accepted, batch.skipped), (1, 1));
}

#[test]
fn a_rejected_document_leaves_nothing_and_names_all_its_causes() {
    let columns: Vec<Json> =
        std::iter::once(id_column()).chain((0..20).map(|number| plain(&format!("c{number}"), "integer"))).collect();
    let fields: Vec<Json> = (0..20).map(|number| feeds(&[&format!("c{number}")], 0, number + 1)).collect();
    let keys: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
    let wrong: Vec<(&str, Value<'_>)> = keys.iter().map(|key| (key.as_str(), text("x"))).collect();
    let good = with_id(&[("c0", Value::Int32(1))]);
    let bad = with_id(&wrong);
    let batch = run(&transcoder(&plan(&[root(&columns)], &fields)), &[good.clone(), bad.clone(), good.clone()]);
    assert_eq!((batch.accepted, batch.rows[0], batch.rejects.len()), (2, 2, 1));
    let reject = &batch.rejects[0];
    assert_eq!((reject.document, reject.offset, reject.length), (1, good.len(), bad.len()));
    assert_eq!(reject.source_id, Some(Value::ObjectId(USER).id_document()));
    assert_eq!(reject.causes.len(), 16);
    let headline = &reject.causes[0];
    assert_eq!((headline.path.as_str(), headline.column.as_deref()), ("c0", Some("things.c0")));
    assert_eq!(
        headline.message,
        "Column things.c0 cannot take \"x\" from c0: a string goes into integer only where the mapping says coerce."
    );
}

#[test]
fn malformed_documents_are_rejected_with_path_and_offset() {
    let transcoder = transcoder(&address_plan());
    let mut unknown_type = with_id(&[("n", Value::Bool(true))]);
    let at = unknown_type.iter().rposition(|&byte| byte == 8).unwrap();
    unknown_type[at] = 0x55;
    let mut no_end = with_id(&[]);
    *no_end.last_mut().unwrap() = 1;
    let inner = document(&[("x", Value::Bool(true))]);
    let mut nested = with_id(&[("address", as_document(&inner))]);
    let last = nested.len() - 3;
    nested[last] = 7;
    let batch = run(&transcoder, &[unknown_type, no_end, nested]);
    assert_eq!(codes(&batch), ["bson-type", "bson", "bson"]);
    let paths: Vec<&str> = batch.rejects.iter().map(|reject| reject.causes[0].path.as_str()).collect();
    assert_eq!(paths, ["n", "", "address.x"]);
    assert!(batch.rejects[0].causes[0].message.starts_with("At byte "));
    assert!(batch.rejects[0].source_id.is_some());
}

#[test]
fn documents_deeper_than_a_hundred_levels_are_rejected() {
    let nest = |levels: usize| {
        let mut inner = document(&[]);
        for _ in 1..levels {
            inner = document(&[("x", as_document(&inner))]);
        }
        with_id(&[("y", as_document(&inner))])
    };
    let batch = run(&transcoder(&address_plan()), &[nest(99), nest(100), nest(5_000)]);
    assert_eq!((batch.accepted, codes(&batch)), (1, vec!["nesting"; 2]));
}

#[test]
fn broken_utf8_in_unknown_keys_follows_the_policy_of_extras() {
    let block = raw_document(&[(b"_id", Value::Int32(1)), (b"k\xFF", Value::Int32(1))]);
    let batch = run(&transcoder(&address_plan()), std::slice::from_ref(&block));
    assert_eq!(codes(&batch), ["utf8"]);
    let mut plan = address_plan();
    plan["tables"][0]["columns"][3]["policies"]["utf8"] = json!("replace");
    let batch = run(&transcoder(&plan), &[block]);
    assert_eq!(jsonb(&rows(&batch, 0)[0][3]), "{\"k\u{FFFD}\":1}");
    assert_eq!(count(&batch, "adjusted", "things.extras:utf8_replaced"), 1);
}

#[test]
fn blocks_of_broken_lengths_are_an_error_with_the_offset() {
    let transcoder = transcoder(&address_plan());
    let whole = with_id(&[]);
    for tail in [&[4, 0, 0, 0, 0][..], &[1][..], &[200, 0, 0, 0, 0][..], &[255, 255, 255, 255, 0][..]] {
        let block = [&whole[..], tail].concat();
        let error = transcoder.transcode(&block).expect_err("no whole document");
        assert_eq!((error.code, error.offset), ("broken-framing", whole.len()));
        assert!(transcoder.find(&block, &[]).is_err());
    }
}

#[test]
fn find_returns_the_places_of_documents_by_their_ids() {
    let transcoder = transcoder(&address_plan());
    let (first, second) = (with_id(&[]), document(&[("_id", text("a"))]));
    let block = [&first[..], &second[..]].concat();
    let bytes = derived("Things", Value::ObjectId(USER)).unwrap();
    let written = id_text(codec().derive_value("Things", &text("a")).unwrap().v, IdScheme::Uuid);
    let sought = [SoughtId::Text(written), SoughtId::Bytes(vec![0; 16]), SoughtId::Bytes(bytes)];
    let found = transcoder.find(&block, &sought).unwrap();
    assert_eq!(found, [(0, first.len(), 2), (first.len(), second.len(), 0)]);
}

#[test]
fn digests_tell_blocks_ids_and_documents_apart() {
    let transcoder = transcoder(&address_plan());
    let digests = |id: Value<'_>, n: i32| {
        let batch = run(&transcoder, &[document(&[("_id", id), ("n", Value::Int32(n))])]);
        (batch.digest, batch.document_digests[..8].to_vec(), batch.document_digests[8..].to_vec())
    };
    let (one, other) = (digests(Value::Int32(1), 1), digests(Value::Int64(1), 2));
    assert_ne!(one.0, other.0);
    assert_eq!(one.1, other.1);
    assert_ne!(one.2, other.2);
}
