"""What values became where the mapping names it: the books of the copy held against the documents, converted again.

The layer *counts* has it from the core, of every document; the layer *samples* from the oracle, where all were drawn.
Cannot see: which document had which value.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping

from isthmus.state.became import STAYED, UNTOLD, all_told, untold
from isthmus.state.checkpoints import read_partitions, read_tallies
from isthmus.verify.reference.became import OTHER, Word, number, word
from isthmus.verify.result import LayerResult
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.subject import Subject
from isthmus.work.amounts import plural
from isthmus.work.hidden import HIDDEN

Pair = tuple[Word, Word]
"""What was, and what it became."""

_WORDS = frozenset({"missing", "null", "*", "now", "id_time"})
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|-?Infinity")
_ARROW = " → "


def check_books(subject: Subject, facts: SourceFacts, result: LayerResult) -> None:
    """Hold the books against what the core makes of the documents that have rows."""
    booked, left_out = _booked(subject)
    result.notes += left_out.values()
    wanted: dict[str, Counter[str]] = {}
    for found in facts.collections.values():
        for name, pairs in found.became.items():
            wanted.setdefault(name, Counter()).update(pairs)
    for name in sorted((booked.keys() | wanted.keys()) - left_out.keys()):
        there, should = Counter(booked.get(name, {})), wanted.get(name, Counter[str]())
        for pair in sorted(there.keys() | should.keys()):
            _compare(subject, result, name, pair, there[pair], should[pair])


def check_oracle(subject: Subject, converted: Mapping[tuple[str, Word, Word], int], result: LayerResult) -> None:
    """Hold the books against what the oracle makes of all documents that have rows."""
    booked, left_out = _booked(subject)
    wanted: dict[str, Counter[Pair]] = {}
    for (name, was, became), count in converted.items():
        wanted.setdefault(name, Counter())[was, became] += count
    for name in sorted((booked.keys() | wanted.keys()) - left_out.keys()):
        there, should = folded(booked.get(name, {})), wanted.get(name, Counter[Pair]())
        if any(HIDDEN in pair for pair in booked.get(name, {})):
            _compare(subject, result, name, f"{HIDDEN}{_ARROW}{HIDDEN}", there.total(), should.total())
            continue
        for pair in sorted(there.keys() | should.keys()):
            called = _ARROW.join(text or kind for kind, text in pair)
            _compare(subject, result, name, called, there[pair], should[pair])


def folded(pairs: Mapping[str, int]) -> Counter[Pair]:
    """Return pairs as the core calls them in the oracle's form, with how often."""
    found: Counter[Pair] = Counter()
    for called, count in pairs.items():
        was, became = _split(called)
        found[_word(was), _word(became)] += count
    return found


def _split(called: str) -> tuple[str, str]:
    """Cut `WAS → BECAME` in two; a text in quotes may hold an arrow of its own."""
    end = json.JSONDecoder().raw_decode(called)[1] if called.startswith('"') else called.index(_ARROW)
    return called[:end], called[end + len(_ARROW) :]


def _word(text: str) -> Word:
    if text.startswith('"'):
        return ("text", json.loads(text))
    if text in _WORDS:
        return word(text)
    if text in ("true", "false"):
        return ("truth", text)
    return number(text) if _NUMBER.fullmatch(text) else OTHER


def _booked(subject: Subject) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Return what the books say of each name, and why nothing can be said of some names."""
    books = subject.run.balance or {}
    adjusted: dict[str, int] = books.get("adjusted", {})
    booked: dict[str, dict[str, int]] = books.get("became", {})
    stayed = set(read_tallies(subject.connection, subject.run.id).get(STAYED, {}))
    tables = {name for name, table in subject.schema.tables.items() if stayed.intersection(table.collections)}
    why: dict[str, str] = {}
    for name in {**adjusted, **booked}:
        pairs = booked.get(name, {})
        if UNTOLD in pairs or _table_of(subject, name) in tables:
            why[name] = f"What values of {name} became is not compared: documents left while their counts stayed."
    rests = {} if all_told(read_partitions(subject.connection, subject.run.id)) else untold(adjusted, booked)
    for name, rest in rests.items():
        why[name] = f"What {rest:,} values of {name} became is not compared: an older Isthmus did not tell them apart."
    return booked, why


def _table_of(subject: Subject, name: str) -> str:
    """Return the table that a name of `adjusted` speaks of; the longest, for names may hold dots."""
    return max((one for one in subject.schema.tables if name.startswith(f"{one}.")), key=len, default="")


def _compare(subject: Subject, result: LayerResult, name: str, pair: str, there: int, should: int) -> None:
    if there == should:
        return
    table = _table_of(subject, name)
    place, _, kind = name.rpartition(":")
    result.differs(
        table,
        place.removeprefix(f"{table}."),
        f"The books say that {plural(there, 'value')} of {place} became another ({kind}, {pair}); the documents of the"
        f" source have {should:,}.",
        expected=str(should),
        actual=str(there),
        times=abs(there - should),
    )
