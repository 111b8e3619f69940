"""On which lines fields stand: read from the text of a module, so that wrong references can be found again."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from isthmus.errors import Where

_Lines = dict[tuple[str, str], int]


def place_of_field(kind: type, name: str) -> Where:
    """Return where a class declares a field; its own line where the field is not written there, or `name` is empty.

    Classes that are made by a call (`TypedDict("Doc", {…})`, `create_model`) stand where the call does.
    """
    called = re.sub(r"\[.*", "", kind.__qualname__)
    file = file_of(kind)
    lines = _lines(file) if file is not None else {}
    line = lines.get((called, name)) or lines.get((called, ""))
    return Where(file=file, line=line, path=f"{called}.{name}" if name else called)


def place_of_alias(module: Any, name: str) -> Where | None:
    """Return where a module gives something a name at its top; None where it imports it."""
    file = _source(module)
    line = _lines(file).get(("", name)) if file is not None else None
    return Where(file=file, line=line, path=name) if line is not None else None


def file_of(kind: type) -> str | None:
    """Return the file of a class's module; None where there is none."""
    return _source(sys.modules.get(kind.__module__))


def _source(module: Any) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) and file.endswith(".py") else None


@cache
def _lines(file: str) -> _Lines:
    try:
        tree = ast.parse(Path(file).read_bytes(), file)
    except (OSError, SyntaxError, ValueError):
        return {}
    return dict(_of_body(tree.body, ""))


def _of_body(body: list[ast.stmt], within: str) -> Iterator[tuple[tuple[str, str], int]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            called = f"{within}.{node.name}" if within else node.name
            yield (called, ""), node.lineno
            yield from _of_body(node.body, called)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield (within, node.target.id), node.lineno
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield (within, node.targets[0].id), node.lineno
            if isinstance(node.value, ast.Call):
                called = f"{within}.{node.targets[0].id}" if within else node.targets[0].id
                yield (called, ""), node.lineno
                yield from (((called, name), line) for name, line in _named_in(node.value))
        elif type(node).__name__ == "TypeAlias":  # type X = …
            alias: Any = node
            yield (within, alias.name.id), node.lineno
        elif isinstance(node, ast.If | ast.Try):
            yield from _of_body([*node.body, *node.orelse], within)


def _named_in(call: ast.Call) -> Iterator[tuple[str, int]]:
    for one in call.keywords:
        if one.arg is not None:
            yield one.arg, one.value.lineno
    for one in ast.walk(call):
        if isinstance(one, ast.Dict):
            for key in one.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, key.lineno
