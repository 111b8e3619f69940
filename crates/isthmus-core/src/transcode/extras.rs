//! Fields that nobody named: gathered while a level is read, written as Extended JSON into the extras column.

use crate::bson::Value;
use crate::convert::{from_json, Converted, Converter, Refusal, Side, Wrote, JSONB_VERSION};
use crate::extended;
use crate::ids::IdCodec;
use crate::plan::{push_key, Entry};

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
    },
    Open(&'t Entry),
    Close,
    /// An earlier one of several equal keys.
    Superseded,
}

/// Levels with fewer unknown fields are compared pairwise.
const PAIRWISE: usize = 16;

/// Marks all but the last of equal keys; returns how many were marked. All items are fields of one level.
pub(super) fn supersede(level: &mut [Leftover<'_, '_>], scratch: &mut Vec<u32>) -> u64 {
    let mut marked = 0;
    if level.len() <= PAIRWISE {
        for at in 0..level.len().saturating_sub(1) {
            if level[at + 1..].iter().any(|item| same_key(&level[at], item)) {
                level[at] = Leftover::Superseded;
                marked += 1;
            }
        }
        return marked;
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
            level[before] = Leftover::Superseded;
            marked += 1;
        }
    }
    marked
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
    let report = &mut side.report;
    for item in items {
        let (key, value) = match item {
            Leftover::Field { key, value } => (*key, Some(value)),
            Leftover::Known { entry, value } => (&*entry.key, Some(value)),
            Leftover::Open(entry) => (&*entry.key, None),
            Leftover::Close => {
                out.push(b'}');
                report.path.pop();
                depth -= 1;
                continue;
            }
            Leftover::Superseded => continue,
        };
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        report.path.push_key(key);
        extended::write_key(key, &settings, report, out).map_err(from_json)?;
        out.push(b':');
        match value {
            Some(value) => {
                extended::write_extras(value, &settings, report, depth, out).map_err(from_json)?;
                report.path.pop();
            }
            None => {
                out.push(b'{');
                depth += 1;
            }
        }
    }
    Ok(())
}

/// Calls `each` with the printable path and the value of every leftover field.
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
            Leftover::Known { entry, value } => {
                path.truncate(prefix.len());
                path.push_str(&entry.path);
                each(path, *value);
                path.truncate(prefix.len());
            }
            Leftover::Open(entry) => {
                path.truncate(prefix.len());
                path.push_str(&entry.path);
                path.push('.');
            }
            // A level's own fields stand before what it opens, and paths of entries start at the top of the scope.
            Leftover::Close => path.truncate(prefix.len()),
            Leftover::Superseded => {}
        }
    }
}
