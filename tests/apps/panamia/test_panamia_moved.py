"""Pana MIA moved phase by phase: what became of everything that was planted, and of everybody.

Oracle: the generator's truth, and SQL of these tests' own. Cannot see: what nobody planted, and documents that a
running application changes meanwhile.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import bson
import psycopg
import pytest
from psycopg import sql

from apps.panamia.moving.phases import PHASES
from tests.apps.panamia import facts
from tests.apps.panamia.conftest import Moved, Served, contents

COPIES = [phase.number for phase in PHASES if phase.kind == "copy"]
NOT_CARRIED = {"nextauth_sessions"}


@pytest.mark.parametrize("number", COPIES)
def test_each_phase_is_verified_with_every_document(moved: Moved, number: int) -> None:
    assert moved.proofs[number].code == 0, moved.proofs[number].said
    assert moved.proofs[number].result["outcome"] == "passed"
    assert moved.copies[number].result["outcome"] == "complete", moved.copies[number].said


def test_of_what_another_phase_carries_it_is_not_said_that_it_could_not_be_read(moved: Moved) -> None:
    for number in COPIES:
        told = json.dumps(moved.proofs[number].result)
        assert "were not carried by this copy" in told, number
        assert "could not be read" not in told, number


def test_the_books_of_every_collection_are_those_of_the_truth(moved: Moved) -> None:
    books = {
        name: said
        for number in COPIES
        for name, said in moved.copies[number].result["collections"].items()
        if said["read"]
    }
    found = {name: _books(said) for name, said in books.items()}
    wanted = {
        name: (
            said["documents"],
            said["copied"],
            said["merged"],
            sum(said["skipped"].values()),
            sum(said["dead_letter"].values()),
        )
        for name, said in moved.truth["collections"].items()
        if name not in NOT_CARRIED
    }
    assert found == wanted


def _books(said: dict[str, Any]) -> tuple[int, ...]:
    return tuple(said[word] for word in ("read", "copied", "merged", "skipped", "dead_letters"))


def test_every_dead_letter_was_planted_and_says_why(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    found = {
        # what points at a collection of an earlier phase is told so
        (collection, str(document).strip('"')): "orphan" if code == "reference-pending" else code
        for collection, document, code in rows.execute(
            "SELECT collection, source_id_text, code FROM isthmus.dead_letter"
        ).fetchall()
    }
    wanted = {
        (end["collection"], end["id"]): end["why"]
        for end in moved.lines("ends")
        if end["end"] == "dead_letter" and end["collection"] not in NOT_CARRIED
    }
    assert found == wanted


def test_each_person_is_one_user_with_all_that_belongs_to_him(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    people = [person for person in moved.lines("people") if person["row"] is not None]
    there = {
        str(row[0]): row[1:]
        for row in rows.execute("SELECT id, email, name, screenname, email_verified, image FROM users").fetchall()
    }
    accounts: dict[str, set[tuple[str, str]]] = {}
    for user, *account in rows.execute("SELECT user_id, provider, provider_account_id FROM accounts").fetchall():
        accounts.setdefault(user, set()).add((account[0], account[1]))
    owners = dict(rows.execute("SELECT id, user_id FROM profiles").fetchall())
    assert len(there) == len(people)
    for person in people:
        row = moved.row_of(person["members"][0][0], person["row"])
        assert row is not None, person
        email, name, screenname, verified, image = there[row]
        said = verified.astimezone(UTC).replace(tzinfo=None).isoformat() if verified is not None else None
        assert (email, name, screenname, said, image) == (
            person["key"],
            person["name"],
            person["screenname"],
            person["email_verified"],
            person["image"],
        )
        assert {tuple(one) for one in person["accounts"]} <= accounts.get(row, set())
        assert {moved.row_of(*member) for member in person["members"]} == {row}
        assert [owners[moved.row_of("profiles", profile) or ""] for profile in person["profiles"]] == [row] * len(
            person["profiles"]
        )


def test_follows_and_lists_lose_nobody(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    people = {person["person"]: person for person in moved.lines("people") if person["row"] is not None}
    row = {number: moved.row_of(one["members"][0][0], one["row"]) for number, one in people.items()}
    follows = moved.lines("follows")
    of_profiles = {
        (row[one["follower"]], moved.row_of("profiles", one["profile"]))
        for one in follows
        if one["from"] == "users.following"
    }
    of_users = {(row[one["follower"]], row[one["followed"]]) for one in follows if one["from"] == "followers"}
    assert of_profiles
    assert set(rows.execute("SELECT follower_id, profile_id FROM profile_follows").fetchall()) == of_profiles
    assert set(rows.execute("SELECT follower_id, following_id FROM user_follows").fetchall()) == of_users
    lists = moved.lines("lists")
    members = {
        (moved.row_of("userlists", one["id"]), moved.row_of("profiles", profile))
        for one in lists
        for profile in one["profiles"]
    }
    owned = {(moved.row_of("userlists", one["id"]), row[one["owner"]]) for one in lists}
    assert set(rows.execute("SELECT list_id, profile_id FROM user_list_members").fetchall()) == members
    assert set(rows.execute("SELECT id, owner_id FROM user_lists").fetchall()) == owned


def test_two_people_are_never_one_user_and_one_person_is_never_two(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    """All people, the planted and the usual ones; a person without a user's document may have a profile only."""
    people = moved.lines("people")
    owners: dict[str, set[int]] = {}
    for person in people:
        for member in person["members"]:
            owners.setdefault(moved.row_of(*member) or "", set()).add(person["person"])
    assert {row: persons for row, persons in owners.items() if len(persons) > 1} == {}
    assert set(owners) == {str(row) for (row,) in rows.execute("SELECT id FROM users").fetchall()}

    whose = {profile: person for person in people for profile in person["profiles"]}
    held = dict(rows.execute("SELECT id, user_id FROM profiles").fetchall())
    for profile, person in whose.items():
        user = held[moved.row_of("profiles", profile) or ""]
        assert user is None if person["row"] is None else owners[user] == {person["person"]}, person

    query = "SELECT provider, provider_account_id, user_id FROM accounts"
    accounts = {(provider, known): user for provider, known, user in rows.execute(query).fetchall()}
    several = [person for person in people if len(person.get("accounts", ())) > 1]
    joined = [person for person in several if [name for name, _ in person["members"]].count("nextauth_users") > 1]
    for person in several:
        assert {owner for one in person["accounts"] for owner in owners[accounts[tuple(one)]]} == {person["person"]}
    assert len(several) > 10
    assert joined, "a person with two users of the sign-in, and the accounts of both"


def test_the_planted_truth_reconciles_to_zero(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    """Every document of every collection is a row, a part of one, left out or a dead letter, as the truth says."""
    carried = {name: said for name, said in moved.truth["collections"].items() if name not in NOT_CARRIED}
    wanted: Counter[str] = Counter()
    for name, said in carried.items():
        table, _ = facts.FIELDS[name if name != "mentorsessions" else "mentorSessions"]
        wanted[table] += said["copied"]
    found: Counter[str] = Counter()
    for table in wanted:
        ((found[table],),) = rows.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchall()
    assert {table: found[table] - wanted[table] for table in wanted if found[table] != wanted[table]} == {}
    assert len(wanted) == 21
    merged = "SELECT collection, count(*) FROM isthmus.id_map WHERE origin = 'merged' GROUP BY collection"
    assert dict(rows.execute(merged).fetchall()) == {
        name: one["merged"] for name, one in carried.items() if one["merged"]
    }
    skipped = {
        name: said["skipped"]
        for number in COPIES
        for name, said in moved.copies[number].result["collections"].items()
        if said["skipped"]
    }
    told = {name: sum(said["skipped"].values()) for name, said in carried.items() if said["skipped"]}
    assert skipped == told
    for said in carried.values():
        ends = said["copied"] + said["merged"] + sum(said["skipped"].values()) + sum(said["dead_letter"].values())
        assert said["documents"] - ends == 0


def test_who_takes_another_s_screen_name_is_not_taken_for_him(moved: Moved, rows: psycopg.Connection[Any]) -> None:
    """Whose document is older has the name; the other waits whole as a dead letter, and nothing of his goes astray."""
    people = {person["person"]: person for person in moved.lines("people")}
    taken = [line for line in moved.lines("planted") if line["plant"] == "users/screenname-taken"]
    assert taken
    for line in taken:
        (outcome,) = line["outcomes"]
        holder, other = people[outcome["person"]], people[line["person"]]
        named = rows.execute(
            "SELECT id, email FROM users WHERE lower(btrim(screenname)) = lower(%s)", [holder["screenname"]]
        ).fetchall()
        assert named == [(moved.row_of("users", holder["row"]), holder["key"])]
        assert rows.execute("SELECT 1 FROM users WHERE lower(email) = %s", [other["key"]]).fetchall() == []
        (profile,) = other["profiles"]
        row = moved.row_of("profiles", profile)
        assert rows.execute("SELECT user_id FROM profiles WHERE id = %s", [row]).fetchall() == [(None,)]
        query = "SELECT code, document FROM isthmus.dead_letter WHERE collection = 'users' AND source_id_text = %s"
        ((code, document),) = rows.execute(query, [line["id"]]).fetchall()
        assert code == "duplicate-key"
        assert bson.decode(document)["screenname"].strip() == holder["screenname"]


@pytest.mark.slow
def test_a_phase_that_is_run_again_changes_nothing(twin: Moved, tmp_path: Path) -> None:
    before = contents(twin.database)
    for number in COPIES:
        again = twin.run(number, tmp_path)
        assert again.result["outcome"] == "complete", again.said
        assert contents(twin.database) == before, number


@pytest.mark.slow
def test_every_phase_that_is_run_again_on_a_server_changes_neither_side(at_phase: Callable[[int], Served]) -> None:
    served = at_phase(len(PHASES))
    before, documents = contents(served.database), served.documents()
    for phase in PHASES:
        again = served.phase("run", str(phase.number))
        assert again.code in {0, 1}, again.said
        assert contents(served.database) == before, phase.name
        assert served.documents() == documents, phase.name
        proof = served.phase("verify", str(phase.number))
        assert proof.code == 0, proof.said
    assert set(served.words().values()) == {"done"}, "what was acknowledged stays so"
