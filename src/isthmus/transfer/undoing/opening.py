"""What an undo works on: tables looked at, and locked where rows go; and whatever else than rows stands against it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from isthmus import __version__
from isthmus.errors import Problem, TargetError, Where
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import build_schema
from isthmus.state.lease import Lease
from isthmus.state.live_things import as_carried
from isthmus.state.runs import Run, id_key
from isthmus.state.statements import statements
from isthmus.transfer.beginning.preflight import Finding, raise_findings
from isthmus.transfer.existing.preflight import read_existing
from isthmus.transfer.existing.saved_ddl import missing
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.existing.stage import stage_schema
from isthmus.transfer.existing.waiting_there import look_again
from isthmus.transfer.job import Job, Options
from isthmus.transfer.letters.source import LettersSource
from isthmus.transfer.locks import waiting_briefly
from isthmus.transfer.undoing.forgetting import last_run
from isthmus.transfer.undoing.referring import PACKAGE, check_keys, read_keys
from isthmus.transfer.undoing.result import UndoResult
from isthmus.transfer.undoing.scope import refuse_other_mapping
from isthmus.transfer.undoing.taking import Taking
from isthmus.work.progress import Progress
from isthmus.work.stages import reached

WHAT = "this undo"
_OF_DELIVERIES = {"keys-in-a-circle", "column-not-fed"}
"""What stands against bringing rows to tables that exist, and not against taking them away."""


@dataclass(frozen=True)
class Asked:
    """What the caller asked for; its attributes are explained at `undo_copy`."""

    mapping: Mapping
    mapping_text: str
    conninfo: str
    collections: list[str]
    live: bool
    leave_new_rows: bool
    options: Options
    progress: Progress
    stop: threading.Event
    result: UndoResult


def check_definitions(connection: psycopg.Connection) -> list[Finding]:
    """Report indexes and foreign keys that a copy had set aside when it died: they do not guard the rows now."""
    found = missing(connection)
    if not found:
        return []
    named = ", ".join(one.label for one in found[:3])
    problem = Problem(
        "definitions-missing",
        f"{len(found)} indexes and foreign keys that a copy had set aside are not back yet: {named}.",
        hint="isthmus status puts them back; or go on with that copy. Then run the same undo again.",
    )
    return [Finding(problem, TargetError)]


def open_taking(asked: Asked, lease: Lease, connection: psycopg.Connection, known: Run | None) -> Taking:
    """Read the tables, lock those that are written to, and list what waits in them.

    Raises:
        IsthmusError: Something else than rows stands against it.
    """
    mapping = as_carried(connection, asked.mapping)
    loaded = as_loaded(mapping)
    schema = build_schema(loaded)
    refuse_other_mapping(last_run(connection, schema.schema, asked.collections), mapping, asked.mapping_text)
    existing, findings = read_existing(connection, schema)
    raise_findings([one for one in findings if one.problem.code not in _OF_DELIVERIES], WHAT)
    run = known if known is not None else _no_run(mapping, asked.mapping_text, schema.schema)
    job = Job(
        mapping,
        stage_schema(schema, existing),
        compile_plans(loaded),
        LettersSource(run),
        asked.conninfo,
        lease,
        run,
        id_key(connection, create=False),
        asked.options,
        asked.progress,
        asked.stop,
        existing=existing,
    )
    taking = Taking(Sides(job, connection, existing), asked.collections, asked.result)
    oids = [fed.there.oid for fed in taking.tables]
    keys = read_keys(connection, oids)
    raise_findings([*check_keys(keys), *_check_triggers(connection, oids)], WHAT)
    if asked.live:
        _lock(asked, taking)
    look_again(taking.sides)
    return taking


def _no_run(mapping: Mapping, text: str, schema: str) -> Run:
    """Stand for a run where all are forgotten; rows that others deleted may still be known."""
    now = datetime.now(UTC)
    return Run(0, mapping.fingerprint, text, {}, "", schema, {}, now, "complete", now, None, "", __version__)


def _check_triggers(connection: psycopg.Connection, oids: list[int]) -> list[Finding]:
    rows = connection.execute(statements("undo", PACKAGE)["delete_triggers"], {"oids": oids}).fetchall()
    return [
        Finding(
            Problem(
                "delete-triggers",
                f"{schema}.{table} has triggers that fire when rows are deleted: {', '.join(names)}. What they do to"
                " other rows is not known.",
                Where(table=str(table)),
                "Disable them for the undo if they should not fire (ALTER TABLE … DISABLE TRIGGER …).",
            ),
            TargetError,
        )
        for schema, table, names in rows
    ]


def _lock(asked: Asked, taking: Taking) -> None:
    """Keep others from writing to all tables of the mapping, and from referring anew to rows that may go.

    Who refers to a row by a foreign key takes a lock of its table, which EXCLUSIVE stands against; readers go on.
    """
    sides = taking.sides
    losing = [fed.name for fed in taking.tables]
    others = [name for name in sides.existing.tables if name not in losing]
    oids = [fed.there.oid for fed in sides.existing.tables.values()]
    asked.progress.stage("Waiting for the tables")
    with waiting_briefly(sides.connection, oids, seconds=asked.options.retry_seconds, readers=True):
        for names, lock in (
            (losing, sql.SQL("LOCK TABLE ONLY {} IN EXCLUSIVE MODE")),
            (others, sql.SQL("LOCK TABLE ONLY {} IN SHARE ROW EXCLUSIVE MODE")),
        ):
            if names:
                sides.do(lock.format(sql.SQL(", ").join(sides.real(name) for name in names)))
    reached("undo.locked")
