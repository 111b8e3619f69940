"""The service behind a pooler in transaction mode: each transaction has another connection of the server.

It is PgBouncer where there is one (PANAMIA_PGBOUNCER names the program where it is not on the PATH), and everywhere a
pooler of the tests, which lends sessions in the same way and has none of its settings.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.apps.panamia.service.asked_of import NOT_TWICE, bodies_of, granted, requests_of
from tests.apps.panamia.service.conftest import Start
from tests.apps.panamia.service.mails import mails_of
from tests.apps.panamia.service.possessions import own_everything
from tests.apps.panamia.service.profile_homes import Home
from tests.apps.panamia.service.relaying import relay
from tests.apps.panamia.service.test_service_matrix import ADMINS, named
from tests.fix_postgres import free_port
from tests.integration.copy.pooler import pooling

pytestmark = pytest.mark.anyio
_PROGRAM = os.environ.get("PANAMIA_PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
_SERVER_CONNECTIONS = 2


@pytest.fixture(params=["pgbouncer", "ours"])
def pooler(request: pytest.FixtureRequest, postgres: str, tmp_path: Path) -> Iterator[int]:
    """Port of a pooler before the server, with fewer connections there than the service has requests."""
    if request.param == "ours":
        with pooling(postgres, per_transaction=True, most=_SERVER_CONNECTIONS) as conninfo:
            yield int(str(conninfo_to_dict(conninfo)["port"]))
    elif _PROGRAM is None:
        pytest.skip("there is no pgbouncer on the PATH, and PANAMIA_PGBOUNCER names none")
    else:
        with _pgbouncer(_PROGRAM, postgres, tmp_path) as port:
            yield port


@contextmanager
def _pgbouncer(program: str, postgres: str, tmp_path: Path) -> Iterator[int]:
    parts = conninfo_to_dict(postgres)
    port = free_port()
    (tmp_path / "users").write_text(f'"{parts["user"]}" ""\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"""[databases]
* = host={parts["host"]} port={parts.get("port", 5432)} user={parts["user"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {tmp_path / "users"}
pool_mode = transaction
default_pool_size = {_SERVER_CONNECTIONS}
server_reset_query =
logfile = {tmp_path / "pgbouncer.log"}
pidfile = {tmp_path / "pgbouncer.pid"}
"""
    )
    command = [program, str(tmp_path / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses to be root, and the server's socket is of its owner alone
        owner = Path(str(parts["host"])).owner()
        for path in (tmp_path, *tmp_path.iterdir()):
            shutil.chown(path, owner)
        for above in tmp_path.parents[:3]:
            above.chmod(above.stat().st_mode | 0o011)
        command += ["-u", owner]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        _wait_for(port, process, tmp_path / "said")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    give_up_at = time.monotonic() + 20
    while True:
        try:
            with psycopg.connect(f"host=127.0.0.1 port={port} dbname=postgres user=postgres", connect_timeout=2):
                return
        except psycopg.OperationalError:
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < give_up_at, said.read_text()
            time.sleep(0.05)


async def test_many_people_share_few_connections(start: Start, pooler: int) -> None:
    world = await start(pooler=pooler)
    people = [world.signed_in(f"p{number}@example.org") for number in range(12)]
    for _ in range(5):
        answers = await asyncio.gather(*(client.get("/api/auth/session") for _, client in people))
        assert [one.json()["user"]["id"] for one in answers] == [user for user, _ in people]
    with psycopg.connect(world.postgres) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    assert 0 < row[0] <= _SERVER_CONNECTIONS


async def test_writes_are_whole_behind_the_pooler(start: Start, pooler: int) -> None:
    world = await start(pooler=pooler)
    _, client = world.signed_in("a@example.org")
    assert (await client.post("/api/auth/signout")).status_code == 204
    assert world.rows("SELECT count(*) FROM sessions") == [(0,)]


async def test_every_route_works_behind_the_pooler_for_several_at_once(start: Start, pooler: int) -> None:
    world = await start(pooler=pooler)
    owners = [own_everything(world, name) for name in ("ana", "bea")]
    routes = named(world.app)
    asked = [list(requests_of(routes, owner, bodies_of(owner, world))) for owner in owners]
    clients = [world.client(owner.token) for owner in owners]
    done = await asyncio.gather(*(granted(client, each) for client, each in zip(clients, asked, strict=True)))
    assert [set(routes) - each for each in done] == [ADMINS | NOT_TWICE] * 2
    for owner in owners:
        here = {str(one["userId"]) for one in world.documents("profiles") if one["email"] == owner.email}
        assert here == {owner.id}


@pytest.mark.parametrize("home", ["mongodb", "postgres"])
async def test_profiles_are_claimed_and_follow_their_address_behind_the_pooler(
    start: Start, pooler: int, home: str
) -> None:
    world = await start(pooler=pooler)
    profiles = Home(world, home)
    people = [f"p{number}@example.org" for number in range(4)]
    for email in people:
        await profiles.put(email, name="Somebody", five_words="a b c d e")

    async def come_and_move(email: str) -> str:
        client = world.client()
        assert (await client.post("/api/auth/signin/email", json={"email": email})).status_code == 202
        assert (await client.get(mails_of(world, email)[-1].link)).headers["location"] == "/"
        page = (await client.get("/api/profile")).json()
        assert (page["profile"]["userId"], page["store"]) == (page["user"]["id"], home)
        new = f"new.{email}"
        answer = await client.post("/api/user/request-email-migration", json={"newEmail": new})
        assert answer.status_code == 202
        body = {"token": mails_of(world, new)[-1].token}
        assert (await client.post("/api/user/complete-email-migration", json=body)).status_code == 200
        return str(page["user"]["id"])

    ids = await asyncio.gather(*(come_and_move(email) for email in people))
    moved = relay(world, pooler=pooler)
    assert moved == {"applied": len(people) if home == "mongodb" else 0, "parked": 0}
    there = {str(one["userId"]): one["email"] for one in await profiles.all()}
    assert there == {one: f"new.{email}" for one, email in zip(ids, people, strict=True)}


async def test_no_transaction_waits_for_ever_and_none_leaves_its_patience_behind(start: Start, pooler: int) -> None:
    world = await start(pooler=pooler, STATEMENT_SECONDS="0.3")
    _, client = world.signed_in("a@example.org", screenname="anna")
    world.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NEW; END'"
    )
    world.rows("CREATE TRIGGER slow BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION slow()")
    new = {"title": "A title", "articleType": "business_update", "content": "Text."}
    answer = await asyncio.wait_for(client.post("/api/articles", json=new), 15)
    assert (answer.status_code, answer.json()["code"]) == (503, "too-slow")
    with psycopg.connect(make_conninfo(world.postgres, host="127.0.0.1", port=pooler), autocommit=True) as others:
        for _ in range(2 * _SERVER_CONNECTIONS):
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                assert others.execute(f"SHOW {name}".encode()).fetchone() == ("0",)
