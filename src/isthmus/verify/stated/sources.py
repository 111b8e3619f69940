"""Which rules fill a column: of every flow of its table, by every mapping that rows came from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import JsonValue

from isthmus.mapping.model import ColumnField, Mapping, ToFlagsField, walk
from isthmus.mapping.placing import place_tables
from isthmus.mapping.tables import Column, Table


@dataclass(frozen=True)
class Source:
    """One flow that fills a column.

    Attributes:
        rule: The rule; None for constants, and where the flow leaves the column NULL.
        constant: Extended JSON of the value that every row of the flow has; None for columns that are no constants.
    """

    rule: ColumnField | None = None
    constant: JsonValue = None


@dataclass(frozen=True)
class Filled:
    """A column of a root or child table and all that fills it.

    Attributes:
        table: The table.
        column: The column.
        sources: One for each flow that has the column.
        everywhere: Whether every flow of the table has it.
    """

    table: Table
    column: Column
    sources: tuple[Source, ...]
    everywhere: bool

    @property
    def rules(self) -> list[ColumnField]:
        """The rules, without those flows that have none."""
        return [one.rule for one in self.sources if one.rule is not None]


def filled_columns(mappings: Iterable[Mapping], table: Table) -> list[Filled]:
    """Return the columns of a table, as finish leaves it, with what fills them."""
    placed = [
        {one.column.name: one for one in found.columns}
        for mapping in mappings
        for flow in mapping.flows
        for found in place_tables(mapping, flow)
        if found.name == table.name
    ]
    columns: list[Filled] = []
    for column in table.final.columns:
        sources = [Source(one[column.name].rule, one[column.name].constant) for one in placed if column.name in one]
        columns.append(Filled(table, column, tuple(sources), len(sources) == len(placed)))
    return columns


def flag_groups(mappings: Iterable[Mapping], table: Table) -> list[tuple[str, ...]]:
    """Return the columns that one array of labels becomes, of tables that one flow fills, where none has a default.

    They are all NULL or none is.
    """
    if len(table.flows) != 1:
        return []
    names = {column.name for column in table.columns}
    found: dict[tuple[str, ...], bool] = {}
    for mapping in mappings:
        for rule in walk(mapping.collections[table.flows[0].entry].fields):
            if isinstance(rule, ToFlagsField):
                columns = tuple(flag.column for flag in rule.flags)
                plain = set(columns) <= names and not any(flag.default is not None for flag in rule.flags)
                found[columns] = found.get(columns, True) and plain
    return [columns for columns, plain in found.items() if plain and len(columns) > 1]
