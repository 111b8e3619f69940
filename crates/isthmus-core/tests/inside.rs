//! Ids and keys inside jsonb: what is rewritten, what stays because it is no id, keys that are written as others.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::ids::{id_text, IdScheme};
use serde_json::{json, Value as Json};
use support::*;

const STANDING: &str = "zstandingzstandingzstand";
const HEX: &str = "6553f1000102030405060708";

fn kept(more: &Json) -> Json {
    let mut rule = json!({"path": ["by"], "collection": "Users", "ids": "cuid2", "keep_others": true});
    for (key, value) in more.as_object().expect("an object") {
        rule[key] = value.clone();
    }
    one_column(json!("jsonb"), &json!({"rewrite": [rule]}))
}

#[test]
fn what_has_not_the_form_of_an_id_stays_and_is_counted() {
    let transcoder = transcoder(&kept(&json!({})));
    let user = id_text(codec().derive_object_id(USER), IdScheme::Cuid2);
    let inner = document(&[("$ref", text("Users")), ("$id", text("ann"))]);
    let ann = id_text(codec().derive_value("Users", &text("ann")).unwrap().v, IdScheme::Cuid2);
    let list = array(&[Value::ObjectId(USER)]);
    let quoted = |text: &str| format!("\"{text}\"");
    for (value, written, references, stayed) in [
        (Value::ObjectId(USER), quoted(&user), 1, 0),
        (text(HEX), quoted(&user), 1, 0),
        (text(&HEX.to_uppercase()), quoted(&user), 1, 0),
        (text(STANDING), quoted(STANDING), 1, 0),
        (as_document(&inner), quoted(&ann), 1, 0),
        (text("ann@panamia.club"), quoted("ann@panamia.club"), 0, 1),
        (text(""), quoted(""), 0, 1),
        (text(&HEX[1..]), quoted(&HEX[1..]), 0, 1),
        (Value::Int32(7), "7".to_owned(), 0, 1),
        (as_array(&list), format!("[\"{HEX}\"]"), 0, 1),
        (Value::Null, "null".to_owned(), 0, 0),
    ] {
        let batch = run(&transcoder, &[with_id(&[("v", as_document(&document(&[("by", value)])))])]);
        assert_eq!(jsonb(&rows(&batch, 0)[0][1]), format!("{{\"by\":{written}}}"));
        assert_eq!(count(&batch, "references", "things.v.by"), references, "{written}");
        assert_eq!(count(&batch, "adjusted", "things.v:not_an_id"), stayed, "{written}");
    }
    let stranger = document(&[("$ref", text("Cats")), ("$id", text("ann"))]);
    let batch = run(&transcoder, &[with_id(&[("v", as_document(&document(&[("by", as_document(&stranger))])))])]);
    assert_eq!(codes(&batch), ["wrong-collection"]);
    assert!(refused_plan(&kept(&json!({"ids": "keep"}))).contains("no form"));
}

fn renamed(rename: &Json, more: &Json) -> Json {
    let mut with = json!({ "rename": rename });
    for (key, value) in more.as_object().expect("an object") {
        with[key] = value.clone();
    }
    one_column(json!("jsonb"), &with)
}

#[test]
fn keys_are_written_as_others_where_their_path_leads_and_nowhere_else() {
    let rename = json!([
        {"path": ["[]", "street\"1"], "to": "line 1"},
        {"path": ["[]", "in"], "to": "inside"},
        {"path": ["[]", "in", "x"], "to": "y"},
        {"path": ["[]", "a"], "to": "b"},
        {"path": ["[]", "b"], "to": "a"},
    ]);
    let rewrite = json!({"rewrite": [{"path": ["[]", "in", "x"], "collection": "Users", "ids": "uuid"}]});
    let transcoder = transcoder(&renamed(&rename, &rewrite));
    let inner = document(&[("x", Value::ObjectId(USER)), ("a", Value::Int32(3)), ("street\"1", Value::Null)]);
    let first = document(&[("street\"1", text("é")), ("in", as_document(&inner)), ("a", Value::Int32(1))]);
    let second = document(&[("a", Value::Int32(1)), ("b", Value::Int32(2)), ("in", Value::Int32(5))]);
    let list = array(&[as_document(&first), as_document(&second), Value::Null, text("a")]);
    let batch = run(&transcoder, &[with_id(&[("v", as_array(&list))])]);
    let user = id_text(codec().derive_object_id(USER), IdScheme::Uuid);
    let expected = format!(
        r#"[{{"line 1":"é","inside":{{"y":"{user}","a":3,"street\"1":null}},"b":1}},{{"b":1,"a":2,"inside":5}},null,"a"]"#
    );
    assert_eq!(jsonb(&rows(&batch, 0)[0][1]), expected);
    assert_eq!(count(&batch, "references", "things.v.[].inside.y"), 1, "named as it is written");
}

#[test]
fn a_key_that_is_there_already_is_never_overwritten() {
    let rename = json!([{"path": ["old"], "to": "new"}, {"path": ["older"], "to": "new"}]);
    let of = |fields: &[(&str, Value<'_>)], sensitive: bool| {
        let plan = renamed(&rename, &json!({"sensitive": sensitive}));
        run(&transcoder(&plan), &[with_id(&[("v", as_document(&document(fields)))])])
    };
    let (one, two) = (text("one"), text("two"));
    for (fields, key, value) in [
        ([("old", one), ("new", two)], "v.old", "one"),
        ([("new", two), ("old", one)], "v.old", "one"),
        ([("old", one), ("older", two)], "v.older", "two"),
        ([("older", one), ("new", Value::Null)], "v.older", "one"),
    ] {
        let batch = of(&fields, false);
        assert_eq!(codes(&batch), ["key-taken"]);
        let cause = &batch.rejects[0].causes[0];
        assert_eq!((cause.path.as_str(), cause.value.as_str()), (key, value));
        assert!(of(&fields, true).rejects[0].causes[0].value.contains("(hidden)"));
    }
    for (fields, written) in [
        (&[("old", one), ("old", two)][..], r#"{"new":"two"}"#),
        (&[("new", one), ("new", two)], r#"{"new":"two"}"#),
        (&[("older", Value::Null)], r#"{"new":null}"#),
        (&[("other", one)], r#"{"other":"one"}"#),
    ] {
        assert_eq!(jsonb(&rows(&of(fields, false), 0)[0][1]), written);
    }
    for wrong in [json!([]), json!(["[]"]), json!(["a", "[]"])] {
        let plan = renamed(&json!([{"path": wrong, "to": "b"}]), &json!({}));
        assert!(refused_plan(&plan).contains("no key"));
    }
    let plan = one_column(json!("text"), &json!({"rename": [{"path": ["a"], "to": "b"}]}));
    assert!(refused_plan(&plan).contains("only a jsonb"));
}
