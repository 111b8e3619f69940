"""What an OpenAPI lets somebody send without a bound: texts, lists and numbers of any size, and what has no type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FORMATS = {"date", "date-time", "time", "uuid"}
"""Those that are short by themselves."""


def unbounded(openapi: dict[str, Any]) -> list[str]:
    """Where there is something without a bound, in parameters and bodies of requests."""
    found: list[str] = []
    for path, methods in openapi["paths"].items():
        for method, one in methods.items():
            asked = {f"{each['in']} {each['name']}": each["schema"] for each in one.get("parameters", ())}
            body = one.get("requestBody", {"content": {}})["content"]
            for where, schema in (asked | {kind: each["schema"] for kind, each in body.items()}).items():
                found += _unbounded(schema, f"{method.upper()} {path}: {where}", openapi, frozenset())
    return found


def _unbounded(schema: Any, where: str, openapi: dict[str, Any], above: frozenset[str]) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        assert name not in above, f"{where}: {name} holds itself, as deep as one likes"
        yield from _unbounded(openapi["components"]["schemas"][name], where, openapi, above | {name})
        return
    choices = [each for key in ("anyOf", "oneOf") for each in schema.get(key, ())]
    for each in choices:
        yield from _unbounded(each, where, openapi, above)
    if not choices and not {"const", "enum"} & schema.keys() and not _is_bounded(schema):
        yield where
    for name, each in schema.get("properties", {}).items():
        yield from _unbounded(each, f"{where}.{name}", openapi, above)
    if "items" in schema:
        yield from _unbounded(schema["items"], f"{where}[]", openapi, above)


def _is_bounded(schema: Any) -> bool:
    match schema.get("type"):
        case "boolean" | "null":
            return True
        case "object":
            return schema.get("additionalProperties") is False
        case "array":
            return "maxItems" in schema
        case "integer" | "number":
            return bool({"maximum", "exclusiveMaximum"} & schema.keys())
        case "string":
            is_short = schema.get("format") in _FORMATS or _is_short(schema.get("pattern", ""))
            return "maxLength" in schema or is_short
        case _:
            return False


def _is_short(pattern: str) -> bool:
    """Whether all of a text has to be of a pattern that repeats nothing without end."""
    return pattern.startswith("^") and pattern.endswith("$") and not {"*", "+"} & set(pattern) and ",}" not in pattern
