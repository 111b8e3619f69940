"""The user's wish to stop."""

from __future__ import annotations


class Interrupted(Exception):  # noqa: N818  not an error: the user asked for it
    """The user asked to stop; what was done until then is kept where it is written down."""
