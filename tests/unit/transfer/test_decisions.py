"""Small decisions of a copy without a server: retries, books that add up, exit codes, where pairs wait."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus._rust import Transcoder
from isthmus.errors import MappingError, Problem, SourceError, TargetError
from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.plan_tables import plan_tables
from isthmus.mapping.tables import build_schema, pending_tables
from isthmus.transfer import job
from isthmus.transfer.balance import Balance, CollectionBooks, ReferenceBooks, balance_from_json
from isthmus.transfer.beginning.preflight import Finding, raise_findings
from isthmus.transfer.loading.load import add_counts
from isthmus.transfer.moving.resume import Changes
from isthmus.transfer.result import Result
from isthmus.transfer.staging import create_statements, pair_tables
from isthmus.work.interrupted import Interrupted
from isthmus.work.retry import Retry, persist

FAULT = TargetError("away", retryable=True)


def test_retry_waits_longer_each_time_and_gives_up_with_the_fault() -> None:
    retry, stop = Retry(0.25), threading.Event()
    assert retry.fresh
    began = time.monotonic()
    retry.again(FAULT, stop)
    assert not retry.fresh

    def go_on() -> None:
        while True:
            retry.again(FAULT, stop)

    with pytest.raises(TargetError) as caught:
        go_on()
    assert caught.value is FAULT
    assert 0.25 < time.monotonic() - began < 5


def test_retry_is_interrupted_by_a_stop() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Retry(60).again(FAULT, stop)


def test_retry_begins_anew_after_work_that_went_on_for_longer_than_the_limit() -> None:
    retry, stop, notes = Retry(0.2), threading.Event(), list[str]()
    retry.again(FAULT, stop, notes.append)
    retry.again(FAULT, stop, notes.append)
    assert len(notes) == 1
    time.sleep(0.3)
    retry.again(FAULT, stop, notes.append)
    assert len(notes) == 2, "another trouble is told again"
    assert not retry.fresh


def test_retry_gives_up_on_work_that_goes_on_for_long_and_fails_each_time() -> None:
    retry, tries = Retry(0.1), list[int]()

    def go_on() -> None:
        while len(tries) < 20:
            tries.append(1)
            retry.again(FAULT, threading.Event())
            time.sleep(0.15)

    with pytest.raises(TargetError):
        go_on()
    assert 4 <= len(tries) <= 6


def test_retry_without_time_does_not_count_work() -> None:
    retry = Retry(0.0)
    retry.again(FAULT, threading.Event())
    time.sleep(0.05)
    with pytest.raises(TargetError):
        retry.again(FAULT, threading.Event())


def test_second_trouble_of_a_source_long_after_the_first_is_waited_for() -> None:
    calls, notes = list[int](), list[str]()

    def read() -> str:
        calls.append(1)
        if len(calls) == 2:
            time.sleep(0.4)
        if len(calls) < 3:
            raise SourceError("away", retryable=True)
        return "read"

    assert persist(read, seconds=0.3, stop=threading.Event(), note=notes.append) == "read"
    assert len(notes) == 2


names = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), max_size=4)
counts = st.dictionaries(st.sampled_from(["rows", "books", "extras", "references"]), names, max_size=4)


@given(counts, counts, counts)
def test_books_add_up_in_any_order(
    one: dict[str, dict[str, int]], two: dict[str, dict[str, int]], three: dict[str, dict[str, int]]
) -> None:
    before = str(one)
    left = add_counts(add_counts(one, two), three)
    assert left == add_counts(one, add_counts(two, three)) or {} in left.values()
    assert str(one) == before
    for group in left:
        for name, amount in left[group].items():
            assert amount == sum(books.get(group, {}).get(name, 0) for books in (one, two, three))


def test_endless_names_are_counted_under_one_and_names_of_the_mapping_each() -> None:
    many = {f"n{number}": 2 for number in range(700)}
    total = add_counts({"extras": {"n0": 1}, "rows": {}}, {"extras": many, "rows": many})
    assert sum(total["extras"].values()) == 1401
    assert len(total["extras"]) <= 501
    assert total["extras"]["n0"] == 3
    assert total["rows"] == many


def book(**changes: object) -> Balance:
    balance = Balance(collections={"A": CollectionBooks(read=1, copied=1)}, references={"a.b": ReferenceBooks()})
    for name, value in changes.items():
        setattr(balance, name, value)
    return balance


@pytest.mark.parametrize(
    ("balance", "complete"),
    [
        (book(), True),
        (book(adjusted={"a.b:coerced": 3}, extras={"A.x": 1}, left_out_rows={"i": 2}, empty_columns=["a.c"]), True),
        (book(references={"a.b": ReferenceBooks(values=2, resolved=1, orphans=1, actions={"null": 1})}), True),
        (book(references={"a.b": ReferenceBooks(values=2, resolved=1, orphans=1, by_default=1)}), False),
        (book(collections={"A": CollectionBooks(read=1, dead_letters=1)}), False),
        (book(left_out_indexes=["i"]), False),
        (book(differences=["one row too many"]), False),
    ],
)
def test_only_a_balance_without_loss_is_complete(balance: Balance, complete: bool) -> None:
    assert balance.complete is complete
    assert balance_from_json(balance.as_json()) == balance
    assert Result(1, "complete", resumed=False, balance=balance).exit_code == (0 if complete else 1)


def test_highest_cause_decides_the_exit_code() -> None:
    broken = {"A": SourceError("broken")}
    assert Result(1, "failed", resumed=False, broken=broken).exit_code == 3
    assert Result(1, "interrupted", resumed=False, broken=broken).exit_code == 130
    unbalanced = Result(1, "complete", resumed=True, repeated=True, balance=book(differences=["x"]))
    assert unbalanced.exit_code == 1
    left_letters = book(collections={"A": CollectionBooks(read=1, dead_letters=1)})
    repeated = Result(1, "complete", resumed=True, repeated=True, balance=left_letters)
    assert repeated.exit_code == 1, "its dead letters were never shown"
    repeated.told = True
    assert repeated.exit_code == 0, "no dead letter is new"
    repeated.changes = Changes(new=1)
    assert repeated.exit_code == 1
    repeated.changes = Changes(broken={"A": "x"})
    assert repeated.exit_code == 3


def test_findings_are_raised_together_as_the_worst_of_them() -> None:
    remark = Finding(Problem("remark", "Only a remark."), None)
    raise_findings([remark])
    with pytest.raises(SourceError) as caught:
        raise_findings([Finding(Problem("a", "A."), MappingError), remark, Finding(Problem("b", "B."), SourceError)])
    assert [problem.code for problem in caught.value.problems] == ["a", "b"]
    assert caught.value.code == "preflight"
    assert caught.value.message == "Nothing was written: 2 things stand against this copy."


MAPPING = """
isthmus: 1
collections:
  A: {fields: {one: {junction: both}, two: {junction: alone}}}
  B: {fields: {three: {junction: both}}}
junctions: {both: {a_id: A, b_id: B}, alone: {a_id: A, b_id: B}}
"""


def test_pairs_wait_only_where_several_arrays_feed_a_junction() -> None:
    mapping = parse_mapping(MAPPING, file_name="m")
    schema = build_schema(mapping)
    feeders = job.feeders(compile_plans(mapping), schema)
    tables = pair_tables(feeders, schema)
    assert {key: table.in_place for key, table in tables.items()} == {
        ("both", "a_id", 0): False,
        ("alone", "a_id", 0): True,
        ("both", "b_id", 1): False,
    }
    waiting = [table.name for table in tables.values() if not table.in_place]
    assert len(set(waiting)) == 2
    assert all(table.schema == "isthmus" for table in tables.values() if not table.in_place)
    assert len(create_statements(tables, schema)) == 2
    assert pair_tables(feeders, schema) == tables


SHARED = """
isthmus: 1
collections:
  A:
    from: [One, Two]
    when: {kind: a}
    table: t
    fields: {one: {junction: pairs}, two: {child: t_two, fields: {n: integer}}}
  B:
    from: One
    fields:
      email: {type: text!, unique: true}
      three: {junction: pairs}
      four: {junction: mails, own: one}
junctions: {pairs: {a_id: A, b_id: B}, mails: {one: B, other: B.email}}
"""


def test_tables_of_all_flows_are_counted_through_in_the_order_of_a_batch() -> None:
    mapping = parse_mapping(SHARED, file_name="m")
    schema = build_schema(mapping)
    plans = compile_plans(mapping)
    tables = {name: plan_tables(text, schema) for name, text in plans.items()}
    assert [(t.index, t.flow.number, t.kind, t.name) for t in tables["One"]] == [
        (0, 0, "root", "t"),
        (1, 0, "child", "t_two"),
        (2, 0, "junction", "pairs"),
        (3, 2, "root", "b"),
        (4, 2, "junction", "pairs"),
        (5, 2, "junction", "mails"),
    ]
    assert [(t.index, t.flow.number, t.kind, t.name) for t in tables["Two"]] == [
        (0, 1, "root", "t"),
        (1, 1, "child", "t_two"),
        (2, 1, "junction", "pairs"),
    ]
    for name, found in tables.items():
        core = Transcoder(plans[name], bytes(32), 0).transcode(b"")
        assert core.tables == [table.waiting or table.name for table in found]


def test_flows_that_feed_one_side_of_a_junction_have_tables_of_their_own() -> None:
    mapping = parse_mapping(SHARED, file_name="m")
    schema = build_schema(mapping)
    tables = pair_tables(job.feeders(compile_plans(mapping), schema), schema)
    assert list(tables) == [("pairs", "a_id", 0), ("pairs", "b_id", 2), ("mails", "one", 2), ("pairs", "a_id", 1)]
    assert len({table.name for table in tables.values()}) == 4
    assert not any(table.in_place for table in tables.values())
    looked_up = [table for table in tables.values() if table.looked_up]
    assert [table.name for table in looked_up] == [table.name for table in pending_tables(mapping) if table.pairs]
    assert [table.junction for table in looked_up] == ["mails"]
    assert len(create_statements(tables, schema)) == 3
