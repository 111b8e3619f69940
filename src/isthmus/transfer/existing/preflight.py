"""What can be known to be wrong about tables that are there before anything is written, all of it at once."""

from __future__ import annotations

import psycopg

from isthmus.errors import ConfigError, Problem, TargetError, Where
from isthmus.mapping import Mapping
from isthmus.mapping.names import quote_identifier
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.mapping.tables import TargetSchema
from isthmus.state.runs import Run
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.existing.catalog import read_tables
from isthmus.transfer.existing.fit import Existing, find_lacking, fit_tables
from isthmus.transfer.existing.names import STAGE
from isthmus.transfer.existing.stage import check_stage
from isthmus.transfer.existing.triggers import find_triggers

SHAPE = "shape"
"""Under which name a run keeps what it found in the catalog, beside the names of its tables."""


def is_existing(mapping: Mapping) -> bool:
    """Tell whether the mapping's tables belong to somebody else."""
    return mapping.target.tables == "existing"


def is_tracked(mapping: Mapping) -> bool:
    """Tell whether a complete run is followed by another one instead of a comparison."""
    return is_existing(mapping) and any(rule.rerun == "tracked" for rule in mapping.collections.values())


def check_existing(connection: psycopg.Connection, mapping: Mapping, schema: TargetSchema) -> list[Finding]:
    """Hold a mapping against tables that are there and that no run goes on with; reads the catalog only.

    Args:
        connection: The target.
        mapping: The mapping.
        schema: What it wants there, as it is loaded.
    """
    existing, against = read_existing(connection, schema)
    against += find_lacking(mapping, existing, mapping.source_collections)
    against += find_triggers(mapping, existing, compile_plans(as_loaded(mapping)), schema)
    return against + check_surroundings(connection, schema)


def check_surroundings(
    connection: psycopg.Connection, schema: TargetSchema, *, replaced: Run | None = None
) -> list[Finding]:
    """Look at what a copy into tables that are there needs beside them; reads the catalog only.

    Args:
        connection: The target.
        schema: What the mapping wants there.
        replaced: A run that is dropped or complete before this one begins; its stage is not in the way.
    """
    findings = _may_stage(connection)
    if replaced is None:
        findings += check_stage(connection)
    if schema.schema in {STAGE, "isthmus"}:
        findings.append(
            Finding(
                Problem("bad-schema", f"The schema {schema.schema} is Isthmus's own.", hint="Name another one."),
                ConfigError,
            )
        )
    return findings + _extensions(connection, schema) + _replicated(connection)


def check_not_own(run: Run, schema: TargetSchema) -> list[Finding]:
    """Report tables that a run made itself and that would be dropped (--fresh) before they could be filled."""
    own = [name for name in run.tables.get("tables", []) if name in schema.tables]
    if run.target_schema != schema.schema or not own:
        return []
    return [
        Finding(
            Problem(
                "own-tables",
                f"The tables {', '.join(own)} were made by run {run.id}; --fresh drops them, and then they are gone.",
                Where(table=schema.schema),
                "Say `tables: create` for them, or let their migrations make them in another schema.",
            ),
            ConfigError,
        )
    ]


def read_existing(connection: psycopg.Connection, schema: TargetSchema) -> tuple[Existing, list[Finding]]:
    """Read the tables a mapping fills; return them and what stands against filling them."""
    there = read_tables(connection, schema.schema, schema.tables)
    if len(there) == len(schema.tables):
        return fit_tables(schema, there)
    names = [name for name in _table_names(connection, schema.schema) if name not in schema.tables]
    return fit_tables(schema, there, read_tables(connection, schema.schema, names))


def _table_names(connection: psycopg.Connection, schema: str) -> list[str]:
    rows = connection.execute(
        "SELECT c.relname FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p') ORDER BY 1",
        (schema,),
    ).fetchall()
    return [str(name) for (name,) in rows]


def check_same(existing: Existing, run: Run) -> list[Finding]:
    """Compare tables with what they were when a run began."""
    before, now = run.tables.get(SHAPE, []), existing.shape()
    gone, come = [line for line in before if line not in now], [line for line in now if line not in before]
    if not gone and not come:
        return []
    told = [f"no longer: {line}" for line in gone[:3]] + [f"new: {line}" for line in come[:3]]
    more = len(gone) + len(come) - len(told)
    return [
        Finding(
            Problem(
                "target-changed",
                f"The tables are not what they were when run {run.id} began: {'; '.join(told)}"
                + (f"; and {more} more." if more else "."),
                Where(table=existing.schema),
                "Put them back, or start over with --fresh, which looks at them anew. Nothing was delivered yet.",
            ),
            TargetError,
        )
    ]


def _may_stage(connection: psycopg.Connection) -> list[Finding]:
    row = connection.execute(
        "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE')"
    ).fetchone()
    if row is None or row[2]:
        return []
    role, database, _ = row
    return [
        Finding(
            Problem(
                "no-right",
                f"The role {role} may not create schemas in the database {database}, for tables to load into first.",
                hint=f'Run as its owner: GRANT CREATE ON DATABASE "{database}" TO "{role}".',
            ),
            TargetError,
        )
    ]


def _extensions(connection: psycopg.Connection, schema: TargetSchema) -> list[Finding]:
    """Return a remark for each extension that the mapping names and the database has not: a copy makes none here."""
    if not schema.extensions:
        return []
    there = dict(
        connection.execute(
            "SELECT name::text, installed_version IS NOT NULL FROM pg_catalog.pg_available_extensions"
            " WHERE name = ANY(%s)",
            (list(schema.extensions),),
        ).fetchall()
    )
    found: list[Finding] = []
    for name in schema.extensions:
        if name not in there:
            problem = Problem(
                "no-extension",
                f"The database does not have the extension {name}, and the server does not offer it.",
                hint="Install it on the server if the application needs it; the copy goes on without it.",
            )
        elif not there[name]:
            problem = Problem(
                "no-extension",
                f"The database does not have the extension {name}, which the server offers.",
                hint="A copy into tables that exist makes none: let their migrations make it"
                f" (CREATE EXTENSION {quote_identifier(name)}).",
            )
        else:
            continue
        found.append(Finding(problem, None))
    return found


def _replicated(connection: psycopg.Connection) -> list[Finding]:
    row = connection.execute(
        "SELECT string_agg(slot_name::text, ', ' ORDER BY 1) FROM pg_catalog.pg_replication_slots"
        " WHERE slot_type = 'logical' AND database = current_database()"
    ).fetchone()
    if row is None or row[0] is None:
        return []
    return [
        Finding(
            Problem(
                "replication-slots",
                f"Logical replication slots read this database: {row[0]}. They get every delivered row, and the server"
                " keeps its log until they have.",
                hint="Watch the disk, and how far they are behind.",
            ),
            None,
        )
    ]
