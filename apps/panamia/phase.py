"""Move Pana MIA to PostgreSQL, phase by phase.

    python -m apps.panamia.phase status
    python -m apps.panamia.phase run 1
    python -m apps.panamia.phase verify 1
    python -m apps.panamia.phase items 1
    python -m apps.panamia.phase acknowledge 1 KEY --reason "why it may stay"
    python -m apps.panamia.phase undo 1 --live
    python -m apps.panamia.phase retire 3 --live --export FOLDER

The addresses are those of MONGODB_URI and POSTGRES_DIRECT_URL (or DATABASE_URL). A phase is refused while the one
before it is not done: complete, verified since, and each of its dead letters and conflicts gone or acknowledged.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import psycopg

from isthmus.connect.target import open_target
from isthmus.errors import ConfigError, GovernError, IsthmusError
from isthmus.mapping import Mapping, load_mapping

from .moving.acknowledged import acknowledge
from .moving.doing import run_phase, undo_phase, verify_phase
from .moving.leading import leads
from .moving.phases import PHASES, Phase, Standing, next_step, phase, why_not_run, why_not_undo
from .moving.retire_command import RETIRE, add_retire, retire_phase
from .moving.settings import Settings, read_settings
from .moving.standing import read_standings

_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    said = _parser().parse_args(arguments)
    try:
        settings = read_settings(said.source, said.target, said.mapping, said.resolutions)
        with open_target(settings.target) as target, psycopg.connect(target.conninfo) as connection:
            return said.do(said, settings, connection)
    except IsthmusError as error:
        print(f"error ({error.code}): {error}", file=sys.stderr)
        if error.hint:
            print(f"  → {error.hint}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on.", file=sys.stderr)
        return 130
    except psycopg.errors.UndefinedTable:
        print("error (not-deployed): The target lacks tables that the phases are written down in.", file=sys.stderr)
        print("  → Apply the migrations first: cd apps/panamia && isthmus schema deploy", file=sys.stderr)
        return 4
    except psycopg.Error as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        print(f"error (target): {words[0]}", file=sys.stderr)
        return 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m apps.panamia.phase",
        description="Move Pana MIA to PostgreSQL, phase by phase.",
        epilog="Exit codes: those of isthmus; 5 where a phase is refused. See COMMAND --help for each.",
    )
    parser.add_argument("--source", help="MongoDB database or dump; default: MONGODB_URI")
    parser.add_argument("--target", help="PostgreSQL database; default: POSTGRES_DIRECT_URL or DATABASE_URL")
    parser.add_argument("--mapping", type=Path, help="default: mapping.yaml beside this module")
    parser.add_argument("--resolutions", type=Path, help="answers about identities; default: resolutions.yaml there")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    status = commands.add_parser("status", help="how every phase stands, and what comes next")
    status.add_argument("--json", action="store_true", help="print it as JSON")
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
    items = _command(commands, "items", "list what a person must have looked at", _items)
    items.add_argument("--all", action="store_true", help="those that are acknowledged too")
    known = _command(commands, "acknowledge", "say that items were looked at and may stay as they are", _acknowledge)
    known.add_argument(
        "keys", nargs="*", metavar="KEY", help="as `items` lists them, or a part that one item alone has"
    )
    known.add_argument("--all", action="store_true", help="all that are open")
    known.add_argument("--reason", required=True, help="who decided, and why")
    undo = _command(
        commands,
        "undo",
        "take back what a phase did, as long as no later one was run",
        _undo,
        "Rows that somebody wrote to since stand in the way, and are listed (exit 1); none is dropped with them. Of"
        " phase 2 the old ids are put back into the documents. What was acknowledged is withdrawn when it is run again."
        " Exit codes: 0 done, or could be; 1 something stands in the way; 5 refused.",
    )
    _json(undo)
    undo.add_argument("--live", action="store_true", help="do it; without this it is only said what would be done")
    retire = _command(
        commands,
        "retire",
        "drop the MongoDB collections of a phase that is done",
        _retire,
        RETIRE,
    )
    add_retire(retire)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what Isthmus says as JSON to a file")


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    name: str,
    meaning: str,
    do: Callable[[argparse.Namespace, Settings, psycopg.Connection], int],
    more: str = "",
) -> argparse.ArgumentParser:
    description = f"{meaning[:1].upper()}{meaning[1:]}. {more}".strip()
    parser = commands.add_parser(name, help=meaning, description=description)
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
    _, standings = _standings(settings, connection)
    if said.json:
        shown = [
            {**asdict(one), "word": one.word, "open": len(one.open), "items": len(one.items)}
            for one in standings.values()
        ]
        print(json.dumps({"phases": shown, "next": next_step(standings)}, indent=2, default=str))
        return 0
    print(f"{'phase':<18}{'stands':<16}{'open':>6}{'known':>7}  {'complete':<18}authority then")
    for one in standings.values():
        when = one.finished_at.strftime("%Y-%m-%d %H:%M") if one.finished_at is not None else "–"
        known = len(one.items) - len(one.open)
        name = f"{one.phase.number} {one.phase.name}"
        print(f"{name:<18}{one.word:<16}{len(one.open):>6}{known:>7}  {when:<18}{one.phase.authority}")
    step = next_step(standings)
    print(f"\n→ next: python -m apps.panamia.phase {step}" if step else "\nAll phases are done.")
    return 0


def _run(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    number, (_, standings) = _phase(said.number).number, _standings(settings, connection)
    if said.with_sessions and not standings[number].phase.asked:
        raise ConfigError(f"Phase {number} carries no sessions.", code="no-sessions", hint="They go with phase 1.")
    if said.dry_run and standings[number].phase.kind == "copy":
        hint = "Without --dry-run it is carried; isthmus check says beforehand whether it can be."
        raise ConfigError(f"Phase {number} is a copy, which has no dry run.", code="no-dry-run", hint=hint)
    why = why_not_run(number, standings)
    if why is not None:
        code = "phase-retired" if standings[number].retired else "phase-before"
        raise GovernError(why, code=code, hint="python -m apps.panamia.phase status says how each stands.")
    connection.rollback()
    live, asked = not said.dry_run, said.with_sessions
    return run_phase(settings, connection, standings[number], live=live, asked=asked, json_file=said.json)


def _verify(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    standing = _standing(said, settings, connection)
    connection.rollback()
    return verify_phase(settings, connection, standing, said.html, said.json)


def _items(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    standing = _standing(said, settings, connection)
    shown = [item for item in standing.items if said.all or item.acknowledged is None]
    for item in shown:
        reason = f"  [{item.acknowledged}]" if item.acknowledged is not None else ""
        print(f"{item.kind:<10}{item.key}{reason}\n          {item.shown}")
    print(f"{len(shown):,} items, {len(standing.open):,} of them open", file=sys.stderr)
    return 1 if standing.open else 0


def _acknowledge(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    standing = _standing(said, settings, connection)
    found = acknowledge(connection, standing, said.keys, said.reason, everything=said.all)
    connection.commit()
    for item in found[:_SHOWN]:
        print(f"{item.kind:<10}{item.key}")
    print(f"{len(found):,} acknowledged", file=sys.stderr)
    return 0


def _undo(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    number, (mapping, standings) = _phase(said.number).number, _standings(settings, connection)
    why = why_not_undo(number, standings, leads(mapping))
    if why is not None:
        raise GovernError(why, code="no-undo", hint="python -m apps.panamia.phase status says how each stands.")
    connection.rollback()
    return undo_phase(settings, connection, standings[number], live=said.live, json_file=said.json)


def _retire(said: argparse.Namespace, settings: Settings, connection: psycopg.Connection) -> int:
    one, (mapping, standings) = _phase(said.number), _standings(settings, connection)
    connection.rollback()
    return retire_phase(said, settings, connection, mapping, standings, one)


if __name__ == "__main__":
    sys.exit(main())
