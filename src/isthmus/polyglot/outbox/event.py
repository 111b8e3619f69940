"""An event as a relay holds it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from isthmus.polyglot.outbox.intent import Operation


@dataclass(frozen=True)
class Event:
    """One intent that was committed.

    Attributes:
        id: Its number, and so its version: of two events of a key the lower one was committed first.
        key_id: Number of its key.
        collection: Of the document.
        document_id: `{"_id": value}` as BSON.
        token: Stands in the document that it was applied to.
        operation: What is to be done.
        payload: As `Intent` has it.
        attempts: How often MongoDB refused it.
    """

    id: int
    key_id: int
    collection: str
    document_id: bytes
    token: UUID
    operation: Operation
    payload: bytes
    attempts: int
