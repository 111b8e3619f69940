//! From the plan as it was written to the plan as it is walked: shapes numbered through, paths placed, columns fed.

use super::columns::{compile_tables, id_column};
use super::fields::{Field, Work};
use super::file::{FieldFile, Job, Op, PlanFile, Role, ShapeFile, TestFile};
use super::literal::Literal;
use super::picks::Pick;
use super::place::Places;
use super::sources::Fed;
use super::{Child, Choice, Junction, Pending, Plan, PlanError, Scope, Shape, Skip, Table, Test};
use crate::bson::Value;
use crate::path::{join, print_path};

/// Collects tables, scopes and tries while a plan is compiled.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) shapes: Vec<Shape>,
    pub(super) tables: Vec<Table>,
    /// The first table of the shape in hand; the file counts from it.
    pub(super) first: usize,
    /// Columns so far.
    pub(super) columns: usize,
    pub(super) scopes: Vec<Scope>,
    pub(super) places: Places,
    pub(super) picks: Vec<Pick>,
    pub(super) made: usize,
    pub(super) routes: usize,
    pub(super) skips: Vec<Skip>,
    pub(super) dropped: Vec<String>,
}

/// Child rows whose scope is compiled after the one that holds them.
struct Below<'f> {
    fed: Fed,
    table: usize,
    fields: &'f [FieldFile],
}

impl Builder {
    /// Compiles a plan as it was read.
    pub fn build(file: PlanFile) -> Result<Plan, PlanError> {
        let mut builder = Self::default();
        if file.shapes.is_empty() {
            return Err(PlanError::plain("A plan needs at least one shape."));
        }
        let mut choice = None;
        let mut whens = Vec::new();
        if file.shapes.len() > 1 || file.shapes.iter().any(|shape| !shape.when.is_empty()) {
            let node = builder.places.node();
            let id_slot = builder.places.place(node, &["_id".to_owned()])?.slot;
            for shape in &file.shapes {
                whens.push(builder.tests(node, &shape.when)?);
            }
            choice = Some(Choice { node, slots: (id_slot, builder.places.slots), id_slot });
        }
        let mut whens = whens.into_iter();
        for shape in file.shapes {
            builder.shape(shape, whens.next().unwrap_or_default())?;
        }
        builder.check_fed()?;
        builder.places.seal();
        Ok(Plan {
            collection: file.collection.into(),
            shapes: builder.shapes,
            choice,
            skips: builder.skips,
            tables: builder.tables,
            scopes: builder.scopes,
            nodes: builder.places.nodes,
            picks: builder.picks,
            slot_count: builder.places.slots,
            made_count: builder.made,
            route_count: builder.routes,
            dropped: builder.dropped,
        })
    }

    fn shape(&mut self, file: ShapeFile, when: Vec<Test>) -> Result<(), PlanError> {
        self.first = self.tables.len();
        self.tables.extend(compile_tables(file.tables, file.ids, self.first, &mut self.columns)?);
        let looked_at: Vec<&[String]> =
            file.skip.iter().flat_map(|skip| skip.all.iter().map(|test| test.path.as_slice())).collect();
        let scope = self.scope(self.first, "", &file.fields, &looked_at)?;
        let node = self.scopes[scope].node;
        let first_skip = self.skips.len();
        for skip in file.skip {
            let all = self.tests(node, &skip.all)?;
            self.skips.push(Skip { all, why: skip.why });
        }
        let id_slot = self.places.place(node, &["_id".to_owned()])?.slot;
        self.shapes.push(Shape {
            entry: file.entry,
            when,
            ids: file.ids,
            unknown: file.unknown,
            skips: first_skip..self.skips.len(),
            tables: self.first..self.tables.len(),
            id_column: id_column(&self.tables[self.first]),
            scope,
            id_slot,
        });
        Ok(())
    }

    fn tests(&mut self, node: usize, files: &[TestFile]) -> Result<Vec<Test>, PlanError> {
        let mut tests = Vec::with_capacity(files.len());
        for test in files {
            let slot = self.places.place(node, &test.path)?.slot;
            let values = test.values.iter().map(Literal::from_json).collect::<Result<Vec<_>, _>>();
            let values = values
                .map_err(|error| PlanError::plain(format!("A condition on {} has {error}.", print_path(&test.path))))?;
            if matches!(test.op, Op::Before | Op::NotBefore) {
                let instants = values.iter().all(|value| matches!(value.value(), Value::DateTime(_)));
                if values.len() > 1 || !instants {
                    let path = print_path(&test.path);
                    return Err(PlanError::plain(format!("A condition on {path} compares with no instant.")));
                }
            }
            tests.push(Test { slot, op: test.op, values });
        }
        Ok(tests)
    }

    /// Compiles the fields of one document level; `above` is the printed path to it, `looked_at` are paths of skip
    /// conditions.
    fn scope(
        &mut self,
        table: usize,
        above: &str,
        fields: &[FieldFile],
        looked_at: &[&[String]],
    ) -> Result<usize, PlanError> {
        let number = self.scopes.len();
        let node = self.places.node();
        let start = self.places.slots;
        let first_pick = self.picks.len();
        self.scopes.push(Scope {
            table,
            node,
            path: above.to_owned(),
            slots: (start, start),
            children: Vec::new(),
            junctions: Vec::new(),
            pendings: Vec::new(),
            picks: first_pick..first_pick,
            drops: Vec::new(),
        });
        if table == self.first {
            let way = self.places.place(node, &["_id".to_owned()])?;
            self.places.claim(&way);
        }
        let mut below = Vec::new();
        for field in fields {
            self.scopes[number].picks.end = self.picks.len();
            below.extend(self.field(number, Field::of(field)?)?);
        }
        for path in looked_at {
            self.places.place(node, path)?;
        }
        self.order_pendings(number, fields);
        self.scopes[number].picks.end = self.picks.len();
        self.scopes[number].slots = (start, self.places.slots);
        for Below { fed, table, fields } in below {
            let scope = self.scope(table, &join(above, &fed.path), fields, &[])?;
            let Fed { slot, made, path, depth } = fed;
            let sensitive = self.holds_sensitive(table);
            self.scopes[number].children.push(Child { slot, made, depth, scope, path, sensitive });
        }
        Ok(number)
    }

    /// Puts each pending reference in front of the columns that fields behind it feed.
    fn order_pendings(&mut self, scope: usize, fields: &[FieldFile]) {
        let mut next = self.tables[self.scopes[scope].table].columns.len();
        let mut pendings = self.scopes[scope].pendings.iter_mut().rev();
        for field in fields.iter().rev() {
            match field.job {
                Job::Pending => {
                    if let Some(pending) = pendings.next() {
                        pending.after = pending.after.min(next);
                    }
                }
                _ => {
                    let flags = field.flags.iter().flatten().filter_map(|flag| flag.column);
                    let columns = field.columns.iter().flatten().copied();
                    next = field.column.into_iter().chain(columns).chain(flags).fold(next, usize::min);
                }
            }
        }
    }

    /// Compiles one rule of a scope; child rows are left for later.
    fn field<'f>(&mut self, scope: usize, field: Field<'f>) -> Result<Option<Below<'f>>, PlanError> {
        let table = self.scopes[scope].table;
        if let Work::Flags { table: index, column, flags, coerce } = &field.work {
            self.flags(scope, (*index, *column), flags, *coerce)?;
            return Ok(None);
        }
        if let Work::Object { table: index, column, parts } = &field.work {
            self.object(scope, (*index, *column), parts)?;
            return Ok(None);
        }
        let owner = self.owner(scope, &field.work)?;
        let origin = self.origin(scope, &field, owner)?;
        if let Work::ToFlags { table: index, flags } = &field.work {
            self.flags_of_labels(scope, *index, flags, origin)?;
            return Ok(None);
        }
        let fed = match &field.element {
            None => self.whole(&origin),
            Some(element) => self.element(scope, origin, element, owner)?,
        };
        let above = join(&self.scopes[scope].path, &fed.path);
        match field.work {
            Work::Column { table: index, column } => self.feed(table, (index, column), &fed, &above)?,
            Work::Pending { table: index } => {
                let (index, column) = self.pending(table, index, &above)?;
                self.fill(index, column, &fed)?;
                let array = self.tables[index].columns.iter().any(|column| column.role == Role::Element);
                let after = self.tables[table].extras.unwrap_or(self.tables[table].columns.len());
                self.scopes[scope].pendings.push(Pending { table: index, column, array, after });
            }
            Work::Route { table: index, columns, required } => {
                for &column in columns {
                    self.feed(table, (index, column), &fed, &above)?;
                }
                self.route(table, columns, required)?;
            }
            Work::Junction { table: index } => {
                let (index, other) = self.junction(index, &above)?;
                let Fed { slot, made, path, depth } = fed;
                self.scopes[scope].junctions.push(Junction { slot, made, depth, table: index, path, other });
            }
            Work::Child { table: index, fields } => {
                let index = self.child(table, index, &above)?;
                return Ok(Some(Below { fed, table: index, fields }));
            }
            Work::Drop => {
                self.dropped.push(above);
                let dropped = self.dropped.len() - 1;
                self.scopes[scope].drops.push((fed.slot, dropped));
            }
            Work::Flags { .. } | Work::Object { .. } | Work::ToFlags { .. } => {}
        }
        Ok(None)
    }
}
