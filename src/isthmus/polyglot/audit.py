"""Find every reference that leads nowhere, in documents and in rows. Writes nothing but temporary tables."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from isthmus.connect.pooled import refuse_pooled
from isthmus.connect.postgres import connect, first_number
from isthmus.connect.real_columns import There, read_there
from isthmus.connect.temporary import needing_temporary_tables
from isthmus.mapping import Mapping
from isthmus.mapping.tables import TargetSchema, build_schema
from isthmus.polyglot.audit_documents import Reader, Share
from isthmus.polyglot.audit_goals import Goals
from isthmus.polyglot.audit_result import MOST_LISTED, Audit, Dangling, Place
from isthmus.polyglot.audit_rows import RowCheck, Rows, RowSite, row_sites
from isthmus.polyglot.audit_spool import Spool, statement
from isthmus.polyglot.rewrite.documents import as_id
from isthmus.polyglot.sites import Site, sites
from isthmus.sources.protocol import Source
from isthmus.sources.reading import Options, read_all
from isthmus.state.reports import at_work, require_run
from isthmus.state.rewrites import knows_rewrites
from isthmus.state.runs import id_key
from isthmus.state.source_ids import show
from isthmus.work.hidden import HIDDEN
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress


def audit_references(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    *,
    target_name: str = "",
    options: Options | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Audit:
    """Hold every reference of documents and rows against the documents and rows that there are.

    Reads both databases; memory depends on neither the number of references nor that of documents.

    Args:
        mapping: A checked mapping: it says where references stand.
        source: The documents; not closed here.
        conninfo: The target, as libpq takes it.
        target_name: The target, for people, without secrets.
        options: How to read; with `sample` only so many documents of each collection are looked at, while all of them
            count as there.
        progress: Gets the live numbers.
        stop: Set it to end early.

    Raises:
        Interrupted: `stop` was set.
        TargetError: Nothing was copied there yet (`no-run`, `no-id-key`), the role may make no temporary tables
            (`no-temporary-tables`), or a pooler lends another session for each transaction (`pooled-connection`).
        SourceError: The source as a whole cannot be read.
    """
    options, progress, stop = options or Options(workers=1), progress or Progress(), stop or threading.Event()
    began = time.monotonic()
    with connect(conninfo, autocommit=True) as connection:
        refuse_pooled(connection, conninfo)
        require_run(connection)
        work = _Work(mapping, source, connection, options, progress, stop)
        with needing_temporary_tables("References", "look at the references alone with isthmus refs map"):
            work.begin()
        work.read()
        found = work.result()
    found.target, found.seconds = target_name, time.monotonic() - began
    return found


class _Work:
    """One audit on its way."""

    def __init__(
        self,
        mapping: Mapping,
        source: Source,
        connection: psycopg.Connection[Any],
        options: Options,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._mapping = mapping
        self._source = source
        self._connection = connection
        self._options = options
        self._progress = progress
        self._stop = stop
        self._schema: TargetSchema = build_schema(mapping)
        self._there: There = read_there(connection, self._schema.schema, self._schema.tables)
        self._sites: tuple[Site, ...] = sites(mapping)
        self._row_sites: list[RowSite] = row_sites(mapping, self._schema)
        pointers = [pointer for site in self._sites for pointer in site.pointers]
        pointers += [site.pointer for site in self._row_sites]
        self._goals = Goals(mapping, pointers, id_key(connection, create=False))
        self._found = Audit(source=source.name, sampled=False)
        self._shares: dict[str, Share] = {}
        self._spool: Spool

    def begin(self) -> None:
        """Make the temporary tables."""
        self._connection.execute("SET jit = off")
        self._spool = Spool(self._connection, self._schema.schema, self._there, self._goals, self._sites)
        self._connection.execute(statement("create_row"))

    def read(self) -> None:
        """Take all documents that hold references or may be meant by one."""
        self._found.at_work = at_work(self._connection)
        listed = {info.name: info for info in self._source.collections()}
        holding = {site.collection for site in self._sites}
        meant = {name for goal in self._goals.all for name in goal.sources}
        wanted = [name for name in self._mapping.source_collections if name in holding | meant]
        self._found.absent = [name for name in wanted if name not in listed]
        names = [name for name in wanted if name in listed and listed[name].readable]
        for name in names:
            self._progress.expect(name, bytes_total=listed[name].bytes_total, bytes_done=0, documents=0, dead_letters=0)
        self._progress.stage("reading the source")
        if self._options.sample is None:
            self._pass(names, self._reader, self._options)
        else:
            whole = Options(workers=1, retry_seconds=self._options.retry_seconds)
            self._pass([name for name in names if name in meant], partial(self._reader, holds=False), whole)
            self._pass([name for name in names if name in holding], partial(self._reader, known=False), self._options)
        self._found.sampled |= any(share.passed_over for share in self._shares.values())
        self._progress.stage("comparing rows")
        self._spool.settle()
        for name in ("create_orphan", "index_orphan", "create_letter", "index_letter"):
            self._connection.execute(statement(name))
        for table in ("audit_orphan", "audit_letter"):
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("pg_temp", table)))
        for name, digests in self._spool.unreadable.items():
            given = {"collection": name, "digests": digests}
            lettered = first_number(self._connection.execute(statement("count_lettered"), given))
            self._found.unreadable[name] = (len(digests), lettered)

    def _pass(self, names: Sequence[str], reader: Callable[[str], Reader], options: Options) -> None:
        makers = {name: partial(reader, name) for name in names}
        for name, counted in read_all(self._source, makers, options, self._progress, self._stop).items():
            self._found.sampled |= counted.sampled
            if counted.broken:
                self._found.broken[name] = sorted({*self._found.broken.get(name, []), *counted.broken})

    def _reader(self, collection: str, *, holds: bool = True, known: bool = True) -> Reader:
        mine = [(n, site) for n, site in enumerate(self._sites) if holds and site.collection == collection]
        goals = [goal for goal in self._goals.all if known and collection in goal.sources]
        share = self._shares.setdefault(collection, Share(self._options.sample)) if holds else None
        return Reader(self._spool, self._goals, self._mapping, collection, mine, goals, share)

    def result(self) -> Audit:
        """Look at the rows, and tell what was found."""
        rows = Rows(self._connection, self._schema, self._there)
        checks: list[RowCheck] = []
        for number, site in enumerate(self._row_sites):
            self._check_stop()
            checks.append(rows.check(number, site))
        rows.waiting(self._row_sites)
        self._found.in_documents = self._documents()
        self._found.in_rows = [
            Place(site.name, site.table, (site.target,), check.values, why_not=check.why_not)
            for site, check in zip(self._row_sites, checks, strict=True)
        ]
        self._rows()
        return self._found

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Interrupted

    def _documents(self) -> list[Place]:
        """Return what was found in documents."""
        self._connection.execute(
            statement("create_dangling"), {"collections": [site.collection for site in self._sites]}
        )
        if knows_rewrites(self._connection):
            self._connection.execute(statement("written_by_rewrite"))
        places: list[Place] = []
        for site, met in zip(self._sites, self._spool.met, strict=True):
            goals = self._goals.of(site.pointers)
            place = Place(
                f"{site.collection}.{site.shown}",
                site.collection,
                tuple(dict.fromkeys(f"{goal.table}.{goal.held}" for goal in goals)),
                met.values,
                met.documents,
                met.forms,
                met.leads["row"] + met.leads["own"],
                met.leads["document"],
            )
            places.append(place)
        for number, gone, known, count in self._connection.execute(statement("open_by_kind")).fetchall():
            _enter(places[int(number)], "row-gone" if gone else "nowhere", count, known=known)
        for number, holder, path, value, gone, known in self._connection.execute(
            statement("list_open"), {"most": MOST_LISTED}
        ).fetchall():
            site = self._sites[int(number)]
            shown = HIDDEN if site.sensitive else show(as_id(bytes(value)))
            holder_text = show(bytes(holder)) if holder is not None else "(no readable _id)"
            kind = "row-gone" if gone else "nowhere"
            places[int(number)].listed.append(Dangling(holder_text, str(path), shown, kind, bool(known)))
        return places

    def _rows(self) -> None:
        """Enter what dangles in rows."""
        goals = [self._goals.of([site.pointer])[0].number for site in self._row_sites]
        places = self._found.in_rows
        self._connection.execute("ANALYZE pg_temp.audit_row")
        for number, count in self._connection.execute(statement("drop_pending_twice")).fetchall():
            places[int(number)].values = (places[int(number)].values or 0) - int(count)  # those wait, see below
        self._connection.execute(statement("rows_of_documents"), {"goals": goals})
        sites = enumerate(self._row_sites)
        routes: dict[tuple[str, str], int] = {}
        self._connection.execute(
            statement("drop_other_routes"),
            {"routes": [routes.setdefault((one.table, one.ledger), n) if one.routed else None for n, one in sites]},
        )
        for number, count in self._connection.execute(statement("count_waiting")).fetchall():
            places[int(number)].waiting = int(count)
        self._connection.execute(statement("drop_there"))
        self._connection.execute(
            statement("create_row_known"),
            {"tables": [one.table for one in self._row_sites], "columns": [one.ledger for one in self._row_sites]},
        )
        lost: Counter[int] = Counter()
        for number, document, pending, count in self._connection.execute(statement("count_rows")).fetchall():
            place = places[int(number)]
            place.to_documents += int(count) if document else 0
            place.values = (place.values or 0) + (int(count) if pending else 0)
            lost[int(number)] += int(count)
        for number, place in enumerate(places):
            place.to_rows = (place.values or 0) - lost[number]
        for number, pending, known, count in self._connection.execute(statement("count_row_known")).fetchall():
            _enter(places[int(number)], "waits" if pending else "row", count, known=known)
        sensitive = _sensitive_keys(self._schema)
        for number, key, value, pending, known in self._connection.execute(
            statement("list_rows"), {"most": MOST_LISTED}
        ).fetchall():
            site = self._row_sites[int(number)]
            holder = HIDDEN if site.table in sensitive else ", ".join(str(part) for part in key)
            shown = HIDDEN if site.sensitive else str(value)
            places[int(number)].listed.append(
                Dangling(holder, site.name, shown, "waits" if pending else "row", bool(known))
            )


def _enter(place: Place, kind: str, count: int, *, known: bool) -> None:
    place.kinds[kind] += count
    if known:
        place.known += count
    else:
        place.new += count


def _sensitive_keys(schema: TargetSchema) -> set[str]:
    """Return the tables whose rows are known by what must not be shown."""
    return {
        table.name
        for table in schema.tables.values()
        if any(column.sensitive for column in table.final.columns if column.name in table.final.primary_key)
    }
