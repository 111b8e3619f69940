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

Cut = Literal["before-commit", "after-commit", "within-copy"]


class Proxy:
    """Forwards connections to a server; a context manager.

    Args:
        server: Conninfo of the real server.
        cut: What happens to one connection; None only forwards. `before-commit`: the COMMIT never reaches the server;
            `after-commit`: it does, and its reply is lost; `within-copy`: half a message of COPY data arrives.
        number: At which such message, counted over all connections from 1.

    Attributes:
        cuts: How many connections were cut.
        commits: How many COMMITs came by.
    """

    def __init__(self, server: str, cut: Cut | None = None, number: int = 1) -> None:
        self._server = conninfo_to_dict(server)
        self._cut: Cut | None = cut
        self._number = number
        self._copies = 0
        self.cuts = 0
        self.commits = 0
        self._mutex = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
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

    def cut_all(self, *, server_side: bool = True) -> None:
        """Cut every connection; without the server's side the server goes on believing in its client."""
        with self._mutex:
            for client, server in self._pairs:
                _close(client)
                if server_side:
                    _close(server)
            if server_side:
                self._pairs.clear()

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
            with self._mutex:
                self._pairs.append((client, server))
            pair = _Pair(self, client, server)
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
                self._copies += 1
                here = self._copies if self._cut == "within-copy" else 0
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
                if cut == "after-commit":
                    self._lose_reply.set()
                self._server.sendall(message)
        _close(self._server)
        _close(self._client)

    def answer(self) -> None:
        """Carry what the server says to the client, unless it is to be lost."""
        with suppress(OSError):
            while data := self._server.recv(65_536):
                if self._lose_reply.is_set():  # the server speaks only when the commit is done
                    break
                self._client.sendall(data)
        _close(self._client)
        if self._lose_reply.is_set():
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
