"""What the service mailed in a test, read from the folder that its mail goes to."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass

from tests.apps.panamia.service.conftest import World


@dataclass(frozen=True)
class Mailed:
    """One mail."""

    to: str
    subject: str
    text: str
    reply_to: str | None = None

    @property
    def link(self) -> str:
        """The link in it."""
        (found,) = re.findall(r"https?://\S+", self.text)
        return found

    @property
    def token(self) -> str:
        """The token that its link holds."""
        return re.findall(r"[?&]token=([^&\s]+)", self.link)[0]


def mails_of(world: World, to: str | None = None) -> list[Mailed]:
    """All mails so far, the oldest first; to one address, or to any."""
    files = sorted(world.mail.glob("*.eml"), key=lambda one: one.stat().st_mtime_ns) if world.mail.exists() else []
    read = [email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in files]
    found = [Mailed(str(one["To"]), str(one["Subject"]), one.get_content(), one["Reply-To"]) for one in read]
    return [one for one in found if to is None or one.to == to]
