"""Whether a reference leads to a key, and what its values look like. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from isthmus.errors import Problem
from isthmus.polyglot.references.columns import (
    Column,
    form_of,
    near,
    near_tables,
    python_type,
    read_name,
    tables_of,
    type_words,
)
from isthmus.polyglot.references.forms import FORMS, Form
from isthmus.polyglot.references.keys import keys_of, no_key
from isthmus.polyglot.references.types import base_of, spelt
from isthmus.work.listed import listed

_MOST_NAMED = 8
_KNOWN_FORMS = ", ".join(FORMS)


@dataclass(frozen=True)
class Judged:
    """What was found out about a reference.

    Attributes:
        form: What its values look like; None where something is wrong.
        problems: What is wrong, without a place.
        notes: What is not wrong and should be known, sentences.
    """

    form: Form | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def judge(name: str, stated: str | None, base: object, metadata: sa.MetaData | None) -> Judged:
    """Hold a reference against the tables that there are, and against the type of the field that it stands in.

    Args:
        name: What it names, as it is written.
        stated: The form that it says itself; None where it leaves that to the column.
        base: The annotation beside it, `str` of `Annotated[str, …]`.
        metadata: The tables; None where nothing is known of them, so that the reference and its type are believed.
    """
    if stated is not None and stated not in FORMS:
        return Judged(None, (_no_form(name, stated),))
    if metadata is None:
        return _believed(name, stated, base)
    column = _column(name, metadata)
    if isinstance(column, Problem):
        return Judged(None, (column,))
    problems = [one for one in (_not_key(name, column),) if one is not None]
    form = _form(name, stated, column)
    if isinstance(form, Problem):
        return Judged(None, (*problems, form))
    if (wrong := _type(name, form, base)) is not None:
        problems.append(wrong)
    return Judged(None if problems else form, tuple(problems), tuple(_notes(name, column)))


def _no_form(name: str, stated: str) -> Problem:
    near_forms = near(stated, list(FORMS))
    return Problem(
        "pg-ref-form",
        f"{name}: there is no form {stated!r}.",
        hint=f"Say {_or(near_forms)}." if near_forms else f"Say one of {_KNOWN_FORMS}.",
    )


def _believed(name: str, stated: str | None, base: object) -> Judged:
    kind, _ = base_of(base)
    if stated is None:
        stated = {UUID: "uuid", int: "bigint"}.get(kind) if kind is not None else None
    if stated is None:
        return Judged(
            None,
            (
                Problem(
                    "pg-ref-form",
                    f"Nothing says what keys of {name} look like: PgRef knows no tables, and the reference says no"
                    " form.",
                    hint=f'Make your own, PgRef = References(metadata), or say it: PgRef["{name}", "cuid2"].',
                ),
            ),
        )
    wrong = _type(name, FORMS[stated], base)
    return Judged(FORMS[stated]) if wrong is None else Judged(None, (wrong,))


def _column(name: str, metadata: sa.MetaData) -> Column | Problem:
    read = read_name(name)
    if read is None:
        return Problem(
            "pg-ref-name",
            f"{name!r} names no column.",
            hint="Write table.column, or schema.table.column; a name with a dot in it in double quotes.",
        )
    tables = tables_of(metadata, read)
    if not tables:
        near_ones = near_tables(metadata, read)
        return Problem(
            "pg-ref-table",
            f"{name}: there is no table {read.of_table}.",
            hint=f"Did you mean {_or([f'{one}.{read.column}' for one in near_ones])}?"
            if near_ones
            else f"There are {listed(sorted(one.fullname for one in metadata.tables.values()), _MOST_NAMED)}.",
        )
    if len(tables) > 1 or (read.schema is None and tables[0].schema not in {None, metadata.schema, "public"}):
        names = [f"{one.fullname}.{read.column}" for one in tables]
        schemas = _and([str(one.schema) for one in tables])
        return Problem(
            "pg-ref-table",
            f"{name}: the table {read.table} is in {schemas}, which the reference does not say.",
            hint=f"Write {_or(names)}.",
        )
    (table,) = tables
    column = next((one for one in table.columns if one.name == read.column), None)
    if column is None:
        near_ones = near(read.column, [one.name for one in table.columns])
        return Problem(
            "pg-ref-column",
            f"{name}: {table.fullname} has no column {read.column}.",
            hint=f"Did you mean {_or([f'{table.fullname}.{one}' for one in near_ones])}?"
            if near_ones
            else f"Its keys are {_and(keys_of(table)) or 'none'}.",
        )
    return column


def _not_key(name: str, column: Column) -> Problem | None:
    why = no_key(column)
    if why is None:
        return None
    keys = [f"{column.table.fullname}.{one}" for one in keys_of(column.table)]
    return Problem(
        "pg-ref-key",
        f"{name} {why}",
        hint=f"Refer to {_or(keys)}." if keys else "Give the table a key of one column, or a unique constraint.",
    )


def _form(name: str, stated: str | None, column: Column) -> Form | Problem:
    form = form_of(column)
    if form is None:
        return Problem(
            "pg-ref-form",
            f"{name} is of type {type_words(column)}, of which no form of keys is known.",
            hint="Refer to a column that holds text, UUIDs or whole numbers.",
        )
    if isinstance(form, str):
        return Problem(
            "pg-ref-form",
            f"{name}: the column's info says the form {form!r}, which is none.",
            hint=f"Say one of {_KNOWN_FORMS}.",
        )
    kind = python_type(column)
    if kind is not None and kind is not form.type and not isinstance(column.type, sa.types.TypeDecorator):
        return Problem(
            "pg-ref-form",
            f"{name}: the column's info says the form {form.name}, but its type is {type_words(column)}.",
            hint="Correct the form in the info, or take it out: then the type says it.",
        )
    if stated is None or stated == form.name:
        return form
    said = FORMS[stated]
    if form == FORMS["text"] and said.type is str:
        return said  # the column does not say more, the reference does
    if (form.name, stated) == ("uuid", "uuid-text"):
        return said  # MongoDB has the text of what is a UUID here
    return Problem(
        "pg-ref-form",
        f"{name}: the reference says {stated}, but a key there is {form.words}.",
        hint=f'Leave the form out: PgRef["{name}"].',
    )


def _type(name: str, form: Form, base: object) -> Problem | None:
    kind, _ = base_of(base)
    if kind is not None and issubclass(kind, form.type) and kind is not bool:
        return None
    wanted = form.type.__name__
    hint = f'Write Annotated[{wanted}, PgRef["{name}"]].'
    if kind is None and base is not None:
        hint += " Around it stands what holds several: list[Annotated[…]]."
    if kind is str and form.name == "uuid":
        hint += f' Where documents hold its text, Annotated[str, PgRef["{name}", "uuid-text"]].'
    if kind is not None and kind.__name__.endswith("ObjectId"):
        hint += " isthmus refs rewrite replaces the ObjectIds that stand in documents."
    what = form.words.partition(" (")[0]
    return Problem(
        "pg-ref-type", f"{name}: the field is {spelt(base)}, but a key there is {wanted}, {what}.", hint=hint
    )


def _notes(name: str, column: Column) -> list[str]:
    found: list[str] = []
    for what, info in ((column.table.fullname, column.table.info), (f"the column {column.name}", column.info)):
        if why := info.get("deprecated"):
            reason = f": {why}" if isinstance(why, str) else ""
            found.append(f"{name} leads to what is to go, {what} is called deprecated{reason}.")
    return found


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
