"""What has expired goes, in batches, whoever runs it how often; what has not stays."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from apps.panamia.models.ids import new_id
from apps.panamia.service.cleaning import PERISHABLE, clean_up
from tests.apps.panamia.service.conftest import Start, World

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]
TABLES = {
    "notifications",
    "link_requests",
    "sessions",
    "verification_tokens",
    "oauth_verifications",
    "email_migrations",
}


def fill(world: World, hours: list[float | None]) -> str:
    """Make a row of each table that expired so many hours ago; None: that never does, where that can be."""
    user = world.make_user(f"{new_id()}@example.org")
    for number, ago in enumerate(hours):
        key, name = new_id(), f"{user}-{number}"
        when = (
            "now() + %s * interval '1 hour'",
            -ago if ago is not None else 9,
        )
        world.rows(
            "INSERT INTO notifications (id, type, actor, target, context, expires_at)"
            f" VALUES (%s, 'Create', %s, %s, 'article', {'NULL' if ago is None else when[0]})",
            *(key, user, user, *([] if ago is None else [when[1]])),
        )
        world.rows("INSERT INTO notification_mails (notification_id) VALUES (%s)", key)
        for table, columns, values in (
            ("link_requests", "subject, requested_at, expires", [name, []]),
            ("sessions", "session_token, user_id, expires", [name, user]),
            ("verification_tokens", "identifier, token, expires", ["a@example.org", name]),
            (
                "oauth_verifications",
                "id, email, provider, provider_account_id, verification_token, oauth_profile, expires_at",
                [key, "a@example.org", "x", "y", name, "{}"],
            ),
            (
                "email_migrations",
                "id, user_id, old_email, new_email, migration_token, expires_at",
                [key, user, "a@example.org", "b@example.org", name],
            ),
        ):
            marks = ", ".join([*["%s"] * len(values), when[0]])
            world.rows(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values, when[1])
    return user


def counts(world: World) -> dict[str, int]:
    return {table: world.rows(f"SELECT count(*) FROM {table}")[0][0] for table in {*TABLES, "notification_mails"}}


def test_all_that_expires_is_cleaned_up() -> None:
    assert {one.table for one in PERISHABLE} == TABLES


async def test_what_has_expired_goes_and_the_rest_stays(world: World) -> None:
    fill(world, [48, 25, 23, 0.01, -1, None])
    sessions = world.app.state.resources.sessions
    gone = await clean_up(sessions)
    assert gone == {**dict.fromkeys(TABLES, 2), "notifications": 4}
    assert counts(world) == {**dict.fromkeys(TABLES, 4), "notifications": 2, "notification_mails": 2}
    assert await clean_up(sessions) == dict.fromkeys(TABLES, 0), "again there is nothing to do"


async def test_batches_are_transactions_of_their_own_and_several_may_run_at_once(world: World) -> None:
    fill(world, [30.0] * 23)
    sessions = world.app.state.resources.sessions
    told: list[tuple[str, int]] = []
    with psycopg.connect(world.postgres) as other:
        other.execute("SELECT FROM notifications ORDER BY id LIMIT 2 FOR UPDATE")
        each = await asyncio.gather(
            clean_up(sessions, batch=5, told=lambda table, count: told.append((table, count))),
            clean_up(sessions, batch=5),
            clean_up(sessions, batch=5),
        )
    assert {table: sum(one[table] for one in each) for table in TABLES} == {
        **dict.fromkeys(TABLES, 23),
        "notifications": 21,
    }, "what somebody holds is passed over, and nobody counts a row twice"
    assert (await clean_up(sessions, batch=5))["notifications"] == 2
    assert all(count % 5 == 0 for _, count in told[:1])


async def test_a_stopped_one_leaves_whole_batches(world: World) -> None:
    fill(world, [30.0] * 12)

    def stop(_table: str, _count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await clean_up(world.app.state.resources.sessions, batch=5, told=stop)
    assert counts(world)["notifications"] == 7


async def test_services_clean_up_by_themselves_and_go_on_behind_trouble(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    worlds = [await start(CLEAN_UP_EVERY_SECONDS="0.05") for _ in range(2)]
    world = worlds[0]
    world.rows("ALTER TABLE notifications RENAME TO gone_for_now")
    async with asyncio.timeout(60):
        while "what has expired stays" not in caplog.text:
            await asyncio.sleep(0.05)
        world.rows("ALTER TABLE gone_for_now RENAME TO notifications")
        fill(world, [30.0, 30.0, -1, None])
        while counts(world) != {**dict.fromkeys(TABLES, 2), "notification_mails": 2}:
            await asyncio.sleep(0.05)


async def test_a_service_that_ends_stops_behind_a_batch(world: World) -> None:
    fill(world, [30.0] * 12)
    batches: list[str] = []
    sessions = world.app.state.resources.sessions
    gone = await clean_up(
        sessions, batch=5, told=lambda table, _: batches.append(table), stopped=lambda: len(batches) == 2
    )
    assert (sum(gone.values()), counts(world)["notifications"]) == (10, 2)


def _script(*words: str, **environment: str) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("POSTGRES", "MONGODB", "PG"))}
    command = [sys.executable, "-m", "apps.panamia.scripts.clean_up", *words]
    ran = subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


async def test_the_script_counts_deletes_and_tells_what_is_wrong(world: World) -> None:
    fill(world, [48, 1])
    code, out, _ = await asyncio.to_thread(_script, "--dry-run", "--json", "-", POSTGRES_URL=world.postgres)
    rows = {**dict.fromkeys(TABLES, 1), "notifications": 2}
    assert (code, json.loads(out)) == (0, {"exit_code": 0, "dry_run": True, "rows": rows})
    code, out, _ = await asyncio.to_thread(_script, POSTGRES_URL=world.postgres)
    assert (code, out.splitlines()[0].split()) == (0, ["notifications", "2", "gone"])
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["1"] * 5
    assert counts(world)["notifications"] == 0


async def test_the_script_refuses_what_cannot_be(database: str) -> None:
    for environment, wanted, words in (
        ({"USE_MEMORY_POSTGRES": "true"}, 2, "POSTGRES_URL"),
        ({"POSTGRES_URL": "host=127.0.0.1 port=1 password=hush"}, 4, "PostgreSQL"),
        ({"POSTGRES_URL": database}, 4, "isthmus schema deploy"),
    ):
        code, out, said = await asyncio.to_thread(_script, **environment)
        assert (code, out) == (wanted, ""), said
        assert words in said
        assert "Traceback" not in said
        assert "hush" not in said
