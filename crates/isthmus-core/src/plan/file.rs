//! The plan as JSON says it, key by key; unknown keys are errors. What the keys mean together is checked elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use crate::ids::IdScheme as Scheme;
pub use crate::json::{NanPolicy, NulPolicy, Utf8Policy};

use super::literal::Json;

/// The one version that is read.
pub(super) const VERSION: u32 = 2;

/// Read before anything else, so that a plan of another version is called that.
#[derive(Debug, Deserialize)]
pub(super) struct VersionFile {
    pub version: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    #[serde(rename = "version")]
    pub _version: u32,
    pub collection: String,
    pub shapes: Vec<ShapeFile>,
}

/// What one entry of the mapping does with the documents it takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShapeFile {
    pub entry: String,
    #[serde(default)]
    pub when: Vec<TestFile>,
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

/// Comparison of a condition; `present` means met with any value but null, `before` and `not_before` compare instants
/// with one value, or with the start of the run where there is none.
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
    Before,
    NotBefore,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    pub name: String,
    pub kind: TableKind,
    #[serde(default)]
    pub parent: Option<usize>,
    /// Of a pending table: `table.column` of the column that waits.
    #[serde(default)]
    pub books: Option<String>,
    pub columns: Vec<ColumnFile>,
}

/// What one row of a table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    Root,
    Child,
    Junction,
    /// References of one column that are looked up once everything is loaded.
    Pending,
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
    #[serde(default)]
    pub rename: Vec<RenameFile>,
    #[serde(default)]
    pub normalise: Vec<Normalise>,
    #[serde(default)]
    pub values: Vec<ValueFile>,
    #[serde(default)]
    pub others: Option<OthersFile>,
    #[serde(default)]
    pub things: Option<ThingsFile>,
}

/// Things by documents: a line each, `{"_id": value}` as BSON in hex, then a blank and the thing, if there is one. Texts,
/// because whatever reads a plan would otherwise spend its time on them. See [`super::things::Things`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThingsFile {
    pub of: String,
    #[serde(default)]
    pub members: BTreeMap<String, String>,
}

/// What is done to a text before anything else looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalise {
    Trim,
    Lower,
}

/// A value that is replaced by another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueFile {
    pub from: Json,
    pub to: Json,
}

/// What replaces every value that is not listed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OthersFile {
    pub value: Json,
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
    /// The same in every row; its value is its default.
    Constant,
    /// The number of the flow that a row came by; a constant as well.
    Source,
    /// Of a pending table: where in its array an element stands.
    Element,
    /// The thing that the document belongs to.
    Thing,
    /// Names of the row's columns that a default filled.
    Filled,
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
    #[serde(default)]
    pub rewritten: bool,
    #[serde(default)]
    pub by: Option<ByFile>,
}

/// The column by whose values documents are referred to: a value is converted as it would be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByFile {
    #[serde(rename = "type")]
    pub kind: TypeFile,
    #[serde(default)]
    pub coerce: bool,
    #[serde(default)]
    pub normalise: Vec<Normalise>,
    #[serde(default)]
    pub values: Vec<ValueFile>,
    #[serde(default)]
    pub others: Option<OthersFile>,
    pub policies: Policies,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RewriteFile {
    pub path: Vec<String>,
    pub collection: String,
    pub ids: Scheme,
    #[serde(default)]
    pub rewritten: bool,
    #[serde(default)]
    pub keep_others: bool,
}

/// A key inside jsonb that is written otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameFile {
    pub path: Vec<String>,
    pub to: String,
}

/// One rule. Which keys belong to which `do` is checked in [`super::fields`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldFile {
    #[serde(default)]
    pub path: Option<Vec<String>>,
    #[serde(default)]
    pub first_of: Option<Vec<Vec<String>>>,
    #[serde(default)]
    pub element: Option<i64>,
    #[serde(default)]
    pub of: Option<Vec<String>>,
    #[serde(default)]
    pub others: Option<OtherElements>,
    #[serde(default)]
    pub coerce: bool,
    #[serde(rename = "do")]
    pub job: Job,
    #[serde(default)]
    pub table: Option<usize>,
    #[serde(default)]
    pub column: Option<usize>,
    #[serde(default)]
    pub columns: Option<Vec<usize>>,
    /// Of a route: one of its columns must be filled.
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub flags: Option<Vec<FlagFile>>,
    #[serde(default)]
    pub parts: Option<Vec<PartFile>>,
    #[serde(default)]
    pub fields: Option<Vec<FieldFile>>,
}

/// What becomes of the value that a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Job {
    Column,
    Pending,
    Route,
    Flags,
    Object,
    ToFlags,
    Junction,
    Child,
    Drop,
}

/// What becomes of the elements of an array that no rule takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OtherElements {
    /// The whole array is left over.
    Extras,
    /// They are dropped by name.
    Drop,
}

/// One member of an object that is put together of several fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartFile {
    pub key: String,
    pub path: Vec<String>,
}

/// One label: with `path` the boolean that sets it, with `column` the boolean column that it sets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlagFile {
    pub label: String,
    #[serde(default)]
    pub path: Option<Vec<String>>,
    #[serde(default)]
    pub column: Option<usize>,
}
