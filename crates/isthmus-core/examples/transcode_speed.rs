//! Prints how many megabytes of BSON one core transcodes a second, for small documents of a usual mix.
//!
//! `cargo run --release --example transcode_speed [DOCUMENTS [SHAPE]]`. Shapes:
//!
//! - `mixed` (without a shape): about 260 bytes: an id, texts, integers, a double, a date, one reference, an array of
//!   texts, a small document that becomes jsonb, and three references that become pairs;
//! - `sparse`: 57 bytes: an id and two small fields, for a table that has 20 columns more;
//! - `chosen`: as `mixed`, where a first entry with a condition takes none of the documents and a second takes all;
//! - `named`: as `sparse`, with a text as `_id`, which goes into the id map;
//! - `changed`: as `sparse`, where both fields are replaced by values of the mapping, one of which lists its originals,
//!   and ten of the other columns are filled by defaults.
//!
//! The documents come from a generator with a fixed seed.

use std::collections::HashMap;
use std::time::Instant;

use isthmus_core::transcode::Transcoder;

/// xorshift64*: small, seeded, good enough to make documents differ.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn object_id(&mut self) -> [u8; 12] {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&self.next().to_le_bytes());
        id[8..].copy_from_slice(&self.next().to_le_bytes()[..4]);
        id
    }
}

struct Document(Vec<u8>);

impl Document {
    fn new() -> Self {
        Self(vec![0; 4])
    }

    fn put(&mut self, kind: u8, key: &str, value: &[u8]) -> &mut Self {
        self.0.push(kind);
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(0);
        self.0.extend_from_slice(value);
        self
    }

    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let mut raw = (value.len() as u32 + 1).to_le_bytes().to_vec();
        raw.extend_from_slice(value.as_bytes());
        raw.push(0);
        self.put(2, key, &raw)
    }

    fn done(&mut self) -> Vec<u8> {
        self.0.push(0);
        let length = (self.0.len() as u32).to_le_bytes();
        self.0[..4].copy_from_slice(&length);
        std::mem::take(&mut self.0)
    }
}

const WORDS: [&str; 8] = ["river", "lantern", "quiet", "harbour", "seven", "copper", "meadow", "Zürich"];

fn mixed(random: &mut Random) -> Vec<u8> {
    let word = |random: &mut Random| WORDS[random.below(8) as usize];
    let title = format!("{} {} {}", word(random), word(random), random.below(1_000));
    let mut tags = Document::new();
    tags.text("0", word(random)).text("1", word(random));
    let mut meta = Document::new();
    meta.text("source", word(random)).put(16, "level", &(random.below(9) as i32).to_le_bytes());
    let mut others = Document::new();
    for key in ["0", "1", "2"] {
        others.put(7, key, &random.object_id());
    }
    Document::new()
        .put(7, "_id", &random.object_id())
        .text("title", &title)
        .put(16, "count", &(random.below(100_000) as i32).to_le_bytes())
        .put(18, "size", &random.next().to_le_bytes())
        .put(1, "score", &((random.below(10_000) as f64) / 8.0).to_le_bytes())
        .put(9, "createdAt", &(1_600_000_000_000 + random.below(100_000_000_000)).to_le_bytes())
        .put(7, "user", &random.object_id())
        .put(4, "tags", &tags.done())
        .put(3, "meta", &meta.done())
        .put(4, "others", &others.done())
        .done()
}

fn sparse(random: &mut Random) -> Vec<u8> {
    let id = random.object_id();
    Document::new().put(7, "_id", &id).text("title", "seven").put(16, "count", &7_i32.to_le_bytes()).done()
}

fn named(random: &mut Random) -> Vec<u8> {
    let id = format!("n{:012}", random.below(1_000_000_000_000));
    Document::new().text("_id", &id).text("title", "seven").put(16, "count", &7_i32.to_le_bytes()).done()
}

/// The columns `title` and `count`, and 20 more.
fn sparse_plan() -> String {
    let plain = |name: &str, kind: &str| column(name, "value", kind, "},");
    let mut columns = vec![column("id", "id", "uuid", "},"), plain("title", "text"), plain("count", "integer")];
    columns.extend((0..20).map(|number| plain(&format!("field_{number}"), "text")));
    columns.push(column("extras", "extras", "jsonb", "},"));
    let names: Vec<String> =
        ["title", "count"].map(str::to_owned).into_iter().chain((0..20).map(|n| format!("field_{n}"))).collect();
    plan(&[("things", "root", columns)], &names, "")
}

/// As `sparse_plan`, with values that are replaced and columns that are filled.
fn changed_plan() -> String {
    let values = r#"},"values":[{"from":"seven","to":"SEVEN"},{"from":"copper","to":"COPPER"}],"#;
    let others = r#"},"values":[{"from":1,"to":10}],"others":{"value":0},"#;
    let filled = r#"},"default":{"kind":"literal","value":"none"},"#;
    let mut columns = vec![column("id", "id", "uuid", "},")];
    columns.push(column("title", "value", "text", values));
    columns.push(column("count", "value", "integer", others));
    for number in 0..20 {
        let more = if number % 2 == 0 { filled } else { "}," };
        columns.push(column(&format!("field_{number}"), "value", "text", more));
    }
    columns.push(column("extras", "extras", "jsonb", "},"));
    let names: Vec<String> =
        ["title", "count"].map(str::to_owned).into_iter().chain((0..20).map(|n| format!("field_{n}"))).collect();
    plan(&[("things", "root", columns)], &names, "")
}

fn column(name: &str, role: &str, kind: &str, more: &str) -> String {
    let policies = r#"{"nul":"dead_letter","utf8":"dead_letter","nan":"dead_letter","range":"dead_letter"}"#;
    format!(r#"{{"name":"{name}","role":"{role}","type":{{"kind":"{kind}"{more}"policies":{policies}}}"#)
}

fn mixed_plan() -> String {
    whole(&mixed_shape("[]"))
}

fn chosen_plan() -> String {
    let when = r#"[{"path":["title"],"op":"eq","values":["none"]}]"#;
    whole(&format!("{},{}", mixed_shape(when), mixed_shape("[]")))
}

fn mixed_shape(when: &str) -> String {
    let plain = |name: &str, kind: &str| column(name, "value", kind, "},");
    let to = |collection: &str| format!(r#"}},"reference":{{"collection":"{collection}","ids":"uuid"}},"#);
    let root = vec![
        column("id", "id", "uuid", "},"),
        plain("title", "text"),
        plain("count", "integer"),
        plain("size", "bigint"),
        plain("score", "double"),
        plain("created_at", "timestamptz"),
        column("user_id", "reference", "uuid", &to("Users")),
        column("tags", "value", "text", r#","array":true},"#),
        plain("meta", "jsonb"),
        column("extras", "extras", "jsonb", "},"),
    ];
    let pair = vec![column("a_id", "own", "uuid", "},"), column("b_id", "other", "uuid", &to("Others"))];
    let fields = ["title", "count", "size", "score", "createdAt", "user", "tags", "meta"].map(str::to_owned);
    let others = r#",{"path":["others"],"do":"junction","table":1}"#;
    shape(when, &[("things", "root", root), ("others_to_things", "junction", pair)], &fields, others)
}

/// The fields fill the root's columns behind its id, in their order.
fn plan(tables: &[(&str, &str, Vec<String>)], fields: &[String], more: &str) -> String {
    whole(&shape("[]", tables, fields, more))
}

fn whole(shapes: &str) -> String {
    format!(r#"{{"version":2,"collection":"Things","shapes":[{shapes}]}}"#)
}

fn shape(when: &str, tables: &[(&str, &str, Vec<String>)], fields: &[String], more: &str) -> String {
    let tables = tables.iter().map(|(name, kind, columns)| {
        format!(r#"{{"name":"{name}","kind":"{kind}","columns":[{}]}}"#, columns.join(","))
    });
    let field =
        |(at, name): (usize, &String)| format!(r#"{{"path":["{name}"],"do":"column","table":0,"column":{}}}"#, at + 1);
    format!(
        r#"{{"entry":"Things","when":{when},"ids":"uuid","unknown":"extras","skip":[],"tables":[{}],"fields":[{}{more}]}}"#,
        tables.collect::<Vec<_>>().join(","),
        fields.iter().enumerate().map(field).collect::<Vec<_>>().join(",")
    )
}

fn main() {
    let documents: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(16_000);
    let shape = std::env::args().nth(2).unwrap_or_else(|| "mixed".to_owned());
    let (document, plan): (fn(&mut Random) -> Vec<u8>, String) = match shape.as_str() {
        "sparse" => (sparse, sparse_plan()),
        "named" => (named, sparse_plan()),
        "chosen" => (mixed, chosen_plan()),
        "changed" => (sparse, changed_plan()),
        _ => (mixed, mixed_plan()),
    };
    let mut random = Random(0x15_7A_05);
    let mut block = Vec::new();
    for _ in 0..documents {
        block.extend_from_slice(&document(&mut random));
    }
    let transcoder = Transcoder::new(&plan, &[7; 32], 0, &HashMap::new()).expect("the plan is sound");
    let megabytes = block.len() as f64 / 1e6;
    println!("{documents} documents, {} bytes each, {megabytes:.1} MB", block.len() / documents.max(1));
    let mut best = f64::INFINITY;
    for round in 1..=20 {
        let started = Instant::now();
        let batch = transcoder.transcode(&block).expect("the block is sound");
        let seconds = started.elapsed().as_secs_f64();
        best = best.min(seconds);
        assert_eq!(batch.accepted, documents);
        let written: usize = batch.outputs.iter().map(Vec::len).sum();
        println!("round {round}: {:.0} MB/s in, {:.0} MB/s out", megabytes / seconds, written as f64 / 1e6 / seconds);
    }
    println!("best: {:.0} MB/s, {:.0} documents/s", megabytes / best, documents as f64 / best);
}
