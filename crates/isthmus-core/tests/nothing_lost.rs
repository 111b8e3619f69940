//! Every text of an accepted document is found again in some row, whatever the rules took and left.
//!
//! Documents come from a seeded generator; each text in them is a marker that occurs nowhere else, so it is enough to
//! look for its bytes. It cannot see a value that went to the wrong place, only one that went nowhere.

mod support;

use isthmus_core::bson::Value;
use isthmus_core::plan::Json as Parsed;
use serde_json::{json, Value as Json};
use support::*;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }
}

/// What a generator makes: markers, now and then one that was used before, so that values are equal.
struct Markers {
    random: Random,
    made: Vec<String>,
}

impl Markers {
    fn marker(&mut self) -> String {
        if !self.made.is_empty() && self.random.below(4) == 0 {
            return self.made[self.random.below(self.made.len())].clone();
        }
        let marker = format!("marker{}x", self.made.len());
        self.made.push(marker.clone());
        marker
    }

    /// A field of any shape below `depth`.
    fn field(&mut self, key: &str, depth: usize, out: &mut Vec<u8>) {
        match self.random.below(if depth == 0 { 5 } else { 10 }) {
            0 => put(out, key, &Value::Null),
            1..5 => {
                let marker = self.marker();
                put(out, key, &Value::String(marker.as_bytes()));
            }
            5..8 => {
                let document = self.document(depth - 1);
                put(out, key, &as_document(&document));
            }
            _ => {
                let count = self.random.below(4);
                let mut list = vec![0; 4];
                for at in 0..count {
                    self.field(&at.to_string(), depth - 1, &mut list);
                }
                put(out, key, &as_array(&sealed(list)));
            }
        }
    }

    fn document(&mut self, depth: usize) -> Vec<u8> {
        const KEYS: [&str; 9] = ["a", "b", "c", "d", "list", "steps", "n", "roles", "z"];
        let mut out = vec![0; 4];
        for key in KEYS {
            if self.random.below(3) > 0 {
                self.field(key, depth, &mut out);
            }
        }
        sealed(out)
    }
}

fn put(out: &mut Vec<u8>, key: &str, value: &Value<'_>) {
    out.push(value.kind());
    out.extend_from_slice(key.as_bytes());
    out.push(0);
    value.write_raw(out);
}

fn sealed(mut out: Vec<u8>) -> Vec<u8> {
    out.push(0);
    let length = (out.len() as u32).to_le_bytes();
    out[..4].copy_from_slice(&length);
    out
}

/// The rules of one level whose columns start at `column` of `table`: the first of several, elements, and labels.
fn rules(table: usize, column: usize) -> Vec<Json> {
    let feed = |at: usize| json!({"do": "column", "table": table, "column": column + at});
    let with = |mut field: Json, more: Json| {
        for (key, value) in more.as_object().unwrap() {
            field[key] = value.clone();
        }
        field
    };
    vec![
        with(feed(0), json!({"first_of": [["a"], ["b", "c"], ["b", "d", "a"], ["d"]]})),
        with(feed(1), json!({"path": ["list"], "element": 0, "coerce": true})),
        with(feed(2), json!({"path": ["list"], "element": -1, "coerce": true})),
        with(feed(3), json!({"path": ["list"], "element": 1, "of": ["n"], "coerce": true})),
        with(feed(4), json!({"first_of": [["b", "list"], ["z"]], "element": 0, "coerce": true})),
        json!({"first_of": [["roles"], ["b", "roles"]], "do": "to_flags", "table": table,
               "flags": [{"label": "marker0x", "column": column + 5}, {"label": "marker1x", "column": column + 6}]}),
        with(feed(7), json!({"path": ["b", "n"]})),
    ]
}

fn columns() -> Vec<Json> {
    let mut columns: Vec<Json> = (0..5).map(|number| plain(&format!("v{number}"), "jsonb")).collect();
    columns.extend(["is_zero", "is_one"].map(|name| plain(name, "boolean")));
    columns.push(plain("n", "jsonb"));
    columns.push(extras_column());
    columns
}

/// A key that came twice would be lost where jsonb is read.
fn assert_unique(value: &Parsed, seed: u64) {
    match value {
        Parsed::Object(items) => {
            let keys: std::collections::HashSet<&String> = items.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), items.len(), "seed {seed} writes a key twice: {items:?}");
            items.iter().for_each(|(_, value)| assert_unique(value, seed));
        }
        Parsed::Array(items) => items.iter().for_each(|value| assert_unique(value, seed)),
        _ => {}
    }
}

#[test]
fn every_marker_of_an_accepted_document_is_in_some_row() {
    let mut root_columns = vec![id_column()];
    root_columns.extend(columns());
    let mut child_columns = vec![
        column("thing_id", "root_id", json!("uuid"), &json!({})),
        column("position", "position", json!("integer"), &json!({})),
    ];
    child_columns.extend(columns());
    let tables =
        [root(&root_columns), json!({"name": "steps", "kind": "child", "parent": 0, "columns": child_columns})];
    let mut fields = rules(0, 1);
    fields.push(json!({"path": ["steps"], "do": "child", "table": 1, "fields": rules(1, 2)}));
    let transcoder = transcoder(&plan(&tables, &fields));
    let mut accepted = 0;
    for seed in 1..4_000 {
        let mut markers = Markers { random: Random((seed * 0x9E37_79B9) | 1), made: vec![] };
        // Labels are told by their column alone.
        markers.made.extend(["marker0x".to_owned(), "marker1x".to_owned()]);
        let mut document = markers.document(3);
        document.truncate(document.len() - 1);
        put(&mut document, "_id", &Value::ObjectId(USER));
        let document = sealed(document);
        let batch = run(&transcoder, std::slice::from_ref(&document));
        accepted += batch.accepted;
        for table in 0..2 {
            for row in rows(&batch, table) {
                if row[row.len() - 1].is_some() {
                    assert_unique(&serde_json::from_str(&jsonb(&row[row.len() - 1])).expect("JSON"), seed);
                }
            }
        }
        let written = batch.outputs.concat();
        for marker in &markers.made[2..] {
            let is_in = |bytes: &[u8]| memchr::memmem::find(bytes, marker.as_bytes()).is_some();
            assert!(batch.accepted == 0 || is_in(&written) || !is_in(&document), "seed {seed} loses {marker}");
        }
    }
    assert!(accepted > 1_000, "only {accepted} are accepted");
}
