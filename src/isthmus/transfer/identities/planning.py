"""A dry run: who would be one with whom, kept apart from everything that carries documents."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from isthmus.connect.postgres import connect
from isthmus.errors import ConfigError
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.resolutions import Resolutions
from isthmus.sources.optional import with_optional
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options as ReadingOptions
from isthmus.state.lease import Lease
from isthmus.state.migrate import check_state, migrate
from isthmus.state.runs import id_key
from isthmus.transfer.beginning.preflight import check_server, check_source, raise_findings
from isthmus.transfer.identities.finding import find_out
from isthmus.transfer.identities.found import Found
from isthmus.transfer.identities.keeping import keep
from isthmus.transfer.identities.live import Told
from isthmus.transfer.identities.reading import Reading
from isthmus.work.progress import Progress


@dataclass(frozen=True)
class Options:
    """How a plan may work.

    Attributes:
        workers: Threads that read.
        retry_seconds: How long a source in trouble is waited for.
        id_key: Derive ids with these 32 bytes; None draws a key where the target has none yet.
    """

    workers: int = 2
    retry_seconds: float = 60.0
    id_key: bytes | None = None


def plan_identities(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    resolutions: Resolutions,
    *,
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> list[Found]:
    """Find out who would be one with whom, and keep it as the dry-run maps of a target.

    Writes to the state of the target only, under the run lease; makes that state and the id key where there is none.
    Safe to repeat: the same documents and answers give the same maps.

    Args:
        mapping: The checked mapping.
        source: Where documents come from; not closed here.
        conninfo: Target, as libpq takes it.
        resolutions: The answers so far.
        options: How to work.
        progress: Gets the live numbers.
        stop: Set it to end.

    Returns:
        What each identity came to.

    Raises:
        ConfigError: The mapping has no identities (code `no-identities`).
        Interrupted: The user asked to stop; nothing was kept.
        IsthmusError: The source or the target cannot be used.
        psycopg.Error: The server failed; what the plan before kept is still there.
    """
    if not mapping.identities:
        raise ConfigError(
            "The mapping has no identities.",
            code="no-identities",
            hint="Say in the mapping which documents may be one thing (`identities`).",
        )
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    source = with_optional(source, mapping.optional_collections)
    parts = {one.collection for identity in mapping.identities.values() for one in identity.sources}
    source.tell(progress.note)
    progress.stage("preflight")
    against = [one for one in check_source(mapping, source) if one.problem.where.collection in parts]
    lease = Lease(conninfo)
    lease.acquire()
    try:
        check_state(lease.connection)
        raise_findings(check_server(lease.connection) + against)
        migrate(lease.connection)
        key = id_key(lease.connection, create=True, given=options.id_key)
        progress.stage("identities")
        reading = Reading(
            mapping,
            compile_plans(as_loaded(mapping)),
            source,
            key,
            ReadingOptions(workers=options.workers, retry_seconds=options.retry_seconds),
            Told(progress),
            stop,
        )
        found: list[Found] = []
        with connect(conninfo, autocommit=True) as connection:
            for name in mapping.identities:
                found.append(find_out(reading, name, resolutions, connection))
                keep(connection, found[-1], "dry-run", source.name)
        return found
    finally:
        lease.release()
