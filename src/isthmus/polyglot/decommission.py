"""What still stands between an application and switching MongoDB off. Writes nothing but temporary tables.

Each thing that is looked at is a `Check`; the plain answer is whether any of them stands in the way.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from isthmus.connect.pooled import refuse_pooled
from isthmus.connect.postgres import connect
from isthmus.mapping import Mapping as MappingModel
from isthmus.mapping import parse_mapping
from isthmus.mapping.tables import build_schema
from isthmus.polyglot.decommission_checks import (
    Check,
    Decommission,
    code_check,
    collections_check,
    documents_check,
    references_check,
    writes_check,
)
from isthmus.polyglot.decommission_copies import copies
from isthmus.polyglot.decommission_documents import compare_documents
from isthmus.polyglot.decommission_homes import homes_check, outbox_check
from isthmus.polyglot.decommission_ledgers import conflicts_check, letters_check
from isthmus.polyglot.decommission_writes import recent_writes
from isthmus.polyglot.named_in_code import look_through
from isthmus.polyglot.reference_counts import fill_documents
from isthmus.polyglot.reference_map import ReferenceMap, reference_map
from isthmus.sources.gone import GoneSource
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options
from isthmus.state.reports import at_work, require_run
from isthmus.state.runs import id_key
from isthmus.state.waiting import Waiting, waiting_references
from isthmus.work.amounts import plural
from isthmus.work.progress import Progress


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at.

    Attributes:
        layers: All layers of a verification.
        minutes: How far to look back for writes.
        address: The source as it was given; of a running server its writes are looked for.
        database: Name of its database; None where the address names it.
        code: Folders of code.
    """

    layers: Collection[str]
    minutes: int
    address: str
    database: str | None = None
    code: Sequence[Path] = ()


def decommission(
    mapping: MappingModel | None,
    source: Source,
    conninfo: str,
    wanted: Wanted,
    *,
    target_name: str = "",
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Decommission:
    """Look at everything that may stand in the way.

    Args:
        mapping: The mapping; None takes the one that the target's newest run was made with.
        source: The MongoDB side; not closed here.
        conninfo: The target, as libpq takes it.
        wanted: What is to be looked at.
        target_name: The target, for people, without secrets.
        options: How to read; with one thread.
        progress: Gets the live numbers.
        stop: Set it to end early.

    Raises:
        Interrupted: `stop` was set.
        TargetError: Nothing was copied there yet (`no-run`), or it cannot be read.
        SourceError: The source cannot be read; or its database is not there, and the newest run read another one.
    """
    options, progress, stop = options or Options(workers=1), progress or Progress(), stop or threading.Event()
    with connect(conninfo, autocommit=True) as connection:
        refuse_pooled(connection, conninfo)
        run = require_run(connection)
        mapping = mapping or parse_mapping(run.mapping_text, file_name="the run's mapping")
        found = Decommission(source.name, target_name, at_work(connection))
        if isinstance(source, GoneSource):
            if (run.source.get("kind"), run.source.get("database")) != (source.kind, source.database):
                raise source.fault
            found.gone, found.answered_by = source.database, source.host
        schema = build_schema(mapping)
        known = copies(connection, schema.schema, mapping.source_collections, wanted.layers)
        there = [info.name for info in source.collections() if info.kind not in {"system", "view"}]
        carried = {name: one for name, one in known.items() if one.complete and name in mapping.source_collections}
        found.checks.append(collections_check(mapping, there, known))
        runs = {name: one.run for name, one in carried.items()}
        key, still = id_key(connection, create=False), {name: run for name, run in runs.items() if name in there}
        changed = compare_documents(mapping, schema, source, connection, still, key, options, progress, stop)
        found.checks.append(documents_check(changed))
        found.checks.append(letters_check(connection, runs))
        found.checks.append(conflicts_check(connection, mapping, runs))
        told = _old_references(mapping, source, connection, runs, options, progress, stop)
        found.checks.append(references_check(told))
        found.checks.append(_pending(waiting_references(connection, run)))
        found.checks += [homes_check(connection), outbox_check(connection)]
    found.checks.append(_writes(wanted, source, there))
    found.checks.append(code_check(look_through(wanted.code), wanted.code))
    return found


def _old_references(
    mapping: MappingModel,
    source: Source,
    connection: psycopg.Connection[Any],
    carried: Collection[str],
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> ReferenceMap:
    """Count the references of collections that stay in MongoDB."""
    told = reference_map(mapping)
    told.documents = [one for one in told.documents if one.site.collection not in carried and one.site.by is None]
    fill_documents(told, mapping, source, connection, options, progress, stop)
    return told


def _pending(found: Sequence[Waiting]) -> Check:
    """What leads nowhere is lost in MongoDB too, so that it is told and is not in the way."""
    waiting = sum(one.count for one in found if not one.lead_nowhere)
    nowhere = sum(one.count for one in found if one.lead_nowhere)
    words = f"{plural(waiting, 'reference')} of rows waiting for a later copy." if waiting else "No reference waits."
    if nowhere:
        words += f" {plural(nowhere, 'reference')} leading to no row that any copy brought."
    return Check(
        "pending",
        bool(waiting),
        words,
        [
            f"{one.table}.{one.column}: {one.count:,} "
            + ("leading to no row of" if one.lead_nowhere else "waiting for rows of")
            + f" {one.points_at}"
            for one in found
        ],
        [asdict(one) for one in found],
    )


def _writes(wanted: Wanted, source: Source, there: Collection[str]) -> Check:
    database = str(source.identity().get("database") or wanted.database or "")
    if source.kind != "live" or not database:
        told = "Whether anybody still writes cannot be told of files."
        return Check("writes", None, told, facts={"known_from": None})
    return writes_check(recent_writes(wanted.address, database, there, wanted.minutes), wanted.minutes)
