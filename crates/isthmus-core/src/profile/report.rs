//! A profile as JSON.

use std::collections::HashSet;

use crate::bson::kind;
use crate::json::write_string;
use crate::path::{push_key, push_path};

use super::collapsed::{Collapsed, KEY_SKETCH};
use super::fields::Field;
use super::limits::Limits;
use super::node::Node;
use super::oddities::{Oddity, Odds};
use super::print::{write_count, write_list, Object};
use super::sketch::estimate;
use super::Profiler;

/// Paths that are named of each kind of odd key.
const ODD_PATHS: usize = 20;

pub(super) fn write(profiler: &Profiler, out: &mut Vec<u8>) {
    let limits = &profiler.walk.limits;
    let mut root = profiler.root.clone();
    root.settle(limits);
    let mut totals = Totals::default();
    totals.gather(&root, &mut String::new());
    let mut object = Object::open(out);
    object.number("documents", profiler.documents);
    if !profiler.broken.is_empty() {
        let mut broken = Object::open(object.member("broken"));
        profiler.broken.iter().for_each(|(code, count)| broken.count(code, *count));
        broken.close();
    }
    object.number("bytes", profiler.bytes);
    if let Some((lowest, highest)) = profiler.sizes {
        let mut sizes = Object::open(object.member("sizes"));
        sizes.number("min", lowest);
        sizes.number("max", highest);
        sizes.number("total", profiler.bytes);
        sizes.close();
    }
    write_node(&root, None, limits, object.member("root"));
    totals.write(&mut object);
    object.flag("path_limit", profiler.walk.budget.reached);
    let id = root.fields.find(b"_id", 0).map(|at| &*root.fields.entries[at].node);
    let mut about = Object::open(object.member("id"));
    if let Some(id) = id {
        write_types(id, about.member("types"));
    }
    about.count("missing", profiler.documents - id.map_or(0, |id| id.with));
    about.close();
    object.close();
}

fn write_types(node: &Node, out: &mut Vec<u8>) {
    let mut types = Object::open(out);
    node.types().for_each(|(name, count)| types.count(name, count));
    types.close();
}

/// Appends one node; `parents` is in how many documents, or arrays, it could have been.
fn write_node(node: &Node, parents: Option<u64>, limits: &Limits, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.number("present", node.present());
    write_types(node, object.member("types"));
    if let Some(parents) = parents {
        object.number("parents", parents);
        object.number("with", node.with);
    }
    if let Some(strings) = &node.strings {
        strings.write(object.member("string"));
    }
    if node.integers.is_some() {
        let mut integers = Object::open(object.member("integer"));
        integers.range("range", node.integers, crate::json::text::write_integer);
        integers.close();
    }
    if let Some(doubles) = &node.doubles {
        doubles.write(object.member("double"));
    }
    if let Some(decimals) = &node.decimals {
        decimals.write(object.member("decimal"));
    }
    if let Some(dates) = &node.dates {
        dates.write(object.member("date"));
    }
    if let Some(arrays) = &node.arrays {
        arrays.write(object.member("array"));
    }
    if let Some(documents) = &node.documents {
        documents.write(object.member("document"));
    }
    if let Some(binaries) = &node.binaries {
        binaries.write(object.member("binary"));
    }
    object.count("true", node.trues);
    object.count("false", node.falses());
    object.count("duplicate_keys", node.duplicated);
    write_values(node, limits, &mut object);
    object.count("unlisted", node.unlisted);
    object.count("oversize_key", node.oversize);
    write_fields(node, limits, &mut object);
    if let Some(elements) = &node.elements {
        write_node(elements, Some(node.of_kind(kind::ARRAY)), limits, object.member("elements"));
    }
    object.close();
}

fn write_values(node: &Node, limits: &Limits, object: &mut Object<'_>) {
    const KEPT: [u8; 6] = [kind::STRING, kind::INT32, kind::INT64, kind::DOUBLE, kind::BOOL, kind::OBJECT_ID];
    match node.few.values(node.trues, node.falses(), limits) {
        Some(values) if values.is_empty() => {}
        Some(values) => write_list(values, object.member("values"), |(value, times), out| {
            out.push(b'[');
            value.write(out);
            out.push(b',');
            write_count(times, out);
            out.push(b']');
        }),
        None => object.flag("many", KEPT.iter().any(|kind| node.of_kind(*kind) > 0)),
    }
    let sketch = node.sketch.lowest(limits.sketch);
    if !sketch.is_empty() {
        object.number("distinct", estimate(&sketch, limits.sketch));
        write_list(&sketch, object.member("sketch"), |hash, out| {
            out.extend_from_slice(format!("\"{hash:016x}\"").as_bytes());
        });
    }
}

fn write_fields(node: &Node, limits: &Limits, object: &mut Object<'_>) {
    let parents = node.of_kind(kind::DOCUMENT);
    let fields = &node.fields;
    if !fields.entries.is_empty() {
        let mut members = Object::open(object.member("fields"));
        for (field, key) in fields.entries.iter().zip(printed_keys(&fields.entries)) {
            write_node(&field.node, Some(parents), limits, members.member(&key));
        }
        members.close();
    }
    if let Some(collapsed) = &fields.collapsed {
        write_collapsed(collapsed, limits, object.member("collapsed"));
    }
}

/// The keys as text. Those that are not UTF-8 may look alike, and no member may stand twice: in the order of their
/// bytes, each gets one mark more than the one before.
fn printed_keys(entries: &[Field]) -> Vec<String> {
    let mut keys: Vec<String> = entries.iter().map(|field| String::from_utf8_lossy(&field.key).into_owned()).collect();
    let mut lossy: Vec<usize> = (0..keys.len()).filter(|at| keys[*at].as_bytes() != &*entries[*at].key).collect();
    if !lossy.is_empty() {
        lossy.sort_by_key(|at| &entries[*at].key);
        let mut taken: HashSet<String> = keys
            .iter()
            .zip(entries)
            .filter(|(key, field)| key.as_bytes() == &*field.key)
            .map(|(key, _)| key.clone())
            .collect();
        for at in lossy {
            while !taken.insert(keys[at].clone()) {
                keys[at].push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    keys
}

fn write_collapsed(collapsed: &Collapsed, limits: &Limits, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.number("keys", collapsed.keys.distinct(KEY_SKETCH));
    write_list(&collapsed.examples, object.member("examples"), |(_, key), out| {
        write_string(&String::from_utf8_lossy(key), out);
    });
    object.text("look", collapsed.look.name());
    write_node(&collapsed.node, Some(collapsed.node.with), limits, object.member("node"));
    object.close();
}

/// What is summed over all paths.
#[derive(Debug, Default)]
struct Totals {
    /// Paths of each kind of odd key with the documents that have it.
    odd: [Vec<(String, u64)>; Oddity::NAMES.len()],
    duplicate: Vec<(String, u64)>,
    unlisted: u64,
    nul: u64,
    nan: u64,
    infinite: u64,
    out_of_range: u64,
    invalid_utf8: u64,
    decimal_special: u64,
}

impl Totals {
    fn gather(&mut self, node: &Node, path: &mut String) {
        self.unlisted += node.unlisted;
        if let Some(strings) = &node.strings {
            self.nul += strings.nul();
            self.invalid_utf8 += strings.invalid_utf8();
        }
        if let Some(doubles) = &node.doubles {
            self.nan += doubles.nan;
            self.infinite += doubles.infinite;
        }
        self.out_of_range += node.dates.as_ref().map_or(0, |dates| dates.out_of_range);
        self.decimal_special += node.decimals.as_ref().map_or(0, |decimals| decimals.nan + decimals.infinite);
        if node.duplicated > 0 {
            self.duplicate.push((path.clone(), node.duplicated));
        }
        let length = path.len();
        let references = node.documents.as_ref().is_some_and(|found| found.dbref == node.of_kind(kind::DOCUMENT));
        for field in &node.fields.entries {
            push_key(&String::from_utf8_lossy(&field.key), path);
            let oddity = Oddity::of(&field.key);
            let mut odds = Odds::default();
            odds.add(if references { oddity.without_dollar() } else { oddity }, field.node.with);
            self.odd_key(path, &odds);
            self.gather(&field.node, path);
            path.truncate(length);
        }
        if node.fields.collapsed.is_some() || node.oversize > 0 {
            push_path("*", path);
            // Keys that are too long to be followed are odd by their length, whatever else they are.
            let mut odds = Odds([0, 0, 0, node.oversize, 0]);
            if let Some(collapsed) = &node.fields.collapsed {
                odds.merge(&collapsed.odds);
                self.gather(&collapsed.node, path);
            }
            self.odd_key(path, &odds);
            path.truncate(length);
        }
        if let Some(elements) = &node.elements {
            push_path("[]", path);
            self.gather(elements, path);
            path.truncate(length);
        }
    }

    fn odd_key(&mut self, path: &str, odds: &Odds) {
        for (paths, count) in self.odd.iter_mut().zip(odds.0) {
            if count > 0 {
                paths.push((path.to_owned(), count));
            }
        }
    }

    fn write(self, object: &mut Object<'_>) {
        let kinds = Oddity::NAMES.into_iter().zip(self.odd).chain([("duplicate", self.duplicate)]);
        let kinds: Vec<_> = kinds.filter(|(_, paths)| !paths.is_empty()).collect();
        if !kinds.is_empty() {
            let mut totals = Object::open(object.member("odd_totals"));
            for (name, paths) in &kinds {
                totals.number(name, paths.iter().map(|(_, count)| count).sum());
            }
            totals.close();
            let mut odd_keys = Object::open(object.member("odd_keys"));
            for (name, mut paths) in kinds {
                paths.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
                write_list(paths.iter().take(ODD_PATHS), odd_keys.member(name), |(path, count), out| {
                    out.push(b'[');
                    write_string(path, out);
                    out.push(b',');
                    write_count(*count, out);
                    out.push(b']');
                });
            }
            odd_keys.close();
        }
        object.count("unlisted", self.unlisted);
        let refused = [
            ("nul", self.nul),
            ("nan", self.nan),
            ("infinite", self.infinite),
            ("out_of_range", self.out_of_range),
            ("invalid_utf8", self.invalid_utf8),
            ("decimal_special", self.decimal_special),
        ];
        if refused.iter().any(|(_, count)| *count > 0) {
            let mut member = Object::open(object.member("refused"));
            refused.iter().for_each(|(name, count)| member.count(name, *count));
            member.close();
        }
    }
}
