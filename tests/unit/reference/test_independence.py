"""The oracle shares nothing with what it judges."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import isthmus.verify.reference as package

ROOT = Path(package.__file__).parent
FORBIDDEN = ("isthmus.mapping", "isthmus._rust")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def test_no_module_of_the_oracle_imports_isthmus_outside_itself() -> None:
    for path in sorted(ROOT.rglob("*.py")):
        outside = {
            name for name in imported(path) if name.startswith("isthmus") and "isthmus.verify.reference" not in name
        }
        assert not outside, f"{path.name} imports {outside}"


def test_importing_the_oracle_loads_neither_mapping_nor_core() -> None:
    program = (
        "import sys, isthmus.verify.reference.compare as _\n"
        f"print([name for name in sys.modules if name.startswith({FORBIDDEN!r})])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_generators_import_nothing_from_isthmus() -> None:
    folder = Path(__file__).parents[2] / "generators"
    for path in sorted(folder.rglob("*.py")):
        assert not {name for name in imported(path) if name.startswith("isthmus")}, path.name
