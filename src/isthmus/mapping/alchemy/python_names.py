"""Names in Python for what has any name in PostgreSQL: classes, variables, attributes. Pure.

A name stays as it is where Python can take it. One that Python, SQLAlchemy or the module itself needs gets an
underscore behind it; one that two would have gets a number.
"""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable

from isthmus.mapping.names import fold
from isthmus.mapping.target import TargetSchema

IMPORTED = (
    *("datetime", "Decimal", "Any", "Literal", "UUID", "uuid4", "sa", "postgresql", "listen"),
    *("DeclarativeBase", "Mapped", "mapped_column", "relationship"),
)
"""All that a module of models may import; what it does not import today it may tomorrow, so these stay free."""
_TAKEN = frozenset({*keyword.kwlist, *IMPORTED, "Base", "metadata", "registry"})
_BUILTIN_TYPES = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict"})
"""Of the built-in names those that annotations use."""


class Scope:
    """Names of one place, each given once.

    Args:
        taken: Names that are never given.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, *wanted: str) -> str:
        """Give the first of the names that is free, or the last of them with a number, from 2."""
        for name in wanted:
            if name not in self._taken:
                self._taken.add(name)
                return name
        number = 2
        while (name := f"{wanted[-1]}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name


class ModuleNames:
    """The names of a module of models.

    Attributes:
        classes: Of each table that has a class, its name.
        tables: Of each other table, the variable.
        values: Of each enum, the name of its values' type.
        types: Of each enum, the variable of the column type.
    """

    def __init__(self, schema: TargetSchema, mapped: Iterable[str]) -> None:
        scope = Scope({*_TAKEN, *_BUILTIN_TYPES, *dir(builtins)})
        self.classes = {name: scope.take(camel(name, "Table")) for name in mapped}
        self.tables = {
            name: scope.take(*_with_underscore(snake(name, "table")))
            for name in schema.tables
            if name not in self.classes
        }
        self.values: dict[str, str] = {}
        self.types: dict[str, str] = {}
        for name in schema.enums:
            values = camel(name, "Enum")
            self.values[name] = scope.take(values, f"{values}Value")
            self.types[name] = scope.take(f"{snake(name, 'enum')}_type")
        self._own = {*_TAKEN, *_BUILTIN_TYPES}
        for given in (self.classes, self.tables, self.values, self.types):
            self._own.update(given.values())

    def attributes(self) -> Scope:
        """Return a scope for the attributes of one class: what the class body speaks of means the module's."""
        return Scope(self._own)


def attribute(column: str) -> tuple[str, str]:
    """Return the names an attribute for a column may have, the better one first."""
    return _with_underscore(identifier(column, "column"))


def _with_underscore(name: str) -> tuple[str, str]:
    return name, f"{name}_"


def snake(name: str, otherwise: str) -> str:
    """Fold a name to an identifier in snake_case."""
    return identifier(fold(name), otherwise)


def camel(name: str, otherwise: str) -> str:
    """Turn a name into one of a class: `crm_Accounts` becomes `CrmAccounts`."""
    parts = [part for part in identifier(name, otherwise).split("_") if part]
    joined = "".join(part[0].upper() + part[1:] for part in parts)
    return identifier(joined, otherwise)


def identifier(name: str, otherwise: str) -> str:
    """Turn a name into an identifier that is not private, in the form in which Python itself compares them (NFKC).

    Args:
        name: Any name.
        otherwise: What it is called where nothing of it can be used; stands before a name that begins with a digit.
    """
    normal = unicodedata.normalize("NFKC", name)
    if not normal.isidentifier():
        normal = "".join(one if f"a{one}".isidentifier() else "_" for one in normal).rstrip("_")
    # One underscore in front says private to readers and checkers; two are mangled in a class.
    normal = normal.lstrip("_")
    if not normal:
        return otherwise
    return normal if normal.isidentifier() else f"{otherwise}_{normal}"
