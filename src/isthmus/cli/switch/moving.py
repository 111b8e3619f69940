"""What `run` and `back` share: open both servers, move the collection, say what came of it."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from pymongo.client_session import ClientSession

    from isthmus.connect.mongo import MongoServer
    from isthmus.polyglot.switch.carrier import Carrier, Home
    from isthmus.polyglot.switch.ledger import Ledger
    from isthmus.polyglot.switch.run import Done


@dataclass(frozen=True)
class Asked:
    """What a command was given.

    Attributes:
        collection: Which.
        source: SOURCE.
        target: TARGET.
        db: The database of SOURCE, where the address names none.
        table: The table of documents.
        mapping: Or the mapping.
        by: Who says so.
        wait_seconds: How long writers and the outbox are waited for.
        replaced: Whether what was made anew is taken for what was there before.
        json_file: Where the result goes.
        resolutions: The file of answers to the mapping's identities; None: the one beside the mapping.
        id_key: The file of the id key, for a first copy with a mapping.
        fenced: Whether a fence is raised.
    """

    collection: str
    source: str
    target: str
    db: str | None
    table: str | None
    mapping: Path | None
    by: str | None
    wait_seconds: float
    replaced: bool
    json_file: str | None
    resolutions: Path | None = None
    id_key: Path | None = None
    fenced: bool = True


def move(asked: Asked, goal: Home) -> int:
    """Move a collection; return the exit code.

    Raises:
        IsthmusError: It was not switched.
    """
    from isthmus.cli.findings import writing_refusals
    from isthmus.cli.interrupt import STOPPED, stop_on_signals
    from isthmus.cli.output import err, result_console, write_json
    from isthmus.cli.running_server import database_of, refuse_no_server
    from isthmus.cli.switch.options import refuse_unknown, telling_trouble
    from isthmus.connect.mongo import open_server
    from isthmus.connect.target import open_target
    from isthmus.polyglot.switch.fence import Fence
    from isthmus.polyglot.switch.late import Late
    from isthmus.polyglot.switch.ledger import held
    from isthmus.polyglot.switch.run import Mover, Settings
    from isthmus.polyglot.switch.session import causal, settle
    from isthmus.work.interrupted import Interrupted

    began = time.monotonic()
    _one_carrier(asked)
    with writing_refusals(asked.json_file, _refused_json), ExitStack() as stack:
        refuse_no_server(asked.source)
        address = stack.enter_context(open_target(asked.target))
        stop = stack.enter_context(stop_on_signals(err, "letting writers write again"))
        server = stack.enter_context(closing(open_server(asked.source, patience_seconds=5.0)))
        database = database_of(server, asked.db)
        stack.enter_context(telling_trouble("move the collection"))
        session = stack.enter_context(causal(server))

        def unknown(known: Sequence[str]) -> None:
            there = _collections(server, database) if goal == "postgres" else []
            refuse_unknown(asked.collection, known, there, database if goal == "postgres" else "")

        ledger = stack.enter_context(held(address.conninfo, asked.collection, unknown=unknown))
        carrier = _carrier(asked, server, database, address.conninfo, ledger, stop, session)
        err.print(
            f"{asked.collection}: {_way(goal, carrier.name, database, server.display)}.", markup=False, soft_wrap=True
        )
        mover = Mover(
            ledger,
            carrier,
            Fence(server, database, ledger, session, replaced=asked.replaced),
            Late(server, database, ledger, stop),
            lambda: settle(server, database, asked.collection, session),
            Settings(goal, asked.by, asked.wait_seconds, asked.fenced, asked.replaced),
            stop,
            lambda words: err.print(words, markup=False, soft_wrap=True),
        )
        try:
            done = mover.run()
        except Interrupted:
            write_json(
                {"outcome": "interrupted", "exit_code": STOPPED, "collection": asked.collection}, asked.json_file
            )
            return STOPPED
        _show(result_console(asked.json_file), asked.collection, goal, done)
        write_json(_as_json(asked.collection, goal, done, time.monotonic() - began), asked.json_file)
    return 0


def _one_carrier(asked: Asked) -> None:
    """Refuse a command that does not say what copies.

    Raises:
        ConfigError: Neither or both are given (code `switch-carrier`).
    """
    from isthmus.errors import ConfigError

    if (asked.table is None) == (asked.mapping is None):
        raise ConfigError(
            "Say either --table or --mapping.",
            code="switch-carrier",
            hint="--table TABLE for documents in one JSONB column; --mapping MAPPING for rows with columns.",
        )


def _carrier(
    asked: Asked,
    server: MongoServer,
    database: str,
    conninfo: str,
    ledger: Ledger,
    stop: threading.Event,
    session: ClientSession,
) -> Carrier:
    if asked.mapping is not None:
        from isthmus.cli.switch.mapped import opened_mapping
        from isthmus.sources.live.source import read_database

        source = read_database(server, database, behind=session)
        return opened_mapping(asked, asked.mapping, source, conninfo, ledger, stop)
    from isthmus.polyglot.switch.plain import PlainTable

    return PlainTable(server, database, conninfo, ledger, asked.table or "", stop, session)


def _collections(server: MongoServer, database: str) -> list[str]:
    return sorted(server.ask("list collections", server.client.get_database(database).list_collection_names))


def _way(goal: Home, carrier: str, database: str, server: str) -> str:
    mongodb = f"{database} at {server}"
    return f"from {mongodb} to {carrier}" if goal == "postgres" else f"from {carrier} back to {mongodb}"


def _show(console: Any, collection: str, goal: Home, done: Done) -> None:
    from isthmus.cli.output import plural, show_note

    place = "PostgreSQL" if goal == "postgres" else "MongoDB"
    if done.outcome == "there":
        console.print(f"{collection} lives in {place} already; nothing was done.", markup=False, soft_wrap=True)
        return
    console.print(f"{collection} lives in {place} now.", markup=False, soft_wrap=True)
    verified = plural(done.counts.get("verified", 0), "document")
    console.print(f"Frozen for {done.frozen_seconds:.1f} s; {verified} compared, none differs.", markup=False)
    if done.fence == "raised":
        console.print("MongoDB refuses writes of it from now on; isthmus switch back lifts that.", markup=False)
    for note in done.notes:
        show_note(console, note)


def _as_json(collection: str, goal: Home, done: Done, seconds: float) -> dict[str, Any]:
    return {
        "outcome": done.outcome,
        "exit_code": 0,
        "collection": collection,
        "home": goal,
        "generation": done.generation,
        "frozen_seconds": round(done.frozen_seconds, 3),
        "counts": done.counts,
        "fence": done.fence,
        "notes": done.notes,
        "seconds": round(seconds, 3),
    }


def _refused_json(fault: Any) -> dict[str, Any]:
    from isthmus.cli.findings import refused_json

    return refused_json(fault)
