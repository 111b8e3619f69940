"""What identities came to, kept in the target: live maps, by which documents are carried, and dry-run ones for people.

`load_things` is the one way from here to a copy, and it reads live maps only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from isthmus.mapping import Mapping
from isthmus.mapping.things import Things
from isthmus.state.statements import statement

Mode = Literal["dry-run", "live"]
_PAGE = 10_000


@dataclass(frozen=True)
class IdentityMap:
    """One map as it is kept.

    Attributes:
        name: Of the identity in the mapping.
        mode: `dry-run`, which nothing that carries documents reads, or `live`.
        made_at: When it was last found out.
        source_name: Where from, printable.
        counts: `things`, `conflicts`, `kinds` (conflicts by kind) and `collections`: by name what became of documents.
        answers_digest: Of the answers that were given then.
        rules_digest: Of the identity in the mapping as it was then.
        version: Isthmus version that found out.
    """

    name: str
    mode: Mode
    made_at: datetime
    source_name: str
    counts: dict[str, Any]
    answers_digest: str
    rules_digest: str
    version: str


@dataclass(frozen=True)
class KeptConflict:
    """Something that the last plan of an identity could not decide, as it is kept.

    Attributes:
        name: Of the identity.
        id: The same in every plan, as long as its documents are.
        kind: See `transfer.identities.conflicts`.
        message: Sentences.
        documents: `collection`, `_id`, `keys` (name → value) and `listed` of each.
        more: How many documents are not listed.
        answers: `says` and `yaml` of each: what could be written into the answers.
        made_at: When it was last found.
    """

    name: str
    id: str
    kind: str
    message: str
    documents: list[dict[str, Any]]
    more: int
    answers: list[dict[str, str]]
    made_at: datetime


@dataclass(frozen=True)
class MemberRow:
    """One document of a map.

    Attributes:
        name: Of the identity.
        mode: Of the map.
        canonical_id: Id of the thing it belongs to; None for none.
        collection: Where it is.
        source_id: `{"_id": value}` as BSON.
        own_id: The id that is derived from it alone.
        place: In its thing, from 0.
        why: alone, key, link, answer, known (only an earlier map says so), apart (belongs to none on purpose), dropped,
            open (a conflict is not answered) or gone (no longer in the source).
        reason: Of a dropped one.
    """

    name: str
    mode: Mode
    canonical_id: str | None
    collection: str
    source_id: bytes
    own_id: str
    place: int
    why: str
    reason: str | None


def identities_exist(connection: psycopg.Connection) -> bool:
    """Tell whether the state is of a version that keeps identities."""
    row = connection.execute(statement("identity", "exists")).fetchone()
    return bool(row and row[0])


def load_things(connection: psycopg.Connection, mapping: Mapping) -> Things | None:
    """Return what the identities of a mapping came to, as their live maps in this target say.

    Reads; takes memory for every document of member and linked collections.

    Args:
        connection: The target.
        mapping: Names the identities.

    Returns:
        None where the mapping has none, or none of them has a live map yet: a dry-run map counts for nothing.
    """
    names = list(mapping.identities)
    if not names or not identities_exist(connection):
        return None
    maps = connection.execute(statement("identity", "live_maps"), {"names": names}).fetchall()
    if not maps:
        return None
    of: dict[str, dict[bytes, str | None]] = {}
    dropped: dict[str, dict[bytes, str]] = {}
    with connection.transaction(), connection.cursor(name="isthmus_things") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(statement("identity", "live_members"), {"names": names})
        for collection, source_id, canonical_id, why, reason in cursor:
            if why == "dropped":
                dropped.setdefault(str(collection), {})[bytes(source_id)] = str(reason)
            else:
                of.setdefault(str(collection), {})[bytes(source_id)] = canonical_id
    return Things(of, dropped, together({str(name): str(digest) for name, digest in maps}))


def together(digests: dict[str, str]) -> str:
    """Return one digest of the answers to several identities, by name."""
    lines = [f"{name}\0{digest}" for name, digest in sorted(digests.items())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_maps(connection: psycopg.Connection) -> list[IdentityMap]:
    """Return every map of a target, without its documents, live ones first; none where the state keeps none."""
    if not identities_exist(connection):
        return []
    return [IdentityMap(*row) for row in connection.execute(statement("identity", "maps")).fetchall()]


def read_conflicts(connection: psycopg.Connection, beginning: str | None = None) -> list[KeptConflict]:
    """Return what the last plans could not decide; with `beginning` only those whose id begins so."""
    if not identities_exist(connection):
        return []
    name = "conflicts" if beginning is None else "conflict"
    rows = connection.execute(statement("identity", name), {"id": beginning}).fetchall()
    return [KeptConflict(*row) for row in rows]


def find_members(connection: psycopg.Connection, text: str, meanings: list[bytes]) -> list[MemberRow]:
    """Return the documents of every map that an id means.

    Args:
        connection: The target.
        text: The id of a thing, whose documents are returned, or the id that is derived from a document.
        meanings: What it may mean as an `_id`, `{"_id": value}` as BSON.
    """
    if not identities_exist(connection):
        return []
    digests = [hashlib.sha256(one).digest() for one in meanings]
    named = [
        _member(row)
        for row in connection.execute(statement("identity", "member"), {"id": text, "digests": digests}).fetchall()
    ]
    things = list(dict.fromkeys([text, *(one.canonical_id for one in named if one.canonical_id is not None)]))
    rows = connection.execute(statement("identity", "members_of"), {"ids": things}).fetchall()
    return list(dict.fromkeys([*map(_member, rows), *(one for one in named if one.canonical_id is None)]))


def export_map(
    connection: psycopg.Connection, name: str, mode: Mode
) -> Iterator[tuple[str | None, str, bytes, str, str | None]]:
    """Yield id of the thing, collection, `_id`, why and reason of each document, thing by thing; memory stays flat."""
    with connection.transaction(), connection.cursor(name="isthmus_identity_export") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(statement("identity", "export"), {"name": name, "mode": mode})
        for thing, collection, source_id, why, reason in cursor:
            yield thing, str(collection), bytes(source_id), str(why), reason


def replace_map(
    connection: psycopg.Connection,
    name: str,
    mode: Mode,
    *,
    source_name: str,
    counts: dict[str, Any],
    answers_digest: str,
    rules_digest: str,
    version: str,
) -> None:
    """Keep what was found out, which stands in `pg_temp.thing_found`; inside the caller's transaction.

    A live map keeps documents that are not there any more: whatever the source loses, a thing keeps its id.
    """
    connection.execute(
        statement("identity", "replace_map"),
        {
            "name": name,
            "mode": mode,
            "source": source_name,
            "counts": Jsonb(counts),
            "answers": answers_digest,
            "rules": rules_digest,
            "version": version,
        },
    )
    if mode == "dry-run":
        connection.execute(statement("identity", "forget_members"), {"name": name})
    connection.execute(statement("identity", "enter_members"), {"name": name, "mode": mode})


def keep_conflicts(connection: psycopg.Connection, name: str, conflicts: list[dict[str, Any]]) -> None:
    """Replace what the plan before could not decide; inside the caller's transaction.

    Args:
        connection: The target.
        name: Of the identity.
        conflicts: `id`, `kind`, `message`, `documents`, `more` and `answers` of each.
    """
    connection.execute(statement("identity", "forget_conflicts"), {"name": name})
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("identity", "enter_conflict"),
            [
                {**one, "name": name, "documents": Jsonb(one["documents"]), "answers": Jsonb(one["answers"])}
                for one in conflicts
            ],
        )


def _member(row: tuple[Any, ...]) -> MemberRow:
    name, mode, thing, collection, source_id, own_id, place, why, reason = row
    return MemberRow(name, mode, thing, collection, bytes(source_id), own_id, place, why, reason)
