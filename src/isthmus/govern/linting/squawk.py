"""Ask squawk what it thinks of migrations: one process for all of them, from texts and never from the working tree.

Neither its settings nor comments in a migration reach it: a rule is switched off in Isthmus's settings alone. With the
migrations it is given a file in which every danger stands, so that a squawk that no longer finds one is known as such.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from isthmus.errors import ConfigError
from isthmus.govern.linting.dangers import DANGERS, SYNTAX
from isthmus.govern.linting.report import Report, Said

TIMEOUT_SECONDS = 20.0
"""It takes some milliseconds for a hundred files."""
_POSTGRES = "15"
_PROBE = "probe.sql"
_OPTIONS = ("--reporter", "json", "--assume-in-transaction", "--pg-version", _POSTGRES)
_ITS_WORD = re.compile(rb"squawk", re.IGNORECASE)
_NOT_IN_A_TRANSACTION = b"\n-- squawk-disable-assume-in-transaction\n"
_HINT = "Install it anew (pip install squawk-cli), or switch the rule dangerous-ddl off with a reason."


@dataclass(frozen=True)
class Text:
    """One migration to be looked at.

    Attributes:
        path: What to call it.
        sql: Its text, UTF-8.
        in_transaction: Whether it is applied as one transaction.
    """

    path: str
    sql: bytes
    in_transaction: bool


def find_squawk() -> str | None:
    """Return where squawk is: beside this Python, or on the path; None where it is not installed."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def lint(squawk: str, texts: Sequence[Text]) -> Report:
    """Ask squawk; nothing is written but a temporary folder.

    Args:
        squawk: Where it is.
        texts: What to look at.

    Raises:
        ConfigError: It does not run, says what cannot be read, knows fewer dangers than it should, or takes too long
            (code `squawk-failed`).
    """
    with tempfile.TemporaryDirectory(prefix="isthmus-") as made:
        folder = Path(made)
        (folder / "squawk.toml").touch()
        (folder / _PROBE).write_text("\n".join(one.sample for one in DANGERS), encoding="utf-8")
        names = {f"{number}.sql": one for number, one in enumerate(texts)}
        plain = {name: _plain(one.sql) for name, one in names.items()}
        for name, sql in plain.items():
            (folder / name).write_bytes(sql if names[name].in_transaction else sql + _NOT_IN_A_TRANSACTION)
        said = _run(squawk, folder, [*names, _PROBE])
    try:
        by_file: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in json.loads(said):
            by_file[Path(one["file"]).name].append(one)
        _refuse_others(squawk, {str(one["rule_name"]) for one in by_file[_PROBE]})
        return Report({one.path: _all_said(plain[name], by_file[name]) for name, one in names.items()})
    except (ValueError, KeyError, TypeError, IndexError) as fault:
        raise ConfigError(
            f"{squawk} does not answer in the form that isthmus knows ({type(fault).__name__}: {fault}).",
            code="squawk-failed",
            hint=_HINT,
        ) from None


def _plain(sql: bytes) -> bytes:
    """Return a text in which no comment speaks to squawk, as long as before."""
    return _ITS_WORD.sub(b"sqxawk", sql.removeprefix(b"\xef\xbb\xbf"))


def _run(squawk: str, folder: Path, files: Sequence[str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SQUAWK_", "GITHUB_"))}
    try:
        done = subprocess.run(  # noqa: S603  the squawk of the user; its words are ours
            [squawk, "--config", "squawk.toml", *_OPTIONS, *files],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
            env=kept,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"{squawk} did not answer within {TIMEOUT_SECONDS:.0f} seconds.", code="squawk-failed", hint=_HINT
        ) from None
    except OSError as fault:
        raise ConfigError(f"{squawk} cannot be run: {fault.strerror}.", code="squawk-failed", hint=_HINT) from None
    if done.returncode not in {0, 1} or not done.stdout.strip():
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(
            f"{squawk} failed: {lines[0] if lines else f'exit code {done.returncode}'}",
            code="squawk-failed",
            hint=_HINT,
        )
    return done.stdout.decode(errors="replace")


def _refuse_others(squawk: str, known: set[str]) -> None:
    unknown = [one.name for one in DANGERS if one.name not in known]
    if unknown:
        raise ConfigError(
            f"{squawk} is of another version: it does not find {', '.join(unknown)}.", code="squawk-failed", hint=_HINT
        )


def _all_said(sql: bytes, found: Sequence[dict[str, Any]]) -> tuple[Said, ...]:
    starts = [0, *accumulate(len(line) + 1 for line in sql.split(b"\n"))]
    return tuple(
        Said(
            str(one["rule_name"]),
            starts[int(one["line"])] + int(one["column"]),
            starts[int(one["line_end"])] + int(one["column_end"]),
            int(one["line"]) + 1,
            str(one["message"]),
            str(one["help"] or ""),
        )
        for one in found
        if one["rule_name"] != SYNTAX or one["level"] == "Error"
    )
