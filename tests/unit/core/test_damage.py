"""Damaged bytes: never a crash, never a row of a document that cannot be read whole, the neighbours arrive."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus._rust import frame
from tests.generators import bson_writer as bw
from tests.generators import values
from tests.generators.mappings import Case, cases
from tests.oracle.agreement import MALFORMED, Pair, accounting
from tests.oracle.effort import say_seed, tries


def damaged(document: bytes, seed: int) -> bytes:
    """The document with some bytes changed, its own length left right so that its neighbours can be found."""
    chance = random.Random(seed)
    content = bytearray(document)
    for _ in range(chance.randint(1, 3)):
        if len(content) > 5:
            content[chance.randrange(4, len(content))] = chance.choice(
                [0, 1, 2, 3, 4, 5, 0x13, 0x14, 0x7F, 0xFF, chance.randrange(256)]
            )
    return bytes(content)


@tries(150)
@given(cases(max_documents=3), st.integers(0, 1 << 30))
def test_a_damaged_document_is_refused_and_its_neighbours_arrive(case: Case, seed: int) -> None:
    say_seed()
    pair = Pair(case.mapping)
    whole = case.documents[0]
    documents = [whole, damaged(whole, seed), *case.documents]
    batch = pair.core.transcode(b"".join(documents))
    assert not accounting(batch, documents)
    expected = pair.oracle.expected("Main", documents[1])
    reject = next((one for one in batch.rejects if one.document == 1), None)
    if expected.rejected is not None and expected.rejected[0][0] in MALFORMED and not batch.skipped:
        assert reject is not None
    alone = pair.core.transcode(b"".join([whole, *case.documents]))
    if reject is not None:
        for table in range(len(batch.tables)):
            assert bytes(batch.copy_data(table)) == bytes(alone.copy_data(table))


@tries(300)
@given(st.binary(max_size=200))
def test_any_bytes_as_one_document_are_refused_or_carried(content: bytes) -> None:
    say_seed()
    document = struct.pack("<i", len(content) + 5) + content + b"\0"
    pair = PLAIN
    batch = pair.core.transcode(document)
    assert not accounting(batch, [document])
    expected = pair.oracle.expected("Main", document)
    if expected.rejected and expected.rejected[0][0] in MALFORMED:
        assert [cause.code for reject in batch.rejects for cause in reject.causes if cause.code in MALFORMED]


PLAIN = Pair({"isthmus": 1, "collections": {"Main": {"table": "main", "fields": {"a": "jsonb"}}}})


@tries(100)
@given(st.lists(values.documents(values.scalars()), max_size=6), st.integers(0, 1 << 30))
def test_frames_end_after_the_last_whole_document(written: list[bw.Value], seed: int) -> None:
    say_seed()
    data = b"".join(value.raw for value in written)
    cut = random.Random(seed).randint(0, len(data))
    found = frame(data[:cut], final=False)
    ends = [sum(len(value.raw) for value in written[:count]) for count in range(len(written) + 1)]
    assert found.broken is None
    assert found.end == max(end for end in ends if end <= cut)
    assert found.documents == ends.index(found.end)
    last = frame(data[:cut], final=True)
    assert (last.broken is None) == (cut in ends)
    rest = frame(data[found.end :], final=True)
    assert (rest.broken, rest.documents) == (None, len(written) - found.documents)


@pytest.mark.parametrize("length", [-1, 0, 4, 16_793_601, (1 << 31) - 1, -(1 << 31)])
def test_a_length_that_cannot_be_breaks_the_framing_there(length: int) -> None:
    first = bw.document([("a", bw.int32(1))]).raw
    found = frame(first + struct.pack("<i", length) + bytes(32), final=False)
    assert (found.documents, found.end) == (1, len(first))
    assert found.broken is not None
    assert found.broken[1] == len(first)
