"""`phase retire`: says what would go, asks for the typed words, and tells what was done."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from isthmus.cli.output import write_json
from isthmus.connect.mongo import MongoServer, open_server
from isthmus.errors import ConfigError, GovernError
from isthmus.mapping import Mapping as MappingModel
from isthmus.state.runs import id_key

from .beginning import begin
from .doing import isthmus
from .exporting import Export
from .leaving_out import LeavingOut, names_secrets
from .phases import Phase, Standing
from .restored import take_restored
from .retire_plan import Ground, Plan, phrase, plan, refuse_other_source
from .retire_told import as_json, code_naming, early_json, on_secrets, show_code, show_plan
from .retirements import be_alone, read_retirements
from .retiring import note_found, retire
from .settings import Settings
from .showing import COMMAND
from .since_retired import going_on

_INTERRUPTED = 130

RETIRE = (
    "A dry run unless --live is given. The phase must be done, its collections exactly as they were when it was"
    " verified, and no reference in a collection that is still read from MongoDB may lead to their documents."
    " Live, each collection is exported, the export is read again and held against the server, and then it is"
    " dropped, which cannot be undone. Values of secret fields stand in no export, but keyed digests of them, unless"
    " --with-secrets is given: only an export with them can bring a collection back that the phase can go on with."
    " Exit codes: 0 done, or could be, or is done already; 1 the dry run found what stands in the way; 2 no export, or"
    " it cannot be written, or the words were not typed; 3 MongoDB; 4 PostgreSQL; 5 something stands in the way, or"
    " somebody wrote meanwhile, or a collection is there again, or the phase was carried from another database."
)


def add_retire(parser: argparse.ArgumentParser) -> None:
    """Add the options of `retire`."""
    parser.add_argument("--live", action="store_true", help="do it; without this it is only said what would be done")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="where the exports go; needed with --live")
    parser.add_argument(
        "--with-secrets", action="store_true", help="export tokens, password hashes and the like in clear text too"
    )
    parser.add_argument(
        "--restored",
        action="store_true",
        help="drop nothing: what was brought back whole from its export counts as not retired again",
    )
    parser.add_argument("--confirm", metavar="WORDS", help='"retire N of DATABASE", instead of typing it')
    parser.add_argument(
        "--code", type=Path, action="append", default=[], metavar="FOLDER", help="code to look through for MongoDB"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write what was found and done as JSON, or - to print it"
    )


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
    json_file = str(said.json) if said.json is not None else None
    with contextlib.redirect_stdout(sys.stderr) if json_file == "-" else contextlib.nullcontext():
        code, page = _answer(said, settings, connection, mapping, standings, phase)
    write_json({**page, "exit_code": code}, json_file)
    return code


def _answer(
    said: argparse.Namespace,
    settings: Settings,
    connection: psycopg.Connection,
    mapping: MappingModel,
    standings: Mapping[int, Standing],
    phase: Phase,
) -> tuple[int, dict[str, Any]]:
    """Do what `retire_phase` says; return the exit code, and what was found and done as JSON values."""
    if phase.kind == "rewrite":
        told = f"Phase {phase.number} ({phase.name}) has nothing to retire: it changes documents of the others."
        print(told)
        return 0, early_json(phase, None, "nothing-to-retire", [told], live=said.live)
    address = settings.need_source()
    if not address.startswith("mongodb"):
        raise ConfigError(
            "A dump has no collections that could be dropped.", code="source-not-live", hint="Name the server."
        )
    standing = standings[phase.number]
    _refuse_options(said)
    if not standing.is_retired:
        _refuse_no_export(said)
    with contextlib.closing(open_server(address)) as server:
        ground = _ground(said, server, connection, mapping, standings, phase)
        refuse_other_source(ground, phase)
        connection.rollback()
        if said.restored:
            return _restored(ground, phase, live=said.live)
        if said.live and not standing.is_retired:
            _refuse_other_words(said.confirm, phrase(phase, ground.database))
        if said.live:
            be_alone(connection)
            connection.commit()

        def look() -> Plan:
            asked = standing.run is not None and not standing.is_retired
            return plan(ground, phase, _decommission(settings) if asked else {})

        made = look()
        if standing.is_retired and not made.going and not made.in_the_way:
            told = f"Phase {phase.number} ({phase.name}) is retired already: {', '.join(standing.collections)}."
            print(told)
            return 0, early_json(phase, ground.database, "retired-already", [told], live=said.live)
        show_plan(made)
        exports: dict[str, Export] = {}
        outcome = "in-the-way" if made.in_the_way else "clear"
        if said.live:
            begin()
            note_found(ground, made)
            _refuse(made)
            _refuse_no_export(said)
            if any(names_secrets(mapping, name) for name in made.going):
                _say(on_secrets(ground.with_secrets))
            _refuse_other_words(said.confirm, phrase(phase, ground.database))
            _ask(said.confirm, phrase(phase, ground.database))
            exports = retire(ground, made, said.export, look, _say)
            outcome = "retired"
            print(f"Phase {phase.number} ({phase.name}) is retired; its documents are in {said.export}.")
        elif outcome == "clear":
            how = going_on(standing, read_retirements(connection), mapping)
            print(f"→ next: {COMMAND} retire {phase.number} {how}")
    code = code_naming(said.code, standing)
    show_code(code)
    return 1 if outcome == "in-the-way" else 0, as_json(made, exports, outcome, code)


def _refuse_options(said: argparse.Namespace) -> None:
    """Refuse what would be found to be wrong only when all is done."""
    for folder in said.code:
        if not folder.is_dir():
            why = "is no folder" if folder.exists() else "is not there"
            raise ConfigError(
                f"{folder}, which was to be looked through for MongoDB, {why}.",
                code="no-such-folder",
                hint="Name a folder of code with --code; nothing was done.",
            )


def _refuse_no_export(said: argparse.Namespace) -> None:
    if said.live and said.export is None and not said.restored:
        raise ConfigError(
            "Nothing is dropped without an export.", code="no-export", hint="Name a folder for it: --export FOLDER."
        )


def _ground(
    said: argparse.Namespace,
    server: MongoServer,
    connection: psycopg.Connection,
    mapping: MappingModel,
    standings: Mapping[int, Standing],
    phase: Phase,
) -> Ground:
    """Put together where a phase is retired; one that was never run has no key, and exports nothing."""
    key = id_key(connection, create=False) if standings[phase.number].run is not None else b""
    connection.rollback()
    leaving = LeavingOut(mapping, key)
    return Ground(server, _database(server), connection, mapping, standings, leaving, with_secrets=said.with_secrets)


def _restored(ground: Ground, phase: Phase, *, live: bool) -> tuple[int, dict[str, Any]]:
    told: list[str] = []

    def say(text: str) -> None:
        told.append(text)
        print(text)

    if live:
        be_alone(ground.connection)
        ground.connection.commit()
        begin()
    count = take_restored(ground, phase, say, live=live)
    if not count:
        say(f"No collection of phase {phase.number} ({phase.name}) that was retired is in MongoDB again.")
    elif live:
        say(f"Carry what is new, and prove it: run {phase.number}, verify {phase.number}.")
    else:
        say("Nothing was written; --live does it.")
    return 0, early_json(phase, ground.database, "restored" if count else "not-restored", told, live=live)


def _database(server: MongoServer) -> str:
    if server.database is None:
        raise ConfigError(
            "The source names no database.", code="bad-source", hint="Give mongodb://HOST/DATABASE as the source."
        )
    return server.database


def _decommission(settings: Settings) -> dict[str, Any]:
    """Ask what still needs MongoDB; what was written lately is not asked, for documents are compared."""
    asked = ["status", str(settings.mapping), "--decommission", "--minutes", "1"]
    code, found = isthmus(settings, asked, quiet=True)
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if "checks" not in found:
        raise ConfigError(
            "What still needs MongoDB could not be found out.",
            code="not-known",
            hint="isthmus status --decommission says why, above.",
        )
    return found


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
