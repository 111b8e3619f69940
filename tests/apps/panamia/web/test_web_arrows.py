"""Who may import whom in `apps/panamia`: a sidecar nothing of the main service, and what both share neither of them.

Read from the source text, imports inside functions included. Cannot see: imports whose name is computed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
HOME = ROOT / "apps" / "panamia"
SIDECARS = sorted(path.parent.name for path in HOME.glob("*/role.sql"))
OTHERS = {"service", "scripts", "moving", "demo"}
"""What the main service and its operators have for themselves."""


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every module that a file may import."""
    own = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(own[: len(own) - node.level]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{one.name}") for one in node.names)


def wrong_in(package: str, forbidden: set[str]) -> list[str]:
    """Return the imports of a package that lead to others."""
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((HOME / package).rglob("*.py"))
        for line, name in imported(path)
        if name.startswith("apps.") and name.split(".")[2] in forbidden
    ]


@pytest.mark.parametrize("sidecar", SIDECARS)
def test_sidecar_imports_nothing_of_the_main_service_or_of_another_sidecar(sidecar: str) -> None:
    assert wrong_in(sidecar, OTHERS | set(SIDECARS) - {sidecar}) == []


@pytest.mark.parametrize("sidecar", SIDECARS)
def test_models_of_a_sidecar_stand_by_themselves(sidecar: str) -> None:
    """`isthmus schema drift` imports them from the folder of `isthmus.toml`, where nothing is above them."""
    places = [HOME / sidecar / "models.py", *(HOME / sidecar / "models").rglob("*.py")]
    names = {name for path in places if path.exists() for _, name in imported(path)}
    assert names
    inside = f"apps.panamia.{sidecar}.models"
    assert {name for name in names if name.startswith("apps.") and not name.startswith(inside)} == set()


def test_what_services_share_knows_none_of_them() -> None:
    assert wrong_in("web", OTHERS | {"models"} | set(SIDECARS)) == []


def test_an_import_of_the_main_service_is_seen() -> None:
    assert wrong_in("demo", {"service"}) != []
    assert SIDECARS != []
