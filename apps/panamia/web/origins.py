"""Origins of pages, as browsers name them. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def origin_of(text: str) -> str:
    """Return scheme, host and port of an address.

    Raises:
        ValueError: It has none.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
        raise ValueError("is no address as https://example.org")
    host = parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}[parts.scheme])  # as browsers name it
    return f"{parts.scheme}://{host}"
