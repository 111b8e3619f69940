"""Who may import whom: the arrows of the design, read from the source text, imports inside functions included.

    errors <- core, work <- mapping <- connect, sources, state <- survey | transfer | verify | govern | polyglot <- cli

Cannot see: imports whose module name is computed while the program runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "isthmus"

# A package may import those of lower rank, and itself.
RANK = {
    "errors": 0,
    "_rust": 1,
    "work": 1,
    "mapping": 2,
    "connect": 3,
    "sources": 3,
    "state": 3,
    "survey": 4,
    "transfer": 4,
    "verify": 4,
    "govern": 4,
    "polyglot": 4,
    "cli": 5,
}
# connect, sources and state stand side by side and may use each other in this order only, so no circle can close.
SIDEWAYS = {("sources", "connect"), ("state", "connect")}
# The sample data of `isthmus demo`: made by itself, used by the command line.
DATA = "demo"


def modules() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "__pycache__" not in path.parts)


def package_of(path: Path) -> str:
    """`src/isthmus/mapping/types.py` and `src/isthmus/errors.py` belong to `mapping` and `errors`."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every module of isthmus that a file imports, wherever the import stands."""
    own = ("isthmus", *path.relative_to(SOURCE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = list(own[: len(own) - node.level]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from isthmus.mapping import types` imports the module isthmus.mapping.types.
            for name in (module, *(f"{module}.{alias.name}" for alias in node.names)):
                yield node.lineno, name
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            first = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield node.lineno, str(first.value)


def used_packages(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imported(path):
        parts = name.split(".")
        if parts[0] == "isthmus" and len(parts) > 1:
            yield line, parts[1]


def allowed(user: str, used: str) -> bool:
    if user == used:
        return True
    if used == DATA:
        return user == "cli"
    if user == DATA:
        return used == "errors"
    if user == "__init__":
        return used == "errors"
    if user == "__main__":
        return used == "cli"
    if used in RANK and user in RANK:
        return RANK[used] < RANK[user] or (user, used) in SIDEWAYS
    # `from isthmus import __version__` names no package.
    return used.startswith("__")


def test_every_package_has_a_place_in_the_arrows() -> None:
    known = {*RANK, DATA, "__init__", "__main__"}
    unknown = {package_of(path) for path in modules()} - known
    assert not unknown, f"give these packages a rank here and a place in the design: {sorted(unknown)}"


def test_imports_follow_the_arrows() -> None:
    wrong = [
        f"{path.relative_to(SOURCE.parent)}:{line} imports isthmus.{used}, against the arrows"
        for path in modules()
        for line, used in used_packages(path)
        if not allowed(package_of(path), used)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("forbidden", ["isthmus._rust", "isthmus.mapping.types", "isthmus.transfer"])
def test_reference_oracle_shares_no_conversion_with_what_it_judges(forbidden: str) -> None:
    waiting = sorted((SOURCE / "verify" / "reference").glob("*.py"))
    assert waiting, "the oracle of the core has moved; let this test follow it"
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for line, name in imported(path):
            assert not f"{name}.".startswith(f"{forbidden}."), (
                f"{path.relative_to(SOURCE.parent)}:{line} imports {name}"
            )
            # What the oracle itself is made of is held to the same.
            beside = (SOURCE.parent / Path(*name.split("."))).with_suffix(".py")
            if name.startswith("isthmus.verify.") and beside.exists():
                waiting.append(beside)


def test_no_module_is_a_dumping_ground() -> None:
    grounds = {"utils", "util", "helpers", "helper", "common", "misc"}
    root = SOURCE.parents[1]
    found = [
        str(path.relative_to(root))
        for folder in ("src", "tests", "tools", "bench", "crates")
        for path in (root / folder).rglob("*")
        if path.suffix in {".py", ".rs"} and path.stem in grounds and "target" not in path.parts
    ]
    assert not found, f"name these after what they hold: {found}"
