"""What differs between two pictures of a catalog, as sentences. Pure.

What goes with something larger is told with it: of a table that is missing no columns, of a constraint no index.
The order of columns and the version of an extension are compared apart, for no rollback brings them back: a column
that is added again stands at the end. So are the names of NOT NULL constraints, which servers before PostgreSQL 18 have
not.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from isthmus.govern.catalog.model import ON_A_RELATION, RELATIONS, Catalog, Key, Properties, Value
from isthmus.govern.catalog.naming import quoted
from isthmus.govern.catalog.spelling import EXPRESSIONS, one_spelling

_NAME_OF_NOT_NULL = "name of NOT NULL"
APART = frozenset({"position", "version", _NAME_OF_NOT_NULL})
"""Properties that `differences` passes over."""
_NOTHING: dict[str, str] = {
    "comment": "no comment",
    "grants": "the usual rights",
    "default": "no default",
    "owner": "the database's owner",
}


@dataclass(frozen=True)
class Difference:
    """One thing that differs.

    Attributes:
        key: Of which object.
        property: Which of its properties; None where the object as a whole is there on one side alone.
        before: What the property was; of an object as a whole, True where it was there.
        after: The same of the other side.
    """

    key: Key
    property: str | None
    before: Value
    after: Value

    @builtins.property
    def sentence(self) -> str:
        """What an operator reads."""
        what = f"{self.key.kind} {self.key.place}"
        if self.property is None:
            return (
                f"{what}: was there and is missing now." if self.before else f"{what}: is left over; it was not there."
            )
        place, before, after = _first_difference(self.before, self.after)
        was, now = (shown(one, _NOTHING.get(self.property, "none")) for one in (before, after))
        return f"{what}: {self.property}{place}: was {was}, is {now} now."


def differences(before: Catalog, after: Catalog) -> list[Difference]:
    """Return what differs, by kind and name; an empty list where both are the same but for what is compared apart."""
    whole = {key: key in before for key in before.keys() ^ after.keys()}
    found = [
        Difference(key, None, was, not was)
        for key, was in whole.items()
        if not any(one in whole for one in _larger(key))
    ]
    for key in before.keys() & after.keys():
        found += _of_one(key, before[key], after[key])
    return sorted(found, key=_order)


def apart(before: Catalog, after: Catalog) -> list[Difference]:
    """Return what differs and is no difference for a rollback: the order of columns, the version of extensions, what
    NOT NULL is called."""
    found = [
        Difference(key, name, was, now)
        for key, one in before.items()
        for name in ("version", _NAME_OF_NOT_NULL)
        if key in after and (was := one.get(name)) != (now := after[key].get(name)) and None not in (was, now)
    ]
    was, now = _orders(before, after), _orders(after, before)
    found += [
        Difference(key, "order of columns", ", ".join(was[key]), ", ".join(now[key]))
        for key in was.keys() & now.keys()
        if was[key] != now[key]
    ]
    return sorted(found, key=_order)


def _orders(catalog: Catalog, other: Catalog) -> dict[Key, list[str]]:
    """Return table → its columns in their order, as far as the other has them, too."""
    places: dict[Key, list[tuple[int, str]]] = defaultdict(list)
    for key, one in catalog.items():
        if key.kind == "column" and key in other:
            kind = next((kind for kind in RELATIONS if (kind, key.schema, key.name, "") in catalog), "table")
            places[Key(kind, key.schema, key.name)].append((int(one["position"] or 0), quoted(key.part)))
    return {key: [name for _, name in sorted(found)] for key, found in places.items()}


def _of_one(key: Key, before: Properties, after: Properties) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        if was != now and name not in APART and not _means_the_same(name, was, now):
            yield Difference(key, name, was, now)


def _means_the_same(name: str, was: Value, now: Value) -> bool:
    if name not in EXPRESSIONS or not isinstance(was, str) or not isinstance(now, str):
        return False
    return one_spelling(was) == one_spelling(now)


def _larger(key: Key) -> Iterator[Key]:
    """Yield what an object goes with."""
    if key.schema and key.kind != "schema":
        yield Key("schema", "", key.schema)
    if key.kind in ON_A_RELATION:
        for kind in (*RELATIONS, "type"):
            yield Key(kind, key.schema, key.name)
    if key.kind == "index":
        yield Key("constraint", *key[1:])


def _order(one: Difference) -> tuple[str, str, str, str, str]:
    return one.key.schema, one.key.name, one.key.kind, one.key.part, one.property or ""


def _first_difference(before: Value, after: Value) -> tuple[str, Value, Value]:
    """Return, of texts of many lines, the first that differs, and which it is; else both as they are."""
    if not (isinstance(before, str) and isinstance(after, str) and "\n" in before.strip() + after.strip()):
        return "", before, after
    lines = zip_longest(before.splitlines(), after.splitlines())
    number, was, now = next((number, was, now) for number, (was, now) in enumerate(lines, 1) if was != now)
    return f", line {number}", was, now


def shown(value: Value, nothing: str = "none") -> str:
    """Return the value of a property for people; `nothing` is what stands for None."""
    if value is None:
        return nothing
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else f"`{value}`"
