"""Copies of some collections only: what is chosen, and which references lead to the others (see `waiting`)."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as ReadOnly

import psycopg

from isthmus.errors import ConfigError
from isthmus.mapping import Mapping
from isthmus.sources.nearest import nearest
from isthmus.state.runs import Run
from isthmus.transfer.finishing.references import ReferenceSite
from isthmus.transfer.job import Job

ONLY = "only"
"""Under which name a run keeps the source collections it was told to carry, beside the names of its tables."""


def chosen(mapping: Mapping, plans: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Return the plans of some collections.

    Args:
        mapping: The mapping.
        plans: Source collection → plan.
        names: Entries or source collections; empty for all but those that are to be asked for.

    Raises:
        ConfigError: A name is neither (code `no-such-entry`), or the tables are Isthmus's own (`only-existing`).
    """
    if not names:
        return {name: plan for name, plan in plans.items() if mapping.why_asked(name) is None}
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


def leads_outside(job: Job, entry: str) -> bool:
    """Tell whether this copy does not carry all of an entry, so that what finds no row of it may find one later."""
    if job.existing is None or not scope_of(job.plans, job.mapping):
        return False
    return not all(name in job.plans for name in job.mapping.collections[entry].source_names)


def waits(job: Job, site: ReferenceSite) -> bool:
    """Tell whether references that find no row wait instead of being orphans."""
    return any(leads_outside(job, one.entry) for one in site.alternatives)


def unknown_entries(job: Job, connection: psycopg.Connection, entries: Iterable[str]) -> list[str]:
    """Return those of some entries that neither this copy carries nor a complete one before it: rows may yet come."""
    outside = [entry for entry in entries if leads_outside(job, entry)]
    if not outside:
        return []
    carried = carried_before(job, connection)
    sources = job.mapping.collections
    return [one for one in outside if not all(n in job.plans or n in carried for n in sources[one].source_names)]


def carried_before(job: Job, connection: psycopg.Connection) -> set[str]:
    """Return the source collections that complete copies into tables that exist have carried."""
    carried: set[str] = set()
    for (tables,) in connection.execute(
        "SELECT tables FROM isthmus.run WHERE stage = 'complete' AND target_schema = %s AND tables ? 'delivers'",
        (job.run.target_schema,),
    ).fetchall():
        carried |= set(tables.get(ONLY) or job.mapping.source_collections)
    return carried
