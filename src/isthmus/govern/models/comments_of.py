"""Comments on what is there on both sides. Pure."""

from __future__ import annotations

from isthmus.govern.catalog.model import Catalog, Key
from isthmus.govern.models.sql_names import literal, name, within
from isthmus.govern.models.step import Found, Phase
from isthmus.govern.models.view import word_for_type


def comments(found: Found, before: Catalog, after: Catalog) -> None:
    """Add what writes and takes away comments."""
    for key in sorted(before.keys() & after.keys()):
        was, now = before[key].get("comment"), after[key].get("comment")
        thing = _thing(key, after)
        if was != now and thing is not None:
            found.add(Phase.COMMENTS, f"COMMENT ON {thing} IS {'NULL' if now is None else literal(str(now))}")


def _thing(key: Key, catalog: Catalog) -> str | None:
    whole = within(key.schema, key.name)
    match key.kind:
        case "table" | "sequence":
            return f"{key.kind.upper()} {whole}"
        case "column":
            return f"COLUMN {whole}.{name(key.part)}"
        case "index":
            return f"INDEX {within(key.schema, key.part)}"
        case "trigger":
            return f"TRIGGER {name(key.part)} ON {whole}"
        case "constraint":
            domain = Key("type", key.schema, key.name) in catalog
            return f"CONSTRAINT {name(key.part)} ON {'DOMAIN ' if domain else ''}{whole}"
        case "type":
            return f"{word_for_type(catalog[key])} {whole}"
        case "function" | "procedure":
            return f"{key.kind.upper()} {whole}({key.part})"
        case _:
            return None
