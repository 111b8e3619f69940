"""Pana MIA moved phase by phase: what became of everything that was planted, and of everybody.

Oracle: the generator's truth, and SQL of these tests' own. Cannot see: what nobody planted, and documents that a
running application changes meanwhile.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg
import pytest

from apps.panamia.moving.phases import PHASES
from tests.apps.panamia.conftest import Moved, contents, isthmus

COPIES = [phase.number for phase in PHASES if phase.kind == "copy"]
NOT_CARRIED = {"nextauth_sessions"}


@pytest.mark.parametrize("number", COPIES)
def test_each_phase_is_verified_with_every_document(moved: Moved, number: int) -> None:
    assert moved.proofs[number].code == 0, moved.proofs[number].said
    assert moved.proofs[number].result["outcome"] == "passed"
    assert moved.copies[number].result["outcome"] == "complete", moved.copies[number].said


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


def test_no_secret_stands_in_a_log_or_an_export(moved: Moved) -> None:
    said = " ".join(ran.said for ran in [*moved.copies.values(), *moved.proofs.values()])
    said += isthmus("identities", "export", database=moved.database).said
    said += isthmus("letters", "export", database=moved.database).said
    with psycopg.connect(moved.database) as connection:
        queries = (
            "SELECT access_token FROM accounts WHERE length(access_token) > 8",
            "SELECT refresh_token FROM accounts WHERE length(refresh_token) > 8",
            "SELECT token FROM verification_tokens",
            "SELECT migration_token FROM email_migrations",
            "SELECT hashed_password FROM users WHERE hashed_password IS NOT NULL",
        )
        secrets = [str(value) for query in queries for (value,) in connection.execute(query).fetchall()]
    assert len(secrets) > 20
    assert [one for one in secrets if one in said] == []


def test_a_phase_that_is_run_again_changes_nothing(moved: Moved, tmp_path: Path) -> None:
    before = contents(moved.database)
    again = moved.run(6, tmp_path)
    assert again.result["outcome"] == "complete", again.said
    assert contents(moved.database) == before
