"""The tables of a compiled plan: which flow each is of, what goes into it, and where it stands in a batch.

A plan has one shape for each flow of its source collection; the core counts the tables of all shapes through. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from isthmus._rust import Batch
from isthmus.mapping.model import Flow
from isthmus.mapping.tables import TargetSchema

Kind = Literal["root", "child", "junction", "pending"]


@dataclass(frozen=True)
class PlanTable:
    """One table of a plan.

    Attributes:
        index: Its number in a batch.
        flow: The flow whose rows go there.
        kind: `pending` for values that wait for finish; pairs that wait are a `junction`.
        name: The table that is meant, also of pairs that wait; of other values that wait `table.column`.
        waiting: Table of the state's schema that takes what waits for finish; None where nothing does.
        columns: In the order of COPY.
        own: Of a junction: the column that takes the document's id.
        other: Of a junction: the column that takes the arrays' ids.
        lone: Whether each document has only one array for this junction, so that it cannot name a pair twice (within
            one array the core folds repetitions). Not so for several fields, nor for an array inside a child table.
    """

    index: int
    flow: Flow
    kind: Kind
    name: str
    waiting: str | None
    columns: tuple[str, ...]
    own: str = ""
    other: str = ""
    lone: bool = True


def plan_tables(plan: str, schema: TargetSchema) -> tuple[PlanTable, ...]:
    """Return the tables of a plan (JSON), in the order in which a batch counts them."""
    flows = {(flow.entry, flow.collection): flow for table in schema.tables.values() for flow in table.flows}
    data = json.loads(plan)
    found: list[PlanTable] = []
    for shape in data["shapes"]:
        flow = flows[shape["entry"], data["collection"]]
        for number, table in enumerate(shape["tables"]):
            found.append(_plan_table(len(found), flow, table, shape["fields"], number))
    return tuple(found)


def _plan_table(index: int, flow: Flow, table: dict[str, Any], fields: list[dict[str, Any]], number: int) -> PlanTable:
    columns = tuple(column["name"] for column in table["columns"])
    kind: Kind = table["kind"]
    name, waiting = table["name"], None
    if "books" in table:
        name, waiting = table["books"], name
    if kind != "junction":
        return PlanTable(index, flow, kind, name, waiting, columns)
    roles = {column["role"]: column["name"] for column in table["columns"]}
    if waiting is not None:
        name = name.removesuffix(f".{roles['other']}")
    lone = _is_lone_array(fields, number)
    return PlanTable(index, flow, kind, name, waiting, columns, roles["own"], roles["other"], lone)


def _is_lone_array(fields: list[dict[str, Any]], table: int) -> bool:
    """Tell whether exactly one field at the root of the document fills a table of the plan."""
    at_root = sum(field["do"] == "junction" and field["table"] == table for field in fields)
    below = any(not _is_unused(field["fields"], table) for field in fields if field["do"] == "child")
    return at_root == 1 and not below


def _is_unused(fields: list[dict[str, Any]], table: int) -> bool:
    return all(
        _is_unused(field["fields"], table) if field["do"] == "child" else field["table"] != table
        for field in fields
        if field["do"] in {"child", "junction"}
    )


def flow_of(tables: tuple[PlanTable, ...], batch: Batch) -> Flow | None:
    """Return the flow by which the one document of a batch goes; None when the core refuses or skips it."""
    return next((table.flow for table in tables if table.kind == "root" and batch.rows(table.index)), None)
