"""What a row is, as one digest; and what a tracked row was when it was last carried (`isthmus.row_state`).

The digest is SHA-256 over the texts of a row's columns and of its child rows in the order of their places, each as the
real table's types write them. Columns the mapping does not fill are in another one (see `beside`), which a re-run does
not ask.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Generator

from psycopg import sql

from isthmus.mapping.model import Flow
from isthmus.state.statements import statement
from isthmus.transfer.existing.beside import beside_text, digest_of, has_beside
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.finishing.origins import ids_of_flow


def child_column(sides: Sides, child: FedTable) -> str:
    """Name the column of `source` and `target` that holds the digest of a document's rows of a child table."""
    return f"child_{sides.number(child.name)}"


def knows(sides: Sides, fed: FedTable) -> bool:
    """Tell whether any row of a table was carried before."""
    row = sides.connection.execute(
        "SELECT EXISTS (SELECT FROM isthmus.row_state WHERE table_schema = %s AND table_name = %s)",
        (sides.existing.schema, fed.name),
    ).fetchone()
    return bool(row and row[0])


def is_known_as(sides: Sides, fed: FedTable, alias: str) -> sql.Composed:
    """Return SQL that is true of what was remembered (`row_state`, or `known`) of the document of a stage row `s`."""
    known = sql.Identifier(alias)
    if fed.is_idless:
        return sql.SQL("{}.id = {}").format(known, sides.own_row_id(fed))
    return sql.SQL("{}.source_id = s.{}::text").format(known, sides.owner(fed))


def collect(sides: Sides, fed: FedTable) -> None:
    """Fill `source`, `target` (id, digest, a digest a child table) and `known` (what was carried) of a root table."""
    tracked = sides.rule(fed.table).rerun == "tracked"
    found = sides.temporary("found", fed.name)
    wanted = sql.SQL("true").format()
    if not tracked:
        wanted = sql.SQL("s.{} IN (SELECT stage_id FROM {})").format(sides.owner(fed), found)
    digests(sides, fed, "source", wanted, real=False)
    digests(
        sides, fed, "target", sql.SQL("{} IN (SELECT target_id FROM {})").format(sides.row_id(fed), found), real=True
    )
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT id, source_id, source_digest, loaded_digest"
            " FROM isthmus.row_state WHERE table_schema = {} AND table_name = {} AND {}"
        ).format(
            sql.Identifier(f"known_{sides.number(fed.name)}"),
            sql.Literal(sides.existing.schema),
            sql.Literal(fed.name),
            sql.Literal(tracked),
        )
    )
    for name in ("source", "target", "known"):
        sides.do(sql.SQL("ANALYZE {}").format(sides.temporary(name, fed.name)))


def digests(
    sides: Sides, fed: FedTable, what: str, wanted: sql.Composed, *, real: bool, supposed: sql.Composed | None = None
) -> None:
    """Make the temporary table `what` of a root table: id, digest, a digest a child table, and of real rows `beside`.

    Args:
        sides: Knows what waits in its columns.
        fed: The root table.
        what: Its name, before its number.
        wanted: SQL that is true of the rows wanted, over alias `t` of the real table, or `s` of the stage.
        real: Whether it is of the real table.
        supposed: SQL as `beside_text` of what the columns beside may have held; `supposed` is what `beside` was then.
    """
    alias = "t" if real else "s"
    place = sides.real(fed.name) if real else sides.staged(fed.name)
    joins, columns, texts = sql.SQL("").format(), sql.SQL("").format(), [sides.row_text(fed, alias, real=real)]
    beside = [beside_text(fed, alias)]
    for child in sorted(sides.children_of(fed.name), key=lambda one: one.name):
        name = sql.Identifier(child_column(sides, child))
        order = sql.SQL(", ").join(sql.SQL("c.{}").format(sql.Identifier(n)) for n in sides.positions(child))
        joins += sql.SQL(
            " LEFT JOIN (SELECT c.{owner} AS id,"
            " sha256(convert_to(string_agg({text}, E'\\n' ORDER BY {order}), 'UTF8')) AS digest{beside}"
            " FROM {place} c GROUP BY 1) AS {name} ON {name}.id = {alias}.{key}"
        ).format(
            beside=_beside_of(sides, child, order) if real and has_beside(child) else sql.SQL(""),
            owner=sides.owner(child),
            text=sides.row_text(child, "c", real=real),
            order=order,
            place=sides.real(child.name) if real else sides.staged(child.name),
            name=name,
            alias=sql.Identifier(alias),
            key=sides.owner(fed),
        )
        columns += sql.SQL(", {name}.digest AS {name}").format(name=name)
        texts.append(sql.SQL("coalesce(encode({}.digest, 'hex'), '')").format(name))
        if has_beside(child):
            beside.append(sql.SQL("coalesce({} || {}.beside, '')").format(sql.Literal(f"\n{child.name}:"), name))
    if real:
        columns += sql.SQL(", {} AS beside").format(digest_of(sql.SQL(" || ").join(beside)))
        if supposed is not None:
            columns += sql.SQL(", {} AS supposed").format(digest_of(sql.SQL(" || ").join([supposed, *beside[1:]])))
    sides.do(
        sql.SQL(
            "CREATE TEMP TABLE {name} ON COMMIT DROP AS SELECT {row_id} AS id,"
            " sha256(convert_to({text}, 'UTF8')) AS digest{columns} FROM {place} {alias}{joins} WHERE {wanted}"
        ).format(
            name=sql.Identifier(f"{what}_{sides.number(fed.name)}"),
            alias=sql.Identifier(alias),
            row_id=sides.row_id(fed) if real else sql.SQL("s.{}").format(sides.owner(fed)),
            text=sql.SQL(" || E'\\n' || ").join(texts),
            columns=columns,
            place=place,
            joins=joins,
            wanted=wanted,
        )
    )
    sides.do(sql.SQL("CREATE UNIQUE INDEX ON {} (id)").format(sides.temporary(what, fed.name)))


def _beside_of(sides: Sides, child: FedTable, order: sql.Composed) -> sql.Composed:
    """Return SQL of what stands beside in a document's child rows; NULL for nothing, as before a column was added."""
    positions = sql.SQL(", ").join(sql.SQL("c.{}").format(sql.Identifier(name)) for name in sides.positions(child))
    return sql.SQL(
        ", string_agg((SELECT ARRAY[{}]::text || x.b FROM (SELECT {} AS b) AS x WHERE x.b <> ''), E'\\n' ORDER BY {})"
        " AS beside"
    ).format(positions, beside_text(child, "c"), order)


def write(sides: Sides) -> Counter[tuple[str, str]]:
    """Remember what every document of a tracked table is now, and what stands in the real table for it.

    Returns:
        (`gone`, collection) → rows that no document gives any more and that are entered in the ledger for it;
            (`gone-before`, collection) → those that an earlier run entered. None was deleted.
    """
    gone = Counter[tuple[str, str]]()
    for fed in sides.roots():
        if sides.rule(fed.table).rerun == "tracked" and fed.row_key:
            carried = sides.job.plans if sides.letters is None else ()  # letters alone do not show who is gone
            for flow in {flow.collection: flow for flow in fed.table.flows if flow.collection in carried}.values():
                gone += _enter_gone(sides, fed, flow)
            _write_table(sides, fed)
            _welcome_back(sides, fed)
    return gone


def _enter_gone(sides: Sides, fed: FedTable, flow: Flow) -> Counter[tuple[str, str]]:
    """Enter rows that an earlier run carried and whose document is no longer in the source, nor a dead letter of it."""
    absent = sql.SQL(
        "r.table_schema = {schema} AND r.table_name = {name} AND r.collection = {collection}"
        " AND NOT EXISTS (SELECT FROM {stage} s {still})"
    ).format(
        schema=sql.Literal(sides.existing.schema),
        name=sql.Literal(fed.name),
        collection=sql.Literal(flow.collection),
        stage=sides.staged(fed.name),
        still=_still(sides, fed),
    )
    # gone on both sides: nothing is left to tell
    sides.do(
        sql.SQL(
            "DELETE FROM isthmus.row_state r WHERE {} AND NOT EXISTS (SELECT FROM {} t WHERE {}::text = r.id)"
        ).format(absent, sides.real(fed.name), sides.row_id(fed))
    )
    collection, run = flow.collection, sides.job.run.id
    total, after = Counter[tuple[str, str]](), ""
    while True:
        rows = sides.connection.execute(
            sql.SQL(
                "SELECT r.id, r.source_id, EXISTS (SELECT FROM isthmus.run e WHERE e.id = r.gone_in)"
                " FROM isthmus.row_state r WHERE {} AND r.id > %s ORDER BY 1 LIMIT 10000"
            ).format(absent),
            (after,),
        ).fetchall()
        if not rows:
            return total
        after = str(rows[-1][0])
        known = ids_of_flow(sides.job, sides.connection, flow, [str(source_id) for _, source_id, _ in rows])
        wanted = [source_id for source_id, _ in known if source_id is not None]
        letters = {
            bytes(row[0])
            for row in sides.connection.execute(
                statement("ledger", "lettered_ids"), {"run": run, "collection": collection, "source_ids": wanted}
            ).fetchall()
        }
        left = [
            (str(row_id), str(own), bool(told))
            for (row_id, own, told), (source_id, _) in zip(rows, known, strict=True)
            if source_id is None or source_id not in letters
        ]
        news = [(row_id, own) for row_id, own, told in left if not told]
        sides.connection.execute(
            "INSERT INTO isthmus.conflict"
            " (run_id, collection, table_name, row_id, source_row_id, differing, policy, action)"
            " SELECT %s, %s, %s, u.id, u.own, '{}', %s, 'gone-from-source'"
            " FROM unnest(%s::text[], %s::text[]) AS u(id, own)",
            (
                run,
                collection,
                fed.name,
                sides.rule(fed.table).on_conflict,
                [row_id for row_id, _ in news],
                [own for _, own in news],
            ),
        )
        sides.connection.execute(
            "UPDATE isthmus.row_state SET gone_in = %s WHERE table_schema = %s AND table_name = %s AND id = ANY(%s)",
            (run, sides.existing.schema, fed.name, [row_id for row_id, _ in news]),
        )
        total["gone", collection] += len(news)
        total["gone-before", collection] += len(left) - len(news)


def _still(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL behind `FROM stage s`: those whose document is the one that a row `r` was carried from."""
    if fed.is_idless:
        return sql.SQL("JOIN {} m ON m.stage_id = s.{} WHERE m.target_id = r.id").format(
            sides.temporary("moved", fed.name), sides.owner(fed)
        )
    return sql.SQL("WHERE s.{}::text = r.source_id").format(sides.owner(fed))


def _welcome_back(sides: Sides, fed: FedTable) -> None:
    """Note that documents are there again, so that it is news when they go."""
    sides.do(
        sql.SQL(
            "UPDATE isthmus.row_state r SET gone_in = NULL WHERE r.gone_in IS NOT NULL AND r.table_schema = {}"
            " AND r.table_name = {} AND EXISTS (SELECT FROM {} s {})"
        ).format(sql.Literal(sides.existing.schema), sql.Literal(fed.name), sides.staged(fed.name), _still(sides, fed))
    )


def _write_table(sides: Sides, fed: FedTable) -> None:
    judged = fed.name in sides.judged
    for name in ("source", "target"):
        sides.do(sql.SQL("DROP TABLE IF EXISTS {}").format(sides.temporary(name, fed.name)))
    digests(sides, fed, "source", sql.SQL("true").format(), real=False)
    digests(sides, fed, "target", sides.has_row_id(fed), real=True)
    id_of, verdict, join = sides.own_row_id(fed), sql.SQL("'new'"), sql.SQL("").format()
    beside = sql.SQL("t.beside").format()
    if judged:
        id_of, verdict = (
            sql.SQL("coalesce(v.target_id, {})").format(sides.own_row_id(fed)),
            sql.SQL("coalesce(v.verdict, 'new')"),
        )
        join = sql.SQL(" LEFT JOIN {} v ON v.stage_id = d.id").format(sides.temporary("verdict", fed.name))
        beside = _beside_now(sides, fed)
    # What was left alone is somebody else's from now on; the source's side is known either way, so that the same
    # conflict is told once.
    sides.do(
        sql.SQL(
            "INSERT INTO isthmus.row_state AS r"
            " (table_schema, table_name, id, source_id, collection, source_digest, loaded_digest, came, beside_digest)"
            " SELECT {schema}, {name}, t.id::text, d.id::text, {collection}, d.digest,"
            " CASE WHEN {verdict} = 'kept' THEN NULL ELSE t.digest END, CASE {verdict} WHEN 'new' THEN 'brought'"
            " WHEN 'overwritten' THEN 'changed' WHEN 'updated' THEN 'changed' ELSE 'met' END, {beside}"
            " FROM {source} d JOIN {stage} s ON s.{key} = d.id"
            "{join} JOIN {target} t ON t.id = {id_of} WHERE {verdict} NOT IN ('edited', 'kept-before')"
            " ON CONFLICT (table_schema, table_name, id) DO UPDATE SET source_id = EXCLUDED.source_id,"
            " collection = EXCLUDED.collection,"
            " source_digest = EXCLUDED.source_digest,"
            " loaded_digest = EXCLUDED.loaded_digest,"
            " beside_digest = EXCLUDED.beside_digest,"
            " came = CASE WHEN EXCLUDED.came = 'brought' OR r.came = 'met' THEN EXCLUDED.came ELSE r.came END"
        ).format(
            schema=sql.Literal(sides.existing.schema),
            name=sql.Literal(fed.name),
            verdict=verdict,
            beside=beside,
            collection=sides.collection_of(fed, sides.flow_of(fed)),
            stage=sides.staged(fed.name),
            key=sides.owner(fed),
            source=sides.temporary("source", fed.name),
            target=sides.temporary("target", fed.name),
            join=join,
            id_of=id_of,
        )
    )
    if judged:
        sides.do(
            sql.SQL(
                "UPDATE isthmus.row_state r SET source_digest = v.source_digest FROM {verdict} v, {stage} s"
                " WHERE v.verdict = 'deleted' AND s.{key} = v.stage_id"
                " AND r.table_schema = {schema} AND r.table_name = {name} AND {was}"
            ).format(
                verdict=sides.temporary("verdict", fed.name),
                stage=sides.staged(fed.name),
                key=sides.owner(fed),
                schema=sql.Literal(sides.existing.schema),
                name=sql.Literal(fed.name),
                was=is_known_as(sides, fed, "r"),
            )
        )


def _beside_now(sides: Sides, fed: FedTable) -> sql.Composed:
    """Return SQL of `beside_digest` behind a delivery: what others wrote there since it was carried is theirs."""
    return sql.SQL(
        "coalesce((SELECT k.beside_digest FROM isthmus.row_state k WHERE coalesce(v.verdict, 'new') <> 'new'"
        " AND k.table_schema = {schema} AND k.table_name = {name} AND k.id = t.id::text"
        " AND k.beside_digest IS DISTINCT FROM v.target_beside), t.beside)"
    ).format(schema=sql.Literal(sides.existing.schema), name=sql.Literal(fed.name))


@contextlib.contextmanager
def following(sides: Sides, fed: FedTable, ids: sql.Composed) -> Generator[None]:
    """Let what is known of some rows follow the changes made to them inside the block, which are the source's.

    A row that somebody has edited since it was carried stays known as it was then.

    Args:
        sides: Inside a transaction that keeps others from writing to the rows.
        fed: Their root table.
        ids: Query of their ids, as text.
    """
    now, before = sides.temporary("target", fed.name), sql.Identifier(f"before_{sides.number(fed.name)}")
    chosen = sql.Identifier(f"chosen_{sides.number(fed.name)}")
    sides.do(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT DISTINCT x.id FROM ({}) AS x(id)").format(chosen, ids)
    )
    wanted = sql.SQL("{}::text IN (SELECT id FROM pg_temp.{})").format(sides.row_id(fed), chosen)
    digests(sides, fed, "target", wanted, real=True)
    sides.do(sql.SQL("ALTER TABLE {} RENAME TO {}").format(now, before))
    yield
    digests(sides, fed, "target", wanted, real=True)
    sides.do(
        sql.SQL(
            "UPDATE isthmus.row_state r SET loaded_digest = a.digest, source_digest ="
            " CASE WHEN r.source_digest = r.loaded_digest THEN a.digest ELSE r.source_digest END, beside_digest ="
            " CASE WHEN r.beside_digest = b.beside THEN a.beside ELSE r.beside_digest END"
            " FROM pg_temp.{before} b JOIN {now} a ON a.id = b.id WHERE r.table_schema = {schema}"
            " AND r.table_name = {name} AND r.id = b.id::text AND r.loaded_digest = b.digest"
        ).format(before=before, now=now, schema=sql.Literal(sides.existing.schema), name=sql.Literal(fed.name))
    )
    sides.do(sql.SQL("DROP TABLE {}, pg_temp.{}, pg_temp.{}").format(now, before, chosen))
