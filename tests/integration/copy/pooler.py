"""A connection pooler as small as one can be, in transaction or session mode, where no real one is at hand.

Speaks PostgreSQL's protocol (documentation, "Message Flow") as far as lending sessions goes. It logs in for nobody: the
server must trust connections through its socket.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class _Wire:
    """One side's messages."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.end.recv(size - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def startup(self) -> bytes:
        (length,) = struct.unpack("!i", self.take(4))
        return self.take(length - 4)

    def message(self) -> tuple[bytes, bytes]:
        kind = self.take(1)
        (length,) = struct.unpack("!i", self.take(4))
        return kind, kind + struct.pack("!i", length) + self.take(length - 4)


class Pooler:
    """Lends a few sessions of a server to whoever connects, as the user of its conninfo, whoever they say they are.

    Args:
        conninfo: The server, through its socket.
        per_transaction: Give a session back after each transaction; else when its client leaves.
        most: How many sessions it has of each database at most; who wants one more waits.
    """

    def __init__(self, conninfo: str, *, per_transaction: bool, most: int = 100) -> None:
        self._to = conninfo_to_dict(conninfo)
        self._per_transaction = per_transaction
        self._idle: defaultdict[str, list[_Wire]] = defaultdict(list)
        self._free: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(most))
        self._closed = False
        self._greeting = b""
        self._mutex = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.conninfo = make_conninfo(
            conninfo, host="127.0.0.1", port=self._listener.getsockname()[1], sslmode="disable"
        )
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        with self._mutex:
            self._closed = True
            for wire in (wire for wires in self._idle.values() for wire in wires):
                wire.end.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._client, args=(_Wire(client),), daemon=True).start()

    def _lend(self, database: str) -> _Wire:
        with self._mutex:
            free = self._free[database]
        free.acquire()
        try:
            return self._session(database)
        except BaseException:
            free.release()
            raise

    def _session(self, database: str) -> _Wire:
        with self._mutex:
            if self._idle[database]:
                return self._idle[database].pop()
        end = socket.socket(socket.AF_UNIX)
        try:
            end.connect(f"{self._to['host']}/.s.PGSQL.{self._to['port']}")
        except OSError:
            end.close()
            raise
        words = b"".join(
            f"{key}\0{value}\0".encode() for key, value in (("user", self._to["user"]), ("database", database))
        )
        end.sendall(struct.pack("!ii", len(words) + 9, 196608) + words + b"\0")
        wire, greeting = _Wire(end), b""
        while True:
            kind, message = wire.message()
            if kind == b"S":
                greeting += message
            if kind == b"Z":
                break
        self._greeting = self._greeting or greeting
        return wire

    def _client(self, client: _Wire) -> None:
        server: _Wire | None = None
        clean, database = True, ""
        try:
            while struct.unpack("!i", (said := client.startup())[:4])[0] != 196608:
                client.end.sendall(b"N")  # no encryption
            words = said[4:].decode().split("\0")
            database = dict(zip(words[::2], words[1::2], strict=False))["database"]
            self._give_back(database, self._lend(database))  # for its greeting
            key = b"K" + struct.pack("!iii", 12, 4242, 4242)
            client.end.sendall(
                b"R" + struct.pack("!ii", 8, 0) + self._greeting + key + b"Z" + struct.pack("!i", 5) + b"I"
            )
            while True:
                kind, message = client.message()
                if kind == b"X":
                    break
                server, clean = server or self._lend(database), False
                server.end.sendall(message)
                if kind in {b"Q", b"S"}:
                    status = self._answers(server, client)
                    clean = status == b"I"
                    if clean and self._per_transaction:
                        self._give_back(database, server)
                        server = None
        except (ConnectionError, OSError):
            pass
        finally:
            client.end.close()
            if server is not None:
                self._give_back(database, server, clean=clean)

    def _answers(self, server: _Wire, client: _Wire) -> bytes:
        while True:
            kind, message = server.message()
            client.end.sendall(message)
            if kind == b"Z":
                return message[-1:]

    def _give_back(self, database: str, server: _Wire, *, clean: bool = True) -> None:
        with self._mutex:
            kept = clean and not self._closed
            if kept:
                self._idle[database].append(server)
        if not kept:
            server.end.close()
        self._free[database].release()


@contextmanager
def pooling(conninfo: str, *, per_transaction: bool, most: int = 100) -> Iterator[str]:
    """Run a pooler for a block; yields the conninfo of its side."""
    pooler = Pooler(conninfo, per_transaction=per_transaction, most=most)
    try:
        yield pooler.conninfo
    finally:
        pooler.close()
