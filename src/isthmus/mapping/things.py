"""Which documents are one thing, as data, and the mapping that carries documents by it. Pure.

Who is one with whom is found out before anything is loaded (`identities`); here is what that came to, for one target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping as Map
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isthmus.mapping.model import Mapping


@dataclass(frozen=True)
class Things:
    """What the identities of a mapping came to.

    A document is named by `{"_id": value}` as BSON.

    Attributes:
        of: Collection → document → id of the thing it belongs to, as the table of the things has it, in text; None for
            a document that belongs to none. Member collections and linked ones; documents that are dropped are not
            among them.
        dropped: Collection → document → the reason for which it is left behind.
        digest: Of the answers that people gave.
    """

    of: Map[str, Map[bytes, str | None]]
    dropped: Map[str, Map[bytes, str]]
    digest: str

    def stated(self) -> dict[str, object]:
        """Return what people said, as JSON values: the part of it that makes another mapping."""
        dropped = {
            collection: {document.hex(): reason for document, reason in documents.items()}
            for collection, documents in self.dropped.items()
            if documents
        }
        return {"digest": self.digest, "dropped": dropped}

    @cached_property
    def in_lines(self) -> Map[str, str]:
        """`of` as the compiled plan has it: a line each, the document in hex, then the thing if there is one."""
        return {
            collection: "\n".join(
                document.hex() if thing is None else f"{document.hex()} {thing}"
                for document, thing in documents.items()
            )
            for collection, documents in self.of.items()
        }

    @cached_property
    def why_dropped(self) -> Map[str, Map[str, tuple[bytes, ...]]]:
        """Collection → reason → the documents that are left behind for it, in one order."""
        found: dict[str, dict[str, tuple[bytes, ...]]] = {}
        for collection, documents in self.dropped.items():
            reasons: defaultdict[str, list[bytes]] = defaultdict(list)
            for document, reason in sorted(documents.items()):
                reasons[reason].append(document)
            found[collection] = {reason: tuple(reasons[reason]) for reason in sorted(reasons)}
        return found


def with_things(mapping: Mapping, things: Things) -> Mapping:
    """Return the mapping by which documents are really carried: their rows joined, linked and left out as found out.

    Its fingerprint is another one than that of the file: what people answered is part of it.
    """
    carried = mapping.model_copy(update={"things": things})
    # a copy of a model takes along what was computed of it
    for computed in ("fingerprint", "thing_tables"):
        vars(carried).pop(computed, None)
    return carried
