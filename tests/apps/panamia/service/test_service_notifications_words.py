"""The sentences of notifications, and the letters that are made of them: pure, so no database is needed."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import get_args

import pytest

from apps.panamia.models.enums import NotificationActivityType, NotificationContext
from apps.panamia.petsitting.notifying import EVENTS, PREFERENCE
from apps.panamia.service.mail.letter import check
from apps.panamia.service.notifications.events import KINDS, PreferenceKey
from apps.panamia.service.notifications.letters import Dropped, Owed, letter_of, pause_of, wants, why_not
from apps.panamia.service.notifications.links import sound_link, whole_link
from apps.panamia.service.notifications.words import CHOICES, display_message, one_line

PAIRS = [(kind, context) for kind in get_args(NotificationActivityType) for context in get_args(NotificationContext)]
SENTENCES = {
    "coauthor-invited": "Ána invited you to write “The sea” together",
    "coauthor-accepted": "Ána writes “The sea” together with you",
    "coauthor-declined": "Ána does not want to write “The sea” together with you",
    "review-requested": "Ána asked you to review “The sea”",
    "review-approved": "Ána approved “The sea”",
    "review-revision": "Ána asks for a revision of “The sea”",
    "article-published": "Ána published “The sea”",
    "article-removed": "Ána removed “The sea”",
    "article-restored": "Ána restored “The sea”",
    "mentoring-requested": "Ána asked you for a mentoring session: “The sea”",
    "mentoring-accepted": "Ána accepted the mentoring session “The sea”",
    "mentoring-declined": "Ána declined the mentoring session “The sea”",
    "mentoring-cancelled": "Ána cancelled the mentoring session “The sea”",
    "message-sent": "Ána sent you a message",
}


def test_every_event_has_its_sentence() -> None:
    found = {
        event: display_message(one.type, one.context, actor_screenname="Ána", actor_name="x", object_title="The sea")
        for event, one in KINDS.items()
    }
    assert found == SENTENCES


def test_every_event_of_a_booking_has_its_sentence() -> None:
    found = {
        event: display_message(one.type, "booking", actor_screenname="Ána", object_title="Cats")
        for event, one in EVENTS.items()
    }
    assert found == {
        "requested": "Ána asks for days of “Cats”",
        "confirmed": "Ána confirmed the booking of “Cats”",
        "declined": "Ána declined the booking of “Cats”",
        "cancelled": "Ána cancelled the booking of “Cats”",
        "expired": "The booking of “Cats” ran out before it was confirmed",
        "completed": "The days of “Cats” are over",
        "reviewed": "Ána reviewed “Cats”",
    }
    assert PREFERENCE in CHOICES


def test_every_pair_says_something_and_who_did_it() -> None:
    assert len(PAIRS) == 90
    by_nobody = {("Undo", "booking"), ("Update", "booking")}
    for kind, context in PAIRS:
        said = display_message(kind, context, actor_screenname="Ána", object_title="{actor} %s")
        assert said, (kind, context)
        assert "{" not in said.replace("{actor} %s", ""), said
        assert "Ána" in said or context == "system" or (kind, context) in by_nobody, said
        assert said == said.strip()
    assert display_message("Wave", "beach", actor_name="Ana") == "Ana did something: content"
    assert display_message("Wave", "beach", message=" See\nyou ") == "See you"
    assert display_message("Create", "system", message="Closed on Monday") == "Closed on Monday"


def test_the_actor_is_the_screen_name_or_the_name_or_someone() -> None:
    def said(screenname: str | None, name: str | None) -> str:
        return display_message("Follow", "follow", actor_screenname=screenname, actor_name=name)

    assert said("ana", "Ana María") == "ana follows you"
    assert said(None, "Ana María") == said(" \n", "Ana María") == "Ana María follows you"
    assert said(None, None) == said("", "\u200b") == "Someone follows you"


def test_texts_of_any_length_and_form_become_one_line() -> None:
    assert one_line("a\r\nb\x00\t c\u2028d\ud800\u202ee", 99) == "a b c d e"
    assert one_line("👩\u200d🌾", 99) == "👩\u200d🌾"
    assert one_line("x" * 100, 10) == "x" * 9 + "…"
    assert one_line(None, 9) == ""
    said = display_message("Create", "article", actor_name="n" * 20_000, object_title="t\n" * 20_000)
    assert len(said) < 320
    assert "\n" not in said


def test_each_choice_is_said_in_words() -> None:
    assert set(CHOICES) == set(get_args(PreferenceKey))


OWED = Owed(
    "n1",
    1,
    "me@example.org",
    locked=False,
    preferences=None,
    preference="coauthorInvites",
    type="Invite",
    context="coauthor",
    actor_screenname="Ána",
    actor_name=None,
    object_title="The\nsea",
    object_url="/articles/the-sea",
    message="Come!\n\n.\nBcc: eve@example.org",
    read=False,
    expires_at=None,
)
NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("owed", "why"),
    [
        (OWED, None),
        (replace(OWED, locked=True), "locked"),
        (replace(OWED, read=True), "read"),
        (replace(OWED, expires_at=NOW), "expired"),
        (replace(OWED, expires_at=NOW + datetime.timedelta(seconds=1)), None),
        (replace(OWED, preferences={"coauthorInvites": False}), "unwanted"),
        (replace(OWED, preferences={"coauthorInvites": True, "revisionNeeded": False}), None),
    ],
)
def test_mail_is_sent_unless_it_is_late_or_not_wanted(owed: Owed, why: Dropped | None) -> None:
    assert why_not(owed, NOW) == why


@pytest.mark.parametrize("preferences", [None, {}, [], "x", 1, {"a": None}, {"a": "no"}, {"a": 0}, {"b": False}])
def test_only_a_no_is_a_no(preferences: object) -> None:
    assert wants(preferences, "a")
    assert wants({"a": False}, None)
    assert not wants({"a": False}, "a")


def test_a_letter_says_who_did_what_where_and_why_it_came() -> None:
    letter = letter_of(OWED, "https://pana.example")
    check(letter)
    assert (letter.to, letter.key) == ("me@example.org", "n1")
    assert letter.subject == "Ána invited you to write “The sea” together"
    assert letter.stop == "https://pana.example/settings"
    assert letter.text == (
        "Ána invited you to write “The sea” together.\n\n"
        "> Come!\n> \n> .\n> Bcc: eve@example.org\n\n"
        "https://pana.example/articles/the-sea\n\n"
        "-- \nYou get mail about invitations to write together, and their answers."
        " If you want none, say so at https://pana.example/settings\n"
    )


LINKS = {
    "/articles/the-sea": "/articles/the-sea",
    "https://sitting.example/bookings/k": "https://sitting.example/bookings/k",
    "http://localhost:3001/bookings/k?a=b#c": "http://localhost:3001/bookings/k?a=b#c",
    "HTTP://[::1]:3001/": "HTTP://[::1]:3001/",
    "https://sitting.example/a b\"><script>'\n\\ñ": "https://sitting.example/a%20b%22%3E%3Cscript%3E%27%0A%5C%C3%B1",
    "/ñ\r\nBcc: x": "/%C3%B1%0D%0ABcc:%20x",
    "/\\evil.example": "/%5Cevil.example",
}
NO_LINKS = [
    *(
        "",
        " ",
        "//evil.example/",
        "javascript:x",
        "JavaScript://x.example/%0Aalert(1)",
        "data:text/html,x",
        "ftp://x.example/",
    ),
    *(
        "https:",
        "https:///x",
        "https:evil.example",
        "https://",
        "https://me:secret@x.example/",
        "https://x.example@evil.example/",
    ),
    *(
        " https://x.example/",
        "https://x.example:port/",
        "https://x\u202e.example/",
        "https://[::1/",
        "articles/x",
        "\ud800",
    ),
    "/" + "x" * 2_000,
]


@pytest.mark.parametrize(("url", "link"), LINKS.items())
def test_a_sound_link_stays_and_what_it_cannot_hold_is_escaped(url: str, link: str) -> None:
    assert sound_link(url) == link
    assert whole_link(url, "https://pana.example") == (f"https://pana.example{link}" if link[0] == "/" else link)
    text = letter_of(replace(OWED, object_url=url), "https://pana.example").text
    assert f"\n\n{whole_link(url, 'https://pana.example')}\n\n" in text


@pytest.mark.parametrize("url", [None, *NO_LINKS])
def test_a_letter_leads_nowhere_else(url: str | None) -> None:
    assert sound_link(url) is None
    text = letter_of(replace(OWED, object_url=url, message=None, preference=None), "https://pana.example").text
    assert text == "Ána invited you to write “The sea” together.\n"


def test_pauses_double_to_six_hours_and_last_a_day_in_all() -> None:
    pauses = [pause_of(tries) for tries in range(1, 13)]
    assert [one.total_seconds() / 60 for one in pauses[:5]] == [1, 2, 4, 8, 16]
    assert max(pauses) == datetime.timedelta(hours=6) == pause_of(10_000)
    assert datetime.timedelta(hours=20) < sum(pauses[:-1], datetime.timedelta()) < datetime.timedelta(hours=30)
