"""The reference oracle: what every document must become, computed a second time, slowly and plainly.

`Reference` takes a mapping as the plain dict of its YAML, the target's id key and the run's start, and says for each
raw document which rows it becomes, or why it is refused or left out. It shares no code with the Rust core and none with
`isthmus.mapping`: it reads the language, walks the bytes, converts and derives ids by itself, so that a fault of either
shows as a disagreement.

What it cannot see:

- A rule that was understood wrongly in the same way on both sides. Both were written from one specification of the
  conversions; where that is wrong or silent, agreement proves nothing. The rules that are conventions rather than
  facts are listed as blind spots in the modules that state them.
- What happens after conversion: whether the server stored what it was sent (`compare` reads it back), orphans,
  duplicate keys and everything else that needs more than one document.
- How fast, how large, in what order: it knows nothing of batches.
- Messages, shortened values and byte offsets of refusals; only their codes and paths.
- Which cause of several comes first, except that a damaged document has exactly one.
"""

from __future__ import annotations

from typing import Any

from isthmus.verify.reference.documents import Expected, Json, expected_of, row_id_of
from isthmus.verify.reference.ids import Ids
from isthmus.verify.reference.reading import Rules, load, read
from isthmus.verify.reference.shapes import Shape
from isthmus.verify.reference.things import Found, Things
from isthmus.verify.reference.values import Type

__all__ = ["Expected", "Ids", "Json", "Reference", "Rules", "Shape", "Type", "load"]


class Reference:
    """Expected rows of documents under one mapping.

    Args:
        mapping: The mapping file as plain YAML data, see `load`.
        key: The target's 32-byte id key.
        now_us: What `now` means: microseconds since 1970-01-01 UTC.
        things: Which documents the identities of the mapping make one; None where nobody found out.
    """

    def __init__(self, mapping: dict[str, Any], key: bytes, now_us: int, things: Found | None = None) -> None:
        self.rules: Rules = read(mapping, things=things is not None)
        self.things = Things() if things is None else Things(things, self.rules.members)
        self.ids = Ids(key)
        self.now_us = now_us

    @property
    def shapes(self) -> dict[str, Shape]:
        """Every table the mapping makes, by name."""
        return self.rules.shapes

    def expected(self, collection: str, document: bytes) -> Expected:
        """What one raw BSON document of a collection must become; never raises for anything in the document."""
        return expected_of(document, self.rules.collections[collection], self.ids, self.now_us, self.things)

    def row_ids(self, collection: str, document: bytes) -> list[tuple[str, str]]:
        """(root table, id that the document's row would have there) of every entry that reads a collection."""
        found = ((flow.table, row_id_of(document, flow, self.ids)) for flow in self.rules.collections[collection])
        return [(table, row_id) for table, row_id in found if row_id is not None]
