"""What all layers look at: one complete run of a target, its mapping, and the target as it stood at one instant.

Opening it refuses what cannot be verified: no run, one that is not complete or at work, another mapping or source.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from isthmus._rust import Transcoder
from isthmus.connect.postgres import connect
from isthmus.errors import ConfigError, MappingError, SourceError, TargetError
from isthmus.mapping import Mapping, parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.plan_tables import PlanTable, plan_tables
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.mapping.things import Things, with_things
from isthmus.sources.optional import with_optional
from isthmus.sources.protocol import Source
from isthmus.state.live_things import as_carried
from isthmus.state.reports import at_work, require_run
from isthmus.state.runs import Run, id_key
from isthmus.verify.hiding import Hiding
from isthmus.verify.stopping import Connections
from isthmus.work.progress import Progress

_TEXT_OID = 25


@dataclass(frozen=True)
class Options:
    """How a verification may work.

    Attributes:
        workers: Threads that read the source, and connections that read the target.
        sample: Documents of each collection that the layer samples converts a second time; None for all.
        retry_seconds: How long a source in trouble is waited for.
        seed: Chooses the sample; the same seed chooses the same documents of the same source.
    """

    workers: int = 2
    sample: int | None = 100
    retry_seconds: float = 60.0
    seed: int = 0


@dataclass(frozen=True)
class History:
    """A mapping that rows came from.

    Attributes:
        mapping: The mapping.
        text: Its file's text, which the oracle reads for itself.
        plans: Source collection → compiled plan, JSON.
    """

    mapping: Mapping
    text: str
    plans: dict[str, str]

    @classmethod
    def of(cls, text: str, mapping: Mapping) -> History:
        """Take a mapping of a run, and its text."""
        return cls(mapping, text, compile_plans(as_loaded(mapping)))


@dataclass
class Subject:
    """One run and its target.

    Attributes:
        mapping: The checked mapping.
        schema: The tables that follow from it, as a copy loads them (hidden columns among them).
        run: The run.
        key: 32 bytes from which ids are derived.
        source: Where the documents come from.
        connection: To the target, in a transaction that sees one instant; for one thread at a time.
        conninfo: The same target for further connections.
        snapshot: Lets these see the same instant.
        options: How to work.
        histories: The mappings that rows came from: the one the run began with, then those with which its dead letters
            were tried again.
        connections: All that are open, so that a stop can cancel what they do.
        progress: Gets the live numbers.
    """

    mapping: Mapping
    schema: TargetSchema
    run: Run
    key: bytes
    source: Source
    connection: psycopg.Connection[Any]
    conninfo: str
    snapshot: str
    options: Options
    histories: tuple[History, ...]
    connections: Connections = field(default_factory=Connections)
    progress: Progress = field(default_factory=Progress)

    @property
    def existing(self) -> bool:
        """Whether the tables are somebody else's."""
        return self.mapping.target.tables == "existing"

    @cached_property
    def hiding(self) -> Hiding:
        """What its differences may show."""
        return Hiding(self.schema)

    @cached_property
    def enum_oids(self) -> dict[str, int]:
        """Name of each enum type, as plans spell it, → OID of the type; of text for tables that were there before."""
        if self.existing:
            return {f"{self.schema.schema}.{name}": _TEXT_OID for name in self.schema.enums}
        rows = self.connection.execute(
            "SELECT typname, oid::bigint FROM pg_type WHERE typtype = 'e' AND typnamespace = to_regnamespace(%s)",
            (sql.Identifier(self.schema.schema).as_string(self.connection),),
        )
        return {f"{self.schema.schema}.{name}": oid for name, oid in rows}

    def plan_tables(self, collection: str) -> tuple[PlanTable, ...]:
        """Return the tables of a source collection's plan, of all its flows one after the other."""
        return plan_tables(self.histories[0].plans[collection], self.schema)

    def transcoders(self, collection: str) -> list[Transcoder]:
        """Return what makes rows of a collection's documents, as the copy and its retries did, one after the other."""
        return [
            Transcoder(one.plans[collection], self.key, self.run.now_us, enum_oids=self.enum_oids)
            for one in self.histories
        ]

    @contextmanager
    def another_connection(self) -> Generator[psycopg.Connection[Any]]:
        """Open another connection that sees the same instant."""
        connection = connect(self.conninfo)
        self.connections.add(connection)
        try:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self.snapshot)))
            yield connection
        finally:
            self.connections.close(connection)


@contextmanager
def open_subject(
    mapping: Mapping, source: Source, conninfo: str, options: Options, mapping_text: str = ""
) -> Generator[Subject]:
    """Open what is to be verified; nothing is written. The mapping's file, if it is given, says how it differs.

    Raises:
        TargetError: No run (`no-run`), one that is not complete (`not-complete`), or one at work (`lease-held`); or
            some of what it carried was taken back (`partly-undone`).
        ConfigError: The run was made with another mapping (`mapping-changed`), or other answers (`other-answers`).
        SourceError: The run was made from another source (`source-differs`).
        TargetError: The mappings that the target keeps are not those that the run was made with (`state-broken`).
    """
    with ExitStack() as stack:
        connection = connect(conninfo)
        stack.callback(connection.close)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        run = require_run(connection)
        mapping = as_carried(connection, mapping)
        _refuse(run, mapping, mapping_text, source, at_work(connection))
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101  it always gives one
        subject = Subject(
            mapping=mapping,
            schema=build_schema(as_loaded(mapping)),
            run=run,
            key=id_key(connection, create=False),
            source=with_optional(source, mapping.optional_collections),
            connection=connection,
            conninfo=conninfo,
            snapshot=row[0],
            options=options,
            histories=_histories(run, mapping, mapping_text),
        )
        subject.connections.add(connection)
        yield subject


def _histories(run: Run, mapping: Mapping, mapping_text: str) -> tuple[History, ...]:
    """Return the mappings that rows came from, each as it was given if it was, else as the target keeps it.

    Raises:
        TargetError: A text that is kept is not the mapping it is kept for (`state-broken`).
    """
    kept = [(run.fingerprint, run.mapping_text)]
    kept += [(str(retry["fingerprint"]), str(retry["mapping_text"])) for retry in run.retries]
    found: dict[str, History] = {}
    for number, (fingerprint, text) in enumerate(kept):
        one = History.of(text, _read_kept(run, fingerprint, text, number, mapping.things))
        if mapping_text and fingerprint == mapping.fingerprint:
            one = History.of(mapping_text, mapping)
        found.setdefault(fingerprint, one)
    return tuple(found.values())


def _read_kept(run: Run, fingerprint: str, text: str, number: int, things: Things | None) -> Mapping:
    """Read a mapping that the target keeps: of the run, or of its retry with this number, from 1."""
    why = ""
    try:
        mapping = parse_mapping(text)
        if things is not None and mapping.identities:
            mapping = with_things(mapping, things)
    except MappingError as fault:
        why = f": {fault.message.removesuffix('.')}"
    else:
        if mapping.fingerprint == fingerprint:
            return mapping
    of = f"run {run.id}" if not number else f"retry {number} of run {run.id}"
    raise TargetError(
        f"The mapping that the target keeps for {of} is not the one with the fingerprint beside it"
        f" ({fingerprint[:12]}){why}. What the rows came from is not known, so nothing can be verified.",
        code="state-broken",
        hint="Somebody changed the table isthmus.run: restore the target from a backup, or start over with isthmus copy"
        " --fresh.",
    )


def _refuse(run: Run, mapping: Mapping, mapping_text: str, source: Source, holder: str | None) -> None:
    if holder is not None:
        raise TargetError(
            f"Another isthmus is writing to this target (holder: {holder}).",
            code="lease-held",
            hint="Wait for it to end, then verify.",
        )
    if run.stage != "complete":
        raise TargetError(
            f"Run {run.id} of this target is not complete (stage: {run.stage}).",
            code="not-complete",
            hint="Run the same isthmus copy again: it goes on where it stopped. Then verify.",
        )
    run.refuse_undone()
    if mapping.fingerprint not in run.fingerprints:
        if mapping.things is not None and mapping_text in run.mapping_texts:
            raise ConfigError(
                f"Run {run.id} of this target was made when other answers about its identities were in force.",
                code="other-answers",
                hint="Copy again with the answers of now, then verify.",
            )
        raise ConfigError(
            f"Run {run.id} of this target was made with another mapping."
            f"{f' {run.differs_in_mapping(mapping_text)}' if mapping_text else ''}",
            code="mapping-changed",
            hint="Verify with the mapping the target was copied with; to copy with this one, start over with"
            " isthmus copy --fresh.",
        )
    told = run.differs_from(source.identity())
    if told is not None:
        raise SourceError(
            f"Run {run.id} of this target was made from another source ({told}).",
            code="source-differs",
            hint="Give the source that was copied.",
        )
