"""What may be ensured: keys, e-mails, the field that holds the key; which e-mails are looked for.

Oracle: tables by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from bson import Binary, ObjectId
from bson.binary import UuidRepresentation
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from isthmus.errors import PolyglotError
from isthmus.polyglot.ensure import Belonging
from isthmus.polyglot.ensure.filters import is_looked_for, stored_form, with_email
from isthmus.polyglot.references import References

METADATA = sa.MetaData()
sa.Table("users", METADATA, sa.Column("id", sa.Text, primary_key=True, info={"form": "cuid2"}))
sa.Table("orders", METADATA, sa.Column("id", sa.Uuid, primary_key=True))
PgRef = References(METADATA)
UserId = Annotated[str, PgRef["users.id"]]
CUID2 = "tz4a98xxat96iws9zmbrgj3a"
AN_UUID = UUID("12345678-1234-4234-8234-1234567890ab")


class Owner(TypedDict):
    id: UserId


class Profile(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    userId: UserId | None = None  # noqa: N815  as documents have it
    order_id: Annotated[UUID, PgRef["orders.id"]] | None = Field(default=None, alias="orderId")
    owner: Owner | None = None
    count: int = 0
    names: list[str] = []


class Longer(Profile):
    more: str = ""


@dataclass
class Plain:
    userId: str  # noqa: N815  as documents have it


def refused(work: Any) -> PolyglotError:
    with pytest.raises(PolyglotError) as error:
        work()
    assert error.value.hint
    return error.value


@pytest.mark.parametrize(
    ("holds", "path", "form"),
    [
        (str, "userId", "text"),
        (UUID, "userId", "uuid"),
        (int, "userId", "bigint"),
        (UserId, "anything", "cuid2"),
        (UserId | None, "anything", "cuid2"),
        (Profile, "userId", "cuid2"),
        (Longer, "userId", "cuid2"),
        (Profile, "orderId", "uuid"),
        (Profile, "owner.id", "cuid2"),
        (Profile, "count", "bigint"),
        (Plain, "userId", "text"),
        (Owner, "id", "cuid2"),
    ],
)
def test_form_of_keys_comes_from_what_the_field_holds(holds: Any, path: str, form: str) -> None:
    assert Belonging(path, holds).form.name == form


@pytest.mark.parametrize(
    ("holds", "path", "words"),
    [
        (Profile, "user_id", "Profile declares no field user_id"),
        (Profile, "order_id", "declares no field"),
        (Profile, "owner.name", "declares no field"),
        (Profile, "names", "list[str]"),
        (bool, "userId", "bool"),
        (ObjectId, "userId", "ObjectId"),
        (Annotated[list[UserId], "x"], "userId", "no type of a key"),
        (str | int, "userId", "no type of a key"),
        (PgRef["users.id"], "userId", "no type of a key"),
    ],
)
def test_field_that_holds_no_key_is_refused(holds: Any, path: str, words: str) -> None:
    error = refused(lambda: Belonging(path, holds).check(CUID2, "c"))
    assert error.code == "ensure-belonging"
    assert words in error.message


def test_reference_that_leads_nowhere_is_refused() -> None:
    assert refused(lambda: Belonging("userId", Annotated[str, PgRef["user.id"]]).form).code == "pg-ref"


@pytest.mark.parametrize(
    ("holds", "value"), [(str, "u'1"), (str, " "), (UUID, AN_UUID), (int, 0), (int, -5), (Profile, CUID2)]
)
def test_keys_that_pass(holds: Any, value: object) -> None:
    Belonging("userId", holds).check(value, "people")


@pytest.mark.parametrize(
    ("holds", "value", "words"),
    [
        (str, "", "empty"),
        (str, None, "NoneType"),
        (str, 5, "int"),
        (str, "a\0b", "PostgreSQL cannot store"),
        (str, "\ud800", "PostgreSQL cannot store"),
        (str, ObjectId(), "ObjectId"),
        (str, AN_UUID, "UUID"),
        (str, {"$ne": None}, "dict"),
        (UUID, str(AN_UUID), "str"),
        (int, True, "bool"),
        (int, 2**63, "range"),
        (Profile, "a5f0c1a2b3c4d5e6f7a8b9c0", "hex text"),
        (Profile, "short", "5 characters"),
    ],
)
def test_values_that_are_no_key_are_refused(holds: Any, value: object, words: str) -> None:
    error = refused(lambda: Belonging("userId", holds).check(value, "people"))
    assert error.code == "ensure-reference"
    assert words in error.message
    assert "people" in error.message


@pytest.mark.parametrize("path", ["", ".", "a.", "a..b", "$set", "a.$b", "a\0", "_id", "_id.a", 5])
def test_paths_that_are_none(path: Any) -> None:
    assert refused(lambda: Belonging(path)).code == "ensure-belonging"
    if not str(path).startswith("_id"):
        assert refused(lambda: Belonging("userId", email=path)).code == "ensure-belonging"


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("a", "a.b"), ("a.b", "a")])
def test_reference_and_email_are_two_fields(one: str, other: str) -> None:
    assert refused(lambda: Belonging(one, email=other)).code == "ensure-belonging"
    Belonging("a.b", email="a.c")


@pytest.mark.parametrize("steps", ["trim", ("trim", "upper"), (5,)])
def test_normalise_has_the_words_of_a_mapping(steps: Any) -> None:
    assert refused(lambda: Belonging("a", normalise=steps)).code == "ensure-belonging"


@pytest.mark.parametrize(
    ("steps", "email", "becomes"),
    [
        (("trim", "lower"), "\u00a0 Ann@X.ORG\r\n", "ann@x.org"),
        (("trim",), " Ann@X ", "Ann@X"),
        (("lower",), " Ann@X ", " ann@x "),
        ((), " Ann@X ", " Ann@X "),
        (("trim", "lower"), "ÄNN@X", "änn@x"),
    ],
)
def test_emails_are_normalised_as_a_mapping_says(steps: Any, email: str, becomes: str) -> None:
    one = Belonging("a", email="email", normalise=steps)
    assert one.normalised(email, "people") == becomes
    assert one.is_of(email, becomes)


@pytest.mark.parametrize("email", ["", " \t", 5, b"a@x", "a\0@x", "\ud800@x", {"$gt": ""}])
def test_emails_that_are_none(email: Any) -> None:
    assert refused(lambda: Belonging("a", email="email").normalised(email, "people")).code == "ensure-email"


def test_email_without_a_field_for_it_is_refused() -> None:
    assert refused(lambda: Belonging("a").normalised("a@x", "people")).code == "ensure-email"


def test_values_that_are_no_text_are_nobodys_email() -> None:
    one = Belonging("a", email="email")
    assert not any(one.is_of(stored, "a@x") for stored in (None, ["a@x"], 5, {"a": 1}, b"a@x", "b@x"))


@pytest.mark.parametrize("stored", ["a@x", " A@x", "A@X\r\n", "\u00a0a@x\t", "  a@x  ", "   ", ""])
def test_emails_that_are_looked_for(stored: str) -> None:
    one = Belonging("a", email="email")
    assert is_looked_for(one, stored)
    if stored.strip():
        asked = with_email(one, "a@x", "a@x")["email"]["$in"]
        assert stored.lower() in asked
        assert len(asked) == len(set(asked))


@pytest.mark.parametrize("stored", ["   a@x", "a@x\n\n", "\u2003a@x"])
def test_emails_that_no_look_up_finds(stored: str) -> None:
    assert not is_looked_for(Belonging("a", email="email"), stored)


def test_what_the_caller_gave_is_looked_for_as_well() -> None:
    assert "   A@x" in with_email(Belonging("a", email="email"), "a@x", "   A@x")["email"]["$in"]
    exact = Belonging("a", email="email", normalise=())
    assert with_email(exact, " A@x", " A@x") == {"email": {"$in": [" A@x"]}}


def test_uuids_are_written_as_the_collection_does_or_as_subtype_4() -> None:
    assert stored_form(AN_UUID, UuidRepresentation.STANDARD) == AN_UUID
    assert stored_form(AN_UUID, UuidRepresentation.UNSPECIFIED) == Binary(AN_UUID.bytes, 4)
    assert stored_form("text", UuidRepresentation.UNSPECIFIED) == "text"
