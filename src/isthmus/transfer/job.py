"""What all steps of one copy share: the mapping and what follows from it, the two ends, the run."""

from __future__ import annotations

import threading
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import psycopg

from isthmus._rust import IdCodec, Transcoder
from isthmus.connect.postgres import connect, explain
from isthmus.mapping import Mapping
from isthmus.mapping.model import Flow
from isthmus.mapping.plan_tables import PlanTable, plan_tables
from isthmus.mapping.resolutions import Resolutions
from isthmus.mapping.tables import PendingTable, Table, TargetSchema, pending_tables
from isthmus.sources.protocol import Source
from isthmus.state.lease import Lease
from isthmus.state.runs import Run
from isthmus.work.interrupted import Interrupted
from isthmus.work.memory import MIB, MemoryBudget
from isthmus.work.progress import Progress

if TYPE_CHECKING:
    from isthmus.transfer.existing.fit import Existing


@dataclass(frozen=True)
class Options:
    """How a copy may work, apart from the mapping.

    Attributes:
        workers: Threads that read, transcode and load; each has one connection.
        memory_bytes: Budget of all buffers together.
        retry_seconds: How long transient errors are retried before the run stops, resumable.
        fresh: Start over: drop what the last run made.
        id_key: Derive ids with these 32 bytes; None draws a key where the target has none yet.
        only: Entries or source collections to carry; empty for all.
        resolutions: What people answered about the identities of the mapping.
    """

    workers: int = 2
    memory_bytes: int = 192 * MIB
    retry_seconds: float = 60.0
    fresh: bool = False
    id_key: bytes | None = None
    only: tuple[str, ...] = ()
    resolutions: Resolutions = field(default_factory=Resolutions)


@dataclass(frozen=True)
class Feeder:
    """One side of a junction table that arrays of references in the documents of one flow fill.

    Attributes:
        flow: Flow whose documents hold the arrays.
        junction: Junction table.
        own: Column that takes the document's id.
        other: Column that takes the arrays' ids.
        lone: Whether each document has only one such array; see `PlanTable`.
        waiting: Table of the state's schema for pairs whose other end is looked up in finish; None for others.
    """

    flow: Flow
    junction: str
    own: str
    other: str
    lone: bool = True
    waiting: str | None = None

    @property
    def collection(self) -> str:
        """Source collection whose documents hold the arrays."""
        return self.flow.collection


def feeders(plans: ReadOnly[str, str], schema: TargetSchema) -> tuple[Feeder, ...]:
    """Return every side of a junction table that arrays fill, in the order of the plans (collection → JSON)."""
    return tuple(
        Feeder(table.flow, table.name, table.own, table.other, lone=table.lone, waiting=table.waiting)
        for text in plans.values()
        for table in plan_tables(text, schema)
        if table.kind == "junction"
    )


@dataclass
class Job:
    """One copy at work.

    Attributes:
        mapping: The checked mapping.
        schema: Target tables that follow from it.
        plans: Source collection → compiled plan, JSON.
        source: Where documents come from.
        conninfo: Target, as libpq takes it.
        lease: Held by this process.
        run: The run row.
        key: 32 bytes from which ids are derived.
        options: How to work.
        progress: What to tell.
        stop: Set when the user asked to stop.
        enum_oids: Type OIDs of the arrays of enum types, known once the types exist.
        existing: The tables that were there before, of a copy into such; `schema` then is that of its own tables,
            which are delivered from in the end.
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
    existing: Existing | None = None
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
        return feeders(self.plans, self.schema)

    @cached_property
    def pending_tables(self) -> tuple[PendingTable, ...]:
        """Every table of values that wait for finish, in the order of the mapping."""
        return tuple(pending_tables(self.mapping))

    @cached_property
    def _plan_tables(self) -> dict[str, tuple[PlanTable, ...]]:
        return {collection: plan_tables(text, self.schema) for collection, text in self.plans.items()}

    def plan_tables(self, collection: str) -> tuple[PlanTable, ...]:
        """Return the tables of a source collection's plan, of all its flows one after the other."""
        return self._plan_tables[collection]

    def explain(self, fault: psycopg.Error) -> str:
        """Return the server's words about a step; without what may quote a row where a column is sensitive."""
        return explain(fault, values=not self.schema.sensitive)

    def transcoder(self, collection: str) -> Transcoder:
        """Return the transcoder of a source collection, made once and shared by all workers."""
        with self._mutex:
            known = self._transcoders.get(collection)
            if known is None:
                known = Transcoder(self.plans[collection], self.key, self.run.now_us, enum_oids=self.enum_oids)
                self._transcoders[collection] = known
            return known

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection:
        """Open another connection to the target."""
        return connect(self.conninfo, autocommit=autocommit)

    def root_of(self, flow: Flow) -> Table:
        """Return the root table that a flow fills."""
        return self.schema.tables[self.mapping.collections[flow.entry].table]

    def check_stop(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self.stop.is_set():
            raise Interrupted
