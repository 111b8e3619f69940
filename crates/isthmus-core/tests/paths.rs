//! Printed paths: two different fields never share a name, in causes and in counts.

mod support;

use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

/// id, child table of `steps` with `name`, dropped `steps.old` and `old`, extras in both.
fn steps_plan() -> Json {
    let position = column("position", "position", json!("integer"), &json!({}));
    let above = column("things_id", "root_id", json!("uuid"), &json!({}));
    let child = json!({"name": "steps", "kind": "child", "parent": 0,
        "columns": [above, position, plain("name", "integer"), extras_column()]});
    let fields = [
        json!({"path": ["old"], "do": "drop"}),
        json!({"path": ["in", "steps"], "do": "child", "table": 1,
            "fields": [feeds(&["name"], 1, 2), {"path": ["old"], "do": "drop"}]}),
    ];
    plan(&[root(&[id_column(), extras_column()]), child], &fields)
}

fn with_step(step: &[u8], more: &[(&str, Value<'_>)]) -> Vec<u8> {
    let steps = array(&[as_document(step)]);
    let inside = document(&[("steps", as_array(&steps))]);
    let mut fields = vec![("in", as_document(&inside))];
    fields.extend_from_slice(more);
    with_id(&fields)
}

#[test]
fn drops_and_extras_inside_arrays_are_counted_under_their_whole_path() {
    let step = document(&[("old", Value::Int32(1)), ("more", Value::Int32(1)), ("", Value::Int32(1))]);
    let more = [("old", Value::Int32(1)), ("more", Value::Int32(1)), ("", Value::Int32(1)), ("a.b\\", Value::Null)];
    let batch = run(&transcoder(&steps_plan()), &[with_step(&step, &more)]);
    let names = |group: &str| batch.counts[group].keys().cloned().collect::<Vec<String>>();
    assert_eq!(names("dropped"), ["in.steps.old", "old"]);
    assert_eq!(names("extras"), ["\"\"", "a\\.b\\\\", "in.steps.\"\"", "in.steps.more", "more"]);
}

#[test]
fn causes_name_every_key_and_position() {
    let step = document(&[("name", text("x"))]);
    let batch = run(&transcoder(&steps_plan()), &[with_step(&step, &[])]);
    assert_eq!(batch.rejects[0].causes[0].path, "in.steps.0.name");

    // Inside jsonb and extras the same form, empty keys at the end included.
    let below = document(&[("", Value::String(b"\0")), ("c.d", Value::String(b"\0"))]);
    let dotted = document(&[("c.d", Value::String(b"\0"))]);
    for (value, path) in [(as_document(&below), "v.\"\""), (as_document(&dotted), "v.c\\.d")] {
        let plan = one_column(json!("jsonb"), &json!({}));
        let batch = run(&transcoder(&plan), &[with_id(&[("v", value)])]);
        assert_eq!(batch.rejects[0].causes[0].path, path);
        let step = document(&[("x", value)]);
        let batch = run(&transcoder(&steps_plan()), &[with_step(&step, &[])]);
        assert_eq!(batch.rejects[0].causes[0].path, path.replace("v.", "in.steps.0.x."));
    }
}

#[test]
fn an_empty_key_of_a_column_is_seen() {
    let plan = plan(&[root(&[id_column(), plain("v", "integer"), extras_column()])], &[feeds(&["a", ""], 0, 1)]);
    let inside = document(&[("", text("x"))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("a", as_document(&inside))])]);
    assert_eq!(batch.rejects[0].causes[0].path, "a.\"\"");
}

#[test]
fn rewritten_ids_are_counted_under_printed_paths() {
    let rewrite = json!([{"path": ["[]", "user.id", ""], "collection": "Users", "ids": "uuid"}]);
    let plan = one_column(json!("jsonb"), &json!({"rewrite": rewrite}));
    let inner = document(&[("", Value::ObjectId(USER))]);
    let element = document(&[("user.id", as_document(&inner))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("v", as_array(&array(&[as_document(&element)])))])]);
    assert_eq!(count(&batch, "references", "things.v.[].user\\.id.\"\""), 1);
}
