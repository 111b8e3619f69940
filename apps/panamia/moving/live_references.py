"""References that still need documents which are about to go: looked for in the collections that applications read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import bson
from bson import DBRef, ObjectId

from isthmus.connect.mongo import MongoServer
from isthmus.mapping import Mapping as MappingModel
from isthmus.polyglot.rewrite.documents import document
from isthmus.polyglot.sites import Site, found

from .contents import on_server
from .leading import collections_of, leading_to
from .phases import PHASES, Phase, Standing
from .standing import reference_key

_TOGETHER = 500
_SHOWN = 5


@dataclass
class Live:
    """Where references lead to documents that are about to go.

    Attributes:
        place: Collection and path.
        count: How many.
        known: How many more somebody has acknowledged.
        first: The first of them, for people.
    """

    place: str
    count: int = 0
    known: int = 0
    first: list[str] = field(default_factory=list[str])


def live_references(
    server: MongoServer, database: str, mapping: MappingModel, phase: Phase, standings: Mapping[int, Standing]
) -> list[Live]:
    """Find references to documents of a phase, by the ids that MongoDB knows, in documents that applications read.

    Those are the documents of phases that are not done: PostgreSQL answers for the others. A reference that was
    acknowledged as one that could not be rewritten counts as known.

    Raises:
        SourceError: The server does not give documents.
    """
    holders = {
        name
        for one in PHASES
        if one.number != phase.number and not standings[one.number].is_done
        for name in collections_of(mapping, one)
    }
    looked: dict[str, list[Site]] = {}
    for site in leading_to(mapping, phase):
        if site.collection in holders:
            looked.setdefault(site.collection, []).append(site)
    known = {
        item.key.rpartition("/")[0]
        for one in PHASES
        for item in standings[one.number].items
        if item.kind == "reference" and item.acknowledged is not None
    }
    there = Documents(server, database, collections_of(mapping, phase))
    lives: dict[str, Live] = {}
    for collection, group in looked.items():
        values = _values(server, database, collection, group)
        while together := list(islice(values, _TOGETHER)):
            existing = there.of([one.ids for one in together])
            for one in together:
                if not any(key_of(value) in existing for value in one.ids):
                    continue
                live = lives.setdefault(one.place, Live(one.place))
                if one.key in known:
                    live.known += 1
                    continue
                live.count += 1
                live.first += [one.key] if len(live.first) < _SHOWN else []
    return [lives[place] for place in sorted(lives)]


@dataclass(frozen=True)
class _Value:
    place: str
    key: str
    ids: Sequence[object]


def _values(server: MongoServer, database: str, collection: str, group: Sequence[Site]) -> Iterator[_Value]:
    for raw in on_server(server, database, collection):
        read = document(raw)
        for site in group:
            for place, value in found(read.content, site):
                ids = _ids(value)
                if ids:
                    key = reference_key(collection, read.source_id, place)
                    yield _Value(f"{collection}.{site.shown}", key, ids)


def _ids(value: object) -> list[object]:
    """Return the `_id`s that a value may mean."""
    if isinstance(value, DBRef):
        return _ids(value.id)
    if isinstance(value, str) and ObjectId.is_valid(value):
        return [value, ObjectId(value)]
    if isinstance(value, ObjectId):
        return [value, str(value)]
    return [] if isinstance(value, dict | list) else [value]


def key_of(value: object) -> bytes:
    """Return what tells an `_id` from others."""
    return bson.encode({"": value})


class Documents:
    """Tells which documents some collections have, by `_id`."""

    def __init__(self, server: MongoServer, database: str, collections: Collection[str]) -> None:
        self._server = server
        self._database = database
        self._collections = collections

    def of(self, several: Sequence[Sequence[object]]) -> set[bytes]:
        """Return those of some `_id`s that a document has."""
        wanted = list({key_of(value): value for ids in several for value in ids}.values())
        there: set[bytes] = set()
        for name in self._collections:
            rows: list[dict[str, Any]] = self._server.ask(
                "look documents up", lambda name=name: self._find(name, wanted), collection=name
            )
            there |= {key_of(row["_id"]) for row in rows}
        return there

    def _find(self, collection: str, wanted: Sequence[object]) -> list[dict[str, Any]]:
        return list(self._server.client[self._database][collection].find({"_id": {"$in": list(wanted)}}, {"_id": 1}))
