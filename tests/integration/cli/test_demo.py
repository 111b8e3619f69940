"""`isthmus demo`, twice in one folder, with the reader's own work between: all of it is still there afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg

from isthmus.connect.embedded import start
from isthmus.demo import MAPPING
from tests.integration.cli.conftest import RunCommand


def test_demo_leaves_what_the_reader_changed_and_what_he_built_on_its_tables(
    isthmus: RunCommand, short_path: Path
) -> None:
    folder = short_path / "demo"
    assert isthmus("demo", "--dir", folder, cwd=short_path).code == 0
    mine = MAPPING.read_text().replace("title: text", "title: varchar", 1)
    (folder / "mapping.yaml").write_text(mine)
    ran = isthmus("demo", "--dir", folder, "--json", short_path / "demo.json", cwd=short_path)
    assert ran.code == 0, ran.all
    assert f"{folder / 'mapping.yaml'} was changed since it was laid out: it stays as it is" in ran.err
    assert f"mapping  {folder / 'mapping-2.yaml'}" in ran.out
    assert f"isthmus copy {folder / 'mapping-2.yaml'} " in ran.out
    assert "with their rows: users 60," in ran.err
    assert (folder / "mapping.yaml").read_text() == mine
    assert json.loads((short_path / "demo.json").read_text())["outcome"] == "complete"
    server = start(folder / "postgres")
    try:
        with psycopg.connect(server.conninfo, autocommit=True) as connection:
            connection.execute("CREATE VIEW mine AS SELECT name FROM users")
    finally:
        server.close()
    ran = isthmus("demo", "--dir", folder, cwd=short_path)
    assert ran.code == 4
    assert "has-dependents" in ran.err
    assert "view mine" in ran.err
