"""What settings lack, and what those of a service for people should not be left with."""

from __future__ import annotations

import logging

import pytest

from apps.panamia.service.doubts import doubts_of
from apps.panamia.service.settings import read_settings
from isthmus.errors import ConfigError
from tests.apps.panamia.service.conftest import Start

pytestmark = pytest.mark.anyio
PEOPLE = {
    "POSTGRES_URL": "postgresql://x",
    "MONGODB_URI": "mongodb://x/y",
    "PUBLIC_URL": "https://pana.example.org",
    "AUTH_SECRET": "x" * 16,
    "MAIL": "smtp://mail.example.org",
    "MAIL_FROM": "Pana MIA <no-reply@example.org>",
    "MAIL_REPLY_TO": "help@example.org",
    "TRUSTED_PROXIES": "10.0.0.1",
}


def test_what_is_lacking_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as told:
        read_settings({"PUBLIC_URL": "https://pana.example.org", "AUTH_SECRET": "short"})
    for name in ("POSTGRES_URL", "MONGODB_URI", "AUTH_SECRET"):
        assert name in str(told.value)


def test_nobody_is_asked_for_what_is_not_needed() -> None:
    told = {"PUBLIC_URL": "https://pana.example.org", "POSTGRES_URL": "x", "AUTH_SECRET_FILE": "/not/for/us"}
    assert read_settings(told, needs={"POSTGRES_URL"}).mongodb_uri is None
    with pytest.raises(ConfigError, match="POSTGRES_URL"):
        read_settings({}, needs={"POSTGRES_URL"})
    with pytest.raises(ConfigError, match="AUTH_SECRET"):
        read_settings({**told, "AUTH_SECRET_FILE": ""}, needs={"AUTH_SECRET"})


def test_one_connection_is_none_for_all_else_while_it_waits_for_mongodb() -> None:
    with pytest.raises(ConfigError, match=r"POOL_SIZE: .* 2"):
        read_settings({**PEOPLE, "POOL_SIZE": "1"})
    assert read_settings({**PEOPLE, "POOL_SIZE": "2"}).pool_size == 2


def test_settings_for_people_leave_no_doubt() -> None:
    assert doubts_of(read_settings(PEOPLE)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"MAIL": ""}, "MAIL is console"),
        ({"MAIL": "/var/mail/root"}, "MAIL is console"),
        ({"MAIL": "file:mail"}, "MAIL is a folder"),
        ({"MAIL_FROM": ""}, "MAIL_FROM is at localhost"),
        ({"MAIL_REPLY_TO": ""}, "MAIL_REPLY_TO"),
        ({"TRUSTED_PROXIES": ""}, "30 links an hour"),
        ({"USE_MEMORY_POSTGRES": "true"}, "USE_MEMORY_POSTGRES"),
        ({"USE_MEMORY_MONGODB": "true"}, "USE_MEMORY_MONGODB"),
    ],
)
def test_each_doubt_is_told(change: dict[str, str], told: str) -> None:
    (doubt,) = doubts_of(read_settings({**PEOPLE, **change}))
    assert told in doubt
    assert doubts_of(read_settings({**PEOPLE, **change, "PUBLIC_URL": "http://localhost:3000"})) == []


def test_somebody_who_reads_answers_needs_no_second_address() -> None:
    assert doubts_of(read_settings({**PEOPLE, "MAIL_FROM": "pana@example.org", "MAIL_REPLY_TO": ""})) == []


async def test_doubts_are_said_when_the_service_starts(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    secret = PEOPLE["AUTH_SECRET"]
    await start(PUBLIC_URL="https://pana.example.org", AUTH_SECRET=secret, MAIL="console")
    said = [one.getMessage() for one in caplog.records if one.name == "panamia" and one.levelno == logging.WARNING]
    assert any("look at the settings: MAIL is console" in one for one in said)
    assert not any(secret in one for one in said)
