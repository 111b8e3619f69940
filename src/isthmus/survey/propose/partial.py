"""The condition of a partial index of MongoDB as SQL, as far as both mean the same. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from isthmus.mapping.names import quote_identifier, quote_literal
from isthmus.survey.profile import Path

if TYPE_CHECKING:
    from isthmus.survey.propose.tables import Place

_COMPARED = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_NUMBERS = frozenset({"integer", "bigint", "double", "numeric"})
_BSON_TYPES = {
    "string": "text", "number": "double", "int": "integer", "long": "bigint", "double": "double", "date": "timestamptz",
    "bool": "boolean", "decimal": "numeric",
}  # fmt: skip


class Untranslated(Exception):  # noqa: N818  says why, to be told in a comment
    """The condition means nothing in SQL that is the same."""


class Secret(Untranslated):
    """The condition compares a secret: its values stand in the condition."""


def translate(condition: object, places: Mapping[Path, Place], column_of: Callable[[Place], str]) -> str:
    """Translate a `partialFilterExpression`.

    Args:
        condition: As MongoDB has it.
        places: The columns by path.
        column_of: Names a column.

    Raises:
        Secret: It names values of a field that is called secret.
        Untranslated: Some part of it has no like.
    """
    if not isinstance(condition, Mapping):
        raise Untranslated("it is no document")
    parts: list[str] = []
    for key, value in cast("Mapping[str, object]", condition).items():
        if key == "$and" and isinstance(value, Sequence):
            parts += [translate(one, places, column_of) for one in cast("Sequence[object]", value)]
            continue
        if key.startswith("$"):
            raise Untranslated(key)
        place = places.get(tuple(key.split(".")))
        if place is None or place.type is None or place.inner:
            raise Untranslated(f"{key} is no column of the table")
        if place.rule.body.get("sensitive") and not _is_open(value):
            raise Secret(key)
        parts += _field(place, quote_identifier(column_of(place)), value)
    if not parts:
        raise Untranslated("it is empty")
    return " AND ".join(parts)


def _is_open(value: object) -> bool:
    """Tell whether a condition says nothing of the values: that there is one, or of which type."""
    return isinstance(value, Mapping) and set(cast("Mapping[str, object]", value)) <= {"$exists", "$type"}


def _field(place: Place, column: str, value: object) -> list[str]:
    if isinstance(value, Mapping):
        operators = cast("Mapping[str, object]", value)
        if operators and all(name.startswith("$") for name in operators):
            return [_operator(place, column, name, operand) for name, operand in operators.items()]
        raise Untranslated("it compares a document")
    return [f"{column} = {_literal(place, value)}"]


def _operator(place: Place, column: str, name: str, operand: object) -> str:
    if name == "$exists" and operand:
        return f"{column} IS NOT NULL"
    if name == "$type" and isinstance(operand, str):
        if _BSON_TYPES.get(operand) == place.type or (operand == "number" and place.type in _NUMBERS):
            return f"{column} IS NOT NULL"
        raise Untranslated(f"$type {operand}")
    if name == "$eq":
        return f"{column} = {_literal(place, operand)}"
    if name == "$in" and isinstance(operand, list) and operand:
        return f"{column} IN ({', '.join(_literal(place, one) for one in cast('list[object]', operand))})"
    if name in _COMPARED and place.type in _NUMBERS:
        return f"{column} {_COMPARED[name]} {_literal(place, cast('object', operand))}"
    raise Untranslated(name)


def _literal(place: Place, value: object) -> str:
    if isinstance(value, bool):
        if place.type == "boolean":
            return "true" if value else "false"
    elif isinstance(value, int | float) and place.type in _NUMBERS:
        if value == value and abs(value) != float("inf"):  # noqa: PLR0124  not NaN
            return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(value)
    elif isinstance(value, str):
        if place.type == "text" and "\0" not in value:
            return quote_literal(value)
        if place.type == "enum" and place.node.values is not None and ("s", value) in dict(place.node.values):
            return quote_literal(value)
    raise Untranslated(f"a value that {column_type(place)} does not compare")


def column_type(place: Place) -> str:
    """Name a column's type for a sentence."""
    return place.type or "the column"
