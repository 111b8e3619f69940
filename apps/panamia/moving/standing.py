"""How each phase stands, read from what Isthmus remembers in the target and from what people acknowledged."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import bson
import psycopg

from isthmus.mapping import Mapping
from isthmus.polyglot.sites import Place, show_place
from isthmus.state.migrate import state_exists
from isthmus.state.rewrites import knows_rewrites
from isthmus.state.source_ids import show
from isthmus.state.verifications import latest_whole
from isthmus.verify.result import LAYERS

from .leading import collections_of
from .ledgers import left_by
from .nowhere import leading_nowhere
from .phases import PHASES, Item, Phase, Standing
from .retirements import read_retirements

_RUNS = """
SELECT id, finished_at, coalesce(tables -> 'only', '[]') FROM isthmus.run ORDER BY id"""
_REWRITES = """
SELECT r.id, r.ended_at,
    EXISTS (
        SELECT FROM isthmus.rewrite o JOIN isthmus.rewrite_log l ON l.rewrite_id = o.id
        WHERE o.scope -> 'to' ?| %(entries)s AND o.source = r.source
          AND l.state IN ('planned', 'done')),
    EXISTS (
        SELECT FROM isthmus.rewrite o JOIN isthmus.rewrite_log l ON l.rewrite_id = o.id
        WHERE o.scope -> 'to' ?| %(entries)s AND o.source = r.source
          AND l.state = 'left' AND l.reason IS NOT NULL),
    r.outcome IS NOT DISTINCT FROM 'undone'
        OR EXISTS (SELECT FROM panamia_move.undone_rewrite u WHERE u.rewrite_id = r.id)
        OR EXISTS (
            SELECT FROM isthmus.rewrite o JOIN isthmus.rewrite_log l ON l.rewrite_id = o.id
            WHERE o.scope -> 'to' ?| %(entries)s AND o.source = r.source
              AND l.state IN ('undone', 'left', 'gone') AND l.settled_at > coalesce(r.ended_at, r.started_at))
FROM isthmus.rewrite r WHERE r.scope -> 'to' ?| %(entries)s ORDER BY r.id DESC LIMIT 1"""
"""The newest rewrite of these entries, whether ids of rows stand where any of them wrote, whether others put ids of
other rows there, and whether an undoing of any of them was begun behind it. Rewrites of other entries, or of another
source, are none of the phase's."""
_LEFT = """
SELECT l.collection, l.source_id, l.path, l.old_value, coalesce(l.reason, l.state)
FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
WHERE l.state = 'refused' AND r.scope -> 'to' ?| %(entries)s AND NOT EXISTS (
    SELECT FROM isthmus.rewrite n JOIN isthmus.rewrite_part p ON p.rewrite_id = n.id
    WHERE n.id > r.id AND n.source = r.source AND (n.scope -> 'to') @> (r.scope -> 'to')
      AND p.collection = l.collection AND p.done)
ORDER BY l.id"""
"""What was refused when its place was last looked at; one that has looked through the collection since tells anew."""
_SHOWN = 60
"""Most characters of a value to show."""
_ACKNOWLEDGED = "SELECT kind, key, reason FROM panamia_move.acknowledgement WHERE phase = %s AND withdrawn_at IS NULL"


def read_standings(connection: psycopg.Connection, mapping: Mapping, *, live: bool = True) -> dict[int, Standing]:
    """Read how every phase stands; writes nothing.

    Args:
        connection: To the target.
        mapping: Says which collections each phase carries.
        live: Whether the source is a running server.

    Returns:
        By number of the phase.
    """
    runs: list[tuple[int, datetime.datetime | None, set[str]]] = []
    if state_exists(connection):
        runs = [(int(run), finished, set(carried)) for run, finished, carried in connection.execute(_RUNS).fetchall()]
    retirements, nowhere = read_retirements(connection), leading_nowhere(connection, mapping) if runs else {}
    found: dict[int, Standing] = {}
    for one in PHASES:
        if one.kind == "copy":
            collections = collections_of(mapping, one)
            found[one.number] = replace(
                _of_copy(connection, one, runs, set(collections) - set(one.left), nowhere.get(one.number, [])),
                collections=collections,
                retired=frozenset(retirements.keys() & set(collections)),
                dropped=frozenset(name for name in collections if name in retirements and retirements[name].is_dropped),
            )
        else:
            found[one.number] = _of_rewrite(connection, one) if live else Standing(one, needed=False)
    return found


def _of_copy(
    connection: psycopg.Connection,
    phase: Phase,
    runs: list[tuple[int, datetime.datetime | None, set[str]]],
    wanted: set[str],
    nowhere: Sequence[Item],
) -> Standing:
    more = wanted | set(phase.asked)
    own = [(number, finished) for number, finished, carried in runs if carried in (wanted, more)]
    if not own:
        return Standing(phase)
    number, finished = own[-1]
    whole = latest_whole(connection, number, LAYERS)
    passed = whole is not None and whole.verdict == "passed"
    return Standing(
        phase,
        run=number,
        finished_at=finished,
        verified_at=whole.started_at if passed and whole is not None else None,
        failed=None if whole is None or passed else whole.verdict,
        items=_items(connection, phase, left_by(connection, number), nowhere),
        carries_asked=any(carried & set(phase.asked) for _, _, carried in runs),
    )


def _of_rewrite(connection: psycopg.Connection, phase: Phase) -> Standing:
    row = None
    if knows_rewrites(connection):
        row = connection.execute(_REWRITES, {"entries": list(phase.entries)}).fetchone()
    if row is None:
        return Standing(phase)
    number, ended, stands, other_ids, undoing = int(row[0]), row[1], bool(row[2]), bool(row[3]), bool(row[4])
    if undoing and not stands and not other_ids:
        return Standing(phase)
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
        items=_items(connection, phase, _left(connection, phase)),
        half_undone=undoing,
        only_other_ids=undoing and not stands,
    )


def _left(connection: psycopg.Connection, phase: Phase) -> Iterator[Item]:
    for collection, source_id, path, old, reason in connection.execute(_LEFT, {"entries": list(phase.entries)}):
        key = reference_key(collection, bytes(source_id), tuple(path))
        held = str(bson.decode(bytes(old))[""])[:_SHOWN]
        yield Item("reference", f"{key}/{reason}", f"{collection} {show_place(tuple(path))}: {reason}: {held}")


def reference_key(collection: str, source_id: bytes, place: Place) -> str:
    """Return what tells a reference from others: the collection, the `_id` of the document, the place in it."""
    return f"{collection}/{show(source_id, shorten=False)}/{show_place(place)}"


def _items(connection: psycopg.Connection, phase: Phase, *found: Iterable[Item]) -> list[Item]:
    said = {
        (str(kind), str(key)): str(reason)
        for kind, key, reason in connection.execute(_ACKNOWLEDGED, (phase.number,)).fetchall()
    }
    items = {(item.kind, item.key): item for several in found for item in several}
    return [one if one.acknowledged else replace(one, acknowledged=said.get(place)) for place, one in items.items()]
