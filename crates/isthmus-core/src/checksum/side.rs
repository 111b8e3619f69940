//! One side of the comparison, as JSON says it: its tables, and which shared tables and columns they are.

use std::collections::HashSet;

use serde::Deserialize;

use crate::plan::Kind;

use super::form::Form;
use super::group::{Asked, Group};
use super::json::Rewrites;

/// Sums are kept for each bucket of each column.
const MOST_BUCKETS: usize = 1 << 16;
/// Far more than a table can have.
const MOST_COLUMNS: usize = 1 << 16;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SideFile {
    /// What digests begin with, so that nobody can know beforehand which values have the same sum.
    #[serde(default)]
    seed: u64,
    buckets: usize,
    columns: Vec<usize>,
    tables: Vec<TableFile>,
    #[serde(default)]
    translations: Vec<Vec<(String, String)>>,
    #[serde(default)]
    leave_out: Vec<(usize, Vec<String>)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    table: Option<usize>,
    #[serde(default)]
    row: bool,
    #[serde(default)]
    key: Vec<usize>,
    #[serde(default)]
    owner: Option<usize>,
    columns: Vec<ColumnFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    column: Option<usize>,
    #[serde(rename = "type")]
    kind: TypeFile,
    #[serde(default)]
    ids: Option<usize>,
    #[serde(default)]
    rewrites: Vec<RewriteFile>,
    #[serde(default)]
    elements: bool,
    #[serde(default)]
    element: Option<usize>,
    #[serde(default)]
    unless: Vec<usize>,
    #[serde(default)]
    sensitive: bool,
}

/// As a compiled plan has it; labels and the name of an enum say nothing here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeFile {
    kind: Kind,
    #[serde(default)]
    array: bool,
    #[serde(default)]
    length: Option<usize>,
    #[serde(default)]
    precision: Option<u32>,
    #[serde(default)]
    scale: Option<i32>,
    #[serde(default, rename = "values")]
    _values: Option<Vec<String>>,
    #[serde(default, rename = "name")]
    _name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RewriteFile {
    path: Vec<String>,
    ids: usize,
}

/// Which cell, or cells, a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    One,
    /// Each element of the array.
    Elements,
    /// One element, whose number the column at this position holds.
    Element(usize),
}

/// One column of a table of this side.
#[derive(Debug)]
pub(super) struct Column {
    pub shared: Option<usize>,
    pub form: Form,
    pub array: bool,
    pub ids: Option<usize>,
    pub cells: Cells,
    /// Positions of columns of which none may hold a value, or this one adds nothing.
    pub unless: Vec<usize>,
    pub sensitive: bool,
}

#[derive(Debug)]
pub(super) struct Table {
    /// `None`: its rows are passed over.
    pub shared: Option<usize>,
    pub row: bool,
    pub key: Vec<usize>,
    pub owner: Option<usize>,
    pub columns: Vec<Column>,
    /// Positions of the columns that are compared, and their shared numbers.
    pub compared: Vec<(usize, usize)>,
    /// Forms of the owners whose rows are left out.
    pub left_out: HashSet<Box<[u8]>>,
}

#[derive(Debug)]
pub(super) struct Side {
    pub seed: u64,
    pub buckets: usize,
    /// Columns of each shared table.
    pub columns: Vec<usize>,
    pub tables: Vec<Table>,
    pub groups: Vec<Group>,
}

impl Side {
    /// # Errors
    /// A sentence for a side that cannot be read or contradicts itself.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        let file: SideFile =
            serde_json::from_str(json).map_err(|error| format!("The side cannot be read: {error}."))?;
        if !(1..=MOST_BUCKETS).contains(&file.buckets) {
            return Err(format!("A side has 1 to {MOST_BUCKETS} buckets, not {}.", file.buckets));
        }
        if let Some(columns) = file.columns.iter().find(|&&columns| columns > MOST_COLUMNS) {
            return Err(format!("A shared table has at most {MOST_COLUMNS} columns, not {columns}."));
        }
        let mut asked = vec![Asked::default(); file.translations.len()];
        let tables = file.tables.into_iter().enumerate();
        let tables = tables
            .map(|(number, table)| {
                prepare(table, &file.columns, &mut asked).map_err(|why| format!("Table {number} of the side {why}."))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let groups = file.translations.into_iter().zip(asked);
        let groups = groups.map(|(pairs, asked)| Group::new(pairs, asked)).collect::<Result<_, _>>()?;
        let mut side = Self { seed: file.seed, buckets: file.buckets, columns: file.columns, tables, groups };
        for (table, owners) in file.leave_out {
            side.leave_out(table, &owners)?;
        }
        Ok(side)
    }

    /// # Errors
    /// A sentence when the numbers of the other are not those of this one.
    pub(super) fn check_same(&self, other: &Self) -> Result<(), String> {
        if self.seed == other.seed && self.buckets == other.buckets && self.columns == other.columns {
            return Ok(());
        }
        Err("Sides with different seeds, buckets or shared tables cannot be put together.".to_owned())
    }

    pub(super) fn bucket(&self, key: u128) -> usize {
        (((key >> 64) * self.buckets as u128) >> 64) as usize
    }

    fn leave_out(&mut self, shared: usize, owners: &[String]) -> Result<(), String> {
        if shared >= self.columns.len() {
            return Err(format!("Rows are to be left out of shared table {shared}, which is not there."));
        }
        for table in self.tables.iter_mut().filter(|table| table.shared == Some(shared)) {
            let owner = table.owner.map(|position| &table.columns[position]);
            let owner = owner.ok_or_else(|| {
                format!("Rows are to be left out of shared table {shared}, but a table of this side has no owner.")
            })?;
            for text in owners {
                let form = owner.of_id(text).ok_or_else(|| {
                    format!("The owner \"{text}\" of shared table {shared} is nothing that its column can hold.")
                })?;
                table.left_out.insert(form.into());
            }
        }
        Ok(())
    }
}

impl Column {
    fn of_id(&self, text: &str) -> Option<Vec<u8>> {
        if self.array {
            None
        } else {
            self.form.of_id(text)
        }
    }
}

/// Checks a table, and notes which groups are asked for what.
///
/// # Errors
/// The rest of a sentence that begins with the table.
fn prepare(file: TableFile, shared: &[usize], asked: &mut [Asked]) -> Result<Table, String> {
    let width = file.columns.len();
    let count = match file.table {
        Some(table) => *shared.get(table).ok_or_else(|| format!("is shared table {table}, which is not there"))?,
        None => 0,
    };
    if let Some(position) = file.key.iter().chain(&file.owner).find(|&&position| position >= width) {
        return Err(format!("names column {position} as its key or owner, which is not there"));
    }
    let mut columns = Vec::with_capacity(width);
    let mut compared: Vec<(usize, usize)> = Vec::new();
    for (position, column) in file.columns.iter().enumerate() {
        let prepared = column.prepare(&file.columns, asked).map_err(|why| format!("has a column {position} {why}"))?;
        if let (Some(shared), Some(_)) = (prepared.shared, file.table) {
            if shared >= count {
                return Err(format!("has a column {position} that is shared column {shared}, which is not there"));
            }
            if compared.iter().any(|(_, other)| *other == shared) && column.unless.is_empty() {
                return Err(format!("has two columns that are shared column {shared}"));
            }
            compared.push((position, shared));
        }
        columns.push(prepared);
    }
    if file.table.is_some() && file.key.is_empty() {
        return Err("has no key".to_owned());
    }
    Ok(Table {
        shared: file.table,
        row: file.row,
        key: file.key,
        owner: file.owner,
        columns,
        compared,
        left_out: HashSet::new(),
    })
}

impl ColumnFile {
    fn prepare(&self, columns: &[Self], asked: &mut [Asked]) -> Result<Column, String> {
        let kind = &self.kind;
        let mut form = kind.form()?;
        let missing = |group: usize| format!("with translation {group}, which is not there");
        if let Some(group) = self.ids {
            let asked = asked.get_mut(group).ok_or_else(|| missing(group))?;
            match form {
                Form::Text(_) => asked.texts = true,
                Form::Uuid => asked.uuids = true,
                Form::Smallint | Form::Integer | Form::Bigint => asked.numbers = true,
                _ => return Err("whose ids are translated, but that is of a type that ids never are".to_owned()),
            }
        }
        for rewrite in &self.rewrites {
            asked.get_mut(rewrite.ids).ok_or_else(|| missing(rewrite.ids))?.texts = true;
            match &mut form {
                Form::Jsonb(rewrites) => rewrites.add(&rewrite.path, rewrite.ids),
                _ => return Err("with rewrites, but it is not jsonb".to_owned()),
            }
        }
        let cells = match self.element {
            None if self.elements && !kind.array => return Err("with elements, but it is no array".to_owned()),
            None if self.elements => Cells::Elements,
            None => Cells::One,
            Some(_) if self.elements || kind.array => {
                return Err("that is one element of an array and an array".to_owned())
            }
            Some(number) => {
                let column = columns.get(number).map(|column| &column.kind);
                if !column.is_some_and(|kind| {
                    matches!(kind.kind, Kind::Smallint | Kind::Integer | Kind::Bigint) && !kind.array
                }) {
                    return Err(format!("whose element's number stands in column {number}, which is no whole number"));
                }
                Cells::Element(number)
            }
        };
        if self.unless.iter().any(|&number| number >= columns.len()) {
            return Err("that yields to a column that is not there".to_owned());
        }
        let (unless, sensitive) = (self.unless.clone(), self.sensitive);
        Ok(Column { shared: self.column, form, array: kind.array, ids: self.ids, cells, unless, sensitive })
    }
}

impl TypeFile {
    fn form(&self) -> Result<Form, String> {
        Ok(match self.kind {
            Kind::Boolean => Form::Boolean,
            Kind::Smallint => Form::Smallint,
            Kind::Integer => Form::Integer,
            Kind::Bigint => Form::Bigint,
            Kind::Real => Form::Real,
            Kind::Double => Form::Double,
            Kind::Numeric => match self.precision.map(|_| self.scale.unwrap_or(0)) {
                Some(scale) if !(-1_000..=1_000).contains(&scale) => {
                    return Err(format!("of numeric with the scale {scale}, which no column has"))
                }
                scale => Form::Numeric(scale),
            },
            Kind::Text | Kind::Enum => Form::Text(None),
            Kind::Varchar => Form::Text(self.length),
            Kind::Date => Form::Date,
            Kind::Timestamp | Kind::Timestamptz => {
                let precision = self.precision.unwrap_or(6).min(6) as u8;
                Form::Timestamp(precision, self.kind == Kind::Timestamptz)
            }
            Kind::Uuid => Form::Uuid,
            Kind::Bytea => Form::Bytea,
            Kind::Jsonb => Form::Jsonb(Rewrites::default()),
        })
    }
}
