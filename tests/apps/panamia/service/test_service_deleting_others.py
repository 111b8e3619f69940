"""What a deletion leaves to others: what they said and wrote, also while it is on its way to MongoDB.

Oracle: rows and documents as drivers read them, and what the service answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from apps.panamia.models.ids import new_id
from apps.panamia.scripts.deleting.fates import review_without, status_behind
from apps.panamia.service.mentoring.addresses import FORMER
from tests.apps.panamia.conftest import isthmus
from tests.apps.panamia.service.articles_made import co_author, make_article, review
from tests.apps.panamia.service.articles_made import column as of_article
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.deleted import Deletion, deletion
from tests.apps.panamia.service.relaying import relay
from tests.apps.panamia.service.sessions_made import column, make_session

pytestmark = pytest.mark.anyio
EMAIL = "ana@example.org"


@pytest.fixture
def delete(world: World, monkeypatch: pytest.MonkeyPatch) -> Deletion:
    """What deletes somebody, and returns the exit code."""
    return deletion(world, monkeypatch, EMAIL)


# Reviews

GONE, HERE = "gone", "here"
ASKED, GIVEN = review(GONE), review(GONE, "revision_needed", comments=[{"text": "?"}])
OTHER_ASKED, OTHER_GIVEN = review(HERE), review(HERE, "approved", grade=5)
UNSIGNED = {**GIVEN, "userId": None}


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        (ASKED, None),
        ({"userId": GONE}, None),
        ({**ASKED, "earlier": [ASKED, ASKED]}, None),
        (GIVEN, UNSIGNED),
        ({**ASKED, "earlier": [OTHER_GIVEN]}, OTHER_GIVEN),
        ({**ASKED, "earlier": [GIVEN, OTHER_GIVEN]}, {**OTHER_GIVEN, "earlier": [UNSIGNED]}),
        ({**ASKED, "earlier": [OTHER_GIVEN, GIVEN]}, {**UNSIGNED, "earlier": [OTHER_GIVEN]}),
        ({**ASKED, "earlier": [GIVEN, ASKED]}, UNSIGNED),
        ({**OTHER_ASKED, "earlier": [GIVEN, ASKED]}, {**OTHER_ASKED, "earlier": [UNSIGNED]}),
        ({**GIVEN, "earlier": [OTHER_GIVEN]}, {**UNSIGNED, "earlier": [OTHER_GIVEN]}),
        ({**OTHER_GIVEN, "earlier": [OTHER_ASKED]}, {**OTHER_GIVEN, "earlier": [OTHER_ASKED]}),
        ({**ASKED, "earlier": ["?"]}, "?"),
        ({**ASKED, "earlier": [OTHER_GIVEN, "?"]}, {"earlier": [OTHER_GIVEN, "?"]}),
        ({**GIVEN, "earlier": "?"}, {**UNSIGNED, "earlier": "?"}),
        ({"earlier": [GIVEN]}, {"earlier": [UNSIGNED]}),
        ("?", "?"),
        ({}, {}),
    ],
    ids=str,
)
def test_what_others_said_stays_and_who_is_gone_is_named_nowhere(before: Any, behind: Any) -> None:
    assert review_without(before, [GONE, "gone too"]) == behind


def test_what_an_article_is_follows_from_the_review_that_is_the_last_one_again() -> None:
    reviews = (None, OTHER_ASKED, GIVEN, OTHER_GIVEN)
    assert [status_behind("pending_review", one) for one in reviews] == [
        "draft",
        "pending_review",
        "revision_needed",
        "draft",
    ]
    assert {status_behind("published", one) for one in reviews} == {"published"}


async def test_a_deletion_leaves_the_reviews_of_others_and_names_the_person_nowhere(
    world: World, delete: Deletion
) -> None:
    _, writes = world.signed_in("author@example.org", screenname="author")
    one, reads = world.signed_in("one@example.org", screenname="one")
    ana, hers = world.signed_in(EMAIL, screenname="ana")
    body = {"title": "t", "content": "c", "articleType": "business_update"}
    keys = [(await writes.post("/api/articles", json=body)).json()["id"] for _ in range(2)]
    said = {"approve": False, "comments": [{"text": "¿Fuente?"}]}
    for key, first, client, second in ((keys[0], one, reads, ana), (keys[1], ana, hers, one)):
        url = f"/api/articles/{key}/review"
        assert (await writes.post(url, json={"userId": first})).status_code == 201
        assert (await client.post(f"{url}/done", json=said)).status_code == 200
        assert (await writes.post(url, json={"userId": second})).status_code == 201
    assert await delete() == 0
    found, status = of_article(world, keys[0], "reviewed_by", "status")
    assert (found["userId"], found["comments"][0]["text"], "earlier" in found) == (one, "¿Fuente?", False)
    assert status == "revision_needed"
    found, status = of_article(world, keys[1], "reviewed_by", "status")
    assert (found["userId"], found["status"], status) == (one, "pending", "pending_review")
    [earlier] = found["earlier"]
    assert (earlier["userId"], earlier["comments"][0]["text"]) == (None, "¿Fuente?")
    assert world.rows("SELECT count(*) FROM articles WHERE articles::text LIKE %s", f"%{ana}%") == [(0,)]


async def test_an_audit_sees_who_is_gone_in_earlier_reviews_too(world: World, tmp_path: Path) -> None:
    world.write("articles", {"slug": "s", "title": "t", "content": "c", "articleType": "business_update"})
    copied = isthmus("copy", "mapping.yaml", "--only", "articles", "--source", world.mongodb, database=world.postgres)
    assert copied.code == 0, copied.said
    here = world.make_user("here@example.org")
    make_article(world, here, reviewed_by=review(here, earlier=[review(None, "approved"), review(here), "?"]))
    words = ("refs", "audit", "mapping.yaml", "--source", world.mongodb)
    audited = isthmus(*words, database=world.postgres)
    assert audited.code == 0, audited.said
    make_article(world, here, reviewed_by=review(here, earlier=[review(new_id(), "approved")]))
    audited = isthmus(*words, database=world.postgres, json_file=tmp_path / "found.json")
    assert (audited.code, audited.result["new"]) == (1, 1), audited.said
    assert [one["place"] for one in audited.result["in_rows"] if one["new"]] == [
        "articles.reviewed_by.earlier.[].userId"
    ]


# Mentoring


@pytest.mark.parametrize("linked", [True, False])
async def test_whoever_proves_an_address_of_somebody_who_was_deleted_reads_no_session(
    world: World, delete: Deletion, linked: bool
) -> None:
    """The one has had the address for long; the other one gets it behind the deletion."""
    ana, mentee = world.make_user(EMAIL), world.make_user("mentee@example.org")
    address = "old@example.org" if linked else EMAIL.title()
    notes = {"mentee_email": "mentee@example.org", "mentor_email": address, "notes": "private"}
    key = make_session(world, ana if linked else None, mentee, "declined", declined_by=address, **notes)
    to_come = make_session(
        world, mentee, ana if linked else None, mentor_email="mentee@example.org", mentee_email=address
    )
    _, stranger = world.signed_in("old@example.org")
    if linked:
        assert (await stranger.get(f"/api/mentoring/sessions/{key}")).status_code == 404
    assert await delete() == 0
    if not linked:
        _, stranger = world.signed_in(EMAIL)
    for one in (key, to_come):
        assert (await stranger.get(f"/api/mentoring/sessions/{one}")).status_code == 404
        written = await stranger.put(f"/api/mentoring/sessions/{one}/notes", json={"notes": "mine"})
        assert written.status_code == 404
    assert (await stranger.get("/api/mentoring/sessions")).json()["sessions"] == []
    told = column(world, key, "mentor_email", "mentee_email", "mentor_user_id", "notes", "declined_by")
    assert told == (FORMER["mentor"], "mentee@example.org", None, "private", FORMER["mentor"])
    assert column(world, to_come, "mentee_email", "status") == (FORMER["mentee"], "cancelled")
    client = world.client(world.make_session(mentee))
    shown = (await client.get(f"/api/mentoring/sessions/{key}")).json()
    assert (shown["mentor"]["name"], shown["notes"], shown["you"]) == ("Former Member", "private", "mentee")


async def test_the_address_leaves_sessions_in_mongodb_too(world: World, delete: Deletion) -> None:
    ana, other = world.make_user(EMAIL), new_id()
    sides = {"mentorEmail": "old@example.org", "menteeEmail": "b@example.org", "mentorUserId": ana}
    by = {"cancelledBy": "Old@example.org ", "declinedBy": "b@example.org"}
    alone = {"mentorEmail": "b@example.org", "menteeEmail": EMAIL.upper(), "status": "completed"}
    anothers = {"mentorEmail": EMAIL, "mentorUserId": other, "status": "pending"}
    keys = [ObjectId() for _ in range(3)]
    documents = ({**sides, **by, "status": "cancelled"}, alone, anothers)
    world.write("mentorSessions", *({"_id": key, **one} for key, one in zip(keys, documents, strict=True)))
    assert await delete() == 0
    assert relay(world)["parked"] == 0
    found = {one.pop("_id"): one for one in world.documents("mentorSessions")}
    assert (
        found.pop(keys[0]).items()
        >= {
            "mentorEmail": FORMER["mentor"],
            "menteeEmail": "b@example.org",
            "cancelledBy": FORMER["mentor"],
            "declinedBy": "b@example.org",
        }.items()
    )
    assert found.pop(keys[1])["menteeEmail"] == FORMER["mentee"]
    assert found == {keys[2]: anothers}
    assert not any(ana in str(one) for one in world.documents("mentorSessions"))


# On its way to MongoDB


async def test_two_deletions_before_the_relay_ran_park_nothing(world: World, delete: Deletion) -> None:
    ana, beto = world.make_user(EMAIL), world.make_user("beto@example.org")
    profile = ObjectId()
    world.write("profiles", {"_id": profile, "userId": beto, "email": "beto@example.org"})
    world.write("userlists", {"user_id": ana, "name": "mine", "profiles": [str(profile)]})
    assert await delete() == 0
    assert await delete("beto@example.org") == 0
    assert relay(world) == {"applied": 3, "parked": 0}
    assert world.documents("userlists") == world.documents("profiles") == []


async def test_what_others_write_while_a_deletion_is_on_its_way_stays(world: World, delete: Deletion) -> None:
    ana, other = world.make_user(EMAIL), new_id()
    gone, kept, late = ObjectId(), ObjectId(), ObjectId()
    world.write("profiles", {"_id": gone, "userId": ana, "email": EMAIL})
    world.write("userlists", {"user_id": other, "name": "mine", "profiles": [str(gone), gone, str(kept)]})
    world.write("events", {"_id": 1, "primary_profile": gone}, {"_id": 2, "primary_profile": gone})
    told = (
        co_author(ana, "pending"),
        co_author(other, "pending"),
        co_author(ana, "accepted"),
        co_author(ana, "declined"),
    )
    world.write(
        "articles",
        {"_id": 1, "coAuthors": told, "status": "draft"},
        {"_id": 2, "reviewedBy": review(ana), "status": "pending_review"},
        {"_id": 3, "reviewedBy": review(ana), "status": "pending_review"},
        {"_id": 4, "reviewedBy": review(ana), "status": "pending_review"},
        {"_id": 5, "reviewedBy": review(ana, "approved"), "status": "draft"},
        {"_id": 6, "coAuthors": [co_author(ana, "pending")], "status": "draft"},
    )
    assert await delete() == 0
    with MongoClient[dict[str, Any]](world.mongodb) as client:
        database = client.get_default_database()
        database["userlists"].update_one({}, {"$push": {"profiles": str(late)}})
        database["events"].update_one({"_id": 2}, {"$set": {"primary_profile": late}})
        articles = database["articles"]
        articles.update_one({"_id": 1}, {"$push": {"coAuthors": {"$each": [co_author("late")], "$position": 0}}})
        articles.update_one({"_id": 3}, {"$set": {"reviewedBy": review(other)}})
        articles.update_one(
            {"_id": 4}, {"$set": {"reviewedBy": review(ana, "revision_needed"), "status": "revision_needed"}}
        )
        articles.update_one({"_id": 5}, {"$set": {"reviewedBy.comments": ["late"]}})
        articles.update_one({"_id": 6}, {"$set": {"coAuthors.0.status": "accepted"}})
    assert relay(world)["parked"] == 0
    assert [one["profiles"] for one in world.documents("userlists")] == [[str(kept), str(late)]]
    assert [one.get("primary_profile") for one in sorted(world.documents("events"), key=str)] == [None, late]
    found = {one["_id"]: one for one in world.documents("articles")}
    assert found[1]["coAuthors"] == [co_author("late"), told[1], {**told[2], "userId": None}]
    assert ("reviewedBy" in found[2], found[2]["status"]) == (False, "draft")
    assert (found[3]["reviewedBy"], found[3]["status"]) == (review(other), "pending_review")
    assert found[4]["reviewedBy"] == {**review(ana, "revision_needed"), "userId": None}
    assert found[4]["status"] == "revision_needed"
    assert found[5]["reviewedBy"] == {**review(None, "approved"), "comments": ["late"]}
    assert found[6]["coAuthors"] == [{"userId": None, "status": "accepted"}]
