"""The pages beside the service say what is so: their commands work as shown, and what they name is there.

Cannot see: whether what a table says of an answer is so; the tests of each area ask that. `make panamia` is run by
`test_service_demo.py`, the commands of the how-to pages by `tests/contract/test_docs_commands.py`.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.apps.panamia.conftest import SETTINGS
from tests.apps.panamia.service.conftest import World
from tests.apps.panamia.service.possessions import own_everything
from tests.apps.panamia.service.serving import ROOT
from tests.contract.console_blocks import commands_of, missing_lines, run
from tests.fix_mongo import MongoDatabase
from tests.fix_postgres import create_database, drop_database, free_port
from tests.oracle.copying import url

pytestmark = pytest.mark.anyio
SERVICE = ROOT / "apps" / "panamia" / "service"
PAGES = ("README.md", "NOTIFICATIONS.md")


def text_of(name: str) -> str:
    return (SERVICE / name).read_text("utf-8")


def test_only_one_page_has_commands_that_are_compared() -> None:
    """So that the next one is run by somebody too."""
    assert [page.name for page in sorted(SERVICE.rglob("*.md")) if commands_of(page.read_text("utf-8"))] == [
        "NOTIFICATIONS.md"
    ]


async def test_the_commands_about_mail_work_as_shown(world: World, tmp_path: Path) -> None:
    owner = own_everything(world, "ana")
    for key, said in zip(
        owner.notifications,
        (
            "created_at = now() - interval '41 s'",
            "tries = 2, failure = 'ConnectionError'",
            "tries = 0",
            "tries = 3, failure = 'the server refused the address (550)', given_up_at = now()",
        ),
        strict=True,
    ):
        world.rows(f"UPDATE notification_mails SET {said} WHERE notification_id = %s", key)
    (tmp_path / ".shell").mkdir()
    (tmp_path / ".shell" / "place").write_text(str(ROOT), "utf-8")
    (tmp_path / ".shell" / "environment").write_text(f"export POSTGRES_URL='{url(world.postgres)}'\n", "utf-8")
    commands = commands_of(text_of("NOTIFICATIONS.md"))
    assert commands
    for command in commands:
        ran = run(command, tmp_path)
        assert (ran.returncode, command.compare) == (command.exit_code, True), ran.stdout
        assert missing_lines(command.output, ran.stdout) == [], ran.stdout


@pytest.mark.slow
def test_the_service_runs_by_the_commands_of_its_page(
    postgres: str, make_mongo: Callable[[], MongoDatabase], tmp_path: Path
) -> None:
    block = text_of("README.md").partition("## Run it")[2].partition("```sh\n")[2].partition("```")[0]
    database, port = create_database(postgres), free_port()
    for name, said in (("auth", secrets.token_hex(16)), ("mail", f"file:{tmp_path / 'mails'}")):
        (tmp_path / name).write_text(said, "utf-8")
    for shown, here in {
        "postgresql://panamia@pooler/panamia": url(database),
        "postgresql://panamia@db/panamia": url(database),
        "mongodb://panamia@mongo/panamia": make_mongo().url,
        "/run/secrets/auth": str(tmp_path / "auth"),
        "/run/secrets/mail": str(tmp_path / "mail"),
    }.items():
        assert block.count(shown) == 1, shown
        block = block.replace(shown, f"'{here}'")
    commands = [line.partition("  #")[0].rstrip() for line in block.splitlines()]
    once, running = commands[:-2], commands[-2:]
    assert running == ["python -m apps.panamia.service", "isthmus outbox run"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environment |= {"PORT": str(port), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    kept = f"export -p > '{tmp_path / 'environment'}'"
    script = "\n".join(["set -eu", *once, kept])
    ran = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with beside(running[1], tmp_path, environment) as relay, beside(running[0], tmp_path, environment):
        give_up_at = time.monotonic() + 60
        while (said := ready(port)) != {"status": "ok", "postgres": "up", "mongodb": "up"}:
            assert time.monotonic() < give_up_at, said
            time.sleep(0.1)
        while "listening" not in relay.read_text("utf-8"):
            assert time.monotonic() < give_up_at, relay.read_text("utf-8")
            time.sleep(0.1)
    drop_database(postgres, database)


@contextmanager
def beside(command: str, folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """Run a command of the page with what its lines before have exported; give the file of what it says."""
    said = folder / f"{command.split(maxsplit=1)[0]}.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", f". '{folder / 'environment'}'; exec {command}"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield said
        assert process.poll() is None, said.read_text("utf-8")
    finally:
        process.terminate()
        assert process.wait(30) in {0, -15}, said.read_text("utf-8")


def ready(port: int) -> object:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").json()
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("name", PAGES)
async def test_every_route_that_a_page_names_is_there(world: World, name: str) -> None:
    paths: dict[str, dict[str, object]] = world.app.openapi()["paths"]
    there = {
        f"{method.upper()} {re.sub('{[^}]*}', '{}', path)}" for path, methods in paths.items() for method in methods
    }
    named: set[str] = set()
    for methods, path in re.findall(r"\| ((?:`[A-Z]+`, )*`?[A-Z]+) (/api/[^`]*)`", text_of(name)):
        path_of = re.sub("{[^}]*}", "{}", path)
        named |= {f"{method} {path_of}" for method in re.findall("[A-Z]+", methods)}
    assert named <= there, named - there
    assert len(named) >= (7 if name == "NOTIFICATIONS.md" else 0)


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    text = text_of(name)
    parts = re.findall(r"`([a-z_/]+(?:\.py|/))`", text) + re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert len(parts) > (15 if name == "README.md" else 0)
    assert [part for part in parts if not _is_there(part)] == []
    modules = re.findall(r"python -m ([a-z_.]+)", text)
    assert [one for one in modules if not _is_module(one)] == []


def _is_there(part: str) -> bool:
    return (SERVICE / part).exists() or (ROOT / part).exists() or any(SERVICE.glob(f"*/{part}"))


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_that_a_page_names_is_one(name: str) -> None:
    known = set(re.findall(r"^\| `([A-Z_]+)", text_of("SETTINGS.md"), re.MULTILINE))
    named = set(re.findall(r"(?:`|export |\s)([A-Z][A-Z_]+_[A-Z_]+)(?:=|`)", text_of(name)))
    assert named
    assert {one for one in named if one not in known and one.removesuffix("_FILE") not in known} == set()
