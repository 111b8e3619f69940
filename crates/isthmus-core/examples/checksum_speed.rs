//! Prints how many megabytes of COPY rows one core digests a second.
//!
//! `cargo run --release --example checksum_speed [ROWS]`. Shapes:
//!
//! - `ordinary`: about 450 bytes, 20 columns: a uuid as key, texts of several lengths, numbers of all types, instants,
//!   flags, NULLs, an array of texts;
//! - `narrow`: a uuid and an integer, where the digests cost most;
//! - `jsonb`: a uuid and a JSON text of about 500 bytes as a server prints it, and once more with its keys in the
//!   order of a document, which must be sorted.
//!
//! The rows come from a generator with a fixed seed. The finder looks for one of 1,024 buckets.

use std::time::Instant;

use isthmus_core::checksum::{Digester, Finder};

/// xorshift64*: small, seeded, good enough to make rows differ.
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

    fn words(&mut self, count: usize) -> String {
        const WORDS: [&str; 8] = ["river", "lantern", "quiet", "harbour", "seven", "copper", "meadow", "Zürich"];
        (0..count).map(|_| WORDS[self.below(8) as usize]).collect::<Vec<_>>().join(" ")
    }

    fn uuid(&mut self) -> Vec<u8> {
        [self.next().to_be_bytes(), self.next().to_be_bytes()].concat()
    }
}

fn put_row(fields: &[Option<Vec<u8>>], out: &mut Vec<u8>) {
    out.extend_from_slice(&(fields.len() as u16).to_be_bytes());
    for field in fields {
        out.extend_from_slice(&field.as_ref().map_or(-1, |bytes| bytes.len() as i32).to_be_bytes());
        out.extend_from_slice(field.as_deref().unwrap_or_default());
    }
}

fn side(kinds: &[&str]) -> String {
    let column = |(number, kind): (usize, &&str)| format!(r#"{{"column": {number}, "type": {{{kind}}}}}"#);
    let columns: Vec<String> = kinds.iter().enumerate().map(column).collect();
    format!(
        r#"{{"buckets": 1024, "columns": [{}], "tables": [{{"table": 0, "row": true, "key": [0], "columns": [{}]}}]}}"#,
        kinds.len(),
        columns.join(",")
    )
}

const TEXT: &str = r#""kind": "text""#;
const ORDINARY: [&str; 20] = [
    r#""kind": "uuid""#,
    TEXT,
    TEXT,
    TEXT,
    r#""kind": "varchar", "length": 80"#,
    r#""kind": "enum""#,
    r#""kind": "integer""#,
    r#""kind": "bigint""#,
    r#""kind": "double""#,
    r#""kind": "numeric", "precision": 12, "scale": 2"#,
    r#""kind": "numeric""#,
    r#""kind": "boolean""#,
    r#""kind": "timestamptz", "precision": 3"#,
    r#""kind": "timestamptz""#,
    r#""kind": "date""#,
    r#""kind": "uuid""#,
    r#""kind": "text", "array": true"#,
    TEXT,
    TEXT,
    r#""kind": "bytea""#,
];

fn ordinary(random: &mut Random) -> Vec<Option<Vec<u8>>> {
    let numeric = |groups: &[u16], scale: u16| {
        let head = [groups.len() as u16, groups.len() as u16 - 2, 0, scale];
        head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>()
    };
    let mut tags: Vec<u8> = [1, 0, 25, 3, 1_i32].iter().flat_map(|word| word.to_be_bytes()).collect();
    for _ in 0..3 {
        let tag = random.words(1);
        tags.extend_from_slice(&(tag.len() as i32).to_be_bytes());
        tags.extend_from_slice(tag.as_bytes());
    }
    let mut text = |count| Some(random.words(count).into_bytes());
    let (title, body, email, name) = (text(4), text(12), text(3), text(2));
    let status = text(1);
    let note = if random.below(5) > 0 { Some(random.words(3).into_bytes()) } else { None };
    vec![
        Some(random.uuid()),
        title,
        body,
        email,
        name,
        status,
        Some((random.below(100_000) as i32).to_be_bytes().to_vec()),
        Some(random.next().to_be_bytes().to_vec()),
        Some((random.below(10_000) as f64 / 8.0).to_be_bytes().to_vec()),
        Some(numeric(&[1 + random.below(9_998) as u16, random.below(9_999) as u16, 2_500], 2)),
        Some(numeric(&[1 + random.below(9_998) as u16, 1 + random.below(9_998) as u16], 4)),
        Some(vec![random.below(2) as u8]),
        Some((random.below(1 << 50) as i64 / 1_000 * 1_000).to_be_bytes().to_vec()),
        Some((random.below(1 << 50) as i64).to_be_bytes().to_vec()),
        Some((random.below(10_000) as i32).to_be_bytes().to_vec()),
        Some(random.uuid()),
        Some(tags),
        note,
        None,
        Some(random.uuid()),
    ]
}

fn json(random: &mut Random, sorted: bool) -> Vec<u8> {
    let (words, more, body) = (random.words(2), random.words(2), random.words(20));
    let (one, other, price) = (random.below(1_000_000), random.next(), random.below(100_000) as f64 / 100.0);
    let line = |price: f64| format!(r#"{{"sku": "{words}", "price": {price}, "count": {one}}}"#);
    let lines = format!("[{}, {}, {}]", line(price), line(price + 1.0), line(price / 2.0));
    let mut members = [
        format!(r#""id": {other}"#),
        format!(r#""body": "{body}""#),
        format!(r#""lines": {lines}"#),
        format!(r#""title": "{words}""#),
        format!(r#""active": {}"#, one % 2 == 0),
        format!(r#""address": {{"zip": "{one}", "city": "{more}", "street": "{words}"}}"#),
    ];
    if !sorted {
        members.reverse();
    }
    format!("\x01{{{}}}", members.join(", ")).into_bytes()
}

fn measure(name: &str, kinds: &[&str], rows: usize, mut row: impl FnMut(&mut Random) -> Vec<Option<Vec<u8>>>) {
    let mut random = Random(0x15_7A_05);
    let mut block = Vec::new();
    (0..rows).for_each(|_| put_row(&row(&mut random), &mut block));
    let (side, megabytes) = (side(kinds), block.len() as f64 / 1e6);
    let best = |mut read: Box<dyn FnMut() + '_>| {
        let mut best = f64::INFINITY;
        for _ in 0..10 {
            let started = Instant::now();
            read();
            best = best.min(started.elapsed().as_secs_f64());
        }
        best
    };
    let digests = best(Box::new(|| {
        let mut digester = Digester::new(&side).expect("the side is sound");
        assert_eq!(digester.read_copy(0, &block).expect("the rows are sound"), rows);
    }));
    let wanted = format!("[[0, {}, [7]]]", kinds.len() - 1);
    let finds = best(Box::new(|| {
        let mut finder = Finder::new(&side, &wanted, 1_000_000).expect("the side is sound");
        assert_eq!(finder.read_copy(0, &block).expect("the rows are sound"), rows);
    }));
    println!(
        "{name}: {rows} rows of {} bytes; digester {:.0} MB/s, {:.0} rows/s; finder {:.0} MB/s",
        block.len() / rows.max(1),
        megabytes / digests,
        rows as f64 / digests,
        megabytes / finds
    );
}

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    measure("ordinary", &ORDINARY, rows, ordinary);
    measure("narrow", &[ORDINARY[0], ORDINARY[6]], rows, |random| {
        vec![Some(random.uuid()), Some((random.next() as i32).to_be_bytes().to_vec())]
    });
    for (name, sorted) in [("jsonb, as printed", true), ("jsonb, to be sorted", false)] {
        measure(name, &[ORDINARY[0], r#""kind": "jsonb""#], rows, |random| {
            vec![Some(random.uuid()), Some(json(random, sorted))]
        });
    }
}
