"""What every test shares: the fixture plugins, and an environment that points at nobody's real database."""

from __future__ import annotations

import gc
import os

import pytest

pytest_plugins = ["tests.fix_dumps", "tests.fix_postgres", "tests.fix_mongo"]


@pytest.fixture(autouse=True)
def _no_addresses_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every default address out of the environment, so that a forgotten option fails instead of connecting."""
    for name in list(os.environ):
        if name in {"DATABASE_URL", "MONGODB_URI", "POSTGRES_DIRECT_URL"} or name.startswith("PG"):
            monkeypatch.delenv(name)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the garbage collector off what lives to the end: thousands of tests, walked over again and again."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
