"""Deletes people by the command, as an operator would."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest

from apps.panamia.scripts import delete_user
from tests.apps.panamia.conftest import SETTINGS
from tests.apps.panamia.service.conftest import ORIGIN, SECRET, World

Deletion = Callable[..., Awaitable[int]]


def deletion(world: World, monkeypatch: pytest.MonkeyPatch, email: str) -> Deletion:
    """Return what deletes somebody, by default of this address, and returns the exit code."""
    for name in [one for one in os.environ if one.startswith((*SETTINGS, "AUTH_", "PUBLIC_", "NEXTAUTH_"))]:
        monkeypatch.delenv(name)
    told = {"MONGODB_URI": world.mongodb, "AUTH_SECRET": SECRET, "PUBLIC_URL": ORIGIN}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    async def deleted(email: str = email, word: str = "--yes") -> int:
        monkeypatch.setenv("POSTGRES_URL", world.postgres)
        return await asyncio.to_thread(delete_user.main, [email, word])

    return deleted
