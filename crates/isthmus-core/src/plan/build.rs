//! From the plan as it was written to the plan as it is walked: indexes checked, paths placed, columns fed.

use super::file::{self, ColumnFile, DefaultFor, FieldFile, Kind, PlanFile, Role, Scheme, TableKind};
use super::literal::Literal;
use super::trie::{Entry, Node};
use super::{Child, Column, ColumnType, Junction, Plan, PlanError, Reference, Rewrite, Scope, Skip, Table, Test};
use crate::path::{join, print_path};

/// The widest table PostgreSQL knows: <https://www.postgresql.org/docs/current/limits.html>.
const MAX_COLUMNS: usize = 1_600;

/// Field names of one level; their index counts in 16 bits.
const MAX_KEYS: usize = 60_000;

/// Collects tables, scopes and tries while a plan is compiled.
pub(super) struct Builder {
    tables: Vec<Table>,
    scopes: Vec<Scope>,
    nodes: Vec<Node>,
    slots: usize,
    dropped: Vec<String>,
}

impl Builder {
    /// Compiles a plan as it was read.
    pub fn build(file: PlanFile) -> Result<Plan, PlanError> {
        let mut numbers = 0;
        let mut tables = Vec::with_capacity(file.tables.len());
        for (index, table) in file.tables.into_iter().enumerate() {
            tables.push(compile_table(index, table, &mut numbers)?);
        }
        if tables.first().map(|table| table.kind) != Some(TableKind::Root) {
            return Err(PlanError::plain("The first table of a plan is its root table."));
        }
        let mut builder = Self { tables, scopes: Vec::new(), nodes: Vec::new(), slots: 0, dropped: Vec::new() };
        check_ids(&builder.tables, file.ids)?;
        let tests: Vec<Vec<String>> =
            file.skip.iter().flat_map(|skip| skip.all.iter().map(|test| test.path.clone())).collect();
        let root = builder.scope(0, "", &file.fields, &tests)?;
        debug_assert_eq!(root, 0);
        let mut skips = Vec::with_capacity(file.skip.len());
        for skip in file.skip {
            let mut all = Vec::with_capacity(skip.all.len());
            for test in skip.all {
                let slot = builder
                    .slot_of(builder.scopes[0].node, &test.path)
                    .ok_or_else(|| PlanError::plain("A skip condition has an empty path."))?;
                let values = test.values.iter().map(Literal::from_json).collect::<Result<Vec<_>, _>>();
                let values = values.map_err(|error| {
                    PlanError::plain(format!("A skip condition on {} has {error}.", print_path(&test.path)))
                })?;
                all.push(Test { slot, op: test.op, values });
            }
            skips.push(Skip { all, why: skip.why });
        }
        let id_slot = builder.slot_of(builder.scopes[0].node, &["_id".to_owned()]).unwrap_or(0);
        builder.check_fed()?;
        builder.check_positions()?;
        builder.seal();
        Ok(Plan {
            collection: file.collection.into(),
            ids: file.ids,
            unknown: file.unknown,
            skips,
            tables: builder.tables,
            scopes: builder.scopes,
            nodes: builder.nodes,
            slot_count: builder.slots,
            id_slot,
            dropped: builder.dropped,
            column_count: numbers,
        })
    }

    /// Compiles the fields of one document level; `above` is the printed path to it, `tests` are paths that conditions
    /// look at.
    fn scope(
        &mut self,
        table: usize,
        above: &str,
        fields: &[FieldFile],
        tests: &[Vec<String>],
    ) -> Result<usize, PlanError> {
        let number = self.scopes.len();
        let node = self.node();
        let start = self.slots;
        self.scopes.push(Scope {
            table,
            node,
            path: above.to_owned(),
            slots: (start, start),
            children: Vec::new(),
            junctions: Vec::new(),
            drops: Vec::new(),
            depth: 0,
        });
        if number == 0 {
            let slot = self.place(node, &["_id".to_owned()])?;
            self.claim(slot);
        }
        let mut below = Vec::new();
        for field in fields {
            let slot = self.place(node, field.path())?;
            self.claim(slot);
            let path = print_path(field.path());
            match field {
                FieldFile::Column { table: index, column, .. } => {
                    let target = self.feed(table, *index, *column, &join(above, &path))?;
                    target.slot = Some(slot);
                    target.path = path;
                    target.depth = field.path().len();
                }
                FieldFile::Drop { .. } => {
                    self.dropped.push(join(above, &path));
                    let index = self.dropped.len() - 1;
                    self.scopes[number].drops.push((slot, index));
                }
                FieldFile::Junction { table: index, .. } => {
                    let other = self.junction(*index, &join(above, &path))?;
                    self.scopes[number].junctions.push(Junction { slot, table: *index, path, other });
                }
                FieldFile::Child { table: index, fields, .. } => {
                    self.child(table, *index, &join(above, &path))?;
                    below.push((slot, *index, fields, path, field.path().len()));
                }
            }
        }
        for test in tests {
            self.place(node, test)?;
        }
        self.scopes[number].slots = (start, self.slots);
        for (slot, index, fields, path, depth) in below {
            let scope = self.scope(index, &join(above, &path), fields, &[])?;
            self.scopes[scope].depth = depth;
            let own = self.tables[index].columns.iter().any(|column| column.sensitive);
            let sensitive = own || self.scopes[scope].children.iter().any(|child| child.sensitive);
            self.scopes[number].children.push(Child { slot, scope, path, sensitive });
        }
        Ok(number)
    }

    fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    /// Walks a path from a node, making what is missing, and returns the slot of its end.
    fn place(&mut self, mut node: usize, path: &[String]) -> Result<usize, PlanError> {
        let Some((last, before)) = path.split_last() else {
            return Err(PlanError::plain("A field of the plan has an empty path."));
        };
        if path.len() > crate::bson::MAX_DEPTH {
            return Err(PlanError::plain(format!("The path {} is deeper than any document.", print_path(path))));
        }
        let mut printed = Vec::with_capacity(path.len());
        for key in before {
            printed.push(key.clone());
            let entry = self.entry(node, key, &printed)?;
            node = match self.nodes[node].entries[entry].below {
                Some(below) => below,
                None => {
                    let below = self.node();
                    self.nodes[node].entries[entry].below = Some(below);
                    below
                }
            };
        }
        let entry = self.entry(node, last, path)?;
        Ok(self.nodes[node].entries[entry].slot)
    }

    fn entry(&mut self, node: usize, key: &str, path: &[String]) -> Result<usize, PlanError> {
        if key.as_bytes().contains(&0) {
            return Err(PlanError::plain(format!("The path {} holds a NUL, which no BSON key can.", print_path(path))));
        }
        if let Some(index) = self.nodes[node].entries.iter().position(|entry| *entry.key == *key.as_bytes()) {
            return Ok(index);
        }
        if self.nodes[node].entries.len() >= MAX_KEYS {
            return Err(PlanError::plain("A document level of the plan has more than 60,000 fields."));
        }
        let slot = self.slots;
        self.slots += 1;
        self.nodes[node].entries.push(Entry {
            key: key.as_bytes().into(),
            slot,
            ruled: false,
            known: false,
            below: None,
            path: print_path(path),
        });
        Ok(self.nodes[node].entries.len() - 1)
    }

    fn claim(&mut self, slot: usize) {
        for entry in self.nodes.iter_mut().flat_map(|node| node.entries.iter_mut()) {
            if entry.slot == slot {
                entry.ruled = true;
            }
        }
    }

    /// Closes all levels, deeper ones first, so that each entry knows whether a rule goes on below it.
    fn seal(&mut self) {
        for number in (0..self.nodes.len()).rev() {
            let mut node = std::mem::take(&mut self.nodes[number]);
            for entry in &mut node.entries {
                entry.known = entry.ruled || entry.below.is_some_and(|below| self.nodes[below].known);
            }
            node.seal();
            self.nodes[number] = node;
        }
    }

    fn slot_of(&self, mut node: usize, path: &[String]) -> Option<usize> {
        let (last, before) = path.split_last()?;
        for key in before {
            node = self.nodes[node].entries.iter().find(|entry| *entry.key == *key.as_bytes())?.below?;
        }
        self.nodes[node].entries.iter().find(|entry| *entry.key == *last.as_bytes()).map(|entry| entry.slot)
    }

    /// The column that a field may fill.
    fn feed(&mut self, scope_table: usize, index: usize, column: usize, path: &str) -> Result<&mut Column, PlanError> {
        if index != scope_table {
            return Err(PlanError::plain(format!("The field {path} feeds table {index}, which is not its own.")));
        }
        let table = &mut self.tables[index];
        let name = table.name.clone();
        let Some(target) = table.columns.get_mut(column) else {
            return Err(PlanError::plain(format!("The field {path} feeds column {column} of {name}, which has none.")));
        };
        if !matches!(target.role, Role::Value | Role::Reference) {
            return Err(PlanError::column(&name, &target.name, "is filled by its role, so no field can feed it"));
        }
        if target.slot.is_some() {
            return Err(PlanError::column(&name, &target.name, "is fed by two fields"));
        }
        Ok(target)
    }

    fn junction(&self, index: usize, path: &str) -> Result<usize, PlanError> {
        let wrong = |what: &str| PlanError::plain(format!("The junction of {path} {what}."));
        let table = self.tables.get(index).ok_or_else(|| wrong("names a table that the plan does not have"))?;
        if table.kind != TableKind::Junction || table.columns.len() != 2 {
            return Err(wrong("needs a junction table of two columns"));
        }
        table
            .columns
            .iter()
            .position(|column| column.role == Role::Other)
            .ok_or_else(|| wrong("has no column for the other side"))
    }

    fn child(&self, scope_table: usize, index: usize, path: &str) -> Result<(), PlanError> {
        let wrong = |what: &str| PlanError::plain(format!("The child rows of {path} {what}."));
        let table = self.tables.get(index).ok_or_else(|| wrong("go to a table that the plan does not have"))?;
        if table.kind != TableKind::Child || table.parent != Some(scope_table) {
            return Err(wrong("go to a table that is not a child of their own table"));
        }
        Ok(())
    }

    /// A child row says where it stands in every array above it.
    fn check_positions(&self) -> Result<(), PlanError> {
        for (index, table) in self.tables.iter().enumerate() {
            if table.kind != TableKind::Child {
                continue;
            }
            let mut above = 0;
            let mut parent = self.tables[index].parent;
            while let Some(number) = parent.filter(|&number| number != 0) {
                above += 1;
                parent = self.tables[number].parent;
            }
            let count = |role| table.columns.iter().filter(|column| column.role == role).count();
            if (count(Role::RootId), count(Role::AncestorPosition), count(Role::Position)) != (1, above, 1) {
                return Err(PlanError::plain(format!(
                    "Table {} needs one root id, {above} ancestor positions and one position.",
                    table.name
                )));
            }
        }
        Ok(())
    }

    /// Every ordinary column has a field or is allowed to stay empty.
    fn check_fed(&self) -> Result<(), PlanError> {
        for table in &self.tables {
            for column in &table.columns {
                let ordinary = matches!(column.role, Role::Value | Role::Reference);
                if ordinary && column.slot.is_none() && column.required && column.default.is_none() {
                    return Err(PlanError::column(&table.name, &column.name, "is required, but no field feeds it"));
                }
            }
        }
        Ok(())
    }
}

fn compile_table(index: usize, table: file::TableFile, numbers: &mut usize) -> Result<Table, PlanError> {
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
        (TableKind::Child, Some(parent), 1..) if parent < index => {}
        _ => return wrong("has a kind, a parent and a place in the plan that do not fit together"),
    }
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        columns.push(compile_column(&table.name, table.kind, column, *numbers)?);
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
        TableKind::Root => matches!(column.role, Role::Id | Role::Value | Role::Reference | Role::Extras),
        TableKind::Child => matches!(
            column.role,
            Role::RootId | Role::AncestorPosition | Role::Position | Role::Value | Role::Reference | Role::Extras
        ),
        TableKind::Junction => matches!(column.role, Role::Own | Role::Other),
    };
    let wrong = |what: &str| Err(PlanError::column(table, &column.name, what));
    if !allowed {
        return wrong("has a role that this kind of table does not have");
    }
    let t = &column.kind;
    let fits = match column.role {
        Role::Position | Role::AncestorPosition => t.kind == Kind::Integer && !t.array,
        Role::Extras => t.kind == Kind::Jsonb && !t.array,
        Role::Reference | Role::Other => match &column.reference {
            None => return wrong("is a reference without a collection"),
            Some(reference) => {
                holds_ids(t.kind, t.length, reference.ids) && (!t.array || column.role == Role::Reference)
            }
        },
        Role::Id | Role::RootId | Role::Own => !t.array,
        Role::Value => true,
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
    let kind = ColumnType {
        kind: t.kind,
        length: t.length,
        precision: t.precision,
        scale: t.scale,
        values: t.values.iter().map(|value| value.as_bytes().into()).collect(),
        name: t.name.clone(),
        array: t.array,
    };
    Ok(Column {
        qualified: format!("{table}.{}", column.name),
        path: column.name.clone(),
        name: column.name,
        role: column.role,
        kind,
        required: column.required,
        default_for_missing: column.default.is_some() && column.default_for.contains(&DefaultFor::Missing),
        default_for_null: column.default.is_some() && column.default_for.contains(&DefaultFor::Null),
        default: column.default,
        coerce: column.coerce,
        sensitive: column.sensitive,
        policies: column.policies,
        reference: column.reference.map(|r| Reference { collection: r.collection.into(), ids: r.ids }),
        rewrite: column
            .rewrite
            .into_iter()
            .map(|r| Rewrite { path: r.path, reference: Reference { collection: r.collection.into(), ids: r.ids } })
            .collect(),
        depth: 1,
        slot: None,
        number,
    })
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
