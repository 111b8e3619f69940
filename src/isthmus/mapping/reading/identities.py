"""Reading `identities`: keys, member collections, linked ones, and which source wins a column."""

from __future__ import annotations

from isthmus.mapping.identities import Identity, IdentityKey, IdentityLink, IdentitySource
from isthmus.mapping.keys import IDENTITY_KEYS, IDENTITY_SOURCE_KEYS
from isthmus.mapping.reading.choosing import read_dotted, read_normalise, read_path
from isthmus.mapping.reading.nodes import ListNode, Node, ScalarNode
from isthmus.mapping.reading.reader import Place, Reader, shorten


def read_identities(reader: Reader, node: Node) -> dict[str, Identity]:
    """Read the identities of a mapping, by name; those that say nothing usable are left out."""
    found: dict[str, Identity] = {}
    for name, value in reader.entries(node, ("identities",), "`identities`"):
        place = ("identities", name)
        if not name:
            reader.report("bad-name", place, "An identity has no name.", "Give it one, such as `people`.")
            continue
        found[name] = _identity(reader, value, place)
    return found


def _identity(reader: Reader, node: Node, place: Place) -> Identity:
    found = reader.keys(node, place, "An identity", IDENTITY_KEYS)
    members = _sources(reader, found.get("members"), (*place, "members"))
    if "members" not in found:
        message = "This identity names no member collection."
        reader.report("missing-key", place, message, "Write members: {COLLECTION: {keys: {email: email}}, …}.")
    return Identity(
        keys=_keys(reader, found.get("keys"), (*place, "keys")),
        members=members,
        linked=_sources(reader, found.get("linked"), (*place, "linked")),
        wins={
            column: reader.text(value, (*place, "wins", column), "A collection's name")
            for column, value in (reader.entries(found["wins"], (*place, "wins"), "`wins`") if "wins" in found else [])
        },
    )


def _keys(reader: Reader, node: Node | None, place: Place) -> tuple[IdentityKey, ...]:
    if node is None:
        return ()
    if isinstance(node, ListNode):
        names = reader.texts(node, place, "`keys`")
        return tuple(IdentityKey(name=name) for name in dict.fromkeys(names) if name)
    return tuple(
        IdentityKey(
            name=name,
            normalise=() if _is_null(value) else read_normalise(reader, value, (*place, name), None),
        )
        for name, value in reader.entries(node, place, "`keys`")
    )


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _sources(reader: Reader, node: Node | None, place: Place) -> tuple[IdentitySource, ...]:
    if node is None:
        return ()
    found: list[IdentitySource] = []
    for collection, value in reader.entries(node, place, f"`{place[-1]}`"):
        at = (*place, collection)
        said = reader.keys(value, at, "A collection of an identity", IDENTITY_SOURCE_KEYS)
        keys = {
            name: path
            for name, inner in (reader.entries(said["keys"], (*at, "keys"), "`keys`") if "keys" in said else [])
            if (path := read_path(reader, inner, (*at, "keys", name), "A path")) is not None
        }
        links = _links(reader, said["links"], (*at, "links")) if "links" in said else ()
        if not keys and not links and not reader.is_broken(at):
            message = f"Nothing says what documents of `{shorten(collection)}` are recognised by."
            reader.report("identity-source", at, message, "Write {keys: {email: email}}, or links.")
        found.append(IdentitySource(collection=collection, keys=keys, links=links))
    return tuple(found)


def _links(reader: Reader, node: Node, place: Place) -> tuple[IdentityLink, ...]:
    links: list[IdentityLink] = []
    for text, value in reader.entries(node, place, "`links`"):
        at = (*place, text)
        path = read_dotted(reader, text, at)
        if path is None:
            continue
        if isinstance(value, ListNode):
            to = tuple(dict.fromkeys(reader.texts(value, at, "a link")))
        else:
            to = (reader.text(value, at, "A collection's name"),)
        links.append(IdentityLink(path=path, to=to))
    return tuple(links)
