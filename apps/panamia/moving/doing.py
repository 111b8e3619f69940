"""Running, verifying and undoing a phase, by the commands that Isthmus offers to everybody."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from isthmus.errors import ConfigError, GovernError

from .acknowledged import withdraw_all
from .phases import Phase, Standing
from .settings import Settings


def started(command: Sequence[str], environment: Mapping[str, str], *, quiet: bool) -> int:
    """Run a command on this terminal, without its standard output where `quiet`; return its exit code."""
    shown = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, env=environment, stdout=shown, check=False).returncode  # noqa: S603 - our own parts


def isthmus(
    settings: Settings, arguments: Sequence[str], *, json_file: Path | None = None, quiet: bool = False
) -> tuple[int, dict[str, Any]]:
    """Run a command of Isthmus on this terminal; return its exit code and its result.

    Args:
        settings: Its addresses, which go by the environment.
        arguments: The command; `--json` is added.
        json_file: Where the result goes as well.
        quiet: Show nothing of its result; errors and progress are shown all the same.
    """
    with tempfile.TemporaryDirectory(prefix="panamia-") as folder:
        result = json_file or Path(folder, "result.json")
        command = [sys.executable, "-m", "isthmus", *arguments, "--json", str(result)]
        code = started(command, settings.environment(), quiet=quiet)
        said: dict[str, Any] = json.loads(result.read_text()) if result.is_file() and result.stat().st_size else {}
    return code, said


def run_phase(
    settings: Settings,
    connection: psycopg.Connection,
    standing: Standing,
    *,
    live: bool = True,
    asked: bool = False,
    json_file: Path | None = None,
) -> int:
    """Run a phase, the first or a later time; return the exit code of Isthmus.

    Where it was not begun, or was undone, nothing of it counts as looked at.

    Args:
        settings: Where.
        connection: To the target.
        standing: The phase.
        live: Of a rewrite: whether documents are changed; else it is only said what would be.
        asked: Whether what is carried only where somebody asks for it is carried too.
        json_file: Where the result goes.
    """
    settings.need_source()
    phase = standing.phase
    if standing.run is None and live:
        withdraw_all(connection, standing)
        connection.commit()
    if phase.kind == "rewrite":
        how = ["--live"] if live else []
        return isthmus(settings, [*_rewrite(settings, phase), *how], json_file=json_file)[0]
    answers = ["--resolutions", str(settings.resolutions)] if settings.resolutions.is_file() else []
    return isthmus(
        settings, ["copy", str(settings.mapping), *_only(phase, asked=asked), *answers], json_file=json_file
    )[0]


def verify_phase(
    settings: Settings,
    connection: psycopg.Connection,
    standing: Standing,
    html: Path | None = None,
    json_file: Path | None = None,
) -> int:
    """Verify what a phase did last, all layers, every document; return the exit code.

    Args:
        settings: Where.
        connection: To the target.
        standing: The phase.
        html: Where the report goes as a page; a rewrite has none.
        json_file: Where the result goes.

    Raises:
        ConfigError: The phase is not complete, or another one was run since.
        GovernError: It is retired (code `phase-retired`).
    """
    settings.need_source()
    number = standing.phase.number
    if standing.retired:
        raise GovernError(
            f"Phase {number} is {standing.word}: its documents are not all in MongoDB any more.",
            code="phase-retired",
            hint="It was verified before its collections were dropped; isthmus status tells of that.",
        )
    if standing.run is None or standing.finished_at is None:
        raise ConfigError(
            f"Phase {number} is not complete, so there is nothing to verify.",
            code="not-run",
            hint=f"python -m apps.panamia.phase run {number}",
        )
    if standing.phase.kind == "rewrite":
        return _check_rewrite(settings, connection, standing, json_file)
    last = connection.execute("SELECT max(id) FROM isthmus.run").fetchone()
    if last is not None and last[0] != standing.run:
        raise ConfigError(
            f"Run {standing.run} of phase {number} is not the last one: run {last[0]} came after it.",
            code="not-last",
            hint=f"Copy it again, which changes nothing that is right: python -m apps.panamia.phase run {number}",
        )
    page = ["--html", str(html)] if html is not None else []
    return isthmus(settings, ["verify", str(settings.mapping), "--sample", "all", *page], json_file=json_file)[0]


def _check_rewrite(
    settings: Settings, connection: psycopg.Connection, standing: Standing, json_file: Path | None
) -> int:
    """See that nothing is left to be rewritten: by another look at every document, which writes nothing."""
    code, said = isthmus(settings, _rewrite(settings, standing.phase), json_file=json_file)
    if said.get("outcome") != "complete":
        return code or 1
    left = _count(said, "would_change")
    connection.execute(
        "INSERT INTO panamia_move.rewrite_check (rewrite_id, outcome, would_change) VALUES (%s, %s, %s)",
        (standing.run, "failed" if left else "passed", left),
    )
    connection.commit()
    return 1 if left else 0


def undo_phase(
    settings: Settings,
    connection: psycopg.Connection,
    standing: Standing,
    *,
    live: bool = False,
    json_file: Path | None = None,
) -> int:
    """Take back what a phase did last; return the exit code of Isthmus.

    Args:
        settings: Where.
        connection: To the target.
        standing: The phase; `why_not_undo` says nothing against it.
        live: Whether anything is changed; else it is only said what would be.
        json_file: Where the result goes.
    """
    phase, how = standing.phase, ["--live"] if live else []
    if phase.kind == "copy":
        return isthmus(settings, ["undo", str(settings.mapping), *_only(phase, asked=True), *how], json_file=json_file)[
            0
        ]
    settings.need_source()
    code, said = isthmus(settings, [*_rewrite(settings, phase), "--undo", *how], json_file=json_file)
    if live and said.get("outcome") == "complete" and not _count(said, "moved", "cannot"):
        connection.execute(
            "INSERT INTO panamia_move.undone_rewrite (rewrite_id, undone_by) VALUES (%s, %s)",
            (standing.run, getpass.getuser()),
        )
        connection.commit()
    return code


def _count(said: Mapping[str, Any], *outcomes: str) -> int:
    """Return how many values of a rewrite came to some outcomes, of the JSON that it writes."""
    places = [place for collection in said["collections"].values() for place in collection["places"].values()]
    found = [place.get(outcome, 0) for place in places for outcome in outcomes]
    return sum(sum(count.values()) if isinstance(count, dict) else int(count) for count in found)  # pyright: ignore[reportUnknownArgumentType,reportUnknownMemberType]


def _rewrite(settings: Settings, phase: Phase) -> list[str]:
    return ["refs", "rewrite", str(settings.mapping), *(part for one in phase.entries for part in ("--to", one))]


def _only(phase: Phase, *, asked: bool) -> list[str]:
    entries = (*phase.entries, *(phase.asked if asked else ()))
    return [part for entry in entries for part in ("--only", entry)]
