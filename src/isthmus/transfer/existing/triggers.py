"""Which triggers of users a copy fires, of the tables that it fills. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as ReadOnly

from isthmus.mapping import Mapping
from isthmus.mapping.plan_tables import plan_tables
from isthmus.mapping.tables import TargetSchema
from isthmus.transfer.beginning.preflight import Finding
from isthmus.transfer.existing.catalog import ThereTable
from isthmus.transfer.existing.fit import Existing
from isthmus.transfer.existing.relations import note


def find_triggers(
    mapping: Mapping, existing: Existing, plans: ReadOnly[str, str], schema: TargetSchema
) -> list[Finding]:
    """Return remarks about triggers that fire where rows come, or are changed; tables with the same ones share it.

    Args:
        mapping: The mapping.
        existing: The tables that are there.
        plans: What is carried: source collection → compiled plan.
        schema: The tables of the plans.
    """
    names = {table.name for plan in plans.values() for table in plan_tables(plan, schema)}
    filled = {name: fed for name, fed in existing.tables.items() if name in names}
    rules = {name: [mapping.collections[entry] for entry in fed.table.entries] for name, fed in filled.items()}
    changing = [
        filled[name]
        for name, found in rules.items()
        if any(rule.on_conflict == "overwrite" or rule.rerun == "tracked" for rule in found)
    ]
    return [*_new(fed.there for fed in filled.values()), *_changed(fed.there for fed in changing)]


def _new(tables: Iterable[ThereTable]) -> Iterator[Finding]:
    """Yield a remark about the triggers of users that new rows fire."""
    for triggers, those in _alike((there, there.insert_triggers) for there in tables):
        has, which = _told(those)
        yield note(
            "user-triggers",
            those[0].name if len(those) == 1 else those[0].schema,
            f"{has} triggers: {', '.join(triggers)}. They fire when rows are delivered; a row"
            f" they refuse makes a dead letter of its document.{which}",
            "Disable them before the copy if they should not (ALTER TABLE … DISABLE TRIGGER …).",
        )


def _changed(tables: Iterable[ThereTable]) -> Iterator[Finding]:
    """Yield a remark about the triggers of users that changed rows fire and new ones do not."""
    for triggers, those in _alike((there, there.update_triggers) for there in tables):
        has, which = _told(those)
        yield note(
            "update-triggers",
            those[0].name if len(those) == 1 else those[0].schema,
            f"{has} triggers: {', '.join(triggers)}. No new row fires them, but those do that are there and that a"
            f" copy changes (`on_conflict: overwrite`, `rerun: tracked`).{which}",
            "Nothing, if what they do then is right. Else disable them before such a copy (ALTER TABLE … DISABLE"
            " TRIGGER …).",
        )


def _alike(tables: Iterable[tuple[ThereTable, tuple[str, ...]]]) -> Iterator[tuple[tuple[str, ...], list[ThereTable]]]:
    alike: dict[tuple[str, ...], list[ThereTable]] = {}
    for there, triggers in tables:
        if triggers:
            alike.setdefault(triggers, []).append(there)
    yield from alike.items()


def _told(those: list[ThereTable]) -> tuple[str, str]:
    """Return how a remark about tables begins, and which they are where they are several."""
    if len(those) == 1:
        return f"{those[0].label} has", ""
    return f"{len(those)} tables have", f" The tables: {', '.join(there.name for there in those)}."
