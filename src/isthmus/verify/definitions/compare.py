"""Hold definitions that are there against those that are wanted. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from isthmus.connect.definitions import Definition, Definitions
from isthmus.verify.result import ColumnCheck, LayerResult

_SPELLED_OUT = {"unique", "method", "columns", "partial", "target", "target columns", "on delete", "on update"}
"""Parts that the definition in the server's words says too."""
_ADDED = {
    "column": "The column is not in the mapping",
    "key": "The primary key is not in the mapping",
    "unique": "The unique constraint is not in the mapping",
    "foreign key": "The foreign key is not in the mapping",
    "check": "The CHECK constraint is not in the mapping",
    "exclusion": "The EXCLUDE constraint is not in the mapping",
    "constraint": "The constraint is not in the mapping",
    "trigger": "Isthmus makes no triggers",
    "rule": "Isthmus makes no rules",
    "policy": "Isthmus makes no policies",
    "index": "The unique index is not in the mapping",
}
"""What is said of objects that are there and not wanted, by kind."""


def compare(
    result: LayerResult,
    there: Definitions,
    wanted: Definitions,
    *,
    left_out: Collection[str] = (),
    unknown: Callable[[Definition], str] = lambda _: "",
) -> None:
    """Enter what differs, and what was compared.

    Args:
        result: Takes it.
        there: What the target has.
        wanted: What it must have.
        left_out: Names of indexes that the run could not build, as its books say.
        unknown: Says of a definition why a part of it could not be compared; empty where all was.
    """
    gone = {table for kind, table, _ in wanted if kind == "table" and ("table", table, table) not in there}
    others = Counter[str]()
    for place, want in wanted.items():
        have = there.get(place)
        if want.kind != "table" and want.table in gone:
            continue
        why = unknown(want)
        compared = 0
        if have is None:
            _missing(result, want, left_out)
        else:
            compared = _compare_one(result, have, want)
        result.checked += 1
        if want.kind == "column" or why:
            result.columns.append(ColumnCheck(want.table, want.name, compared, 0, int(bool(why)), why))
        else:
            others[want.table] += 1
    for table, count in others.items():
        result.columns.append(ColumnCheck(table, "", count))
    for place, have in there.items():
        if place not in wanted:
            _added(result, have)


def _missing(result: LayerResult, want: Definition, left_out: Collection[str]) -> None:
    # the copy leaves out no unique index: it makes dead letters of the documents that do not fit
    if want.kind == "index" and want.name in left_out and want.parts["unique"] == "no":
        result.notes.append(
            f"The index {want.name} of {want.table} is not there: the copy left it out, because PostgreSQL refused a"
            " value as too long for it. Its books say so."
        )
        return
    name = "" if want.name == want.table else f" {want.name}"
    result.differs(
        want.table,
        want.name,
        f"The {word(want.kind)}{name} is missing.",
        expected=said(want, parts_of(want)),
        actual=None,
    )


def _compare_one(result: LayerResult, have: Definition, want: Definition) -> int:
    """Enter an object of which any part differs; return how many parts were compared."""
    parts = parts_of(want)
    differing = [part for part in parts if have.parts.get(part) != want.parts[part]]
    if differing:
        result.differs(
            want.table,
            want.name,
            f"The {word(want.kind)} differs in: {', '.join(differing)}.",
            expected=said(want, differing),
            actual=said(have, differing),
        )
    return len(parts)


def _added(result: LayerResult, have: Definition) -> None:
    if have.kind == "index" and have.parts["unique"] == "no":
        result.notes.append(f"{have.table} has an index that is not in the mapping: {have.name}.")
    elif have.kind in _ADDED:
        message = f"{_ADDED[have.kind]}: {have.name}."
        told = ["definition"] if "definition" in have.parts else parts_of(have)
        result.differs(have.table, have.name, message, expected=None, actual=said(have, told))


def parts_of(one: Definition) -> list[str]:
    """Name the parts of an object that are compared: each thing once."""
    whole = "definition" in one.parts
    return [part for part in one.parts if not (whole and part in _SPELLED_OUT)]


def said(one: Definition, parts: Collection[str]) -> str:
    """Return what an object says in some parts, for people."""
    return "; ".join(f"{part}: {one.parts.get(part) or 'none'}" for part in parts)


def word(kind: str) -> str:
    """Return a kind of object for people."""
    return {"key": "primary key", "enum": "enum type", "check": "CHECK constraint"}.get(kind, kind)
