"""What all steps of one copy share: the mapping and what follows from it, the two ends, the run."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import psycopg

from isthmus._rust import IdCodec, Transcoder
from isthmus.connect.postgres import connect, explain
from isthmus.mapping import Mapping
from isthmus.mapping.tables import Table, TargetSchema
from isthmus.sources.protocol import Source
from isthmus.state.lease import Lease
from isthmus.state.runs import Run
from isthmus.transfer.memory import MIB, MemoryBudget
from isthmus.transfer.progress import Progress

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Interrupted(Exception):  # noqa: N818  not an error: the user asked for it
    """The user asked to stop; what was committed is kept."""


@dataclass(frozen=True)
class Options:
    """How a copy may work, apart from the mapping.

    Attributes:
        workers: Threads that read, transcode and load; each has one connection.
        memory_bytes: Budget of all buffers together.
        retry_seconds: How long transient errors are retried before the run stops, resumable.
        fresh: Start over: drop what the last run made.
        id_key: Derive ids with these 32 bytes; None draws a key where the target has none yet.
    """

    workers: int = 2
    memory_bytes: int = 192 * MIB
    retry_seconds: float = 60.0
    fresh: bool = False
    id_key: bytes | None = None


@dataclass(frozen=True)
class Feeder:
    """One side of a junction table that arrays of references fill.

    Attributes:
        collection: Collection whose documents hold the arrays.
        junction: Junction table.
        own: Column that takes the document's id.
        other: Column that takes the arrays' ids.
        lone: Whether each document has only one such array, so that it cannot name a pair twice (within one array the
            core folds repetitions). Not so for several fields, nor for an array inside a child table.
    """

    collection: str
    junction: str
    own: str
    other: str
    lone: bool = True


def feeders(plans: ReadOnly[str, str]) -> tuple[Feeder, ...]:
    """Return every side of a junction table that arrays fill, in the order of the plans (collection → JSON)."""
    found: list[Feeder] = []
    for collection, text in plans.items():
        plan = json.loads(text)
        for number, table in enumerate(plan["tables"]):
            if table["kind"] == "junction":
                roles = {column["role"]: column["name"] for column in table["columns"]}
                lone = _is_lone_array(plan["fields"], number)
                found.append(Feeder(collection, table["name"], roles["own"], roles["other"], lone=lone))
    return tuple(found)


def _is_lone_array(fields: list[dict[str, Any]], table: int) -> bool:
    """Tell whether exactly one field at the root of the document fills a table of the plan."""
    at_root = sum(field["do"] == "junction" and field["table"] == table for field in fields)
    below = any(not _is_unused(field["fields"], table) for field in fields if field["do"] == "child")
    return at_root == 1 and not below


def _is_unused(fields: list[dict[str, Any]], table: int) -> bool:
    return all(
        _is_unused(field["fields"], table) if field["do"] == "child" else field["table"] != table
        for field in fields
        if field["do"] in {"child", "junction"}
    )


@dataclass
class Job:
    """One copy at work.

    Attributes:
        mapping: The checked mapping.
        schema: Target tables that follow from it.
        plans: Collection → compiled plan, JSON.
        source: Where documents come from.
        conninfo: Target, as libpq takes it.
        lease: Held by this process.
        run: The run row.
        key: 32 bytes from which ids are derived.
        options: How to work.
        progress: What to tell.
        stop: Set when the user asked to stop.
        enum_oids: Type OIDs of the arrays of enum types, known once the types exist.
    """

    mapping: Mapping
    schema: TargetSchema
    plans: ReadOnly[str, str]
    source: Source
    conninfo: str
    lease: Lease
    run: Run
    key: bytes
    options: Options
    progress: Progress
    stop: threading.Event = field(default_factory=threading.Event)
    enum_oids: dict[str, int] = field(default_factory=dict[str, int])
    _transcoders: dict[str, Transcoder] = field(default_factory=dict[str, Transcoder])
    _mutex: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def budget(self) -> MemoryBudget:
        """The byte budget of all workers."""
        return MemoryBudget(self.options.memory_bytes, self.options.workers)

    @cached_property
    def codec(self) -> IdCodec:
        """Derives and reverses ids with this target's key."""
        return IdCodec(self.key)

    @cached_property
    def feeders(self) -> tuple[Feeder, ...]:
        """Every side of a junction table that arrays fill, in the order of the mapping."""
        return feeders(self.plans)

    def explain(self, fault: psycopg.Error) -> str:
        """Return the server's words about a step; without what may quote a row where a column is sensitive."""
        return explain(fault, values=not self.schema.sensitive)

    def transcoder(self, collection: str) -> Transcoder:
        """Return the transcoder of a collection, made once and shared by all workers."""
        with self._mutex:
            known = self._transcoders.get(collection)
            if known is None:
                now_us = (self.run.started_at - _EPOCH) // timedelta(microseconds=1)
                known = Transcoder(self.plans[collection], self.key, now_us, enum_oids=self.enum_oids)
                self._transcoders[collection] = known
            return known

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection:
        """Open another connection to the target."""
        return connect(self.conninfo, autocommit=autocommit)

    def root_table(self, collection: str) -> Table:
        """Return the root table of a collection."""
        for table in self.schema.tables.values():
            if table.kind == "root" and table.collection == collection:
                return table
        raise KeyError(collection)

    def check_stop(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self.stop.is_set():
            raise Interrupted
