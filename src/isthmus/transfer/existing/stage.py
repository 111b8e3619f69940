"""The tables a run loads into when the real ones belong to somebody else: schema `isthmus_stage`.

They have the columns of the mapping's tables and what the real ones demand of their values (NOT NULL, lengths, ranges,
CHECK constraints, unique keys), so that what cannot be delivered shows itself before anything is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from isthmus.errors import Problem, TargetError
from isthmus.mapping import ddl
from isthmus.mapping.names import object_name
from isthmus.mapping.tables import Column, Index, Table, TargetSchema
from isthmus.mapping.types import UUID_TEXT, ColumnType
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.catalog import ThereColumn
from isthmus.transfer.existing.fit import Existing, FedColumn, FedTable
from isthmus.transfer.existing.names import RANK, STAGE, key_text, known_elsewhere, view_name


@dataclass(frozen=True, slots=True)
class _StageType(ColumnType):
    """A type whose enum is the real one, wherever the table is."""

    enum_schema: str = ""

    def sql(self, schema: str) -> str:  # noqa: ARG002  of the table
        return ColumnType.sql(self, self.enum_schema)


def stage_schema(schema: TargetSchema, existing: Existing) -> TargetSchema:
    """Return the tables that are loaded in place of the real ones.

    Without foreign keys and without indexes that are not unique: those are the real tables' own.
    """
    taken = {table.primary_key_name for table in schema.tables.values()}
    taken |= {index.name for table in schema.tables.values() for index in table.indexes} | set(schema.tables)
    tables = {name: _stage_table(schema.schema, fed, taken) for name, fed in existing.tables.items()}
    return TargetSchema(STAGE, {}, (), tables)


def _stage_table(enum_schema: str, fed: FedTable, taken: set[str]) -> Table:
    columns = [_stage_column(enum_schema, fed, column) for column in fed.table.columns]
    indexes = [index for index in fed.table.indexes if index.unique]
    for unique in fed.stage_uniques():
        keys: list[str] = []
        for key in unique.keys:
            if not fed.there.columns[key].folds:
                keys.append(key)
                continue
            folded = _folded_name(key, fed.there.columns[key].type)
            keys.append(folded)
            if all(column.name != folded for column in columns):
                columns.append(_folded_column(fed, key, folded))
        name, attempt = unique.name, 1
        while name in taken:
            attempt += 1
            name = object_name((fed.name, *unique.keys), "key", detail=f"there\0{attempt}")
        taken.add(name)
        indexes.append(Index(name, fed.name, tuple(keys), None, True, "btree", unique.where, "unique"))
    return replace(fed.table, columns=tuple(columns), indexes=tuple(indexes), foreign_keys=())


def _stage_column(enum_schema: str, fed: FedTable, column: Column) -> Column:
    kind = column.type
    there = fed.fed(column.name)
    if kind.kind == "enum":
        labels_there = there is not None and there.there.enum is not None
        kind = _StageType("enum", enum=kind.enum, array=kind.array, enum_schema=enum_schema)
        if not labels_there and there is not None:
            kind = ColumnType("text")
    nullable = column.nullable and not (there is not None and there.there.not_null)
    return replace(column, type=kind, nullable=nullable)


def _folded_name(column: str, kind: str) -> str:
    return object_name((column,), "folded", detail=kind)


def _folded_column(fed: FedTable, column: str, name: str) -> Column:
    """Describe a column that is computed from another one, in the type it has in the real table."""
    source = fed.table.column(column)
    return replace(source, name=name, nullable=True, role="extras", reference=None, rewrites=())


def _computed(stage: Table, fed: FedTable) -> set[str]:
    own = {column.name for column in fed.table.columns}
    return {column.name for column in stage.columns if column.name not in own}


def create_statements(stage: TargetSchema, existing: Existing) -> list[sql.SQL | sql.Composed]:
    """Return the statements that make the tables, with what the real ones demand of single values."""
    made: list[sql.SQL | sql.Composed] = []
    made.append(sql.SQL(ddl.create_schema_sql(stage)))  # pyright: ignore[reportArgumentType]
    for name, fed in existing.tables.items():
        computed = _computed(stage.tables[name], fed)
        table = stage.tables[name]
        plain = replace(table, columns=tuple(c for c in table.columns if c.name not in computed))
        made.append(sql.SQL(ddl.create_table(stage, plain)))  # pyright: ignore[reportArgumentType]
        place = sql.Identifier(STAGE, name)
        for column in fed.columns:
            if column.check is not None:
                label = f"{column.name} fits {fed.there.label}: {column.there.type}"[:60]
                made.append(
                    sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})").format(
                        place,
                        sql.Identifier(label),
                        sql.SQL(column.check),  # pyright: ignore[reportArgumentType]  made by `types`
                    )
                )
        made += [
            sql.SQL("ALTER TABLE {} ADD COLUMN {} {} GENERATED ALWAYS AS ({}::{}) STORED").format(
                place,
                sql.Identifier(_folded_name(column.name, column.there.type)),
                sql.SQL(_collated(column.there)),  # pyright: ignore[reportArgumentType]  the catalog's words
                sql.Identifier(column.name),
                sql.SQL(column.there.type),  # pyright: ignore[reportArgumentType]  the catalog's words
            )
            for column in fed.columns
            if _folded_name(column.name, column.there.type) in computed
        ]
    return made


def _collated(there: ThereColumn) -> str:
    return there.type if there.collation is None else f"{there.type} COLLATE {there.collation}"


def check_statements(existing: Existing) -> list[sql.SQL | sql.Composed]:
    """Return the CHECK constraints of the real tables, and of domains there, that can be asked before; each may fail.

    Those that read a column the mapping does not fill, or one that finish or the delivery changes, are left to the
    delivery.
    """
    made: list[sql.SQL | sql.Composed] = []
    for name, fed in existing.tables.items():
        steady = {column.name for column in fed.columns if column.column.role == "value" and not column.column.rewrites}
        made += [  # rows are looked for with values of the domain: one it refuses must not come that far
            sql.SQL("ALTER TABLE {} ADD CHECK (pg_catalog.num_nulls({}::{}) >= 0)").format(
                sql.Identifier(STAGE, name),
                sql.Identifier(column.name),
                sql.SQL(column.there.type),  # pyright: ignore[reportArgumentType]  the catalog's words
            )
            for column in fed.columns
            if column.there.domain and column.name in steady
        ]
        made += [
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                sql.Identifier(STAGE, name),
                sql.Identifier(check.name),
                sql.SQL(check.definition.replace(" NOT VALID", "")),  # pyright: ignore[reportArgumentType]  the catalog's
            )
            for check in fed.there.checks
            if check.columns and set(check.columns) <= steady
        ]
    return made


def create_stage(connection: psycopg.Connection, stage: TargetSchema, existing: Existing) -> None:
    """Make the tables, inside the caller's transaction."""
    for statement in create_statements(stage, existing):
        connection.execute(statement)
    for statement in check_statements(existing):
        try:
            with connection.transaction():
                connection.execute(statement)
        except psycopg.Error as fault:  # an operator that the mapping's type has not: the delivery asks
            if fault.sqlstate is None:
                raise
    create_views(connection, stage, existing)


def check_stage(connection: psycopg.Connection) -> list[Finding]:
    """Report a stage of nobody's; asked only where no run goes on with it."""
    rows = connection.execute(
        "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'v') ORDER BY 1",
        (STAGE,),
    ).fetchall()
    if not rows:
        return []
    named = ", ".join(str(name) for (name,) in rows[:5])
    problem = Problem(
        "stage-exists",
        f"The target has tables in the schema {STAGE} that belong to no run: {named}.",
        hint=f"Drop them if nobody needs them: DROP SCHEMA {STAGE} CASCADE.",
    )
    return [Finding(problem, TargetError)]


def create_views(connection: psycopg.Connection, stage: TargetSchema, existing: Existing) -> None:
    """Make a view of each root table's rows that a reference may point at: those that are loaded, and the real ones.

    It has the id, and the other columns that references are looked up by. Of a table that keeps no ids the real rows
    have one only where an earlier run carried or matched them. Inside the caller's transaction, behind the tables.
    """
    for name, fed in existing.tables.items():
        if fed.table.kind != "root":
            continue
        key = key_column(fed.table)
        there = fed.fed(key)
        table = stage.tables[name]
        looked_up = [fed.fed(column) for column in sorted(_looked_up(existing, name) - {key})]
        others = [column for column in looked_up if column is not None]
        kind = sql.SQL(table.column(key).type.sql(STAGE))  # pyright: ignore[reportArgumentType]  made by the mapping
        if there is None:
            connection.execute(_idless_view(existing, fed, table, others, kind))
            continue
        columns = [there, *others]
        connection.execute(
            sql.SQL(
                "CREATE VIEW {view} AS SELECT {staged}, 1 AS {rank} FROM {stage} s"
                " WHERE NOT EXISTS (SELECT FROM isthmus.row_state r WHERE r.table_schema = {schema}"
                " AND r.table_name = {name} AND r.source_id = s.{key}::text"
                " AND NOT EXISTS (SELECT FROM {real} t WHERE t.{key}::text = r.id))"
                " UNION ALL SELECT {own}, 0 FROM {real} t WHERE {castable}"
                " UNION ALL SELECT {derived}, 2 FROM {elsewhere} m JOIN {real} t ON t.{key}::text = m.id"
            ).format(
                view=sql.Identifier(STAGE, view_name(name)),
                rank=sql.Identifier(RANK),
                staged=sql.SQL(", ").join(sql.SQL("s.{}").format(sql.Identifier(column.name)) for column in columns),
                stage=sql.Identifier(STAGE, name),
                schema=sql.Literal(existing.schema),
                name=sql.Literal(name),
                key=sql.Identifier(key),
                real=sql.Identifier(existing.schema, name),
                own=sql.SQL(", ").join(_as_staged(table, column) for column in columns),
                castable=_castable(table, there),
                derived=sql.SQL(", ").join(
                    [
                        sql.SQL("m.derived_id::{}").format(kind),
                        *(_as_staged(table, column) for column in columns if column is not there),
                    ]
                ),
                elsewhere=known_elsewhere(fed.table.collections),
            )
        )


def _idless_view(
    existing: Existing, fed: FedTable, table: Table, others: list[FedColumn], kind: sql.SQL
) -> sql.Composed:
    """Return the statement for the view of a table that keeps no ids."""
    parts = {
        "view": sql.Identifier(STAGE, view_name(fed.name)),
        "rank": sql.Identifier(RANK),
        "id": sql.Identifier(key_column(fed.table)),
        "stage": sql.Identifier(STAGE, fed.name),
        "real": sql.Identifier(existing.schema, fed.name),
        "schema": sql.Literal(existing.schema),
        "name": sql.Literal(fed.name),
        "kind": kind,
        "staged": sql.SQL(", ").join(
            sql.SQL("s.{}").format(name) for name in [_id(key_column(fed.table)), *_ids(others)]
        ),
    }
    if not fed.row_key:
        return sql.SQL("CREATE VIEW {view} AS SELECT {staged}, 1 AS {rank} FROM {stage} s").format(**parts)
    own = [fed.fed(name) for name in fed.row_key]
    carried = [
        sql.SQL("s.{}::{}").format(_id(column.name), sql.SQL(column.there.type))  # pyright: ignore[reportArgumentType]
        for column in own
        if column is not None
    ]
    names = [_id(name) for name in fed.row_key]
    values = [_as_staged(table, column) for column in others]
    return sql.SQL(
        "CREATE VIEW {view} AS SELECT {staged}, 1 AS {rank} FROM {stage} s"
        " WHERE NOT EXISTS (SELECT FROM isthmus.row_state r WHERE r.table_schema = {schema}"
        " AND r.table_name = {name} AND r.id = {carried} AND NOT EXISTS (SELECT FROM {real} t WHERE {same}))"
        " UNION ALL SELECT {own}, 0 FROM {real} t"
        " UNION ALL SELECT {derived}, 2 FROM isthmus.id_map m JOIN {real} t ON {row_id} = m.id"
        " WHERE m.origin = 'matched' AND m.collection = ANY({collections})"
        " AND NOT EXISTS (SELECT FROM {stage} s WHERE s.{id} = m.derived_id::{kind})"
    ).format(
        carried=key_text(carried),
        same=sql.SQL(" AND ").join(
            sql.SQL("t.{} = {}").format(name, value) for name, value in zip(names, carried, strict=True)
        ),
        own=sql.SQL(", ").join([sql.SQL("NULL::{}").format(kind), *values]),
        derived=sql.SQL(", ").join([sql.SQL("m.derived_id::{}").format(kind), *values]),
        row_id=key_text(sql.SQL("t.{}").format(name) for name in names),
        collections=sql.Literal(list(fed.table.collections)),
        **parts,
    )


def _id(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _ids(columns: list[FedColumn]) -> list[sql.Identifier]:
    return [sql.Identifier(column.name) for column in columns]


def _looked_up(existing: Existing, name: str) -> set[str]:
    """Return the columns of a table that references of the mapping are compared with, or take their value from."""
    references = (
        column.reference
        for fed in existing.tables.values()
        for column in fed.table.columns
        if column.reference is not None and column.reference.table == name
    )
    return {column for reference in references for column in (reference.column, reference.by) if column is not None}


_UUID = f"^{UUID_TEXT}$"


def _as_staged(table: Table, column: FedColumn) -> sql.Composed:
    """Return SQL of a real row's value in the type of the stage."""
    kind = table.column(column.name).type
    value = sql.SQL("t.{}").format(sql.Identifier(column.name))
    if kind.kind == "uuid" and column.there.base != "uuid":
        return sql.SQL("CASE WHEN {v}::text ~ {form} THEN {v}::text::uuid END").format(v=value, form=sql.Literal(_UUID))
    return sql.SQL("{}::{}").format(value, sql.SQL(kind.sql(STAGE)))  # pyright: ignore[reportArgumentType]


def _castable(table: Table, key: FedColumn) -> sql.Composable:
    if table.column(key.name).type.kind == "uuid" and key.there.base != "uuid":
        return sql.SQL("t.{}::text ~ {}").format(sql.Identifier(key.name), sql.Literal(_UUID))
    return sql.SQL("true")


_OF_LETTERS = "isthmus: dead letters on their way into tables that exist"


def create_letters_stage(connection: psycopg.Connection, stage: TargetSchema, existing: Existing) -> None:
    """Make the tables for dead letters of a run that is complete, in place of those that an earlier retry left."""
    with connection.transaction():
        drop_letters_stage(connection)
        create_stage(connection, stage, existing)
        connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(STAGE), sql.Literal(_OF_LETTERS))
        )


def drop_letters_stage(connection: psycopg.Connection) -> None:
    """Drop the tables that a retry of dead letters made, if there are any; nothing of value is in them."""
    row = connection.execute(
        "SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = %s",
        (STAGE,),
    ).fetchone()
    if row is not None and row[0] == _OF_LETTERS:
        drop_stage(connection)


def drop_stage(connection: psycopg.Connection) -> None:
    """Drop the stage with all that is in it, inside the caller's transaction. Safe to repeat."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(STAGE)))
