"""Foreign keys that lead to rows which are about to go, as the database itself has them, whoever made the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from ..command import NotDoneError
from .fates import WHY
from .report import Report
from .rules import sentence_of

_KEYS = sa.text("""
SELECT conrelid::regclass::text AS place, a.attname::text AS name, confdeltype::text AS action,
    format('SELECT count(*) FROM %s WHERE %I = ANY (CAST(? AS text[]))', conrelid::regclass, a.attname) AS counting,
    has_table_privilege(conrelid, 'SELECT') AS may, conname::text AS key,
    obj_description(c.oid, 'pg_constraint') AS rule
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
WHERE contype = 'f' AND conparentid = 0 AND cardinality(conkey) = 1 AND confrelid = CAST(:target AS regclass)
ORDER BY 1, 2
""")
_REMOVES, _LETS = "c", frozenset({"n", "d"})
"""CASCADE; SET NULL and SET DEFAULT. What is left, RESTRICT and NO ACTION, stands in the way."""


@dataclass(frozen=True)
class _Key:
    place: str
    action: str
    count: int | None
    key: str
    rule: str | None


async def count_keys(
    db: AsyncSession, report: Report, target: str, ids: Sequence[str], gone: Sequence[str] = ()
) -> None:
    """Add to the report what a deletion of rows takes along, and what it signs off.

    Args:
        target: The table that loses rows.
        ids: Theirs.
        gone: Tables and columns that are looked after elsewhere.

    Raises:
        NotDoneError: A foreign key keeps a row from going; all such are named, with the rules that they state.
    """
    if not ids:
        return
    found = [one for one in await _found(db, target, ids) if one.place not in gone]
    against = [one for one in found if one.count and one.action not in {_REMOVES, *_LETS}]
    if against:
        rows = ", ".join(f"{one.place} ({one.count:,})" for one in against)
        rules = "".join(f" {sentence_of(one.rule, one.key)}" for one in against if one.rule)
        raise NotDoneError(f"These rows do not let go of {target}, so nothing was done: {rows}.{rules}")
    for one in found:
        table = one.place.rpartition(".")[0]
        if one.action == _REMOVES:
            report.add(table, "removed", "", one.count)
        else:
            report.add(table, "signed off", WHY.get(one.place, "its foreign key says so"), one.count)


async def _found(db: AsyncSession, target: str, ids: Sequence[str]) -> list[_Key]:
    found: list[_Key] = []
    for place, name, action, counting, may, key, rule in (await db.execute(_KEYS, {"target": target})).all():
        count: int | None = None
        if may:
            asked = sa.text(counting.replace("\\", "\\\\").replace(":", "\\:").replace("(CAST(?", "(CAST(:ids"))
            count = (await db.execute(asked, {"ids": list(ids)})).scalar_one()
        found.append(_Key(f"{place}.{name}", action, count, key, rule))
    return found
