"""What a copy was asked for, with what follows from it before there is a run. Pure."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.mapping.things import Things, with_things
from isthmus.sources.protocol import Source
from isthmus.state.lease import Lease
from isthmus.state.runs import Run
from isthmus.transfer.existing.only import chosen
from isthmus.transfer.job import Job, Options
from isthmus.work.progress import Progress


@dataclass(frozen=True)
class Task:
    """What the caller asked for, with what follows from the mapping alone; its attributes are explained at `Job`."""

    mapping: Mapping
    mapping_text: str
    schema: TargetSchema
    plans: dict[str, str]
    source: Source
    conninfo: str
    options: Options
    progress: Progress
    stop: threading.Event

    def carrying(self, things: Things | None) -> Task:
        """Return it with what the identities of its mapping came to."""
        if things is None:
            return self
        mapping = with_things(self.mapping, things)
        loaded = as_loaded(mapping)
        plans = chosen(mapping, compile_plans(loaded), self.options.only)
        return replace(self, mapping=mapping, schema=build_schema(loaded), plans=plans)

    def job(self, lease: Lease, run: Run, key: bytes) -> Job:
        """Return what the steps of a run share."""
        return Job(
            self.mapping,
            self.schema,
            self.plans,
            self.source,
            self.conninfo,
            lease,
            run,
            key,
            self.options,
            self.progress,
            self.stop,
        )
