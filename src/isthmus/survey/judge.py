"""Judge what was found of one field's values: a reference to one collection, to several in turns, or none. Pure.

Values decide. Names choose between collections that are hit alike, and let a field count of which little is found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from isthmus.survey.chance import (
    is_dense,
    is_meant,
    is_same_number,
    lies_apart,
    only_numbers,
    resemblance,
    says_id,
)
from isthmus.survey.lookups import Looked
from isthmus.survey.paths import node_at
from isthmus.survey.profile import ELEMENT, Node, Path
from isthmus.survey.reference import ID, Cardinality, Doubt, Form, Key, Reference
from isthmus.survey.similar import CLEAR

_ALIKE = 0.9
"""Keys that are hit nearly as often as the best are decided between by name."""
_DIFFER = 0.98
_SKETCH = 256
_COPIES = 0.9
"""Share of a field's values that are the `_id` of the very document that holds them: they only say it once more."""
_SAME_IDS = 0.9
"""Share of a collection's `_id`s that are another one's: from here on both tell of one thing, below some came again."""
_PART = 0.1
_LEAST_PART = 3
"""Share and number of values beyond what reused ids explain that make a further collection one that is meant."""
_SURPRISE = 4.0
"""So many standard deviations beyond what reused ids explain."""
_FULFILLED = 0.1
"""Share of the values that a field beside says to be of a collection that are found there, against the best of them."""
_SPECIFIC = 5.0
"""Logarithm of the odds at which values are said to come from a smaller one of two collections that both hold them."""
_STRAY = 5.0
"""Logarithm of the odds against a value that is an orphan being found in another collection."""
_SAMPLED_LEAST = 2
"""Hits in the part of a collection that was read, where the rest was not."""


@dataclass(frozen=True)
class Grounds:
    """What a judgement rests on besides the values themselves.

    Attributes:
        roots: Collection → what its documents hold.
        shared: Key → other key → share of the one's values that the other one holds.
        sampled: Collections of which only a part was read.
        repeated: Natural key → how many of its values stand in it more than once; None where that is not known.
        own: Collection → the pairs that its `_id`s make with themselves.
    """

    roots: Mapping[str, Node]
    shared: Mapping[Key, Mapping[Key, float]] = field(default_factory=dict[Key, Mapping[Key, float]])
    sampled: Set[str] = frozenset()
    repeated: Mapping[Key, int | None] = field(default_factory=dict[Key, "int | None"])
    own: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])


def judge(looked: Looked, grounds: Grounds) -> Reference | None:
    """Say what values refer to, by what was found of them; None when they are no references."""
    candidate = looked.candidate
    node = node_at(grounds.roots[candidate.collection], candidate.path) or Node()
    field_ = _Field(looked, grounds, node)
    keys = field_.keys()
    if not keys:
        return None
    if candidate.path == ID:
        return field_.same_ids(keys)
    several = field_.several(keys)
    if several and (found := field_.reference(max(several, key=several.__getitem__), several)):
        return found
    best = field_.best(keys)
    return field_.reference(best, {}) or next(
        (found for key in keys if key != best and (found := field_.reference(key, {}))), None
    )


class _Field:
    """A field's values, with what is known about them."""

    def __init__(self, looked: Looked, grounds: Grounds, node: Node) -> None:
        self._looked = looked
        self._grounds = grounds
        self._node = node
        self._path = looked.candidate.path
        self._collection = looked.candidate.collection

    def keys(self) -> list[Key]:
        """Return the keys that hold values by more than chance, those that hold most first."""
        hits = {key: self._looked.hit(key) for key in self._looked.hits if not self._is_itself(key)}
        held = [key for key in hits if self._is_meant(key)]
        return sorted(held, key=lambda key: (-hits[key], key.collection, key.path))

    def _is_itself(self, key: Key) -> bool:
        """Tell whether the values are the key's own, or copies of the `_id` of the document that holds them."""
        if key.collection != self._collection:
            return False
        own = self._grounds.own.get(self._collection, ())
        if key.path != ID or ELEMENT in self._path:
            return key.path == self._path
        return self._path == ID or overlap(self._looked.pairs, own) > _COPIES

    def _is_meant(self, key: Key) -> bool:
        there = node_at(self._grounds.roots[key.collection], key.path)
        if there is None:
            return False
        if set(self._looked.hits[key]) - {"value"}:
            return True
        distinct, spread = self._different_hits(there), self._looked.spread.get(key)
        return is_meant(self._node, there, key, self._path, self._named(key), distinct, spread)

    def _different_hits(self, there: Node) -> int:
        """Return how many different values a key has in common with the field, or the most there can be."""
        node = self._node
        if max(node.distinct, there.distinct) < _SKETCH:  # both sketches hold every value
            return len({*node.sketch} & {*there.sketch})
        return self._looked.different(("value",))

    def _named(self, key: Key) -> float:
        if key.path == ID and (key.collection in self._looked.named or key.collection in self._looked.candidate.said):
            return 1.0
        return resemblance(self._path, key)

    def same_ids(self, keys: list[Key]) -> Reference | None:
        """Return the reference that a collection's `_id`s are, where nearly all of them are another's."""
        ids = [key for key in keys if key.path == ID]
        found = self.reference(self.best(ids), {}) if ids else None
        there = node_at(self._grounds.roots[found.to.collection], ID) if found else None
        if found is None or there is None or found.hit_rate < _SAME_IDS or is_dense(there):
            return None
        return found

    def best(self, keys: list[Key]) -> Key:
        """Return what the values mean, of keys that hold them."""
        hits = {key: self._looked.hit(key) for key in keys}
        alike = [key for key in keys if hits[key] >= _ALIKE * hits[keys[0]]]
        named = max(self._named(key) for key in alike)
        rated = {key: self._odds(key, max(hits.values())) for key in alike if self._named(key) == named}
        likely = [key for key, odds in rated.items() if odds >= max(rated.values()) - _SPECIFIC]
        ranks = {"id": 2, "index": 1, "values": 0}
        return max(likely, key=lambda key: (hits[key], ranks[key.unique_by], self._size(key), key.collection))

    def _odds(self, key: Key, most: int) -> float:
        """Return the logarithm of how likely just these values are if they are drawn from a key.

        Of two keys that hold them the smaller one is the likelier, unless it misses a few that the other one holds.
        """
        distinct = self._looked.different(self._looked.forms)
        return -distinct * math.log(max(1, self._size(key))) - _STRAY * (most - self._looked.hit(key))

    def _size(self, key: Key) -> int:
        node = node_at(self._grounds.roots[key.collection], key.path)
        return node.filled if node is not None else 0

    def several(self, keys: list[Key]) -> dict[Key, int]:
        """Return the collections that one field points at in turns; empty where it points at one."""
        ids = {key: self._looked.hit(key) for key in keys if key.path == ID}
        for said in (self._looked.named, self._looked.candidate.said):
            parts = {key: count for key, count in ids.items() if key.collection in said}
            if len(said) > 1 and parts:
                fulfilled = {key: count / said[key.collection] for key, count in parts.items()}
                least = _FULFILLED * max(fulfilled.values())
                parts = {key: count for key, count in parts.items() if count > 1 and fulfilled[key] >= least}
                return parts if len(parts) > 1 else {}
        return self._unexplained(ids)

    def _unexplained(self, hits: Mapping[Key, int]) -> dict[Key, int]:
        """Return the collections whose hits are more than ids that two of them share."""
        values = sum(self._base(list(hits)).values())
        if len(hits) < 2:
            return {}
        best = self.best(list(hits))
        parts: dict[Key, int] = {best: hits[best]}
        distinct = self._looked.different(self._looked.forms)
        for key, count in hits.items():
            if key == best:
                continue
            explained, variance = 0.0, 0.0
            for before, more in parts.items():
                share = self._grounds.shared.get(before, {}).get(key, 0.0)
                explained += share * more
                variance += share * (1 - share) * more * more / max(1.0, min(more, distinct * more / max(1, values)))
            left = count - explained
            if left >= max(_LEAST_PART, _PART * values) and left > _SURPRISE * math.sqrt(variance):
                parts[key] = count
        return parts if len(parts) > 1 else {}

    def reference(self, best: Key, several: Mapping[Key, int]) -> Reference | None:
        """Return the reference to one key, or to several collections, if enough is found."""
        looked, grounds = self._looked, self._grounds
        keys = [best, *(key for key in several if key != best)]
        forms = self._base(keys)
        found = sum(looked.found[form] for form in forms)
        hits = min(sum(looked.hit(key) for key in keys), found, sum(forms.values()))
        sampled = any(key.collection in grounds.sampled for key in keys)
        if not self._suffices(keys, forms, hits, sampled=sampled):
            return None
        # What has no form of an id is an orphan as well; documents and arrays are no values by themselves.
        values = max(sum(forms.values()), self._node.scalars + forms.get("dbref", 0))
        distinct = min(looked.different(forms), values)
        return Reference(
            collection=self._collection,
            path=self._path,
            forms={form: count for form, count in forms.items() if count},
            to=best,
            values=values,
            hits=hits,
            null=looked.null,
            several={key.collection: looked.hit(key) for key in keys} if several else {},
            wrong=self._wrong(keys),
            examples=tuple(one for form in forms for one in looked.examples.get(form, ()))[:5],
            cardinality=_cardinality(self._path, once=self._differ(distinct, values)),
            distinct=distinct,
            sampled=sampled,
            repeated=grounds.repeated.get(best, 0),
            doubt=self._doubt(keys, forms, lost=hits < values),
            false_positives=max((looked.noise.get(key, 0.0) for key in keys), default=0.0),
            pairs=looked.pairs,
            pairs_distinct=looked.pairs_distinct,
            pairs_meant=looked.pairs_distinct * hits / max(hits, sum(looked.hit(key) for key in looked.hits)),
        )

    def _base(self, keys: list[Key]) -> dict[Form, int]:
        """Return the forms in which values refer to any of the keys → how many values have them, each once.

        Texts and DBRefs that have a form of their own are no `value` besides.
        """
        used = {form for key in keys for form in self._looked.hits[key]}
        forms: dict[Form, int] = {form: count for form, count in self._looked.forms.items() if form in used}
        if "value" in forms:
            forms["value"] = max(0, forms["value"] - forms.get("hex", 0) - forms.get("dbref", 0))
        return forms

    def _suffices(self, keys: list[Key], forms: Mapping[Form, int], hits: int, *, sampled: bool) -> bool:
        if sampled:
            return (hits >= _SAMPLED_LEAST and set(forms) != {"value"}) or self._said_by_name(keys)
        values = sum(forms.values())
        if 10 * values < self._looked.values and not self._said_by_name(keys):
            return False
        best = keys[0]
        least = sum(count * self._least(form, best) for form, count in forms.items())
        if len(keys) > 1:
            least = min(least, 0.5 * values)
        return hits >= max(1.0, least) and (hits > 1 or 2 * hits > values)

    def _doubt(self, keys: list[Key], forms: Mapping[Form, int], *, lost: bool) -> Doubt:
        """Return why the values may be equal by chance alone; ObjectIds, UUIDs and documents never are."""
        by_themselves = set(forms) == {"value"} and not set(self._node.kinds) <= {"binData", "object", "null"}
        if not by_themselves or self._said_by_name(keys) or says_id(self._path):
            return ""
        if any(is_same_number(self._path, key) for key in keys):
            return ""
        there = node_at(self._grounds.roots[keys[0].collection], keys[0].path)
        if there is not None and only_numbers(self._node, there) and is_dense(there):
            return "numbers"
        return "values" if lost else ""

    def _said_by_name(self, keys: list[Key]) -> bool:
        return any(self._named(key) >= CLEAR for key in keys)

    def _least(self, form: Form, key: Key) -> float:
        """Return the share of the values of a form that must be found."""
        named = self._named(key)
        if form != "value":
            return 0.01 if named >= CLEAR else 0.1
        there = node_at(self._grounds.roots[key.collection], key.path)
        if there is not None and is_dense(there):
            return 0.5 if named >= CLEAR else 0.6 if lies_apart(self._node, there) else 0.85
        if key.unique_by == "values":
            return 0.5 if named >= CLEAR else 0.8
        return 0.2 if named >= CLEAR else 0.5

    def _differ(self, distinct: int, values: int) -> bool:
        """Tell whether no value comes twice; an estimate does not prove it, nor do a part of the documents."""
        if self._collection in self._grounds.sampled:
            return False
        known = distinct <= _SKETCH or self._looked.exactly is not None
        return distinct >= (1.0 if known else _DIFFER) * values

    def _wrong(self, keys: list[Key]) -> dict[str, int]:
        meant = {key.collection for key in keys}
        wrong: dict[str, int] = {}
        for key in self._looked.hits:
            if key.collection not in meant and not self._is_itself(key) and self._is_meant(key):
                wrong[key.collection] = max(wrong.get(key.collection, 0), self._looked.hit(key))
        return dict(sorted(wrong.items(), key=lambda one: (-one[1], one[0])))


def _cardinality(path: Path, *, once: bool) -> Cardinality:
    if ELEMENT in path:
        return "one-to-many" if once else "many-to-many"
    return "one-to-one" if once else "many-to-one"


def overlap(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Estimate how many of all pairs two sides share, from the lowest hashes of each."""
    if not one or not other:
        return 0.0
    size = max(len(one), len(other))
    union = sorted({*one, *other})[:size]
    both = {*one} & {*other}
    return sum(pair in both for pair in union) / len(union)
