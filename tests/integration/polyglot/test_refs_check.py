"""`isthmus refs check`: a build ends where a reference of a document leads to no key.

Oracle: the documents of these projects themselves: each line on which something is wrong says which code it must get,
and no other line may get one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Ran, run_command

TABLES = """\
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, info={"form": "cuid2"}),
    sa.Column("email", sa.Text),
    sa.Column("name", sa.String(20)),
    sa.Column("old_id", sa.Text, unique=True, info={"deprecated": "gone in 2027"}),
    sa.Index("users_email_key", sa.text("lower(email)"), unique=True),
)
sa.Table("orders", metadata, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("no", sa.BigInteger, unique=True))
sa.Table("tokens", metadata, sa.Column("a", sa.Text, primary_key=True), sa.Column("b", sa.Text, primary_key=True))
sa.Table('Odd "one".x', metadata, sa.Column("Größe, id", sa.Integer, primary_key=True), schema="Säles")
sa.Table("memos", metadata, sa.Column("id", sa.Numeric(20), primary_key=True), schema="auth")
"""
TYPES = """\
from __future__ import annotations

from typing import Annotated
from uuid import UUID

from isthmus.polyglot.references import References
from shop.tables import metadata

PgRef = References(metadata)
UserId = Annotated[str, PgRef["users.id"]]
OrderId = Annotated[UUID, PgRef["orders.id"]]
"""
DOCUMENTS = """\
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, NamedTuple, NewType, NotRequired, TypeVar
from uuid import UUID

import attrs
from bson import ObjectId
from isthmus.polyglot.references import PgRef as Bare
from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypeAliasType, TypedDict

from shop.nested import Box, Inner
from shop.types import OrderId, PgRef, UserId

if TYPE_CHECKING:
    from shop.nowhere import Elsewhere

T = TypeVar("T")
Typo = TypeAliasType("Typo", Annotated[str, PgRef["users.idd"]])
Own = NewType("Own", Annotated[str, PgRef["usrs.id"]])


class CoAuthor(TypedDict):
    userId: UserId
    since: NotRequired[Annotated[str, PgRef["user.id"]]]  # pg-ref-table


class Reviewer(CoAuthor):
    by: Annotated[str, PgRef["users.id"]]


class Page(BaseModel, Generic[T]):
    items: list[T]


class Profile(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    known: ClassVar[dict[str, int]] = {}
    user_id: UserId | None = Field(default=None, alias="userId")
    orders: dict[str, list[OrderId]] = {}
    co_authors: list[CoAuthor] = []
    page: Page[Annotated[str, PgRef["users.emial"]]] | None = None  # pg-ref-column
    reply: Profile | None = None
    old: Annotated[str, PgRef["users.old_id"]] = ""
    wrong: Annotated[int, PgRef["users.id"]] = 0  # pg-ref-type
    object_id: Annotated[ObjectId, PgRef["users.id"]]  # pg-ref-type
    text: Annotated[str, PgRef["orders.id"]] = ""  # pg-ref-type
    said: Annotated[str, PgRef["orders.id", "uuid-text"]] = ""
    many: Annotated[list[str], PgRef["users.id"]] = []  # pg-ref-type
    typo: Typo = ""  # pg-ref-column
    own: Own | None = None  # pg-ref-table
    inner: Inner | None = None
    box: Box[Annotated[int, PgRef["users.id"]]] | None = None  # pg-ref-type


class Longer(Profile):
    more: Annotated[str, PgRef["users.nam"]] = Field(  # pg-ref-column
        default=""
    )


class Users(Page[Annotated[int, PgRef["orders.id"]]]):  # pg-ref-type
    total: int = 0


@dataclass
class Memo:
    token: Annotated[str, PgRef["tokens.a"]]  # pg-ref-key
    mail: Annotated[str, PgRef["users.email"]]  # pg-ref-key
    name: Annotated[str, PgRef["users.name"]]  # pg-ref-key
    odd: Annotated[int, PgRef['"Säles"."Odd ""one"".x"."Größe, id"']]
    memo: Annotated[int, PgRef["memos.id"]]  # pg-ref-table
    unknown: Annotated[int, PgRef["auth.memos.id"]]  # pg-ref-form
    shape: Annotated[str, PgRef["users.id", "cuid"]]  # pg-ref-form
    looser: Annotated[str, PgRef["users.id", "text"]]  # pg-ref-form
    bad: Annotated[str, PgRef["users"]]  # pg-ref-name
    alone: PgRef["users.id"]  # pg-ref-alone
    other: Elsewhere  # pg-ref-unread
    bare: Annotated[str, Bare["users.id"]]  # pg-ref-form
    stated: Annotated[str, Bare["users.id", "cuid2"]]
    called: Callable[[Annotated[str, PgRef["userz.id"]]], None]  # pg-ref-table
    init: InitVar[Annotated[str, PgRef["userz.id"]]]  # pg-ref-table
    memo_of: list["Memo"] = field(default_factory=list)
    whole: Annotated[dict[UserId, int], Field()] = field(default_factory=dict)
    deep: Mapping[UserId, tuple[Annotated[str, PgRef["userz.id"]], ...]] = field(default_factory=dict)  # pg-ref-table

    class Within(BaseModel):
        id: Annotated[int, PgRef["users.id"]]  # pg-ref-type


class Pair(NamedTuple):
    number: Annotated[int, PgRef["orders.no"]]
    str: Any = None
    shadowed: Annotated["str", PgRef["users.id", "uuid"]] = ""  # pg-ref-form


@attrs.define
class Attrs:
    user: Annotated[str, PgRef["users.idx"]]  # pg-ref-column


Made = TypedDict("Made", {
    "user-id": Annotated[str, PgRef["usrs.id"]],  # pg-ref-table
})
Created = create_model(
    "Created",
    user=(Annotated[str, PgRef["usrs.id"]], ...),  # pg-ref-table
)
Unused = Annotated[str, PgRef["nothing.like.this"]]  # pg-ref-table
Numbers = Page[Annotated[int, PgRef["orders.nr"]]]  # pg-ref-column


class Service:
    store: Elsewhere
    user: Annotated[int, PgRef["users.id"]]  # pg-ref-type
"""
NESTED = """\
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Generic, TypedDict, TypeVar

from shop.types import PgRef

T = TypeVar("T")


class Inner(TypedDict):
    order: Annotated[int, PgRef["orders.id"]]  # pg-ref-type


@dataclass
class Box(Generic[T]):
    first: T
    second: Annotated[str, PgRef["box.id"]]  # pg-ref-table


class NotLookedAt(TypedDict):
    order: Annotated[int, PgRef["orders.id"]]
"""
SETTINGS = '[schema]\nfolder = "m"\nmodels = "shop.tables:metadata"\ndocuments = ["shop.documents"]\n'
GOOD = "from shop.types import UserId\nfrom dataclasses import dataclass\n@dataclass\nclass Note:\n    actor: UserId\n"
if sys.version_info < (3, 12):  # there pydantic takes that of typing_extensions alone
    NESTED = NESTED.replace(
        "import Annotated, Generic, TypedDict, TypeVar", "import Annotated, Generic, TypeVar"
    ).replace("from shop.types", "from typing_extensions import TypedDict\n\nfrom shop.types")

Project = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a function that writes a project, its documents as given; other files by their names."""

    def write(documents: str = GOOD, settings: str = SETTINGS, **more: str) -> Path:
        (tmp_path / "shop").mkdir(exist_ok=True)
        (tmp_path / "isthmus.toml").write_text(settings)
        files = {"__init__": "", "tables": TABLES, "types": TYPES, "nested": NESTED, "documents": documents, **more}
        for name, text in files.items():
            (tmp_path / "shop" / f"{name}.py").write_text(text)
        return tmp_path

    return write


def checked(folder: Path, *words: str) -> tuple[Ran, dict[str, Any]]:
    ran = run_command(folder, "refs", "check", *words, "--json", folder / "found.json")
    return ran, json.loads((folder / "found.json").read_text())


def marked(text: str) -> set[tuple[int, str]]:
    found = ((number, re.search(r"# (pg-ref-\w+)$", line)) for number, line in enumerate(text.splitlines(), 1))
    return {(number, match[1]) for number, match in found if match is not None}


def test_every_wrong_reference_is_told_with_its_line_and_none_besides(project: Project) -> None:
    ran, found = checked(project(DOCUMENTS))
    assert (ran.code, found["outcome"], found["exit_code"]) == (5, "refused", 5)
    findings = found["schemas"]["m"]["findings"]
    for file, text in (("shop/documents.py", DOCUMENTS), ("shop/nested.py", NESTED)):
        told = {(one["line"], one["rule"]) for one in findings if one["file"] == file}
        assert told == marked(text)
    assert {one["file"] for one in findings} == {"shop/documents.py", "shop/nested.py"}
    assert len(findings) == len({(one["file"], one["line"], one["rule"]) for one in findings})
    assert "shop/documents.py\n" in ran.out
    assert f"{len(findings)} findings in 2 files." in ran.out
    assert "line 27: CoAuthor.since → user.id: there is no table user. (pg-ref-table)" in ran.out
    assert "Did you mean users.id?" in ran.out
    places = {one["field"] for one in findings}
    assert {"Memo.deep.*[]", "Memo.Within.id", "Made.user-id", "Created.user", "Unused"} <= places
    notes = found["schemas"]["m"]["notes"]
    assert [(one["field"], one["note"]) for one in notes] == [
        ("Profile.old", "users.old_id leads to what is to go, the column old_id is called deprecated: gone in 2027.")
    ]
    assert "note: shop/documents.py:" in ran.err


def test_references_that_lead_to_keys_are_listed_with_type_and_form(project: Project) -> None:
    _, found = checked(project(DOCUMENTS))
    listed = {one["field"]: one for one in found["schemas"]["m"]["references"] if one["form"] is not None}
    assert {name: (one["refers_to"], one["type"], one["form"]) for name, one in listed.items()} == {
        "CoAuthor.userId": ("users.id", "str", "cuid2"),
        "Reviewer.by": ("users.id", "str", "cuid2"),
        "Profile.user_id": ("users.id", "str", "cuid2"),
        "Profile.orders.*[]": ("orders.id", "UUID", "uuid"),
        "Profile.old": ("users.old_id", "str", "text"),
        "Profile.said": ("orders.id", "str", "uuid-text"),
        "Memo.odd": ('"Säles"."Odd ""one"".x"."Größe, id"', "int", "integer"),
        "Memo.stated": ("users.id", "str", "cuid2"),
        "Memo.whole key": ("users.id", "str", "cuid2"),
        "Memo.deep key": ("users.id", "str", "cuid2"),
        "Pair.number": ("orders.no", "int", "bigint"),
    }


def test_a_project_without_fault_passes(project: Project) -> None:
    folder = project()
    ran, found = checked(folder)
    assert ran.code == 0, ran.all
    assert ran.out == "1 reference in 1 class: it leads to a key of m.\n"
    assert found["schemas"]["m"]["references"][0] == {
        "field": "Note.actor",
        "file": str(folder / "shop" / "documents.py"),
        "line": 5,
        "refers_to": "users.id",
        "type": "str",
        "form": "cuid2",
    }
    below = run_command(folder / "shop", "refs", "check", "shop.documents:Note")
    assert (below.code, below.out) == (0, ran.out)


FAULTS: dict[str, tuple[dict[str, str], list[str], str, str]] = {
    # files, arguments, code, and what is said
    "no module": ({}, ["shop.nowhere"], "models-missing", "There is no module shop.nowhere."),
    "no name of a module": ({}, ["shop documents"], "bad-models", "'shop documents' names no module"),
    "no such class": ({}, ["shop.documents:Notes"], "models-missing", "there is no 'Notes'"),
    "no class": ({}, ["shop.types:PgRef"], "bad-models", "shop.types:PgRef is no class"),
    "cannot be imported": (
        {"documents": f"{GOOD}\nraise ValueError('postgresql://u:geheim@h/d')\n"},
        [],
        "models-failed",
        "shop/documents.py:7",
    ),
    "no syntax": ({"documents": f"{GOOD}x = (\n"}, [], "models-failed", "SyntaxError"),
    "a reference alone in a model of pydantic": (
        {
            "documents": (
                "from pydantic import BaseModel\nfrom shop.types import PgRef\n"
                "class A(BaseModel):\n    user: PgRef['users.id']\n"
            )
        },
        [],
        "models-failed",
        'write Annotated[str, PgRef["users.id"]]',
    ),
    "several cannot be imported": (
        {"nested": "import nothing_here", "documents": "1 / 0"},
        ["shop.nested", "shop.documents", "shop.types"],
        "models-failed",
        "2 of 3 modules with documents cannot be looked at.",
    ),
    "no reference": (
        {"documents": "class A:\n    user: str\n"},
        [],
        "no-references",
        "No reference to the tables of m",
    ),
    "no documents": (
        {"settings": SETTINGS.partition("documents =")[0]},
        [],
        "no-documents",
        "Nothing says which modules have document models.",
    ),
    "no tables": (
        {"settings": '[schema]\nfolder = "m"\ndocuments = ["shop.documents"]\n'},
        [],
        "no-models",
        "no models",
    ),
    "empty setting": ({"settings": SETTINGS.replace("shop.documents", " ")}, [], "bad-settings", "documents"),
    "no list in the setting": (
        {"settings": SETTINGS.replace('["', '"').replace('"]', '"')},
        [],
        "bad-settings",
        "list",
    ),
    "several schemas": (
        {"settings": f'{SETTINGS.replace("[schema]", "[[schema]]")}[[schema]]\nfolder = "n"\n'},
        ["shop.documents"],
        "which-schema",
        "Give --schema",
    ),
    "no such schema": ({}, ["--schema", "x"], "unknown-schema", "There is no schema x."),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_checked_is_refused_with_its_cause(case: str, project: Project) -> None:
    files, words, code, said = FAULTS[case]
    folder = project(**files)
    ran, found = checked(folder, *words)
    assert (ran.code, found["exit_code"], found["code"]) == (2, 2, code), ran.all
    assert said in ran.err
    assert ran.out == ""
    assert "geheim" not in f"{ran.all}{found}"


def test_what_modules_print_is_no_result(project: Project) -> None:
    folder = project(f"import os\nprint('loud')\nos.system('echo louder')\n{GOOD}")
    ran = run_command(folder, "refs", "check", "--json", "-")
    assert json.loads(ran.out)["outcome"] == "passed"
    assert "loud\n" in ran.err


def test_each_schema_is_asked_for_its_own_documents(project: Project) -> None:
    """Two databases have a table of the same name; a reference leads to that of its own schema."""
    settings = (
        '[[schema]]\nfolder = "m"\nmodels = "shop.tables:metadata"\ndocuments = ["shop.documents"]\n'
        '[[schema]]\nfolder = "n"\nmodels = "shop.other:metadata"\ndocuments = ["shop.nested"]\n'
    )
    other = (
        "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
        "sa.Table('users', metadata, sa.Column('id', sa.BigInteger, primary_key=True))\n"
    )
    nested = (
        "from dataclasses import dataclass\nfrom typing import Annotated\n"
        "from isthmus.polyglot.references import References\nfrom shop.other import metadata\n"
        "PgRef = References(metadata)\n@dataclass\nclass Inner:\n    user: Annotated[int, PgRef['users.id']]\n"
    )
    folder = project(settings=settings, other=other, nested=nested)
    ran, found = checked(folder)
    assert ran.code == 0, ran.all
    forms = {title: one["references"][0]["form"] for title, one in found["schemas"].items()}
    assert forms == {"m": "cuid2", "n": "bigint"}
    ran, found = checked(folder, "shop.nested", "--schema", "m")
    (finding,) = found["schemas"]["m"]["findings"]
    assert (ran.code, finding["rule"], finding["field"]) == (5, "pg-ref-type", "Inner.user")


def test_tables_that_only_the_application_knows_are_held_against_it_too(project: Project) -> None:
    """The settings name other metadata than the references were given: both have to agree with the field."""
    other = "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
    types = TYPES.replace("shop.tables", "shop.other")
    ran, found = checked(project(other=other, types=types))
    (finding,) = found["schemas"]["m"]["findings"]
    assert (ran.code, finding["rule"]) == (5, "pg-ref-table")
    assert "there is no table users, in the metadata that this PgRef was given." in finding["message"]


def test_panamia_s_tables_can_be_referred_to(project: Project, tmp_path: Path) -> None:
    """The application's own metadata, imported as its settings name it and by its full name."""
    documents = (
        "from dataclasses import dataclass\nfrom typing import Annotated\n"
        "from isthmus.polyglot.references import References\nfrom apps.panamia.models import metadata\n"
        "PgRef = References(metadata)\n@dataclass\nclass Note:\n"
        "    user: Annotated[str, PgRef['users.id']]\n"
        "    claimed: Annotated[str, PgRef['profiles.user_id']]\n"
        "    slug: Annotated[str, PgRef['articles.slug']]\n"
        "    token: Annotated[str, PgRef['verification_tokens.token']]\n"
        "    mail: Annotated[str, PgRef['users.email']]\n"
        "    identifier: Annotated[str, PgRef['verification_tokens.identifier']]\n"
        "    follower: Annotated[str, PgRef['profile_follows.follower_id']]\n"
        "    author: Annotated[str, PgRef['articles.author_id']]\n"
    )
    (tmp_path / "apps").symlink_to(Path(__file__).parents[3] / "apps")
    settings = SETTINGS.replace("shop.tables:metadata", "apps.panamia.models:Base")
    ran, found = checked(project(documents, settings))
    good = {one["field"]: one["form"] for one in found["schemas"]["m"]["references"] if one["form"]}
    assert good == {"Note.user": "cuid2", "Note.claimed": "cuid2", "Note.slug": "text", "Note.token": "text"}
    bad = {one["field"]: one["message"].partition("→ ")[2] for one in found["schemas"]["m"]["findings"]}
    assert bad == {
        "Note.mail": "users.email is no key: what is unique is lower(email).",
        "Note.identifier": (
            "verification_tokens.identifier is no key by itself: only identifier and token together tell which row is"
            " meant."
        ),
        "Note.follower": (
            "profile_follows.follower_id is no key by itself: only follower_id and profile_id together tell which row"
            " is meant."
        ),
        "Note.author": "articles.author_id is no key: several rows may have the same value.",
    }
    assert ran.code == 5
