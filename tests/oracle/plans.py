"""A compiled plan as its tables: one list over all its shapes, as the core counts them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from isthmus.verify.reference import Reference, Type


@dataclass(frozen=True)
class PlanTable:
    """One table of a plan.

    Attributes:
        number: Its place among the tables of all shapes.
        shape: Place of its shape.
        first: Whether it is its shape's root table.
        said: What the plan says about it.
    """

    number: int
    shape: int
    first: bool
    said: dict[str, Any]

    @property
    def columns(self) -> list[dict[str, Any]]:
        """Its columns."""
        return self.said["columns"]

    @property
    def name(self) -> str:
        """What its rows are known by: `table.column` where its values wait, else the table's name."""
        return self.said.get("books", self.said["name"])

    def types(self, oracle: Reference) -> dict[str, Type]:
        """Types of its columns as the oracle has them; whatever it does not know is taken for a text."""
        table, _, column = self.name.partition(".")
        shape = oracle.shapes[table]
        if not column:
            return shape.columns
        met = shape.references[column].type
        if shape.kind == "junction":
            return {**shape.columns, column: met}
        owner = shape.key[0] if shape.kind == "child" else next(iter(shape.columns))
        positions = {said["name"]: Type("integer") for said in self.columns if said["role"].endswith("position")}
        return {"root_id": shape.columns[owner], **positions, "element": Type("integer"), "value": met}


def plan_tables(plan: str) -> list[PlanTable]:
    """The tables of a plan, those of the first shape first."""
    found: list[PlanTable] = []
    for number, shape in enumerate(json.loads(plan)["shapes"]):
        for place, table in enumerate(shape["tables"]):
            found.append(PlanTable(len(found), number, place == 0, table))
    return found


def enum_names(plan: str) -> Iterator[str]:
    """Names of all enum types a plan speaks of."""
    for table in plan_tables(plan):
        for column in table.columns:
            by = (column.get("reference") or {}).get("by") or {}
            for kind in (column["type"], by.get("type", {})):
                if kind.get("kind") == "enum":
                    yield kind["name"]
