"""What every test shares: the fixture plugins, and an environment that points at nobody's real database."""

from __future__ import annotations

import gc
import os
import tempfile

import pytest

from tests.places import IN_MEMORY, short_folder

pytest_plugins = ["tests.fix_dumps", "tests.fix_postgres", "tests.fix_mongo"]


@pytest.fixture(autouse=True)
def _no_addresses_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every default address out of the environment, so that a forgotten option fails instead of connecting."""
    for name in list(os.environ):
        if name in {"DATABASE_URL", "MONGODB_URI", "POSTGRES_DIRECT_URL"} or name.startswith("PG"):
            monkeypatch.delenv(name)


def pytest_configure(config: pytest.Config) -> None:
    """Let temporary folders be in memory, those of started processes too; not at full size, which would not fit."""
    at_full_size = config.getoption("markexpr") == "soak"
    if "TMPDIR" not in os.environ and not at_full_size and short_folder() == IN_MEMORY:
        os.environ["TMPDIR"] = str(IN_MEMORY)
        tempfile.tempdir = None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the garbage collector off what lives to the end: thousands of tests, walked over again and again."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
