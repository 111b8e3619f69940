"""Columns: which type of SQLAlchemy, and which of Python, a column's type is. Pure."""

from __future__ import annotations

from isthmus.mapping.alchemy.layout import text
from isthmus.mapping.alchemy.python_names import ModuleNames
from isthmus.mapping.target import Column, Table
from isthmus.mapping.types import INTEGER_RANGES, ColumnType, Kind

_SIMPLE: dict[Kind, str] = {
    "text": "TEXT()",
    "smallint": "SMALLINT()",
    "integer": "INTEGER()",
    "bigint": "BIGINT()",
    "real": "REAL()",
    "double": "DOUBLE_PRECISION()",
    "boolean": "BOOLEAN()",
    "date": "DATE()",
    "uuid": "UUID()",
    "bytea": "BYTEA()",
}
_PYTHON: dict[Kind, str] = {
    "text": "str",
    "varchar": "str",
    "smallint": "int",
    "integer": "int",
    "bigint": "int",
    "real": "float",
    "double": "float",
    "numeric": "Decimal",
    "boolean": "bool",
    "date": "datetime.date",
    "timestamp": "datetime.datetime",
    "timestamptz": "datetime.datetime",
    "uuid": "UUID",
    "bytea": "bytes",
    "jsonb": "Any",
}


def annotation(column: Column, names: ModuleNames) -> str:
    """Return the Python type of a column's values, `| None` with it where the column takes NULL."""
    kind = column.type.kind
    if column.role == "extras":
        written = "dict[str, Any]"
    else:
        written = names.values[column.type.enum or ""] if kind == "enum" else _PYTHON[kind]
    if column.type.array:
        written = f"list[{written}]"
    return f"{written} | None" if column.nullable else written


def sql_type(column: Column, names: ModuleNames) -> str:
    """Return the expression that makes a column's type."""
    written = _scalar(column.type, names, nullable=column.nullable)
    if not column.type.array:
        return written
    # A strict checker does not know what an ENUM is made of.
    return f"postgresql.ARRAY{'[Any]' if column.type.kind == 'enum' else ''}({written})"


def options(table: Table, column: Column) -> list[str]:
    """Return the arguments that a `Column` needs behind its type, besides whether it takes NULL."""
    found: list[str] = []
    if column.name in table.primary_key and column.type.kind in INTEGER_RANGES:
        found.append("autoincrement=False")  # or SQLAlchemy makes a sequence of it
    if column.sql_default is not None:
        # `literal_column` takes the text as it is, colons and percent signs too.
        found.append(f"server_default=sa.literal_column({text(column.sql_default)})")
    return found


def _scalar(column_type: ColumnType, names: ModuleNames, *, nullable: bool) -> str:
    kind = column_type.kind
    if kind == "enum":
        return names.types[column_type.enum or ""]
    if kind == "varchar":
        return f"postgresql.VARCHAR({'' if column_type.length is None else column_type.length})"
    if kind == "numeric":
        numbers = "" if column_type.precision is None else f"{column_type.precision}, {column_type.scale or 0}"
        return f"postgresql.NUMERIC({numbers})"
    if kind in ("timestamp", "timestamptz"):
        precision = "" if column_type.precision is None else f", precision={column_type.precision}"
        return f"postgresql.TIMESTAMP(timezone={kind == 'timestamptz'}{precision})"
    if kind == "jsonb":
        # A copy knows NULL and no JSON null beside it; so None is NULL here too.
        return f"postgresql.JSONB({'none_as_null=True' if nullable else ''})"
    return f"postgresql.{_SIMPLE[kind]}"
