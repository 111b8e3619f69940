//! The compiled mapping of one source collection, as JSON text that `isthmus.mapping.plan` writes.
//!
//! Decides whether a plan is usable: every key known, every index inside its list, every column fed or explained. It
//! resolves paths to numbered slots and tries, so that the walk over a document compares keys once. A plan has one
//! shape for each entry of the mapping that takes documents of the collection; tables, scopes, nodes and slots of all
//! shapes are numbered through. What a value becomes in its column is left to [`crate::convert`].

mod build;
mod columns;
mod fields;
mod file;
mod literal;
mod picks;
mod place;
mod sources;
mod targets;
mod things;
pub(crate) mod trie;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use file::{
    Default as DefaultRule, DefaultFor, Kind, NanPolicy, Normalise, NulPolicy, Op, Policies, RangePolicy, Role, Scheme,
    TableKind, Unknown, Utf8Policy,
};
pub use literal::{Json, Literal};
pub use picks::{Elements, FirstOf, Flag, Flags, Made, Object, Origin, Owner, Part, Pick, Take, ToFlags, Way};
pub use things::{Member, Things};
pub use trie::{Entry, Node};

use build::Builder;
use file::{PlanFile, VersionFile, VERSION};

/// Why a plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError {
    /// `plan` for a plan that the compiler got wrong, `default` for a default, a constant or a value of `values` that
    /// does not fit its column.
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

    /// A value of the mapping that its own column refuses; `what` names its part there.
    pub(crate) fn misfit(what: &str, column: &Column, why: &str) -> Self {
        Self {
            code: "default",
            table: Some(column.table.clone()),
            column: Some(column.books_name().to_owned()),
            message: format!("The {what} of {} does not fit the column: {why}", column.qualified),
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
    /// The documents are referred to by the values of one of their columns; nothing is derived.
    pub by_value: bool,
    /// A text in the form of these ids is one already.
    pub rewritten: bool,
}

/// Columns that one value may fill, of which one will keep it.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its number among all routes of a plan.
    pub number: usize,
    /// This column speaks for all: it counts and reports.
    pub first: bool,
    /// Their numbers in their table.
    pub columns: Vec<usize>,
}

/// One column in COPY order.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    /// The table that the books name; of a pending table the one whose column waits.
    pub table: String,
    /// `table.column`, the key of all counters; of a route `table.first|second`, of a pending table the column that
    /// waits.
    pub qualified: String,
    pub role: Role,
    pub kind: ColumnType,
    pub required: bool,
    pub default: Option<DefaultRule>,
    pub default_for_missing: bool,
    pub default_for_null: bool,
    pub coerce: bool,
    /// A single value is taken as an array of one.
    pub wrap: bool,
    pub sensitive: bool,
    pub policies: Policies,
    pub reference: Option<Reference>,
    /// Inside a jsonb column: paths whose ids are replaced by derived ones.
    pub rewrite: Vec<Rewrite>,
    /// Inside a jsonb column: keys that are written as others.
    pub rename: Vec<Rename>,
    pub rules: Option<Rules>,
    /// What fills it before anything else does: the thing that the document belongs to.
    pub things: Option<Arc<Things>>,
    /// Its name is told in the row where its default fills it.
    pub tells_default: bool,
    pub route: Option<Route>,
    /// The slot its value is found in; none for ids, positions, extras and columns that no field feeds.
    pub slot: Option<usize>,
    /// The number of the made value in that slot, when it is one.
    pub made: Option<usize>,
    /// The pick that it is put together by: of its flags, for an array of labels, or of the parts of an object.
    pub several: Option<usize>,
    /// Its printed path in a document (of a child: in its element).
    pub path: String,
    /// Keys in that path.
    pub depth: usize,
    /// Number of this column over all tables of the plan, for counters.
    pub number: usize,
}

impl Column {
    /// Its name in the books, without the table.
    #[must_use]
    pub fn books_name(&self) -> &str {
        self.qualified.get(self.table.len() + 1..).unwrap_or(&self.name)
    }

    /// Another column of its route counts and reports for it.
    #[inline]
    #[must_use]
    pub fn silent(&self) -> bool {
        self.route.as_ref().is_some_and(|route| !route.first)
    }
}

/// What is done to a value before it is converted.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub trim: bool,
    pub lower: bool,
    /// Values and what replaces them.
    pub values: Vec<(Json, Json)>,
    /// What replaces all others.
    pub others: Option<Json>,
}

/// One rewritten path inside a jsonb column; `[]` is every element of an array.
#[derive(Debug, Clone)]
pub struct Rewrite {
    pub path: Vec<String>,
    /// The same with keys as they are written.
    pub written: Vec<String>,
    pub reference: Reference,
    /// What is not in the form of an id stays as it is.
    pub keep_others: bool,
}

/// One key inside a jsonb column that is written as another.
#[derive(Debug, Clone)]
pub struct Rename {
    pub path: Vec<String>,
    pub to: String,
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
    pub made: Option<usize>,
    /// Keys in the path.
    pub depth: usize,
    pub table: usize,
    pub path: String,
    /// Column number of the side that holds the array's ids.
    pub other: usize,
}

/// An array of documents that becomes rows.
#[derive(Debug, Clone)]
pub struct Child {
    pub slot: usize,
    pub made: Option<usize>,
    /// Keys in the path: 1 for `steps`, 2 for `a.steps`.
    pub depth: usize,
    pub scope: usize,
    pub path: String,
    /// A column of its table, or of one below, is sensitive.
    pub sensitive: bool,
}

/// A reference whose rows wait in a table of their own.
#[derive(Debug, Clone)]
pub struct Pending {
    pub table: usize,
    /// Column number of the reference.
    pub column: usize,
    /// The column that waits is an array: a row for each element.
    pub array: bool,
    /// Columns of its parent that are written first, so that causes come in the order of the mapping.
    pub after: usize,
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
    pub pendings: Vec<Pending>,
    /// Numbers of the values to be made once the level is read, in their order.
    pub picks: Range<usize>,
    /// Slots of dropped fields with the index of their path in [`Plan::dropped`].
    pub drops: Vec<(usize, usize)>,
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

/// What one entry of the mapping does with the documents it takes.
#[derive(Debug, Clone)]
pub struct Shape {
    pub entry: String,
    /// All must hold; none always do.
    pub when: Vec<Test>,
    pub ids: Scheme,
    pub unknown: Unknown,
    /// Its conditions among all of the plan.
    pub skips: Range<usize>,
    /// Its tables among all of the plan; the first is its root table.
    pub tables: Range<usize>,
    /// Number of the id column in the root table.
    pub id_column: usize,
    /// The scope of the document.
    pub scope: usize,
    /// The slot of the document's `_id`.
    pub id_slot: usize,
}

/// How the shape of a document is found, where there is a choice.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Knows the paths that conditions look at, and `_id`.
    pub node: usize,
    pub slots: (usize, usize),
    pub id_slot: usize,
}

/// A plan ready for the walk.
#[derive(Debug, Clone)]
pub struct Plan {
    pub collection: Arc<str>,
    /// In the order in which they are asked whether they take a document.
    pub shapes: Vec<Shape>,
    /// None where the one shape takes every document.
    pub choice: Option<Choice>,
    pub skips: Vec<Skip>,
    pub tables: Vec<Table>,
    pub scopes: Vec<Scope>,
    pub nodes: Vec<Node>,
    pub picks: Vec<Pick>,
    /// How many slots all scopes have together.
    pub slot_count: usize,
    pub made_count: usize,
    pub route_count: usize,
    /// Printed paths that the mapping drops by name, from the document down.
    pub dropped: Vec<String>,
}

impl Plan {
    /// Reads and compiles a plan. Defaults are encoded later, by the column's own conversion.
    ///
    /// # Errors
    /// The first contradiction, with table and column where one is meant.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let unreadable = |error| PlanError::plain(format!("The compiled plan cannot be read: {error}."));
        let file: VersionFile = serde_json::from_str(text).map_err(unreadable)?;
        if file.version != VERSION {
            let found = file.version;
            return Err(PlanError::plain(format!("The compiled plan has version {found}; {VERSION} is known.")));
        }
        let file: PlanFile = serde_json::from_str(text).map_err(unreadable)?;
        Builder::build(file)
    }

    /// The entry of a trie at which a step of a way ends.
    #[must_use]
    pub fn entry(&self, (node, entry): (usize, usize)) -> &Entry {
        &self.nodes[node].entries[entry]
    }
}
