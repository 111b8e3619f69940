"""The network host that a request comes from, as routes ask for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ..resources import Open
from ..settings import Settings
from .network import host_of


def asking_host(request: Request, settings: Settings) -> str:
    """Return it for code that is no route."""
    peer = request.client.host if request.client is not None else None
    return host_of(peer, request.headers.getlist("x-forwarded-for"), settings.proxy_networks)


async def _host(request: Request, resources: Open) -> str:
    return asking_host(request, resources.settings)


Host = Annotated[str, Depends(_host)]
"""As `network.host_of` has it."""
