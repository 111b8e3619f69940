"""What tables that are there bring along, whatever their columns: rights, rules, triggers, keys that point. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.errors import IsthmusError, Problem, TargetError, Where
from isthmus.mapping.tables import Table
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.existing.catalog import ThereTable

_REFUSED = "one that is pointed at makes a dead letter of its document"
_ON_DELETE = {
    "c": "rows that point at one are deleted with it (ON DELETE CASCADE)",
    "n": "rows that point at one lose that (ON DELETE SET NULL)",
    "d": "rows that point at one get the default there (ON DELETE SET DEFAULT)",
}
_KINDS = {"v": "view", "m": "materialized view", "f": "foreign table", "p": "partitioned table"}


def refuse(
    code: str, table: str, message: str, hint: str, severity: type[IsthmusError] | None = TargetError
) -> Finding:
    """Return what stands against a copy into a table."""
    return Finding(Problem(code, message, Where(table=table), hint), severity)


def note(code: str, table: str, message: str, hint: str) -> Finding:
    """Return a remark about a table."""
    return Finding(Problem(code, message, Where(table=table), hint), None)


def fit_relation(there: ThereTable) -> Iterator[Finding]:
    """Yield what stands against writing to a relation, whatever its columns are."""
    label = there.label
    if there.kind != "r" or there.is_partition:
        what = "part of a partitioned table" if there.is_partition else f"a {_KINDS.get(there.kind, 'relation')}"
        yield refuse(
            "not-a-table",
            there.name,
            f"{label} is {what}; rows are delivered to ordinary tables only.",
            "Name the ordinary table behind it, or copy into tables of its own and move the rows yourself.",
        )
        return
    if there.heirs:
        yield refuse(
            "inherited-table",
            there.name,
            f"{label} has tables that inherit from it ({', '.join(there.heirs)}); a key of it does not hold for them.",
            "Name a table without heirs.",
        )
    if there.missing_rights:
        rights = ", ".join(there.missing_rights)
        yield refuse(
            "no-right",
            there.name,
            f"This role has not the rights {rights} on {label}.",
            f'Run as its owner ({there.owner}): GRANT {rights} ON "{there.schema}"."{there.name}" TO "{there.role}".',
        )
    if there.guarded:
        yield refuse(
            "row-security",
            there.name,
            f"Row-level security is active for this role on {label}: rows might be hidden from the copy, or be"
            " refused by a policy, without a word.",
            "Use a role with BYPASSRLS or the owner's (without FORCE ROW LEVEL SECURITY).",
        )
    if there.rules:
        yield refuse(
            "table-rules",
            there.name,
            f"{label} has rules ({', '.join(there.rules)}) that may rewrite what is written.",
            "Drop them.",
        )
    if there.publications:
        yield note(
            "published-table",
            there.name,
            f"{label} is in the publications {', '.join(there.publications)}: every delivered row goes to their"
            " subscribers, all at once when the delivery commits.",
            "Watch the replication slots.",
        )
    if there.exclusions:
        yield note(
            "exclusion",
            there.name,
            f"{label} has EXCLUDE constraints ({', '.join(there.exclusions)}). Rows that stand against them are"
            " found when they are delivered, in the order of their ids.",
            "Nothing, if that will do.",
        )


def fit_pointers(table: Table, there: ThereTable, own: set[str]) -> Iterator[Finding]:
    """Yield remarks about foreign keys of other tables that point at rows which an overwriting copy may delete."""
    if table.kind != "child":
        return  # its rows are never deleted
    others: dict[str, set[str]] = {}
    for schema, name, on_delete in there.pointed_at_by:
        if schema != there.schema or name not in own:
            others.setdefault(_ON_DELETE.get(on_delete, _REFUSED), set()).add(f"{schema}.{name}")
    for what, names in sorted(others.items()):
        yield note(
            "pointed-at",
            there.name,
            f"{', '.join(sorted(names))} point at {there.label}. Where the source has fewer rows of an array than the"
            f" target, `overwrite` and `rerun: tracked` delete the others; {what}.",
            "Nothing, if that will do. Else take these keys away for the copy, or keep what is there (keep_target"
            " without `rerun: tracked`).",
        )
