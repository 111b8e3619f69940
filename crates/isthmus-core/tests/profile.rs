//! Profiles of whole collections: what they say, that their parts add up, and that nothing makes them grow.
//!
//! Expectations of single counts are those of the unit tests beside each module; here documents are read.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::profile::{Limits, Profiler};
use isthmus_core::value_set::Key;
use serde_json::{json, Value as Json};
use support::{array, as_array, as_document, document, raw_document, text};

fn limits() -> Limits {
    Limits::default()
}

fn profiled(documents: &[Vec<u8>], limits: Limits) -> Profiler {
    let mut profiler = Profiler::new(limits);
    assert_eq!(profiler.read(&documents.concat()).expect("whole documents"), documents.len());
    profiler
}

fn result(profiler: &Profiler) -> Json {
    serde_json::from_str(&profiler.result()).expect("JSON")
}

fn profile(documents: &[Vec<u8>]) -> Json {
    result(&profiled(documents, limits()))
}

/// A node without its hashes.
fn plain(mut node: Json) -> Json {
    if let Some(object) = node.as_object_mut() {
        object.remove("sketch");
    }
    node
}

#[test]
fn a_small_collection_is_told_in_full() {
    let inner = document(&[("x", Value::Int32(1)), ("y", Value::Null)]);
    let tags = array(&[text("a"), text("b"), Value::Null]);
    let documents = [
        document(&[
            ("_id", Value::ObjectId([1; 12])),
            ("name", text("Ann")),
            ("in", as_document(&inner)),
            ("tags", as_array(&tags)),
        ]),
        document(&[("_id", Value::ObjectId([2; 12])), ("name", Value::Null), ("flag", Value::Bool(true))]),
        document(&[
            ("_id", Value::Int32(7)),
            ("name", text("Bo")),
            ("name", text("Ann")),
            ("flag", Value::Bool(false)),
        ]),
    ];
    let mut found = profile(&documents);
    let bytes: usize = documents.iter().map(Vec::len).sum();
    let lengths: Vec<usize> = documents.iter().map(Vec::len).collect();
    assert_eq!((&found["documents"], &found["bytes"]), (&json!(3), &json!(bytes)));
    assert_eq!(found["sizes"], json!({"min": lengths.iter().min(), "max": lengths.iter().max(), "total": bytes}));
    assert_eq!(found["id"], json!({"types": {"objectId": 2, "int": 1}}));
    assert_eq!(found["odd_keys"], json!({"duplicate": [["name", 1]]}));
    assert_eq!(found["odd_totals"], json!({"duplicate": 1}));
    for absent in ["path_limit", "unlisted", "refused", "broken"] {
        assert_eq!(found.get(absent), None);
    }
    let root = found["root"].take();
    assert_eq!((&root["present"], &root["types"]), (&json!(3), &json!({"object": 3})));
    assert_eq!(root["document"], json!({"keys": [3, 4]}));
    let fields = root["fields"].as_object().expect("fields");
    assert_eq!(
        plain(fields["name"].clone()),
        json!({
            "present": 4, "types": {"string": 3, "null": 1}, "parents": 3, "with": 3, "duplicate_keys": 1,
            "string": {"length": [2, 3], "bytes_max": 3},
            "values": [[{"s": "Ann"}, 2], [{"s": "Bo"}, 1]], "distinct": 2,
        })
    );
    assert_eq!(
        plain(fields["_id"].clone()),
        json!({
            "present": 3, "types": {"objectId": 2, "int": 1}, "parents": 3, "with": 3, "integer": {"range": [7, 7]},
            "values": [[{"i": 7}, 1], [{"o": "01".repeat(12)}, 1], [{"o": "02".repeat(12)}, 1]], "distinct": 3,
        })
    );
    assert_eq!(
        fields["flag"],
        json!({
            "present": 2, "types": {"bool": 2}, "parents": 3, "with": 2, "true": 1, "false": 1,
            "values": [[{"b": false}, 1], [{"b": true}, 1]],
        })
    );
    let inner = &fields["in"];
    assert_eq!((&inner["document"], &inner["with"]), (&json!({"keys": [2, 2]}), &json!(1)));
    assert_eq!(inner["fields"]["y"], json!({"present": 1, "types": {"null": 1}, "parents": 1, "with": 1}));
    let tags = &fields["tags"];
    assert_eq!(tags["array"], json!({"length": [3, 3], "total": 3}));
    assert_eq!(
        plain(tags["elements"].clone()),
        json!({
            "present": 3, "types": {"string": 2, "null": 1}, "parents": 1, "with": 1,
            "string": {"length": [1, 1], "bytes_max": 1},
            "values": [[{"s": "a"}, 1], [{"s": "b"}, 1]], "distinct": 2,
        })
    );
    assert_eq!(fields["name"]["sketch"].as_array().expect("hashes").len(), 2);
}

#[test]
fn fields_stand_in_the_order_in_which_they_came() {
    let one = document(&[("z", Value::Null), ("a", Value::Null)]);
    let other = document(&[("m", Value::Null), ("a", Value::Null)]);
    let text = profiled(&[one, other], limits()).result();
    let at = |key: &str| text.find(&format!("\"{key}\":{{")).expect("the key");
    assert!(at("z") < at("a") && at("a") < at("m"));
}

#[test]
fn odd_keys_are_told_with_their_paths() {
    let reference = document(&[("$ref", text("Users")), ("$id", Value::Int32(1))]);
    let wrapped = document(&[("$oid", text("x"))]);
    let long = "k".repeat(64);
    let longer = "k".repeat(1025);
    let one = raw_document(&[
        (b"a.b", Value::Int32(1)),
        (b"", Value::Int32(1)),
        (b"k\xff", Value::Int32(1)),
        (b"k\xfe", Value::Int32(1)),
        (long.as_bytes(), Value::Int32(1)),
        (longer.as_bytes(), Value::Int32(1)),
        (b"author", as_document(&reference)),
        (b"wrapped", as_document(&wrapped)),
    ]);
    let found = profile(&[one.clone(), one]);
    assert_eq!(
        found["odd_keys"],
        json!({
            "dot": [["a\\.b", 2]],
            "dollar": [["wrapped.$oid", 2]],
            "empty": [["\"\"", 2]],
            "long": [["*", 2], [long, 2]],
            "invalid_utf8": [["k\u{FFFD}", 2], ["k\u{FFFD}", 2]],
        })
    );
    assert_eq!(found["odd_totals"]["invalid_utf8"], json!(4));
    let fields = &found["root"]["fields"];
    assert_eq!(fields["author"]["document"], json!({"keys": [2, 2], "dbref": 2}));
    assert_eq!(fields["wrapped"]["document"], json!({"keys": [1, 1], "extended": 2}));
    assert_eq!(found["root"]["oversize_key"], json!(2));
    assert_eq!(found["root"]["document"]["keys"], json!([8, 8]));
    for key in ["k\u{FFFD}", "k\u{FFFD}\u{FFFD}"] {
        assert_eq!(fields[key]["present"], json!(2));
    }
    let many: Vec<Vec<u8>> = (0..30).map(|at| document(&[(&*format!("n.{at}"), Value::Null)])).collect();
    let found = profile(&many);
    assert_eq!(found["odd_keys"]["dot"].as_array().expect("paths").len(), 20);
    assert_eq!(found["odd_totals"]["dot"], json!(30));
}

#[test]
fn what_postgresql_refuses_is_summed() {
    let values = [
        text("a\0b"),
        Value::String(b"\xff"),
        Value::Double(f64::NAN),
        Value::Double(f64::INFINITY),
        Value::DateTime(i64::MAX),
        Value::Decimal128((0x7Cu128 << 120).to_le_bytes()),
        Value::Decimal128((0x78u128 << 120).to_le_bytes()),
    ];
    let found = profile(&[document(&[("v", as_array(&array(&values)))])]);
    assert_eq!(
        found["refused"],
        json!({"nul": 1, "invalid_utf8": 1, "nan": 1, "infinite": 1, "out_of_range": 1, "decimal_special": 2})
    );
    assert_eq!(found["root"]["fields"]["v"]["elements"]["many"], json!(true));
}

#[test]
fn keys_that_are_data_become_one() {
    let by_number = |from: usize, to: usize| {
        let keys: Vec<String> = (from..to).map(|at| at.to_string()).collect();
        let fields: Vec<(&str, Value<'_>)> = keys.iter().map(|key| (&**key, Value::Int32(7))).collect();
        document(&fields)
    };
    let few = by_number(0, 15);
    let enough = by_number(4, 20);
    let two = [document(&[("m", as_document(&few))]), document(&[("m", as_document(&enough))])];
    let one = profile(&two[..1]);
    assert_eq!(one["root"]["fields"]["m"]["fields"].as_object().expect("fields").len(), 15);
    let map = &profile(&two)["root"]["fields"]["m"];
    assert_eq!(map.get("fields"), None);
    assert_eq!((&map["collapsed"]["keys"], &map["collapsed"]["look"]), (&json!(20), &json!("number")));
    assert_eq!(map["collapsed"]["examples"].as_array().expect("examples").len(), 5);
    assert_eq!(
        plain(map["collapsed"]["node"].clone()),
        json!({
            "present": 31, "types": {"int": 31}, "parents": 31, "with": 31, "integer": {"range": [7, 7]},
            "values": [[{"i": 7}, 31]], "distinct": 1,
        })
    );
}

#[test]
fn more_keys_than_the_limit_become_one_with_their_repetitions() {
    let limits = Limits { keys: 4, ..limits() };
    let named: Vec<String> = (0..6).map(|at| format!("k{at}")).collect();
    let mut fields: Vec<(&str, Value<'_>)> = vec![("_id", Value::Int32(1)), ("k0", Value::Null)];
    fields.extend(named.iter().map(|key| (&**key, Value::Int32(1))));
    fields.extend([("k5", Value::Int32(2)), ("k5", Value::Int32(3)), ("k0", Value::Int32(3))]);
    let found = result(&profiled(&[document(&fields)], limits));
    let root = &found["root"];
    assert_eq!(root["fields"].as_object().expect("fields").len(), 1);
    assert_eq!(root["document"]["keys"], json!([7, 7]));
    let node = &root["collapsed"]["node"];
    // Two keys stand more than once: one before the others became one and after, one only after.
    assert_eq!((&node["with"], &node["present"], &node["duplicate_keys"]), (&json!(6), &json!(10), &json!(2)));
    assert_eq!((&root["collapsed"]["keys"], &root["collapsed"]["look"]), (&json!(6), &json!("mixed")));
    assert_eq!(found["id"], json!({"types": {"int": 1}}));
}

#[test]
fn a_broken_document_counts_as_such_and_as_nothing_else() {
    let whole = document(&[("a", Value::Int32(1))]);
    let mut unknown = document(&[("b", Value::Int32(1)), ("c", Value::Null)]);
    let at = unknown.len() - 4;
    unknown[at] = 0x44;
    let mut profiler = Profiler::new(limits());
    let block = [whole.clone(), unknown, whole.clone()].concat();
    assert_eq!(profiler.read(&block), Ok(3));
    let mut found = result(&profiler);
    assert_eq!(found["broken"].take(), json!({"bson-type": 1}));
    let expected = profile(&[whole.clone(), whole.clone()]);
    found.as_object_mut().expect("an object").remove("broken");
    assert_eq!(found, expected);
    let cut = [whole.clone(), whole.clone(), whole[..7].to_vec()].concat();
    let mut profiler = Profiler::new(limits());
    let error = profiler.read(&cut).expect_err("it is cut off");
    assert_eq!((error.code, error.offset), ("broken-framing", 2 * whole.len()));
    assert_eq!(result(&profiler), expected);
}

#[test]
fn ids_are_taken_out_once() {
    let mut profiler = profiled(
        &[
            document(&[("_id", Value::ObjectId([1; 12]))]),
            document(&[("a", Value::Null), ("_id", Value::Int64(5))]),
            document(&[("a", Value::Null)]),
        ],
        limits(),
    );
    let ids = profiler.ids();
    assert_eq!(ids.describe(), "{\"count\":2,\"exact\":true,\"false_positives\":0}");
    let has = |value: Value<'_>| ids.contains(&Key::of(&value, &mut Vec::new()));
    assert!(has(Value::ObjectId([1; 12])) && has(Value::Double(5.0)) && !has(Value::Int32(1)));
    assert_eq!(profiler.ids().count(), 0);
    assert_eq!(result(&profiler)["id"], json!({"types": {"objectId": 1, "long": 1}, "missing": 1}));
}

/// SplitMix64: every seed gives another, reproducible run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn key(&mut self) -> Vec<u8> {
        match self.below(4) {
            0 => self.below(40).to_string().into_bytes(),
            1 => self.of(&[&b"$ref"[..], b"$id", b"", b"k\xff", b"k\xfe", b"a.b"]).to_vec(),
            _ => self.of(&[&b"_id"[..], b"name", b"tags", b"in", b"count", b"state"]).to_vec(),
        }
    }

    fn text(&mut self) -> Vec<u8> {
        match self.below(3) {
            0 => self.below(200).to_string().into_bytes(),
            1 => self.of(&["", " x", "é\n", "<p>", "a@b.c", "2024-01-01", "http://x.y"]).as_bytes().to_vec(),
            _ => (0..self.below(100)).map(|_| self.next() as u8).collect(),
        }
    }

    fn document(&mut self, depth: usize, fields: usize) -> Vec<u8> {
        let mut parts = Vec::new();
        for _ in 0..self.below(fields) {
            let nested = if depth > 0 { self.document(depth - 1, fields) } else { document(&[]) };
            parts.push((self.key(), self.text(), nested));
        }
        let fields: Vec<(&[u8], Value<'_>)> = parts
            .iter()
            .map(|(key, bytes, nested)| {
                let decimal = u128::from(self.next()) << 64 | u128::from(self.next());
                let value = match self.below(18) {
                    0 => Value::Null,
                    1 | 2 => Value::Int32(self.below(90) as i32),
                    3 => Value::Int64(self.next() as i64),
                    4 => Value::Double(self.below(90) as f64 / 4.0),
                    5 => Value::Double(f64::from_bits(self.next())),
                    6 => Value::Decimal128(decimal.to_le_bytes()),
                    7 => Value::ObjectId([self.below(30) as u8; 12]),
                    8 => Value::Bool(bytes.len() > 3),
                    9 => Value::DateTime(self.next() as i64 >> self.below(64)),
                    10 => Value::Binary { subtype: self.of(&[0, 3, 4]), bytes },
                    11 => self.of(&[Value::Undefined, Value::MinKey, Value::Timestamp { time: 1, increment: 2 }]),
                    12..=13 => as_document(nested),
                    14..=15 => as_array(nested),
                    _ => Value::String(bytes),
                };
                (&**key, value)
            })
            .collect();
        raw_document(&fields)
    }
}

fn tight() -> Limits {
    Limits { keys: 5, values: 6, value_bytes: 20, sketch: 16, key_bytes: 8, ids_bytes: 4096, ..limits() }
}

#[test]
fn the_profile_of_the_whole_is_that_of_its_parts_in_any_order() {
    let mut random = Random(7);
    for round in 0..30 {
        let limits = if round % 2 == 0 { limits() } else { tight() };
        let documents: Vec<Vec<u8>> = (0..random.below(40)).map(|_| random.document(3, 7)).collect();
        let whole = result(&profiled(&documents, limits));
        for cut in (0..=documents.len()).step_by(1 + documents.len() / 8) {
            let (first, second) = documents.split_at(cut);
            for (one, other) in [(first, second), (second, first)] {
                let mut merged = profiled(one, limits);
                let mut rest = profiled(other, limits);
                merged.merge(&mut rest).expect("equal limits");
                assert_eq!(result(&merged), whole, "round {round}, cut {cut}");
                assert_eq!(result(&rest)["documents"], json!(0));
            }
        }
        let mut backwards = documents.clone();
        backwards.reverse();
        assert_eq!(result(&profiled(&backwards, limits)), whole, "round {round}");
    }
}

#[test]
fn profilers_of_other_limits_do_not_merge() {
    let one = document(&[("a", Value::Null)]);
    let one = [one];
    let (mut first, mut second) = (profiled(&one, limits()), profiled(&one, tight()));
    assert!(first.merge(&mut second).is_err());
    assert_eq!((result(&first)["documents"].clone(), result(&second)["documents"].clone()), (json!(1), json!(1)));
}

#[test]
fn reading_on_after_merging_counts_on() {
    let one = document(&[("a", Value::Int32(1)), ("a", Value::Int32(2))]);
    let mut first = profiled(std::slice::from_ref(&one), limits());
    first.merge(&mut profiled(&[one.clone(), one.clone()], limits())).expect("equal limits");
    first.read(&one).expect("a document");
    assert_eq!(result(&first), profile(&[one.clone(), one.clone(), one.clone(), one]));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = Random(11);
    let mut profiler = Profiler::new(tight());
    for _ in 0..4000 {
        let mut bytes = random.document(3, 6);
        for _ in 0..random.below(4) {
            let at = 4 + random.below(bytes.len() - 4);
            bytes[at] = random.next() as u8;
        }
        profiler.read(&bytes).expect("one document");
        let length = random.below(60);
        let noise: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        let _ = profiler.read(&noise);
        let framed = [&(noise.len() as u32 + 5).to_le_bytes()[..], &noise, &[0]].concat();
        profiler.read(&framed).expect("one document");
    }
    assert!(result(&profiler)["broken"]["bson"].as_u64() > Some(1000));
}

#[test]
fn the_deepest_nesting_is_read_and_deeper_is_broken() {
    let mut nested = document(&[]);
    for level in 2..=101 {
        nested = if level % 2 == 0 {
            array(&[as_document(&nested)])
        } else {
            document(&[("a", as_array(&nested)), ("b", Value::Null)])
        };
        // Every other level is an array, which is no document.
        if level % 2 == 1 {
            let both = [nested.clone(), nested.clone()];
            let text = profiled(&both, limits()).result();
            let mut merged = profiled(&both[..1], limits());
            merged.merge(&mut profiled(&both[1..], limits())).expect("equal limits");
            assert_eq!(merged.result(), text);
            let levels = text.matches("\"a\":{").count();
            assert_eq!(if level <= 100 { levels } else { 50 }, level / 2);
            assert_eq!(text.contains("\"broken\":{\"nesting\":2}"), level > 100);
        }
    }
}

/// Nodes in a result, roughly: each has its count of values.
fn nodes(profiler: &Profiler) -> usize {
    profiler.result().matches("\"present\":").count()
}

#[test]
fn paths_never_exceed_their_limit() {
    let limits = Limits { paths: 500, keys: 40, ..limits() };
    let mut profiler = Profiler::new(limits);
    for number in 0..2000 {
        let (outer, middle) = (format!("o{}", number % 37), format!("m{}", number % 31));
        let list = array(&[Value::Int32(1), as_document(&document(&[(&*format!("x{}", number % 7), Value::Null)]))]);
        let inner = document(&[(&*middle, as_array(&list))]);
        profiler.read(&document(&[(&*outer, as_document(&inner))])).expect("a document");
        assert!(nodes(&profiler) <= 501);
    }
    let found = result(&profiler);
    assert_eq!(found["path_limit"], json!(true));
    assert!(found["unlisted"].as_u64() > Some(100));
    let mut merged = Profiler::new(limits);
    merged.merge(&mut profiler).expect("equal limits");
    assert!(nodes(&merged) <= 501);
    assert_eq!(result(&merged)["path_limit"], json!(true));
}

#[test]
fn keys_values_and_hashes_never_exceed_their_limits() {
    let limits = Limits { ids_bytes: 1 << 16, ..limits() };
    let mut profiler = Profiler::new(limits);
    let mut random = Random(5);
    for number in 0..20_000_i64 {
        let (key, long) = (format!("key {number}"), "k".repeat(2000 + number as usize % 9));
        let inner = document(&[(&*key, Value::Int64(number)), (&*long, Value::Null)]);
        let id = (0..12).map(|_| random.next() as u8).collect::<Vec<_>>();
        let fields = [
            ("_id", Value::ObjectId(id.try_into().expect("12 bytes"))),
            ("map", as_document(&inner)),
            ("text", Value::String(key.as_bytes())),
            (&*key, Value::Null),
        ];
        profiler.read(&document(&fields)).expect("a document");
    }
    assert!(nodes(&profiler) <= 10);
    assert!(profiler.result().len() < 50_000);
    let found = result(&profiler);
    let map = &found["root"]["collapsed"]["node"];
    assert_eq!(map["with"], json!(60_000));
    let ids = profiler.ids();
    assert!(!ids.is_exact() && ids.count() == 20_000);
}
