"""What counts as a target, and that no message about one repeats a password."""

from __future__ import annotations

import pytest

from isthmus.connect.target import open_target
from isthmus.errors import ConfigError

SECRET = "Geh3im"  # noqa: S105 - it is the one to be hidden


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("postgresql://u:Geh3im@h:5432/db?sslmode=require", "postgresql://u@h:5432/db"),
        ("postgres://u:Geh3im@h/db", "postgresql://u@h/db"),
        ("postgresql://u:x?Geh3im@h/db", "postgresql://u@h/db"),
        ("  postgresql://h/db ", "postgresql://h/db"),
        ("postgresql://u:Geh3im@h1:1,h2:2/db", "postgresql://u@h1:1,h2:2/db"),
        ("host=h port=1 user=u password='Geh3im' dbname='a b'", "postgresql://u@h:1/a%20b"),
        ("host=h1,h2 port=5 dbname=d", "postgresql://h1:5,h2:5/d"),
        ("dbname=d", "postgresql:///d"),
        ("postgresql://", "postgresql://"),
        ("postgresql:///db?host=/tmp/sockets&pass%77ord=Geh3im", "postgresql://%2Ftmp%2Fsockets/db"),
    ],
)
def test_server_address_is_taken_and_shown_without_secrets(text: str, display: str) -> None:
    target = open_target(text)
    assert target.kind == "server"
    assert target.conninfo == text.strip()
    assert target.display == display
    assert SECRET not in repr(target)
    target.close()
    target.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Geh3im",
        "embedded:",
        "mongodb://u:Geh3im@h/db",
        "mysql://u:Geh3im@h/db",
        "postgresql+psycopg://u:Geh3im@h/db",
        "postgresql://u:Geh3im/x@h/db",
        "postgresql://u:Geh3im%zz@h/db",
        "postgresql://h/db?passwort=Geh3im",
        "postgresql://u:1234/Geh3im@h/db",
        "host=h passwort=Geh3im",
        "host=h password='Geh3im",
        "/var/lib/db",
    ],
)
def test_other_text_is_refused_without_repeating_a_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_target(text)
    assert (caught.value.code, caught.value.exit_code) == ("bad-target", 2)
    assert caught.value.hint
    if text != SECRET:
        assert SECRET not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_parameters_of_prisma_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        open_target("postgresql://u:Geh3im@h/db?sslmode=require&schema=public&connection_limit=5&Geh3im=1")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Leave out connection_limit, schema, which Prisma knows")
    assert "For tables in another schema than public: options=-csearch_path%3DSCHEMA in its place." in caught.value.hint
    assert SECRET not in f"{caught.value} {caught.value.hint}"
