//! Plans that contradict themselves are refused with a sentence that says where.

mod support;

use serde_json::{json, Value as Json};
use support::*;

fn good() -> Json {
    one_column(json!("text"), &json!({}))
}

/// A plan with one change.
fn changed(change: impl FnOnce(&mut Json)) -> Json {
    let mut plan = good();
    change(&mut plan);
    plan
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    transcoder(&good());
    let paths: [fn(&mut Json) -> &mut Json; 6] = [
        |plan| plan,
        |plan| &mut plan["tables"][0],
        |plan| &mut plan["tables"][0]["columns"][0],
        |plan| &mut plan["tables"][0]["columns"][0]["type"],
        |plan| &mut plan["tables"][0]["columns"][0]["policies"],
        |plan| &mut plan["fields"][0],
    ];
    for path in paths {
        let message = refused_plan(&changed(|plan| path(plan)["surprise"] = json!(1)));
        assert!(message.contains("surprise"), "{message}");
    }
}

#[test]
fn missing_policies_and_other_versions_are_refused() {
    let without = changed(|plan| {
        plan["tables"][0]["columns"][1]["policies"].as_object_mut().unwrap().remove("nul");
    });
    assert!(refused_plan(&without).contains("nul"));
    for version in [1, 3] {
        let mut plan = shapes(&[good()]);
        plan["version"] = json!(version);
        assert!(refused_plan(&plan).contains(&format!("version {version}; 2 is known")));
    }
    assert!(refused_plan(&shapes(&[])).contains("at least one shape"));
}

#[test]
fn fields_feed_one_existing_column_of_their_own_table() {
    let field = |column: usize, table: usize, path: Json| {
        refused_plan(&changed(|plan| {
            plan["fields"]
                .as_array_mut()
                .unwrap()
                .push(json!({"path": path, "do": "column", "table": table, "column": column}));
        }))
    };
    assert!(field(1, 0, json!(["w"])).contains("things.v is fed by two fields"));
    assert!(field(9, 0, json!(["w"])).contains("feeds column 9"));
    assert!(field(1, 4, json!(["w"])).contains("table 4"));
    assert!(field(0, 0, json!(["w"])).contains("filled by its role"));
    assert!(field(1, 0, json!([])).contains("empty path"));
    assert!(field(1, 0, json!(["a\u{0}b"])).contains("NUL"));
}

#[test]
fn roles_need_the_types_that_can_hold_them() {
    let column = |change: Json| {
        refused_plan(&changed(|plan| {
            for (key, value) in change.as_object().unwrap() {
                plan["tables"][0]["columns"][1][key] = value.clone();
            }
        }))
    };
    assert!(column(json!({"role": "position"})).contains("things.v"));
    assert!(column(json!({"role": "reference"})).contains("without a collection"));
    let users = json!({"collection": "Users", "ids": "uuid"});
    assert!(column(json!({"role": "reference", "type": {"kind": "integer"}, "reference": users})).contains("type"));
    let short = json!({"role": "reference", "type": {"kind": "varchar", "length": 35}, "reference": users});
    assert!(column(short).contains("type"));
    assert!(column(json!({"type": {"kind": "enum"}})).contains("without values"));
    assert!(column(json!({"type": {"kind": "numeric", "scale": 2}})).contains("without a precision"));
    assert!(column(json!({"type": {"kind": "timestamp", "precision": 7}})).contains("limit"));
    let rewrite = json!({"rewrite": [{"path": ["a"], "collection": "Users", "ids": "uuid"}]});
    assert!(column(rewrite).contains("jsonb"));
    assert!(refused_plan(&changed(|plan| plan["ids"] = json!("cuid2"))).contains("things.id"));
}

#[test]
fn a_required_column_that_nothing_feeds_is_refused() {
    let plan = changed(|plan| {
        plan["fields"] = json!([]);
        plan["tables"][0]["columns"][1]["required"] = json!(true);
    });
    assert!(refused_plan(&plan).contains("things.v is required, but no field feeds it"));
}

#[test]
fn tables_stand_in_a_sound_order() {
    assert!(refused_plan(&changed(|plan| plan["tables"] = json!([]))).contains("root table"));
    let child = json!({"name": "steps", "kind": "child", "parent": 0,
                       "columns": [column("thing_id", "root_id", json!("uuid"), &json!({}))]});
    let message = refused_plan(&changed(|plan| plan["tables"].as_array_mut().unwrap().push(child.clone())));
    assert!(message.contains("steps needs one root id, 0 ancestor positions and one position"), "{message}");
    let late = changed(|plan| {
        let mut child = child.clone();
        child["parent"] = json!(1);
        plan["tables"].as_array_mut().unwrap().push(child);
    });
    assert!(refused_plan(&late).contains("steps"));
    let junction = json!({"path": ["d"], "do": "junction", "table": 0});
    let message = refused_plan(&changed(|plan| plan["fields"].as_array_mut().unwrap().push(junction)));
    assert!(message.contains("junction"), "{message}");
}

#[test]
fn text_that_is_no_plan_is_an_error_and_no_panic() {
    for text in ["", "null", "{", "[]", "{\"version\":2}", "\u{0}", &"[".repeat(100_000)] {
        assert!(isthmus_core::plan::Plan::parse(text).is_err());
    }
}
