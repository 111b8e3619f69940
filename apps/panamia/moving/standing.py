"""How each phase stands, read from what Isthmus remembers in the target and from what people acknowledged."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import psycopg

from .phases import PHASES, Item, Phase, Standing

_RUNS = """
SELECT id, finished_at, coalesce(tables -> 'only', '[]') FROM isthmus.run ORDER BY id"""
_VERIFIED = "SELECT outcome, started_at FROM isthmus.verification WHERE run_id = %s ORDER BY id DESC LIMIT 1"
_LETTERS = """
SELECT collection || '/' || coalesce(source_id_text, location) || '/' || code, collection,
    coalesce(source_id_text, location), code, message
FROM isthmus.dead_letter WHERE run_id = %s ORDER BY id"""
_CONFLICTS = """
SELECT collection || '/' || source_row_id || '/' || action, collection, table_name, row_id, action,
    (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(differing) AS k)
FROM isthmus.conflict WHERE run_id = %s AND action <> 'merged' ORDER BY id"""
_REWRITES = """
SELECT id, ended_at FROM isthmus.rewrite WHERE outcome IS DISTINCT FROM 'undone' AND outcome IS DISTINCT FROM 'replaced'
ORDER BY id DESC LIMIT 1"""
_LEFT = """
SELECT collection || '/' || encode(key_digest, 'hex') || '/' || site || '/' || coalesce(reason, ''), collection, site,
    coalesce(reason, state)
FROM isthmus.rewrite_log WHERE rewrite_id = %s AND state = 'refused' ORDER BY id"""
_ACKNOWLEDGED = "SELECT kind, key, reason FROM panamia_move.acknowledgement WHERE phase = %s AND withdrawn_at IS NULL"


def read_standings(
    connection: psycopg.Connection, sources: dict[str, tuple[str, ...]], *, live: bool = True
) -> dict[int, Standing]:
    """Read how every phase stands; writes nothing.

    Args:
        connection: To the target.
        sources: The source collections of each entry of the mapping.
        live: Whether the source is a running server.

    Returns:
        By number of the phase.
    """
    there = connection.execute("SELECT to_regclass('isthmus.run') IS NOT NULL").fetchone()
    runs: list[tuple[int, datetime.datetime | None, set[str]]] = []
    if there is not None and there[0]:
        runs = [(int(run), finished, set(carried)) for run, finished, carried in connection.execute(_RUNS).fetchall()]
    found: dict[int, Standing] = {}
    for one in PHASES:
        if one.kind == "copy":
            found[one.number] = _of_copy(connection, one, runs, sources)
        else:
            found[one.number] = _of_rewrite(connection, one) if live else Standing(one, needed=False)
    return found


def _of_copy(
    connection: psycopg.Connection,
    phase: Phase,
    runs: list[tuple[int, datetime.datetime | None, set[str]]],
    sources: dict[str, tuple[str, ...]],
) -> Standing:
    wanted = {name for entry in phase.entries for name in sources.get(entry, (entry,))}
    own = [(number, finished) for number, finished, carried in runs if carried and carried <= wanted]
    if not own:
        return Standing(phase)
    number, finished = own[-1]
    row = connection.execute(_VERIFIED, (number,)).fetchone()
    passed = row is not None and row[0] == "passed"
    return Standing(
        phase,
        run=number,
        finished_at=finished,
        verified_at=row[1] if passed and row is not None else None,
        failed=None if row is None or passed else str(row[0]),
        items=_items(connection, phase, _letters(connection, number), _conflicts(connection, number)),
    )


def _of_rewrite(connection: psycopg.Connection, phase: Phase) -> Standing:
    there = connection.execute("SELECT to_regclass('isthmus.rewrite') IS NOT NULL").fetchone()
    row = connection.execute(_REWRITES).fetchone() if there is not None and there[0] else None
    if row is None:
        return Standing(phase)
    number, ended = int(row[0]), row[1]
    checked = connection.execute(
        "SELECT checked_at, outcome FROM panamia_move.rewrite_check WHERE rewrite_id = %s ORDER BY id DESC LIMIT 1",
        (number,),
    ).fetchone()
    passed = checked is not None and checked[1] == "passed"
    return Standing(
        phase,
        run=number,
        finished_at=ended,
        verified_at=checked[0] if passed and checked is not None else None,
        failed=None if checked is None or passed else str(checked[1]),
        items=_items(connection, phase, _left(connection, number)),
    )


def _letters(connection: psycopg.Connection, run: int) -> Iterator[Item]:
    for key, collection, document, code, message in connection.execute(_LETTERS, (run,)):
        yield Item("letter", key, f"{collection} {document}: {code}: {message}")


def _conflicts(connection: psycopg.Connection, run: int) -> Iterator[Item]:
    for key, collection, table, row, action, names in connection.execute(_CONFLICTS, (run,)):
        yield Item("conflict", key, f"{collection} → {table} {row}: {action}: {names}")


def _left(connection: psycopg.Connection, rewrite: int) -> Iterator[Item]:
    for key, collection, site, reason in connection.execute(_LEFT, (rewrite,)):
        yield Item("reference", key, f"{collection} {site}: {reason}")


def _items(connection: psycopg.Connection, phase: Phase, *found: Iterator[Item]) -> list[Item]:
    said = {
        (str(kind), str(key)): str(reason)
        for kind, key, reason in connection.execute(_ACKNOWLEDGED, (phase.number,)).fetchall()
    }
    items = {(item.kind, item.key): item for several in found for item in several}
    return [Item(one.kind, one.key, one.shown, said.get(place)) for place, one in items.items()]
