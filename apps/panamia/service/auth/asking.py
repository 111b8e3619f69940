"""The network host that a request comes from, as routes ask for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ..resources import Open
from .network import host_of


async def _host(request: Request, resources: Open) -> str:
    peer = request.client.host if request.client is not None else None
    return host_of(peer, request.headers.getlist("x-forwarded-for"), resources.settings.proxy_networks)


Host = Annotated[str, Depends(_host)]
"""As `network.host_of` has it."""
