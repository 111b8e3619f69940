"""What stands around the routes of every application here, in one order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from .again import Again
from .errors import Unforeseen
from .guards import BodyLimit, OriginCheck
from .headers import Headers


class Shielded(Protocol):
    """What an application is told of who may send what."""

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Further origins, which may write and read the answers."""
        ...

    @property
    def origins(self) -> frozenset[str]:
        """All origins that may write."""
        ...

    @property
    def body_bytes(self) -> int:
        """The largest body of a request."""
        ...

    @property
    def is_secure(self) -> bool:
        """Whether people come by https."""
        ...


def shield(app: FastAPI, settings: Shielded, *, sent: Collection[str] = (), read: Collection[str] = ()) -> None:
    """Put everything around an application that requests pass before and behind its routes.

    Args:
        app: The application.
        settings: What it was told.
        sent: Headers that pages of further origins may send besides `content-type`.
        read: Headers that they may read besides `retry-after`.
    """
    app.add_middleware(Again)  # the innermost, so that all else is asked once
    app.add_middleware(OriginCheck, origins=settings.origins)
    app.add_middleware(BodyLimit, limit=settings.body_bytes)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_credentials=True,
            allow_methods=["*"],
            allow_headers=["content-type", *sent],
            expose_headers=["retry-after", *read],
        )
    app.add_middleware(Unforeseen)
    app.add_middleware(Headers, is_secure=settings.is_secure)
