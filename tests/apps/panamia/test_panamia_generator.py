"""The generator of Pana MIA databases: the same bytes for the same seed, every mess planted, and a truth that is true.

Oracles: the documents themselves, read back; who is one person with whom is worked out anew from them
(`dump.Identities`). Blind to what nobody planted, and to whether a mapping makes of it what the truth says.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from apps.panamia.generate import main
from apps.panamia.generator.build import FEWEST, WRITTEN
from apps.panamia.generator.catalogue import CATALOGUE
from apps.panamia.generator.planting import amount
from apps.panamia.generator.plants.references import SITES
from apps.panamia.generator.schema import (
    ACTIVITIES,
    ARTICLE_STATUSES,
    ARTICLE_TYPES,
    CONTEXTS,
    INDEXES,
    INTAKE_OWN,
    OBJECT_TYPES,
    SESSION_STATUSES,
)
from apps.panamia.generator.values import CANONICAL, TODAY
from tests.apps.panamia.dump import TELLING, Identities, Made
from tests.apps.panamia.promised import COMMON, FIELDS, PROMISED
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import run_command

APPS = Path(__file__).parents[3] / "apps"
EXPIRING = {
    "nextauth_sessions": "expires",
    "nextauth_verification_tokens": "expires",
    "emailmigrations": "expiresAt",
    "oauthverifications": "expiresAt",
}
LISTED = {
    "type": ACTIVITIES,
    "context": (*CONTEXTS, "message"),
    "objectType": OBJECT_TYPES,
    "articleType": ARTICLE_TYPES,
}
STATUSES = {"articles": ARTICLE_STATUSES, "mentorSessions": SESSION_STATUSES}
UNIQUE: dict[str, Callable[[dict[str, Any]], object]] = {
    "users.email": lambda one: str(one.get("email")).strip().lower(),
    "users.screenname": lambda one: str(one.get("screenname")).strip().lower(),
    "profiles.slug": lambda one: one.get("slug"),
    "nextauth_accounts.providerAccountId": lambda one: (one.get("provider"), one.get("providerAccountId")),
}
"""What no two rows have in common, by the field where that is planted."""


def make(folder: Path, people: int, seed: int = 1) -> Made:
    """Generate a dump by the command."""
    assert main([str(folder / "panamia"), "--people", str(people), "--seed", str(seed)]) == 0
    return Made(folder / "panamia")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """As few people as there can be."""
    return make(tmp_path_factory.mktemp("few"), FEWEST)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """So many people that most are in no case."""
    return make(tmp_path_factory.mktemp("many"), 2_500, 7)


@pytest.fixture(params=["few", "many"])
def made(request: pytest.FixtureRequest) -> Made:
    """Both."""
    return request.getfixturevalue(request.param)


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def values_at(document: Any, path: str) -> list[Any]:
    """Everything that stands at a path; `[]` is every element."""
    found = [document]
    for word in path.replace("[]", ".[]").split("."):
        if word == "[]":
            found = [inner for one in found if isinstance(one, list) for inner in one]
        else:
            found = [one[word] for one in found if isinstance(one, dict) and word in one]
    return found


def test_the_generator_knows_nothing_of_isthmus() -> None:
    files = [APPS / "panamia" / "generate.py", *(APPS / "panamia" / "generator").rglob("*.py")]
    files += (APPS / "generating").glob("*.py")
    assert len(files) > 25
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"isthmus", "tests", "src"}], path
            own = [name for name in names if name.startswith("apps")]
            assert all(name.startswith(("apps.generating", "apps.panamia.generator")) for name in own), path


def test_a_seed_gives_the_same_bytes_and_another_one_others(few: Made, tmp_path: Path) -> None:
    again, other = make(tmp_path / "again", FEWEST), make(tmp_path / "other", FEWEST, 2)
    first = digests(few.dump.parent)
    assert first == digests(again.dump.parent)
    assert {"panamia/users.bson", "panamia.truth.json", "panamia.resolutions.yaml"} <= set(first)
    changed = {name for name, digest in digests(other.dump.parent).items() if first[name] != digest}
    assert changed == {name for name in first if not name.endswith(".metadata.json")}


def test_the_same_bytes_also_where_texts_are_hashed_otherwise(few: Made, tmp_path: Path) -> None:
    """A process of its own, whose sets and hashes have another order."""
    words = [sys.executable, "-m", "apps.panamia.generate", str(tmp_path / "panamia"), "--people", str(FEWEST)]
    subprocess.run(words, check=True, cwd=APPS.parent, capture_output=True, env={"PYTHONHASHSEED": "5"}, timeout=60)
    assert digests(tmp_path) == digests(few.dump.parent)


def test_every_plant_is_there_among_the_fewest_people_and_as_often_as_promised(few: Made, many: Made) -> None:
    for one, people in ((few, FEWEST), (many, 2_500)):
        assert one.truth["plants"] == {name: amount(plant, people) for name, plant in CATALOGUE.items()}
        planted = Counter(line["plant"] for line in one.lines("planted"))
        assert planted == one.truth["plants"]
    assert all(plant.what and plant.where in WRITTEN for plant in CATALOGUE.values())
    assert {plant.where for plant in CATALOGUE.values()} == set(WRITTEN)


@pytest.mark.parametrize("mess", PROMISED)
def test_every_mess_has_a_plant_that_is_there(mess: str, few: Made) -> None:
    assert PROMISED[mess]
    assert [name for name in PROMISED[mess] if not few.truth["plants"].get(name)] == []


def test_the_counts_of_the_truth_are_those_of_the_documents(made: Made) -> None:
    ends = {(line["collection"], line["id"]): line for line in made.lines("ends")}
    assert set(ends) <= set(made.by_id)
    assert set(made.truth["collections"]) == set(made.documents) == set(WRITTEN)
    for name, told in made.truth["collections"].items():
        mine = [line for (collection, _), line in ends.items() if collection == name]
        assert told["documents"] == len(made.documents[name]) == len({str(one["_id"]) for one in made.documents[name]})
        assert told["copied"] == told["documents"] - len(mine)
        assert told["merged"] == sum(line["end"] == "merged" for line in mine)
        for end in ("skipped", "dead_letter"):
            assert told[end] == Counter(line["why"] for line in mine if line["end"] == end)
    for kind, told in made.truth["files"].items():
        assert len(made.lines(kind)) == told["lines"] > 0


def test_what_has_expired_is_skipped_and_nothing_else_of_its_collection(made: Made) -> None:
    skipped = {(one["collection"], one["id"]) for one in made.lines("ends") if one.get("why") == "expired"}
    found = {
        (name, str(one["_id"]))
        for name, field in EXPIRING.items()
        for one in made.documents[name]
        if not isinstance(one[field], str) and one[field] <= TODAY.replace(tzinfo=None)
    }
    assert skipped == found
    for name in EXPIRING:
        assert 0.2 < sum(name == one for one, _ in found) / len(made.documents[name]) < 0.8, name


def test_people_are_those_whom_the_documents_and_the_answers_make(made: Made) -> None:
    """Nothing but the documents and the answers: equal e-mails, ids that profiles hold, and what people said."""
    identities = Identities(made)
    asked = [component for component in identities.components() if identities.kinds(component)]
    conflicts = made.lines("conflicts")
    told = {
        frozenset((one["collection"], one["id"]) for one in line["documents"]): set(line["kinds"])
        for line in conflicts
        if line["kinds"]
    }
    assert {frozenset(component): identities.kinds(component) for component in asked} == told

    identities.answer(answer for line in conflicts for answer in line["answers"])
    owner = {(one["collection"], one["id"]): one["person"] for line in conflicts for one in line["documents"]}
    for component in identities.components():
        assert len({owner[node] for node in component if node in owner}) < 2, component

    ends = {(line["collection"], line["id"]): line for line in made.lines("ends")}
    lost = {node for node, line in ends.items() if line["end"] in {"dead_letter", "skipped"}}
    found = {frozenset(component - lost) for component in identities.components()} - {frozenset()}
    alone = {
        frozenset({(one["collection"], one["id"])})
        for line in conflicts
        for one in line["documents"]
        if one["person"] is None and (one["collection"], one["id"]) not in lost
    }
    people = {
        frozenset({*map(tuple, line["members"]), *(("profiles", one) for one in line["profiles"])})
        for line in made.lines("people")
    }
    assert found == people | alone
    for line in made.lines("people"):
        first = line["members"][0] if line["members"] else None
        assert line["row"] == (first[1] if first else None)
        for collection, identifier in line["members"][1:]:
            assert ends[collection, identifier]["into"] == line["row"], line
        if first:
            assert tuple(first) not in ends
            assert made.by_id[tuple(first)]["email"].strip().lower() == line["key"]


def test_rows_of_people_hold_what_their_documents_say(made: Made) -> None:
    by_user: dict[str, list[list[str]]] = {}
    lost = {line["id"] for line in made.lines("ends") if line["collection"] == "nextauth_accounts"}
    extra = {line["id"] for line in made.lines("planted") if line["collection"] == "nextauth_accounts"}
    for one in made.documents["nextauth_accounts"]:
        if str(one["_id"]) not in lost | extra:
            by_user.setdefault(str(one["userId"]), []).append([one["provider"], one["providerAccountId"]])
    for line in made.lines("people"):
        held = [made.by_id[tuple(node)] for node in line["members"]]
        if not held:
            continue
        names = [one.get("screenname") for one in held if one.get("screenname") is not None]
        assert line["screenname"] == (names[0] if names else None)
        assert line["name"] in [one.get("name") for one in held]
        assert line["accounts"] == [pair for one in held for pair in by_user.get(str(one["_id"]), [])], line
        wanted = next((one["notificationPreferences"] for one in held if one.get("notificationPreferences")), {})
        assert line.get("unwanted", []) == sorted(word for word, is_so in wanted.items() if is_so is False), line
    names = [line["screenname"].lower() for line in made.lines("people") if line.get("screenname")]
    assert len(set(names)) == len(names)
    assert sum(len(line["accounts"]) > 1 and len(line["members"]) > 2 for line in made.lines("people") if line["row"])


def test_answers_are_one_file_that_names_documents_which_are_there(made: Made) -> None:
    read = YAML(typ="safe").load(made.resolutions.read_text(encoding="utf-8"))
    assert read["isthmus"] == 1
    assert read["identities"]["people"] == [one for line in made.lines("conflicts") for one in line["answers"]]
    for answer in read["identities"]["people"]:
        assert answer["reason"]
        for said in [answer["drop"]] if "drop" in answer else next(iter(answer.values())):
            ((collection, identifier),) = said.items()
            assert (collection, identifier) in made.by_id
    verbs = Counter(verb for answer in read["identities"]["people"] for verb in answer)
    assert min(verbs[verb] for verb in ("same", "different", "drop")) > 0


def test_what_was_planted_stands_there_and_says_what_must_come_of_it(made: Made) -> None:
    people = {line["person"]: line for line in made.lines("people")}
    for line in made.lines("planted"):
        document = made.by_id[line["collection"], line["id"]]
        for outcome in line["outcomes"]:
            check_outcome(made, people, line, document, outcome)
        if line["end"] == "dead_letter":
            check_letter(made, line, document)


def check_outcome(
    made: Made, people: dict[int, Any], line: dict[str, Any], document: dict[str, Any], outcome: dict[str, Any]
) -> None:
    """An outcome is possible: what it names is in the document, and in the database or not."""
    values = values_at(document, outcome.get("path", "_id"))
    if outcome["kind"] == "refers":
        to = outcome["to"]
        nodes = people[to["person"]]["members"] if "person" in to else [[to["collection"], to["id"]]]
        assert {identifier for _, identifier in nodes} & set(map(str, values)), line
        assert all(tuple(node) in made.by_id for node in nodes)
    elif outcome["kind"] == "meant":
        person = people[outcome["person"]]
        held = [made.by_id[tuple(node)] for node in person["members"]]
        held += [made.by_id["profiles", one] for one in person["profiles"]]
        names = {str(one.get(outcome["by"])).lower() for one in held}
        assert names & {str(value).strip().lower() for value in values}, line
    elif outcome["kind"] == "orphan":
        assert outcome["old"] in map(str, values), line
        lost = (
            {one["id"] for one in made.lines("ends") if one["end"] == "skipped"} if "left-out" in line["plant"] else ()
        )
        assert outcome["old"] in lost or outcome["old"] not in {identifier for _, identifier in made.by_id}
    elif outcome["kind"] == "row":
        assert values == [CANONICAL] == [outcome["id"]], line
    elif outcome["kind"] == "extras":
        assert outcome["key"] in document, line
    elif outcome["kind"] == "taken":
        holder = made.by_id[tuple(people[outcome["person"]]["members"][0])]
        assert [holder["screenname"]] == [value.strip() for value in values] != values, line
    elif outcome["kind"] == "length":
        assert [len(value) for value in values_at(document, line["path"])] == [outcome["characters"]]


def check_letter(made: Made, line: dict[str, Any], document: dict[str, Any]) -> None:
    """A document has what makes it a dead letter."""
    why, path, values = line["why"], line["path"], values_at(document, line["path"])
    if why == "required":
        assert values in ([], [None]), line
    elif why == "enum":
        words = STATUSES[line["collection"]] if path == "status" else LISTED[path]
        assert values[0] not in words, line
    elif why == "type":
        assert not values[0].replace(".", "", 1).isdecimal(), line
    elif why == "nul":
        assert "\0" in values[0], line
    elif why in {"out-of-range", "fraction"}:
        assert values[0] > 2**31 or values[0] % 1, line
    elif why == "duplicate-key":
        of = UNIQUE[f"{line['collection']}.{path}"]
        same = [one for one in made.documents[line["collection"]] if of(one) == of(document)]
        assert min(one["_id"] for one in same) < document["_id"], line
    else:
        assert why == "orphan"
        assert any(outcome["kind"] in {"orphan", "row"} for outcome in line["outcomes"]), line


def test_no_sound_document_points_at_what_becomes_no_row(many: Made) -> None:
    """But for the fields of one document that a plant changed."""
    gone = {line["id"] for line in many.lines("ends") if line["end"] in {"dead_letter", "skipped"}}
    odd = {line["id"] for line in many.lines("planted")}
    for site in SITES:
        for document in many.documents[site.where]:
            if str(document["_id"]) not in odd:
                for value in values_at(document, site.path):
                    assert str(value) not in gone, (site, document)
                    assert any((to, str(value)) in many.by_id for to in (site.to, "users", "mentorSessions")), site


def test_follows_and_lists_are_those_of_the_documents(made: Made) -> None:
    owner = {tuple(node): line["person"] for line in made.lines("people") for node in line["members"]}
    lost = {(line["collection"], line["id"]) for line in made.lines("ends") if line["end"] != "merged"}
    profiles = {identifier for name, identifier in made.by_id if name == "profiles" and (name, identifier) not in lost}
    found = set[tuple[object, ...]]()
    for one in made.documents["users"]:
        follower = owner.get(("users", str(one["_id"])))
        if follower is not None:
            held = {str(value) for value in one.get("following") or () if str(value) in profiles}
            found |= {("users.following", follower, value) for value in held}
    told = [line for line in made.lines("follows") if line["from"] == "users.following"]
    assert {("users.following", line["follower"], line["profile"]) for line in told} == found
    assert len({(line["follower"], line["profile"]) for line in told}) == len(told)

    pairs = {
        (owner[follower], owner[followed])
        for one in made.documents["followers"]
        if (follower := ("users", str(one.get("followerId")))) in owner
        and (followed := ("users", str(one.get("userId")))) in owner
    }
    told_pairs = [(line["follower"], line["followed"]) for line in made.lines("follows") if line["from"] == "followers"]
    assert len(set(told_pairs)) == len(told_pairs)
    assert pairs == set(told_pairs)
    assert made.truth["collections"]["followers"]["copied"] == len(pairs)

    for line in made.lines("lists"):
        document = made.by_id["userlists", line["id"]]
        assert line["profiles"] == list(
            dict.fromkeys(str(one) for one in document.get("profiles", ()) if str(one) in profiles)
        )
        assert line["owner"] == owner["users", str(document["user_id"])]


def test_the_two_collections_of_mentoring_stand_side_by_side(made: Made) -> None:
    today, former = made.documents["mentorSessions"], made.documents["mentorsessions"]
    assert not {one["sessionId"] for one in today} & {one["sessionId"] for one in former}
    assert not [one for one in former if "sessionType" in one or "mentorUserId" in one]


@pytest.mark.parametrize("collection", FIELDS)
def test_every_field_is_there_and_others_only_where_they_are_planted(collection: str, many: Made) -> None:
    documents = many.documents[collection]
    for path in FIELDS[collection].split():
        assert any(values_at(one, path) for one in documents), path
    odd = {line["id"] for line in many.lines("planted")}
    known = {word.split(".")[0].removesuffix("[]") for word in (*FIELDS[collection].split(), *COMMON.split())}
    known |= {word for words in INTAKE_OWN.get(collection, ()) for word in words}
    assert {key for one in documents if str(one["_id"]) not in odd for key in one} <= known


def test_every_collection_has_a_field_list() -> None:
    assert set(FIELDS) == set(WRITTEN)


def test_unique_fields_are_unique_as_the_server_would_have_it(made: Made) -> None:
    """Case counts but for the screen name, and one document at most has none of a field that is not sparse."""
    for name, indexes in INDEXES.items():
        for index in indexes:
            if index.options.get("unique"):
                held = [one.get(next(iter(index.keys))) for one in made.documents[name]]
                if "collation" in index.options:
                    held = [value.lower() for value in held if value is not None]
                assert [value for value, count in Counter(held).items() if count > 1] == [], (name, index.name)
    for document in made.documents["users"]:
        assert ("username" in document) != ("accountType" in document or "createdAt" in document), document


def test_a_dump_tells_the_indexes_of_the_application(few: Made) -> None:
    def indexes(name: str) -> dict[str, Any]:
        read = json.loads((few.dump / f"{name}.metadata.json").read_text(encoding="utf-8"))
        return {one["name"]: one for one in read["indexes"]}

    assert indexes("users")["email_1"]["unique"] is True
    assert indexes("users")["screenname_1"]["collation"] == {"locale": "en", "strength": {"$numberInt": "2"}}
    assert indexes("notifications")["expiresAt_1"]["expireAfterSeconds"] == {"$numberInt": "0"}
    key = indexes("notifications")["target_1_read_1_createdAt_-1"]["key"]
    assert key == {"target": {"$numberInt": "1"}, "read": {"$numberInt": "1"}, "createdAt": {"$numberInt": "-1"}}


def test_a_survey_reads_it_and_counts_what_the_truth_counts(few: Made, tmp_path: Path) -> None:
    file = tmp_path / "survey.json"
    ran = run_command(tmp_path, "survey", few.dump, "--json", file)
    assert ran.code == 0, ran.all
    read = json.loads(file.read_text(encoding="utf-8"))
    counted = {name: one["profile"]["documents"] for name, one in read["collections"].items()}
    assert counted == {name: told["documents"] for name, told in few.truth["collections"].items()}
    assert "1 text with NUL in content" in ran.out


WHO_IS_WHO = """\
isthmus: 1
ids: cuid2
identities:
  people:
    keys: {email: [trim, lower]}
    members: {users: {keys: {email: email}}, nextauth_users: {keys: {email: email}}}
    linked: {profiles: {keys: {email: email}, links: {userId: [nextauth_users, users]}}}
collections:
  users: {fields: {email: text}}
  nextauth_users: {table: users, fields: {email: text}}
  profiles: {fields: {userId: {column: user_id, references: users, identity: people}}}
"""


def test_isthmus_asks_about_the_conflicts_and_the_answers_leave_none_open(
    many: Made, database: str, tmp_path: Path
) -> None:
    (tmp_path / "mapping.yaml").write_text(WHO_IS_WHO, encoding="utf-8")

    def plan(code: int, *answers: object) -> dict[str, Any]:
        words = ("mapping.yaml", "--source", many.dump, "--target", database, *answers, "--json", "plan.json")
        ran = run_command(tmp_path, "identities", "plan", *words)
        assert ran.code == code, ran.all
        return json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["identities"]["people"]

    asked = [frozenset((d["collection"], d["_id"]) for d in one["documents"]) for one in plan(1)["conflicts"]]
    conflicts = many.lines("conflicts")
    told = [{(one["collection"], one["id"]) for one in line["documents"]} for line in conflicts if line["kinds"]]
    assert all(any(documents <= one for one in told) for documents in asked)
    assert all(any(documents <= one for documents in asked) for one in told)

    answered = plan(0, "--resolutions", many.resolutions)
    assert (answered["conflicts"], answered["notes"]) == ([], [])
    ends = many.lines("ends")
    letters = [one for one in ends if one["end"] == "dead_letter" and one["collection"] in TELLING[:2]]
    letters = [one for one in letters if one["why"] != "joined-left"]  # of a thing whose first document is counted
    # A map knows no dead letters: who has no e-mail, and the second of two with one mailbox or name, are things there.
    assert answered["things"] == sum(line["row"] is not None for line in many.lines("people")) + len(letters)


def test_a_server_gets_the_documents_of_the_dump(few: Made, mongo: MongoDatabase, tmp_path: Path) -> None:
    assert main([mongo.url, "--people", str(FEWEST), "--truth", str(tmp_path / "panamia.truth.json")]) == 0
    assert (tmp_path / "panamia.resolutions.yaml").read_bytes() == few.resolutions.read_bytes()
    assert (tmp_path / "panamia.truth.json").read_bytes() == few.dump.with_name("panamia.truth.json").read_bytes()
    database = mongo.client[mongo.name]
    for name, documents in few.documents.items():
        held = {str(one["_id"]): one for one in database[name].find()}
        assert held == {str(one["_id"]): one for one in documents}, name
    indexes = database["users"].index_information()
    assert indexes["email_1"]["unique"]
    assert "expiresAt_1" not in database["notifications"].index_information()  # it would delete what is planted


@pytest.mark.parametrize(("page", "folder"), [("F", "F.lines"), (".json", ".json.lines"), ("t.json", "t")])
def test_a_truth_of_any_name_has_its_lines_beside_it(page: str, folder: str, few: Made, tmp_path: Path) -> None:
    assert main([str(tmp_path / "panamia"), "--people", str(FEWEST), "--truth", str(tmp_path / page)]) == 0
    made = json.loads((tmp_path / page).read_text(encoding="utf-8"))
    assert made["collections"] == few.truth["collections"]
    for kind, told in made["files"].items():
        assert told["file"] == f"{folder}/{kind}.jsonl"
        assert (tmp_path / told["file"]).read_bytes() == (
            few.dump.parent / few.truth["files"][kind]["file"]
        ).read_bytes()


def test_what_is_there_is_not_written_over_unless_that_is_asked_for(
    mongo: MongoDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(tmp_path, FEWEST)
    before = digests(tmp_path)
    mongo.client[mongo.name]["profiles"].insert_one({"_id": 1, "email": "somebody@example.com"})
    for words, named in (
        ([str(made.dump)], "apparelintakes, articles, artintakes and 26 more"),
        ([mongo.url, "--truth", str(tmp_path / "live.json")], "profiles"),
    ):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert f"there are documents already, of {named}; --replace" in capsys.readouterr().err
    assert digests(tmp_path) == before
    assert [one["_id"] for one in mongo.client[mongo.name]["profiles"].find()] == [1]
    assert main([str(made.dump), "--people", str(FEWEST), "--replace", "--seed", "3"]) == 0
    assert set(digests(tmp_path)) == set(before)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["x", "--people", "199"], "--people is at least 200"),
        (["x", "--people", "many"], "invalid int value"),
        (["mongodb://127.0.0.1/x"], "--truth is needed"),
        ([], "required: to"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "x") if one == "x" else one for one in words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_line_and_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "page.json").mkdir()  # the page is written last, behind all documents
    away = "mongodb://somebody:secret@127.0.0.1:1/panamia?serverSelectionTimeoutMS=200"
    for words, told in (
        ([str(tmp_path / "file")], "file"),
        ([str(tmp_path / "dump"), "--truth", str(tmp_path / "file" / "t.json")], "file"),
        ([str(tmp_path / "dump"), "--resolutions", str(tmp_path / "file" / "r.yaml")], "file"),
        ([str(tmp_path / "dump"), "--replace", "--truth", str(tmp_path / "page.json")], "page.json"),
        ([away, "--truth", str(tmp_path / "t.json")], "127.0.0.1:1"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr().err
        assert (ended.value.code, len(said.splitlines())) == (1, 1), said
        assert told in said
        assert "secret" not in said


PEAK = """
import resource, sys
from pathlib import Path
from apps.generating.sinks import DumpFolder
from apps.panamia.generator.build import generate
from apps.panamia.generator.truth import Truth
folder = Path(sys.argv[1])
with Truth(folder / "truth.json", int(sys.argv[2]), 1) as truth, DumpFolder(folder / "dump") as sink:
    generate(int(sys.argv[2]), 1, sink, truth)
print(truth.documents, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_hold_the_documents(tmp_path: Path) -> None:
    def peak(people: int) -> tuple[int, int]:
        folder = tmp_path / str(people)
        folder.mkdir()
        words = [sys.executable, "-c", PEAK, str(folder), str(people)]
        done = subprocess.run(words, check=True, cwd=APPS.parent, capture_output=True, text=True, timeout=200)
        documents, kibibytes = done.stdout.split()
        return int(documents), int(kibibytes)

    (some, low), (more, high) = peak(8_000), peak(24_000)
    assert more > 2.5 * some
    assert (high - low) * 1024 / (more - some) < 60  # bytes a document; one is 450 on average
