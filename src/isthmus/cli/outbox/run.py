"""`isthmus outbox run`: apply to MongoDB what applications wrote down for it."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated

import typer

from isthmus.cli.options import DatabaseOption, JsonOption
from isthmus.cli.outbox.options import TargetOption
from isthmus.cli.running_server import database_of, refuse_no_server

if TYPE_CHECKING:
    import threading

    from isthmus.connect.mongo import MongoServer

_DAY_SECONDS = 86_400.0


def run(
    source: Annotated[
        str,
        typer.Option(
            "--source",
            "-s",
            envvar="MONGODB_URI",
            metavar="SOURCE",
            help="The running server that events are applied to: mongodb://HOST/DATABASE or mongodb+srv://…."
            " MONGODB_URI_FILE may name a file that holds the address.",
            show_default=False,
        ),
    ],
    target: TargetOption,
    db: DatabaseOption = None,
    drain: Annotated[
        bool, typer.Option("--drain", help="End when nothing is left that can be applied; for tests and deployments.")
    ] = False,
    attempts: Annotated[
        int, typer.Option("--attempts", min=1, max=1000, metavar="N", help="Refusals after which an event is parked.")
    ] = 8,
    wait_seconds: Annotated[
        float,
        typer.Option(
            "--wait-seconds", min=0.01, metavar="SECONDS", help="Wait behind the first refusal; each doubles it."
        ),
    ] = 1.0,
    poll_seconds: Annotated[
        float | None,
        typer.Option(
            "--poll-seconds",
            min=0.05,
            metavar="SECONDS",
            help="How often to look without being told of anything; through a pooler, that is always.",
            show_default="5, through a pooler 1",
        ),
    ] = None,
    keep_days: Annotated[
        float, typer.Option("--keep-days", min=0, metavar="DAYS", help="How long applied events are kept.")
    ] = 7.0,
    grace_seconds: Annotated[
        float,
        typer.Option(
            "--grace-seconds",
            min=0,
            metavar="SECONDS",
            help="How late a write may arrive that a lost relay had sent: a delete is looked at once more after it.",
        ),
    ] = 60.0,
    json_file: JsonOption = None,
) -> int:
    """Apply to SOURCE what applications enqueued in TARGET: each event once, in order for each document.

    Runs until it is stopped (Ctrl-C, SIGTERM, SIGHUP), and finishes the event in hand then. Several may run at once.
    With a direct address of TARGET it hears of new events at once; through a pooler in transaction mode it looks for
    them. The first run makes the tables of the outbox, for which it needs the direct address.

    A server that is away is waited for as long as it takes, and no event suffers from it. An event that MongoDB refuses
    is tried again, later each time, then parked, with the later events of its document; other documents go on. isthmus
    outbox status shows these, retry and skip answer them.

    The JSON, when it ends: outcome (stopped, drained), exit_code, applied, refused (attempts), parked (events that it
    parked), cleaned (old events that it forgot), listening, seconds.

    Exit codes: 0 it was stopped, or nothing is left; 1 nothing is left but what is parked; 2 usage; 3 SOURCE
    refuses the login or is too old, with --drain also that it does not answer; 4 TARGET; 130 stopped before all was
    drained.
    """
    import time

    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import STOPPED, stop_on_signals, tidied_before_leaving
    from isthmus.cli.output import err, plural, result_console, write_json
    from isthmus.connect.target import open_target
    from isthmus.polyglot.outbox.apply import Applier
    from isthmus.polyglot.outbox.backoff import Patience
    from isthmus.polyglot.outbox.prepare import prepare
    from isthmus.polyglot.outbox.relay import Done, Relay, Settings

    began = time.monotonic()
    with writing_refusals(json_file, failed_json), ExitStack() as stack:
        address = stack.enter_context(open_target(target, create=drain))
        stack.enter_context(tidied_before_leaving(address.close))
        stop = stack.enter_context(stop_on_signals(err, "finishing the event in hand"))
        listening = prepare(address.conninfo)
        server = _open_server(source, stop, wait=not drain)
        done = Done()
        if server is not None:
            stack.enter_context(closing(server))
            database = database_of(server, db)
            how = "listening" if listening else "looking for events, as a pooler stands between"
            err.print(f"From {address.display} to {database} at {server.display}; {how}.", markup=False, soft_wrap=True)
            settings = Settings(
                patience=Patience(attempts, wait_seconds),
                poll_seconds=poll_seconds or (5.0 if listening else 1.0),
                keep_seconds=keep_days * _DAY_SECONDS,
                grace_seconds=grace_seconds,
                drain=drain,
            )
            direct = address.conninfo if listening else None
            done = Relay(address.conninfo, direct, Applier(server, database), settings, stop).run()
        code = 0 if not drain else STOPPED if not done.drained else 1 if _something_is_parked(address.conninfo) else 0
        words = f"{plural(done.applied, 'event')} applied, {done.parked:,} parked."
        result_console(json_file).print(words, markup=False)
        result = {
            "outcome": "drained" if done.drained else "stopped",
            "exit_code": code,
            "applied": done.applied,
            "refused": done.refused,
            "parked": done.parked,
            "cleaned": done.cleaned,
            "listening": listening,
            "seconds": round(time.monotonic() - began, 3),
        }
        write_json(result, json_file)
    return code


def _something_is_parked(conninfo: str) -> bool:
    from isthmus.polyglot.outbox import claims
    from isthmus.polyglot.outbox.sessions import open_session

    with open_session(conninfo) as connection:
        return claims.left(connection)[1]


def _open_server(source: str, stop: threading.Event, *, wait: bool) -> MongoServer | None:
    """Open SOURCE; with `wait`, one that does not answer is waited for. Returns None when the stop came first.

    Raises:
        ConfigError: It is no address of a server, or cannot be used (`bad-source`).
        SourceError: It refuses the login, or is too old; without `wait`, also that it does not answer.
    """
    import logging

    from isthmus.connect.mongo import open_server
    from isthmus.errors import SourceError

    refuse_no_server(source)
    told = False
    while not stop.is_set():
        try:
            return open_server(source, patience_seconds=5.0)
        except SourceError as fault:
            if not (wait and fault.retryable):
                raise
            if not told:
                logging.getLogger("isthmus").warning("%s Waiting for it.", fault.message)
            told = True
            stop.wait(1.0)
    return None
