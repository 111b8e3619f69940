"""What a mapping's `expect` says of a column, as SQL that is true of values that are not so. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from isthmus.mapping.rules import Expect
from isthmus.verify.looking import of_row
from isthmus.verify.stated.demands import Demand, LeftOut, each
from isthmus.verify.stated.literals import literal, told
from isthmus.verify.stated.sources import Filled

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(\.{_LABEL})*$"
"""A valid e-mail address as the HTML standard defines it for `<input type=email>` (WHATWG, section 4.10.5.1.5)."""
_FORMS = {"email": ("an e-mail address", _EMAIL)}
_LESS, _MORE = sql.SQL("{} < {}"), sql.SQL("{} > {}")


def expectations(filled: Filled, schema: str) -> Iterator[Demand | LeftOut]:
    """Yield what a column's values are expected to be.

    Args:
        filled: The column, as the mapping that is verified with fills it.
        schema: PostgreSQL schema of its table.
    """
    stated = [rule.expect for rule in filled.rules]
    expect = next(filter(None, stated), None)
    if expect is None:
        return
    if any(one != expect for one in stated):
        yield LeftOut("Fields that fill the column state different `expect`, or none, so that was not compared.")
        return
    if expect.form is not None:
        what, pattern = _FORMS[expect.form]
        yield _unlike(filled, expect.form, what, pattern)
    if expect.pattern is not None:
        yield _unlike(filled, "pattern", f"a text that matches {expect.pattern}", expect.pattern)
    yield from _outside(filled, expect, schema)
    value = of_row(filled.column.name)
    if expect.not_before is not None:
        wrong = _LESS.format(value, of_row(expect.not_before))
        yield Demand("not_before", f"not before {expect.not_before}", wrong, of_source=True)
    if expect.not_after is not None:
        wrong = _MORE.format(value, of_row(expect.not_after))
        yield Demand("not_after", f"not after {expect.not_after}", wrong, of_source=True)


def _unlike(filled: Filled, name: str, what: str, pattern: str) -> Demand:
    # under COLLATE "C" a range inside brackets is one of code points
    unlike = sql.SQL('{}::text COLLATE "C" !~ {}')
    wrong = each(filled, lambda value: unlike.format(value, sql.Literal(pattern)))
    return Demand(name, what, wrong, of_source=True)


def _outside(filled: Filled, expect: Expect, schema: str) -> Iterator[Demand | LeftOut]:
    kind = filled.column.type
    for name, words, beyond, bound in (("min", "at least", _LESS, expect.min), ("max", "at most", _MORE, expect.max)):
        if bound is None:
            continue
        limit = literal(bound, kind, schema)
        if limit is None:
            yield LeftOut(f"`{name}` cannot be written as a value of PostgreSQL here, so it was not compared.")
            continue

        def wrong(value: sql.Composable, beyond: sql.SQL = beyond, limit: sql.Composed = limit) -> sql.Composable:
            if kind.kind not in {"real", "double", "numeric"}:
                return beyond.format(value, limit)
            # a NaN is between no two numbers, and PostgreSQL has it greater than all
            return sql.SQL("({} OR {} = 'NaN')").format(beyond.format(value, limit), value)

        yield Demand(name, f"{words} {told(bound, kind)}", each(filled, wrong), of_source=True)
