"""Every reference of a target as finish sees it: where it stands, what it points at, what happens to an orphan."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from isthmus.connect.jsonb_paths import ids_only, values_inside
from isthmus.mapping.model import FieldPath, Flow
from isthmus.mapping.reading.fields import show_path
from isthmus.mapping.references import hashed_as
from isthmus.mapping.tables import HIDDEN_SOURCE, Column, PendingTable, Reference, Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.existing.names import RANK, view_name
from isthmus.transfer.finishing.places import document_path, junction_path
from isthmus.transfer.job import Job
from isthmus.transfer.staging import pair_tables

Shape = Literal["column", "array", "route", "waiting", "waiting-array", "pair", "jsonb"]


@dataclass(frozen=True)
class Alternative:
    """One of the places that a reference may point at.

    Attributes:
        collection: The name that its ids are hashed with; of no meaning where values are compared as they are.
        table: Qualified root table.
        key: Column of that table.
        value: SQL of the value that is compared with it, over alias `r` (and `e` or `v`).
        entry: The entry of the mapping that fills the table.
        as_text: Whether the value is that column's as text.
    """

    collection: str
    table: sql.Identifier
    key: str
    value: sql.Composable
    entry: str
    as_text: bool = False

    @property
    def compared(self) -> sql.Composed:
        """SQL of what the value is compared with, over alias `t` of the table."""
        key = sql.SQL("t.{}").format(sql.Identifier(self.key))
        return sql.SQL("{}::text").format(key) if self.as_text else key


@dataclass(frozen=True)
class ReferenceSite:
    """A column, a side of a junction or a place inside jsonb that holds ids of one collection.

    Attributes:
        name: `table.column`, or `table.column.path` inside jsonb, `table.column|column` for a route: the name in the
            books. Several sites have one name where several flows fill a table.
        collection: Source collection of the documents that hold the reference.
        flow: The flow whose documents they are.
        place: Qualified table it is read from (a waiting table while there is one).
        table: Table name in the ledger.
        column: Column name in the ledger.
        key: Column of `place` with the root document's id.
        positions: SQL of the positions inside arrays, outermost first, over the aliases of `source`.
        value: SQL expression of the referred id, over `r`; inside arrays and jsonb over `e` or `v` too.
        source: SQL of the FROM item(s), over alias `r`; the rows of one flow only.
        everywhere: The same for all flows of the table together.
        alternatives: What it may point at: one; several for a route, in order of preference.
        action: null, drop, dead_letter or kept.
        stated: Whether the mapping states the action.
        path: Where the references stand in a document.
        shape: How its values lie in `place`.
        columns: Columns of `place` that hold them.
        as_met: Whether the values are those of the documents, not derived ids.
        sensitive: Whether their values must not be shown.
        inside: The path inside jsonb that leads to them.
    """

    name: str
    collection: str
    flow: Flow
    place: sql.Identifier
    table: str
    column: str
    key: str
    positions: tuple[sql.Composable, ...]
    value: sql.Composable
    source: sql.Composable
    everywhere: sql.Composable
    alternatives: tuple[Alternative, ...]
    action: str
    stated: bool
    path: str
    shape: Shape
    columns: tuple[str, ...]
    as_met: bool = False
    sensitive: bool = False
    inside: FieldPath = ()

    @property
    def target_collection(self) -> str:
        """The name that ids of its first alternative are hashed with."""
        return self.alternatives[0].collection

    @property
    def target(self) -> sql.Identifier:
        """Qualified root table of its first alternative."""
        return self.alternatives[0].table

    @property
    def target_key(self) -> str:
        """Column of that table."""
        return self.alternatives[0].key


def reference_sites(job: Job) -> list[ReferenceSite]:
    """Return every reference of the mapping, in the order of its tables.

    References that wait stand there twice: with the table they wait in, and with the column they are resolved into.
    """
    return [*_column_sites(job), *_waiting_sites(job), *_pair_sites(job), *_jsonb_sites(job)]


def alternative(job: Job, reference: Reference, value: sql.Composable, *, waiting: bool = False) -> Alternative:
    """Say what a reference points at.

    Args:
        job: The copy.
        reference: The reference.
        value: SQL of the value that is compared.
        waiting: Whether it is compared as it waits, not as it is resolved.
    """
    table = job.schema.tables[reference.table]
    key = reference.column
    if waiting:
        key = reference.by or key_column(table)
    return Alternative(
        reference.collection, place_of_ids(job, table), key, value, reference.entry, as_text=reference.as_text
    )


def target_of(job: Job, alternative: Alternative) -> Table:
    """Return the root table that a reference may point at."""
    return job.schema.tables[job.mapping.collections[alternative.entry].table]


def place_of_ids(job: Job, table: Table) -> sql.Identifier:
    """Name what holds all rows of a root table that a reference may point at."""
    return sql.Identifier(job.schema.schema, table.name if job.existing is None else view_name(table.name))


def one_of_each(
    job: Job, place: sql.Identifier, key: str, result: str, *, several: bool = False, ranked: bool = True
) -> sql.Composable:
    """Return SQL of what a reference points at, as a FROM item without alias, with each value of its key once.

    Where tables exist, a row that is there and a document that is this row have it both.

    Args:
        job: The copy.
        place: What is pointed at, with a column `RANK` where a value may stand there more than once.
        key: The column that is compared.
        result: The one that references take.
        several: Whether it may stand there more than once for another reason.
        ranked: Whether `place` has a column `RANK`.
    """
    if job.existing is None and not several:
        return place
    order = (key, RANK, result) if ranked else (key, result)
    columns = sql.SQL(", ").join(_id(name) for name in dict.fromkeys([key, result]))
    return sql.SQL(
        "(SELECT DISTINCT ON ({key}) {columns} FROM {place} WHERE {key} IS NOT NULL ORDER BY {order})"
    ).format(key=_id(key), columns=columns, place=place, order=sql.SQL(", ").join(_id(name) for name in order))


def _id(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def positions_of(table: Table) -> tuple[str, ...]:
    """Return the position columns of a child table, outermost first."""
    return tuple(c.name for c in table.columns if c.role in {"ancestor_position", "position"})


def route_choice(site: ReferenceSite, unknown: Collection[str] = (), *, waits: bool = True) -> sql.Composed:
    """Return SQL of the number of the first alternative of a route that has the id.

    Args:
        site: The route, with rows `r`.
        unknown: Entries of which nobody knows yet whether they have it; -1 where one of them would go before.
        waits: Whether it is -1 too where none has it; else NULL.
    """
    cases: list[sql.Composable] = []
    for number, one in enumerate(site.alternatives):
        has = sql.SQL("EXISTS (SELECT FROM {} t WHERE t.{} = {})").format(one.table, _id(one.key), one.value)
        cases.append(sql.SQL("WHEN {} THEN {}").format(has, sql.Literal(number)))
        if one.entry in unknown:
            cases.append(sql.SQL("WHEN {} IS NOT NULL THEN -1").format(one.value))
    if waits:
        cases.append(sql.SQL("ELSE -1"))
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases))


def _of_rows(names: tuple[str, ...]) -> tuple[sql.Composable, ...]:
    return tuple(_of_row(name) for name in names)


def _of_row(name: str) -> sql.Composed:
    return sql.SQL("r.{}").format(sql.Identifier(name))


def rows_of_flow(place: sql.Identifier, table: Table, flow: Flow) -> sql.Composed:
    """Return the FROM item `… r` of the rows that one flow put into a table."""
    if len(table.flows) < 2:
        return sql.SQL("{} r").format(place)
    return sql.SQL("(SELECT x.ctid, x.* FROM {} x WHERE x.{} = {}) r").format(
        place, sql.Identifier(HIDDEN_SOURCE), sql.Literal(flow.number)
    )


def _column_sites(job: Job) -> Iterator[ReferenceSite]:
    for table in job.schema.tables.values():
        for flow in table.flows:
            for column in table.columns:
                if column.role == "reference" and column.reference is not None:
                    routed = column.reference.routed
                    if not routed:
                        yield _column_site(job, table, flow, column, column.reference)
                    elif routed[0] == column.name:
                        yield _route_site(job, table, flow, [table.column(name) for name in routed])


def _column_site(job: Job, table: Table, flow: Flow, column: Column, reference: Reference) -> ReferenceSite:
    place = sql.Identifier(job.schema.schema, table.name)
    source, everywhere = rows_of_flow(place, table, flow), sql.SQL("{} r").format(place)
    positions, value = _of_rows(positions_of(table)), _of_row(column.name)
    if column.type.array:
        elements = sql.SQL(" CROSS JOIN LATERAL unnest({}) WITH ORDINALITY AS e(v, n)").format(value)
        source, everywhere, value = source + elements, everywhere + elements, sql.SQL("e.v")
        positions = (*positions, sql.SQL("(e.n - 1)::integer"))
    return ReferenceSite(
        name=f"{table.name}.{column.name}",
        collection=flow.collection,
        flow=flow,
        place=place,
        table=table.name,
        column=column.name,
        key=key_column(table),
        positions=positions,
        value=value,
        source=source,
        everywhere=everywhere,
        alternatives=(alternative(job, reference, value),),
        action=reference.on_orphan,
        stated=reference.stated,
        path=document_path(job, table, [column.name], flow),
        shape="array" if column.type.array else "column",
        columns=(column.name,),
        as_met=reference.lookup or reference.by is not None,
        sensitive=column.sensitive,
    )


def _route_site(job: Job, table: Table, flow: Flow, columns: list[Column]) -> ReferenceSite:
    place = sql.Identifier(job.schema.schema, table.name)
    names = tuple(column.name for column in columns)
    first = columns[0].reference
    if first is None:
        raise KeyError(names[0])
    return ReferenceSite(
        name=f"{table.name}.{'|'.join(names)}",
        collection=flow.collection,
        flow=flow,
        place=place,
        table=table.name,
        column="|".join(names),
        key=key_column(table),
        positions=_of_rows(positions_of(table)),
        value=sql.SQL("coalesce({})").format(sql.SQL(", ").join(_of_rows(names))),
        source=rows_of_flow(place, table, flow),
        everywhere=sql.SQL("{} r").format(place),
        alternatives=tuple(
            alternative(job, column.reference, _of_row(column.name))
            for column in columns
            if column.reference is not None
        ),
        action=first.on_orphan,
        stated=first.stated,
        path=document_path(job, table, [names[0]], flow),
        shape="route",
        columns=names,
        sensitive=any(column.sensitive for column in columns),
    )


def _waiting_sites(job: Job) -> Iterator[ReferenceSite]:
    for waiting in job.pending_tables:
        if not waiting.pairs:
            yield _waiting_site(job, waiting)


def _waiting_site(job: Job, waiting: PendingTable) -> ReferenceSite:
    table = job.schema.tables[waiting.table]
    place = sql.Identifier("isthmus", waiting.name)
    source = sql.SQL("{} r").format(place)
    value = _of_row(waiting.value)
    positions = [column.name for column in waiting.columns if column.role in {"ancestor_position", "position"}]
    elements = [column.name for column in waiting.columns if column.role == "element"]
    return ReferenceSite(
        name=f"{waiting.table}.{waiting.column}",
        collection=waiting.flow.collection,
        flow=waiting.flow,
        place=place,
        table=waiting.table,
        column=waiting.column,
        key=waiting.keys[0][0],
        positions=_of_rows((*positions, *elements)),
        value=value,
        source=source,
        everywhere=source,
        alternatives=(alternative(job, waiting.reference, value, waiting=True),),
        action=waiting.reference.on_orphan,
        stated=waiting.reference.stated,
        path=document_path(job, table, [waiting.column], waiting.flow),
        shape="waiting-array" if waiting.array else "waiting",
        columns=(waiting.value,),
        as_met=waiting.reference.by is not None,
        sensitive=table.column(waiting.column).sensitive,
    )


def _pair_sites(job: Job) -> Iterator[ReferenceSite]:
    for pairs in pair_tables(job.feeders, job.schema).values():
        junction = job.schema.tables[pairs.junction]
        reference = next(c.reference for c in junction.columns if c.name == pairs.other)
        if reference is None:
            continue
        source, value = sql.SQL("{} r").format(pairs.identifier), _of_row(pairs.other)
        yield ReferenceSite(
            name=f"{pairs.junction}.{pairs.other}",
            collection=pairs.flow.collection,
            flow=pairs.flow,
            place=pairs.identifier,
            table=pairs.junction,
            column=pairs.other,
            key=pairs.own,
            positions=(),
            value=value,
            source=source,
            everywhere=source,
            alternatives=(alternative(job, reference, value, waiting=pairs.looked_up),),
            action=reference.on_orphan,
            stated=reference.stated,
            path=junction_path(job, pairs.flow, pairs.junction, pairs.own),
            shape="pair",
            columns=(pairs.other,),
            as_met=pairs.looked_up and reference.by is not None,
            sensitive=junction.column(pairs.other).sensitive,
        )


def _jsonb_sites(job: Job) -> Iterator[ReferenceSite]:
    """Ids inside jsonb: what `rewrite` names. An orphan there keeps its derived id; the ledger keeps the old one."""
    for table in job.schema.tables.values():
        for flow in table.flows:
            for column in table.columns:
                for path, entry in column.rewrites:
                    yield _jsonb_site(job, table, flow, column, path, entry)


def _jsonb_site(job: Job, table: Table, flow: Flow, column: Column, path: FieldPath, entry: str) -> ReferenceSite:
    place = sql.Identifier(job.schema.schema, table.name)
    shown = show_path(path)
    inside, value = values_inside(_of_row(column.name), path)
    value = ids_only(value, column.form_at(path))
    target = job.schema.tables[job.mapping.collections[entry].table]
    return ReferenceSite(
        name=f"{table.name}.{column.name}.{shown}",
        collection=flow.collection,
        flow=flow,
        place=place,
        table=table.name,
        column=f"{column.name}.{shown}",
        key=key_column(table),
        positions=_of_rows(positions_of(table)),
        value=value,
        source=rows_of_flow(place, table, flow) + inside,
        everywhere=sql.SQL("{} r").format(place) + inside,
        alternatives=(
            Alternative(
                hashed_as(job.mapping, entry), place_of_ids(job, target), key_column(target), value, entry, as_text=True
            ),
        ),
        action="kept",
        stated=True,
        path=f"{document_path(job, table, [column.name], flow)}.{shown}",
        shape="jsonb",
        columns=(column.name,),
        sensitive=column.sensitive,
        inside=path,
    )
