"""What tests of `retire` share: how it is asked, and what it printed, exported and left in the tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import psycopg
from pymongo import MongoClient
from pymongo.database import Database

from tests.apps.panamia.conftest import Served

NOWHERE = "mongodb://127.0.0.1:9/nothing?serverSelectionTimeoutMS=200"


@contextlib.contextmanager
def there(served: Served) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](served.source) as client:
        yield client.get_default_database()


def retire(served: Served, number: int, export: Path, *more: str) -> tuple[int, str]:
    ran = served.phase(
        "retire",
        str(number),
        "--live",
        "--export",
        str(export),
        "--confirm",
        f"retire {number} of {served.mongo}",
        *more,
    )
    return ran.code, ran.said


def another_database(served: Served) -> str:
    """The address of a database that is not there, on the same server."""
    return served.source.replace("/pana-", "/pano-")


def printed(said: str) -> dict[str, Any]:
    """What went to standard output, which stands behind standard error: JSON and nothing else."""
    return json.loads(said[said.index("{\n") :])


def exported(served: Served, export: Path, name: str) -> dict[Any, bytes]:
    data = (export / served.mongo / f"{name}.bson").read_bytes()
    return {one["_id"]: bson.encode(one) for one in bson.decode_all(data)}


def rows_of(served: Served, query: str) -> list[str]:
    with psycopg.connect(served.database) as connection:
        return sorted(str(row) for row in connection.execute(query.encode()).fetchall())
