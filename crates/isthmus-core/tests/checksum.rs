//! Digester and Finder: what is equal, what differs, and that no bytes make them panic.
//!
//! Cannot see whether a canonical form is what the server makes of a value: `tests/unit/core/test_digester.py` asks one.

use isthmus_core::checksum::{Difference, Digester, Fault, Finder, Finding, ReadError};

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

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

type Field = Option<Vec<u8>>;

fn row(fields: &[Field]) -> Vec<u8> {
    let mut out = (fields.len() as u16).to_be_bytes().to_vec();
    for field in fields {
        match field {
            None => out.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(bytes) => {
                out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
                out.extend_from_slice(bytes);
            }
        }
    }
    out
}

fn text(text: &str) -> Field {
    Some(text.as_bytes().to_vec())
}

fn number(number: i32) -> Field {
    Some(number.to_be_bytes().to_vec())
}

fn array(elements: &[Option<&str>]) -> Field {
    let mut out = Vec::new();
    let head: &[i32] = if elements.is_empty() { &[0, 0, 25] } else { &[1, 0, 25, elements.len() as i32, 1] };
    head.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    for element in elements {
        out.extend_from_slice(&element.map_or(-1, |text| text.len() as i32).to_be_bytes());
        out.extend_from_slice(element.unwrap_or("").as_bytes());
    }
    Some(out)
}

/// A side of one shared table `id integer, a <kind>`, with more members.
fn one_column(kind: &str, more: &str) -> String {
    format!(
        r#"{{"buckets": 16, "columns": [2], "tables": [{{"table": 0, "row": true, "key": [0], "columns": [
            {{"column": 0, "type": {{"kind": "integer"}}}}, {{"column": 1, {kind}}}]}}]{more}}}"#
    )
}

fn digest(side: &str, rows: &[Vec<u8>]) -> Digester {
    let mut digester = Digester::new(side).unwrap();
    assert_eq!(digester.read_copy(0, &rows.concat()).unwrap(), rows.len());
    digester
}

/// Which columns differ; rows are none.
fn columns(differences: &[Difference]) -> Vec<Option<usize>> {
    differences.iter().map(|found| found.column).collect()
}

fn wanted(differences: &[Difference]) -> String {
    let one = |found: &Difference| {
        let buckets: Vec<String> = (0..found.buckets.len() * 8)
            .filter(|bucket| found.buckets[bucket / 8] >> (bucket % 8) & 1 == 1)
            .map(|bucket| bucket.to_string())
            .collect();
        let column = found.column.map_or("null".to_owned(), |column| column.to_string());
        format!("[{}, {column}, [{}]]", found.table, buckets.join(","))
    };
    format!("[{}]", differences.iter().map(one).collect::<Vec<_>>().join(","))
}

fn find(side: &str, wanted: &str, limit: usize, rows: &[Vec<u8>]) -> Finder {
    let mut finder = Finder::new(side, wanted, limit).unwrap();
    finder.read_copy(0, &rows.concat()).unwrap();
    finder
}

fn finding(column: Option<usize>, key: &str, texts: [Option<&str>; 2], fault: Fault) -> Finding {
    let [expected, actual] = texts.map(|text| text.map(str::to_owned));
    Finding { table: 0, column, key: vec![Some(key.to_owned())], expected, actual, fault }
}

const TEXT: &str = r#""type": {"kind": "text"}"#;

#[test]
fn sums_are_equal_in_whatever_order_and_parts_rows_come() {
    let side = one_column(TEXT, "");
    let mut random = Random(1);
    let mut rows: Vec<Vec<u8>> = (0..200).map(|id| row(&[number(id), (id % 7 > 0).then(|| random.bytes(9))])).collect();
    let whole = digest(&side, &rows);
    assert_eq!((whole.rows(), whole.left_out(), whole.cells()), (vec![200], vec![0], vec![vec![200, 171]]));
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.below(at + 1));
    }
    let (mut one, mut other) = (digest(&side, &rows[..70]), digest(&side, &rows[70..]));
    assert!(!whole.compare(&one).unwrap().is_empty());
    one.merge(&mut other).unwrap();
    assert_eq!(whole.compare(&one).unwrap(), []);
    assert_eq!((one.rows(), one.cells(), other.rows()), (whole.rows(), whole.cells(), vec![0]));
    // Of a row that comes twice nothing is cancelled.
    one.merge(&mut digest(&side, &[rows[0].clone(), rows[0].clone()])).unwrap();
    assert_eq!(columns(&whole.compare(&one).unwrap()).first(), Some(&None));
}

#[test]
fn values_that_changed_places_are_found() {
    // Also where all keys share a bucket.
    let side = one_column(TEXT, "").replace("16", "1");
    let straight = digest(&side, &[row(&[number(1), text("a")]), row(&[number(2), text("b")])]);
    let crossed = digest(&side, &[row(&[number(1), text("b")]), row(&[number(2), text("a")])]);
    assert_eq!(columns(&straight.compare(&crossed).unwrap()), [Some(1)]);
    let empty = digest(&side, &[row(&[number(1), text("")]), row(&[number(2), None])]);
    let null = digest(&side, &[row(&[number(1), None]), row(&[number(2), text("")])]);
    assert_eq!(columns(&empty.compare(&null).unwrap()), [Some(1)]);
}

#[test]
fn arrays_that_differ_in_any_way_are_different() {
    let side = one_column(r#""type": {"kind": "text", "array": true}"#, "");
    let with = |at: usize, byte: u8| {
        let mut changed = array(&[Some("a"), Some("b")]).unwrap();
        changed[at] = byte;
        Some(changed)
    };
    let square: Vec<u8> = [2, 0, 25, 1, 1, 2, 1, 1].iter().flat_map(|word: &i32| word.to_be_bytes()).collect();
    let square = [square, b"a\0\0\0\x01b".to_vec()].concat();
    let all = [
        None,
        array(&[]),
        array(&[None]),
        array(&[Some("")]),
        array(&[None, None]),
        array(&[Some("a"), Some("b")]),
        array(&[Some("b"), Some("a")]),
        array(&[Some("ab"), Some("")]),
        array(&[Some("ab")]),
        with(19, 0),
        Some(square),
    ];
    let digests = all.map(|value| digest(&side, &[row(&[number(1), value])]));
    for (at, one) in digests.iter().enumerate() {
        for (to, other) in digests.iter().enumerate() {
            assert_eq!(one.compare(other).unwrap().is_empty(), at == to, "{at} and {to}");
        }
    }
    // Flags and the OID of the elements say nothing.
    for changed in [with(7, 1), with(11, 26)] {
        let same = digest(&side, &[row(&[number(1), changed])]);
        assert_eq!(digests[5].compare(&same).unwrap(), []);
    }
}

#[test]
fn owners_leave_out_exactly_their_rows() {
    let rows: Vec<Vec<u8>> = (0..50).map(|id| row(&[number(id), text("x")])).collect();
    let side = one_column(TEXT, "");
    let owned = one_column(TEXT, r#", "leave_out": [[0, ["7", "8", "77"]]]"#);
    let owned = owned.replace(r#""key": [0],"#, r#""key": [0], "owner": 0,"#);
    let left = digest(&owned, &rows);
    assert_eq!((left.rows(), left.left_out()), (vec![48], vec![2]));
    let rest: Vec<Vec<u8>> =
        rows.iter().enumerate().filter(|(id, _)| ![7, 8].contains(id)).map(|(_, r)| r.clone()).collect();
    assert_eq!(left.compare(&digest(&side, &rest)).unwrap(), []);
}

#[test]
fn sums_of_another_seed_are_others_and_do_not_compare() {
    let rows: Vec<Vec<u8>> = (0..50).map(|id| row(&[number(id), text("x")])).collect();
    let seeded = |seed: u64| one_column(TEXT, &format!(", \"seed\": {seed}"));
    let one = digest(&seeded(7), &rows);
    assert_eq!(one.compare(&digest(&seeded(7), &rows)).unwrap(), []);
    assert!(one.compare(&digest(&seeded(8), &rows)).unwrap_err().contains("different seeds"));
}

#[test]
fn ids_are_translated_in_keys_cells_and_arrays() {
    let side = r#"{"buckets": 8, "columns": [3], "tables": [{"table": 0, "row": true, "key": [0], "columns": [
        {"column": 0, "type": {"kind": "uuid"}, "ids": 0},
        {"column": 1, "type": {"kind": "uuid", "array": true}, "ids": 0},
        {"column": 2, "type": {"kind": "jsonb"}, "rewrites": [{"path": ["ids", "[]"], "ids": 0}]}]}],
        "translations": [[["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]]]}"#;
    let uuid = |last: u8| [&[0; 15][..], &[last]].concat();
    let uuids = |last: u8| {
        let mut out = Vec::new();
        [1, 0, 2950, 2, 1].iter().for_each(|word: &i32| out.extend_from_slice(&word.to_be_bytes()));
        for last in [last, 9] {
            out.extend_from_slice(&16i32.to_be_bytes());
            out.extend_from_slice(&uuid(last));
        }
        Some(out)
    };
    let json = |last: u8| {
        let id = format!("00000000-0000-0000-0000-00000000000{last}");
        Some(format!("\x01{{\"ids\": [\"{id}\", 1], \"id\": 5}}").into_bytes())
    };
    let old = digest(side, &[row(&[Some(uuid(1)), uuids(1), json(1)])]);
    let new = digest(side, &[row(&[Some(uuid(2)), uuids(2), json(2)])]);
    assert_eq!(old.compare(&new).unwrap(), []);
    let other = digest(side, &[row(&[Some(uuid(2)), uuids(3), json(3)])]);
    assert_eq!(columns(&new.compare(&other).unwrap()), [Some(1), Some(2)]);
}

/// The expected side has the array's elements in a table that waits, the other the array.
const WAITING: &str = r#"{"buckets": 16, "columns": [2], "tables": [
    {"table": 0, "row": true, "key": [0], "columns": [{"column": 0, "type": {"kind": "integer"}}]},
    {"table": 0, "key": [0], "columns": [{"column": null, "type": {"kind": "integer"}},
        {"column": null, "type": {"kind": "integer"}},
        {"column": 1, "type": {"kind": "text"}, "element": 1}]}]}"#;

fn whole_arrays() -> String {
    one_column(r#""type": {"kind": "text", "array": true}, "elements": true"#, "")
}

#[test]
fn elements_that_wait_in_rows_are_those_of_the_array() {
    let arrays: [&[Option<&str>]; 4] = [&[Some("a"), None, Some("")], &[], &[None], &[Some("b")]];
    let mut waiting = Digester::new(WAITING).unwrap();
    let mut rows = Vec::new();
    for (id, elements) in (0..).zip(arrays) {
        rows.push(row(&[number(id), array(elements)]));
        waiting.read_copy(0, &row(&[number(id)])).unwrap();
        for (at, element) in (0..).zip(elements) {
            waiting.read_copy(1, &row(&[number(id), number(at), element.and_then(text)])).unwrap();
        }
        if elements.is_empty() {
            waiting.read_copy(1, &row(&[number(id), number(-1), None])).unwrap();
        }
    }
    rows.push(row(&[number(9), None]));
    waiting.read_copy(0, &row(&[number(9)])).unwrap();
    assert_eq!(waiting.compare(&digest(&whole_arrays(), &rows)).unwrap(), []);
    assert_eq!((waiting.rows(), waiting.cells()), (vec![5], vec![vec![5, 6]]));
    for (id, other) in
        [(0, array(&[Some("a"), Some(""), None])), (1, None), (2, array(&[])), (3, array(&[Some("b"), None]))]
    {
        let mut changed = rows.clone();
        changed[id] = row(&[number(id as i32), other]);
        assert_eq!(columns(&waiting.compare(&digest(&whole_arrays(), &changed)).unwrap()), [Some(1)], "{id}");
    }
    // The same elements, but counted from 0.
    let mut shifted = array(&[Some("b")]).unwrap();
    shifted[19] = 0;
    rows[3] = row(&[number(3), Some(shifted)]);
    assert_eq!(columns(&waiting.compare(&digest(&whole_arrays(), &rows)).unwrap()), [Some(1)]);
}

#[test]
fn several_columns_are_one_of_which_the_first_with_a_value_counts() {
    let kind = r#""type": {"kind": "text"}"#;
    let three = format!(
        r#"{{"buckets": 16, "columns": [2], "tables": [{{"table": 0, "row": true, "key": [0], "columns": [
            {{"column": 0, {kind}}}, {{"column": 1, {kind}}}, {{"column": 1, {kind}, "unless": [1]}},
            {{"column": 1, {kind}, "unless": [1, 2]}}]}}]}}"#
    );
    let one = format!(
        r#"{{"buckets": 16, "columns": [2], "tables": [{{"table": 0, "row": true, "key": [0], "columns": [
            {{"column": 0, {kind}}}, {{"column": 1, {kind}}}]}}]}}"#
    );
    let (key, a, b) = (text("k"), text("a"), text("b"));
    for (fields, value) in [
        ([a.clone(), a.clone(), b.clone()], a.clone()),
        ([None, b.clone(), a.clone()], b.clone()),
        ([None, None, b.clone()], b.clone()),
        ([None, None, None], None),
    ] {
        let [first, second, third] = fields;
        let expected = digest(&three, &[row(&[key.clone(), first, second, third])]);
        let actual = digest(&one, &[row(&[key.clone(), value])]);
        assert!(expected.compare(&actual).unwrap().is_empty());
        let other = digest(&one, &[row(&[key.clone(), text("other")])]);
        assert_eq!(columns(&expected.compare(&other).unwrap()), [Some(1)]);
    }
    assert!(Digester::new(&three.replace("[1, 2]", "[1, 4]")).is_err());
}

#[test]
fn finder_names_exactly_the_damage() {
    let side = one_column(TEXT, "");
    let rows: Vec<Vec<u8>> = (0..500).map(|id| row(&[number(id), text(&format!("value {id}"))])).collect();
    let mut damaged = rows.clone();
    damaged[3] = row(&[number(3), text("other")]);
    damaged[4] = row(&[number(4), None]);
    damaged.push(row(&[number(500), text("new")]));
    damaged.push(rows[9].clone());
    damaged.swap_remove(5);
    let differences = digest(&side, &rows).compare(&digest(&side, &damaged)).unwrap();
    let wanted = wanted(&differences);
    let found = [
        finding(Some(1), "3", [Some("value 3"), Some("other")], Fault::Different),
        finding(Some(1), "4", [Some("value 4"), None], Fault::Different),
        finding(None, "5", [None, None], Fault::Missing),
        finding(None, "500", [None, None], Fault::Extra),
        finding(None, "9", [Some("1"), Some("2")], Fault::Extra),
    ];
    let expected = find(&side, &wanted, 1_000, &rows);
    let actual = find(&side, &wanted, 1_000, &damaged);
    assert_eq!(expected.compare(&actual).unwrap(), found);
    assert_eq!((expected.beyond(), actual.beyond()), (vec![0], vec![0]));
    // In parts, and merged.
    let mut merged = find(&side, &wanted, 1_000, &damaged[..250]);
    merged.merge(&mut find(&side, &wanted, 1_000, &damaged[250..])).unwrap();
    assert_eq!(expected.compare(&merged).unwrap(), found);
    // With a limit whatever is said is true, and all that is kept is told.
    let mut told = 0;
    for limit in [1, 2, 10, 50, 100] {
        let expected = find(&side, &wanted, limit, &rows);
        let mut parts = find(&side, &wanted, limit, &damaged[300..]);
        parts.merge(&mut find(&side, &wanted, limit, &damaged[..300])).unwrap();
        let some = expected.compare(&parts).unwrap();
        assert!(some.iter().all(|finding| found.contains(finding)), "{limit}: {some:?}");
        assert!(some.len() >= told && expected.beyond()[0] > 0);
        told = some.len();
    }
    let everything = format!("[[0, 1, [{}]]]", (0..16).map(|at| at.to_string()).collect::<Vec<_>>().join(","));
    assert_eq!(find(&side, &everything, 30, &rows).beyond(), [470]);
    // Whoever wants nothing of a column is not told of it.
    let rows_only = format!("[[0, null, [{}]]]", (0..16).map(|at| at.to_string()).collect::<Vec<_>>().join(","));
    let (expected, actual) = (find(&side, &rows_only, 1_000, &rows), find(&side, &rows_only, 1_000, &damaged));
    assert_eq!(expected.compare(&actual).unwrap(), found[2..]);
}

#[test]
fn finder_shows_arrays_whole_or_by_element() {
    let all = format!("[[0, 1, [{}]]]", (0..16).map(|at| at.to_string()).collect::<Vec<_>>().join(","));
    let shown = |expected: &[Option<&str>], actual: Field| {
        let mut waiting = Finder::new(WAITING, &all, 100).unwrap();
        waiting.read_copy(0, &row(&[number(1)])).unwrap();
        for (at, element) in (0..).zip(expected) {
            waiting.read_copy(1, &row(&[number(1), number(at), element.and_then(text)])).unwrap();
        }
        let found = waiting.compare(&find(&whole_arrays(), &all, 100, &[row(&[number(1), actual])])).unwrap();
        found.into_iter().map(|found| (found.expected, found.actual)).collect::<Vec<_>>()
    };
    let pair = |one: &str, other: &str| vec![(Some(one.to_owned()), Some(other.to_owned()))];
    assert_eq!(shown(&[Some("a")], array(&[Some("a")])), []);
    assert_eq!(shown(&[Some("a b"), None], array(&[Some("NULL")])), pair(r#"{"a b",NULL}"#, r#"{"NULL"}"#));
    assert_eq!(shown(&[Some("a")], array(&[])), pair("{a}", "{}"));
    assert_eq!(shown(&[Some("a")], None), [(Some("{a}".to_owned()), None)]);
    assert_eq!(shown(&[], array(&[Some("a")])), [(None, Some("{a}".to_owned()))]);
    let long = "x".repeat(198);
    let long = long.as_str();
    assert_eq!(shown(&[Some(long), Some("a")], array(&[Some(long), Some("b")])), pair("[1] a", "[1] b"));
    assert_eq!(shown(&[Some(long), Some("a")], array(&[Some(long)])), pair("[1] a", "[1] is not there"));
    let many = vec![Some("a"); 70];
    let mut other = many.clone();
    other[60] = None;
    assert_eq!(shown(&many, array(&other)), pair("[60] a", "[60] NULL"));
    other[60] = Some("a");
    other[66] = None;
    let told = "70 elements, of which the first 64 are equal";
    assert_eq!(shown(&many, array(&other)), pair(told, told));
}

#[test]
fn sensitive_values_are_never_shown() {
    let side = one_column(r#""type": {"kind": "text"}, "sensitive": true"#, "");
    let rows = [row(&[number(1), text("secret")])];
    let all = "[[0, 1, [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]]]";
    let found = find(&side, all, 9, &rows).compare(&find(&side, all, 9, &[row(&[number(1), text("else")])])).unwrap();
    assert_eq!(found, [finding(Some(1), "1", [Some("(hidden)"), Some("(hidden)")], Fault::Different)]);
}

#[test]
fn sides_that_contradict_themselves_are_refused_in_words() {
    let table = |table: &str| format!(r#"{{"buckets": 4, "columns": [1], "tables": [{table}]}}"#);
    let column = |column: &str| table(&format!(r#"{{"table": 0, "key": [0], "columns": [{column}]}}"#));
    let uuid = r#"{"column": 0, "type": {"kind": "uuid"}, "ids": 0}"#;
    for (side, said) in [
        (String::new(), "cannot be read"),
        (r#"{"buckets": 0, "columns": [], "tables": []}"#.to_owned(), "1 to 65536 buckets"),
        (table(r#"{"table": 1, "key": [0], "columns": []}"#), "shared table 1"),
        (table(r#"{"table": 0, "key": [], "columns": []}"#), "has no key"),
        (table(r#"{"table": 0, "key": [3], "columns": []}"#), "names column 3"),
        (column(r#"{"column": 1, "type": {"kind": "text"}}"#), "shared column 1"),
        (column(r#"{"column": 0, "type": {"kind": "text"}}, {"column": 0, "type": {"kind": "text"}}"#), "two columns"),
        (column(r#"{"column": 0, "type": {"kind": "text"}, "ids": 0}"#), "translation 0"),
        (column(r#"{"column": 0, "type": {"kind": "text"}, "elements": true}"#), "no array"),
        (column(r#"{"column": 0, "type": {"kind": "text"}, "element": 0}"#), "no whole number"),
        (column(r#"{"column": 0, "type": {"kind": "text"}, "rewrites": [{"path": [], "ids": 0}]}"#), "translation 0"),
        (column(r#"{"column": 0, "type": {"kind": "tex"}}"#), "tex"),
        (column(r#"{"column": 0, "type": {"kind": "numeric", "precision": 5, "scale": 2000}}"#), "scale 2000"),
        (
            column(uuid).replace("]}]}", r#"]}], "translations": [[["x", "00000000-0000-0000-0000-000000000002"]]]}"#),
            "one is a UUID",
        ),
        (one_column(TEXT, r#", "leave_out": [[0, ["1"]]]"#), "no owner"),
        (one_column(TEXT, r#", "leave_out": [[1, ["1"]]]"#), "shared table 1"),
    ] {
        let error = Digester::new(&side).unwrap_err();
        assert!(error.contains(said), "{side}: {error}");
    }
    let side = one_column(TEXT, "");
    for (wanted, limit, said) in [
        ("", 1, "cannot be read"),
        ("[]", 0, "at least one"),
        ("[[1, null, []]]", 1, "not there"),
        ("[[0, 2, []]]", 1, "not there"),
        ("[[0, 1, [16]]]", 1, "Bucket 16"),
    ] {
        assert!(Finder::new(&side, wanted, limit).unwrap_err().contains(said), "{wanted}");
    }
    let other = side.replace("16", "8");
    let mut digester = Digester::new(&side).unwrap();
    assert!(digester.merge(&mut Digester::new(&other).unwrap()).is_err());
    assert!(digester.compare(&Digester::new(&other).unwrap()).is_err());
    assert!(Finder::new(&side, "[]", 1).unwrap().compare(&Finder::new(&side, "[]", 2).unwrap()).is_err());
    assert!(matches!(digester.read_copy(1, &[]), Err(ReadError::Table(_))));
}

const KINDS: [&str; 18] = [
    r#"{"kind": "boolean"}"#,
    r#"{"kind": "smallint"}"#,
    r#"{"kind": "integer"}"#,
    r#"{"kind": "bigint"}"#,
    r#"{"kind": "real"}"#,
    r#"{"kind": "double"}"#,
    r#"{"kind": "numeric"}"#,
    r#"{"kind": "numeric", "precision": 9, "scale": 3}"#,
    r#"{"kind": "text"}"#,
    r#"{"kind": "varchar", "length": 5}"#,
    r#"{"kind": "enum", "values": ["a"], "name": "e"}"#,
    r#"{"kind": "date"}"#,
    r#"{"kind": "timestamp", "precision": 2}"#,
    r#"{"kind": "timestamptz"}"#,
    r#"{"kind": "uuid"}"#,
    r#"{"kind": "bytea"}"#,
    r#"{"kind": "jsonb"}"#,
    r#"{"kind": "text", "array": true}"#,
];

/// A value of a kind that it takes, by its position in [`KINDS`].
fn value(kind: usize, random: &mut Random) -> Vec<u8> {
    match kind {
        0 => vec![(random.next() & 1) as u8],
        1 => random.bytes(2),
        2 | 4 | 11 => random.bytes(4),
        3 | 5 | 12 | 13 => random.bytes(8),
        6 | 7 => {
            let mut out = Vec::new();
            let number = (random.next() as i64) >> random.below(64);
            let fraction = random.below(1_000_000);
            let digits = format!("{number}.{fraction:06}");
            let exact = isthmus_core::numeric::Rounding::Refuse;
            isthmus_core::numeric::write_text(digits.as_bytes(), None, exact, &mut out).unwrap();
            out
        }
        8..=10 | 15 => {
            let length = random.below(20);
            random.bytes(length)
        }
        14 => random.bytes(16),
        16 => {
            let (one, other) = (random.next() >> random.below(64), random.below(1_000));
            format!(
                "\x01{{\"k\": [{one}, -0.{other:03}, true, null, \"t\\u00e9\\n\"], \"a\": {{\"b\": \"x{other}\"}}}}"
            )
            .into_bytes()
        }
        _ => {
            let words = ["", "a", "NULL", "long enough"];
            let elements: Vec<Option<&str>> =
                (0..random.below(4)).map(|_| (random.below(4) > 0).then(|| words[random.below(4)])).collect();
            array(&elements).unwrap()
        }
    }
}

/// Whether a change of one bit left the value as it was: what the canonical forms fold.
fn folds(kind: usize, value: &[u8], changed: &[u8]) -> bool {
    let double = |bytes: &[u8]| bytes.try_into().map(f64::from_be_bytes);
    let real = |bytes: &[u8]| bytes.try_into().map(f32::from_be_bytes);
    match kind {
        // Everything but 0 is true.
        0 => value != [0] && changed != [0],
        4 => real(value).unwrap().is_nan() && real(changed).unwrap().is_nan(),
        5 => double(value).unwrap().is_nan() && double(changed).unwrap().is_nan(),
        // What is beyond the declared digits.
        7 | 12 => true,
        // Spaces at the end.
        9 => value.len() > 5 || changed.len() > 5,
        // Case and leading zeros of an escape, and the like; the letters of the value itself are checked elsewhere.
        16 => true,
        // Flags and the OID of the elements' type.
        17 => value[..4] == changed[..4] && value[12..] == changed[12..],
        _ => false,
    }
}

#[test]
fn every_flipped_bit_is_found_or_folds() {
    let mut random = Random(2);
    let (mut found, mut refused, mut folded) = (0, 0, vec![0; KINDS.len()]);
    for (kind, name) in KINDS.iter().enumerate() {
        let side = one_column(&format!(r#""type": {name}"#), "");
        for _ in 0..20 {
            let value = value(kind, &mut random);
            let sound = digest(&side, &[row(&[number(1), Some(value.clone())])]);
            for bit in 0..value.len() * 8 {
                let mut changed = value.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let mut digester = sound.fresh();
                match digester.read_copy(0, &row(&[number(1), Some(changed.clone())])) {
                    Err(ReadError::Rows(error)) => {
                        assert_eq!((error.row, error.column), (0, Some(1)));
                        refused += 1;
                    }
                    Err(error) => panic!("{error:?}"),
                    Ok(_) => match &columns(&sound.compare(&digester).unwrap())[..] {
                        [Some(1)] => found += 1,
                        [] => {
                            assert!(folds(kind, &value, &changed), "{name}: {value:?} and {changed:?}");
                            folded[kind] += 1;
                        }
                        others => panic!("{others:?}"),
                    },
                }
            }
        }
    }
    assert!(found > 10_000 && refused > 1_000, "{found} {refused}");
    // Kinds of which every value has one form.
    assert!([1, 2, 3, 6, 8, 10, 11, 13, 14, 15].iter().all(|&kind: &usize| folded[kind] == 0), "{folded:?}");
}

#[test]
fn every_flipped_bit_of_a_row_is_an_error_or_a_difference_in_that_row_alone() {
    let columns = KINDS.len() + 1;
    let types: Vec<String> =
        (0..).zip(KINDS).map(|(at, kind)| format!(r#"{{"column": {}, "type": {kind}}}"#, at + 1)).collect();
    let side = format!(
        r#"{{"buckets": 64, "columns": [{columns}], "tables": [{{"table": 0, "row": true, "key": [0], "columns": [
            {{"column": 0, "type": {{"kind": "integer"}}}}, {}]}}]}}"#,
        types.join(", ")
    );
    let mut random = Random(3);
    let rows: Vec<Vec<u8>> = (0..3)
        .map(|id| {
            let values = (0..KINDS.len()).map(|kind| (random.below(5) > 0).then(|| value(kind, &mut random)));
            row(&[number(id)].into_iter().chain(values.collect::<Vec<_>>()).collect::<Vec<_>>())
        })
        .collect();
    let sound = digest(&side, &rows);
    let block = rows.concat();
    let all = format!(
        "[{}]",
        (0..=columns)
            .map(|column| {
                let column = column.checked_sub(1).map_or("null".to_owned(), |column| column.to_string());
                format!("[0, {column}, [{}]]", (0..64).map(|at| at.to_string()).collect::<Vec<_>>().join(","))
            })
            .collect::<Vec<_>>()
            .join(",")
    );
    let finder = find(&side, &all, 100, &rows);
    let (mut different, mut equal) = (0, 0);
    for bit in 0..block.len() * 8 {
        let mut changed = block.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut digester = sound.fresh();
        let Ok(count) = digester.read_copy(0, &changed) else { continue };
        let differences = sound.compare(&digester).unwrap();
        let mut other = finder.fresh();
        other.read_copy(0, &changed).unwrap();
        let findings = finder.compare(&other).unwrap();
        assert_eq!(findings.is_empty(), differences.is_empty());
        if count == 3 && findings.iter().all(|finding| finding.column.is_some()) && !findings.is_empty() {
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(differences.len(), 1);
            different += 1;
        }
        equal += usize::from(differences.is_empty());
    }
    assert!(different > 1_000 && equal > 0, "{different} {equal}");
}

#[test]
fn no_bytes_make_them_panic() {
    let mut random = Random(4);
    let all = "[[0, 1, [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]], [0, null, [3]]]";
    let sides = KINDS.map(|kind| {
        let more = if kind.contains("array") { r#", "elements": true"# } else { "" };
        let side = one_column(&format!(r#""type": {kind}{more}"#), "");
        (Digester::new(&side).unwrap(), Finder::new(&side, all, 3).unwrap())
    });
    for round in 0..40_000 {
        let kind = round % KINDS.len();
        let length = random.below(40);
        let mut bytes = if random.below(2) == 0 { random.bytes(length) } else { value(kind, &mut random) };
        for _ in 0..random.below(3) {
            if !bytes.is_empty() {
                let at = random.below(bytes.len());
                bytes[at] = [0, 0xFF, 0x7F, 0x80, b'"', b'\\', b'{', random.next() as u8][random.below(8)];
            }
        }
        let mut data = row(&[number(5), Some(bytes)]);
        if random.below(8) == 0 {
            let at = random.below(data.len());
            data[at] = random.next() as u8;
        }
        let (digester, finder) = &sides[kind];
        let mut finder = finder.fresh();
        let found = finder.read_copy(0, &data);
        assert_eq!(found.is_ok(), digester.fresh().read_copy(0, &data).is_ok());
        finder.compare(&finder.fresh()).unwrap();
    }
}
