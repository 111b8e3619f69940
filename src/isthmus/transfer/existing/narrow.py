"""Compiled plans made as narrow as the columns that are there, so that the core refuses by the field's path. Pure.

What the server would refuse without saying which field it was (NULL into NOT NULL, a text that is too long) the core
then refuses as it does for a mapping that says so. Everything else about the tables is the stage's to ask.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from isthmus.transfer.existing.fit import Existing, FedColumn

_Json = dict[str, Any]


def narrow_plans(plans: Mapping[str, str], existing: Existing) -> dict[str, str]:
    """Return plans (source collection → JSON) that ask of each value what its column in the real table asks.

    Args:
        plans: As the mapping alone compiles.
        existing: The tables that are there.
    """
    return {collection: _narrow(json.loads(plan), existing) for collection, plan in plans.items()}


def _narrow(plan: _Json, existing: Existing) -> str:
    for shape in plan["shapes"]:
        fed, labels = set(_fed(shape["fields"])), dict(_labels(shape["fields"]))
        for number, table in enumerate(shape["tables"]):
            if table["kind"] == "pending":
                name, _, column = table["books"].partition(".")
                there = _there(existing, name, column)
                if there is not None and there.there.not_null:
                    table["columns"][-1]["required"] = True
            elif table["kind"] != "junction":
                for place, column in enumerate(table["columns"]):
                    there = _there(existing, table["name"], column["name"])
                    if there is not None and (number, place) in fed:
                        _narrow_column(column, there, [*_stated_texts(column), *labels.get((number, place), ())])
    return json.dumps(plan, ensure_ascii=False)


def _fed(fields: list[_Json]) -> Iterator[tuple[int, int]]:
    """Yield (table, column) of every column that a field alone fills; one of a route has a value in turns."""
    for field in fields:
        match field["do"]:
            case "column" | "flags" | "object":
                yield field["table"], field["column"]
            case "to_flags":
                yield from ((field["table"], flag["column"]) for flag in field["flags"])
            case "child":
                yield from _fed(field["fields"])
            case _:
                pass


def _labels(fields: list[_Json]) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """Yield (table, column) of every column that flags become texts in, with these texts."""
    for field in fields:
        if field["do"] == "flags":
            yield (field["table"], field["column"]), [flag["label"] for flag in field["flags"]]
        elif field["do"] == "child":
            yield from _labels(field["fields"])


def _there(existing: Existing, table: str, column: str) -> FedColumn | None:
    fed = existing.tables.get(table)
    return fed.fed(column) if fed is not None else None


def _narrow_column(column: _Json, fed: FedColumn, stated: list[str]) -> None:
    if column["role"] not in {"value", "reference"}:
        return
    column["required"] = column["required"] or fed.there.not_null
    kind, longest = column["type"], fed.there.length
    if kind["kind"] not in {"text", "varchar"} or kind["array"] or column["role"] != "value" or longest is None:
        return
    longest = min(longest, kind.get("length", longest))
    if all(len(text) <= longest for text in stated):  # one that is longer is the stage's to refuse
        kind["length"] = longest


def _stated_texts(column: _Json) -> Iterator[str]:
    """Yield the texts that the mapping itself puts into a column."""
    stated = [one["to"] for one in column["values"]]
    stated += [one["value"] for one in (column["default"], column["others"]) if one is not None and "value" in one]
    yield from (one for one in stated if isinstance(one, str))
