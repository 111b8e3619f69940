"""The order of the phases: what may be run when, what is to be looked at, and what is remembered of that.

Oracle: hand-made standings, and the ledgers of a database that was moved. Cannot see: a rewrite on a running server.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from dataclasses import replace

import psycopg
import pytest

from apps.panamia.moving.leading import collections_of, leading_to, leads
from apps.panamia.moving.phases import PHASES, Item, Standing, next_step, why_not_retire, why_not_run, why_not_undo
from apps.panamia.moving.standing import read_standings
from isthmus.mapping import load_mapping
from tests.apps.panamia.conftest import MAPPING, Moved, phase_command

LEADS = {1: {5}, 2: {1}, 3: {4, 5, 6}, 6: {5}}
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


def done(number: int) -> Standing:
    return Standing(PHASES[number - 1], run=number, finished_at=NOW, verified_at=NOW)


def standings(*finished: int) -> dict[int, Standing]:
    return {one.number: done(one.number) if one.number in finished else Standing(one) for one in PHASES}


def test_phases_are_numbered_in_their_order_and_carry_each_entry_once() -> None:
    assert [one.number for one in PHASES] == list(range(1, len(PHASES) + 1))
    carried = [entry for one in PHASES if one.kind == "copy" for entry in one.entries]
    assert len(carried) == len(set(carried))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"run": None, "finished_at": None, "verified_at": None}, "not begun"),
        ({"finished_at": None, "verified_at": None}, "interrupted"),
        ({"verified_at": None}, "not verified"),
        ({"verified_at": None, "failed": "failed"}, "verify failed"),
        ({"items": (Item("letter", "users/1/nul", ""),)}, "1 open"),
    ],
)
def test_a_phase_waits_for_the_one_before_it(change: dict[str, object], word: str) -> None:
    there = standings(1, 2)
    there[2] = replace(there[2], **change)  # pyright: ignore[reportArgumentType]
    assert not there[2].is_done
    assert there[2].word == word
    assert word in str(why_not_run(3, there))
    assert why_not_run(2, there) is None


def test_what_is_acknowledged_is_no_longer_open_and_a_dump_needs_no_rewrite() -> None:
    there = standings(1)
    there[1] = replace(there[1], items=(Item("letter", "k", "", acknowledged="asked"),))
    there[2] = Standing(PHASES[1], needed=False)
    assert why_not_run(3, there) is None
    assert next_step(there) == "run 3"
    assert next_step(standings(1, 2, 3, 4, 5, 6)) is None
    assert next_step(standings()) == "run 1"


def test_phases_are_taken_back_from_the_last_and_never_to_what_is_gone() -> None:
    there = standings(1, 2, 3, 4, 5, 6)
    assert why_not_undo(6, there, LEADS) is None
    assert "Phase 6" in str(why_not_undo(5, there, LEADS))
    there[5] = replace(there[5], collections=("profiles",), retired=frozenset({"profiles"}))
    assert "phase 5 (profiles), which is retired" in str(why_not_undo(6, there, LEADS))
    assert "half retired" in str(
        why_not_undo(5, standings(1, 2, 3, 4) | {5: there[5]} | {6: Standing(PHASES[5])}, LEADS)
    )
    there = standings(1, 2)
    assert why_not_undo(2, there, LEADS) is None
    there[1] = replace(there[1], collections=("users",), retired=frozenset({"users"}), dropped=frozenset({"users"}))
    assert "phase 1 (identity), which is retired" in str(why_not_undo(2, there, LEADS))
    assert "never run" in str(why_not_undo(3, there, LEADS))
    assert "is retired" in str(why_not_run(1, there))
    assert "no dump" in str(why_not_undo(2, {**there, 2: Standing(PHASES[1], needed=False)}, LEADS))


def test_the_mapping_says_which_documents_lead_to_which() -> None:
    mapping = load_mapping(MAPPING)
    assert leads(mapping) == {1: {5}, 2: {1}, 3: {4, 5, 6}, 4: set(), 5: set(), 6: {5}}
    assert collections_of(mapping, PHASES[0])[-1] == "nextauth_sessions"
    assert collections_of(mapping, PHASES[1]) == ()
    assert {site.collection for site in leading_to(mapping, PHASES[4])} == {
        *("users", "notifications", "userlists", "events")
    }


def test_a_phase_is_retired_when_it_is_done_and_nothing_points_at_it_by_old_ids() -> None:
    assert why_not_retire(3, standings(1, 2, 3)) == []
    assert why_not_retire(4, standings(1, 2, 3)) == ["It is not done: not begun."]
    assert "Phase 2 (references)" in why_not_retire(1, standings(1))[0]
    assert why_not_retire(1, standings(1, 2)) == []
    dropped = frozenset({"a", "b"})
    half = replace(done(3), collections=("a", "b"), retired=frozenset({"a"}), dropped=frozenset({"a"}))
    whole = replace(half, retired=dropped, dropped=dropped)
    assert (half.word, half.is_retired, next_step(standings(1, 2) | {3: half})) == (
        *("half retired", False),
        "retire 3 --live --export FOLDER",
    )
    assert (whole.word, whole.is_retired, next_step(standings(1, 2, 4, 5, 6) | {3: whole})) == ("retired", True, None)
    back = replace(whole, returned=("b",))
    assert (back.word, back.is_retired, next_step(standings(1, 2) | {3: back})) == ("half retired", False, "retire 3")
    assert next_step(standings(1, 2, 4, 5, 6) | {3: replace(whole, returned=())}) is None
    undone = replace(done(2), half_undone=True)
    assert (undone.word, undone.is_done) == ("half undone", False)
    assert next_step(standings(1) | {2: undone, 3: Standing(PHASES[2])}) == "undo 2 --live"


def test_a_target_without_the_tables_of_the_phases_is_told_what_to_do(moved_from_dump: Moved, database: str) -> None:
    ran = phase_command("status", source=moved_from_dump.source, database=database, answers=moved_from_dump.answers)
    assert ran.code == 4
    assert "isthmus schema deploy" in ran.said


def test_a_proof_of_some_layers_is_no_proof_of_a_phase(twin: Moved) -> None:
    with psycopg.connect(twin.database) as connection:
        connection.execute("UPDATE isthmus.verification SET layers = layers - 'checksum'")
        there = read_standings(connection, load_mapping(MAPPING), live=False)
    assert {number: one.word for number, one in there.items() if one.needed} == dict.fromkeys(
        (1, 3, 4, 5, 6), "not verified"
    )


def test_what_leads_nowhere_is_looked_at_in_the_phase_that_knew_last(moved_from_dump: Moved, forked: None) -> None:
    moved = moved_from_dump
    with psycopg.connect(moved.database) as connection:
        waiting = connection.execute(
            "SELECT table_name, column_name, row_id, target_id, target_table FROM isthmus.pending_reference"
        ).fetchall()
        standings = read_standings(connection, load_mapping(MAPPING), live=False)
    found = {
        number: Counter((item.key.partition("/")[0], item.shown.partition(" is no row of ")[2]) for item in items)
        for number, standing in standings.items()
        for items in [[one for one in standing.items if one.kind == "nowhere"]]
    }
    routed = {"article_id", "session_id", "profile_id"}
    others = Counter(
        (f"{table}.{column}", to)
        for table, column, _, _, to in waiting
        if table != "notifications" or column not in routed
    )
    route = ("notifications.article_id|session_id|profile_id", "articles, mentor_sessions or profiles")
    may_mean = [row for table, column, row, *_ in waiting if table == "notifications" and column in routed]
    objects = set(may_mean)
    assert objects
    assert len(may_mean) == 3 * len(objects), "it may mean rows of three tables"
    assert sum(found.values(), Counter[tuple[str, str]]()) == others + Counter({route: len(objects)})
    assert {place for place, _ in found[5]} >= {"profile_follows.profile_id", "profiles.user_id"}
    assert {place for place, _ in found[6]} >= {"user_list_members.profile_id", route[0]}
    assert not found[1]
    assert set(found[3]) == {("notifications.actor", "users")}


def test_a_phase_is_refused_until_each_letter_before_it_was_looked_at(twin: Moved, forked: None) -> None:
    def said(*words: str) -> tuple[int, str]:
        ran = phase_command(*words, source=twin.source, database=twin.database, answers=twin.answers)
        return ran.code, ran.said

    with psycopg.connect(twin.database) as connection:
        connection.execute("DELETE FROM panamia_move.acknowledgement")
        connection.execute("DELETE FROM isthmus.acknowledgement")
    code, out = said("status", "--json")
    page = json.loads(out)
    assert (code, page["next"]) == (0, "items 1")
    first = page["phases"][0]
    assert first["open"] == sum(twin.truth["collections"]["users"]["dead_letter"].values()) + sum(
        sum(twin.truth["collections"][name]["dead_letter"].values())
        for name in ("nextauth_users", "nextauth_accounts", "nextauth_verification_tokens")
    )
    assert said("run", "3", "--with-sessions")[0] == 2
    assert said("run", "1", "--dry-run")[0] == 2, "only a rewrite has a dry run"
    code, err = said("run", "3")
    assert code == 5
    assert "Phase 1 (identity) comes before it" in err
    code, out = said("items", "1")
    assert code == 1
    assert f"{first['open']:,} of them open" in out
    key = next(line for line in out.splitlines() if line.startswith("letter")).split()[1]
    assert said("acknowledge", "1", "no such key", "--reason", "x")[0] == 2
    assert said("acknowledge", "1", key, "--reason", "  ")[0] == 2
    assert said("acknowledge", "1", key, "--reason", "asked by phone")[0] == 0
    code, out = said("items", "1", "--all")
    assert f"{key}  [asked by phone]" in out
    assert said("acknowledge", "1", "--all", "--reason", "known losses of the old sign-in")[0] == 0
    code, out = said("status", "--json")
    assert json.loads(out)["phases"][0]["word"] == "done"
    assert said("verify", "3")[0] == 2, "another run came after it"
    assert said("run", "9")[0] == 2
