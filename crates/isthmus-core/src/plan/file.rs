//! The plan as JSON says it, key by key; unknown keys are errors. What the keys mean together is checked elsewhere.

use serde::Deserialize;

pub use crate::ids::IdScheme as Scheme;
pub use crate::json::{NanPolicy, NulPolicy, Utf8Policy};

use super::literal::Json;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    pub version: u32,
    pub collection: String,
    pub ids: Scheme,
    pub unknown: Unknown,
    pub skip: Vec<SkipFile>,
    pub tables: Vec<TableFile>,
    pub fields: Vec<FieldFile>,
}

/// What happens to fields that nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    Extras,
    DeadLetter,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkipFile {
    pub all: Vec<TestFile>,
    pub why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    pub path: Vec<String>,
    pub op: Op,
    #[serde(default)]
    pub values: Vec<Json>,
}

/// Comparison of a skip condition; `present` means met with any value but null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    Eq,
    Ne,
    In,
    NotIn,
    Missing,
    Null,
    Present,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    pub name: String,
    pub kind: TableKind,
    #[serde(default)]
    pub parent: Option<usize>,
    pub columns: Vec<ColumnFile>,
}

/// What one row of a table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    Root,
    Child,
    Junction,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnFile {
    pub name: String,
    pub role: Role,
    #[serde(rename = "type")]
    pub kind: TypeFile,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub default: Option<Default>,
    #[serde(default)]
    pub default_for: Vec<DefaultFor>,
    #[serde(default)]
    pub coerce: bool,
    #[serde(default)]
    pub sensitive: bool,
    pub policies: Policies,
    #[serde(default)]
    pub reference: Option<ReferenceFile>,
    #[serde(default)]
    pub rewrite: Vec<RewriteFile>,
}

/// What fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Id,
    Value,
    Reference,
    Extras,
    RootId,
    AncestorPosition,
    Position,
    Own,
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeFile {
    pub kind: Kind,
    #[serde(default)]
    pub length: Option<u32>,
    #[serde(default)]
    pub precision: Option<u32>,
    #[serde(default)]
    pub scale: Option<u32>,
    #[serde(default, deserialize_with = "null_as_empty")]
    pub values: Vec<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub array: bool,
}

fn null_as_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::<Vec<String>>::deserialize(deserializer)?.unwrap_or_default())
}

/// PostgreSQL types that columns can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Text,
    Varchar,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    Numeric,
    Boolean,
    Date,
    Timestamp,
    Timestamptz,
    Uuid,
    Bytea,
    Jsonb,
    Enum,
}

/// What fills a column whose field is not there.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Default {
    Literal { value: Json },
    Now,
    IdTime,
}

/// The states of a field that a default fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefaultFor {
    Missing,
    Null,
}

/// What is done with values that the target cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    pub nul: NulPolicy,
    pub utf8: Utf8Policy,
    pub nan: NanPolicy,
    pub range: RangePolicy,
}

/// Instants beyond PostgreSQL's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangePolicy {
    DeadLetter,
    Null,
    Infinity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceFile {
    pub collection: String,
    pub ids: Scheme,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RewriteFile {
    pub path: Vec<String>,
    pub collection: String,
    pub ids: Scheme,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FieldFile {
    Column { path: Vec<String>, table: usize, column: usize },
    Junction { path: Vec<String>, table: usize },
    Child { path: Vec<String>, table: usize, fields: Vec<FieldFile> },
    Drop { path: Vec<String> },
}

impl FieldFile {
    pub fn path(&self) -> &[String] {
        match self {
            Self::Column { path, .. }
            | Self::Junction { path, .. }
            | Self::Child { path, .. }
            | Self::Drop { path } => path,
        }
    }
}
