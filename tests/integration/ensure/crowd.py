"""Processes that call `ensure` at one instant, many times each: half of them with threads, half with tasks.

`python -m tests.integration.ensure.crowd URL DATABASE threads|tasks` is one of them. It reads a round from each line of
its input, and writes a line with what its calls came to.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, MongoClient

from isthmus.errors import IsthmusError
from isthmus.polyglot.ensure import Belonging, Ensured, ensure, ensure_async

ROOT = Path(__file__).parents[3]
BELONGING = Belonging("userId", email="contact.email")
PROCESSES, CALLS = 4, 13
_BEGINS_AFTER_SECONDS = 0.15


@dataclass(frozen=True)
class Came:
    """What one call came to.

    Attributes:
        reference: For whom it was.
        how: Of `Ensured`, or the code of an error.
        document: `_id` of its document, as text.
        others: Of `Ensured`, as texts.
    """

    reference: str
    how: str
    document: str | None
    others: tuple[str, ...]


class Crowd:
    """The processes.

    Args:
        processes: They.
    """

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes

    @property
    def size(self) -> int:
        """How many calls there are in a round."""
        return PROCESSES * CALLS

    def round(self, collection: str, calls: list[dict[str, Any]]) -> list[Came]:
        """Make calls at one instant; the first of them in the first process, the next in the second, and so on.

        Args:
            collection: Where.
            calls: Of each: `reference`, `email` (None: none), and whether it `creates`.
        """
        at = time.time() + _BEGINS_AFTER_SECONDS
        for number, process in enumerate(self._processes):
            assert process.stdin is not None
            share = calls[number::PROCESSES]
            process.stdin.write(json.dumps({"collection": collection, "at": at, "calls": share}) + "\n")
            process.stdin.flush()
        found: list[Came] = []
        for process in self._processes:
            assert process.stdout is not None
            for one in json.loads(process.stdout.readline()):
                found.append(Came(one["reference"], one["how"], one["document"], tuple(one["others"])))
        return found


@contextmanager
def crowd(url: str, database: str) -> Iterator[Crowd]:
    """Start the processes, and end them."""
    processes: list[subprocess.Popen[str]] = []
    try:
        for number in range(PROCESSES):
            face = "tasks" if number % 2 else "threads"
            command = [sys.executable, "-m", "tests.integration.ensure.crowd", url, database, face]
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            )
        yield Crowd(processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _told(reference: str, found: Ensured[Any] | IsthmusError) -> dict[str, Any]:
    if isinstance(found, IsthmusError):
        return {"reference": reference, "how": found.code, "document": None, "others": []}
    document = None if found.document is None else str(found.document["_id"])
    return {
        "reference": reference,
        "how": found.how,
        "document": document,
        "others": [str(one) for one in found.others],
    }


def _given(call: dict[str, Any]) -> dict[str, Any]:
    document = {"contact": {"email": call["email"]}, "made": True}
    return {"email": call["email"], "create": (lambda: document) if call["creates"] else None}


def _threads(url: str, database: str) -> None:
    client = MongoClient[dict[str, Any]](url)
    pool = ThreadPoolExecutor(CALLS)

    def one(call: dict[str, Any], collection: str, at: float) -> dict[str, Any]:
        time.sleep(max(0.0, at - time.time()))
        try:
            return _told(
                call["reference"], ensure(client[database][collection], BELONGING, call["reference"], **_given(call))
            )
        except IsthmusError as fault:
            return _told(call["reference"], fault)

    for line in sys.stdin:
        heard = json.loads(line)
        calls = [pool.submit(one, call, heard["collection"], heard["at"]) for call in heard["calls"]]
        print(json.dumps([call.result() for call in calls]), flush=True)


async def _tasks(url: str, database: str) -> None:
    client = AsyncMongoClient[dict[str, Any]](url)

    async def one(call: dict[str, Any], collection: str, at: float) -> dict[str, Any]:
        await asyncio.sleep(max(0.0, at - time.time()))
        try:
            found = await ensure_async(client[database][collection], BELONGING, call["reference"], **_given(call))
        except IsthmusError as fault:
            return _told(call["reference"], fault)
        return _told(call["reference"], found)

    for line in sys.stdin:
        heard = json.loads(line)
        found = await asyncio.gather(*(one(call, heard["collection"], heard["at"]) for call in heard["calls"]))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    if sys.argv[3] == "threads":
        _threads(sys.argv[1], sys.argv[2])
    else:
        asyncio.run(_tasks(sys.argv[1], sys.argv[2]))
