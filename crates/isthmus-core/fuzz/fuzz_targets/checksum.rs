//! Any bytes as a value of every kind of column, and as rows, before they are digested, looked for and shown.
#![no_main]

use std::sync::OnceLock;

use isthmus_core::checksum::{Digester, Finder};
use libfuzzer_sys::fuzz_target;

const KINDS: [&str; 20] = [
    r#""type": {"kind": "boolean"}"#,
    r#""type": {"kind": "smallint"}"#,
    r#""type": {"kind": "integer"}"#,
    r#""type": {"kind": "bigint"}"#,
    r#""type": {"kind": "real"}"#,
    r#""type": {"kind": "double"}"#,
    r#""type": {"kind": "numeric"}"#,
    r#""type": {"kind": "numeric", "precision": 9, "scale": 3}"#,
    r#""type": {"kind": "numeric", "precision": 9, "scale": -3}"#,
    r#""type": {"kind": "varchar", "length": 5}"#,
    r#""type": {"kind": "date"}"#,
    r#""type": {"kind": "timestamp", "precision": 2}"#,
    r#""type": {"kind": "timestamptz"}"#,
    r#""type": {"kind": "uuid"}, "ids": 0"#,
    r#""type": {"kind": "bytea"}"#,
    r#""type": {"kind": "jsonb"}, "rewrites": [{"path": ["a", "[]"], "ids": 0}, {"path": [], "ids": 0}]"#,
    r#""type": {"kind": "text", "array": true}, "elements": true"#,
    r#""type": {"kind": "text"}, "element": 0"#,
    r#""type": {"kind": "numeric", "precision": 5, "array": true}"#,
    r#""type": {"kind": "jsonb", "array": true}, "elements": true"#,
];
const WANTED: &str = "[[0, null, [0, 1]], [0, 0, [0]], [0, 1, [0, 1]]]";

fn sides() -> &'static [(Digester, Finder)] {
    static SIDES: OnceLock<Vec<(Digester, Finder)>> = OnceLock::new();
    SIDES.get_or_init(|| {
        let side = |kind: &&str| {
            format!(
                r#"{{"buckets": 2, "columns": [2], "tables": [{{"table": 0, "row": true, "key": [0, 1], "owner": 0,
                    "columns": [{{"column": 0, "type": {{"kind": "integer"}}}}, {{"column": 1, {kind}}}]}}],
                    "translations": [[["00000000-0000-0000-0000-000000000000", "10000000-0000-0000-0000-000000000000"]]],
                    "leave_out": [[0, ["7"]]]}}"#
            )
        };
        let new = |side: String| (Digester::new(&side).unwrap(), Finder::new(&side, WANTED, 2).unwrap());
        KINDS.iter().map(side).map(new).collect()
    })
}

/// Reads rows twice, once in front of a sound row.
fn read(digester: &Digester, finder: &Finder, rows: &[u8]) {
    const SOUND: &[u8] = b"\0\x02\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff";
    let (mut one, mut other) = (digester.fresh(), digester.fresh());
    let read = one.read_copy(0, rows);
    // A trailer ends what is read.
    if read.is_ok() && !rows.ends_with(&[0xFF, 0xFF]) {
        assert_eq!(other.read_copy(0, &[rows, SOUND].concat()).unwrap(), read.clone().unwrap() + 1);
        assert_eq!(one.compare(&other).unwrap(), []);
    }
    let (mut mine, mut theirs) = (finder.fresh(), finder.fresh());
    // Beyond its limit a finder looks at no more cells.
    let found = mine.read_copy(0, rows);
    assert!(read.is_err() || found == read);
    let _ = mine.compare(&theirs).unwrap();
    let _ = theirs.read_copy(0, rows);
    assert_eq!(mine.compare(&theirs).unwrap(), []);
    let _ = mine.merge(&mut theirs);
    let _ = theirs.compare(&mine).unwrap();
    let _ = one.merge(&mut other);
}

fuzz_target!(|data: &[u8]| {
    let Some((&kind, data)) = data.split_first() else {
        return;
    };
    let (digester, finder) = &sides()[usize::from(kind) % KINDS.len()];
    read(digester, finder, data);
    let value = [b"\0\x02\0\0\0\x04\0\0\0\x05", &(data.len() as u32).to_be_bytes()[..], data].concat();
    read(digester, finder, &value);
    // Whatever they say, a side that cannot be used is an error.
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Digester::new(text);
        let _ = Finder::new(text, text, 1);
    }
});
