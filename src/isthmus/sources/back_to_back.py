"""Whole documents as a source gives them: one behind the other, without anything between. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus._rust import frame


def each_document(data: bytes) -> Iterator[bytes]:
    """Yield each of some documents that stand back to back; what is no whole document comes last, as it is."""
    end, at = frame(data, final=True).end, 0
    while at < end:
        following = at + int.from_bytes(data[at : at + 4], "little")
        yield data[at:following]
        at = following
    if at < len(data):
        yield data[at:]
