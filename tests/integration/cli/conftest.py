"""The command line as a user runs it: a process of its own, its outputs apart.

Most are forked from a process that has loaded isthmus (`tests.forkserver`); `started` is the installed command itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import forkserver

COMMAND = Path(sys.executable).with_name("isthmus")

# Two collections with a child table, a reference without a policy, and a junction.
MAPPING = """\
isthmus: 1
collections:
  Users:
    fields:
      name: text!
      posts: {junction: likes}
      notes: {child: user_notes, fields: {text: text}}
  Posts:
    fields:
      title: text
      user: {column: user_id, references: Users}
junctions: {likes: {user_id: Users, post_id: Posts}}
"""


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, data (standard output), talk (standard error)."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        """Everything a person gets to see."""
        return self.out + self.err


RunCommand = Callable[..., Ran]


def run_command(
    folder: Path, *arguments: object, env: dict[str, str] | None = None, started: bool = not forkserver.possible()
) -> Ran:
    """Run the command in a folder; `env` adds to an environment without addresses; `started`: load it anew."""
    words, environment = [str(one) for one in arguments], {**os.environ, "PYTHONWARNINGS": "error", **(env or {})}
    if started:
        done = subprocess.run(
            [COMMAND, *words], capture_output=True, cwd=folder, env=environment, timeout=120, check=False
        )
    else:
        done = forkserver.run("isthmus", words, cwd=folder, env=environment, timeout=120)
    ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in ran.all, ran.all
    assert "internal error" not in ran.all, ran.all
    return ran


@pytest.fixture
def isthmus(tmp_path: Path) -> RunCommand:
    """Return a function that runs the command in an empty folder, or in `cwd`; `env` as `run_command` takes it."""
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> Ran:
        return run_command(cwd or folder, *arguments, env=env)

    return run


@pytest.fixture
def started(tmp_path: Path) -> RunCommand:
    """Return a function like `isthmus` that starts the installed command: each loads by itself what it needs."""
    folder = tmp_path / "started"
    folder.mkdir()

    def run(*arguments: object, env: dict[str, str] | None = None, cwd: Path | None = None) -> Ran:
        return run_command(cwd or folder, *arguments, env=env, started=True)

    return run


@pytest.fixture
def write_mapping(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a mapping file and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "mapping.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write
