"""Where references to documents that are joined lead: SQL of the moves, and every reference moved along.

A table of members says who is one with whom: `root` (table), `id`, `keeper` (both as text), `place` in the order of
`_id`, 0 for the one that stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.connect.jsonb_paths import as_id_there, changed_inside
from isthmus.connect.postgres import first_number
from isthmus.mapping.model import FieldPath
from isthmus.mapping.tables import Column, Reference, Table
from isthmus.state.checkpoints import add_tally
from isthmus.transfer.document_rows import key_column, key_type
from isthmus.transfer.finishing.references import ReferenceSite, reference_sites, target_of
from isthmus.transfer.job import Job
from isthmus.transfer.joining.filling import came_by, is_filled
from isthmus.transfer.joining.joined import merges, told_defaults, winning
from isthmus.transfer.staging import exists, pair_tables
from isthmus.work.stages import reached

Aim = tuple[str, str]
"""What a reference points at: a root table and its column."""

MOVED = "moved"
"""The table of `laid_out` that `move_inside` and `move_column` go by."""

_MOVED = sql.Identifier("pg_temp", MOVED)


class Moves:
    """What references become when documents are joined.

    Args:
        job: The copy.
        members: The table of members, as it is at the time of a query.
    """

    def __init__(self, job: Job, members: sql.Identifier) -> None:
        self._job = job
        self._members = members
        self._schema = job.schema

    def aims_of(self, table: Table) -> dict[str, list[tuple[FieldPath, Aim]]]:
        """Return each column of a table whose values may move, with what they point at.

        The path leads to them inside jsonb; it is empty elsewhere.
        """
        found: dict[str, list[tuple[FieldPath, Aim]]] = {}
        for column in table.columns:
            aims = [(path, self._entry(entry)) for path, entry in column.rewrites]
            if column.reference is not None:
                aims.append(((), (column.reference.table, column.reference.column)))
            if moving := [(path, aim) for path, aim in aims if self.may_move(aim)]:
                found[column.name] = moving
        return found

    def _entry(self, entry: str) -> Aim:
        table = self._schema.tables[self._job.mapping.collections[entry].table]
        return table.name, key_column(table)

    def may_move(self, aim: Aim) -> bool:
        """Tell whether a value that points there may become another one."""
        return self.depth(aim) > 0

    def depth(self, aim: Aim, before: frozenset[Aim] = frozenset()) -> int:
        """Return how many steps may move a value that points there; its column may hold references itself."""
        table = self._schema.tables[aim[0]]
        reference = _reference(table, aim[1])
        further = 0
        if reference is not None and aim not in before:
            further = self.depth((reference.table, reference.column), before | {aim})
        return further + 1 if further or merges(self._job, table) else 0

    def query(self, aim: Aim) -> sql.Composable:
        """Return a query of `old` and `new` of every value that moves, each old one once."""
        table = self._schema.tables[aim[0]]
        reference = _reference(table, aim[1])
        further = (reference.table, reference.column) if reference is not None else None
        if further is None or not self.may_move(further):
            return self._joined(table, aim[1])
        moving = self.query(further)
        if reference is not None and reference.as_text:
            moving = sql.SQL("(SELECT m.old::text AS old, m.new::text AS new FROM ({}) m)").format(moving)
        if not merges(self._job, table):
            return moving
        return sql.SQL(
            "(WITH j AS ({joined}), f AS ({further}) SELECT j.old, coalesce(f.new, j.new) AS new"
            " FROM j LEFT JOIN f ON f.old = j.new"
            " UNION ALL SELECT f.old, f.new FROM f WHERE NOT EXISTS (SELECT FROM j WHERE j.old = f.old))"
        ).format(joined=self._joined(table, aim[1]), further=moving)

    def _joined(self, table: Table, column: str) -> sql.Composable:
        key = sql.Identifier(key_column(table))
        parts = {
            "members": self._members,
            "root": sql.Literal(table.name),
            "kind": key_type(table, self._schema.schema),
            "rows": sql.Identifier(self._schema.schema, table.name),
            "key": key,
            "column": sql.Identifier(column),
        }
        if column == key_column(table):
            return sql.SQL(
                "SELECT m.id::{kind} AS old, m.keeper::{kind} AS new FROM {members} m"
                " WHERE m.root = {root} AND m.place > 0"
            ).format(**parts)
        return sql.SQL(
            "SELECT DISTINCT h.value AS old, f.value AS new FROM (SELECT m.keeper, r.{column} AS value"
            " FROM {members} m JOIN {rows} r ON r.{key} = m.id::{kind} WHERE m.root = {root}) h"
            " JOIN (SELECT DISTINCT ON (m.keeper) m.keeper, r.{column} AS value FROM {members} m"
            " JOIN {rows} r ON r.{key} = m.id::{kind} WHERE m.root = {root} AND r.{column} IS NOT NULL"
            " ORDER BY m.keeper, {first} m.place) f USING (keeper) WHERE h.value <> f.value"
        ).format(first=self._first(table, column), **parts)

    def _first(self, table: Table, column: str) -> sql.Composable:
        flows = winning(self._job, table).get(column)
        first = sql.SQL("") if not flows else sql.SQL("{} DESC, ").format(came_by("r", flows))
        return sql.SQL("{}, {}").format(is_filled("r", column), first) if column in told_defaults(table) else first


def _reference(table: Table, column: str) -> Reference | None:
    return next((one.reference for one in table.columns if one.name == column), None)


def lay_out(connection: psycopg.Connection, name: str, query: sql.Composable) -> int:
    """Write moves into a temporary table, for `moved_value`; return how many there are."""
    place = sql.Identifier("pg_temp", name)
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} AS SELECT m.old, m.new, m.old::text AS old_text FROM ({}) m").format(
            sql.Identifier(name), query
        )
    )
    for column in ("old", "old_text"):
        connection.execute(sql.SQL("CREATE INDEX ON {} USING hash ({})").format(place, sql.Identifier(column)))
    connection.execute(sql.SQL("ANALYZE {}").format(place))
    return first_number(connection.execute(sql.SQL("SELECT count(*) FROM {}").format(place)))


@contextlib.contextmanager
def laid_out(connection: psycopg.Connection, query: sql.Composable) -> Generator[int]:
    """Lay moves out as `MOVED` inside the block, for `move_column` and `move_inside`; yields how many there are."""
    yield lay_out(connection, MOVED, query)
    connection.execute("DROP TABLE pg_temp.moved")


def moved_value(
    value: sql.Composable, moves: sql.Identifier, *, array: bool = False, as_text: bool = False
) -> sql.Composable:
    """Return SQL of what a column's value becomes; `as_text` where it holds ids of another type as text."""
    old, new = (sql.SQL("m.old_text"), sql.SQL("m.new::text")) if as_text else (sql.SQL("m.old"), sql.SQL("m.new"))
    if not array:
        return sql.SQL("coalesce((SELECT {} FROM {} m WHERE {} = {}), {})").format(new, moves, old, value, value)
    return sql.SQL(
        "CASE WHEN cardinality({value}) > 0 THEN (SELECT array_agg(coalesce((SELECT {new} FROM {moves} m"
        " WHERE {old} = e.v), e.v) ORDER BY e.n) FROM unnest({value}) WITH ORDINALITY AS e(v, n)) ELSE {value} END"
    ).format(value=value, moves=moves, old=old, new=new)


def moved_inside(value: sql.Composable, path: FieldPath, moves: sql.Identifier) -> sql.Composed:
    """Return SQL of what jsonb becomes when the ids at a path in it move, and nothing else; numbers stay numbers."""
    return changed_inside(
        value,
        path,
        lambda id_: sql.SQL("coalesce((SELECT {new} FROM {moves} m WHERE m.old_text = {id} #>> '{{}}'), {id})").format(
            new=as_id_there(sql.SQL("m.new"), id_), id=id_, moves=moves
        ),
    )


@dataclass(frozen=True)
class _Place:
    """A column of some table whose values move."""

    site: ReferenceSite
    column: str
    aim: Aim


def move_references(job: Job, connection: psycopg.Connection, members: sql.Identifier) -> None:
    """Let all that points at documents which are joined point at the one that stays. Safe to repeat.

    A transaction a column, or a junction's pairs. What points at a column of references moves before these do.

    Args:
        job: The copy, with its look-ups resolved.
        connection: Autocommit connection.
        members: The table of members; all have their rows yet, or those that stay hold what they were filled with.
    """
    moves = Moves(job, members)
    for place in sorted(_places(job, moves), key=lambda one: -moves.depth(one.aim)):
        if not exists(connection, place.site.place):
            continue
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            with laid_out(connection, moves.query(place.aim)) as moving:
                if moving:
                    connection.execute(_change(place))
            reached("finish.moves-before-commit")
        reached("finish.moves-after-commit")
    _move_pairs(job, connection, moves)


def _places(job: Job, moves: Moves) -> Iterator[_Place]:
    known: set[tuple[str, str, FieldPath]] = set()
    for site in reference_sites(job):
        if site.shape == "pair":
            continue
        # of jsonb, array and waiting sites a column has one aim
        for column, one in zip(site.columns, site.alternatives, strict=True):
            aim = (target_of(job, one).name, one.key)
            place = (_text(site.place), column, site.inside)
            if moves.may_move(aim) and place not in known:
                known.add(place)
                yield _Place(site, column, aim)


def _text(place: sql.Identifier) -> str:
    return place.as_string(None)


def _change(place: _Place) -> sql.Composed:
    site = place.site
    if site.shape == "jsonb":
        return move_inside(site, place.column, site.everywhere)
    as_text = any(one.as_text for one in site.alternatives)
    return move_column(site.place, place.column, array=site.shape == "array", as_text=as_text)


def move_inside(site: ReferenceSite, column: str, source: sql.Composable) -> sql.Composed:
    """Return the statement that moves ids inside jsonb; `source` has the rows and their `ctid`, as the site says."""
    return sql.SQL(
        "UPDATE {place} r SET {column} = {new} FROM (SELECT DISTINCT r.ctid AS place FROM {source}"
        " WHERE EXISTS (SELECT FROM pg_temp.moved m WHERE m.old_text = {value})) f WHERE r.ctid = f.place"
    ).format(
        place=site.place,
        column=sql.Identifier(column),
        new=moved_inside(sql.SQL("r.{}").format(sql.Identifier(column)), site.inside, _MOVED),
        source=source,
        value=site.value,
    )


def move_column(place: sql.Identifier, column: str, *, array: bool, as_text: bool = False) -> sql.Composed:
    """Return the statement that moves the values of a column, or the elements of its arrays; see `moved_value`."""
    name = sql.Identifier(column)
    old = sql.SQL("m.old_text" if as_text else "m.old")
    if array:
        new = moved_value(sql.SQL("r.{}").format(name), _MOVED, array=True, as_text=as_text)
        return sql.SQL(
            "UPDATE {place} r SET {column} = {new} WHERE EXISTS (SELECT FROM unnest(r.{column}) AS e(v)"
            " JOIN pg_temp.moved m ON {old} = e.v)"
        ).format(place=place, column=name, new=new, old=old)
    return sql.SQL("UPDATE {place} r SET {column} = m.new FROM pg_temp.moved m WHERE r.{column} = {old}").format(
        place=place, column=name, old=old
    )


def _move_pairs(job: Job, connection: psycopg.Connection, moves: Moves) -> None:
    """Move both ends of pairs; a junction loaded in place holds each pair once."""
    others = {_text(site.place): site for site in reference_sites(job) if site.shape == "pair"}
    for pairs in pair_tables(job.feeders, job.schema).values():
        if not exists(connection, pairs.identifier):
            continue
        root = job.root_of(pairs.flow)
        ends: list[tuple[str, Aim]] = [(pairs.own, (root.name, key_column(root)))]
        if _text(pairs.identifier) in others:
            one = others[_text(pairs.identifier)].alternatives[0]
            ends.append((pairs.other, (target_of(job, one).name, one.key)))
        ends = [(column, aim) for column, aim in ends if moves.may_move(aim)]
        if not ends:
            continue
        job.check_stop()
        with connection.transaction():
            job.lease.assert_held(connection, job.run.id)
            moved = 0
            for column, aim in ends:
                with laid_out(connection, moves.query(aim)) as moving:
                    if moving:
                        moved += connection.execute(move_column(pairs.identifier, column, array=False)).rowcount
            if moved and pairs.in_place:
                twice = connection.execute(
                    sql.SQL(
                        "DELETE FROM {place} r USING (SELECT ctid AS place, row_number() OVER (PARTITION BY {own},"
                        " {other} ORDER BY ctid) AS number FROM {place}) o WHERE r.ctid = o.place AND o.number > 1"
                    ).format(place=pairs.identifier, own=sql.Identifier(pairs.own), other=sql.Identifier(pairs.other))
                ).rowcount
                add_tally(connection, job.run.id, "merged-pairs", pairs.junction, twice)
            reached("finish.moves-before-commit")
        reached("finish.moves-after-commit")


def current_value(
    column: Column, aims: Sequence[tuple[FieldPath, Aim]], moves: dict[Aim, sql.Identifier]
) -> sql.Composable:
    """Return SQL, over `r`, of what a column's value is with its references moved; `moves` has tables of `lay_out`."""
    value: sql.Composable = sql.SQL("r.{}").format(sql.Identifier(column.name))
    for path, aim in aims:
        if path:
            value = moved_inside(value, path, moves[aim])
        else:
            as_text = column.reference is not None and column.reference.as_text
            value = moved_value(value, moves[aim], array=column.type.array, as_text=as_text)
    return value
