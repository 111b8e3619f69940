"""One undo at work: what is taken back, and SQL that says of a row whether it goes.

Temporary tables of its transaction hold the rows: `undo_N` every row of a root table that is known of the collections,
`going_N` those that go, of a root table (`id`, `text`) or of a junction (its columns, `ids`); `held_N` what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from psycopg import sql

from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.undoing.result import UndoResult


@dataclass
class Taking:
    """What an undo works on.

    Attributes:
        sides: The real tables, in its transaction.
        collections: The source collections whose rows are taken back.
        result: Gets what it comes to.
        stood: Tables of which `stood_N`, the digests of rows that were there before any copy, exists.
    """

    sides: Sides
    collections: list[str]
    result: UndoResult
    stood: set[str] = field(default_factory=set[str])
    _held: dict[tuple[str, str, tuple[str, ...]], sql.Identifier] = field(
        default_factory=dict[tuple[str, str, tuple[str, ...]], sql.Identifier]
    )

    @cached_property
    def roots(self) -> list[FedTable]:
        """The root tables that hold such rows."""
        chosen = set(self.collections)
        return [fed for fed in self.sides.roots() if chosen & {flow.collection for flow in fed.table.flows}]

    @cached_property
    def junctions(self) -> list[FedTable]:
        """The junctions with a side that is such a table."""
        names = {fed.name for fed in self.roots}
        return [fed for fed in self.sides.junctions() if any(self.leads_to(fed, c.name) in names for c in fed.columns)]

    @cached_property
    def tables(self) -> list[FedTable]:
        """Every table that rows may go from."""
        found: list[FedTable] = []
        for root in self.roots:
            found += [root, *self.sides.children_of(root.name)]
        return [*found, *self.junctions]

    def leads_to(self, fed: FedTable, column: str) -> str | None:
        """Return the root table that a column of a table points at; None where it points at none."""
        found = fed.fed(column)
        reference = found.column.reference if found is not None else None
        return None if reference is None else reference.table

    def known(self, fed: FedTable) -> sql.Identifier:
        """Name the table of every row known of a root table."""
        return self.sides.temporary("undo", fed.name)

    def going(self, fed: FedTable) -> sql.Identifier:
        """Name the table of the rows of a root table or junction that go."""
        return self.sides.temporary("going", fed.name)

    def goes(self, fed: FedTable, alias: str) -> sql.Composed:
        """Return SQL that is true of a row that goes; false for tables that none goes from."""
        if fed.name not in {one.name for one in self.tables}:
            return sql.SQL("false").format()
        row = sql.Identifier(alias)
        if fed.table.kind == "junction":
            same = sql.SQL(" AND ").join(
                sql.SQL("g.{0} = {1}.{0}").format(sql.Identifier(column.name), row) for column in fed.columns
            )
            return sql.SQL("EXISTS (SELECT FROM {} g WHERE {})").format(self.going(fed), same)
        root = self.sides.root_of(fed.table)
        owner = self.sides.row_id(root, alias) if fed is root else sql.SQL("{}.{}").format(row, self.sides.owner(fed))
        return sql.SQL("EXISTS (SELECT FROM {} g WHERE g.id = {})").format(self.going(root), owner)

    def is_listed(self, fed: FedTable, alias: str) -> sql.Composed:
        """Return SQL that is true of a row of a root or child table that stands in the way by itself."""
        root = self.sides.root_of(fed.table)
        if root.name not in {one.name for one in self.roots}:
            return sql.SQL("false").format()
        owner = self.sides.row_id(root, alias)
        if fed is not root:
            owner = sql.SQL("{}.{}").format(sql.Identifier(alias), self.sides.owner(fed))
        return sql.SQL("EXISTS (SELECT FROM {} u WHERE u.id = {} AND u.verdict NOT IN ('goes', 'stays'))").format(
            self.known(root), owner
        )

    def holds(self, root: FedTable, column: str, value: sql.Composable, *verdicts: str) -> sql.Composed:
        """Return SQL that is true where a text is what a column of a root table has in rows with some verdicts.

        By default in those that go. It is asked of what stood there when it was asked first.
        """
        return sql.SQL("EXISTS (SELECT FROM {} x WHERE x.v = {})").format(
            self._values(root, column, verdicts or ("goes",)), value
        )

    def _values(self, root: FedTable, column: str, verdicts: tuple[str, ...]) -> sql.Identifier:
        key = (root.name, column, verdicts)
        if key not in self._held:
            name = f"held_{len(self._held)}"
            self.sides.do(
                sql.SQL(
                    "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT DISTINCT t.{}::text AS v FROM {} t JOIN {} u"
                    " ON u.id = {} AND u.verdict = ANY({})"
                ).format(
                    sql.Identifier(name),
                    sql.Identifier(column),
                    self.sides.real(root.name),
                    self.known(root),
                    self.sides.row_id(root),
                    sql.Literal(list(verdicts)),
                )
            )
            self._held[key] = sql.Identifier("pg_temp", name)
            self.sides.do(sql.SQL("CREATE INDEX ON {} (v)").format(self._held[key]))
            self.sides.do(sql.SQL("ANALYZE {}").format(self._held[key]))
        return self._held[key]

    def drop(self, what: str, fed: FedTable) -> None:
        """Drop a temporary table."""
        self.sides.do(sql.SQL("DROP TABLE IF EXISTS {}").format(self.sides.temporary(what, fed.name)))

    def texts(self, query: sql.Composed) -> tuple[int, list[str]]:
        """Return how many rows a query of one text has, and the first of them in order."""
        count = self.sides.one(sql.SQL("SELECT count(*) FROM ({}) AS q").format(query))
        if not count:
            return 0, []
        rows = self.sides.connection.execute(
            sql.SQL("SELECT q.t FROM ({}) AS q(t) ORDER BY 1 LIMIT {}").format(query, sql.Literal(self.result.limit))
        ).fetchall()
        return count, [str(text) for (text,) in rows]
