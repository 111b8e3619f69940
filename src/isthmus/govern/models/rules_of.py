"""Constraints of tables and domains. Pure.

On a table that is in use a rule holds for new rows at once, and those that are there are looked at apart; a key is made
as an index that nobody waits for, and becomes a key then.
"""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key, Properties
from isthmus.govern.models.indexes_of import concurrent_definition, may_be_concurrent
from isthmus.govern.models.sql_names import name
from isthmus.govern.models.step import Found, Phase, Style
from isthmus.govern.models.view import (
    definition,
    kept_tables,
    kind_of,
    of_table,
    printed,
    references,
    table_name,
    tables,
)

_FIRST_GONE = {"FOREIGN": 0, "CHECK": 1, "EXCLUDE": 1, "UNIQUE": 2, "PRIMARY": 3}
_KEYS = {"PRIMARY", "UNIQUE"}


def constraints(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what makes, changes and drops the constraints of what is there on both sides."""
    gone: list[tuple[int, Phase, str]] = []
    new: list[tuple[Key, str, Properties, Properties | None]] = []
    for owner in _owners(before, after):
        was, now = of_table(before, "constraint", owner), of_table(after, "constraint", owner)
        was = _renamed(found, owner, was, now)
        for rule, one in was.items():
            wanted = now.get(rule)
            if wanted is None or _differs(one, wanted):
                swapped = style.careful and wanted is not None and _is_swapped(one, wanted)
                if not swapped:
                    gone.append(
                        (_FIRST_GONE[kind_of(one)], Phase.ROOM, f"{_alter(owner)} DROP CONSTRAINT {name(rule)}")
                    )
                if wanted is not None:
                    new.append((owner, rule, wanted, one if swapped else None))
            elif not one["validated"] and wanted["validated"]:
                phase = Phase.ONLINE if style.careful else Phase.RULES
                found.add(phase, f"{_alter(owner)} VALIDATE CONSTRAINT {name(rule)}")
        new += [(owner, rule, one, None) for rule, one in now.items() if rule not in was]
    for _, phase, sql in sorted(gone):
        found.add(phase, sql)
    for owner, rule, one, swapped in sorted(new, key=lambda it: (-_FIRST_GONE[kind_of(it[2])], it[0], it[1])):
        _add(found, before, after, owner, rule, one, style, swap=swapped is not None)


def _owners(before: Catalog, after: Catalog) -> list[Key]:
    domains = sorted(key for key in after if key.kind == "type" and key in before)
    return [*kept_tables(before, after), *domains]


def _alter(owner: Key) -> str:
    return f"ALTER {'DOMAIN' if owner.kind == 'type' else 'TABLE'} {table_name(owner)}"


def _differs(was: Properties, now: Properties) -> bool:
    return was["definition"] != now["definition"] or (bool(was["validated"]) and not now["validated"])


def _is_swapped(was: Properties, now: Properties) -> bool:
    """Tell whether one key can take the place of another in one statement."""
    return kind_of(was) in _KEYS and kind_of(now) in _KEYS and "WITHOUT OVERLAPS" not in definition(now)


def _renamed(found: Found, owner: Key, was: dict[str, Properties], now: dict[str, Properties]) -> dict[str, Properties]:
    """Add what gives constraints that are the same their other names; return those that are there then."""
    there = dict(was)
    for rule, one in now.items():
        if rule in was:
            continue
        same = [old for old in there if old not in now and there[old]["definition"] == one["definition"]]
        if same:
            found.add(Phase.ROOM, f"{_alter(owner)} RENAME CONSTRAINT {name(same[0])} TO {name(rule)}")
            there[rule] = there.pop(same[0])
    return there


def _add(
    found: Found,
    before: Catalog,
    after: Catalog,
    owner: Key,
    rule: str,
    one: Properties,
    style: Style,
    *,
    swap: bool,
) -> None:
    kind, text = kind_of(one), definition(one)
    start = f"{_alter(owner)} ADD CONSTRAINT {name(rule)}"
    if not style.careful or owner.kind == "type":
        found.add(Phase.RULES, f"{start} {text}{'' if one['validated'] else ' NOT VALID'}")
    elif kind in _KEYS and may_be_concurrent(after, owner) and "WITHOUT OVERLAPS" not in text:
        _add_key(found, before, after, owner, rule, text, swap=swap)
    elif kind in {"CHECK", "FOREIGN"}:
        early = kind == "CHECK" or _has_key(before, one)
        found.add(Phase.RULES if early else Phase.ONLINE, f"{start} {text} NOT VALID")
        if one["validated"] and not early:
            found.add(Phase.ONLINE, f"{_alter(owner)} VALIDATE CONSTRAINT {name(rule)}")
    else:
        note = "It looks at every row, and nobody can write to the table meanwhile: there is no other way."
        found.add(Phase.RULES, f"{start} {text}", note=note)


def _add_key(found: Found, before: Catalog, after: Catalog, owner: Key, rule: str, text: str, *, swap: bool) -> None:
    key = Key("index", owner.schema, owner.name, rule)
    index = f"{rule[:58]}_new" if swap else rule
    if swap or key not in before or before[key]["definition"] != after[key]["definition"]:
        found.add(Phase.ONLINE, concurrent_definition(after, key, index))
    kind = "PRIMARY KEY" if kind_of({"definition": text}) == "PRIMARY" else "UNIQUE"
    ending = "".join(
        f" {word}"
        for word in ("DEFERRABLE", "INITIALLY DEFERRED")
        if text.endswith((word, f"{word} INITIALLY DEFERRED"))
    )
    drop = f"DROP CONSTRAINT {name(rule)}, " if swap else ""
    found.add(
        Phase.ONLINE, f"{_alter(owner)} {drop}ADD CONSTRAINT {name(rule)} {kind} USING INDEX {name(index)}{ending}"
    )


def _has_key(catalog: Catalog, one: Properties) -> bool:
    """Tell whether what a foreign key points at is a key already."""
    target = references(one)
    if target is None:
        return True
    for table in tables(catalog):
        if printed(table) == target[0]:
            wanted = {part.strip() for part in target[1].split(",")}
            return any(
                kind_of(rule) in _KEYS
                and wanted == {part.strip() for part in definition(rule).split("(", 1)[1].split(")", 1)[0].split(",")}
                for rule in of_table(catalog, "constraint", table).values()
            ) or any(
                " UNIQUE INDEX " in definition(index) and f"({target[1]})" in definition(index)
                for index in of_table(catalog, "index", table).values()
            )
    return True
