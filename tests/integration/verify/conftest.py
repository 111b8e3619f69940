"""The fixtures of tests of verify."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fix_postgres import create_database, drop_database
from tests.integration.verify.made import Made, make
from tests.integration.verify.shop import MAPPING, shop


@pytest.fixture(scope="session")
def copied_shop(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The shop, copied; nobody damages or connects to it: see `shop_twin`."""
    conninfo = create_database(postgres)
    yield make(conninfo, tmp_path_factory.mktemp("shop") / "dump" / "shop", MAPPING, shop())
    drop_database(postgres, conninfo)


@pytest.fixture
def twin_of(postgres: str) -> Iterator[Callable[[Made], Made]]:
    """Return a function that makes twins of copied databases, dropped after the test."""
    twins: list[Made] = []

    def twin(made: Made) -> Made:
        twins.append(made.twin(postgres))
        return twins[-1]

    yield twin
    for one in twins:
        drop_database(postgres, one.conninfo)


@pytest.fixture
def shop_twin(copied_shop: Made, twin_of: Callable[[Made], Made]) -> Made:
    """The shop, copied, for this test to damage."""
    return twin_of(copied_shop)


@pytest.fixture
def make_here(database: str, tmp_path: Path) -> Callable[..., Made]:
    """Return a function that copies collections as a mapping says into a database of this test's own."""

    def make_one(mapping: str, collections: dict[str, list[dict[str, object]]], **given: object) -> Made:
        return make(database, tmp_path / "dump" / "shop", mapping, collections, **given)  # pyright: ignore[reportArgumentType]

    return make_one
