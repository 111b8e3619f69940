"""Everything that can be known to be wrong before anything is written, all of it at once.

Holds mapping against source (collections it does not know, or that are not there) and mapping against target (version,
rights, tables and types in the way). Findings carry the exit code of who must act.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

import psycopg

from isthmus.connect.postgres import has_rows
from isthmus.errors import IsthmusError, MappingError, Problem, SourceError, TargetError, Where
from isthmus.mapping import Mapping
from isthmus.mapping.tables import TargetSchema
from isthmus.sources.protocol import CollectionInfo, Source
from isthmus.state.runs import Run
from isthmus.transfer.finishing.hidden import hidden_index_name

OLDEST_SERVER = 15
NEWEST_SERVER = 18


@dataclass(frozen=True)
class Finding:
    """One contradiction, or one remark that stops nothing.

    Attributes:
        problem: What is wrong.
        severity: The error class of who must act; None for a remark.
    """

    problem: Problem
    severity: type[IsthmusError] | None


def check_source(mapping: Mapping, source: Source, carried: Collection[str] | None = None) -> list[Finding]:
    """Hold the mapping against the collections of a source; reads no documents.

    Args:
        mapping: The mapping.
        source: The source.
        carried: Those that are to be read; others need not be there. None: all of the mapping.

    Returns:
        Findings, in the order of the mapping, then of the source.
    """
    found: list[Finding] = []
    infos = {info.name: info for info in source.collections()}
    readable = [info for info in infos.values() if info.readable]
    for name in mapping.source_collections:
        if name not in infos:
            if carried is None or name in carried:
                found.append(Finding(_missing(name, source, list(infos)), SourceError))
        elif infos[name].missing:
            found.append(Finding(_lacking(name, source), None))
        elif not infos[name].readable:
            found.append(
                Finding(Problem("not-readable", f"{name}: {infos[name].rule}", Where(collection=name)), SourceError)
            )
    found.extend(
        Finding(_unnamed(info, source), MappingError)
        for info in readable
        if info.name not in mapping.source_collections and mapping.why_skipped(info.name) is None
    )
    found.extend(
        _unread(info)
        for info in infos.values()
        if not info.readable and info.name not in mapping.source_collections and mapping.why_skipped(info.name) is None
    )
    mapped = [infos[name] for name in mapping.source_collections if name in infos]
    if mapped and all(info.bytes_total == 0 for info in mapped):
        found.append(
            Finding(
                Problem(
                    "empty-source",
                    f"{source.name} holds no document in any collection that the mapping names.",
                    hint="Check the database name and the dump; an empty source is never a success.",
                ),
                SourceError,
            )
        )
    return found


def _unread(info: CollectionInfo) -> Finding:
    """Judge a collection that cannot be read and that the mapping does not name: it may hold documents, or never."""
    problem = Problem(
        "left-out",
        f"{info.name} would be left out: {info.rule}",
        Where(collection=info.name),
        f'If it may stay behind, say why in the mapping:  {info.name}: {{skip: "reason"}}.',
    )
    if info.kind in {"view", "system"}:
        return Finding(Problem("left-out", f"{info.name} is left out: {info.rule}"), None)
    return Finding(problem, SourceError)


def _missing(name: str, source: Source, names: list[str]) -> Problem:
    close = difflib.get_close_matches(name, names, 1, 0.6)
    return Problem(
        "no-such-collection",
        f"The mapping names the collection {name}, which {source.name} does not hold.",
        Where(collection=name),
        f"Did you mean {close[0]}?" if close else "Remove it from the mapping, or check the database name.",
    )


def _lacking(name: str, source: Source) -> Problem:
    return Problem(
        "optional-missing",
        f"{source.name} holds no collection {name}; the mapping says that it may be missing.",
        Where(collection=name),
    )


def _unnamed(info: CollectionInfo, source: Source) -> Problem:
    return Problem(
        "unnamed-collection",
        f"{source.name} holds the collection {info.name}, which the mapping does not name.",
        Where(collection=info.name),
        f'Map it, or say why it stays behind:  {info.name}: {{skip: "reason"}}.',
    )


def check_server(connection: psycopg.Connection) -> list[Finding]:
    """Hold the server against what Isthmus needs; reads the catalog only."""
    found: list[Finding] = []
    major = connection.info.server_version // 10_000
    if major < OLDEST_SERVER:
        found.append(
            Finding(
                Problem(
                    "server-too-old",
                    f"The server is PostgreSQL {major}; Isthmus needs {OLDEST_SERVER} to {NEWEST_SERVER}.",
                    hint="Use a newer server.",
                ),
                TargetError,
            )
        )
    elif major > NEWEST_SERVER:
        found.append(
            Finding(Problem("server-untested", f"PostgreSQL {major} is newer than what Isthmus is tested with."), None)
        )
    row = connection.execute(
        "SELECT pg_catalog.pg_is_in_recovery(), current_setting('server_encoding'),"
        " current_setting('default_transaction_read_only'), has_database_privilege(current_database(), 'TEMPORARY'),"
        " current_user, current_database()"
    ).fetchone()
    if row and row[0]:
        found.append(
            Finding(
                Problem(
                    "read-only-server",
                    "The server is a standby and takes no writes.",
                    hint="Give the primary's address.",
                ),
                TargetError,
            )
        )
    if row and row[1] != "UTF8":
        found.append(
            Finding(
                Problem(
                    "database-encoding",
                    f"The database has encoding {row[1]}; MongoDB's text is UTF-8 and does not fit into it.",
                    hint="Create the database with ENCODING 'UTF8'.",
                ),
                TargetError,
            )
        )
    if row and row[2] == "on":
        found.append(
            Finding(
                Problem(
                    "read-only-role",
                    "Transactions of this role are read-only (default_transaction_read_only is on).",
                    hint="Use a role that may write.",
                ),
                TargetError,
            )
        )
    if row and not row[3]:
        role, database = row[4:]
        found.append(
            Finding(
                Problem(
                    "no-right",
                    f"The role {role} may not create temporary tables in the database {database}.",
                    hint=f'Run as its owner: GRANT TEMPORARY ON DATABASE "{database}" TO "{role}".',
                ),
                TargetError,
            )
        )
    return found


def check_target(connection: psycopg.Connection, schema: TargetSchema, *, replaced: Run | None = None) -> list[Finding]:
    """Hold a mapping that makes its tables against a target that no run of it has written to; reads the catalog only.

    Args:
        connection: The target.
        schema: What the mapping wants there.
        replaced: A run that is dropped before this one begins; what it made is not in the way.
    """
    found: list[Finding] = []
    found.extend(_rights(connection, schema))
    found.extend(_in_the_way(connection, schema, replaced))
    found.extend(_extensions(connection, schema))
    return found


def _rights(connection: psycopg.Connection, schema: TargetSchema) -> list[Finding]:
    row = connection.execute(
        "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE'),"
        " EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s),"
        " coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace"
        " WHERE nspname = %(schema)s), false), to_regnamespace('isthmus') IS NOT NULL",
        {"schema": schema.schema},
    ).fetchone()
    if row is None:
        return []
    role, database, may_create_schema, schema_exists, may_create_table, state_exists = row
    found: list[Finding] = []
    if (not state_exists or not schema_exists) and not may_create_schema:
        found.append(
            Finding(
                Problem(
                    "no-right",
                    f"The role {role} may not create schemas in the database {database}.",
                    hint=f'Run as its owner: GRANT CREATE ON DATABASE "{database}" TO "{role}".',
                ),
                TargetError,
            )
        )
    if schema_exists and not may_create_table:
        found.append(
            Finding(
                Problem(
                    "no-right",
                    f"The role {role} may not create tables in the schema {schema.schema}.",
                    hint=f'Run as its owner: GRANT CREATE ON SCHEMA "{schema.schema}" TO "{role}".',
                ),
                TargetError,
            )
        )
    return found


_KINDS = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "i": "index",
    "I": "index",
    "S": "sequence",
    "c": "type",
}


def _in_the_way(connection: psycopg.Connection, schema: TargetSchema, replaced: Run | None) -> list[Finding]:
    """Tables, indexes, views and types that already have the names this mapping wants."""
    own = replaced.tables if replaced is not None and replaced.target_schema == schema.schema else {}
    indexes = {table.primary_key_name for table in schema.tables.values()}
    indexes |= {index.name for table in schema.tables.values() for index in table.indexes}
    indexes |= {hidden_index_name(table.name) for table in schema.tables.values() if table.final != table}
    found: list[Finding] = []
    for name, kind in connection.execute(
        "SELECT c.relname, c.relkind FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid"
        " LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid"
        " WHERE n.nspname = %s AND c.relname = ANY(%s)"
        " AND NOT (c.relkind IN ('r', 'i') AND coalesce(t.relname, c.relname) = ANY(%s)) ORDER BY 1",
        (schema.schema, [*schema.tables, *sorted(indexes)], own.get("tables", [])),
    ).fetchall():
        word = _KINDS.get(str(kind), "relation")
        filled = kind in {"r", "p"} and _is_filled(connection, schema.schema, str(name))
        rows = " with rows in it" if filled else ""
        found.append(
            Finding(
                Problem(
                    "table-exists" if word == "table" else "name-taken",
                    f"The target already has a {word} {schema.schema}.{name}{rows}.",
                    Where(table=str(name)),
                    f"Isthmus makes its tables itself (tables: create); choose another schema or remove the {word}.",
                ),
                TargetError,
            )
        )
    for (name,) in connection.execute(
        "SELECT t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
        " WHERE n.nspname = %s AND (t.typname = ANY(%s) AND NOT t.typname = ANY(%s)"
        " OR t.typname = ANY(%s) AND t.typrelid = 0 AND t.typelem = 0) ORDER BY 1",
        (schema.schema, list(schema.enums), own.get("types", []), list(schema.tables)),
    ).fetchall():
        found.append(
            Finding(
                Problem(
                    "type-exists",
                    f"The target already has a type {schema.schema}.{name}.",
                    hint="Rename the enum or table in the mapping, choose another schema, or remove the type.",
                ),
                TargetError,
            )
        )
    return found


def _is_filled(connection: psycopg.Connection, schema: str, table: str) -> bool:
    """Tell whether a table holds rows; one that cannot be looked into counts as filled."""
    try:
        return has_rows(connection, schema, table)
    except psycopg.errors.InsufficientPrivilege:
        return True


def _extensions(connection: psycopg.Connection, schema: TargetSchema) -> list[Finding]:
    """Extensions that the server does not offer (a remark), and those that this role may not make."""
    if not schema.extensions:
        return []
    role, database, may_create, is_superuser = _role(connection)
    offered = {
        str(name): bool(installed or is_superuser or (may_create and (trusted or not for_superusers)))
        for name, installed, trusted, for_superusers in connection.execute(
            "SELECT e.name, e.installed_version IS NOT NULL, v.trusted, v.superuser"
            " FROM pg_catalog.pg_available_extensions e JOIN pg_catalog.pg_available_extension_versions v"
            " ON v.name = e.name AND v.version = coalesce(e.installed_version, e.default_version)"
            " WHERE e.name = ANY(%s)",
            (list(schema.extensions),),
        ).fetchall()
    }
    found: list[Finding] = []
    for name in schema.extensions:
        if name not in offered:
            problem = Problem(
                "no-extension",
                f"The server does not offer the extension {name}; the copy goes on without it.",
                hint="Install it on the server if the application needs it.",
            )
            found.append(Finding(problem, None))
        elif not offered[name]:
            problem = Problem(
                "no-right",
                f"The role {role} may not make the extension {name} in the database {database}.",
                hint=f'Run as a superuser: CREATE EXTENSION "{name}"; or remove it from the mapping.',
            )
            found.append(Finding(problem, TargetError))
    return found


def _role(connection: psycopg.Connection) -> tuple[str, str, bool, bool]:
    """Return role, database, whether the role may create in the database, and whether it is a superuser."""
    row = connection.execute(
        "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE'),"
        " (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)"
    ).fetchone()
    return (str(row[0]), str(row[1]), bool(row[2]), bool(row[3])) if row else ("", "", False, False)


def raise_findings(findings: list[Finding], what: str = "this copy") -> None:
    """Raise one error with all contradictions to a work; the class is that of the highest exit code among them.

    Raises:
        IsthmusError: There is at least one contradiction.
    """
    serious = [finding for finding in findings if finding.severity is not None]
    if not serious:
        return
    worst = max((finding.severity for finding in serious if finding.severity), key=lambda kind: kind.exit_code)
    count = len(serious)
    raise worst(
        "Nothing was written: " + ("one thing stands" if count == 1 else f"{count} things stand") + f" against {what}.",
        code=serious[0].problem.code if count == 1 else "preflight",
        problems=tuple(finding.problem for finding in serious),
    )
