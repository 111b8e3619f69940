"""Which loop asynchronous tests run on."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Return its name."""
    return "asyncio"
