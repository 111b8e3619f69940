//! Where the value of a rule goes: columns of the rule's own table, or rows of tables that hang below it.

use super::build::Builder;
use super::fields::Work;
use super::file::{Role, TableKind};
use super::picks::Owner;
use super::sources::Fed;
use super::{Column, PlanError, Route};

impl Builder {
    /// Whom refusals and counts of a rule's array speak of.
    pub(super) fn owner(&self, scope: usize, work: &Work<'_>) -> Result<Owner, PlanError> {
        let own = self.scopes[scope].table;
        let above = &self.scopes[scope].path;
        Ok(match work {
            Work::Column { table, column } | Work::Flags { table, column, .. } | Work::Object { table, column, .. } => {
                self.known(*table, *column)?
            }
            Work::Route { table, columns, .. } => self.known(*table, columns.first().copied().unwrap_or(0))?,
            Work::ToFlags { table, flags } => self.known(*table, flags.first().map_or(0, |(_, column)| *column))?,
            Work::Pending { table } => {
                let (table, column) = self.pending(own, *table, above)?;
                Owner::Column { table, column }
            }
            Work::Junction { table } => {
                let (table, column) = self.junction(*table, above)?;
                Owner::Column { table, column }
            }
            Work::Child { table, .. } => {
                let table = self.child(own, *table, above)?;
                Owner::Table { table, hidden: self.holds_sensitive(table) }
            }
            Work::Drop => Owner::Table { table: own, hidden: false },
        })
    }

    /// A column that the file names.
    pub(super) fn known(&self, table: usize, column: usize) -> Result<Owner, PlanError> {
        let found = self.tables.get(self.first.saturating_add(table));
        match found {
            Some(found) if column < found.columns.len() => Ok(Owner::Column { table: self.first + table, column }),
            Some(found) => Err(PlanError::plain(format!(
                "A field feeds column {column} of {}, which has none of that number.",
                found.name
            ))),
            None => Err(PlanError::plain(format!("A field feeds table {table}, which the shape does not have."))),
        }
    }

    pub(super) fn is_hidden(&self, owner: Owner) -> bool {
        match owner {
            Owner::Column { table, column } => self.tables[table].columns[column].sensitive,
            Owner::Table { hidden, .. } => hidden,
        }
    }

    /// A column of a table, or of one below, is sensitive.
    pub(super) fn holds_sensitive(&self, table: usize) -> bool {
        self.tables[table].columns.iter().any(|column| column.sensitive)
            || (table + 1..self.tables.len())
                .any(|below| self.tables[below].parent == Some(table) && self.holds_sensitive(below))
    }

    /// The column that a field may fill.
    pub(super) fn checked(
        &mut self,
        scope_table: usize,
        (index, column): (usize, usize),
        path: &str,
    ) -> Result<&mut Column, PlanError> {
        if self.first.saturating_add(index) != scope_table {
            return Err(PlanError::plain(format!("The field {path} feeds table {index}, which is not its own.")));
        }
        let table = &mut self.tables[scope_table];
        let name = table.name.clone();
        let Some(target) = table.columns.get_mut(column) else {
            return Err(PlanError::plain(format!("The field {path} feeds column {column} of {name}, which has none.")));
        };
        if !matches!(target.role, Role::Value | Role::Reference) {
            return Err(PlanError::column(&name, &target.name, "is filled by its role, so no field can feed it"));
        }
        Ok(target)
    }

    pub(super) fn feed(
        &mut self,
        scope_table: usize,
        target: (usize, usize),
        fed: &Fed,
        path: &str,
    ) -> Result<(), PlanError> {
        self.checked(scope_table, target, path)?;
        self.fill(scope_table, target.1, fed)
    }

    pub(super) fn fill(&mut self, table: usize, column: usize, fed: &Fed) -> Result<(), PlanError> {
        let name = &self.tables[table].name;
        let target = &self.tables[table].columns[column];
        if target.slot.is_some() || target.several.is_some() {
            return Err(PlanError::column(name, &target.name, "is fed by two fields"));
        }
        let target = &mut self.tables[table].columns[column];
        target.slot = Some(fed.slot);
        target.made = fed.made;
        target.path.clone_from(&fed.path);
        target.depth = fed.depth;
        Ok(())
    }

    /// The table and the reference of a pending field.
    pub(super) fn pending(&self, scope_table: usize, index: usize, path: &str) -> Result<(usize, usize), PlanError> {
        let wrong = |what: &str| PlanError::plain(format!("The pending reference of {path} {what}."));
        let index = self.first.saturating_add(index);
        let table = self.tables.get(index).ok_or_else(|| wrong("names a table that the shape does not have"))?;
        if table.kind != TableKind::Pending || table.parent != Some(scope_table) {
            return Err(wrong("waits in a table that is not pending below its own table"));
        }
        let column = table.columns.iter().position(|column| column.role == Role::Reference);
        Ok((index, column.ok_or_else(|| wrong("has no column for its value"))?))
    }

    /// Makes columns that were fed with one value a route; the first speaks for all.
    pub(super) fn route(&mut self, table: usize, columns: &[usize], required: bool) -> Result<(), PlanError> {
        let names: Vec<&str> = columns.iter().map(|&column| self.tables[table].columns[column].name.as_str()).collect();
        let qualified = format!("{}.{}", self.tables[table].name, names.join("|"));
        for (at, &column) in columns.iter().enumerate() {
            let name = self.tables[table].name.clone();
            let target = &mut self.tables[table].columns[column];
            if target.role != Role::Reference || target.kind.array {
                return Err(PlanError::column(
                    &name,
                    &target.name,
                    "is no single reference, so nothing is routed to it",
                ));
            }
            target.qualified.clone_from(&qualified);
            target.required |= required;
            target.route = Some(Route { number: self.routes, first: at == 0, columns: columns.to_vec() });
        }
        self.routes += 1;
        Ok(())
    }

    /// The table of a junction and its column for the other side.
    pub(super) fn junction(&self, index: usize, path: &str) -> Result<(usize, usize), PlanError> {
        let wrong = |what: &str| PlanError::plain(format!("The junction of {path} {what}."));
        let index = self.first.saturating_add(index);
        let table = self.tables.get(index).ok_or_else(|| wrong("names a table that the shape does not have"))?;
        if table.kind != TableKind::Junction || table.columns.len() != 2 {
            return Err(wrong("needs a junction table of two columns"));
        }
        let other = table.columns.iter().position(|column| column.role == Role::Other);
        Ok((index, other.ok_or_else(|| wrong("has no column for the other side"))?))
    }

    pub(super) fn child(&self, scope_table: usize, index: usize, path: &str) -> Result<usize, PlanError> {
        let wrong = |what: &str| PlanError::plain(format!("The child rows of {path} {what}."));
        let index = self.first.saturating_add(index);
        let table = self.tables.get(index).ok_or_else(|| wrong("go to a table that the shape does not have"))?;
        if table.kind != TableKind::Child || table.parent != Some(scope_table) {
            return Err(wrong("go to a table that is not a child of their own table"));
        }
        Ok(index)
    }

    /// Every ordinary column has a field or is allowed to stay empty.
    pub(super) fn check_fed(&self) -> Result<(), PlanError> {
        for table in &self.tables {
            for column in &table.columns {
                let ordinary = matches!(column.role, Role::Value | Role::Reference);
                let fed = column.slot.is_some() || column.several.is_some();
                if ordinary && !fed && column.required && column.default.is_none() {
                    return Err(PlanError::column(&table.name, &column.name, "is required, but no field feeds it"));
                }
            }
        }
        Ok(())
    }
}
