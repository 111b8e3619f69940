"""Fixtures of `ensure`: a collection, through both faces of the driver."""

from __future__ import annotations

import pytest

from tests.fix_mongo import MongoDatabase
from tests.integration.ensure.faces import Face

PEOPLE = "pe'ople.ü \"x"
"""A collection with a hostile name."""


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def face(request: pytest.FixtureRequest, mongo: MongoDatabase) -> Face:
    """Return an empty collection."""
    return Face(mongo.url, mongo.name, mongo.client[mongo.name][PEOPLE], bool(request.param))


@pytest.fixture
def sync(mongo: MongoDatabase) -> Face:
    """Return an empty collection by the face that blocks."""
    return Face(mongo.url, mongo.name, mongo.client[mongo.name][PEOPLE], awaited=False)
