"""Runs `isthmus` as an operator of an application does: in its folder, with `DATABASE_URL` as the only setting."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests import forkserver
from tests.oracle.copying import COMMAND, url

SETTINGS = ("MONGODB_URI", "POSTGRES_", "DATABASE_URL", "ISTHMUS_", "PG")
"""How the names of all settings begin."""


@dataclass(frozen=True)
class Ran:
    """One finished command.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output.
        said: What it wrote to standard error.
    """

    code: int
    out: str
    said: str


def isthmus(*words: str, database: str, home: Path) -> Ran:
    """Run a command on a database, by conninfo, in an application's folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment["DATABASE_URL"] = url(database)
    if forkserver.possible():
        ran = forkserver.run("isthmus", list(words), cwd=home, env=environment, timeout=240)
    else:
        ran = subprocess.run(
            [COMMAND, *words], cwd=home, capture_output=True, check=False, env=environment, timeout=240
        )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
