"""Suite service: Pana MIA's service, one process over both databases, asked by people who are signed in.

The floor is the same process asked for its health, which asks no database and nobody's session.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from apps.panamia.web.embedded import deploy
from bench import mongo
from bench.machine import say, write
from bench.server import server
from bench.service_data import fill, fill_profiles
from bench.serving import load, serving

_PATHS = {
    "health": ("/health", '"ok"'),
    "session": ("/api/auth/session", '"panaVerified":true'),  # of the profile: false where MongoDB has not answered
    "profile": ("/api/profile", '"profileUnavailable":false'),
    "notifications": ("/api/notifications?limit=20", '"notifications":'),
    "unread count": ("/api/notifications/unread-count", '"count":'),
}
"""What is asked, and what each answer must hold."""
_FLOOR = "health"
_ROOT = Path(__file__).parents[1]


def measure(work: Path, users: int, notifications: int, rounds: int, requests: int) -> None:
    """Fill both databases, and ask each path with one client and with eight, in turn; write one line."""
    empty = work / "empty-dump"
    empty.mkdir(parents=True, exist_ok=True)
    with mongo.serving(empty) as url, server() as on, on.database() as conninfo:
        say(f"writing {users:,} users and profiles, {notifications:,} notifications")
        deploy(conninfo)
        fill(conninfo, users, notifications)
        fill_profiles(url, users)
        on.settle()
        settings = {
            "POSTGRES_URL": conninfo,
            "POSTGRES_DIRECT_URL": conninfo,
            "MONGODB_URI": url,
            "MAIL": "console",
            "CLEAN_UP_EVERY_SECONDS": "0",  # what has expired is there in each round
        }
        with serving("apps.panamia.service", settings, work / "service.log") as port:
            _wait_until_answered(port, users)
            found = {clients: _rounds(port, clients, users, rounds, requests) for clients in (1, 8)}
        version = on.version
    line: dict[str, Any] = {
        "users": users,
        "notifications": notifications,
        "requests": requests,
        "processes": 1,
        "servers": {"mongodb": mongo.version_of_server(), "postgres": version},
    }
    for clients, paths in found.items():
        floor = paths[_FLOOR]["requests_per_second"]
        line[f"clients_{clients}"] = {
            name: one | {"ratio": round(one["requests_per_second"] / floor, 3)} for name, one in paths.items()
        }
    write("service", line)


def _rounds(port: int, clients: int, users: int, rounds: int, requests: int) -> dict[str, dict[str, Any]]:
    rates: dict[str, list[float]] = {name: [] for name in _PATHS}
    took: dict[str, list[float]] = {name: [] for name in _PATHS}
    for number in range(rounds + 1):
        for name, (path, holds) in _PATHS.items():
            told = _ask(port, path, holds, clients, requests, users)
            if number:  # the first round warms the caches
                rates[name].append(len(told["took"]) / told["seconds"])
                took[name] += told["took"]
        say(f"{clients} clients, round {number} of {rounds}")
    return {
        name: {
            "requests_per_second": round(median(rates[name])),
            "all": [round(one) for one in rates[name]],
            "p50_ms": round(median(took[name]) * 1_000, 2),
            "p95_ms": round(quantiles(took[name], n=20)[-1] * 1_000, 2),
        }
        for name in _PATHS
    }


def _wait_until_answered(port: int, users: int) -> None:
    """Let the service make its indexes: MongoDB is busy with that for some seconds, and answers late."""
    for _ in range(30):
        with suppress(SystemExit):
            _ask(port, *_PATHS["profile"], 1, 200, users)
            return
        time.sleep(2)
    _ask(port, *_PATHS["profile"], 1, 200, users)


def _ask(port: int, path: str, holds: str, clients: int, requests: int, users: int) -> dict[str, Any]:
    return load("bench.service_load", port, path, holds, clients, requests, users)
