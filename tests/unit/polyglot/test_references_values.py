"""Typed references in models of pydantic, typed dictionaries and dataclasses: what is refused, and what is told.

Oracle: cases by hand; jsonschema for what JSON Schema says. Type checkers: `test_references_static.py`.
"""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NewType, TypeVar, get_args
from uuid import UUID, uuid4

import jsonschema
import pytest
import sqlalchemy as sa
from bson import ObjectId
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from typing_extensions import TypedDict

from apps.panamia.models import metadata
from apps.panamia.models.ids import new_id
from isthmus.errors import ConfigError, PolyglotError
from isthmus.polyglot.references import PgRef as Bare
from isthmus.polyglot.references import Reference, References

PgRef = References(metadata)
UserId = Annotated[str, PgRef["users.id"]]
Id = NewType("Id", str)
T = TypeVar("T")
LETTER_HEX = "a5f0c1a2b3c4d5e6f7a8b9c0"


class CoAuthor(TypedDict):
    userId: UserId


class Page(BaseModel, Generic[T]):
    items: list[T]


class Document(BaseModel):
    user: UserId = Field(alias="userId")
    perhaps: UserId | None = None
    inside: Annotated[str | None, PgRef["users.id"]] = None
    many: list[UserId] = []
    named: Annotated[Id, PgRef["users.id"]] | None = None
    co_authors: dict[str, CoAuthor] = {}
    reply: Document | None = None
    order: Annotated[UUID, Bare["orders.id"]] | None = None
    number: Annotated[int, Bare["orders.number", "integer"]] = 0
    page: Page[UserId] | None = None


@dataclass
class Note:
    actor: UserId


def faults(validate: Any, value: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        validate(value)
    return [(".".join(str(part) for part in one["loc"]), one["msg"]) for one in caught.value.errors()]


def test_keys_pass_as_they_are() -> None:
    one, order = new_id(), uuid4()
    found = Document.model_validate(
        {
            "userId": one,
            "perhaps": None,
            "inside": one,
            "many": [one, new_id()],
            "named": one,
            "co_authors": {"x": {"userId": one}},
            "reply": {"userId": one},
            "order": str(order),
            "page": {"items": [one]},
        }
    )
    assert (found.user, found.inside, found.named, found.order) == (one, one, one, order)
    assert type(found.user) is str
    assert Document.model_validate(found.model_dump(by_alias=True)) == found
    assert Document.model_validate_json(found.model_dump_json(by_alias=True)) == found


@pytest.mark.parametrize("value", [LETTER_HEX, LETTER_HEX.upper(), ObjectId(LETTER_HEX)])
def test_an_old_id_is_refused_and_called_one_wherever_it_stands(value: object) -> None:
    one = new_id()
    bad = {
        "userId": value,
        "inside": value,
        "many": [one, value],
        "named": value,
        "co_authors": {"x": {"userId": value}},
        "reply": {"userId": value},
        "order": value,
        "page": {"items": [value]},
    }
    found = faults(Document.model_validate, bad)
    assert [place for place, _ in found] == [
        "userId",
        "inside",
        "many.1",
        "named",
        "co_authors.x.userId",
        "reply.userId",
        "order",
        "page.items.0",
    ]
    kind = "an ObjectId" if isinstance(value, ObjectId) else "the hex text of an ObjectId"
    assert {said.partition(";")[0] for _, said in found} == {f"This is {kind} of MongoDB, not the id of a row"}
    assert found[0][1].endswith("a key of users.id is a cuid2 (24 of a–z and 0–9, a letter first, not all hex digits)")


def test_what_is_no_key_is_refused_with_its_cause() -> None:
    assert faults(Document.model_validate, {"userId": "cjld2cjxh0000qzrmn831i7rn"})[0][1].startswith(
        "This has 25 characters and begins with c, as ids of the older cuid do; a key of users.id"
    )
    assert faults(Document.model_validate, {"userId": 5}) == [("userId", "Input should be a valid string")]
    assert faults(Document.model_validate, {"userId": new_id(), "number": 2**31})[0][1].startswith("This number is out")


def test_typed_dictionaries_and_dataclasses_are_judged_alike() -> None:
    one = new_id()
    assert TypeAdapter(CoAuthor).validate_python({"userId": one}) == {"userId": one}
    assert TypeAdapter(Note).validate_python({"actor": one}) == Note(one)
    assert len(faults(TypeAdapter(CoAuthor).validate_python, {"userId": LETTER_HEX})) == 1
    assert len(faults(TypeAdapter(Note).validate_python, {"actor": LETTER_HEX})) == 1


def test_json_schema_names_the_column_and_the_form() -> None:
    schema = Document.model_json_schema()
    fields = schema["$defs"]["Document"]["properties"]
    assert fields["userId"]["x-pg-ref"] == "users.id"
    assert [one.get("x-pg-ref") for one in fields["perhaps"]["anyOf"]] == ["users.id", None]
    assert fields["inside"]["x-pg-ref"] == "users.id"
    assert fields["many"]["items"]["x-pg-ref"] == "users.id"
    assert fields["number"] | {"minimum": -(2**31), "maximum": 2**31 - 1} == fields["number"]
    assert schema["$defs"]["CoAuthor"]["properties"]["userId"]["x-pg-ref"] == "users.id"
    jsonschema.validate({"userId": new_id(), "inside": new_id(), "perhaps": None}, schema)
    for bad in ({"userId": LETTER_HEX}, {"userId": new_id(), "inside": LETTER_HEX}, {"userId": new_id() + "a"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
    written = Document.model_json_schema(mode="serialization")["$defs"]["Document"]["properties"]
    assert written["userId"]["x-pg-ref"] == "users.id"


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[str, PgRef["users.id"], AfterValidator(str)],
        Annotated[str, StringConstraints(strip_whitespace=True), PgRef["users.id"], Field(description="who")],
        Annotated[str, Field(max_length=30), PgRef["users.id"], Field(min_length=2)],
        Annotated[str, BeforeValidator(str.strip), PgRef["users.id"]],
    ],
)
def test_what_else_is_said_of_a_field_stays_beside_the_reference(annotation: Any) -> None:
    adapter = TypeAdapter[str](annotation)
    one = new_id()
    assert adapter.validate_python(one) == one
    assert len(faults(adapter.validate_python, LETTER_HEX)) == 1
    schema = adapter.json_schema()
    assert (schema["x-pg-ref"], schema["pattern"][:4]) == ("users.id", "^(?!")


def test_a_reference_that_leads_nowhere_lets_modules_load_and_no_value_pass() -> None:
    class Wrong(BaseModel):
        user: Annotated[str, PgRef["user.id"]]

    with pytest.raises(PolyglotError) as caught:
        Wrong(user=new_id())
    assert caught.value.code == "pg-ref"
    assert "there is no table user" in str(caught.value)
    assert [one.code for one in caught.value.problems] == ["pg-ref-table"]
    assert "isthmus refs check" in (caught.value.hint or "")


def test_tables_may_be_declared_after_the_documents() -> None:
    late = sa.MetaData()
    adapter = TypeAdapter[int](Annotated[int, References(late)["late.id"]])
    sa.Table("late", late, sa.Column("id", sa.SmallInteger, primary_key=True))
    assert adapter.validate_python(7) == 7
    assert len(faults(adapter.validate_python, 2**15)) == 1


def test_a_text_of_which_nothing_says_the_form_is_no_reference() -> None:
    with pytest.raises(PolyglotError, match="Nothing says what keys of users"):
        TypeAdapter[str](Annotated[str, Bare["users.id"]]).validate_python(new_id())


def test_a_reference_alone_is_refused_with_what_to_write() -> None:
    with pytest.raises(AttributeError, match=r'write Annotated\[str, PgRef\["users.id"\]\]'):
        type("Alone", (BaseModel,), {"__annotations__": {"user": PgRef["users.id"]}, "__module__": __name__})


@pytest.mark.parametrize("named", [5, None, ("users.id", 5)])
def test_what_is_no_text_makes_no_reference(named: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        PgRef[named]
    assert caught.value.code == "pg-ref-name"


def test_references_of_other_tables_are_others() -> None:
    """`Annotated` gives the same object for equal arguments, so that equal references would share their tables."""
    others = References(sa.MetaData())
    assert PgRef["users.id"] != others["users.id"]
    assert PgRef["users.id"] == PgRef["users.id"]
    _, reference = get_args(Annotated[str, others["users.id"]])
    assert reference.metadata is others.metadata
    assert copy.deepcopy(PgRef["users.id"]).metadata is metadata


def test_references_are_equal_by_what_they_say_and_can_be_copied() -> None:
    bare = Bare["users.id", "cuid2"]
    assert bare == Reference("users.id", "cuid2")
    assert len({bare, Bare["users.id", "cuid2"], Bare["users.id"]}) == 2
    assert repr(bare) == 'PgRef["users.id", "cuid2"]'
    assert copy.copy(bare) == copy.deepcopy(bare) == pickle.loads(pickle.dumps(bare)) == bare  # noqa: S301  its own
