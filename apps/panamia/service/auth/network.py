"""Where a request comes from, as limits count it: past the proxies that are trusted, and past nobody else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_OWN_BITS = 64
"""Of an IPv6 address: what one subscriber has, who may send from any address in it."""


def host_of(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the network host that a request comes from: an IPv4 address, or the first half of an IPv6 address.

    Args:
        peer: Who is connected; None or no address where it is a socket of this machine.
        forwarded: The values of X-Forwarded-For, in their order. Each proxy adds whom it was asked by, so they are read
            from their end, as long as the one who wrote them is trusted; the rest anybody may have made up.
        trusted: The proxies.
    """
    at = _address(peer or "")
    if at is None:
        return "local"
    for named in reversed([one for line in forwarded for one in line.split(",")]):
        if not any(at in network for network in trusted):
            break
        before = _address(named)
        if before is None:
            break
        at = before
    if isinstance(at, IPv6Address):
        return str(IPv6Network((at, _OWN_BITS), strict=False))
    return str(at)


def _address(text: str) -> Address | None:
    """Read an address as proxies write it, perhaps with a port behind it; None where it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        at = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (at.ipv4_mapped or at) if isinstance(at, IPv6Address) else at
