"""The field that Isthmus keeps for itself in documents of MongoDB. It is no part of them: no copy carries it. Pure."""

from __future__ import annotations

MARK = "_isthmus"
"""Holds the version of what the outbox last applied to a document, the event's token, and the stores' token."""
