"""The generator itself: the same bytes for the same seed, what each profile promises, links the same on both sides."""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import CodecOptions, DatetimeConversion

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generate import main
from apps.nextcrm.generator.build import fewest, generate, profile_of, smallest
from apps.nextcrm.generator.catalogue import PLANTS
from apps.nextcrm.generator.ids import Ids
from apps.nextcrm.generator.models import ENUMS, FIELDS
from apps.nextcrm.generator.profiles import AS_RUN, Links, as_run, busy
from apps.nextcrm.generator.relations import JUNCTIONS, Relation
from tests.fix_mongo import MongoDatabase

DATES: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
GENERATOR = Path(__file__).parents[3] / "apps" / "nextcrm"


def digest(folder: Path) -> str:
    """One number for all files of a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def test_the_generator_knows_nothing_of_isthmus() -> None:
    for path in [*(GENERATOR / "generator").glob("*.py"), GENERATOR / "generate.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"isthmus", "tests"}], path
            # Nor anything that does.
            own = [name for name in names if name.startswith("apps")]
            assert all(name.startswith(("apps.generating", "apps.nextcrm.generator")) for name in own), path


@pytest.mark.parametrize("profile", ["as-run", "busy"])
def test_a_seed_gives_the_same_bytes_and_another_one_others(profile: str, tmp_path: Path) -> None:
    made = [tmp_path / str(number) for number in range(3)]
    for folder, seed in zip(made, (1, 1, 2), strict=True):
        generate(profile_of(profile, 1_000), seed, DumpFolder(folder)).write(folder / "truth.json")
    assert digest(made[0]) == digest(made[1])
    assert digest(made[0]) != digest(made[2])


def test_ids_that_no_document_has_are_different_ones_however_many_documents_there_are() -> None:
    ids = Ids(1, dict.fromkeys(FIELDS, 500_000_000))
    numbers = (1, 10, 16_777_215, 16_777_216, 16_777_217, 1_000_000_000)
    assert len({ids.gone(number) for number in numbers}) == len(numbers)


def test_the_real_run_has_its_counts_and_its_losses(tmp_path: Path) -> None:
    truth = generate(as_run(), 1, DumpFolder(tmp_path))
    assert sum(truth.read.values()) == 9_288
    assert sum(bool(size) for size in truth.read.values()) == len(AS_RUN) == 22
    comments = bson.decode_all((tmp_path / "tasksComments.bson").read_bytes())
    crm = {one["_id"] for one in bson.decode_all((tmp_path / "crm_Accounts_Tasks.bson").read_bytes())}
    assert len(comments) == 38
    assert len({one["task"] for one in comments}) == 33
    assert len({one["task"] for one in comments} & crm) == 9
    dangling = [one for one in truth.planted if one.name == "dangling"]
    assert (len(dangling), len({str(one.value) for one in dangling})) == (22, 10)
    # What the real run inserted: what the accounts' and boards' own arrays name, each once.
    for name, pairs in (("AccountWatchers", 29), ("BoardWatchers", 114)):
        assert truth.junctions[name].pairs - truth.junctions[name].only_right == pairs


def test_a_busy_million_has_the_shares_that_were_asked_for() -> None:
    sizes = busy(1_000_000, fewest()).sizes
    assert sum(sizes.values()) == 1_000_000
    for name in ("crm_Accounts", "crm_Contacts", "crm_Opportunities", "Tasks", "Documents"):
        assert sizes[name] >= 100_000, name


def test_a_small_busy_database_has_everything_that_can_be_planted(tmp_path: Path) -> None:
    truth = generate(profile_of("busy", 1), 3, DumpFolder(tmp_path))
    assert not truth.not_planted
    kinds = {(one.collection, one.name) for one in truth.planted}
    assert kinds >= {(name, plant.name) for name, plants in PLANTS.items() for plant in plants}
    assert all(told.pairs for told in truth.junctions.values())
    assert set(truth.read) == set(FIELDS)


def test_every_word_of_every_enum_stands_in_some_document(tmp_path: Path) -> None:
    generate(profile_of("busy", 8_000), 1, DumpFolder(tmp_path))
    found: dict[str, set[object]] = {}
    for name, words in FIELDS.items():
        documents = bson.decode_all((tmp_path / f"{name}.bson").read_bytes(), DATES)
        for field, kind in (word.removesuffix("!").split(":") for word in words.split()):
            if kind.startswith("enum>"):
                found.setdefault(kind[5:], set()).update(one.get(field) for one in documents)
    assert len(found) == 7  # of the ten no field has the other three
    for enum, held in found.items():
        assert held >= set(ENUMS[enum]), enum


PROMISED: dict[str, tuple[str, ...]] = {
    # The quirks of the application's own schema.
    "dates and numbers as text": ("crm_Contacts/birthday-undefined", "crm_Accounts/revenue-double"),
    "two columns for one fact": ("crm_Opportunities/creators-two",),
    "an id as plain text": ("TodoList/user-object-id", "Documents/connected"),
    "an array of ids without a relation": ("Boards/shared",),
    "one id under a plural name": ("crm_Leads/account-text",),
    "`__v` optional in two collections": ("Documents/v-missing", "Invoices/v-missing", "Users/v-missing"),
    # What old documents may still hold.
    "accounts of a contact as an array": (
        "crm_Contacts/accounts-of-one-day",
        "crm_Contacts/accounts-two",
        "crm_Contacts/accounts-none",
    ),
    "status of a contact as text": (
        "crm_Contacts/status-inactive",
        "crm_Contacts/status-active",
        "crm_Contacts/status-unknown",
    ),
    "budget and revenue as text": (
        "crm_Opportunities/budget-text",
        "crm_Opportunities/revenue-text",
        "crm_Opportunities/revenue-text-unreadable",
    ),
    "status of an opportunity that is no member": (
        "crm_Opportunities/status-former",
        "crm_Opportunities/status-unknown",
    ),
    "the literal New in fields of ids": ("crm_Opportunities/stage-new", "crm_Opportunities/type-new"),
    "a campaign as free text": ("crm_Opportunities/campaign-text",),
    "a campaign in the collection with the misspelt name": ("crm_Opportunities/campaign-of-old",),
    "status of a contract as text, and null": (
        "crm_Contracts/status-text",
        "crm_Contracts/status-unknown",
        "crm_Contracts/status-null",
    ),
    "visibility of an invoice as text": (
        "Invoices/visibility-private",
        "Invoices/visibility-public",
        "Invoices/visibility-unknown",
    ),
    "connected documents as free JSON": ("Invoices/connected-json", "Documents/connected-json"),
    "names and files of documents that are null": (
        "Documents/name-null",
        "Documents/url-null",
        "Documents/mime-missing",
    ),
    "a lead without a last name": ("crm_Leads/last-name-null",),
    "e-mail null, missing, and twice": ("Users/email-null", "Users/email-missing", "Users/email-twice"),
    "times of making that are null or missing": (
        "Users/created-null",
        "crm_Accounts/created-null",
        "crm_Opportunities/created-null",
        "crm_Opportunities/created-missing",
    ),
    "fields of older applications": (
        *(f"{name}/former-keys" for name in ("Boards", "Invoices", "Tasks", "crm_Accounts", "crm_Leads")),
        "system_Modules_Enabled/former-keys",
        "Documents/former-key",
    ),
    # The rest of what was asked for.
    "orphans": (
        "Tasks/section-gone",
        "Boards/user-gone",
        "crm_Accounts/creator-gone",
        "Tasks/user-lost",
        "Sections/board-lost",
    ),
    "ids of another collection": (
        "crm_Accounts/owner-wrong-collection",
        "crm_Accounts/watcher-wrong-collection",
        "tasksComments/crm-task-as-text",
    ),
    "ids as text": ("crm_Accounts/owner-text", "crm_Leads/account-text"),
    "`_id` that is a text, in six collections and in references": (
        *(
            f"{name}/own-id"
            for name in ("Users", "crm_Accounts", "crm_Leads", "crm_Contacts", "Sections", "Tasks", "Documents")
        ),
        "Tasks/section-of-own-id",
        "crm_Accounts/owner-of-own-id",
        "crm_Opportunities/account-of-own-id",
    ),
    "the CRM task of a comment in a field of its own": tuple(
        f"tasksComments/own-{name}" for name in ("beside", "second", "gone")
    ),
    "`_id` that is a number": ("Employees/id-number",),
    "int32 and double where a long is expected": (
        "Users/v-int32",
        "Users/v-double",
        "crm_Opportunities/budget-double",
        "Boards/position-int32",
    ),
    "NULs": ("Users/name-nul", "Tasks/tags-nul", "crm_Contacts/notes-nul"),
    "fractions": ("Users/v-fraction", "crm_Opportunities/budget-fraction", "Employees/salary-fraction"),
    "huge numbers": (
        "crm_Opportunities/budget-huge",
        "crm_Opportunities/revenue-greatest",
        "crm_Opportunities/revenue-beyond",
    ),
    "missing and unknown keys": ("Users/status-missing", "Tasks/priority-missing", "Users/unknown-key"),
    "two users with one e-mail": ("Users/email-twice", "Tasks/user-twin"),
    "dates at the borders": ("crm_Opportunities/close-early", "crm_Opportunities/close-last", "Users/login-far"),
    "JSON as deep as a server takes it": ("Tasks/tags-deepest",),
    "a document longer than a batch": ("Tasks/content-long",),
}
"""What was asked for, and the plants that stand for it; `test_nextcrm_truth.py` compares what became of each."""


def test_all_that_was_asked_for_is_planted_and_says_what_must_become_of_it(tmp_path: Path) -> None:
    truth = generate(profile_of("busy", 1), 3, DumpFolder(tmp_path))
    told = {f"{one.collection}/{one.name}": one.outcomes for one in truth.planted}
    for wish, plants in PROMISED.items():
        assert [plant for plant in plants if not told.get(plant)] == [], wish
    assert set(truth.left_behind) == {"SetupIndustry", "Translation", "User", "Account", "Session", "VerificationToken"}


def test_arrays_hold_entries_twice_as_text_and_on_one_side_only(tmp_path: Path) -> None:
    """As they grew in both documents; the truth counts each pair once."""
    truth = generate(profile_of("busy", 8_000), 2, DumpFolder(tmp_path))
    for junction in JUNCTIONS:
        lefts = bson.decode_all((tmp_path / f"{junction.left}.bson").read_bytes(), DATES)
        entries = [one for document in lefts for one in document.get(junction.left_field) or []]
        pairs = Counter(
            (str(document["_id"]), str(one)) for document in lefts for one in document.get(junction.left_field) or []
        )
        assert max(pairs.values()) > 1, f"{junction.name}: nothing stands there twice"
        assert {type(one) for one in entries} >= {str, bson.ObjectId}, junction.name
        told = truth.junctions[junction.name]
        assert told.only_left > 0, junction.name
        assert told.only_right > 0 or junction.right_field is None, junction.name


def depth(value: Any) -> int:
    """How deep objects and arrays are nested."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def test_the_deepest_document_is_as_deep_as_a_server_takes_it_and_the_longest_longer_than_a_batch(
    tmp_path: Path,
) -> None:
    generate(as_run(), 1, DumpFolder(tmp_path))
    data = (tmp_path / "Tasks.bson").read_bytes()
    documents = bson.decode_all(data, DATES)
    assert max(map(depth, documents)) == 100
    assert max(len(bson.encode(one)) for one in documents) > 128 * 1024  # the smallest batch that a copy makes


def test_accounts_that_have_contacts_have_ten_and_five_opportunities(tmp_path: Path) -> None:
    generate(profile_of("busy", 8_000), 1, DumpFolder(tmp_path))
    for collection, field, wanted in (("crm_Contacts", "accountsIDs", 10), ("crm_Opportunities", "account", 5)):
        documents = bson.decode_all((tmp_path / f"{collection}.bson").read_bytes())
        held = Counter(str(one[field]) for one in documents if one.get(field) is not None)
        # Two of ten have no account, in one of two ways.
        assert wanted * 0.7 < sum(held.values()) / len(held) < wanted * 0.9


@pytest.mark.parametrize(
    ("lefts", "rights", "links"), [(1, 1, 1), (7, 3, 20), (10, 4, 200), (44, 7950, 35), (12, 12, 9)]
)
def test_both_sides_of_a_relation_name_the_same_pairs(lefts: int, rights: int, links: int) -> None:
    avoid_left, avoid_right = {2, 5}, {1}
    relation = Relation(JUNCTIONS[0], lefts, rights, Links(links, links // 4), avoid_left, avoid_right)
    pairs = {(link, left, right) for link, left, right in relation.pairs()}
    assert pairs == {(link, left, right) for left in range(lefts) for link, right in relation.of_left(left)}
    assert pairs == {(link, left, right) for right in range(rights) for link, left in relation.of_right(right)}
    assert len({(left, right) for _, left, right in pairs}) == len(pairs)
    assert not {left for _, left, _ in pairs} & avoid_left
    assert not {right for _, _, right in pairs} & avoid_right


def test_the_command_writes_a_dump_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nextcrm"), "--profile", "busy", "--documents", "900", "--seed", "4"]) == 0
    truth: dict[str, Any] = json.loads((tmp_path / "nextcrm.truth.json").read_text(encoding="utf-8"))
    assert truth["seed"] == 4
    assert (tmp_path / "nextcrm" / "crm_Accounts.metadata.json").exists()
    assert "things planted" in capsys.readouterr().err


def test_a_database_that_must_be_greater_than_asked_for_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "five"), "--profile", "busy", "--documents", "5"]) == 0
    said = capsys.readouterr().err
    assert said.startswith(f"{smallest()} documents")
    assert said.endswith("5 were asked for; what is planted needs more.\n")
    assert f"needs {smallest()} in all" in (GENERATOR / "README.md").read_text(encoding="utf-8")
    assert main([str(tmp_path / "many"), "--profile", "busy", "--documents", "4000"]) == 0
    said = capsys.readouterr().err
    assert said.startswith("4,009 documents")  # nine of older collections, as the page says
    assert "asked for" not in said


def test_a_server_gets_the_documents_of_the_dump(tmp_path: Path, mongo: MongoDatabase) -> None:
    chosen = ["--profile", "as-run"]
    assert main([mongo.url, *chosen, "--truth", str(tmp_path / "live.json")]) == 0
    assert main([str(tmp_path / "dump"), *chosen, "--truth", str(tmp_path / "dump.json")]) == 0
    assert (tmp_path / "live.json").read_bytes() == (tmp_path / "dump.json").read_bytes()
    database = mongo.client.get_database(mongo.name, DATES)
    for name in FIELDS:
        written = bson.decode_all((tmp_path / "dump" / f"{name}.bson").read_bytes(), DATES)
        held = database[name].find()
        assert {str(one["_id"]): str(one) for one in held} == {str(one["_id"]): str(one) for one in written}, name


def test_what_is_on_a_server_is_not_written_over_unless_that_is_asked_for(
    tmp_path: Path, mongo: MongoDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [mongo.url, "--truth", str(tmp_path / "truth.json")]
    users = mongo.client[mongo.name]["Users"]
    users.insert_one({"_id": 1, "email": "somebody@example.com"})
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "there are documents already, of Users; --replace" in capsys.readouterr().err
    assert [one["_id"] for one in users.find()] == [1]
    assert main([*words, "--replace"]) == 0
    assert users.count_documents({}) == AS_RUN["Users"]


def test_a_dump_put_in_the_place_of_another_leaves_nothing_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "nextcrm")
    assert main([folder, "--profile", "busy", "--documents", "900"]) == 0
    with pytest.raises(SystemExit) as ended:
        main([folder])
    assert ended.value.code == 2
    assert "there are documents already, of Account, Boards, Documents and" in capsys.readouterr().err
    assert main([folder, "--replace"]) == 0
    assert {path.stem for path in (tmp_path / "nextcrm").glob("*.bson")} == set(FIELDS)


@pytest.mark.parametrize(
    "arguments",
    [
        ["x", "--profile", "busy", "--documents", "0"],
        ["x", "--profile", "as-run", "--documents", "100"],
        ["mongodb://127.0.0.1/x"],
        ["x", "--profile", "idle"],
    ],
)
def test_the_command_refuses_what_it_cannot_do(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "x") if one == "x" else one for one in arguments])
    assert ended.value.code == 2
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    away = "mongodb://somebody:secret@127.0.0.1:1/nextcrm?serverSelectionTimeoutMS=200"
    truth = ["--truth", str(tmp_path / "t.json")]
    for words, told in (
        ([str(tmp_path / "file")], "file"),
        ([str(tmp_path / "dump"), "--truth", str(tmp_path / "file" / "t.json")], "file"),
        ([away, *truth], "127.0.0.1:1"),
        (["postgresql://127.0.0.1/x", *truth], "mongodb://"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr().err
        assert (ended.value.code, len(said.splitlines())) == (1, 1), said
        assert told in said
        assert "secret" not in said
    assert not (tmp_path / "dump").exists()
