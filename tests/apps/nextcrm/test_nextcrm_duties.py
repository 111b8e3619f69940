"""The duties that the papers give the migration script: progress, pause and resume, a summary that hides nothing.

The command runs as people run it: at a terminal of two widths, into a pipe, stopped by Ctrl-C and by SIGTERM in the
middle of a batch. Oracle: what the terminal shows, the truth of the generator, and a copy that nobody stopped.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.apps.nextcrm.conftest import MAPPING, Carried, run
from tests.chaos.sessions import ROOT, Copy
from tests.chaos.snapshot import differences, snapshot
from tests.integration.cli.terminals import COLUMNS, CTRL_C, at_terminal, shown_lines

SMALL: dict[str, object] = {"batch_bytes": 131_072, "small_bytes": 60_000}
"""So that 9,288 documents make some forty batches."""
AMID = ("copy.before-commit", 24)
"""A batch of Users, sent and not committed; those before it, and most other collections, are."""
STOPPED, WIDE = 130, 120

# Lines are due at once, so that no test waits ten seconds for one.
TALKING = """
import json, sys
from isthmus.cli import bars
bars._QUIET_SECONDS = bars._LINE_SECONDS = 0.05
from tests.chaos.runner import start
start(json.loads(sys.argv[1]), sys.argv[2:])
"""


def command(carried: Carried, target: str, flag: Path, instant: tuple[str, int], *more: object) -> list[str]:
    """A copy with one worker that stops at an instant until the flag is gone."""
    plan = {**SMALL, "pause": [*instant, str(flag)]}
    words = ("copy", MAPPING, "--source", carried.dump, "--target", target, "--workers", "1", *more)
    return [sys.executable, "-c", TALKING, json.dumps(plan), *map(str, words)]


def released(flag: Path, seen: list[str], wanted: str, columns: int = COLUMNS) -> Callable[[str], bool]:
    """Let a paused copy go on once its terminal shows what is wanted, a regular expression; keep what it showed."""

    def look(said: str) -> bool:
        if not flag.exists():
            return False
        shown = "\n".join(shown_lines(said, columns))
        if not re.search(wanted, shown, re.DOTALL):
            return False
        seen.append(shown)
        flag.unlink()
        return True

    return look


def test_a_terminal_shows_every_collection_and_all_of_them_in_percent_with_counts_and_time_left(
    as_run: Carried, deployed: str, tmp_path: Path
) -> None:
    seen: list[str] = []
    look = released(tmp_path / "flag", seen, r"ETA.*\nUsers [^\n]* 2\d % .*\nall [^\n]* MB")  # a frame to its last line
    words = command(as_run, deployed, tmp_path / "flag", AMID)
    code, said = at_terminal(words, ROOT, [(look, b"")])
    assert code == 1, said
    lines = [line for line in seen[0].splitlines() if line]
    assert max(map(len, lines)) <= COLUMNS
    head, users, every = (next(one for one in lines if one.startswith(name)) for name in ("Copying", "Users ", "all "))
    assert re.fullmatch(r"Copying  \d+ of 30 collections  [\d.]+ [kM]?B/s  ETA \d+ s  dead letters 4", head)
    counted = re.search(r" (2\d) % ([\d,]+) of ~([\d,]+)", users)
    assert counted, users
    percent, done, total = (int(number.replace(",", "")) for number in counted.groups())
    assert abs(total - as_run.truth["read"]["Users"]) < 200  # it is told by the size of those that were read
    assert abs(100 * done / total - percent) <= 1.5
    assert re.search(r" \d\d % [\d,]+ of ~9,\d{3}  [\d.]+ MB$", every), every
    end = "\n".join(shown_lines(said))
    assert "━" not in end  # the bars are gone, and the books stand in their place
    assert "The books balance, but not everything was carried" in end


@pytest.mark.soak  # what is drawn of steps: test_progress.py
def test_a_wider_terminal_shows_the_delivery_table_by_table(as_run: Carried, deployed: str, tmp_path: Path) -> None:
    seen: list[str] = []
    look = released(tmp_path / "flag", seen, r"rows of crm_Contracts", WIDE)
    words = command(as_run, deployed, tmp_path / "flag", ("deliver.between-tables", 10))
    code, said = at_terminal(words, ROOT, [(look, b"")], WIDE)
    assert code == 1, said
    assert "Delivering to the tables that exist  25 %  10 of 39" in seen[0]


def test_lines_tell_the_same_where_no_terminal_is(as_run: Carried, deployed: str, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    with subprocess.Popen(
        command(as_run, deployed, flag, AMID, "--json", "-"),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            if flag.exists() and "Users 2" in line:
                flag.unlink()
        report = json.loads(process.stdout.read())
    assert (process.returncode, report["outcome"]) == (1, "complete")  # data there, talk here
    told = [line for line in lines if line.startswith("Copying: ") and "Users 2" in line]
    assert re.fullmatch(
        r"Copying: [\d,]+ of ~9,\d{3} documents, [\d.]+ MB of 3\.8 MB \(\d\d %\), [\d.]+ [kM]?B/s, about \d+ s left,"
        r" then finishing, dead letters 4; \d\d of 30 collections, Users 2\d % \(1,\d{3} of ~[78],\d{3}\)\n",
        told[-1],
    ), told[-1]
    assert not [line for line in lines if "\x1b" in line or "━" in line]


def test_ctrl_c_in_the_middle_of_a_batch_ends_behind_it_and_the_same_command_goes_on(
    as_run: Carried, deployed: str, tmp_path: Path
) -> None:
    flag, key = tmp_path / "flag", key_of(as_run, tmp_path)
    words = command(as_run, deployed, flag, AMID, "--id-key", key)
    keys = [(lambda _said: flag.exists(), CTRL_C), (released(flag, [], "SIGINT: finishing the batch in hand"), b"")]
    code, said = at_terminal(words, ROOT, keys)
    assert code == STOPPED, said
    end = [line for line in shown_lines(said) if line]
    assert end[-1].strip() == "→ Run the same command again to go on from here."
    assert said.rfind("\x1b[?25h") > said.rfind("\x1b[?25l")  # the terminal has its cursor
    read = re.search(r"Stopped as asked\. ([\d,]+) documents are accounted for and committed\.", " ".join(end))
    assert read, end
    assert committed(deployed) == int(read[1].replace(",", "")) > 0  # what it says is there, and no half of a batch
    goes_on(as_run, deployed, key)


def test_sigterm_does_the_same_and_status_tells_where_it_stands(as_run: Carried, deployed: str, tmp_path: Path) -> None:
    key = key_of(as_run, tmp_path)
    copy = Copy(MAPPING, as_run.dump, deployed, key, tmp_path, plan=SMALL, options=("--workers", "1"))
    with copy.begin(pause=AMID) as session:
        session.wait_until_paused()
        during = run("status", "--json", "-", database=deployed)
        session.process.send_signal(15)
        session.go_on()
        assert session.ended().code == STOPPED
    told = json.loads(during.out)
    assert (told["running"], told["stage"], during.code) == (True, "copying", 0)
    part, whole = (told["read"]["Users"][name] for name in ("bytes", "of_bytes"))
    assert 0.1 < part / whole < 0.5
    assert whole == (as_run.dump / "Users.bson").stat().st_size
    assert re.search(r"read +\d\d %: [\d.]+ MB of 3\.8 MB, [\d,]+ documents", during.said), during.said
    assert re.search(r"Users +2\d % ", during.said)
    stopped = run("status", database=deployed)
    assert "not complete, nothing works on it now (stage copying)" in stopped.out
    assert "Run the same isthmus copy again; it goes on from here." in stopped.out
    goes_on(as_run, deployed, key)
    after = run("status", database=deployed)
    assert after.out.startswith("Run 1: complete\n")
    assert re.search(r"Users +1 of 1 +7,950 +7,948", after.out), after.out


def key_of(carried: Carried, folder: Path) -> Path:
    """A file with the key that a target's ids are derived with."""
    with psycopg.connect(carried.database) as connection:
        row = connection.execute("SELECT key FROM isthmus.id_key").fetchone()
    assert row is not None
    path = folder / "id.key"
    path.write_text(bytes(row[0]).hex(), encoding="ascii")
    return path


def committed(database: str) -> int:
    """Documents that the checkpoints count; nothing of them is in the tables of the application yet."""
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT sum(documents) FROM isthmus.batch").fetchone()
        users = connection.execute('SELECT count(*) FROM "Users"').fetchone()
    assert row is not None
    assert users == (0,)
    return int(row[0])


def goes_on(carried: Carried, database: str, key: Path) -> None:
    """The same command again: in the end all is as if nobody had stopped it."""
    again = run(
        *("copy", "mapping.yaml", "--source", str(carried.dump), "--id-key", str(key), "--json", "-"),
        database=database,
    )
    assert again.code == 1, again.said
    assert json.loads(again.out)["resumed"]
    difference = differences(snapshot(database, "public"), snapshot(carried.database, "public"))
    assert not difference, difference


def test_the_summary_names_all_that_is_not_as_the_source_has_it(busy: Carried) -> None:
    said, report, truth = busy.copied.said, busy.copied.report, busy.truth
    assert report is not None
    summary = said[said.index("Collections left behind, with") :]
    assert report["skipped_documents"] == truth["left_behind"]
    for name, count in truth["left_behind"].items():
        assert re.search(rf"^ +{count:,}  {name}: \w.+$", summary, re.MULTILINE), name
    assert set(report["skipped_collections"]) == set(truth["left_behind"])
    outcomes = [one for item in truth["planted"] for one in item["outcomes"]]
    fates = Counter(one["action"] for one in outcomes if one["kind"] == "orphan")
    assert (
        f"  references that lead nowhere: {fates['null']} set to NULL, {fates['drop']} left out: isthmus orphans"
        in summary
    )
    merged, letters = sum(truth["merged"].values()), sum(truth["letters"].values())
    assert f"  documents that are one with another: {merged} merged: isthmus conflicts" in summary
    assert "The books balance, but not everything was carried" in summary
    assert f"  • {letters} dead letters: isthmus letters list" in summary
    assert (busy.copied.code, report["exit_code"]) == (1, 1)
    for collection, books in report["collections"].items():
        row = rf"^{collection} +{books['read']:,} +{books['copied']:,} .*"
        assert re.search(row, said, re.MULTILINE), collection
