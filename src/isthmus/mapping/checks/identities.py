"""Checks of identities: collections that are carried, one table of all members, keys and links that mean something."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.mapping.checks.columns import TableView
from isthmus.mapping.identities import Identity, IdentitySource
from isthmus.mapping.model import ColumnField, FieldRule, Mapping, walk
from isthmus.mapping.reading.reader import Place, Reader, shorten, suggest
from isthmus.mapping.references import point


def check_identities(mapping: Mapping, reader: Reader) -> None:
    """Report identities that cannot be found out, or whose parts do not agree."""
    taken: dict[str, str] = {}
    for name, identity in mapping.identities.items():
        place = ("identities", name)
        for part, sources in (("members", identity.members), ("linked", identity.linked)):
            for source in sources:
                at = (*place, part, source.collection)
                _check_source(mapping, reader, identity, source, at)
                other = taken.setdefault(source.collection, f"{name}.{part}")
                if other != f"{name}.{part}":
                    message = f"`{shorten(source.collection)}` is a part of `{other}` already."
                    reader.report("identity-twice", at, message, "A collection belongs to one identity, in one way.")
        _check_keys(reader, identity, place)
        table = _check_table(mapping, reader, identity, place)
        if table is not None:
            _check_wins(mapping, reader, identity, table, (*place, "wins"))
            _check_linked(mapping, reader, name, identity, table)


def _check_source(mapping: Mapping, reader: Reader, identity: Identity, source: IdentitySource, at: Place) -> None:
    if source.collection not in mapping.source_collections:
        message = f"No entry reads `{shorten(source.collection)}`."
        reader.report("unknown-collection", at, message, suggest(source.collection, mapping.source_collections))
    for key in source.keys:
        if identity.key(key) is None:
            message = f"`{shorten(key)}` is no key of this identity."
            reader.report(
                "identity-key", (*at, "keys", key), message, suggest(key, [one.name for one in identity.keys])
            )
    members = [one.collection for one in identity.members]
    for link in source.links:
        for to in link.to:
            if to not in members:
                place = (*at, "links", ".".join(link.path))
                message = f"A link leads to members of the identity, and `{shorten(to)}` is none."
                reader.report("identity-link", place, message, suggest(to, members))


def _check_keys(reader: Reader, identity: Identity, place: Place) -> None:
    for key in identity.keys:
        users = [source.collection for source in identity.sources if key.name in source.keys]
        if len(users) < 2 and not reader.is_broken(place):
            shown = f"only `{users[0]}` has it" if users else "no collection has it"
            message = f"The key `{shorten(key.name)}` recognises nothing: {shown}."
            reader.report("identity-key", (*place, "keys"), message, "Name the field of each collection that has one.")


def _check_table(mapping: Mapping, reader: Reader, identity: Identity, place: Place) -> str | None:
    """Report members that do not fill one root table with an id; return that table."""
    tables: dict[str, str] = {}
    for member in identity.members:
        for flow in mapping.flows_of(member.collection):
            entry = mapping.collections[flow.entry]
            at = (*place, "members", member.collection)
            tables.setdefault(entry.table, flow.entry)
            if not entry.id.kept:
                message = f"The table `{entry.table}` keeps no id, by which a thing could be known."
                reader.report("key-needs-id", at, message, "Keep it too: fields: {_id: {column: id}}.")
            if entry.on_duplicate == "merge":
                message = (
                    f"The identity says which documents of `{flow.entry}` are one, so `on_duplicate: merge` cannot."
                )
                reader.report("identity-merge", ("collections", flow.entry, "on_duplicate"), message, "Remove it.")
    if len(tables) > 1:
        shown = ", ".join(f"`{table}`" for table in tables)
        message = f"The members of an identity become rows of one table, and these fill {shown}."
        reader.report("identity-table", (*place, "members"), message, "Give their entries the same `table`.")
        return None
    return next(iter(tables), None)


def _check_wins(mapping: Mapping, reader: Reader, identity: Identity, table: str, place: Place) -> None:
    rules = [rule for entry in mapping.collections.values() if entry.table == table for rule in entry.fields]
    columns = {name for rule in rules for name in _columns(rule)}
    rules_of = {name: [one for one in rules if isinstance(one, ColumnField) and one.column == name] for name in columns}
    for column, collection in identity.wins.items():
        if column not in columns:
            message = f"`{table}` has no column `{shorten(column)}` that a field fills."
            reader.report("unknown-column", (*place, column), message, suggest(column, columns))
        if any(rule.rewrite or (rule.references and rule.is_array) for rule in rules_of.get(column, ())):
            message = f"`{shorten(column)}` holds several references, of which no source can win."
            reader.report("identity-wins", (*place, column), message, "Let `wins` name columns of single values.")
        if identity.member(collection) is None:
            message = f"`{shorten(collection)}` is no member of this identity."
            known = [one.collection for one in identity.members]
            reader.report("identity-wins", (*place, column), message, suggest(collection, known))


def _columns(rule: FieldRule) -> Iterator[str]:
    if isinstance(rule, ColumnField):
        yield rule.column


def _check_linked(mapping: Mapping, reader: Reader, name: str, identity: Identity, table: str) -> None:
    for source in identity.linked:
        at = ("identities", name, "linked", source.collection)
        for flow in mapping.flows_of(source.collection):
            entry = mapping.collections[flow.entry]
            if entry.table == table:
                message = f"`{shorten(source.collection)}` fills the table of the things themselves."
                reader.report("identity-linked", at, message, "Make it a member instead.")
            elif not any(isinstance(rule, ColumnField) and rule.identity == name for rule in entry.fields):
                message = f"No column of `{flow.entry}` takes the thing that a document belongs to."
                hint = f"Add one: {{path: FIELD, references: {identity.members[0].collection}, identity: {name}}}."
                reader.report("identity-linked", at, message, hint)


def check_identity_columns(mapping: Mapping, reader: Reader, table: TableView) -> None:
    """Report columns with `identity` that no identity can fill."""
    for number, rule in enumerate(table.fields):
        if not isinstance(rule, ColumnField) or rule.identity is None:
            continue
        place = (*table.fields_place, reader.key_of(table.fields_place, number), "identity")
        identity = mapping.identities.get(rule.identity)
        if identity is None:
            message = f"There is no identity `{shorten(rule.identity)}`."
            reader.report("unknown-identity", place, message, suggest(rule.identity, mapping.identities))
            continue
        if table.parent is not None or table.entry is None:
            message = "A document belongs to a thing as a whole, and this is a column of an array's elements."
            reader.report("identity-column", place, message, "Put it on the collection itself.")
            continue
        if rule.references is None or rule.is_array or rule.first_of or rule.element is not None:
            message = "`identity` goes with `references` of a single field."
            reader.report("identity-column", place, message, "Write {path: FIELD, references: …, identity: …}.")
            continue
        for source in mapping.collections[table.entry].source_names:
            if identity.linked_source(source) is None:
                message = f"`{shorten(source)}` is not linked to the things of `{shorten(rule.identity)}`."
                reader.report("identity-column", place, message, f"Name it under `linked` of `{rule.identity}`.")
        pointer = point(mapping, rule.references)
        entries = {flow.entry for member in identity.members for flow in mapping.flows_of(member.collection)}
        if pointer is not None and (pointer.entry not in entries or pointer.field is not None):
            message = f"The things of `{shorten(rule.identity)}` are no documents of `{shorten(rule.references)}`."
            reader.report("identity-column", place, message, f"Refer to one of {', '.join(sorted(entries))}.")
        if pointer is not None and mapping.collections[pointer.entry].ids == "keep":
            message = f"`{shorten(rule.references)}` keeps its ids (`ids: keep`), of which no column takes the thing."
            hint = "Derive them (ids: uuid or cuid2), or let the field itself lead there: remove `identity`."
            reader.report("identity-column", place, message, hint)
        twice = [
            other.column
            for other in walk(table.fields)
            if isinstance(other, ColumnField) and other.identity == rule.identity and other is not rule
        ]
        if twice and rule.column > min(twice):
            message = f"`{min(twice)}` holds the thing already."
            reader.report("identity-column", place, message, "Keep one of the two.")
