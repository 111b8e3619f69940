"""Documents that are planted and copied once for all tests of a file, and brought back before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.polyglot.rewriting import MAPPING, POSTS, USERS, Rewriting, copied, people, posts


@pytest.fixture(scope="module")
def _copied(mongo_server: str, postgres: str) -> Iterator[Rewriting]:
    with copied(mongo_server, postgres, {USERS: people(), POSTS: posts()}) as made:
        yield made


@pytest.fixture
def world(_copied: Rewriting) -> Rewriting:
    """Return planted documents that are copied."""
    _copied.begin_anew({USERS: people(), POSTS: posts()}, MAPPING)
    return _copied
