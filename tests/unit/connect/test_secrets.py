"""No password survives `hide`, however the text around it is written."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connect.secrets import hide

SECRET = "Geh3im"  # noqa: S105 - it is the one to be hidden


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:Geh3im@h:5432/db", "postgresql://u:***@h:5432/db"),
        ("postgres://u:Geh3im@h", "postgres://u:***@h"),
        ("mongodb://u:Geh3im@h1:1,h2:2/db?replicaSet=r", "mongodb://u:***@h1:1,h2:2/db?replicaSet=r"),
        ("mongodb+srv://u:Geh3im@cluster/db", "mongodb+srv://u:***@cluster/db"),
        ("postgresql+psycopg://u:Geh3im@h/db", "postgresql+psycopg://u:***@h/db"),
        ("postgresql://:Geh3im@h/db", "postgresql://:***@h/db"),
        ("postgresql://u:Geh%403im%2FGeh3im@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:Ge@Geh3im/x?y#z@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:Geh3im with space@h/db", "postgresql://u:***@h/db"),
        (
            "postgresql://h/db?user=u&password=Geh3im&sslmode=require",
            "postgresql://h/db?user=u&password=***&sslmode=require",
        ),
        ("postgresql://h/db?pass%77ord=Geh3im", "postgresql://h/db?pass%77ord=***"),
        ("postgresql://h/db?PASSWORD=Geh3im", "postgresql://h/db?PASSWORD=***"),
        ("mongodb://h/?tlsCertificateKeyFilePassword=Geh3im&a=b", "mongodb://h/?tlsCertificateKeyFilePassword=***&a=b"),
        ("mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:Geh3im", "mongodb://h/?authMechanismProperties=***"),
        ("host=h password=Geh3im dbname=d", "host=h password=*** dbname=d"),
        ("host=h password = 'Geh3im \\' Geh3im' dbname=d", "host=h password = *** dbname=d"),
        ("password='Geh3im not closed", "password=***"),
        ("host=h password=Ge\\ Geh3im dbname=d", "host=h password=*** dbname=d"),
        ("host=h password=a&Geh3im dbname=d", "host=h password=*** dbname=d"),
        ("sslpassword=Geh3im host=h", "sslpassword=*** host=h"),
        ("PGPASSWORD=Geh3im isthmus copy", "PGPASSWORD=*** isthmus copy"),
        ("{'host': 'h', 'password': 'Geh3im'}", "{'host': 'h', 'password': \"***\"}"),
        ('{"password": "Geh\\"3im Geh3im", "a": 1}', '{"password": "***", "a": 1}'),
        (
            'could not connect to "postgresql://u:Geh3im@h/db": no route (mongodb://a:Geh3im@b/c)',
            'could not connect to "postgresql://u:***@h/db": no route (mongodb://a:***@b/c)',
        ),
        ("line one\npostgresql://u:Geh3im@h/db\nline three", "line one\npostgresql://u:***@h/db\nline three"),
    ],
)
def test_secret_is_hidden_and_the_rest_stays(text: str, expected: str) -> None:
    assert hide(text) == expected
    assert SECRET not in hide(text)
    assert hide(hide(text)) == hide(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "postgresql://user@host:5432/db?sslmode=require",
        "mongodb://host:27017/db",
        "host=h port=5432 user=u dbname=d",
        "collection Users, _id 5: mail me@example.com at 12:30",
        "https://example.com/a:b",
        "the password policy of 2024 asks for more",
        "field password_hint is text",
    ],
)
def test_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert hide(text) == text


def test_known_secret_is_hidden_in_every_form() -> None:
    assert hide("server said: p@ss/wörd p%40ss%2Fw%C3%B6rd", ["p@ss/wörd"]) == "server said: *** ***"
    assert hide("nothing", ["", "x"]) == "nothing"


PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="<>\x7f"), min_size=1)


@given(PASSWORDS.map(lambda one: f"§{one}§"), st.booleans())
def test_no_password_survives_in_a_url(password: str, encoded: bool) -> None:
    written = quote(password, safe="") if encoded else password
    for text in (f"postgresql://user:{written}@host/db", f"error at mongodb://user:{written}@host/db: refused"):
        hidden = hide(text)
        assert "§" not in hidden
        assert "%C2%A7" not in hidden


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_no_password_survives_in_a_connection_string(password: str) -> None:
    from psycopg.conninfo import make_conninfo

    hidden = hide(make_conninfo(host="h", password=f"§§{password}§§", dbname="d"))
    assert "§§" not in hidden
    assert "dbname=d" in hidden
