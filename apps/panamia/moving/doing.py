"""Running, verifying and undoing a phase, by the commands that Isthmus offers to everybody."""

from __future__ import annotations

import getpass
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from isthmus.errors import ConfigError, GovernError

from .acknowledged import withdraw_all
from .child import run_child
from .phases import Phase, Standing
from .settings import Settings
from .showing import COMMAND

_SHOWN = 10
_ENDED = {0, 1}
"""Exit codes of a command that came to its end."""


def isthmus(
    settings: Settings,
    arguments: Sequence[str],
    *,
    json_file: Path | None = None,
    quiet: bool = False,
    needed: bool = True,
) -> tuple[int, dict[str, Any]]:
    """Run a command of Isthmus on this terminal; return its exit code and its result.

    Args:
        settings: Its addresses, which go by the environment.
        arguments: The command; `--json` is added.
        json_file: Where the result goes as well; `-` for standard output.
        quiet: Show nothing of its result; errors and progress are shown all the same.
        needed: Whether its result is needed here; else an empty one is returned.
    """
    command, environment = [sys.executable, "-m", "isthmus", *arguments], settings.environment()
    if not needed:  # so that it speaks of no file that nobody named
        written = ["--json", str(json_file)] if json_file is not None else []
        return run_child([*command, *written], environment, quiet=quiet), {}
    with tempfile.TemporaryDirectory(prefix="panamia-") as folder:
        to_stdout = str(json_file) == "-"
        result = Path(folder, "result.json") if json_file is None or to_stdout else json_file
        code = run_child([*command, "--json", str(result)], environment, quiet=quiet or to_stdout)
        text = result.read_text(encoding="utf-8") if result.is_file() else ""
    if to_stdout:
        sys.stdout.write(text)
    said: dict[str, Any] = json.loads(text) if text else {}
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
        code, _ = isthmus(settings, [*_rewrite(settings, phase), *how], json_file=json_file, needed=False)
        if not live and code in _ENDED:
            _tell("it is done", f"run {phase.number}")
        elif code in _ENDED:
            _tell("it is verified, undone", f"verify {phase.number}", f"undo {phase.number} --live")
        return code
    answers = ["--resolutions", str(settings.resolutions)] if settings.resolutions.is_file() else []
    words = ["copy", str(settings.mapping), *_only(phase, asked=asked), *answers]
    code, _ = isthmus(settings, words, json_file=json_file, needed=False)
    if code in _ENDED:
        _tell(
            "it is verified, its dead letters and conflicts listed", f"verify {phase.number}", f"items {phase.number}"
        )
    return code


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
            hint=f"{COMMAND} run {number}",
        )
    if standing.phase.kind == "rewrite":
        return _check_rewrite(settings, connection, standing, json_file)
    last = connection.execute("SELECT max(id) FROM isthmus.run").fetchone()
    connection.rollback()  # no transaction is left open while it is verified, which may take hours
    if last is not None and last[0] != standing.run:
        raise ConfigError(
            f"Run {standing.run} of phase {number} is not the last one: run {last[0]} came after it.",
            code="not-last",
            hint=f"Copy it again, which changes nothing that is right: {COMMAND} run {number}",
        )
    page = ["--html", str(html)] if html is not None else []
    words = ["verify", str(settings.mapping), "--sample", "all", *page]
    return isthmus(settings, words, json_file=json_file, needed=False)[0]


def _check_rewrite(
    settings: Settings, connection: psycopg.Connection, standing: Standing, json_file: Path | None
) -> int:
    """See that nothing is left to be rewritten, or to be looked at, that the rewrite did not know.

    By another look at every document, which writes nothing. What the rewrite could not map is an item of the phase
    already, and must be acknowledged there; what it has not seen (documents that were written since) fails the check.
    """
    words = [*_rewrite(settings, standing.phase), "--limit", str(sys.maxsize)]
    code, said = isthmus(settings, words, json_file=json_file)
    if said.get("outcome") != "complete":
        return code or 1
    new = not_known(said["listed"], [item.key for item in standing.items])
    connection.execute(
        "INSERT INTO panamia_move.rewrite_check (rewrite_id, outcome, would_change) VALUES (%s, %s, %s)",
        (standing.run, "failed" if new else "passed", len(new)),
    )
    connection.commit()
    if not new:
        return 0
    print(f"{len(new):,} references are not as the rewrite left them, or are new:", file=sys.stderr)
    for one in new[:_SHOWN]:
        print(f"  • {one}", file=sys.stderr)
    if new[_SHOWN:]:
        print(f"  … and {len(new) - _SHOWN:,} more", file=sys.stderr)
    _tell("what can be rewritten is, and the others become items", f"run {standing.phase.number}")
    return 1


def not_known(listed: Iterable[Mapping[str, Any]], items: Iterable[str]) -> list[str]:
    """Return what another look at documents tells that the rewrite did not: places, each with what it is. Pure.

    Args:
        listed: What would be changed or cannot be mapped, as `isthmus refs rewrite --json` lists it.
        items: Keys of the items of the phase: what it could not write, with the reason behind the place.
    """
    known = set(items)
    places = {place for place, _, reason in (key.rpartition("/") for key in known) if reason != "moved"}
    found: list[str] = []
    for one in listed:
        place, what = f"{one['collection']}/{one['id']}/{one['path']}", one["reason"] or one["outcome"]
        # an update that only the server refuses (a unique index) would be tried again
        if f"{place}/{what}" not in known and not (one["outcome"] == "would_change" and place in places):
            found.append(f"{place}/{what}")
    return found


def undo_phase(
    settings: Settings,
    connection: psycopg.Connection,
    standing: Standing,
    *,
    live: bool = False,
    leave_new_rows: bool = False,
    leave_ids: bool = False,
    json_file: Path | None = None,
) -> int:
    """Take back what a phase did last; return the exit code of Isthmus.

    Args:
        settings: Where.
        connection: To the target.
        standing: The phase; `why_not_undo` says nothing against it.
        live: Whether anything is changed; else it is only said what would be.
        leave_new_rows: Of a copy: whether rows that others added since may stay where they are.
        leave_ids: Of a rewrite: whether ids of other rows, which others have put in the place, may stay.
        json_file: Where the result goes.
    """
    phase, how = standing.phase, ["--live"] if live else []
    if phase.kind == "copy":
        left = ["--leave-new-rows"] if leave_new_rows else []
        words = ["undo", str(settings.mapping), *_only(phase, asked=True), *left, *how]
        return isthmus(settings, words, json_file=json_file, needed=False)[0]
    settings.need_source()
    left = ["--leave-ids"] if leave_ids else []
    code, said = isthmus(settings, [*_rewrite(settings, phase), "--undo", *left, *how], json_file=json_file)
    if live and said.get("outcome") == "complete" and not _count(said, "moved", "cannot"):
        connection.execute(
            "INSERT INTO panamia_move.undone_rewrite (rewrite_id, undone_by) VALUES (%s, %s)"
            " ON CONFLICT (rewrite_id) DO NOTHING",
            (standing.run, getpass.getuser()),
        )
        connection.commit()
    return code


def _tell(what: str, *commands: str) -> None:
    """Name the commands of the phases where Isthmus has named its own."""
    print(f"→ Here {what} by: " + ", ".join(f"{COMMAND} {one}" for one in commands), file=sys.stderr)


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
