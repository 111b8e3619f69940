"""The folder that a service's mail goes to, read while it fills; each mail with a link is taken once."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import time
from collections import Counter
from pathlib import Path

_SECONDS = 30


class Mailbox:
    """A folder of mail.

    Attributes:
        keys: What tells mails apart (of a notification: its id) → how many there are.
    """

    def __init__(self, folder: Path) -> None:
        self.keys: Counter[str] = Counter()
        self._folder = folder
        self._seen: set[Path] = set()
        self._texts: dict[tuple[str, str], list[str]] = {}

    def look(self) -> None:
        """Read what came."""
        for path in sorted(set(self._folder.glob("*.eml")) - self._seen):
            self._seen.add(path)
            one = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            self.keys[str(one["Message-ID"]).strip("<>").partition("@")[0]] += 1
            self._texts.setdefault((str(one["To"]), str(one["Subject"])), []).append(one.get_content())

    async def link(self, to: str, subject: str) -> str:
        """Wait for a mail, take it, and return the link in it."""
        give_up_at = time.monotonic() + _SECONDS
        while not self._texts.get((to, subject)):
            assert time.monotonic() < give_up_at, f"no mail: {subject}"
            await asyncio.sleep(0.05)
            self.look()
        (found,) = re.findall(r"https?://\S+", self._texts[to, subject].pop(0))
        return found
