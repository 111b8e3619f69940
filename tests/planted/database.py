"""A generated database: what a generator builds document by document, and what comes out of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.planted.nodes import Document, encode
from tests.planted.planter import Planter
from tests.planted.tally import Path, Tally
from tests.planted.truth import IndexTruth, Place, Truth


@dataclass
class Collection:
    """Documents in the order in which they are written, and how the collection is made."""

    kind: str = "collection"
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    indexes: list[IndexTruth] = field(default_factory=list[IndexTruth])
    documents: list[bytes] = field(default_factory=list[bytes])


@dataclass
class Database:
    """A whole database and the truth about it."""

    name: str
    collections: dict[str, Collection]
    truth: Truth


class Builder:
    """Takes documents as trees, counts them and keeps their bytes.

    Args:
        database: Name of the database.
        generator: Name of the generator, for the truth.
        seed: Seed of all chance.
        settings: What else the generator was told, as plain JSON.
    """

    def __init__(self, database: str, generator: str, seed: int, settings: Mapping[str, Any]) -> None:
        self.chance = random.Random(f"{generator} {seed}")
        self.planter = Planter(self.chance)
        self._truth = Truth(database, generator, seed, dict(settings))
        self._collections: dict[str, Collection] = {}
        self._tallies: dict[str, Tally] = {}

    def collection(
        self,
        name: str,
        *,
        kind: str = "collection",
        options: Mapping[str, Any] | None = None,
        maps: Mapping[Path, str] | None = None,
    ) -> None:
        """Make a collection; documents and indexes come later."""
        self._collections[name] = Collection(kind, dict(options or {}))
        self._tallies[name] = Tally(dict(maps or {}))

    def index(self, collection: str, *keys: str, **options: Any) -> None:
        """Add an index over paths; one with `-` in front is descending, `path:kind` of a kind such as `text`."""
        parts: list[list[Any]] = []
        for key in keys:
            path, _, kind = key.removeprefix("-").partition(":")
            parts.append([path, kind or (-1 if key.startswith("-") else 1)])
        name = "_".join(f"{path}_{kind}" for path, kind in parts)
        self._collections[collection].indexes.append(IndexTruth(name, parts, options))

    def add(self, collection: str, tree: Document) -> None:
        """Add a document."""
        raw = encode(tree)
        self._collections[collection].documents.append(raw)
        self._tallies[collection].count(tree, len(raw))

    def finish(self) -> Database:
        """Return the database with its truth."""
        truth = self._truth
        for name, one in self._collections.items():
            tally = self._tallies[name]
            truth.collections.append(tally.truth(name, kind=one.kind, options=one.options, indexes=one.indexes))
        truth.keys = [Place(one.collection, list(one.path)) for one in self.planter.keys]
        truth.references, truth.relations, truth.distractors = self.planter.truth()
        return Database(truth.database, self._collections, truth)
