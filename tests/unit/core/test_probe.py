"""The core's probes of documents against look-ups in plain Python sets, over what pymongo decodes."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import bson
import pytest
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from isthmus._rust import IdSet, Prober, Profiler
from isthmus.errors import SourceError
from tests.oracle.effort import say_seed, tries

FEW = [ObjectId(bytes([number]) * 12) for number in range(6)]
IDS = st.one_of(st.sampled_from(FEW), st.integers(0, 5), st.sampled_from(["a", "b", str(FEW[1])]))
VALUES = st.one_of(
    IDS,
    st.sampled_from([str(one) for one in FEW]),
    st.sampled_from([str(FEW[3]).upper(), "0" * 23 + "g", "x", "", 2.0, 2.5, None, True]),
)
NESTED = st.one_of(VALUES, st.lists(VALUES, max_size=3), st.fixed_dictionaries({"b": st.lists(VALUES, max_size=3)}))
REFERENCES = st.builds(
    lambda name, target: {"$ref": name, "$id": target}, st.sampled_from(["Users", "Teams"]), st.sampled_from(FEW)
)
PATHS = [["a"], ["a", "[]"], ["a", "b", "[]"], ["a", "b"]]


def ids_of(identifiers: list[Any]) -> IdSet:
    profiler = Profiler()
    profiler.read(b"".join(bson.encode({"_id": one}) for one in identifiers))
    return profiler.ids()


def along(value: Any, path: list[str]) -> list[Any]:
    """All values at a path."""
    if not path:
        return [value]
    if path[0] == "[]":
        return [found for inner in value for found in along(inner, path[1:])] if isinstance(value, list) else []
    return along(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []


def member(form: str, value: Any) -> Any:
    """What a value is looked up as in a form; Ellipsis when it does not have that form."""
    if form == "oid":
        return value if isinstance(value, ObjectId) else ...
    if form == "hex":
        return ObjectId(value) if isinstance(value, str) and ObjectId.is_valid(value) else ...
    if form == "dbref":
        return value["$id"] if isinstance(value, dict) and list(value) == ["$ref", "$id"] else ...
    return ... if isinstance(value, (ObjectId, list)) else repr(value) if isinstance(value, (bool, dict)) else value


@tries(150)
@given(
    st.lists(st.one_of(NESTED, REFERENCES), max_size=8),
    st.lists(st.lists(IDS, max_size=5), min_size=2, max_size=2),
    st.integers(0, 1 << 30),
)
def test_probes_of_generated_documents_are_what_looking_up_gives(
    found: list[Any], members: list[list[Any]], seed: int
) -> None:
    say_seed()
    sets = [ids_of(identifiers) for identifiers in members]
    forms = ["oid", "hex", "dbref", "value"]
    plan = json.dumps({"own": None, "probes": [{"path": path, "forms": forms, "sets": [1, 0]} for path in PATHS]})
    documents = [bson.encode({"_id": number, "a": value}) for number, value in enumerate(found)]
    cut = random.Random(seed).randint(0, len(documents))
    prober, other = Prober(plan, sets), Prober(plan, sets)
    assert prober.read(b"".join(documents[:cut])) == cut
    other.read(b"".join(documents[cut:]))
    prober.merge(other)
    result = json.loads(prober.result())
    assert result["documents"] == len(documents)
    for path, probe in zip(PATHS, result["probes"], strict=True):
        met = [value for one in found for value in along(one, path[1:])]
        assert probe["values"] == sum(value is not None for value in met)
        assert probe.get("null", 0) == sum(value is None for value in met)
        for form in forms:
            sought = [key for value in met if value is not None and (key := member(form, value)) is not ...]
            hits: Counter[str] = Counter()
            several = misses = 0
            for key in sought:
                where = [str(number) for number, identifiers in enumerate(members) if key in identifiers]
                hits.update(where)
                several += len(where) > 1
                misses += not where
            told = probe["forms"].get(form, {"values": 0, "hits": {}})
            assert told["values"] == len(sought)
            assert told["hits"] == hits
            assert (told.get("misses", 0), told.get("several", 0)) == (misses, several)
            assert (len(told.get("examples", ())) > 0) is (misses > 0)


def test_collected_values_are_a_set_for_another_probe() -> None:
    collecting = Prober('{"own": null, "collect": [{"path": ["code"], "set": "codes"}]}', [])
    collecting.read(bson.encode({"code": "de"}) + bson.encode({"code": 5}) + bson.encode({"code": None}))
    (codes,) = collecting.sets().values()
    assert json.loads(codes.describe()) == {"count": 2, "exact": True, "false_positives": 0}
    plan = '{"own": null, "probes": [{"path": ["to"], "forms": ["value"], "sets": [0]}]}'
    prober = Prober(plan, [codes])
    prober.read(bson.encode({"to": 5.0}) + bson.encode({"to": "fr"}))
    (probe,) = json.loads(prober.result())["probes"]
    assert probe["forms"] == {"value": {"values": 2, "hits": {"0": 1}, "misses": 1, "examples": ["fr"]}}


def test_a_full_set_says_how_often_it_is_wrong() -> None:
    profiler = Profiler('{"ids_bytes": 65536, "expected": 20000}')
    chance = random.Random(1)
    members = [chance.randbytes(12) for _ in range(20_000)]
    profiler.read(b"".join(bson.encode({"_id": ObjectId(one)}) for one in members))
    ids = profiler.ids()
    told = json.loads(ids.describe())
    assert (told["count"], told["exact"]) == (20_000, False)
    assert all(ids.contains(bson.encode({"_id": ObjectId(one)})) for one in members)
    wrong = sum(ids.contains(bson.encode({"_id": ObjectId(chance.randbytes(12))})) for _ in range(20_000)) / 20_000
    assert told["false_positives"] == pytest.approx(wrong, abs=0.002)


def test_plans_and_blocks_that_cannot_be_read_are_refused() -> None:
    for plan in ("", '{"own": 0}', '{"probes": [{"path": ["a"], "forms": ["oid"], "sets": [0]}]}'):
        with pytest.raises(ValueError, match=r"plan of probes"):
            Prober(plan, [])
    prober = Prober('{"own": null}', [])
    with pytest.raises(SourceError):
        prober.read(b"\x05\0\0\0\0\x05")
    assert json.loads(prober.result())["documents"] == 1
    with pytest.raises(ValueError, match="different plans"):
        prober.merge(Prober('{"own": null, "probes": []}', []))
