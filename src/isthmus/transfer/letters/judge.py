"""Which of the letters that wait fit into the target as it is now, with each other: found by joins; nothing is changed.

What stands against a letter is its fate in the staging table:

- `refused`: a table that exists refused one of its rows;
- `taken`: the target has its id; `twin`: a letter with a lower number has it;
- `held`: a row of the target holds one of its unique values; `rival`: so does a letter with a lower number; `twice`:
  the document itself does;
- `joins`: a row of the target holds one of its unique values, and they are one thing (`on_duplicate: merge`); only
  while such letters are put off, else they fit;
- `orphan`: a reference of it, for which the mapping refuses documents, leads neither to the target nor to a letter that
  fits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import psycopg
from psycopg import sql

from isthmus.mapping.tables import HIDDEN_THING, Index, Table
from isthmus.transfer.document_rows import key_column
from isthmus.transfer.finishing.hidden import thing_index
from isthmus.transfer.finishing.orphans import has_no_target
from isthmus.transfer.finishing.places import shown_value
from isthmus.transfer.finishing.references import ReferenceSite, place_of_ids
from isthmus.transfer.job import Job
from isthmus.transfer.joining.joined import joins_by, merges
from isthmus.transfer.letters.staging import StagedTable, Staging
from isthmus.transfer.letters.things import ROWS_OF_THINGS


@dataclass(frozen=True)
class Judged:
    """What was found of one letter.

    Attributes:
        id: Its id in the target, as text.
        fate: See the module.
        rule: Number of the unique index that stands against it, as `Judge.uniques` counts them; None for no such.
        keeper: Whom it stands back for: of `held` an id in the target, where it has one, of `twin` and `rival` the
            number of a letter.
        shown: What a message may show of the unique value.
        joins: Id in the target of the document that it is joined into (`on_duplicate: merge`); None for no such.
    """

    id: str
    fate: str
    rule: int | None
    keeper: str | None
    shown: str | None
    joins: str | None = None


class Judge:
    """Finds what stands against letters; works on staging tables inside the caller's transaction.

    Args:
        job: The retry.
        staging: Where they wait.

    Attributes:
        uniques: What must be unique, by number: table and index.
        joining: Whether letters that are one thing with a document of the target fit.
    """

    def __init__(self, job: Job, staging: Staging) -> None:
        self.joining = False
        self._job = job
        self._staging = staging
        filled = {one.plan.name for tables in staging.tables.values() for one in tables}
        self.uniques: list[tuple[Table, Index]] = [
            (table, index)
            for table in job.schema.tables.values()
            if table.name in filled and table.kind != "junction"
            for index in (*self._things(table), *_uniques(table))
        ]

    def _things(self, table: Table) -> list[Index]:
        """Return what joins documents of a table of things; in tables that exist only a copy does."""
        has_things = table.kind == "root" and table.name in self._job.mapping.thing_tables
        return [thing_index(table.name)] if has_things and self._job.existing is None else []

    def settle_ids(self, connection: psycopg.Connection, roots: Collection[str]) -> None:
        """Find letters, of some root tables, whose id the target or another letter has."""
        for root in roots:
            letters = self._staging.letters[root]
            table = self._job.schema.tables[root]
            if not table.column(key_column(table)).hidden:
                connection.execute(
                    sql.SQL("UPDATE {letters} l SET fate = 'taken' FROM {root} t WHERE t.{key} = l.id").format(
                        letters=letters,
                        root=sql.Identifier(self._job.schema.schema, root),
                        key=sql.Identifier(key_column(table)),
                    )
                )
            if merges(self._job, table):  # who was joined into another one had that id
                connection.execute(
                    sql.SQL(
                        "UPDATE {} l SET fate = 'taken' FROM isthmus.id_map m WHERE m.origin = 'merged'"
                        " AND m.collection = ANY({}) AND m.derived_id = l.id::text"
                    ).format(letters, sql.Literal(list(table.collections)))
                )
            connection.execute(
                sql.SQL(
                    "UPDATE {letters} l SET fate = 'twin', keeper = f.first::text FROM (SELECT letter,"
                    " min(letter) OVER (PARTITION BY id) AS first FROM {letters} WHERE fate = 'fits') f"
                    " WHERE f.letter = l.letter AND f.first <> l.letter"
                ).format(letters=letters)
            )

    def settle_known(
        self, connection: psycopg.Connection, roots: Collection[str], twins: Collection[int], refused: Collection[int]
    ) -> None:
        """Settle what is known of letters for tables that exist.

        Args:
            connection: The caller's.
            roots: The root tables that they would be rows of.
            twins: Letters of documents that have the id of another one of the run; a row with it is that one's.
            refused: Letters that a table refused.
        """
        for root in roots:
            letters, table = self._staging.letters[root], self._job.schema.tables[root]
            if twins and not table.column(key_column(table)).hidden:
                connection.execute(
                    sql.SQL("UPDATE {} l SET fate = 'taken' FROM {} t WHERE t.{} = l.id AND l.letter = ANY(%s)").format(
                        letters, place_of_ids(self._job, table), sql.Identifier(key_column(table))
                    ),
                    (list(twins),),
                )
            connection.execute(
                sql.SQL("UPDATE {} SET fate = 'refused' WHERE fate = 'fits' AND letter = ANY(%s)").format(letters),
                (list(refused),),
            )

    def fitting(self, connection: psycopg.Connection, roots: Collection[str]) -> set[int]:
        """Return the numbers of the letters against which nothing stands so far."""
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT letter FROM {} WHERE fate = 'fits'").format(self._staging.letters[root]) for root in roots
        )
        return {int(row[0]) for row in connection.execute(query).fetchall()}

    def settle_rows(self, connection: psycopg.Connection, roots: Collection[str], sites: list[ReferenceSite]) -> None:
        """Find letters that cannot stay, when the rows of all letters that fit wait beside them.

        Args:
            connection: The caller's.
            roots: The root tables that they would be rows of.
            sites: The references of these letters.
        """
        uniques = [
            (number, table, index, places)
            for number, (table, index) in enumerate(self.uniques)
            if (places := [one for one in self._waiting(table) if one.root in roots])
        ]
        for find in (self._twice, self._held_or_joins):  # first what holds whatever else there is
            for number, table, index, places in uniques:
                for waiting in places:
                    connection.execute(find(number, table, index, waiting))
        refusing = [site for site in sites if site.action == "dead_letter"]
        while True:  # who leaves may be what another one refers to; who stays back may be so for one that leaves
            while sum(connection.execute(self._orphans(site)).rowcount for site in refusing):
                pass
            if not sum(connection.execute(self._rivals(*unique)).rowcount for unique in uniques):
                return

    def judged(self, connection: psycopg.Connection, roots: Collection[str]) -> dict[int, Judged]:
        """Return letter → what was found."""
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT letter, id::text, fate, rule, keeper, shown, joins FROM {}").format(
                self._staging.letters[root]
            )
            for root in roots
        )
        return {int(row[0]): Judged(*row[1:]) for row in connection.execute(query).fetchall()}

    def _orphans(self, site: ReferenceSite) -> sql.Composed:
        return sql.SQL(
            "UPDATE {letters} l SET fate = 'orphan' WHERE fate = 'fits'"
            " AND id IN (SELECT r.{key} FROM {source} WHERE {missing})"
        ).format(
            letters=self._staging.letters[self._job.root_of(site.flow).name],
            key=sql.Identifier(site.key),
            source=site.source,
            missing=has_no_target(site),
        )

    def _waiting(self, table: Table) -> list[StagedTable]:
        """Return where rows of a root or child table wait: a place for each flow."""
        places = (one for tables in self._staging.tables.values() for one in tables)
        return [one for one in places if one.plan.name == table.name and one.plan.kind in {"root", "child"}]

    def _values(self, table: Table, index: Index, place: sql.Identifier, key: sql.Composable) -> sql.Composed:
        """Return SQL of the values that an index holds of a table's rows: `key`, `shown`, `v0`, `v1` …"""
        where = sql.SQL(f"({index.where}\n)" if index.where else "true")  # pyright: ignore[reportArgumentType]  the mapping's own SQL
        present = [sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in index.columns]
        columns = [
            sql.SQL("{} AS {}").format(sql.Identifier(name), sql.Identifier(f"v{number}"))
            for number, name in enumerate(index.columns)
        ]
        return sql.SQL(
            "SELECT {key} AS key, {shown} AS shown, {columns} FROM {place} WHERE {present} AND {where}"
        ).format(
            key=key,
            shown=shown_value(table, index.columns),
            columns=sql.SQL(", ").join(columns),
            place=place,
            present=sql.SQL(" AND ").join(present),
            where=where,
        )

    def _twice(self, number: int, table: Table, index: Index, waiting: StagedTable) -> sql.Composed:
        values = sql.SQL(", ").join(sql.Identifier(f"v{one}") for one in range(len(index.columns)))
        return sql.SQL(
            "UPDATE {letters} l SET fate = 'twice', rule = {rule}, shown = h.shown"
            " FROM (SELECT key, min(shown) AS shown FROM (SELECT key, min(shown) AS shown FROM ({waiting}) s"
            " GROUP BY key, {values} HAVING count(*) > 1) g GROUP BY key) h WHERE h.key = l.id AND l.fate = 'fits'"
        ).format(
            letters=self._staging.letters[waiting.root],
            rule=sql.Literal(number),
            waiting=self._values(table, index, waiting.place, sql.Identifier(waiting.key)),
            values=values,
        )

    def is_merging(self, number: int) -> bool:
        """Tell whether letters that stand against a unique index are joined into the document that has the value."""
        table, index = self.uniques[number]
        merging = self._job.existing is None and joins_by(self._job, table, index)
        return merging and not table.column(key_column(table)).hidden

    def _is_joined_away(self, number: int) -> bool:
        """Tell whether letters may have no root row of their own: those that are joined, by this index or as things."""
        table, _ = self.uniques[number]
        return self.is_merging(number) or (table.kind == "root" and table.name in self._job.mapping.thing_tables)

    def _held_or_joins(self, number: int, table: Table, index: Index, waiting: StagedTable) -> sql.Composed:
        change = "fate = 'held'"
        if self.is_merging(number) and not self.joining:
            change = "fate = 'joins'"
        elif self.is_merging(number):  # of two documents it cannot be both
            change = (
                "fate = CASE WHEN l.joins <> h.keeper THEN 'held' ELSE l.fate END, joins = coalesce(l.joins, h.keeper)"
            )
        return self._held(number, table, index, waiting, sql.SQL(change))

    def _held(self, number: int, table: Table, index: Index, waiting: StagedTable, change: sql.SQL) -> sql.Composed:
        same = [sql.SQL("t.{0} = s.{0}").format(sql.Identifier(f"v{one}")) for one in range(len(index.columns))]
        key: sql.Composable = sql.Identifier(waiting.key)
        if table.column(waiting.key).hidden:
            key = sql.SQL("NULL")
        there = self._values(table, index, sql.Identifier(self._job.schema.schema, table.name), key)
        if index.columns == (HIDDEN_THING,):
            there = self._rows_of_things(table)
        # what a letter's root row holds that becomes a part of a thing may be held by the row of the thing
        return sql.SQL(
            "UPDATE {letters} l SET {change}, rule = {rule}, keeper = h.keeper, shown = h.shown"
            " FROM (SELECT DISTINCT ON (s.key) s.key, t.key::text AS keeper, s.shown FROM ({waiting}) s"
            " JOIN ({there}) t ON {same} JOIN {letters} j ON j.id = s.key"
            " WHERE {stands} OR j.joins IS NULL OR j.joins <> t.key::text"
            " ORDER BY s.key, s.shown, keeper) h WHERE h.key = l.id AND l.fate = 'fits'"
        ).format(
            stands=sql.Literal(self.is_merging(number) or not self._is_joined_away(number)),
            letters=self._staging.letters[waiting.root],
            change=change,
            rule=sql.Literal(number),
            waiting=self._values(table, index, waiting.place, sql.Identifier(waiting.key)),
            there=there,
            same=sql.SQL(" AND ").join(same),
        )

    def _rows_of_things(self, table: Table) -> sql.Composed:
        """Return a query of the rows that are things, in the shape of `_values`."""
        return sql.SQL(
            "SELECT r.{key} AS key, x.thing AS shown, x.thing AS v0 FROM {rows} r"
            " JOIN {things} x ON x.own = r.{key}::text"
        ).format(
            key=sql.Identifier(key_column(table)),
            rows=sql.Identifier(self._job.schema.schema, table.name),
            things=ROWS_OF_THINGS,
        )

    def _rivals(self, number: int, table: Table, index: Index, places: list[StagedTable]) -> sql.Composed:
        values = sql.SQL(", ").join(sql.Identifier(f"v{one}") for one in range(len(index.columns)))
        return sql.SQL(
            "UPDATE {letters} l SET fate = 'rival', rule = {rule},"
            " keeper = d.first::text, shown = d.shown FROM (SELECT DISTINCT ON (letter) letter, first, shown FROM"
            " (SELECT f.letter, s.shown, min(f.letter) OVER (PARTITION BY {values}) AS first,"
            " row_number() OVER (PARTITION BY {values} ORDER BY f.letter) AS place"
            " FROM ({waiting}) s JOIN {letters} f ON f.id = s.key AND f.fate = 'fits'{rows}) AS h"
            " WHERE place > 1 ORDER BY letter, first, shown) AS d WHERE d.letter = l.letter"
        ).format(
            letters=self._staging.letters[places[0].root],
            rows=sql.SQL(" AND f.joins IS NULL" if self._is_joined_away(number) else ""),  # who is joined has no row
            rule=sql.Literal(number),
            values=values,
            waiting=sql.SQL(" UNION ALL ").join(
                self._values(table, index, one.place, sql.Identifier(one.key)) for one in places
            ),
        )


def _uniques(table: Table) -> list[Index]:
    """Return what must be unique in a root or child table beside the id: indexes, and a key of its own."""
    found = [index for index in table.indexes if index.unique]
    if table.kind == "root" and table.primary_key and table.primary_key != (key_column(table),):
        name = table.primary_key_name
        found.append(Index(name, table.name, table.primary_key, None, True, "btree", None, "unique"))
    return found
