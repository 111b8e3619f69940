"""Retry dead letters inside a test and hold what is left against the target itself.

Oracle of the books: they are changed step by step while letters are carried; here they are drawn anew from tables and
ledgers, which nobody else writes to, and must come to the same.
"""

from __future__ import annotations

import textwrap
import threading
from typing import Any

import psycopg

from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.tables import build_schema
from isthmus.state.checkpoints import read_partitions
from isthmus.state.lease import Lease
from isthmus.state.reports import books_so_far
from isthmus.state.runs import id_key, latest_run
from isthmus.transfer.balance import draw_balance
from isthmus.transfer.job import Job, Options
from isthmus.transfer.letters_source import LettersSource
from isthmus.transfer.progress import Progress
from isthmus.transfer.retry_letters import Choice, RetryResult, retry_letters
from tests.integration.copy.carrying import World


def retry(world: World, mapping: str, *, stop: threading.Event | None = None, **choice: Any) -> RetryResult:
    """Retry the letters of a target with a mapping (YAML) and assert that its books balance and are true."""
    text = textwrap.dedent(mapping)
    world.notes = []
    result = retry_letters(
        parse_mapping(text, file_name="mapping.yaml"),
        world.conninfo,
        mapping_text=text,
        choice=Choice(**choice),
        options=Options(retry_seconds=5),
        progress=Progress(on_note=world.notes.append),
        stop=stop,
    )
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
        assert {key: so_far[name][key] for key in ("read", "copied", "skipped", "dead_letters")} == {
            key: books[key] for key in ("read", "copied", "skipped", "dead_letters")
        }
