"""What became of the values of a candidate when they were looked up: the core's counts as data. Pure.

What a filter takes for a hit by mistake is taken off here, so that nothing behind it need know of filters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from isthmus.survey.candidates import Candidate
from isthmus.survey.reference import Form, Key

_SKETCH = 256
"""Hashes that the core keeps of pairs."""
_NOISE = 3.0
"""So many times the false hits that a filter is expected to give mean nothing yet."""


@dataclass(frozen=True)
class Looked:
    """What was found of a candidate.

    Attributes:
        candidate: The values.
        values: All that are not null, of any type.
        null: Nulls.
        forms: Form → values that have it.
        hits: Key → form → values that are found there.
        found: Form → values that are found anywhere.
        named: Collections that DBRefs name → how many do.
        distinct: Form → different values that have it, or one of several forms that were counted together.
        pairs: The lowest hashes of the pairs of documents that they join.
        pairs_distinct: How many such pairs there are; an estimate where they are many.
        examples: Form → some values that are found nowhere.
        noise: Key → chance that a value which is not there counts as found.
        spread: Key → how many values hit each part of its numbers, where that was counted.
        exactly: Different values of any form, where they were counted one by one.
    """

    candidate: Candidate
    values: int
    null: int
    forms: Mapping[Form, int]
    hits: Mapping[Key, Mapping[Form, int]]
    found: Mapping[Form, int]
    named: Mapping[str, int]
    distinct: Mapping[Form, int]
    pairs: tuple[int, ...]
    pairs_distinct: int
    examples: Mapping[Form, tuple[str, ...]]
    noise: Mapping[Key, float]
    spread: Mapping[Key, tuple[int, ...]]
    exactly: int | None = None

    def counted(self, distinct: int) -> Looked:
        """Return the same with the number of different values of any form, known exactly."""
        return replace(self, exactly=distinct)

    def different(self, forms: Iterable[Form]) -> int:
        """Return how many different values have one of the forms."""
        used = set(forms)
        if self.exactly is not None:
            return self.exactly
        by_id = max((self.distinct.get(form, 0) for form in used if form != "value"), default=0)
        if "value" not in used:
            return by_id
        # Texts and DBRefs were counted with the values as well; only ObjectIds were not.
        ids = sum(self.forms.get(form, 0) for form in used if form != "value")
        return self.distinct.get("value", 0) + (by_id * self.forms.get("oid", 0) // ids if ids else 0)

    def hit(self, key: Key) -> int:
        """Return how many values a key holds."""
        return sum(self.hits.get(key, {}).values())


def read_probes(
    candidate: Candidate,
    probes: Sequence[Mapping[str, Any]],
    keys: Sequence[Key],
    noise: Mapping[Key, float],
    parts: Mapping[Key, range],
    spread: Mapping[str, Any] | None = None,
) -> Looked:
    """Read what the core says of a candidate.

    Args:
        candidate: The values.
        probes: The core's counts: of each form by itself or of several together.
        keys: What the probes' sets are, by their number.
        noise: Key → false-positive rate of its set, where it is not exact.
        parts: Key → numbers of the sets that its numbers are cut into.
        spread: The core's counts for those.
    """
    told = {form: (probe, probe["forms"].get(form, {})) for probe in probes for form in probe["forms"]}
    hits: dict[Key, dict[Form, int]] = {}
    named: dict[str, int] = {}
    for form in candidate.forms:
        values = told[form][1]["values"] if form in told else 0
        for number, count in told[form][1].get("hits", {}).items() if form in told else ():
            key = keys[int(number)]
            if sure := _without_noise(count, values, noise.get(key, 0.0)):
                hits.setdefault(key, {})[form] = sure
        named |= told[form][1].get("collections", {}) if form in told else {}
    in_parts: Mapping[str, int] = {} if spread is None else spread["forms"].get("value", {}).get("hits", {})
    return Looked(
        candidate=candidate,
        values=probes[0]["values"],
        null=probes[0].get("null", 0),
        forms={form: told[form][1]["values"] for form in candidate.forms if form in told},
        hits=hits,
        found={form: told[form][1]["values"] - told[form][1].get("misses", 0) for form in told},
        named=named,
        distinct={form: int(told[form][0].get("distinct", 0)) for form in told},
        pairs=_lowest(tuple(int(one, 16) for one in probe.get("pairs", ())) for probe in probes),
        pairs_distinct=sum(int(probe.get("pairs_distinct", 0)) for probe in probes),
        examples={
            form: tuple(json.dumps(one, ensure_ascii=False) for one in told[form][1].get("examples", ()))
            for form in told
        },
        noise=noise,
        spread={
            key: tuple(in_parts.get(str(number), 0) for number in parts[key])
            for key in candidate.keys
            if key in parts and spread is not None
        },
    )


def _lowest(sketches: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the sketch of all that several sketches of one size saw."""
    found = [one for one in sketches if one]
    size = max((len(one) for one in found), default=0)
    return tuple(sorted({hash_ for one in found for hash_ in one})[: max(size, _SKETCH)])


def _without_noise(hits: int, values: int, rate: float) -> int:
    if hits <= _NOISE * rate * values:
        return 0
    return round((hits - rate * values) / (1 - rate)) if rate else hits
