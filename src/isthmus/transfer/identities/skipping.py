"""Which documents the mapping leaves behind by a condition: they are no part of anything.

Asked of the core, which decides it for the copy too, with a plan that carries nothing.
"""

from __future__ import annotations

import json
from typing import Any

from isthmus._rust import Transcoder
from isthmus.mapping import Mapping


def skipper(mapping: Mapping, collection: str, plan: str, key: bytes) -> Skipper | None:
    """Return what tells it of a collection's documents; None where no entry of it skips any.

    Args:
        mapping: The mapping.
        collection: In the source.
        plan: The collection's compiled plan.
        key: The target's id key.
    """
    if not any(mapping.collections[flow.entry].skip for flow in mapping.flows_of(collection)):
        return None
    return Skipper(Transcoder(_bare(plan), key, 0))


class Skipper:
    """Tells which documents are left behind.

    Args:
        transcoder: Of a plan with the conditions.
    """

    def __init__(self, transcoder: Transcoder) -> None:
        self._transcoder = transcoder

    def any(self, documents: bytes) -> bool:
        """Tell whether any of some documents, back to back, are left behind."""
        return self._transcoder.transcode(documents).skipped > 0


def _bare(plan: str) -> str:
    """Return a plan that asks its conditions and has no field: documents that are not skipped are refused."""
    data: dict[str, Any] = json.loads(plan)
    for shape in data["shapes"]:
        root = shape["tables"][0]
        root["columns"] = [column for column in root["columns"] if column["role"] == "id"]
        shape["tables"], shape["fields"], shape["unknown"] = [root], [], "dead_letter"
    return json.dumps(data)
