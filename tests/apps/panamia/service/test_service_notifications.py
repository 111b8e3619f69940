"""What somebody is told: listed, counted, read, deleted, by its own person and by nobody else."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest
from sqlalchemy import event

from apps.panamia.models.ids import new_id
from tests.apps.panamia.service.conftest import Start, World

pytestmark = pytest.mark.anyio
URL = "/api/notifications"
UNAUTHORIZED = {"error": "Unauthorized"}


class Inbox:
    """Somebody who is told things, by somebody else."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.actor = world.make_user("actor@example.org", screenname="Ána")
        self.me, self.client = world.signed_in("me@example.org")

    def tell(self, **columns: object) -> str:
        """Make a notification; of no column more than is said, it is old, unread and of an article."""
        values: dict[str, object] = {"id": new_id(), "type": "Create", "actor": self.actor, "target": self.me}
        values |= {"context": "article", "created_at": "2026-01-02 03:04:05.678901+00", **columns}
        names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        self.world.rows(f"INSERT INTO notifications ({names}) VALUES ({marks})", *values.values())
        return str(values["id"])

    async def page(self, **asked: object) -> dict[str, Any]:
        answer = await self.client.get(URL, params={key: str(value) for key, value in asked.items()})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, **asked: object) -> list[str]:
        return [one["id"] for one in (await self.page(**asked))["notifications"]]


@pytest.fixture
def inbox(world: World) -> Inbox:
    return Inbox(world)


def ago(**amount: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) - datetime.timedelta(**amount)


# The list


async def test_a_notification_is_shown_with_its_sentence(inbox: Inbox) -> None:
    key = inbox.tell(actor_screenname="Ána", actor_name="Ana", object_title='The "sea"', object_type="article")
    assert await inbox.page() == {
        "notifications": [
            {
                "id": key,
                "type": "Create",
                "context": "article",
                "actor": inbox.actor,
                "actorScreenname": "Ána",
                "actorName": "Ana",
                "object": None,
                "objectType": "article",
                "objectTitle": 'The "sea"',
                "objectUrl": None,
                "message": None,
                "read": False,
                "readAt": None,
                "createdAt": "2026-01-02T03:04:05.678901Z",
                "displayMessage": 'Ána published “The "sea"”',
            }
        ],
        "total": 1,
        "hasMore": False,
        "nextCursor": None,
    }


async def test_the_newest_is_first_and_those_of_one_instant_have_an_order(inbox: Inbox) -> None:
    same = sorted((inbox.tell() for _ in range(25)), reverse=True)
    newest, oldest = inbox.tell(created_at=ago(minutes=1)), inbox.tell(created_at=ago(days=9999))
    wanted = [newest, *same, oldest]
    assert await inbox.ids(limit=100) == wanted
    assert await inbox.ids() == wanted[:20], "twenty unless more are asked for"
    by_offset = [key for offset in range(0, 27, 7) for key in await inbox.ids(limit=7, offset=offset)]
    assert by_offset == wanted


async def test_pages_by_cursor_repeat_nothing_and_lose_nothing_when_others_come_in(inbox: Inbox) -> None:
    wanted = sorted((inbox.tell() for _ in range(11)), reverse=True)
    wanted += [inbox.tell(created_at=ago(days=4000 + number)) for number in range(5)]
    seen: list[str] = []
    page = await inbox.page(limit=3)
    for _ in range(20):
        seen += [one["id"] for one in page["notifications"]]
        assert page["hasMore"] is (page["nextCursor"] is not None)
        if not page["hasMore"]:
            break
        inbox.tell(created_at=ago(minutes=1))
        page = await inbox.page(limit=3, cursor=page["nextCursor"])
    assert seen == wanted
    assert page["total"] == len(wanted) + 5


async def test_has_more_and_total_are_those_of_what_is_asked_for(inbox: Inbox) -> None:
    for number in range(5):
        inbox.tell(read=number < 3, context="review" if number % 2 else "mentoring", type="Invite")
    assert [(await inbox.page(limit=5))[key] for key in ("total", "hasMore")] == [5, False]
    assert [(await inbox.page(limit=4))[key] for key in ("total", "hasMore")] == [5, True]
    assert [(await inbox.page(limit=4, offset=4))[key] for key in ("total", "hasMore")] == [5, False]
    assert [(await inbox.page(limit=1, unreadOnly="true"))[key] for key in ("total", "hasMore")] == [2, True]
    assert [(await inbox.page(context="review"))[key] for key in ("total", "hasMore")] == [2, False]
    assert [(await inbox.page(context="review", unreadOnly=1))["total"], len(await inbox.ids(context="review"))] == [
        1,
        2,
    ]
    assert (await inbox.page(offset=99))["notifications"] == []


async def test_a_page_has_a_hundred_at_most(inbox: Inbox) -> None:
    inbox.world.rows(
        "INSERT INTO notifications (id, type, actor, target, context)"
        " SELECT 'n' || lpad(n::text, 23, '0'), 'Create', %s, %s, 'article' FROM generate_series(1, 120) AS n",
        inbox.actor,
        inbox.me,
    )
    for limit in (101, 120, 2**31 - 1):
        page = await inbox.page(limit=limit)
        assert (len(await inbox.ids(limit=limit)), page["total"], page["hasMore"]) == (100, 120, True)


async def test_what_has_expired_is_never_shown_nor_counted_nor_marked(inbox: Inbox) -> None:
    gone = inbox.tell(expires_at=ago(seconds=1))
    stays = inbox.tell(expires_at=ago(days=-1))
    for _ in range(2):
        assert await inbox.ids() == await inbox.ids(context="article") == await inbox.ids(limit=1) == [stays]
        assert (await inbox.page())["total"] == 1
    assert await inbox.ids(unreadOnly="true") == [stays]
    assert (await inbox.client.get(f"{URL}/unread-count")).json() == {"count": 1}
    assert (await inbox.client.post(f"{URL}/{gone}/read")).status_code == 404
    assert (await inbox.client.delete(f"{URL}/{gone}")).status_code == 404
    assert (await inbox.client.post(f"{URL}/mark-all-read")).json() == {"markedCount": 1}
    assert inbox.world.rows("SELECT id FROM notifications WHERE NOT read") == [(gone,)]


async def test_instants_that_no_clock_shows_are_shown_as_the_nearest(inbox: Inbox) -> None:
    for instant in ("infinity", "-infinity", "294276-12-31 00:00+00", "4713-01-01 00:00+00 BC"):
        inbox.tell(created_at=instant, read=True, read_at=instant, expires_at="infinity")
    years = [one["createdAt"][:4] for one in (await inbox.page())["notifications"]]
    assert years == ["9999", "9999", "0001", "0001"]
    first = await inbox.page(limit=1)
    assert (await inbox.client.get(URL, params={"cursor": str(first["nextCursor"])})).status_code == 200


REFUSED = {
    422: [
        *("limit=0", "limit=-1", "limit=x", "limit=1.5", "limit=99999999999999999999", "limit="),
        *("offset=-1", "offset=2147483648", "unreadOnly=perhaps", f"cursor={'1' * 101}"),
        *("context=gossip", "context=", "context=%00", "context=Article"),
    ],
    400: [
        *("cursor=x", "cursor=", "cursor=1.%00", "cursor=1.%C3%BC", "cursor=never.abc", "cursor=1.abc&offset=1"),
        *("cursor=999999999999999999.abc", "cursor=-999999999999999999.abc"),
    ],
}


async def test_what_cannot_be_asked_for_is_refused(inbox: Inbox) -> None:
    for status, queries in REFUSED.items():
        for query in queries:
            answer = await inbox.client.get(f"{URL}?{query}")
            assert answer.status_code == status, (query, answer.text)
            assert isinstance(answer.json()["error"], str)


# Read and deleted


async def test_one_is_read_once_and_again_changes_nothing_and_says_so(inbox: Inbox) -> None:
    key, other = inbox.tell(), inbox.tell()
    first = (await inbox.client.post(f"{URL}/{key}/read")).json()
    again = (await inbox.client.post(f"{URL}/{key}/read")).json()
    assert first == {"id": key, "read": True, "readAt": first["readAt"], "alreadyRead": False}
    assert again == {**first, "alreadyRead": True}
    assert abs(datetime.datetime.fromisoformat(first["readAt"]) - ago()) < datetime.timedelta(minutes=1)
    assert (await inbox.client.get(f"{URL}/unread-count")).json() == {"count": 1}
    assert await inbox.ids(unreadOnly="true") == [other]
    [shown] = [one for one in (await inbox.page())["notifications"] if one["id"] == key]
    assert (shown["read"], shown["readAt"]) == (True, first["readAt"])


async def test_a_carried_one_that_does_not_say_when_it_was_read_stays_so(inbox: Inbox) -> None:
    key = inbox.tell(read=True)
    assert (await inbox.client.post(f"{URL}/{key}/read")).json() == {
        "id": key,
        "read": True,
        "readAt": None,
        "alreadyRead": True,
    }


async def test_of_many_who_mark_one_at_once_one_does(inbox: Inbox) -> None:
    key = inbox.tell()
    clients = [inbox.world.client(inbox.world.make_session(inbox.me)) for _ in range(6)]
    answers = [one.json() for one in await asyncio.gather(*(client.post(f"{URL}/{key}/read") for client in clients))]
    assert sorted(one["alreadyRead"] for one in answers) == [False, *[True] * 5]
    assert len({one["readAt"] for one in answers}) == 1


async def test_all_are_marked_once_however_many_do_it_at_once(inbox: Inbox) -> None:
    for number in range(40):
        inbox.tell(read=number % 4 == 0)
    clients = [inbox.world.client(inbox.world.make_session(inbox.me)) for _ in range(6)]
    answers = await asyncio.gather(*(client.post(f"{URL}/mark-all-read") for client in clients))
    assert [one.status_code for one in answers] == [200] * 6
    assert sum(one.json()["markedCount"] for one in answers) == 30
    assert (await inbox.client.get(f"{URL}/unread-count")).json() == {"count": 0}
    assert (await inbox.client.post(f"{URL}/mark-all-read")).json() == {"markedCount": 0}


async def test_a_deleted_one_is_gone(inbox: Inbox) -> None:
    key, other = inbox.tell(), inbox.tell()
    assert (await inbox.client.delete(f"{URL}/{key}")).status_code == 204
    assert (await inbox.client.delete(f"{URL}/{key}")).status_code == 404
    assert await inbox.ids() == [other]


async def test_what_is_somebody_elses_is_not_there(inbox: Inbox) -> None:
    own = inbox.tell()
    _, stranger = inbox.world.signed_in("stranger@example.org")
    teller = inbox.world.client(inbox.world.make_session(inbox.actor))  # who did it sees it no more than others
    for client in (stranger, teller):
        assert (await client.get(URL)).json()["notifications"] == []
        assert (await client.get(URL)).json()["total"] == 0
        assert (await client.get(f"{URL}/unread-count")).json() == {"count": 0}
        missing = await client.post(f"{URL}/{new_id()}/read")
        for answer in (await client.post(f"{URL}/{own}/read"), await client.delete(f"{URL}/{own}")):
            assert (answer.status_code, answer.json()) == (404, missing.json())
        assert (await client.post(f"{URL}/mark-all-read")).json() == {"markedCount": 0}
    assert inbox.world.rows("SELECT id, read FROM notifications") == [(own, False)]


async def test_nobody_is_told_to_sign_in(world: World) -> None:
    key = "n00000000000000000000001"
    for method, path in [
        *(("GET", one) for one in ("", "/unread-count", "/preferences")),
        *(("PATCH", "/preferences"), ("POST", "/mark-all-read"), ("POST", f"/{key}/read"), ("DELETE", f"/{key}")),
    ]:
        answer = await world.client().request(method, URL + path, json={} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED), path


async def test_a_key_that_can_be_none_is_refused(inbox: Inbox) -> None:
    for key in ("%00", "x" * 65, "ü", "A", "a%20b", "%F0%9F%8C%B4", "-"):
        assert (await inbox.client.post(f"{URL}/{key}/read")).status_code in {404, 422}
        assert (await inbox.client.delete(f"{URL}/{key}")).status_code in {404, 422}


async def test_notifications_work_while_mongodb_is_away(start: Start) -> None:
    world: World = await start(MONGODB_URI="mongodb://127.0.0.1:1/none", MONGODB_TIMEOUT_MS="100")
    inbox = Inbox(world)
    key = inbox.tell()
    assert await inbox.ids() == [key]
    assert (await inbox.client.post(f"{URL}/{key}/read")).status_code == 200


# Which mail somebody wants

YES = dict.fromkeys(
    [
        *("coauthorInvites", "reviewRequests", "articlePublished", "articleReplies"),
        *("revisionNeeded", "mentoringRequests", "systemAnnouncements", "bookings"),
    ],
    True,
)


async def test_all_mail_is_wanted_until_it_is_said_no_to(world: World) -> None:
    me, client = world.signed_in("me@example.org")
    for stands in (None, "{}", "[]", '"x"', "null", '{"coauthorInvites": null, "more": {"a": 1}}'):
        world.rows("UPDATE users SET notification_preferences = %s", stands)
        assert (await client.get(f"{URL}/preferences")).json() == YES, stands
        changed = await client.patch(f"{URL}/preferences", json={"coauthorInvites": False, "revisionNeeded": True})
        assert changed.json() == {**YES, "coauthorInvites": False}
        assert (await client.get(f"{URL}/preferences")).json() == changed.json()
        [(kept,)] = world.rows("SELECT notification_preferences FROM users WHERE id = %s", me)
        more = {"more": {"a": 1}} if stands and "more" in stands else {}
        assert kept == {"coauthorInvites": False, "revisionNeeded": True} | more


async def test_two_who_choose_at_once_lose_nothing_of_each_other(world: World) -> None:
    me, client = world.signed_in("me@example.org")
    clients = [world.client(world.make_session(me)) for _ in YES]
    both = zip(clients, YES, strict=True)
    answers = await asyncio.gather(*(one.patch(f"{URL}/preferences", json={key: False}) for one, key in both))
    assert [one.status_code for one in answers] == [200] * len(YES)
    assert set((await client.get(f"{URL}/preferences")).json().values()) == {False}


async def test_choices_that_are_none_are_refused(inbox: Inbox) -> None:
    for body in ({"gossip": True}, {"coauthorInvites": "perhaps"}, [], None, {"coauthor_invites": True}):
        assert (await inbox.client.patch(f"{URL}/preferences", json=body)).status_code == 422, body


async def test_choices_are_ones_own(inbox: Inbox) -> None:
    await inbox.client.patch(f"{URL}/preferences", json={"articleReplies": False})
    _, other = inbox.world.signed_in("other@example.org")
    assert (await other.get(f"{URL}/preferences")).json() == YES


# Among many


@pytest.mark.slow
async def test_lists_and_counts_of_one_among_many_use_an_index(inbox: Inbox) -> None:
    """200,000 rows of 20,000 people; what the routes ask is asked again with EXPLAIN, word for word."""
    rows = inbox.world.rows
    rows(
        "INSERT INTO users (id, email)"
        " SELECT 'u' || lpad(n::text, 23, '0'), n || '@x.org' FROM generate_series(1, 20000) n"
    )
    rows(
        "INSERT INTO notifications (id, type, actor, target, context, read, created_at)"
        " SELECT 'n' || lpad(n::text, 23, '0'), 'Create', %s, 'u' || lpad((n %% 20000 + 1)::text, 23, '0'),"
        " 'article', n %% 3 = 0, now() - n * interval '1 second' FROM generate_series(1, 200000) n",
        inbox.actor,
    )
    rows("ANALYZE notifications")
    user = "u" + "4711".zfill(23)
    client = inbox.world.client(inbox.world.make_session(user))
    asked: list[tuple[str, object]] = []

    def heard(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if "FROM notifications" in statement:
            asked.append((statement, values))

    engine = inbox.world.app.state.resources.engine
    event.listen(engine.sync_engine, "before_cursor_execute", heard)
    for query in ("", "?unreadOnly=true", "?context=article", "?cursor=1767323045678901.n1", "/unread-count"):
        assert (await client.get(f"{URL}{query}")).status_code == 200
    event.remove(engine.sync_engine, "before_cursor_execute", heard)
    assert len(asked) == 9
    async with engine.connect() as connection:
        for statement, values in asked:
            found = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)
            plan = "\n".join(line for (line,) in found)
            assert "notifications_target_" in plan, plan
            assert "Seq Scan" not in plan, plan
