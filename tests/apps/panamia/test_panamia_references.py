"""The build's own `isthmus refs check`: documents of the service refer to keys that the models have.

The command is the one of the Makefile, in a copy of the application. Cannot see: references that no type states.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.apps.panamia.conftest import SETTINGS

ROOT = Path(__file__).parents[3]
DOCUMENT = Path("apps/panamia/service/profiles/document.py")
GOOD = 'PgRef["users.id"]'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout with the application, and the commands of this one."""
    shutil.copytree(
        ROOT / "apps" / "panamia", tmp_path / "apps" / "panamia", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "isthmus").symlink_to(Path(sys.executable).parent / "isthmus")
    return tmp_path


def check(folder: Path) -> tuple[int, str]:
    """Do what `make refs` does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^lint: .*\brefs\b.* ##", makefile, re.MULTILINE), "make lint does it"
    found = re.search(r"^refs: .*\n(?:\t@echo .*\n)?\t@(.+)$", makefile, re.MULTILINE)
    assert found, "the Makefile has it"
    command = found[1].replace("$(CURDIR)", str(folder)).replace("$(BIN)", ".venv/bin")
    clean = {name: value for name, value in os.environ.items() if not name.startswith((*SETTINGS, "PYTHON"))}
    ran = subprocess.run(["sh", "-c", command], cwd=folder, env=clean, capture_output=True, check=False, text=True)
    return ran.returncode, ran.stdout + ran.stderr


def test_the_build_finds_references_and_each_leads_to_a_key(copy: Path) -> None:
    code, said = check(copy)
    assert code == 0, said
    assert re.search(r"^[1-9]\d* references? in ", said, re.MULTILINE), said


@pytest.mark.parametrize("wrong", ["people.id", "users.uid", "users.name"])
def test_the_build_ends_where_a_reference_leads_nowhere(copy: Path, wrong: str) -> None:
    text = (copy / DOCUMENT).read_text(encoding="utf-8")
    assert text.count(GOOD) == 1
    (copy / DOCUMENT).write_text(text.replace(GOOD, f'PgRef["{wrong}"]'), encoding="utf-8")
    code, said = check(copy)
    assert code == 5, said
    assert "service/profiles/document.py\n  • line " in said
    assert f"Profile.user_id → {wrong}" in said
