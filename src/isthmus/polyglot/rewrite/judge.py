"""What becomes of each value of a document: changed, left as it is, or refused by name. Pure.

Nothing is guessed: a value that is an id of a row as it stands and names another row as an old id, or that names
several rows, is ambiguous and stays. So does what cannot be changed by one conditional update of one document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bson.dbref import DBRef

from isthmus.polyglot.rewrite.documents import Read, held
from isthmus.polyglot.rewrite.resolve import NOTHING, Answer
from isthmus.polyglot.sites import Place, Site, found

Verdict = Literal["change", "canonical", "elsewhere", "unmapped", "ambiguous", "cannot"]
"""`elsewhere`: no row that was asked for, but the place may also lead to tables that were not."""

Answers = Callable[[str, bytes], Answer]

_OVERHEAD = 5  # a text's length and its NUL


@dataclass(frozen=True)
class Value:
    """One value of a document.

    Attributes:
        site: Where, for all documents.
        place: Where, in this one.
        old: `{"": value}` as BSON.
        verdict: What becomes of it.
        new: The id of its row; None where there is none to write.
        reason: Of `cannot`: why, as a slug; None otherwise.
    """

    site: Site
    place: Place
    old: bytes
    verdict: Verdict
    new: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Found:
    """A value that stands at one or more sites: where, `{"": value}` as BSON, and the value."""

    place: Place
    sites: tuple[Site, ...]
    old: bytes
    value: object


@dataclass(frozen=True)
class Limits:
    """What a collection does not let be changed.

    Attributes:
        shard_key: Fields of its shard key, each as the keys that lead to it; empty where it is not sharded.
        document_bytes: Most bytes of a document.
    """

    shard_key: tuple[tuple[str, ...], ...] = ()
    document_bytes: int = 16 << 20


def found_in(read: Read, sites: Sequence[Site]) -> list[Found]:
    """Return every value of a document that stands at a site, each place once, in the order of the sites."""
    places: dict[Place, tuple[list[Site], object]] = {}
    for site in sites:
        for place, value in found(read.content, site):
            places.setdefault(place, ([], value))[0].append(site)
    return [Found(place, tuple(at), held(value), value) for place, (at, value) in places.items()]


def judge(
    read: Read, values: Iterable[Found], answers: Answers, limits: Limits, entries: Collection[str]
) -> list[Value]:
    """Decide what becomes of the values of one document.

    Args:
        read: The document.
        values: What stands at its sites.
        answers: What (entry, `{"": value}`) is in the target.
        limits: What must not be changed.
        entries: The entries whose ids are written.
    """
    judged = [_refused(_judged(value, answers, entries), limits) for value in values]
    grown = read.size_bytes + sum(_growth(one) for one in judged if one.verdict == "change")
    if grown > limits.document_bytes:
        judged = [
            replace(one, verdict="cannot", reason="too-large") if one.verdict == "change" else one for one in judged
        ]
    return judged


def _judged(value: Found, answers: Answers, entries: Collection[str]) -> Value:
    """Weigh what all sites say of one value; where they say different things, it is ambiguous."""
    site = value.sites[0]
    if isinstance(value.value, DBRef):
        return Value(site, value.place, value.old, "cannot", reason="dbref")
    told = {one for at in value.sites for one in _told(value, at, answers)}
    if (None in told) or len(told) > 1:
        return Value(site, value.place, value.old, "ambiguous")
    if told:
        ((verdict, new),) = (one for one in told if one is not None)
        return Value(site, value.place, value.old, verdict, new)
    asked = all(target in entries for at in value.sites for target in at.targets)
    return Value(site, value.place, value.old, "unmapped" if asked else "elsewhere")


def _told(
    value: Found, site: Site, answers: Answers
) -> Iterator[tuple[Literal["change", "canonical"], str | None] | None]:
    """Yield what one site says of a value, None for an ambiguity; nothing where it knows no row."""
    known = [answers(pointer.entry, value.old) for pointer in site.pointers]
    old = next((answer.ids for answer in known if answer.ids), NOTHING.ids)  # a route takes the first that is there
    is_id = any(answer.is_id for answer in known)
    if len(old) > 1 or (is_id and old and str(value.value) not in old):
        yield None
    elif is_id:
        yield "canonical", None
    elif old:
        yield "change", next(iter(old))


def _refused(value: Value, limits: Limits) -> Value:
    """Return a value that would be changed as one that cannot be, where its path says so."""
    if value.verdict != "change":
        return value
    reason = _why_not(value.place, limits)
    return value if reason is None else replace(value, verdict="cannot", reason=reason)


def _why_not(place: Place, limits: Limits) -> str | None:
    keys = tuple(step for step in place if isinstance(step, str))
    if any("." in key for key in keys):
        return "dotted-key"
    if any(key.startswith("$") for key in keys):
        return "dollar-key"
    if not all(keys):
        return "empty-key"
    if any(keys[: len(field)] == field or field[: len(keys)] == keys for field in limits.shard_key):
        return "shard-key"
    return None


def _growth(value: Value) -> int:
    """Return by how many bytes a document grows with a value, at least: of an ObjectId and a text exactly."""
    return len((value.new or "").encode()) + _OVERHEAD - (len(value.old) - 7)
