"""The target as data: tables, columns, keys, references and indexes, without a word of SQL.

`tables` builds it from a mapping; `ddl` turns it into SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from isthmus.mapping.model import FieldPath, Flow
from isthmus.mapping.types import ColumnType

Role = Literal[
    "id",
    "value",
    "reference",
    "constant",
    "source",
    "extras",
    "root_id",
    "ancestor_position",
    "position",
    "element",
    "own",
    "other",
    "thing",
    "filled",
]
TableKind = Literal["root", "child", "junction"]
IndexKind = Literal["unique", "filter", "reference", "gin", "search"]
OrphanAction = Literal["null", "dead_letter", "drop"]
DeleteAction = Literal["cascade", "set null", "restrict"]
UpdateAction = Literal["cascade", "restrict"]

POSITION = "position"
"""Column of a child row's place in its array, from 0."""
HIDDEN_ID = "_isthmus_id"
"""Column of the id while a table is loaded that keeps none."""
HIDDEN_SOURCE = "_isthmus_source"
"""Column of the flow's number while a table is loaded that has several."""
HIDDEN_THING = "_isthmus_thing"
"""Column of the thing that a document is, while a table of things is loaded; see `things`."""
HIDDEN_FILLED = "_isthmus_filled"
"""Column of the names of columns that defaults filled, while a table is loaded whose documents may be joined."""
HIDDEN_COLUMNS = (HIDDEN_ID, HIDDEN_SOURCE, HIDDEN_THING, HIDDEN_FILLED)
"""All names of columns that are there only while a table is loaded."""


@dataclass(frozen=True)
class Reference:
    """What a column's values point at.

    Attributes:
        collection: The name that ids which are no ObjectIds are hashed with.
        table: The root table pointed at.
        column: That table's column whose value the reference has in the end: its id, its key, or `by`.
        on_orphan: What a value without target gets; `drop` leaves a junction's pair or an array's element out.
        stated: Whether the mapping says so; False for the default policy.
        entry: The entry of the mapping that fills the table.
        by: That table's column that the value of the document is compared with; None for the derived id.
        lookup: Whether the value waits in a pending table and is replaced in finish; False when the value of the
            document, derived or converted, is itself the reference.
        routed: All columns of its route, in order of preference; empty outside routes.
        on_delete: What becomes of a row when the row it points at is deleted, in the words of SQL; None refuses it.
        on_update: What becomes of it when the value it points by is changed; None refuses it.
        as_text: Whether the column, or its elements, are the UUIDs that `column` holds, as text.
        own: Of a column of a route: the path of its own field. Where the route leads to another column, finish takes
            the id from extras, where a field that is passed over stays.
    """

    collection: str
    table: str
    column: str
    on_orphan: OrphanAction
    stated: bool
    entry: str = ""
    by: str | None = None
    lookup: bool = False
    routed: tuple[str, ...] = ()
    on_delete: DeleteAction | None = None
    on_update: UpdateAction | None = None
    as_text: bool = False
    own: FieldPath | None = None


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        path: Keys of the field it comes from, relative to the row's document; None for columns Isthmus adds.
        rewrites: Paths inside a jsonb value whose ids are replaced, with the entry they belong to; keys as they are
            written.
        forms: Those of these paths where other values stay, with a regular expression of a whole id of the target.
        sql_default: What the table gives to rows that others add; the copy names every column and never meets it.
        by_default: Whether a default of the mapping may fill it.
        hidden: Whether it is there only until the end of finish.
    """

    name: str
    type: ColumnType
    nullable: bool
    role: Role
    reference: Reference | None = None
    sensitive: bool = False
    path: FieldPath | None = None
    rewrites: tuple[tuple[FieldPath, str], ...] = ()
    forms: tuple[tuple[FieldPath, str], ...] = ()
    sql_default: str | None = None
    by_default: bool = False
    hidden: bool = False

    def form_at(self, path: FieldPath) -> str | None:
        """The form that a value at a path of `rewrites` must have to be an id; None where every value is one."""
        return dict(self.forms).get(path)

    @property
    def waits(self) -> bool:
        """Whether its value comes in finish, out of a pending table."""
        return self.reference is not None and self.reference.lookup


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; `on_delete` is `cascade` where rows are part of what they point at, else as the mapping says.

    `on_update` is as the mapping says, for the reference or for all.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    target_table: str
    target_columns: tuple[str, ...]
    on_delete: DeleteAction | None = None
    on_update: UpdateAction | None = None


@dataclass(frozen=True)
class Index:
    """An index.

    Attributes:
        columns: The indexed columns; of a search index those it reads.
        expression: SQL of a search index (a tsvector); None for plain columns.
        where: SQL of the predicate; the author's own, or the size limit of a search index.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    expression: str | None
    unique: bool
    method: Literal["btree", "gin"]
    where: str | None
    kind: IndexKind
    language: str | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        flows: The flows that fill it, in order; empty for junctions.
        parent: None for root tables and junctions.
        columns: Hidden ones among them.
        primary_key: Empty for none.
    """

    name: str
    kind: TableKind
    flows: tuple[Flow, ...]
    parent: str | None
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    primary_key_name: str
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]

    @property
    def entries(self) -> tuple[str, ...]:
        """The entries of the mapping that fill it, each once."""
        return tuple(dict.fromkeys(flow.entry for flow in self.flows))

    @property
    def collections(self) -> tuple[str, ...]:
        """The source collections whose documents fill it, each once; none for junctions."""
        return tuple(dict.fromkeys(flow.collection for flow in self.flows))

    @property
    def has_secret_key(self) -> bool:
        """Whether what its rows are known by must not be shown."""
        return any(self.column(name).sensitive for name in self.primary_key)

    @property
    def final(self) -> Table:
        """The table as finish leaves it: without hidden columns."""
        return replace(self, columns=tuple(column for column in self.columns if not column.hidden))

    def column(self, name: str) -> Column:
        """Find a column; KeyError when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class TargetSchema:
    """All that a mapping wants in the target.

    Attributes:
        schema: PostgreSQL schema of everything here.
        enums: Values of each enum type.
        extensions: To be made where the server has them.
        tables: By name; root tables with their children in the mapping's order, then junctions.
        functions: SQL statements that make functions indexes need; to be run before indexes.
    """

    schema: str
    enums: dict[str, list[str]]
    extensions: tuple[str, ...]
    tables: dict[str, Table]
    functions: tuple[str, ...] = ()

    def root_of(self, table: Table) -> Table:
        """Return the root table that a child table's rows belong to; the table itself where it is none."""
        while table.parent is not None:
            table = self.tables[table.parent]
        return table

    @property
    def sensitive(self) -> bool:
        """Whether any column is sensitive."""
        return any(column.sensitive for table in self.tables.values() for column in table.columns)


@dataclass(frozen=True)
class PendingTable:
    """Values of one flow for one column that finish replaces by what they point at; lives in the state's schema.

    Attributes:
        name: Its name, also in the compiled plan.
        table: The table whose column waits; a junction when `pairs`.
        column: That column.
        flow: The flow that fills it.
        reference: What the values point at.
        array: Whether the column is an array: then a row is one element, null ones too, and an empty array is one row
            with element -1.
        pairs: Whether it takes a junction's pairs instead of values for rows that are there.
        columns: Those of `keys`, `element` for arrays, then the value.
        keys: Its columns that tell the row, each with the column of `table` it is equal to.
        value: Its column with the value.
    """

    name: str
    table: str
    column: str
    flow: Flow
    reference: Reference
    array: bool
    pairs: bool
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, str], ...]
    value: str
