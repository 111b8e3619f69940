//! Values that are made: the first of several paths, elements of arrays, flags; and what of them is left over.

mod support;

use isthmus_core::batch::Batch;
use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

/// One root table of an id, these columns and extras; the fields follow.
fn made(columns: &[Json], fields: &[Json]) -> Json {
    let mut all = vec![id_column()];
    all.extend_from_slice(columns);
    all.push(extras_column());
    plan(&[root(&all)], fields)
}

fn first_of(paths: Json) -> Json {
    json!({"first_of": paths, "do": "column", "table": 0, "column": 1})
}

fn element(index: i64, column: usize, more: &Json) -> Json {
    let mut field = json!({"path": ["list"], "element": index, "do": "column", "table": 0, "column": column});
    for (key, value) in more.as_object().unwrap() {
        field[key] = value.clone();
    }
    field
}

/// The fields of the only row between id and extras, and the extras text.
fn carried(plan: &Json, fields: &[(&str, Value<'_>)]) -> (Vec<Field>, Option<String>, Batch) {
    let batch = run(&transcoder(plan), &[with_id(fields)]);
    assert!(batch.rejects.is_empty(), "{:?}", batch.rejects);
    let mut row = rows(&batch, 0).remove(0);
    let extras = row.pop().unwrap();
    let extras = extras.is_some().then(|| jsonb(&extras));
    (row.split_off(1), extras, batch)
}

/// Code, path, column and value of all causes.
fn causes(plan: &Json, fields: &[(&str, Value<'_>)]) -> Vec<(&'static str, String, Option<String>, String)> {
    let batch = run(&transcoder(plan), &[with_id(fields)]);
    let causes = batch.rejects.into_iter().flat_map(|reject| reject.causes);
    causes.map(|cause| (cause.code.slug(), cause.path, cause.column, cause.value)).collect()
}

fn said(text: &str) -> Field {
    Some(text.as_bytes().to_vec())
}

/// A document whose boolean is no boolean.
fn broken() -> Vec<u8> {
    let mut broken = document(&[("x", Value::Bool(true))]);
    let last = broken.len() - 2;
    broken[last] = 9;
    broken
}

#[test]
fn first_of_takes_the_first_value_that_is_not_null() {
    let plan = made(&[plain("v", "text")], &[first_of(json!([["a"], ["b", "c"], ["d"]]))]);
    let inner = document(&[("c", text("two"))]);
    let taken = |fields: &[(&str, Value<'_>)]| {
        let (row, extras, _) = carried(&plan, fields);
        assert_eq!(extras, None);
        row[0].clone()
    };
    assert_eq!(
        taken(&[("d", text("three")), ("a", Value::Null), ("b", as_document(&inner)), ("d", text("two"))]),
        said("two")
    );
    assert_eq!(taken(&[("a", text("one"))]), said("one"));
    assert_eq!(taken(&[("a", Value::Undefined), ("d", text("three"))]), said("three"));
    let (_, _, batch) = carried(&plan, &[("a", Value::Null)]);
    assert_eq!((count(&batch, "fields_null", "things.v"), count(&batch, "fields_missing", "things.v")), (1, 0));
    let (_, _, batch) = carried(&plan, &[]);
    assert_eq!((count(&batch, "fields_null", "things.v"), count(&batch, "fields_missing", "things.v")), (0, 1));
}

#[test]
fn first_of_leaves_over_what_differs_in_type_or_bytes() {
    let plan =
        made(&[column("v", "value", json!("double"), &json!({}))], &[first_of(json!([["a"], ["b", "c"], ["d"]]))]);
    let left = |a: Value<'_>, c: Value<'_>| {
        let inner = document(&[("c", c)]);
        carried(&plan, &[("b", as_document(&inner)), ("a", a)]).1
    };
    assert_eq!(left(Value::Double(1.0), Value::Double(1.0)), None);
    assert_eq!(left(Value::Double(f64::NAN), Value::Double(f64::NAN)), None);
    assert_eq!(left(Value::Double(1.0), Value::Int32(1)).as_deref(), Some(r#"{"b":{"c":1}}"#));
    assert_eq!(
        left(Value::Double(0.0), Value::Double(-0.0)).as_deref(),
        Some(r#"{"b":{"c":{"$numberDouble":"-0.0"}}}"#)
    );
    assert_eq!(left(Value::Double(1.0), Value::Null), None);
}

#[test]
fn leftovers_join_the_levels_that_are_open_already() {
    let plan = made(
        &[plain("v", "text"), plain("w", "text")],
        &[first_of(json!([["a"], ["b", "c", "d"], ["b", "e"], ["f"]])), feeds(&["b", "c", "g"], 0, 2)],
    );
    let c = document(&[("h", Value::Int32(1)), ("d", text("x")), ("g", text("g"))]);
    let b = document(&[("c", as_document(&c)), ("i", Value::Int32(2)), ("e", text("y"))]);
    let fields = [("b", as_document(&b)), ("a", text("one")), ("f", text("z")), ("k", Value::Int32(3))];
    let (row, extras, batch) = carried(&plan, &fields);
    assert_eq!(row, [said("one"), said("g")]);
    assert_eq!(extras.as_deref(), Some(r#"{"k":3,"b":{"i":2,"c":{"h":1,"d":"x"},"e":"y"},"f":"z"}"#));
    let counted: Vec<&str> = batch.counts["extras"].keys().map(String::as_str).collect();
    assert_eq!(counted, ["b.c.d", "b.c.h", "b.e", "b.i", "f", "k"]);
}

#[test]
fn leftovers_below_a_value_that_is_carried_are_none() {
    let plan = made(
        &[plain("v", "text"), plain("all", "jsonb")],
        &[first_of(json!([["a"], ["b", "c"]])), feeds(&["b"], 0, 2)],
    );
    let b = document(&[("c", text("x"))]);
    let (row, extras, _) = carried(&plan, &[("a", text("one")), ("b", as_document(&b))]);
    assert_eq!((jsonb(&row[1]).as_str(), extras), (r#"{"c":"x"}"#, None));
    let id = made(&[plain("v", "text")], &[first_of(json!([["a"], ["_id"]]))]);
    let (row, extras, _) = carried(&id, &[("a", text("one"))]);
    assert_eq!((row[0].clone(), extras), (said("one"), None), "the id is carried as such");
    assert_eq!(carried(&id, &[]).0[0], said("6553f1000102030405060708"));
}

#[test]
fn leftovers_without_a_place_reject_the_document() {
    let mut plan = made(&[plain("v", "text")], &[first_of(json!([["a"], ["b", "c"]]))]);
    plan["unknown"] = json!("dead_letter");
    let b = document(&[("c", text("secret"))]);
    let found = causes(&plan, &[("a", text("one")), ("b", as_document(&b))]);
    assert_eq!(found, [("unknown-field", "b.c".to_owned(), None, "(hidden)".to_owned())]);
}

#[test]
fn first_of_names_the_path_that_was_taken() {
    let plan = made(
        &[column("v", "value", json!("integer"), &json!({"required": true}))],
        &[first_of(json!([["a"], ["b", "c"]]))],
    );
    let b = document(&[("c", text("x"))]);
    let named = |fields: &[(&str, Value<'_>)]| {
        let found = causes(&plan, fields);
        (found[0].0, found[0].1.clone())
    };
    assert_eq!(named(&[("b", as_document(&b)), ("a", Value::Null)]), ("type", "b.c".to_owned()));
    assert_eq!(named(&[("a", Value::Null)]), ("required", "a".to_owned()));
    assert_eq!(named(&[("b", text("x"))]), ("required", "a".to_owned()));
}

#[test]
fn first_of_duplicate_keys_the_last_counts() {
    let plan = made(&[plain("v", "text")], &[first_of(json!([["a"], ["b"]]))]);
    let (row, extras, batch) =
        carried(&plan, &[("a", text("x")), ("b", text("y")), ("a", Value::Null), ("b", text("z"))]);
    assert_eq!((row[0].clone(), extras), (said("z"), None));
    assert_eq!(count(&batch, "adjusted", "things:duplicate_key"), 2);
}

#[test]
fn damage_in_a_value_that_lost_is_seen() {
    let plan = made(&[plain("v", "text")], &[first_of(json!([["a"], ["b"]]))]);
    let broken = broken();
    let found = causes(&plan, &[("a", text("one")), ("b", as_document(&broken))]);
    assert_eq!((found[0].0, found[0].1.as_str()), ("bson", "b"));
    let jsonb = made(&[plain("v", "jsonb")], &[first_of(json!([["a"], ["b"]]))]);
    let found = causes(&jsonb, &[("a", as_document(&broken)), ("b", as_document(&broken))]);
    assert_eq!(found[0].0, "bson");
}

#[test]
fn leftovers_of_sensitive_columns_stay_hidden() {
    let secret = column("v", "value", json!("text"), &json!({"sensitive": true}));
    let plan = made(std::slice::from_ref(&secret), &[first_of(json!([["a"], ["b"]]))]);
    let found = causes(&plan, &[("a", text("one")), ("b", text("se\0cret"))]);
    assert_eq!(found, [("nul", "b".to_owned(), Some("things.extras".to_owned()), "(hidden)".to_owned())]);
    let mut mending = plan.clone();
    mending["tables"][0]["columns"][2]["policies"]["nul"] = json!("remove");
    let (_, extras, batch) = carried(&mending, &[("a", text("one")), ("b", text("se\0cret")), ("c", text("x\0y"))]);
    assert_eq!(extras.as_deref(), Some(r#"{"c":"xy","b":"secret"}"#));
    let shown: Vec<&str> = batch.adjustments.iter().map(|change| change.original.as_str()).collect();
    assert_eq!(shown, ["x\\u0000y", "(hidden)"]);
    let mut listed = made(&[secret], &[element(0, 1, &json!({}))]);
    let list = array(&[text("one"), text("t\0wo")]);
    let found = causes(&listed, &[("list", as_array(&list))]);
    assert_eq!((found[0].0, found[0].3.as_str()), ("nul", "(hidden)"));
    let found = causes(&listed, &[("list", text("secret"))]);
    assert_eq!(found, [("not-an-array", "list".to_owned(), Some("things.v".to_owned()), "(hidden)".to_owned())]);
    listed["fields"] =
        json!([{"path": ["list"], "do": "to_flags", "table": 0, "flags": [{"label": "A", "column": 1}]}]);
    listed["tables"][0]["columns"][1]["type"] = json!({"kind": "boolean"});
    let found = causes(&listed, &[("list", Value::Int32(77))]);
    assert_eq!(found, [("not-an-array", "list".to_owned(), None, "(hidden)".to_owned())]);
}

#[test]
fn elements_count_from_both_ends() {
    let plan = made(
        &[plain("first", "text"), plain("last", "text"), plain("tenth", "text")],
        &[element(0, 1, &json!({})), element(-1, 2, &json!({})), element(9, 3, &json!({}))],
    );
    let taken = |values: &[Value<'_>]| {
        let list = array(values);
        let (row, extras, batch) = carried(&plan, &[("list", as_array(&list))]);
        assert_eq!(count(&batch, "fields_missing", "things.tenth"), 1);
        (row[0].clone(), row[1].clone(), extras)
    };
    assert_eq!(taken(&[text("a"), text("b")]), (said("a"), said("b"), None));
    assert_eq!(taken(&[text("a")]), (said("a"), said("a"), None));
    assert_eq!(taken(&[]), (None, None, None));
    assert_eq!(taken(&[text("a"), Value::Null]), (said("a"), None, None));
    let whole = Some(r#"{"list":["a",null,"c"]}"#.to_owned());
    assert_eq!(taken(&[text("a"), Value::Null, text("c")]), (said("a"), said("c"), whole));
    let (row, extras, batch) = carried(&plan, &[("list", Value::Null)]);
    assert_eq!((row, extras), (vec![None, None, None], None));
    assert_eq!(count(&batch, "fields_null", "things.tenth"), 1);
    let far = made(&[plain("v", "text")], &[element(i64::MIN, 1, &json!({}))]);
    let list = array(&[text("a")]);
    assert_eq!(carried(&far, &[("list", as_array(&list))]).1.as_deref(), Some(r#"{"list":["a"]}"#));
}

#[test]
fn inside_an_element_only_documents_are_followed() {
    let plan = made(
        &[plain("name", "text"), plain("deep", "text")],
        &[element(0, 1, &json!({"of": ["name"]})), element(1, 2, &json!({"of": ["a", "b"], "others": "extras"}))],
    );
    let inner = document(&[("b", text("bee"))]);
    let first = document(&[("name", text("x")), ("name", text("y"))]);
    let second = document(&[("a", as_document(&inner))]);
    let list = array(&[as_document(&first), as_document(&second)]);
    let (row, extras, _) = carried(&plan, &[("list", as_array(&list))]);
    assert_eq!(row, [said("y"), said("bee")]);
    assert_eq!(extras.as_deref(), Some(r#"{"list":[{"name":"y"},{"a":{"b":"bee"}}]}"#));
    for other in [Value::Int32(1), Value::Null, as_array(&list), text("t")] {
        let shallow = document(&[("a", other)]);
        let list = array(&[other, as_document(&shallow)]);
        let (row, extras, _) = carried(&plan, &[("list", as_array(&list))]);
        assert_eq!(row, [None, None], "{other:?}");
        assert!(extras.is_some());
    }
}

#[test]
fn other_elements_may_be_dropped_by_name() {
    let drop = json!({"others": "drop"});
    let plan = made(&[plain("v", "text")], &[element(0, 1, &drop)]);
    let list = array(&[text("a"), text("b")]);
    let (row, extras, batch) = carried(&plan, &[("list", as_array(&list))]);
    assert_eq!((row[0].clone(), extras, count(&batch, "dropped", "list")), (said("a"), None, 1));
    let one = array(&[text("a")]);
    let (_, _, batch) = carried(&plan, &[("list", as_array(&one))]);
    assert!(batch.counts["dropped"].is_empty());
    let broken = broken();
    let damaged = array(&[text("a"), as_document(&broken)]);
    assert_eq!(causes(&plan, &[("list", as_array(&damaged))])[0].0, "bson");
    let both = made(&[plain("v", "text"), plain("w", "text")], &[element(0, 1, &drop), element(1, 2, &json!({}))]);
    assert!(refused_plan(&both).contains("both kept and dropped"));
}

#[test]
fn a_single_value_is_an_element_only_with_coerce() {
    let strict =
        made(&[plain("v", "text"), plain("w", "text")], &[element(0, 1, &json!({})), element(1, 2, &json!({}))]);
    let found = causes(&strict, &[("list", text("a"))]);
    let expected = |column: &str| ("not-an-array", "list".to_owned(), Some(column.to_owned()), "a".to_owned());
    assert_eq!(found, [expected("things.v"), expected("things.w")]);
    let coerce = |index: i64, column: usize| element(index, column, &json!({"coerce": true}));
    let plan = made(
        &[plain("v", "text"), plain("w", "text"), plain("x", "text")],
        &[coerce(0, 1), coerce(-1, 2), coerce(1, 3)],
    );
    let (row, extras, batch) = carried(&plan, &[("list", text("a"))]);
    assert_eq!((row, extras), (vec![said("a"), said("a"), None], None));
    let single = |column: &str| count(&batch, "adjusted", &format!("things.{column}:single_as_array"));
    assert_eq!((single("v"), single("w"), single("x")), (1, 1, 0));
    let second = made(&[plain("v", "text")], &[coerce(1, 1)]);
    assert_eq!(carried(&second, &[("list", text("a"))]).1.as_deref(), Some(r#"{"list":"a"}"#));
    let inside = made(&[plain("v", "text")], &[element(0, 1, &json!({"coerce": true, "of": ["n"], "others": "drop"}))]);
    let single = document(&[("n", text("x")), ("m", text("y"))]);
    let (row, extras, batch) = carried(&inside, &[("list", as_document(&single))]);
    assert_eq!((row[0].clone(), extras, count(&batch, "dropped", "list")), (said("x"), None, 1));
}

#[test]
fn refused_elements_name_their_place() {
    let required = column("v", "value", json!("integer"), &json!({"required": true}));
    let plan = made(&[required], &[element(-1, 1, &json!({"of": ["n"]}))]);
    let named = |value: Value<'_>| {
        let found = causes(&plan, &[("list", value)]);
        (found[0].0, found[0].1.clone())
    };
    let wrong = document(&[("n", text("x"))]);
    let null = document(&[("n", Value::Null)]);
    let list = |item: &[u8]| array(&[Value::Int32(1), as_document(item)]);
    assert_eq!(named(as_array(&list(&wrong))), ("type", "list.1.n".to_owned()));
    assert_eq!(named(as_array(&list(&null))), ("required", "list.1.n".to_owned()));
    assert_eq!(named(as_array(&list(&document(&[])))), ("required", "list".to_owned()));
    assert_eq!(named(as_array(&array(&[]))), ("required", "list".to_owned()));
    let broken = broken();
    assert_eq!(named(as_array(&list(&broken))).0, "bson");
    let mut cut = array(&[Value::Bool(true), Value::Bool(true)]);
    let last = cut.len() - 2;
    cut[last] = 9;
    assert_eq!(named(as_array(&cut)), ("bson", "list.1".to_owned()));
}

#[test]
fn elements_nest_a_hundred_levels_and_no_more() {
    // The document is level 1, the array 2, its element 3.
    let nest = |levels: usize| {
        let mut inner = document(&[]);
        for _ in 1..levels {
            inner = document(&[("x", as_document(&inner))]);
        }
        inner
    };
    for others in ["extras", "drop"] {
        let plan = made(&[plain("v", "jsonb")], &[element(0, 1, &json!({"others": others}))]);
        for (place, more) in [(0, 1), (1, 0)] {
            for (levels, codes) in [(98, &[][..]), (99, &["nesting"][..])] {
                let deep = nest(levels);
                let mut items = vec![Value::Int32(1); place + more];
                items.insert(place, as_document(&deep));
                let list = array(&items);
                let found = causes(&plan, &[("list", as_array(&list))]);
                // Of a deep first element both the column and the array that is left over speak.
                let mut found: Vec<&str> = found.iter().map(|cause| cause.0).collect();
                found.dedup();
                assert_eq!(found, codes, "{others} {place} {levels}");
            }
        }
    }
    let alone = made(&[plain("v", "jsonb")], &[element(0, 1, &json!({}))]);
    for (levels, codes) in [(98, &[][..]), (99, &["nesting"][..])] {
        let list = array(&[as_document(&nest(levels))]);
        let found: Vec<&str> = causes(&alone, &[("list", as_array(&list))]).iter().map(|cause| cause.0).collect();
        assert_eq!(found, codes, "{levels}");
    }
    let inside = made(&[plain("v", "text")], &[element(0, 1, &json!({"of": ["x", "x"], "others": "drop"}))]);
    let list = array(&[as_document(&nest(5_000))]);
    assert_eq!(causes(&inside, &[("list", as_array(&list))])[0].0, "nesting");
}

#[test]
fn an_element_may_become_rows_pairs_and_references() {
    let to_docs = json!({"reference": {"collection": "Docs", "ids": "uuid"}});
    let tables = [
        root(&[id_column(), column("doc", "reference", json!("uuid"), &to_docs), extras_column()]),
        json!({"name": "steps", "kind": "child", "parent": 0, "columns": [
            column("thing_id", "root_id", json!("uuid"), &json!({})), column("position", "position", json!("integer"), &json!({})),
            plain("n", "integer")]}),
        json!({"name": "docs_to_things", "kind": "junction", "columns": [
            column("doc_id", "other", json!("uuid"), &to_docs), column("thing_id", "own", json!("uuid"), &json!({}))]}),
    ];
    let fields = [
        json!({"path": ["list"], "element": 0, "of": ["steps"], "do": "child", "table": 1, "fields": [feeds(&["n"], 1, 2)]}),
        json!({"path": ["list"], "element": 0, "of": ["docs"], "do": "junction", "table": 2}),
        json!({"path": ["list"], "element": 1, "do": "column", "table": 0, "column": 1}),
    ];
    let plan = plan(&tables, &fields);
    let step = document(&[("n", Value::Int32(5))]);
    let steps = array(&[as_document(&step)]);
    let docs = array(&[Value::ObjectId([3; 12]), Value::Null]);
    let first = document(&[("steps", as_array(&steps)), ("docs", as_array(&docs))]);
    let list = array(&[as_document(&first), Value::ObjectId([4; 12])]);
    let batch = run(&transcoder(&plan), &[with_id(&[("list", as_array(&list))])]);
    let id = derived("Things", Value::ObjectId(USER));
    assert_eq!(rows(&batch, 0)[0][1], derived("Docs", Value::ObjectId([4; 12])));
    assert_eq!(rows(&batch, 1), [vec![id.clone(), int(0), int(5)]]);
    assert_eq!(rows(&batch, 2), [vec![derived("Docs", Value::ObjectId([3; 12])), id]]);
    assert_eq!(count(&batch, "references", "things.doc"), 1);
    let wrong = document(&[("n", text("x"))]);
    let steps = array(&[as_document(&step), as_document(&wrong)]);
    let bad = array(&[as_array(&docs)]);
    let first = document(&[("steps", as_array(&steps)), ("docs", as_array(&bad))]);
    let list = array(&[as_document(&first)]);
    let found = causes(&plan, &[("list", as_array(&list))]);
    let places: Vec<&str> = found.iter().map(|cause| cause.1.as_str()).collect();
    assert_eq!(places, ["list.0.docs.0", "list.0.steps.1.n"]);
}

#[test]
fn rows_may_come_from_the_first_of_several_arrays() {
    let tables = [
        root(&[id_column(), extras_column()]),
        json!({"name": "steps", "kind": "child", "parent": 0, "columns": [
            column("thing_id", "root_id", json!("uuid"), &json!({})), column("position", "position", json!("integer"), &json!({})),
            column("n", "value", json!("text"), &json!({})), extras_column()]}),
    ];
    let inner = json!({"first_of": [["n"], ["m"]], "do": "column", "table": 1, "column": 2});
    let fields = [json!({"first_of": [["steps"], ["old", "steps"]], "do": "child", "table": 1, "fields": [inner]})];
    let plan = plan(&tables, &fields);
    let step = document(&[("m", text("m")), ("n", text("n")), ("o", text("o"))]);
    let steps = array(&[as_document(&step)]);
    let old = document(&[("steps", as_array(&steps))]);
    let batch = run(&transcoder(&plan), &[with_id(&[("old", as_document(&old))])]);
    let row = &rows(&batch, 1)[0];
    assert_eq!((&row[2], jsonb(&row[3]).as_str()), (&said("n"), r#"{"o":"o","m":"m"}"#));
    let counted: Vec<&str> = batch.counts["extras"].keys().map(String::as_str).collect();
    assert_eq!(counted, ["steps.m", "steps.o"]);
    let wrong = document(&[("n", Value::Int32(1))]);
    let old = document(&[("steps", as_array(&array(&[as_document(&wrong)])))]);
    assert_eq!(causes(&plan, &[("old", as_document(&old))])[0].1, "old.steps.0.n");
}

fn flags(kind: Json, coerce: bool) -> Json {
    let flags =
        json!([{"path": ["is", "a"], "label": "A"}, {"path": ["b"], "label": "B"}, {"path": ["c"], "label": "C"}]);
    let default = json!({"default": {"kind": "literal", "value": if kind["array"] == json!(true) { json!(["none"]) } else { json!("none") }}});
    made(
        &[column("v", "value", kind, &default)],
        &[json!({"do": "flags", "table": 0, "column": 1, "flags": flags, "coerce": coerce})],
    )
}

/// The texts of a text[] field.
fn texts(field: &Field) -> Vec<String> {
    let bytes = field.as_ref().expect("not NULL");
    let mut texts = Vec::new();
    let mut rest = bytes.get(20..).unwrap_or_default();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        texts.push(String::from_utf8(rest[4..4 + length].to_vec()).unwrap());
        rest = &rest[4 + length..];
    }
    assert_eq!(u32::from_be_bytes(bytes[..4].try_into().unwrap()), u32::from(!texts.is_empty()));
    texts
}

#[test]
fn flags_become_a_list_of_labels_in_written_order() {
    let plan = flags(json!({"kind": "text", "array": true}), false);
    let labels = |fields: &[(&str, Value<'_>)]| texts(&carried(&plan, fields).0[0]);
    let is = document(&[("a", Value::Bool(true))]);
    assert_eq!(labels(&[("c", Value::Bool(true)), ("is", as_document(&is)), ("b", Value::Bool(false))]), ["A", "C"]);
    assert_eq!(labels(&[("b", Value::Bool(false))]), [""; 0]);
    assert_eq!(labels(&[("b", Value::Null)]), [""; 0]);
    assert_eq!(labels(&[]), ["none"]);
    assert_eq!(labels(&[("is", Value::Int32(1))]), ["none"], "through something else than a document there is no flag");
    let (_, extras, batch) = carried(&plan, &[("is", Value::Int32(1))]);
    assert_eq!((extras.as_deref(), count(&batch, "fields_missing", "things.v")), (Some(r#"{"is":1}"#), 1));
}

#[test]
fn flags_become_the_first_label_and_further_ones_are_left_over() {
    let kind = json!({"kind": "enum", "values": ["A", "B", "C", "none"], "name": "letter"});
    let plan = flags(kind, true);
    let (row, extras, batch) = carried(&plan, &[("c", text("true")), ("b", Value::Double(1.0)), ("x", Value::Null)]);
    assert_eq!(row[0], said("B"));
    assert_eq!(extras.as_deref(), Some(r#"{"x":null,"c":"true"}"#));
    assert_eq!(count(&batch, "adjusted", "things.v:coerced"), 2);
    let (row, extras, batch) = carried(&plan, &[("c", Value::Bool(false)), ("b", Value::Null)]);
    assert_eq!((row[0].clone(), extras, count(&batch, "adjusted", "things.v:default")), (said("none"), None, 1));
}

#[test]
fn what_is_no_flag_is_refused_where_it_stands() {
    let found = |coerce: bool, value: Value<'_>| {
        let is = document(&[("a", value)]);
        causes(&flags(json!({"kind": "text", "array": true}), coerce), &[("is", as_document(&is)), ("b", text("yes"))])
    };
    let place = |path: &str, value: &str| ("type", path.to_owned(), Some("things.v".to_owned()), value.to_owned());
    assert_eq!(found(false, Value::Int32(1)), [place("is.a", "1"), place("b", "yes")]);
    assert_eq!(found(true, Value::Int32(2)), [place("is.a", "2"), place("b", "yes")]);
    assert_eq!(found(true, Value::Int32(1)), [place("b", "yes")]);
    let mut wrong = flags(json!("text"), false);
    wrong["fields"][0]["path"] = json!(["z"]);
    assert!(refused_plan(&wrong).contains("besides those of its parts"));
    let mut wrong = flags(json!({"kind": "enum", "values": ["A", "B", "none"], "name": "letter"}), false);
    assert!(refused_plan(&wrong).contains("label \"C\" of things.v"), "{}", refused_plan(&wrong));
    wrong["fields"][0]["flags"][2]["path"] = json!(["b"]);
    assert!(refused_plan(&wrong).contains("The path b is taken by two fields"));
}

fn labels() -> Json {
    let default = json!({"default": {"kind": "literal", "value": true}, "default_for": ["null"]});
    let columns = [plain("admin", "boolean"), column("dev", "value", json!("boolean"), &default)];
    let flags = json!([{"label": "ADMIN", "column": 1}, {"label": "DEV", "column": 2}]);
    made(&columns, &[json!({"path": ["roles"], "do": "to_flags", "table": 0, "flags": flags})])
}

#[test]
fn labels_become_booleans() {
    let plan = labels();
    let yes = |flag: bool| Some(vec![u8::from(flag)]);
    let read = |value: Value<'_>| {
        let (row, extras, batch) = carried(&plan, &[("roles", value)]);
        (row[0].clone(), row[1].clone(), extras, count(&batch, "adjusted", "things.admin:single_as_array"))
    };
    let of = |values: &[Value<'_>]| read(as_array(&array(values)));
    assert_eq!(of(&[text("DEV"), text("DEV")]), (yes(false), yes(true), None, 0));
    assert_eq!(of(&[Value::Symbol(b"ADMIN")]), (yes(true), yes(false), None, 0));
    assert_eq!(of(&[]), (yes(false), yes(false), None, 0));
    assert_eq!(of(&[text("DEV"), text("CEO")]), (yes(false), yes(true), Some(r#"{"roles":["DEV","CEO"]}"#.into()), 0));
    assert_eq!(of(&[Value::Null]), (yes(false), yes(false), Some(r#"{"roles":[null]}"#.into()), 0));
    assert_eq!(of(&[text("DEV"), Value::Int32(1)]).2, Some(r#"{"roles":["DEV",1]}"#.into()));
    assert_eq!(read(text("ADMIN")), (yes(true), yes(false), None, 1));
    assert_eq!(read(text("CEO")), (yes(false), yes(false), Some(r#"{"roles":"CEO"}"#.into()), 1));
    assert_eq!(read(Value::Null), (None, yes(true), None, 0));
    let (row, _, batch) = carried(&plan, &[]);
    assert_eq!((row, count(&batch, "fields_missing", "things.dev")), (vec![None, None], 1));
    let found = causes(&plan, &[("roles", Value::Int32(5))]);
    assert_eq!(found, [("not-an-array", "roles".to_owned(), None, "5".to_owned())]);
    let broken = broken();
    let list = array(&[text("DEV"), as_document(&broken)]);
    assert_eq!(causes(&plan, &[("roles", as_array(&list))])[0].0, "bson");
}

#[test]
fn plans_that_mix_rules_wrongly_are_refused() {
    let field =
        |field: Json| refused_plan(&made(&[plain("v", "text"), plain("w", "text")], &[feeds(&["list"], 0, 2), field]));
    assert!(field(element(0, 1, &json!({}))).contains("The path list is taken by two fields"));
    assert!(field(first_of(json!([["a"], ["list"]]))).contains("The path list is taken by two fields"));
    assert!(field(first_of(json!([["a"], ["a"]]))).contains("The path a is taken by two fields"));
    assert!(field(first_of(json!([]))).contains("either a path or a first_of"));
    assert!(field(json!({"path": ["a"], "of": ["b"], "do": "column", "table": 0, "column": 1})).contains("the key of,"));
    assert!(field(json!({"path": ["a"], "do": "drop", "table": 0})).contains("the key table,"));
    assert!(field(json!({"path": ["a"], "do": "column", "table": 0})).contains("needs the key column"));
    assert!(field(json!({"path": ["a"], "first_of": [["b"]], "do": "drop"})).contains("either a path or a first_of"));
    let text = json!({"path": ["a"], "do": "to_flags", "table": 0, "flags": [{"label": "A", "column": 1}]});
    assert!(field(text).contains("things.v holds one label of many"));
    let far = json!({"path": ["a"], "do": "to_flags", "table": u64::MAX, "flags": [{"label": "A", "column": 1}]});
    assert!(field(far).contains("which the shape does not have"));
}

#[test]
fn what_could_not_be_made_is_told_once_at_its_column() {
    let required = |name: &str, kind: &str| column(name, "value", json!(kind), &json!({"required": true}));
    let flags = json!([{"path": ["b"], "label": "B"}, {"path": ["c"], "label": "C"}]);
    let labels = json!([{"label": "D", "column": 4}, {"label": "E", "column": 5}]);
    let columns = [
        required("n", "integer"),
        required("v", "text"),
        required("f", "text"),
        required("is_d", "boolean"),
        required("is_e", "boolean"),
    ];
    let fields = [
        element(0, 2, &json!({})),
        feeds(&["n"], 0, 1),
        json!({"do": "flags", "table": 0, "column": 3, "flags": flags}),
        json!({"path": ["d"], "do": "to_flags", "table": 0, "flags": labels}),
    ];
    let one = Value::Int32(1);
    let found = causes(&made(&columns, &fields), &[("list", one), ("b", one), ("c", one), ("d", one)]);
    let found: Vec<(&str, &str)> = found.iter().map(|cause| (cause.0, cause.1.as_str())).collect();
    assert_eq!(
        found,
        [("required", "n"), ("not-an-array", "list"), ("type", "b"), ("type", "c"), ("not-an-array", "d")]
    );
}

/// Two fields and one of a sub-document in one jsonb column.
fn object(more: &Json) -> Json {
    let parts =
        json!([{"key": "a b", "path": ["x"]}, {"key": "", "path": ["in", "y.z"]}, {"key": "c", "path": ["last"]}]);
    made(
        &[column("v", "value", json!("jsonb"), more)],
        &[json!({"do": "object", "table": 0, "column": 1, "parts": parts})],
    )
}

#[test]
fn fields_are_put_together_as_one_object() {
    let plan = object(&json!({}));
    let inner = document(&[("y.z", Value::Bool(true)), ("other", Value::Null)]);
    let fields = [("last", Value::Null), ("in", as_document(&inner)), ("x", text("é\""))];
    let (row, extras, batch) = carried(&plan, &fields);
    assert_eq!(jsonb(&row[0]), r#"{"a b":"é\"","":true,"c":null}"#);
    assert_eq!((extras.as_deref(), count(&batch, "fields_missing", "things.v")), (Some(r#"{"in":{"other":null}}"#), 0));
    assert_eq!(jsonb(&carried(&plan, &[("last", Value::Int32(5))]).0[0]), r#"{"c":5}"#);
    let (row, extras, batch) = carried(&plan, &[("in", Value::Int32(1))]);
    assert_eq!((row[0].clone(), extras.as_deref()), (None, Some(r#"{"in":1}"#)), "there is nothing inside a number");
    assert_eq!(count(&batch, "fields_missing", "things.v"), 1);
}

#[test]
fn a_member_that_has_no_place_in_json_is_refused_where_it_stands() {
    let nan = document(&[("n", Value::Double(f64::NAN))]);
    let inner = document(&[("y.z", as_document(&nan))]);
    let found = causes(&object(&json!({})), &[("x", text("good")), ("in", as_document(&inner))]);
    assert_eq!(found[0].1, r"in.y\.z.n");
    assert_eq!(causes(&object(&json!({"required": true})), &[])[0].0, "required");
    let mut wrong = object(&json!({}));
    wrong["fields"][0]["parts"][1]["key"] = json!("c");
    assert!(refused_plan(&wrong).contains("the member \"c\" of one object"), "{}", refused_plan(&wrong));
    wrong["fields"][0]["parts"] = json!([]);
    assert!(refused_plan(&wrong).contains("needs the key parts"));
    let mut wrong = object(&json!({}));
    wrong["tables"][0]["columns"][1]["type"] = json!({"kind": "text"});
    assert!(refused_plan(&wrong).contains("so it is jsonb"), "{}", refused_plan(&wrong));
}
