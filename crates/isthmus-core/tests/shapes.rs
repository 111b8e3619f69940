//! Several shapes of one source collection: who takes a document, where its rows go, and what each finds again.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::ids::{id_text, IdScheme};
use isthmus_core::transcode::SoughtId;
use serde_json::{json, Value as Json};
use support::*;

fn test(path: &[&str], op: &str, values: Json) -> Json {
    json!({"path": path, "op": op, "values": values})
}

/// things: kind `thing`, uuid ids, a text; animals: everything with `legs`, cuid2 ids, an integer and child rows.
fn two_shapes() -> Json {
    let mut things = plan(&[root(&[id_column(), plain("name", "text"), extras_column()])], &[feeds(&["name"], 0, 1)]);
    things["entry"] = json!("Things");
    things["when"] = json!([test(&["kind"], "eq", json!(["thing"]))]);
    things["skip"] = json!([{"all": [test(&["old"], "eq", json!([true]))], "why": "old"}]);
    let id = column("key", "id", json!("text"), &json!({"required": true}));
    let paw_columns = [
        column("animal_key", "root_id", json!("text"), &json!({})),
        column("position", "position", json!("integer"), &json!({})),
        column("toe", "value", json!("integer"), &json!({})),
    ];
    let tables = [
        json!({"name": "animals", "kind": "root", "columns": [id, plain("legs", "integer"), extras_column()]}),
        json!({"name": "paws", "kind": "child", "parent": 0, "columns": paw_columns}),
    ];
    let paws = json!({"path": ["paws"], "do": "child", "table": 1, "fields": [feeds(&["toe"], 1, 2)]});
    let mut animals = plan(&tables, &[feeds(&["legs"], 0, 1), paws]);
    animals["entry"] = json!("Animals");
    animals["ids"] = json!("cuid2");
    animals["when"] = json!([test(&["body", "legs"], "missing", json!([])), test(&["legs"], "present", json!([]))]);
    shapes(&[things, animals])
}

fn kinds() -> [Vec<u8>; 4] {
    let toe = document(&[("toe", Value::Int32(1))]);
    let paws = array(&[as_document(&toe)]);
    [
        document(&[
            ("_id", Value::ObjectId([1; 12])),
            ("kind", text("thing")),
            ("name", text("a")),
            ("legs", Value::Int32(4)),
        ]),
        document(&[
            ("_id", Value::ObjectId([2; 12])),
            ("legs", Value::Int32(3)),
            ("name", text("b")),
            ("paws", as_array(&paws)),
        ]),
        document(&[("_id", text("c")), ("kind", text("other")), ("legs", Value::Null)]),
        document(&[("_id", Value::ObjectId([4; 12])), ("kind", text("thing")), ("old", Value::Bool(true))]),
    ]
}

#[test]
fn a_document_goes_to_the_first_shape_whose_conditions_hold() {
    let batch = run(&transcoder(&two_shapes()), &kinds());
    assert_eq!(batch.tables, ["things", "animals", "paws"]);
    assert_eq!((batch.accepted, batch.skipped, batch.rows.clone()), (2, 1, vec![1, 1, 1]));
    let thing = &rows(&batch, 0)[0];
    assert_eq!(thing[..2], [derived("Things", Value::ObjectId([1; 12])), Some(b"a".to_vec())]);
    assert_eq!(jsonb(&thing[2]), r#"{"kind":"thing","legs":4}"#);
    let key = id_text(codec().derive_object_id([2; 12]), IdScheme::Cuid2).into_bytes();
    let animal = &rows(&batch, 1)[0];
    assert_eq!(animal[..2], [Some(key.clone()), int(3)]);
    assert_eq!(jsonb(&animal[2]), r#"{"name":"b"}"#);
    assert_eq!(rows(&batch, 2), [vec![Some(key), int(0), int(1)]]);
    assert_eq!(batch.skips["old"], 1);
    assert_eq!(count(&batch, "extras", "name"), 1);
}

#[test]
fn a_document_that_no_shape_takes_is_refused_with_its_id() {
    let batch = run(&transcoder(&two_shapes()), &kinds());
    let reject = &batch.rejects[0];
    assert_eq!((reject.document, reject.causes.len()), (2, 1));
    assert_eq!(reject.source_id, Some(text("c").id_document()));
    let cause = &reject.causes[0];
    assert_eq!((cause.code.slug(), cause.path.as_str(), &cause.column), ("no-entry", "", &None));
    assert_eq!(
        cause.message,
        "No entry of the mapping takes this document of Things: it meets the `when` of none of the entries that read \
         this collection."
    );
    assert_ne!(batch.document_digests[32..40], [0; 8], "the digest of its id");
}

#[test]
fn a_damaged_document_is_told_so_before_it_has_a_shape() {
    let mut inner = document(&[("a", Value::Bool(true))]);
    let last = inner.len() - 2;
    inner[last] = 9;
    let deep = with_id(&[("x", as_document(&inner))]);
    let top = {
        let mut top = with_id(&[("kind", Value::Bool(true))]);
        let last = top.len() - 2;
        top[last] = 9;
        top
    };
    let batch = run(&transcoder(&two_shapes()), &[deep, top]);
    assert_eq!(codes(&batch), ["bson", "bson"]);
    let paths: Vec<&str> = batch.rejects.iter().map(|reject| reject.causes[0].path.as_str()).collect();
    assert_eq!(paths, ["x.a", "kind"]);
    assert!(batch.rejects.iter().all(|reject| reject.source_id == Some(Value::ObjectId(USER).id_document())));
}

#[test]
fn a_shape_without_conditions_takes_what_is_left() {
    let mut plan = two_shapes();
    plan["shapes"][1]["when"] = json!([]);
    let batch = run(&transcoder(&plan), &kinds());
    assert_eq!((batch.accepted, batch.rejects.len(), batch.rows[1]), (3, 0, 2));
    // One shape with a condition has a choice as well.
    let alone = shapes(&[two_shapes()["shapes"][0].clone()]);
    let batch = run(&transcoder(&alone), &kinds());
    assert_eq!((batch.accepted, batch.skipped, codes(&batch)), (1, 1, vec!["no-entry"; 2]));
}

#[test]
fn conditions_compare_the_last_of_equal_keys_and_see_undefined_as_null() {
    let doubled = with_id(&[("kind", text("thing")), ("kind", text("x")), ("legs", Value::Int32(1))]);
    let nothing = with_id(&[("legs", Value::Undefined)]);
    let batch = run(&transcoder(&two_shapes()), &[doubled, nothing]);
    assert_eq!((batch.rows.clone(), codes(&batch)), (vec![0, 1, 0], vec!["no-entry"]));
    assert_eq!(count(&batch, "adjusted", "animals:duplicate_key"), 1);
}

#[test]
fn two_shapes_of_one_table_count_together_and_say_where_rows_came_from() {
    let source = |number: i32| {
        column(
            "_isthmus_source",
            "source",
            json!("smallint"),
            &json!({"default": {"kind": "literal", "value": number}}),
        )
    };
    let kind = |value: &str| {
        let default = json!({"kind": "literal", "value": value});
        column("kind", "constant", json!("text"), &json!({"required": true, "default": default}))
    };
    let shape = |number: i32, value: &str, when: Json| {
        let mut shape =
            plan(&[root(&[id_column(), source(number), kind(value), plain("n", "integer")])], &[feeds(&["n"], 0, 3)]);
        shape["when"] = when;
        shape
    };
    let first = shape(0, "small", json!([test(&["n"], "in", json!([1, 2]))]));
    let plan = shapes(&[first, shape(7, "other", json!([]))]);
    let documents: Vec<Vec<u8>> = (0..4)
        .map(|n| document(&[("_id", Value::Int32(n)), ("n", if n == 3 { Value::Null } else { Value::Int32(n) })]))
        .collect();
    let batch = run(&transcoder(&plan), &documents);
    assert_eq!(batch.tables, ["things", "things"]);
    let told = |table: usize| -> Vec<(Field, Field)> {
        rows(&batch, table).into_iter().map(|row| (row[1].clone(), row[2].clone())).collect()
    };
    let small = (Some(vec![0, 0]), Some(b"small".to_vec()));
    let other = (Some(vec![0, 7]), Some(b"other".to_vec()));
    assert_eq!(told(0), [small.clone(), small]);
    assert_eq!(told(1), [other.clone(), other]);
    assert_eq!(count(&batch, "fields_null", "things.n"), 1);
    assert!(batch.counts["adjusted"].is_empty(), "a constant is no default: {:?}", batch.counts["adjusted"]);
}

#[test]
fn find_asks_each_document_by_the_id_of_its_own_shape() {
    let transcoder = transcoder(&two_shapes());
    let [first, second, third, fourth] = kinds();
    let block = [&first[..], &second[..], &third[..], &fourth[..]].concat();
    let number = |at: u8| codec().derive_object_id([at; 12]);
    let sought = [
        SoughtId::Text(id_text(number(2), IdScheme::Cuid2)),
        SoughtId::Text(id_text(number(2), IdScheme::Uuid)),
        SoughtId::Text(id_text(number(1), IdScheme::Uuid)),
        SoughtId::Bytes(derived("Things", text("c")).unwrap()),
        SoughtId::Bytes(derived("Things", Value::ObjectId([4; 12])).unwrap()),
    ];
    let found = transcoder.find(&block, &sought).unwrap();
    let behind = first.len() + second.len() + third.len();
    assert_eq!(found, [(0, first.len(), 2), (first.len(), second.len(), 0), (behind, fourth.len(), 4)]);
}

#[test]
fn the_same_rows_come_out_with_and_without_a_choice() {
    let plain = one_column(json!("integer"), &json!({}));
    let mut last = plain.clone();
    last["when"] = json!([test(&["v"], "ne", json!(["x"])), test(&["y", "z"], "missing", json!([]))]);
    let documents = [with_id(&[("v", Value::Int32(1)), ("w", Value::Null)]), with_id(&[("v", text("1"))])];
    let (one, chosen) = (run(&transcoder(&plain), &documents), run(&transcoder(&shapes(&[last])), &documents));
    assert_eq!((one.outputs, one.counts, one.rejects), (chosen.outputs, chosen.counts, chosen.rejects));
}

#[test]
fn constants_need_a_value_that_fits() {
    let constant = |more: Json| {
        let mut plan = one_column(json!("integer"), &more);
        plan["fields"] = json!([]);
        refused_plan(&plan)
    };
    assert!(constant(json!({"role": "constant"})).contains("things.v is a constant without a value"));
    let text = json!({"role": "constant", "default": {"kind": "literal", "value": "x"}});
    assert!(constant(text).starts_with("The constant of things.v does not fit the column: "));
    let wide = json!({"role": "source", "default": {"kind": "literal", "value": 1}});
    assert!(constant(wide).contains("type that its role cannot have"));
}
