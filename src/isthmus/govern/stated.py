"""Hold a table of a settings file against a dataclass: every key known, every value of its kind. Pure.

A library for this takes longer to load than a whole check may take, and a hook loads it before each commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

KEY = "key"
"""In the metadata of a field: its key in the file, where that is not its name."""
_ABSENT = object()

Made = TypeVar("Made")
Tell = Callable[[str, str], None]
"""Takes a path such as `schema[0].folder`, and what is wrong there: a sentence without its capital and full stop."""


def read_table(kind: type[Made], table: object, tell: Tell, path: str = "") -> Made | None:
    """Return what a table says, as a dataclass; None where something of it is wrong.

    Kinds of values are texts, days, lists (`tuple[X, ...]`), tables of texts (`dict[str, X]`), a few words
    (`Literal`), other dataclasses, and None where nothing need be said. Functions in `Annotated` take a value and
    return what it becomes, or raise ValueError.

    Args:
        kind: The dataclass.
        table: What TOML had.
        tell: Called with everything that is wrong.
        path: Where the table stands.
    """
    if not isinstance(table, dict):
        tell(path, "it must be a table")
        return None
    given = cast("dict[str, object]", table)
    hints = get_type_hints(kind, include_extras=True)
    known = {key_of(one): one for one in fields(cast("Any", kind))}
    right = True
    for key in given:
        if key not in known:
            tell(_below(path, key), f"there is no such setting; there are: {', '.join(known)}")
            right = False
    values: dict[str, object] = {}
    for key, one in known.items():
        if key in given:
            value = _read(hints[one.name], given[key], tell, _below(path, key))
            right = right and value is not _ABSENT
            values[one.name] = value
        elif one.default is MISSING and one.default_factory is MISSING:
            tell(_below(path, key), "it is missing")
            right = False
    return kind(**values) if right else None


def key_of(field: Field[Any]) -> str:
    """Return the key of a dataclass's field in the file."""
    return str(field.metadata.get(KEY, field.name))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _read(kind: Any, value: object, tell: Tell, path: str) -> object:
    """Return a value as its kind has it; `_ABSENT` where it is none of that kind, which is told."""
    origin, given = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _held(given[1:], _read(given[0], value, tell, path), tell, path)
    if origin in {Union, UnionType}:  # which of them depends on what stands in it
        return _read(next(one for one in given if one is not NoneType), value, tell, path)
    if origin is Literal:
        if value in given:
            return value
        tell(path, f"it must be {' or '.join(given)}")
        return _ABSENT
    if origin is tuple:
        if not isinstance(value, list):
            tell(path, "it must be a list")
            return _ABSENT
        items = [_read(given[0], one, tell, f"{path}[{at}]") for at, one in enumerate(cast("list[object]", value))]
        return _ABSENT if _ABSENT in items else tuple(items)
    if origin is dict:
        if not isinstance(value, dict):
            tell(path, "it must be a table")
            return _ABSENT
        table = cast("dict[str, object]", value)
        found = {key: _read(given[1], one, tell, f"{path}.{key}") for key, one in table.items()}
        return _ABSENT if _ABSENT in found.values() else found
    if is_dataclass(kind):
        made = read_table(cast("type[object]", kind), value, tell, path)
        return _ABSENT if made is None else made
    return _plain(kind, value, tell, path)


def _held(asked: tuple[Any, ...], value: object, tell: Tell, path: str) -> object:
    for one in asked:
        if value is _ABSENT:
            break
        try:
            value = one(value)
        except ValueError as fault:
            tell(path, str(fault))
            value = _ABSENT
    return value


def _plain(kind: type[object], value: object, tell: Tell, path: str) -> object:
    if kind is date:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(value) if isinstance(value, str) else _wrong("a day", tell, path)
        except ValueError:
            return _wrong("a day", tell, path)
    return value if isinstance(value, kind) else _wrong("a text", tell, path)


def _wrong(what: str, tell: Tell, path: str) -> object:
    tell(path, f"it must be {what}")
    return _ABSENT
