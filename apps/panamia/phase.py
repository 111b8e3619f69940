"""Move Pana MIA to PostgreSQL, phase by phase.

    python -m apps.panamia.phase status
    python -m apps.panamia.phase run 1
    python -m apps.panamia.phase verify 1
    python -m apps.panamia.phase items 1
    python -m apps.panamia.phase acknowledge 1 KEY --reason "why it may stay"
    python -m apps.panamia.phase undo 1 --live
    python -m apps.panamia.phase retire 3 --live --export FOLDER

The addresses are those of MONGODB_URI and POSTGRES_DIRECT_URL (or DATABASE_URL). --source, --target, --mapping and
--resolutions stand before the command. A phase is refused while the one before it is not done: complete, verified
since, and each of its dead letters and conflicts gone or acknowledged.
"""

from __future__ import annotations

if __name__ == "__main__":
    from isthmus.cli.early import leave_on_signals

    leave_on_signals()

import argparse
import contextlib
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from isthmus.cli.ending import show_end, to_its_end
from isthmus.cli.findings import failed_json, writing_refusals
from isthmus.cli.output import err, out, show_note, write_json
from isthmus.cli.result_files import refusal_to_write
from isthmus.cli.target import telling_trouble
from isthmus.connect.postgres import connect
from isthmus.connect.target import open_target
from isthmus.errors import ConfigError, GovernError, TargetError
from isthmus.mapping import Mapping, load_mapping

from .moving.beginning import begin, nothing_begun
from .moving.doing import run_phase, undo_phase, verify_phase
from .moving.items_command import (
    ACKNOWLEDGE,
    ITEMS,
    acknowledge_items,
    add_acknowledge,
    add_items,
    list_items,
)
from .moving.leading import leads
from .moving.phases import PHASES, Phase, Standing, phase, why_not_run, why_not_undo
from .moving.retire_command import RETIRE, add_retire, retire_phase
from .moving.settings import Settings, read_settings
from .moving.showing import COMMAND, show_standings, standings_json
from .moving.since_retired import seen_now
from .moving.standing import read_standings

_SCHEMAS = ("isthmus", "panamia_move", "public")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code. No error passes."""
    try:
        with nothing_begun():
            return _answer(_parser().parse_args(arguments))
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001  nothing leaves as a bare traceback
        return show_end(fault)


def _answer(said: argparse.Namespace) -> int:
    path: Path | None = getattr(said, "json", None)
    json_file = str(path) if path is not None else None
    refusal = refusal_to_write(path) if path is not None and json_file != "-" else None
    if refusal is not None:
        raise ConfigError(refusal, code="output-lost", hint="Name another file with --json.")
    with writing_refusals(json_file, failed_json):
        settings = read_settings(said.source, said.target, said.mapping, said.resolutions)
        with (
            open_target(settings.target) as target,
            connect(target.conninfo) as connection,
            telling_trouble(target.conninfo, _SCHEMAS, values=False),
            _telling_that_tables_are_missing(),
        ):
            return said.do(said, settings, connection)


@contextlib.contextmanager
def _telling_that_tables_are_missing() -> Generator[None]:
    try:
        yield
    except psycopg.errors.UndefinedTable:
        raise TargetError(
            "The target lacks tables that the phases are written down in.",
            code="not-deployed",
            hint="Apply the migrations first: cd apps/panamia && isthmus schema deploy",
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        allow_abbrev=False,
        prog=COMMAND,
        description="Move Pana MIA to PostgreSQL, phase by phase.",
        epilog="Exit codes: those of isthmus; 5 where a phase is refused. See COMMAND --help for each.",
    )
    parser.add_argument(
        "--source", help="MongoDB database or dump; default: MONGODB_URI, or what the file MONGODB_URI_FILE holds"
    )
    parser.add_argument(
        "--target",
        help="PostgreSQL database, also embedded:DIR; default: POSTGRES_DIRECT_URL or DATABASE_URL(_FILE)",
    )
    parser.add_argument("--mapping", type=Path, help="default: mapping.yaml beside this module")
    parser.add_argument("--resolutions", type=Path, help="answers about identities; default: resolutions.yaml there")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    status = commands.add_parser(
        "status",
        help="how every phase stands, and what comes next",
        description="How every phase stands, and what comes next; which retired collections a server has again. The"
        " JSON: phases, next, retirable. Exit codes: 0; 2 settings; 4 PostgreSQL.",
        allow_abbrev=False,
    )
    status.add_argument(
        "--json", type=Path, nargs="?", const=Path("-"), metavar="FILE", help="write it as JSON to FILE, else print it"
    )
    status.set_defaults(do=_status)
    run = _command(commands, "run", "carry a phase, the first or a later time", _run)
    _json(run)
    run.add_argument(
        "--with-sessions", action="store_true", help="of phase 1: sign-ins too that hold and whose user is known"
    )
    run.add_argument("--dry-run", action="store_true", help="of phase 2: only say what would be changed")
    verify = _command(commands, "verify", "prove what a phase carried: all layers, every document", _verify)
    _json(verify)
    verify.add_argument("--html", type=Path, help="write the report as a page too")
    items = _command(commands, "items", "list what a person must have looked at", _items, ITEMS)
    _json(items, "write the items as JSON to FILE, or - to print them")
    add_items(items)
    known = _command(
        commands, "acknowledge", "say that items were looked at and may stay as they are", _acknowledge, ACKNOWLEDGE
    )
    _json(known, "write what was acknowledged as JSON to FILE, or - to print it")
    add_acknowledge(known)
    undo = _command(
        commands,
        "undo",
        "take back what a phase did, as long as no later one was run",
        _undo,
        "Rows that somebody wrote to or added since stand in the way, and are listed (exit 1); none is dropped. Of"
        " phase 2 the old ids are put back into the documents. What was acknowledged is withdrawn when it is run again."
        " Exit codes: 0 done, or could be; 1 something stands in the way; 5 refused.",
    )
    _json(undo)
    undo.add_argument("--live", action="store_true", help="do it; without this it is only said what would be done")
    undo.add_argument(
        "--leave-new-rows",
        action="store_true",
        help="of a copy: rows that others added since stay where they are, if they refer to none that would go",
    )
    undo.add_argument(
        "--leave-ids",
        action="store_true",
        help="of phase 2: ids of other rows, which others have put in the place of the one that was written, stay",
    )
    retire = _command(
        commands,
        "retire",
        "drop the MongoDB collections of a phase that is done",
        _retire,
        RETIRE,
    )
    add_retire(retire)
    return parser


def _json(
    parser: argparse.ArgumentParser, what: str = "write what Isthmus says as JSON to FILE, or - to print it"
) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help=what)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    name: str,
    meaning: str,
    do: Callable[[argparse.Namespace, Settings, psycopg.Connection], int],
    more: str = "",
) -> argparse.ArgumentParser:
    description = f"{meaning[:1].upper()}{meaning[1:]}. {more}".strip()
    parser = commands.add_parser(name, help=meaning, description=description, allow_abbrev=False)
    numbers = ", ".join(f"{one.number} {one.name}" for one in PHASES)
    parser.add_argument("number", type=int, metavar="N", help=numbers)
    parser.set_defaults(do=do)
    return parser


def _standings(settings: Settings, connection: psycopg.Connection) -> tuple[Mapping, dict[int, Standing]]:
    mapping, live = load_mapping(settings.mapping), settings.source is None or settings.source.startswith("mongodb")
    return mapping, read_standings(connection, mapping, live=live)


def _standing(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> Standing:
    number = _phase(said.number).number
    return _standings(settings, connection)[1][number]


def _phase(number: int) -> Phase:
    found = phase(number)
    if found is None:
        numbers = ", ".join(f"{one.number} ({one.name})" for one in PHASES)
        raise ConfigError(f"There is no phase {number}.", code="unknown-phase", hint=f"There are {numbers}.")
    return found


def _status(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    mapping, standings = _standings(settings, connection)
    standings = seen_now(standings, settings.source, connection, mapping, lambda text: show_note(err, text))
    if said.json is not None:
        write_json(standings_json(standings), str(said.json))
    if str(said.json) != "-":
        show_standings(out, standings)
    return 0


def _run(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    number, (_, standings) = _phase(said.number).number, _standings(settings, connection)
    if said.with_sessions and not standings[number].phase.asked:
        raise ConfigError(f"Phase {number} carries no sessions.", code="no-sessions", hint="They go with phase 1.")
    if said.dry_run and standings[number].phase.kind == "copy":
        hint = "Without --dry-run it is carried; isthmus check says beforehand whether it can be."
        raise ConfigError(f"Phase {number} is a copy, which has no dry run.", code="no-dry-run", hint=hint)
    _refuse_dumps(standings[number])
    why = why_not_run(number, standings)
    if why is not None:
        code = "phase-retired" if standings[number].retired else "phase-before"
        raise GovernError(why, code=code, hint=f"{COMMAND} status says how each stands.")
    connection.rollback()
    live, asked = not said.dry_run, said.with_sessions or standings[number].carries_asked
    if asked and not said.with_sessions:
        show_note(err, f"Sign-ins are carried too, as they were before; {COMMAND} undo {number} ends that.")
    begin()
    return run_phase(settings, connection, standings[number], live=live, asked=asked, json_file=said.json)


def _verify(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    standing = _standing(said, settings, connection)
    _refuse_dumps(standing)
    connection.rollback()
    begin()
    return verify_phase(settings, connection, standing, said.html, said.json)


def _refuse_dumps(standing: Standing) -> None:
    if not standing.needed:
        number = standing.phase.number
        raise ConfigError(
            f"Phase {number} changes the documents of a server; a dump stays as it is.",
            code="source-not-live",
            hint=f"Go on with run {number + 1}.",
        )


def _items(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    return list_items(_standing(said, settings, connection), everything=said.all, json_file=_json_file(said))


def _acknowledge(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    standing = _standing(said, settings, connection)
    _refuse_dumps(standing)
    how: dict[str, Any] = {"everything": said.all, "json_file": _json_file(said)}
    return acknowledge_items(connection, standing, said.keys, said.reason, **how)


def _json_file(said: argparse.Namespace) -> str | None:
    return str(said.json) if said.json is not None else None


def _undo(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    number, (mapping, standings) = _phase(said.number).number, _standings(settings, connection)
    why = why_not_undo(number, standings, leads(mapping))
    if why is not None:
        raise GovernError(why, code="no-undo", hint=f"{COMMAND} status says how each stands.")
    if said.leave_new_rows and standings[number].phase.kind != "copy":
        raise ConfigError(
            f"Phase {number} brings no rows.", code="no-new-rows", hint="It is undone without --leave-new-rows."
        )
    if said.leave_ids and standings[number].phase.kind != "rewrite":
        raise ConfigError(
            f"Phase {number} writes no ids into documents.", code="no-ids", hint="It is undone without --leave-ids."
        )
    connection.rollback()
    begin()
    may_stay = {"leave_new_rows": said.leave_new_rows, "leave_ids": said.leave_ids}
    return undo_phase(settings, connection, standings[number], live=said.live, **may_stay, json_file=said.json)


def _retire(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    one, (mapping, standings) = _phase(said.number), _standings(settings, connection)
    connection.rollback()
    return retire_phase(said, settings, connection, mapping, standings, one)


if __name__ == "__main__":
    sys.exit(to_its_end(main))
