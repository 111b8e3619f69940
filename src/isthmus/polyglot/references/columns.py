"""What SQLAlchemy's metadata knows of the columns that references name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import InvalidRequestError

from isthmus.polyglot.references.constraints import form_of_checks
from isthmus.polyglot.references.forms import FORMS, Form, text_form

_PART = re.compile(r'"((?:[^"]|"")+)"|([^".\s][^".]*)')
_DEFAULT_SCHEMA = "public"

Column = sa.Column[Any]


@dataclass(frozen=True)
class Name:
    """A column as a reference names it.

    Attributes:
        schema: None where the reference names none.
        table: The table.
        column: The column.
    """

    schema: str | None
    table: str
    column: str

    @property
    def of_table(self) -> str:
        """The table, with its schema where one is named."""
        return self.table if self.schema is None else f"{self.schema}.{self.table}"


def read_name(text: str) -> Name | None:
    """Read `table.column` or `schema.table.column`; a name with a dot in it stands in double quotes. None: neither."""
    parts: list[str] = []
    place = 0
    while (found := _PART.match(text, place)) is not None:
        parts.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        place = found.end()
        if place == len(text):
            return Name(parts[0] if len(parts) == 3 else None, *parts[-2:]) if len(parts) in {2, 3} else None
        if text[place] != ".":
            return None
        place += 1
    return None


def tables_of(metadata: sa.MetaData, name: Name) -> list[sa.Table]:
    """Return the tables that a name means; several where it names no schema and only others than the default have them.

    A table without a schema stands in `public`, as it does where nobody sets another search path.
    """
    called = [one for one in metadata.tables.values() if one.name == name.table]
    wanted = name.schema or metadata.schema or _DEFAULT_SCHEMA
    exact = [one for one in called if (one.schema or _DEFAULT_SCHEMA) == wanted]
    return exact or ([] if name.schema is not None else called)


def near_tables(metadata: sa.MetaData, name: Name) -> list[str]:
    """Return the tables whose names are like that one, the likest first."""
    return near(name.of_table, [one.fullname for one in metadata.tables.values()]) or [
        one.fullname for one in metadata.tables.values() if one.name == name.table
    ]


def near(name: str, names: list[str]) -> list[str]:
    """Return the names that are like one, the likest first, at most three."""
    folded = {_folded(one): one for one in names}
    return [folded[one] for one in get_close_matches(_folded(name), list(folded), 3)]


def _folded(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def form_of(column: Column) -> Form | str | None:
    """Return the form of a column's values: what its `info` says, its CHECKs, the column it points at, its type.

    Returns:
        A name that is no form, where `info` says one; None, where references to such a type are not known.
    """
    seen: set[Column] = set()
    here = column
    while here not in seen:
        seen.add(here)
        if (stated := here.info.get("form")) is not None:
            return FORMS.get(str(stated), str(stated))
        found = _form_of_type(here.type)
        if found is not None and found.type is str and found.name == "text":
            found = form_of_checks(here.name, _checks_of(here), found.most) or _form_of_domain(here.type) or found
            if found.name == "text" and (onward := _pointed_at(here)) is not None:
                here = onward
                continue
        return found
    return FORMS["text"]  # columns that point at each other in a circle


def python_type(column: Column) -> type | None:
    """Return what a value of a column is in Python; None where its type does not say."""
    try:
        return column.type.python_type
    except NotImplementedError:
        return None


def type_words(column: Column) -> str:
    """Return the type of a column as PostgreSQL writes it."""
    try:
        return str(column.type.compile(dialect=postgresql.dialect())).lower()  # pyright: ignore[reportUnknownMemberType]
    except Exception:  # noqa: BLE001  types of the project's own raise what they like
        return type(column.type).__name__


def _form_of_type(kind: sa.types.TypeEngine[Any]) -> Form | None:
    if isinstance(kind, sa.types.TypeDecorator):
        return _form_of_type(kind.impl_instance)
    if isinstance(kind, postgresql.DOMAIN):
        return _form_of_type(kind.data_type)
    if isinstance(kind, sa.Uuid):
        return FORMS["uuid" if kind.as_uuid else "uuid-text"]
    for integer, name in ((sa.SmallInteger, "smallint"), (sa.BigInteger, "bigint"), (sa.Integer, "integer")):
        if isinstance(kind, integer):
            return FORMS[name]
    if isinstance(kind, sa.String) and not isinstance(kind, sa.Enum):
        return FORMS["text"] if kind.length is None else text_form(most=kind.length)
    return None


def _form_of_domain(kind: sa.types.TypeEngine[Any]) -> Form | None:
    if not isinstance(kind, postgresql.DOMAIN) or kind.check is None:
        return None
    of_base = _form_of_type(kind.data_type)
    return form_of_checks("value", iter([_sql_of(kind.check)]), of_base.most if of_base is not None else None)


def _checks_of(column: Column) -> Iterator[str]:
    for constraint in (*column.constraints, *column.table.constraints):
        if isinstance(constraint, sa.CheckConstraint):
            yield _sql_of(constraint.sqltext)


def _sql_of(condition: sa.ColumnElement[Any] | sa.TextClause | str) -> str:
    if isinstance(condition, str):
        return condition
    if isinstance(condition, sa.TextClause):
        return condition.text
    try:
        return str(condition.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    except Exception:  # noqa: BLE001  what cannot be written out says nothing
        return ""


def _pointed_at(column: Column) -> Column | None:
    for one in sorted(column.foreign_keys, key=lambda one: one.target_fullname):
        try:
            return one.column
        except InvalidRequestError:  # what it points at is not there: schema drift and migrations tell
            continue
    return None
