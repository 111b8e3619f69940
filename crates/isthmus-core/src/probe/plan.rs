//! What is to be looked up where.

use serde::Deserialize;

use crate::profile::Limits;
use crate::value_set::ValueSet;

/// What an array's elements stand under in a path.
const ELEMENT: &str = "[]";
/// What every key of a document stands under in a path: keys that are data have no paths of their own.
const ANY_KEY: &str = "*";

/// How a value can name a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// An ObjectId.
    Oid,
    /// A text of 24 hex digits, as the ObjectId that it writes.
    Hex,
    /// The `$id` of a DBRef.
    Dbref,
    /// Anything else but arrays, by its value.
    Value,
}

impl Form {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Oid => "oid",
            Self::Hex => "hex",
            Self::Dbref => "dbref",
            Self::Value => "value",
        }
    }
}

/// One path whose values are looked up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    path: Vec<String>,
    pub(super) forms: Vec<Form>,
    /// By position.
    pub(super) sets: Vec<usize>,
    /// The collection that each of `sets` holds ids of; DBRefs into others are not looked up there. Empty where
    /// nothing is said.
    #[serde(default)]
    pub(super) collections: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collect {
    path: Vec<String>,
    set: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    own: Option<usize>,
    #[serde(default)]
    probes: Vec<Probe>,
    #[serde(default)]
    collect: Vec<Collect>,
    #[serde(default)]
    limits: Limits,
}

/// One step on the paths: what is done with the values that arrive here, and where paths go on.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) probes: Vec<usize>,
    pub(super) collects: Vec<usize>,
    pub(super) fields: Vec<(Box<[u8]>, Level)>,
    /// Where every key leads, besides those that are named.
    pub(super) any: Option<Box<Level>>,
    pub(super) elements: Option<Box<Level>>,
}

impl Level {
    /// The level at which a path ends.
    fn at(&mut self, path: &[String]) -> &mut Self {
        let mut level = self;
        for step in path {
            level = match step.as_str() {
                ELEMENT => level.elements.get_or_insert_default(),
                ANY_KEY => level.any.get_or_insert_default(),
                key => level.field(key.as_bytes()),
            };
        }
        level
    }

    fn field(&mut self, key: &[u8]) -> &mut Self {
        let at = self.fields.iter().position(|(known, _)| **known == *key).unwrap_or_else(|| {
            self.fields.push((key.into(), Self::default()));
            self.fields.len() - 1
        });
        &mut self.fields[at].1
    }
}

#[derive(Debug)]
pub(super) struct Plan {
    /// Position of the set that holds the ids of the documents themselves.
    pub(super) own: Option<usize>,
    pub(super) probes: Vec<Probe>,
    /// Names of the sets that are collected.
    pub(super) names: Vec<String>,
    pub(super) top: Level,
    limits: Limits,
}

impl Plan {
    /// Reads a plan that names `sets` sets by position.
    pub(super) fn parse(json: &str, sets: usize) -> Result<Self, String> {
        let file: File =
            serde_json::from_str(json).map_err(|error| format!("The plan of probes cannot be read: {error}."))?;
        let mut top = Level::default();
        for (number, probe) in file.probes.iter().enumerate() {
            if probe.path.is_empty() {
                return Err(format!("Probe {number} has an empty path."));
            }
            if !probe.collections.is_empty() && probe.collections.len() != probe.sets.len() {
                return Err(format!("Probe {number} names collections, but not one for each of its sets."));
            }
            top.at(&probe.path).probes.push(number);
        }
        let named = file.probes.iter().flat_map(|probe| &probe.sets).chain(&file.own);
        if let Some(missing) = named.copied().find(|set| *set >= sets) {
            return Err(format!("The plan of probes names set {missing}, but only {sets} were given."));
        }
        let mut names = Vec::new();
        for collect in file.collect {
            if collect.path.is_empty() {
                return Err(format!("The values of set \"{}\" are to come from an empty path.", collect.set));
            }
            // Several paths may fill one set.
            let set = names.iter().position(|name| *name == collect.set).unwrap_or(names.len());
            if set == names.len() {
                names.push(collect.set);
            }
            top.at(&collect.path).collects.push(set);
        }
        Ok(Self { own: file.own, probes: file.probes, names, top, limits: file.limits.bounded() })
    }

    /// New sets to collect into.
    pub(super) fn empty_sets(&self) -> Vec<ValueSet> {
        self.names.iter().map(|_| ValueSet::new(self.limits.ids_bytes, self.limits.expected)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_share_their_beginning_share_levels() {
        let plan = r#"{"own": 1, "probes": [
            {"path": ["a", "[]", "b"], "forms": ["oid", "hex"], "sets": [0]},
            {"path": ["a"], "forms": ["value"], "sets": [0, 1]}
        ], "collect": [{"path": ["a", "[]"], "set": "x"}, {"path": ["c"], "set": "x"}]}"#;
        let plan = Plan::parse(plan, 2).unwrap();
        let [(key, a), (_, c)] = &plan.top.fields[..] else { panic!("two fields") };
        assert_eq!((&**key, &a.probes[..], c.collects.len()), (&b"a"[..], &[1][..], 1));
        let elements = a.elements.as_ref().unwrap();
        assert_eq!((&elements.collects[..], &elements.fields[0].1.probes[..]), (&[0][..], &[0][..]));
        assert_eq!((plan.names.len(), plan.empty_sets().len()), (1, 1));
    }

    #[test]
    fn plans_that_make_no_sense_are_refused_in_words() {
        for (plan, said) in [
            ("", "cannot be read"),
            (r#"{"own": 2}"#, "names set 2, but only 2"),
            (r#"{"probes": [{"path": ["a"], "forms": [], "sets": [7]}]}"#, "names set 7"),
            (r#"{"probes": [{"path": [], "forms": [], "sets": []}]}"#, "empty path"),
            (r#"{"collect": [{"path": [], "set": "x"}]}"#, "empty path"),
            (r#"{"probes": [{"path": ["a"], "forms": ["odi"], "sets": []}]}"#, "odi"),
            (r#"{"probes": [{"path": ["a"], "forms": [], "sets": [0, 1], "collections": ["x"]}]}"#, "not one for each"),
            (r#"{"limits": {"kyes": 1}}"#, "kyes"),
        ] {
            assert!(Plan::parse(plan, 2).unwrap_err().contains(said), "{plan}");
        }
    }
}
