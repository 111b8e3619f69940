"""What a migration depends on is there, and older.

Problem: `Dependencies:` names a migration that was renamed, or a table that another branch is going to make. It looks
as if somebody had made sure.

Solution: `Dependencies:`, where given, names older migrations of this folder, tables (`[schema.]table`) and columns
(`[schema.]table.column`) that older migrations make, or those of another folder of the settings, separated by commas or
lines; or `None`. Tables and columns are looked up in `schema.json` of all folders, which `isthmus schema rehearse`
writes. Where a folder has none, what is in no other is not refused, and a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.govern.checking import Checking
from isthmus.govern.findings import Finding
from isthmus.govern.migrations.dependencies import NONE, Dependency, read_dependencies
from isthmus.govern.migrations.folder import Migration
from isthmus.govern.migrations.names import name_of
from isthmus.govern.rules.rule import Rule
from isthmus.govern.schema_json import SchemaJson, table_key
from isthmus.govern.unwritten import says_nothing

_TABLE_HINT = "Name it as [schema.]table or [schema.]table.column; isthmus schema rehearse writes schema.json anew."


def _find(checking: Checking) -> Iterator[Finding]:
    for one in checking.looked_at:
        header = checking.header(one)
        field = header.fields.get("Dependencies") if header is not None else None
        if field is None or one.sql is None or one.name is None:
            continue
        items = read_dependencies(field)
        wrong: list[tuple[str, str]] = []
        if not items or (items[0].text != NONE and says_nothing(field.value)):
            wrong.append(("`Dependencies:` says nothing.", "Leave the line out, or write `None`."))
        elif any(item.text == NONE for item in items):
            if len(items) > 1:
                wrong.append(("`Dependencies:` says None, and more.", "Keep one of them."))
        else:
            for item in items:
                wrong += _wrong(checking, one, item)
        for message, hint in wrong:
            yield Finding(one.sql.path, field.line, RULE.name, message, hint)


def _wrong(checking: Checking, one: Migration, item: Dependency) -> Iterator[tuple[str, str]]:
    named = name_of(item.text, checking.now.settings)
    if named is not None:
        other = checking.now.migrations.get(item.text)
        if other is None:
            yield f"There is no migration {item.text}.", f"Name one of {checking.now.path}."
        elif other is one:
            yield "It depends on itself.", "Leave it out."
        elif one.name is not None and named.order > one.name.order:
            yield f"{item.text} comes after it.", "A migration depends on older ones alone."
    elif not item.parts:
        yield f"`{item.text}` is neither a migration nor a table.", _TABLE_HINT
    else:
        yield from _looked_up(checking, one, item)


def _looked_up(checking: Checking, one: Migration, item: Dependency) -> Iterator[tuple[str, str]]:
    if _is_elsewhere(checking, item):
        return
    known = checking.schema_json
    makers = [] if known is None else list(_makers(item.parts, known))
    if not makers and without_tables(checking):
        return  # a note says so
    if not makers:
        what = "column" if len(item.parts) == 3 else "table" if len(item.parts) == 1 else "table or column"
        yield (
            f"There is no {what} {item.text} in {'schema.json' if not checking.others else 'any schema.json'}.",
            _TABLE_HINT,
        )
        return
    names = [name_of(maker, checking.now.settings) for maker in makers if maker in checking.now.migrations]
    if one.name is None or len(names) < len(makers) or any(not name or name.order < one.name.order for name in names):
        return  # some of them are older, or of another folder
    maker = makers[0]
    yield (
        f"{item.text} is made by {'this migration itself' if maker == one.text else f'{maker}, which comes after it'}.",
        "A migration depends on what older ones make.",
    )


def _is_elsewhere(checking: Checking, item: Dependency) -> bool:
    return any(True for known in checking.elsewhere.values() if known for _ in _makers(item.parts, known))


def without_tables(checking: Checking) -> list[str]:
    """Return what the settings call the folders whose tables are not known."""
    titles = [checking.now.settings.title] if checking.schema_json is None else []
    return titles + [title for title, known in checking.elsewhere.items() if known is None]


def _makers(parts: tuple[str, ...], known: SchemaJson) -> Iterator[str]:
    """Yield the migrations that made what a name may mean."""
    for schema, rest in ((parts[0], parts[1:]), ("public", parts)):
        match rest:
            case (name,) if (table := known.tables.get(table_key(schema, name))) is not None:
                yield table.migration
            case (name, column) if (table := known.tables.get(table_key(schema, name))) is not None:
                if column in table.columns:
                    yield table.columns[column].migration
            case _:
                pass


def names_unknown_tables(checking: Checking) -> bool:
    """Tell whether a migration that is looked at names tables or columns that no `schema.json` has."""
    own = checking.schema_json
    for one in checking.looked_at:
        header = checking.header(one)
        field = header.fields.get("Dependencies") if header is not None else None
        for item in read_dependencies(field) if field is not None else ():
            if item.text != NONE and item.parts and name_of(item.text, checking.now.settings) is None:
                known = own is not None and any(True for _ in _makers(item.parts, own))
                if not known and not _is_elsewhere(checking, item):
                    return True
    return False


RULE = Rule(
    "header-dependencies",
    _find,
    bad=(
        "0002_add_posts.sql",
        (
            "-- Purpose: posts, by their users\n-- Ticket: CRM-14\n-- Reversible: No\n"
            "-- Dependencies: 0001_add_users\n\nSELECT 1;\n"
        ),
    ),
    good=(
        "0002_add_posts.sql",
        (
            "-- Purpose: posts, by their users\n-- Ticket: CRM-14\n-- Reversible: No\n-- Dependencies: None\n\n"
            "SELECT 1;\n"
        ),
    ),
)
