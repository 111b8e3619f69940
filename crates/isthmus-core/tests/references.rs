//! Ids of documents, and references to them.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::ids::{id_text, IdScheme};
use serde_json::{json, Value as Json};
use support::*;

#[test]
fn ids_that_are_no_object_ids_go_into_the_map() {
    let transcoder = transcoder(&one_column(json!("text"), &json!({})));
    let hex = text("6553F1000102030405060708");
    let ids = [Value::ObjectId(USER), hex, text("a"), Value::Int32(5), Value::Double(5.0), Value::Null];
    let documents: Vec<Vec<u8>> = ids.iter().map(|id| document(&[("_id", *id)])).collect();
    let batch = run(&transcoder, &documents);
    assert_eq!(batch.accepted, 6);
    let table = rows(&batch, 0);
    assert_eq!(table[0][0], table[1][0], "hex text counts as the ObjectId");
    assert_eq!(table[3][0], table[4][0], "5 and 5.0 are one id");
    let mapped: Vec<&[u8]> = batch.id_map.iter().map(|entry| entry.source_id.as_slice()).collect();
    let expected: Vec<Vec<u8>> = ids[1..].iter().map(Value::id_document).collect();
    assert_eq!(mapped, expected);
    assert!(batch.id_map.iter().all(|entry| &*entry.collection == "Things" && !entry.from_reference));
    assert_eq!(batch.document_digests[..8].len(), 8);
}

#[test]
fn documents_without_a_usable_id_are_rejected() {
    let list = array(&[]);
    let regex = Value::Regex { pattern: b"a", options: b"" };
    let documents = [
        document(&[("n", Value::Int32(1))]),
        document(&[("_id", as_array(&list))]),
        document(&[("_id", regex)]),
        document(&[("_id", Value::Undefined)]),
    ];
    let batch = run(&transcoder(&one_column(json!("text"), &json!({}))), &documents);
    assert_eq!(codes(&batch), ["bad-id"; 4]);
    assert_eq!(batch.rejects[0].source_id, None);
    assert_eq!(batch.document_digests[..8], [0; 8]);
}

#[test]
fn kept_ids_are_converted_to_the_type_of_their_column() {
    let keep = |kind: &str, id: Value<'_>| {
        let mut plan = plan(&[root(&[column("id", "id", json!(kind), &json!({"required": true}))])], &[]);
        plan["ids"] = json!("keep");
        let batch = run(&transcoder(&plan), &[document(&[("_id", id)])]);
        assert!(batch.id_map.is_empty());
        match batch.rejects.first() {
            Some(reject) => Err(reject.causes[0].code.slug()),
            None => Ok(rows(&batch, 0)[0][0].clone().unwrap()),
        }
    };
    assert_eq!(keep("text", text("a")), Ok(b"a".to_vec()));
    assert_eq!(keep("text", Value::ObjectId(USER)), Ok(b"6553f1000102030405060708".to_vec()));
    assert_eq!(keep("text", Value::Int32(1)), Err("type"));
    assert_eq!(keep("bigint", Value::Int32(1)), Ok(1_i64.to_be_bytes().to_vec()));
    assert_eq!(keep("bigint", Value::Null), Err("required"));
}

#[test]
fn cuid2_ids_are_text() {
    let columns = [column("id", "id", json!("text"), &json!({}))];
    let mut plan = plan(&[root(&columns)], &[]);
    plan["ids"] = json!("cuid2");
    let batch = run(&transcoder(&plan), &[with_id(&[])]);
    let expected = id_text(codec().derive_object_id(USER), IdScheme::Cuid2);
    assert_eq!(rows(&batch, 0)[0][0], Some(expected.into_bytes()));
}

/// A reference column `v` to Users.
fn reference(more: &Json) -> Json {
    let mut keys = json!({"reference": {"collection": "Users", "ids": "uuid"}});
    for (key, value) in more.as_object().unwrap() {
        keys[key] = value.clone();
    }
    let columns = [id_column(), column("v", "reference", json!("uuid"), &keys), extras_column()];
    plan(&[root(&columns)], &[feeds(&["v"], 0, 1)])
}

#[test]
fn references_derive_like_the_ids_they_point_at() {
    let transcoder = transcoder(&reference(&json!({})));
    let dbref = document(&[("$ref", text("Users")), ("$id", Value::ObjectId(USER)), ("$db", text("d"))]);
    let lookalike = document(&[("$id", Value::ObjectId(USER))]);
    let null = document(&[("$ref", text("Users")), ("$id", Value::Null)]);
    let undefined = document(&[("$ref", text("Users")), ("$id", Value::Undefined)]);
    let values = [
        (Value::ObjectId(USER), derived("Users", Value::ObjectId(USER)), false),
        (text("6553f1000102030405060708"), derived("Users", Value::ObjectId(USER)), false),
        (as_document(&dbref), derived("Users", Value::ObjectId(USER)), false),
        (text("ann"), derived("Users", text("ann")), true),
        (as_document(&null), derived("Users", Value::Null), true),
        (as_document(&undefined), derived("Users", Value::Null), true),
        (Value::Int64(5), derived("Users", Value::Int32(5)), true),
        (as_document(&lookalike), derived("Users", as_document(&lookalike)), true),
    ];
    for (value, expected, mapped) in values {
        let batch = run(&transcoder, &[with_id(&[("v", value)])]);
        assert_eq!(rows(&batch, 0)[0][1], expected, "{value:?}");
        assert_eq!(count(&batch, "references", "things.v"), 1);
        assert_eq!(batch.id_map.len(), usize::from(mapped), "{value:?}");
        assert!(batch.id_map.iter().all(|entry| entry.from_reference && &*entry.collection == "Users"));
    }
    let batch = run(&transcoder, &[with_id(&[("v", Value::Null)]), with_id(&[])]);
    assert_eq!((batch.accepted, count(&batch, "references", "things.v")), (2, 0));
}

#[test]
fn references_elsewhere_and_arrays_are_refused() {
    let transcoder = transcoder(&reference(&json!({})));
    let other = document(&[("$ref", text("Cats")), ("$id", Value::ObjectId(USER))]);
    let list = array(&[Value::ObjectId(USER)]);
    let batch = run(&transcoder, &[with_id(&[("v", as_document(&other))]), with_id(&[("v", as_array(&list))])]);
    assert_eq!(codes(&batch), ["wrong-collection", "type"]);
}

#[test]
fn equal_map_entries_of_a_block_are_given_once() {
    let documents: Vec<Vec<u8>> =
        (0..3).map(|number| document(&[("_id", Value::Int32(number)), ("v", text("ann"))])).collect();
    let batch = run(&transcoder(&reference(&json!({}))), &documents);
    assert_eq!(batch.id_map.iter().filter(|entry| entry.from_reference).count(), 1);
    assert_eq!(batch.id_map.len(), 4);
}

#[test]
fn a_reference_default_is_derived_as_well() {
    let plan = reference(&json!({"default": {"kind": "literal", "value": "nobody"}}));
    let batch = run(&transcoder(&plan), &[with_id(&[])]);
    assert_eq!(rows(&batch, 0)[0][1], derived("Users", text("nobody")));
    assert_eq!((count(&batch, "references", "things.v"), batch.id_map.len()), (1, 1));
}

#[test]
fn arrays_of_references_stay_arrays() {
    let mut plan = reference(&json!({}));
    plan["tables"][0]["columns"][1]["type"] = json!({"kind": "uuid", "array": true});
    let list = array(&[Value::ObjectId(USER), Value::Null]);
    let batch = run(&transcoder(&plan), &[with_id(&[("v", as_array(&list))])]);
    let field = rows(&batch, 0)[0][1].clone().unwrap();
    assert_eq!(
        (field.len(), &field[8..12], &field[24..40]),
        (44, &2_950_u32.to_be_bytes()[..], &derived("Users", Value::ObjectId(USER)).unwrap()[..])
    );
    assert_eq!(count(&batch, "references", "things.v"), 1);
}

#[test]
fn ids_inside_jsonb_are_rewritten_and_counted() {
    let rewrite = json!({"rewrite": [{"path": ["[]", "userId"], "collection": "Users", "ids": "uuid"}]});
    let transcoder = transcoder(&one_column(json!("jsonb"), &rewrite));
    let first = document(&[("userId", Value::ObjectId(USER))]);
    let second = document(&[("userId", text("ann"))]);
    let third = document(&[("userId", Value::Null)]);
    let list = array(&[as_document(&first), as_document(&second), as_document(&third)]);
    let batch = run(&transcoder, &[with_id(&[("v", as_array(&list))])]);
    let ann = id_text(codec().derive_value("Users", &text("ann")).unwrap().v, IdScheme::Uuid);
    let user = id_text(codec().derive_object_id(USER), IdScheme::Uuid);
    let expected = format!(r#"[{{"userId":"{user}"}},{{"userId":"{ann}"}},{{"userId":null}}]"#);
    assert_eq!(jsonb(&rows(&batch, 0)[0][1]), expected);
    assert_eq!(count(&batch, "references", "things.v.[].userId"), 2);
    assert_eq!((batch.id_map.len(), batch.id_map[0].id.as_str()), (1, ann.as_str()));
}
