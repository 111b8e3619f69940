"""Nothing that a command prints or exports holds a secret, neither of a row nor of a dead letter."""

from __future__ import annotations

import json
from pathlib import Path

import bson
import pytest
from bson import CodecOptions, DatetimeConversion

from tests.apps.nextcrm.conftest import MAPPING, Carried
from tests.apps.running import isthmus

DATES: CodecOptions[dict[str, object]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
SECRETS = {
    "Users": ("password",),
    "openAi_keys": ("api_key",),
    "secondBrain_notions": ("notion_api_key",),
    "systemServices": ("serviceKey", "servicePassword"),
}


def secrets_of(dump: Path) -> set[str]:
    """Every secret of the source."""
    found: set[str] = set()
    for collection, fields in SECRETS.items():
        for document in bson.decode_all((dump / f"{collection}.bson").read_bytes(), DATES):
            found |= {str(document[field]) for field in fields if document.get(field) is not None}
    assert len(found) > 20
    return found


def printed(carried: Carried, *arguments: str) -> str:
    """Everything a command writes to both of its outputs."""
    ran = isthmus(*arguments, database=carried.database, home=carried.dump)
    return ran.out + ran.said


COMMANDS = (
    ("letters", "list"),
    ("letters", "list", "--json", "-"),
    ("letters", "export"),
    ("orphans", "list"),
    ("orphans", "list", "--json", "-"),
    ("conflicts", "list"),
    ("conflicts", "list", "--json", "-"),
    ("status", "--json", "-"),
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_prints_a_secret(busy: Carried, arguments: tuple[str, ...]) -> None:
    said = printed(busy, *arguments)
    assert said
    assert not [secret for secret in secrets_of(busy.dump) if secret in said]


def test_neither_the_copy_nor_a_shown_letter_holds_a_secret(busy: Carried) -> None:
    secrets = secrets_of(busy.dump)
    assert not [secret for secret in secrets if secret in busy.copied.said + json.dumps(busy.copied.report)]
    exported = [json.loads(line) for line in printed(busy, "letters", "export").splitlines() if line.startswith("{")]
    numbers = [str(one["id"]) for one in exported if one["collection"] in SECRETS]
    assert numbers
    for number in numbers[:3]:
        said = printed(busy, "letters", "show", number)
        assert not [secret for secret in secrets if secret in said]


def test_a_letter_shows_its_secret_to_who_asks(busy: Carried) -> None:
    """Or the tests above could not fail."""
    said = printed(busy, "letters", "export", "--show-sensitive")
    assert [secret for secret in secrets_of(busy.dump) if secret in said]


def test_a_report_of_verify_holds_no_secret(busy: Carried, tmp_path: Path) -> None:
    page = tmp_path / "verified.html"
    layers = ("--layers", "counts,types,checksum", "--html", str(page), "--json", "-")
    said = printed(busy, "verify", str(MAPPING), "--source", str(busy.dump), *layers)
    said += page.read_text(encoding="utf-8")
    assert not [secret for secret in secrets_of(busy.dump) if secret in said]
