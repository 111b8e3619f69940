"""Where mail goes: the terminal, a folder, a server, or a sender of one's own, as settings say."""

from __future__ import annotations

from .choose import sender_of
from .letter import Letter, UndeliverableError
from .senders import DeferredError, Sender

__all__ = ["DeferredError", "Letter", "Sender", "UndeliverableError", "sender_of"]
