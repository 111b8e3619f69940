"""The order of the phases: what may be run when, what is to be looked at, and what is remembered of that.

Oracle: hand-made standings, and the ledgers of a database that was moved. Cannot see: a rewrite on a running server.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import psycopg
import pytest

from apps.panamia.moving.phases import PHASES, Item, Standing, next_step, why_not_run
from apps.panamia.phase import main
from tests.apps.panamia.conftest import Moved
from tests.oracle.copying import url

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


def test_a_phase_is_refused_until_each_letter_before_it_was_looked_at(
    moved: Moved, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--source", str(moved.dump), "--target", url(moved.database), "--resolutions", str(moved.answers)]

    def said(*words: str) -> tuple[int, str, str]:
        code = main([*common, *words])
        read = capsys.readouterr()
        return code, read.out, read.err

    with psycopg.connect(moved.database) as connection:
        connection.execute("DELETE FROM panamia_move.acknowledgement")
    code, out, _ = said("status", "--json")
    page = json.loads(out)
    assert (code, page["next"]) == (0, "items 1")
    first = page["phases"][0]
    assert first["open"] == sum(moved.truth["collections"]["users"]["dead_letter"].values()) + sum(
        sum(moved.truth["collections"][name]["dead_letter"].values())
        for name in ("nextauth_users", "nextauth_accounts", "nextauth_verification_tokens")
    )
    code, _, err = said("run", "3")
    assert code == 5
    assert "Phase 1 (identity) comes before it" in err
    code, out, err = said("items", "1")
    assert code == 1
    assert f"{first['open']:,} of them open" in err
    key = out.split()[1]
    assert said("acknowledge", "1", "no such key", "--reason", "x")[0] == 2
    assert said("acknowledge", "1", key, "--reason", "  ")[0] == 2
    assert said("acknowledge", "1", key, "--reason", "asked by phone")[0] == 0
    code, out, _ = said("items", "1", "--all")
    assert f"{key}  [asked by phone]" in out
    assert said("acknowledge", "1", "--all", "--reason", "known losses of the old sign-in")[0] == 0
    code, out, _ = said("status", "--json")
    assert json.loads(out)["phases"][0]["word"] == "done"
    assert said("verify", "3")[0] == 2, "another run came after it"
    assert said("run", "9")[0] == 2
