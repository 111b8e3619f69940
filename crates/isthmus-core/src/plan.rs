//! The compiled mapping of one collection, as JSON text that `isthmus.mapping.plan` writes.
//!
//! Decides whether a plan is usable: every key known, every index inside its list, every path claimed once, every
//! column fed or explained. It resolves paths to numbered slots and tries, so that the walk over a document compares
//! keys once. What a value becomes in its column is left to [`crate::convert`].

mod build;
mod file;
mod literal;
mod trie;

use std::fmt;
use std::sync::Arc;

pub use file::{
    Default as DefaultRule, DefaultFor, Kind, NanPolicy, NulPolicy, Op, Policies, RangePolicy, Role, Scheme, TableKind,
    Unknown, Utf8Policy,
};
pub use literal::{Json, Literal};
pub use trie::{Entry, Node};

use build::Builder;
use file::PlanFile;

/// Why a plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// `plan` for a plan that the compiler got wrong, `default` for a default that does not fit its column.
    pub code: &'static str,
    pub table: Option<String>,
    pub column: Option<String>,
    /// What is wrong, as a full sentence that names table and column where there are any.
    pub message: String,
}

impl PlanError {
    fn plain(message: impl Into<String>) -> Self {
        Self { code: "plan", table: None, column: None, message: message.into() }
    }

    fn column(table: &str, column: &str, what: impl fmt::Display) -> Self {
        Self {
            code: "plan",
            table: Some(table.to_owned()),
            column: Some(column.to_owned()),
            message: format!("Column {table}.{column} {what}."),
        }
    }

    /// A default that its own column refuses.
    pub(crate) fn default_refused(table: &str, column: &str, why: &str) -> Self {
        Self {
            code: "default",
            table: Some(table.to_owned()),
            column: Some(column.to_owned()),
            message: format!("The default of {table}.{column} does not fit the column: {why}"),
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlanError {}

/// A column's PostgreSQL type.
#[derive(Debug, Clone)]
pub struct ColumnType {
    pub kind: Kind,
    /// `varchar(n)`: characters.
    pub length: Option<u32>,
    /// `numeric(p, s)`: decimal digits; `timestamp(p)`: digits of a second.
    pub precision: Option<u32>,
    pub scale: Option<u32>,
    /// Labels of an enum, in their order.
    pub values: Vec<Box<[u8]>>,
    /// The enum type's name in the target.
    pub name: Option<String>,
    pub array: bool,
}

/// Where a reference points, and which shape its ids have.
#[derive(Debug, Clone)]
pub struct Reference {
    pub collection: Arc<str>,
    pub ids: Scheme,
}

/// One column in COPY order.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// `table.column`, the key of all counters.
    pub qualified: String,
    pub role: Role,
    pub kind: ColumnType,
    pub required: bool,
    pub default: Option<DefaultRule>,
    pub default_for_missing: bool,
    pub default_for_null: bool,
    pub coerce: bool,
    pub sensitive: bool,
    pub policies: Policies,
    pub reference: Option<Reference>,
    /// Inside a jsonb column: paths whose ids are replaced by derived ones.
    pub rewrite: Vec<Rewrite>,
    /// The slot its value is found in; none for ids, positions, extras and columns that no field feeds.
    pub slot: Option<usize>,
    /// Its printed path in a document (of a child: in its element).
    pub path: String,
    /// Keys in that path.
    pub depth: usize,
    /// Number of this column over all tables of the plan, for counters.
    pub number: usize,
}

/// One rewritten path inside a jsonb column; `[]` is every element of an array.
#[derive(Debug, Clone)]
pub struct Rewrite {
    pub path: Vec<String>,
    pub reference: Reference,
}

/// One table in the order of the plan.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub kind: TableKind,
    pub parent: Option<usize>,
    pub columns: Vec<Column>,
    /// The extras column, when the table has one.
    pub extras: Option<usize>,
}

/// An array of references that becomes pairs.
#[derive(Debug, Clone)]
pub struct Junction {
    pub slot: usize,
    pub table: usize,
    pub path: String,
    /// Column number of the side that holds the array's ids.
    pub other: usize,
}

/// An array of documents that becomes rows.
#[derive(Debug, Clone)]
pub struct Child {
    pub slot: usize,
    pub scope: usize,
    pub path: String,
    /// A column of its table, or of one below, is sensitive.
    pub sensitive: bool,
}

/// What is read from one document or one array element: a table, its fields and what hangs below.
#[derive(Debug, Clone)]
pub struct Scope {
    pub table: usize,
    pub node: usize,
    /// Printed path from the document to it, without positions; empty for the document.
    pub path: String,
    /// First slot and one past the last; slots of deeper scopes are not inside.
    pub slots: (usize, usize),
    pub children: Vec<Child>,
    pub junctions: Vec<Junction>,
    /// Slots of dropped fields with the index of their path in [`Plan::dropped`].
    pub drops: Vec<(usize, usize)>,
    /// Keys from the holder of the scope's parent field down to that field (1 for `steps`, 2 for `a.steps`).
    pub depth: usize,
}

/// One comparison of a skip condition; a skip applies when all its tests hold.
#[derive(Debug, Clone)]
pub struct Test {
    pub slot: usize,
    pub op: Op,
    pub values: Vec<Literal>,
}

/// Documents left out on purpose.
#[derive(Debug, Clone)]
pub struct Skip {
    pub all: Vec<Test>,
    pub why: String,
}

/// A plan ready for the walk.
#[derive(Debug, Clone)]
pub struct Plan {
    pub collection: Arc<str>,
    pub ids: Scheme,
    pub unknown: Unknown,
    pub skips: Vec<Skip>,
    pub tables: Vec<Table>,
    /// `scopes[0]` is the document.
    pub scopes: Vec<Scope>,
    pub nodes: Vec<Node>,
    /// How many slots all scopes have together.
    pub slot_count: usize,
    /// The slot of the document's `_id`.
    pub id_slot: usize,
    /// Printed paths that the mapping drops by name, from the document down.
    pub dropped: Vec<String>,
    pub column_count: usize,
}

impl Plan {
    /// Reads and compiles a plan. Defaults are encoded later, by the column's own conversion.
    ///
    /// # Errors
    /// The first contradiction, with table and column where one is meant.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let file: PlanFile = serde_json::from_str(text)
            .map_err(|error| PlanError::plain(format!("The compiled plan cannot be read: {error}.")))?;
        if file.version != 1 {
            return Err(PlanError::plain(format!("The compiled plan has version {}; 1 is known.", file.version)));
        }
        Builder::build(file)
    }

    /// The root table's id column.
    #[must_use]
    pub fn id_column(&self) -> Option<&Column> {
        self.tables[0].columns.iter().find(|column| column.role == Role::Id)
    }
}
