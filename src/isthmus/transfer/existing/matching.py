"""Rows that were there before: which document is which of them, and what becomes of it.

A row is the same thing as a document when it has the document's id (or the one that an earlier run found for it), or
when `match` says so: the first of its lists that finds exactly one row. Nothing is guessed: what matches twice, in
either direction, is refused by name. What then happens is the policy's (`on_conflict`), for tracked tables also a
matter of who changed something since (`rerun: tracked`).
"""

from __future__ import annotations

from collections import Counter

from psycopg import sql

from isthmus.mapping.model import Flow
from isthmus.mapping.tables import HIDDEN_THING
from isthmus.state.ledgers import Cause
from isthmus.transfer.existing import row_state
from isthmus.transfer.existing.fit import FedColumn, FedTable
from isthmus.transfer.existing.names import known_elsewhere
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.sides import SHOWN_CHARACTERS, Sides
from isthmus.transfer.finishing.origins import bson_ids, ids_of_flow
from isthmus.transfer.finishing.remove import CHUNK
from isthmus.work.hidden import HIDDEN


def resolve(sides: Sides, refused: Refused) -> None:
    """Find the real row of every document that has one; fills `found` and `moved` of each root table."""
    for fed in _by_dependence(sides):
        _resolve_table(sides, fed, refused)


def _by_dependence(sides: Sides) -> list[FedTable]:
    """Return the root tables, those first whose ids others are matched by."""
    roots = {fed.name: fed for fed in sides.roots()}
    order: list[FedTable] = []
    on_the_way: set[str] = set()

    def visit(fed: FedTable) -> None:
        if fed.name in on_the_way:
            return
        on_the_way.add(fed.name)
        for columns in (fed.row_key if fed.is_idless else (), *sides.rule(fed.table).match):
            for name in columns:
                column = fed.fed(name)
                reference = column.column.reference if column is not None else None
                if reference is not None and reference.table in roots:
                    visit(roots[reference.table])
        order.append(fed)

    for fed in roots.values():
        visit(fed)
    return order


def _resolve_table(sides: Sides, fed: FedTable, refused: Refused) -> None:
    known = sides.connection.execute(
        "SELECT EXISTS (SELECT FROM isthmus.id_map WHERE origin IN ('matched', 'merged') AND collection = ANY(%s))",
        (list(fed.table.collections),),
    ).fetchone()
    earlier = bool(known and known[0])
    if fed.is_idless and not fed.row_key:
        return  # its table was empty
    if not fed.is_idless and fed.name not in sides.filled and not earlier and not _was_carried(sides, fed):
        return
    parts = _parts(sides, fed)
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {} (stage_id {}, target_id {}, how smallint NOT NULL, PRIMARY KEY (stage_id))"
            " ON COMMIT DROP"
        ).format(_bare(sides, "found", fed), sides.stage_type(fed), sides.row_id_type(fed))
    )
    remembered = (
        "INSERT INTO {found} SELECT s.{id}, {row_id}, {number} FROM {stage} s"
        " JOIN isthmus.id_map m ON m.origin = 'matched' AND m.collection = ANY({collections})"
        " AND m.derived_id = s.{id}::text JOIN {real} t ON {row_id}::text = m.id ON CONFLICT DO NOTHING"
    )
    own = (
        "INSERT INTO {found} SELECT s.{id}, {row_id}, {number} FROM {stage} s JOIN {real} t ON {own}"
        " ON CONFLICT DO NOTHING"
    )
    steps = (remembered, own)
    if fed.is_idless:  # there an earlier run enters all its rows; a document with the key of another one is that row
        steps = (own, remembered) if sides.rule(fed.table).match else (own,)
    for number, step in enumerate(steps):
        sides.do(sql.SQL(step).format(number=sql.Literal(number), **parts))
    if fed.name in sides.job.mapping.thing_tables and not fed.is_idless:
        sides.do(  # a thing keeps its id, also when the document that it had it from is there no more
            sql.SQL(
                "INSERT INTO {found} SELECT s.{id}, {row_id}, 1 FROM {stage} s JOIN {real} t ON {row_id}::text ="
                " s.{thing} ON CONFLICT DO NOTHING"
            ).format(thing=sql.Identifier(HIDDEN_THING), **parts)
        )
    # Of a table that nobody looked at the server believes that most rows share a value, and joins it row by row.
    sides.do(sql.SQL("ANALYZE {found}").format(**parts))
    for columns in sides.rule(fed.table).match:
        _match(sides, fed, columns, parts)
        sides.do(sql.SQL("ANALYZE {found}").format(**parts))
    _refuse_ambiguous(sides, fed, refused, parts)
    _refuse_taken(sides, fed, refused, parts)
    if sides.letters is not None:
        _refuse_delivered(sides, fed, refused, parts)
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT stage_id, target_id, stage_id::text AS stage_text"
            " FROM {found} WHERE target_id::text <> stage_id::text"
            " UNION SELECT m.derived_id::{stage_kind}, {row_id}, m.derived_id"
            " FROM {elsewhere} m JOIN {real} t ON {row_id}::text = m.id"
            " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.stage_id = m.derived_id::{stage_kind})"
            " AND (m.origin = 'matched' OR NOT EXISTS (SELECT FROM {stage} s"
            " WHERE s.{id} = m.derived_id::{stage_kind}))"
        ).format(_bare(sides, "moved", fed), elsewhere=known_elsewhere(fed.table.collections), **parts)
    )
    if fed.is_idless:
        _move_keys(sides, fed, parts)
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON {} (stage_id)").format(sides.temporary("moved", fed.name)))
    sides.do(sql.SQL("CREATE INDEX ON {} (stage_text)").format(sides.temporary("moved", fed.name)))
    if sides.one(sql.SQL("SELECT count(*) FROM {}").format(sides.temporary("moved", fed.name))):
        sides.moved.add(fed.name)
    sides.judged.add(fed.name)
    sides.do(sql.SQL("ANALYZE {}").format(sides.temporary("moved", fed.name)))


def _move_keys(sides: Sides, fed: FedTable, parts: dict[str, sql.Composable]) -> None:
    """Of a table that keeps no ids: say of every document what its row is known by, and which keys are others there."""
    moved = sides.temporary("moved", fed.name)
    sides.do(  # its key says what a document is now, whatever it was before
        sql.SQL(
            "DELETE FROM {moved} m WHERE EXISTS (SELECT FROM {stage} s WHERE s.{id} = m.stage_id)"
            " AND NOT EXISTS (SELECT FROM {found} f WHERE f.stage_id = m.stage_id)"
        ).format(moved=moved, **parts)
    )
    sides.do(
        sql.SQL(
            "INSERT INTO {moved} SELECT s.{id}, {own}, s.{id}::text FROM {stage} s"
            " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.stage_id = s.{id})"
        ).format(**{**parts, "moved": moved, "own": sides.own_row_id(fed)})
    )
    if len(fed.row_key) != 1:
        return  # nothing refers to it
    changed = sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {moves} ON COMMIT DROP AS SELECT s.{key} AS stage_id, t.{key} AS target_id"
            " FROM {found} f JOIN {stage} s ON s.{id} = f.stage_id JOIN {real} t ON {row_id} = f.target_id"
            " WHERE s.{key}::text <> t.{key}::text"
        ).format(moves=sql.Identifier(f"rekeyed_{sides.number(fed.name)}"), key=sql.Identifier(fed.row_key[0]), **parts)
    )
    sides.do(sql.SQL("CREATE INDEX ON {} (stage_id)").format(sides.key_moves(fed.name)))
    if changed:
        sides.rekeyed.add(fed.name)


def _was_carried(sides: Sides, fed: FedTable) -> bool:
    """Tell whether rows of a tracked table were carried before, although none is there now."""
    return sides.rule(fed.table).rerun == "tracked" and row_state.knows(sides, fed)


def _bare(sides: Sides, what: str, fed: FedTable) -> sql.Identifier:
    return sql.Identifier(f"{what}_{sides.number(fed.name)}")


def _parts(sides: Sides, fed: FedTable) -> dict[str, sql.Composable]:
    return {
        "found": sides.temporary("found", fed.name),
        "stage": sides.staged(fed.name),
        "real": sides.real(fed.name),
        "id": sides.owner(fed),
        "row_id": sides.row_id(fed),
        "own": sides.is_own_row(fed),
        "kind": sides.row_id_type(fed),
        "stage_kind": sides.stage_type(fed),
        "collections": sql.Literal(list(fed.table.collections)),
    }


def _hits(sides: Sides, fed: FedTable, columns: tuple[str, ...], parts: dict[str, sql.Composable]) -> sql.Composed:
    """Return a query of all pairs (document without a row so far, real row) that agree in some columns."""
    same: list[sql.Composable] = []
    for name in columns:
        column = fed.fed(name)
        if column is None:
            return sql.SQL("SELECT NULL::{stage_kind} AS stage_id, NULL::{kind} AS target_id WHERE false").format(
                **parts
            )
        same.append(sql.SQL("t.{} = {}").format(sql.Identifier(name), sides.value(column, fed.table)))
    return sql.SQL(
        "SELECT s.{id} AS stage_id, {row_id} AS target_id FROM {stage} s JOIN {real} t ON {same}"
        " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.stage_id = s.{id})"
    ).format(same=sql.SQL(" AND ").join(same), **parts)


def _match(sides: Sides, fed: FedTable, columns: tuple[str, ...], parts: dict[str, sql.Composable]) -> None:
    sides.do(
        sql.SQL(
            "INSERT INTO {found} SELECT stage_id, (array_agg(target_id))[1], 2 FROM ({hits}) AS h"
            " GROUP BY stage_id HAVING count(*) = 1"
        ).format(hits=_hits(sides, fed, columns, parts), found=parts["found"])
    )


def _refuse_ambiguous(sides: Sides, fed: FedTable, refused: Refused, parts: dict[str, sql.Composable]) -> None:
    """Refuse documents that several rows agree with, and none alone."""
    for columns in sides.rule(fed.table).match:
        rows = sides.connection.execute(
            sql.SQL(
                "SELECT stage_id::text, count(*), min(target_id::text), max(target_id::text) FROM ({}) AS h"
                " GROUP BY 1 ORDER BY 1 LIMIT {}"
            ).format(_hits(sides, fed, columns, parts), sql.Literal(CHUNK))
        ).fetchall()
        for stage_id, count, first, last in rows:
            refused.add(
                fed.name,
                str(stage_id),
                Cause(
                    "match-ambiguous",
                    "",
                    f"{count} rows of {fed.there.label} have its {', '.join(columns)}, among them {first} and {last};"
                    " which of them it is cannot be told.",
                    fed.name,
                ),
            )


def _refuse_taken(sides: Sides, fed: FedTable, refused: Refused, parts: dict[str, sql.Composable]) -> None:
    """Refuse documents that match a row which another document is, or may be as well.

    What an earlier run found (0) goes before the document's own id (1), and this before what agrees (2).
    """
    rows = sides.connection.execute(
        sql.SQL(
            "SELECT f.stage_id::text, f.target_id::text, o.stage_id::text, o.how FROM {found} f"
            " JOIN {found} o ON o.target_id = f.target_id AND o.stage_id <> f.stage_id WHERE o.how <= f.how"
            " ORDER BY 1, 3 LIMIT {limit}"
        ).format(limit=sql.Literal(CHUNK), found=parts["found"])
    ).fetchall()
    for stage_id, target_id, other, how in rows:
        whose = (
            "is already the document with the id" if how < 2 else "matches another document, too, the one with the id"
        )
        refused.add(
            fed.name,
            str(stage_id),
            Cause(
                "match-taken",
                "",
                f"It matches the row {target_id} of {fed.there.label}, which {whose} {other}.",
                fed.name,
            ),
        )


def _refuse_delivered(sides: Sides, fed: FedTable, refused: Refused, parts: dict[str, sql.Composable]) -> None:
    """Refuse dead letters that agree with a row which another document is, delivered before them.

    That is known of rows that were matched or are tracked, and of those with an id made by this target's key; of others
    (`ids: keep`) it is not.
    """
    rows = sides.connection.execute(
        sql.SQL(
            "SELECT f.stage_id::text, f.target_id::text, coalesce((SELECT m.derived_id FROM isthmus.id_map m"
            " WHERE m.origin = 'matched' AND m.collection = ANY({collections}) AND m.id = f.target_id::text"
            " AND m.derived_id <> f.stage_id::text LIMIT 1), (SELECT r.source_id FROM isthmus.row_state r"
            " WHERE r.table_schema = {schema} AND r.table_name = {name} AND r.id = f.target_id::text"
            " AND r.source_id <> f.stage_id::text LIMIT 1)) FROM {found} f WHERE f.how = 2 ORDER BY 1"
        ).format(schema=sql.Literal(sides.existing.schema), name=sql.Literal(fed.name), **parts)
    ).fetchall()
    taken = {str(target_id): str(other) for _, target_id, other in rows if other is not None}
    for flow in fed.table.flows:
        unknown = [str(target_id) for _, target_id, _ in rows if str(target_id) not in taken]
        known = ids_of_flow(sides.job, sides.connection, flow, unknown)
        taken |= {target_id: target_id for target_id, (own, _) in zip(unknown, known, strict=True) if own is not None}
    for stage_id, target_id, _ in rows:
        if str(target_id) in taken:
            message = (
                f"It matches the row {target_id} of {fed.there.label}, which is already the document with the id"
                f" {taken[str(target_id)]}."
            )
            refused.add(fed.name, str(stage_id), Cause("match-taken", "", message, fed.name))


def judge(sides: Sides, refused: Refused) -> None:
    """Decide what becomes of every document whose row was there before; fills `verdict` of each judged root table.

    The verdicts: `kept` (the real row stays), `same`, `edited` and `kept-before` (it stays, and that is no news:
    somebody edited it since it was carried, or the policy kept it in an earlier run), `overwritten`, `updated` (nobody
    touched it since it was carried), `deleted` (somebody deleted it since it was carried), `refused`.
    """
    for fed in sides.roots():
        if fed.name in sides.judged:
            row_state.collect(sides, fed)
            _judge_table(sides, fed, refused)


def _judge_table(sides: Sides, fed: FedTable, refused: Refused) -> None:
    rule = sides.rule(fed.table)
    different = sql.SQL("d.differing <> '{}'::jsonb")
    policy = {
        "keep_target": sql.SQL("CASE WHEN {} THEN 'kept' ELSE 'same' END").format(different),
        "overwrite": sql.SQL("CASE WHEN {} THEN 'overwritten' ELSE 'same' END").format(different),
        "dead_letter": sql.SQL("CASE WHEN {} THEN 'refused' ELSE 'same' END").format(different),
    }[rule.on_conflict]
    verdict: sql.Composable = policy
    if rule.rerun == "tracked":
        # what an earlier run kept is news again only when the policy is another one by now
        unchanged = sql.SQL("'kept-before'") if rule.on_conflict == "keep_target" else policy
        verdict = sql.SQL(
            "CASE WHEN w.source_digest IS NULL THEN {policy}"
            " WHEN w.loaded_digest = b.digest THEN CASE WHEN w.source_digest = a.digest OR NOT {different} THEN 'same'"
            " ELSE 'updated' END"
            " WHEN w.loaded_digest IS NULL AND NOT {different} THEN 'same'"
            " WHEN w.source_digest = a.digest THEN"
            " CASE WHEN w.loaded_digest IS NULL THEN {unchanged} ELSE 'edited' END"
            " WHEN NOT {different} THEN 'same' ELSE {policy} END"
        ).format(policy=policy, different=different, unchanged=unchanged)
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {verdict} ON COMMIT DROP AS SELECT f.stage_id, f.target_id, d.differing,"
            " {decision} AS verdict, a.digest AS source_digest, b.digest AS target_digest, b.beside AS target_beside"
            " FROM {found} f"
            " JOIN {source} a ON a.id = f.stage_id JOIN {target} b ON b.id = f.target_id"
            " LEFT JOIN {known} w ON w.id = f.target_id::text"
            " CROSS JOIN LATERAL (SELECT CASE WHEN a.digest = b.digest THEN '{{}}'::jsonb ELSE {differing} END"
            " AS differing FROM {stage} s, {real} t WHERE s.{id} = f.stage_id AND {row_id} = f.target_id) AS d"
        ).format(
            verdict=_bare(sides, "verdict", fed),
            decision=verdict,
            found=sides.temporary("found", fed.name),
            source=sides.temporary("source", fed.name),
            target=sides.temporary("target", fed.name),
            known=sides.temporary("known", fed.name),
            differing=_differing(sides, fed),
            stage=sides.staged(fed.name),
            real=sides.real(fed.name),
            id=sides.owner(fed),
            row_id=sides.row_id(fed),
        )
    )
    # a row that was carried and is gone since was deleted by somebody: what is newer in the target stays
    sides.do(
        sql.SQL(
            "INSERT INTO {verdict} SELECT s.{id}, NULL, CASE WHEN a.digest = w.source_digest THEN '{{}}'::jsonb"
            ' ELSE \'{{"row": {{"target": "deleted"}}}}\'::jsonb END, \'deleted\', a.digest, NULL, NULL FROM {stage} s'
            " JOIN {source} a ON a.id = s.{id} JOIN {known} w ON {was}"
            " WHERE NOT EXISTS (SELECT FROM {found} f WHERE f.stage_id = s.{id})"
        ).format(
            verdict=sides.temporary("verdict", fed.name),
            id=sides.owner(fed),
            stage=sides.staged(fed.name),
            source=sides.temporary("source", fed.name),
            known=sides.temporary("known", fed.name),
            found=sides.temporary("found", fed.name),
            was=row_state.is_known_as(sides, fed, "w"),
        )
    )
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON {} (stage_id)").format(sides.temporary("verdict", fed.name)))
    sides.do(sql.SQL("ANALYZE {}").format(sides.temporary("verdict", fed.name)))
    rows = sides.connection.execute(
        sql.SQL(
            "SELECT stage_id::text, target_id::text, ARRAY(SELECT jsonb_object_keys(differing) ORDER BY 1) FROM {}"
            " WHERE verdict = 'refused' ORDER BY 1 LIMIT {}"
        ).format(sides.temporary("verdict", fed.name), sql.Literal(CHUNK))
    ).fetchall()
    for stage_id, target_id, columns in rows:
        refused.add(
            fed.name,
            str(stage_id),
            Cause(
                "target-has-row",
                "",
                f"{fed.there.label} holds it already, as the row {target_id}, with another {', '.join(columns)}; the"
                " mapping says `on_conflict: dead_letter`.",
                fed.name,
            ),
        )


def _differing(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL of a jsonb object: what differs between a stage row `s` and a real row `t`, by column."""
    pairs: list[sql.Composable] = []
    for column in sides.contents(fed):
        real = sides.compared(fed, column, "t", real=True)
        staged = sides.compared(fed, column, "s", real=False)
        if column.column.sensitive:
            shown = sql.SQL("jsonb_build_object('target', {h}::text, 'source', {h}::text)").format(
                h=sql.Literal(HIDDEN)
            )
        else:
            shown = sql.SQL(
                "jsonb_build_object('target', left({}::text, {n}), 'source', left(({})::text, {n}))"
            ).format(real, staged, n=sql.Literal(SHOWN_CHARACTERS))
        pairs.append(
            sql.SQL("({}, CASE WHEN {}::text IS DISTINCT FROM ({})::text AND ({}) IS NOT TRUE THEN {} END)").format(
                sql.Literal(column.name), real, staged, sides.is_filled_in(fed, column), shown
            )
        )
    for child in sides.children_of(fed.name):
        pairs.append(
            sql.SQL(
                '({}, CASE WHEN a.{column} IS DISTINCT FROM b.{column} THEN \'{{"rows": "differ"}}\'::jsonb END)'
            ).format(sql.Literal(child.name), column=sql.Identifier(row_state.child_column(sides, child)))
        )
    if not pairs:
        return sql.SQL("'{{}}'::jsonb").format()
    return sql.SQL(
        "(SELECT coalesce(jsonb_object_agg(k, v), '{{}}'::jsonb) FROM (VALUES {}) AS x(k, v) WHERE v IS NOT NULL)"
    ).format(sql.SQL(", ").join(pairs))


def find_taken_values(sides: Sides, refused: Refused) -> None:
    """Refuse documents whose unique values are held by real rows that they are not."""
    for fed in sides.existing.tables.values():
        if fed.table.kind == "junction" or fed.name not in sides.filled:
            continue
        for unique in fed.there.uniques:
            columns = [fed.fed(key) for key in unique.keys]
            if not fed.knows_values(unique):
                continue  # the server says so when it is delivered
            if fed.is_idless and set(fed.row_key) <= set(unique.keys):
                continue  # a row with that key is the same thing
            _refuse_taken_value(sides, fed, [c for c in columns if c is not None], unique.where, refused)


def _refuse_taken_value(
    sides: Sides, fed: FedTable, columns: list[FedColumn], where: str | None, refused: Refused
) -> None:
    root = sides.root_of(fed.table)
    owner = sides.owner(fed)
    writes = sql.SQL("true").format()
    target = sql.SQL("NULL::{}").format(sides.row_id_type(fed))
    if root.name in sides.judged:
        verdict = sides.temporary("verdict", root.name)
        writes = sql.SQL(
            "NOT EXISTS (SELECT FROM {} v WHERE v.stage_id = s.{} AND v.verdict NOT IN ('overwritten', 'updated'))"
        ).format(verdict, owner)
        target = sql.SQL("(SELECT v.target_id FROM {} v WHERE v.stage_id = s.{})").format(verdict, owner)
    predicate = sql.SQL(where or "true")  # pyright: ignore[reportArgumentType]  the catalog's words
    same = sql.SQL(" AND ").join(
        sql.SQL("t.{} = {}").format(sql.Identifier(column.name), sides.value(column, fed.table)) for column in columns
    )
    names = ", ".join(column.name for column in columns)
    advice = f"If they are the same thing, say so: `match: [[{names}]]`."
    if tuple(column.name for column in columns) in {tuple(one) for one in sides.rule(fed.table).match}:
        advice = "By its id, or by what an earlier copy found, the document is another row than that one."
    if fed.table.kind == "child":
        advice = f"Delete that row, or let `match` find the row of {root.there.label} that it belongs to."
    rows = sides.connection.execute(
        sql.SQL(
            "SELECT s.{owner}::text, min({row_id}::text) FROM (SELECT * FROM {stage} WHERE {predicate}) AS s"
            " JOIN (SELECT * FROM {real} WHERE {predicate}) AS t ON {same}"
            " WHERE {writes} AND {row_id} IS DISTINCT FROM {target} GROUP BY 1 ORDER BY 1 LIMIT {limit}"
        ).format(
            owner=owner,
            row_id=sides.row_id(fed),
            stage=sides.staged(fed.name),
            real=sides.real(fed.name),
            predicate=predicate,
            same=same,
            writes=writes,
            target=target,
            limit=sql.Literal(CHUNK),
        )
    ).fetchall()
    for stage_id, held_by in rows:
        refused.add(
            root.name,
            str(stage_id),
            Cause(
                "target-has-value",
                "",
                f"Its {names} is held by another row of {fed.there.label}, {held_by}. {advice}",
                f"{fed.name}.{names}",
            ),
        )


def write_ledgers(sides: Sides) -> None:
    """Write which rows differ, and which ids are those of rows that were there before."""
    for fed in sides.roots():
        if fed.name not in sides.judged:
            continue
        sides.do(
            sql.SQL(
                "INSERT INTO isthmus.conflict"
                " (run_id, collection, table_name, row_id, source_row_id, differing, policy, action, said_digest)"
                " SELECT {run}, {collection}, {table}, coalesce(v.target_id::text, {own}), v.stage_id::text,"
                " v.differing, {policy}, CASE v.verdict WHEN 'deleted' THEN 'deleted-in-target' ELSE v.verdict END,"
                " sha256((SELECT key FROM isthmus.id_key) || v.source_digest || coalesce(v.target_digest, ''))"
                " FROM {verdict} v JOIN {stage} s ON s.{id} = v.stage_id WHERE v.differing <> '{{}}'::jsonb"
                " AND v.verdict IN ('kept', 'overwritten', 'deleted') ORDER BY v.stage_id"
            ).format(
                run=sql.Literal(sides.job.run.id),
                collection=sides.collection_of(fed, sides.flow_of(fed)),
                table=sql.Literal(fed.name),
                policy=sql.Literal(sides.rule(fed.table).on_conflict),
                verdict=sides.temporary("verdict", fed.name),
                stage=sides.staged(fed.name),
                id=sides.owner(fed),
                own=sql.SQL("{}::text").format(sides.own_row_id(fed)),
            )
        )
        if not fed.is_idless:
            _forget_ids(sides, fed)
        for flow in fed.table.flows:
            _write_ids(sides, fed, flow)


def _forget_ids(sides: Sides, fed: FedTable) -> None:
    """Take back what was found for documents whose row is gone and that are rows of their own now."""
    sides.do(
        sql.SQL(
            "UPDATE isthmus.id_map m SET id = m.derived_id, origin = 'document', derived_id = NULL"
            " WHERE m.origin = 'matched' AND m.collection = ANY({collections})"
            " AND NOT EXISTS (SELECT FROM {real} t WHERE t.{id}::text = m.id)"
            " AND EXISTS (SELECT FROM {real} t WHERE t.{id}::text = m.derived_id)"
        ).format(collections=sql.Literal(list(fed.table.collections)), real=sides.real(fed.name), id=sides.owner(fed))
    )


def _write_ids(sides: Sides, fed: FedTable, flow: Flow) -> None:
    """Enter matched documents of a flow into the id map, by their own `_id`."""
    after = ""
    found = sides.temporary("moved" if fed.is_idless else "found", fed.name)
    while True:
        rows = sides.connection.execute(
            sql.SQL(
                "SELECT f.stage_id::text, f.target_id::text FROM {found} f JOIN {stage} s ON s.{id} = f.stage_id"
                " WHERE f.target_id::text <> f.stage_id::text AND {number} = {flow} AND f.stage_id::text > %s"
                " AND NOT EXISTS (SELECT FROM {verdict} v WHERE v.stage_id = s.{id} AND v.verdict = 'deleted')"
                " AND NOT EXISTS (SELECT FROM isthmus.id_map m WHERE m.origin = 'matched' AND m.collection = %s"
                " AND m.derived_id = f.stage_id::text AND m.id = f.target_id::text) ORDER BY 1 LIMIT 10000"
            ).format(
                found=found,
                verdict=sides.temporary("verdict", fed.name),
                stage=sides.staged(fed.name),
                id=sides.owner(fed),
                number=sides.flow_of(fed),
                flow=sql.Literal(flow.number),
            ),
            (after, flow.collection),
        ).fetchall()
        if not rows:
            return
        after = str(rows[-1][0])
        ids = [str(stage_id) for stage_id, _ in rows]
        if sides.letters is None:
            known = bson_ids(sides.job, sides.connection, flow, ids)
        else:
            known = {one: sides.letters[flow.collection, one] for one in ids}
        sides.connection.execute(
            "INSERT INTO isthmus.id_map AS m (collection, source_id, id, origin, derived_id)"
            " SELECT %s, u.source_id, u.id, 'matched', u.derived_id"
            " FROM unnest(%s::bytea[], %s::text[], %s::text[]) AS u(source_id, id, derived_id)"
            " ON CONFLICT (collection, key_digest) DO UPDATE SET id = EXCLUDED.id, origin = 'matched',"
            " derived_id = EXCLUDED.derived_id",
            (
                flow.collection,
                [known[str(stage_id)] for stage_id, _ in rows],
                [str(target_id) for _, target_id in rows],
                [str(stage_id) for stage_id, _ in rows],
            ),
        )


BY_DEFAULT = "kept-by-default"
"""Tallies of conflicts that no stated policy decided, by source collection."""


def counts(sides: Sides, fed: FedTable) -> Counter[tuple[str, str]]:
    """Return (`verdict-…`, source collection) → documents of a root table; empty where no row was there before.

    Of those that are kept without a stated policy also (`BY_DEFAULT`, source collection).
    """
    found: Counter[tuple[str, str]] = Counter()
    if fed.name not in sides.judged:
        return found
    rows = sides.connection.execute(
        sql.SQL("SELECT v.verdict, {}, count(*) FROM {} v JOIN {} s ON s.{} = v.stage_id GROUP BY 1, 2").format(
            sides.collection_of(fed, sides.flow_of(fed)),
            sides.temporary("verdict", fed.name),
            sides.staged(fed.name),
            sides.owner(fed),
        )
    ).fetchall()
    stated = any(sides.job.mapping.collections[entry].conflict_stated for entry in fed.table.entries)
    for verdict, collection, count in rows:
        found[f"verdict-{verdict}", str(collection)] += int(count)
        if verdict == "kept" and not stated:
            found[BY_DEFAULT, str(collection)] += int(count)
    return found
