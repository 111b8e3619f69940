"""What a rewrite looks at before it reads a document: tables, collections, what these do not let be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from pymongo.errors import PyMongoError

from isthmus.connect.mongo import MongoServer
from isthmus.mapping.model import Mapping as MappingModel
from isthmus.polyglot.rewrite.aims import read_aims
from isthmus.polyglot.rewrite.judge import Limits
from isthmus.polyglot.rewrite.resolve import Resolver
from isthmus.polyglot.rewrite.result import PlaceBooks, RewriteResult
from isthmus.polyglot.rewrite.scope import Scope
from isthmus.polyglot.rewrite.validator import Validator
from isthmus.polyglot.sites import Site
from isthmus.sources.live.source import LiveSource
from isthmus.sources.protocol import CollectionInfo
from isthmus.state.runs import id_key

_USUAL_DOCUMENT_BYTES = 16 << 20


@dataclass(frozen=True)
class Ground:
    """What stays the same while documents are looked through.

    Attributes:
        source: Where documents are read.
        server: The server they are on.
        scope: What was asked for.
        sites: Collection → its sites, of collections that are there and can be read.
        infos: Those collections as the source lists them.
        limits: Collection → what it does not let be changed.
        validators: Collection → its validator, where it has one that refuses.
        resolver: Looks ids up.
    """

    source: LiveSource
    server: MongoServer
    scope: Scope
    sites: dict[str, tuple[Site, ...]]
    infos: dict[str, CollectionInfo]
    limits: dict[str, Limits]
    validators: dict[str, Validator]
    resolver: Resolver

    @property
    def collated(self) -> list[str]:
        """The collections with a collation of their own."""
        return [name for name, info in self.infos.items() if info.options.get("collation")]


def look(
    connection: psycopg.Connection,
    mapping: MappingModel,
    source: LiveSource,
    server: MongoServer,
    scope: Scope,
    result: RewriteResult,
) -> Ground:
    """Look at both sides; fills what `result` says of places. Writes nothing.

    Raises:
        TargetError: What ids would lead to was not copied, or is not there; see `aims.read_aims`.
        SourceError: The server is in trouble.
    """
    aims = read_aims(connection, mapping, scope.entries)
    key = id_key(connection, create=False)
    infos = {info.name: info for info in source.collections()}
    readable = {name: infos[name] for name in scope.sites if name in infos and infos[name].readable}
    result.missing = [name for name in scope.sites if name not in infos]
    unread = tuple(
        (name, "", info.rule or "") for name, info in infos.items() if name in scope.sites and not info.readable
    )
    result.left_out = (*scope.left_out, *unread)
    sites = {name: group for name, group in scope.sites.items() if name in readable}
    name_places(mapping, sites, result)
    document_bytes = _document_bytes(server)
    return Ground(
        source,
        server,
        scope,
        sites,
        readable,
        {name: Limits(_shard_key(server, source.database, name), document_bytes) for name in readable},
        {
            name: Validator(server, source.database, name, rule)
            for name, info in readable.items()
            if (rule := _refusing(info.options)) is not None
        },
        Resolver(connection, key, aims),
    )


def name_places(mapping: MappingModel, sites: Mapping[str, Iterable[Site]], result: RewriteResult) -> None:
    """Enter every path with the tables that it leads to, in the mapping's order."""
    for site in (site for group in sites.values() for site in group):
        books = result.places.setdefault((site.collection, site.shown), PlaceBooks())
        tables = (mapping.collections[entry].table for entry in site.targets)
        books.leads_to = tuple(dict.fromkeys([*books.leads_to, *tables]))


def _refusing(options: Mapping[str, object]) -> object | None:
    """Return the validator of a collection's options, where it refuses what does not fit."""
    if options.get("validationAction") == "warn" or options.get("validationLevel") == "off":
        return None
    return options.get("validator") or None


def _document_bytes(server: MongoServer) -> int:
    hello: dict[str, Any] = server.ask("answer", lambda: server.client.admin.command("hello"))
    return int(hello.get("maxBsonObjectSize", _USUAL_DOCUMENT_BYTES))


def _shard_key(server: MongoServer, database: str, collection: str) -> tuple[tuple[str, ...], ...]:
    """Return the fields of a collection's shard key; of one that the user may not ask for, the server tells later."""
    try:
        found = (
            server.client.get_database("config")
            .get_collection("collections")
            .find_one({"_id": f"{database}.{collection}"}, {"key": 1, "dropped": 1})
        )
    except PyMongoError:
        return ()
    key: Mapping[str, Any] = {} if found is None or found.get("dropped") else found.get("key", {})
    return tuple(tuple(field.split(".")) for field in key if field != "_id")
