"""Suite petsitting: the sidecar of Pana MIA, one process over PostgreSQL as its role, searched and booked by people.

The floor is the same process asked for its health, which asks no database.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from apps.panamia.web.embedded import deploy
from bench.machine import say, write
from bench.petsitting_data import Request, bookings, fill, searches
from bench.server import server
from bench.serving import load, serving

_ROOT = Path(__file__).parents[1]
_FLOOR, _BOOKING = "health", "booking"
LIMIT_MS = 100.0
"""For the p95 of each kind of search."""
_SETTINGS = {"shared_buffers": "1GB"}
"""So that tables and indexes fit, as with any server that is meant for them; PostgreSQL's default is 128 MB."""


def measure(work: Path, listings: int, rounds: int, requests: int) -> None:
    """Fill the database, ask of each kind with one client and with eight, in turn; write one line, and judge it."""
    with server(_SETTINGS) as on, on.database() as conninfo:
        say(f"writing {listings:,} listings and {10 * listings:,} bookings")
        deploy(conninfo)
        fill(conninfo, listings)
        on.settle()
        with serving("apps.panamia.petsitting", {"POSTGRES_URL": _login(conninfo)}, work / "sidecar.log") as port:
            found = {clients: _rounds(work, port, clients, listings, rounds, requests) for clients in (1, 8)}
        version, settings = on.version, on.settings
    line: dict[str, Any] = {
        **{f"passed_clients_{clients}": _passed(clients, kinds) for clients, kinds in found.items()},
        "listings": listings,
        "bookings": 10 * listings,
        "requests": requests,
        "processes": 1,
        "servers": {"postgres": version},
        "postgres_settings": settings,
    }
    write("petsitting", line | {f"clients_{clients}": kinds for clients, kinds in found.items()})


def _rounds(
    work: Path, port: int, clients: int, listings: int, rounds: int, requests: int
) -> dict[str, dict[str, Any]]:
    """Ask `requests` of each kind in each round; every round draws others."""
    took: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    statuses: dict[str, Counter[str]] = {}
    for number in range(rounds + 1):
        draw = random.Random(1_000 * clients + number)
        kinds: dict[str, list[Request]] = {
            _FLOOR: [("GET", "/health", None, None)] * requests,
            **searches(draw, requests),
            _BOOKING: bookings(draw, requests, listings),
        }
        for name, asked in kinds.items():
            told = _ask(work, port, clients, asked)
            if number:  # the first round warms the caches
                took.setdefault(name, []).extend(told["took"])
                rates.setdefault(name, []).append(len(told["took"]) / told["seconds"])
                statuses.setdefault(name, Counter()).update(told["statuses"])
        say(f"{clients} clients, round {number} of {rounds}")
    return {
        name: {
            "requests_per_second": round(median(rates[name])),
            "p50_ms": round(median(took[name]) * 1_000, 2),
            "p95_ms": round(quantiles(took[name], n=20)[-1] * 1_000, 2),
            "slowest_ms": round(max(took[name]) * 1_000, 2),
            "statuses": dict(statuses[name]),
        }
        for name in took
    }


def _passed(clients: int, kinds: dict[str, dict[str, Any]]) -> bool:
    """Return whether each kind of search was fast enough."""
    slow = [name for name in kinds if name not in {_FLOOR, _BOOKING} and kinds[name]["p95_ms"] >= LIMIT_MS]
    for name in slow:
        say(f"{clients} clients, {name}: p95 {kinds[name]['p95_ms']} ms: NOT PASSED")
    return not slow


def _ask(work: Path, port: int, clients: int, asked: list[Request]) -> dict[str, Any]:
    work.mkdir(parents=True, exist_ok=True)
    file = work / "requests.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in asked), encoding="utf-8")
    return load("bench.petsitting_load", port, file, clients)


def _login(conninfo: str) -> str:
    """Make a login of the sidecar's role, with its rights and no others, and return how it connects."""
    name = "bench_petsitting"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute((_ROOT / "apps" / "panamia" / "petsitting" / "role.sql").read_bytes())
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE petsitting").format(sql.Identifier(name)))
    return make_conninfo(conninfo, user=name)
