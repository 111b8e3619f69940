"""What the sidecar has open while it runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from ..web import resources as web
from .settings import Settings

Resources = web.Resources[Settings]
"""What requests work with."""
Open = Annotated[Resources, Depends(web.resources_of)]
"""The same, as routes ask for it."""
