"""SQL of what one row of several documents holds: each value from the first document that has it. Pure.

Extras are filled key by key; the columns of a route are one value, taken from one document together. What a default
filled gives way to what any other document says. Of a column that an identity gives to one collection, the documents of
that collection come first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from isthmus.mapping.tables import HIDDEN_FILLED, HIDDEN_SOURCE, Column


def came_by(alias: str, flows: Collection[int]) -> sql.Composed:
    """Return SQL that is true of a row that came by one of some flows, by number; its table has several."""
    numbers = sql.SQL(", ").join(sql.Literal(number) for number in sorted(flows))
    return sql.SQL("{}.{} IN ({})").format(sql.Identifier(alias), sql.Identifier(HIDDEN_SOURCE), numbers)


def is_filled(alias: str, column: str) -> sql.Composed:
    """Return SQL that is true of a row that tells that a default filled a column, false of others."""
    return sql.SQL("({} = ANY ({}.{})) IS TRUE").format(
        sql.Literal(column), sql.Identifier(alias), sql.Identifier(HIDDEN_FILLED)
    )


@dataclass(frozen=True)
class Filling:
    """Where the documents stand.

    Attributes:
        rows: Rows of those that fill, with their columns and `_rank`, their place in the order of `_id`.
        mine: SQL condition over alias `l` of `rows`: whether a row fills the one in hand.
        own: Alias of the row in hand, whose own values come first; None where it is among `rows`.
        winning: Column → numbers of the flows whose documents come first there, also before the row in hand.
        told: Columns of which all rows tell whether a default filled them; that of another document is then better.
        own_tells: Whether the row in hand tells it too; else what it has stays.
    """

    rows: sql.Identifier
    mine: sql.Composable
    own: str | None = None
    winning: Mapping[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])
    told: Collection[str] = ()
    own_tells: bool = True

    def values(self, columns: Sequence[Column]) -> list[tuple[Column, sql.Composable]]:
        """Return each column with the SQL of its value."""
        return [(column, self._value(column)) for column in columns]

    def _value(self, column: Column) -> sql.Composable:
        if column.role == "extras":
            return self._extras(column.name)
        routed = column.reference.routed if column.reference is not None else ()
        if routed:
            return self._routed(column.name, routed)
        name, told = column.name, column.name in self.told
        winning = self.winning.get(name)
        ways: list[sql.Composable] = []
        if told and self.own is not None and not self.own_tells:
            ways.append(self._own(name))
        for said in (True, False) if told else (False,):
            for wins in (True, False) if winning else (False,):
                asked: list[Callable[[str], sql.Composable]] = []
                if said:
                    asked.append(lambda alias: sql.SQL("NOT {}").format(is_filled(alias, name)))
                if wins and winning:
                    asked.append(lambda alias, flows=winning: came_by(alias, flows))
                ways += self._ways(name, asked)
        return ways[0] if len(ways) == 1 else sql.SQL("coalesce({})").format(sql.SQL(", ").join(ways))

    def _ways(self, name: str, asked: Sequence[Callable[[str], sql.Composable]]) -> list[sql.Composable]:
        """Return SQL of the value of the row in hand, if there is one, then of the first that has it: where they are
        as asked."""
        has = sql.SQL(" AND ").join(
            [sql.SQL("l.{} IS NOT NULL").format(sql.Identifier(name)), *(a("l") for a in asked)]
        )
        first = self._first(name, has)
        if self.own is None or (name in self.told and not self.own_tells):
            return [first]
        own = self._own(name)
        if asked:
            conditions = sql.SQL(" AND ").join([one(self.own) for one in asked])
            own = sql.SQL("CASE WHEN {} THEN {} END").format(conditions, own)
        return [own, first]

    def _own(self, name: str) -> sql.Composable:
        return sql.SQL("{}.{}").format(sql.Identifier(self.own or ""), sql.Identifier(name))

    def _first(self, name: str, has: sql.Composable) -> sql.Composable:
        return sql.SQL("(SELECT l.{} FROM {} l WHERE {} AND {} ORDER BY l._rank LIMIT 1)").format(
            sql.Identifier(name), self.rows, self.mine, has
        )

    def _routed(self, name: str, routed: Sequence[str]) -> sql.Composable:
        names = sql.SQL(", ").join(sql.SQL("l.{}").format(sql.Identifier(one)) for one in routed)
        first = self._first(name, sql.SQL("num_nonnulls({}) > 0").format(names))
        if self.own is None:
            return first
        owned = sql.SQL(", ").join(self._own(one) for one in routed)
        return sql.SQL("CASE WHEN num_nonnulls({}) > 0 THEN {} ELSE {} END").format(owned, self._own(name), first)

    def _extras(self, name: str) -> sql.Composable:
        column = sql.Identifier(name)
        have = sql.SQL("EXISTS (SELECT FROM {} l WHERE {} AND l.{} IS NOT NULL)").format(self.rows, self.mine, column)
        # of several values of one key the last one counts
        merged = sql.SQL(
            "coalesce((SELECT jsonb_object_agg(e.key, e.value ORDER BY l._rank DESC) FROM {} l"
            " CROSS JOIN jsonb_each(l.{}) e WHERE {}), '{{}}')"
        ).format(self.rows, column, self.mine)
        if self.own is None:
            return sql.SQL("CASE WHEN {} THEN {} END").format(have, merged)
        own = self._own(name)
        return sql.SQL("CASE WHEN {} THEN {} || coalesce({}, '{{}}') ELSE {} END").format(have, merged, own, own)
