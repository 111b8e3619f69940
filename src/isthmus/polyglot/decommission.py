"""What still stands between an application and switching MongoDB off. Writes nothing but temporary tables.

Each thing that is looked at is a `Check`; the plain answer is whether any of them stands in the way.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
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
from isthmus.polyglot.decommission_copies import copies, statement
from isthmus.polyglot.decommission_documents import compare_documents
from isthmus.polyglot.decommission_writes import recent_writes
from isthmus.polyglot.named_in_code import look_through
from isthmus.polyglot.reference_counts import fill_documents
from isthmus.polyglot.reference_map import ReferenceMap, reference_map
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options
from isthmus.state.reports import at_work, require_run, waiting_references
from isthmus.state.runs import id_key
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
        SourceError: The source cannot be read.
    """
    options, progress, stop = options or Options(workers=1), progress or Progress(), stop or threading.Event()
    with connect(conninfo, autocommit=True) as connection:
        refuse_pooled(connection, conninfo)
        run = require_run(connection)
        mapping = mapping or parse_mapping(run.mapping_text, file_name="the run's mapping")
        found = Decommission(source.name, target_name, at_work(connection))
        schema = build_schema(mapping)
        known = copies(connection, schema.schema, mapping.source_collections, wanted.layers)
        there = [info.name for info in source.collections() if info.kind not in {"system", "view"}]
        carried = {name: one for name, one in known.items() if one.complete and name in mapping.source_collections}
        found.checks.append(collections_check(mapping, there, known))
        runs = {name: one.run for name, one in carried.items()}
        key, still = id_key(connection, create=False), {name: run for name, run in runs.items() if name in there}
        changed = compare_documents(mapping, schema, source, connection, still, key, options, progress, stop)
        found.checks.append(documents_check(changed))
        found.checks.append(_letters(connection, runs))
        found.checks.append(_conflicts(connection, mapping, runs))
        told = _old_references(mapping, source, connection, runs, options, progress, stop)
        found.checks.append(references_check(told))
        found.checks.append(_pending(connection, schema.schema))
    found.checks.append(_writes(wanted, source, there))
    found.checks.append(code_check(look_through(wanted.code), wanted.code))
    return found


def _letters(connection: psycopg.Connection[Any], runs: ReadOnly[str, int]) -> Check:
    given = {"runs": list(runs.values()), "collections": list(runs)}
    rows = [
        (str(collection), str(code), int(count))
        for collection, code, count in connection.execute(statement("letters"), given).fetchall()
    ]
    total = sum(count for _, _, count in rows)
    return Check(
        "letters",
        bool(total),
        f"{plural(total, 'dead letter')} unanswered." if total else "No dead letter is unanswered.",
        [f"{collection}: {count:,} {code}" for collection, code, count in rows],
        [{"collection": collection, "code": code, "count": count} for collection, code, count in rows],
    )


def _conflicts(connection: psycopg.Connection[Any], mapping: MappingModel, runs: ReadOnly[str, int]) -> Check:
    """Say which rows were kept by a default; a policy that the mapping states is an answer."""
    open_ones = {
        name: run
        for name, run in runs.items()
        if not all(mapping.collections[flow.entry].conflict_stated for flow in mapping.flows_of(name))
    }
    given = {"runs": list(open_ones.values()), "collections": list(open_ones)}
    rows = [(str(name), int(count)) for name, count in connection.execute(statement("conflicts"), given).fetchall()]
    row = connection.execute(statement("knows_identities")).fetchone()
    if row and row[0]:
        found = connection.execute(statement("identity_conflicts")).fetchall()
        rows += [(f"identity {name}", int(count)) for name, count in found]
    total = sum(count for _, count in rows)
    told = "No conflict is unanswered."
    if total:
        told = f"{plural(total, 'conflict')} unanswered: rows kept by a default, or documents that may be one thing."
    return Check("conflicts", bool(total), told, [f"{name}: {count:,}" for name, count in rows], dict(rows))


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


def _pending(connection: psycopg.Connection[Any], schema: str) -> Check:
    rows = waiting_references(connection, schema)
    total = sum(count for *_, count in rows)
    return Check(
        "pending",
        bool(total),
        f"{plural(total, 'reference')} of rows waiting for a later copy." if total else "No reference of a row waits.",
        [f"{table}.{column}: {count:,} waiting for rows of {to}" for table, column, to, count in rows],
        [{"table": t, "column": c, "points_at": to, "count": n} for t, c, to, n in rows],
    )


def _writes(wanted: Wanted, source: Source, there: Collection[str]) -> Check:
    database = str(source.identity().get("database") or wanted.database or "")
    if source.kind != "live" or not database:
        told = "Whether anybody still writes cannot be told of files."
        return Check("writes", None, told, facts={"known_from": None})
    return writes_check(recent_writes(wanted.address, database, there, wanted.minutes), wanted.minutes)
