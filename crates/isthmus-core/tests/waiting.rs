//! References that finish settles: by another field, in pending tables, and routed to one of several columns.

mod support;

use isthmus_core::bson::Value;
use serde_json::{json, Value as Json};
use support::*;

fn said(text: &str) -> Field {
    Some(text.as_bytes().to_vec())
}

/// A reference to accounts by a text that is trimmed and lowered.
fn by_name(more: &Json) -> Json {
    let mut by = json!({"type": {"kind": "text"}, "coerce": true, "normalise": ["trim", "lower"],
        "values": [{"from": "nobody", "to": null}, {"from": "old", "to": "new"}], "others": null,
        "policies": {"nul": "remove", "utf8": "dead_letter", "nan": "dead_letter", "range": "dead_letter"}});
    for (key, value) in more.as_object().unwrap() {
        by[key] = value.clone();
    }
    json!({"reference": {"collection": "Accounts", "ids": "uuid", "by": by}})
}

fn pending(name: &str, parent: usize, books: &str, above: &[Json], array: bool, value: Json) -> Json {
    let mut columns = vec![column("root_id", "root_id", json!("uuid"), &json!({}))];
    columns.extend_from_slice(above);
    if array {
        columns.push(column("element", "element", json!("integer"), &json!({})));
    }
    columns.push(value);
    json!({"name": name, "kind": "pending", "parent": parent, "books": books, "columns": columns})
}

/// Code, path and column of all causes.
fn causes(plan: &Json, fields: &[(&str, Value<'_>)]) -> Vec<(&'static str, String, Option<String>)> {
    let batch = run(&transcoder(plan), &[with_id(fields)]);
    let causes = batch.rejects.into_iter().flat_map(|reject| reject.causes);
    causes.map(|cause| (cause.code.slug(), cause.path, cause.column)).collect()
}

#[test]
fn a_reference_by_another_field_is_converted_and_not_derived() {
    let columns = [id_column(), column("account", "reference", json!("text"), &by_name(&json!({}))), extras_column()];
    let plan = plan(&[root(&columns)], &[feeds(&["account"], 0, 1)]);
    let read = |value: Value<'_>| {
        let batch = run(&transcoder(&plan), &[with_id(&[("account", value)])]);
        assert!(batch.id_map.is_empty());
        (rows(&batch, 0)[0][1].clone(), count(&batch, "references", "things.account"))
    };
    assert_eq!(read(text(" ABC")), (said("abc"), 1));
    assert_eq!(read(Value::Int64(5)), (said("5"), 1));
    assert_eq!(read(Value::ObjectId(USER)), (said("6553f1000102030405060708"), 1));
    assert_eq!(read(text("OLD")), (said("new"), 1));
    assert_eq!(read(text("nobody")), (None, 0));
    assert_eq!(read(text("a\0b")), (said("ab"), 1));
    let dbref = document(&[("$ref", text("Accounts")), ("$id", text("abc"))]);
    let found = causes(&plan, &[("account", as_document(&dbref))]);
    assert_eq!(found, [("type", "account".to_owned(), Some("things.account".to_owned()))]);
    let mut required = plan.clone();
    required["tables"][0]["columns"][1]["required"] = json!(true);
    assert_eq!(causes(&required, &[("account", text("nobody"))])[0].0, "required");
    let mut other = plan.clone();
    other["tables"][0]["columns"][1]["reference"]["by"]["type"] = json!({"kind": "integer"});
    assert!(refused_plan(&other).contains("type that its role cannot have"));
}

#[test]
fn pairs_by_another_field_are_the_same_when_their_values_are() {
    let mut other = by_name(&json!({}));
    other["required"] = json!(true);
    let tables = [
        root(&[id_column(), extras_column()]),
        json!({"name": "pending_1", "kind": "junction", "books": "accounts_to_things.account_id", "columns": [
            column("account_id", "other", json!("text"), &other), column("thing_id", "own", json!("uuid"), &json!({}))]}),
    ];
    let plan = plan(&tables, &[json!({"path": ["accounts"], "do": "junction", "table": 1})]);
    let list = array(&[text("A"), text("a "), Value::Null, text("nobody"), Value::Int32(5), text("5")]);
    let batch = run(&transcoder(&plan), &[with_id(&[("accounts", as_array(&list))])]);
    let own = derived("Things", Value::ObjectId(USER));
    assert_eq!(rows(&batch, 1), [vec![said("a"), own.clone()], vec![said("5"), own]]);
    let counted = |group: &str, name: &str| count(&batch, group, &format!("accounts_to_things.account_id{name}"));
    assert_eq!((counted("references_met", ""), counted("references", "")), (4, 2));
    assert_eq!((counted("adjusted", ":duplicate_pair"), counted("adjusted", ":null_element")), (2, 2));
    assert_eq!(counted("adjusted", ":normalised"), 2);
    assert_eq!(batch.adjustments[0].table, "accounts_to_things");
    assert_eq!(batch.tables, ["things", "pending_1"]);
    let bad = array(&[as_array(&list)]);
    let found = causes(&plan, &[("accounts", as_array(&bad))]);
    assert_eq!(found, [("type", "accounts.0".to_owned(), Some("accounts_to_things.account_id".to_owned()))]);
}

#[test]
fn values_that_wait_have_a_row_each() {
    let value = column("value", "reference", json!("text"), &by_name(&json!({})));
    let tables =
        [root(&[id_column(), extras_column()]), pending("pending_1", 0, "things.account_id", &[], false, value)];
    let plan = plan(&tables, &[json!({"path": ["a", "account"], "do": "pending", "table": 1})]);
    let document = |id: i32, value: Value<'_>| {
        let a = document(&[("account", value)]);
        document(&[("_id", Value::Int32(id)), ("a", as_document(&a))])
    };
    let documents = [
        document(1, text("A")),
        document(2, Value::Null),
        document(3, text("nobody")),
        with_id(&[]),
        document(4, text("b")),
    ];
    let batch = run(&transcoder(&plan), &documents);
    let expected =
        [vec![derived("Things", Value::Int32(1)), said("a")], vec![derived("Things", Value::Int32(4)), said("b")]];
    assert_eq!((rows(&batch, 1), batch.rows.clone()), (expected.to_vec(), vec![5, 2]));
    let counted = |group: &str| count(&batch, group, "things.account_id");
    assert_eq!((counted("references"), counted("fields_null"), counted("fields_missing")), (2, 1, 1));
    assert!(batch.counts["extras"].is_empty());
    assert_eq!((batch.adjustments[0].table.as_str(), batch.adjustments[0].column.as_str()), ("things", "account_id"));
    let mut required = plan;
    required["tables"][1]["columns"][1]["required"] = json!(true);
    let column = Some("things.account_id".to_owned());
    let a = support::document(&[("account", Value::Bool(true))]);
    assert_eq!(causes(&required, &[]), [("required", "a.account".to_owned(), column.clone())]);
    required["tables"][1]["columns"][1]["reference"]["by"]["coerce"] = json!(false);
    assert_eq!(causes(&required, &[("a", as_document(&a))]), [("type", "a.account".to_owned(), column)]);
}

#[test]
fn derived_ids_may_wait_as_well() {
    let value =
        column("value", "reference", json!("uuid"), &json!({"reference": {"collection": "Keyed", "ids": "uuid"}}));
    let tables = [root(&[id_column()]), pending("pending_1", 0, "things.keyed", &[], false, value)];
    let plan = plan(&tables, &[json!({"path": ["k"], "do": "pending", "table": 1})]);
    let batch = run(&transcoder(&plan), &[with_id(&[("k", Value::ObjectId([1; 12]))]), with_id(&[("k", text("x"))])]);
    let waiting: Vec<Field> = rows(&batch, 1).into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(waiting, [derived("Keyed", Value::ObjectId([1; 12])), derived("Keyed", text("x"))]);
    assert_eq!((batch.id_map.len(), count(&batch, "references", "things.keyed")), (1, 2));
}

/// Child rows `steps` whose array `names` waits.
fn arrays(value_more: &Json) -> Json {
    let mut more = by_name(&json!({}));
    for (key, value) in value_more.as_object().unwrap() {
        more[key] = value.clone();
    }
    let position = |name: &str| column(name, "position", json!("integer"), &json!({}));
    let tables = [
        root(&[id_column(), extras_column()]),
        json!({"name": "steps", "kind": "child", "parent": 0, "columns": [
            column("thing_id", "root_id", json!("uuid"), &json!({})), position("position"), extras_column()]}),
        pending(
            "pending_1",
            1,
            "steps.accounts",
            &[position("position_1")],
            true,
            column("value", "reference", json!("text"), &more),
        ),
    ];
    let names = json!({"path": ["names"], "do": "pending", "table": 2});
    plan(&tables, &[json!({"path": ["steps"], "do": "child", "table": 1, "fields": [names]})])
}

#[test]
fn arrays_that_wait_have_a_row_for_every_element() {
    let plan = arrays(&json!({}));
    let first = array(&[text("A"), Value::Null, text("nobody"), text("b")]);
    let empty = array(&[]);
    let steps: Vec<Vec<u8>> = vec![
        document(&[("names", as_array(&first))]),
        document(&[("names", as_array(&empty))]),
        document(&[("names", Value::Null)]),
        document(&[]),
        document(&[("names", as_array(&array(&[text("c")])))]),
    ];
    let list = array(&steps.iter().map(|step| as_document(step)).collect::<Vec<_>>());
    let batch = run(&transcoder(&plan), &[with_id(&[("steps", as_array(&list))])]);
    let id = derived("Things", Value::ObjectId(USER));
    let row = |position: i32, element: i32, value: Field| vec![id.clone(), int(position), int(element), value];
    let expected = [
        row(0, 0, said("a")),
        row(0, 1, None),
        row(0, 2, None),
        row(0, 3, said("b")),
        row(1, -1, None),
        row(4, 0, said("c")),
    ];
    assert_eq!(rows(&batch, 2), expected);
    let counted = |group: &str| count(&batch, group, "steps.accounts");
    assert_eq!((counted("references"), counted("fields_null"), counted("fields_missing")), (3, 1, 1));
    assert_eq!((batch.adjustments[0].position, batch.adjustments[0].table.as_str()), (Some(0), "steps"));
}

#[test]
fn arrays_that_wait_say_what_is_wrong_where() {
    let found = |more: Json, value: Option<Value<'_>>| {
        let step = document(&value.map(|value| ("names", value)).into_iter().collect::<Vec<_>>());
        let list = array(&[as_document(&document(&[("names", as_array(&array(&[])))])), as_document(&step)]);
        let column = Some("steps.accounts".to_owned());
        let found = causes(&arrays(&more), &[("steps", as_array(&list))]);
        assert!(found.iter().all(|cause| cause.2 == column));
        found.into_iter().map(|cause| (cause.0, cause.1)).collect::<Vec<_>>()
    };
    let nested = array(&[text("x"), as_array(&array(&[])), text("\u{1}\0")]);
    assert_eq!(found(json!({}), Some(as_array(&nested))), [("type", "steps.1.names.1".to_owned())]);
    assert_eq!(found(json!({}), Some(text("x"))), [("type", "steps.1.names".to_owned())]);
    assert_eq!(found(json!({"required": true}), None), [("required", "steps.1.names".to_owned())]);
    assert_eq!(found(json!({"required": true}), Some(Value::Null)), [("required", "steps.1.names".to_owned())]);
    assert!(found(json!({"coerce": true}), Some(text("x"))).is_empty());
    let step = document(&[("names", text("X"))]);
    let documents = [with_id(&[("steps", as_array(&array(&[as_document(&step)])))])];
    let batch = run(&transcoder(&arrays(&json!({"coerce": true}))), &documents);
    assert_eq!(rows(&batch, 2)[0][2..], [int(0), said("x")]);
    assert_eq!(count(&batch, "adjusted", "steps.accounts:coerced"), 1);
    let mut cut = array(&[Value::Bool(true), Value::Bool(true)]);
    let last = cut.len() - 2;
    cut[last] = 9;
    let step = document(&[("names", as_array(&cut))]);
    let list = array(&[as_document(&step)]);
    let batch = run(&transcoder(&arrays(&json!({}))), &[with_id(&[("steps", as_array(&list))])]);
    assert_eq!((codes(&batch), batch.rows[2]), (vec!["bson"], 0));
}

#[test]
fn pending_tables_stand_below_the_table_that_waits() {
    let mut plan = arrays(&json!({}));
    plan["tables"][2]["books"] = json!("things.accounts");
    assert!(refused_plan(&plan).contains("waits for a column that is not one of its parent"));
    plan["tables"][2]["books"] = json!(null);
    assert!(refused_plan(&plan).contains("does not say which column waits for it"));
    let mut plan = arrays(&json!({}));
    plan["tables"][2]["columns"].as_array_mut().unwrap().remove(1);
    assert!(refused_plan(&plan).contains("needs one root id, 0 ancestor positions and one position, and one reference"));
    let mut plan = arrays(&json!({}));
    plan["fields"][0]["fields"][0]["table"] = json!(1);
    assert!(refused_plan(&plan).contains("a table that is not pending below its own table"));
}

/// owner goes to users, cats or dogs.
fn routed(required: bool) -> Json {
    let to = |name: &str, collection: &str| {
        column(name, "reference", json!("uuid"), &json!({"reference": {"collection": collection, "ids": "uuid"}}))
    };
    let columns = [id_column(), to("cat_id", "Cats"), plain("n", "integer"), to("user_id", "Users"), extras_column()];
    let route = json!({"path": ["owner"], "do": "route", "table": 0, "columns": [3, 1], "required": required});
    plan(&[root(&columns)], &[route, feeds(&["n"], 0, 2)])
}

#[test]
fn a_routed_value_is_derived_for_every_column_and_counts_once() {
    let batch = run(
        &transcoder(&routed(true)),
        &[with_id(&[("owner", Value::ObjectId([1; 12]))]), with_id(&[("owner", text("x"))])],
    );
    let table = rows(&batch, 0);
    assert_eq!(
        (&table[0][1], &table[0][3]),
        (&derived("Cats", Value::ObjectId([1; 12])), &derived("Users", Value::ObjectId([1; 12])))
    );
    assert_eq!((&table[1][1], &table[1][3]), (&derived("Cats", text("x")), &derived("Users", text("x"))));
    assert_eq!(count(&batch, "references", "things.user_id|cat_id"), 2);
    assert_eq!(count(&batch, "references_met", "things.user_id|cat_id"), 2);
    assert_eq!(batch.counts["references"].len(), 1);
    let mapped: Vec<&str> = batch.id_map.iter().map(|entry| &*entry.collection).collect();
    assert_eq!(mapped, ["Cats", "Users"]);
}

#[test]
fn a_routed_reference_into_one_collection_fills_that_column() {
    let into = |name: &str, id: Value<'_>| {
        let dbref = document(&[("$ref", text(name)), ("$id", id)]);
        run(&transcoder(&routed(true)), &[with_id(&[("owner", as_document(&dbref))])])
    };
    for (name, column, empty) in [("Cats", 1, 3), ("Users", 3, 1)] {
        let batch = into(name, Value::ObjectId([1; 12]));
        let row = &rows(&batch, 0)[0];
        assert_eq!((&row[column], &row[empty]), (&derived(name, Value::ObjectId([1; 12])), &None));
        assert_eq!(count(&batch, "references", "things.user_id|cat_id"), 1);
        for absent in [Value::Null, Value::Undefined] {
            let batch = into(name, absent); // the document whose `_id` is null
            let row = &rows(&batch, 0)[0];
            assert_eq!((&row[column], &row[empty]), (&derived(name, Value::Null), &None));
        }
    }
    let batch = into("Dogs", Value::ObjectId([1; 12]));
    assert_eq!((codes(&batch), batch.rejects[0].causes[0].path.as_str()), (vec!["wrong-collection"], "owner"));
}

#[test]
fn a_route_speaks_once_of_what_it_lacks() {
    let list = array(&[]);
    let column = Some("things.user_id|cat_id".to_owned());
    assert_eq!(causes(&routed(true), &[]), [("required", "owner".to_owned(), column.clone())]);
    assert_eq!(causes(&routed(true), &[("owner", Value::Null)]), [("required", "owner".to_owned(), column.clone())]);
    assert_eq!(causes(&routed(false), &[("owner", as_array(&list))]), [("type", "owner".to_owned(), column)]);
    let batch = run(&transcoder(&routed(false)), &[with_id(&[]), with_id(&[("owner", Value::Null)])]);
    assert_eq!(batch.accepted, 2);
    assert!(rows(&batch, 0).iter().all(|row| row[1].is_none() && row[3].is_none()));
    let name = "things.user_id|cat_id";
    assert_eq!((count(&batch, "fields_missing", name), count(&batch, "fields_null", name)), (1, 1));
    let mut wrong = routed(false);
    wrong["fields"][0]["columns"] = json!([3, 2]);
    assert!(refused_plan(&wrong).contains("things.n is no single reference"));
    wrong["fields"][0]["columns"] = json!([1, 1]);
    assert!(refused_plan(&wrong).contains("things.cat_id is fed by two fields"));
}

#[test]
fn a_route_may_take_an_element_or_the_first_of_several() {
    let mut plan = routed(false);
    plan["fields"][0] = json!({"first_of": [["a"], ["b"]], "element": 0, "do": "route", "table": 0, "columns": [1, 3]});
    let list = array(&[Value::ObjectId([1; 12]), text("rest")]);
    let batch = run(&transcoder(&plan), &[with_id(&[("b", as_array(&list))])]);
    let row = &rows(&batch, 0)[0];
    assert_eq!(row[3], derived("Users", Value::ObjectId([1; 12])));
    assert_eq!(jsonb(&row[4]), r#"{"b":[{"$oid":"010101010101010101010101"},"rest"]}"#);
    let found = causes(&plan, &[("b", text("x"))]);
    assert_eq!(found, [("not-an-array", "b".to_owned(), Some("things.cat_id|user_id".to_owned()))]);
}

#[test]
fn arrays_of_references_name_the_element_that_is_wrong() {
    let to_users = json!({"reference": {"collection": "Users", "ids": "uuid"}});
    let columns = [id_column(), column("users", "reference", json!({"kind": "uuid", "array": true}), &to_users)];
    let mut plan = plan(&[root(&columns)], &[feeds(&["users"], 0, 1)]);
    let dbref = document(&[("$ref", text("Cats")), ("$id", Value::Int32(1))]);
    let column = Some("things.users".to_owned());
    let list = array(&[Value::Null, as_document(&dbref)]);
    assert_eq!(
        causes(&plan, &[("users", as_array(&list))]),
        [("wrong-collection", "users.1".to_owned(), column.clone())]
    );
    let list = array(&[as_array(&array(&[]))]);
    assert_eq!(causes(&plan, &[("users", as_array(&list))]), [("type", "users.0".to_owned(), column.clone())]);
    assert_eq!(causes(&plan, &[("users", text("x"))]), [("type", "users".to_owned(), column)]);
    plan["tables"][0]["columns"][1]["coerce"] = json!(true);
    let batch = run(&transcoder(&plan), &[with_id(&[("users", text("x"))])]);
    assert_eq!(
        (count(&batch, "adjusted", "things.users:coerced"), count(&batch, "references", "things.users")),
        (1, 1)
    );
    // Longer than what is derived together.
    let ids: Vec<Value<'_>> = (0..20_u8).map(|number| Value::ObjectId([number; 12])).collect();
    let batch = run(&transcoder(&plan), &[with_id(&[("users", as_array(&array(&ids)))])]);
    let field = rows(&batch, 0)[0][1].clone().unwrap();
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(field[24 + at * 20..40 + at * 20], derived("Users", *id).unwrap());
    }
    assert_eq!(count(&batch, "references", "things.users"), 20);
}

#[test]
fn causes_of_what_waits_stand_among_those_of_columns() {
    let number = |name: &str| column(name, "value", json!("integer"), &json!({}));
    let waits = |name: &str| {
        let value = column("value", "reference", json!("text"), &by_name(&json!({"coerce": false})));
        pending(&format!("pending_{name}"), 0, &format!("things.{name}"), &[], false, value)
    };
    let tables = [root(&[id_column(), number("a"), number("c"), extras_column()]), waits("b"), waits("d"), waits("e")];
    let waiting = |name: &str, table: usize| json!({"path": [name], "do": "pending", "table": table});
    let fields = [feeds(&["a"], 0, 1), waiting("b", 1), feeds(&["c"], 0, 2), waiting("d", 2), waiting("e", 3)];
    let mut plan = plan(&tables, &fields);
    plan["unknown"] = json!("dead_letter");
    let wrong = Value::Bool(true);
    let keys = ["e", "d", "c", "b", "a", "x"];
    let found = causes(&plan, &keys.map(|key| (key, wrong)));
    let places: Vec<&str> = found.iter().map(|cause| cause.1.as_str()).collect();
    assert_eq!(places, ["x", "a", "b", "c", "d", "e"]);
}
