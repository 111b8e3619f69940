"""A document's original bytes as an output may show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.cli.sensitive import Sensitive

_UNREADABLE = "(hidden: unreadable bytes of a collection with sensitive fields)"


def printable_document(document: bytes | None, collection: str, sensitive: Sensitive | None) -> Any:
    """Return Extended JSON values; hex text when the bytes are no BSON; None when there are none.

    Args:
        document: The bytes.
        collection: Source collection, whose sensitive fields are hidden.
        sensitive: What to hide; None hides nothing.
    """
    import json

    from isthmus._rust import extended_json
    from isthmus.errors import IsthmusError

    if not document:
        return None
    hidden = [] if sensitive is None else sensitive.paths(collection)
    try:
        return json.loads(extended_json(document, hidden=hidden))
    except (IsthmusError, ValueError):
        return document.hex() if not hidden else _UNREADABLE
