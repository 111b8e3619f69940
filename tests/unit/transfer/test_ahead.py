"""Batches prepared ahead: their order, how far ahead, what happens to errors and to reservations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from isthmus._rust import Batch
from isthmus.errors import SourceError
from isthmus.sources.protocol import Block
from isthmus.transfer.loading.ahead import Ahead
from isthmus.work.memory import EXPANSION, MIB, MemoryBudget

Grow = Callable[[int], None]


def blocks(
    count: int, begun: list[int], fault: Exception | None = None, size: int = 0
) -> Callable[[Grow], Iterator[Block]]:
    def read(grow: Grow) -> Iterator[Block]:
        for number in range(count):
            if size:
                grow(size)
            begun.append(number)
            yield Block(bytes([number]), bytes([number]), bytes([number + 1]))
        if fault is not None:
            raise fault

    return read


def transcode(documents: bytes) -> Batch:
    return cast("Batch", documents)  # what a batch is does not matter here


def settled(begun: list[int]) -> list[int]:
    """Return what was begun once nothing more begins for a while."""
    known = -1
    while len(begun) != known:
        known = len(begun)
        time.sleep(0.05)
    return begun


def test_take_gives_every_batch_in_order_and_then_none() -> None:
    with Ahead(blocks(20, []), transcode, MemoryBudget(64 * MIB, 1), "ahead") as ahead:
        found = [ahead.take() for _ in range(20)]
        assert [one.block.data[0] for one in found if one is not None] == list(range(20))
        assert ahead.take() is None


def test_take_prepares_one_batch_ahead_and_no_more() -> None:
    begun: list[int] = []
    with Ahead(blocks(20, begun), transcode, MemoryBudget(64 * MIB, 1), "ahead") as ahead:
        assert settled(begun) == [0]
        ahead.take()
        assert settled(begun) == [0, 1]


def test_source_error_comes_after_every_batch_before_it() -> None:
    fault = SourceError("It breaks.", code="broken-framing")
    with Ahead(blocks(3, [], fault), transcode, MemoryBudget(64 * MIB, 1), "ahead") as ahead:
        for _ in range(3):
            assert ahead.take() is not None
        with pytest.raises(SourceError, match="It breaks"):
            ahead.take()


def test_leaving_early_ends_the_thread_and_gives_reservations_back() -> None:
    budget = MemoryBudget(64 * MIB, 1)
    whole = budget.grow(64 * MIB, threading.Event())
    budget.shrink(whole)
    with Ahead(blocks(20, [], size=whole // EXPANSION), transcode, budget, "ahead-left-early") as ahead:
        taken = ahead.take()
        assert taken is not None
        assert taken.reserved_bytes > 0
        ahead.done(taken)
    assert all(thread.name != "ahead-left-early" for thread in threading.enumerate())
    assert budget.grow(64 * MIB, threading.Event()) == whole, "waits for ever when something is still reserved"


def test_large_document_waits_until_the_one_before_it_is_carried() -> None:
    begun: list[int] = []
    budget = MemoryBudget(64 * MIB, 1)
    with Ahead(blocks(3, begun, size=64 * MIB), transcode, budget, "ahead") as ahead:
        first = ahead.take()
        assert first is not None
        assert settled(begun) == [0]
        ahead.done(first)
        assert ahead.take() is not None
        assert begun[:2] == [0, 1]


@pytest.mark.parametrize("workers", [1, 2, 4, 16, 64])
@pytest.mark.parametrize("total", [32 * MIB, 192 * MIB, 1024 * MIB])
def test_budget_leaves_room_for_large_documents_beside_every_workers_batches(workers: int, total: int) -> None:
    budget = MemoryBudget(total, workers)
    ordinary = workers * 2 * budget.batch_bytes * EXPANSION
    spare = budget.grow(1 << 40, threading.Event())
    assert spare >= 1
    if budget.batch_bytes > 128 * 1024:
        assert ordinary + spare <= total
        assert spare >= total // 3 - 1
