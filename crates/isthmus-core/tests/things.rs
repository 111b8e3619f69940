//! Documents that belong to things found out before: the column that joins, references that are filled, ids that stand.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::ids::{id_text, IdScheme};
use serde_json::{json, Value as Json};
use support::*;

const THING: &str = "zthingzthingzthingzthing";
const OTHER: &str = "zotherzotherzotherzother";

fn hex(value: Value<'_>) -> String {
    value.id_document().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Documents and their things, as a plan has them.
fn lines(of: &[(Value<'_>, Option<&str>)]) -> String {
    let line = |(id, thing): &(Value<'_>, Option<&str>)| {
        format!("{}{}", hex(*id), thing.map_or(String::new(), |it| format!(" {it}")))
    };
    of.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn cuid2_root(more: &[Json]) -> Json {
    let mut columns = vec![column("id", "id", json!("text"), &json!({"required": true}))];
    columns.extend_from_slice(more);
    let mut plan = plan(&[root(&columns)], &[]);
    plan["ids"] = json!("cuid2");
    plan
}

/// A plan whose column `owner`, fed by the field `owner`, is filled with things of the members of Users.
fn linked(of: &str, more: &Json) -> Json {
    let members = lines(&[(Value::ObjectId(USER), Some(THING)), (text("ann"), Some(THING)), (text("nobody"), None)]);
    let mut with = json!({
        "reference": {"collection": "Users", "ids": "cuid2"},
        "things": {"of": of, "members": {"Users": members}},
    });
    for (key, value) in more.as_object().expect("an object") {
        with[key] = value.clone();
    }
    let mut plan = cuid2_root(&[column("owner", "reference", json!("text"), &with), extras_column()]);
    plan["fields"] = json!([feeds(&["owner"], 0, 1)]);
    plan
}

fn owned(id: i32, owner: Option<Value<'_>>) -> Vec<u8> {
    let mut fields = vec![("_id", Value::Int32(id))];
    fields.extend(owner.map(|owner| ("owner", owner)));
    document(&fields)
}

#[test]
fn the_hidden_column_takes_the_thing_and_refuses_what_nobody_knows() {
    let of = lines(&[(Value::Int32(1), Some(THING)), (Value::Int32(2), None)]);
    let plan = cuid2_root(&[column("_thing", "thing", json!("text"), &json!({"things": {"of": of}}))]);
    let documents: Vec<Vec<u8>> =
        [Value::Int32(1), Value::Int32(2), Value::Int64(1)].iter().map(|id| document(&[("_id", *id)])).collect();
    let batch = run(&transcoder(&plan), &documents);
    let fields: Vec<Field> = rows(&batch, 0).into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(fields, [Some(THING.as_bytes().to_vec()), None]);
    assert_eq!(codes(&batch), ["thing-unknown"], "the bytes of an _id name a document, not its value");
    let list = array(&[]);
    let batch = run(&transcoder(&plan), &[document(&[("_id", as_array(&list))])]);
    assert_eq!(codes(&batch), ["bad-id"]);
}

#[test]
fn a_plan_whose_things_stand_where_they_cannot_is_refused() {
    let of = json!({"of": ""});
    for columns in [
        column("t", "thing", json!("text"), &json!({})),
        column("t", "thing", json!("uuid"), &json!({"things": of})),
        column("t", "value", json!("text"), &json!({"things": of})),
        column(
            "t",
            "reference",
            json!("text"),
            &json!({"things": of, "reference": {"collection": "U", "ids": "keep"}}),
        ),
    ] {
        refused_plan(&cuid2_root(&[columns]));
    }
    for key in ["0", "zz", "é"] {
        let things = json!({"things": {"of": format!("{key} {THING}")}});
        assert!(refused_plan(&cuid2_root(&[column("t", "thing", json!("text"), &things)])).contains("hex"));
    }
}

#[test]
fn a_linked_reference_takes_the_thing_and_lists_what_led_elsewhere() {
    let of = lines(&[(Value::Int32(1), Some(THING)), (Value::Int32(2), None)]);
    let transcoder = transcoder(&linked(&of, &json!({})));
    let stranger = Value::ObjectId([9; 12]);
    let standing = text(THING);
    let documents = [
        owned(1, None),
        owned(1, Some(Value::Null)),
        owned(1, Some(Value::ObjectId(USER))),
        owned(1, Some(text("6553F1000102030405060708"))),
        owned(1, Some(text("ann"))),
        owned(1, Some(stranger)),
        owned(1, Some(standing)),
        owned(2, Some(Value::ObjectId(USER))),
        owned(2, None),
        owned(3, Some(stranger)),
        owned(3, None),
    ];
    let batch = run(&transcoder, &documents);
    let own = id_text(codec().derive_object_id([9; 12]), IdScheme::Cuid2).into_bytes();
    let fields: Vec<Field> = rows(&batch, 0).into_iter().map(|row| row[1].clone()).collect();
    let mut expected = vec![Some(THING.as_bytes().to_vec()); 7];
    expected.extend([None, None, Some(own), None]);
    assert_eq!(fields, expected);
    let listed: Vec<_> =
        batch.adjustments.iter().map(|one| (one.document, one.kind.slug(), one.original.clone())).collect();
    // The text THING is no id here: it is not said that references may hold ids of rows.
    let hex_of = |id: [u8; 12]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let shown = |document: usize, value: &str| {
        let found = listed.iter().find(|one| one.0 == document).expect("listed");
        assert!(found.1 == "linked" && found.2.contains(value), "{found:?}");
    };
    assert_eq!(listed.len(), 3);
    shown(5, &hex_of([9; 12]));
    shown(6, THING);
    shown(7, &hex_of(USER));
    assert_eq!(count(&batch, "adjusted", "things.owner:linked"), 3);
    assert_eq!(count(&batch, "references", "things.owner"), 8);
    assert_eq!(count(&batch, "fields_missing", "things.owner"), 3);
    assert_eq!(count(&batch, "fields_null", "things.owner"), 1);
    assert!(batch.id_map.iter().all(|entry| !entry.from_reference));
}

#[test]
fn a_required_link_refuses_a_document_that_belongs_to_none() {
    let of = lines(&[(Value::Int32(1), Some(THING)), (Value::Int32(2), None)]);
    let transcoder = transcoder(&linked(&of, &json!({"required": true, "sensitive": true})));
    let batch = run(&transcoder, &[owned(1, None), owned(2, Some(Value::ObjectId(USER))), owned(3, None)]);
    assert_eq!(codes(&batch), ["required", "required"]);
    assert!(batch.adjustments.is_empty());
    let batch = run(&transcoder, &[owned(1, Some(text("secret")))]);
    assert_eq!(batch.adjustments[0].original, "(hidden)");
}

#[test]
fn a_linked_reference_of_uuids_takes_uuids_only() {
    let thing = "00000000-0000-8000-8000-0000000000ab";
    let plan = |thing: &str| {
        let with = json!({
            "reference": {"collection": "Users", "ids": "uuid"}, "things": {"of": lines(&[(Value::Int32(1), Some(thing))])},
        });
        let mut plan = plan(&[root(&[id_column(), column("owner", "reference", json!("uuid"), &with)])], &[]);
        plan["fields"] = json!([feeds(&["owner"], 0, 1)]);
        plan
    };
    let batch = run(&transcoder(&plan(thing)), &[owned(1, None)]);
    assert_eq!(rows(&batch, 0)[0][1].as_ref().map(|field| field[15]), Some(0xab));
    assert!(refused_plan(&plan(THING)).contains("no UUID"));
}

#[test]
fn texts_that_are_ids_of_rows_stand_where_references_may_be_rewritten() {
    let rewritten = json!({"collection": "Users", "ids": "cuid2", "rewritten": true});
    let single = column("owner", "reference", json!("text"), &json!({"reference": rewritten}));
    let kind = json!({"kind": "text", "array": true});
    let several = column("all", "reference", kind, &json!({"reference": rewritten}));
    let inside = json!({"rewrite": [{"path": ["by"], "collection": "Users", "ids": "cuid2", "rewritten": true}]});
    let mut plan = cuid2_root(&[single, several, column("v", "value", json!("jsonb"), &inside)]);
    plan["fields"] = json!([feeds(&["owner"], 0, 1), feeds(&["all"], 0, 2), feeds(&["v"], 0, 3)]);
    let list = array(&[text(THING), Value::ObjectId(USER), text("ann")]);
    let by = document(&[("by", text(OTHER))]);
    let fields = [("_id", Value::Int32(1)), ("owner", text(THING)), ("all", as_array(&list)), ("v", as_document(&by))];
    let batch = run(&transcoder(&plan), &[document(&fields)]);
    let row = rows(&batch, 0).remove(0);
    assert_eq!(row[1].as_deref(), Some(THING.as_bytes()));
    let elements = row[2].as_deref().expect("an array");
    let user = id_text(codec().derive_object_id(USER), IdScheme::Cuid2);
    let held = |text: &str| elements.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(held(THING) && held(&user) && !held("ann"));
    assert_eq!(jsonb(&row[3]), format!("{{\"by\":\"{OTHER}\"}}"));
    assert_eq!(count(&batch, "references", "things.v.by"), 1);
    let mapped: Vec<_> = batch.id_map.iter().filter(|entry| entry.from_reference).collect();
    assert_eq!(mapped.len(), 1, "a text that stands is nobody's hash: {mapped:?}");
    let dbref = document(&[("$ref", text("Users")), ("$id", text(THING))]);
    let batch = run(&transcoder(&plan), &[document(&[("_id", Value::Int32(1)), ("owner", as_document(&dbref))])]);
    assert_eq!(rows(&batch, 0)[0][1].as_deref(), Some(THING.as_bytes()));
}

/// A plan of three columns, of which two have defaults, with one that tells which of them a default filled.
fn telling(columns: &[Json]) -> Json {
    let default = |value: Json| json!({"default": {"kind": "literal", "value": value}});
    let mut both = default(json!("b\"x"));
    both["default_for"] = json!(["missing", "null"]);
    let mut all = vec![
        id_column(),
        column("a", "value", json!("integer"), &default(json!(1))),
        column("é \"b\"", "value", json!("text"), &both),
        plain("c", "text"),
        extras_column(),
    ];
    all.extend_from_slice(columns);
    plan(&[root(&all)], &[feeds(&["a"], 0, 1), feeds(&["b"], 0, 2), feeds(&["c"], 0, 3)])
}

#[test]
fn a_row_tells_which_columns_a_default_filled() {
    let texts = json!({"kind": "text", "array": true});
    let transcoder = transcoder(&telling(&[column("_filled", "filled", texts.clone(), &json!({}))]));
    let told = |fields: &[(&str, Value<'_>)]| {
        let batch = run(&transcoder, &[with_id(fields)]);
        rows(&batch, 0)[0][5].clone()
    };
    let has = |field: &Field, name: &str| {
        field.as_ref().is_some_and(|field| field.windows(name.len()).any(|part| part == name.as_bytes()))
    };
    let both = told(&[("c", text("c"))]);
    assert!(has(&both, "a") && has(&both, "é \"b\"") && !has(&both, "c"));
    assert_eq!(both.as_ref().map(|field| field[15]), Some(2), "an array of two");
    let second = told(&[("a", Value::Int32(1)), ("b", Value::Null), ("x", Value::Null)]);
    assert_eq!(second.as_ref().map(|field| field[15]), Some(1));
    assert_eq!(told(&[("a", Value::Int32(1)), ("b", text("b\"x"))]), None, "what the document says is no default");
    let batch = run(&transcoder, &[with_id(&[]), with_id(&[("a", Value::Int32(1)), ("b", text(""))])]);
    assert_eq!(rows(&batch, 0)[1][5], None, "nothing is left of the row before");

    let early = [column("_filled", "filled", texts, &json!({})), plain("d", "text")];
    assert!(refused_plan(&telling(&early)).contains("before its last column"));
    assert!(refused_plan(&telling(&[column("_filled", "filled", json!("text"), &json!({}))])).contains("type"));
}
