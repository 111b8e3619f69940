"""Values that cannot be derived and wait for finish: one table a flow and column, in the state's schema."""

from __future__ import annotations

import hashlib

from isthmus.mapping.model import ChildField, FieldRule, Flow, JunctionField, Mapping
from isthmus.mapping.placing import PlacedColumn, PlacedTable, place_tables
from isthmus.mapping.references import make_reference, meets_sensitive, own_column, refer
from isthmus.mapping.target import Column, PendingTable
from isthmus.mapping.types import ColumnType

ROOT_ID, ELEMENT, VALUE = "root_id", "element", "value"
"""Names of columns of pending tables; positions are `position_1`, outermost first."""


def pending_tables(mapping: Mapping) -> list[PendingTable]:
    """List the pending tables of a mapping: by flow, then the order of its tables and columns, then of junctions."""
    found: list[PendingTable] = []
    for flow in mapping.flows:
        for table in place_tables(mapping, flow):
            found += [pending_values(flow, table, placed) for placed in table.columns if placed.column.waits]
        for junction, own in fed_junctions(mapping, flow):
            pairs = pending_pairs(mapping, flow, junction, own)
            if pairs is not None:
                found.append(pairs)
    return found


def pending_name(table: str, column: str, flow: int) -> str:
    """Name a pending table; the same for the same mapping."""
    digest = hashlib.sha256(f"{table}\0{column}\0{flow}".encode()).hexdigest()
    return f"pending_{digest[:8]}"


def pending_values(flow: Flow, table: PlacedTable, placed: PlacedColumn) -> PendingTable:
    """The pending table of a flow for a column that waits."""
    column, referred = placed.column, placed.referred
    if column.reference is None or referred is None:
        raise ValueError(f"{column.name} does not wait.")
    root = next(entry.column for entry in table.columns if entry.column.name == table.row_key[0])
    integer = ColumnType("integer")
    keys = [Column(ROOT_ID, root.type, nullable=False, role="root_id")]
    for number, _ in enumerate(table.row_key[1:], start=1):
        role = "position" if number == len(table.row_key) - 1 else "ancestor_position"
        keys.append(Column(f"position_{number}", integer, nullable=False, role=role))
    array = column.type.array
    value = Column(
        VALUE,
        referred.met.element,
        nullable=array,
        role="reference",
        reference=column.reference,
        sensitive=column.sensitive,
        path=column.path,
    )
    element = [Column(ELEMENT, integer, nullable=False, role="element")] if array else []
    return PendingTable(
        name=pending_name(table.name, column.name, flow.number),
        table=table.name,
        column=column.name,
        flow=flow,
        reference=column.reference,
        array=array,
        pairs=False,
        columns=(*keys, *element, value),
        keys=tuple((key.name, name) for key, name in zip(keys, table.row_key, strict=True)),
        value=VALUE,
    )


def pending_pairs(mapping: Mapping, flow: Flow, junction: str, own: str) -> PendingTable | None:
    """The pending table of a flow for the pairs of a junction; None when their other end need not be looked up."""
    rule = mapping.junctions[junction]
    other = next(column for column in rule.columns if column.column != own)
    mine = next(column for column in rule.columns if column.column == own)
    referred = refer(mapping, other.collection)
    if not referred.lookup:
        return None
    reference = make_reference(mapping, referred, rule.orphan_action, stated=rule.on_orphan is not None)
    target = refer(mapping, mine.collection)
    return PendingTable(
        name=pending_name(junction, other.column, flow.number),
        table=junction,
        column=other.column,
        flow=flow,
        reference=reference,
        array=False,
        pairs=True,
        columns=(
            Column(own, target.type, nullable=False, role="own"),
            Column(
                other.column,
                referred.met,
                nullable=False,
                role="other",
                reference=reference,
                sensitive=meets_sensitive(mapping, other.collection),
            ),
        ),
        keys=((own, own),),
        value=other.column,
    )


def fed_junctions(mapping: Mapping, flow: Flow) -> list[tuple[str, str]]:
    """List the junctions that a flow feeds, each with the column of the document's own id; one entry a side."""
    found: dict[tuple[str, str], None] = {}

    def look(rules: tuple[FieldRule, ...]) -> None:
        for rule in rules:
            if isinstance(rule, JunctionField):
                found[rule.junction, own_column(mapping, flow.entry, rule.junction, rule.own)] = None
            elif isinstance(rule, ChildField):
                look(rule.fields)

    look(mapping.collections[flow.entry].fields)
    return list(found)
