//! Probes of whole collections: which forms of values are looked up along which paths, and that parts add up.

mod support;

use std::sync::Arc;

use isthmus_core::bson::Value;
use isthmus_core::probe::Prober;
use isthmus_core::value_set::{Key, ValueSet};
use serde_json::{json, Value as Json};
use support::{array, as_array, as_document, document, text};

fn set(values: &[Value<'_>]) -> Arc<ValueSet> {
    let mut set = ValueSet::new(1 << 20, 0);
    values.iter().for_each(|value| set.insert(value));
    Arc::new(set)
}

fn id(number: u8) -> Value<'static> {
    Value::ObjectId([number; 12])
}

fn probed(plan: &Json, sets: &[Arc<ValueSet>], documents: &[Vec<u8>]) -> Prober {
    let mut prober = Prober::new(&plan.to_string(), sets.to_vec()).expect("a plan");
    assert_eq!(prober.read(&documents.concat()), Ok(documents.len()));
    prober
}

fn result(prober: &Prober) -> Json {
    serde_json::from_str(&prober.result()).expect("JSON")
}

#[test]
fn values_are_looked_up_in_each_form_that_they_have() {
    let users = set(&[id(1), id(2), id(3)]);
    let codes = set(&[text("de"), Value::Int32(5), id(3)]);
    let user_ref = document(&[("$ref", text("Users")), ("$id", id(2))]);
    let other_ref = document(&[("$ref", text("Teams")), ("$id", id(9))]);
    let hex = "01".repeat(12);
    let values = [
        id(1),
        id(3),
        id(9),
        text(&hex),
        text("de"),
        Value::Double(5.0),
        Value::Null,
        Value::Undefined,
        Value::Bool(true),
        as_document(&user_ref),
        as_document(&other_ref),
    ];
    let plan = json!({"own": null, "probes": [
        {"path": ["v", "[]"], "forms": ["oid", "hex", "dbref", "value"], "sets": [0, 1]},
        {"path": ["v"], "forms": ["oid"], "sets": [0]},
        {"path": ["v", "w"], "forms": ["oid"], "sets": [0]},
        {"path": ["v", "[]", "$id"], "forms": ["oid"], "sets": [0]},
    ]});
    let one = document(&[("_id", id(7)), ("v", as_array(&array(&values)))]);
    let found = result(&probed(&plan, &[users, codes], &[one, document(&[("v", Value::Null)])]));
    assert_eq!(found["documents"], json!(2));
    let probes = &found["probes"];
    assert_eq!((&probes[0]["values"], &probes[0]["null"]), (&json!(9), &json!(2)));
    let forms = &probes[0]["forms"];
    assert_eq!(
        forms["oid"],
        json!({
            "values": 3, "hits": {"0": 2, "1": 1}, "misses": 1, "several": 1,
            "examples": [{"$oid": "09".repeat(12)}],
        })
    );
    assert_eq!(forms["hex"], json!({"values": 1, "hits": {"0": 1}}));
    let missed = json!({"$ref": "Teams", "$id": {"$oid": "09".repeat(12)}});
    assert_eq!(
        forms["dbref"],
        json!({
            "values": 2, "hits": {"0": 1}, "misses": 1, "collections": {"Teams": 1, "Users": 1}, "examples": [missed],
        })
    );
    // The two texts, the number, the flag and the two documents.
    assert_eq!((&forms["value"]["values"], &forms["value"]["hits"]), (&json!(6), &json!({"1": 2})));
    assert_eq!(probes[0].get("pairs"), None);
    // An array is no value of a form, and a path through a document does not lead through an array.
    assert_eq!(probes[1], json!({"values": 1, "null": 1, "forms": {}}));
    assert_eq!(probes[2], json!({"values": 0, "forms": {}}));
    assert_eq!(probes[3]["forms"]["oid"]["hits"], json!({"0": 1}));
}

#[test]
fn pairs_of_two_collections_are_the_same_from_both_sides() {
    let (users, teams) = (set(&[id(1), id(2)]), set(&[id(11), id(12)]));
    let sets = [users, teams];
    let plan = |own: usize, other: usize| json!({"own": own, "probes": [{"path": ["to", "[]"], "forms": ["oid"], "sets": [other]}]});
    let member = |own: u8, to: &[u8]| {
        let to: Vec<Value<'_>> = to.iter().map(|number| id(*number)).collect();
        document(&[("_id", id(own)), ("to", as_array(&array(&to)))])
    };
    let of_users = result(&probed(&plan(0, 1), &sets, &[member(1, &[11, 12]), member(2, &[12])]));
    let of_teams = result(&probed(&plan(1, 0), &sets, &[member(11, &[1]), member(12, &[1, 2])]));
    let turned = result(&probed(&plan(1, 0), &sets, &[member(11, &[2]), member(12, &[1, 2])]));
    let pairs = |found: &Json| found["probes"][0]["pairs"].clone();
    assert_eq!(pairs(&of_users).as_array().expect("pairs").len(), 3);
    assert_eq!(of_users["probes"][0]["pairs_distinct"], json!(3));
    assert_eq!(pairs(&of_users), pairs(&of_teams));
    assert_ne!(pairs(&of_users), pairs(&turned));
}

#[test]
fn values_are_collected_into_sets_by_name() {
    let plan = json!({"own": null, "collect": [
        {"path": ["code"], "set": "codes"}, {"path": ["more", "[]"], "set": "codes"}, {"path": ["x"], "set": "none"},
    ]});
    let more = array(&[text("b"), Value::Null, Value::Int32(1)]);
    let mut prober = probed(&plan, &[], &[document(&[("code", text("a")), ("more", as_array(&more))])]);
    let sets = prober.sets();
    let told: Vec<(&str, u64)> = sets.iter().map(|(name, set)| (name.as_str(), set.count())).collect();
    assert_eq!(told, [("codes", 3), ("none", 0)]);
    assert!(sets[0].1.contains(&Key::of(&Value::Int64(1), &mut Vec::new())));
    assert_eq!(prober.sets()[0].1.count(), 0);
}

#[test]
fn probes_of_parts_merge_into_those_of_the_whole_in_any_order() {
    let sets = [set(&(0..90).map(id).collect::<Vec<_>>()), set(&(60..200).map(id).collect::<Vec<_>>())];
    let plan = json!({
        "own": 0, "probes": [{"path": ["to"], "forms": ["oid", "value"], "sets": [0, 1]}],
        "collect": [{"path": ["to"], "set": "to"}],
    });
    let documents: Vec<Vec<u8>> = (0..=255)
        .map(|number: u8| {
            let to = if number % 5 == 0 { Value::Int32(i32::from(number)) } else { id(number) };
            document(&[("_id", id(255 - number)), ("to", to)])
        })
        .collect();
    let whole = result(&probed(&plan, &sets, &documents));
    for cut in [0, 1, 100, 255, 256] {
        let (first, second) = documents.split_at(cut);
        for (one, other) in [(first, second), (second, first)] {
            let mut merged = probed(&plan, &sets, one);
            let mut rest = probed(&plan, &sets, other);
            merged.merge(&mut rest).expect("one plan");
            assert_eq!(result(&merged), whole);
            assert_eq!(merged.sets()[0].1.count(), 256);
            assert_eq!((&result(&rest)["documents"], rest.sets()[0].1.count()), (&json!(0), 0));
        }
    }
    let mut other = probed(&plan, &[set(&[]), set(&[])], &[]);
    assert!(probed(&plan, &sets, &[]).merge(&mut other).is_err());
}

#[test]
fn a_star_leads_through_every_key_but_the_id_of_whole_documents() {
    let plan = json!({"own": null, "probes": [
        {"path": ["map", "*"], "forms": ["oid"], "sets": [0]},
        {"path": ["*"], "forms": ["oid"], "sets": [0]},
        {"path": ["map", "a"], "forms": ["oid"], "sets": [0]},
        {"path": ["map", "*", "[]"], "forms": ["oid"], "sets": [0]},
    ]});
    let list = array(&[id(1), id(3)]);
    let map = document(&[("_id", id(1)), ("a", id(2)), ("b", as_array(&list))]);
    let one = document(&[("_id", id(1)), ("map", as_document(&map)), ("x", id(1))]);
    let found = result(&probed(&plan, &[set(&[id(1), id(2)])], &[one]));
    let oid = |number: usize| found["probes"][number]["forms"]["oid"].clone();
    let told = |number: usize| (oid(number)["values"].clone(), oid(number)["hits"]["0"].clone());
    assert_eq!(told(0), (json!(2), json!(2)));
    assert_eq!(told(1), (json!(1), json!(1)));
    assert_eq!(told(2), (json!(1), json!(1)));
    assert_eq!(told(3), (json!(2), json!(1)));
}

#[test]
fn broken_documents_are_counted_and_broken_blocks_raised() {
    let plan = json!({"own": 0, "probes": [{"path": ["a"], "forms": ["oid"], "sets": [0]}]});
    let mut prober = probed(&plan, &[set(&[id(1)])], &[]);
    let whole = document(&[("_id", id(1)), ("a", id(1))]);
    let mut broken = whole.clone();
    broken[4] = 0x44;
    assert_eq!(prober.read(&[whole.clone(), broken, whole.clone()].concat()), Ok(3));
    assert_eq!(prober.read(&whole[..9]).expect_err("it is cut off").code, "broken-framing");
    let found = result(&prober);
    assert_eq!((&found["documents"], &found["broken"]), (&json!(2), &json!({"bson-type": 1})));
    assert_eq!(found["probes"][0]["pairs_distinct"], json!(1));
}
