"""Copies that find out first who is one with whom, and the commands around them, as processes of their own.

Oracle: by hand, `isthmus verify`, and an undisturbed copy. Cannot see: values of joined rows (`scenarios`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bson
import psycopg
import pytest

from isthmus._rust import IdCodec
from tests.chaos.sessions import Copy
from tests.fix_dumps import write_collection
from tests.fix_mongo import MongoDatabase
from tests.integration.cli.conftest import Ran, run_command
from tests.integration.identities.conftest import AUTH, KEY, MAPPING, NAME, PROFILES, USERS, auth, oid, profile, user

DOCUMENTS = {
    USERS: [user(1, " Anna@x.org"), user(2, "bob@x.org"), user(3, "BOB@x.org"), user(4, "eve@x.org")],
    AUTH: [auth(11, "anna@X.org"), auth(12, "carl@x.org")],
    PROFILES: [profile(21, "anna@x.org", str(oid(11))), profile(22, "other@x.org", oid(12)), profile(23, "eve@x.org")],
}
YAML_USERS = '"' + USERS.replace('"', '\\"') + '"'
ANSWERS = f"""\
isthmus: 1
identities:
  '{NAME}':
    - different: [{{{YAML_USERS}: {oid(2)}}}, {{{YAML_USERS}: {oid(3)}}}]
      reason: mother and son
    - same: [{{profiles: {oid(22)}}}, {{'{AUTH}': {oid(12)}}}]
      reason: asked by phone
"""
ROWS = "SELECT id, email, kind FROM people ORDER BY 1; SELECT id, user_id, email FROM profiles ORDER BY 1"


@dataclass
class Project:
    """A folder with a mapping, a dump, answers and a key, and a target."""

    folder: Path
    target: str

    @property
    def dump(self) -> Path:
        return self.folder / "dump" / "people"

    def write(self, documents: dict[str, list[dict[str, object]]]) -> None:
        for name, some in documents.items():
            write_collection(self.dump, name, some)

    def answer(self, text: str) -> None:
        (self.folder / "resolutions.yaml").write_text(text, encoding="utf-8")

    def run(self, *words: object) -> Ran:
        return run_command(self.folder, *words)

    def copy(self, *options: str) -> Ran:
        return self.run("copy", "mapping.yaml", "-s", self.dump, "-t", self.target, "--id-key", "id.key", *options)

    def plan(self, *options: str) -> Ran:
        words = ("identities", "plan", "mapping.yaml", "-s", self.dump, "-t", self.target, "--id-key", "id.key")
        return self.run(*words, *options)

    def rows(self, *queries: str) -> list[list[tuple[object, ...]]]:
        with psycopg.connect(self.target, autocommit=True) as connection:
            return [connection.execute(one.encode()).fetchall() for one in queries]

    def state(self) -> list[list[tuple[object, ...]]]:
        """Return the rows that were carried, and the live map."""
        map_ = "SELECT collection, source_id, canonical_id, place, why FROM isthmus.identity_member"
        return self.rows(*ROWS.split(";"), f"{map_} WHERE mode = 'live' ORDER BY 1, 2")


@pytest.fixture
def make_project(make_database: Callable[[], str], tmp_path: Path) -> Callable[[], Project]:
    made: list[Project] = []

    def make() -> Project:
        folder = tmp_path / f"project-{len(made)}"
        folder.mkdir()
        (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
        (folder / "id.key").write_text(KEY.hex(), encoding="ascii")
        made.append(Project(folder, make_database()))
        made[-1].write(DOCUMENTS)
        return made[-1]

    return make


@pytest.fixture
def project(make_project: Callable[[], Project]) -> Project:
    return make_project()


def own(number: int) -> str:
    return IdCodec(KEY).derive("", bson.encode({"_id": oid(number)}), "cuid2")


def test_a_copy_is_refused_until_a_person_has_answered_and_then_carries_by_the_answers(project: Project) -> None:
    refused = project.copy()
    assert refused.code == 2
    assert "2 conflicts must be answered first" in refused.err
    assert "mother" not in refused.all
    assert "resolutions.yaml" in refused.err
    assert project.rows("SELECT count(*) FROM isthmus.run", "SELECT to_regclass('people')::text") == [[(0,)], [(None,)]]

    asked = project.plan("--json", "plan.json")
    assert asked.code == 1
    found = json.loads((project.folder / "plan.json").read_text(encoding="utf-8"))
    assert found["mode"] == "dry-run"
    kinds = [one["kind"] for one in found["identities"][NAME]["conflicts"]]
    assert kinds == ["differing", "several"]

    project.answer(ANSWERS)
    planned = project.plan()
    assert planned.code == 0, planned.all
    done = project.copy()
    assert done.code == 0, done.all
    people, profiles, _ = project.state()
    assert {one[0] for one in people} == {own(1), own(2), own(3), own(4), own(12)}
    assert {one[1] for one in profiles} == {own(1), own(12), own(4)}
    again = project.copy()
    assert again.code == 0
    assert "nothing to do" in again.all
    verified = project.run("verify", "mapping.yaml", "-s", project.dump, "-t", project.target, "--sample", "all")
    assert verified.code == 0, verified.all


def test_answers_that_changed_behind_a_copy_are_told_and_never_used_silently(project: Project) -> None:
    project.answer(ANSWERS)
    assert project.copy().code == 0
    before = project.state()
    project.answer(ANSWERS.replace("mother and son", "father and daughter"))  # which changes nothing
    assert project.copy().code == 0
    project.answer(ANSWERS.replace("different:", "same:"))
    refused = project.copy()
    assert refused.code == 2
    assert "(other-answers)" in refused.err
    assert project.state() == before
    started = project.copy("--fresh")
    assert started.code == 0, started.all
    people, _, _ = project.state()
    assert len(people) == 4


def test_starting_over_drops_nothing_while_a_person_must_answer(project: Project) -> None:
    project.answer(ANSWERS)
    assert project.copy().code == 0
    before = project.state()
    project.answer("isthmus: 1\n")
    project.write({USERS: [*DOCUMENTS[USERS], user(5, "EVE@x.org")]})
    refused = project.copy("--fresh")
    assert refused.code == 2
    assert "(identity-conflicts)" in refused.err
    assert "dropped" not in refused.err
    assert project.state() == before


@pytest.mark.parametrize(
    "stage", ["identities.before-commit", "identities.after-commit", "begin.after-commit", "copy.after-commit"]
)
def test_killed_between_map_and_load_then_equal(stage: str, make_project: Callable[[], Project]) -> None:
    killed, unkilled = make_project(), make_project()
    for one in (killed, unkilled):
        one.answer(ANSWERS)
    assert unkilled.copy().code == 0
    session = Copy(killed.folder / "mapping.yaml", killed.dump, killed.target, killed.folder / "id.key", killed.folder)
    assert session.run(kill=[stage, 1]).code == -9
    if stage == "identities.before-commit":
        assert killed.rows("SELECT count(*) FROM isthmus.identity") == [[(0,)]]
    ended = session.run()
    assert ended.code == 0, ended.text
    assert killed.state() == unkilled.state()
    # a run goes by the map that it began with; only one that had not begun finds out anew
    assert ended.stages["identities.after-commit"] == (1 if stage.startswith("identities") else 0)


def test_an_unfinished_copy_does_not_go_on_with_other_answers(project: Project) -> None:
    project.answer(ANSWERS)
    session = Copy(
        project.folder / "mapping.yaml", project.dump, project.target, project.folder / "id.key", project.folder
    )
    assert session.run(kill=["begin.after-commit", 1]).code == -9
    project.answer(ANSWERS.replace("different:", "same:"))
    assert "(other-answers)" in session.run().text
    project.answer(ANSWERS)
    assert session.run().code == 0


def test_list_show_and_export_tell_what_was_found_out_without_values(project: Project) -> None:
    nothing = project.run("identities", "list", "-t", project.target)
    assert (nothing.code, nothing.out) == (0, "No identities were found out in this target.\n")
    assert project.run("identities", "export", "-t", project.target).code == 1
    assert project.run("identities", "show", str(oid(1)), "-t", project.target).code == 1
    project.plan()
    listed = project.run("identities", "list", "-t", project.target, "--json", "-")
    conflicts = json.loads(listed.out)["conflicts"]
    shown = project.run("identities", "show", conflicts[0]["id"][:8], "-t", project.target)
    assert shown.code == 0
    assert "- same: [" in shown.out
    dry = project.run("identities", "export", "--dry-run", "-t", project.target)
    (planned,) = json.loads(dry.out)
    assert planned["mode"] == "dry-run"
    assert project.run("identities", "export", "-t", project.target).code == 1
    project.answer(ANSWERS)
    assert project.copy().code == 0
    live = project.run("identities", "export", "-t", project.target, "-o", "map.json")
    assert live.code == 0
    text = (project.folder / "map.json").read_text(encoding="utf-8")
    (exported,) = json.loads(text)
    assert exported["mode"] == "live"
    assert {"id": own(1), "documents": {USERS: [str(oid(1))], AUTH: [str(oid(11))], PROFILES: [str(oid(21))]}} in (
        exported["things"]
    )
    assert "x.org" not in text
    for id_ in (own(1), str(oid(11)), own(11), str(oid(21))):
        member = project.run("identities", "show", id_, "-t", project.target, "--json", "-")
        rows = {one["_id"] for one in json.loads(member.out)["members"] if one["mode"] == "live"}
        assert rows == {str(oid(1)), str(oid(11)), str(oid(21))}, id_
    looked_up = project.run("ids", "lookup", str(oid(11)), "-t", project.target)
    assert own(1) in looked_up.out


def test_files_of_answers_that_cannot_be_used_stop_both_commands(project: Project) -> None:
    project.answer("isthmus: 1\nidentities: {nobody: []}\n")
    for ran in (project.plan(), project.copy()):
        assert ran.code == 2
        assert "resolutions.yaml:2" in ran.err
    named = project.copy("--resolutions", "elsewhere.yaml")
    assert named.code == 2
    assert "(no-resolutions)" in named.err
    (project.folder / "other.yaml").write_text(ANSWERS, encoding="utf-8")
    assert project.copy("--resolutions", "other.yaml").code == 0


def test_a_mapping_without_identities_has_nothing_to_plan(project: Project) -> None:
    (project.folder / "mapping.yaml").write_text("isthmus: 1\ncollections: {a: {fields: {}}}\n", encoding="utf-8")
    refused = project.plan()
    assert refused.code == 2
    assert "(no-identities)" in refused.err


TABLES = """
CREATE TABLE people (id text PRIMARY KEY, email text, kind text);
CREATE TABLE profiles (id text PRIMARY KEY, user_id text REFERENCES people, email text)
"""


def test_a_phase_after_the_other_goes_by_one_map_also_when_members_are_retired(
    project: Project, mongo: MongoDatabase
) -> None:
    text = MAPPING.replace("ids: cuid2", "ids: cuid2\ntarget: {tables: existing}")
    (project.folder / "mapping.yaml").write_text(text, encoding="utf-8")
    with psycopg.connect(project.target, autocommit=True) as connection:
        connection.execute(TABLES.encode())
    mongo.write(DOCUMENTS)
    words = ("copy", "mapping.yaml", "-s", mongo.url, "-t", project.target, "--id-key", "id.key")
    project.answer(ANSWERS)
    first = project.run(*words, "--only", USERS, "--only", AUTH)
    assert first.code == 0, first.all
    people, profiles, known = project.state()
    assert {one[0] for one in people} == {own(1), own(2), own(3), own(4), own(12)}
    assert profiles == []
    assert {one[2] for one in known if one[0] == PROFILES} == {own(1), own(12), own(4)}
    # the sign-in collection is dropped; then come a profile that only its e-mail tells, and one that only a link does
    there = mongo.client[mongo.name]
    there[AUTH].drop()
    there[PROFILES].insert_many([profile(24, "CARL@x.org"), profile(25, None, str(oid(12)))])
    refused = project.run(*words, "--only", PROFILES)
    assert refused.code == 2, refused.all
    assert f"profiles {oid(25)}" in refused.err  # three profiles of one person by now
    more = f"    - same: [{{profiles: {oid(24)}}}, {{profiles: {oid(22)}}}]\n      reason: both hers\n"
    more += f"    - drop: {{profiles: {oid(25)}}}\n      reason: twice\n"
    project.answer(ANSWERS + more)
    second = project.run(*words, "--only", PROFILES)
    assert second.code == 0, second.all
    verified = project.run("verify", "mapping.yaml", "-s", mongo.url, "-t", project.target, "--sample", "all")
    assert verified.code == 0, verified.all
    people, profiles, _ = project.state()
    assert len(people) == 5
    assert {one[0]: one[1] for one in profiles} == {
        own(21): own(1),
        own(22): own(12),
        own(23): own(4),
        own(24): own(12),
    }
