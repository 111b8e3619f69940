//! Arrays that become rows: child tables, their children, and pairs.

mod support;

use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

/// things with steps, steps with parts, and pairs of things and docs.
fn nested_plan() -> Json {
    let to_docs = json!({"reference": {"collection": "Docs", "ids": "uuid"}});
    let tables = [
        root(&[id_column(), extras_column()]),
        json!({"name": "steps", "kind": "child", "parent": 0, "columns": [
            column("thing_id", "root_id", json!("uuid"), &json!({})), column("position", "position", json!("integer"), &json!({})),
            column("name", "value", json!("text"), &json!({"required": true})), extras_column()]}),
        json!({"name": "parts", "kind": "child", "parent": 1, "columns": [
            column("thing_id", "root_id", json!("uuid"), &json!({})),
            column("step_position", "ancestor_position", json!("integer"), &json!({})),
            column("position", "position", json!("integer"), &json!({})),
            column("weight", "value", json!("real"), &json!({"coerce": true}))]}),
        json!({"name": "docs_to_things", "kind": "junction", "columns": [
            column("doc_id", "other", json!("uuid"), &to_docs), column("thing_id", "own", json!("uuid"), &json!({}))]}),
    ];
    let parts = json!({"path": ["parts"], "do": "child", "table": 2, "fields": [feeds(&["w"], 2, 3)]});
    let steps = json!({"path": ["a", "steps"], "do": "child", "table": 1, "fields": [feeds(&["name"], 1, 2), parts]});
    plan(&tables, &[steps, json!({"path": ["docs"], "do": "junction", "table": 3})])
}

/// One document with these steps under `a`.
fn stepped(steps: Value<'_>) -> Vec<u8> {
    let a = document(&[("steps", steps)]);
    with_id(&[("a", as_document(&a))])
}

#[test]
fn children_and_their_children_know_where_they_stand() {
    let light = document(&[("w", Value::Double(0.5))]);
    let heavy = document(&[("w", Value::Int32(2))]);
    let parts = array(&[as_document(&light), as_document(&heavy)]);
    let first = document(&[("name", text("one")), ("extra", Value::Bool(false))]);
    let second = document(&[("parts", as_array(&parts)), ("name", text("two"))]);
    let list = array(&[as_document(&first), as_document(&second)]);
    let batch = run(&transcoder(&nested_plan()), &[stepped(as_array(&list))]);
    let id = derived("Things", Value::ObjectId(USER));
    let steps = rows(&batch, 1);
    assert_eq!(steps[0][..3], [id.clone(), int(0), Some(b"one".to_vec())]);
    assert_eq!(jsonb(&steps[0][3]), r#"{"extra":false}"#);
    assert_eq!(steps[1], [id.clone(), int(1), Some(b"two".to_vec()), None]);
    let weight = |weight: f32| Some(weight.to_be_bytes().to_vec());
    let expected = [vec![id.clone(), int(1), int(0), weight(0.5)], vec![id, int(1), int(1), weight(2.0)]];
    assert_eq!(rows(&batch, 2), expected);
    assert_eq!(count(&batch, "extras", "a.steps.extra"), 1);
    assert_eq!(rows(&batch, 0)[0][1], None);
}

#[test]
fn arrays_of_documents_may_be_missing_null_or_empty() {
    let empty = array(&[]);
    let documents = [with_id(&[]), stepped(Value::Null), stepped(as_array(&empty))];
    let batch = run(&transcoder(&nested_plan()), &documents);
    assert_eq!((batch.accepted, batch.rows.clone()), (3, vec![3, 0, 0, 0]));
    assert_eq!(count(&batch, "adjusted", "steps:null_array"), 1);
}

#[test]
fn wrong_shapes_of_children_reject_the_whole_document() {
    let fine = document(&[("name", text("one"))]);
    let mixed = array(&[as_document(&fine), Value::Int32(3), Value::Null]);
    let heavy = document(&[("w", text("x"))]);
    let parts = array(&[as_document(&heavy)]);
    let deep = document(&[("name", text("n")), ("parts", as_array(&parts))]);
    let list = array(&[as_document(&fine), as_document(&deep)]);
    let documents = [stepped(as_document(&fine)), stepped(as_array(&mixed)), stepped(as_array(&list))];
    let batch = run(&transcoder(&nested_plan()), &documents);
    let found: Vec<(&str, &str)> = batch
        .rejects
        .iter()
        .flat_map(|reject| &reject.causes)
        .map(|cause| (cause.code.slug(), cause.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("not-an-array", "a.steps"),
            ("not-a-document", "a.steps.1"),
            ("not-a-document", "a.steps.2"),
            ("type", "a.steps.1.parts.0.w")
        ]
    );
    assert!(batch.outputs.iter().all(Vec::is_empty));
    assert!(batch.counts.values().all(std::collections::BTreeMap::is_empty));
}

#[test]
fn a_change_in_a_child_row_says_its_position() {
    let fine = document(&[("name", text("one"))]);
    let heavy = document(&[("w", Value::Double(0.1))]);
    let parts = array(&[as_document(&document(&[])), as_document(&heavy)]);
    let deep = document(&[("name", text("n")), ("parts", as_array(&parts))]);
    let list = array(&[as_document(&fine), as_document(&deep)]);
    let batch = run(&transcoder(&nested_plan()), &[stepped(as_array(&list))]);
    let listed = &batch.adjustments[0];
    assert_eq!((listed.table.as_str(), listed.position, listed.original.as_str()), ("parts", Some(1), "0.1"));
}

#[test]
fn pairs_skip_nulls_and_fold_duplicates() {
    let other = Value::ObjectId([9; 12]);
    let hex = text("6553f1000102030405060708");
    let list = array(&[Value::ObjectId(USER), Value::Null, other, hex, Value::ObjectId(USER)]);
    let batch = run(&transcoder(&nested_plan()), &[with_id(&[("docs", as_array(&list))])]);
    let own = derived("Things", Value::ObjectId(USER));
    let expected = [vec![derived("Docs", Value::ObjectId(USER)), own.clone()], vec![derived("Docs", other), own]];
    assert_eq!(rows(&batch, 3), expected);
    let counted = |group: &str, name: &str| count(&batch, group, name);
    assert_eq!(counted("references", "docs_to_things.doc_id"), 2);
    assert_eq!(counted("references_met", "docs_to_things.doc_id"), 4);
    assert_eq!(counted("adjusted", "docs_to_things.doc_id:duplicate_pair"), 2);
    assert_eq!(counted("adjusted", "docs_to_things.doc_id:null_element"), 1);
}

#[test]
fn long_arrays_of_references_are_folded_as_well() {
    let ids: Vec<[u8; 12]> = (0..200_u8).map(|number| [number % 90; 12]).collect();
    let values: Vec<Value<'_>> = ids.iter().map(|id| Value::ObjectId(*id)).collect();
    let list = array(&values);
    let documents = [with_id(&[("docs", as_array(&list))]), with_id(&[("docs", as_array(&list))])];
    let batch = run(&transcoder(&nested_plan()), &documents);
    assert_eq!((batch.rows[3], count(&batch, "references_met", "docs_to_things.doc_id")), (180, 400));
}

#[test]
fn a_single_reference_counts_as_an_array_of_one() {
    let transcoder = transcoder(&nested_plan());
    let batch = run(&transcoder, &[with_id(&[("docs", text("d"))]), with_id(&[("docs", Value::Null)])]);
    assert_eq!((batch.rows[3], batch.id_map.len()), (1, 1));
    assert_eq!(count(&batch, "adjusted", "docs_to_things.doc_id:single_as_array"), 1);
    assert_eq!(count(&batch, "adjusted", "docs_to_things.doc_id:null_array"), 1);
    let nested = array(&[as_array(&array(&[]))]);
    let batch = run(&transcoder, &[with_id(&[("docs", as_array(&nested))])]);
    assert_eq!((codes(&batch), batch.rejects[0].causes[0].path.as_str()), (vec!["type"], "docs.0"));
}

#[test]
fn rows_nest_a_hundred_levels_and_no_more() {
    let mut plan = nested_plan();
    plan["tables"][1]["columns"][2]["type"] = json!({"kind": "jsonb"});
    let transcoder = transcoder(&plan);
    // The document is level 1, `a` 2, the array 3, its element 4.
    for (levels, accepted) in [(96, 1), (97, 0)] {
        let mut inner = document(&[]);
        for _ in 1..levels {
            inner = document(&[("x", as_document(&inner))]);
        }
        let step = document(&[("name", as_document(&inner))]);
        let batch = run(&transcoder, &[stepped(as_array(&array(&[as_document(&step)])))]);
        assert_eq!((batch.accepted, codes(&batch).len()), (accepted, 1 - accepted), "{levels}");
    }
}
