"""The floor: the least that any program must spend to bring the same rows into the same tables.

The rows are the core's own COPY bytes, made before the clock starts and held in memory; where the copy joins, looks up
or merges them afterwards, they are those that a finished copy left. The clock sees plain psycopg
streaming them, one COPY a table and stream, and then the statements that finish executed in the recorded run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from isthmus._rust import Transcoder
from isthmus.mapping import load_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.sources import open_source
from isthmus.sources.protocol import Partition

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_BLOCK_BYTES = 4 << 20
_PIECE_BYTES = 256 << 10

_DEFINES = ("ALTER TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "ANALYZE ")

Finish = list[list[list[str]]]


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Attributes:
        statement: `COPY … FROM STDIN (FORMAT binary)`.
        pieces: COPY bytes without header and trailer; whole rows in each block of pieces.
        rows: How many.
    """

    statement: str
    pieces: list[list[bytes]]
    rows: int

    @property
    def bytes(self) -> int:
        """Bytes of all rows."""
        return sum(len(piece) for block in self.pieces for piece in block)


def encode(mapping_file: Path, dump: str, key: bytes) -> list[Rows]:
    """Make the rows of every table, in the order of the mapping, as Isthmus makes them with this key."""
    mapping = load_mapping(mapping_file)
    source = open_source(dump, database=None)
    tables: list[Rows] = []
    for collection, plan in compile_plans(mapping).items():
        transcoder = Transcoder(plan, key, 0)
        (shape,) = json.loads(plan)["shapes"]
        layout = shape["tables"]
        blocks: list[list[list[bytes]]] = [[] for _ in layout]
        rows = [0] * len(layout)
        whole = Partition(collection, 0, source.partitions(collection, 1)[0].start, None)
        for block in source.read(whole, after=None, until=None, max_bytes=_BLOCK_BYTES):
            batch = transcoder.transcode(block.data)
            assert batch.accepted == batch.documents
            for number in range(len(layout)):
                data = batch.copy_data(number)
                blocks[number].append([bytes(data[at : at + _PIECE_BYTES]) for at in range(0, len(data), _PIECE_BYTES)])
                rows[number] += batch.rows(number)
        for number, table in enumerate(layout):
            columns = ", ".join(f'"{column["name"]}"' for column in table["columns"])
            copy = f'COPY "public"."{table["name"]}" ({columns}) FROM STDIN (FORMAT binary)'
            tables.append(Rows(copy, blocks[number], rows[number]))
    source.close()
    return tables


_COLUMNS = """
SELECT relname, array_agg(attname::text ORDER BY attnum)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
GROUP BY relname ORDER BY relname
"""


def read_back(conninfo: str) -> list[Rows]:
    """Read the rows of every table of the schema `public`, as a finished copy left them, by the tables' names."""
    tables: list[Rows] = []
    with psycopg.connect(conninfo) as connection:
        for table, columns in connection.execute(_COLUMNS).fetchall():
            named = sql.SQL("{} ({})").format(
                sql.Identifier("public", table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            blocks, rows = _blocks(connection, sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(named))
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(named).as_string(connection)
            tables.append(Rows(statement, blocks, rows))
    return tables


def drop_hidden(conninfo: str) -> None:
    """Drop the columns of an unfinished copy that a finished one does not have any more."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for table, columns in connection.execute(_COLUMNS).fetchall():
            for column in columns:
                if column.startswith("_isthmus_"):
                    drop = sql.SQL("ALTER TABLE {} DROP COLUMN {}")
                    connection.execute(drop.format(sql.Identifier("public", table), sql.Identifier(column)))


def _blocks(connection: psycopg.Connection, statement: sql.Composed) -> tuple[list[list[bytes]], int]:
    """Read whole rows in blocks of pieces, and count them. The server sends each row by itself."""
    blocks: list[list[bytes]] = []
    held, rows = bytearray(), 0

    def close() -> None:
        if held:
            blocks.append([bytes(held[at : at + _PIECE_BYTES]) for at in range(0, len(held), _PIECE_BYTES)])
            held.clear()

    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        first = True
        for data in copy:
            row = bytes(data)
            if first:
                assert row.startswith(_HEADER)
                row, first = row[len(_HEADER) :], False
            if row in {b"", _TRAILER}:
                continue
            held += row
            rows += 1
            if len(held) >= _BLOCK_BYTES:
                close()
    close()
    return blocks, rows


def load(conninfo: str, tables: list[Rows], streams: int) -> float:
    """Stream all rows with `streams` connections, each a contiguous share of every table; return the seconds."""

    def stream(number: int) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for table in tables:
                low, high = (len(table.pieces) * part // streams for part in (number, number + 1))
                if low == high:
                    continue
                with connection.cursor() as cursor, cursor.copy(table.statement.encode()) as copy:
                    copy.write(_HEADER)
                    for block in table.pieces[low:high]:
                        for piece in block:
                            copy.write(piece)
                    copy.write(_TRAILER)

    return _timed_side_by_side(streams, [lambda number=number: stream(number) for number in range(streams)])


def definitions(record: Finish) -> Finish:
    """Return what a record defines, each statement once: keys, indexes, foreign keys, their validation, statistics.

    What settles rows (look-ups, merging, documents that are removed) refers to tables that only the recorded copy had.
    """
    seen: set[str] = set()
    found: Finish = []
    for group in record:
        works: list[list[str]] = []
        for work in group:
            kept = [one for one in dict.fromkeys(work) if one.startswith(_DEFINES) and " DROP " not in one]
            works.append([one for one in kept if one not in seen])
            seen.update(kept)
        found.append([work for work in works if work])
    return [group for group in found if group]


def finish(conninfo: str, record: Finish, hands: int) -> float:
    """Execute the recorded statements: groups in order, the works of a group side by side; return the seconds."""

    def work(statements: list[str]) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    return sum(
        _timed_side_by_side(hands, [lambda statements=statements: work(statements) for statements in group])
        for group in record
    )


def _timed_side_by_side(threads: int, works: list[Callable[[], None]]) -> float:
    began_at = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()
    return time.monotonic() - began_at
