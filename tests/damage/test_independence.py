"""The harness shares nothing with what it judges: neither it nor what it imports loads isthmus."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"tests.forkserver": "loads isthmus in the process that commands are forked from"}
"""What is not followed into functions, with the reason."""


def imported(path: Path, *, whole: bool) -> set[str]:
    """Return the modules that a file imports; with `whole` inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    names: set[str] = set()
    for node in ast.walk(tree) if whole else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports from beside itself"
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_neither_the_harness_nor_what_it_imports_loads_isthmus() -> None:
    waiting = sorted(Path(__file__).parent.glob("*.py"))
    assert len(waiting) > 8
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        names = imported(path, whole=module not in ELSEWHERE)
        assert not {name for name in names if name.partition(".")[0] == "isthmus"}, module
        for name in names:
            place = ROOT / Path(*name.split("."))
            found = [one for one in (place.with_suffix(".py"), place / "__init__.py") if one.exists()]
            waiting += [one for one in found if one not in seen]
            seen |= set(found)
    assert ROOT / "tests" / "planted" / "random_database.py" in seen
