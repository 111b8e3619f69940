"""Suite check: how long `isthmus schema check` takes in a repository with many migrations, as a hook and as a whole.

The repository is made with plain git: one folder of each layout with all migrations committed, `base = "main"` in the
settings, a branch with one migration more, which is staged. Start of the process and of git's own processes count.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.machine import say, write
from bench.process import run

LIMIT_SECONDS = 0.5
"""For what a hook asks."""
_HEADER = (
    "-- Migration: {name}\n-- Purpose: table number {number}\n-- Ticket: BENCH-{number}\n-- Reversible: Yes\n"
    "-- Rollback: DROP TABLE t{number};\n\n"
)
_SQL = (
    "CREATE TABLE t{number} (id bigint PRIMARY KEY, name text NOT NULL, made_at timestamptz);\n"
    "CREATE INDEX t{number}_name ON t{number} (name);\n"
)


def measure(work: Path, migrations: int, rounds: int) -> None:
    """Make a repository of each layout, check it once to warm the caches, then `rounds` times; write a line each."""
    for layout in ("folders", "flat"):
        repository = _repository(work / f"check-{layout}", layout, migrations)
        for words in (["--staged"], ["--base", "main"], []):
            command = [str(Path(sys.executable).parent / "isthmus"), "schema", "check", *words]
            first = run(command, folder=repository)
            assert first.code == 0, first.output
            runs = [run(command, folder=repository) for _ in range(rounds)]
            seconds = median(one.seconds for one in runs)
            said = " ".join(["isthmus schema check", *words])
            say(f"check: {said} takes {seconds:.3f} s with {migrations:,} migrations in the layout {layout}")
            write(
                "check",
                {
                    "measured": said,
                    "layout": layout,
                    "migrations": migrations,
                    "squawk": shutil.which("squawk", path=str(Path(sys.executable).parent)) is not None,
                    "seconds": round(seconds, 3),
                    "cpu_seconds": round(median(one.cpu_seconds for one in runs), 3),
                    "within_limit": seconds < LIMIT_SECONDS,
                    "all_seconds": [round(one.seconds, 3) for one in runs],
                },
            )


def _repository(folder: Path, layout: str, migrations: int) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    git = _Git(folder)
    git("init", "--quiet", "--initial-branch", "main")
    (folder / "isthmus.toml").write_text(f'base = "main"\n[schema]\nfolder = "m"\nlayout = "{layout}"\n')
    names = [_name(layout, number) for number in range(migrations + 1)]
    for number, name in enumerate(names[:-1]):
        _write(folder / "m", layout, name, number)
    _journal(folder / "m", layout, names[:-1])
    git("add", "-A")
    git("commit", "--quiet", "--message", "all")
    git("checkout", "--quiet", "-b", "feature")
    _write(folder / "m", layout, names[-1], migrations)
    _journal(folder / "m", layout, names)
    git("add", "-A")
    return folder


def _name(layout: str, number: int) -> str:
    if layout == "flat":
        return f"{number:04}_table_{number}"
    return f"{datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number):%Y%m%d%H%M%S}_table_{number}"


def _write(folder: Path, layout: str, name: str, number: int) -> None:
    file = folder / (f"{name}.sql" if layout == "flat" else f"{name}/migration.sql")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_HEADER.format(name=name, number=number) + _SQL.format(number=number))


def _journal(folder: Path, layout: str, names: list[str]) -> None:
    if layout == "flat":
        entries = [
            {"idx": idx, "version": "7", "when": 1_700_000_000_000 + idx, "tag": name, "breakpoints": True}
            for idx, name in enumerate(names)
        ]
        (folder / "meta").mkdir(exist_ok=True)
        (folder / "meta" / "_journal.json").write_text(json.dumps({"version": "7", "entries": entries}, indent=2))


class _Git:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *words: str) -> None:
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        subprocess.run(["git", *words], cwd=self._folder, env=environment, check=True, capture_output=True)
