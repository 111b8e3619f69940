//! Plans, documents and COPY rows for the integration tests.

#![allow(dead_code)] // each test program uses its own part

use std::collections::HashMap;

use isthmus_core::batch::Batch;
use isthmus_core::bson::Value;
use isthmus_core::ids::{uuid_bytes, IdCodec};
use isthmus_core::transcode::Transcoder;
use serde_json::{json, Value as Json};

pub const KEY: [u8; 32] = [7; 32];

/// 2023-11-14T22:13:20.123456Z.
pub const NOW_US: i64 = 1_700_000_000_123_456;

/// The names of root tables in all plans of these tests.
pub const ROOTS: [&str; 2] = ["things", "animals"];

pub const USER: [u8; 12] = [0x65, 0x53, 0xF1, 0x00, 1, 2, 3, 4, 5, 6, 7, 8];

pub fn text(text: &str) -> Value<'_> {
    Value::String(text.as_bytes())
}

/// A document of these fields, in this order.
pub fn document(fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    let fields: Vec<(&[u8], Value<'_>)> = fields.iter().map(|(key, value)| (key.as_bytes(), *value)).collect();
    raw_document(&fields)
}

pub fn raw_document(fields: &[(&[u8], Value<'_>)]) -> Vec<u8> {
    let mut out = vec![0; 4];
    for (key, value) in fields {
        out.push(value.kind());
        out.extend_from_slice(key);
        out.push(0);
        value.write_raw(&mut out);
    }
    out.push(0);
    let length = (out.len() as u32).to_le_bytes();
    out[..4].copy_from_slice(&length);
    out
}

/// The bytes of an array.
pub fn array(values: &[Value<'_>]) -> Vec<u8> {
    let keys: Vec<String> = (0..values.len()).map(|at| at.to_string()).collect();
    let fields: Vec<(&str, Value<'_>)> = keys.iter().map(String::as_str).zip(values.iter().copied()).collect();
    document(&fields)
}

pub fn as_document(bytes: &[u8]) -> Value<'_> {
    Value::Document(isthmus_core::bson::Raw::new(bytes).expect("a document"))
}

pub fn as_array(bytes: &[u8]) -> Value<'_> {
    Value::Array(isthmus_core::bson::Raw::new(bytes).expect("an array"))
}

/// A column of the plan; `more` overrides any key.
pub fn column(name: &str, role: &str, kind: Json, more: &Json) -> Json {
    let kind = if kind.is_string() { json!({"kind": kind}) } else { kind };
    let mut column = json!({
        "name": name, "role": role, "type": kind, "required": false, "default": null, "default_for": ["missing"],
        "coerce": false, "sensitive": false, "reference": null, "rewrite": [],
        "policies": {"nul": "dead_letter", "utf8": "dead_letter", "nan": "dead_letter", "range": "dead_letter"},
    });
    for (key, value) in more.as_object().expect("an object") {
        if key == "policies" {
            for (name, policy) in value.as_object().expect("an object") {
                column["policies"][name] = policy.clone();
            }
        } else {
            column[key] = value.clone();
        }
    }
    column
}

pub fn plain(name: &str, kind: &str) -> Json {
    column(name, "value", json!(kind), &json!({}))
}

pub fn id_column() -> Json {
    column("id", "id", json!("uuid"), &json!({"required": true}))
}

pub fn extras_column() -> Json {
    column("extras", "extras", json!("jsonb"), &json!({}))
}

pub fn feeds(path: &[&str], table: usize, column: usize) -> Json {
    json!({"path": path, "do": "column", "table": table, "column": column})
}

/// A shape with these tables and fields, which takes every document.
pub fn plan(tables: &[Json], fields: &[Json]) -> Json {
    json!({"entry": "Things", "when": [], "ids": "uuid", "unknown": "extras", "skip": [],
           "tables": tables, "fields": fields})
}

/// The plan of the collection Things with these shapes.
pub fn shapes(shapes: &[Json]) -> Json {
    json!({"version": 2, "collection": "Things", "shapes": shapes})
}

/// A plan as it is; a single shape as a plan of its own.
pub fn whole(plan: &Json) -> String {
    if plan.get("tables").is_some() {
        shapes(std::slice::from_ref(plan)).to_string()
    } else {
        plan.to_string()
    }
}

pub fn root(columns: &[Json]) -> Json {
    json!({"name": "things", "kind": "root", "columns": columns})
}

/// A plan with an id, one column `v` fed by the field `v`, and extras.
pub fn one_column(kind: Json, more: &Json) -> Json {
    let columns = [id_column(), column("v", "value", kind, more), extras_column()];
    plan(&[root(&columns)], &[feeds(&["v"], 0, 1)])
}

pub fn transcoder(plan: &Json) -> Transcoder {
    Transcoder::new(&whole(plan), &KEY, NOW_US, &HashMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

pub fn refused_plan(plan: &Json) -> String {
    Transcoder::new(&whole(plan), &KEY, NOW_US, &HashMap::new()).expect_err("the plan is wrong").message
}

/// Transcodes and checks what always holds.
pub fn run(transcoder: &Transcoder, documents: &[Vec<u8>]) -> Batch {
    let batch = transcoder.transcode(&documents.concat()).expect("whole documents");
    check(&batch);
    batch
}

/// The identities of the books, and rows that can be read back.
pub fn check(batch: &Batch) {
    assert_eq!(batch.documents, batch.accepted + batch.skipped + batch.rejects.len());
    assert_eq!(batch.offsets.len(), batch.documents + 1);
    assert_eq!(batch.document_digests.len(), batch.documents * 16);
    let roots = batch.tables.iter().zip(&batch.rows).filter(|(name, _)| ROOTS.contains(&name.as_str()));
    assert_eq!(roots.map(|(_, rows)| *rows as usize).sum::<usize>(), batch.accepted);
    for (output, &rows) in batch.outputs.iter().zip(&batch.rows) {
        assert_eq!(read_rows(output).len(), rows as usize);
    }
    for reject in &batch.rejects {
        assert!(!reject.causes.is_empty() && reject.causes.len() <= 16);
    }
    check_became(batch);
}

/// Whatever the mapping put in the place of something counts once by what it was and what it became.
pub fn check_became(batch: &Batch) {
    let named = |name: &&String| name.ends_with(":default") || name.ends_with(":value_mapped");
    let adjusted = &batch.counts["adjusted"];
    assert!(adjusted.keys().filter(named).eq(batch.became.keys()), "{adjusted:?} {:?}", batch.became);
    for (name, became) in &batch.became {
        assert_eq!(became.values().sum::<u64>(), adjusted[name], "{name}");
        assert!(became.values().all(|&count| count > 0), "{became:?}");
    }
}

pub type Field = Option<Vec<u8>>;

/// COPY rows as fields.
pub fn read_rows(mut copy: &[u8]) -> Vec<Vec<Field>> {
    fn take<'a>(copy: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (head, rest) = copy.split_at(length);
        *copy = rest;
        head
    }
    let mut rows = Vec::new();
    while !copy.is_empty() {
        let columns = i16::from_be_bytes(take(&mut copy, 2).try_into().unwrap());
        let mut row = Vec::new();
        for _ in 0..columns {
            let length = i32::from_be_bytes(take(&mut copy, 4).try_into().unwrap());
            row.push(match length {
                -1 => None,
                _ => Some(take(&mut copy, usize::try_from(length).expect("a length")).to_vec()),
            });
        }
        rows.push(row);
    }
    rows
}

pub fn rows(batch: &Batch, table: usize) -> Vec<Vec<Field>> {
    read_rows(&batch.outputs[table])
}

/// The JSON text of a jsonb field.
pub fn jsonb(field: &Field) -> String {
    let bytes = field.as_ref().expect("not NULL");
    assert_eq!(bytes[0], 1);
    String::from_utf8(bytes[1..].to_vec()).expect("UTF-8")
}

pub fn count(batch: &Batch, group: &str, name: &str) -> u64 {
    batch.counts.get(group).and_then(|names| names.get(name)).copied().unwrap_or(0)
}

/// What the values of `things.v` became, as `WAS → BECAME` and how often, of one kind of change.
pub fn became(batch: &Batch, kind: &str) -> Vec<(String, u64)> {
    let found = batch.became.get(&format!("things.v:{kind}"));
    found.into_iter().flatten().map(|(called, &count)| (called.clone(), count)).collect()
}

pub fn codes(batch: &Batch) -> Vec<&'static str> {
    batch.rejects.iter().flat_map(|reject| &reject.causes).map(|cause| cause.code.slug()).collect()
}

pub fn codec() -> IdCodec {
    IdCodec::new(&KEY).unwrap()
}

/// The uuid field of a derived id.
pub fn derived(collection: &str, value: Value<'_>) -> Field {
    Some(uuid_bytes(codec().derive_value(collection, &value).unwrap().v).to_vec())
}

pub fn int(value: i32) -> Field {
    Some(value.to_be_bytes().to_vec())
}

/// A document with the id [`USER`] and these fields.
pub fn with_id<'a>(fields: &[(&'a str, Value<'a>)]) -> Vec<u8> {
    let mut all = vec![("_id", Value::ObjectId(USER))];
    all.extend_from_slice(fields);
    document(&all)
}
