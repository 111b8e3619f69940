"""Lists of co-authors, reviews and texts by themselves, in every form that carried articles have."""

from __future__ import annotations

import datetime

import pytest

from apps.panamia.service.articles.co_authors import answered, answers_of, anybody_accepted, invited, without
from apps.panamia.service.articles.reviews import Remark, comments_of, done, outcome_of, requested, reviewer_of
from apps.panamia.service.articles.texts import excerpt_of, minutes_of, moment_of, numbered, slug_of
from apps.panamia.web.cursors import Cursor, cursor_of
from apps.panamia.web.errors import RefusedError

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))
STAMP = "2026-01-02T08:04:05.678Z"
ODD = [None, 7, "x", [], {}, {"userId": None, "status": "accepted"}, {"userId": 5}, {"status": "maybe", "userId": "a"}]


def test_of_two_entries_of_one_person_the_one_that_says_most_counts() -> None:
    twice = [{"userId": "a", "status": "accepted"}, {"userId": "a"}, {"userId": "b", "status": "declined"}]
    assert answers_of(twice) == {"a": "accepted", "b": "declined"}
    assert answers_of(list(reversed(twice))) == {"a": "accepted", "b": "declined"}


@pytest.mark.parametrize("value", [None, "x", 3, {}, [], ODD])
def test_what_is_no_list_or_no_entry_gives_nobody_a_right(value: object) -> None:
    assert answers_of(value) == {}


def test_nothing_of_a_list_is_lost_when_somebody_is_invited_answers_and_goes() -> None:
    value = [*ODD, {"userId": "b", "status": "declined", "old": {"k": 1}, "acceptedAt": None}]
    asked = invited(value, "a", "¿vienes?", NOW)
    assert asked[:-1] == value
    assert asked[-1] == {"userId": "a", "status": "pending", "invitedAt": STAMP, "invitationMessage": "¿vienes?"}
    again = invited(asked, "b", None, NOW)
    assert again[len(ODD)] == {
        "userId": "b",
        "status": "pending",
        "old": {"k": 1},
        "acceptedAt": None,
        "invitedAt": STAMP,
        "invitationMessage": None,
    }
    assert len(again) == len(asked)
    said = answered(again, "a", "accepted", NOW)
    assert answers_of(said) == {"b": "pending", "a": "accepted"}
    assert said[-1] == {**again[-1], "status": "accepted", "acceptedAt": STAMP}  # pyright: ignore[reportGeneralTypeIssues]
    assert answers_of(answered(again, "b", "declined", NOW)) == {"b": "declined", "a": "pending"}
    assert without(said, "a") == [one for one in said[:-1] if one != {"status": "maybe", "userId": "a"}]
    assert without({"userId": "c"}, "a") == [{"userId": "c"}]


def test_acceptance_of_somebody_who_is_gone_is_one() -> None:
    assert anybody_accepted([{"status": "accepted"}])
    assert anybody_accepted([{"userId": None, "status": "accepted"}])
    assert not anybody_accepted([{"userId": "a", "status": "declined"}, {"userId": "a"}])


@pytest.mark.parametrize("value", [None, [], "x", {}])
def test_what_is_no_review_is_none(value: object) -> None:
    assert (reviewer_of(value), outcome_of(value), comments_of(value)) == (None, None, [])


def test_a_review_that_does_not_say_waits() -> None:
    assert outcome_of({"userId": "a"}) == "pending"
    assert outcome_of({"userId": "a", "status": "lost"}) is None
    assert reviewer_of({"status": "pending", "userId": None}) is None


def test_an_earlier_review_is_kept_whole() -> None:
    old = {"userId": "a", "status": "approved", "comments": ["?", {"id": "1"}], "grade ✓": 5}
    first = requested(old, "b", "¿lo lees?", NOW)
    assert first["earlier"] == [old]
    assert (first["userId"], first["status"], first["requestedAt"]) == ("b", "pending", STAMP)
    second = requested(first, "c", None, NOW)
    assert second["earlier"] == [old, {key: one for key, one in first.items() if key != "earlier"}]
    assert "earlier" not in requested(None, "a", None, NOW)
    assert requested("junk", "a", None, NOW)["earlier"] == ["junk"]


def test_a_review_that_is_done_keeps_what_was_there() -> None:
    old = {
        "userId": "a",
        "grade": 5,
        "checklist": {"factsVerified": None, "spelling ✓": True},
        "comments": ["?", {"id": "1", "text": "x"}],
    }
    checked = {"factsVerified": True, "sourcesChecked": True, "communityStandards": True}
    found = done(old, checked, [Remark("¡sí!", "p:1")], NOW, approved=True)
    assert found["checklist"] == {"factsVerified": True, "spelling ✓": True, **checked}
    assert found["comments"][:2] == old["comments"]
    added = found["comments"][2]
    assert {**added, "id": None} == {
        "id": None,
        "text": "¡sí!",
        "contentRef": "p:1",
        "resolved": False,
        "resolvedAt": None,
        "createdAt": STAMP,
    }
    assert (found["status"], found["approvedAt"], found["grade"]) == ("approved", STAMP, 5)
    refused = done(found, checked, [], NOW, approved=False)
    assert (refused["status"], refused["approvedAt"]) == ("revision_needed", None)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Café Ñandú: ¿qué?", "cafe-nandu-que"),
        ("مريم 🌴", "article"),
        ("--", "article"),
        ("a" * 300, "a" * 100),
        ("a" * 99 + " b", "a" * 99),
        ("½ ﬁn", "1-2-fin"),
        ("STRAßE", "strasse"),
        ("New!", "new-article"),
        ("Newer", "newer"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert slug_of(title) == slug


def test_a_number_never_makes_a_slug_too_long() -> None:
    assert numbered("a", 2) == "a-2"
    assert numbered("a" * 100, 12) == "a" * 97 + "-12"
    assert numbered("a" * 97 + "-bb", 2) == "a" * 97 + "-2"


def test_reading_time_and_excerpt() -> None:
    assert [minutes_of("word " * count) for count in (0, 1, 200, 201, 400, 401)] == [1, 1, 1, 2, 2, 3]
    assert excerpt_of("x" * 299 + "  yz") == "x" * 299
    assert moment_of(NOW) == STAMP


def test_cursors_come_back_as_they_were_and_rubbish_is_refused() -> None:
    for at in (NOW, datetime.datetime(1931, 1, 1, tzinfo=datetime.UTC), None):
        assert cursor_of(str(Cursor(at, "abc")), undated=True) == Cursor(at, "abc")
    assert cursor_of(None) is None
    for text in ("", "x", "1.", "1.A", "1.a ", "never.", "9" * 18 + ".a", "-" + "9" * 18 + ".a", "٣.a", "1.a\n"):
        with pytest.raises(RefusedError) as refused:
            cursor_of(text, undated=True)
        assert (refused.value.status, refused.value.code) == (400, "cursor")
    with pytest.raises(RefusedError):
        cursor_of("never.a")
