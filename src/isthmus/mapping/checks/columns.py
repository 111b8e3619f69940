"""Checks of one table: its columns, its indexes, its search."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from isthmus.mapping.model import (
    DEAD_LETTER,
    ColumnField,
    ConstantColumn,
    FieldRule,
    IndexRule,
    Junction,
    RouteField,
    SearchRule,
    ToFlagsField,
)
from isthmus.mapping.names import SYSTEM_COLUMNS
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.target import HIDDEN_COLUMNS
from isthmus.mapping.types import INSTANT_KINDS, TEXT_KINDS, ColumnType

MAX_COLUMNS = 1600
MAX_INDEX_COLUMNS = 32
"""PostgreSQL documentation, Appendix K (Limits)."""


@dataclass(frozen=True)
class TableView:
    """A table as the mapping states it, before references are known to be good.

    Attributes:
        place: Of its name.
        owner: What it is made from, for sentences.
        key: Names of the columns that tell its rows, as far as they stay.
        row_key: The same, hidden ones too.
        fields_place: Of its field rules.
        rules_place: Of the rule that holds `indexes` and `search`.
        entry: The entry that fills it; None for junctions.
        constants: Of a root table.
        parent: The table of the array around it.
    """

    name: str
    place: Place
    owner: str
    key: tuple[str, ...]
    fields: tuple[FieldRule, ...]
    fields_place: Place
    extras: str
    extras_place: Place
    indexes: tuple[IndexRule, ...]
    search: SearchRule | None
    rules_place: Place
    row_key: tuple[str, ...] = ()
    entry: str | None = None
    constants: tuple[ConstantColumn, ...] = ()
    parent: str | None = None

    @property
    def is_junction(self) -> bool:
        """Whether it is a junction table."""
        return self.entry is None

    @classmethod
    def of_junction(cls, name: str, junction: Junction) -> TableView:
        """The view of a junction table."""
        place = ("junctions", name)
        key = tuple(entry.column for entry in junction.columns)
        owner = f"the junction `{name}`"
        return cls(name, place, owner, key, (), place, DEAD_LETTER, place, (), None, place)


def check_table(reader: Reader, table: TableView) -> None:
    """Report what is wrong with the columns, indexes and search of one table."""
    types = _check_columns(reader, table)
    for position, index in enumerate(table.indexes):
        _check_index(reader, table, index, (*table.rules_place, "indexes", str(position)), types)
    if table.search is not None:
        _check_search(reader, table, table.search, (*table.rules_place, "search"), types)
    _check_expected(reader, table, types)


def _check_columns(reader: Reader, table: TableView) -> dict[str, ColumnType | None]:
    """Names of columns and their types (None for references)."""
    types: dict[str, ColumnType | None] = {}
    sources: dict[str, str] = {}

    def add(name: str, column_type: ColumnType | None, source: str, place: Place, hint: str) -> None:
        if name in sources:
            message = f"The column `{name}` of `{table.name}` is wanted twice: by {sources[name]} and by {source}."
            reader.report("column-clash", place, message, hint)
            return
        if name in SYSTEM_COLUMNS:
            reader.report("bad-name", place, f"`{name}` is a column every PostgreSQL table has already.", hint)
        if name in HIDDEN_COLUMNS:
            reader.report("bad-name", place, f"`{name}` is a column Isthmus needs while it loads.", hint)
        sources[name], types[name] = source, column_type

    key_place = table.place if table.parent is not None or table.is_junction else (*table.fields_place, "_id")
    for name in table.key:
        source = "the key" if table.parent is not None or table.is_junction else "`_id`"
        reader.check_name(name, key_place, "The key column")
        add(name, None, source, key_place, "Name it otherwise: `own: …` for the first key column of a child table.")
    for constant in table.constants:
        place = (*table.rules_place, "constants", constant.column)
        add(constant.column, constant.type, "`constants`", place, "Name the constant otherwise.")
    for number, rule in enumerate(table.fields):
        place = (*table.fields_place, reader.key_of(table.fields_place, number))
        if isinstance(rule, ColumnField):
            hint = "Name the column: {column: …, type: …}."
            add(rule.column, rule.type, f"the field `{show_path(rule.path)}`", place, hint)
            _check_column(reader, rule, place)
        elif isinstance(rule, ToFlagsField):
            for flag in rule.flags:
                at = (*place, "to_flags", flag.label)
                hint = "Name the column: {LABEL: COLUMN}."
                add(flag.column, ColumnType("boolean"), f"the label `{shorten(flag.label)}`", at, hint)
        elif isinstance(rule, RouteField):
            for route in rule.routes:
                at = (*place, "route", route.entry)
                hint = "Name the column: {COLLECTION: COLUMN}."
                add(route.column, None, f"the route to `{shorten(route.entry)}`", at, hint)
    if table.extras != DEAD_LETTER:
        place = table.extras_place if table.extras_place in reader.lines else table.place
        hint = "Name the column of unnamed fields otherwise: `extras: …`."
        add(table.extras, ColumnType("jsonb"), "`extras`", place, hint)
    if len(types) > MAX_COLUMNS:
        message = f"The table `{table.name}` would have {len(types)} columns; PostgreSQL takes {MAX_COLUMNS}."
        reader.report("too-many-columns", table.fields_place, message, "Put some of them into one jsonb column.")
    return types


def _check_column(reader: Reader, rule: ColumnField, place: Place) -> None:
    column_type = rule.type
    if rule.index and rule.unique:
        message = "`index` and `unique` together make two indexes over the same column."
        reader.report("index-twice", (*place, "index"), message, "Keep `unique: true`.")
    if column_type is None or reader.is_broken(place):
        return
    if rule.unique and column_type.kind == "jsonb":
        reader.report(
            "unique-jsonb",
            (*place, "unique"),
            "A jsonb column cannot be unique in a useful way.",
            "Take the value out of it into a column.",
        )


def _check_expected(reader: Reader, table: TableView, types: dict[str, ColumnType | None]) -> None:
    """Report columns that `expect` compares with and that cannot be compared."""
    for number, rule in enumerate(table.fields):
        if not isinstance(rule, ColumnField) or rule.expect is None:
            continue
        place = (*table.fields_place, reader.key_of(table.fields_place, number), "expect")
        for key in ("not_before", "not_after"):
            name = getattr(rule.expect, key)
            at = (*place, key)
            if name is None or not _known(reader, table, name, at, types):
                continue
            other = types[name]
            if name == rule.column:
                message = f"`{key}` compares a column with another one, and this is the column itself."
                reader.report("bad-expect", at, message, "Name the other column, or remove it.")
            elif other is None or other.array or other.kind not in INSTANT_KINDS:
                shown = "a key or reference" if other is None else f"of type `{other}`"
                message = f"`{name}` is {shown}; `{key}` compares with one date or instant."
                reader.report("expect-type", at, message, "Name a column of type date, timestamp or timestamptz.")


def _known(reader: Reader, table: TableView, name: str, place: Place, types: dict[str, ColumnType | None]) -> bool:
    if name in types:
        return True
    if not name or reader.is_broken(table.fields_place):
        return False
    for rule in table.fields:
        if show_path(rule.path) == name and isinstance(rule, ColumnField):
            message = f"`{shorten(name)}` is a field; indexes, `search` and `expect` name columns."
            reader.report("unknown-column", place, message, f"Write `{rule.column}`.")
            return False
    message = f"The table `{table.name}` has no column `{shorten(name)}`."
    reader.report("unknown-column", place, message, suggest(name, types))
    return False


def _column_place(reader: Reader, place: Place, position: int) -> Place:
    inner = (*place, "columns", str(position))
    if inner in reader.lines:
        return inner
    outer = (*place, str(position))
    return outer if outer in reader.lines else place


def _check_index(
    reader: Reader, table: TableView, index: IndexRule, place: Place, types: dict[str, ColumnType | None]
) -> None:
    if not index.columns:
        if not reader.is_broken(place):
            reader.report("empty-index", place, "This index has no columns.", "Name at least one.")
        return
    if len(index.columns) > MAX_INDEX_COLUMNS:
        message = f"This index has {len(index.columns)} columns; PostgreSQL takes {MAX_INDEX_COLUMNS}."
        reader.report("too-many-columns", place, message, "Leave some away.")
    if any(first == second for first, second in pairwise(sorted(index.columns))):
        reader.report("column-clash", place, "This index names a column twice.", "Name each column once.")
    if index.unique and index.method == "gin":
        reader.report("gin-unique", place, "A gin index cannot be unique.", "Use `method: btree`.")
    for position, name in enumerate(index.columns):
        at = _column_place(reader, place, position)
        if not _known(reader, table, name, at, types):
            continue
        column_type = types[name]
        searchable = column_type is not None and (column_type.array or column_type.kind == "jsonb")
        if index.method == "gin" and not searchable:
            message = f"A gin index takes jsonb and array columns, and `{name}` is neither."
            reader.report("gin-type", at, message, "Use `method: btree`, or `search` for text.")


def _check_search(
    reader: Reader, table: TableView, search: SearchRule, place: Place, types: dict[str, ColumnType | None]
) -> None:
    if not search.columns and not reader.is_broken(place):
        reader.report("empty-index", place, "`search` has no columns.", "Name at least one.")
    for position, name in enumerate(search.columns):
        at = _column_place(reader, place, position)
        if name in search.columns[:position]:
            reader.report("column-clash", at, f"`search` names `{shorten(name)}` twice.", "Name each column once.")
        if not _known(reader, table, name, at, types):
            continue
        column_type = types[name]
        if column_type is None or not (column_type.kind in TEXT_KINDS or column_type.kind == "jsonb"):
            shown = "a key or reference" if column_type is None else f"of type `{column_type}`"
            message = f"`{name}` is {shown}; search takes text, varchar, their arrays, and jsonb."
            reader.report("search-type", at, message, "Leave it away; an ordinary index finds such values.")
