"""Documents looked through, block by block: what becomes of every value at their sites. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import bson

from isthmus.polyglot.mark import revision_end
from isthmus.polyglot.rewrite.begin import Ground
from isthmus.polyglot.rewrite.documents import CODEC, Read, holding
from isthmus.polyglot.rewrite.judge import Value, found_in, judge
from isthmus.polyglot.rewrite.resolve import NOTHING, Answer
from isthmus.polyglot.rewrite.updates import Change, Replacement


@dataclass(frozen=True)
class Looked:
    """A document and what becomes of its values."""

    read: Read
    values: tuple[Value, ...]

    @cached_property
    def changing(self) -> list[Value]:
        """The values that are to be replaced."""
        return [one for one in self.values if one.verdict == "change"]

    def change(self, most: int, *, tried: bool) -> Change:
        """Return what is done to the document: the first of the values that are to be replaced, at most so many."""
        replacements = (Replacement(one.place, holding(one.old), one.new) for one in self.changing[:most])
        return Change(self.read.source_id, tuple(replacements), revision_end(self.read.content), tried)


def look_through(ground: Ground, collection: str, reads: Sequence[Read]) -> list[Looked]:
    """Judge every value of some documents of one collection; asks the target once for each table.

    Raises:
        psycopg.Error: The target failed on the way.
    """
    sites = ground.sites[collection]
    found = [(read, found_in(read, sites)) for read in reads]
    wanted = (
        (pointer, value.old, value.value)
        for _, values in found
        for value in values
        for site in value.sites
        for pointer in site.pointers
    )
    answers = ground.resolver.resolve(wanted)

    def answer(entry: str, old: bytes) -> Answer:
        return answers.get((entry, old), NOTHING)

    limits, entries = ground.limits[collection], frozenset(ground.scope.entries)
    return [Looked(read, tuple(judge(read, values, answer, limits, entries))) for read, values in found]


def judged_by_validator(ground: Ground, collection: str, looked: Sequence[Looked]) -> list[Looked]:
    """Return the same, without the changes that the collection's validator would refuse.

    Raises:
        SourceError: The server is in trouble.
    """
    validator = ground.validators.get(collection)
    if validator is None:
        return list(looked)
    refused = validator.refuses([_as_changed(one) for one in looked if one.changing])
    return [_refused(one, "validator") if one.read.source_id in refused else one for one in looked]


def _refused(looked: Looked, reason: str) -> Looked:
    values = (
        replace(one, verdict="cannot", reason=reason) if one.verdict == "change" else one for one in looked.values
    )
    return Looked(looked.read, tuple(values))


def _as_changed(looked: Looked) -> bytes:
    """Return a document as it would be."""
    content = deepcopy(looked.read.content)
    for value in looked.changing:
        there: Any = content
        for step in value.place[:-1]:
            there = there[step]
        there[value.place[-1]] = value.new
    return bson.encode(content, codec_options=CODEC)
