//! Damaged documents through the whole walk: never a panic, and the books always balance.
//!
//! Valid documents come from a seeded generator that knows the fields of `fuzz/plan.json`; then bytes are changed,
//! put in, taken out or moved. `ISTHMUS_FUZZ_SECONDS` makes it go on for longer. It cannot see wrong values, only
//! panics, overflows, books that do not balance and profiles that are not those of their parts.

mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use isthmus_core::bson::{Raw, Value};
use isthmus_core::profile::{Limits, Profiler};
use isthmus_core::transcode::Transcoder;
use support::{array, as_array, as_document, check, raw_document, KEY, NOW_US};

const PLAN: &str = include_str!("../fuzz/plan.json");

/// Iterations without a time limit, and documents in each.
const ITERATIONS: u64 = 4_000;
const DOCUMENTS: usize = 4;

/// xorshift64*, one per iteration, so that any failure is repeated by its seed alone.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

const KEYS: [&str; 54] = [
    "text",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double",
    "numeric",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "uuid",
    "bytea",
    "jsonb",
    "arrays",
    "short",
    "money",
    "strict",
    "status",
    "user",
    "members",
    "reviews",
    "created",
    "copied",
    "steps",
    "docs",
    "legacy",
    "deleted",
    "name",
    "parts",
    "w",
    "o",
    "owner",
    "userId",
    "old",
    "$ref",
    "$id",
    "$db",
    "",
    "a.b",
    "_id",
    "x",
    "k\u{e9}",
    "a_key_longer_than_eight_bytes",
    "pick",
    "pick",
    "pick",
    "pick",
    "stray",
    "list",
    "list",
    "list2",
    "roles",
    "mapped",
];

const TEXTS: [&[u8]; 14] = [
    b"",
    b"ACTIVE",
    b"DONE",
    b"Users",
    b"12",
    b"-1.5e3",
    b"NaN",
    b"2024-02-29",
    b"2024-02-29T12:00:00.123+01:00",
    b"6553f1000102030405060708",
    b"00010203-0405-0607-0809-0a0b0c0d0e0f",
    b"a\0b",
    b"\xC3\x28",
    "Z\u{fc}rich".as_bytes(),
];

const NUMBERS: [i64; 10] =
    [0, 1, -1, 32_768, 1 << 31, i64::MAX, i64::MIN, 946_684_800_000, 1_700_000_000_000, 253_402_300_800_000];

const DOUBLES: [f64; 10] =
    [0.0, -0.0, 1.0, 0.1, 1e40, 1e-320, f64::NAN, f64::INFINITY, f64::MIN, 9_007_199_254_740_993.0];

/// Calls `take` with a random value; nested bytes live as long as the call.
fn with_value(random: &mut Random, depth: usize, take: &mut dyn FnMut(Value<'_>)) {
    let text = random.pick(&TEXTS);
    let number = random.pick(&NUMBERS);
    let nested = |random: &mut Random| if depth == 0 { raw_document(&[]) } else { some_document(random, depth - 1) };
    match random.below(23) {
        0 | 1 => take(Value::String(text)),
        2 => take(Value::Double(random.pick(&DOUBLES))),
        3 => take(as_document(&nested(random))),
        4 | 5 => {
            let items: Vec<Vec<u8>> = (0..random.below(4)).map(|_| nested(random)).collect();
            let values: Vec<Value<'_>> = items.iter().map(|item| as_document(item)).collect();
            take(as_array(&array(&values)));
        }
        6 => take(as_array(&nested(random))),
        7 => take(Value::Binary { subtype: random.pick(&[0, 2, 3, 4, 5, 128]), bytes: text }),
        8 => take(Value::Binary { subtype: 4, bytes: &[9; 16] }),
        9 => take(Value::Undefined),
        10 | 11 => take(Value::ObjectId([random.below(4) as u8; 12])),
        12 => take(Value::Bool(random.below(2) == 0)),
        13 => take(Value::DateTime(number)),
        14 => take(Value::Null),
        15 => take(Value::Regex { pattern: b"a.*", options: b"i" }),
        16 => take(Value::DbPointer { namespace: text, id: [1; 12] }),
        17 => take(Value::Symbol(text)),
        18 => {
            let scope = nested(random);
            take(Value::CodeWithScope { code: text, scope: Raw::new(&scope).unwrap() });
        }
        19 => take(Value::Int32(number as i32)),
        20 => take(Value::Int64(number)),
        21 => take(Value::Timestamp { time: number as u32, increment: random.below(2) as u32 }),
        _ => {
            let bits = u128::from(random.next()) << 64 | u128::from(random.next());
            let small = (6_176_u128 - 2) << 113 | u128::from(random.next() % 100_000);
            take(Value::Decimal128(random.pick(&[bits, small]).to_le_bytes()));
        }
    }
}

fn some_document(random: &mut Random, depth: usize) -> Vec<u8> {
    let mut out = vec![0; 4];
    for _ in 0..random.below(7) {
        let key = random.pick(&KEYS);
        put_field(random, key, depth, &mut out);
    }
    sealed(out)
}

/// A field with a value of the shape that the plan expects under this key, or of any other.
fn put_field(random: &mut Random, key: &str, depth: usize, out: &mut Vec<u8>) {
    let shaped = depth > 0 && random.below(4) > 0;
    let inner: &[&str] = match key {
        "o" | "roles" if !shaped => return with_value(random, depth, &mut |value| put(out, key, &value)),
        "steps" => &["name", "parts", "x", "parts", "owners"],
        "parts" => &["w", "o", "x"],
        "list" | "list2" => &["name", "x", "w"],
        "o" => return put(out, key, &as_document(&some_document(random, depth - 1))),
        "roles" => {
            let labels: Vec<Value<'_>> = (0..random.below(4)).map(|_| Value::String(TEXTS[random.below(3)])).collect();
            return put(out, key, &as_array(&array(&labels)));
        }
        "docs" | "members" | "owners" => &[],
        _ => return with_value(random, depth, &mut |value| put(out, key, &value)),
    };
    if !shaped {
        return with_value(random, depth, &mut |value| put(out, key, &value));
    }
    if inner.is_empty() {
        let ids: Vec<Value<'_>> =
            (0..random.below(60)).map(|_| Value::ObjectId([random.below(50) as u8; 12])).collect();
        return put(out, key, &as_array(&array(&ids)));
    }
    let mut items = Vec::new();
    for _ in 0..random.below(4) {
        let mut item = vec![0; 4];
        for _ in 0..random.below(4) {
            match random.pick(inner) {
                "w" => put(&mut item, "w", &Value::Double(random.pick(&[0.5, 0.1, 2.0]))),
                "name" => put(&mut item, "name", &Value::String(random.pick(&TEXTS))),
                key => put_field(random, key, depth - 1, &mut item),
            }
        }
        items.push(sealed(item));
    }
    let values: Vec<Value<'_>> = items.iter().map(|item| as_document(item)).collect();
    put(out, key, &as_array(&array(&values)));
}

fn put(out: &mut Vec<u8>, key: &str, value: &Value<'_>) {
    out.push(value.kind());
    out.extend_from_slice(key.as_bytes());
    out.push(0);
    value.write_raw(out);
}

fn sealed(mut out: Vec<u8>) -> Vec<u8> {
    out.push(0);
    set_length(&mut out);
    out
}

fn set_length(document: &mut [u8]) {
    let length = (document.len() as u32).to_le_bytes();
    document[..4].copy_from_slice(&length);
}

fn root_document(random: &mut Random) -> Vec<u8> {
    let mut out = vec![0; 4];
    if random.below(10) > 0 {
        put(&mut out, "_id", &Value::ObjectId([random.below(250) as u8; 12]));
    }
    for _ in 0..random.below(14) {
        let key = random.pick(&KEYS);
        put_field(random, key, 3, &mut out);
    }
    sealed(out)
}

/// Damages a document but keeps its outer length right, so that it is read at all.
fn damage(random: &mut Random, document: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let at = 4 + random.below(document.len() - 4);
        match random.below(6) {
            0 => document[at] = random.next() as u8,
            1 => document[at] ^= 1 << random.below(8),
            2 => document.insert(at, random.pick(&[0, 1, 3, 4, 255])),
            3 if document.len() > 5 => {
                document.remove(at);
            }
            4 => {
                let end = (at + random.below(12)).min(document.len());
                let piece = document[at..end].to_vec();
                let to = 4 + random.below(document.len() - 4);
                document.splice(to..to, piece);
            }
            _ => {
                let end = (at + 4).min(document.len());
                document[at..end].fill(random.pick(&[0, 127, 255]));
            }
        }
    }
    set_length(document);
}

fn iteration(transcoder: &Transcoder, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut block = Vec::new();
    for _ in 0..DOCUMENTS {
        let mut document = root_document(&mut random);
        damage(&mut random, &mut document);
        block.extend_from_slice(&document);
    }
    let batch = transcoder.transcode(&block).expect("the lengths are right");
    check(&batch);
    check_profile(&block, &batch.offsets);
    assert_eq!(batch.documents, DOCUMENTS);
    let met: u64 = batch.counts["references_met"].values().sum();
    let kept: u64 = batch.counts["references"].iter().filter(|(name, _)| !name.contains('[')).map(|(_, n)| n).sum();
    assert!(met + batch.counts["references"].values().sum::<u64>() >= kept);
    // Each document alone makes the same rows as in company.
    let mut alone = vec![Vec::new(); batch.outputs.len()];
    for number in 0..DOCUMENTS {
        let one = transcoder.transcode(&block[batch.offsets[number]..batch.offsets[number + 1]]).unwrap();
        for (all, output) in alone.iter_mut().zip(&one.outputs) {
            all.extend_from_slice(output);
        }
    }
    assert_eq!(alone, batch.outputs);
    // A damaged block is an error or a batch, never anything else.
    let at = random.below(block.len());
    block[at] = random.next() as u8;
    if let Ok(batch) = transcoder.transcode(&block) {
        check(&batch);
    }
    block.truncate(at);
    let _ = transcoder.find(&block, &[]);
    let _ = Profiler::new(Limits::default()).read(&block);
}

/// The profile of a block is that of its halves, and takes a document for readable when its bytes are BSON.
fn check_profile(block: &[u8], offsets: &[usize]) {
    let limits = Limits { keys: 12, values: 8, sketch: 16, key_bytes: 16, ..Limits::default() };
    let profiled = |block: &[u8]| {
        let mut profiler = Profiler::new(limits);
        profiler.read(block).expect("the lengths are right");
        profiler
    };
    let said = |profiler: &Profiler| -> serde_json::Value {
        serde_json::from_str(&profiler.result()).expect("the profile is JSON")
    };
    let (first, second) = block.split_at(offsets[DOCUMENTS / 2]);
    let mut merged = profiled(second);
    merged.merge(&mut profiled(first)).expect("the limits are equal");
    let whole = said(&profiled(block));
    assert_eq!(said(&merged), whole);
    let readable =
        offsets.windows(2).filter(|ends| Raw::new(&block[ends[0]..ends[1]]).and_then(|raw| raw.validate()).is_ok());
    assert_eq!(whole["documents"].as_u64(), Some(readable.count() as u64));
}

#[test]
fn damaged_documents_never_panic_and_always_balance() {
    let transcoder = Transcoder::new(PLAN, &KEY, NOW_US, &HashMap::new()).expect("the plan is sound");
    let seconds = std::env::var("ISTHMUS_FUZZ_SECONDS").ok().and_then(|text| text.parse::<u64>().ok());
    let started = Instant::now();
    let mut seed = 0;
    loop {
        let outcome = std::panic::catch_unwind(|| iteration(&transcoder, seed));
        assert!(outcome.is_ok(), "seed {seed} fails");
        seed += 1;
        match seconds {
            Some(limit) if started.elapsed() >= Duration::from_secs(limit) => break,
            None if seed >= ITERATIONS => break,
            _ => {}
        }
    }
    println!("{seed} iterations of {DOCUMENTS} documents");
}

#[test]
fn undamaged_documents_are_mostly_carried() {
    // Otherwise the test above would only ever see rejects.
    let transcoder = Transcoder::new(PLAN, &KEY, NOW_US, &HashMap::new()).expect("the plan is sound");
    let mut random = Random(1);
    let block: Vec<u8> = (0..2_000).flat_map(|_| root_document(&mut random)).collect();
    let batch = transcoder.transcode(&block).unwrap();
    check(&batch);
    assert!(batch.accepted > 300, "only {} of {} are accepted", batch.accepted, batch.documents);
    assert!(batch.rows.iter().all(|&rows| rows > 0), "{:?}", batch.rows);
}
