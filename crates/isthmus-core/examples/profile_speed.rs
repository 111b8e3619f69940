//! Prints how many megabytes of BSON one core profiles, and then probes, a second.
//!
//! `cargo run --release --example profile_speed [DOCUMENTS [SHAPE]]`. Shapes:
//!
//! - `ordinary` (without a shape): about 600 bytes, 20 fields: an id, texts of several kinds, numbers of all types, dates,
//!   flags, nulls, references, an array of texts, one of documents, a small document; one field in five is missing now
//!   and then;
//! - `keyed`: an id and a document whose keys are data.
//!
//! The probes look for ids at three paths in two sets, one of them that of the documents themselves. The documents come
//! from a generator with a fixed seed.

use std::sync::Arc;
use std::time::Instant;

use isthmus_core::probe::Prober;
use isthmus_core::profile::{Limits, Profiler};
use isthmus_core::value_set::ValueSet;

const PROBES: &str = r#"{"own": 0, "probes": [
    {"path": ["user"], "forms": ["oid", "hex"], "sets": [0, 1]},
    {"path": ["lines", "[]", "product"], "forms": ["oid", "hex"], "sets": [0, 1]},
    {"path": ["slug"], "forms": ["hex", "value"], "sets": [0, 1]}
]}"#;

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

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 8] = ["river", "lantern", "quiet", "harbour", "seven", "copper", "meadow", "Zürich"];
        WORDS[self.below(8) as usize]
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
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

    fn date(&mut self, key: &str, random: &mut Random) -> &mut Self {
        self.put(9, key, &(1_600_000_000_000 + random.below(100_000_000_000)).to_le_bytes())
    }

    fn done(&mut self) -> Vec<u8> {
        self.0.push(0);
        let length = (self.0.len() as u32).to_le_bytes();
        self.0[..4].copy_from_slice(&length);
        std::mem::take(&mut self.0)
    }
}

fn ordinary(random: &mut Random) -> Vec<u8> {
    let mut tags = Document::new();
    for key in ["0", "1", "2"].iter().take(random.below(4) as usize) {
        tags.text(key, random.word());
    }
    let mut lines = Document::new();
    for key in ["0", "1"] {
        let price = random.below(100_000) as f64 / 100.0;
        let line = Document::new()
            .put(7, "product", &random.object_id())
            .put(16, "quantity", &(random.below(9) as i32).to_le_bytes())
            .put(1, "price", &price.to_le_bytes())
            .done();
        lines.put(3, key, &line);
    }
    let address = Document::new()
        .text("street", &random.words(2))
        .text("city", random.word())
        .text("postcode", &random.below(100_000).to_string())
        .done();
    let (title, body) = (random.words(4), random.words(12));
    let mut document = Document::new();
    document
        .put(7, "_id", &random.object_id())
        .text("title", &title)
        .text("body", &body)
        .text("email", &format!("{}{}@example.org", random.word(), random.below(10_000)))
        .text("status", ["open", "closed", "pending"][random.below(3) as usize])
        .put(16, "count", &(random.below(100_000) as i32).to_le_bytes())
        .put(18, "size", &random.next().to_le_bytes())
        .put(1, "score", &((random.below(10_000) as f64) / 8.0).to_le_bytes())
        .put(8, "active", &[random.below(2) as u8])
        .date("createdAt", random)
        .date("updatedAt", random)
        .put(7, "user", &random.object_id())
        .put(4, "tags", &tags.done())
        .put(3, "address", &address)
        .put(4, "lines", &lines.done());
    if random.below(5) > 0 {
        document.text("note", &random.words(3)).put(10, "deletedAt", &[]);
    }
    let slug = format!("{}-{}", random.word(), random.below(1_000_000));
    document.put(16, "__v", &0_i32.to_le_bytes()).put(1, "weight", &(random.below(90) as f64).to_le_bytes());
    document.text("slug", &slug).text("url", &format!("https://example.org/{slug}")).done()
}

fn keyed(random: &mut Random) -> Vec<u8> {
    let mut counts = Document::new();
    for _ in 0..20 {
        counts.put(16, &format!("key{}", random.below(100_000)), &1_i32.to_le_bytes());
    }
    Document::new().put(7, "_id", &random.object_id()).put(3, "counts", &counts.done()).done()
}

fn main() {
    let documents: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let document = match std::env::args().nth(2).as_deref() {
        Some("keyed") => keyed,
        _ => ordinary,
    };
    let mut random = Random(0x15_7A_05);
    let mut block = Vec::new();
    for _ in 0..documents {
        block.extend_from_slice(&document(&mut random));
    }
    let megabytes = block.len() as f64 / 1e6;
    println!("{documents} documents, {} bytes each, {megabytes:.1} MB", block.len() / documents.max(1));
    let mut best = f64::INFINITY;
    for round in 1..=10 {
        let mut profiler = Profiler::new(Limits::default());
        let started = Instant::now();
        let read = profiler.read(&block).expect("the block is sound");
        let seconds = started.elapsed().as_secs_f64();
        assert_eq!(read, documents);
        let told = Instant::now();
        let result = profiler.result();
        println!(
            "round {round}: {:.0} MB/s; its result, {} bytes, in {:.1} ms",
            megabytes / seconds,
            result.len(),
            told.elapsed().as_secs_f64() * 1e3
        );
        best = best.min(seconds);
    }
    println!("best: {:.0} MB/s, {:.0} documents/s", megabytes / best, documents as f64 / best);
    let mut profiler = Profiler::new(Limits::default());
    profiler.read(&block).expect("the block is sound");
    let sets = [Arc::new(profiler.ids()), Arc::new(ValueSet::new(1 << 20, 0))];
    let mut best = f64::INFINITY;
    for _ in 1..=10 {
        let mut prober = Prober::new(PROBES, sets.to_vec()).expect("the plan is sound");
        let started = Instant::now();
        prober.read(&block).expect("the block is sound");
        best = best.min(started.elapsed().as_secs_f64());
    }
    println!("probes, best: {:.0} MB/s, {:.0} documents/s", megabytes / best, documents as f64 / best);
}
