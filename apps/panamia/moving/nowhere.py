"""References that lead to no row though copies brought all of its table, as items: one for each value of a document."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg

from isthmus.mapping import Mapping
from isthmus.mapping.tables import build_schema
from isthmus.mapping.target import Table
from isthmus.state.reports import object_ids
from isthmus.state.runs import latest_run
from isthmus.state.waiting import WaitingLine, list_waiting

from .ledgers import without_secrets
from .phases import PHASES, Item


def leading_nowhere(connection: psycopg.Connection, mapping: Mapping) -> dict[int, list[Item]]:
    """Return them by phase; writes nothing.

    It is the phase that knew last: the one that carries what they lead to, or the one that carries them. A value that
    may mean rows of several tables is one item, with the columns of its route as `isthmus refs audit` names them.
    """
    run = latest_run(connection)
    if run is None:
        return {}
    lines = without_secrets(connection, run, (line for line in list_waiting(connection, run) if line.lead_nowhere))
    tables = build_schema(mapping).tables
    phases = {entry: one.number for one in PHASES if one.kind == "copy" for entry in one.entries}
    old = object_ids(connection, [line.target_id for line in lines]) if lines else {}
    found: dict[int, list[Item]] = {}
    for several in _by_value(tables, lines):
        line = several[0]
        holder = tables[line.table]
        columns = _columns(holder, line)
        ends = {column.name: column.reference.table for column in holder.columns if column.reference is not None}
        to = [ends.get(name, line.points_at) for name in columns]
        names = ends.values() if holder.kind == "junction" else [line.table, *to]
        number = max(phases.get(entry, 0) for name in names for entry in tables[name].entries)
        of = "|".join(columns)
        place = f"{line.table}.{of}/{line.row_id}" + "".join(f"[{at}]" for at in line.position)
        led = f"{line.table} {line.row_id}: {of} leads to {old.get(line.target_id, line.target_id)}, which is no row"
        item = Item("nowhere", f"{place}/{line.target_id}", f"{led} of {_either([one.points_at for one in several])}")
        found.setdefault(number, []).append(item)
    return found


def _by_value(tables: dict[str, Table], lines: Iterable[WaitingLine]) -> list[list[WaitingLine]]:
    """Put the lines of one value of a document together, in the order of the columns of its route."""
    found: dict[tuple[object, ...], list[WaitingLine]] = {}
    for line in lines:
        columns = _columns(tables[line.table], line)
        of = columns if len(columns) > 1 else (line.column, line.target_id)  # a list has several values
        found.setdefault((line.table, line.row_id, *line.position, of), []).append(line)
    for several in found.values():
        order = _columns(tables[several[0].table], several[0])
        several.sort(key=lambda line, order=order: order.index(line.column))
    return list(found.values())


def _columns(table: Table, line: WaitingLine) -> tuple[str, ...]:
    """Return the columns of the route that a line is of; of one that is of none its own column."""
    reference = next((one.reference for one in table.columns if one.name == line.column), None)
    return (reference.routed if reference is not None else ()) or (line.column,)


def _either(tables: list[str]) -> str:
    return tables[0] if len(tables) == 1 else f"{', '.join(tables[:-1])} or {tables[-1]}"
