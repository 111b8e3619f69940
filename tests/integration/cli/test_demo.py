"""`isthmus demo`, twice in one folder, with the reader's own work between: all of it is still there afterwards."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import psycopg

from isthmus.cli.demo import next_commands
from isthmus.connect.embedded import start
from isthmus.demo import MAPPING
from isthmus.demo.lay_out import LaidOut
from tests.integration.cli.conftest import RunCommand


def test_demo_leaves_what_the_reader_changed_and_what_he_built_on_its_tables(
    started: RunCommand, short_path: Path
) -> None:
    """Each command that it suggests is started as a reader would."""
    folder = short_path / "my demo"
    assert started("demo", "--dir", folder, cwd=short_path).code == 0
    mine = MAPPING.read_text().replace("title: text", "title: varchar", 1)
    (folder / "mapping.yaml").write_text(mine)
    ran = started("demo", "--dir", folder, "--json", short_path / "demo.json", cwd=short_path)
    assert ran.code == 0, ran.all
    assert f"{folder / 'mapping.yaml'} was changed since it was laid out: it stays as it is" in ran.err
    assert f"mapping  {folder / 'mapping-2.yaml'}" in ran.out
    assert "Nothing was lost without a trace: 25 documents that no table can hold are kept as dead letters" in ran.out
    assert "The books count 25 dead letters, 22 of them planted" in ran.out
    suggested = [shlex.split(line) for line in ran.out.splitlines() if line.startswith("  isthmus ")]
    assert {command[1] for command in suggested} == {*("verify", "copy", "status", "psql", "letters", "orphans", "ids")}
    places = [command[command.index("--target") + 1] for command in suggested]
    assert set(places) == {f"embedded:{folder / 'postgres'}"}
    assert ["isthmus", "copy", str(folder / "mapping-2.yaml"), "--source", str(folder / "dump" / "crm")] in [
        command[:5] for command in suggested
    ]
    for command in suggested:
        looked = started(*command[1:], cwd=short_path)
        assert looked.code == 0, looked.all
    assert "with their rows: users 60," in ran.err
    assert (folder / "mapping.yaml").read_text() == mine
    assert json.loads((short_path / "demo.json").read_text())["outcome"] == "complete"
    server = start(folder / "postgres")
    try:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute("CREATE VIEW mine AS SELECT name FROM users")
    finally:
        server.close()
    ran = started("demo", "--dir", folder, "--json", short_path / "demo.json", cwd=short_path)
    assert ran.code == 4
    refused = json.loads((short_path / "demo.json").read_text())
    assert (refused["outcome"], refused["code"]) == ("failed", "has-dependents")
    assert "has-dependents" in ran.err
    assert "view mine" in ran.err


def test_suggested_commands_without_a_dead_letter_name_none() -> None:
    commands = next_commands(LaidOut(Path("dump"), Path("mapping.yaml"), ()), "embedded:pg", None)
    words = [tuple(command.split()[1:3]) for command in commands]
    assert words == [
        *(("verify", "mapping.yaml"), ("copy", "mapping.yaml"), ("status", "--target"), ("psql", "--target")),
        *(("letters", "list"), ("orphans", "list")),
    ]
