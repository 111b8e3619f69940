"""Temporary tables of the target, in which what is large is compared: what is said where the role may make none."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import psycopg

from isthmus.errors import TargetError


@contextlib.contextmanager
def needing_temporary_tables(what: str, otherwise: str) -> Generator[None]:
    """Let a block make temporary tables.

    Args:
        what: What is compared in them, as a sentence begins.
        otherwise: What can be done without them.

    Raises:
        TargetError: The role may not make any, or the server takes no writes (code `no-temporary-tables`).
    """
    try:
        yield
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
        raise TargetError(
            f"{what} are compared in temporary tables of the target, and the role may not make any there, or the server"
            " takes no writes at all.",
            code="no-temporary-tables",
            hint=f"GRANT TEMPORARY ON DATABASE … TO the role, and ask the server that takes writes; or {otherwise}.",
        ) from None
