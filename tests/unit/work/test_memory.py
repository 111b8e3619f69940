"""The byte budget: batches stay in their share, large documents wait for room and none waits for ever."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.work.memory import EXPANSION, LARGEST_BATCH_BYTES, MIB, SMALLEST_BATCH_BYTES, MemoryBudget


@given(st.integers(0, 1 << 34), st.integers(1, 64))
def test_ordinary_batches_of_all_workers_fit_into_the_budget(total: int, workers: int) -> None:
    budget = MemoryBudget(total, workers)
    assert SMALLEST_BATCH_BYTES <= budget.batch_bytes <= LARGEST_BATCH_BYTES
    if budget.batch_bytes > SMALLEST_BATCH_BYTES:
        assert workers * budget.batch_bytes * EXPANSION <= total


def test_large_document_waits_until_another_gave_its_room_back() -> None:
    budget = MemoryBudget(200 * MIB, 2)
    stop = threading.Event()
    first = budget.grow(15 * MIB, stop)
    assert first == 15 * MIB * EXPANSION
    got: list[int] = []
    waiter = threading.Thread(target=lambda: got.append(budget.grow(15 * MIB + 20 * MIB, stop)))
    waiter.start()
    waiter.join(timeout=0.1)
    assert waiter.is_alive()
    budget.shrink(first)
    waiter.join(timeout=5)
    assert len(got) == 1


def test_document_larger_than_the_budget_is_let_through_alone() -> None:
    budget = MemoryBudget(32 * MIB, 1)
    stop = threading.Event()
    reserved = budget.grow(16 * MIB, stop)
    assert 0 < reserved < 16 * MIB * EXPANSION
    budget.shrink(reserved)
    assert budget.grow(16 * MIB, stop) == reserved


def test_large_documents_go_one_after_the_other_where_there_is_no_room_to_spare() -> None:
    budget = MemoryBudget(1 * MIB, 16)
    stop = threading.Event()
    reserved = budget.grow(15 * MIB, stop)
    waiter = threading.Thread(target=lambda: budget.shrink(budget.grow(15 * MIB, stop)))
    waiter.start()
    waiter.join(timeout=0.1)
    assert waiter.is_alive()
    budget.shrink(reserved)
    waiter.join(timeout=5)
    assert not waiter.is_alive()


def test_stop_ends_the_waiting() -> None:
    budget = MemoryBudget(32 * MIB, 1)
    stop = threading.Event()
    budget.grow(16 * MIB, stop)  # all the room there is
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    budget.grow(16 * MIB, stop)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("workers", [2, 16])
def test_many_workers_never_hold_more_than_the_room_and_all_come_through(workers: int) -> None:
    budget = MemoryBudget(192 * MIB, workers)
    stop, mutex = threading.Event(), threading.Lock()
    held, most, done = 0, 0, 0

    def work() -> None:
        nonlocal held, most, done
        for _ in range(20):
            reserved = budget.grow(15 * MIB, stop)
            with mutex:
                held += reserved
                most = max(most, held)
            with mutex:
                held -= reserved
            budget.shrink(reserved)
        with mutex:
            done += 1

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert done == workers
    assert most <= 192 * MIB
