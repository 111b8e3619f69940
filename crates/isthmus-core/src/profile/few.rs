//! The values of a path themselves, as long as they are few and short.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;

use crate::decimal::write_double;
use crate::ids::object_id_hex;
use crate::json::text::write_integer;
use crate::json::write_string;
use crate::value_hash::HashedMap;

use super::limits::Limits;

/// A value that can be kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Met<'a> {
    Text(&'a str),
    Integer(i64),
    Double(f64),
    ObjectId([u8; 12]),
}

#[derive(Debug, Clone)]
pub(super) enum Kept {
    Bool(bool),
    Integer(i64),
    Double(f64),
    ObjectId([u8; 12]),
    Text(Box<str>),
}

impl Kept {
    fn of(met: Met<'_>) -> Self {
        match met {
            Met::Text(text) => Self::Text(text.into()),
            Met::Integer(number) => Self::Integer(number),
            Met::Double(number) => Self::Double(number),
            Met::ObjectId(id) => Self::ObjectId(id),
        }
    }

    fn is(&self, met: Met<'_>) -> bool {
        match (self, met) {
            (Self::Text(kept), Met::Text(text)) => **kept == *text,
            (Self::Integer(kept), Met::Integer(number)) => *kept == number,
            (Self::Double(kept), Met::Double(number)) => kept.to_bits() == number.to_bits(),
            (Self::ObjectId(kept), Met::ObjectId(id)) => *kept == id,
            _ => false,
        }
    }

    fn met(&self) -> Option<Met<'_>> {
        Some(match self {
            Self::Text(text) => Met::Text(text),
            Self::Integer(number) => Met::Integer(*number),
            Self::Double(number) => Met::Double(*number),
            Self::ObjectId(id) => Met::ObjectId(*id),
            Self::Bool(_) => return None,
        })
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Integer(_) => 1,
            Self::Double(_) => 2,
            Self::ObjectId(_) => 3,
            Self::Text(_) => 4,
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::ObjectId(a), Self::ObjectId(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Appends `{"s": text}`, `{"i": int}`, `{"d": double}`, `{"b": bool}` or `{"o": hex}`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                out.extend_from_slice(b"{\"s\":");
                write_string(text, out);
            }
            Self::Integer(number) => {
                out.extend_from_slice(b"{\"i\":");
                write_integer(*number, out);
            }
            Self::Double(number) => {
                out.extend_from_slice(b"{\"d\":");
                write_double_json(*number, out);
            }
            Self::Bool(flag) => {
                out.extend_from_slice(if *flag { b"{\"b\":true" } else { b"{\"b\":false" });
            }
            Self::ObjectId(id) => {
                out.extend_from_slice(b"{\"o\":\"");
                out.extend_from_slice(&object_id_hex(*id));
                out.push(b'"');
            }
        }
        out.push(b'}');
    }
}

/// Appends a double as a JSON number, as text where it is not finite.
pub(super) fn write_double_json(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        return write_double(number, out);
    }
    out.push(b'"');
    write_double(number, out);
    out.push(b'"');
}

/// Different values with their counts, or the word that there were too many, too long or other ones.
#[derive(Debug, Clone)]
pub(super) enum Few {
    Kept(HashedMap<(Kept, u64)>),
    Many,
}

impl Default for Few {
    fn default() -> Self {
        Self::Kept(HashedMap::default())
    }
}

impl Few {
    /// Counts a value; true when it was known already.
    #[inline]
    pub(super) fn see(&mut self, hash: u64, met: Met<'_>, limits: &Limits) -> bool {
        match self {
            Self::Many => false,
            Self::Kept(_) => self.count(hash, met, 1, limits),
        }
    }

    fn count(&mut self, hash: u64, met: Met<'_>, times: u64, limits: &Limits) -> bool {
        let Self::Kept(kept) = self else { return false };
        // Equal numbers of both kinds share their hash, and are two values here; both zeros and all NaNs are one.
        let (hash, met) = match met {
            Met::Double(number) if number.is_nan() => (!hash, Met::Double(f64::NAN)),
            Met::Double(number) => (!hash, Met::Double(number + 0.0)),
            other => (hash, other),
        };
        let room = kept.len() < limits.values;
        match kept.entry(hash) {
            Entry::Occupied(mut entry) if entry.get().0.is(met) => {
                entry.get_mut().1 += times;
                return true;
            }
            Entry::Vacant(entry) if room && !matches!(met, Met::Text(text) if text.len() > limits.value_bytes) => {
                entry.insert((Kept::of(met), times));
            }
            _ => *self = Self::Many,
        }
        false
    }

    /// Gives up: a value came that is not kept.
    #[inline]
    pub(super) fn close(&mut self) {
        if matches!(self, Self::Kept(_)) {
            *self = Self::Many;
        }
    }

    pub(super) fn merge(&mut self, other: Self, limits: &Limits) {
        match (&self, other) {
            (Self::Many, _) => {}
            (_, Self::Many) => *self = Self::Many,
            (Self::Kept(kept), other @ Self::Kept(_)) if kept.is_empty() => *self = other,
            (_, Self::Kept(other)) => {
                for (hash, (value, times)) in other {
                    let Some(met) = value.met() else { continue };
                    let hash = if matches!(met, Met::Double(_)) { !hash } else { hash };
                    self.count(hash, met, times, limits);
                }
            }
        }
    }

    /// The values by count, most first, then by value; none when they are not all kept.
    pub(super) fn values(&self, trues: u64, falses: u64, limits: &Limits) -> Option<Vec<(Kept, u64)>> {
        let Self::Kept(kept) = self else { return None };
        let flags = [(Kept::Bool(true), trues), (Kept::Bool(false), falses)];
        let mut values: Vec<(Kept, u64)> = kept.values().cloned().collect();
        values.extend(flags.into_iter().filter(|(_, times)| *times > 0));
        values.sort_by(|(a, a_times), (b, b_times)| b_times.cmp(a_times).then_with(|| a.order(b)));
        (values.len() <= limits.values).then_some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bson::Value;
    use crate::value_hash::hash_scalar;

    fn see(few: &mut Few, met: Met<'_>, limits: &Limits) -> bool {
        let value = match met {
            Met::Text(text) => Value::String(text.as_bytes()),
            Met::Integer(number) => Value::Int64(number),
            Met::Double(number) => Value::Double(number),
            Met::ObjectId(id) => Value::ObjectId(id),
        };
        few.see(hash_scalar(&value).unwrap(), met, limits)
    }

    fn text(few: &Few, limits: &Limits) -> Option<String> {
        let mut out = Vec::new();
        for (value, times) in few.values(2, 0, limits)? {
            value.write(&mut out);
            out.extend_from_slice(format!("*{times} ").as_bytes());
        }
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_sorted_by_count_then_value() {
        let limits = Limits { values: 8, ..Limits::default() };
        let mut few = Few::default();
        for (met, known) in [
            (Met::Text("b\""), false),
            (Met::Text("a"), false),
            (Met::Integer(5), false),
            (Met::Double(5.0), false),
            (Met::Double(5.0), true),
            (Met::Double(-0.0), false),
            (Met::Double(0.0), true),
            (Met::Double(f64::NAN), false),
            (Met::Double(-f64::NAN), true),
            (Met::ObjectId([1; 12]), false),
        ] {
            assert_eq!(see(&mut few, met, &limits), known, "{met:?}");
        }
        let expected = "{\"b\":true}*2 {\"d\":0.0}*2 {\"d\":5.0}*2 {\"d\":\"NaN\"}*2 {\"i\":5}*1 \
                        {\"o\":\"010101010101010101010101\"}*1 {\"s\":\"a\"}*1 {\"s\":\"b\\\"\"}*1 ";
        assert_eq!(text(&few, &limits).as_deref(), Some(expected));
        assert_eq!(text(&few, &Limits { values: 7, ..limits }), None);
        let mut both = few.clone();
        both.merge(few, &limits);
        assert_eq!(text(&both, &limits).unwrap().matches("*4").count(), 3);
    }

    #[test]
    fn too_many_too_long_or_other_values_are_many() {
        let limits = Limits { values: 2, value_bytes: 3, ..Limits::default() };
        let few = |texts: &[&str]| {
            let mut few = Few::default();
            texts.iter().for_each(|text| {
                see(&mut few, Met::Text(text), &limits);
            });
            few
        };
        assert!(few(&["a", "abc", "a"]).values(0, 0, &limits).is_some());
        assert!(few(&["a", "abc"]).values(1, 0, &limits).is_none());
        assert!(few(&["a", "b", "c"]).values(0, 0, &limits).is_none());
        assert!(few(&["abcd"]).values(0, 0, &limits).is_none());
        let mut merged = few(&["a", "b"]);
        merged.merge(few(&["b", "a"]), &limits);
        assert!(merged.values(0, 0, &limits).is_some());
        merged.merge(few(&["c"]), &limits);
        assert!(merged.values(0, 0, &limits).is_none());
        let mut closed = few(&["a"]);
        closed.close();
        assert!(closed.values(0, 0, &limits).is_none());
    }
}
