"""Which documents are one thing with others, by the map of the run: whether or not the ledgers say so, too."""

from __future__ import annotations

from typing import NamedTuple

from isthmus._rust import IdCodec
from isthmus.verify.reference import Reference
from isthmus.verify.subject import Subject


class Part(NamedTuple):
    """A document that is one thing with others.

    Attributes:
        own: The id of its own row, which it has or would have, as text.
        flow: Number of the first flow that reads its collection.
        document: `{"_id": value}` as BSON.
    """

    own: str
    flow: int
    document: bytes


def parts_of_things(subject: Subject, reference: Reference) -> dict[str, list[list[Part]]]:
    """Return, by root table, the documents of each thing that several documents are; none without a map.

    Args:
        subject: What is verified.
        reference: Says which ids documents keep; those that are derived come from the core.
    """
    mapping, codec = subject.mapping, IdCodec(subject.key)
    found: dict[str, list[list[Part]]] = {}
    if mapping.things is None:
        return found

    def part(collection: str, document: bytes) -> Part | None:
        flow = mapping.flows_of(collection)[0]
        scheme = mapping.collections[flow.entry].ids
        if scheme != "keep":
            return Part(codec.derive(collection, document, scheme), flow.number, document)
        own = next((own for _, own in reference.row_ids(collection, document)), None)
        return None if own is None else Part(own, flow.number, document)

    for identity in mapping.identities.values():
        things: dict[str, list[tuple[str, bytes]]] = {}
        for member in identity.members:
            for document, thing in mapping.things.of.get(member.collection, {}).items():
                if thing is not None:
                    things.setdefault(thing, []).append((member.collection, document))
        table = mapping.collections[mapping.flows_of(identity.members[0].collection)[0].entry].table
        found.setdefault(table, []).extend(
            [one for one in (part(*document) for document in documents) if one is not None]
            for documents in things.values()
            if len(documents) > 1
        )
    return found
