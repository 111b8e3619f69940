"""`phase retire`: says what would go, asks for the typed words, and tells what was done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from isthmus.cli.result_files import refusal_to_write
from isthmus.connect.mongo import MongoServer, open_server
from isthmus.errors import ConfigError, GovernError
from isthmus.mapping import Mapping as MappingModel
from isthmus.polyglot.named_in_code import look_through
from isthmus.work.amounts import plural

from .doing import isthmus
from .exporting import Export
from .phases import Phase, Standing
from .retirements import be_alone
from .retiring import Ground, Plan, phrase, plan, retire
from .settings import Settings

RETIRE = (
    "A dry run unless --live is given. The phase must be done, its collections exactly as they were when it was"
    " verified, and no reference in a collection that is still read from MongoDB may lead to their documents."
    " Live, each collection is exported, the export is read again and held against the server, and then it is"
    " dropped, which cannot be undone. Exit codes: 0 done, or could be, or is done already; 1 the dry run found"
    " what stands in the way; 2 no export, or it cannot be written, or the words were not typed; 3 MongoDB;"
    " 4 PostgreSQL; 5 something stands in the way, or somebody wrote meanwhile."
)
_SHOWN = 40


def add_retire(parser: argparse.ArgumentParser) -> None:
    """Add the options of `retire`."""
    parser.add_argument("--live", action="store_true", help="do it; without this it is only said what would be done")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="where the exports go; needed with --live")
    parser.add_argument("--confirm", metavar="WORDS", help='"retire N of DATABASE", instead of typing it')
    parser.add_argument(
        "--code", type=Path, action="append", default=[], metavar="FOLDER", help="code to look through for MongoDB"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found and done as JSON")


def retire_phase(
    said: argparse.Namespace,
    settings: Settings,
    connection: psycopg.Connection,
    mapping: MappingModel,
    standings: Mapping[int, Standing],
    phase: Phase,
) -> int:
    """Retire a phase, or say what would be done; return the exit code.

    Raises:
        ConfigError: What it needs is not given, or an export cannot be made.
        GovernError: Something stands in the way, or somebody wrote meanwhile.
        SourceError, TargetError: One of the databases is in trouble.
    """
    if phase.kind == "rewrite":
        print(f"Phase {phase.number} ({phase.name}) has nothing to retire: it changes documents of the others.")
        return 0
    address = settings.need_source()
    if not address.startswith("mongodb"):
        raise ConfigError(
            "A dump has no collections that could be dropped.", code="source-not-live", hint="Name the server."
        )
    standing = standings[phase.number]
    if standing.is_retired:
        print(f"Phase {phase.number} ({phase.name}) is retired already: {', '.join(standing.collections)}.")
        return 0
    refusal = refusal_to_write(said.json) if said.json is not None else None
    if refusal is not None:
        raise ConfigError(refusal, code="output-lost", hint="Name another file with --json.")
    if said.live and said.export is None:
        raise ConfigError(
            "Nothing is dropped without an export.", code="no-export", hint="Name a folder for it: --export FOLDER."
        )
    with closing(open_server(address)) as server:
        ground = Ground(server, _database(server), connection, mapping, standings)
        if said.live:
            _refuse_other_words(said.confirm, phrase(phase, ground.database))
        if said.live:
            be_alone(connection)
            connection.commit()

        def look() -> Plan:
            return plan(ground, phase, _decommission(settings))

        made = look()
        _show(made)
        exports: dict[str, Export] = {}
        outcome = "in-the-way" if made.in_the_way else "clear"
        if said.live:
            _refuse(made)
            _ask(said.confirm, phrase(phase, ground.database))
            exports = retire(ground, made, said.export, look, _say)
            outcome = "retired"
            print(f"Phase {phase.number} ({phase.name}) is retired; its documents are in {said.export}.")
    code = _code(said.code, standing)
    _show_code(code)
    if said.json is not None:
        said.json.write_text(json.dumps(_as_json(made, exports, outcome, code), indent=2) + "\n", encoding="utf-8")
    return 1 if outcome == "in-the-way" else 0


def _database(server: MongoServer) -> str:
    if server.database is None:
        raise ConfigError(
            "The source names no database.", code="bad-source", hint="Give mongodb://HOST/DATABASE as the source."
        )
    return server.database


def _decommission(settings: Settings) -> dict[str, Any]:
    """Ask what still needs MongoDB; what was written lately is not asked, for documents are compared."""
    _, found = isthmus(settings, ["status", str(settings.mapping), "--decommission", "--minutes", "1"], quiet=True)
    if "checks" not in found:
        raise ConfigError(
            "What still needs MongoDB could not be found out.",
            code="not-known",
            hint="isthmus status --decommission says why, above.",
        )
    return found


def _show(made: Plan) -> None:
    name = f"phase {made.phase.number} ({made.phase.name}) of {made.database}"
    if made.going:
        print(f"Retiring {name} drops:")
        for collection, documents in made.going.items():
            behind = "  (left behind on purpose)" if collection in made.phase.left else ""
            print(f"  {collection:<32}{documents:>12,} documents{behind}")
    if made.gone:
        print(f"  gone already: {', '.join(made.gone)}")
    for one in made.live:
        if one.known:
            print(f"  {one.place}: {one.known:,} references lead there, and were acknowledged.")
    if made.in_the_way:
        print(f"In the way of retiring {name}:")
        for why in made.in_the_way:
            print(f"  • {why}")
    elif made.going:
        print("Nothing stands in the way.")


def _code(folders: list[Path], standing: Standing) -> list[str] | None:
    """Return the lines that still name MongoDB or a collection of the phase, by file and line; None: nobody asked."""
    if not folders:
        return None
    found = look_through(folders, standing.collections)
    named = [f"{one.file}:{one.line}: {', '.join(one.names)}" for one in found.named]
    return [*named, *(f"not looked at: {why}" for why in found.unread)]


def _show_code(code: list[str] | None) -> None:
    if code is None:
        print("What code still names MongoDB or these collections is not known: --code FOLDER looks.")
        return
    print(f"{plural(len(code), 'line')} of code, settings and dependencies naming MongoDB or these collections:")
    for line in code[:_SHOWN]:
        print(f"  {line}")
    if len(code) > _SHOWN:
        print(f"  … and {len(code) - _SHOWN:,} more: --json has them")


def _refuse(made: Plan) -> None:
    if made.in_the_way:
        raise GovernError(
            f"Phase {made.phase.number} cannot be retired: {made.in_the_way[0]}",
            code="not-retirable",
            hint="Everything that stands in the way is listed above; nothing was dropped.",
        )


def _refuse_other_words(confirm: str | None, wanted: str) -> None:
    """Refuse at once what will not be confirmed: other words, or nobody who could type them."""
    if confirm != wanted and (confirm is not None or not sys.stdin.isatty()):
        raise ConfigError(
            "It was not confirmed, so nothing was done.",
            code="not-confirmed",
            hint=f'Type it at a terminal, or give --confirm "{wanted}".',
        )


def _ask(confirm: str | None, wanted: str) -> None:
    """Let a person type what is about to be done, who has seen what goes."""
    if confirm is None:
        print(f"What is dropped cannot be undone. Type  {wanted}  to go on: ", end="", file=sys.stderr, flush=True)
        _refuse_other_words(sys.stdin.readline().strip(), wanted)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _as_json(made: Plan, exports: Mapping[str, Export], outcome: str, code: list[str] | None) -> dict[str, Any]:
    return {
        "phase": made.phase.number,
        "name": made.phase.name,
        "database": made.database,
        "outcome": outcome,
        "going": made.going,
        "gone": made.gone,
        "in_the_way": made.in_the_way,
        "references": [{"place": one.place, "live": one.count, "acknowledged": one.known} for one in made.live],
        "exports": {
            name: {
                "file": str(one.file),
                "sha256": one.sha256,
                "documents": one.contents.documents,
                "bytes": one.contents.size_bytes,
            }
            for name, one in exports.items()
        },
        "code": code,
    }
