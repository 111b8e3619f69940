"""A reference to a column of PostgreSQL, as it stands in the type of a field.

`Annotated[str, PgRef["users.id"]]` is a `str` to type checkers; pydantic refuses what can be no key of `users`, and its
JSON Schema says `x-pg-ref: users.id`. The tables are looked at with the first value, not before: modules may be
imported in any order, and `isthmus refs check` tells of all wrong references at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from sqlalchemy import MetaData

from isthmus.errors import ConfigError, PolyglotError
from isthmus.polyglot.references.forms import Form
from isthmus.polyglot.references.judging import Judged, judge
from isthmus.polyglot.references.types import base_of

JSON_SCHEMA_KEY = "x-pg-ref"
"""Under which a field's JSON Schema names the column."""
_CHECK = "isthmus refs check lists every wrong reference with file and line."


@dataclass(frozen=True)
class Reference:
    """A column whose keys a field holds; made by `PgRef["table.column"]`.

    Attributes:
        name: The column, as it is written.
        form: The form that the reference says itself; None where it is the column's to say.
        metadata: The tables; None where they are not known.
    """

    name: str
    form: str | None = None
    metadata: MetaData | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f'PgRef["{self.name}"]' if self.form is None else f'PgRef["{self.name}", "{self.form}"]'

    def __repr__(self) -> str:
        return str(self)

    def __getattr__(self, name: str) -> Any:
        # Pydantic asks a type for its name; what stands alone as one has none.
        if name != "__qualname__":
            raise AttributeError(name)
        raise AttributeError(f"{self} is no type by itself: write Annotated[str, {self}]")

    def __deepcopy__(self, memo: object) -> Reference:
        return self  # and not all tables with it

    def judge(self, base: object) -> Judged:
        """Hold it against its tables and the type beside it; see `judging.judge`."""
        return judge(self.name, self.form, base, self.metadata)

    def form_beside(self, base: object) -> Form:
        """Return what its values look like.

        Args:
            base: The type beside it: `str` of `Annotated[str, …]`.

        Raises:
            PolyglotError: It leads to no key, or the type is another (code `pg-ref`); `problems` holds every finding.
        """
        judged = self.judge(base)
        if judged.form is None:
            raise PolyglotError(
                f"{self} cannot be followed. {judged.problems[0].message}",
                code="pg-ref",
                problems=judged.problems,
                hint=_CHECK,
            )
        return judged.form

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_Validator(self, source), handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        found = handler(schema)
        validator = _validator_of(schema)
        more = validator.form.as_json_schema() if validator is not None else {}
        branches: list[JsonSchemaValue] = found.get("anyOf", [found])
        for branch in branches:
            if branch.get("type") in {"string", "integer"}:
                branch.update(more)
        return {**found, JSON_SCHEMA_KEY: self.name}


class References:
    """Makes references: `PgRef = References(metadata)`, then `PgRef["users.id"]`.

    Args:
        metadata: The tables that they lead to, from which also the form of their values comes. Without it each
            reference to a text says its form: `PgRef["users.id", "cuid2"]`.
    """

    def __init__(self, metadata: MetaData | None = None) -> None:
        self.metadata = metadata

    def __getitem__(self, named: str | tuple[str, str]) -> Reference:
        """Return a reference to `table.column` or `schema.table.column`, and, behind it, the form of its values.

        Raises:
            ConfigError: It is neither (code `pg-ref-name`).
        """
        name, form = named if isinstance(named, tuple) else (named, None)
        if not isinstance(name, str) or not isinstance(form, str | None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(
                f"PgRef[{named!r}] names no column.",
                code="pg-ref-name",
                hint='Write PgRef["table.column"], or PgRef["table.column", "form"].',
            )
        return Reference(name, form, self.metadata)


PgRef = References()
"""Makes references of which only themselves say what they lead to."""


class _Validator:
    """Refuses values of one field that are no keys."""

    def __init__(self, reference: Reference, source: object) -> None:
        self._reference = reference
        self._source = source
        _, self._optional = base_of(source)

    @cached_property
    def form(self) -> Form:
        """What the values look like."""
        return self._reference.form_beside(self._source)

    def __call__(self, value: Any, handler: Callable[[Any], Any]) -> Any:
        if value is None and self._optional:
            return handler(value)
        fault = self.form.old_id(value)
        found = value if fault is not None else handler(value)
        if fault is None and not (found is None and self._optional):
            fault = self.form.fault(found)
        if fault is not None:
            raise PydanticCustomError(
                "pg_ref",
                "{fault}; a key of {column} is {form}",
                {"fault": f"{fault[0].upper()}{fault[1:]}", "column": self._reference.name, "form": self.form.words},
            )
        return found


def _validator_of(schema: Any) -> _Validator | None:
    """Return what judges values, below what else stands beside the reference in `Annotated`."""
    while isinstance(schema, dict):
        here = cast("dict[str, Any]", schema)
        function: Any = here.get("function")
        found = cast("dict[str, Any]", function).get("function") if isinstance(function, dict) else None
        if isinstance(found, _Validator):
            return found
        schema = here.get("schema")
    return None
