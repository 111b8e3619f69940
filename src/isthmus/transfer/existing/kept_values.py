"""What a delivery leaves as it was in rows that were there before, noted in `isthmus.kept_value`, as digests.

Cells, child rows and fields beside the table that are not what the document says: those of rows that stay, and in
others a number that is only written otherwise, a time that was filled in, an identity that takes no values.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Generator, Sequence

from psycopg import sql

from isthmus.state.kept_values import EXTRAS, NOTED, ROW, VALUES, digest, is_content, own_text, row_text
from isthmus.transfer.existing.fit import FedColumn, FedTable
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.existing.waiting_values import THERE

_STAYS = ("kept", "kept-before", "edited")
_SAID = ("same", "overwritten", "updated")
_AT_ONCE = 200
"""Columns a statement."""


def write(sides: Sides) -> Counter[tuple[str, str]]:
    """Note it behind a delivery, in its transaction. What earlier runs noted goes: only the last run is verified.

    Returns:
        Tallies: (`NOTED`, root table) of tables some rows of which were there; (`VALUES`, root table) → how many.
    """
    found = Counter[tuple[str, str]]()
    if sides.letters is None:
        sides.do(sql.SQL("DELETE FROM isthmus.kept_value WHERE run_id <> {}").format(sql.Literal(sides.job.run.id)))
    for root in sides.roots():
        if root.name not in sides.judged:
            continue
        if sides.letters is None:
            found[NOTED, root.name] += 1
        if not _has(sides, root, (*_STAYS, *_SAID, "deleted")):
            continue
        noted = _note_deleted(sides, root)
        for fed in (root, *sides.children_of(root.name)):
            noted += _note_cells(sides, root, fed)
            if _has(sides, root, _STAYS):
                noted += _note_rows(sides, root, fed) if fed.table.kind == "child" else 0
                noted += _note_extras(sides, root, fed)
        found[VALUES, root.name] += noted
    return found


def note_pairs(sides: Sides, fed: FedTable, pairs: sql.Composable) -> int:
    """Note pairs of a junction that somebody deleted since they were carried: those of a FROM item `p`."""
    ids = [sql.SQL("p.{}::text").format(sql.Identifier(column.name)) for column in fed.table.columns]
    return sides.do(
        sql.SQL(
            "INSERT INTO isthmus.kept_value (run_id, root_table, table_name, column_name, source_row_id, row_id,"
            " row_position, why) SELECT {run}, {table}, {table}, {row}, {pair}, {pair}, '{{}}', 'deleted' FROM {pairs}"
            " ON CONFLICT DO NOTHING"
        ).format(
            run=sql.Literal(sides.job.run.id),
            table=sql.Literal(fed.name),
            row=sql.Literal(ROW),
            pair=sql.SQL(" || '/' || ").join(ids),
            pairs=pairs,
        )
    )


def _has(sides: Sides, root: FedTable, verdicts: Sequence[str]) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} v WHERE v.verdict = ANY({}))::integer")
    return bool(sides.one(query.format(sides.temporary("verdict", root.name), sql.Literal(list(verdicts)))))


def _parts(sides: Sides, root: FedTable, fed: FedTable) -> dict[str, sql.Composable]:
    same = [sql.SQL("{} = v.target_id").format(sides.row_id(root))]
    if fed is not root:
        same = [sql.SQL("t.{} = v.target_id").format(sides.owner(fed))]
        same += [sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in sides.positions(fed)]
    return {
        "run": sql.Literal(sides.job.run.id),
        "root": sql.Literal(root.name),
        "table": sql.Literal(fed.name),
        "verdict": sides.temporary("verdict", root.name),
        "stage": sides.staged(fed.name),
        "real": sides.real(fed.name),
        "owner": sides.owner(fed),
        "same": sql.SQL(" AND ").join(same),
        "here": _positions(sides, fed, "s"),
        "there": _positions(sides, fed, "t"),
        "stays": sql.Literal(list(_STAYS)),
        "row": sql.Literal(ROW),
    }


def _positions(sides: Sides, fed: FedTable, alias: str) -> sql.Composed:
    names = (sql.SQL("{}.{}").format(sql.Identifier(alias), sql.Identifier(name)) for name in sides.positions(fed))
    return sql.SQL("ARRAY[{}]::integer[]").format(sql.SQL(", ").join(names))


def _insert(
    sides: Sides,
    parts: dict[str, sql.Composable],
    source: sql.Composable,
    *,
    column: sql.Composable,
    at: sql.Composable,
    text: sql.Composable | None,
    why: sql.Composable | None = None,
) -> int:
    """Note what a FROM item with a verdict `v` gives; `text` is None where no row is."""
    own = sql.SQL("v.stage_id::text")
    value = sql.SQL("NULL::bytea").format()
    if text is not None:
        value = digest(text, table=parts["table"], column=column, own=own, at=at)
    return sides.do(
        sql.SQL(
            "INSERT INTO isthmus.kept_value (run_id, root_table, table_name, column_name, source_row_id, row_id,"
            " row_position, why, digest) SELECT {run}, {root}, {table}, {column}, {own},"
            " coalesce(v.target_id::text, {own}), {at}, {why}, {value} FROM {source} ON CONFLICT DO NOTHING"
        ).format(
            **parts,
            column=column,
            own=own,
            at=at,
            why=why or sql.SQL("CASE v.verdict WHEN 'edited' THEN 'edited' ELSE 'kept' END"),
            value=value,
            source=source,
        )
    )


def _note_deleted(sides: Sides, root: FedTable) -> int:
    """Note rows that somebody deleted since they were carried."""
    source = sql.SQL("{verdict} v WHERE v.verdict = 'deleted'").format(**_parts(sides, root, root))
    return _insert(
        sides,
        _parts(sides, root, root),
        source,
        column=sql.Literal(ROW),
        at=sql.SQL("'{{}}'::integer[]").format(),
        text=None,
        why=sql.Literal("deleted"),
    )


def _note_cells(sides: Sides, root: FedTable, fed: FedTable) -> int:
    """Note values that are not what the document says."""
    contents = [column for column in sides.contents(fed) if is_content(column.column.role)]
    noted = 0
    for verdicts, columns in ((_STAYS, contents), (_SAID, [c for c in contents if _excuse(sides, fed, c) is not None])):
        if not columns or not _has(sides, root, verdicts):
            continue
        for start in range(0, len(columns), _AT_ONCE):
            some = columns[start : start + _AT_ONCE]
            cells = [_cell(sides, fed, column, stays=verdicts is _STAYS) for column in some]
            parts = _parts(sides, root, fed)
            source = sql.SQL(
                "{verdict} v JOIN {stage} s ON s.{owner} = v.stage_id JOIN {real} t ON {same} CROSS JOIN LATERAL"
                " (VALUES {cells}) AS x(path, actual, why) WHERE v.verdict = ANY({verdicts}) AND x.why IS NOT NULL"
            ).format(**parts, cells=sql.SQL(", ").join(cells), verdicts=sql.Literal(list(verdicts)))
            noted += _insert(
                sides,
                parts,
                source,
                column=sql.SQL("x.path"),
                at=parts["here"],
                text=sql.SQL("x.actual"),
                why=sql.SQL("x.why"),
            )
    return noted


def _cell(sides: Sides, fed: FedTable, column: FedColumn, *, stays: bool) -> sql.Composed:
    """Return SQL of a cell's name, its real text, and why it is not what the document says; NULL where it is."""
    actual = own_text(sql.SQL("t.{}").format(sql.Identifier(column.name)), _base(column))
    given = own_text(sides.value(column, fed.table), _base(column))
    differs = sql.SQL("{} IS DISTINCT FROM {}").format(actual, given)
    if not stays:
        excuse = _excuse(sides, fed, column)
        assert excuse is not None  # noqa: S101  others are not asked for
        return sql.SQL("({}, {}, CASE WHEN {} THEN {} END)").format(sql.Literal(column.name), actual, differs, excuse)
    if (fed.name, column.name) in sides.waiting:  # NULL on both sides may stand for two things
        differs = sql.SQL("({} OR ({})::text IS DISTINCT FROM ({})::text)").format(
            differs, sides.compared(fed, column, "t", real=True), sides.compared(fed, column, "s", real=False)
        )
    return sql.SQL("({}, {}, CASE WHEN {} THEN CASE v.verdict WHEN 'edited' THEN 'edited' ELSE 'kept' END END)").format(
        sql.Literal(column.name), actual, differs
    )


def _excuse(sides: Sides, fed: FedTable, column: FedColumn) -> sql.Composed | None:
    """Return SQL of why a cell of a row that is its document's may be another; None where it may not."""
    whens: list[sql.Composed] = []
    if (fed.name, column.name) in sides.filled_in:
        whens.append(sql.SQL("WHEN {} THEN 'filled in'").format(sides.is_filled_in(fed, column)))
    if column.there.base == "numeric" and not column.there.array:
        real = sql.SQL("t.{}").format(sql.Identifier(column.name))
        whens.append(sql.SQL("WHEN {} = {} THEN 'number'").format(real, sides.value(column, fed.table)))
    if column.there.always:
        whens.append(sql.SQL("WHEN v.verdict IN ('overwritten', 'updated') THEN 'kept'").format())
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(whens)) if whens else None


def _base(column: FedColumn) -> str:
    return "" if column.there.array else column.there.base


def _row_text(fed: FedTable) -> sql.Composed:
    return row_text(
        (column.name, sql.SQL("t.{}").format(sql.Identifier(column.name)), _base(column))
        for column in fed.columns
        if is_content(column.column.role)
    )


def _note_rows(sides: Sides, root: FedTable, fed: FedTable) -> int:
    """Note child rows that the document has and the target has not, and the other way round."""
    parts = _parts(sides, root, fed)
    missing = sql.SQL(
        "{verdict} v JOIN {stage} s ON s.{owner} = v.stage_id WHERE v.verdict = ANY({stays})"
        " AND NOT EXISTS (SELECT FROM {real} t WHERE {same})"
    ).format(**parts)
    surplus = sql.SQL(
        "{verdict} v JOIN {real} t ON t.{owner} = v.target_id WHERE v.verdict = ANY({stays})"
        " AND NOT EXISTS (SELECT FROM {stage} s WHERE s.{owner} = v.stage_id AND {same})"
    ).format(**parts)
    noted = _insert(sides, parts, missing, column=parts["row"], at=parts["here"], text=None)
    return noted + _insert(sides, parts, surplus, column=parts["row"], at=parts["there"], text=_row_text(fed))


def _note_extras(sides: Sides, root: FedTable, fed: FedTable) -> int:
    """Note fields that nobody named where those beside the table are others."""
    if fed.extras is None:
        return 0
    parts = _parts(sides, root, fed)
    source = sql.SQL(
        "{verdict} v JOIN {stage} s ON s.{owner} = v.stage_id LEFT JOIN isthmus.extras e ON e.table_schema = {schema}"
        " AND e.table_name = {table} AND e.id = v.target_id::text AND e.row_position = {here}"
        " WHERE v.verdict = ANY({stays}) AND e.document IS DISTINCT FROM s.{extras}"
    ).format(**parts, schema=sql.Literal(sides.existing.schema), extras=sql.Identifier(fed.extras))
    text = sql.SQL("e.document::text")
    return _insert(sides, parts, source, column=sql.Literal(EXTRAS), at=parts["here"], text=text)


@contextlib.contextmanager
def following(sides: Sides) -> Generator[None]:
    """Let what the run's delivery noted follow the references that dead letters, delivered later, bring to it."""
    done = sql.SQL("SELECT w.row_id FROM {} w WHERE w.done AND w.own_column IS NULL").format(THERE)
    if sides.letters is None or not sides.one(sql.SQL("SELECT count(*) FROM ({}) AS c").format(done)):
        yield
        return
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE still_kept ON COMMIT DROP AS SELECT table_name, column_name, source_row_id, row_id,"
            " row_position, digest FROM isthmus.kept_value WHERE false"
        )
    )
    tables = [(root, fed) for root in sides.roots() for fed in (root, *sides.children_of(root.name))]
    for root, fed in tables:
        sides.do(
            sql.SQL(
                "INSERT INTO pg_temp.still_kept SELECT k.table_name, k.column_name, k.source_row_id, k.row_id,"
                " k.row_position, k.digest FROM isthmus.kept_value k JOIN {now} WHERE k.run_id = {run}"
                " AND k.row_id IN ({done}) AND k.digest = {digest}"
            ).format(done=done, **_now(sides, root, fed))
        )
    yield
    _follow(sides, tables)
    sides.do(sql.SQL("DROP TABLE pg_temp.still_kept"))


def _follow(sides: Sides, tables: list[tuple[FedTable, FedTable]]) -> None:
    for root, fed in tables:
        sides.do(
            sql.SQL(
                "UPDATE isthmus.kept_value u SET digest = {digest} FROM pg_temp.still_kept k JOIN {now}"
                " WHERE u.run_id = {run} AND u.table_name = k.table_name AND u.column_name = k.column_name"
                " AND u.source_row_id = k.source_row_id AND u.row_position = k.row_position"
            ).format(**_now(sides, root, fed))
        )


def _now(sides: Sides, root: FedTable, fed: FedTable) -> dict[str, sql.Composable]:
    """Return SQL that joins what was noted (`k`) of a table with what stands there now, and its digest."""
    owner = sides.row_id(root) if fed is root else sql.SQL("t.{}").format(sides.owner(fed))
    cells = [
        sql.SQL("({}, {})").format(
            sql.Literal(column.name),
            own_text(sql.SQL("t.{}").format(sql.Identifier(column.name)), _base(column)),
        )
        for column in fed.columns
        if is_content(column.column.role)
    ]
    cells.append(sql.SQL("({}, {})").format(sql.Literal(ROW), _row_text(fed)))
    now = sql.SQL(
        "{real} t ON k.table_name = {table} AND {owner}::text = k.row_id AND {at} = k.row_position"
        " JOIN LATERAL (VALUES {cells}) AS x(path, actual) ON x.path = k.column_name"
    ).format(
        real=sides.real(fed.name),
        table=sql.Literal(fed.name),
        owner=owner,
        at=_positions(sides, fed, "t"),
        cells=sql.SQL(", ").join(cells),
    )
    value = digest(
        sql.SQL("x.actual"),
        table=sql.SQL("k.table_name"),
        column=sql.SQL("k.column_name"),
        own=sql.SQL("k.source_row_id"),
        at=sql.SQL("k.row_position"),
    )
    return {"now": now, "digest": value, "run": sql.Literal(sides.job.run.id)}
