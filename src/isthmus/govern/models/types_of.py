"""Types, schemas and functions: what tables rely on. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.models.sql_names import name, within
from isthmus.govern.models.step import Found, Phase, Style
from isthmus.govern.models.view import definition, of_table, values_of, word_for_type


def schemas(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what makes new schemas; none is ever dropped."""
    for key in sorted(after.keys() - before.keys()):
        if key.kind == "schema":
            found.add(Phase.ROOM, f"CREATE SCHEMA {name(key.name)}")


def drop_schemas(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what drops schemas, on the way back from a migration that made them."""
    for key in sorted(before.keys() - after.keys()):
        if key.kind == "schema":
            found.add(Phase.DROPS, f"DROP SCHEMA {name(key.name)}")


def types(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what makes and changes types; their values come first, and what goes is dropped last."""
    gone = [key for key in sorted(before.keys() - after.keys()) if key.kind == "type"]
    for key in sorted(key for key in after.keys() - before.keys() if key.kind == "type"):
        same = [old for old in gone if old.schema == key.schema and _same(before, old, after, key)]
        if len(same) == 1:
            gone.remove(same[0])
            kind = word_for_type(after[key])
            found.add(Phase.ROOM, f"ALTER {kind} {within(*same[0][1:3])} RENAME TO {name(key.name)}")
        else:
            _create(found, key, after)
    for key in sorted(key for key in before.keys() & after.keys() if key.kind == "type"):
        _change(found, key, before, after, style)
    for key in gone:
        found.add(Phase.DROPS, f"DROP {word_for_type(before[key])} {within(key.schema, key.name)}")


def functions(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what makes and changes functions; one that names a new table comes after the tables."""
    new = [key.name for key in after.keys() - before.keys() if key.kind == "table"]
    for key in sorted(key for key in after if key.kind in {"function", "procedure"}):
        if key in before and before[key]["definition"] == after[key]["definition"]:
            continue
        text = definition(after[key]).strip()
        late = any(one in text for one in new)
        note = None
        if key in before and style.careful:
            note = "In the place of one that is there: its body before stands in the rollback."
        found.add(Phase.RULES if late else Phase.ROOM, text, note=note)


def gone_functions(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what drops functions, on the way back from a migration that made them."""
    for key in sorted(key for key in before.keys() - after.keys() if key.kind in {"function", "procedure"}):
        found.add(Phase.DROPS, f"DROP {key.kind.upper()} {within(key.schema, key.name)}({key.part})")


def _create(found: Found, key: Key, after: Catalog) -> None:
    one = after[key]
    place = within(key.schema, key.name)
    if one["form"] == "enum":
        found.add(Phase.ROOM, f"CREATE TYPE {place} AS ENUM ({', '.join(values_of(one))})")
    elif one["form"] == "domain":
        parts = [f"CREATE DOMAIN {place} AS {one['base']}"]
        parts += [f"COLLATE {one['collation']}"] if one["collation"] else []
        parts += [f"DEFAULT {one['default']}"] if one["default"] is not None else []
        parts += [] if one["nullable"] else ["NOT NULL"]
        parts += [
            f"CONSTRAINT {name(part)} {definition(it)}" for part, it in of_table(after, "constraint", key).items()
        ]
        found.add(Phase.ROOM, " ".join(parts))
    elif one["form"] == "composite":
        found.add(Phase.ROOM, f"CREATE TYPE {place} AS ({one['attributes']})")
    else:
        found.left.append(f"type {place} is new: write what makes it by hand.")


def _same(before: Catalog, old: Key, after: Catalog, new: Key) -> bool:
    plain = {name: value for name, value in before[old].items() if name != "comment"}
    return plain == {name: value for name, value in after[new].items() if name != "comment"} and _rules(
        before, old
    ) == _rules(after, new)


def _rules(catalog: Catalog, key: Key) -> list[str]:
    return sorted(definition(one) for one in of_table(catalog, "constraint", key).values())


def _change(found: Found, key: Key, before: Catalog, after: Catalog, style: Style) -> None:
    was, now = before[key], after[key]
    place = within(key.schema, key.name)
    if was["form"] == now["form"] == "enum":
        _change_values(found, place, values_of(was), values_of(now), style)
        return
    if was["form"] == now["form"] == "domain" and was["base"] == now["base"]:
        if was["default"] != now["default"]:
            how = "DROP DEFAULT" if now["default"] is None else f"SET DEFAULT {now['default']}"
            found.add(Phase.ROOM, f"ALTER DOMAIN {place} {how}")
        if was["nullable"] != now["nullable"]:
            found.add(Phase.ROOM, f"ALTER DOMAIN {place} {'DROP' if now['nullable'] else 'SET'} NOT NULL")
        return  # its constraints are told with those of tables
    differs = sorted(one for one in now if was.get(one) != now[one] and one not in {"comment", "version", "position"})
    if differs:
        found.left.append(f"type {place} differs in {', '.join(differs)}: write its change by hand.")


def _change_values(found: Found, place: str, was: list[str], now: list[str], style: Style) -> None:
    common = [one for one in was if one in now]
    if common != was or [one for one in now if one in was] != common:
        missing = [one for one in was if one not in now]
        new = [one for one in now if one not in was]
        what = f"has no {', '.join(missing)} any more" if missing else "has its values in another order"
        how = (
            "a new type beside it, ALTER TABLE … ALTER COLUMN … TYPE … USING column::text::new_type for each of its"
            " columns, then DROP TYPE and ALTER TYPE … RENAME TO."
        )
        if len(missing) == len(new) == 1:
            how = f"ALTER TYPE {place} RENAME VALUE {missing[0]} TO {new[0]} where it is the same one; else {how}"
        found.left.append(f"enum {place} {what}: PostgreSQL cannot do that in place. By hand: {how}")
        return
    lost = "PostgreSQL cannot take a value out of an enum again." if style.careful else None
    for at, one in enumerate(now):
        if one not in was:
            beside = f" AFTER {now[at - 1]}" if at else f" BEFORE {was[0]}" if was else ""
            place_of_it = "" if at == len(was) else beside
            found.add(Phase.VALUES, f"ALTER TYPE {place} ADD VALUE IF NOT EXISTS {one}{place_of_it}", loses=lost)
            was = [*was[:at], one, *was[at:]]
