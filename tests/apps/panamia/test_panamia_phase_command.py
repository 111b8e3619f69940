"""`phase.py` as a command line: settings, refusals, what it prints, signals. The order of phases is tested elsewhere.

Oracle: what the test itself gave. Cannot see: how a terminal shows colours.
"""

from __future__ import annotations

import datetime
import io
import json
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from apps.panamia.moving.phases import PHASES, Item, Standing
from apps.panamia.moving.settings import read_settings
from apps.panamia.moving.showing import show_items, show_standings, to_retire, what_next
from apps.panamia.phase import main as phase_main
from isthmus.errors import ConfigError
from tests.apps.panamia.conftest import HOME, Moved, Ran, phase_command

NOW = datetime.datetime(2026, 11, 22, 21, 5, tzinfo=datetime.UTC)
ROOT = HOME.parents[1]
BAD_MAPPING = "isthmus: 1\ncollections:\n  a: {fields: {x: no_such_type}}\n  b: {fields: {y: no_such_type_either}}\n"


def said(moved: Moved, *words: str, folder: Path | None = None) -> Ran:
    return phase_command(*words, source=moved.source, database=moved.database, answers=moved.answers, folder=folder)


def done(number: int, *, needed: bool = True) -> Standing:
    collections = ("x",) if PHASES[number - 1].kind == "copy" else ()
    return Standing(
        PHASES[number - 1], run=number, finished_at=NOW, verified_at=NOW, collections=collections, needed=needed
    )


def test_every_finding_of_an_error_is_told(moved_from_dump: Moved, tmp_path: Path) -> None:
    mapping = tmp_path / "bad mapping.yaml"
    mapping.write_text(BAD_MAPPING)
    ran = said(moved_from_dump, "--mapping", str(mapping), "verify", "1", folder=tmp_path)
    assert ran.code == 2
    assert "no_such_type" in ran.said
    assert "no_such_type_either" in ran.said
    assert (ran.result["outcome"], ran.result["exit_code"]) == ("failed", 2)


def test_a_refusal_is_written_as_json_too(twin: Moved, tmp_path: Path) -> None:
    with psycopg.connect(twin.database) as connection:
        connection.execute("DELETE FROM isthmus.verification")
    ran = said(twin, "run", "3", folder=tmp_path)
    assert ran.code == 5
    assert (ran.result["outcome"], ran.result["code"], ran.result["exit_code"]) == ("failed", "phase-before", 5)
    assert "Phase 1 (identity) comes before it" in ran.result["error"]
    printed = said(twin, "run", "3", "--json", "-")
    assert json.loads(printed.said[printed.said.index("{") :])["code"] == "phase-before"
    nowhere = said(twin, "run", "3", "--json", str(tmp_path / "no such folder" / "x.json"))
    assert nowhere.code == 2
    assert "(output-lost)" in nowhere.said


def test_answers_that_are_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "über 'x'.yaml"
    for given, environment in ((missing, {}), (None, {"ISTHMUS_RESOLUTIONS": str(missing)})):
        with pytest.raises(ConfigError) as caught:
            read_settings("dump", "postgresql://h/d", None, given, environment)
        assert (caught.value.code, caught.value.exit_code) == ("no-resolutions", 2)
        assert missing.name in str(caught.value)
    read_settings("dump", "postgresql://h/d", None, None, {})  # the default file may be missing


def test_addresses_may_stand_in_files_and_are_handed_on_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("MONGODB_URI", "mongodb://u:geheim@h/d"), ("DATABASE_URL", "postgresql://u:geheim@h/d")):
        (tmp_path / name).write_text(f"{text}\n")
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("POSTGRES_DIRECT_URL", raising=False)
    settings = read_settings(None, None, None, None)
    assert (settings.source, settings.target) == ("mongodb://u:geheim@h/d", "postgresql://u:geheim@h/d")
    handed = settings.environment()
    assert (handed["MONGODB_URI"], handed["DATABASE_URL"]) == (settings.source, settings.target)
    assert not {"MONGODB_URI_FILE", "DATABASE_URL_FILE"} & set(handed), "isthmus refuses both"
    monkeypatch.setenv("MONGODB_URI", "mongodb://other/d")
    with pytest.raises(ConfigError) as caught:
        read_settings(None, None, None, None)
    assert caught.value.code == "setting-twice"


def test_an_embedded_target_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    environment = {"PATH": "/usr/bin:/bin", "DATABASE_URL": f"embedded:{folder}"}
    ran = subprocess.run(
        [sys.executable, "-m", "apps.panamia.phase", "status"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    assert (ran.returncode, ran.stdout) == (4, "")
    assert "(no-such-target)" in ran.stderr
    assert not folder.exists()


def test_who_asked_for_sessions_once_has_asked_until_it_is_undone(twin: Moved, forked: None) -> None:
    def sessions() -> int:
        with psycopg.connect(twin.database) as connection:
            ((count,),) = connection.execute("SELECT count(*) FROM sessions").fetchall()
        return int(count)

    with psycopg.connect(twin.database) as connection:
        connection.execute("DELETE FROM isthmus.verification")
    assert sessions() == 0
    ran = said(twin, "run", "1", "--with-sessions")
    assert ran.code == 1, "there are dead letters"
    assert "as they were before" not in ran.said
    carried = sessions()
    assert carried > 0
    with psycopg.connect(twin.database) as connection:
        connection.execute("DELETE FROM sessions WHERE session_token = (SELECT min(session_token) FROM sessions)")
    ran = said(twin, "run", "1")
    assert "Sign-ins are carried too, as they were before" in ran.said
    with psycopg.connect(twin.database) as connection:
        ((only,),) = connection.execute("SELECT tables -> 'only' FROM isthmus.run ORDER BY id DESC LIMIT 1").fetchall()
    assert "nextauth_sessions" in only


def test_what_a_verification_tells_names_no_file_that_nobody_asked_for(twin: Moved, forked: None) -> None:
    with psycopg.connect(twin.database) as connection:
        connection.execute("UPDATE interactions SET created_at = created_at + interval '1 hour'")
        connection.execute("UPDATE images SET created_at = created_at + interval '1 hour'")
        connection.execute("UPDATE mentor_sessions SET created_at = created_at + interval '1 hour'")
    ran = said(twin, "verify", "6")
    assert ran.code == 1
    assert "--html FILE or --json FILE lists them" in ran.said
    assert "result.json" not in ran.said


def test_every_line_of_status_and_items_fits_into_80_columns() -> None:
    standings = {number: done(number) for number in range(1, 7)}
    many = [Item("letter", f"k{number}", "x") for number in range(12_345)]
    standings[6] = replace(standings[6], items=many)
    standings[5] = replace(standings[5], items=[replace(item, acknowledged="known") for item in many])
    standings[2] = replace(standings[2], half_undone=True)
    standings[3] = replace(standings[3], verified_at=None, failed="failed")
    written = io.StringIO()
    console = Console(file=written, width=80, force_terminal=True, color_system=None)
    show_standings(console, standings)
    words = "profiles a7: convert: The value of a field does not become what the column takes, as it is no number. " * 3
    show_items(console, [Item("letter", "k" * 90, words.strip(), "asked by phone")])
    lines = written.getvalue().splitlines()
    long = [line for line in lines if len(line.rstrip()) > 80]
    assert [line[:10].rstrip() for line in long] == ["letter"], "a key is to be pasted, so it stays whole"
    rows = lines[1 : lines.index("")]
    assert [re.split(r"  +", line)[0] for line in rows] == [f"{one.number} {one.name}" for one in PHASES]
    assert [line.rstrip().endswith(f"  {one.authority}") for line, one in zip(rows, PHASES, strict=True)] == [True] * 6
    assert "12,345" in rows[5]
    assert "2026-11-22 21:05" in rows[5]
    below = [line for line in lines[lines.index(long[0]) + 1 :] if line.strip()]
    assert all(line.startswith(" " * 10) for line in below)
    assert " ".join(" ".join(below).split()) == words.strip()


def test_when_all_is_done_it_is_said_what_comes_then() -> None:
    standings = {number: done(number) for number in range(1, 7)}
    assert what_next(standings).splitlines()[-1] == "→ next: python -m apps.panamia.phase retire 1"
    assert to_retire(standings) == [1, 3, 4, 5, 6]
    gone = frozenset({"x"})
    standings[1] = replace(standings[1], retired=gone, dropped=gone)
    assert to_retire(standings) == [3, 4, 5, 6]
    whole = {
        number: replace(one, retired=gone, dropped=gone) if one.collections else one
        for number, one in standings.items()
    }
    assert "isthmus status --decommission" in what_next(whole)
    dump = {**standings, 2: done(2, needed=False)}
    assert what_next(dump) == "All phases are done. A dump has nothing to retire."
    assert what_next({**standings, 4: Standing(PHASES[3])}) == "→ next: python -m apps.panamia.phase run 4"


CHILD = """
import signal, sys, time
def end(number, frame):
    print(f"child: {signal.Signals(number).name}", flush=True)
    sys.exit(130)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
print("ready", flush=True)
time.sleep(60)
"""
PARENT = (
    "import os, sys; from apps.panamia.moving.child import run_child as r; sys.exit(r({}, os.environ, quiet=False))"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_isthmus_does_in_its_own_way(number: signal.Signals) -> None:
    parent = PARENT.format([sys.executable, "-c", CHILD])
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, f"child: {number.name}\n", "")


def test_a_child_that_a_signal_killed_has_the_code_of_a_shell() -> None:
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    ran = subprocess.run([sys.executable, "-c", PARENT.format(killed)], cwd=ROOT, check=False, timeout=30)
    assert ran.returncode == 128 + 9


def test_every_code_of_its_own_stands_in_the_readme() -> None:
    text = (HOME / "README.md").read_text(encoding="utf-8")
    part = text[text.index("### When it refuses") : text.index("### Back: `undo`")]
    codes = [row.split("|")[2] for row in part.splitlines() if re.match(r"\| \d", row)]
    told = {code for column in codes for code in re.findall(r"`([a-z-]+)`", column)}
    sources = [HOME / "phase.py", *sorted((HOME / "moving").glob("*.py"))]
    raised = {code for path in sources for code in re.findall(r'code="([a-z-]+)"', path.read_text(encoding="utf-8"))}
    assert len(raised) > 15
    assert raised - told == set()
    assert told - raised <= {"phase-before", "setting-file", "setting-twice"}, "the table is of codes that there are"


@pytest.mark.parametrize("command", ["run", "verify"])
def test_a_dump_is_not_rewritten_and_goes_on_with_the_next_phase(moved_from_dump: Moved, command: str) -> None:
    moved = moved_from_dump
    where = {"source": moved.source, "database": moved.database, "answers": moved.answers}
    ran = phase_command(command, "2", **where)
    assert (ran.code, "(source-not-live)" in ran.said, "Go on with run 3" in ran.said) == (2, True, True), ran.said


def test_options_are_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["undo", "4", "--liv"], ["run", "1", "--with-session"], ["--sourc", "x", "status"]):
        with pytest.raises(SystemExit) as ended:
            phase_main(words)
        assert ended.value.code == 2
        assert re.search("unrecognized arguments|invalid choice", capsys.readouterr().err)
