"""Writes docs/reference/settings.md from the models in `isthmus.govern.settings` and their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from isthmus.govern.settings import ChangesSettings, SchemaSettings, Settings, key_of

_INTRODUCTION = """\
# Settings

<!-- Made from src/isthmus/govern/settings.py by `make docs`; do not edit. -->

What `isthmus schema`, `isthmus changes` and `isthmus hooks` need to know of a project. They stand in `isthmus.toml`, or
in `[tool.isthmus]` of `pyproject.toml` (there `[tool.isthmus.schema]` and so on); the nearest file upwards counts.
Paths start from the folder of that file. A key that is not known is an error.

```toml
base = "origin/main"

[schema]                      # or [[schema]], several times
folder = "prisma/migrations"
layout = "folders"
ticket = "PANA-\\\\d+|N/A"
off = {migration-time = "names come from another system"}

[changes]
folder = "mongo-migrations"
models = ["lib/model/**/*.ts"]
```
"""


def page(root: Path) -> str:
    """Return the page."""
    del root
    parts = [
        _INTRODUCTION,
        *_table("At the top", "What holds for all of them.", Settings),
        *_table("`[schema]`", "", SchemaSettings),
        *_table("`[changes]`", "", ChangesSettings),
        "A rule is named as on [its page](rules/README.md).",
    ]
    return "\n".join([*parts, ""])


def _table(title: str, lead: str, model: type[Any]) -> Iterator[str]:
    said = _attributes(model)
    yield f"## {title}"
    yield ""
    yield lead or f"{inspect.cleandoc(model.__doc__ or '').partition(chr(10))[0]}"
    yield ""
    yield "| key | value | meaning | if left out |"
    yield "| --- | --- | --- | --- |"
    kinds = get_type_hints(model, include_extras=True)
    for one in fields(model):
        yield f"| `{key_of(one.name)}` | {_kind(kinds[one.name])} | {said[one.name]} | {_default(one)} |"
    yield ""


def _attributes(model: type[Any]) -> dict[str, str]:
    _, _, text = inspect.cleandoc(model.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        begun = re.fullmatch(r"    (\w+): (.*)", line)
        if begun:
            name = begun[1]
            found[name] = begun[2]
        elif line.strip():
            found[name] += f" {line.strip()}"
    return {one: text.replace("|", "\\|") for one, text in found.items()}


def _kind(kind: Any) -> str:
    origin, given = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return " or ".join(_kind(one) for one in given if one is not type(None))
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in given)
    if origin is tuple:
        return "table, or list of tables" if _holds_a_model(given[0]) else "list of texts"
    if origin is dict:
        return "table of texts"
    if origin is not None and hasattr(kind, "__metadata__"):
        return _kind(given[0])
    if is_dataclass(kind):
        return "table"
    return {str: "text", bool: "`true` or `false`", int: "whole number", date: "day"}.get(kind, "text")


def _holds_a_model(kind: Any) -> bool:
    return is_dataclass(kind)


def _default(field: Field[Any]) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return "required"
    if field.default in (MISSING, None, ()):
        return "none"
    text = str(field.default).replace("|", "\\|")
    return f"`{text}`"
