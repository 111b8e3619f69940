"""A MongoDB server that does not answer: how long a question waits for it, that this is told, what to look at then."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager

_log = logging.getLogger(__name__)

_LONGEST_SECONDS = 10.0
_SHORTEST_SECONDS = 2.0  # a server that is well may be far away, and its name and certificate take their time
_SILENT_SECONDS = 2.0

_REFUSED = "Nothing listens there. Check that the server runs, and the host and port in the address."
_NAME = "Check the host in the address, and whether this machine can resolve it."
_REPLICA_SET = (
    "Check the name behind replicaSet= in the address: `rs.status().set` on the server gives it. A server that is no"
    " replica set is reached without replicaSet."
)
_TLS = (
    "Check TLS: tls=true in the address where the server asks for it, and tlsCAFile=FILE where its certificate is of an"
    " authority of your own."
)
_MUTE = (
    "Check that the server runs, the host and port in the address, a firewall in between, TLS (tls=true where the"
    " server asks for it), and the name behind replicaSet= if there is one."
)
# Which server is spoken of: a host with its port, also as Python shows the pair, a socket, a name that was cut short.
_PLACE = re.compile(r"\('[^']*', (?:\d+|None)\)|[^\s,]+:\d+(?=[:\s,]|$)|/[^:]*\.sock|[^\s,]*…$")
# What the driver, Python and OpenSSL say, each more certain than the next.
_SAYINGS = (
    (re.compile(r"replica set name|replicaSet", re.IGNORECASE), _REPLICA_SET),
    (re.compile(r"\bSSL|\bTLS|certificate", re.IGNORECASE), _TLS),
    (re.compile(r"getaddrinfo|name resolution|nodename|Name or service", re.IGNORECASE), _NAME),
    (re.compile(r"refused", re.IGNORECASE), _REFUSED),
)


def question_seconds(patience_seconds: float | None) -> float:
    """Return how long one question looks for a server.

    Args:
        patience_seconds: How long who asks would wait for a server that is away; None asks once.
    """
    wanted = _LONGEST_SECONDS if patience_seconds is None else patience_seconds
    return min(_LONGEST_SECONDS, max(_SHORTEST_SECONDS, wanted))


def what_to_check(words: str) -> str:
    """Return what a person should look at when the driver says these words of a server that it cannot reach.

    Names of hosts do not count: one may be called ssl-db.
    """
    words = _PLACE.sub("", words)
    return next((hint for saying, hint in _SAYINGS if saying.search(words)), _MUTE)


@contextmanager
def wait_told(display: str, seconds: float) -> Generator[None]:
    """Log that a server is waited for, if the block lasts: once, after two seconds.

    Args:
        display: The server, without secrets.
        seconds: How long it is waited for at most.
    """
    words = f"Waiting for the MongoDB server at {display} to answer, for up to {seconds:g} s."
    timer = threading.Timer(_SILENT_SECONDS, _log.info, (words,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
