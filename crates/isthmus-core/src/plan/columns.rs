//! Tables and columns of one shape: roles in their kinds of tables, types that can hold them.

use std::sync::Arc;

use super::file::{ColumnFile, DefaultFor, Kind, Normalise, Role, Scheme, TableFile, TableKind};
use super::file::{OthersFile, ReferenceFile, TypeFile, ValueFile};
use super::{Column, ColumnType, Literal, PlanError, Reference, Rename, Rewrite, Rules, Table, Things};
use crate::json::EVERY_ELEMENT;

/// The widest table PostgreSQL knows: <https://www.postgresql.org/docs/current/limits.html>.
const MAX_COLUMNS: usize = 1_600;

/// Compiles the tables of one shape; their numbers start at `first`, those of columns at `numbers`.
pub(super) fn compile_tables(
    files: Vec<TableFile>,
    ids: Scheme,
    first: usize,
    numbers: &mut usize,
) -> Result<Vec<Table>, PlanError> {
    let names: Vec<String> = files.iter().map(|table| table.name.clone()).collect();
    let mut tables = Vec::with_capacity(files.len());
    for (index, file) in files.into_iter().enumerate() {
        let parent = file.parent.and_then(|parent| names.get(parent)).cloned();
        let mut table = compile_table(index, file, parent.as_deref(), numbers)?;
        table.parent = table.parent.map(|parent| parent + first);
        tables.push(table);
    }
    if tables.first().map(|table| table.kind) != Some(TableKind::Root) {
        return Err(PlanError::plain("The first table of a shape is its root table."));
    }
    check_ids(&tables, ids)?;
    check_positions(&tables, first)?;
    Ok(tables)
}

/// The number of the id column in a root table.
pub(super) fn id_column(root: &Table) -> usize {
    root.columns.iter().position(|column| column.role == Role::Id).unwrap_or(0)
}

fn compile_table(
    index: usize,
    table: TableFile,
    parent: Option<&str>,
    numbers: &mut usize,
) -> Result<Table, PlanError> {
    let wrong = |what: &str| {
        Err(PlanError {
            code: "plan",
            table: Some(table.name.clone()),
            column: None,
            message: format!("Table {} {what}.", table.name),
        })
    };
    if table.columns.is_empty() || table.columns.len() > MAX_COLUMNS {
        return wrong("needs between 1 and 1,600 columns");
    }
    match (table.kind, table.parent, index) {
        (TableKind::Root, None, 0) | (TableKind::Junction, None, 1..) => {}
        (TableKind::Child | TableKind::Pending, Some(parent), 1..) if parent < index => {}
        _ => return wrong("has a kind, a parent and a place in the plan that do not fit together"),
    }
    let books = match (table.kind, &table.books, parent) {
        (TableKind::Pending, Some(books), Some(parent)) => {
            let column = books.strip_prefix(parent).and_then(|rest| rest.strip_prefix('.'));
            match column.filter(|column| !column.is_empty()) {
                Some(column) => Some((parent.to_owned(), column.to_owned())),
                None => return wrong("waits for a column that is not one of its parent"),
            }
        }
        (TableKind::Pending, ..) => return wrong("does not say which column waits for it"),
        // Pairs whose other side waits.
        (TableKind::Junction, Some(books), _) => {
            let other = table.columns.iter().find(|column| column.role == Role::Other);
            let split =
                other.and_then(|other| Some((books.strip_suffix(&other.name)?.strip_suffix('.')?, &*other.name)));
            match split {
                Some((real, column)) => Some((real.to_owned(), column.to_owned())),
                None => return wrong("waits for a column that is not its own"),
            }
        }
        (_, None, _) => None,
        _ => return wrong("has rows of its own, so no column waits for it"),
    };
    let tells_defaults = table.columns.last().is_some_and(|column| column.role == Role::Filled);
    if table.columns.iter().filter(|column| column.role == Role::Filled).count() > usize::from(tells_defaults) {
        return wrong("tells what defaults filled before its last column");
    }
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        let mut column = compile_column(&table.name, table.kind, column, *numbers)?;
        column.tells_default = tells_defaults && column.default.is_some();
        if let Some((real, waiting)) = &books {
            column.table.clone_from(real);
            column.qualified = format!("{real}.{waiting}");
        }
        columns.push(column);
        *numbers += 1;
    }
    let mut extras = columns.iter().enumerate().filter(|(_, column)| column.role == Role::Extras).map(|(at, _)| at);
    let first = extras.next();
    if extras.next().is_some() {
        return Err(PlanError::plain(format!("Table {} has two extras columns.", table.name)));
    }
    Ok(Table { name: table.name, kind: table.kind, parent: table.parent, columns, extras: first })
}

fn compile_column(table: &str, kind: TableKind, column: ColumnFile, number: usize) -> Result<Column, PlanError> {
    let allowed = match kind {
        TableKind::Root => matches!(
            column.role,
            Role::Id
                | Role::Value
                | Role::Reference
                | Role::Extras
                | Role::Constant
                | Role::Source
                | Role::Thing
                | Role::Filled
        ),
        TableKind::Child => matches!(
            column.role,
            Role::RootId
                | Role::AncestorPosition
                | Role::Position
                | Role::Value
                | Role::Reference
                | Role::Extras
                | Role::Source
        ),
        TableKind::Junction => matches!(column.role, Role::Own | Role::Other),
        TableKind::Pending => matches!(
            column.role,
            Role::RootId | Role::AncestorPosition | Role::Position | Role::Element | Role::Reference
        ),
    };
    let wrong = |what: &str| Err(PlanError::column(table, &column.name, what));
    if !allowed {
        return wrong("has a role that this kind of table does not have");
    }
    let t = &column.kind;
    let fits = match column.role {
        Role::Position | Role::AncestorPosition | Role::Element => t.kind == Kind::Integer && !t.array,
        Role::Extras => t.kind == Kind::Jsonb && !t.array,
        Role::Reference | Role::Other => match &column.reference {
            None => return wrong("is a reference without a collection"),
            Some(reference) => {
                let held = match &reference.by {
                    Some(by) => by.kind.kind == t.kind,
                    None => holds_ids(t.kind, t.length, reference.ids),
                };
                held && (!t.array || column.role == Role::Reference && kind != TableKind::Pending)
            }
        },
        Role::Id | Role::RootId | Role::Own => !t.array,
        Role::Source => t.kind == Kind::Smallint && !t.array,
        Role::Thing => t.kind == Kind::Text && !t.array,
        Role::Filled => t.kind == Kind::Text && t.array,
        Role::Value | Role::Constant => true,
    };
    if !fits {
        return wrong("has a type that its role cannot have");
    }
    if t.kind == Kind::Enum && t.values.is_empty() {
        return wrong("is an enum without values");
    }
    if t.kind == Kind::Numeric && t.scale.is_some() && t.precision.is_none() {
        return wrong("has a scale without a precision");
    }
    let precision_limit = if t.kind == Kind::Numeric { 1_000 } else { 6 };
    if t.precision.is_some_and(|precision| precision > precision_limit) {
        return wrong("has a precision beyond PostgreSQL's limit");
    }
    if t.scale.is_some_and(|scale| scale > 1_000) {
        return wrong("has a scale beyond PostgreSQL's limit");
    }
    if !column.rewrite.is_empty() && t.kind != Kind::Jsonb {
        return wrong("rewrites ids, which only a jsonb column can");
    }
    if column.rewrite.iter().any(|rule| rule.keep_others && rule.ids == Scheme::Keep) {
        return wrong("keeps what is no id, but its ids have no form");
    }
    if !column.rename.is_empty() && t.kind != Kind::Jsonb {
        return wrong("renames keys, which only a jsonb column has");
    }
    if column.rename.iter().any(|rule| rule.path.last().is_none_or(|key| key == EVERY_ELEMENT)) {
        return wrong("renames what is no key");
    }
    if matches!(column.role, Role::Constant | Role::Source) && column.default.is_none() {
        return wrong("is a constant without a value");
    }
    let linked = kind == TableKind::Root
        && !t.array
        && column.reference.as_ref().is_some_and(|to| to.by.is_none() && to.ids != Scheme::Keep);
    if column.things.is_some() != (column.role == Role::Thing) && !(column.role == Role::Reference && linked) {
        return wrong("takes the thing of a document, or does not, against its role");
    }
    let kind = compile_type(&column.kind);
    let (mut coerce, mut policies) = (column.coerce, column.policies);
    let (mut normalise, mut values, mut others) = (column.normalise, column.values, column.others);
    let mut reference = None;
    if let Some(ReferenceFile { collection, ids, rewritten, by }) = column.reference {
        reference = Some(Reference { collection: collection.into(), ids, by_value: by.is_some(), rewritten });
        match by {
            Some(by) => {
                (coerce, policies) = (by.coerce, by.policies);
                (normalise, values, others) = (by.normalise, by.values, by.others);
            }
            None if !normalise.is_empty() || !values.is_empty() || others.is_some() => {
                return Err(PlanError::column(table, &column.name, "derives its ids, so it cannot change them first"))
            }
            None => {}
        }
    }
    let rules = compile_rules(normalise, values, others);
    let rename: Vec<Rename> = column.rename.into_iter().map(|rule| Rename { path: rule.path, to: rule.to }).collect();
    let wrong = |what: &str| Err(PlanError::column(table, &column.name, what));
    if let Some(rules) = &rules {
        if !matches!(column.role, Role::Value | Role::Reference | Role::Other) {
            return wrong("is filled by its role, so it has no values to change");
        }
        if (rules.trim || rules.lower) && !matches!(kind.kind, Kind::Text | Kind::Varchar | Kind::Enum) {
            return wrong("normalises texts, but is none");
        }
        if let Some(why) = twice(rules) {
            return wrong(&why);
        }
    }
    Ok(Column {
        table: table.to_owned(),
        qualified: format!("{table}.{}", column.name),
        path: column.name.clone(),
        name: column.name,
        role: column.role,
        kind,
        required: column.required,
        default_for_missing: column.default.is_some() && column.default_for.contains(&DefaultFor::Missing),
        default_for_null: column.default.is_some() && column.default_for.contains(&DefaultFor::Null),
        default: column.default,
        coerce,
        wrap: column.coerce,
        sensitive: column.sensitive,
        policies,
        reference,
        rewrite: column
            .rewrite
            .into_iter()
            .map(|r| Rewrite {
                written: written(&r.path, &rename),
                path: r.path,
                reference: Reference {
                    collection: r.collection.into(),
                    ids: r.ids,
                    by_value: false,
                    rewritten: r.rewritten,
                },
                keep_others: r.keep_others,
            })
            .collect(),
        rename,
        rules,
        things: column.things.map(Things::compile).transpose()?.map(Arc::new),
        tells_default: false,
        route: None,
        depth: 1,
        slot: None,
        made: None,
        several: None,
        number,
    })
}

/// A path inside jsonb with its keys as they are written.
fn written(path: &[String], rename: &[Rename]) -> Vec<String> {
    let named = |end: usize| rename.iter().find(|rule| rule.path == path[..=end]).map(|rule| rule.to.clone());
    path.iter().enumerate().map(|(end, key)| named(end).unwrap_or_else(|| key.clone())).collect()
}

fn compile_type(file: &TypeFile) -> ColumnType {
    ColumnType {
        kind: file.kind,
        length: file.length,
        precision: file.precision,
        scale: file.scale,
        values: file.values.iter().map(|value| value.as_bytes().into()).collect(),
        name: file.name.clone(),
        array: file.array,
    }
}

fn compile_rules(normalise: Vec<Normalise>, values: Vec<ValueFile>, others: Option<OthersFile>) -> Option<Rules> {
    if normalise.is_empty() && values.is_empty() && others.is_none() {
        return None;
    }
    Some(Rules {
        trim: normalise.contains(&Normalise::Trim),
        lower: normalise.contains(&Normalise::Lower),
        values: values.into_iter().map(|value| (value.from, value.to)).collect(),
        others: others.map(|others| others.value),
    })
}

/// Says which value is listed twice, or cannot be read; 5 and 5.0 are one value.
fn twice(rules: &Rules) -> Option<String> {
    let mut seen = std::collections::HashSet::new();
    for (from, _) in &rules.values {
        match Literal::from_json(from) {
            Err(why) => return Some(format!("replaces a value that is {why}")),
            Ok(literal) => {
                if !seen.insert(literal.canonical) {
                    return Some("replaces one value twice".to_owned());
                }
            }
        }
    }
    None
}

/// Whether a column of this type can hold the ids of a scheme: 36 characters of a uuid, 24 of a cuid2.
fn holds_ids(kind: Kind, length: Option<u32>, scheme: Scheme) -> bool {
    let text =
        |characters| matches!(kind, Kind::Text | Kind::Varchar) && length.is_none_or(|limit| limit >= characters);
    match scheme {
        Scheme::Uuid => kind == Kind::Uuid || text(36),
        Scheme::Cuid2 => text(24),
        Scheme::Keep => true,
    }
}

/// The id column and everything that repeats it have one type, because the encoded id is copied into each.
fn check_ids(tables: &[Table], scheme: Scheme) -> Result<(), PlanError> {
    let mut ids = tables[0].columns.iter().filter(|column| column.role == Role::Id);
    let (Some(id), None) = (ids.next(), ids.next()) else {
        return Err(PlanError::plain(format!("Table {} needs exactly one id column.", tables[0].name)));
    };
    if !holds_ids(id.kind.kind, id.kind.length, scheme) {
        return Err(PlanError::column(&tables[0].name, &id.name, "has a type that cannot hold this scheme's ids"));
    }
    for table in &tables[1..] {
        for column in &table.columns {
            if matches!(column.role, Role::RootId | Role::Own) {
                let (a, b) = (&id.kind, &column.kind);
                if a.kind != b.kind || a.precision != b.precision || a.scale != b.scale {
                    return Err(PlanError::column(
                        &table.name,
                        &column.name,
                        "has another type than the id it repeats",
                    ));
                }
            }
        }
    }
    Ok(())
}

/// A child row says where it stands in every array above it, and what waits for a row says whose it is.
fn check_positions(tables: &[Table], first: usize) -> Result<(), PlanError> {
    for table in tables {
        let mut above = 0;
        let mut parent = table.parent;
        while let Some(number) = parent.filter(|&number| number != first) {
            above += 1;
            parent = tables[number - first].parent;
        }
        let count = |role| table.columns.iter().filter(|column| column.role == role).count();
        let found = (count(Role::RootId), count(Role::AncestorPosition), count(Role::Position));
        let (expected, more) = match table.kind {
            TableKind::Root | TableKind::Junction => continue,
            TableKind::Child => ((1, above, 1), ""),
            TableKind::Pending => ((1, above.max(1) - 1, above.min(1)), ", and one reference"),
        };
        let complete = table.kind == TableKind::Child || (count(Role::Reference) == 1 && count(Role::Element) <= 1);
        if found != expected || !complete {
            let position = if expected.2 == 1 { "one position" } else { "no position" };
            return Err(PlanError::plain(format!(
                "Table {} needs one root id, {} ancestor positions and {position}{more}.",
                table.name, expected.1
            )));
        }
        if tables.iter().enumerate().any(|(number, other)| {
            table.parent == Some(number + first) && matches!(other.kind, TableKind::Junction | TableKind::Pending)
        }) {
            return Err(PlanError::plain(format!("Table {} hangs below a table that has no rows below.", table.name)));
        }
    }
    Ok(())
}
