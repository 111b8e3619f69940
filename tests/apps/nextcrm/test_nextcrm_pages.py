"""The commands of NextCRM's pages where practice and night differ, run in a repository as its reader has it.

The page as a whole, with the made-up database, is run by `tests/contract/test_docs_commands.py`. Cannot see: mongodump
(a generated dump stands for what it writes), the application.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import bson
import psycopg
import pytest
from psycopg import sql

from apps.generating.sinks import DumpFolder
from apps.nextcrm.generator.build import generate, profile_of
from isthmus.connect.embedded_files import packaged_binaries
from tests.contract.console_blocks import Command, commands_of, run
from tests.fix_git import Git
from tests.fix_postgres import short_directory
from tests.oracle.copying import url

ROOT = Path(__file__).parents[3]
CUTOVER = ROOT / "docs" / "how-to" / "cut-over-nextcrm.md"
README = ROOT / "apps" / "nextcrm" / "README.md"
ADDRESS = "postgresql://owner@host/nextcrm"
"""What the page writes where its reader writes the address of the target."""
MONGODUMP = """#!/bin/sh
test "$1 $2 $3" = '--db nextcrm --out' && mkdir -p "$4" && cp -R '{made}' "$4/nextcrm"
"""


def part(text: str, begin: str, end: str) -> str:
    """The text from one heading to another."""
    return text[text.index(f"\n{begin}\n") : text.index(f"\n{end}\n")]


def shell_blocks(text: str) -> list[list[str]]:
    """Of each fence that says `sh`, its commands."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [block.replace("\\\n", "").splitlines() for block in blocks]


NIGHT = part(CUTOVER.read_text(encoding="utf-8"), "## The night", "### 10. Switch")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A repository that holds the applications and ignores what this one ignores; its path is short."""
    made = short_directory()
    folder = made / "checkout"
    git = Git(folder)
    shutil.copytree(ROOT / "apps", folder / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "apps", folder / "tests" / "apps", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".gitignore", folder)
    git("add", "--all")
    git.commit()
    yield folder
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """The application's role on the server of the database, and nothing that it may do."""
    name = f"nextcrm_app_{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    yield name
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_night_copies_the_dump_of_the_night_although_the_practice_is_there_and_leaves_nothing_to_commit(
    checkout: Path, database: str, role: str, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    generate(profile_of("busy", 1), 1, DumpFolder(made))
    shutil.copytree(made, checkout / "build" / "practice" / "nextcrm")
    with (made / "crm_Industry_Type.bson").open("ab") as out:
        out.write(bson.encode({"_id": bson.ObjectId(), "__v": bson.Int64(0), "name": "entered since"}))
    programs = [tmp_path / "programs", packaged_binaries()]  # psql of any age need not understand the tests' address
    programs[0].mkdir()
    (programs[0] / "mongodump").write_text(MONGODUMP.format(made=made), encoding="utf-8")
    (programs[0] / "mongodump").chmod(0o755)

    def do(text: str, code: int = 0) -> str:
        ran = run(Command(text.replace(ADDRESS, f"'{url(database)}'").replace("nextcrm_app", role), 0), checkout)
        assert ran.returncode == code, f"{text}\n{ran.stdout}"
        return ran.stdout

    # The terminal of the practice, which the page says not to take.
    do(f"export PATH='{programs[0]}:{programs[1]}':\"$PATH\"")
    do("export DATABASE_URL=embedded:build/practice/pg DUMP=../../build/practice/nextcrm")
    settings, backup, *_ = shell_blocks(NIGHT)
    status, *steps = commands_of(NIGHT)
    for line in settings:
        do(line)
    assert "holds no run" in do(status.text, status.exit_code)
    for line in backup:
        do(line)
    assert "File exists" in do(backup[0], 1)  # a second dump does not go there
    for step in steps:
        if "CREATE ROLE" not in step.text:  # said to be for the made-up database
            do(step.text, step.exit_code)
    do(status.text)  # a database that holds a run is told from an empty one

    with psycopg.connect(database, autocommit=True) as connection:
        found = connection.execute("SELECT count(*) FROM \"crm_Industry_Type\" WHERE name = 'entered since'")
        assert found.fetchone() == (1,)
        connection.execute("CREATE TABLE of_a_later_migration (id int)")
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        connection.execute("INSERT INTO of_a_later_migration VALUES (1)")
        connection.execute("UPDATE \"crm_Industry_Type\" SET name = 'changed' WHERE name = 'entered since'")
        for push in ('DROP INDEX "crm_Accounts_search_idx"', 'ALTER TABLE "Documents" DROP COLUMN extras'):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(push.encode())
    shutil.rmtree(checkout / ".shell")
    assert Git(checkout)("status", "--porcelain") == ""


def test_what_only_the_made_up_database_is_for_is_not_among_the_steps_of_the_night() -> None:
    night = "\n".join(
        [*(step.text for step in commands_of(NIGHT)), *(line for one in shell_blocks(NIGHT) for line in one)]
    )
    assert not re.findall(r"sed |DROP |practice|mapping\.yaml\.bak|embedded:", night)
    sources = re.findall(r"--source (\S+)", night)
    assert len(sources) == 3
    assert set(sources) == {'"$DUMP"'}
    assert set(re.findall(r"build/(\w+)", night)) == {"night"}


def test_the_answer_that_is_tried_in_practice_is_taken_back(checkout: Path) -> None:
    text = CUTOVER.read_text(encoding="utf-8")
    tried = commands_of(text[text.index("\n## With the made-up database only\n") :])
    answer, back = (step.text for step in tried if "mapping.yaml.bak" in step.text or "-i.bak" in step.text)
    mapping = checkout / "apps" / "nextcrm" / "mapping.yaml"
    before = mapping.read_bytes()
    run(Command(f"cd apps/nextcrm && {answer}", 0), checkout)
    assert b"taskStatus: {type: taskStatus, values: {DONE: COMPLETE}, " in mapping.read_bytes()
    shown = Git(checkout)("status", "--porcelain").splitlines()
    assert [line for line in shown if "mapping" in line] == [" M apps/nextcrm/mapping.yaml"]  # not its old form
    run(Command(back, 0), checkout)
    assert mapping.read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_tables_of_the_application_are_tried_as_the_page_says(checkout: Path) -> None:
    generate(profile_of("as-run", 0), 1, DumpFolder(checkout / "build" / "nextcrm"))
    tables = part(README.read_text(encoding="utf-8"), "## The tables", "## Typed access")
    (block,) = shell_blocks(tables)
    (checkout / ".shell").mkdir()
    (checkout / ".shell" / "place").write_text(str(checkout / "apps" / "nextcrm"), encoding="utf-8")
    said = ""
    for line in block:
        text, _, code = line.partition("  # exit ")
        ran = run(Command(text, 0), checkout)
        assert ran.returncode == int(code[:1] or 0), f"{line}\n{ran.stdout}"
        said = ran.stdout
    assert "6 dead letters" in said
    gone = run(Command("isthmus psql -- -qAtc \"SELECT to_regclass('public.crm_Accounts_search_idx')\"", 0), checkout)
    assert (gone.returncode, gone.stdout.strip()) == (0, "")  # they are the application's, not the migrations'
