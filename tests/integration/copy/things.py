"""Copies whose identities are given by a test, as it planted them, instead of found out from the documents."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import bson
import psycopg

from isthmus._rust import IdCodec
from isthmus.mapping import parse_mapping
from isthmus.mapping.things import Things, with_things
from isthmus.sources import open_source
from isthmus.transfer.job import Options
from isthmus.transfer.result import Result
from isthmus.transfer.run import copy_database, tell
from isthmus.verify.reference import Reference, load
from isthmus.verify.reference.compare import Comparison
from isthmus.work.progress import Progress
from tests.integration.copy.carrying import World, balanced
from tests.oracle.copying import Compared, documents_of
from tests.oracle.ledgers import accounts_of, run_facts

KEY = bytes(range(32))

Documents = Mapping[str, Iterable[Any]]
"""Collection → the `_id`s of documents."""


def named(identifier: object) -> bytes:
    """Return a document's name: `{"_id": value}` as BSON."""
    return bson.encode({"_id": identifier})


def id_of(collection: str, identifier: object, scheme: str = "cuid2") -> str:
    """Return the id that a document's own row would have."""
    return IdCodec(KEY).derive(collection, named(identifier), scheme)


def things_of(
    *groups: tuple[str, Documents],
    none: Documents | None = None,
    dropped: Mapping[str, Mapping[Any, str]] | None = None,
    digest: str = "answers",
) -> Things:
    """Make things as a test plants them.

    Args:
        groups: Id of a thing, with the documents that belong to it.
        none: Documents that belong to none.
        dropped: Collection → `_id` → reason.
        digest: Of the answers.
    """
    of: dict[str, dict[bytes, str | None]] = {}
    for thing, documents in groups:
        for collection, identifiers in documents.items():
            of.setdefault(collection, {}).update({named(one): thing for one in identifiers})
    for collection, identifiers in (none or {}).items():
        of.setdefault(collection, {}).update({named(one): None for one in identifiers})
    left = {name: {named(one): why for one, why in some.items()} for name, some in (dropped or {}).items()}
    return Things(of, left, digest)


def carry(world: World, mapping: str, things: Things, **options: Any) -> Result:
    """Carry the dump of a world, with its identities as they are given."""
    text = textwrap.dedent(mapping)
    source = open_source(str(world.folder))
    world.notes = []
    try:
        result = copy_database(
            with_things(parse_mapping(text, file_name="mapping.yaml"), things),
            source,
            world.conninfo,
            mapping_text=text,
            options=Options(**{"id_key": KEY, **options}),
            progress=Progress(on_note=world.notes.append),
        )
        tell(world.conninfo, result)
        return result
    finally:
        source.close()


def compared(world: World, mapping: str, things: Things) -> Compared:
    """Compare every row of a target that the mapping made, and its ledgers, with the oracle."""
    path = world.folder.parent / "mapping.yaml"
    path.write_text(textwrap.dedent(mapping), "utf-8")
    with psycopg.connect(world.conninfo) as connection:
        facts = run_facts(connection)
        reference = Reference(load(path), facts.key, facts.now_us, things)
        comparison = Comparison(reference, connection, accounts_of(connection, reference))
        documents = documents_of(world.folder, list(reference.rules.collections))
        return Compared(list(comparison.differences(documents)), comparison.totals)


def as_the_oracle_says(world: World, mapping: str, things: Things, result: Result) -> None:
    """Assert that books, rows and ledgers are as the reference says."""
    balanced(result)
    assert result.balance is not None
    found = compared(world, mapping, things)
    assert not found.differences, found.differences
    merged = {name: books.merged for name, books in result.balance.collections.items()}
    assert merged == {name: found.totals.merged[name] for name in merged}
