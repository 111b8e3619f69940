"""Runs `isthmus copy` as a person would, and compares what it left with the oracle, row by row."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from isthmus.verify.reference import Reference, load
from isthmus.verify.reference.compare import Accounts, Comparison, Difference, Totals
from tests import forkserver
from tests.fix_dumps import file_name
from tests.oracle.ledgers import accounts_of, run_facts

COMMAND = Path(sys.executable).with_name("isthmus")


@dataclass(frozen=True)
class Copied:
    """One finished command: its exit code, the parsed `--json` (None when there is none), what it said."""

    code: int
    report: dict[str, Any] | None
    said: str


def copy(mapping: Path, source: Path, conninfo: str, *more: str) -> Copied:
    """`isthmus copy` with `--json -`; the target is given through the environment, as conninfo or URL."""
    arguments = ["copy", str(mapping), "--source", str(source), "--json", "-", *more]
    environment = {**os.environ, "DATABASE_URL": url(conninfo)}
    if forkserver.possible():
        run = forkserver.run("isthmus", arguments, cwd=Path.cwd(), env=environment, timeout=240)
    else:
        run = subprocess.run([COMMAND, *arguments], capture_output=True, check=False, env=environment, timeout=240)
    return Copied(run.returncode, json.loads(run.stdout) if run.stdout.strip() else None, run.stderr.decode())


def url(conninfo: str) -> str:
    """A conninfo as a postgresql:// URL."""
    from urllib.parse import quote

    from psycopg.conninfo import conninfo_to_dict

    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    database = quote(parts.pop("dbname"), safe="")
    options = "&".join(f"{name}={quote(value, safe='')}" for name, value in parts.items())
    return f"postgresql:///{database}?{options}"


def documents_of(folder: Path, collections: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """(collection, raw document) of every document of a plain dump folder, by length prefixes only."""
    for collection in collections:
        data = (folder / f"{file_name(collection)}.bson").read_bytes()
        at = 0
        while at < len(data):
            (length,) = struct.unpack_from("<i", data, at)
            yield collection, data[at : at + length]
            at += length


@dataclass(frozen=True)
class Compared:
    """A whole target against a whole source."""

    differences: list[Difference]
    totals: Totals


def compared(mapping: Path, source: Path, conninfo: str, accounts: Accounts | None = None) -> Compared:
    """Compare every row of every table; accounts are the target's own ledgers unless given."""
    with psycopg.connect(conninfo) as connection:
        facts = run_facts(connection)
        reference = Reference(load(mapping), facts.key, facts.now_us)
        comparison = Comparison(reference, connection, accounts or accounts_of(connection, reference))
        documents = documents_of(source, list(reference.rules.collections))
        return Compared(list(comparison.differences(documents)), comparison.totals)
