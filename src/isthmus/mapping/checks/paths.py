"""Checks of the paths that the rules of one table claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.mapping.checks.columns import TableView
from isthmus.mapping.model import ChildField, ColumnField, DropField, FieldPath, FieldRule, RouteField, ToFlagsField
from isthmus.mapping.paths import show_path
from isthmus.mapping.reading.reader import Place, Reader

MAX_DEPTH = 100
"""Deepest nesting of a BSON document that MongoDB stores (documentation: MongoDB Limits and Thresholds)."""


@dataclass(frozen=True)
class _Claim:
    """One path of one rule.

    Attributes:
        element: Position and path of an element; None for the whole value.
    """

    path: FieldPath
    rule: FieldRule
    place: Place
    element: tuple[int, FieldPath] | None = None

    @property
    def others(self) -> str | None:
        return self.rule.others if isinstance(self.rule, ColumnField | RouteField) else None


def check_paths(reader: Reader, table: TableView) -> None:
    """Report paths that two rules claim, and paths inside others that are taken as a whole."""
    claims = list(_claims(reader, table))
    for claim in claims:
        _check_path(reader, table, claim)
    seen: dict[FieldPath, list[_Claim]] = {}
    for claim in claims:
        before = seen.setdefault(claim.path, [])
        _check_twice(reader, claim, before)
        before.append(claim)
    for claim in claims:
        for length in range(1, len(claim.path)):
            outer = seen.get(claim.path[:length])
            if outer is None:
                continue
            whole = show_path(outer[0].path)
            message = f"`{show_path(claim.path)}` lies inside `{whole}`, which {_says(outer[0])}."
            hint = f"Remove one of the two rules; rules inside `{whole}` need no rule for the whole."
            reader.report("path-conflict", claim.place, message, hint)
            break


def _claims(reader: Reader, table: TableView) -> Iterator[_Claim]:
    for number, rule in enumerate(table.fields):
        place = (*table.fields_place, reader.key_of(table.fields_place, number))
        if isinstance(rule, ColumnField | RouteField):
            element = None if rule.element is None else (rule.element, rule.of)
            for path in rule.paths:
                yield _Claim(path, rule, place, element)
        else:
            yield _Claim(rule.path, rule, place)


def _check_path(reader: Reader, table: TableView, claim: _Claim) -> None:
    path, place, rule = claim.path, claim.place, claim.rule
    if len(path) > MAX_DEPTH:
        reader.report(
            "bad-path", place, f"The path has {len(path)} keys; documents nest {MAX_DEPTH} deep.", "Shorten it."
        )
    if path[0] != "_id" or table.parent is not None:
        return
    plain = (
        isinstance(rule, ColumnField)
        and rule.paths == (path,)
        and rule.element is None
        and not rule.flags
        and not rule.object
    )
    if len(path) > 1 or not plain:
        message = f"`{show_path(path)}` is part of `_id`, which becomes the key as a whole."
        if len(path) == 1:
            message = "`_id` becomes the key; only a plain column can hold it besides."
        reader.report(
            "id-path",
            place,
            message,
            "To keep it too write, under another key, {path: [_id], column: …, type: jsonb}.",
        )
    if path == ("_id",) and isinstance(rule, ColumnField) and rule.sensitive:
        message = "`_id` cannot be sensitive: commands and ledgers name documents by it."
        hint = "Remove `sensitive`. An `_id` that is a secret must be changed in MongoDB before the copy."
        reader.report("sensitive-id", (*place, "sensitive"), message, hint)


def _check_twice(reader: Reader, claim: _Claim, before: list[_Claim]) -> None:
    """Only different elements of one array may have a rule each."""
    shown = show_path(claim.path)
    for other in before:
        if claim.element is None or other.element is None:
            message = f"The field `{shown}` has two rules."
            reader.report("path-conflict", claim.place, message, "Keep one; one field feeds one rule.")
            return
        (number, of), (other_number, other_of) = claim.element, other.element
        shorter = min(len(of), len(other_of))
        if number == other_number and of[:shorter] == other_of[:shorter]:
            message = f"Element {number} of `{shown}` has two rules for the same value."
            reader.report(
                "path-conflict", claim.place, message, "Keep one; state different elements, or paths `of` one."
            )
            return
        if claim.others != other.others:
            message = f"The rules over `{shown}` do not agree in what becomes of its other elements."
            reader.report("others-differ", claim.place, message, "State the same `others` in each, or in none.")
            return


def _says(claim: _Claim) -> str:
    rule = claim.rule
    if isinstance(rule, ColumnField):
        if claim.element is not None:
            return f"gives an element to the column `{rule.column}`"
        return f"becomes the column `{rule.column}` as a whole"
    if isinstance(rule, ChildField):
        return f"becomes the child table `{rule.table}`"
    if isinstance(rule, DropField):
        return "is dropped as a whole"
    if isinstance(rule, ToFlagsField):
        return f"becomes {len(rule.flags)} boolean columns"
    if isinstance(rule, RouteField):
        return "is routed to columns as a whole"
    return f"feeds the junction `{rule.junction}`"
