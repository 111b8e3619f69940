"""Running and verifying a phase, by the commands that Isthmus offers to everybody."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from isthmus.errors import ConfigError

from .phases import Phase, Standing
from .settings import Settings

INTERRUPTED = 130


def isthmus(settings: Settings, arguments: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Run a command of Isthmus on this terminal; return its exit code and its result.

    Args:
        settings: Its addresses, which go by the environment.
        arguments: The command; `--json` is added.
    """
    with tempfile.TemporaryDirectory(prefix="panamia-") as folder:
        result = Path(folder, "result.json")
        command = [sys.executable, "-m", "isthmus", *arguments, "--json", str(result)]
        code = subprocess.run(command, env=settings.environment(), check=False).returncode  # noqa: S603 - our own parts
        said: dict[str, Any] = json.loads(result.read_text()) if result.is_file() and result.stat().st_size else {}
    return code, said


def run_phase(settings: Settings, phase: Phase, *, live: bool = True) -> int:
    """Run a phase, the first or a later time; return the exit code of Isthmus.

    Args:
        settings: Where.
        phase: The phase.
        live: Of a rewrite: whether documents are changed; else it is only said what would be.
    """
    settings.need_source()
    if phase.kind == "rewrite":
        to = [part for entry in phase.entries for part in ("--to", entry)]
        arguments = ["refs", "rewrite", str(settings.mapping), *to, *(["--live"] if live else [])]
        return isthmus(settings, arguments)[0]
    only = [part for entry in phase.entries for part in ("--only", entry)]
    answers = ["--resolutions", str(settings.resolutions)] if settings.resolutions.is_file() else []
    return isthmus(settings, ["copy", str(settings.mapping), *only, *answers])[0]


def verify_phase(settings: Settings, connection: psycopg.Connection, standing: Standing, html: Path | None) -> int:
    """Verify what a phase did last, all layers, every document; return the exit code.

    Raises:
        ConfigError: The phase is not complete, or another one was run since.
    """
    settings.need_source()
    number = standing.phase.number
    if standing.run is None or standing.finished_at is None:
        raise ConfigError(
            f"Phase {number} is not complete, so there is nothing to verify.",
            code="not-run",
            hint=f"python -m apps.panamia.phase run {number}",
        )
    if standing.phase.kind == "rewrite":
        return _check_rewrite(settings, connection, standing)
    last = connection.execute("SELECT max(id) FROM isthmus.run").fetchone()
    if last is not None and last[0] != standing.run:
        raise ConfigError(
            f"Run {standing.run} of phase {number} is not the last one: run {last[0]} came after it.",
            code="not-last",
            hint=f"Copy it again, which changes nothing that is right: python -m apps.panamia.phase run {number}",
        )
    page = ["--html", str(html)] if html is not None else []
    return isthmus(settings, ["verify", str(settings.mapping), "--sample", "all", *page])[0]


def _check_rewrite(settings: Settings, connection: psycopg.Connection, standing: Standing) -> int:
    """See that nothing is left to be rewritten: by another look at every document, which writes nothing."""
    code, said = isthmus(
        settings,
        ["refs", "rewrite", str(settings.mapping), *(part for one in standing.phase.entries for part in ("--to", one))],
    )
    left = int(said.get("would_change", 0)) if said else -1
    outcome = "passed" if left == 0 and code in (0, 1) else "failed"
    connection.execute(
        "INSERT INTO panamia_move.rewrite_check (rewrite_id, outcome, would_change) VALUES (%s, %s, %s)",
        (standing.run, outcome, left),
    )
    connection.commit()
    return 0 if outcome == "passed" else code or 1
