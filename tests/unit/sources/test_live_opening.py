"""What a URL of a server becomes: a source, or a refusal that says who must act and never shows a password."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from shlex import quote as shell_quoted
from typing import Any
from urllib.parse import quote

import bson
import pytest
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

from isthmus.connect.mongo import open_server
from isthmus.errors import ConfigError, IsthmusError, SourceError
from isthmus.sources import open_source
from isthmus.sources.live.source import LiveSource
from tests.fix_mongo import MongoDatabase, WireServer, database_url, needs_wire_server
from tests.fix_postgres import free_port

PASSWORD = "geh eim/@:é%41"  # noqa: S105  of servers that die with the test
PIECES = ("geh", "eim", "%C3%A9", "é%")


def refused(text: str, database: str | None = None) -> IsthmusError:
    with pytest.raises(IsthmusError) as caught:
        open_source(text, database=database)
    said = f"{caught.value} {caught.value.hint} {caught.value.context}"
    assert not any(piece in said for piece in PIECES), said
    assert caught.value.__cause__ is None
    return caught.value


SECRET = quote(PASSWORD, safe="")
BAD_ADDRESSES = {
    "password not encoded": f"mongodb://someone:{PASSWORD}@127.0.0.1/db",
    "port is no number": f"mongodb://someone:{SECRET}@127.0.0.1:port/db",
    "no host": f"mongodb://someone:{SECRET}@/db",
    "unknown option": f"mongodb://someone:{SECRET}@127.0.0.1/db?nonsense=1",
    "value of an option": f"mongodb://someone:{SECRET}@127.0.0.1/db?tls=perhaps",
    "weak reads": f"mongodb://someone:{SECRET}@127.0.0.1/db?readConcernLevel=local",
    "no file of certificates": f"mongodb://someone:{SECRET}@127.0.0.1/db?tls=true&tlsCAFile=/no/such/file",
    "no such mechanism": f"mongodb://someone:{SECRET}@127.0.0.1/db?authMechanism=geheim",
    "port behind srv": f"mongodb+srv://someone:{SECRET}@host.example:27017/db",
}


@pytest.mark.parametrize("address", BAD_ADDRESSES.values(), ids=BAD_ADDRESSES.keys())
def test_address_that_cannot_be_used_is_refused_without_its_password(address: str) -> None:
    error = refused(address)
    assert (type(error), error.code) == (ConfigError, "bad-source")
    assert error.hint


def test_refused_option_is_named() -> None:
    assert "nonsense" in refused(BAD_ADDRESSES["unknown option"]).message
    assert "/no/such/file" in refused(BAD_ADDRESSES["no file of certificates"]).message
    assert "readConcernLevel=local" in refused(BAD_ADDRESSES["weak reads"]).message


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("readPreference=geheim", "readPreference"),
        ("socketTimeoutMS=abc", "socketTimeoutMS"),
        ("maxStalenessSeconds=120", "maxStalenessSeconds"),
        ("replicaSet=&maxStalenessSeconds=120", "maxStalenessSeconds"),
        ("srvMaxHosts=3", "srvMaxHosts"),
        ("ssl=false&tls=true", "ssl"),
        ("compressors=zlib&compressors=zlib", "compressors twice"),
    ],
)
def test_option_that_does_not_do_is_named_and_nothing_is_said_of_the_password(options: str, named: str) -> None:
    error = refused(f"mongodb://someone:{SECRET}@127.0.0.1/db?{options}")
    assert (type(error), error.code, error.hint) == (ConfigError, "bad-source", "Correct it or take it out.")
    assert error.message.endswith(f" {named}.")


def test_piece_of_a_password_is_never_taken_for_an_option() -> None:
    error = refused("mongodb://someone:at?geheim=eim@127.0.0.1:x/db")
    assert error.code == "bad-source"
    error = refused("mongodb://someone:at?geheim=eim")
    assert error.code == "bad-source"


def test_option_that_does_not_suit_the_server_is_no_old_server(own_mongo: WireServer) -> None:
    error = refused(f"{database_url(own_mongo.url, 'shop')}&loadBalanced=true")
    assert (type(error), error.code) == (ConfigError, "bad-source")
    assert "load balanc" in error.message


def test_name_in_the_address_that_no_database_can_have_is_refused(mongo_server: str) -> None:
    error = refused(database_url(mongo_server, "a%00b"))
    assert (type(error), error.code) == (ConfigError, "bad-name")


@pytest.mark.parametrize(
    "address",
    [
        f" mongodb://someone:{SECRET}@127.0.0.1/db",
        f"\ufeffmongodb://someone:{SECRET}@127.0.0.1/db\n",
    ],
    ids=["space", "byte order mark"],
)
def test_what_editors_put_around_an_address_does_not_count(address: str) -> None:
    assert refused(address.replace("/db", f":{free_port()}/db?serverSelectionTimeoutMS=300")).code == (
        "source-unreachable"
    )


@pytest.mark.parametrize(
    "address",
    [
        f"mongodb:/someone:{SECRET}@127.0.0.1/db",
        f"mongodb//someone:{SECRET}@127.0.0.1/db",
        f"mongodb+srv:someone:{SECRET}@127.0.0.1/db",
        f"//someone:{SECRET}@127.0.0.1/db",
        f"someone:{SECRET}@127.0.0.1/db",
        "mongodb:/127.0.0.1/db",
    ],
)
def test_address_with_a_typing_error_is_not_shown_as_a_missing_file(address: str) -> None:
    error = refused(address)
    assert (type(error), error.code) == (ConfigError, "bad-source")
    assert "mongodb://" in str(error.hint)


def test_server_that_is_not_there_may_come_back() -> None:
    port = free_port()
    error = refused(f"mongodb://someone:{SECRET}@127.0.0.1:{port}/db?serverSelectionTimeoutMS=300")
    assert (error.code, error.exit_code, error.retryable) == ("source-unreachable", 3, True)
    assert f"127.0.0.1:{port}" in error.message


@pytest.mark.parametrize(
    ("path", "database", "lacks"), [("", None, True), ("/", None, True), ("/", "a", False), ("/db", None, False)]
)
def test_server_that_is_not_there_hides_no_missing_database(path: str, database: str | None, lacks: bool) -> None:
    address = f"mongodb://127.0.0.1:{free_port()}{path}?serverSelectionTimeoutMS=300"
    with pytest.raises(IsthmusError) as caught:
        open_source(address, database=database)
    assert caught.value.code == "source-unreachable"
    assert ("--db NAME" in str(caught.value.hint)) is lacks


def test_host_name_that_cannot_be_resolved_is_the_sources_trouble() -> None:
    error = refused(f"mongodb+srv://someone:{SECRET}@no-such-host.invalid/db?serverSelectionTimeoutMS=300")
    assert (error.code, error.exit_code) == ("source-unreachable", 3)


def test_database_comes_from_the_address_or_goes_before_it(mongo: MongoDatabase, mongo_server: str) -> None:
    mongo.write({"Things": [{"_id": 1}]})
    for text, database in (
        (mongo.url, None),
        (mongo_server, mongo.name),
        (database_url(mongo_server, "x"), mongo.name),
    ):
        source = open_source(text, database=database)
        assert isinstance(source, LiveSource)
        assert (source.kind, source.database) == ("live", mongo.name)
        assert mongo.name in source.name
        source.close()
        source.close()
    open_source(mongo.url.replace("mongodb://", "MongoDB://")).close()


def test_database_that_is_not_named_or_not_there_is_told_with_what_is_there(
    mongo: MongoDatabase, mongo_server: str
) -> None:
    mongo.write({"Things": [{"_id": 1}]})
    error = refused(mongo_server)
    assert error.code == "database-needed"
    assert mongo.name in error.message
    error = refused(mongo_server, f"{mongo.name}x")
    assert error.code == "unknown-database"
    assert str(error.hint).startswith(f"Did you mean --db {shell_quoted(mongo.name)}?")


@pytest.mark.parametrize("name", ["a.b", "with space", "a\0b", "/"])
def test_name_that_no_database_can_have_is_refused(mongo_server: str, name: str) -> None:
    error = refused(mongo_server, name)
    assert error.code in {"bad-name", "unknown-database"}


def test_database_of_views_only_is_refused(mongo: MongoDatabase) -> None:
    mongo.client[mongo.name].create_collection("Seen", viewOn="Things", pipeline=[])
    assert refused(mongo.url).code in {"empty-source", "unknown-database"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[WireServer]:
    """Return a server that asks for a password, with the users `reader` and `nobody`."""
    needs_wire_server()
    server = WireServer(tmp_path)
    server.start()
    with server.client() as client:
        shop = client["shop"]
        shop["Things"].insert_one({"_id": 1})
        shop.command("createUser", "reader", pwd=PASSWORD, roles=["read"])
        shop.command("createUser", "nobody", pwd=PASSWORD, roles=[])
    server.stop()
    server.arguments = ("--auth",)
    server.start()
    yield server
    server.kill()


def test_login_decides_what_is_read(guarded: WireServer) -> None:
    def address(user: str, password: str = SECRET) -> str:
        return f"mongodb://{user}:{password}@127.0.0.1:{guarded.port}/shop?serverSelectionTimeoutMS=3000"

    source = open_source(address("reader"))
    assert [info.readable for info in source.collections()] == [True]
    assert len(list(source.read(source.partitions("Things", 4)[0], after=None, until=None, max_bytes=100))) == 1
    assert not any(piece in f"{source.name} {source.identity()}" for piece in (*PIECES, "reader"))
    source.close()
    error = refused(address("nobody"))
    assert (error.code, error.retryable) == ("source-right", False)
    for wrong in (address("reader", SECRET + "x"), address("stranger")):
        error = refused(wrong)
        assert (error.code, error.exit_code, error.retryable) == ("source-login", 3, False)


def test_encrypted_connection_is_made_as_the_address_says(tmp_path: Path) -> None:
    needs_wire_server()
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl here to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    tls = f"tls=true&tlsCAFile={quote(str(certificate), safe='')}"
    server = WireServer(tmp_path, ("--tls-cert-file", str(certificate), "--tls-key-file", str(key)), options=tls)
    server.start()
    try:
        with server.client() as client:
            client["shop"]["Things"].insert_one({"_id": 1})
        source = open_source(database_url(server.url, "shop"))
        assert [info.name for info in source.collections()] == ["Things"]
        source.close()
        untrusted = database_url(server.url, "shop").replace(tls, "tls=true")
        error = refused(untrusted.replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=500"))
        assert error.code == "source-unreachable"
        assert "certificate" in error.message
    finally:
        server.kill()


def test_collection_that_may_not_be_read_is_named_and_the_others_are_read(own_mongo: WireServer) -> None:
    with own_mongo.client() as client:
        for name in ("A", "B"):
            client["shop"][name].insert_one({"_id": 1})
    with own_mongo.failing(["find"], errorCode=13):  # the wire server knows no rights on single collections
        source = open_source(database_url(own_mongo.url, "shop"))
    rules = {info.name: info.rule for info in source.collections()}
    assert rules["B"] is None
    assert "may not be read" in str(rules["A"])
    with pytest.raises(SourceError, match="may not be read") as caught:
        source.partitions("A", 1)
    assert caught.value.code == "collection-not-read"
    assert len(source.partitions("B", 1)) == 1
    source.close()


def test_names_are_enough_for_a_user_who_may_not_see_options(own_mongo: WireServer) -> None:
    with own_mongo.client() as client:
        client["shop"]["A"].insert_one({"_id": 1})
    with own_mongo.failing(["listCollections"], errorCode=13):
        source = open_source(database_url(own_mongo.url, "shop"))
    assert [(info.name, info.kind) for info in source.collections()] == [("A", "collection")]
    source.close()
    with own_mongo.failing(["listCollections"], times=2, errorCode=13):
        error = refused(database_url(own_mongo.url, "shop"))
    assert (error.code, error.exit_code) == ("source-right", 3)


@pytest.mark.parametrize("command", ["find", "collStats", "listIndexes"])
def test_server_that_goes_away_while_its_collections_are_looked_at_may_come_back(
    own_mongo: WireServer, command: str
) -> None:
    with own_mongo.client() as client:
        client["shop"]["A"].insert_one({"_id": 1})
    with own_mongo.failing([command], times=10, closeConnection=True):
        error = refused(database_url(own_mongo.url, "shop"))
    assert (error.code, error.exit_code, error.retryable) == ("source-unreachable", 3, True)


def test_read_preference_that_no_member_meets_is_told(own_mongo: WireServer) -> None:
    with own_mongo.client() as client:
        client["shop"]["A"].insert_one({"_id": 1})
    address = database_url(own_mongo.url, "shop").replace(
        "serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=300"
    )
    error = refused(f"{address}&readPreference=secondary")
    assert (error.code, error.exit_code) == ("source-unreachable", 3)
    assert "Secondary" in error.message


@pytest.mark.parametrize("name", ["with..points", "ends."])
def test_collection_with_a_name_that_the_driver_does_not_take_is_named_and_the_others_are_read(
    own_mongo: WireServer, name: str
) -> None:
    with own_mongo.client() as client:
        client["shop"].command("insert", name, documents=[{"_id": 1}])
        client["shop"]["B"].insert_one({"_id": 1})
    source = open_source(database_url(own_mongo.url, "shop"))
    rules = {info.name: info.rule for info in source.collections()}
    assert rules.pop("B") is None
    assert list(rules) == [name]
    assert "rename it" in str(rules[name])
    source.close()


def test_what_python_cannot_hold_in_options_and_indexes_is_no_obstacle(mongo_server: str) -> None:
    far, foreign = bson.encode({"d": DatetimeMS(1 << 60)}), bson.encode({"s": "??"}).replace(b"??", b"\xff\xfe")
    server = open_server(mongo_server)
    options = server.client.codec_options
    server.close()
    assert bson.decode(far, options) == {"d": DatetimeMS(1 << 60)}
    assert bson.decode(foreign, options) == {"s": "\ufffd\ufffd"}


class OldServer(threading.Thread):
    """Answers one kind of message, as a server of an older version would: who it is."""

    def __init__(self, wire_version: int, version: tuple[int, ...]) -> None:
        super().__init__(daemon=True)
        self._hello: dict[str, Any] = {
            "isWritablePrimary": True,
            "ismaster": True,
            "helloOk": True,
            "maxWireVersion": wire_version,
            "minWireVersion": 0,
            "maxBsonObjectSize": 16 << 20,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "version": ".".join(map(str, version)),
            "versionArray": list(version),
            "ok": 1.0,
        }
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while len(head := connection.recv(16, socket.MSG_WAITALL)) == 16:
                length, request, _, code = (int.from_bytes(head[at : at + 4], "little") for at in (0, 4, 8, 12))
                connection.recv(length - 16, socket.MSG_WAITALL)
                reply = bson.encode(self._hello)
                if code == 2013:  # OP_MSG
                    body, answer = b"\0\0\0\0\0" + reply, 2013
                else:  # OP_QUERY, answered by OP_REPLY
                    body, answer = b"\0" * 16 + (1).to_bytes(4, "little") + reply, 1
                sizes = (16 + len(body), 0, request, answer)
                connection.sendall(b"".join(one.to_bytes(4, "little") for one in sizes) + body)


@pytest.mark.parametrize(("wire_version", "version"), [(8, (4, 2, 24)), (6, (3, 6, 23)), (4, (3, 2, 22))])
def test_server_that_is_too_old_is_refused(wire_version: int, version: tuple[int, ...]) -> None:
    server = OldServer(wire_version, version)
    server.start()
    error = refused(f"mongodb://127.0.0.1:{server.port}/db?serverSelectionTimeoutMS=3000")
    server.close()
    assert (error.code, error.exit_code, error.retryable) == ("source-too-old", 3, False)
    assert "4.4" in error.message


def test_what_the_driver_says_is_shown_short_and_without_secrets(mongo_server: str) -> None:
    from pymongo.errors import OperationFailure

    server = open_server(mongo_server)
    said = server.explain(OperationFailure(f"Nope at mongodb://u:{SECRET}@h/db, full error: {{'a': 1}}", 2))
    server.close()
    assert said == "Nope at mongodb://u:***@h/db"


def test_password_is_hidden_also_where_an_option_has_an_at_sign(guarded: WireServer) -> None:
    from pymongo.errors import OperationFailure

    server = open_server(f"mongodb://reader:{SECRET}@127.0.0.1:{guarded.port}/shop?appName=me@home")
    said = server.explain(OperationFailure(f"Nope: {PASSWORD} and {SECRET}", 2))
    server.close()
    assert said == "Nope: *** and ***"


def test_connections_are_closed_when_opening_is_refused(mongo_server: str) -> None:
    closed: list[bool] = []
    close = MongoClient[Any].close

    def noted(self: MongoClient[Any]) -> None:
        closed.append(True)
        close(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MongoClient, "close", noted)
        refused(mongo_server)
    assert closed
