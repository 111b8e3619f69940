//! Fields that nobody named: gathered while a level is read, written as Extended JSON into the extras column.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::bson::{BsonError, Value};
use crate::convert::{from_json, Converted, Converter, Refusal, Side, Wrote, JSONB_VERSION};
use crate::extended;
use crate::ids::IdCodec;
use crate::json::{keys_become_one, Settings};
use crate::path::{push_key, push_path};
use crate::plan::Entry;

/// What is left over, in order; levels that are known in part are opened and closed around their leftovers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leftover<'t, 'd> {
    Field {
        key: &'d [u8],
        value: Value<'d>,
    },
    /// A key that a rule only passes through, with a value it cannot pass through.
    Known {
        entry: &'t Entry,
        value: Value<'d>,
        /// A rule looked at it for a sensitive column.
        hidden: bool,
    },
    Open(&'t Entry),
    Close,
    /// An earlier one of several equal keys.
    Superseded,
}

/// Levels with fewer unknown fields are compared pairwise.
const PAIRWISE: usize = 16;

/// Marks all but the last of equal keys; returns how many were marked. All items are fields of one level, which lies at
/// `depth`.
///
/// # Errors
/// Malformed BSON inside a value that is left out.
pub(super) fn supersede(
    level: &mut [Leftover<'_, '_>],
    depth: usize,
    scratch: &mut Vec<u32>,
) -> Result<u64, BsonError> {
    let mut marked = 0;
    if level.len() <= PAIRWISE {
        for at in 0..level.len().saturating_sub(1) {
            if level[at + 1..].iter().any(|item| same_key(&level[at], item)) {
                leave_out(&mut level[at], depth)?;
                marked += 1;
            }
        }
        return Ok(marked);
    }
    scratch.clear();
    scratch.extend(0..level.len() as u32);
    scratch.sort_unstable_by(|&a, &b| {
        let (left, right) = (&level[a as usize], &level[b as usize]);
        field_key(left).cmp(field_key(right)).then(a.cmp(&b))
    });
    for at in 1..scratch.len() {
        let (before, here) = (scratch[at - 1] as usize, scratch[at] as usize);
        // The earlier one of a run keeps its key in `field_key` until it is marked, and is compared only before that.
        if same_key(&level[before], &level[here]) {
            leave_out(&mut level[before], depth)?;
            marked += 1;
        }
    }
    Ok(marked)
}

fn leave_out(item: &mut Leftover<'_, '_>, depth: usize) -> Result<(), BsonError> {
    if let Leftover::Field { value, .. } = item {
        value.validate_at(depth)?;
    }
    *item = Leftover::Superseded;
    Ok(())
}

fn field_key<'d>(item: &Leftover<'_, 'd>) -> &'d [u8] {
    match item {
        Leftover::Field { key, .. } => key,
        _ => b"",
    }
}

fn same_key(a: &Leftover<'_, '_>, b: &Leftover<'_, '_>) -> bool {
    match (a, b) {
        (Leftover::Field { key: a, .. }, Leftover::Field { key: b, .. }) => a == b,
        _ => false,
    }
}

/// Adds the value at the end of a way of entries, within the levels that are open already.
pub(super) fn insert<'t, 'd>(
    items: &mut Vec<Leftover<'t, 'd>>,
    way: impl Iterator<Item = &'t Entry>,
    value: Value<'d>,
    hidden: bool,
) {
    let mut way = way.peekable();
    let (mut start, mut end) = (0, items.len());
    while let Some(entry) = way.next() {
        // Behind all others of its level, because fields of a level stand before what it opens.
        if way.peek().is_none() {
            return items.insert(end, Leftover::Known { entry, value, hidden });
        }
        if let Some(open) = opened(&items[start..end], entry) {
            (start, end) = (start + open.0, start + open.1);
        } else {
            items.splice(end..end, [Leftover::Open(entry), Leftover::Close]);
            (start, end) = (end + 1, end + 1);
        }
    }
}

/// The items inside a level that one of these items opens.
fn opened(items: &[Leftover<'_, '_>], entry: &Entry) -> Option<(usize, usize)> {
    let mut nesting = 0;
    let mut start = None;
    for (at, item) in items.iter().enumerate() {
        match item {
            Leftover::Open(other) => {
                if nesting == 0 && other.slot == entry.slot {
                    start = Some(at + 1);
                }
                nesting += 1;
            }
            Leftover::Close => {
                nesting -= 1;
                if let (0, Some(start)) = (nesting, start) {
                    return Some((start, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// Appends the extras field: an Extended JSON document, or NULL when nothing is left over.
///
/// `depth` is the nesting level of the document that the fields were met in.
pub(super) fn write(
    items: &[Leftover<'_, '_>],
    converter: &Converter,
    codec: &IdCodec,
    depth: usize,
    side: &mut Side,
    out: &mut Vec<u8>,
) -> Converted {
    let start = out.len();
    out.extend_from_slice(&crate::convert::NULL_FIELD);
    if !items.iter().any(|item| matches!(item, Leftover::Field { .. } | Leftover::Known { .. })) {
        return Ok(Wrote::Null);
    }
    out.push(JSONB_VERSION);
    out.push(b'{');
    let written = write_items(items, converter, codec, depth, side, out);
    if let Err(refusal) = written {
        out.truncate(start + 4);
        return Err(refusal);
    }
    out.push(b'}');
    let length = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    converter.take_report(side);
    Ok(Wrote::Value)
}

fn write_items(
    items: &[Leftover<'_, '_>],
    converter: &Converter,
    codec: &IdCodec,
    mut depth: usize,
    side: &mut Side,
    out: &mut Vec<u8>,
) -> Result<(), Box<Refusal>> {
    let settings = converter.settings(codec);
    let hiding = Settings { sensitive: true, ..settings };
    let report = &mut side.report;
    // Of each level in hand the keys written so far, where replaced bytes could make two of them one.
    let mut written: Vec<HashSet<Cow<'_, str>>> = Vec::new();
    let mended =
        items.iter().any(|item| matches!(item, Leftover::Field { key, .. } if std::str::from_utf8(key).is_err()));
    if mended {
        written.push(HashSet::new());
    }
    for item in items {
        let (key, value, settings) = match item {
            Leftover::Field { key, value } => (*key, Some(value), &settings),
            Leftover::Known { entry, value, hidden } => {
                (&*entry.key, Some(value), if *hidden { &hiding } else { &settings })
            }
            Leftover::Open(entry) => (&*entry.key, None, &settings),
            Leftover::Close => {
                out.push(b'}');
                report.path.pop();
                written.pop();
                depth -= 1;
                continue;
            }
            Leftover::Superseded => continue,
        };
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        report.path.push_key(key);
        extended::write_key(key, settings, report, out).map_err(from_json)?;
        if written.last_mut().is_some_and(|level| !level.insert(String::from_utf8_lossy(key))) {
            return Err(from_json(keys_become_one(key, settings, report)));
        }
        out.push(b':');
        match value {
            Some(value) => {
                extended::write_extras(value, settings, report, depth, out).map_err(from_json)?;
                report.path.pop();
            }
            None => {
                out.push(b'{');
                if mended {
                    written.push(HashSet::new());
                }
                depth += 1;
            }
        }
    }
    Ok(())
}

/// Calls `each` with the printed path, behind `prefix`, and the value of every leftover field.
pub(super) fn for_each_path<'d>(
    items: &[Leftover<'_, 'd>],
    prefix: &str,
    path: &mut String,
    mut each: impl FnMut(&str, Value<'d>),
) {
    path.clear();
    path.push_str(prefix);
    for item in items {
        match item {
            Leftover::Field { key, value } => {
                let before = path.len();
                push_key(&String::from_utf8_lossy(key), path);
                each(path, *value);
                path.truncate(before);
            }
            Leftover::Known { entry, value, .. } => {
                path.truncate(prefix.len());
                push_path(&entry.path, path);
                each(path, *value);
                path.truncate(prefix.len());
            }
            Leftover::Open(entry) => {
                path.truncate(prefix.len());
                push_path(&entry.path, path);
            }
            // A level's own fields stand before what it opens, and paths of entries start at the top of the scope.
            Leftover::Close => path.truncate(prefix.len()),
            Leftover::Superseded => {}
        }
    }
}
