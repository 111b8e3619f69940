"""Whether a provider's word is enough: as settings say, provider by provider. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from ..settings import Policy


def policy_of(provider: str | None, settings: Mapping[str, Policy], instance: str | None = None) -> Policy:
    """Return what a sign-in by a provider is worth.

    `trusted`: the address it tells is believed. `verification-required`: a mail asks first. `disabled`: nobody.

    Args:
        provider: Its name, as `google`; None for none, by which nobody signs in.
        settings: What follows `OAUTH_` in a variable's name, in lower case → the policy.
        instance: Where a Mastodon account is, a host or an address: `mastodon.social` has a policy of its own.
    """
    name = re.sub(r"[^a-z0-9]+", "_", (provider or "").strip().lower()).strip("_")
    if not name:
        return "disabled"
    if name == "email":
        return "trusted"
    if name == "mastodon" and _host(instance) == "mastodon.social" and "mastodon_social" in settings:
        return settings["mastodon_social"]
    return settings.get(name, "verification-required")


def _host(instance: str | None) -> str | None:
    """Return the host of an instance that is named by it or by an address; None where it is neither."""
    if instance is None:
        return None
    text = instance.strip()
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname
    except ValueError:
        return None
