"""Fill a map of references in: how many values stand at each path of documents, and how they are written."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from typing import Any

import psycopg

from isthmus.connect.real_columns import read_there
from isthmus.connect.temporary import needing_temporary_tables
from isthmus.mapping import Mapping
from isthmus.polyglot.audit_documents import Reader, Shapes, Takes
from isthmus.polyglot.audit_goals import Goals
from isthmus.polyglot.audit_spool import Met, Spool
from isthmus.polyglot.reference_map import ReferenceMap, Written
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.state.migrate import state_exists
from isthmus.state.runs import id_key, latest_run
from isthmus.work.amounts import plural
from isthmus.work.progress import Progress


def fill_documents(
    told: ReferenceMap,
    mapping: Mapping,
    source: Source,
    connection: psycopg.Connection[Any] | None,
    options: Options,
    progress: Progress,
    stop: threading.Event,
) -> None:
    """Count the values at each path, and how they are written.

    Args:
        told: The map; filled in.
        mapping: The mapping.
        source: The documents.
        connection: The target, in autocommit mode, which tells ids of rows from other texts; gets temporary tables.
            None, or one that nothing was copied to: the shape of a text decides.
        options: How to read; with one thread.
        progress: Gets the live numbers.
        stop: Set it to end early.

    Raises:
        Interrupted: `stop` was set.
        SourceError, TargetError: One of them cannot be read.
    """
    listed = {info.name: info for info in source.collections()}
    asked = [one.site for one in told.documents]
    names = [name for name in dict.fromkeys(site.collection for site in asked) if name in listed]
    names = [name for name in names if listed[name].readable]
    absent = [name for name in dict.fromkeys(site.collection for site in asked) if name not in listed]
    if absent:
        told.notes.append(f"Not in the source: {', '.join(absent)}.")
    for name in names:
        progress.expect(name, bytes_total=listed[name].bytes_total, bytes_done=0, documents=0, dead_letters=0)
    progress.stage("reading the source")
    known = connection is not None and state_exists(connection) and latest_run(connection) is not None
    key = id_key(connection, create=False) if connection is not None and known else bytes(32)
    goals = Goals(mapping, [one for site in asked for one in site.pointers], key)
    takes: Takes = Shapes(asked)
    if connection is not None and known:
        with needing_temporary_tables("Values of documents and ids of rows", "leave --target out"):
            there = read_there(connection, told.schema, told.tables)
            takes = Spool(connection, told.schema, there, goals, asked)

    def reader(name: str) -> Reader:
        mine = [(number, site) for number, site in enumerate(asked) if site.collection == name]
        return Reader(takes, goals, mapping, name, mine, ())

    makers = {name: partial(reader, name) for name in names}
    for name, counted in read_all(source, makers, options, progress, stop).items():
        told.counts[name] = counted.counter.documents
        told.notes += [f"{name} could not be read to its end: {why}" for why in counted.broken]
    if isinstance(takes, Spool):
        takes.send()
    for name, digests in takes.unreadable.items():
        told.notes.append(f"{plural(len(digests), 'document')} of {name} could not be read.")
    told.source = source.name
    for one, met in zip(told.documents, takes.met, strict=True):
        one.documents, one.written = met.documents, _written(met, asked=isinstance(takes, Spool))


def _written(met: Met, *, asked: bool) -> Counter[Written]:
    """Return how the values of a site are written.

    An id of the target is what the target says is one, or, where it was not asked, what looks like one. 24 digits that
    are an id of the target count as that.
    """
    own = met.own if asked else Counter({"id": met.forms["id"]})
    rest = met.forms - own
    return Counter(
        {
            "object_id": rest["object_id"],
            "hex": rest["hex"],
            "rewritten": own.total(),
            "other": rest["id"] + rest["other"],
        }
    )
