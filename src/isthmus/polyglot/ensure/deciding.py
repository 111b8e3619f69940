"""Find, else claim, else create: what is asked for in which order, and what the answers mean. Pure.

Two things of MongoDB carry it. A unique index on the reference lets one document at most hold a key. And a claim is one
write to one document on the condition that nobody claimed it meanwhile. Whatever is lost against somebody else is
looked at again from the beginning, so a call may be broken off anywhere and repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import bson
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument

from isthmus.errors import PolyglotError, Where
from isthmus.polyglot.ensure import filters
from isthmus.polyglot.ensure.asks import Asking, Call, Duplicate, Gone, Make, Trouble, Wait
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.ensured import Ensured, How
from isthmus.polyglot.ensure.gaps import plain
from isthmus.polyglot.ensure.indexes import LOOK_AT_BUILDS, built_indexes, judge_indexes, leaves_out
from isthmus.polyglot.ensure.made import made_document
from isthmus.polyglot.mark import revision_end
from isthmus.polyglot.outbox.intent import MARK
from isthmus.work.amounts import plural

MOST_NAMED = 20
"""How many documents an answer names."""
_MOST_READ = 200
"""Of documents with one e-mail; nobody has so many, so where there are more a person decides."""
_TRIES = 12
_TRIES_ELSEWHERE = 5
"""How often another unique index may be in the way of a creation, before it is said so."""
_FIRST_SECONDS, _LONGEST_SECONDS = 0.01, 1.0

_Look = Ensured[Any] | frozenset[str] | None
"""What one look comes to: the end; the fields of what stood in the way; None: the server is in trouble."""
_MOVED: frozenset[str] = frozenset()
"""Somebody else was faster, and what stands there now is to be looked at."""
_NOBODY = frozenset({""})
"""There is no such document."""


@dataclass(frozen=True)
class Wanted:
    """The row whose document is wanted.

    Attributes:
        belonging: Which document belongs to a row.
        collection: The collection's name.
        value: The row's key, checked, as the driver writes it.
        email: Its e-mail, normalised; None: no document is claimed.
        given: The e-mail as the caller gave it.
        creates: Whether the caller has a factory.
        options: Of the collection.
    """

    belonging: Belonging
    collection: str
    value: object
    email: str | None
    given: str
    creates: bool
    options: CodecOptions[Any]


class _Decision:
    """What one call has learnt so far."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._checked = False
        self._made: bytes | None = None
        # What this call did, or sent and never heard of again: the document, and what it is to the row then.
        self._sent: list[tuple[object, How]] = []

    def again(self) -> Asking[_Look]:
        """Look once, from the beginning."""
        own = yield from self._own()
        if own != _NOBODY:
            return own
        if self._wanted.email is None and not self._wanted.creates:
            return Ensured("none")
        if not self._checked:
            there = yield Call("list_indexes")
            builds = (yield LOOK_AT_BUILDS) if there and not isinstance(there, Trouble) else Gone()
            if isinstance(there, Trouble) or isinstance(builds, Trouble):
                return None
            self._need(there, [] if isinstance(builds, Gone) else built_indexes(there, builds))
        if self._wanted.email is not None:
            met = yield from self._by_email(self._wanted.email)
            if met != _NOBODY:
                return met
        if not self._wanted.creates:
            return Ensured("none")
        return (yield from self._create())

    def _need(self, there: list[Mapping[str, Any]], built: list[Mapping[str, Any]]) -> None:
        """Refuse a collection without the indexes, which alone keep documents one to a row.

        Raises:
            PolyglotError: One is not there (code `ensure-no-index`), is in build (`ensure-building`, retryable), or
                leaves this key out (`ensure-left-out`).
        """
        wanted = self._wanted
        by_email = wanted.email is not None
        problems = judge_indexes(wanted.belonging, by_email, built, wanted.collection)
        if problems and not judge_indexes(wanted.belonging, by_email, there, wanted.collection):
            raise _in_build(wanted)
        if problems:
            count = plural(len(problems), "index", "indexes")
            raise PolyglotError(
                f"The collection {wanted.collection} lacks {count} that ensure needs.",
                code="ensure-no-index",
                where=problems[0].where,
                hint="Call ensure_indexes once, before the application starts.",
                problems=problems,
            )
        if leaves_out(wanted.belonging, built, plain(wanted.value, wanted.options)):
            raise _left_out(wanted)
        self._checked = True

    @property
    def _path(self) -> str:
        return self._wanted.belonging.reference

    def _own(self) -> Asking[_Look]:
        """Find the document that belongs to the row. Returns `_NOBODY` where none does."""
        which, options = {self._path: self._wanted.value}, {"limit": 2}
        found = yield Call("find", (which,), options)
        if not isinstance(found, Trouble) and any(not self._holds(one) for one in found):
            # A collection with a collation of its own takes more for one than is.
            found = yield Call("find", (which,), {**options, "collation": filters.SIMPLE})
        if isinstance(found, Trouble):
            return None
        return self._found(found) if found else _NOBODY

    def _holds(self, document: Mapping[str, Any]) -> bool:
        return filters.value_at(document, self._path) == self._wanted.value

    def _found(self, found: list[Mapping[str, Any]]) -> Ensured[Any]:
        wanted = self._wanted
        names = tuple(one["_id"] for one in found)
        if len(found) > 1:
            raise PolyglotError(
                f"Two documents hold one {self._path}: {names[0]!r} and {names[1]!r}.",
                code="ensure-duplicate",
                where=Where(collection=wanted.collection, path=self._path),
                hint="Decide which one it is, take the reference out of the other, then call ensure_indexes.",
            )
        if not self._holds(found[0]):
            raise PolyglotError(
                f"The document {names[0]!r} holds the key in an array, or in another form of it.",
                code="ensure-shape",
                where=Where(collection=wanted.collection, path=self._path),
                hint="Write the reference as one value of its own.",
            )
        how: How = "found"
        for name, sent in self._sent:
            how = sent if name == names[0] else how
        return Ensured(how, found[0])

    def _by_email(self, email: str) -> Asking[_Look]:
        """Claim the one unclaimed document with the e-mail. Returns `_NOBODY` where no document has it."""
        belonging = self._wanted.belonging
        place = cast("str", belonging.email)
        # Nothing else is in the condition, so that the index on the e-mail is what any server looks into.
        which = filters.with_email(belonging, email, self._wanted.given)
        fields = {path.split(".")[0]: 1 for path in (belonging.reference, place, MARK)}
        options = {"limit": _MOST_READ, "collation": filters.collation_of(belonging)}
        found = yield Call("find", (which, fields), options)
        if isinstance(found, Trouble):
            return None
        same = [one for one in found if belonging.is_of(filters.value_at(one, place), email)]
        free = [one for one in same if filters.is_unclaimed(belonging, one)]
        if len(free) > 1 or (same and len(found) == _MOST_READ):
            return Ensured("ambiguous", others=tuple(one["_id"] for one in (free or same)[:MOST_NAMED]))
        if free:
            return (yield from self._claim(free[0]))
        if any(self._holds(one) for one in same):
            return _MOVED  # it became ours since we looked
        if same:
            return Ensured("taken", others=tuple(one["_id"] for one in same[:MOST_NAMED]))
        return _NOBODY

    def _claim(self, document: Mapping[str, Any]) -> Asking[_Look]:
        belonging = self._wanted.belonging
        email = cast("str", belonging.email)
        there = {"_id": document["_id"], email: filters.value_at(document, email)}
        ends = revision_end(document)
        still = {**there, **filters.unclaimed(belonging), **ends.condition}
        change = {"$set": {belonging.reference: self._wanted.value, **ends.fields}}
        answer = yield Call("update_one", (still, change))
        if isinstance(answer, Duplicate) or not (isinstance(answer, Trouble) or answer.matched_count):
            return _MOVED
        self._sent.append((document["_id"], "claimed"))
        if isinstance(answer, Trouble):
            return None
        own = yield from self._own()
        return _MOVED if own == _NOBODY else own

    def _create(self) -> Asking[_Look]:
        wanted = self._wanted
        if self._made is None:
            given = yield Make()
            self._made = made_document(given, wanted.belonging, wanted.value, wanted.collection, wanted.options)
        sent = RawBSONDocument(self._made)
        answer = yield Call("insert_one", (sent,))
        document: Any = bson.decode(self._made, wanted.options)  # pyright: ignore[reportUnknownMemberType]
        if isinstance(answer, Trouble):
            self._sent.append((document["_id"], "created"))
            return None
        if isinstance(answer, Duplicate):
            return answer.fields
        return Ensured("created", document)


def deciding(wanted: Wanted) -> Asking[Ensured[Any]]:
    """Find, claim or create the document of a row.

    Raises:
        PolyglotError: An index is not there (code `ensure-no-index`), or not yet (`ensure-building`, retryable), or
            leaves the key out (`ensure-left-out`); the data contradict it (`ensure-duplicate`, `ensure-shape`); what
            the factory gave cannot be inserted (`ensure-factory`, `ensure-refused`); or others changed what was looked
            at each time (`ensure-busy`, retryable).
    """
    decision = _Decision(wanted)
    lost = elsewhere = looks = 0
    while True:
        end = yield from decision.again()
        if isinstance(end, Ensured):
            return end
        looks += 1
        if end is not None:
            lost += 1
            elsewhere += bool(end) and wanted.belonging.reference not in end
            if elsewhere >= _TRIES_ELSEWHERE:
                raise _other_index(wanted, end)
            if lost >= _TRIES:
                raise _busy(wanted)
        yield Wait(min(_FIRST_SECONDS * 2.0 ** min(looks - 1, 16), _LONGEST_SECONDS))


def _other_index(wanted: Wanted, fields: frozenset[str]) -> PolyglotError:
    return PolyglotError(
        f"The document cannot be created: another one has the same {', '.join(sorted(fields))}.",
        code="ensure-refused",
        where=Where(collection=wanted.collection),
        hint="Let the factory give other values, or look to whom that document belongs.",
    )


def _in_build(wanted: Wanted) -> PolyglotError:
    return PolyglotError(
        f"An index of {wanted.collection} that ensure needs is still being built, and keeps nothing unique until then.",
        code="ensure-building",
        where=Where(collection=wanted.collection),
        hint="Call ensure again when it is there; ensure_indexes waits for it.",
        retryable=True,
    )


def _left_out(wanted: Wanted) -> PolyglotError:
    return PolyglotError(
        f"Several documents held this {wanted.belonging.reference} when the indexes were made, and none does now: no"
        " index keeps it unique.",
        code="ensure-left-out",
        where=Where(collection=wanted.collection, path=wanted.belonging.reference),
        hint="Call ensure_indexes again: it makes an index that leaves it out no more.",
    )


def _busy(wanted: Wanted) -> PolyglotError:
    return PolyglotError(
        "Others changed the documents each time between a look and a write.",
        code="ensure-busy",
        where=Where(collection=wanted.collection),
        hint="Call ensure again.",
        retryable=True,
    )
