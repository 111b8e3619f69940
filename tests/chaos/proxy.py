"""A TCP proxy before PostgreSQL that understands enough of the protocol to cut a connection at a chosen message.

Protocol 3.0 (PostgreSQL documentation, "Frontend/Backend Protocol"): after the first, untyped message every message is
a type byte and a big-endian length that counts itself. A COMMIT is the simple query `COMMIT`, COPY data are messages
of type `d`, `ReadyForQuery` is a message of type `Z`.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Cut = Literal["before-commit", "after-commit", "late-commit", "within-copy"]


class Proxy:
    """Forwards connections to a server; a context manager.

    Args:
        server: Conninfo of the real server.
        cut: What happens to one connection; None only forwards. `before-commit`: the COMMIT never reaches the server;
            `after-commit`: it does, and its reply is lost; `late-commit`: the client is cut off at once, and the COMMIT
            reaches the server only with `let_go`; `within-copy`: half a message of COPY data arrives.
        number: At which such message, counted over all connections from 1.

    Attributes:
        cuts: How many connections were cut.
        commits: How many COMMITs came by.
        copies: How many messages of COPY data came by.
        connections: How many connections were made to the server.
    """

    def __init__(self, server: str, cut: Cut | None = None, number: int = 1) -> None:
        self._server = conninfo_to_dict(server)
        self._cut: Cut | None = cut
        self._number = number
        self.cuts = 0
        self.commits = 0
        self.copies = 0
        self.connections = 0
        self._mutex = threading.Lock()
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def conninfo(self, target: str) -> str:
        """Return the conninfo of a target of the server that leads through this proxy."""
        port = self._listener.getsockname()[1]
        return make_conninfo(target, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut_all()

    def cut_next(self, cut: Cut) -> None:
        """Cut one connection at the next message of this kind."""
        with self._mutex:
            self._cut = cut
            self._number = 1 + (self.copies if cut == "within-copy" else self.commits)

    def cut_all(self) -> None:
        """Cut every connection on both sides."""
        with self._mutex:
            for pair in self._pairs:
                pair.cut()
            self._pairs.clear()

    def hold_all(self) -> None:
        """Cut every connection on the client's side; the server goes on believing in its client until `let_go`."""
        with self._mutex:
            for pair in self._pairs:
                pair.hold()

    def let_go(self) -> None:
        """Let the server have what was withheld from it, and notice which clients are gone."""
        with self._mutex:
            for pair in self._pairs:
                pair.let_go()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            pair = _Pair(self, client, server)
            with self._mutex:
                self._pairs.append(pair)
                self.connections += 1
            for work in (pair.forward, pair.answer):
                threading.Thread(target=work, daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = str(self._server.get("host", "localhost")), int(self._server.get("port", 5432) or 5432)
        if host.startswith("/"):
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(f"{host}/.s.PGSQL.{port}")
            return upstream
        return socket.create_connection((host, port))

    def judge(self, kind: bytes, body: bytes) -> Cut | None:
        """Count a message of a client; return what is to be done to its connection now."""
        with self._mutex:
            if kind == b"Q" and body == b"COMMIT\0":
                self.commits += 1
                here = self.commits if self._cut != "within-copy" else 0
            elif kind == b"d":
                self.copies += 1
                here = self.copies if self._cut == "within-copy" else 0
            else:
                return None
            if self._cut is None or here != self._number:
                return None
            self.cuts += 1
            return self._cut


class _Pair:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._lose_reply = threading.Event()
        self._held = threading.Event()  # the client is gone, and the server is not to notice
        self._withheld = b""

    def cut(self) -> None:
        _close(self._client)
        _close(self._server)

    def hold(self) -> None:
        """Cut off the client only."""
        self._held.set()
        _close(self._client)

    def let_go(self) -> None:
        """Send a held server what was withheld, and then the end of what its client says."""
        if self._held.is_set():
            with suppress(OSError):
                self._server.sendall(self._withheld)
                self._server.shutdown(socket.SHUT_WR)

    def forward(self) -> None:
        """Carry the client's messages to the server, one by one."""
        with suppress(OSError, EOFError):
            self._server.sendall(self._message(typed=False))
            while True:
                message = self._message(typed=True)
                cut = self._proxy.judge(message[:1], message[5:])
                if cut == "before-commit":
                    break
                if cut == "within-copy":
                    self._server.sendall(message[: max(5, len(message) // 2)])
                    break
                if cut == "late-commit":
                    self._withheld = message
                    self.hold()
                    break
                if cut == "after-commit":
                    self._lose_reply.set()
                self._server.sendall(message)
        if not self._held.is_set():
            _close(self._server)
        _close(self._client)

    def answer(self) -> None:
        """Carry what the server says to the client, unless it is to be lost."""
        with suppress(OSError):
            while data := self._server.recv(65_536):
                if self._lose_reply.is_set():  # the server speaks only when the commit is done
                    break
                try:
                    self._client.sendall(data)
                except OSError:
                    if not self._held.is_set():
                        break
        _close(self._client)
        if self._lose_reply.is_set() or self._held.is_set():
            _close(self._server)

    def _message(self, *, typed: bool) -> bytes:
        head = self._exactly(5 if typed else 4)
        (length,) = struct.unpack(">I", head[-4:])
        return head + self._exactly(length - 4)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            more = self._client.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return bytes(data)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
