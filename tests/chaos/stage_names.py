"""The names of stages, as the sources announce them and as the reference page lists them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "stages.md"


def announced() -> set[str]:
    """Return a regular expression for the name that each `reached(NAME)` of the sources announces."""
    names: set[str] = set()
    for path in sorted((ROOT / "src" / "isthmus").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "reached":
                (name,) = node.args
                names.add(_pattern(name, f"{path}:{node.lineno}"))
    return names


def _pattern(name: ast.expr, place: str) -> str:
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    assert isinstance(name, ast.JoinedStr), f"{place}: a stage is announced by a text, so that it can be found"
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z-]+" for part in name.values)


def documented() -> list[str]:
    """Return the names in the page's tables, in order."""
    return re.findall(r"^\| `([a-z.-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
