"""`isthmus --help` answers without loading what only a copy needs; a set of modules, not a stopwatch."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "blake3",
    "isthmus._rust",
    "jinja2",
    "psycopg",
    "psycopg_pool",
    "pydantic",
    "pymongo",
    "rich.progress",
    "ruamel.yaml",
    "sqlalchemy",
}
PROGRAM = """
import json, sys
sys.argv = ["isthmus", "--help"]
from isthmus.cli.main import main
try:
    code = main()
except SystemExit as end:
    code = end.code
print(json.dumps({"code": code or 0, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def test_help_imports_nothing_heavy() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    answer = json.loads(run.stderr.splitlines()[-1])
    assert answer["code"] == 0
    assert "copy" in run.stdout
    loaded = HEAVY & set(answer["modules"])
    assert not loaded, f"isthmus --help loads {sorted(loaded)}; import them where they are used"
