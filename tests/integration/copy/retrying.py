"""Retry dead letters inside a test and hold what is left against the target itself.

Oracle of the books: they are changed step by step while letters are carried; here they are drawn anew from tables and
ledgers, which nobody else writes to, and must come to the same. Oracle of rows, ledgers and books together: a copy that
began with the corrected mapping (`as_copied_anew`); blind where several documents hold one unique value, of which a
copy keeps the one with the lowest `_id` and a retry the letter with the lowest number.
"""

from __future__ import annotations

import textwrap
import threading
from typing import Any

import psycopg
from psycopg import sql

from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import build_schema
from isthmus.state.checkpoints import read_partitions
from isthmus.state.lease import Lease
from isthmus.state.reports import books_so_far
from isthmus.state.runs import id_key, latest_run
from isthmus.transfer.balance import draw_balance
from isthmus.transfer.job import Job, Options
from isthmus.transfer.letters.result import Choice, RetryResult
from isthmus.transfer.letters.retry import retry_letters
from isthmus.transfer.letters.source import LettersSource
from isthmus.transfer.run import tell_run
from isthmus.work.progress import Progress
from tests.integration.copy.carrying import World


def retry(
    world: World, mapping: str, *, stop: threading.Event | None = None, seconds: float = 5, **choice: Any
) -> RetryResult:
    """Retry the letters of a target with a mapping (YAML) and assert that its books balance and are true."""
    text = textwrap.dedent(mapping)
    world.notes = []
    result = retry_letters(
        parse_mapping(text, file_name="mapping.yaml"),
        world.conninfo,
        mapping_text=text,
        choice=Choice(**choice),
        options=Options(retry_seconds=seconds),
        progress=Progress(on_note=world.notes.append),
        stop=stop,
    )
    if result.outcome == "complete" and result.run is not None:
        tell_run(world.conninfo, result.run)  # as the command does
    true_books(world, text)
    return result


def true_books(world: World, mapping: str) -> None:
    """Assert that the stored books of a complete run are those that tables and ledgers come to."""
    checked = parse_mapping(textwrap.dedent(mapping), file_name="mapping.yaml")
    with psycopg.connect(world.conninfo, autocommit=True) as connection:
        run = latest_run(connection)
        assert run is not None
        assert run.balance is not None
        job = Job(
            checked,
            build_schema(checked),
            compile_plans(checked),
            LettersSource(run),
            world.conninfo,
            Lease(world.conninfo),
            run,
            id_key(connection, create=False),
            Options(),
            Progress(),
        )
        drawn = draw_balance(job, connection, read_partitions(connection, run.id)).as_json()
        so_far = books_so_far(connection, run.id)
    assert drawn["differences"] == []
    for part in ("empty_columns", "left_out_rows"):  # need statistics; looked at when a retry ends
        drawn.pop(part)
        run.balance.pop(part)
    stored = run.balance
    for books in (drawn, stored):
        books["merged_pairs"] = {name: count for name, count in books["merged_pairs"].items() if count}
    assert stored == drawn
    for name, books in stored["collections"].items():
        keys = ("read", "copied", "merged", "kept", "skipped", "dead_letters")
        assert {key: so_far[name][key] for key in keys} == {key: books[key] for key in keys}


def as_copied_anew(world: World, mapping: str) -> None:
    """Assert that a target is what a copy comes to that begins with this mapping; leaves that copy behind."""
    retried = _left(world)
    world.copy(mapping, fresh=True)
    anew = _left(world)
    for name in {*retried, *anew}:
        assert retried[name] == anew[name], (name, retried[name], anew[name])


def _left(world: World) -> dict[str, object]:
    found: dict[str, object] = {"orphans": sorted(world.orphans(), key=repr)}
    found["letters"] = sorted((one.collection, one.source_id or "", one.code, one.document) for one in world.letters())
    found["books"] = world.one("SELECT balance - 'merged_pairs' FROM isthmus.run")
    for (table,) in world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        query = sql.SQL("SELECT t::text FROM public.{} t").format(sql.Identifier(table))
        with psycopg.connect(world.conninfo) as connection:
            found[table] = sorted(str(row[0]) for row in connection.execute(query).fetchall())
    return found
