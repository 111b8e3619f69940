"""Tables as a whole: made, changed, dropped. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key, columns
from isthmus.govern.models.columns_of import column_of
from isthmus.govern.models.sql_names import name
from isthmus.govern.models.step import WRITTEN_ANEW, Found, Phase, Style
from isthmus.govern.models.view import (
    definition,
    is_own_index,
    kept_tables,
    kind_of,
    of_table,
    printed,
    references,
    table_name,
    tables,
)

_ORDER = ("PRIMARY", "UNIQUE", "EXCLUDE", "CHECK", "FOREIGN")
_BY_HAND = ("partition key", "bound", "inherits", "of type", "server", "replica identity")


def new_tables(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what makes new tables, with constraints and indexes: nobody uses them yet."""
    new = [key for key in tables(after) if key not in before]
    made = {printed(key) for key in tables(before)}
    late: list[tuple[Key, str]] = []
    for key in _referenced_first(after, new):
        if after[key]["bound"]:
            found.left.append(f"table {table_name(key)} is a partition: write what makes it by hand.")
            continue
        late += _create(found, after, key, made)
        made.add(printed(key))
    for key, rule in late:
        one = of_table(after, "constraint", key)[rule]
        ending = "" if one["validated"] else " NOT VALID"
        found.add(Phase.TABLES, f"ALTER TABLE {table_name(key)} ADD CONSTRAINT {name(rule)} {definition(one)}{ending}")


def changed_tables(found: Found, before: Catalog, after: Catalog, style: Style) -> None:
    """Add what changes tables themselves."""
    for key in kept_tables(before, after):
        was, now = before[key], after[key]
        if was["persistence"] != now["persistence"]:
            word = "UNLOGGED" if now["persistence"] == "unlogged" else "LOGGED"
            found.add(Phase.TABLES, f"ALTER TABLE {table_name(key)} SET {word}", note=style.warning(WRITTEN_ANEW))
        if was["options"] != now["options"]:
            _options(found, key, str(was["options"] or ""), str(now["options"] or ""))
        differs = [one for one in _BY_HAND if was.get(one) != now.get(one)]
        if differs:
            found.left.append(f"table {table_name(key)} differs in {', '.join(differs)}: write its change by hand.")


def gone_tables(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what drops tables; what points at another one goes first."""
    gone = [key for key in tables(before) if key not in after]
    order = _referenced_first(before, gone)
    made: set[str] = set()
    for key in order:
        for rule, one in of_table(before, "constraint", key).items():
            target = references(one)
            later = {printed(other) for other in order} - made - {printed(key)}
            if target is not None and target[0] in later:
                found.add(Phase.DROPS, f"ALTER TABLE {table_name(key)} DROP CONSTRAINT {name(rule)}")
        made.add(printed(key))
    for key in reversed(order):
        lost = f"the rows of {table_name(key)}"
        found.add(Phase.DROPS, f"DROP TABLE {table_name(key)}", loses=lost)


def _create(found: Found, after: Catalog, key: Key, made: set[str]) -> list[tuple[Key, str]]:
    one = after[key]
    late: list[tuple[Key, str]] = []
    lines = [f"    {column_of(after, key, column)}" for column in columns(after, key.schema, key.name)]
    rules = of_table(after, "constraint", key)
    for rule in sorted(rules, key=lambda rule: (_ORDER.index(kind_of(rules[rule])), rule)):
        target = references(rules[rule])
        if not rules[rule]["validated"] or (target is not None and target[0] not in made | {printed(key)}):
            late.append((key, rule))
        else:
            lines.append(f"    CONSTRAINT {name(rule)} {definition(rules[rule])}")
    ending = f" INHERITS ({one['inherits']})" if one["inherits"] else ""
    ending += f" PARTITION BY {one['partition key']}" if one["partition key"] else ""
    ending += f" WITH ({one['options']})" if one["options"] else ""
    kind = "UNLOGGED TABLE" if one["persistence"] == "unlogged" else "TABLE"
    body = ",\n".join(lines)
    found.add(Phase.TABLES, f"CREATE {kind} {table_name(key)} (\n{body}\n){ending}")
    for index in sorted(of_table(after, "index", key)):
        place = Key("index", *key[1:3], index)
        if not is_own_index(after, place):
            found.add(Phase.TABLES, definition(after[place]))
    return late


def _referenced_first(catalog: Catalog, some: list[Key]) -> list[Key]:
    """Return tables so that what a foreign key points at comes first, as far as there are no circles."""
    places = {printed(key): key for key in some}
    done: list[Key] = []
    begun: set[Key] = set()

    def visit(key: Key) -> None:
        if key in begun:
            return
        begun.add(key)
        for one in of_table(catalog, "constraint", key).values():
            target = references(one)
            if target is not None and target[0] in places:
                visit(places[target[0]])
        done.append(key)

    for key in some:
        visit(key)
    return done


def _options(found: Found, key: Key, was: str, now: str) -> None:
    kept = [one.split("=", 1)[0] for one in now.split(", ") if one]
    gone = [one.split("=", 1)[0] for one in was.split(", ") if one and one.split("=", 1)[0] not in kept]
    if now:
        found.add(Phase.TABLES, f"ALTER TABLE {table_name(key)} SET ({now})")
    if gone:
        found.add(Phase.TABLES, f"ALTER TABLE {table_name(key)} RESET ({', '.join(gone)})")
