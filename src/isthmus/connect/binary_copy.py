"""Rows in COPY's binary form, to a table and from a query.

Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from isthmus.errors import InternalError

# Signature, flags, length of the header extension; a trailer of −1.
_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0\0\0\0" + b"\0\0\0\0"
_TRAILER = b"\xff\xff"
_PIECE_BYTES = 256 * 1024
_BLOCK_BYTES = 1 << 20


def send_copy(
    connection: psycopg.Connection,
    statement: sql.Composed,
    table: str,
    data: bytes | memoryview,
    rows: int,
    sent: Callable[[], None] | None = None,
) -> None:
    """Send rows in COPY's binary form, inside the caller's transaction.

    Args:
        connection: Where to.
        statement: `COPY … FROM STDIN (FORMAT binary)`.
        table: Its table, for people.
        data: The rows, without header and trailer.
        rows: How many there are.
        sent: Called after each piece of them.

    Raises:
        InternalError: The server took another number of rows (code `rows-differ`).
    """
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            copy.write(_HEADER)
            for start in range(0, len(data), _PIECE_BYTES):
                copy.write(data[start : start + _PIECE_BYTES])
                if sent is not None:
                    sent()
            copy.write(_TRAILER)
        if cursor.rowcount != rows:
            raise InternalError(
                f"{rows} rows were sent to {table}, the server took {cursor.rowcount}.", code="rows-differ"
            )


def receive_copy(connection: psycopg.Connection, statement: sql.Composed) -> Iterator[bytes]:
    """Yield the rows of `COPY … TO STDOUT (FORMAT binary)` without header and trailer, about a megabyte at a time.

    The server sends each row as a message of its own, so that a piece holds whole rows.
    """
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        pieces: list[bytes] = []
        size = 0
        first = True
        for message in copy:
            piece = bytes(message)
            if first:
                extension = int.from_bytes(piece[15:19], "big")
                piece, first = piece[19 + extension :], False
            if piece == _TRAILER:
                continue
            pieces.append(piece)
            size += len(piece)
            if size >= _BLOCK_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
        if pieces:
            yield b"".join(pieces)
