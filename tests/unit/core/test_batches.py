"""Laws of a batch: cut anywhere, in any order, the same documents become the same rows."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from isthmus._rust import digest_rows, document_digest
from tests.generators.forms import form_cases
from tests.generators.mappings import Case, cases
from tests.oracle.agreement import Pair
from tests.oracle.effort import say_seed, tries

seeds = st.integers(0, 1 << 30)


def any_cases(max_documents: int) -> SearchStrategy[Case]:
    """Mappings of every form."""
    return st.one_of(cases(max_documents=max_documents), form_cases(max_documents=max_documents))


@tries(40)
@given(any_cases(8), seeds)
def test_cut_at_any_document_boundary_the_bytes_are_the_same(case: Case, seed: int) -> None:
    say_seed()
    core = Pair(case.mapping).core
    whole = core.transcode(b"".join(case.documents))
    cut = random.Random(seed).randint(0, len(case.documents))
    parts = [core.transcode(b"".join(part)) for part in (case.documents[:cut], case.documents[cut:])]
    for table in range(len(whole.tables)):
        pieces = [bytes(part.copy_data(table)) for part in parts]
        assert b"".join(pieces) == bytes(whole.copy_data(table))
    assert sum(part.accepted for part in parts) == whole.accepted
    causes = [[cause.code for cause in reject.causes] for part in parts for reject in part.rejects]
    assert causes == [[cause.code for cause in reject.causes] for reject in whole.rejects]
    assert b"".join(part.document_digests for part in parts) == whole.document_digests
    counts: dict[str, Counter[str]] = {}
    for part in parts:
        for group, names in part.counts().items():
            counts.setdefault(group, Counter()).update(names)
    assert {group: dict(names) for group, names in counts.items()} == whole.counts()


@tries(40)
@given(any_cases(8), seeds)
def test_in_any_order_the_rows_are_the_same(case: Case, seed: int) -> None:
    say_seed()
    pair = Pair(case.mapping)
    shuffled = list(case.documents)
    random.Random(seed).shuffle(shuffled)
    first, second = (pair.core.transcode(b"".join(documents)) for documents in (case.documents, shuffled))
    assert pair.table_rows(first) == pair.table_rows(second)
    assert first.counts() == second.counts()
    assert set(first.id_map) == set(second.id_map)


@tries(40)
@given(any_cases(6))
def test_equal_rows_have_equal_digests_and_others_do_not(case: Case) -> None:
    say_seed()
    pair = Pair(case.mapping)
    batch = pair.core.transcode(b"".join(case.documents))
    for table in pair.tables:
        kinds = [column["type"]["kind"] + ("[]" if column["type"]["array"] else "") for column in table.columns]
        data = bytes(batch.copy_data(table.number))
        digests = digest_rows(data, kinds)
        assert len(digests) == 16 * batch.rows(table.number)
        each = [digests[at : at + 16] for at in range(0, len(digests), 16)]
        rows = [repr(pair.canonical_row(row, table)) for row in pair.rows(batch, table)]
        by_row = dict(zip(rows, each, strict=True))
        assert [by_row[row] for row in rows] == each
        assert len(set(each)) == len(set(rows))


@tries(40)
@given(any_cases(8), seeds)
def test_find_gives_back_the_documents_with_these_ids(case: Case, seed: int) -> None:
    say_seed()
    pair = Pair(case.mapping)
    expected = [pair.oracle.expected("Main", document) for document in case.documents]
    offsets = [sum(map(len, case.documents[:number])) for number in range(len(case.documents))]
    known = [one.id for one in expected if one.id is not None]
    wanted = sorted(set(random.Random(seed).sample(known, k=len(known) // 2)))
    found = pair.core.find(b"".join(case.documents), [*wanted, "no such id"])
    places = {
        (offset, len(document), wanted.index(one.id))
        for offset, document, one in zip(offsets, case.documents, expected, strict=True)
        if one.id in wanted
    }
    assert places <= set(found)


@tries(40)
@given(any_cases(8))
def test_digests_of_documents_are_those_of_each_document_alone(case: Case) -> None:
    digests = Pair(case.mapping).core.transcode(b"".join(case.documents)).document_digests
    contents = [digests[at + 8 : at + 16] for at in range(0, len(digests), 16)]
    assert contents == [document_digest(document) for document in case.documents]


def test_document_digest_is_xxh3_of_64_bits_big_endian() -> None:
    # Stored in every target: the values of the reference implementation for the empty input and for "abc".
    assert document_digest(b"").hex() == "2d06800538d394c2"
    assert document_digest(b"abc").hex() == "78af5f94892f3950"
