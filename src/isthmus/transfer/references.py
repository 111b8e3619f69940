"""Every reference of a target as finish sees it: where it stands, what it points at, what happens to an orphan."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from isthmus.mapping.fields import show_path
from isthmus.mapping.model import FieldPath
from isthmus.mapping.tables import Table
from isthmus.transfer.job import Job
from isthmus.transfer.places import document_path, junction_path
from isthmus.transfer.remove import key_column
from isthmus.transfer.staging import pair_tables


@dataclass(frozen=True)
class ReferenceSite:
    """A column, a side of a junction or a place inside jsonb that holds ids of one collection.

    Attributes:
        name: `table.column`, or `table.column.path` inside jsonb: the name in the books.
        collection: Collection of the documents that hold the reference.
        place: Qualified table it is read from (a junction's waiting table while there is one).
        table: Table name in the ledger.
        column: Column name in the ledger.
        key: Column of `place` with the root document's id.
        positions: Columns of `place` with the position inside arrays; empty outside child tables.
        value: SQL expression of the referred id, over `r`; for jsonb over `r` and `v`.
        source: SQL of the FROM item(s), over alias `r`.
        target_collection: Collection it refers to.
        target: Qualified root table of that collection.
        target_key: Key column of that table.
        action: null, drop, dead_letter or kept.
        stated: Whether the mapping states the action.
        path: Where the references stand in a document.
        sensitive: Whether their values must not be shown.
    """

    name: str
    collection: str
    place: sql.Identifier
    table: str
    column: str
    key: str
    positions: tuple[str, ...]
    value: sql.Composable
    source: sql.Composable
    target_collection: str
    target: sql.Identifier
    target_key: str
    action: str
    stated: bool
    path: str
    sensitive: bool = False


def reference_sites(job: Job) -> list[ReferenceSite]:
    """Return every reference of the mapping, in the order of its tables."""
    return [*_column_sites(job), *_pair_sites(job), *_jsonb_sites(job)]


def _target(job: Job, collection: str) -> tuple[sql.Identifier, str]:
    table = job.root_table(collection)
    return sql.Identifier(job.schema.schema, table.name), key_column(table)


def positions_of(table: Table) -> tuple[str, ...]:
    """Return the position columns of a child table, outermost first."""
    return tuple(c.name for c in table.columns if c.role in {"ancestor_position", "position"})


def _column_sites(job: Job) -> list[ReferenceSite]:
    sites: list[ReferenceSite] = []
    for table in job.schema.tables.values():
        if table.kind == "junction" or table.collection is None:
            continue
        place = sql.Identifier(job.schema.schema, table.name)
        for column in table.columns:
            if column.reference is None or column.role != "reference":
                continue
            target, target_key = _target(job, column.reference.collection)
            sites.append(
                ReferenceSite(
                    name=f"{table.name}.{column.name}",
                    collection=table.collection,
                    place=place,
                    table=table.name,
                    column=column.name,
                    key=key_column(table),
                    positions=positions_of(table),
                    value=sql.SQL("r.{}").format(sql.Identifier(column.name)),
                    source=sql.SQL("{} r").format(place),
                    target_collection=column.reference.collection,
                    target=target,
                    target_key=target_key,
                    action=column.reference.on_orphan,
                    stated=column.reference.stated,
                    path=document_path(job, table, [column.name]),
                    sensitive=column.sensitive,
                )
            )
    return sites


def _pair_sites(job: Job) -> list[ReferenceSite]:
    sites: list[ReferenceSite] = []
    for pairs in pair_tables(job.feeders, job.schema).values():
        junction = job.schema.tables[pairs.junction]
        reference = next(c.reference for c in junction.columns if c.name == pairs.other)
        if reference is None:
            continue
        target, target_key = _target(job, reference.collection)
        sites.append(
            ReferenceSite(
                name=f"{pairs.junction}.{pairs.other}",
                collection=pairs.collection,
                place=pairs.identifier,
                table=pairs.junction,
                column=pairs.other,
                key=pairs.own,
                positions=(),
                value=sql.SQL("r.{}").format(sql.Identifier(pairs.other)),
                source=sql.SQL("{} r").format(pairs.identifier),
                target_collection=reference.collection,
                target=target,
                target_key=target_key,
                action=reference.on_orphan,
                stated=reference.stated,
                path=junction_path(job, pairs.collection, pairs.junction, pairs.own),
            )
        )
    return sites


def _jsonb_sites(job: Job) -> list[ReferenceSite]:
    """Ids inside jsonb: what `rewrite` names. An orphan there keeps its derived id; the ledger keeps the old one."""
    sites: list[ReferenceSite] = []
    for table in job.schema.tables.values():
        if table.collection is None:
            continue
        place = sql.Identifier(job.schema.schema, table.name)
        for column in table.columns:
            for path, collection in column.rewrites:
                target, target_key = _target(job, collection)
                source, value = _inside_jsonb(place, column.name, path)
                shown = show_path(path)
                sites.append(
                    ReferenceSite(
                        name=f"{table.name}.{column.name}.{shown}",
                        collection=table.collection,
                        place=place,
                        table=table.name,
                        column=f"{column.name}.{shown}",
                        key=key_column(table),
                        positions=positions_of(table),
                        value=value,
                        source=source,
                        target_collection=collection,
                        target=target,
                        target_key=target_key,
                        action="kept",
                        stated=True,
                        path=f"{document_path(job, table, [column.name])}.{shown}",
                        sensitive=column.sensitive,
                    )
                )
    return sites


def _inside_jsonb(place: sql.Identifier, column: str, path: FieldPath) -> tuple[sql.Composed, sql.Composed]:
    """Return FROM items and expression that give every id at a path inside a jsonb column, as text.

    As the core reads it: `[]` goes through an array and through nothing else, a key through a document and through
    nothing else; elements without the key are passed over. (A jsonpath does neither: its lax mode unwraps arrays by
    itself, its strict mode ends at the first element without the key.)
    """
    source = sql.SQL("{} r").format(place)
    value = sql.SQL("r.{}").format(sql.Identifier(column))
    for number, step in enumerate(path):
        if step == "[]":
            element = sql.Identifier(f"e{number}")
            source += sql.SQL(
                " CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof({value}) = 'array' THEN {value}"
                " ELSE '[]'::jsonb END) AS {element}(v)"
            ).format(value=value, element=element)
            value = sql.SQL("{}.v").format(element)
        else:
            value = sql.SQL("({} -> {})").format(value, sql.Literal(step))
    return source, sql.SQL("({} #>> '{{}}')").format(value)
