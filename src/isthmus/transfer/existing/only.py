"""Copies of some collections only: what is chosen, and references that lead to the others.

Such a reference is resolved against the rows that are there. One that finds none waits in `isthmus.pending_reference`:
its column is NULL (a pair is left out) until a later delivery brings the row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as ReadOnly

from psycopg import sql

from isthmus.errors import ConfigError, Problem, Where
from isthmus.mapping import Mapping
from isthmus.mapping.tables import Reference, TargetSchema
from isthmus.sources.nearest import nearest
from isthmus.state.ledgers import Cause
from isthmus.state.runs import Run
from isthmus.transfer.existing.fit import FedTable
from isthmus.transfer.existing.refused import Refused
from isthmus.transfer.existing.sides import Sides
from isthmus.transfer.job import Job
from isthmus.transfer.preflight import Finding
from isthmus.transfer.references import ReferenceSite, place_of_ids, reference_sites

ONLY = "only"
"""Under which name a run keeps the source collections it was told to carry, beside the names of its tables."""


def chosen(mapping: Mapping, plans: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the plans of some collections.

    Args:
        mapping: The mapping.
        plans: Source collection → plan.
        names: Entries or source collections; empty for all.

    Raises:
        ConfigError: A name is neither (code `no-such-entry`), or the tables are Isthmus's own (`only-existing`).
    """
    if not names:
        return plans
    if mapping.target.tables != "existing":
        raise ConfigError(
            "--only is for tables that exist (`target: {tables: existing}`).",
            code="only-existing",
            hint="Copy everything, or let your migrations make the tables.",
        )
    wanted: set[str] = set()
    for name in names:
        rule = mapping.collections.get(name)
        if rule is None and name not in plans:
            close = nearest(name, [*mapping.collections, *plans])
            raise ConfigError(
                f"--only names {name}, which is no collection of the mapping.",
                code="no-such-entry",
                hint=f"Did you mean {close}?" if close else "Name entries of the mapping, or source collections.",
            )
        wanted |= {name} if rule is None else set(rule.source_names)
    return {collection: plan for collection, plan in plans.items() if collection in wanted}


def scope_of(plans: ReadOnly[str, str], mapping: Mapping) -> list[str]:
    """Return the source collections of a run as it keeps them; empty for all."""
    return [] if len(plans) == len(mapping.source_collections) else sorted(plans)


def refuse_other_scope(run: Run, scope: list[str]) -> None:
    """Raise unless a run that is not complete carries the same collections.

    Raises:
        ConfigError: It carries others (code `other-scope`).
    """
    before = run.tables.get(ONLY, [])
    if before != scope:
        raise ConfigError(
            f"Run {run.id} is not complete; it carries {', '.join(before) or 'all collections'}.",
            code="other-scope",
            hint="Go on with it first"
            + (f" (--only {' --only '.join(before)})" if before else " (without --only)")
            + ", or forget what it loaded with --fresh.",
        )


def _reference(job: Job, site: ReferenceSite) -> Reference | None:
    return job.schema.tables[site.table].column(site.columns[0]).reference if site.shape in {"column", "pair"} else None


def _is_outside(mapping: Mapping, plans: ReadOnly[str, str], entry: str) -> bool:
    return not all(name in plans for name in mapping.collections[entry].source_names)


def waits(job: Job, site: ReferenceSite) -> bool:
    """Tell whether references that find no row wait instead of being orphans."""
    if job.existing is None or not scope_of(job.plans, job.mapping):
        return False
    reference = _reference(job, site)
    return reference is not None and _is_outside(job.mapping, job.plans, reference.entry)


def check_scope(mapping: Mapping, plans: ReadOnly[str, str], schema: TargetSchema) -> list[Finding]:
    """Report references of the chosen collections that lead outside in a form that cannot wait."""
    found: list[Finding] = []
    for table in schema.tables.values() if scope_of(plans, mapping) else ():
        if not any(flow.collection in plans for flow in table.flows):
            continue
        for column in table.columns:
            reference = column.reference
            if reference is None or not _is_outside(mapping, plans, reference.entry):
                continue
            if reference.lookup or reference.routed or column.type.array:
                problem = Problem(
                    "only-leads-outside",
                    f"{table.name}.{column.name} leads to {reference.entry}, which this copy does not carry. Look-ups,"
                    " routes and arrays of references cannot wait for a later one.",
                    Where(table=table.name),
                    f"Carry {reference.entry} too.",
                )
                found.append(Finding(problem, ConfigError))
    return found


def set_waiting_aside(sides: Sides, refused: Refused) -> Counter[tuple[str, str]]:
    """Take references that wait out of the stage, inside the delivery's transaction, into `pg_temp.waiting`.

    Where a column of the real table takes no NULL, the document is refused instead.

    Returns:
        Tallies: (`pending`, name of the reference) → how many.
    """
    job, found = sides.job, Counter[tuple[str, str]]()
    sites = [site for site in reference_sites(job) if waits(job, site)]
    if sites:
        sides.do(
            sql.SQL(
                "CREATE TEMP TABLE waiting (table_name text, column_name text, own_column text, stage_id text,"
                " row_position integer[], target_table text, target_id text) ON COMMIT DROP"
            )
        )
    for site in sites:
        reference = _reference(job, site)
        if reference is None:
            continue
        fed = sides.existing.tables[site.table]
        parts = {
            "place": site.place if site.shape != "pair" else sides.staged(site.table),
            "own": sql.Identifier(site.key),
            "column": sql.Identifier(site.columns[0]),
            "ids": place_of_ids(job, job.schema.tables[reference.table]),
            "key": sql.Identifier(reference.column),
        }
        missing = sql.SQL(
            "r.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {ids} t WHERE t.{key} = r.{column})"
        ).format(**parts)
        column = fed.fed(site.columns[0])
        if site.shape == "column" and column is not None and column.there.not_null:
            rows = sides.connection.execute(
                sql.SQL("SELECT DISTINCT r.{own}::text FROM {place} r WHERE {missing}").format(missing=missing, **parts)
            ).fetchall()
            for (stage_id,) in rows:
                message = f"{site.name} refers to a document of {reference.entry}, which this copy does not carry."
                cause = Cause("reference-pending", site.path, message, site.name)
                refused.add(sides.root_of(fed.table).name, str(stage_id), cause)
            continue
        positions = sql.SQL("ARRAY[{}]::integer[]").format(sql.SQL(", ").join(site.positions))
        found["pending", site.name] += sides.do(
            sql.SQL(
                "INSERT INTO pg_temp.waiting SELECT {table}, {name}, {owned_by}, r.{own}::text, {positions}, {target},"
                " r.{column}::text FROM {place} r WHERE {missing}"
            ).format(
                table=sql.Literal(site.table),
                name=sql.Literal(site.columns[0]),
                owned_by=sql.Literal(site.key if site.shape == "pair" else None),
                positions=positions,
                target=sql.Literal(reference.table),
                missing=missing,
                **parts,
            )
        )
        change = "DELETE FROM {place} r WHERE" if site.shape == "pair" else "UPDATE {place} r SET {column} = NULL WHERE"
        sides.do(sql.SQL(f"{change} {{missing}}").format(missing=missing, **parts))
    return found


def _owners(sides: Sides, fed: FedTable) -> list[tuple[str | None, FedTable]]:
    """Return whose ids may own what waits in a table, each with the column of a pair (None in other tables)."""
    if fed.table.kind != "junction":
        return [(None, sides.root_of(fed.table))]
    targets = ((column.name, sides.target_of(column.column, fed.table)) for column in fed.columns)
    return [(name, sides.existing.tables[target]) for name, target in targets if target is not None]


def keep_waiting(sides: Sides) -> None:
    """Write what waits for documents that were delivered to `isthmus.pending_reference`, by the ids of their rows."""
    row = sides.connection.execute("SELECT to_regclass('pg_temp.waiting') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return
    for fed in sides.existing.tables.values():
        for own, root in _owners(sides, fed):
            row_id, kept = sql.SQL("w.stage_id").format(), sql.SQL("false").format()
            if root.name in sides.judged:
                row_id = sql.SQL(
                    "coalesce((SELECT m.target_id::text FROM {} m WHERE m.stage_text = w.stage_id), w.stage_id)"
                ).format(sides.temporary("moved", root.name))
                left = "('deleted')" if own is not None else "('kept', 'same', 'edited', 'deleted')"
                kept = sql.SQL(
                    f"EXISTS (SELECT FROM {{}} v WHERE v.stage_id::text = w.stage_id AND v.verdict IN {left})"
                ).format(sides.temporary("verdict", root.name))
            sides.do(
                sql.SQL(
                    "INSERT INTO isthmus.pending_reference (run_id, table_schema, table_name, column_name, own_column,"
                    " row_id, row_position, target_table, target_id) SELECT {run}, {schema}, w.table_name,"
                    " w.column_name, w.own_column, {row_id}, w.row_position, w.target_table, w.target_id"
                    " FROM pg_temp.waiting w WHERE w.table_name = {name} AND w.own_column IS NOT DISTINCT FROM {own}"
                    " AND NOT {kept}"
                ).format(
                    run=sql.Literal(sides.job.run.id),
                    schema=sql.Literal(sides.existing.schema),
                    row_id=row_id,
                    name=sql.Literal(fed.name),
                    own=sql.Literal(own),
                    kept=kept,
                )
            )


def resolve_waiting(sides: Sides) -> int:
    """Set references of earlier runs whose row is there now; return how many. Somebody's own value stays."""
    rows = sides.connection.execute(
        "SELECT DISTINCT table_name, column_name, own_column, target_table FROM isthmus.pending_reference"
        " WHERE table_schema = %s AND table_name = ANY(%s) AND target_table = ANY(%s) ORDER BY 1, 2",
        (sides.existing.schema, list(sides.existing.tables), list(sides.existing.tables)),
    ).fetchall()
    total = 0
    for table, column, own, target in rows:
        fed, to = sides.existing.tables[str(table)], sides.existing.tables[str(target)]
        found = sql.SQL(
            "isthmus.pending_reference p JOIN {real} r ON r.{key}::text = coalesce((SELECT m.id FROM isthmus.id_map m"
            " WHERE m.origin = 'matched' AND m.collection = ANY({collections}) AND m.derived_id = p.target_id LIMIT 1),"
            " p.target_id) WHERE p.table_schema = {schema} AND p.table_name = {table} AND p.column_name = {column}"
            " AND p.own_column IS NOT DISTINCT FROM {own}"
        ).format(
            real=sides.real(to.name),
            key=sides.owner(to),
            collections=sql.Literal(sides.collections(to)),
            schema=sql.Literal(sides.existing.schema),
            table=sql.Literal(table),
            column=sql.Literal(column),
            own=sql.Literal(own),
        )
        parts = {
            "place": sides.real(fed.name),
            "column": sql.Identifier(str(column)),
            "to": sides.owner(to),
            "found": found,
            "own": sql.SQL("t.{}").format(sql.Identifier(str(own))) if own is not None else sides.row_id(fed),
            "own_column": sql.Identifier(str(own or "")),
        }
        if own is not None:
            owned = fed.fed(str(own))
            kind = sql.SQL(owned.there.type if owned else "text")  # pyright: ignore[reportArgumentType]
            sides.do(
                sql.SQL(
                    "INSERT INTO {place} ({own_column}, {column}) SELECT DISTINCT x.row_id::{kind}, x.id FROM"
                    " (SELECT p.row_id, r.{to} AS id FROM {found}) AS x WHERE NOT EXISTS (SELECT FROM {place} t"
                    " WHERE {own}::text = x.row_id AND t.{column} = x.id)"
                ).format(kind=kind, **parts)
            )
        else:
            positions = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(n)) for n in sides.positions(fed))
            sides.do(
                sql.SQL(
                    "UPDATE {place} t SET {column} = x.id"
                    " FROM (SELECT p.row_id, p.row_position, r.{to} AS id FROM {found}) AS x"
                    " WHERE {own}::text = x.row_id AND ARRAY[{positions}]::integer[] = x.row_position"
                    " AND t.{column} IS NULL"
                ).format(positions=positions, **parts)
            )
        total += sides.do(
            sql.SQL("DELETE FROM isthmus.pending_reference q WHERE q.id IN (SELECT p.id FROM {found})").format(**parts)
        )
    return total


def forget_settled(sides: Sides) -> None:
    """Strike off what still waits for documents of a copy of everything: their references are orphans now."""
    if scope_of(sides.job.plans, sides.job.mapping):
        return
    for fed in sides.existing.tables.values():
        for own, root in _owners(sides, fed):
            key = sides.owner(root)
            row_id = sql.SQL("s.{}::text").format(key)
            if root.name in sides.moved:
                row_id = sql.SQL(
                    "coalesce((SELECT m.target_id::text FROM {} m WHERE m.stage_id = s.{}), s.{}::text)"
                ).format(sides.temporary("moved", root.name), key, key)
            sides.do(
                sql.SQL(
                    "DELETE FROM isthmus.pending_reference p WHERE p.table_schema = {} AND p.table_name = {}"
                    " AND p.own_column IS NOT DISTINCT FROM {} AND p.row_id IN (SELECT {} FROM {} s)"
                ).format(
                    sql.Literal(sides.existing.schema),
                    sql.Literal(fed.name),
                    sql.Literal(own),
                    row_id,
                    sides.staged(root.name),
                )
            )
