"""The text of a module of models: imports, enums, tables, classes, and what has to be there before them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping.alchemy.columns import annotation, options, sql_type
from isthmus.mapping.alchemy.layout import Call, Node, Text, call, docstring, lines, text
from isthmus.mapping.alchemy.python_names import ModuleNames, Scope, attribute
from isthmus.mapping.alchemy.relations import ByJunction, ByKey, Relation, relations
from isthmus.mapping.names import quote_identifier, quote_literal
from isthmus.mapping.target import POSITION, Column, ForeignKey, Index, Table, TargetSchema

_DOC = '"""The tables of a mapping as SQLAlchemy 2 models, made by `isthmus ddl --format sqlalchemy`."""'


def render_sqlalchemy(schema: TargetSchema) -> str:
    """Write a Python module that has a typed class for every table, and `metadata` with all of them.

    Junction tables, and tables without a primary key, are plain `Table` objects. `metadata.create_all(engine)` makes
    the same catalog as the SQL script. Extensions, the schema and functions are made by events before the tables.

    Returns:
        The text, ending in a line break; the same schema always gives the same text.
    """
    return "\n".join(_Module(schema).lines()) + "\n"


class _Module:
    """Writes one module.

    Args:
        schema: What it is written of.
    """

    def __init__(self, schema: TargetSchema) -> None:
        self.schema = schema
        self.mapped = [table for table in schema.tables.values() if table.kind != "junction" and table.primary_key]
        self.names = ModuleNames(schema, [table.name for table in self.mapped])
        scopes = {table.name: self.names.attributes() for table in self.mapped}
        self.columns = {table.name: _columns(table, scopes[table.name]) for table in self.mapped}
        self.relations = relations(schema, scopes)

    def lines(self) -> Iterator[str]:
        imports = "\n".join(self._imports()).strip().splitlines()
        yield from (_DOC, "", *imports, "", "")
        yield from ("class Base(DeclarativeBase):", '    """What all models share."""', "")
        yield from (f"    metadata = sa.MetaData(schema={text(self.schema.schema)})", "", "")
        yield "metadata = Base.metadata"
        for statement in _before(self.schema):
            # DDL() formats its text with `%`.
            ddl = call("sa.DDL", Text(statement.replace("%", "%%")))
            yield from lines(call("listen", "metadata", text("before_create"), ddl))
        for name, values in self.schema.enums.items():
            yield ""
            yield from lines(Call(f"{self.names.values[name]} = Literal", tuple(text(value) for value in values), "[]"))
            labels = [text(value) for value in values]
            made = call("postgresql.ENUM", *labels, f"name={text(name)}", "metadata=metadata")
            yield from lines(_headed(f"{self.names.types[name]} = ", made))
        for name, variable in self.names.tables.items():
            yield ""
            yield from self._table(variable, self.schema.tables[name])
        for table in self.mapped:
            yield from ("", "", *self._class(table))
        apart = [key for table in self.schema.tables.values() for key in table.foreign_keys if _has_dots(key)]
        if apart:
            yield from ("", "", "# Names with dots cannot be named as text.") if self.mapped else ("",)
        for key in apart:
            yield from lines(self._appended(key))

    def _imports(self) -> Iterator[str]:
        kinds = {column.type.kind for table in self.mapped for column in table.final.columns}
        types = [column.type for table in self.schema.tables.values() for column in table.final.columns]
        lists = any(one.array and one.kind == "enum" for one in types)
        if kinds & {"date", "timestamp", "timestamptz"}:
            yield "import datetime"
        if "numeric" in kinds:
            yield "from decimal import Decimal"
        typing = [*(["Any"] if "jsonb" in kinds or lists else []), *(["Literal"] if self.schema.enums else [])]
        if typing:
            yield f"from typing import {', '.join(typing)}"
        if "uuid" in kinds:
            made = any(_is_id(column) for table in self.mapped for column in table.final.columns)
            yield f"from uuid import UUID{', uuid4' if made else ''}"
        yield ""
        yield "import sqlalchemy as sa"
        if self.schema.tables or self.schema.enums:
            yield "from sqlalchemy.dialects import postgresql"
        yield "from sqlalchemy.event import listen"
        orm = [
            *(["Mapped", "mapped_column"] if self.mapped else []),
            *(["relationship"] if self._any_relation() else []),
        ]
        yield f"from sqlalchemy.orm import {', '.join(['DeclarativeBase', *orm])}"

    def _any_relation(self) -> bool:
        return any(self.relations.values())

    def _table(self, variable: str, table: Table) -> Iterator[str]:
        columns = [
            call(
                "sa.Column",
                text(column.name),
                sql_type(column, self.names),
                f"nullable={column.nullable}",
                *options(table, column),
            )
            for column in table.final.columns
        ]
        yield from lines(
            call(f"{variable} = sa.Table", text(table.name), "metadata", *columns, *self._constraints(table))
        )

    def _class(self, table: Table) -> Iterator[str]:
        yield f"class {self.names.classes[table.name]}(Base):"
        yield from (f"    {docstring(f'A row of {table.name}.')}", "", f"    __tablename__ = {text(table.name)}")
        yield from lines(Call("__table_args__ = ", tuple(self._constraints(table))), 1)
        yield ""
        for column in table.final.columns:
            yield from lines(self._column(table, column), 1)
        if self.relations[table.name]:
            yield ""
        for relation in self.relations[table.name]:
            yield from lines(self._relation(table, relation), 1)

    def _column(self, table: Table, column: Column) -> Call:
        name = self.columns[table.name][column.name]
        typed = annotation(column, self.names)
        said: list[Node] = [] if name == column.name else [text(column.name)]
        said.append(sql_type(column, self.names))
        if typed.startswith(("Any", "dict")) and not column.nullable:
            said.append("nullable=False")  # what may be anything may be None too
        if _is_id(column):
            said.append("default=uuid4")
        said += options(table, column)
        return call(f"{name}: Mapped[{typed}] = mapped_column", *said)

    def _constraints(self, table: Table) -> list[Node]:
        found: list[Node] = []
        if table.primary_key:
            key = [text(column) for column in table.primary_key]
            found.append(call("sa.PrimaryKeyConstraint", *key, f"name={text(table.primary_key_name)}"))
        for key in table.foreign_keys:
            if not _has_dots(key):
                target = f"{self.schema.schema}.{key.target_table}"
                mine = Call("", tuple(text(column) for column in key.columns), "[]")
                theirs = Call("", tuple(text(f"{target}.{column}") for column in key.target_columns), "[]")
                found.append(call("sa.ForeignKeyConstraint", mine, theirs, *_key_options(key)))
        return [*found, *(_index(index) for index in table.indexes)]

    def _appended(self, key: ForeignKey) -> Call:
        def columns(table: str, names: tuple[str, ...]) -> Call:
            place = f"metadata.tables[{text(f'{self.schema.schema}.{table}')}]"
            return Call("", tuple(f"{place}.c[{text(name)}]" for name in names), "[]")

        mine, theirs = columns(key.table, key.columns), columns(key.target_table, key.target_columns)
        made = call("sa.ForeignKeyConstraint", mine, theirs, *_key_options(key))
        return call(f"metadata.tables[{text(f'{self.schema.schema}.{key.table}')}].append_constraint", made)

    def _relation(self, table: Table, relation: Relation) -> Call:
        target = self.names.classes[relation.target]
        if isinstance(relation, ByJunction):
            typed = f'list["{target}"]'
            said = self._through(table, relation)
        else:
            typed = (
                f'list["{target}"]' if relation.many else f'"{target} | None"' if relation.optional else f'"{target}"'
            )
            said = self._forward(relation) if relation.forward else self._back(relation)
        return call(f"{relation.name}: Mapped[{typed}] = relationship", *said, f"back_populates={text(relation.back)}")

    def _forward(self, relation: ByKey) -> list[str]:
        columns, said = self.columns[relation.key.table], list[str]()
        if relation.ambiguous:
            said.append(f"foreign_keys=[{', '.join(columns[name] for name in relation.key.columns)}]")
        if relation.to_itself:
            said.append(f"remote_side=[{', '.join(columns[name] for name in relation.key.target_columns)}]")
        return said

    def _back(self, relation: ByKey) -> list[str]:
        columns, said = self.columns[relation.target], list[str]()
        source = self.names.classes[relation.target]
        if relation.ambiguous:
            places = ", ".join(f"{source}.{columns[name]}" for name in relation.key.columns)
            said.append(f"foreign_keys={text(f'[{places}]')}")
        if relation.part:
            said.append(f"order_by={text(f'{source}.{columns[POSITION]}')}")
            said.append('cascade="all, delete-orphan"')
        # What a deletion does to rows with the key is the foreign key's to say, in the database.
        said.append("passive_deletes=True" if relation.part else 'passive_deletes="all"')
        return said

    def _through(self, table: Table, relation: ByJunction) -> list[str]:
        variable = self.names.tables[relation.junction]
        said = [f"secondary={variable}"]
        if relation.near.target_table == relation.far.target_table:
            for word, key in (("primaryjoin", relation.near), ("secondaryjoin", relation.far)):
                mine = self.columns[table.name][key.target_columns[0]]
                said.append(f"{word}={mine} == {variable}.c[{text(key.columns[0])}]")
        return [*said, "passive_deletes=True"]


def _columns(table: Table, scope: Scope) -> dict[str, str]:
    """Name the attributes of a table's columns; what can keep its name comes before what would take it."""
    names = sorted((column.name for column in table.final.columns), key=lambda name: attribute(name)[0] != name)
    return {name: scope.take(*attribute(name)) for name in names}


def _is_id(column: Column) -> bool:
    return column.role == "id" and column.type.kind == "uuid"


def _has_dots(key: ForeignKey) -> bool:
    return any("." in name for name in (key.target_table, *key.target_columns))


def _key_options(key: ForeignKey) -> list[str]:
    said = [f"name={text(key.name)}"]
    if key.on_update is not None:
        said.append(f"onupdate={text(key.on_update.upper())}")
    if key.on_delete is not None:
        said.append(f"ondelete={text(key.on_delete.upper())}")
    return said


def _headed(head: str, made: Call) -> Call:
    return Call(f"{head}{made.head}", made.items, made.brackets)


def _index(index: Index) -> Call:
    said: list[Node] = [text(index.name)]
    if index.expression is None:
        said += [text(column) for column in index.columns]
    else:
        said.append(call("sa.literal_column", Text(f"({index.expression})"), "postgresql.TSVECTOR()"))
    if index.unique:
        said.append("unique=True")
    if index.method != "btree":
        said.append(f"postgresql_using={text(index.method)}")
    if index.where is not None:
        # The line break keeps the parenthesis out of a comment at the end of the author's text.
        said.append(call("postgresql_where=sa.literal_column", Text(f"({index.where}\n)")))
    return call("sa.Index", *said)


def _before(schema: TargetSchema) -> list[str]:
    return [
        f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(schema.schema)}",
        *(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = {quote_literal(name)})"
            f" THEN CREATE EXTENSION IF NOT EXISTS {quote_identifier(name)}; END IF; END $$"
            for name in schema.extensions
        ),
        *schema.functions,
    ]
