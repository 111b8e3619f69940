"""Where a collection of a running server is cut into partitions.

Decides by two look-ups in the `_id` index whether it holds one type of `_id`; of those, sampled quantiles make parts of
about the same number of documents. Everything else is one part. A sample that is refused costs nothing but speed.
"""

from __future__ import annotations

from collections.abc import Iterator

from pymongo.errors import OperationFailure

from isthmus._rust import source_id
from isthmus.connect.mongo import UNAUTHORIZED
from isthmus.sources.back_to_back import each_document
from isthmus.sources.live.positions import BEGIN, before, same_id
from isthmus.sources.live.reach import Reach
from isthmus.sources.protocol import Partition, Position

_SAMPLED = 32
"""Documents sampled for each part."""
_LEAST_SAMPLED = 4
_SCANNED_SHARE = 20
"""Samples of more than a 20th of a collection make MongoDB read all of it (`$sample`)."""

_NUMBERS = frozenset({0x01, 0x10, 0x12, 0x13})
_TEXTS = frozenset({0x02, 0x0E})


def split(reach: Reach, collection: str, wanted: int, documents: int | None) -> list[Partition]:
    """Cut a collection into at most `wanted` partitions.

    Args:
        reach: Where to ask.
        collection: The collection.
        wanted: Most partitions.
        documents: About how many documents it holds; None when unknown.

    Raises:
        PyMongoError: The driver's own, when the server is in trouble.
    """
    boundaries = list(_boundaries(reach, collection, wanted, documents)) if wanted > 1 else []
    return [
        Partition(collection, number, start, end)
        for number, (start, end) in enumerate(zip([BEGIN, *boundaries], [*boundaries, None], strict=True))
    ]


def sample_size(wanted: int, documents: int | None) -> int:
    """Return how many documents to sample: enough for even parts, few enough that the server reads no more."""
    known = documents if documents else wanted * _SAMPLED * _SCANNED_SHARE
    return min(known, max(min(wanted * _SAMPLED, known // _SCANNED_SHARE), wanted * _LEAST_SAMPLED))


def is_one_type(first: bytes, last: bytes) -> bool:
    """Tell whether every `_id` between two `{"_id": value}` is of one type, as MongoDB orders them: numbers are one."""
    return _type(first) == _type(last)


def quantiles(ids: list[bytes], wanted: int, first: bytes) -> list[Position]:
    """Return the positions in front of every boundary, from sampled `{"_id": value}` in the index's order.

    None stands in front of the first document, and no two are the same, so that no part is empty.
    """
    chosen: list[bytes] = []
    for number in range(1, wanted):
        candidate = ids[number * len(ids) // wanted]
        if not same_id(candidate, first) and not (chosen and same_id(candidate, chosen[-1])):
            chosen.append(candidate)
    return [before(one) for one in chosen]


def _boundaries(reach: Reach, collection: str, wanted: int, documents: int | None) -> Iterator[Position]:
    first, last = reach.first_id(collection), reach.first_id(collection, last=True)
    if first is None or last is None or not is_one_type(first, last):
        return
    try:
        ids = list(each_document(reach.sample(collection, sample_size(wanted, documents))))
    except OperationFailure as error:
        if error.code == UNAUTHORIZED or not reach.server.trouble(error, "give a sample").retryable:
            return
        raise
    found = [one for one in (source_id(document) for document in ids) if one is not None]
    if found:
        yield from quantiles(found, wanted, first)


def _type(found: bytes) -> int:
    kind = found[4]
    return 0x10 if kind in _NUMBERS else 0x02 if kind in _TEXTS else kind
