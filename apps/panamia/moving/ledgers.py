"""What a copy left for people to look at, as items: dead letters and conflicts, with the numbers that Isthmus has.

What the mapping calls sensitive is hidden as in the lists of Isthmus: in what is said, and in keys.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import psycopg

from isthmus.cli.sensitive import Sensitive, sensitive_of
from isthmus.state.acknowledgements import acknowledged
from isthmus.state.reports import list_letters
from isthmus.state.runs import Run, id_key, read_run
from isthmus.state.waiting import WaitingLine
from isthmus.work.hidden import HIDDEN

from .phases import Item

_CONFLICTS = """
SELECT id, collection, source_row_id, table_name, row_id, action,
    (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(differing) AS k)
FROM isthmus.conflict WHERE run_id = %s AND action <> 'merged' ORDER BY id"""


def left_by(connection: psycopg.Connection, number: int) -> list[Item]:
    """Return the dead letters and conflicts of a run, in the order of their numbers; none of a run that is gone."""
    run = read_run(connection, number)
    if run is None:
        return []
    sensitive, key = sensitive_of(run), id_key(connection, create=False)
    return [*_apart(_letters(connection, run, sensitive)), *_apart(_conflicts(connection, run, sensitive, key))]


def without_secrets(connection: psycopg.Connection, run: Run, lines: Iterable[WaitingLine]) -> list[WaitingLine]:
    """Return references that wait as they may be shown; rows that a secret tells apart still differ."""
    sensitive, key = sensitive_of(run), id_key(connection, create=False)
    return [
        replace(
            line,
            row_id=_row(sensitive, key, line.table, line.row_id),
            target_id=HIDDEN if (line.table, line.column) in sensitive.columns else line.target_id,
        )
        for line in lines
    ]


def _letters(connection: psycopg.Connection, run: Run, sensitive: Sensitive) -> Iterator[Item]:
    words = acknowledged(connection, "letter", [(run.id, None)])
    for letter in map(sensitive.letter, list_letters(connection, [(run.id, None)])):
        document = letter.source_id or letter.location
        shown = f"{letter.collection} {document}: {letter.code}: {letter.message}"
        reason = words[letter.id].reason if letter.id in words else None
        yield Item("letter", f"{letter.collection}/{document}/{letter.code}", shown, reason, letter.id)


def _conflicts(connection: psycopg.Connection, run: Run, sensitive: Sensitive, secret: bytes) -> Iterator[Item]:
    words = acknowledged(connection, "conflict", [(run.id, None)])
    for number, collection, document, table, row, action, names in connection.execute(_CONFLICTS, (run.id,)):
        key = f"{collection}/{_row(sensitive, secret, table, document)}/{action}"
        shown = f"{collection} → {table} {HIDDEN if table in sensitive.secret_tables else row}: {action}: {names}"
        yield Item("conflict", key, shown, words[number].reason if number in words else None, number)


def _row(sensitive: Sensitive, key: bytes, table: str, row: str) -> str:
    """Return a row's id as it may be shown; of one that is a secret a few digits of a keyed digest, so that it is told.

    Keyed with the target's id key: nobody can try short secrets out who has what is printed alone.
    """
    if table not in sensitive.secret_tables:
        return row
    return f"{HIDDEN}{hmac.digest(key, row.encode(), 'sha256').hex()[:12]}"


def _apart(items: Iterable[Item]) -> list[Item]:
    """Return items with keys that differ: documents that have one `_id` have their numbers in them."""
    found = list(items)
    times = Counter(item.key for item in found)
    return [replace(item, key=f"{item.key}/{item.number}") if times[item.key] > 1 else item for item in found]
